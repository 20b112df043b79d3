//! The search among the traces, whatever the store. What has a name of its own (a number, a key, a message, a person) is
//! looked up by it, and is few; anything else is a walk along one index of time, newest first, that ends when its time is
//! over ([`Ritmo`](super::ritmo::Ritmo)): so a page costs no more in a store of ten million messages than in an empty one, and what is rare
//! within what is frequent is found page by page (ADR 19).

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use jiff::Timestamp;
use sqlx::{ColumnIndex, Database, Decode, Encode, QueryBuilder, Row, Type};

use super::indizi::indizio_codice;
use super::valori::{Riga, intero};
use super::{Inconsistency, StoreError};
use crate::protocollo::{NumeroCercato, NumeroProtocollo};
use crate::trace::Traccia;
use crate::trace::ricerca::{Posto, Ricerca};

/// How many entries of an index are counted to choose among them.
const CONTATE_MAX: u32 = 500;

/// What is found by a name is looked at as a whole as long as it is no more than this; more of it (a sender that gives
/// all its messages one id) is walked like anything else.
pub(super) const PUNTI_MAX: u32 = 500;

// ── What was asked for, looked up ──

/// What the names of a search were found to mean.
#[derive(Debug)]
pub(super) struct Nomi<K> {
    /// The numbers that may be meant.
    pub(super) protocolli: Vec<NumeroProtocollo>,
    /// The domande in which the person has a part.
    pub(super) domande: Vec<i64>,
    /// What stands for the person.
    pub(super) ombra: Option<Vec<u8>>,
    /// The lot.
    pub(super) lotto: Option<LottoCercato<K>>,
    /// The traces that have one of the names, whichever leaves the fewest; `None`: no name was given, or too many have it.
    pub(super) punti: Option<Vec<K>>,
}

impl<K> Default for Nomi<K> {
    fn default() -> Self {
        Self {
            protocolli: Vec::new(),
            domande: Vec::new(),
            ombra: None,
            lotto: None,
            punti: None,
        }
    }
}

/// A lot that is there.
#[derive(Debug)]
pub(super) struct LottoCercato<K> {
    /// Whose.
    pub(super) ente: String,
    /// The trace of the message that it came with, if that was written.
    pub(super) consegna: Option<K>,
    /// When it came, true clock: nothing of it is older.
    pub(super) dal: Option<Timestamp>,
    /// When it ended: nothing of it is as new.
    pub(super) al: Option<Timestamp>,
}

/// The numbers that are meant, where each register is told with its first and last year.
pub(super) fn candidati(cercato: &NumeroCercato, registri: &[(String, i64, i64)]) -> Vec<NumeroProtocollo> {
    let anno = |anno: i64| i16::try_from(anno).unwrap_or(i16::MAX);
    cercato.candidati(
        registri
            .iter()
            .map(|(registro, dal, al)| (registro.as_str(), anno(*dal), anno(*al))),
    )
}

// ── The walk ──

/// What a page goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guida {
    /// The traces that were found by a name.
    Punti,
    /// Those of an error code: first the column of the first code, then the entries for the others.
    Codice,
    /// Those of an outcome; nearly every message is REGISTRATA, which has no entries.
    Esito,
    /// Those of an ente.
    Ente,
    /// All.
    Data,
}

impl Guida {
    /// Those that can be gone along, the most telling first.
    pub(super) fn possibili<K>(ricerca: &Ricerca, nomi: &Nomi<K>) -> Vec<Self> {
        if nomi.punti.is_some() {
            return vec![Self::Punti];
        }
        [
            ricerca.codice.is_some().then_some(Self::Codice),
            esito(ricerca).is_some().then_some(Self::Esito),
            (ricerca.ente.is_some() || nomi.lotto.is_some()).then_some(Self::Ente),
            Some(Self::Data),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn esito(ricerca: &Ricerca) -> Option<&str> {
    ricerca.esito.as_deref().filter(|esito| *esito != "REGISTRATA")
}

/// How a store says it: its own kind of instant `I` and of a trace's id `K`.
#[derive(Clone, Copy)]
pub(super) struct Lingua<I, K> {
    /// The column that tells the traces of one millisecond apart.
    pub(super) id: &'static str,
    /// The column of `tracce_indizi` that names it.
    pub(super) traccia: &'static str,
    /// Where the entries of an index are.
    pub(super) fonte: fn(Guida) -> &'static str,
    /// PostgreSQL chooses an index by what it knows of the values. Told a range of pairs, of which it does not know that
    /// all have one value, it has no choice: only the index has that order.
    pub(super) per_ordine: bool,
    /// Whether `codici` has a code: what stands before and behind it.
    pub(super) tra_i_codici: (&'static str, &'static str),
    pub(super) istante: fn(Timestamp) -> I,
    pub(super) chiave: fn(u128) -> K,
}

/// A search as a store asks it.
pub(super) struct Cerca<'r, I, K> {
    pub(super) ricerca: &'r Ricerca,
    pub(super) nomi: &'r Nomi<K>,
    pub(super) guida: Guida,
    pub(super) lingua: Lingua<I, K>,
    /// From where on.
    pub(super) dopo: Option<Posto>,
    /// How many entries.
    pub(super) tratto: u32,
}

/// What is asked of each entry beside its place.
const CRITERI: &str = "canale, indirizzo, certificato_soggetto, certificato_seriale, ente, user_id, codice_ufficio, uri, \
    servizio, operazione, id_mittente, id_transazione, chiave_invio, esito, codice, codici, protocollo, numero_domanda";

impl<I, K: Clone + 'static> Cerca<'_, I, K> {
    /// The page's traces, of which one more is asked for than the page holds: the place, and where from.
    pub(super) fn trovate<DB>(&self) -> QueryBuilder<DB>
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        K: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        Vec<u8>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let id = self.lingua.id;
        let mut query = QueryBuilder::new(format!(
            "SELECT ricevuto_il, {id}, indirizzo, certificato_soggetto, certificato_seriale FROM ("
        ));
        self.scorse(&mut query, CRITERI, self.tratto);
        query.push(") AS scorse WHERE 0 = 0");
        self.resto(&mut query);
        query.push(format_args!(" ORDER BY ricevuto_il DESC, {id} DESC"));
        if !self.ricerca.is_fine() {
            query
                .push(" LIMIT ")
                .push_bind(i64::from(self.ricerca.righe_max()) + 1);
        }
        query
    }

    /// The last entry that [`Self::trovate`] looked at, where there were as many as it looks at.
    pub(super) fn ultima_scorsa<DB>(&self) -> QueryBuilder<DB>
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        K: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        Vec<u8>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let id = self.lingua.id;
        let mut query = QueryBuilder::new(format!("SELECT ricevuto_il, {id} FROM ("));
        self.scorse(&mut query, "", self.tratto);
        query.push(format_args!(
            ") AS scorse ORDER BY ricevuto_il DESC, {id} DESC LIMIT 1 OFFSET "
        ));
        query.push_bind(i64::from(self.tratto) - 1);
        query
    }

    /// How many entries there are, as far as they are counted.
    pub(super) fn quante<DB>(&self) -> QueryBuilder<DB>
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        K: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        Vec<u8>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let mut query = QueryBuilder::new("SELECT count(*) FROM (");
        self.scorse(&mut query, "", CONTATE_MAX);
        query.push(") AS scorse");
        query
    }

    /// The entries of the guide, from where the last page ended.
    fn scorse<DB>(&self, query: &mut QueryBuilder<DB>, colonne: &str, al_massimo: u32)
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        K: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        Vec<u8>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let ricerca = self.ricerca;
        let ente = self.nomi.lotto.as_ref().map(|lotto| lotto.ente.as_str());
        let voce = match self.guida {
            Guida::Punti | Guida::Data => None,
            Guida::Codice => ricerca.codice.as_deref().map(|codice| ("codice", codice)),
            Guida::Esito => esito(ricerca).map(|esito| ("esito", esito)),
            Guida::Ente => ente.or(ricerca.ente.as_deref()).map(|ente| ("ente", ente)),
        };
        let Lingua { id, traccia, .. } = self.lingua;
        let virgola = if colonne.is_empty() { "" } else { ", " };
        if self.guida != Guida::Codice {
            query.push(format_args!("SELECT ricevuto_il, {id}{virgola}{colonne} FROM "));
            return self.ramo(query, (self.lingua.fonte)(self.guida), id, voce, al_massimo);
        }
        // Two walks that meet: the code stands first, or behind others.
        query.push(format_args!(
            "SELECT * FROM (SELECT ricevuto_il, {id}{virgola}{colonne} FROM "
        ));
        self.ramo(query, (self.lingua.fonte)(self.guida), id, voce, al_massimo);
        query.push(format_args!(
            ") AS prime UNION ALL SELECT t.ricevuto_il, t.{id}{virgola}{} FROM (SELECT ricevuto_il, {traccia} FROM ",
            colonne
                .split(", ")
                .filter(|colonna| !colonna.is_empty())
                .map(|colonna| format!("t.{}", colonna.trim_start()))
                .collect::<Vec<_>>()
                .join(", ")
        ));
        self.ramo_indizi(query, al_massimo);
        query.push(format_args!(
            ") AS i JOIN tracce t ON t.{id} = i.{traccia} AND t.ricevuto_il = i.ricevuto_il \
             ORDER BY ricevuto_il DESC, {id} DESC LIMIT "
        ));
        query.push_bind(i64::from(al_massimo));
    }

    /// One walk.
    fn ramo<DB>(
        &self,
        query: &mut QueryBuilder<DB>,
        fonte: &str,
        id: &str,
        voce: Option<(&str, &str)>,
        al_massimo: u32,
    ) where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        K: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
    {
        query.push(fonte).push(" WHERE 0 = 0");
        if self.guida == Guida::Esito {
            // The condition of the index, word by word: else it is not used.
            query.push(" AND esito <> 'REGISTRATA'");
        }
        if self.guida == Guida::Punti {
            one_of(query, id, self.nomi.punti.iter().flatten().cloned());
        }
        if let Some((colonna, valore)) = voce {
            self.uguale(query, colonna, valore.to_owned());
        }
        self.periodo(query, id);
        let prima = voce.filter(|_| self.lingua.per_ordine);
        Self::in_ordine(query, prima.map(|(colonna, _)| colonna), id, al_massimo);
    }

    /// The walk along the entries for codes that do not stand first.
    fn ramo_indizi<DB>(&self, query: &mut QueryBuilder<DB>, al_massimo: u32)
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        K: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        Vec<u8>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let codice = self.ricerca.codice.as_deref().unwrap_or_default();
        query.push("tracce_indizi WHERE 0 = 0");
        self.uguale(query, "indizio", indizio_codice(codice));
        self.periodo(query, self.lingua.traccia);
        let prima = self.lingua.per_ordine.then_some("indizio");
        Self::in_ordine(query, prima, self.lingua.traccia, al_massimo);
    }

    fn uguale<DB, V>(&self, query: &mut QueryBuilder<DB>, colonna: &str, valore: V)
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        V: for<'q> Encode<'q, DB> + Type<DB> + Clone + 'static,
    {
        if !self.lingua.per_ordine {
            query.push(format_args!(" AND {colonna} = ")).push_bind(valore);
            return;
        }
        // The pair places the walk at its first entry at once, however many lie before it.
        let ultimo = [self.ricerca.al, self.dopo.map(|dopo| dopo.ricevuto_il)];
        query.push(format_args!(" AND {colonna} IS NOT NULL"));
        for (verso, confine, altrimenti) in [
            (">=", self.ricerca.dal, "'-infinity'::timestamptz"),
            (
                "<=",
                ultimo.into_iter().flatten().min(),
                "'infinity'::timestamptz",
            ),
        ] {
            query
                .push(format_args!(" AND ({colonna}, ricevuto_il) {verso} ("))
                .push_bind(valore.clone())
                .push(", ");
            match confine {
                Some(confine) => query.push_bind((self.lingua.istante)(confine)),
                None => query.push(altrimenti),
            };
            query.push(")");
        }
    }

    fn in_ordine<DB>(query: &mut QueryBuilder<DB>, prima: Option<&str>, id: &str, al_massimo: u32)
    where
        DB: Database,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
    {
        query.push(" ORDER BY ");
        if let Some(prima) = prima {
            query.push(format_args!("{prima} DESC, "));
        }
        query
            .push(format_args!("ricevuto_il DESC, {id} DESC LIMIT "))
            .push_bind(i64::from(al_massimo));
    }

    /// From when to when, the lot's time included, and from where the last page ended.
    fn periodo<DB>(&self, query: &mut QueryBuilder<DB>, id: &str)
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        K: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let lotto = self.nomi.lotto.as_ref();
        for dal in [self.ricerca.dal, lotto.and_then(|lotto| lotto.dal)]
            .into_iter()
            .flatten()
        {
            query
                .push(" AND ricevuto_il >= ")
                .push_bind((self.lingua.istante)(dal));
        }
        for al in [self.ricerca.al, lotto.and_then(|lotto| lotto.al)]
            .into_iter()
            .flatten()
        {
            query
                .push(" AND ricevuto_il < ")
                .push_bind((self.lingua.istante)(al));
        }
        if let Some(dopo) = self.dopo {
            query
                .push(format_args!(" AND (ricevuto_il, {id}) < ("))
                .push_bind((self.lingua.istante)(dopo.ricevuto_il))
                .push(", ")
                .push_bind((self.lingua.chiave)(dopo.id))
                .push(")");
        }
    }

    /// Every criterion, asked of each entry: the guide's too, which costs nothing.
    fn resto<DB>(&self, query: &mut QueryBuilder<DB>)
    where
        DB: Database,
        K: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        Vec<u8>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let Ricerca {
            ente,
            codice_ufficio,
            user_id,
            canale,
            servizio,
            operazione,
            esito,
            chiave_invio,
            ..
        } = self.ricerca;
        for (colonna, valore) in [
            ("ente", ente),
            ("codice_ufficio", codice_ufficio),
            ("user_id", user_id),
            ("canale", canale),
            ("servizio", servizio),
            ("operazione", operazione),
            ("esito", esito),
            ("chiave_invio", chiave_invio),
        ] {
            if let Some(valore) = valore {
                query
                    .push(format_args!(" AND {colonna} = "))
                    .push_bind(valore.clone());
            }
        }
        if self.ricerca.protocollo.is_some() {
            one_of(
                query,
                "protocollo",
                self.nomi.protocolli.iter().map(ToString::to_string),
            );
        }
        if let Some(numero) = self.ricerca.numero_domanda {
            query.push(" AND numero_domanda = ").push_bind(intero(numero));
        }
        self.resto_composto(query);
    }

    /// The criteria that are more than a column.
    fn resto_composto<DB>(&self, query: &mut QueryBuilder<DB>)
    where
        DB: Database,
        K: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
        Vec<u8>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let Lingua {
            id,
            traccia,
            tra_i_codici: (prima, dopo),
            ..
        } = self.lingua;
        if let Some(codice) = &self.ricerca.codice {
            query.push(" AND (codice = ").push_bind(codice.clone());
            query.push(format_args!(" OR {prima}")).push_bind(codice.clone());
            query.push(format_args!("{dopo})"));
        }
        if let Some(mittente) = &self.ricerca.id_mittente {
            query.push(" AND (id_mittente = ").push_bind(mittente.clone());
            query.push(" OR id_transazione = ").push_bind(mittente.clone());
            query
                .push(format_args!(" OR {id} IN ("))
                .push(self.di_buste())
                .push_bind(mittente.clone())
                .push("))");
        }
        if self.ricerca.persona.is_some() {
            query.push(" AND (0 = 1");
            if !self.nomi.domande.is_empty() {
                query.push(" OR (0 = 0");
                one_of(query, "numero_domanda", self.nomi.domande.iter().copied());
                query.push(")");
            }
            if let Some(ombra) = &self.nomi.ombra {
                query
                    .push(" OR EXISTS (SELECT 1 FROM tracce_indizi i WHERE i.indizio = ")
                    .push_bind(ombra.clone())
                    .push(format_args!(
                        " AND i.ricevuto_il = scorse.ricevuto_il AND i.{traccia} = scorse.{id})"
                    ));
            }
            query.push(")");
        }
        if let Some((lotto, cercato)) = self.ricerca.lotto.zip(self.nomi.lotto.as_ref()) {
            query
                .push(" AND (uri LIKE ")
                .push_bind(format!("LOTTO {lotto}#%"));
            if let Some(consegna) = &cercato.consegna {
                query
                    .push(format_args!(" OR {id} = "))
                    .push_bind(consegna.clone());
            }
            query.push(")");
        }
    }

    /// The messages that were answered in a busta with an Identificatore, which follows.
    fn di_buste(&self) -> String {
        match self.lingua.id {
            "message_id" => "SELECT message_id FROM egov WHERE risposta_identificatore = ".to_owned(),
            id => format!(
                "SELECT t.{id} FROM egov e JOIN tracce t ON t.message_id = e.message_id \
                 WHERE e.risposta_identificatore = "
            ),
        }
    }
}

/// ` AND column IN (…)`; of nothing there is nothing.
pub(super) fn one_of<DB, V>(query: &mut QueryBuilder<DB>, colonna: &str, valori: impl IntoIterator<Item = V>)
where
    DB: Database,
    V: for<'q> Encode<'q, DB> + Type<DB> + 'static,
{
    let mut valori = valori.into_iter().peekable();
    if valori.peek().is_none() {
        query.push(" AND 0 = 1");
        return;
    }
    query.push(format_args!(" AND {colonna} IN ("));
    let mut elenco = query.separated(", ");
    for valore in valori {
        elenco.push_bind(valore);
    }
    query.push(")");
}

// ── The page ──

/// The entries that were found, after what is asked row by row.
pub(super) fn trovate<R: Row>(
    ricerca: &Ricerca,
    righe: &[R],
    posto: impl Fn(&Riga<'_, R>) -> Result<Posto, Inconsistency>,
) -> Result<Vec<Posto>, StoreError>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let mut trovate = Vec::with_capacity(righe.len());
    for row in righe {
        let riga = Riga { table: "tracce", row };
        if ricerca.is_fine() {
            let indirizzo = riga.parse_option("indirizzo", |testo: String| testo.parse::<IpAddr>())?;
            let soggetto: String = riga.get("certificato_soggetto")?;
            let seriale: String = riga.get("certificato_seriale")?;
            if !ricerca.is_from(indirizzo, &soggetto, &seriale) {
                continue;
            }
        }
        trovate.push(posto(&riga)?);
    }
    Ok(trovate)
}

/// The traces of a page, in its order.
pub(super) fn in_ordine_di_pagina<K: Eq + Hash>(
    posti: &[Posto],
    chiave: fn(u128) -> K,
    mut tracce: HashMap<K, Traccia>,
) -> Vec<Traccia> {
    posti
        .iter()
        .filter_map(|posto| tracce.remove(&chiave(posto.id)))
        .collect()
}
