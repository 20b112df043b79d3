//! Bringing back what a store that was put back from a copy lacks: out of another store that still knows it, each
//! registration whole and with its own number, so that a retry finds the receipt that was told (ADR 26).
//!
//! One transaction does it all, under the lock that keeps every other writer out: compare, bring back, declare the rest a
//! hole, verify, note. So no reader ever sees half a register, a stop at any moment leaves the store as it was, and the
//! trial run is the same transaction, rolled back. It works only where this store's register is the beginning of the
//! other's: what was drawn here since stops it, for two registrations of one number are nothing a program can settle.
//! Of each domanda that is touched the whole file is taken over, the engine's decisions included; its triggers are silent
//! meanwhile, since what they do was done when the rows were first written.

mod confronto;
mod ritorno;
mod voci;
mod vuoti;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use self::confronto::lost;
use self::ritorno::bring;
use self::voci::conflict;
use super::esame::controlla;
use super::lacune::{Dichiarazione, Vuoto};
use super::legale::open_registro;
use super::postgres::recupero::Basi;
use super::sqlite::recupero::Coppia;
use super::{OpenOptions, StoreError, StoreUrl, Verifica};

/// What to bring back, and what to do with it.
#[derive(Debug, Clone, Copy)]
pub struct Recupero<'a> {
    /// The store that lacks numbers.
    pub qui: &'a StoreUrl,
    /// The store that may know them.
    pub da: &'a StoreUrl,
    /// How both are opened.
    pub options: &'a OpenOptions,
    /// On whose authority, and how far the numbers went.
    pub dichiarazione: &'a Dichiarazione<'a>,
    /// The business clock, now.
    pub adesso: Timestamp,
    /// Only tell what would come of it.
    pub prova: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recuperate {
    /// What came back, by register and year.
    pub tornate: Vec<Tratto>,
    /// What did not: the holes that were declared.
    pub lacune: Vec<Tratto>,
    /// Numbers that the other store knows and that were declared a hole here before: they stay one.
    pub gia_lacuna: u64,
}

/// Numbers of a register and year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tratto {
    /// The register.
    pub registro: String,
    /// The year.
    pub anno: i16,
    /// The first.
    pub da: u64,
    /// The last.
    pub a: u64,
    /// How many of these.
    pub quante: u64,
}

/// Which of the two stores a query asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lato {
    Qui,
    Altrove,
}

/// A row, each column as a text.
pub(super) type Voce = Vec<Option<String>>;

/// Rows that come along, and what becomes of those that are there.
pub(super) struct Ritorno {
    /// The table.
    pub(super) nome: &'static str,
    /// Which of its rows, `t`. A table of the same store is written `@name`.
    pub(super) dove: String,
    pub(super) presenti: Presenti,
    /// Columns that the store fills in by itself.
    pub(super) senza: &'static [&'static str],
    /// A column that counts on behind what was written here since, and by how much.
    pub(super) sposta: Option<(&'static str, i64)>,
}

impl Ritorno {
    /// What a column of `t` becomes here.
    pub(super) fn value(&self, colonna: &str) -> String {
        match self.sposta {
            Some((spostata, scarto)) if spostata == colonna => format!("t.{colonna} + {scarto}"),
            _ => format!("t.{colonna}"),
        }
    }

    /// Every column as the row that came says it.
    pub(super) fn excluded(colonne: &[String]) -> String {
        let nuove: Vec<_> = colonne
            .iter()
            .map(|colonna| format!("{colonna} = excluded.{colonna}"))
            .collect();
        nuove.join(", ")
    }
}

/// A row of the same key that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presenti {
    /// There is none, or it all ends.
    Nessuna,
    /// It stays.
    Restano,
    /// What it said follows from registrations that come back: it says what they made of it.
    Seguono,
}

/// Both stores, with a transaction that writes here and looks there.
#[async_trait]
pub(super) trait Archivi: Send {
    /// Bytes as a text, in its SQL.
    fn hex(&self, colonna: &str) -> String;

    /// Whether it has that table.
    fn has(&self, tabella: &str) -> bool;

    /// Rows of one of them; tables are written `@name`.
    async fn righe(&mut self, lato: Lato, sql: &str) -> Result<Vec<Voce>, StoreError>;

    /// Writes here.
    async fn esegui(&mut self, sql: &str) -> Result<(), StoreError>;

    /// Takes rows over.
    async fn porta(&mut self, ritorno: &Ritorno) -> Result<(), StoreError>;

    /// Takes over by which words the trace is found.
    async fn porta_indizi(&mut self, messaggi: &str) -> Result<(), StoreError>;

    /// Declares a hole, and moves the counters behind it.
    async fn declare(
        &mut self,
        vuoto: &Vuoto,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes what came back.
    async fn annota(
        &mut self,
        tratto: &Tratto,
        archivio: &str,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<(), StoreError>;

    /// The register as it now is here.
    async fn verify(&mut self) -> Result<Verifica, StoreError>;

    /// Ends the transaction: for good, or as if nothing had been.
    async fn finish(self: Box<Self>, per_sempre: bool) -> Result<(), StoreError>;
}

/// How long one statement may take: some move all that was lost.
const ISTRUZIONE: Duration = Duration::from_mins(10);

/// Brings back what the other store knows, and declares the rest; `avanza` is told the table that is at work.
pub async fn recover(
    recupero: &Recupero<'_>,
    avanza: &mut (dyn FnMut(&'static str) + Send),
) -> Result<Recuperate, StoreError> {
    let options = OpenOptions {
        migrate: false,
        create: false,
        istruzione: ISTRUZIONE,
        ancore: None,
        ..recupero.options.clone()
    };
    // Its ambiente, its schema, that it is one of ours: as whoever opens a store.
    let (altro, _) = open_registro(recupero.da, &options).await?;
    let esito = async {
        let mut archivi: Box<dyn Archivi> = match (recupero.qui, recupero.da) {
            (StoreUrl::Sqlite(qui), StoreUrl::Sqlite(da)) => Box::new(Coppia::open(qui, da, &options).await?),
            (StoreUrl::Postgres(qui), StoreUrl::Postgres(da)) => {
                Box::new(Basi::open(qui, da, &options).await?)
            }
            _ => {
                return Err(StoreError::Refused(
                    "numbers come back from a store of the same kind, SQLite or PostgreSQL".to_owned(),
                ));
            }
        };
        let perdute = lost(archivi.as_mut()).await?;
        // Checked before the first row is written.
        for (registro, dopo) in &perdute.confini {
            avanza("registrazioni");
            let anomalie = controlla(&*altro, registro, *dopo).await?;
            if let Some(anomalia) = anomalie.first() {
                return Err(conflict(&format!(
                    "the other store is not as it should be ({} times): {anomalia}",
                    anomalie.len()
                )));
            }
        }
        match bring(archivi.as_mut(), recupero, &perdute, avanza).await {
            Ok(fatte) => {
                let qualcosa = !fatte.tornate.is_empty() || !fatte.lacune.is_empty();
                archivi.finish(qualcosa && !recupero.prova).await?;
                Ok(fatte)
            }
            Err(errore) => {
                archivi.finish(false).await?;
                Err(errore)
            }
        }
    }
    .await;
    altro.close().await;
    esito
}
