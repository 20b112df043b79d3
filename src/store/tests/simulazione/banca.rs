//! The simulated database, as much of PostgreSQL as a registration needs: what is committed, apart from it what open
//! transactions would write, and who holds which row until its transaction ends. It outlives every node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::domanda::atto::Effetto;
use crate::domanda::consultazione::{DomandaConsultata, SchedaConsultata};
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::domanda::{CodiceFiscale, Scheda, SchedaViva};
use crate::protocollo::NumeroDomanda;
use crate::ricevuta::Registrata;
use crate::store::registro::{Nuova, RigaContatore, avente};
use crate::store::{Chiave, Contenuto};

/// A key, in the order in which keys are claimed.
pub(super) type ChiaveDi = (String, String, &'static str);

/// The key as the database knows it.
pub(super) fn chiave_di(chiave: &Chiave) -> ChiaveDi {
    let Chiave {
        ente,
        servizio,
        chiave,
    } = chiave;
    (chiave.as_str().to_owned(), ente.as_str().to_owned(), servizio)
}

/// One line of the register.
#[derive(Debug, Clone)]
pub(super) struct Riga {
    pub(super) id: i64,
    pub(super) chiave: ChiaveDi,
    pub(super) registrata: Registrata,
    pub(super) istante: Timestamp,
    /// The message as received.
    pub(super) richiesta: Bytes,
}

/// A domanda with its sheets.
#[derive(Debug, Clone)]
pub(super) struct Domanda {
    pub(super) registrazione: i64,
    pub(super) servizio: &'static str,
    pub(super) avente: Option<CodiceFiscale>,
    /// As rules see it; `registrata` and version included.
    pub(super) consultata: DomandaConsultata,
}

/// What is committed.
#[derive(Debug, Clone, Default)]
pub(super) struct Stato {
    pub(super) chiavi: BTreeMap<ChiaveDi, i64>,
    pub(super) registrazioni: BTreeMap<i64, Riga>,
    /// Where the live sheet of a child stands.
    pub(super) vive: BTreeMap<(&'static str, String), u64>,
    pub(super) domande: BTreeMap<u64, Domanda>,
    pub(super) registri: BTreeMap<&'static str, RigaContatore>,
    pub(super) ultima_domanda: u64,
}

/// What a transaction would write.
#[derive(Debug, Clone, Default)]
pub(super) struct Modifiche {
    pub(super) chiavi: Vec<(ChiaveDi, i64)>,
    pub(super) righe: Vec<Riga>,
    pub(super) opere: Vec<Opera>,
    pub(super) registri: Vec<(&'static str, RigaContatore)>,
    pub(super) ultima_domanda: Option<u64>,
}

/// What a registration makes of domande.
#[derive(Debug, Clone)]
pub(super) enum Opera {
    Apre(Box<Domanda>),
    Cambia(NumeroDomanda, Vec<Effetto>, Timestamp),
}

/// What transactions hold, in the order in which one that needs several asks for them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Risorsa {
    Chiave(ChiaveDi),
    Avente(&'static str, String),
    Scheda(&'static str, String),
    Domanda(u64),
    Registro(&'static str),
    Contatori,
}

/// A transaction that has not ended.
#[derive(Debug, Default)]
struct Aperta {
    tiene: BTreeSet<Risorsa>,
    aspetta: Option<Risorsa>,
    /// Its COMMIT has come: who asked for it may go.
    in_commit: bool,
    /// Nobody is at its other end; the server finds out then.
    scade: Option<Instant>,
}

/// The database.
#[derive(Debug, Default)]
pub(super) struct Banca(Mutex<Dentro>);

#[derive(Debug, Default)]
struct Dentro {
    stato: Stato,
    aperte: BTreeMap<u64, Aperta>,
    ultima_transazione: u64,
    ultimo_id: i64,
}

/// How asking for something ended.
pub(super) enum Presa {
    /// It is ours until we end.
    Avuta,
    /// Somebody else holds it.
    Altrui,
    /// Somebody else holds it, and waits for us: for ever.
    Abbraccio,
}

impl Banca {
    /// What is committed now.
    pub(super) fn look<T>(&self, guarda: impl FnOnce(&Stato) -> T) -> T {
        guarda(&self.dentro().stato)
    }

    /// Puts another state in its place, whatever was open.
    pub(super) fn restore(&self, stato: Stato) {
        let mut dentro = self.dentro();
        dentro.stato = stato;
        dentro.aperte.clear();
    }

    pub(super) fn begin(&self) -> u64 {
        let mut dentro = self.dentro();
        dentro.ultima_transazione += 1;
        let quale = dentro.ultima_transazione;
        dentro.aperte.insert(quale, Aperta::default());
        quale
    }

    /// The next id of a registration: never given twice, whatever becomes of it.
    pub(super) fn next_id(&self) -> i64 {
        let mut dentro = self.dentro();
        dentro.ultimo_id += 1;
        dentro.ultimo_id
    }

    /// Asks for something that lasts until the transaction ends.
    pub(super) fn hold(&self, transazione: u64, risorsa: &Risorsa) -> Presa {
        let mut dentro = self.dentro();
        let adesso = Instant::now();
        dentro
            .aperte
            .retain(|_, aperta| aperta.in_commit || aperta.scade.is_none_or(|scade| scade > adesso));
        let di_chi = |risorsa: &Risorsa| {
            let mut aperte = dentro.aperte.iter();
            aperte
                .find(|(_, aperta)| aperta.tiene.contains(risorsa))
                .map(|(chi, _)| *chi)
        };
        let mut chi = di_chi(risorsa).filter(|chi| *chi != transazione);
        let esito = if chi.is_none() {
            Presa::Avuta
        } else {
            // Whoever holds it may wait for another, and that one for us.
            for _ in 0..dentro.aperte.len() {
                let Some(altro) = chi.filter(|altro| *altro != transazione) else {
                    break;
                };
                chi = dentro.aperte[&altro].aspetta.as_ref().and_then(di_chi);
            }
            if chi == Some(transazione) {
                Presa::Abbraccio
            } else {
                Presa::Altrui
            }
        };
        if let Some(aperta) = dentro.aperte.get_mut(&transazione) {
            match esito {
                Presa::Avuta => {
                    aperta.aspetta = None;
                    aperta.tiene.insert(risorsa.clone());
                }
                Presa::Altrui | Presa::Abbraccio => aperta.aspetta = Some(risorsa.clone()),
            }
        }
        esito
    }

    /// Gives back what a transaction holds, before its end: what no transaction does, and mutations do.
    pub(super) fn release(&self, transazione: u64, quali: impl Fn(&Risorsa) -> bool) {
        if let Some(aperta) = self.dentro().aperte.get_mut(&transazione) {
            aperta.tiene.retain(|risorsa| !quali(risorsa));
        }
    }

    /// Its COMMIT has come: from now on it ends by [`Self::apply`] or [`Self::end`] alone.
    pub(super) fn enter_commit(&self, transazione: u64) {
        if let Some(aperta) = self.dentro().aperte.get_mut(&transazione) {
            aperta.in_commit = true;
        }
    }

    /// Nobody is at the other end of a transaction any more: what it holds is free at that moment.
    pub(super) fn abandon(&self, transazione: u64, scade: Instant) {
        if let Some(aperta) = self.dentro().aperte.get_mut(&transazione) {
            aperta.scade = Some(scade);
        }
    }

    /// Ends a transaction without its changes.
    pub(super) fn end(&self, transazione: u64) {
        self.dentro().aperte.remove(&transazione);
    }

    /// Writes changes; what a unique index would have refused is told.
    pub(super) fn apply(&self, modifiche: Modifiche) -> Vec<String> {
        self.dentro().stato.apply(modifiche)
    }

    fn dentro(&self) -> MutexGuard<'_, Dentro> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stato {
    /// What is registered under a key.
    pub(super) fn registrata(&self, chiave: &ChiaveDi) -> Option<Registrata> {
        let id = self.chiavi.get(chiave)?;
        Some(self.registrazioni.get(id)?.registrata.clone())
    }

    /// The live sheet of a child.
    pub(super) fn viva(&self, servizio: &'static str, minore: &CodiceFiscale) -> Option<SchedaViva> {
        let numero = self.vive.get(&(servizio, minore.as_str().to_owned()))?;
        let scheda = self
            .schede_of(*numero)
            .find(|scheda| scheda.codice_fiscale == *minore)?;
        Some(SchedaViva {
            codice_fiscale: minore.clone(),
            stato: scheda.stato.as_str().to_owned(),
            subentrata: false,
        })
    }

    /// The sheets of a domanda.
    fn schede_of(&self, numero: u64) -> impl Iterator<Item = &SchedaConsultata> {
        self.domande
            .get(&numero)
            .into_iter()
            .flat_map(|domanda| &domanda.consultata.schede)
    }

    /// How many live sheets each child has.
    pub(super) fn live_sheets(&self) -> BTreeMap<(&'static str, &str), usize> {
        let mut quante = BTreeMap::new();
        for domanda in self.domande.values() {
            for scheda in domanda
                .consultata
                .schede
                .iter()
                .filter(|scheda| scheda.stato.is_live())
            {
                *quante
                    .entry((domanda.servizio, scheda.codice_fiscale.as_str()))
                    .or_default() += 1;
            }
        }
        quante
    }

    fn apply(&mut self, modifiche: Modifiche) -> Vec<String> {
        let mut rifiuti = Vec::new();
        for (chiave, id) in modifiche.chiavi {
            if self
                .chiavi
                .insert(chiave.clone(), id)
                .is_some_and(|altro| altro != id)
            {
                rifiuti.push(format!("the key {chiave:?} is there twice"));
            }
        }
        for riga in modifiche.righe {
            let doppia = |altra: &Riga| altra.registrata.protocollo == riga.registrata.protocollo;
            if self.registrazioni.values().any(doppia) {
                rifiuti.push(format!("{} is there twice", riga.registrata.protocollo));
            }
            self.registrazioni.insert(riga.id, riga);
        }
        for opera in modifiche.opere {
            match opera {
                Opera::Apre(domanda) => {
                    let numero = domanda.consultata.registrata.numero_domanda.0;
                    for scheda in &domanda.consultata.schede {
                        let minore = (domanda.servizio, scheda.codice_fiscale.as_str().to_owned());
                        if self.vive.insert(minore, numero).is_some() {
                            rifiuti.push(format!("a child of domanda {numero} has another live sheet"));
                        }
                    }
                    if self.domande.insert(numero, *domanda).is_some() {
                        rifiuti.push(format!("domanda {numero} is there twice"));
                    }
                }
                Opera::Cambia(numero, effetti, istante) => {
                    let Some(domanda) = self.domande.get_mut(&numero.0) else {
                        rifiuti.push(format!("domanda {} is not there", numero.0));
                        continue;
                    };
                    domanda.consultata.versione += 1;
                    for effetto in effetti {
                        let Effetto::Stato {
                            posto,
                            stato,
                            azione,
                            libera,
                        } = effetto
                        else {
                            continue;
                        };
                        let mut schede = domanda.consultata.schede.iter_mut();
                        if let Some(scheda) = schede.find(|scheda| scheda.posto == posto) {
                            scheda.stato = stato;
                            scheda.stato_dal = istante;
                            scheda.azione_richiesta = azione;
                        }
                        if let Some(minore) = libera {
                            self.vive.remove(&(domanda.servizio, minore.as_str().to_owned()));
                        }
                    }
                }
            }
        }
        self.registri.extend(modifiche.registri);
        self.ultima_domanda = modifiche.ultima_domanda.unwrap_or(self.ultima_domanda);
        rifiuti
    }
}

impl Modifiche {
    /// One registration more, with its key.
    pub(super) fn push(&mut self, nuova: &Nuova<'_>) {
        let (atto, ricevuta) = (nuova.atto, &nuova.ricevuta);
        let chiave = chiave_di(&atto.chiave);
        self.chiavi.push((chiave.clone(), nuova.id));
        self.righe.push(Riga {
            id: nuova.id,
            chiave,
            registrata: nuova.registrata.clone(),
            istante: ricevuta.registrata_il,
            richiesta: atto.richiesta.clone(),
        });
        self.opere.push(match &atto.contenuto {
            Contenuto::Domanda(fascicolo) => {
                let presentata = |scheda: &Scheda| SchedaConsultata {
                    posto: scheda.posto,
                    codice_fiscale: scheda.codice_fiscale.clone(),
                    stato: StatoDomanda::Presentata,
                    stato_dal: ricevuta.registrata_il,
                    riesame: None,
                    azione_richiesta: AzioneRichiesta::Nessuna,
                    decorrenza_presunta: scheda.decorrenza_presunta,
                };
                Opera::Apre(Box::new(Domanda {
                    registrazione: nuova.id,
                    servizio: atto.chiave.servizio,
                    avente: avente(atto).map(|(_, avente)| avente.codice_fiscale.clone()),
                    consultata: DomandaConsultata {
                        registrata: nuova.registrata.clone(),
                        ente: atto.chiave.ente.clone(),
                        versione: 1,
                        richiedente: fascicolo.richiedente.clone(),
                        presentata_il: ricevuta.presentata_il,
                        registrata_il: ricevuta.registrata_il,
                        codice_ufficio: atto.codice_ufficio.to_string(),
                        impronta: atto.impronta,
                        schede: fascicolo.schede.iter().map(presentata).collect(),
                        quadro: None,
                    },
                }))
            }
            Contenuto::Seguito(seguito) => Opera::Cambia(
                seguito.numero_domanda,
                seguito.effetti.clone(),
                ricevuta.registrata_il,
            ),
        });
    }

    /// The numbers of its registrations, for the trace.
    pub(super) fn numeri(&self) -> String {
        let numeri: Vec<String> = self
            .righe
            .iter()
            .map(|riga| riga.registrata.protocollo.to_string())
            .collect();
        numeri.join(" ")
    }
}
