//! Rows of lists as values, whatever the store, and what makes a page of them.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{ColumnIndex, Database, Decode, Encode, QueryBuilder, Row, Type};

use super::valori::{Riga, intero, mese, parola};
use super::{Inconsistency, StoreError};
use crate::domanda::CodiceFiscale;
use crate::domanda::elenco::{
    DomandaElencata, Filtro, Ordine, Pagina, PostoInElenco, SchedaElencata, Variazione,
};
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::patronato::{CodiceEnte, CodiceUfficio};
use crate::protocollo::{NumeroDomanda, NumeroProtocollo};

/// How many of the first rows from a date on are looked at for the one that stands first in the feed. The feed's order is
/// that of commits, whose clocks differ by seconds: far fewer rows than these lie between.
pub(super) const PRIME_RIGHE: u32 = 1000;

/// A page of at most `righe_max`, of rows of which one more was asked for.
pub(super) fn pagina<R, P>(
    mut righe: Vec<R>,
    righe_max: u32,
    altrimenti: P,
    posizione: impl FnOnce(&R) -> P,
) -> Pagina<R, P> {
    let righe_max = righe_max as usize;
    let altre = righe.len() > righe_max;
    righe.truncate(righe_max);
    Pagina {
        posizione: righe.last().map_or(altrimenti, posizione),
        righe,
        altre,
    }
}

/// A row of `variazioni`, with the protocol numbers beside it.
pub(super) fn variazione<R: Row>(row: &R, istante: Timestamp) -> Result<Variazione, Inconsistency>
where
    &'static str: ColumnIndex<R>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<i64>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga {
        table: "variazioni",
        row,
    };
    let numero = |testo: String| testo.parse::<NumeroProtocollo>();
    Ok(Variazione {
        cursore: riga.count("cursore")?,
        istante,
        tipo: riga.get("tipo")?,
        numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
        protocollo: riga.parse("protocollo", numero)?,
        causa: riga.parse_option("causa", numero)?,
        posto: riga.parse_option("posto", |posto: i64| u32::try_from(posto))?,
        stato: riga.parse_option("stato", |testo: String| parola(&testo))?,
        azione_richiesta: riga.parse_option("azione_richiesta", |testo: String| parola(&testo))?,
        motivo: riga.get("motivo")?,
    })
}

/// How many entries of an index are looked at for one page: what bounds a search by several criteria at once.
pub(super) const SCORSE_MAX: u32 = 2000;

/// What a search goes along: the index of the criterion which leaves the fewest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guida {
    Minore,
    Richiedente,
    Azione,
    Stato,
    Ufficio,
    Data,
}

impl Guida {
    fn of(filtro: &Filtro) -> Self {
        if filtro.minore.is_some() {
            Self::Minore
        } else if filtro.richiedente.is_some() {
            Self::Richiedente
        } else if open_azione(filtro).is_some() {
            Self::Azione
        } else if told_stato(filtro).is_some() {
            Self::Stato
        } else if filtro.codice_ufficio.is_some() {
            Self::Ufficio
        } else {
            Self::Data
        }
    }

    /// What its index tells apart beside ente and service.
    fn criterio(self, filtro: &Filtro) -> Option<(&'static str, &str)> {
        match self {
            Self::Minore => Some(("codice_fiscale", filtro.minore.as_ref()?.as_str())),
            Self::Richiedente => Some(("richiedente", filtro.richiedente.as_ref()?.as_str())),
            Self::Azione => Some(("azione_richiesta", open_azione(filtro)?.as_str())),
            Self::Stato => Some(("stato", told_stato(filtro)?.as_str())),
            Self::Ufficio => Some(("codice_ufficio", filtro.codice_ufficio.as_ref()?.as_str())),
            Self::Data => None,
        }
    }

    /// What its index has entries for, word by word: else it is not used.
    fn voci(self) -> Option<&'static str> {
        match self {
            Self::Minore => None,
            Self::Azione => Some("azione_richiesta <> 'NESSUNA'"),
            Self::Stato => Some("stato <> 'PRESENTATA'"),
            Self::Richiedente | Self::Ufficio | Self::Data => Some("(posto = 1 OR richiedente IS NULL)"),
        }
    }

    /// Whether its entries are sheets; else each stands for a domanda with all of them.
    fn per_scheda(self) -> bool {
        matches!(self, Self::Minore | Self::Azione | Self::Stato)
    }
}

/// Nearly every sheet waits for nothing: the index of actions has only the others.
fn open_azione(filtro: &Filtro) -> Option<AzioneRichiesta> {
    filtro
        .azione_richiesta
        .filter(|azione| *azione != AzioneRichiesta::Nessuna)
}

/// Every sheet begins as presented: the index of states has only the others.
fn told_stato(filtro: &Filtro) -> Option<StatoDomanda> {
    filtro.stato.filter(|stato| *stato != StatoDomanda::Presentata)
}

/// A search as a store asks it, with its own kind of instant `I`. The texts are the same for both but for what names the
/// index: SQLite is told it, PostgreSQL finds it.
pub(super) struct Cerca<'f, I> {
    pub(super) ente: &'f CodiceEnte,
    pub(super) servizio: &'static str,
    pub(super) filtro: &'f Filtro,
    pub(super) dopo: Option<PostoInElenco>,
    /// Where the entries are.
    pub(super) fonte: fn(Guida) -> &'static str,
    pub(super) istante: fn(Timestamp) -> I,
}

impl<I> Cerca<'_, I> {
    /// The page's domande, of which one more is asked for than the page holds: `presentata_il`, `numero_domanda`.
    pub(super) fn trovate<DB>(&self, righe_max: u32) -> QueryBuilder<DB>
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let mut query = QueryBuilder::new("SELECT DISTINCT presentata_il, numero_domanda FROM (");
        self.scorse(&mut query);
        query.push(") AS scorse WHERE 0 = 0");
        let filtro = self.filtro;
        Self::equal(
            &mut query,
            [
                (
                    "richiedente",
                    filtro.richiedente.as_ref().map(CodiceFiscale::as_str),
                ),
                (
                    "codice_ufficio",
                    filtro.codice_ufficio.as_ref().map(CodiceUfficio::as_str),
                ),
            ],
        );
        let della_scheda = [
            (
                "codice_fiscale",
                filtro.minore.as_ref().map(CodiceFiscale::as_str),
            ),
            (
                "azione_richiesta",
                filtro.azione_richiesta.map(AzioneRichiesta::as_str),
            ),
            ("stato", filtro.stato.map(StatoDomanda::as_str)),
        ];
        if Guida::of(filtro).per_scheda() {
            Self::equal(&mut query, della_scheda);
        } else if della_scheda.iter().any(|(_, valore)| valore.is_some()) {
            query
                .push(" AND EXISTS (SELECT 1 FROM elenco e WHERE e.numero_domanda = scorse.numero_domanda AND e.ente = ")
                .push_bind(self.ente.as_str().to_owned());
            Self::equal(&mut query, della_scheda);
            query.push(")");
        }
        self.in_ordine(&mut query);
        query.push(" LIMIT ").push_bind(i64::from(righe_max) + 1);
        query
    }

    /// Columns that must have these values.
    fn equal<'c, DB>(
        query: &mut QueryBuilder<DB>,
        criteri: impl IntoIterator<Item = (&'static str, Option<&'c str>)>,
    ) where
        DB: Database,
        String: for<'q> Encode<'q, DB> + Type<DB>,
    {
        for (colonna, valore) in criteri {
            if let Some(valore) = valore {
                query
                    .push(format_args!(" AND {colonna} = "))
                    .push_bind(valore.to_owned());
            }
        }
    }

    /// The last entry that [`Self::trovate`] looked at, where there were as many as it looks at.
    pub(super) fn ultima_scorsa<DB>(&self) -> QueryBuilder<DB>
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let mut query = QueryBuilder::new("SELECT presentata_il, numero_domanda FROM (");
        self.scorse(&mut query);
        query.push(") AS scorse");
        self.in_ordine(&mut query);
        query
            .push(" LIMIT 1 OFFSET ")
            .push_bind(i64::from(SCORSE_MAX) - 1);
        query
    }

    /// The entries of one index, from where the last page ended.
    fn scorse<DB>(&self, query: &mut QueryBuilder<DB>)
    where
        DB: Database,
        I: for<'q> Encode<'q, DB> + Type<DB>,
        i64: for<'q> Encode<'q, DB> + Type<DB>,
        String: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let filtro = self.filtro;
        let guida = Guida::of(filtro);
        query.push(
            "SELECT presentata_il, numero_domanda, richiedente, codice_fiscale, azione_richiesta, stato, codice_ufficio FROM ",
        );
        query.push((self.fonte)(guida));
        query
            .push(" WHERE ente = ")
            .push_bind(self.ente.as_str().to_owned());
        query.push(" AND servizio = ").push_bind(self.servizio.to_owned());
        if let Some(voci) = guida.voci() {
            query.push(format_args!(" AND {voci}"));
        }
        Self::equal(
            query,
            guida
                .criterio(filtro)
                .map(|(colonna, valore)| (colonna, Some(valore))),
        );
        if let Some(dal) = filtro.dal {
            query
                .push(" AND presentata_il >= ")
                .push_bind((self.istante)(dal));
        }
        if let Some(prima_di) = filtro.prima_di {
            query
                .push(" AND presentata_il < ")
                .push_bind((self.istante)(prima_di));
        }
        if let Some(dopo) = self.dopo {
            let verso = match filtro.ordine {
                Ordine::DallaPiuRecente => "<",
                Ordine::DallaMenoRecente => ">",
            };
            query
                .push(format_args!(" AND (presentata_il, numero_domanda) {verso} ("))
                .push_bind((self.istante)(dopo.presentata_il))
                .push(", ")
                .push_bind(intero(dopo.numero_domanda.0))
                .push(")");
        }
        self.in_ordine(query);
        query.push(" LIMIT ").push_bind(i64::from(SCORSE_MAX));
    }

    fn in_ordine<DB: Database>(&self, query: &mut QueryBuilder<DB>) {
        query.push(match self.filtro.ordine {
            Ordine::DallaPiuRecente => " ORDER BY presentata_il DESC, numero_domanda DESC",
            Ordine::DallaMenoRecente => " ORDER BY presentata_il, numero_domanda",
        });
    }

    /// What becomes of a page that is not full although the look ended before the list did: the domanda at whose sheets it
    /// ended is left to the next page, whole.
    pub(super) fn cut(&self, trovate: &mut Vec<PostoInElenco>, ultima: PostoInElenco) -> PostoInElenco {
        trovate.retain(|trovata| *trovata != ultima);
        let numero = ultima.numero_domanda.0;
        let prima = match self.filtro.ordine {
            Ordine::DallaPiuRecente => numero.saturating_add(1),
            Ordine::DallaMenoRecente => numero.saturating_sub(1),
        };
        PostoInElenco {
            numero_domanda: NumeroDomanda(prima),
            ..ultima
        }
    }
}

/// The domande of a page with their sheets, in the order of the page.
pub(super) fn in_ordine_di_pagina(
    trovate: &[PostoInElenco],
    mut domande: HashMap<NumeroDomanda, DomandaElencata>,
) -> Vec<DomandaElencata> {
    trovate
        .iter()
        .filter_map(|trovata| domande.remove(&trovata.numero_domanda))
        .collect()
}

/// A row of `elenco` with what stands beside it: the domanda, and one of its sheets.
pub(super) fn elencata<R: Row>(
    row: &R,
    presentata_il: Timestamp,
) -> Result<(DomandaElencata, SchedaElencata), Inconsistency>
where
    &'static str: ColumnIndex<R>,
    bool: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    String: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    Option<String>: for<'d> Decode<'d, R::Database> + Type<R::Database>,
    i64: for<'d> Decode<'d, R::Database> + Type<R::Database>,
{
    let riga = Riga { table: "elenco", row };
    let codice_fiscale = |testo: String| testo.parse::<CodiceFiscale>();
    let domanda = DomandaElencata {
        numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
        protocollo: riga.parse("protocollo", |testo: String| testo.parse::<NumeroProtocollo>())?,
        presentata_il,
        codice_ufficio: riga.get("codice_ufficio")?,
        richiedente: riga.parse_option("richiedente", codice_fiscale)?,
        presentata_da: riga.get("presentata_da")?,
        annullata: riga.get("annullata")?,
        schede: Vec::new(),
    };
    let scheda = SchedaElencata {
        posto: riga.parse("posto", |posto: i64| u32::try_from(posto))?,
        codice_fiscale: riga.parse("codice_fiscale", codice_fiscale)?,
        altro_genitore: riga.parse_option("altro_genitore", codice_fiscale)?,
        decorrenza_presunta: riga.parse_option("decorrenza_presunta", |testo: String| mese(&testo))?,
        stato: riga.parse("stato", |testo: String| parola(&testo))?,
        azione_richiesta: riga.parse("azione_richiesta", |testo: String| parola(&testo))?,
    };
    Ok((domanda, scheda))
}

/// Every domanda with all its sheets.
pub(super) fn con_le_schede(
    righe: impl IntoIterator<Item = Result<(DomandaElencata, SchedaElencata), StoreError>>,
) -> Result<HashMap<NumeroDomanda, DomandaElencata>, StoreError> {
    let mut domande: HashMap<NumeroDomanda, DomandaElencata> = HashMap::new();
    for riga in righe {
        let (domanda, scheda) = riga?;
        domande
            .entry(domanda.numero_domanda)
            .or_insert(domanda)
            .schede
            .push(scheda);
    }
    Ok(domande)
}
