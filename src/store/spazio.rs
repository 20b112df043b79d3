//! Room: what a store takes up and how it grows; what goes when its time is over (in small steps, each recorded where it is
//! done), and what must stay nevertheless (ADR 22).

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::StoreError;
use crate::patronato::CodiceEnte;
use crate::protocollo::{NumeroDomanda, data_a_roma};
use crate::registro::inizio_del_giorno;

/// The store's part in keeping room. Two implementations, each with its own SQL.
#[async_trait]
pub trait ArchivioSpazio {
    /// Bytes that what is kept takes up. What was freed inside and waits to be used again does not count where the store can
    /// tell it.
    async fn byte_occupati(&self) -> Result<u64, StoreError>;

    /// Keeps the sample of an hour, unless it has one, and forgets those of before `dal`.
    async fn keep_campione(&self, campione: &Campione, dal: Timestamp) -> Result<(), StoreError>;

    /// The samples, oldest first.
    async fn campioni(&self) -> Result<Vec<Campione>, StoreError>;

    /// What takes how much: walks the whole store, for a command.
    async fn ingombri(&self) -> Result<Vec<Ingombro>, StoreError>;

    /// The purge of a rule that goes on, or the next one that is due, begun at `ora` (true time): what ended, or was written,
    /// before `limite` goes. `None` = nothing is due.
    async fn begin_pulizia(
        &self,
        regola: Regola,
        limite: Timestamp,
        ora: Timestamp,
    ) -> Result<Option<Pulizia>, StoreError>;

    /// One step of the purge that was begun, in one transaction: at most so many rows (of requests: looked at). What goes is
    /// dated `adesso` of the business clock. `None` = no purge of this rule is open, or another gateway is at it.
    async fn step_pulizia(
        &self,
        regola: Regola,
        al_massimo: u32,
        ora: Timestamp,
        adesso: Timestamp,
    ) -> Result<Option<Passo>, StoreError>;

    /// What went, newest first.
    async fn pulizie(&self, limite: u32) -> Result<Vec<Pulizia>, StoreError>;

    /// What would go by a rule: rows and bytes. Walks all that is old enough, for a command.
    async fn scaduti(&self, regola: Regola, limite: Timestamp) -> Result<Scaduti, StoreError>;

    /// Gives some of the room back to the system that was freed inside; whether there is more.
    async fn give_back(&self) -> Result<bool, StoreError>;

    /// Up to which cursor an ente's feed was cut.
    async fn variazioni_scartate(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
    ) -> Result<Option<u64>, StoreError>;

    /// Holds a domanda: its requests, documents and summaries, and whole days on which it left a trace, stay until it is released;
    /// the feed is cut for all alike. Only who keeps the register may.
    async fn vincola(
        &self,
        numero: NumeroDomanda,
        perche: &Perche<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoVincolo, StoreError>;

    /// Releases a domanda. Only who keeps the register may.
    async fn libera(
        &self,
        numero: NumeroDomanda,
        perche: &Perche<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoVincolo, StoreError>;

    /// Every hold that there was, newest first.
    async fn vincoli(&self) -> Result<Vec<Vincolo>, StoreError>;
}

/// How full the store was in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Campione {
    /// The beginning of the hour (true time).
    pub ora: Timestamp,
    /// Bytes that what is kept took up.
    pub occupati: u64,
    /// Bytes that could still be written, where somebody knew.
    pub liberi: Option<u64>,
}

/// What one kind of thing takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingombro {
    /// Which kind.
    pub genere: &'static str,
    /// Its bytes.
    pub byte: u64,
}

/// What goes, by a term of its own each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Regola {
    /// Requests as received, with documents and summaries, so long after the end of the procedure.
    Richieste,
    /// The bytes of traces; their rows stay.
    TracceByte,
    /// The rows of traces, with the exchanges e-Gov.
    Tracce,
    /// The door log.
    Porta,
    /// The feed of changes.
    Variazioni,
}

impl Regola {
    /// All of them, in the order in which they are applied.
    pub const TUTTE: [Self; 5] = [
        Self::TracceByte,
        Self::Tracce,
        Self::Porta,
        Self::Variazioni,
        Self::Richieste,
    ];

    /// Its name in the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Richieste => "RICHIESTE",
            Self::TracceByte => "TRACCE_BYTE",
            Self::Tracce => "TRACCE",
            Self::Porta => "PORTA",
            Self::Variazioni => "VARIAZIONI",
        }
    }

    /// The one of this name.
    pub(super) fn parse(nome: &str) -> Result<Self, &'static str> {
        Self::TUTTE
            .into_iter()
            .find(|regola| regola.as_str() == nome)
            .ok_or("unknown rule")
    }

    /// By the business clock, like the procedures that it looks at, or the feed, which is dated by it; the others go by the
    /// true one.
    #[must_use]
    pub fn is_business(self) -> bool {
        match self {
            Self::Richieste | Self::Variazioni => true,
            Self::TracceByte | Self::Tracce | Self::Porta => false,
        }
    }

    /// What it takes goes by whole days, the oldest first.
    fn is_daily(self) -> bool {
        match self {
            Self::TracceByte | Self::Tracce | Self::Porta => true,
            Self::Richieste | Self::Variazioni => false,
        }
    }

    /// A day on which a held domanda left something is kept whole.
    pub(super) fn is_held(self) -> bool {
        matches!(self, Self::TracceByte | Self::Tracce)
    }
}

/// One purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulizia {
    /// By which rule.
    pub regola: Regola,
    /// What is of this instant or later…
    pub da: Timestamp,
    /// …and before this one goes.
    pub fino_a: Timestamp,
    /// When it began (true time).
    pub iniziata_il: Timestamp,
    /// When it ended; `None` = it goes on.
    pub conclusa_il: Option<Timestamp>,
    /// The held domanda for which it ended early: what was left stays; `None` = it came to its end.
    pub fermata_da: Option<NumeroDomanda>,
    /// So many rows went.
    pub righe: u64,
    /// With so many bytes.
    pub byte: u64,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passo {
    /// Rows that went.
    pub righe: u64,
    /// Their bytes.
    pub byte: u64,
    /// Whether the purge has ended with it.
    pub finita: bool,
}

/// What would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scaduti {
    /// Rows.
    pub righe: u64,
    /// Their bytes.
    pub byte: u64,
}

/// Who holds or releases, and why.
#[derive(Debug, Clone, Copy)]
pub struct Perche<'a> {
    /// Who.
    pub operatore: &'a str,
    /// Why.
    pub motivo: &'a str,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EsitoVincolo {
    /// Done.
    Fatto,
    /// It was so already.
    GiaCosi,
    /// There is no such domanda.
    Sconosciuta,
}

/// One hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vincolo {
    /// Of which domanda.
    pub numero_domanda: NumeroDomanda,
    /// Since when.
    pub posto_il: Timestamp,
    /// By whom.
    pub operatore: String,
    /// Why.
    pub motivo: String,
    /// When it was released, by whom and why; `None` = it stands.
    pub tolto: Option<(Timestamp, String, String)>,
}

/// What the next purge is decided from, on either store.
pub(super) trait Potatura: Sync {
    /// The purge of a rule that goes on.
    fn aperta(&self, regola: Regola) -> impl Future<Output = Result<Option<Pulizia>, StoreError>> + Send;

    /// Up to when the purges of a rule that have ended came.
    fn fatto_fino_a(
        &self,
        regola: Regola,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// The oldest thing that a rule would look at within these stretches.
    fn prima(
        &self,
        regola: Regola,
        tratti: &[Tratto],
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// When domande that are held left a trace, before an instant.
    fn vincolate(&self, fino_a: Timestamp)
    -> impl Future<Output = Result<Vec<Timestamp>, StoreError>> + Send;

    /// When domande that were held left a trace, before an instant, on days whose bytes did not go for it.
    fn liberate(&self, fino_a: Timestamp) -> impl Future<Output = Result<Vec<Timestamp>, StoreError>> + Send;

    /// When the row was written that must stay as the last one, where there is such a row.
    fn ultima(&self, regola: Regola) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Begins a purge, or finds the one that another began meanwhile.
    fn apri(
        &self,
        regola: Regola,
        da: Timestamp,
        fino_a: Timestamp,
        ora: Timestamp,
    ) -> impl Future<Output = Result<Option<Pulizia>, StoreError>> + Send;
}

/// See [`ArchivioSpazio::begin_pulizia`].
pub(super) async fn begin(
    store: &impl Potatura,
    regola: Regola,
    limite: Timestamp,
    ora: Timestamp,
) -> Result<Option<Pulizia>, StoreError> {
    if let Some(aperta) = store.aperta(regola).await? {
        return Ok(Some(aperta));
    }
    match next(store, regola, limite).await? {
        Some((da, fino_a)) => store.apri(regola, da, fino_a, ora).await,
        None => Ok(None),
    }
}

/// From an instant on, and before another.
pub(super) type Tratto = (Timestamp, Timestamp);

/// The stretch of time that is due next. A limit is the beginning of a day: the same for all that is asked in a day.
async fn next(
    store: &impl Potatura,
    regola: Regola,
    limite: Timestamp,
) -> Result<Option<Tratto>, StoreError> {
    let limite = inizio_del_giorno(data_a_roma(limite));
    let fatto = store.fatto_fino_a(regola).await?;
    let inizio = Timestamp::UNIX_EPOCH;
    if !regola.is_daily() {
        let da_fare = fatto.is_none_or(|fatto| fatto < limite)
            && store
                .prima(regola, &[(inizio, Timestamp::MAX)])
                .await?
                .is_some_and(|prima| prima < limite);
        return Ok(da_fare.then_some((inizio, limite)));
    }
    let mut tenuti: BTreeSet<Date> = store.ultima(regola).await?.map(data_a_roma).into_iter().collect();
    if regola.is_held() {
        tenuti.extend(store.vincolate(limite).await?.into_iter().map(data_a_roma));
    }
    let mut dal = inizio;
    if regola == Regola::TracceByte
        && let Some(fatto) = fatto
    {
        // A row that was emptied is still there: the days behind are known by what was done. One that was held comes back
        // when it is released.
        let liberati = store.liberate(fatto).await?.into_iter().map(data_a_roma);
        if let Some(giorno) = liberati.filter(|giorno| !tenuti.contains(giorno)).min() {
            return Ok(Some(day(giorno)));
        }
        dal = fatto;
    }
    let prima = store.prima(regola, &between(&tenuti, dal, limite)).await?;
    Ok(prima.map(|prima| day(data_a_roma(prima))))
}

fn day(giorno: Date) -> Tratto {
    let domani = giorno.saturating_add(jiff::ToSpan::days(1));
    (inizio_del_giorno(giorno), inizio_del_giorno(domani))
}

/// What lies between days that are kept.
fn between(tenuti: &BTreeSet<Date>, dal: Timestamp, limite: Timestamp) -> Vec<Tratto> {
    let mut tratti = Vec::new();
    let mut inizio = dal;
    for (da, a) in tenuti.iter().map(|giorno| day(*giorno)) {
        tratti.push((inizio, da.min(limite)));
        inizio = inizio.max(a);
    }
    tratti.push((inizio, limite));
    tratti.retain(|(da, a)| da < a);
    tratti
}

/// Under which kind a table is told.
pub(super) fn genere(tabella: &str) -> &'static str {
    match tabella {
        "payload" => "richieste",
        "documenti" | "allegati" => "documenti",
        "carte" => "carte",
        "ricevute" => "ricevute",
        "tracce" | "egov" | "buste" => "tracce",
        "porta" => "porta",
        "variazioni" | "variazioni_scartate" => "variazioni",
        "registrazioni"
        | "registro"
        | "chiavi"
        | "annullamenti"
        | "assegnazioni"
        | "scarti"
        | "registri_giornalieri"
        | "emergenze"
        | "emergenza_registrazioni"
        | "lacune" => "registro",
        lotti if lotti.starts_with("lotti") => "lotti",
        _ => "domande",
    }
}

/// Sums by kind, the largest first.
pub(super) fn by_genere(parti: impl IntoIterator<Item = (&'static str, u64)>) -> Vec<Ingombro> {
    let mut somme: Vec<Ingombro> = Vec::new();
    for (genere, byte) in parti {
        match somme.iter_mut().find(|ingombro| ingombro.genere == genere) {
            Some(ingombro) => ingombro.byte += byte,
            None => somme.push(Ingombro { genere, byte }),
        }
    }
    somme.sort_by_key(|ingombro| std::cmp::Reverse(ingombro.byte));
    somme
}

/// The kind of all indexes together.
pub(super) const INDICI: &str = "indici";
