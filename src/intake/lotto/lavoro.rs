//! The worker of lots: a thread of its own, so that no single domanda waits for the reading of a lot. It takes up to so
//! many enti at once, the oldest lot of each, and works one group of items of each by turns: who hands in ten domande
//! waits for a few groups of whoever handed in forty thousand. While one group is registered the next one is read.
//!
//! All that must survive stands in the store: how far a lot has come moves with the registrations, so the worker may be
//! killed at any moment, here or on another node, and goes on at the item where the last group ended.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::LottiConfig;
use super::esame::{Banco, Letto};
use super::taglio::{Involucro, Prossimo, Taglio, Testa, etichetta, percorso};
use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::metriche::{Conti, LOTTI_ELEMENTI, LOTTI_PRESI, Testo};
use crate::prestazione::Operazione;
use crate::soap::errori;
use crate::spazio::Sentinella;
use crate::store::lotti::{Avanzamento, Conteggi, Fine, Gruppo, Lavorazione, Lotto, Quali, SorteVoce};
use crate::store::writer::Handle;
use crate::store::{Inconsistency, Registrazione, StoreError};

/// The worker, as the rest of the gateway sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lavoro {
    sveglia: Arc<Notify>,
    chiusura: Arc<watch::Sender<bool>>,
    finito: watch::Receiver<bool>,
    conti: Arc<ContiLotti>,
}

/// What is counted of the work on lots.
#[derive(Debug)]
struct ContiLotti {
    elementi: Conti,
    presi: Conti,
}

impl ContiLotti {
    fn new() -> Self {
        Self {
            elementi: Conti::new(by_esito(Conteggi::default()).len()),
            presi: Conti::new(1),
        }
    }

    fn worked(&self, prima: Conteggi, ora: Conteggi) {
        for (posto, ((_, prima), (_, ora))) in by_esito(prima).into_iter().zip(by_esito(ora)).enumerate() {
            self.elementi.add(posto, ora.saturating_sub(prima));
        }
    }
}

impl Lavoro {
    /// Starts it, under a name that no other worker has, here or elsewhere.
    pub fn spawn(
        chi: &str,
        banco: Banco,
        writer: Handle,
        config: LottiConfig,
        spazio: Sentinella,
    ) -> std::io::Result<Self> {
        let sveglia = Arc::new(Notify::new());
        let (chiusura, chiusa) = watch::channel(false);
        let (fine, finito) = watch::channel(false);
        let officina = Officina {
            chi: chi.into(),
            banco,
            writer,
            config,
            spazio,
            sveglia: Arc::clone(&sveglia),
            chiusa,
            aperti: VecDeque::new(),
            conti: Arc::new(ContiLotti::new()),
        };
        let conti = Arc::clone(&officina.conti);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("lotti".to_owned())
            .spawn(move || {
                runtime.block_on(officina.work());
                // Dropped by a panic as well: whoever waits for the end is told in any case.
                drop(fine);
            })?;
        Ok(Self {
            sveglia,
            chiusura: Arc::new(chiusura),
            finito,
            conti,
        })
    }

    /// No worker at all, for a gateway to which nobody sends lots.
    #[cfg(test)]
    pub(crate) fn nobody() -> Self {
        Self {
            sveglia: Arc::default(),
            chiusura: Arc::new(watch::channel(true).0),
            finito: watch::channel(true).1,
            conti: Arc::new(ContiLotti::new()),
        }
    }

    /// There is a new lot.
    pub fn nudge(&self) {
        self.sveglia.notify_one();
    }

    /// What was counted, as text.
    pub fn tell(&self, testo: &mut Testo) {
        let mut elementi = testo.of(&LOTTI_ELEMENTI);
        for (posto, (esito, _)) in by_esito(Conteggi::default()).into_iter().enumerate() {
            elementi.tell(&[esito], self.conti.elementi.sum(posto));
        }
        testo.one(&LOTTI_PRESI, self.conti.presi.total());
    }

    /// Lets the groups end that are being registered, gives the lots back to the queue, and stops.
    pub async fn close(&self) {
        self.chiusura.send_replace(true);
        self.sveglia.notify_one();
        let mut finito = self.finito.clone();
        // An error says that the thread is gone, which is what is waited for.
        let _ = finito.wait_for(|finito| *finito).await;
    }
}

/// All that the worker has at hand.
struct Officina {
    /// Its name in the claims.
    chi: Arc<str>,
    banco: Banco,
    writer: Handle,
    config: LottiConfig,
    spazio: Sentinella,
    sveglia: Arc<Notify>,
    chiusa: watch::Receiver<bool>,
    /// The lots at work, the next one first.
    aperti: VecDeque<InLavoro>,
    conti: Arc<ContiLotti>,
}

/// A lot at work.
struct InLavoro {
    lotto: Lotto,
    stato: Stato,
    /// The group that is being registered.
    in_volo: Option<InVolo>,
    /// What was handed in last, whether or not it is written yet.
    fatto: Avanzamento,
}

enum Stato {
    /// Nothing was read yet.
    Chiuso,
    Aperto(Box<Lettore>),
    /// Its last group is made.
    Letto,
}

/// Where a lot is read.
struct Lettore {
    involucro: Involucro,
    taglio: Taglio,
    /// Offset in the spool of what is to be read next.
    letti: u64,
    /// It stands in a message, whose end was looked at when it came.
    in_busta: bool,
}

/// A group with what its refusals are worded from.
struct Preparato {
    gruppo: Gruppo,
    letti: Vec<Letto>,
}

/// A group on its way.
struct InVolo {
    gruppo: Arc<Gruppo>,
    letti: Vec<Letto>,
    esito: JoinHandle<Result<Lavorazione, StoreError>>,
}

/// What a lot needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turno {
    Ancora,
    /// Ended, lost to somebody else, or held back.
    Via,
}

impl Officina {
    async fn work(mut self) {
        let mut prossima_ricerca = tokio::time::Instant::now();
        let mut prossime_pulizie = prossima_ricerca;
        while !*self.chiusa.borrow() {
            let ora = tokio::time::Instant::now();
            if ora >= prossime_pulizie {
                prossime_pulizie = ora + PULIZIE;
                self.housekeeping().await;
            }
            if !self.spazio.works_lots() {
                self.rest().await;
                continue;
            }
            if ora >= prossima_ricerca {
                prossima_ricerca = ora + RICERCA;
                self.take_up().await;
            }
            let Some(mut uno) = self.aperti.pop_front() else {
                tokio::select! {
                    () = self.sveglia.notified() => prossima_ricerca = ora,
                    () = tokio::time::sleep_until(prossima_ricerca) => {}
                }
                continue;
            };
            // A panic outside an item, too, is this lot's alone.
            let turno = AssertUnwindSafe(self.turn(&mut uno)).catch_unwind().await;
            match turno.unwrap_or_else(|_| Err(StoreError::unavailable("the work on it broke off (panic)"))) {
                Ok(Turno::Ancora) => self.aperti.push_back(uno),
                Ok(Turno::Via) => prossima_ricerca = ora,
                Err(errore) => {
                    let lotto = uno.lotto.id;
                    tracing::warn!(%lotto, "a lot waits for the store, and goes on from where it is: {errore}");
                    self.give_back(uno).await;
                    // The others would fare no better right now.
                    tokio::time::sleep(RESPIRO).await;
                }
            }
        }
        for uno in std::mem::take(&mut self.aperti) {
            self.give_back(uno).await;
        }
    }

    /// Room runs out: what is left is for retries and look-ups. The lots go back to the queue where they are, and are taken up
    /// again once there is room.
    async fn rest(&mut self) {
        for uno in std::mem::take(&mut self.aperti) {
            self.give_back(uno).await;
        }
        tokio::select! {
            () = self.sveglia.notified() => {}
            () = tokio::time::sleep(RESPIRO) => {}
        }
    }

    /// More lots, one of each ente that has none at work.
    async fn take_up(&mut self) {
        while self.aperti.len() < self.config.enti_insieme.max(1) {
            let ora = self.banco.clock.wall();
            let esclusi: Vec<_> = self
                .aperti
                .iter()
                .map(|uno| uno.lotto.chiave.ente.clone())
                .collect();
            match self
                .banco
                .store
                .claim_lotto(&self.chi, &esclusi, ora, Self::lease(ora))
                .await
            {
                Ok(Some(lotto)) => {
                    self.conti.presi.add(0, 1);
                    tracing::info!(lotto = %lotto.id, elementi = lotto.fatto.elementi, "a lot is worked from here on");
                    self.aperti.push_back(InLavoro {
                        fatto: lotto.fatto,
                        lotto,
                        stato: Stato::Chiuso,
                        in_volo: None,
                    });
                }
                Ok(None) => return,
                Err(errore) => {
                    tracing::warn!("the queue of the lots cannot be looked at: {errore}");
                    return;
                }
            }
        }
    }

    /// One group of one lot: read it while the one before is registered, then hand it in.
    async fn turn(&self, uno: &mut InLavoro) -> Result<Turno, StoreError> {
        let nuovo = match uno.stato {
            Stato::Letto => None,
            Stato::Chiuso | Stato::Aperto(_) => Some(self.gruppo(uno).await?),
        };
        if self.settle(uno).await? == Turno::Via {
            return Ok(Turno::Via);
        }
        let Some(nuovo) = nuovo else {
            return Ok(Turno::Via);
        };
        uno.fatto = nuovo.gruppo.a;
        self.hand_in(uno, nuovo);
        Ok(Turno::Ancora)
    }

    fn hand_in(&self, uno: &mut InLavoro, Preparato { gruppo, letti }: Preparato) {
        let gruppo = Arc::new(gruppo);
        let (writer, suo) = (self.writer.clone(), Arc::clone(&gruppo));
        let esito = tokio::spawn(async move { writer.work(suo).await });
        uno.in_volo = Some(InVolo { gruppo, letti, esito });
    }

    /// Waits for the group that is on its way; what could not be registered is worded and handed in again.
    async fn settle(&self, uno: &mut InLavoro) -> Result<Turno, StoreError> {
        // What is left of a group that had to be cut.
        let mut resto: Option<Preparato> = None;
        while let Some(InVolo { gruppo, letti, esito }) = uno.in_volo.take() {
            let esito = match esito.await.map_err(StoreError::unavailable)? {
                Err(StoreError::Inconsistency(causa)) if registers(&gruppo) => {
                    let preparato = Preparato {
                        gruppo: Gruppo::clone(&gruppo),
                        letti,
                    };
                    let (prima, dopo) = narrowed(&uno.lotto, preparato, &causa);
                    resto = joined(dopo, resto);
                    self.hand_in(uno, prima);
                    continue;
                }
                esito => esito?,
            };
            match esito {
                Lavorazione::Fatta(lotto) => {
                    let concluso = gruppo.fine.is_some();
                    self.conti.worked(uno.lotto.conteggi, lotto.conteggi);
                    uno.lotto = *lotto;
                    if concluso {
                        Self::tell_end(&uno.lotto);
                        return Ok(Turno::Via);
                    }
                    if let Some(mut resto) = resto.take() {
                        self.weigh_again(&uno.lotto, &mut resto).await?;
                        self.hand_in(uno, resto);
                    }
                }
                Lavorazione::Respinta(respinte) => {
                    let preparato = Preparato {
                        gruppo: Gruppo::clone(&gruppo),
                        letti,
                    };
                    let (corretto, dopo) = self.corrected(&uno.lotto, preparato, respinte).await?;
                    resto = joined(dopo, resto);
                    self.hand_in(uno, corretto);
                }
                Lavorazione::Persa => return Ok(Turno::Via),
            }
        }
        Ok(Turno::Ancora)
    }

    /// A group without what cannot be registered; and what is left of it from the first item on that hangs on one before
    /// it in this very group, and is asked again when that one is written.
    async fn corrected(
        &self,
        lotto: &Lotto,
        mut preparato: Preparato,
        respinte: Vec<(usize, Registrazione)>,
    ) -> Result<(Preparato, Option<Preparato>), StoreError> {
        let mut taglio = None;
        for (posto, registrazione) in respinte {
            // The first of a group hangs on nothing in it: what it was asked against has changed, and it is asked again.
            if registrazione == Registrazione::Superata && posto > 0 {
                taglio = Some(posto);
                break;
            }
            let Preparato { gruppo, letti } = &mut preparato;
            if let (Some(voce), Some(letto)) = (gruppo.voci.get_mut(posto), letti.get(posto)) {
                voce.sorte = self.banco.reword(lotto, letto, registrazione).await?;
            }
        }
        preparato.gruppo.fino_a = Self::lease(self.banco.clock.wall());
        let dopo = taglio.map(|posto| preparato.split_at(posto));
        Ok((preparato, dopo))
    }

    /// Asks of each item of a group again what becomes of it.
    async fn weigh_again(
        &self,
        lotto: &Lotto,
        Preparato { gruppo, letti }: &mut Preparato,
    ) -> Result<(), StoreError> {
        for (voce, letto) in gruppo.voci.iter_mut().zip(letti) {
            if matches!(voce.sorte, SorteVoce::Atto(_)) {
                voce.sorte = self.banco.reword(lotto, letto, Registrazione::Superata).await?;
            }
        }
        Ok(())
    }

    /// Reads the next group.
    async fn gruppo(&self, uno: &mut InLavoro) -> Result<Preparato, StoreError> {
        let InLavoro {
            lotto, stato, fatto, ..
        } = uno;
        let mut gruppo = Gruppo {
            lotto: lotto.id,
            chi: Arc::clone(&self.chi),
            fino_a: Self::lease(self.banco.clock.wall()),
            da: *fatto,
            a: *fatto,
            voci: Vec::with_capacity(self.config.gruppo),
            fine: None,
        };
        let mut letti = Vec::with_capacity(self.config.gruppo);
        if matches!(stato, Stato::Chiuso) {
            match self.open(lotto, *fatto).await? {
                Ok(lettore) => *stato = Stato::Aperto(Box::new(lettore)),
                Err(violazione) => gruppo.fine = Some(interrotto(&violazione)),
            }
        }
        if let Stato::Aperto(lettore) = stato {
            self.fill(lotto, lettore, &mut gruppo, &mut letti).await?;
        }
        if gruppo.fine.is_some() {
            *stato = Stato::Letto;
        }
        Ok(Preparato { gruppo, letti })
    }

    /// Finds the beginning of a lot, and the place where the work goes on.
    async fn open(
        &self,
        lotto: &Lotto,
        fatto: Avanzamento,
    ) -> Result<Result<Lettore, Violazione>, StoreError> {
        let mut inizio = Vec::new();
        let limits = &self.banco.limits;
        let testa = loop {
            let pezzo = self
                .banco
                .store
                .spool_read(lotto.id, inizio.len() as u64, LETTURA)
                .await?;
            inizio.extend_from_slice(&pezzo);
            let finito = pezzo.is_empty() || inizio.len() > self.config.elemento_bytes_max;
            match Testa::find(&inizio, finito, lotto.prestazione, limits) {
                Ok(Some(testa)) => break testa,
                Ok(None) => {}
                Err(violazione) => return Ok(Err(*violazione)),
            }
        };
        let involucro = Involucro::of(&testa);
        let in_busta = testa.in_message();
        let elemento_bytes_max = self.config.elemento_bytes_max;
        let (letti, taglio) = match fatto.luogo {
            Some(luogo) => (
                fatto.byte,
                Taglio::at(testa, limits, elemento_bytes_max, fatto.byte, luogo),
            ),
            None => (testa.len() as u64, Taglio::new(testa, limits, elemento_bytes_max)),
        };
        Ok(Ok(Lettore {
            involucro,
            taglio,
            letti,
            in_busta,
        }))
    }

    async fn fill(
        &self,
        lotto: &Lotto,
        lettore: &mut Lettore,
        gruppo: &mut Gruppo,
        letti: &mut Vec<Letto>,
    ) -> Result<(), StoreError> {
        let mut byte = 0;
        while gruppo.voci.len() < self.config.gruppo.max(1) && byte < GRUPPO_BYTES {
            match lettore.taglio.prossimo() {
                Ok(Prossimo::Elemento(elemento)) => {
                    let posto = gruppo.a.elementi + 1;
                    if posto > self.config.elementi_max as u64 {
                        let troppe = Violazione::at(Codice::Lot008, percorso(lotto.prestazione))
                            .with("limite", self.config.elementi_max)
                            .placed(elemento.luogo);
                        gruppo.fine = Some(interrotto(&troppe));
                        break;
                    }
                    let suoi = lettore.taglio.slice(&elemento);
                    byte += suoi.len();
                    let judged = self
                        .banco
                        .judge(lotto, &lettore.involucro, posto, &elemento, suoi);
                    // An item that panics is our fault and its own end: it would break the worker again each time.
                    let (voce, letto) = match AssertUnwindSafe(judged).catch_unwind().await {
                        Ok(judged) => judged?,
                        Err(_) => self
                            .banco
                            .broken(lotto, &lettore.involucro, posto, &elemento, suoi),
                    };
                    gruppo.voci.push(voce);
                    gruppo.a = letto.dopo;
                    letti.push(letto);
                }
                Ok(Prossimo::ServeAltro) => self.read_on(lotto, lettore).await?,
                Ok(Prossimo::Fine) => {
                    gruppo.fine = Some(self.end_of(lotto, lettore, gruppo.a.elementi).await?);
                    break;
                }
                Err(violazione) => {
                    gruppo.fine = Some(interrotto(&violazione));
                    break;
                }
            }
        }
        Ok(())
    }

    async fn read_on(&self, lotto: &Lotto, lettore: &mut Lettore) -> Result<(), StoreError> {
        let pezzo = self
            .banco
            .store
            .spool_read(lotto.id, lettore.letti, LETTURA)
            .await?;
        lettore.letti += pezzo.len() as u64;
        if pezzo.is_empty() {
            lettore.taglio.finish();
        } else {
            lettore.taglio.push(&pezzo);
        }
        Ok(())
    }

    /// The end tag of the lot was read: of a file nothing may follow it but space and comments.
    async fn end_of(&self, lotto: &Lotto, lettore: &mut Lettore, elementi: u64) -> Result<Fine, StoreError> {
        if elementi == 0 {
            let vuoto = Violazione::at(Codice::Lot010, percorso(lotto.prestazione)).with(
                "atteso",
                etichetta(lotto.prestazione, Operazione::InviaDomanda.nome()),
            );
            return Ok(interrotto(&vuoto));
        }
        if lettore.in_busta {
            return Ok(Fine::Letto);
        }
        let mut coda = 0;
        loop {
            let prima = lettore.letti;
            self.read_on(lotto, lettore).await?;
            coda += lettore.letti - prima;
            if lettore.letti == prima || coda > self.banco.limits.envelope_head_bytes_max as u64 {
                break;
            }
        }
        let fine = lettore.taglio.coda().map(|mut reader| reader.next().map(drop));
        Ok(match fine {
            Some(Err(errore)) => interrotto(&errore.violazione()),
            Some(Ok(())) | None => Fine::Letto,
        })
    }

    /// Gives a lot back to the queue, once what is on its way has ended.
    async fn give_back(&self, mut uno: InLavoro) {
        if let Some(in_volo) = uno.in_volo.take() {
            // However it ended, it stands in the store.
            let _ = in_volo.esito.await;
        }
        if let Err(errore) = self.banco.store.release_lotto(uno.lotto.id, &self.chi).await {
            tracing::warn!(lotto = %uno.lotto.id, "the lot is free once its claim runs out: {errore}");
        }
    }

    /// Until when a claim holds that was made or renewed now.
    fn lease(ora: Timestamp) -> Timestamp {
        ora.saturating_add(PRESA).unwrap_or(ora)
    }

    fn tell_end(lotto: &Lotto) {
        let conteggi = lotto.conteggi;
        tracing::info!(
            lotto = %lotto.id,
            ente = %lotto.chiave.ente,
            esito = lotto.esito().map_or("", |esito| esito.as_str()),
            registrate = conteggi.registrate,
            ripetute = conteggi.ripetute,
            rifiutate = conteggi.rifiutate,
            "a lot has ended"
        );
    }

    /// Forgets spools that nobody wants any more, and says which lots stand still.
    async fn housekeeping(&self) {
        let ora = self.banco.clock.wall();
        let prima = |durata: Duration| {
            SignedDuration::try_from(durata)
                .ok()
                .and_then(|durata| ora.checked_sub(durata).ok())
                .unwrap_or(Timestamp::UNIX_EPOCH)
        };
        let store = &self.banco.store;
        let sweep = store.spool_sweep(
            prima(GIORNO.saturating_mul(u32::try_from(self.config.conservazione_giorni).unwrap_or(u32::MAX))),
            prima(ABBANDONO),
        );
        if let Err(errore) = sweep.await {
            tracing::warn!("old spools were not swept: {errore}");
        }
        let fermi_da = prima(self.config.fermo_dopo);
        match store.lotti(Quali::Aperti, FERMI_MAX).await {
            Ok(aperti) => {
                let fermi = aperti.iter().filter(|lotto| {
                    !lotto.sospeso && lotto.avanzato_il.unwrap_or(lotto.presentato_il) < fermi_da
                });
                for lotto in fermi {
                    tracing::warn!(
                        lotto = %lotto.id,
                        ente = %lotto.chiave.ente,
                        lavorati = lotto.fatto.elementi,
                        "a lot has not moved for {} s", self.config.fermo_dopo.as_secs()
                    );
                }
            }
            Err(errore) => tracing::warn!("the lots were not looked over: {errore}"),
        }
    }
}

impl Preparato {
    /// Keeps the items before a place; those from it on are a group of their own.
    fn split_at(&mut self, posto: usize) -> Self {
        let Self { gruppo, letti } = self;
        let dopo = letti.split_off(posto);
        let a = letti.last().map_or(gruppo.da, |ultimo| ultimo.dopo);
        let resto = Gruppo {
            da: a,
            voci: gruppo.voci.split_off(posto),
            fine: gruppo.fine.take(),
            ..gruppo.clone()
        };
        gruppo.a = a;
        Self {
            gruppo: resto,
            letti: dopo,
        }
    }

    /// One group of two that stand one behind the other.
    fn followed_by(mut self, dopo: Self) -> Self {
        self.gruppo.voci.extend(dopo.gruppo.voci);
        self.gruppo.a = dopo.gruppo.a;
        self.gruppo.fine = dopo.gruppo.fine;
        self.letti.extend(dopo.letti);
        self
    }
}

/// Whether a group has something to register.
fn registers(gruppo: &Gruppo) -> bool {
    let mut sorti = gruppo.voci.iter().map(|voce| &voce.sorte);
    sorti.any(|sorte| matches!(sorte, SorteVoce::Atto(_)))
}

/// What is left of a group, before what was left of it earlier.
fn joined(dopo: Option<Preparato>, resto: Option<Preparato>) -> Option<Preparato> {
    match (dopo, resto) {
        (Some(dopo), Some(resto)) => Some(dopo.followed_by(resto)),
        (dopo, resto) => dopo.or(resto),
    }
}

/// The store will not have one of these items, for a cause that lies in the item: it is found by halves, and alone it is
/// refused, so that the others do not suffer for it.
fn narrowed(
    lotto: &Lotto,
    mut preparato: Preparato,
    causa: &Inconsistency,
) -> (Preparato, Option<Preparato>) {
    let quante = preparato.gruppo.voci.len();
    if quante > 1 {
        let dopo = preparato.split_at(quante / 2);
        return (preparato, Some(dopo));
    }
    tracing::error!(lotto = %lotto.id, elemento = preparato.gruppo.a.elementi, "an item is refused by the store: {causa}");
    let guasto = Violazione::at(Codice::Sys001, percorso(lotto.prestazione));
    for voce in &mut preparato.gruppo.voci {
        let errore = errori::elementi(&[guasto.clone().placed(voce.luogo)]);
        voce.sorte = SorteVoce::Rifiutata(errore.into());
    }
    (preparato, None)
}

/// The end of a lot that cannot be read further.
fn interrotto(violazione: &Violazione) -> Fine {
    Fine::Interrotto(errori::elementi(std::slice::from_ref(violazione)).into())
}

/// Outcomes of items, by name.
fn by_esito(conteggi: Conteggi) -> [(&'static str, u64); 4] {
    [
        ("registrata", conteggi.registrate),
        ("ripetuta", conteggi.ripetute),
        ("rifiutata", conteggi.rifiutate),
        ("non_letta", conteggi.non_lette),
    ]
}

/// Bytes of a group after which no further item is added to it.
const GRUPPO_BYTES: usize = 4 * 1024 * 1024;
/// A day.
const GIORNO: Duration = Duration::from_hours(24);
/// Bytes read from a spool at once.
const LETTURA: usize = 256 * 1024;
/// How often the queue is looked at when nobody says that there is something new.
const RICERCA: Duration = Duration::from_secs(1);
/// How long the worker waits after the store refused.
const RESPIRO: Duration = Duration::from_secs(1);
/// How often old spools are swept and lots looked over.
const PULIZIE: Duration = Duration::from_mins(1);
/// How long a lot stays with a worker that is not heard of.
const PRESA: SignedDuration = SignedDuration::from_secs(30);
/// A spool that nobody wrote to for so long is of a sender who went away.
const ABBANDONO: Duration = Duration::from_hours(1);
/// How many lots are looked over at once.
const FERMI_MAX: u32 = 1000;
