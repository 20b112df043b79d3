//! What the file takes up, and what must stay in it.

use async_trait::async_trait;
use jiff::Timestamp;

use super::row::guasto;
use super::{SqliteStore, pulizie, spool};
use crate::patronato::CodiceEnte;
use crate::protocollo::NumeroDomanda;
use crate::store::spazio::{
    ArchivioSpazio, Campione, EsitoVincolo, INDICI, Ingombro, Passo, Perche, Pulizia, Regola, Scaduti,
    Vincolo, begin, by_genere, genere,
};
use crate::store::valori::{Riga, al_millesimo, intero};
use crate::store::{Inconsistency, StoreError};

#[async_trait]
impl ArchivioSpazio for SqliteStore {
    async fn byte_occupati(&self) -> Result<u64, StoreError> {
        let byte: i64 = sqlx::query_scalar(
            "SELECT (c.page_count - l.freelist_count) * s.page_size
             FROM pragma_page_count c, pragma_freelist_count l, pragma_page_size s",
        )
        .fetch_one(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(u64::try_from(byte).unwrap_or(0))
    }

    async fn keep_campione(&self, campione: &Campione, dal: Timestamp) -> Result<(), StoreError> {
        let mut presa = self.take().await?;
        let scritto = sqlx::query(
            "INSERT INTO spazio (ora, occupati, liberi) VALUES (?, ?, ?) ON CONFLICT (ora) DO NOTHING;
             DELETE FROM spazio WHERE ora < ?",
        )
        .bind(campione.ora.as_millisecond())
        .bind(intero(campione.occupati))
        .bind(campione.liberi.map(intero))
        .bind(dal.as_millisecond())
        .execute(&mut presa.connessione)
        .await;
        presa.give_back();
        scritto.map_err(guasto)?;
        Ok(())
    }

    async fn campioni(&self) -> Result<Vec<Campione>, StoreError> {
        let righe = sqlx::query("SELECT ora, occupati, liberi FROM spazio ORDER BY ora")
            .fetch_all(&self.lettori)
            .await
            .map_err(guasto)?;
        let campioni = righe.iter().map(|row| {
            let riga = Riga { table: "spazio", row };
            Ok(Campione {
                ora: riga.istante("ora")?,
                occupati: riga.count("occupati")?,
                liberi: riga.parse_option("liberi", |liberi: i64| u64::try_from(liberi))?,
            })
        });
        Ok(campioni.collect::<Result<_, Inconsistency>>()?)
    }

    async fn ingombri(&self) -> Result<Vec<Ingombro>, StoreError> {
        let parti: Vec<(Option<String>, Option<String>, i64)> = sqlx::query_as(
            "SELECT m.type, m.tbl_name, sum(b.pgsize)
             FROM dbstat b
             LEFT JOIN sqlite_schema m ON m.name = b.name
             WHERE b.aggregate = TRUE
             GROUP BY m.type, m.tbl_name",
        )
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        let file = parti.into_iter().map(|(tipo, tabella, byte)| {
            let genere = match (tipo.as_deref(), tabella.as_deref()) {
                (Some("index"), _) => INDICI,
                (_, Some(tabella)) => genere(tabella),
                _ => genere(""),
            };
            (genere, u64::try_from(byte).unwrap_or(0))
        });
        Ok(by_genere(file.chain([("lotti", spool::size(self).await?)])))
    }

    async fn begin_pulizia(
        &self,
        regola: Regola,
        limite: Timestamp,
        ora: Timestamp,
    ) -> Result<Option<Pulizia>, StoreError> {
        begin(self, regola, limite, ora).await
    }

    async fn step_pulizia(
        &self,
        regola: Regola,
        al_massimo: u32,
        ora: Timestamp,
        adesso: Timestamp,
    ) -> Result<Option<Passo>, StoreError> {
        pulizie::step(self, regola, al_massimo, ora, adesso).await
    }

    async fn pulizie(&self, limite: u32) -> Result<Vec<Pulizia>, StoreError> {
        pulizie::tutte(&self.lettori, limite).await
    }

    async fn scaduti(&self, regola: Regola, limite: Timestamp) -> Result<Scaduti, StoreError> {
        pulizie::scaduti(&self.lettori, regola, limite).await
    }

    async fn give_back(&self) -> Result<bool, StoreError> {
        let mut presa = self.take().await?;
        // A bounded step at a time, as in `tidy`: a registration that comes meanwhile waits for no more than this.
        let reso = async {
            sqlx::query("PRAGMA incremental_vacuum(256)")
                .fetch_all(&mut presa.connessione)
                .await?;
            sqlx::query_scalar::<_, i64>("PRAGMA freelist_count")
                .fetch_one(&mut presa.connessione)
                .await
        }
        .await;
        presa.give_back();
        Ok(reso.map_err(guasto)? > 0)
    }

    async fn variazioni_scartate(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
    ) -> Result<Option<u64>, StoreError> {
        let cursore: Option<i64> =
            sqlx::query_scalar("SELECT cursore FROM variazioni_scartate WHERE ente = ? AND servizio = ?")
                .bind(ente.as_str())
                .bind(servizio)
                .fetch_optional(&self.lettori)
                .await
                .map_err(guasto)?;
        Ok(cursore.map(i64::unsigned_abs))
    }

    async fn vincola(
        &self,
        numero: NumeroDomanda,
        perche: &Perche<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoVincolo, StoreError> {
        let scritto = self
            .write_vincolo(
                sqlx::query(
                    "INSERT INTO vincoli (numero_domanda, posto_il, operatore, motivo)
                     SELECT d.numero, ?2, ?3, ?4 FROM domande d
                     WHERE d.numero = ?1
                       AND NOT EXISTS (SELECT 1 FROM vincoli v WHERE v.numero_domanda = d.numero AND v.tolto_il IS NULL)",
                )
                .bind(intero(numero.0))
                .bind(al_millesimo(adesso).as_millisecond())
                .bind(perche.operatore)
                .bind(perche.motivo),
            )
            .await?;
        self.told(scritto, numero).await
    }

    async fn libera(
        &self,
        numero: NumeroDomanda,
        perche: &Perche<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoVincolo, StoreError> {
        let scritto = self
            .write_vincolo(
                sqlx::query(
                    "UPDATE vincoli SET tolto_il = ?2, tolto_da = ?3, tolto_motivo = ?4
                     WHERE numero_domanda = ?1 AND tolto_il IS NULL",
                )
                .bind(intero(numero.0))
                .bind(al_millesimo(adesso).as_millisecond())
                .bind(perche.operatore)
                .bind(perche.motivo),
            )
            .await?;
        self.told(scritto, numero).await
    }

    async fn vincoli(&self) -> Result<Vec<Vincolo>, StoreError> {
        let righe = sqlx::query(
            "SELECT numero_domanda, posto_il, operatore, motivo, tolto_il, tolto_da, tolto_motivo
             FROM vincoli
             ORDER BY id DESC",
        )
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        let vincoli = righe.iter().map(|row| {
            let riga = Riga {
                table: "vincoli",
                row,
            };
            let tolto_il = riga.parse_option("tolto_il", Timestamp::from_millisecond)?;
            Ok(Vincolo {
                numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
                posto_il: riga.istante("posto_il")?,
                operatore: riga.get("operatore")?,
                motivo: riga.get("motivo")?,
                tolto: match tolto_il {
                    Some(quando) => Some((quando, riga.get("tolto_da")?, riga.get("tolto_motivo")?)),
                    None => None,
                },
            })
        });
        Ok(vincoli.collect::<Result<_, Inconsistency>>()?)
    }
}

impl SqliteStore {
    async fn write_vincolo(
        &self,
        sql: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<bool, StoreError> {
        let mut presa = self.take().await?;
        let scritto = sql.execute(&mut presa.connessione).await;
        presa.give_back();
        Ok(scritto.map_err(guasto)?.rows_affected() > 0)
    }

    /// What is told of a hold that was written, or not.
    async fn told(&self, scritto: bool, numero: NumeroDomanda) -> Result<EsitoVincolo, StoreError> {
        if scritto {
            return Ok(EsitoVincolo::Fatto);
        }
        let nota: i64 = sqlx::query_scalar("SELECT count(*) FROM domande WHERE numero = ?")
            .bind(intero(numero.0))
            .fetch_one(&self.lettori)
            .await
            .map_err(guasto)?;
        Ok(if nota > 0 {
            EsitoVincolo::GiaCosi
        } else {
            EsitoVincolo::Sconosciuta
        })
    }
}
