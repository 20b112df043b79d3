//! A connection of a node to the database: every statement is a trip that takes its time and may fail, and a wait where
//! somebody else holds what it asks for. Dropped, its transaction is rolled back once the server notices; what it does
//! with a COMMIT that has come is the server's alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::banca::{ChiaveDi, Modifiche, Presa, Risorsa, Stato, chiave_di};
use super::scena::{Mutazione, Scena};
use crate::domanda::{CodiceFiscale, DomandaViva, SchedaViva};
use crate::protocollo::NumeroDomanda;
use crate::ricevuta::Registrata;
use crate::store::gara::{Contesa, Minore};
use crate::store::registro::{Aperta, Aperte, Attuale, Chi, RigaContatore, avente};
use crate::store::{Atto, Chiave, StoreError};

/// A connection.
#[derive(Debug)]
pub(super) struct Sessione {
    scena: Arc<Scena>,
    /// Whose: `A`, `B`.
    pub(super) chi: String,
    transazione: Option<u64>,
    modifiche: Modifiche,
}

impl Sessione {
    /// A new connection.
    pub(super) async fn connect(scena: &Arc<Scena>, chi: &str) -> Result<Self, StoreError> {
        scena.travel(chi, "connects").await?;
        Ok(Self {
            scena: Arc::clone(scena),
            chi: chi.to_owned(),
            transazione: None,
            modifiche: Modifiche::default(),
        })
    }

    /// Reads what is committed.
    pub(super) async fn read<T>(
        &self,
        cosa: &str,
        guarda: impl FnOnce(&Stato) -> T,
    ) -> Result<T, StoreError> {
        self.travel(cosa).await?;
        Ok(self.scena.banca.look(guarda))
    }

    /// Asks for something until it has it.
    async fn hold(&self, risorsa: Risorsa) -> Result<(), StoreError> {
        let transazione = self.transazione.unwrap_or_default();
        let mut attese = 0_u32;
        loop {
            match self.scena.banca.hold(transazione, &risorsa) {
                Presa::Avuta => return Ok(()),
                Presa::Altrui => {}
                Presa::Abbraccio => {
                    let chi = &self.chi;
                    self.scena.cronaca.violate(format_args!(
                        "{chi} and another node wait for each other at {risorsa:?}"
                    ));
                    return Err(StoreError::unavailable("deadlock (simulated)"));
                }
            }
            if attese == 0 {
                self.note(format_args!("waits for {risorsa:?}"));
            }
            attese += 1;
            sleep(self.scena.caso.ms(1, 5)).await;
        }
    }

    /// A row that is there already is looked at and not held.
    fn let_go(&self, risorsa: &Risorsa) {
        let transazione = self.transazione.unwrap_or_default();
        self.scena.banca.release(transazione, |tenuta| tenuta == risorsa);
    }

    /// Locks the registers and the counters, and tells how they stand.
    pub(super) async fn lock_counters(
        &mut self,
        registri: &BTreeSet<&'static str>,
    ) -> Result<(u64, Vec<(&'static str, Option<RigaContatore>)>), StoreError> {
        self.travel("locks the registers").await?;
        for registro in registri {
            self.hold(Risorsa::Registro(registro)).await?;
        }
        self.travel("locks the counters").await?;
        self.hold(Risorsa::Contatori).await?;
        Ok(self.scena.banca.look(|stato| {
            let righe = registri
                .iter()
                .map(|registro| (*registro, stato.registri.get(registro).copied()));
            (stato.ultima_domanda, righe.collect())
        }))
    }

    /// Writes what is to be committed.
    pub(super) async fn write(&mut self, modifiche: Modifiche) -> Result<(), StoreError> {
        let numeri = modifiche.numeri();
        self.travel(&format!("writes {numeri}")).await?;
        self.modifiche = modifiche;
        if self.scena.mutazione == Mutazione::NumeroAParte {
            let contatori = Modifiche {
                registri: std::mem::take(&mut self.modifiche.registri),
                ultima_domanda: self.modifiche.ultima_domanda.take(),
                ..Modifiche::default()
            };
            self.scena.banca.apply(contatori);
            let e_contatore =
                |risorsa: &Risorsa| matches!(risorsa, Risorsa::Registro(_) | Risorsa::Contatori);
            self.scena
                .banca
                .release(self.transazione.unwrap_or_default(), e_contatore);
        }
        self.travel("writes the rest").await
    }

    /// COMMIT: done, refused, or nobody knows.
    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        self.travel("COMMIT").await?;
        let Some(transazione) = self.transazione else {
            return Ok(());
        };
        let (scena, modifiche) = (Arc::clone(&self.scena), std::mem::take(&mut self.modifiche));
        scena.banca.enter_commit(transazione);
        if scena.mutazione == Mutazione::DettoPrima {
            self.transazione = None;
            let (dopo, perso) = (scena.caso.ms(1, 300), scena.breaks_commit());
            tokio::spawn(async move {
                sleep(dopo).await;
                conclude(&scena, transazione, (!perso).then_some(modifiche));
            });
            return Ok(());
        }
        if !scena.breaks_commit() {
            let mut chiavi = Vec::new();
            let mut modifiche = modifiche;
            if scena.mutazione == Mutazione::ChiaveDopo {
                chiavi = std::mem::take(&mut modifiche.chiavi);
            }
            conclude(&scena, transazione, Some(modifiche));
            self.transazione = None;
            self.note(format_args!("COMMIT is done"));
            if !chiavi.is_empty() {
                self.travel("COMMIT of the keys").await?;
                let chiavi = Modifiche {
                    chiavi,
                    ..Modifiche::default()
                };
                scena.banca.apply(chiavi);
            }
            // Done over there; the answer is still on its way.
            return self.travel("COMMIT comes back").await;
        }
        scena.cronaca.count(|conto| conto.commit_muti += 1);
        self.transazione = None;
        match scena.caso.below(4) {
            0 => {
                self.note(format_args!("COMMIT is refused"));
                conclude(&scena, transazione, None);
            }
            1 => {
                self.note(format_args!("COMMIT is done and nobody hears of it"));
                conclude(&scena, transazione, Some(modifiche));
            }
            _ => {
                // A standby is waited for, longer than anybody here waits.
                let (dopo, fatto) = (scena.caso.ms(1, 25_000), scena.caso.happens(800));
                let ms = dopo.as_millis();
                self.note(format_args!("COMMIT hangs for {ms} ms, then done: {fatto}"));
                let scena = Arc::clone(&scena);
                tokio::spawn(async move {
                    sleep(dopo).await;
                    conclude(&scena, transazione, fatto.then_some(modifiche));
                });
            }
        }
        if scena.caso.happens(300) {
            sleep(scena.caso.ms(5_000, 25_000)).await;
        }
        Err(StoreError::unavailable("no answer to COMMIT (simulated)"))
    }

    /// Ends the transaction without its changes.
    pub(super) async fn rollback(&mut self) -> Result<(), StoreError> {
        self.travel("ROLLBACK").await?;
        if let Some(transazione) = self.transazione.take() {
            self.scena.banca.end(transazione);
        }
        self.modifiche = Modifiche::default();
        Ok(())
    }

    async fn travel(&self, cosa: &str) -> Result<(), StoreError> {
        let transazione = self.transazione.unwrap_or_default();
        let cosa = format!("t{transazione} {cosa}");
        self.scena.travel(&self.chi, &cosa).await
    }

    fn note(&self, cosa: std::fmt::Arguments<'_>) {
        let (chi, transazione) = (&self.chi, self.transazione.unwrap_or_default());
        self.scena
            .cronaca
            .note(format_args!("{chi} t{transazione} {cosa}"));
    }
}

impl Drop for Sessione {
    fn drop(&mut self) {
        if let Some(transazione) = self.transazione {
            let scade = Instant::now() + self.scena.caso.ms(0, 400);
            self.scena.banca.abandon(transazione, scade);
        }
    }
}

/// The server ends a transaction whose COMMIT has come.
fn conclude(scena: &Scena, transazione: u64, modifiche: Option<Modifiche>) {
    for rifiuto in modifiche
        .into_iter()
        .flat_map(|modifiche| scena.banca.apply(modifiche))
    {
        scena.cronaca.violate(format_args!("t{transazione}: {rifiuto}"));
    }
    scena.banca.end(transazione);
    scena
        .cronaca
        .note(format_args!("server t{transazione} has ended"));
}

impl Contesa for Sessione {
    async fn begin(&mut self) -> Result<(), StoreError> {
        self.travel("BEGIN").await?;
        self.transazione = Some(self.scena.banca.begin());
        Ok(())
    }

    async fn take_back(&mut self) -> Result<(), StoreError> {
        self.rollback().await
    }

    async fn claim_keys(&mut self, atti: &[&Atto]) -> Result<HashMap<Chiave, i64>, StoreError> {
        let chiavi: BTreeMap<ChiaveDi, &Chiave> = atti
            .iter()
            .map(|atto| (chiave_di(&atto.chiave), &atto.chiave))
            .collect();
        if chiavi.is_empty() {
            return Ok(HashMap::new());
        }
        let nomi: Vec<&str> = chiavi.keys().map(|(chiave, ..)| &**chiave).collect();
        self.travel(&format!("claims {}", nomi.join(" "))).await?;
        let mut ids = HashMap::new();
        for (nome, chiave) in chiavi {
            let risorsa = Risorsa::Chiave(nome.clone());
            self.hold(risorsa.clone()).await?;
            if self.scena.banca.look(|stato| stato.chiavi.contains_key(&nome)) {
                self.let_go(&risorsa);
                continue;
            }
            let id = self.scena.banca.next_id();
            ids.insert(chiave.clone(), id);
            if self.scena.mutazione == Mutazione::ChiavePrima {
                let prima = Modifiche {
                    chiavi: vec![(nome, id)],
                    ..Modifiche::default()
                };
                self.scena.banca.apply(prima);
            }
        }
        self.travel("has its keys").await?;
        Ok(ids)
    }

    async fn registrate(&mut self, chiavi: &[&Chiave]) -> Result<HashMap<Chiave, Registrata>, StoreError> {
        if chiavi.is_empty() {
            return Ok(HashMap::new());
        }
        self.read("reads the keys that are taken", |stato| {
            let trovata = |chiave: &&Chiave| Some(((*chiave).clone(), stato.registrata(&chiave_di(chiave))?));
            chiavi.iter().filter_map(trovata).collect()
        })
        .await
    }

    async fn keys_of_lots(&mut self, _: &[&Chiave]) -> Result<HashMap<Chiave, Uuid>, StoreError> {
        self.travel("looks for lots").await?;
        Ok(HashMap::new())
    }

    async fn claim_buste(
        &mut self,
        _: &[&Atto],
        _: &HashMap<Chiave, i64>,
    ) -> Result<HashSet<String>, StoreError> {
        Ok(HashSet::new())
    }

    async fn lock_aventi(
        &mut self,
        atti: &[&Atto],
        ids: &HashMap<Chiave, i64>,
    ) -> Result<Aperte, StoreError> {
        let con_chiave = atti.iter().filter(|atto| ids.contains_key(&atto.chiave));
        let aventi: BTreeMap<(&'static str, &str), &CodiceFiscale> = con_chiave
            .filter_map(|atto| avente(atto))
            .map(|(servizio, avente)| ((servizio, avente.codice_fiscale.as_str()), &avente.codice_fiscale))
            .collect();
        if aventi.is_empty() {
            return Ok(Aperte::new());
        }
        self.travel("locks the aventi").await?;
        for (servizio, codice) in aventi.keys() {
            self.hold(Risorsa::Avente(servizio, (*codice).to_owned())).await?;
        }
        self.read("reads their domande", |stato| {
            let mut aperte = Aperte::new();
            for ((servizio, _), codice) in aventi {
                let sue: Vec<Aperta> = open_domande(stato, servizio, codice).collect();
                if !sue.is_empty() {
                    aperte.insert((servizio, codice.clone()), sue);
                }
            }
            aperte
        })
        .await
    }

    async fn claim_sheets<'a>(
        &mut self,
        minori: &BTreeMap<Minore<'a>, i64>,
    ) -> Result<BTreeSet<Minore<'a>>, StoreError> {
        self.travel("claims children").await?;
        let mut libere = BTreeSet::new();
        for (servizio, codice) in minori.keys() {
            let minore = (*servizio, (*codice).to_owned());
            let risorsa = Risorsa::Scheda(minore.0, minore.1.clone());
            self.hold(risorsa.clone()).await?;
            if self.scena.banca.look(|stato| stato.vive.contains_key(&minore)) {
                self.let_go(&risorsa);
            } else {
                libere.insert((*servizio, *codice));
            }
        }
        Ok(libere)
    }

    async fn schede_vive(
        &mut self,
        servizio: &'static str,
        minori: &[CodiceFiscale],
    ) -> Result<Vec<SchedaViva>, StoreError> {
        self.read("reads live sheets", |stato| {
            minori
                .iter()
                .filter_map(|minore| stato.viva(servizio, minore))
                .collect()
        })
        .await
    }

    async fn lock_domande(
        &mut self,
        atti: &[&Atto],
        ids: &HashMap<Chiave, i64>,
    ) -> Result<HashMap<NumeroDomanda, Attuale>, StoreError> {
        let con_chiave = atti.iter().filter(|atto| ids.contains_key(&atto.chiave));
        let numeri: BTreeSet<u64> = con_chiave
            .filter_map(|atto| Some(atto.contenuto.seguito()?.numero_domanda.0))
            .collect();
        if numeri.is_empty() {
            return Ok(HashMap::new());
        }
        self.travel("locks domande").await?;
        for numero in &numeri {
            self.hold(Risorsa::Domanda(*numero)).await?;
        }
        self.read("reads domande", |stato| {
            let attuale = |numero: &u64| {
                let domanda = stato.domande.get(numero)?;
                let attuale = Attuale {
                    versione: domanda.consultata.versione,
                    registrazione: domanda.registrazione,
                };
                Some((NumeroDomanda(*numero), attuale))
            };
            numeri.iter().filter_map(attuale).collect()
        })
        .await
    }
}

/// The live domande of somebody.
pub(super) fn open_domande<'s>(
    stato: &'s Stato,
    servizio: &'static str,
    avente: &'s CodiceFiscale,
) -> impl Iterator<Item = Aperta> + 's {
    let sue = stato
        .domande
        .values()
        .filter(move |domanda| domanda.servizio == servizio && domanda.avente.as_ref() == Some(avente));
    sue.filter_map(|domanda| {
        let vive = domanda
            .consultata
            .schede
            .iter()
            .filter(|scheda| scheda.stato.is_live());
        let minori: BTreeSet<CodiceFiscale> = vive.map(|scheda| scheda.codice_fiscale.clone()).collect();
        (!minori.is_empty()).then(|| Aperta {
            chi: Chi::Nota(DomandaViva {
                numero: domanda.consultata.registrata.numero_domanda,
                ente: domanda.consultata.ente.clone(),
            }),
            minori,
        })
    })
}
