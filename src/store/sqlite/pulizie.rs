//! What goes when its time is over: a step at a time on the one connection that writes, so that a registration waits for no
//! more than a step. The triggers of the tables give up what an open purge covers, and nothing else.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};

use super::SqliteStore;
use super::legale::finish;
use super::row::{begin, guasto};
use crate::protocollo::NumeroDomanda;
use crate::store::spazio::{Passo, Potatura, Pulizia, Regola, Scaduti, Tratto};
use crate::store::valori::{Riga, intero};
use crate::store::{Inconsistency, StoreError};

/// One step of the purge of a rule that is open.
pub(super) async fn step(
    store: &SqliteStore,
    regola: Regola,
    al_massimo: u32,
    ora: Timestamp,
    adesso: Timestamp,
) -> Result<Option<Passo>, StoreError> {
    let mut presa = store.take().await?;
    let connessione = &mut presa.connessione;
    let esito = async {
        begin(connessione).await?;
        let Some(mut aperta) = Aperta::find(connessione, regola).await? else {
            return Ok(None);
        };
        let passo = match regola {
            _ if regola.is_held() && aperta.is_held(connessione).await? => FERMATA,
            Regola::Richieste => aperta.richieste(connessione, al_massimo, adesso).await?,
            Regola::TracceByte => aperta.tracce_byte(connessione, al_massimo).await?,
            Regola::Tracce => aperta.tracce(connessione, al_massimo).await?,
            Regola::Porta => aperta.porta(connessione, al_massimo).await?,
            Regola::Variazioni => aperta.variazioni(connessione, al_massimo).await?,
        };
        aperta.note(connessione, passo, ora).await?;
        Ok(Some(passo))
    };
    let esito = esito.await;
    finish(presa, esito).await
}

/// A purge that goes on.
struct Aperta {
    id: i64,
    da: i64,
    fino_a: i64,
    passo: i64,
    /// All of before this went.
    arrivata_a: Option<i64>,
    /// The held domanda for which it ends early.
    fermata_da: Option<i64>,
}

/// The end of a purge that a hold came in between.
const FERMATA: Passo = Passo {
    righe: 0,
    byte: 0,
    finita: true,
};

impl Aperta {
    async fn find(connessione: &mut SqliteConnection, regola: Regola) -> Result<Option<Self>, StoreError> {
        let trovata: Option<(i64, i64, i64, i64, Option<i64>)> = sqlx::query_as(
            "SELECT id, da, fino_a, passo, arrivata_a FROM pulizie WHERE regola = ? AND conclusa_il IS NULL",
        )
        .bind(regola.as_str())
        .fetch_optional(connessione)
        .await
        .map_err(guasto)?;
        Ok(trovata.map(|(id, da, fino_a, passo, arrivata_a)| Self {
            id,
            da,
            fino_a,
            passo,
            arrivata_a,
            fermata_da: None,
        }))
    }

    /// Whether a hold was placed meanwhile on something that is left here.
    async fn is_held(&mut self, connessione: &mut SqliteConnection) -> Result<bool, StoreError> {
        self.fermata_da = sqlx::query_scalar(
            "SELECT numero_domanda FROM tracce_vincolate
             WHERE tolto_il IS NULL AND ricevuto_il >= ? AND ricevuto_il < ?
             ORDER BY vincolo
             LIMIT 1",
        )
        .bind(self.da)
        .bind(self.fino_a)
        .fetch_optional(connessione)
        .await
        .map_err(guasto)?;
        Ok(self.fermata_da.is_some())
    }

    async fn note(
        &self,
        connessione: &mut SqliteConnection,
        passo: Passo,
        ora: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE pulizie
             SET passo = ?2, righe = righe + ?3, byte = byte + ?4, conclusa_il = ?5, arrivata_a = ?6, fermata_da = ?7,
                 posto = CASE WHEN ?5 IS NOT NULL THEN (SELECT coalesce(max(posto), 0) + 1 FROM pulizie) END
             WHERE id = ?1",
        )
        .bind(self.id)
        .bind(self.passo)
        .bind(intero(passo.righe))
        .bind(intero(passo.byte))
        .bind(passo.finita.then_some(ora.as_millisecond()))
        .bind(self.arrivata_a)
        .bind(self.fermata_da)
        .execute(connessione)
        .await
        .map_err(guasto)?;
        Ok(())
    }

    /// Looks at the next requests, and takes those whose domanda has ended, with all requests of that domanda.
    async fn richieste(
        &mut self,
        connessione: &mut SqliteConnection,
        al_massimo: u32,
        adesso: Timestamp,
    ) -> Result<Passo, StoreError> {
        // CROSS JOIN keeps the order: along the requests, and from each to its domanda.
        let pagina: Vec<(i64, i64, i64, Option<i64>, bool)> = sqlx::query_as(
            "SELECT p.registrazione, r.registrata_il, t.numero_domanda, t.finito_il, t.vincolata
             FROM payload p
             CROSS JOIN registrazioni r ON r.id = p.registrazione
             CROSS JOIN procedimenti t ON t.numero_domanda = r.numero_domanda
             WHERE p.registrazione > ?
             ORDER BY p.registrazione
             LIMIT ?",
        )
        .bind(self.passo)
        .bind(al_massimo)
        .fetch_all(&mut *connessione)
        .await
        .map_err(guasto)?;
        // Registrations go up with time: behind the first one that is too young nothing is old enough.
        let vecchie = pagina.iter().take_while(|riga| riga.1 < self.fino_a);
        let viste: Vec<_> = vecchie.collect();
        let finita = viste.len() < al_massimo as usize;
        if let Some(ultima) = viste.last() {
            self.passo = ultima.0;
        }
        let mut finite: Vec<i64> = viste
            .iter()
            .filter(|riga| !riga.4 && riga.3.is_some_and(|finito| finito < self.fino_a))
            .map(|riga| riga.2)
            .collect();
        finite.dedup();
        let Scaduti { righe, byte } = discard(connessione, &finite, adesso).await?;
        Ok(Passo { righe, byte, finita })
    }

    async fn tracce_byte(
        &mut self,
        connessione: &mut SqliteConnection,
        al_massimo: u32,
    ) -> Result<Passo, StoreError> {
        let pagina: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT id, ricevuto_il, coalesce(length(richiesta), 0) + coalesce(length(risposta), 0)
             FROM tracce
             WHERE ricevuto_il >= max(?, ?) AND ricevuto_il < ?
               AND (richiesta IS NOT NULL OR risposta IS NOT NULL)
             ORDER BY ricevuto_il
             LIMIT ?",
        )
        .bind(self.da)
        .bind(self.passo)
        .bind(self.fino_a)
        .bind(al_massimo)
        .fetch_all(&mut *connessione)
        .await
        .map_err(guasto)?;
        if let Some(ultima) = pagina.last() {
            self.passo = ultima.1;
        }
        let id: Vec<i64> = pagina.iter().map(|riga| riga.0).collect();
        sqlx::query(
            "UPDATE tracce
             SET richiesta = NULL, richiesta_codec = NULL, richiesta_bytes_len = NULL,
                 risposta = NULL, risposta_codec = NULL, risposta_bytes_len = NULL
             WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(json(&id))
        .execute(connessione)
        .await
        .map_err(guasto)?;
        Ok(passo(pagina.into_iter().map(|riga| riga.2), al_massimo))
    }

    /// The traces of before an instant, with what belongs to them: a trace is there with its exchange, or is gone.
    async fn tracce(
        &mut self,
        connessione: &mut SqliteConnection,
        al_massimo: u32,
    ) -> Result<Passo, StoreError> {
        let finita = self
            .advance(connessione, "tracce", "ricevuto_il", al_massimo)
            .await?;
        let scambi = self
            .delete(
                connessione,
                "DELETE FROM egov WHERE istante >= ?1 AND istante < ?2
                 RETURNING coalesce(length(intestazioni), 0) + coalesce(length(legami), 0)",
            )
            .await?;
        self.delete(
            connessione,
            "DELETE FROM tracce_indizi WHERE ricevuto_il >= ?1 AND ricevuto_il < ?2 RETURNING 0",
        )
        .await?;
        let tracce = self
            .delete(
                connessione,
                "DELETE FROM tracce WHERE ricevuto_il >= ?1 AND ricevuto_il < ?2
                 RETURNING coalesce(length(richiesta), 0) + coalesce(length(risposta), 0) + length(tempi_us)
                     + length(certificato_soggetto) + length(uri) + coalesce(length(note), 0)",
            )
            .await?;
        Ok(Passo {
            righe: tracce.righe,
            byte: scambi.byte + tracce.byte,
            finita,
        })
    }

    async fn porta(
        &mut self,
        connessione: &mut SqliteConnection,
        al_massimo: u32,
    ) -> Result<Passo, StoreError> {
        let finita = self.advance(connessione, "porta", "istante", al_massimo).await?;
        let Scaduti { righe, byte } = self
            .delete(
                connessione,
                "DELETE FROM porta WHERE istante >= ?1 AND istante < ?2
                 RETURNING length(causa) + length(rimedio) + coalesce(length(soggetto), 0)",
            )
            .await?;
        Ok(Passo { righe, byte, finita })
    }

    /// Comes as far as the first row that is too many, or to the end: whether that is reached. All of one instant go together,
    /// so that `arrivata_a` tells what went.
    async fn advance(
        &mut self,
        connessione: &mut SqliteConnection,
        tabella: &'static str,
        colonna: &'static str,
        al_massimo: u32,
    ) -> Result<bool, StoreError> {
        let sql = format!(
            "WITH q (istante) AS (SELECT {colonna} FROM {tabella} WHERE {colonna} >= ?1 AND {colonna} < ?2)
             SELECT CASE WHEN di_troppo > prima THEN di_troppo
                         WHEN di_troppo = prima THEN (SELECT min(istante) FROM q WHERE istante > prima) END
             FROM (SELECT (SELECT min(istante) FROM q) AS prima,
                          (SELECT istante FROM q ORDER BY istante LIMIT 1 OFFSET ?3) AS di_troppo)"
        );
        let fin: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(self.da)
            .bind(self.fino_a)
            .bind(al_massimo)
            .fetch_one(connessione)
            .await
            .map_err(guasto)?;
        self.arrivata_a = self.arrivata_a.max(fin.or(Some(self.fino_a)));
        Ok(fin.is_none())
    }

    /// The feed is cut at its beginning, in its own order: what follows a row that stays, stays.
    async fn variazioni(
        &self,
        connessione: &mut SqliteConnection,
        al_massimo: u32,
    ) -> Result<Passo, StoreError> {
        let taglio: Option<i64> = sqlx::query_scalar(
            "SELECT max(cursore) FROM (
                 SELECT cursore, max(istante) OVER (ORDER BY cursore) AS massimo
                 FROM (SELECT cursore, istante FROM variazioni ORDER BY cursore LIMIT ?2))
             WHERE massimo < ?1",
        )
        .bind(self.fino_a)
        .bind(al_massimo)
        .fetch_one(&mut *connessione)
        .await
        .map_err(guasto)?;
        let Some(taglio) = taglio else {
            return Ok(passo([], al_massimo));
        };
        sqlx::query(
            "INSERT INTO variazioni_scartate (ente, servizio, cursore, istante)
             SELECT ente, servizio, max(cursore), max(istante) FROM variazioni WHERE cursore <= ? GROUP BY ente, servizio
             ON CONFLICT (ente, servizio) DO UPDATE SET cursore = excluded.cursore, istante = excluded.istante",
        )
        .bind(taglio)
        .execute(&mut *connessione)
        .await
        .map_err(guasto)?;
        let byte: Vec<i64> = sqlx::query_scalar(
            "DELETE FROM variazioni WHERE cursore <= ? RETURNING length(tipo) + coalesce(length(motivo), 0) + 64",
        )
        .bind(taglio)
        .fetch_all(connessione)
        .await
        .map_err(guasto)?;
        Ok(passo(byte, al_massimo))
    }

    /// What is of before the instant to which it came.
    async fn delete(
        &self,
        connessione: &mut SqliteConnection,
        sql: &'static str,
    ) -> Result<Scaduti, StoreError> {
        let byte: Vec<i64> = sqlx::query_scalar(sql)
            .bind(self.da)
            .bind(self.arrivata_a)
            .fetch_all(connessione)
            .await
            .map_err(guasto)?;
        let Passo { righe, byte, .. } = passo(byte, u32::MAX);
        Ok(Scaduti { righe, byte })
    }
}

fn passo(byte: impl IntoIterator<Item = i64>, al_massimo: u32) -> Passo {
    let (righe, byte) = byte.into_iter().fold((0, 0), |(righe, somma), byte| {
        (righe + 1, somma + byte.unsigned_abs())
    });
    Passo {
        righe,
        byte,
        finita: righe < u64::from(al_massimo),
    }
}

fn json(numeri: &[i64]) -> String {
    crate::store::valori::json(&numeri)
}

/// Every request of these domande, with its documents and summaries, and the rows that say so.
async fn discard(
    connessione: &mut SqliteConnection,
    domande: &[i64],
    adesso: Timestamp,
) -> Result<Scaduti, StoreError> {
    if domande.is_empty() {
        return Ok(Scaduti::default());
    }
    let scaduti = measure(&mut *connessione, domande).await?;
    let domande = json(domande);
    for sql in [
        "INSERT INTO scarti (registrazione, scartata_il, motivo)
         SELECT registrazione, ?2, 'RICHIESTE' FROM payload WHERE registrazione IN (
             SELECT registrazione FROM domande WHERE numero IN (SELECT value FROM json_each(?1))
             UNION SELECT registrazione FROM atti WHERE numero_domanda IN (SELECT value FROM json_each(?1)))",
        "DELETE FROM documenti WHERE registrazione IN (
             SELECT registrazione FROM domande WHERE numero IN (SELECT value FROM json_each(?1))
             UNION SELECT registrazione FROM atti WHERE numero_domanda IN (SELECT value FROM json_each(?1)))
             AND ?2 IS NOT NULL",
        "DELETE FROM payload WHERE registrazione IN (
             SELECT registrazione FROM domande WHERE numero IN (SELECT value FROM json_each(?1))
             UNION SELECT registrazione FROM atti WHERE numero_domanda IN (SELECT value FROM json_each(?1)))
             AND ?2 IS NOT NULL",
    ] {
        sqlx::query(sql)
            .bind(&domande)
            .bind(adesso.as_millisecond())
            .execute(&mut *connessione)
            .await
            .map_err(guasto)?;
    }
    Ok(scaduti)
}

async fn measure(connessione: &mut SqliteConnection, domande: &[i64]) -> Result<Scaduti, StoreError> {
    let (righe, byte): (i64, i64) = sqlx::query_as(
        "WITH sue (registrazione) AS (
             SELECT registrazione FROM domande WHERE numero IN (SELECT value FROM json_each(?1))
             UNION SELECT registrazione FROM atti WHERE numero_domanda IN (SELECT value FROM json_each(?1)))
         SELECT (SELECT count(*) FROM payload JOIN sue USING (registrazione)),
                coalesce((SELECT sum(length(bytes)) FROM payload JOIN sue USING (registrazione)), 0)
                + coalesce((SELECT sum(length(bytes)) FROM documenti JOIN sue USING (registrazione)), 0)
                + coalesce((SELECT sum(length(bytes)) FROM carte JOIN sue USING (registrazione)
                            WHERE documento = 'RIEPILOGO'), 0)",
    )
    .bind(json(domande))
    .fetch_one(connessione)
    .await
    .map_err(guasto)?;
    Ok(Scaduti {
        righe: righe.unsigned_abs(),
        byte: byte.unsigned_abs(),
    })
}

/// See [`crate::store::spazio::ArchivioSpazio::scaduti`].
pub(super) async fn scaduti(
    pool: &SqlitePool,
    regola: Regola,
    limite: Timestamp,
) -> Result<Scaduti, StoreError> {
    let mut lettore = pool.acquire().await.map_err(guasto)?;
    if regola == Regola::Richieste {
        let finite: Vec<i64> = sqlx::query_scalar(
            "SELECT DISTINCT t.numero_domanda
             FROM payload p
             CROSS JOIN registrazioni r ON r.id = p.registrazione
             CROSS JOIN procedimenti t ON t.numero_domanda = r.numero_domanda
             WHERE r.registrata_il < ?1 AND t.finito_il < ?1 AND NOT t.vincolata",
        )
        .bind(limite.as_millisecond())
        .fetch_all(&mut *lettore)
        .await
        .map_err(guasto)?;
        return measure(&mut lettore, &finite).await;
    }
    let sql = match regola {
        Regola::TracceByte => {
            "SELECT count(*), coalesce(sum(coalesce(length(richiesta), 0) + coalesce(length(risposta), 0)), 0)
             FROM tracce WHERE ricevuto_il < ? AND (richiesta IS NOT NULL OR risposta IS NOT NULL)"
        }
        Regola::Tracce => {
            "SELECT count(*), coalesce(sum(coalesce(length(richiesta), 0) + coalesce(length(risposta), 0) + length(tempi_us)
                 + length(certificato_soggetto) + length(uri) + coalesce(length(note), 0)), 0)
             FROM tracce WHERE ricevuto_il < ?"
        }
        Regola::Porta => {
            "SELECT count(*), coalesce(sum(length(causa) + length(rimedio) + coalesce(length(soggetto), 0)), 0)
             FROM porta WHERE istante < ?"
        }
        Regola::Variazioni | Regola::Richieste => {
            "SELECT count(*), coalesce(sum(length(tipo) + coalesce(length(motivo), 0) + 64), 0)
             FROM variazioni WHERE istante < ?"
        }
    };
    let (righe, byte): (i64, i64) = sqlx::query_as(sql)
        .bind(limite.as_millisecond())
        .fetch_one(&mut *lettore)
        .await
        .map_err(guasto)?;
    Ok(Scaduti {
        righe: righe.unsigned_abs(),
        byte: byte.unsigned_abs(),
    })
}

/// What went, newest first.
pub(super) async fn tutte(pool: &SqlitePool, limite: u32) -> Result<Vec<Pulizia>, StoreError> {
    let righe = sqlx::query(
        "SELECT regola, da, fino_a, iniziata_il, conclusa_il, fermata_da, righe, byte FROM pulizie ORDER BY id DESC LIMIT ?",
    )
    .bind(limite)
    .fetch_all(pool)
    .await
    .map_err(guasto)?;
    Ok(righe.iter().map(pulizia_from).collect::<Result<_, _>>()?)
}

fn pulizia_from(row: &SqliteRow) -> Result<Pulizia, Inconsistency> {
    let riga = Riga {
        table: "pulizie",
        row,
    };
    Ok(Pulizia {
        regola: riga.parse("regola", |nome: String| Regola::parse(&nome))?,
        da: riga.istante("da")?,
        fino_a: riga.istante("fino_a")?,
        iniziata_il: riga.istante("iniziata_il")?,
        conclusa_il: riga.parse_option("conclusa_il", Timestamp::from_millisecond)?,
        fermata_da: riga
            .parse_option("fermata_da", |numero: i64| u64::try_from(numero))?
            .map(NumeroDomanda),
        righe: riga.count("righe")?,
        byte: riga.count("byte")?,
    })
}

impl Potatura for SqliteStore {
    async fn aperta(&self, regola: Regola) -> Result<Option<Pulizia>, StoreError> {
        let riga = sqlx::query(
            "SELECT regola, da, fino_a, iniziata_il, conclusa_il, fermata_da, righe, byte
             FROM pulizie WHERE regola = ? AND conclusa_il IS NULL",
        )
        .bind(regola.as_str())
        .fetch_optional(&self.lettori)
        .await
        .map_err(guasto)?;
        Ok(riga.as_ref().map(pulizia_from).transpose()?)
    }

    async fn fatto_fino_a(&self, regola: Regola) -> Result<Option<Timestamp>, StoreError> {
        let ms: Option<i64> = sqlx::query_scalar(
            "SELECT max(fino_a) FROM pulizie WHERE regola = ? AND conclusa_il IS NOT NULL",
        )
        .bind(regola.as_str())
        .fetch_one(&self.lettori)
        .await
        .map_err(guasto)?;
        instant("pulizie", "fino_a", ms)
    }

    async fn prima(&self, regola: Regola, tratti: &[Tratto]) -> Result<Option<Timestamp>, StoreError> {
        let (tabella, colonna) = match regola {
            Regola::TracceByte | Regola::Tracce => ("tracce", "ricevuto_il"),
            Regola::Porta => ("porta", "istante"),
            Regola::Variazioni => ("variazioni", "istante"),
            Regola::Richieste => ("payload", "registrata_il"),
        };
        let prima = |tabella: &str, colonna: &str| {
            format!(
                "(SELECT min({colonna}) FROM {tabella} WHERE {colonna} >= tratto.da AND {colonna} < tratto.a)"
            )
        };
        let prime = match regola {
            Regola::Richieste => {
                "(SELECT r.registrata_il FROM payload p CROSS JOIN registrazioni r ON r.id = p.registrazione
                  WHERE r.registrata_il >= tratto.da AND r.registrata_il < tratto.a ORDER BY p.registrazione LIMIT 1)"
                    .to_owned()
            }
            Regola::Variazioni => "(SELECT istante FROM variazioni
                  WHERE istante >= tratto.da AND istante < tratto.a ORDER BY cursore LIMIT 1)"
                .to_owned(),
            Regola::Tracce => format!(
                "(SELECT min(prima) FROM (SELECT {} AS prima UNION ALL SELECT {}))",
                prima(tabella, colonna),
                prima("egov", "istante")
            ),
            Regola::TracceByte | Regola::Porta => prima(tabella, colonna),
        };
        let sql = format!(
            "WITH tratto (da, a) AS (SELECT value ->> 0, value ->> 1 FROM json_each(?))
             SELECT min({prime}) FROM tratto"
        );
        let tratti: Vec<[i64; 2]> = tratti
            .iter()
            .map(|(da, a)| [da.as_millisecond(), a.as_millisecond()])
            .collect();
        let ms: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(crate::store::valori::json(&tratti))
            .fetch_one(&self.lettori)
            .await
            .map_err(guasto)?;
        instant(regola.as_str(), "istante", ms)
    }

    async fn vincolate(&self, fino_a: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let ms: Vec<i64> = sqlx::query_scalar(
            "SELECT ricevuto_il FROM tracce_vincolate WHERE tolto_il IS NULL AND ricevuto_il < ?",
        )
        .bind(fino_a.as_millisecond())
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        instants("tracce", "ricevuto_il", ms)
    }

    async fn liberate(&self, fino_a: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let ms: Vec<i64> = sqlx::query_scalar(
            "SELECT t.ricevuto_il FROM tracce_vincolate t
             WHERE t.tolto_il IS NOT NULL AND t.ricevuto_il < ?
               AND NOT EXISTS (SELECT 1 FROM pulizie p WHERE p.regola = 'TRACCE_BYTE' AND p.conclusa_il IS NOT NULL
                               AND p.fermata_da IS NULL AND t.ricevuto_il >= p.da AND t.ricevuto_il < p.fino_a)",
        )
        .bind(fino_a.as_millisecond())
        .fetch_all(&self.lettori)
        .await
        .map_err(guasto)?;
        instants("tracce", "ricevuto_il", ms)
    }

    async fn ultima(&self, regola: Regola) -> Result<Option<Timestamp>, StoreError> {
        let sql = match regola {
            Regola::Tracce => "SELECT ricevuto_il FROM tracce ORDER BY id DESC LIMIT 1",
            Regola::Porta => "SELECT istante FROM porta ORDER BY id DESC LIMIT 1",
            Regola::Richieste | Regola::TracceByte | Regola::Variazioni => return Ok(None),
        };
        let ms: Option<i64> = sqlx::query_scalar(sql)
            .fetch_optional(&self.lettori)
            .await
            .map_err(guasto)?;
        instant(regola.as_str(), "istante", ms)
    }

    async fn apri(
        &self,
        regola: Regola,
        da: Timestamp,
        fino_a: Timestamp,
        ora: Timestamp,
    ) -> Result<Option<Pulizia>, StoreError> {
        let mut presa = self.take().await?;
        let scritta = sqlx::query(
            "INSERT INTO pulizie (regola, da, fino_a, iniziata_il)
             SELECT ?1, ?2, ?3, ?4
             WHERE NOT EXISTS (SELECT 1 FROM pulizie WHERE regola = ?1 AND conclusa_il IS NULL)",
        )
        .bind(regola.as_str())
        .bind(da.as_millisecond())
        .bind(fino_a.as_millisecond())
        .bind(ora.as_millisecond())
        .execute(&mut presa.connessione)
        .await;
        presa.give_back();
        scritta.map_err(guasto)?;
        self.aperta(regola).await
    }
}

fn instant(
    table: &'static str,
    column: &'static str,
    ms: Option<i64>,
) -> Result<Option<Timestamp>, StoreError> {
    ms.map(Timestamp::from_millisecond)
        .transpose()
        .map_err(|source| Inconsistency::new(table, column, source).into())
}

fn instants(table: &'static str, column: &'static str, ms: Vec<i64>) -> Result<Vec<Timestamp>, StoreError> {
    ms.into_iter()
        .filter_map(|ms| instant(table, column, Some(ms)).transpose())
        .collect()
}
