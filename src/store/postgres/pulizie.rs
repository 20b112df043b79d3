//! What goes when its time is over: a step is one call of `varco_pulisci`, all that the gateway's role can delete by.

use jiff::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _};

use super::PostgresStore;
use super::row::{Istante, guasto};
use crate::protocollo::NumeroDomanda;
use crate::store::spazio::{Passo, Potatura, Pulizia, Regola, Scaduti, Tratto};
use crate::store::valori::Riga;
use crate::store::{Inconsistency, StoreError};

/// One step of the purge of a rule that is open.
pub(super) async fn step(
    store: &PostgresStore,
    regola: Regola,
    al_massimo: u32,
    ora: Timestamp,
    adesso: Timestamp,
) -> Result<Option<Passo>, StoreError> {
    let mut lettore = store.lettore().await?;
    let passo: Option<(i64, i64, bool)> =
        sqlx::query_as("SELECT righe_tolte, byte_tolti, finita FROM varco_pulisci($1, $2, $3, $4)")
            .bind(regola.as_str())
            .bind(i32::try_from(al_massimo).unwrap_or(i32::MAX))
            .bind(Istante(ora))
            .bind(Istante(adesso))
            .fetch_optional(&mut *lettore)
            .await
            .map_err(guasto)?;
    Ok(passo.map(|(righe, byte, finita)| Passo {
        righe: righe.unsigned_abs(),
        byte: byte.unsigned_abs(),
        finita,
    }))
}

/// See [`crate::store::spazio::ArchivioSpazio::scaduti`].
pub(super) async fn scaduti(
    store: &PostgresStore,
    regola: Regola,
    limite: Timestamp,
) -> Result<Scaduti, StoreError> {
    let sql = match regola {
        Regola::Richieste => {
            "SELECT count(*), coalesce(sum(octet_length(y.bytes)), 0)::bigint
                 + coalesce((SELECT sum(octet_length(d.bytes)) FROM documenti d
                             JOIN procedimenti t ON t.numero_domanda = d.numero_domanda
                             WHERE t.finito_il < $1 AND NOT t.vincolata), 0)::bigint
                 + coalesce((SELECT sum(octet_length(c.bytes)) FROM carte c
                             JOIN procedimenti t ON t.numero_domanda = c.numero_domanda
                             WHERE c.documento = 'RIEPILOGO' AND t.finito_il < $1 AND NOT t.vincolata), 0)::bigint
             FROM payload y
             JOIN procedimenti t ON t.numero_domanda = y.numero_domanda
             WHERE t.finito_il < $1 AND NOT t.vincolata"
        }
        Regola::TracceByte => {
            "SELECT count(*),
                    coalesce(sum(coalesce(octet_length(richiesta), 0) + coalesce(octet_length(risposta), 0)), 0)::bigint
             FROM tracce WHERE ricevuto_il < $1 AND (richiesta IS NOT NULL OR risposta IS NOT NULL)"
        }
        Regola::Tracce => {
            "SELECT count(*), coalesce(sum(pg_column_size(t.*)), 0)::bigint FROM tracce t WHERE ricevuto_il < $1"
        }
        Regola::Porta => {
            "SELECT count(*), coalesce(sum(pg_column_size(r.*)), 0)::bigint FROM porta r WHERE istante < $1"
        }
        Regola::Variazioni => {
            "SELECT count(*), coalesce(sum(pg_column_size(x.*)), 0)::bigint FROM variazioni x WHERE istante < $1"
        }
    };
    let mut lettore = store.lettore().await?;
    let mut transazione = lettore.begin().await.map_err(guasto)?;
    // A walk over all that is old takes its time: a person waits for it, and no message.
    sqlx::raw_sql("SET LOCAL statement_timeout = 0")
        .execute(&mut *transazione)
        .await
        .map_err(guasto)?;
    let (righe, byte): (i64, i64) = sqlx::query_as(sql)
        .bind(Istante(limite))
        .fetch_one(&mut *transazione)
        .await
        .map_err(guasto)?;
    Ok(Scaduti {
        righe: righe.unsigned_abs(),
        byte: byte.unsigned_abs(),
    })
}

/// What went, newest first.
pub(super) async fn tutte(store: &PostgresStore, limite: u32) -> Result<Vec<Pulizia>, StoreError> {
    let mut lettore = store.lettore().await?;
    let righe = sqlx::query(
        "SELECT regola, da, fino_a, iniziata_il, conclusa_il, fermata_da, righe, byte FROM pulizie ORDER BY id DESC LIMIT $1",
    )
    .bind(i64::from(limite))
    .fetch_all(&mut *lettore)
    .await
    .map_err(guasto)?;
    Ok(righe.iter().map(pulizia_from).collect::<Result<_, _>>()?)
}

fn pulizia_from(row: &PgRow) -> Result<Pulizia, Inconsistency> {
    let riga = Riga {
        table: "pulizie",
        row,
    };
    Ok(Pulizia {
        regola: riga.parse("regola", |nome: String| Regola::parse(&nome))?,
        da: riga.istante("da")?,
        fino_a: riga.istante("fino_a")?,
        iniziata_il: riga.istante("iniziata_il")?,
        conclusa_il: riga
            .get::<Option<Istante>>("conclusa_il")?
            .map(|Istante(quando)| quando),
        fermata_da: riga
            .parse_option("fermata_da", |numero: i64| u64::try_from(numero))?
            .map(NumeroDomanda),
        righe: riga.count("righe")?,
        byte: riga.count("byte")?,
    })
}

impl Potatura for PostgresStore {
    async fn aperta(&self, regola: Regola) -> Result<Option<Pulizia>, StoreError> {
        let mut lettore = self.lettore().await?;
        let riga = sqlx::query(
            "SELECT regola, da, fino_a, iniziata_il, conclusa_il, fermata_da, righe, byte
             FROM pulizie WHERE regola = $1 AND conclusa_il IS NULL",
        )
        .bind(regola.as_str())
        .fetch_optional(&mut *lettore)
        .await
        .map_err(guasto)?;
        Ok(riga.as_ref().map(pulizia_from).transpose()?)
    }

    async fn fatto_fino_a(&self, regola: Regola) -> Result<Option<Timestamp>, StoreError> {
        let mut lettore = self.lettore().await?;
        let fatto: Option<Istante> = sqlx::query_scalar(
            "SELECT max(fino_a) FROM pulizie WHERE regola = $1 AND conclusa_il IS NOT NULL",
        )
        .bind(regola.as_str())
        .fetch_one(&mut *lettore)
        .await
        .map_err(guasto)?;
        Ok(fatto.map(|Istante(quando)| quando))
    }

    async fn prima(&self, regola: Regola, tratti: &[Tratto]) -> Result<Option<Timestamp>, StoreError> {
        let prime = match regola {
            Regola::Richieste => {
                "SELECT r.registrata_il
                 FROM (SELECT y.numero_domanda FROM payload y ORDER BY y.numero_domanda LIMIT 1) q
                 JOIN domande d ON d.numero = q.numero_domanda
                 JOIN registrazioni r ON r.id = d.registrazione AND r.anno = d.anno
                 WHERE r.registrata_il >= g.da AND r.registrata_il < g.a"
            }
            Regola::TracceByte => {
                "SELECT min(ricevuto_il) FROM tracce WHERE ricevuto_il >= g.da AND ricevuto_il < g.a"
            }
            Regola::Tracce => {
                "SELECT least((SELECT min(ricevuto_il) FROM tracce WHERE ricevuto_il >= g.da AND ricevuto_il < g.a),
                              (SELECT min(istante) FROM egov WHERE istante >= g.da AND istante < g.a))"
            }
            Regola::Porta => "SELECT min(istante) FROM porta WHERE istante >= g.da AND istante < g.a",
            Regola::Variazioni => {
                "SELECT istante FROM variazioni WHERE istante >= g.da AND istante < g.a ORDER BY cursore LIMIT 1"
            }
        };
        let sql = format!(
            "SELECT min(q.prima)
             FROM unnest($1::text[]::timestamptz[], $2::text[]::timestamptz[]) g (da, a),
                  LATERAL ({prime}) q (prima)"
        );
        let (da, a): (Vec<String>, Vec<String>) = tratti
            .iter()
            .map(|(da, a)| (da.to_string(), a.to_string()))
            .unzip();
        let mut lettore = self.lettore().await?;
        let prima: Option<Istante> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(da)
            .bind(a)
            .fetch_one(&mut *lettore)
            .await
            .map_err(guasto)?;
        Ok(prima.map(|Istante(quando)| quando))
    }

    async fn vincolate(&self, fino_a: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let sql = "SELECT ricevuto_il FROM tracce_vincolate WHERE tolto_il IS NULL AND ricevuto_il < $1";
        instants(self, sql, fino_a).await
    }

    async fn liberate(&self, fino_a: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let sql = "SELECT t.ricevuto_il FROM tracce_vincolate t
                   WHERE t.tolto_il IS NOT NULL AND t.ricevuto_il < $1
                     AND NOT EXISTS (SELECT 1 FROM pulizie p
                                     WHERE p.regola = 'TRACCE_BYTE' AND p.conclusa_il IS NOT NULL AND p.fermata_da IS NULL
                                       AND t.ricevuto_il >= p.da AND t.ricevuto_il < p.fino_a)";
        instants(self, sql, fino_a).await
    }

    /// No place is given away twice: it is the transaction that wrote a row.
    async fn ultima(&self, _: Regola) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn apri(
        &self,
        regola: Regola,
        da: Timestamp,
        fino_a: Timestamp,
        ora: Timestamp,
    ) -> Result<Option<Pulizia>, StoreError> {
        let mut lettore = self.lettore().await?;
        sqlx::query(
            "INSERT INTO pulizie (regola, da, fino_a, iniziata_il) VALUES ($1, $2, $3, $4)
             ON CONFLICT (regola) WHERE conclusa_il IS NULL DO NOTHING",
        )
        .bind(regola.as_str())
        .bind(Istante(da))
        .bind(Istante(fino_a))
        .bind(Istante(ora))
        .execute(&mut *lettore)
        .await
        .map_err(guasto)?;
        drop(lettore);
        self.aperta(regola).await
    }
}

async fn instants(
    store: &PostgresStore,
    sql: &'static str,
    fino_a: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let mut lettore = store.lettore().await?;
    let istanti: Vec<Istante> = sqlx::query_scalar(sql)
        .bind(Istante(fino_a))
        .fetch_all(&mut *lettore)
        .await
        .map_err(guasto)?;
    Ok(istanti.into_iter().map(|Istante(quando)| quando).collect())
}
