//! The chain of proof in PostgreSQL. Rows of several gateways become visible in another order than they were written in, so
//! a place is the transaction that wrote them, and only those are sealed that are older than every transaction which still
//! runs: no row can come to stand before them any more. A register's numbers become visible in their order by themselves.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _};
use uuid::Uuid;

use super::row::{Istante, guasto};
use super::{PostgresStore, execute};
use crate::domanda::Ambiente;
use crate::sigilli::giornata::{Blocchi, UltimoGiornaliero};
use crate::sigilli::{Blocco, Genere, Posto, Riga, Segni, write_voci};
use crate::store::StoreError;
use crate::store::sigilli::colonne::{Dialetto, Scelte, Tipo};
use crate::store::sigilli::righe::{
    Noti, blocco_from, coda_from, giornaliero_from, giornata_from, noti, registrazione_from, riga_from,
    scarto_from, sigilli_from, traccia_from,
};
use crate::store::sigilli::{ArchivioSigilli, BloccoConservato, Coda, Nuovo, ScartoConservato};
use crate::store::valori::{Riga as Colonne, intero, json};

const DIALETTO: Dialetto = Dialetto {
    testo: |colonna, tipo| match tipo {
        Tipo::Testo => colonna.to_owned(),
        Tipo::Intero | Tipo::Id => format!("{colonna}::text"),
        Tipo::Istante => format!("(extract(epoch FROM {colonna}) * 1000000)::bigint::text"),
        Tipo::Data => format!("to_char({colonna}, 'YYYY-MM-DD')"),
        Tipo::Byte => format!("encode({colonna}, 'hex')"),
    },
    byte: |testo| format!("convert_to({testo}, 'UTF8')"),
    posto: "t.transazione",
    intestazioni_di_prima: ["e.richiesta", "e.risposta"],
};

static SCELTE: LazyLock<Scelte> = LazyLock::new(|| DIALETTO.scelte());

/// What separates the places of rows that came from an embedded store (`store copy`) from those of our own transactions:
/// theirs are ids less than this.
pub(in crate::store) const DA_FILE: i64 = 1 << 62;

#[async_trait]
impl ArchivioSigilli for PostgresStore {
    async fn identita(&self) -> Result<(Ambiente, String), StoreError> {
        let creato_il: Option<String> =
            sqlx::query_scalar("SELECT valore FROM impostazioni WHERE nome = 'creato_il'")
                .fetch_optional(&mut *self.lettore().await?)
                .await
                .map_err(guasto)?;
        Ok((self.ambiente, creato_il.unwrap_or_default()))
    }

    async fn coda(&self) -> Result<Coda, StoreError> {
        coda(&mut *self.lettore().await?).await
    }

    async fn da_sigillare(
        &self,
        dopo: &Segni,
        sale: &[u8; 32],
        limite: u32,
    ) -> Result<(Vec<Riga>, Segni), StoreError> {
        let tratto = Tratto {
            dopo,
            fino: None,
            limite: Some(i64::from(limite)),
        };
        rows(&mut *self.lettore().await?, &tratto, sale, &Noti::new()).await
    }

    async fn sigillate(&self, dopo: &Segni, blocco: &Blocco) -> Result<Vec<Riga>, StoreError> {
        let tratto = Tratto {
            dopo,
            fino: Some(&blocco.testata.segni),
            limite: None,
        };
        let mut lettore = self.lettore().await?;
        let (righe, _) = rows(&mut lettore, &tratto, &blocco.sale, &noti(&blocco.voci)).await?;
        Ok(righe)
    }

    async fn keep_sigillo(&self, prima: &Coda, nuovo: &Nuovo) -> Result<bool, StoreError> {
        self.within(async {
            let mut lettore = self.lettore().await?;
            let mut transazione = lettore.begin().await.map_err(guasto)?;
            // Who seals is alone until COMMIT, so the end of the chain stays what it is.
            execute(
                &mut transazione,
                "SELECT pg_advisory_xact_lock(hashtext('varco_sigilli'))",
            )
            .await?;
            if coda(&mut transazione).await? != *prima {
                transazione.rollback().await.map_err(guasto)?;
                return Ok(false);
            }
            keep(&mut transazione, nuovo).await?;
            transazione.commit().await.map_err(guasto)?;
            Ok(true)
        })
        .await
    }

    async fn blocchi(&self, dopo: u64, limite: u32) -> Result<Vec<BloccoConservato>, StoreError> {
        let righe = sqlx::query(
            "SELECT numero, to_char(giorno, 'YYYY-MM-DD') AS giorno, convert_to(testata, 'UTF8') AS testata, sale, voci, sigillo
             FROM sigilli
             WHERE numero > $1 ORDER BY numero LIMIT $2",
        )
        .bind(intero(dopo))
        .bind(i64::from(limite))
        .fetch_all(&mut *self.lettore().await?)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(blocco_from).collect::<Result<_, _>>()?)
    }

    async fn sigilli_di(&self, giorno: Date) -> Result<Blocchi, StoreError> {
        let righe = sqlx::query(
            "SELECT sigillo, (testata::jsonb ->> 'righe')::bigint AS righe FROM sigilli
             WHERE giorno = $1::date ORDER BY numero",
        )
        .bind(giorno.to_string())
        .fetch_all(&mut *self.lettore().await?)
        .await
        .map_err(guasto)?;
        Ok(sigilli_from(&righe)?)
    }

    async fn giornate(&self, dopo: Option<Date>, limite: u32) -> Result<Vec<(Date, String)>, StoreError> {
        let righe = sqlx::query(
            "SELECT to_char(g.giorno, 'YYYY-MM-DD') AS giorno, convert_to(g.documento, 'UTF8') AS documento FROM sigilli_giorni g
             WHERE g.giorno > coalesce($1::date, '-infinity') ORDER BY g.giorno LIMIT $2",
        )
        .bind(dopo.map(|dopo| dopo.to_string()))
        .bind(i64::from(limite))
        .fetch_all(&mut *self.lettore().await?)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(giornata_from).collect::<Result<_, _>>()?)
    }

    async fn attesa(&self, segni: &Segni) -> Result<Option<Timestamp>, StoreError> {
        let (transazione, message_id) = trace_place(segni.tracce.as_ref());
        let piu_vecchia: Option<Istante> = sqlx::query_scalar(
            "SELECT t.ricevuto_il FROM tracce t WHERE (t.transazione, t.message_id) > ($1, $2)
             ORDER BY t.transazione, t.message_id LIMIT 1",
        )
        .bind(transazione)
        .bind(message_id)
        .fetch_optional(&mut *self.lettore().await?)
        .await
        .map_err(guasto)?;
        Ok(piu_vecchia.map(|Istante(istante)| istante))
    }

    async fn registrate_fra(&self, message_id: &[String]) -> Result<Vec<String>, StoreError> {
        let cercati: Vec<Uuid> = message_id.iter().filter_map(|id| id.parse().ok()).collect();
        sqlx::query_scalar(
            "SELECT message_id::text FROM tracce WHERE message_id = ANY($1) AND esito = 'REGISTRATA'",
        )
        .bind(cercati)
        .fetch_all(&mut *self.lettore().await?)
        .await
        .map_err(guasto)
    }

    async fn scarti(&self, dopo: &Segni) -> Result<Vec<ScartoConservato>, StoreError> {
        let dopo = purge_place(dopo.pulizie.as_ref());
        let sql = format!(
            "SELECT {}, (t.posto, t.id) > ($1, $2) AS in_attesa FROM pulizie t ORDER BY t.id",
            SCELTE.pulizie
        );
        let righe = sqlx::query(AssertSqlSafe(sql))
            .bind(dopo.0)
            .bind(dopo.1)
            .fetch_all(&mut *self.lettore().await?)
            .await
            .map_err(guasto)?;
        Ok(righe.iter().map(scarto_from).collect::<Result<_, _>>()?)
    }

    async fn ultimi_giornalieri(&self) -> Result<Vec<UltimoGiornaliero>, StoreError> {
        let righe = sqlx::query(
            "SELECT DISTINCT ON (g.registro) g.registro, to_char(g.giorno, 'YYYY-MM-DD') AS giorno, g.sha256
             FROM registri_giornalieri g ORDER BY g.registro, g.giorno DESC",
        )
        .fetch_all(&mut *self.lettore().await?)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(giornaliero_from).collect::<Result<_, _>>()?)
    }
}

async fn coda(connessione: &mut PgConnection) -> Result<Coda, StoreError> {
    let ultimo = sqlx::query("SELECT testata, sigillo FROM sigilli ORDER BY numero DESC LIMIT 1")
        .fetch_optional(&mut *connessione)
        .await
        .map_err(guasto)?;
    let chiusura: Option<String> =
        sqlx::query_scalar("SELECT documento FROM sigilli_giorni ORDER BY giorno DESC LIMIT 1")
            .fetch_optional(connessione)
            .await
            .map_err(guasto)?;
    Ok(coda_from(ultimo.as_ref(), chiusura.as_deref())?)
}

async fn keep(connessione: &mut PgConnection, nuovo: &Nuovo) -> Result<(), StoreError> {
    let query = match nuovo {
        Nuovo::Blocco(blocco) => sqlx::query(
            "INSERT INTO sigilli (numero, giorno, testata, sale, voci, sigillo) VALUES ($1, $2::date, $3, $4, $5, $6)",
        )
        .bind(intero(blocco.testata.numero))
        .bind(blocco.testata.giorno.to_string())
        .bind(json(&blocco.testata))
        .bind(blocco.sale.to_vec())
        .bind(write_voci(&blocco.voci))
        .bind(blocco.sigillo.0.to_vec()),
        Nuovo::Chiusura(giornata) => {
            sqlx::query("INSERT INTO sigilli_giorni (giorno, documento) VALUES ($1::date, $2)")
                .bind(giornata.giorno.to_string())
                .bind(giornata.documento())
        }
    };
    query.execute(connessione).await.map_err(guasto)?;
    Ok(())
}

/// Which rows: behind some places, up to others (`None` = to all that nothing can come before), so many at most.
struct Tratto<'s> {
    dopo: &'s Segni,
    fino: Option<&'s Segni>,
    limite: Option<i64>,
}

/// A place that rows are behind, or not: transaction and name. One that an embedded store wrote is an id.
fn place<K>(posto: Option<&Posto>, chiave: fn(&str) -> Option<K>, prima: K, dopo: K) -> (i64, K) {
    match posto {
        None => (i64::MIN, prima),
        Some(Posto { posto, chiave: None }) => (posto.saturating_sub(DA_FILE), dopo),
        Some(Posto {
            posto,
            chiave: Some(nome),
        }) => (*posto, chiave(nome).unwrap_or(prima)),
    }
}

fn trace_place(posto: Option<&Posto>) -> (i64, Uuid) {
    place(posto, |nome| nome.parse().ok(), Uuid::nil(), Uuid::max())
}

fn door_place(posto: Option<&Posto>) -> (i64, i64) {
    place(posto, |nome| nome.parse().ok(), i64::MIN, i64::MAX)
}

fn purge_place(posto: Option<&Posto>) -> (i64, i64) {
    let id = |nome: &str| nome.rsplit_once('/')?.1.parse().ok();
    place(posto, id, i64::MIN, i64::MAX)
}

/// Older than every transaction that still runs: what such a one wrote is there for good, or never will be.
const FERME: &str = "t.transazione < pg_snapshot_xmin(pg_current_snapshot())::text::bigint";

async fn rows(
    connessione: &mut PgConnection,
    tratto: &Tratto<'_>,
    sale: &[u8; 32],
    noti: &Noti<'_>,
) -> Result<(Vec<Riga>, Segni), StoreError> {
    let mut righe = Vec::new();
    let mut segni = tratto.dopo.clone();
    let trovate = tracce(connessione, tratto).await?;
    for row in &trovate {
        righe.push(traccia_from(row, sale, noti)?);
    }
    segni.tracce = last_place(&trovate, &righe)?.or(segni.tracce);
    for registro in registri(connessione).await? {
        let trovate = registrazioni(connessione, &registro, tratto).await?;
        if let Some(ultima) = trovate.last() {
            let riga = Colonne {
                table: "registrazioni",
                row: ultima,
            };
            segni
                .registri
                .insert(registro.clone(), (riga.get("anno")?, riga.count("numero")?));
        }
        for row in &trovate {
            righe.push(registrazione_from(row, sale)?);
        }
        for row in &giornalieri(connessione, &registro, tratto).await? {
            let riga = riga_from(row, Genere::Giornaliero)?;
            let giorno = riga
                .chiave
                .rsplit_once('/')
                .and_then(|(_, giorno)| giorno.parse().ok());
            segni
                .giornalieri
                .extend(giorno.map(|giorno| (registro.clone(), giorno)));
            righe.push(riga);
        }
    }
    let trovate = porta(connessione, tratto).await?;
    for row in &trovate {
        righe.push(riga_from(row, Genere::Porta)?);
    }
    segni.porta = last_place(&trovate, &righe)?.or(segni.porta);
    let trovate = pulizie(connessione, tratto).await?;
    for row in &trovate {
        righe.push(riga_from(row, Genere::Pulizia)?);
    }
    segni.pulizie = last_place(&trovate, &righe)?.or(segni.pulizie);
    Ok((righe, segni))
}

/// Where the last of these rows stands, which is the last of those that were made of them.
fn last_place(trovate: &[PgRow], righe: &[Riga]) -> Result<Option<Posto>, StoreError> {
    let (Some(row), Some(riga)) = (trovate.last(), righe.last()) else {
        return Ok(None);
    };
    let colonne = Colonne {
        table: riga.genere.tabella(),
        row,
    };
    Ok(Some(Posto {
        posto: colonne.get("posto")?,
        chiave: Some(riga.chiave.clone()),
    }))
}

async fn tracce(connessione: &mut PgConnection, tratto: &Tratto<'_>) -> Result<Vec<PgRow>, StoreError> {
    let dopo = trace_place(tratto.dopo.tracce.as_ref());
    let fino = tratto
        .fino
        .map_or((i64::MAX, Uuid::max()), |fino| trace_place(fino.tracce.as_ref()));
    let sql = format!(
        "SELECT {} FROM tracce t LEFT JOIN egov e ON e.message_id = t.message_id AND e.istante = t.ricevuto_il
         WHERE (t.transazione, t.message_id) > ($1, $2) AND (t.transazione, t.message_id) <= ($3, $4) AND {FERME}
         ORDER BY t.transazione, t.message_id LIMIT $5",
        SCELTE.tracce
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(dopo.0)
        .bind(dopo.1)
        .bind(fino.0)
        .bind(fino.1)
        .bind(tratto.limite)
        .fetch_all(connessione)
        .await
        .map_err(guasto)
}

async fn porta(connessione: &mut PgConnection, tratto: &Tratto<'_>) -> Result<Vec<PgRow>, StoreError> {
    let fino = tratto.fino.map(|fino| door_place(fino.porta.as_ref()));
    let fra = (door_place(tratto.dopo.porta.as_ref()), fino);
    placed(
        connessione,
        ("porta", "transazione", &SCELTE.porta),
        fra,
        tratto.limite,
    )
    .await
}

async fn pulizie(connessione: &mut PgConnection, tratto: &Tratto<'_>) -> Result<Vec<PgRow>, StoreError> {
    let fino = tratto.fino.map(|fino| purge_place(fino.pulizie.as_ref()));
    let fra = (purge_place(tratto.dopo.pulizie.as_ref()), fino);
    placed(
        connessione,
        ("pulizie", "posto", &SCELTE.pulizie),
        fra,
        tratto.limite,
    )
    .await
}

/// The rows of a table whose place is a transaction, of which this column tells, and their number: behind one place, up to
/// another.
async fn placed(
    connessione: &mut PgConnection,
    (tabella, colonna, scelte): (&str, &str, &str),
    (dopo, fino): ((i64, i64), Option<(i64, i64)>),
    limite: Option<i64>,
) -> Result<Vec<PgRow>, StoreError> {
    let fino = fino.unwrap_or((i64::MAX, i64::MAX));
    let ferme = FERME.replace("t.transazione", &format!("t.{colonna}"));
    let sql = format!(
        "SELECT {scelte} FROM {tabella} t
         WHERE (t.{colonna}, t.id) > ($1, $2) AND (t.{colonna}, t.id) <= ($3, $4) AND {ferme}
         ORDER BY t.{colonna}, t.id LIMIT $5"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(dopo.0)
        .bind(dopo.1)
        .bind(fino.0)
        .bind(fino.1)
        .bind(limite)
        .fetch_all(connessione)
        .await
        .map_err(guasto)
}

async fn registri(connessione: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar("SELECT registro FROM registro ORDER BY registro")
        .fetch_all(connessione)
        .await
        .map_err(guasto)
}

async fn registrazioni(
    connessione: &mut PgConnection,
    registro: &str,
    tratto: &Tratto<'_>,
) -> Result<Vec<PgRow>, StoreError> {
    let numero_di = |segni: &Segni| segni.registri.get(registro).copied().unwrap_or_default();
    let dopo = numero_di(tratto.dopo);
    let fino = tratto.fino.map_or((i16::MAX, u64::MAX), numero_di);
    let sql = format!(
        "SELECT {} FROM registrazioni t
         WHERE t.registro = $1 AND (t.anno, t.numero) > ($2, $3) AND (t.anno, t.numero) <= ($4, $5)
         ORDER BY t.anno, t.numero LIMIT $6",
        SCELTE.registrazioni
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(registro)
        .bind(dopo.0)
        .bind(intero(dopo.1))
        .bind(fino.0)
        .bind(intero(fino.1))
        .bind(tratto.limite)
        .fetch_all(connessione)
        .await
        .map_err(guasto)
}

async fn giornalieri(
    connessione: &mut PgConnection,
    registro: &str,
    tratto: &Tratto<'_>,
) -> Result<Vec<PgRow>, StoreError> {
    let giorno_di = |segni: &Segni| {
        segni
            .giornalieri
            .get(registro)
            .map_or_else(|| "-infinity".to_owned(), Date::to_string)
    };
    let sql = format!(
        "SELECT {} FROM registri_giornalieri t WHERE t.registro = $1 AND t.giorno > $2::date AND t.giorno <= $3::date
         ORDER BY t.giorno LIMIT $4",
        SCELTE.giornalieri
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(registro)
        .bind(giorno_di(tratto.dopo))
        .bind(tratto.fino.map_or_else(|| "infinity".to_owned(), giorno_di))
        .bind(tratto.limite)
        .fetch_all(connessione)
        .await
        .map_err(guasto)
}
