//! The contract in SQL. One text for both stores where the contract is one; what is an instant is text on the one and a
//! type of its own on the other. No table is named here, views alone.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::CONTRATTO;
use super::caso::{Beneficiario, Caso, Decisione, Pagato, Passo, RiesameVisto, SchedaVista};
use crate::domanda::atto::riesame::StatoRiesame;
use crate::domanda::stato::{AzioneRichiesta, StatoDomanda};
use crate::domanda::{Iban, Mese};
use crate::store::{StoreError, StoreUrl, postgres_options};

/// Why the contract did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Errore {
    /// It said no, with a code of docs/contratto-motore.md.
    #[error("{testo}")]
    Rifiutata {
        /// `MOT-001`
        codice: String,
        /// The whole message.
        testo: String,
    },
    /// It does not answer, or not in time.
    #[error("archivio non raggiungibile: {0}")]
    Lontano(String),
    /// It is no store of this contract, or it says what the contract does not.
    #[error("{0}")]
    Estraneo(String),
}

impl Errore {
    pub(super) fn strange(causa: impl std::fmt::Display) -> Self {
        Self::Estraneo(format!(
            "l'archivio dice qualcosa che il contratto non prevede: {causa}"
        ))
    }
}

impl From<sqlx::Error> for Errore {
    fn from(errore: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &errore else {
            return match errore {
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::RowNotFound => Self::strange(errore),
                sqlx::Error::Configuration(causa) => Self::Estraneo(causa.to_string()),
                _ => Self::Lontano(errore.to_string()),
            };
        };
        let testo = database.message().to_owned();
        if testo.starts_with("MOT-") {
            let codice = testo.split(' ').next().unwrap_or_default().to_owned();
            return Self::Rifiutata { codice, testo };
        }
        // What a store says of itself passes (a restart, a deadlock that it broke, another writer); what it says of our
        // words, and that it is no such store, does not.
        let nostra = match database.try_downcast_ref::<PgDatabaseError>() {
            Some(postgres) => ["22", "23", "28", "3D", "42"]
                .iter()
                .any(|classe| postgres.code().starts_with(classe)),
            None => !testo.contains("locked"),
        };
        if nostra {
            Self::Estraneo(testo)
        } else {
            Self::Lontano(testo)
        }
    }
}

impl From<StoreError> for Errore {
    fn from(errore: StoreError) -> Self {
        Self::Estraneo(errore.to_string())
    }
}

/// What the store says of the contract.
#[derive(Debug, Clone)]
pub struct Contratto {
    /// `1.0`
    pub versione: String,
    /// `sandbox`, `collaudo`, `produzione`.
    pub ambiente: String,
    /// Its business clock.
    pub adesso: Timestamp,
}

/// A claim to be made.
#[derive(Debug, Clone)]
pub struct Presa<'a> {
    /// By whom.
    pub motore: String,
    /// The secret with which its holder writes.
    pub gettone: &'a str,
    /// For how long.
    pub durata_s: i64,
}

/// A store, as an engine comes to it: with a connection of its own.
#[derive(Debug)]
pub struct Archivio {
    connessione: Connessione,
}

#[derive(Debug)]
enum Connessione {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// The same words to whichever store it is.
macro_rules! on {
    ($archivio:expr, $connessione:ident => $parole:expr) => {
        match &mut $archivio.connessione {
            Connessione::Sqlite($connessione) => $parole,
            Connessione::Postgres($connessione) => $parole,
        }
    };
}

/// How long a statement waits for the gateway's write (SQLite has one writer at a time).
const ATTESA: Duration = Duration::from_secs(10);

impl Archivio {
    /// Comes to a store, and looks whether it has the contract that we speak.
    pub async fn open(url: &StoreUrl) -> Result<Self, Errore> {
        let connessione = match url {
            StoreUrl::Sqlite(path) => Connessione::Sqlite(open_sqlite(path).await?),
            StoreUrl::Postgres(url) => Connessione::Postgres(postgres_options(url)?.connect().await?),
        };
        let mut archivio = Self { connessione };
        let contratto = archivio.contratto().await?;
        if contratto.versione.starts_with(CONTRATTO) {
            Ok(archivio)
        } else {
            Err(Errore::Estraneo(format!(
                "l'archivio ha il contratto {}, questo motore parla {CONTRATTO}x",
                contratto.versione
            )))
        }
    }

    /// What the store says of itself.
    pub async fn contratto(&mut self) -> Result<Contratto, Errore> {
        const SQL: &str = "SELECT versione, ambiente, CAST(adesso AS TEXT) FROM motore_contratto_v1";
        let (versione, ambiente, adesso): (String, String, String) =
            on!(self, c => sqlx::query_as(SQL).fetch_one(c).await)?;
        Ok(Contratto {
            versione,
            ambiente,
            adesso: adesso.parse().map_err(Errore::strange)?,
        })
    }

    /// Claims domande that wait, the oldest first; answers those that it got.
    pub async fn prendi(&mut self, presa: Presa<'_>, quante: i64) -> Result<Vec<i64>, Errore> {
        const SQL: &str = "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s)
             SELECT numero_domanda, $1, $2, $3 FROM motore_da_lavorare_v1 ORDER BY numero_domanda LIMIT $4";
        on!(self, c => sqlx::query(SQL)
            .bind(presa.motore)
            .bind(presa.gettone)
            .bind(presa.durata_s)
            .bind(quante)
            .execute(c)
            .await
            .map(drop))?;
        self.prese(presa.gettone).await
    }

    /// Claims one domanda, unless another engine has it.
    pub async fn prendi_questa(&mut self, presa: Presa<'_>, numero: i64) -> Result<bool, Errore> {
        const SQL: &str =
            "INSERT INTO motore_prese_v1 (numero_domanda, motore, gettone, durata_s) VALUES ($1, $2, $3, $4)";
        on!(self, c => sqlx::query(SQL)
            .bind(numero)
            .bind(presa.motore)
            .bind(presa.gettone)
            .bind(presa.durata_s)
            .execute(c)
            .await
            .map(drop))?;
        Ok(self.prese(presa.gettone).await?.contains(&numero))
    }

    async fn prese(&mut self, gettone: &str) -> Result<Vec<i64>, Errore> {
        const SQL: &str =
            "SELECT numero_domanda FROM motore_prese_v1 WHERE gettone = $1 ORDER BY numero_domanda";
        let righe: Vec<(i64,)> = on!(self, c => sqlx::query_as(SQL).bind(gettone).fetch_all(c).await)?;
        Ok(righe.into_iter().map(|(numero,)| numero).collect())
    }

    /// Renews what is left of a claim.
    pub async fn rinnova(&mut self, presa: Presa<'_>) -> Result<(), Errore> {
        const SQL: &str = "UPDATE motore_prese_v1 SET durata_s = $2 WHERE gettone = $1";
        on!(self, c => sqlx::query(SQL).bind(presa.gettone).bind(presa.durata_s).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Marks as worked the version that was seen, and gives the domanda back.
    pub async fn segna(&mut self, gettone: &str, numero: i64, versione: i64) -> Result<(), Errore> {
        const SEGNA: &str =
            "UPDATE motore_prese_v1 SET lavorata = $3 WHERE gettone = $1 AND numero_domanda = $2";
        const LASCIA: &str = "DELETE FROM motore_prese_v1 WHERE gettone = $1 AND numero_domanda = $2";
        on!(self, c => {
            sqlx::query(SEGNA).bind(gettone).bind(numero).bind(versione).execute(&mut *c).await?;
            sqlx::query(LASCIA).bind(gettone).bind(numero).execute(c).await.map(drop)
        })?;
        Ok(())
    }

    /// Gives back what is left of a claim.
    pub async fn lascia(&mut self, gettone: &str) -> Result<(), Errore> {
        const SQL: &str = "DELETE FROM motore_prese_v1 WHERE gettone = $1";
        on!(self, c => sqlx::query(SQL).bind(gettone).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Domande with an accepted sheet, after this one.
    pub async fn accolte(&mut self, dopo: i64, quante: i64) -> Result<Vec<i64>, Errore> {
        const SQL: &str = "SELECT DISTINCT numero_domanda FROM motore_stati_v1
             WHERE stato = 'ACCOLTA' AND numero_domanda > $1 ORDER BY numero_domanda LIMIT $2";
        let righe: Vec<(i64,)> =
            on!(self, c => sqlx::query_as(SQL).bind(dopo).bind(quante).fetch_all(c).await)?;
        Ok(righe.into_iter().map(|(numero,)| numero).collect())
    }

    /// Writes a decision, with the version that was seen. `istante`: `None` = the store's business clock.
    pub async fn decidi(
        &mut self,
        gettone: &str,
        caso: &Caso,
        istante: Option<Timestamp>,
        decisione: &Decisione,
    ) -> Result<(), Errore> {
        let numero = caso.numero_domanda;
        let (posto, versione, motivo) = (decisione.posto, caso.versione, decisione.motivo);
        let istante = istante.map(|istante| istante.to_string());
        match decisione.passo {
            Passo::Stato { a, azione } => {
                let sql = self.says(STATO);
                let (azione, perche) = azione.unzip();
                let azione = azione.unwrap_or(AzioneRichiesta::Nessuna);
                on!(self, c => sqlx::query(sql)
                    .bind(gettone).bind(numero).bind(posto).bind(versione).bind(motivo).bind(istante)
                    .bind(decisione.da.as_str())
                    .bind(a.as_str())
                    .bind(azione.as_str())
                    .bind(perche)
                    .execute(c).await.map(drop))?;
            }
            Passo::Pagamento(pagato) => {
                let sql = self.says(PAGAMENTO);
                on!(self, c => sqlx::query(sql)
                    .bind(gettone).bind(numero).bind(posto).bind(versione).bind(motivo).bind(istante)
                    .bind(pagato.mese.to_string())
                    .bind(pagato.beneficiario.as_str())
                    .bind(pagato.importo_cent)
                    .execute(c).await.map(drop))?;
            }
            Passo::Riesame { da, a } => {
                let sql = self.says(RIESAME);
                on!(self, c => sqlx::query(sql)
                    .bind(gettone).bind(numero).bind(posto).bind(versione).bind(motivo).bind(istante)
                    .bind(da.as_str())
                    .bind(a.as_str())
                    .execute(c).await.map(drop))?;
            }
            Passo::Rinnovo { anno } => {
                let sql = self.says(RINNOVO);
                on!(self, c => sqlx::query(sql)
                    .bind(gettone).bind(numero).bind(posto).bind(versione).bind(motivo).bind(istante)
                    .bind(i64::from(anno))
                    .execute(c).await.map(drop))?;
            }
        }
        Ok(())
    }

    /// A domanda with its sheets. Its version is read before all else: what changes meanwhile makes it too old to write
    /// with.
    pub async fn caso(&mut self, numero: i64) -> Result<Caso, Errore> {
        const DOMANDA: &str = "SELECT servizio, pagamento_iban, CAST(dettagli ->> 'anno_competenza' AS TEXT)
             FROM motore_domande_v1 WHERE numero_domanda = $1";
        const DOCUMENTI: &str = "SELECT tipo FROM motore_allegati_v1 WHERE numero_domanda = $1";
        let mut stati = self.stati(numero).await?;
        let versione = stati.values().map(|stato| stato.versione).next();
        let versione =
            versione.ok_or_else(|| Errore::strange(format_args!("domanda {numero} senza schede")))?;
        let (servizio, iban, anno): (String, Option<String>, Option<String>) =
            on!(self, c => sqlx::query_as(DOMANDA).bind(numero).fetch_one(c).await)?;
        let documenti: Vec<(String,)> =
            on!(self, c => sqlx::query_as(DOCUMENTI).bind(numero).fetch_all(c).await)?;
        let mut pagati = self.pagati(numero).await?;
        let mut rinnovi = self.rinnovi(numero).await?;
        let mut riesami = self.riesami(numero).await?;
        let schede = self
            .schede(numero)
            .await?
            .into_iter()
            .filter_map(|riga| Some((stati.remove(&riga.0)?, riga)))
            .map(|(stato, riga)| {
                let posto = riga.0;
                stato.with(
                    riga,
                    riesami.remove(&posto),
                    pagati.remove(&posto).unwrap_or_default(),
                    rinnovi.remove(&posto).unwrap_or_default(),
                )
            })
            .collect::<Result<_, _>>()?;
        Ok(Caso {
            numero_domanda: numero,
            versione,
            servizio,
            iban: account(iban)?,
            anno_competenza: anno
                .map(|anno| anno.parse())
                .transpose()
                .map_err(Errore::strange)?,
            documenti: documenti.into_iter().map(|(tipo,)| tipo).collect(),
            schede,
        })
    }

    async fn stati(&mut self, numero: i64) -> Result<HashMap<i64, Posizione>, Errore> {
        const SQL: &str = "SELECT CAST(posto AS BIGINT), versione, stato, azione_richiesta, azione_motivo
             FROM motore_stati_v1 WHERE numero_domanda = $1";
        let righe: Vec<(i64, i64, String, String, Option<String>)> =
            on!(self, c => sqlx::query_as(SQL).bind(numero).fetch_all(c).await)?;
        righe
            .into_iter()
            .map(|(posto, versione, stato, azione, azione_motivo)| {
                let posizione = Posizione {
                    versione,
                    stato: StatoDomanda::parse(&stato).ok_or_else(|| Errore::strange(&stato))?,
                    azione: AzioneRichiesta::parse(&azione).ok_or_else(|| Errore::strange(&azione))?,
                    azione_motivo,
                };
                Ok((posto, posizione))
            })
            .collect()
    }

    async fn schede(&mut self, numero: i64) -> Result<Vec<RigaScheda>, Errore> {
        const SQL: &str = "SELECT CAST(posto AS BIGINT), codice_fiscale, CAST(data_nascita AS TEXT),
                 CAST(CASE WHEN disabile THEN 1 ELSE 0 END AS BIGINT), dettagli ->> 'condizione_maggiorenne',
                 CAST(CASE WHEN altro_genitore IS NOT NULL AND ripartizione IN ('META_ENTRAMBI', 'B', 'C') THEN 1 ELSE 0 END AS BIGINT),
                 pagamento_altro_genitore_modalita, pagamento_altro_genitore_iban, decorrenza_presunta
             FROM motore_schede_v1 WHERE numero_domanda = $1 ORDER BY posto";
        Ok(on!(self, c => sqlx::query_as(SQL).bind(numero).fetch_all(c).await)?)
    }

    /// What was paid and did not come back, by sheet.
    async fn pagati(&mut self, numero: i64) -> Result<HashMap<i64, Vec<Pagato>>, Errore> {
        const SQL: &str = "SELECT CAST(posto AS BIGINT), mese, beneficiario,
                 CAST(sum(CASE tipo WHEN 'PAGATO' THEN importo_cent WHEN 'RESTITUITO' THEN -importo_cent ELSE 0 END) AS BIGINT)
             FROM motore_pagamenti_v1 WHERE numero_domanda = $1
             GROUP BY posto, mese, beneficiario
             HAVING sum(CASE tipo WHEN 'PAGATO' THEN 1 WHEN 'RESTITUITO' THEN -1 ELSE 0 END) > 0";
        let righe: Vec<(i64, String, String, i64)> =
            on!(self, c => sqlx::query_as(SQL).bind(numero).fetch_all(c).await)?;
        let mut pagati: HashMap<i64, Vec<Pagato>> = HashMap::new();
        for (posto, mese, beneficiario, importo_cent) in righe {
            pagati.entry(posto).or_default().push(Pagato {
                mese: month(&mese)?,
                beneficiario: Beneficiario::parse(&beneficiario)
                    .ok_or_else(|| Errore::strange(&beneficiario))?,
                importo_cent,
            });
        }
        Ok(pagati)
    }

    /// The last riesame of each sheet, and whether documents came with it.
    async fn riesami(&mut self, numero: i64) -> Result<HashMap<i64, RiesameVisto>, Errore> {
        const SQL: &str = "SELECT CAST(i.posto AS BIGINT), i.stato,
                 CAST(CASE WHEN EXISTS (SELECT 1 FROM motore_allegati_v1 a
                                        WHERE a.numero_domanda = i.numero_domanda AND a.protocollo = i.protocollo)
                      THEN 1 ELSE 0 END AS BIGINT)
             FROM motore_riesami_v1 i WHERE i.numero_domanda = $1 ORDER BY i.registrata_il, i.protocollo";
        let righe: Vec<(i64, String, i64)> =
            on!(self, c => sqlx::query_as(SQL).bind(numero).fetch_all(c).await)?;
        righe
            .into_iter()
            .map(|(posto, stato, documentato)| {
                let riesame = RiesameVisto {
                    stato: StatoRiesame::parse(&stato).ok_or_else(|| Errore::strange(&stato))?,
                    documentato: documentato != 0,
                };
                Ok((posto, riesame))
            })
            .collect()
    }

    async fn rinnovi(&mut self, numero: i64) -> Result<HashMap<i64, Vec<i16>>, Errore> {
        const SQL: &str = "SELECT CAST(posto AS BIGINT), CAST(anno AS BIGINT) FROM motore_rinnovi_v1
             WHERE numero_domanda = $1";
        let righe: Vec<(i64, i64)> = on!(self, c => sqlx::query_as(SQL).bind(numero).fetch_all(c).await)?;
        let mut rinnovi: HashMap<i64, Vec<i16>> = HashMap::new();
        for (posto, anno) in righe {
            let anno = i16::try_from(anno).map_err(Errore::strange)?;
            rinnovi.entry(posto).or_default().push(anno);
        }
        Ok(rinnovi)
    }

    /// Of two ways to say a thing the one that this store understands.
    fn says(&self, (sqlite, postgres): (&'static str, &'static str)) -> &'static str {
        match self.connessione {
            Connessione::Sqlite(_) => sqlite,
            Connessione::Postgres(_) => postgres,
        }
    }
}

/// A riesame's move, for SQLite and for PostgreSQL.
const RIESAME: (&str, &str) = (
    "INSERT INTO motore_riesami_v1 (gettone, numero_domanda, posto, versione, esito_motivo, istante, da, a)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    "INSERT INTO motore_riesami_v1 (gettone, numero_domanda, posto, versione, esito_motivo, istante, da, a)
     VALUES ($1, $2, $3, $4, $5, CAST($6 AS timestamptz), $7, $8)",
);

/// A decision, for SQLite, where an instant is text, and for PostgreSQL.
macro_rules! decisione {
    ($colonne:literal, $valori:literal) => {
        (
            decisione!($colonne, "$6", $valori),
            decisione!($colonne, "CAST($6 AS timestamptz)", $valori),
        )
    };
    ($colonne:literal, $istante:literal, $valori:literal) => {
        concat!(
            "INSERT INTO motore_decisioni_v1 (gettone, numero_domanda, posto, versione, motivo, istante, ",
            $colonne,
            ") VALUES ($1, $2, $3, $4, $5, ",
            $istante,
            ", ",
            $valori,
            ")"
        )
    };
}

const STATO: (&str, &str) = decisione!(
    "tipo, da, a, azione_richiesta, azione_motivo",
    "'STATO', $7, $8, $9, $10"
);
const PAGAMENTO: (&str, &str) = decisione!(
    "tipo, pagamento, mese, beneficiario, importo_cent",
    "'PAGAMENTO', 'PAGATO', $7, $8, $9"
);
const RINNOVO: (&str, &str) = decisione!("tipo, anno", "'RINNOVO', $7");

/// How a sheet stands.
struct Posizione {
    versione: i64,
    stato: StatoDomanda,
    azione: AzioneRichiesta,
    azione_motivo: Option<String>,
}

/// posto, child, born, disabled, condition, split, the other parent's way and IBAN, expected first month.
type RigaScheda = (
    i64,
    String,
    Option<String>,
    i64,
    Option<String>,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Posizione {
    fn with(
        self,
        riga: RigaScheda,
        riesame: Option<RiesameVisto>,
        pagati: Vec<Pagato>,
        rinnovi: Vec<i16>,
    ) -> Result<SchedaVista, Errore> {
        let (posto, codice_fiscale, nascita, disabile, condizione, divisa, modalita, iban, decorrenza) = riga;
        Ok(SchedaVista {
            posto,
            codice_fiscale: codice_fiscale.parse().map_err(Errore::strange)?,
            data_nascita: nascita
                .map(|data| data.parse())
                .transpose()
                .map_err(Errore::strange)?,
            disabile: disabile != 0,
            condizione_maggiorenne: condizione,
            divisa: divisa != 0,
            altro_genitore: modalita.map(|_| account(iban)).transpose()?,
            decorrenza: decorrenza.as_deref().map(month).transpose()?,
            stato: self.stato,
            azione: self.azione,
            azione_motivo: self.azione_motivo,
            riesame,
            pagati,
            rinnovi,
        })
    }
}

fn account(iban: Option<String>) -> Result<Option<Iban>, Errore> {
    iban.map(|iban| iban.parse().map_err(Errore::strange)).transpose()
}

/// `2021-07`
fn month(testo: &str) -> Result<Mese, Errore> {
    let (anno, mese) = testo.split_once('-').ok_or_else(|| Errore::strange(testo))?;
    Ok(Mese {
        anno: anno.parse().map_err(Errore::strange)?,
        mese: mese.parse().map_err(Errore::strange)?,
    })
}

async fn open_sqlite(path: &Path) -> Result<SqliteConnection, Errore> {
    // Without the gateway's own start: an engine lays down no store.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(ATTESA)
        .disable_statement_logging();
    Ok(SqliteConnection::connect_with(&options).await?)
}
