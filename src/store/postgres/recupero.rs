//! Two databases: ours, with the transaction that writes, and the other, in a transaction that only reads
//! (`store::recupero`). Rows go from one to the other as COPY gives them: none is made anew on the way.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::destinazione::{INSERT_DELETE_UPDATE, connect_as_owner, execute, restart_identities, triggers};
use super::row::{Istante, guasto};
use super::{PostgresStore, close, lacune, verify};
use crate::store::copy::tabelle::TABELLE;
use crate::store::copy::valore::Tipo;
use crate::store::lacune::{Dichiarazione, Vuoto};
use crate::store::recupero::{Archivi, Lato, Presenti, Ritorno, Tratto, Voce};
use crate::store::valori::{al_millesimo, intero};
use crate::store::{Inconsistency, OpenOptions, PostgresUrl, StoreError, Verifica};

/// Both databases, each as its owner sees it.
pub(in crate::store) struct Basi {
    qui: PgConnection,
    altrove: PgConnection,
}

impl Basi {
    /// Both, a transaction here beside which nobody else writes, and one there of one moment.
    pub(in crate::store) async fn open(
        qui: &PostgresUrl,
        da: &PostgresUrl,
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let mut basi = Self {
            qui: owned(qui, options).await?,
            altrove: owned(da, options).await?,
        };
        let chi = "SELECT CAST(pg_postmaster_start_time() AS text), current_database()::text";
        if basi.righe(Lato::Qui, chi).await? == basi.righe(Lato::Altrove, chi).await? {
            return Err(StoreError::Refused(format!("{da}: it is this very store")));
        }
        execute(
            &mut basi.altrove,
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )
        .await?;
        execute(&mut basi.qui, "BEGIN").await?;
        let tabelle: BTreeSet<_> = TABELLE.iter().map(|tabella| tabella.nome).collect();
        let tabelle: Vec<_> = tabelle.into_iter().collect();
        execute(
            &mut basi.qui,
            &format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", tabelle.join(", ")),
        )
        .await?;
        triggers(&mut basi.qui, INSERT_DELETE_UPDATE, "DISABLE", 'O').await?;
        Ok(basi)
    }

    async fn columns(&mut self, tabella: &str) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT attname::text FROM pg_attribute
             WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
             ORDER BY attnum",
        )
        .bind(tabella)
        .fetch_all(&mut self.qui)
        .await
        .map_err(guasto)
    }

    /// The partitions that the rows will lie in.
    async fn prepare_years(&mut self, nome: &str, dove: &str) -> Result<(), StoreError> {
        let parte = TABELLE
            .iter()
            .filter(|tabella| tabella.nome == nome)
            .find_map(|tabella| {
                let colonna = tabella.partizione?;
                let posto = tabella.posto(colonna)?;
                Some((colonna, tabella.colonne[posto].tipo))
            });
        let Some((colonna, tipo)) = parte else {
            return Ok(());
        };
        let anno = match tipo {
            Tipo::Istante => format!("extract(year FROM t.{colonna} AT TIME ZONE 'Europe/Rome')::int"),
            _ => format!("t.{colonna}::int"),
        };
        let anni: Vec<i32> = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT DISTINCT {anno} FROM {nome} t WHERE {dove}"
        )))
        .fetch_all(&mut self.altrove)
        .await
        .map_err(guasto)?;
        for anno in anni {
            sqlx::query("SELECT varco_prepara_anno($1)")
                .bind(anno)
                .execute(&mut self.qui)
                .await
                .map_err(guasto)?;
        }
        Ok(())
    }

    /// Rows of there into a table of here.
    async fn stream(&mut self, da: &str, a: &str) -> Result<(), StoreError> {
        let mut lette = self
            .altrove
            .copy_out_raw(&format!("COPY ({da}) TO STDOUT"))
            .await
            .map_err(guasto)?;
        let mut scritte = self
            .qui
            .copy_in_raw(&format!("COPY {a} FROM STDIN"))
            .await
            .map_err(guasto)?;
        while let Some(pezzo) = lette.try_next().await.map_err(guasto)? {
            scritte.send(&*pezzo).await.map_err(guasto)?;
        }
        scritte.finish().await.map_err(guasto)?;
        Ok(())
    }
}

/// A database as its owner, of this ambiente and schema.
async fn owned(url: &PostgresUrl, options: &OpenOptions) -> Result<PgConnection, StoreError> {
    let (store, _) = PostgresStore::open(url, options).await?;
    let accesso = store.accesso;
    store.lettori.close().await;
    connect_as_owner(&accesso, options.attesa).await
}

/// The primary key of a table, for who takes the place of a row.
fn key_of(nome: &'static str) -> Result<String, StoreError> {
    TABELLE
        .iter()
        .find(|tabella| tabella.nome == nome)
        .map(|tabella| tabella.chiave.join(", "))
        .ok_or_else(|| Inconsistency::new(nome, "", "is not described").into())
}

#[async_trait]
impl Archivi for Basi {
    fn hex(&self, colonna: &str) -> String {
        format!("encode({colonna}, 'hex')")
    }

    fn has(&self, tabella: &str) -> bool {
        TABELLE.iter().any(|altra| altra.nome == tabella)
    }

    async fn righe(&mut self, lato: Lato, sql: &str) -> Result<Vec<Voce>, StoreError> {
        let connessione = match lato {
            Lato::Qui => &mut self.qui,
            Lato::Altrove => &mut self.altrove,
        };
        let righe = sqlx::query(AssertSqlSafe(sql.replace('@', "")))
            .fetch_all(connessione)
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
        execute(&mut self.qui, &sql.replace('@', "")).await
    }

    async fn porta(&mut self, ritorno: &Ritorno) -> Result<(), StoreError> {
        let nome = ritorno.nome;
        let dove = ritorno.dove.replace('@', "");
        self.prepare_years(nome, &dove).await?;
        let mut colonne = self.columns(nome).await?;
        colonne.retain(|colonna| !ritorno.senza.contains(&colonna.as_str()));
        let valori: Vec<_> = colonne.iter().map(|colonna| ritorno.value(colonna)).collect();
        let (valori, elenco) = (valori.join(", "), colonne.join(", "));
        let da = format!("SELECT {valori} FROM {nome} t WHERE {dove}");
        let poi = match ritorno.presenti {
            Presenti::Nessuna => return self.stream(&da, &format!("{nome} ({elenco})")).await,
            Presenti::Restano => "NOTHING".to_owned(),
            Presenti::Seguono => format!("UPDATE SET {}", Ritorno::excluded(&colonne)),
        };
        let chiave = match ritorno.presenti {
            Presenti::Seguono => format!("({})", key_of(nome)?),
            Presenti::Nessuna | Presenti::Restano => String::new(),
        };
        execute(
            &mut self.qui,
            &format!("CREATE TEMP TABLE tornate ON COMMIT DROP AS SELECT {elenco} FROM {nome} WITH NO DATA"),
        )
        .await?;
        self.stream(&da, &format!("tornate ({elenco})")).await?;
        execute(
            &mut self.qui,
            &format!(
                "INSERT INTO {nome} ({elenco}) SELECT {elenco} FROM tornate ON CONFLICT {chiave} DO {poi};
                 DROP TABLE tornate"
            ),
        )
        .await
    }

    async fn porta_indizi(&mut self, messaggi: &str) -> Result<(), StoreError> {
        self.porta(&Ritorno {
            nome: "tracce_indizi",
            dove: format!("t.message_id IN {messaggi}"),
            presenti: Presenti::Restano,
            senza: &[],
            sposta: None,
        })
        .await
    }

    async fn declare(
        &mut self,
        vuoto: &Vuoto,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<(), StoreError> {
        // A hole that came back has its id from there.
        restart_identities(&mut self.qui).await?;
        lacune::write(&mut self.qui, vuoto, dichiarazione, adesso).await
    }

    async fn annota(
        &mut self,
        tratto: &Tratto,
        archivio: &str,
        dichiarazione: &Dichiarazione<'_>,
        adesso: Timestamp,
    ) -> Result<(), StoreError> {
        // What came back may hold some of before, with their ids.
        restart_identities(&mut self.qui).await?;
        sqlx::query(
            "INSERT INTO recuperi (registro, anno, da, a, quante, archivio, recuperate_il, operatore, motivo,
                 provvedimento_numero, provvedimento_data)
             VALUES ($1, $2, $3, $4, $5, $6, greatest($7, (SELECT chiuso_fino_a FROM registro WHERE registro = $1)),
                 $8, $9, $10, $11::date)",
        )
        .bind(&tratto.registro)
        .bind(tratto.anno)
        .bind(intero(tratto.da))
        .bind(intero(tratto.a))
        .bind(intero(tratto.quante))
        .bind(archivio)
        .bind(Istante(al_millesimo(adesso)))
        .bind(dichiarazione.operatore)
        .bind(dichiarazione.motivo)
        .bind(&dichiarazione.provvedimento.numero)
        .bind(dichiarazione.provvedimento.data.to_string())
        .execute(&mut self.qui)
        .await
        .map_err(guasto)?;
        Ok(())
    }

    async fn verify(&mut self) -> Result<Verifica, StoreError> {
        verify::verify(&mut self.qui).await
    }

    async fn finish(mut self: Box<Self>, per_sempre: bool) -> Result<(), StoreError> {
        if per_sempre {
            triggers(&mut self.qui, INSERT_DELETE_UPDATE, "ENABLE", 'D').await?;
            restart_identities(&mut self.qui).await?;
            execute(&mut self.qui, "COMMIT").await?;
        }
        close(self.qui).await;
        close(self.altrove).await;
        Ok(())
    }
}
