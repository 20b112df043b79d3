//! Two files as one: ours, with the transaction that writes, and beside it the other, attached so that nothing can be
//! written into it (`store::recupero`).

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::open::{connect, connect_options, look_at_file};
use super::row::{begin, guasto, rollback};
use super::{close, lacune, verify};
use crate::store::lacune::{Dichiarazione, Vuoto};
use crate::store::recupero::{Archivi, Lato, Presenti, Ritorno, Tratto, Voce};
use crate::store::valori::intero;
use crate::store::{OpenOptions, StoreError, Verifica};

/// Both files on one connection, the other as `altro`.
pub(in crate::store) struct Coppia {
    connessione: SqliteConnection,
    tabelle: Vec<String>,
    /// What makes the triggers again.
    trigger: Vec<String>,
}

impl Coppia {
    /// Both, and a transaction that writes. The gateway that has ours open waits, or is waited for.
    pub(in crate::store) async fn open(
        qui: &Path,
        da: &Path,
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        look_at_file(qui, false)?;
        let stesso = |path: &Path| path.canonicalize().map_err(StoreError::unavailable);
        if stesso(qui)? == stesso(da)? {
            return Err(StoreError::Refused(format!(
                "{}: it is this very store",
                da.display()
            )));
        }
        let mut connessione = connect(&connect_options(qui, options, false), qui).await?;
        sqlx::query("ATTACH ? AS altro")
            .bind(read_only(&stesso(da)?))
            .execute(&mut connessione)
            .await
            .map_err(guasto)?;
        begin(&mut connessione).await?;
        let mut coppia = Self {
            connessione,
            tabelle: Vec::new(),
            trigger: Vec::new(),
        };
        coppia.silence().await?;
        Ok(coppia)
    }

    /// Takes the triggers of our tables away for this transaction, and lets rows come in before those that they refer to.
    async fn silence(&mut self) -> Result<(), StoreError> {
        self.run("PRAGMA defer_foreign_keys = ON").await?;
        self.tabelle = sqlx::query_scalar("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
            .fetch_all(&mut self.connessione)
            .await
            .map_err(guasto)?;
        let trigger: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT name, tbl_name, sql FROM main.sqlite_schema WHERE type = 'trigger' ORDER BY rowid",
        )
        .fetch_all(&mut self.connessione)
        .await
        .map_err(guasto)?;
        for (nome, tabella, sql) in trigger {
            if self.tabelle.contains(&tabella) {
                self.run(&format!("DROP TRIGGER main.{nome}")).await?;
                self.trigger.push(sql);
            }
        }
        Ok(())
    }

    async fn run(&mut self, sql: &str) -> Result<(), StoreError> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut self.connessione)
            .await
            .map_err(guasto)?;
        Ok(())
    }

    async fn columns(&mut self, tabella: &str) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT name FROM pragma_table_info(?, 'main')")
            .bind(tabella)
            .fetch_all(&mut self.connessione)
            .await
            .map_err(guasto)
    }
}

/// The name of a file as a URI that only reads it.
fn read_only(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for carattere in path.to_string_lossy().chars() {
        match carattere {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            altro => uri.push(altro),
        }
    }
    uri + "?mode=ro"
}

fn schema(lato: Lato) -> &'static str {
    match lato {
        Lato::Qui => "main.",
        Lato::Altrove => "altro.",
    }
}

#[async_trait]
impl Archivi for Coppia {
    fn hex(&self, colonna: &str) -> String {
        format!("hex({colonna})")
    }

    fn has(&self, tabella: &str) -> bool {
        self.tabelle.iter().any(|nome| nome == tabella)
    }

    async fn righe(&mut self, lato: Lato, sql: &str) -> Result<Vec<Voce>, StoreError> {
        let righe = sqlx::query(AssertSqlSafe(sql.replace('@', schema(lato))))
            .fetch_all(&mut self.connessione)
            .await
            .map_err(guasto)?;
        righe
            .iter()
            .map(|riga| {
                (0..riga.len())
                    .map(|posto| riga.try_get(posto).map_err(guasto))
                    .collect()
            })
            .collect()
    }

    async fn esegui(&mut self, sql: &str) -> Result<(), StoreError> {
        self.run(&sql.replace('@', schema(Lato::Qui))).await
    }

    async fn porta(&mut self, ritorno: &Ritorno) -> Result<(), StoreError> {
        let Ritorno { nome, dove, .. } = ritorno;
        let mut colonne = self.columns(nome).await?;
        colonne.retain(|colonna| !ritorno.senza.contains(&colonna.as_str()));
        let valori: Vec<_> = colonne.iter().map(|colonna| ritorno.value(colonna)).collect();
        let poi = match ritorno.presenti {
            Presenti::Nessuna => String::new(),
            Presenti::Restano => "ON CONFLICT DO NOTHING".to_owned(),
            Presenti::Seguono => format!("ON CONFLICT DO UPDATE SET {}", Ritorno::excluded(&colonne)),
        };
        let sql = format!(
            "INSERT INTO main.{nome} ({}) SELECT {} FROM altro.{nome} t WHERE {} {poi}",
            colonne.join(", "),
            valori.join(", "),
            dove.replace('@', schema(Lato::Altrove))
        );
        self.run(&sql).await
    }

    async fn porta_indizi(&mut self, messaggi: &str) -> Result<(), StoreError> {
        let messaggi = messaggi.replace('@', schema(Lato::Altrove));
        self.run(&format!(
            "INSERT INTO main.tracce_indizi (indizio, ricevuto_il, traccia)
             SELECT i.indizio, i.ricevuto_il, m.id
             FROM altro.tracce a
             CROSS JOIN main.tracce m ON m.message_id = a.message_id AND m.ricevuto_il = a.ricevuto_il
             CROSS JOIN altro.tracce_indizi i ON i.traccia = a.id
             WHERE a.message_id IN {messaggi}
             ON CONFLICT DO NOTHING"
        ))
        .await
    }

    async fn declare(
        &mut self,
        vuoto: &Vuoto,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<(), StoreError> {
        lacune::write(&mut self.connessione, vuoto, dichiarazione, adesso).await
    }

    async fn annota(
        &mut self,
        tratto: &Tratto,
        archivio: &str,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO recuperi (registro, anno, da, a, quante, archivio, recuperate_il, operatore, motivo,
                 provvedimento_numero, provvedimento_data)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, max(?7, (SELECT chiuso_fino_a FROM registro WHERE registro = ?1)), ?8, ?9, ?10, ?11)",
        )
        .bind(&tratto.registro)
        .bind(tratto.anno)
        .bind(intero(tratto.da))
        .bind(intero(tratto.a))
        .bind(intero(tratto.quante))
        .bind(archivio)
        .bind(adesso.as_millisecond())
        .bind(dichiarazione.operatore)
        .bind(dichiarazione.motivo)
        .bind(&dichiarazione.provvedimento.numero)
        .bind(dichiarazione.provvedimento.data.to_string())
        .execute(&mut self.connessione)
        .await
        .map_err(guasto)?;
        Ok(())
    }

    async fn verify(&mut self) -> Result<Verifica, StoreError> {
        verify::verify(&mut self.connessione).await
    }

    async fn finish(mut self: Box<Self>, per_sempre: bool) -> Result<(), StoreError> {
        if per_sempre {
            for sql in std::mem::take(&mut self.trigger) {
                self.run(&sql).await?;
            }
            self.run("COMMIT").await?;
        } else {
            rollback(&mut self.connessione).await?;
        }
        close(self.connessione).await;
        Ok(())
    }
}
