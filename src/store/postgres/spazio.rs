//! What the database takes up, and what must stay in it.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgArguments;

use super::row::{Istante, guasto};
use super::{PostgresStore, pulizie};
use crate::patronato::CodiceEnte;
use crate::protocollo::NumeroDomanda;
use crate::store::spazio::{
    ArchivioSpazio, Campione, EsitoVincolo, INDICI, Ingombro, Passo, Perche, Pulizia, Regola, Scaduti,
    Vincolo, begin, by_genere, genere,
};
use crate::store::valori::{Riga, al_millesimo, intero};
use crate::store::{Inconsistency, StoreError};

#[async_trait]
impl ArchivioSpazio for PostgresStore {
    async fn byte_occupati(&self) -> Result<u64, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let byte: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
                .fetch_one(&mut *lettore)
                .await
                .map_err(guasto)?;
            Ok(u64::try_from(byte).unwrap_or(0))
        })
        .await
    }

    async fn keep_campione(&self, campione: &Campione, dal: Timestamp) -> Result<(), StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            sqlx::query(
                "WITH vecchi AS (DELETE FROM spazio WHERE ora < $4)
                 INSERT INTO spazio (ora, occupati, liberi) VALUES ($1, $2, $3) ON CONFLICT (ora) DO NOTHING",
            )
            .bind(Istante(campione.ora))
            .bind(intero(campione.occupati))
            .bind(campione.liberi.map(intero))
            .bind(Istante(dal))
            .execute(&mut *lettore)
            .await
            .map_err(guasto)?;
            Ok(())
        })
        .await
    }

    async fn campioni(&self) -> Result<Vec<Campione>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let righe = sqlx::query("SELECT ora, occupati, liberi FROM spazio ORDER BY ora")
                .fetch_all(&mut *lettore)
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
        })
        .await
    }

    async fn ingombri(&self) -> Result<Vec<Ingombro>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            // A partition is told under its table's name.
            let tabelle: Vec<(String, i64, i64)> = sqlx::query_as(
                "SELECT coalesce(p.relname, c.relname)::text, pg_table_size(c.oid), pg_indexes_size(c.oid)
                 FROM pg_class c
                 LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
                 LEFT JOIN pg_class p ON p.oid = i.inhparent
                 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace",
            )
            .fetch_all(&mut *lettore)
            .await
            .map_err(guasto)?;
            Ok(by_genere(tabelle.iter().flat_map(|(tabella, byte, indici)| {
                [
                    (genere(tabella), byte.unsigned_abs()),
                    (INDICI, indici.unsigned_abs()),
                ]
            })))
        })
        .await
    }

    async fn begin_pulizia(
        &self,
        regola: Regola,
        limite: Timestamp,
        ora: Timestamp,
    ) -> Result<Option<Pulizia>, StoreError> {
        self.within(begin(self, regola, limite, ora)).await
    }

    async fn step_pulizia(
        &self,
        regola: Regola,
        al_massimo: u32,
        ora: Timestamp,
        adesso: Timestamp,
    ) -> Result<Option<Passo>, StoreError> {
        self.within(pulizie::step(self, regola, al_massimo, ora, adesso))
            .await
    }

    async fn pulizie(&self, limite: u32) -> Result<Vec<Pulizia>, StoreError> {
        self.within(pulizie::tutte(self, limite)).await
    }

    async fn scaduti(&self, regola: Regola, limite: Timestamp) -> Result<Scaduti, StoreError> {
        pulizie::scaduti(self, regola, limite).await
    }

    /// The database does that by itself (autovacuum).
    async fn give_back(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn variazioni_scartate(
        &self,
        ente: &CodiceEnte,
        servizio: &'static str,
    ) -> Result<Option<u64>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let cursore: Option<i64> = sqlx::query_scalar(
                "SELECT cursore FROM variazioni_scartate WHERE ente = $1 AND servizio = $2",
            )
            .bind(ente.as_str())
            .bind(servizio)
            .fetch_optional(&mut *lettore)
            .await
            .map_err(guasto)?;
            Ok(cursore.map(i64::unsigned_abs))
        })
        .await
    }

    async fn vincola(
        &self,
        numero: NumeroDomanda,
        perche: &Perche<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoVincolo, StoreError> {
        let sql = sqlx::query(
            "INSERT INTO vincoli (numero_domanda, posto_il, operatore, motivo)
             SELECT d.numero, $2, $3, $4 FROM domande d WHERE d.numero = $1
             ON CONFLICT (numero_domanda) WHERE tolto_il IS NULL DO NOTHING",
        );
        self.write_vincolo(sql, numero, perche, adesso).await
    }

    async fn libera(
        &self,
        numero: NumeroDomanda,
        perche: &Perche<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoVincolo, StoreError> {
        let sql = sqlx::query(
            "UPDATE vincoli SET tolto_il = $2, tolto_da = $3, tolto_motivo = $4
             WHERE numero_domanda = $1 AND tolto_il IS NULL",
        );
        self.write_vincolo(sql, numero, perche, adesso).await
    }

    async fn vincoli(&self) -> Result<Vec<Vincolo>, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let righe = sqlx::query(
                "SELECT numero_domanda, posto_il, operatore, motivo, tolto_il, tolto_da, tolto_motivo
                 FROM vincoli
                 ORDER BY id DESC",
            )
            .fetch_all(&mut *lettore)
            .await
            .map_err(guasto)?;
            let vincoli = righe.iter().map(|row| {
                let riga = Riga {
                    table: "vincoli",
                    row,
                };
                let tolto_il = riga.get::<Option<Istante>>("tolto_il")?;
                Ok(Vincolo {
                    numero_domanda: NumeroDomanda(riga.count("numero_domanda")?),
                    posto_il: riga.istante("posto_il")?,
                    operatore: riga.get("operatore")?,
                    motivo: riga.get("motivo")?,
                    tolto: match tolto_il {
                        Some(Istante(quando)) => {
                            Some((quando, riga.get("tolto_da")?, riga.get("tolto_motivo")?))
                        }
                        None => None,
                    },
                })
            });
            Ok(vincoli.collect::<Result<_, Inconsistency>>()?)
        })
        .await
    }
}

impl PostgresStore {
    async fn write_vincolo(
        &self,
        sql: sqlx::query::Query<'_, sqlx::Postgres, PgArguments>,
        numero: NumeroDomanda,
        perche: &Perche<'_>,
        adesso: Timestamp,
    ) -> Result<EsitoVincolo, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let scritto = sql
                .bind(intero(numero.0))
                .bind(Istante(al_millesimo(adesso)))
                .bind(perche.operatore.to_owned())
                .bind(perche.motivo.to_owned())
                .execute(&mut *lettore)
                .await
                .map_err(guasto)?;
            if scritto.rows_affected() > 0 {
                return Ok(EsitoVincolo::Fatto);
            }
            let nota: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM domande WHERE numero = $1)")
                .bind(intero(numero.0))
                .fetch_one(&mut *lettore)
                .await
                .map_err(guasto)?;
            Ok(if nota {
                EsitoVincolo::GiaCosi
            } else {
                EsitoVincolo::Sconosciuta
            })
        })
        .await
    }
}
