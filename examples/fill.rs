//! Fills a store with made-up domande through the store's own registration, and says how long it took: for measuring
//! what is done to a store that is not empty (`varco store copy`, `register verify`, a search in the traces).
//!
//! Every domanda follows from its number, so a second run goes on where the first one ended (`--dal`). The receipts and
//! the requests are those of a gateway; the store must be one for tries, never one of produzione.
//!
//! ```text
//! cargo run --release --example fill -- sqlite:prova.db 100000
//! cargo run --release --example fill -- postgres:///prova?host=/run/postgresql 1000000 --inizio 2021-11-01T08:00:00Z
//! cargo run --release --example fill -- sqlite:demo/store.db 1000000 --chiave-ricerca demo/chiave-ricerca.key
//! cargo run --release --example fill -- sqlite:prova.db 1000 --tracce 10000000 --misura
//! ```
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

#[path = "fill/tracce.rs"]
mod tracce;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;
use varco::cli::sample;
use varco::domanda::campione::{Ampiezza, Mittente, Spunto};
use varco::domanda::{Ambiente, Contesto, Istanza};
use varco::patronato::CodiceEnte;
use varco::prestazione::Operazione;
use varco::prestazione::assegno_temporaneo::PRESTAZIONE;
use varco::protocollo::data_a_roma;
use varco::schema::Schema;
use varco::soap::{SoapVersion, answer};
use varco::store::{self, Atto, Chiave, Contenuto, OpenOptions, Registrazione, StoreUrl};
use varco::trace::Traccia;
use varco::xml::Limits;

/// Fills a store with made-up domande of an assegno temporaneo, two children each.
#[derive(Debug, Parser)]
struct Args {
    /// The store: `sqlite:FILE` or `postgres://…`; laid down (sandbox) where there is none.
    store: StoreUrl,
    /// How many domande.
    quante: u64,
    /// The number of the first one: numbers that were registered before are not registered again.
    #[arg(long, default_value_t = 1)]
    dal: u64,
    /// Then so many traces of a year's traffic, without their domande; `--tracce-dal` of them are there already.
    #[arg(long, default_value_t = 0)]
    tracce: u64,
    /// The number of traces that an earlier run wrote.
    #[arg(long, default_value_t = 0)]
    tracce_dal: u64,
    /// At last says how long a first page of traces takes, criterion by criterion.
    #[arg(long)]
    misura: bool,
    /// The file of the key by which the trace finds persons, `trace.chiave_ricerca` of the gateway that is to serve the store.
    #[arg(long, value_name = "FILE")]
    chiave_ricerca: Option<PathBuf>,
    /// When the first one is registered; each batch comes a second after the one before.
    #[arg(long, default_value = "2021-07-15T10:00:00Z")]
    inizio: Timestamp,
}

const MITTENTE: Mittente<'_> = Mittente {
    ente: "PAT01",
    ufficio: "001",
    user_id: "fill",
};

/// As many as a gateway takes in one transaction.
const INSIEME: usize = 64;

#[tokio::main]
async fn main() -> Result<()> {
    let Args {
        store,
        quante,
        dal,
        tracce: quante_tracce,
        tracce_dal,
        misura,
        chiave_ricerca,
        inizio,
    } = Args::parse();
    let url = store;
    let schema = Schema::load()?;
    let chiave = match chiave_ricerca {
        Some(file) => std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?
            .parse()?,
        None => tracce::chiave()?,
    };
    let options = OpenOptions {
        create: true,
        chiave_ricerca: Some(chiave),
        ..OpenOptions::new(Ambiente::Sandbox, inizio)
    };
    let (store, _) = store::open(&url, &options).await?;
    let ente: CodiceEnte = MITTENTE.ente.parse().context("the ente of the sample")?;
    let mut adesso = inizio;
    let (mut nuove, mut ultimo) = (0_u64, None);
    let partenza = Instant::now();
    let numeri: Vec<u64> = (dal..dal + quante).collect();
    for lotto in numeri.chunks(INSIEME) {
        let atti = lotto
            .iter()
            .map(|n| act(&schema, &ente, *n, adesso))
            .collect::<Result<Vec<_>>>()?;
        for esito in store.register(&atti, adesso).await? {
            match esito {
                Registrazione::Registrata(registrata) => {
                    nuove += 1;
                    ultimo = Some(registrata.protocollo);
                }
                Registrazione::Ripetuta(_) => {}
                altro => anyhow::bail!("the store holds other domande of these numbers: {altro:?}"),
            }
        }
        adesso += SignedDuration::from_secs(1);
    }
    let secondi = partenza.elapsed().as_secs_f64();
    println!("{nuove} registrate in {secondi:.1} s");
    if let Some(ultimo) = ultimo {
        println!("ultimo numero {ultimo}");
    }
    store.close().await;
    if quante_tracce > 0 {
        let partenza = Instant::now();
        // A year before the domande, which stay the newest.
        let dal_primo = inizio - SignedDuration::from_hours(24 * 365);
        tracce::fill(&url, dal_primo, tracce_dal, quante_tracce).await?;
        println!(
            "{quante_tracce} tracce in {:.1} s",
            partenza.elapsed().as_secs_f64()
        );
    }
    if misura {
        let (store, _) = store::open(&url, &options).await?;
        tracce::measure(&store).await?;
        store.close().await;
    }
    Ok(())
}

/// The `n`th domanda, read as a gateway reads it.
fn act(schema: &Schema, ente: &CodiceEnte, n: u64, adesso: Timestamp) -> Result<Atto> {
    let chiave = format!("fill-{n}");
    let spunto = Spunto {
        contatore: n,
        presentazione: data_a_roma(adesso),
        mittente: MITTENTE,
        ampiezza: Ampiezza::Intera,
    };
    let bytes = sample::envelope(&PRESTAZIONE, &spunto, &chiave, SoapVersion::V12).into_bytes();
    let lettura = schema.read_file(&bytes, &Limits::default())?;
    ensure!(lettura.rilievi.is_empty(), "the sample {n} is not valid");
    let contesto = Contesto {
        presentata_il: adesso,
        ambiente: Ambiente::Sandbox,
        ente: Some(ente),
        codice_ufficio: None,
        user_id: None,
        schede_vive: &[],
        domande_vive: &[],
        allegato_bytes_max: varco::domanda::allegato::ALLEGATO_BYTES_MAX,
        pregresso: None,
    };
    let domanda = lettura
        .istanza
        .and_then(Istanza::domanda)
        .context("the sample holds a domanda")?;
    let richiesta_len = bytes.len() as u64;
    Ok(Atto {
        chiave: Chiave {
            ente: ente.clone(),
            servizio: PRESTAZIONE.servizio,
            chiave: lettura.chiave.context("the sample holds a key")?,
        },
        prestazione: &PRESTAZIONE,
        digest: lettura.digest,
        impronta: lettura.impronta,
        presentata_il: adesso,
        ente_denominazione: "Patronato di prova uno".to_owned(),
        codice_ufficio: MITTENTE.ufficio.parse()?,
        user_id: MITTENTE.user_id.parse()?,
        certificato_sha256: "ab".repeat(32),
        canale: "MODI",
        emergenza: None,
        operazione: Operazione::InviaDomanda,
        contenuto: Contenuto::Domanda(
            domanda
                .fascicolo(&contesto)
                .context("the sample's codici fiscali can be read")?,
        ),
        richiesta: Bytes::from(bytes),
        contenuto_in_richiesta: lettura.contenuto_in_richiesta,
        traccia: Traccia {
            message_id: Uuid::from_u128(u128::from(n)),
            ricevuto_il: adesso,
            canale: "MODI".to_owned(),
            indirizzo: Some("192.0.2.7".parse()?),
            certificato_soggetto: "CN=pat01, O=Patronato di prova uno, C=IT".to_owned(),
            certificato_seriale: "01".to_owned(),
            tls: "TLSv1.3 TLS_AES_256_GCM_SHA384".to_owned(),
            ente: Some(MITTENTE.ente.to_owned()),
            user_id: Some(MITTENTE.user_id.to_owned()),
            codice_ufficio: Some(MITTENTE.ufficio.to_owned()),
            uri: "POST /modi/soap/AssegnoTemporaneo/v1/".to_owned(),
            servizio: Some(PRESTAZIONE.servizio.to_owned()),
            operazione: Some("InviaDomanda".to_owned()),
            chiave_invio: Some(chiave),
            richiesta_len,
            http_status: 200,
            tempi_us: vec![("busta", 20), ("lettura", 80), ("registro", 900)],
            ..Traccia::default()
        },
        stampa: answer::ricevuta,
    })
}
