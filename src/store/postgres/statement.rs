//! One statement that writes rows into several tables, one trip for a whole batch. Each column is bound as one array,
//! so the text is the same whatever the size of the batch and stays prepared.

use std::borrow::Cow;
use std::fmt::Write as _;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection, PgHasArrayType, Postgres};
use sqlx::{Arguments, AssertSqlSafe, Encode, Type};

use super::row::guasto;
use crate::store::StoreError;

/// The statement: `WITH t1 AS (INSERT …), t2 AS (UPDATE …) SELECT`. Its texts are ours alone: values are always bound.
#[derive(Default)]
pub(super) struct Istruzione {
    parti: Vec<String>,
    valori: PgArguments,
    quanti: usize,
    errore: Option<BoxDynError>,
}

impl Istruzione {
    /// Rows into a table; none is nothing. `colonne` names each column beside its value.
    pub(super) fn insert<T>(
        &mut self,
        tabella: &'static str,
        righe: &[T],
        colonne: impl FnOnce(&mut Colonne<'_, T>),
    ) {
        self.insert_or(tabella, righe, "", colonne);
    }

    /// The same, with what follows the rows: ` ON CONFLICT …`.
    pub(super) fn insert_or<T>(
        &mut self,
        tabella: &'static str,
        righe: &[T],
        coda: &str,
        colonne: impl FnOnce(&mut Colonne<'_, T>),
    ) {
        if righe.is_empty() {
            return;
        }
        let Nomi {
            elenco,
            scelta,
            unnest,
        } = self.columns(righe, colonne);
        self.parti.push(format!(
            "INSERT INTO {tabella} ({elenco}) SELECT {scelta} FROM UNNEST({unnest}) AS u ({elenco}){coda}"
        ));
    }

    /// Rows of a table that change; the first column names the row.
    pub(super) fn update<T>(
        &mut self,
        tabella: &'static str,
        righe: &[T],
        colonne: impl FnOnce(&mut Colonne<'_, T>),
    ) {
        if righe.is_empty() {
            return;
        }
        let Nomi { elenco, unnest, .. } = self.columns(righe, colonne);
        let (chiave, altre) = elenco.split_once(", ").unwrap_or((&elenco, ""));
        let valori: Vec<_> = altre
            .split(", ")
            .map(|nome| format!("{nome} = u.{nome}"))
            .collect();
        self.parti.push(format!(
            "UPDATE {tabella} t SET {} FROM UNNEST({unnest}) AS u ({elenco}) WHERE t.{chiave} = u.{chiave}",
            valori.join(", ")
        ));
    }

    fn columns<T>(&mut self, righe: &[T], colonne: impl FnOnce(&mut Colonne<'_, T>)) -> Nomi {
        let mut raccolte = Colonne {
            righe,
            nomi: Nomi::default(),
            istruzione: self,
        };
        colonne(&mut raccolte);
        raccolte.nomi
    }

    /// Executes it.
    pub(super) async fn execute(self, connessione: &mut PgConnection) -> Result<(), StoreError> {
        if let Some(errore) = self.errore {
            return Err(StoreError::unavailable(errore));
        }
        let Some((ultima, prime)) = self.parti.split_last() else {
            return Ok(());
        };
        let mut sql = String::with_capacity(4096);
        for (posto, parte) in prime.iter().enumerate() {
            let testa = if posto == 0 { "WITH" } else { "," };
            let _ = write!(sql, "{testa} t{posto} AS ({parte})");
        }
        let _ = write!(sql, " {ultima}");
        sqlx::query_with(AssertSqlSafe(sql), self.valori)
            .execute(connessione)
            .await
            .map_err(guasto)?;
        Ok(())
    }
}

/// The columns of one table, as the texts of its statement need them.
#[derive(Default)]
struct Nomi {
    /// `a, b`
    elenco: String,
    /// `u.a, u.b::date`
    scelta: String,
    /// `$1, $2`
    unnest: String,
}

/// The columns of some rows, added one after the other.
pub(super) struct Colonne<'i, T> {
    righe: &'i [T],
    nomi: Nomi,
    istruzione: &'i mut Istruzione,
}

impl<'i, T> Colonne<'i, T> {
    /// A column of numbers, instants, bytes, truth values, or the lack of them.
    pub(super) fn col<V>(&mut self, nome: &'static str, valore: impl Fn(&'i T) -> V) -> &mut Self
    where
        V: PgHasArrayType,
        for<'q> Vec<V>: Encode<'q, Postgres> + Type<Postgres>,
    {
        self.add(nome, "", self.righe.iter().map(valore).collect::<Vec<V>>())
    }

    /// A column of texts.
    pub(super) fn text(&mut self, nome: &'static str, valore: impl Fn(&'i T) -> &'i str) -> &mut Self {
        let testi: Vec<_> = self.righe.iter().map(|riga| without_nul(valore(riga))).collect();
        self.add(nome, "", testi)
    }

    /// A column of texts that may lack.
    pub(super) fn text_option(
        &mut self,
        nome: &'static str,
        valore: impl Fn(&'i T) -> Option<&'i str>,
    ) -> &mut Self {
        let testi: Vec<_> = self
            .righe
            .iter()
            .map(|riga| valore(riga).map(without_nul))
            .collect();
        self.add(nome, "", testi)
    }

    /// A column of bytes that may lack.
    pub(super) fn bytes_option(
        &mut self,
        nome: &'static str,
        valore: impl Fn(&'i T) -> Option<&'i [u8]>,
    ) -> &mut Self {
        self.add(nome, "", self.righe.iter().map(valore).collect::<Vec<_>>())
    }

    /// A column of another type, told as text: dates, JSON.
    pub(super) fn told(
        &mut self,
        nome: &'static str,
        tipo: &'static str,
        valore: impl Fn(&'i T) -> Option<String>,
    ) -> &mut Self {
        let detti: Vec<_> = self.righe.iter().map(valore).collect();
        self.add(nome, tipo, detti)
    }

    fn add<'q, V>(&mut self, nome: &'static str, tipo: &'static str, valori: V) -> &mut Self
    where
        V: Encode<'q, Postgres> + Type<Postgres>,
    {
        let Self { nomi, istruzione, .. } = self;
        istruzione.quanti += 1;
        let virgola = if nomi.elenco.is_empty() { "" } else { ", " };
        let due_punti = if tipo.is_empty() { "" } else { "::" };
        let _ = write!(nomi.elenco, "{virgola}{nome}");
        let _ = write!(nomi.scelta, "{virgola}u.{nome}{due_punti}{tipo}");
        let _ = write!(nomi.unnest, "{virgola}${}", istruzione.quanti);
        if let Err(errore) = istruzione.valori.add(valori) {
            // A value that is left out would shift those after it: remembered, and told before anything is executed.
            istruzione.errore.get_or_insert(errore);
        }
        self
    }
}

/// PostgreSQL's texts hold every character but U+0000, which a certificate's subject can bring.
pub(super) fn without_nul(testo: &str) -> Cow<'_, str> {
    if testo.contains('\0') {
        Cow::Owned(testo.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(testo)
    }
}
