//! Traces by the million, as a year of traffic leaves them: written by the database itself, a hundred thousand a
//! statement; and how long a first page of them takes, criterion by criterion.
//!
//! Of what was registered only the trace is there, so a search by number finds the few domande that `fill` registered.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use indicatif::ProgressIterator as _;
use jiff::Timestamp;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use varco::domanda::sha256::hex;
use varco::store::{Ricerca, SharedStore, StoreUrl};
use varco::trace::persona::{ChiaveRicerca, Persona};

/// Who is named in one message of a million.
pub(crate) const PERSONA: &str = "RSSMRA80A01H501U";

/// The key of the tries.
pub(crate) fn chiave() -> Result<ChiaveRicerca> {
    Ok("42".repeat(32).parse()?)
}

/// So many rows a statement.
const INSIEME: u64 = 100_000;

/// Writes traces `dal + 1 ..= dal + quante`, one each three seconds.
pub(crate) async fn fill(url: &StoreUrl, inizio: Timestamp, dal: u64, quante: u64) -> Result<()> {
    let ombra = hex(&chiave()?.ombra(&PERSONA.parse::<Persona>()?));
    let parti: Vec<u64> = (dal..dal + quante).step_by(INSIEME.try_into()?).collect();
    let base = inizio.as_millisecond();
    match url {
        StoreUrl::Sqlite(path) => {
            let options = SqliteConnectOptions::new().filename(path);
            let mut connessione = SqliteConnection::connect_with(&options).await?;
            // A store for tries: after a crash it is filled anew.
            connessione
                .execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000")
                .await?;
            for da in parti.into_iter().progress() {
                let a = (da + INSIEME).min(dal + quante);
                let sql = SQLITE
                    .replace("{da}", &da.to_string())
                    .replace("{a}", &a.to_string())
                    .replace("{base}", &base.to_string())
                    .replace("{ombra}", &ombra);
                connessione.execute(AssertSqlSafe(sql)).await?;
            }
            connessione.close().await?;
        }
        StoreUrl::Postgres(url) => {
            let options: PgConnectOptions = url.to_string().parse()?;
            let mut connessione = PgConnection::connect_with(&options).await?;
            connessione.execute("SET synchronous_commit = off").await?;
            for anno in 2020..=2023 {
                connessione
                    .execute(AssertSqlSafe(format!("SELECT varco_prepara_anno({anno})")))
                    .await?;
            }
            for da in parti.into_iter().progress() {
                let a = (da + INSIEME).min(dal + quante);
                let sql = POSTGRES
                    .replace("{da}", &da.to_string())
                    .replace("{a}", &a.to_string())
                    .replace("{base}", &base.to_string())
                    .replace("{ombra}", &ombra);
                connessione.execute(AssertSqlSafe(sql)).await?;
            }
            connessione.execute("ANALYZE tracce, tracce_indizi").await?;
            connessione.close().await?;
        }
    }
    Ok(())
}

const SQLITE: &str = include_str!("tracce-sqlite.sql");
const POSTGRES: &str = include_str!("tracce-postgres.sql");

/// What is asked: alone, together, of what is frequent and of what is rare.
const RICERCHE: &[&[(&str, &str)]] = &[
    &[],
    &[("protocollo", "0000042")],
    &[("protocollo", "INPS-AUF-2021-000000000042")],
    &[("protocollo", "9999999")],
    &[("numero_domanda", "42")],
    &[("chiave_invio", "fill-42")],
    &[("chiave_invio", "PAT02-4200003")],
    &[("message_id", "00000000-0000-0000-0000-00000000002a")],
    &[("id_mittente", "urn:uuid:42")],
    &[("lotto", "0197a3c1-0000-7000-8000-000000000002")],
    &[("persona", PERSONA)],
    &[("persona", "VRDGPP80A01H501A")],
    &[("ente", "PAT01")],
    &[("ente", "PATXX")],
    &[("codice_ufficio", "0042")],
    &[("codice_ufficio", "RARO")],
    &[("user_id", "op4242")],
    &[("canale", "PDD")],
    &[("servizio", "AssegnoUnicoUniversale")],
    &[("operazione", "ConsultaDomanda")],
    &[("operazione", "RichiediRiesame")],
    &[("esito", "REGISTRATA")],
    &[("esito", "FAULT")],
    &[("codice", "XSD-001")],
    &[("codice", "XSD-090")],
    &[("codice", "ALL-019")],
    &[("certificato", "CN=pat07")],
    &[("certificato", "0A07")],
    &[("certificato", "nessuno")],
    &[("indirizzo", "192.0.2.7")],
    &[("indirizzo", "192.0.2.0/25")],
    &[("indirizzo", "203.0.113.9")],
    &[("dal", "2021-03-01"), ("al", "2021-03-02")],
    &[
        ("ente", "PAT03"),
        ("dal", "2021-03-01"),
        ("al", "2021-03-08"),
        ("esito", "RIFIUTATA"),
    ],
    &[("ente", "PAT03"), ("codice", "CF-002")],
    &[("ente", "PATXX"), ("codice", "XSD-001")],
    &[("ente", "PAT01"), ("codice_ufficio", "RARO")],
    &[("ente", "PAT01"), ("user_id", "op4242")],
    &[("ente", "PAT01"), ("operazione", "RichiediRiesame")],
    &[("esito", "FAULT"), ("indirizzo", "203.0.113.9")],
    &[
        ("esito", "RIFIUTATA"),
        ("codice", "XSD-090"),
        ("dal", "2021-02-01"),
    ],
    &[
        ("canale", "PDD"),
        ("operazione", "RichiediRiesame"),
        ("codice_ufficio", "RARO"),
    ],
];

/// Asks each for its first page, and one page from the middle of the year: as it stands, then once more.
pub(crate) async fn measure(store: &SharedStore) -> Result<()> {
    println!(
        "{:<75}{:>6}{:>7}{:>10}{:>10}{:>12}",
        "ricerca", "righe", "altre", "ms", "ms caldo", "ms a metà"
    );
    let mut peggiore = Duration::ZERO;
    for criteri in RICERCHE {
        let mut ricerca = Ricerca {
            senza_byte: true,
            ..Ricerca::default()
        };
        for (nome, valore) in *criteri {
            ricerca
                .set(nome, valore)
                .with_context(|| format!("{nome} {valore}"))?;
        }
        let (pagina, freddo) = timed(store, &ricerca).await?;
        let (_, caldo) = timed(store, &ricerca).await?;
        let mut in_mezzo = ricerca.clone();
        in_mezzo.al.get_or_insert("2021-02-15T00:00:00Z".parse()?);
        let (_, meta) = timed(store, &in_mezzo).await?;
        peggiore = peggiore.max(freddo).max(caldo).max(meta);
        let nome: Vec<_> = criteri
            .iter()
            .map(|(nome, valore)| format!("{nome}={valore}"))
            .collect();
        let ms = |durata: Duration| format!("{:.1}", durata.as_secs_f64() * 1e3);
        println!(
            "{:<75}{:>6}{:>7}{:>10}{:>10}{:>12}",
            nome.join(" "),
            pagina.0,
            if pagina.1 { "sì" } else { "no" },
            ms(freddo),
            ms(caldo),
            ms(meta)
        );
    }
    println!("la pagina più lenta: {:.1} ms", peggiore.as_secs_f64() * 1e3);
    Ok(())
}

async fn timed(store: &SharedStore, ricerca: &Ricerca) -> Result<((usize, bool), Duration)> {
    let inizio = Instant::now();
    let pagina = store.tracce(ricerca).await?;
    Ok(((pagina.righe.len(), pagina.altre), inizio.elapsed()))
}
