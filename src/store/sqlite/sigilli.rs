//! The chain of proof in the embedded store. One writer at a time means that rows become durable in the order of their ids,
//! so a place is an id; a trace that takes the place of another gets the next one.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::row::{begin, guasto};
use super::tracce::finish;
use super::{SqliteStore, open};
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
        Tipo::Testo | Tipo::Intero | Tipo::Data | Tipo::Id => colonna.to_owned(),
        // Kept in milliseconds.
        Tipo::Istante => format!("({colonna} || '000')"),
        Tipo::Byte => format!("CASE WHEN {colonna} IS NOT NULL THEN lower(hex({colonna})) END"),
    },
    byte: |testo| format!("CAST({testo} AS BLOB)"),
    posto: "t.id",
    intestazioni_di_prima: ["NULL", "NULL"],
};

static SCELTE: LazyLock<Scelte> = LazyLock::new(|| DIALETTO.scelte());

#[async_trait]
impl ArchivioSigilli for SqliteStore {
    async fn identita(&self) -> Result<(Ambiente, String), StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        let creato_il = open::setting::<String>(&mut lettore, "creato_il").await?;
        Ok((self.ambiente, creato_il.unwrap_or_default()))
    }

    async fn coda(&self) -> Result<Coda, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        coda(&mut lettore).await
    }

    async fn da_sigillare(
        &self,
        dopo: &Segni,
        sale: &[u8; 32],
        limite: u32,
    ) -> Result<(Vec<Riga>, Segni), StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        let tratto = Tratto {
            dopo,
            fino: None,
            limite: i64::from(limite),
        };
        rows(&mut lettore, &tratto, sale, &Noti::new()).await
    }

    async fn sigillate(&self, dopo: &Segni, blocco: &Blocco) -> Result<Vec<Riga>, StoreError> {
        let mut lettore = self.lettori.acquire().await.map_err(guasto)?;
        let tratto = Tratto {
            dopo,
            fino: Some(&blocco.testata.segni),
            limite: -1,
        };
        let (righe, _) = rows(&mut lettore, &tratto, &blocco.sale, &noti(&blocco.voci)).await?;
        Ok(righe)
    }

    async fn keep_sigillo(&self, prima: &Coda, nuovo: &Nuovo) -> Result<bool, StoreError> {
        let mut presa = self.take().await?;
        begin(&mut presa.connessione).await?;
        let esito = match coda(&mut presa.connessione).await {
            Ok(adesso) if adesso == *prima => keep(&mut presa.connessione, nuovo).await.map(|()| true),
            altra => altra.map(|_| false),
        };
        let tenuto = matches!(esito, Ok(true));
        finish(presa, esito.map(drop)).await.map(|()| tenuto)
    }

    async fn blocchi(&self, dopo: u64, limite: u32) -> Result<Vec<BloccoConservato>, StoreError> {
        let righe = sqlx::query(
            "SELECT numero, giorno, CAST(testata AS BLOB) AS testata, sale, voci, sigillo FROM sigilli
             WHERE numero > ? ORDER BY numero LIMIT ?",
        )
        .bind(intero(dopo))
        .bind(limite)
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(blocco_from).collect::<Result<_, _>>()?)
    }

    async fn sigilli_di(&self, giorno: Date) -> Result<Blocchi, StoreError> {
        let righe = sqlx::query(
            "SELECT sigillo, testata ->> 'righe' AS righe FROM sigilli WHERE giorno = ? ORDER BY numero",
        )
        .bind(giorno.to_string())
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(sigilli_from(&righe)?)
    }

    async fn giornate(&self, dopo: Option<Date>, limite: u32) -> Result<Vec<(Date, String)>, StoreError> {
        let righe = sqlx::query(
            "SELECT giorno, CAST(documento AS BLOB) AS documento FROM sigilli_giorni
             WHERE giorno > ? ORDER BY giorno LIMIT ?",
        )
        .bind(dopo.map(|dopo| dopo.to_string()).unwrap_or_default())
        .bind(limite)
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(giornata_from).collect::<Result<_, _>>()?)
    }

    async fn attesa(&self, segni: &Segni) -> Result<Option<Timestamp>, StoreError> {
        let ms: Option<i64> =
            sqlx::query_scalar("SELECT ricevuto_il FROM tracce WHERE id > ? ORDER BY id LIMIT 1")
                .bind(id_of(segni.tracce.as_ref()))
                .fetch_optional(&self.lettori)
                .await
                .map_err(guasto)?;
        Ok(ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
    }

    async fn registrate_fra(&self, message_id: &[String]) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT message_id FROM tracce
             WHERE message_id IN (SELECT value FROM json_each(?)) AND esito = 'REGISTRATA'",
        )
        .bind(json(&message_id))
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)
    }

    async fn scarti(&self, dopo: &Segni) -> Result<Vec<ScartoConservato>, StoreError> {
        let sql = format!(
            "SELECT {}, t.posto > ? AS in_attesa FROM pulizie t ORDER BY t.id",
            SCELTE.pulizie
        );
        let righe = sqlx::query(AssertSqlSafe(sql))
            .bind(id_of(dopo.pulizie.as_ref()))
            .fetch_all(&self.lettori)
            .await
            .map_err(guasto)?;
        Ok(righe.iter().map(scarto_from).collect::<Result<_, _>>()?)
    }

    async fn ultimi_giornalieri(&self) -> Result<Vec<UltimoGiornaliero>, StoreError> {
        let righe = sqlx::query(
            "SELECT g.registro, g.giorno, g.sha256 FROM registri_giornalieri g
             WHERE g.giorno = (SELECT max(u.giorno) FROM registri_giornalieri u WHERE u.registro = g.registro)
             ORDER BY g.registro",
        )
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(righe.iter().map(giornaliero_from).collect::<Result<_, _>>()?)
    }
}

async fn coda(connessione: &mut SqliteConnection) -> Result<Coda, StoreError> {
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

async fn keep(connessione: &mut SqliteConnection, nuovo: &Nuovo) -> Result<(), StoreError> {
    let query = match nuovo {
        Nuovo::Blocco(blocco) => sqlx::query(
            "INSERT INTO sigilli (numero, giorno, testata, sale, voci, sigillo) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(intero(blocco.testata.numero))
        .bind(blocco.testata.giorno.to_string())
        .bind(json(&blocco.testata))
        .bind(blocco.sale.to_vec())
        .bind(write_voci(&blocco.voci))
        .bind(blocco.sigillo.0.to_vec()),
        Nuovo::Chiusura(giornata) => {
            sqlx::query("INSERT INTO sigilli_giorni (giorno, documento) VALUES (?, ?)")
                .bind(giornata.giorno.to_string())
                .bind(giornata.documento())
        }
    };
    query.execute(connessione).await.map_err(guasto)?;
    Ok(())
}

/// Which rows: behind some places, up to others, so many at most (-1 = all).
struct Tratto<'s> {
    dopo: &'s Segni,
    fino: Option<&'s Segni>,
    limite: i64,
}

/// An id that stands for a place.
fn id_of(posto: Option<&Posto>) -> i64 {
    posto.map_or(i64::MIN, |posto| posto.posto)
}

async fn rows(
    connessione: &mut SqliteConnection,
    tratto: &Tratto<'_>,
    sale: &[u8; 32],
    noti: &Noti<'_>,
) -> Result<(Vec<Riga>, Segni), StoreError> {
    let mut righe = Vec::new();
    let mut segni = tratto.dopo.clone();
    let sql = format!(
        "SELECT {} FROM tracce t LEFT JOIN egov e ON e.istante = t.ricevuto_il AND e.message_id = t.message_id
         WHERE t.id > ? AND t.id <= ? ORDER BY t.id LIMIT ?",
        SCELTE.tracce
    );
    let trovate = by_id(connessione, sql, tratto, |segni| segni.tracce.as_ref()).await?;
    segni.tracce = last_place(&trovate)?.or(segni.tracce);
    for row in &trovate {
        righe.push(traccia_from(row, sale, noti)?);
    }
    for registro in registri(connessione).await? {
        let trovate = registrazioni(connessione, &registro, tratto).await?;
        if let Some(ultima) = trovate.last() {
            let riga = Colonne {
                table: "registrazioni",
                row: ultima,
            };
            let anno = riga.parse("anno", |anno: i64| i16::try_from(anno))?;
            segni
                .registri
                .insert(registro.clone(), (anno, riga.count("numero")?));
        }
        for row in &trovate {
            righe.push(registrazione_from(row, sale)?);
        }
        let trovati = giornalieri(connessione, &registro, tratto).await?;
        for row in &trovati {
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
    let sql = format!(
        "SELECT {} FROM porta t WHERE t.id > ? AND t.id <= ? ORDER BY t.id LIMIT ?",
        SCELTE.porta
    );
    let trovate = by_id(connessione, sql, tratto, |segni| segni.porta.as_ref()).await?;
    segni.porta = last_place(&trovate)?.or(segni.porta);
    for row in &trovate {
        righe.push(riga_from(row, Genere::Porta)?);
    }
    let sql = format!(
        "SELECT {} FROM pulizie t WHERE t.posto > ? AND t.posto <= ? ORDER BY t.posto LIMIT ?",
        SCELTE.pulizie
    );
    let trovate = by_id(connessione, sql, tratto, |segni| segni.pulizie.as_ref()).await?;
    segni.pulizie = last_place(&trovate)?.or(segni.pulizie);
    for row in &trovate {
        righe.push(riga_from(row, Genere::Pulizia)?);
    }
    Ok((righe, segni))
}

async fn by_id(
    connessione: &mut SqliteConnection,
    sql: String,
    tratto: &Tratto<'_>,
    quale: fn(&Segni) -> Option<&Posto>,
) -> Result<Vec<SqliteRow>, StoreError> {
    let fino = tratto
        .fino
        .map_or(i64::MAX, |fino| quale(fino).map_or(i64::MIN, |posto| posto.posto));
    sqlx::query(AssertSqlSafe(sql))
        .bind(id_of(quale(tratto.dopo)))
        .bind(fino)
        .bind(tratto.limite)
        .fetch_all(connessione)
        .await
        .map_err(guasto)
}

fn last_place(righe: &[SqliteRow]) -> Result<Option<Posto>, StoreError> {
    let ultima = righe.last().map(|riga| riga.try_get("posto").map_err(guasto));
    Ok(ultima.transpose()?.map(|posto| Posto { posto, chiave: None }))
}

async fn registri(connessione: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar("SELECT registro FROM registro ORDER BY registro")
        .fetch_all(connessione)
        .await
        .map_err(guasto)
}

async fn registrazioni(
    connessione: &mut SqliteConnection,
    registro: &str,
    tratto: &Tratto<'_>,
) -> Result<Vec<SqliteRow>, StoreError> {
    let numero_di = |segni: &Segni| segni.registri.get(registro).copied().unwrap_or_default();
    let dopo = numero_di(tratto.dopo);
    let fino = tratto.fino.map_or((i16::MAX, i64::MAX as u64), numero_di);
    let sql = format!(
        "SELECT {} FROM registrazioni t
         WHERE t.registro = ? AND (t.anno, t.numero) > (?, ?) AND (t.anno, t.numero) <= (?, ?)
         ORDER BY t.anno, t.numero LIMIT ?",
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
    connessione: &mut SqliteConnection,
    registro: &str,
    tratto: &Tratto<'_>,
) -> Result<Vec<SqliteRow>, StoreError> {
    let giorno_di = |segni: &Segni| segni.giornalieri.get(registro).map(Date::to_string);
    let sql = format!(
        "SELECT {} FROM registri_giornalieri t WHERE t.registro = ? AND t.giorno > ? AND t.giorno <= ?
         ORDER BY t.giorno LIMIT ?",
        SCELTE.giornalieri
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(registro)
        .bind(giorno_di(tratto.dopo).unwrap_or_default())
        .bind(tratto.fino.map_or_else(
            || FINE_DEI_GIORNI.to_owned(),
            |fino| giorno_di(fino).unwrap_or_default(),
        ))
        .bind(tratto.limite)
        .fetch_all(connessione)
        .await
        .map_err(guasto)
}

/// Behind every day.
const FINE_DEI_GIORNI: &str = "9999-99-99";
