//! A domanda as it shall be against the domanda as it is: what differs, whether the sheets let it change, and what is
//! then written.
//!
//! A value of a sheet goes by that sheet's own state. Of the domanda itself the sheets decide together: its payment, and
//! documents, may change while at least one sheet lets them, since an account must be mended whatever the other sheets
//! wait for; name and contacts while at least one sheet is not worked yet; all other data, on which each sheet is judged,
//! only while none is.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogo::Codice;
use crate::domanda::atto::{Effetto, non_ammette};
use crate::domanda::consultazione::{DomandaConsultata, SchedaConsultata};
use crate::domanda::quadro::{Quadro, SchedaNelQuadro, Valori};
use crate::domanda::stato::{Azione, AzioneRichiesta, Parte};
use crate::domanda::{Allegato, CodiceFiscale, Domanda, Fascicolo, Mese, Richiedente, Scheda, Violazione};
use crate::prestazione::Operazione;
use crate::ricevuta::SchedaRicevuta;

/// What was found.
pub(super) struct Confronto {
    /// What may not change, each at its path in the Domanda.
    pub(super) violazioni: Vec<Violazione>,
    /// What does not change, though it was sent.
    pub(super) avvisi: Vec<Violazione>,
    /// Who asks, as they shall be called.
    pub(super) richiedente: Richiedente,
    /// What changes.
    pub(super) effetti: Vec<Effetto>,
    /// The names of the values that change: `iban`; of a sheet with its place, `2.disabile`.
    pub(super) campi: Vec<String>,
    /// The documents that were not there.
    pub(super) allegati: Vec<Allegato>,
    /// The sheets that it touches.
    pub(super) schede: Vec<SchedaRicevuta>,
}

/// The work of finding it.
struct Ricerca<'a> {
    domanda: &'a dyn Domanda,
    attuale: &'a DomandaConsultata,
    trovato: Confronto,
    /// Whether the domanda itself changes, and so whatever lives in it.
    dell_insieme: bool,
    /// The parts of it that may have been asked for.
    parti: BTreeSet<Parte>,
    /// The parts that change of each sheet, by place, and its expected first month.
    schede: BTreeMap<u32, (BTreeSet<Parte>, Option<Mese>)>,
}

impl Confronto {
    pub(super) fn of(
        domanda: &dyn Domanda,
        fascicolo: &Fascicolo,
        attuale: &DomandaConsultata,
        aggiungi: Operazione,
    ) -> Self {
        let vuoto = Quadro::default();
        let quadro = attuale.quadro.as_ref().unwrap_or(&vuoto);
        let mut ricerca = Ricerca {
            domanda,
            attuale,
            trovato: Self {
                violazioni: Vec::new(),
                avvisi: Vec::new(),
                richiedente: fascicolo.richiedente.clone(),
                effetti: Vec::new(),
                campi: Vec::new(),
                allegati: Vec::new(),
                schede: Vec::new(),
            },
            dell_insieme: false,
            parti: BTreeSet::new(),
            schede: BTreeMap::new(),
        };
        ricerca.people(fascicolo, aggiungi);
        ricerca.domanda(fascicolo, quadro);
        for (posto_inviato, scheda) in (1..).zip(&fascicolo.schede) {
            if let Some((attuale, nel_quadro)) = pair(scheda, ricerca.attuale, quadro) {
                ricerca.scheda(posto_inviato, scheda, attuale, nel_quadro);
            }
        }
        ricerca.documents(fascicolo, quadro);
        ricerca.finish()
    }
}

/// The sheet that is there of a child: of two the newer, since the older one is no longer live.
fn pair<'a>(
    scheda: &Scheda,
    attuale: &'a DomandaConsultata,
    quadro: &'a Quadro,
) -> Option<(&'a SchedaConsultata, &'a SchedaNelQuadro)> {
    let attuale = attuale
        .schede
        .iter()
        .rfind(|altra| altra.codice_fiscale == scheda.codice_fiscale)?;
    Some((attuale, quadro.scheda(attuale.posto)?))
}

impl<'a> Ricerca<'a> {
    /// MOD-001, MOD-002, MOD-003: the same who asks, and the same children.
    fn people(&mut self, fascicolo: &Fascicolo, aggiungi: Operazione) {
        if fascicolo.richiedente.codice_fiscale != self.attuale.richiedente.codice_fiscale {
            let dove = self.domanda.dove(None, "richiedente");
            self.trovato.violazioni.push(Violazione::at(Codice::Mod003, dove));
        }
        let attuali: BTreeSet<&str> = codici(self.attuale.schede.iter().map(|scheda| &scheda.codice_fiscale));
        let inviati = codici(fascicolo.schede.iter().map(|scheda| &scheda.codice_fiscale));
        for (posto, scheda) in (1..).zip(&fascicolo.schede) {
            if !attuali.contains(scheda.codice_fiscale.as_str()) {
                let dove = self.domanda.dove(Some(posto), "codice_fiscale");
                let altro = Violazione::at(Codice::Mod001, dove).with("aggiungi", aggiungi.nome());
                self.trovato.violazioni.push(altro);
            }
        }
        for scheda in &self.attuale.schede {
            let newer = self
                .attuale
                .schede
                .iter()
                .any(|altra| altra.posto > scheda.posto && altra.codice_fiscale == scheda.codice_fiscale);
            if !newer && !inviati.contains(scheda.codice_fiscale.as_str()) {
                let dove = self.domanda.dove(None, "schede");
                let manca = Violazione::at(Codice::Mod002, dove).with("posto", scheda.posto);
                self.trovato.violazioni.push(manca);
            }
        }
    }

    /// The values of the domanda itself.
    fn domanda(&mut self, fascicolo: &Fascicolo, quadro: &Quadro) {
        let attuale: &'a DomandaConsultata = self.attuale;
        let nuovi = Valori::of_domanda(fascicolo);
        let mut gruppi = BTreeSet::new();
        for nome in nuovi.differences(&quadro.domanda) {
            // Another person is told above.
            if nome == "richiedente" {
                continue;
            }
            let gruppo = Gruppo::of(nome);
            gruppi.insert(gruppo);
            self.dell_insieme = true;
            self.parti.extend(gruppo.parte());
            self.trovato.campi.push(nome.to_owned());
            if !gruppo.may_change(&attuale.schede) {
                self.refuse(None, nome, judge(attuale));
            }
        }
        for gruppo in gruppi {
            let valori = nuovi.clone();
            self.trovato.effetti.push(match gruppo {
                Gruppo::Dati => Effetto::Dati {
                    posto: None,
                    valori,
                    decorrenza_presunta: None,
                },
                Gruppo::Pagamento => Effetto::Pagamento { valori },
                Gruppo::Contatti => Effetto::Contatti { valori },
            });
        }
    }

    /// The values of a sheet.
    fn scheda(
        &mut self,
        posto_inviato: u32,
        scheda: &Scheda,
        attuale: &SchedaConsultata,
        nel_quadro: &SchedaNelQuadro,
    ) {
        let (mut nuovi, vecchi) = (Valori::of_scheda(scheda), &nel_quadro.valori);
        // How the other parent is paid may be told by that parent alone (AT-4, AU-4): while neither parent nor split
        // changes, what a Domanda says nothing of stays.
        let immutata = ["ripartizione", "altro_genitore"]
            .iter()
            .all(|nome| nuovi.get(nome) == vecchi.get(nome));
        if nel_quadro.completata && nuovi.get("altro_genitore") == vecchi.get("altro_genitore") {
            self.leave_the_other_half(posto_inviato, &mut nuovi, vecchi);
        } else if immutata && nuovi.get(ALTRA_META[0]).is_none() {
            nuovi.keep_from(vecchi, ALTRA_META);
        }
        let mut parti = BTreeSet::new();
        for nome in nuovi.differences(vecchi) {
            let parte = parte_della_scheda(nome);
            parti.insert(parte);
            self.trovato.campi.push(format!("{}.{nome}", attuale.posto));
            let modificabili = attuale.stato.modificabili(attuale.azione_richiesta);
            if !modificabili.contains(&parte) {
                self.refuse(Some(posto_inviato), nome, Some(attuale));
            }
        }
        if parti.is_empty() {
            return;
        }
        self.schede
            .insert(attuale.posto, (parti, scheda.decorrenza_presunta));
        self.trovato.effetti.push(Effetto::Dati {
            posto: Some(attuale.posto),
            valori: nuovi,
            decorrenza_presunta: scheda.decorrenza_presunta,
        });
    }

    /// MOD-006, MOD-101: what the other parent has said of their half is theirs. The split, which both are told, is refused;
    /// a payment stays as it is whatever is sent, and the answer is the same for every account: it tells nothing of the one
    /// that is there.
    fn leave_the_other_half(&mut self, posto_inviato: u32, nuovi: &mut Valori, vecchi: &Valori) {
        if nuovi.get("ripartizione") != vecchi.get("ripartizione") {
            let dove = self.domanda.dove(Some(posto_inviato), "ripartizione");
            let sua = Violazione::at(Codice::Mod006, dove)
                .with("ripartizione", vecchi.testo("ripartizione").unwrap_or_default());
            self.trovato.violazioni.push(sua);
            nuovi.take_from(vecchi, &["ripartizione"]);
        } else if nuovi.get(ALTRA_META[0]).is_some() {
            let dove = self.domanda.dove(Some(posto_inviato), ALTRA_META[0]);
            if self.trovato.avvisi.iter().all(|altro| altro.dove != dove) {
                self.trovato.avvisi.push(Violazione::at(Codice::Mod101, dove));
            }
        }
        nuovi.take_from(vecchi, ALTRA_META);
    }

    /// The documents that were not there. Those that are there need not come again, and stay where they do not.
    fn documents(&mut self, fascicolo: &Fascicolo, quadro: &Quadro) {
        let mut noti = quadro.allegati.clone();
        let nuovi = fascicolo.allegati.iter();
        let nuovi: Vec<Allegato> = nuovi
            .filter(|allegato| noti.insert(allegato.impronta))
            .cloned()
            .collect();
        if nuovi.is_empty() {
            return;
        }
        self.dell_insieme = true;
        self.parti.insert(Parte::Documenti);
        self.trovato.campi.push(ALLEGATI.to_owned());
        let attuale: &'a DomandaConsultata = self.attuale;
        if !any_lets(&attuale.schede, Parte::Documenti) {
            self.refuse(None, ALLEGATI, judge(attuale));
        }
        self.trovato.allegati = nuovi;
    }

    /// LAV-001, or STA-001 where no work stands in the way but the end of the sheet; one finding a path.
    fn refuse(&mut self, posto_inviato: Option<u32>, nome: &str, scheda: Option<&SchedaConsultata>) {
        let dove = self.domanda.dove(posto_inviato, nome);
        let Some(scheda) = scheda else { return };
        if self.trovato.violazioni.iter().any(|altra| altra.dove == dove) {
            return;
        }
        self.trovato.violazioni.push(if scheda.stato.is_lavorata() {
            Violazione::at(Codice::Lav001, dove)
                .with("posto", scheda.posto)
                .with("stato", scheda.stato.as_str())
                .with("modificabili", modificabili(scheda))
        } else {
            non_ammette(scheda, Operazione::ModificaDomanda, dove)
        });
    }

    /// MOD-004 where nothing differs; what was asked for and is now given is no longer asked for.
    fn finish(mut self) -> Confronto {
        if self.trovato.campi.is_empty() && self.trovato.violazioni.is_empty() {
            let dove = self.domanda.dove(None, "");
            self.trovato.violazioni.push(Violazione::at(Codice::Mod004, dove));
        }
        for scheda in &self.attuale.schede {
            let sue = self.schede.get(&scheda.posto);
            let data = |parte: &Parte| scheda.azione_richiesta.is_answered_by(*parte);
            let risposta = scheda.stato.is_live()
                && (self.parti.iter().any(data) || sue.is_some_and(|(parti, _)| parti.iter().any(data)));
            if risposta {
                // The state stays: the engine, whose it is, goes on with what has arrived.
                self.trovato.effetti.push(Effetto::Stato {
                    posto: scheda.posto,
                    stato: scheda.stato,
                    azione: AzioneRichiesta::Nessuna,
                    libera: None,
                });
            }
            if (self.dell_insieme && scheda.stato.is_live()) || risposta || sue.is_some() {
                self.trovato.schede.push(SchedaRicevuta {
                    posto: scheda.posto,
                    codice_fiscale: scheda.codice_fiscale.clone(),
                    decorrenza_presunta: sue.map_or(scheda.decorrenza_presunta, |(_, mese)| *mese),
                });
            }
        }
        self.trovato
    }
}

/// The values of the domanda itself, by what decides on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gruppo {
    Dati,
    Pagamento,
    Contatti,
}

impl Gruppo {
    fn of(nome: &str) -> Self {
        match nome {
            "modalita" | "iban" | "intestato_richiedente" => Self::Pagamento,
            nome if nome.starts_with("pagamento_") => Self::Pagamento,
            nome if nome.starts_with("richiedente_") => Self::Contatti,
            _ => Self::Dati,
        }
    }

    /// What of it may have been asked for.
    fn parte(self) -> Option<Parte> {
        match self {
            Self::Pagamento => Some(Parte::Pagamento),
            Self::Dati | Self::Contatti => None,
        }
    }

    fn may_change(self, schede: &[SchedaConsultata]) -> bool {
        let any_not_worked = schede
            .iter()
            .any(|scheda| scheda.stato.allows(Azione::Modificare));
        match self {
            Self::Pagamento => any_lets(schede, Parte::Pagamento),
            Self::Contatti => any_not_worked,
            Self::Dati => any_not_worked && !schede.iter().any(|scheda| scheda.stato.is_lavorata()),
        }
    }
}

fn any_lets(schede: &[SchedaConsultata], parte: Parte) -> bool {
    schede.iter().any(|scheda| {
        scheda
            .stato
            .modificabili(scheda.azione_richiesta)
            .contains(&parte)
    })
}

/// The sheet that keeps the domanda itself from changing: the first one that is worked, else the first one.
fn judge(attuale: &DomandaConsultata) -> Option<&SchedaConsultata> {
    let mut lavorate = attuale.schede.iter().filter(|scheda| scheda.stato.is_lavorata());
    lavorate.next().or_else(|| attuale.schede.first())
}

fn parte_della_scheda(nome: &str) -> Parte {
    match nome {
        "altro_genitore" | "altro_genitore_assente" => Parte::AltroGenitore,
        "ripartizione" => Parte::Ripartizione,
        nome if ALTRA_META.contains(&nome) => Parte::PagamentoAltroGenitore,
        _ => Parte::Dati,
    }
}

/// How the other parent of a sheet is paid; without the first there is none of the others.
const ALTRA_META: &[&str] = &[
    "altro_genitore_modalita",
    "altro_genitore_iban",
    "pagamento_altro_genitore_strumento",
];

/// The name under which new documents are told.
const ALLEGATI: &str = "allegati";

/// What may still change of a sheet, as people are told.
fn modificabili(scheda: &SchedaConsultata) -> String {
    let parti = scheda.stato.modificabili(scheda.azione_richiesta);
    let nomi: Vec<&str> = parti.iter().map(|parte| parte.nome()).collect();
    if nomi.is_empty() {
        "nulla".to_owned()
    } else {
        nomi.join(", ")
    }
}

fn codici<'a>(persone: impl Iterator<Item = &'a CodiceFiscale>) -> BTreeSet<&'a str> {
    persone.map(CodiceFiscale::as_str).collect()
}
