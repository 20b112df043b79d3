//! Drives a running gateway over mutual TLS and says how fast it is, and whether it keeps its promises.
//!
//! Every message is a function of its key alone: run, then number. So a second process can send again what the
//! first one was told, byte for byte, and ask for the same numbers (`--verify`). The client is meant to be cheap:
//! one thread, one buffer a connection, a message made by filling the places of a template, and an HTTP/1.1
//! exchange of its own that knows Content-Length and nothing else.
//!
//! ```text
//! cargo run --release --example load -- --certs demo/certs --connections 16 --seconds 10
//! cargo run --release --example load -- --certs demo/certs --pdd
//! cargo run --release --example load -- --certs demo/certs --handshakes --seconds 5
//! cargo run --release --example load -- --certs demo/certs --retry --requests 5000 --acked acked.tsv
//! cargo run --release --example load -- --certs demo/certs --verify acked.tsv
//! cargo run --release --example load -- --certs demo/certs --consulta INPS-AUF-2021-000001000000
//! cargo run --release --example load -- --certs demo/certs --retry --url https://one:8443 --url https://two:8443
//! ```
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

#[path = "load/https.rs"]
mod https;
#[path = "load/messaggi.rs"]
mod messaggi;
#[path = "load/rapporto.rs"]
mod rapporto;

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Parser;
use varco::clock::{Clock as _, WallClock};
use varco::domanda::campione::Ampiezza;
use varco::prestazione::{PRESTAZIONI, Prestazione, by_servizio};
use varco::protocollo::NumeroProtocollo;

use https::{Bersaglio, Connessione, Risposta};
use messaggi::Modello;
use rapporto::{Misure, Processo, Rapporto};

/// Load on a running gateway: rate, latencies, and whether every number is unique and none is missing.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
struct Args {
    /// Where the gateway listens. Several times for several gateways on one store: connections begin at one after the
    /// other, and with --retry go on to the next when theirs is gone.
    #[arg(long, default_values = ["https://127.0.0.1:8443"])]
    url: Vec<String>,
    /// Directory with ca.pem and the client's NAME.pem, NAME.key.
    #[arg(long, default_value = "demo/certs")]
    certs: PathBuf,
    /// Which client certificate of that directory.
    #[arg(long, default_value = "pat01")]
    cert: String,
    /// Which service.
    #[arg(long, default_value = PRESTAZIONI[0].servizio, value_parser = servizio)]
    servizio: &'static Prestazione,
    /// Kept-alive connections.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How long to send.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Stop after so many messages, however long it takes (then --seconds counts only if it is given).
    #[arg(long)]
    requests: Option<u64>,
    /// Write the report as JSON here too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Process id of the gateway: its CPU time and memory are reported too.
    #[arg(long)]
    pid: Option<u32>,
    /// The ente, ufficio and operator that the messages name.
    #[arg(long, num_args = 3, value_names = ["ENTE", "UFFICIO", "USERID"], default_values = ["PAT01", "001", "load"])]
    mittente: Vec<String>,
    /// Measure full handshakes instead: a new connection and one `echo` each, no resumption.
    #[arg(long, conflicts_with_all = ["retry", "verify"])]
    handshakes: bool,
    /// Reconnect and send the same key again until it is answered: for gateways that are killed under load.
    #[arg(long)]
    retry: bool,
    /// Write every acknowledged key and its number here, as soon as they are known.
    #[arg(long)]
    acked: Option<PathBuf>,
    /// Send again every key of such a file and check that it gets the same number.
    #[arg(long, conflicts_with_all = ["requests", "acked"])]
    verify: Option<PathBuf>,
    /// Send `ConsultaDomanda` instead, about domande all over the register up to this number, by their protocol numbers.
    #[arg(long, value_name = "ULTIMO", conflicts_with_all = ["handshakes", "verify", "acked"])]
    consulta: Option<NumeroProtocollo>,
    /// Send buste e-Gov to /PD, as `PatronatoUno`: each message in a busta of its own.
    #[arg(long, conflicts_with_all = ["handshakes", "verify", "retry", "consulta"])]
    pdd: bool,
    /// Others send too: numbers in between that were not given to us are no fault.
    #[arg(long)]
    shared: bool,
    /// Send the domanda with nothing in it but what it must have: 2.9 KB instead of 3.8.
    #[arg(long)]
    semplice: bool,
    /// Put a document of so many KiB into each domanda, the same into all.
    #[arg(long, default_value_t = 0, value_name = "KIB")]
    allegato: usize,
    /// With --retry: give up on a message after so many seconds.
    #[arg(long, default_value_t = 60)]
    patience: u64,
}

fn servizio(nome: &str) -> Result<&'static Prestazione, String> {
    by_servizio(nome).ok_or_else(|| "no such service".to_owned())
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let esito = runtime
        .context("no runtime")
        .and_then(|runtime| tokio::task::LocalSet::new().block_on(&runtime, run(args)));
    match esito {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::from(64)
        }
    }
}

/// Runs the chosen mode; `true` when every promise was kept.
async fn run(args: Args) -> Result<bool> {
    let bersagli: Rc<[Bersaglio]> = args
        .url
        .iter()
        .map(|url| {
            Bersaglio::new(
                url,
                args.servizio.servizio,
                &args.certs,
                &args.cert,
                args.handshakes,
                args.pdd,
            )
        })
        .collect::<Result<_>>()?;
    let [ente, ufficio, user_id] = args.mittente.as_slice() else {
        anyhow::bail!("--mittente takes three values");
    };
    let ampiezza = if args.semplice {
        Ampiezza::Minima
    } else {
        Ampiezza::Intera
    };
    let modello = Modello::new(
        args.servizio,
        [ente, ufficio, user_id],
        args.pdd,
        ampiezza,
        args.allegato,
    );
    let lavoro = match &args.verify {
        Some(file) => Lavoro::verify(&args, modello, file)?,
        None => Lavoro::send(&args, modello)?,
    };
    let lavoro = Rc::new(lavoro);
    let prima = args.pid.and_then(Processo::read);
    let inizio = Instant::now();
    let operai: Vec<_> = (0..args.connections.max(1))
        .map(|posto| {
            let (bersagli, lavoro) = (Rc::clone(&bersagli), Rc::clone(&lavoro));
            let primo = posto % bersagli.len();
            if args.handshakes {
                tokio::task::spawn_local(async move { lavoro.handshakes(&bersagli[primo]).await })
            } else {
                tokio::task::spawn_local(async move { lavoro.exchanges(&bersagli, primo).await })
            }
        })
        .collect();
    let mut misure = Misure::default();
    for operaio in operai {
        misure.add(operaio.await.context("a connection's task died")?);
    }
    let durata = inizio.elapsed();
    if let Some(file) = &lavoro.acked {
        file.borrow_mut().flush().context("--acked: cannot write")?;
    }
    let processo = args
        .pid
        .zip(prima)
        .and_then(|(pid, prima)| Some(Processo::read(pid)?.since(&prima)));
    let rapporto = Rapporto::new(&args, misure, durata, processo);
    print!("{rapporto}");
    if let Some(file) = &args.json {
        std::fs::write(file, rapporto.json()).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(rapporto.all_well())
}

/// What the connections share: which message is next, and until when.
#[derive(Debug)]
struct Lavoro {
    modello: Modello,
    /// What every key of this run begins with: milliseconds, so that no run repeats another's.
    giro: u64,
    prossimo: Cell<u64>,
    quanti: u64,
    fine: Option<Instant>,
    retry: bool,
    pazienza: Duration,
    acked: Option<RefCell<std::io::BufWriter<std::fs::File>>>,
    /// With --verify: the keys to send again and the number that each must get.
    attesi: Vec<(String, String)>,
    /// With --consulta: the last number to ask about.
    consulta: Option<NumeroProtocollo>,
}

impl Lavoro {
    fn send(args: &Args, modello: Modello) -> Result<Self> {
        let giro =
            u64::try_from(WallClock::default().wall().as_millisecond()).context("clock before 1970")?;
        let acked = args
            .acked
            .as_ref()
            .map(|file| {
                let file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
                anyhow::Ok(RefCell::new(std::io::BufWriter::new(file)))
            })
            .transpose()
            .context("--acked: cannot open")?;
        Ok(Self {
            modello,
            giro,
            prossimo: Cell::new(0),
            quanti: args.requests.unwrap_or(u64::MAX),
            fine: args
                .requests
                .is_none()
                .then(|| Instant::now() + Duration::from_secs(args.seconds)),
            retry: args.retry,
            pazienza: Duration::from_secs(args.patience),
            acked,
            attesi: Vec::new(),
            consulta: args.consulta.clone(),
        })
    }

    fn verify(args: &Args, modello: Modello, file: &PathBuf) -> Result<Self> {
        let testo =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let attesi: Vec<(String, String)> = testo
            .lines()
            .map(|riga| {
                let (chiave, protocollo) = riga.split_once('\t').context("a line is no key<TAB>number")?;
                Ok((chiave.to_owned(), protocollo.to_owned()))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            quanti: attesi.len() as u64,
            fine: None,
            retry: true,
            attesi,
            acked: None,
            ..Self::send(args, modello)?
        })
    }

    /// The next message's place in this run, until there is none.
    fn take(&self) -> Option<u64> {
        let posto = self.prossimo.get();
        let finito = posto >= self.quanti || self.fine.is_some_and(|fine| Instant::now() >= fine);
        (!finito).then(|| {
            self.prossimo.set(posto + 1);
            posto
        })
    }

    /// The number to ask about at a place: one far from the last one asked about.
    fn domanda_da_consultare(&self, posto: u64) -> Option<String> {
        const LONTANO: u64 = 7_654_321;
        let ultimo = self.consulta.as_ref()?;
        let numero = 1 + posto.wrapping_mul(LONTANO) % ultimo.numero();
        NumeroProtocollo::new(ultimo.registro(), ultimo.anno(), numero).map(|numero| numero.to_string())
    }

    /// The key of a place, and the number that it must get if that is known.
    fn chiave(&self, posto: u64) -> (String, Option<&str>) {
        match usize::try_from(posto)
            .ok()
            .and_then(|posto| self.attesi.get(posto))
        {
            Some((chiave, protocollo)) => (chiave.clone(), Some(protocollo)),
            None => (messaggi::chiave(self.giro, posto), None),
        }
    }

    /// One connection's work: messages one after the other, kept alive, with the gateway `quale` as long as it answers.
    async fn exchanges(&self, bersagli: &[Bersaglio], mut quale: usize) -> Misure {
        let mut misure = Misure::default();
        let mut connessione: Option<Connessione> = None;
        let mut richiesta = Vec::with_capacity(8 * 1024);
        while let Some(posto) = self.take() {
            let da_consultare = self.domanda_da_consultare(posto);
            let (chiave, atteso) = match &da_consultare {
                Some(protocollo) => (String::new(), Some(protocollo.as_str())),
                None => self.chiave(posto),
            };
            let corpo = match &da_consultare {
                Some(protocollo) => Some(self.modello.consulta(protocollo)),
                None => self.modello.message(&chiave),
            };
            let Some(corpo) = corpo else {
                misure.fault("not a key of this tool");
                continue;
            };
            let inizio = Instant::now();
            loop {
                let bersaglio = &bersagli[quale];
                bersaglio.post(&corpo, &mut richiesta);
                match exchange(bersaglio, &mut connessione, &richiesta).await {
                    Ok(risposta)
                        if self.retry
                            && matches!(risposta.status, 429 | 503)
                            && inizio.elapsed() <= self.pazienza =>
                    {
                        misure.ripetuti += 1;
                    }
                    Ok(risposta) => {
                        self.note(&mut misure, inizio, &chiave, atteso, &risposta);
                        break;
                    }
                    Err(error) => {
                        connessione = None;
                        if !self.retry || inizio.elapsed() > self.pazienza {
                            misure.fault(&error.to_string());
                            break;
                        }
                        misure.ripetuti += 1;
                    }
                }
                quale = (quale + 1) % bersagli.len();
                if bersagli.len() > 1 {
                    connessione = None;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        misure
    }

    /// Notes one answer: a number, or what stood in its place.
    fn note(
        &self,
        misure: &mut Misure,
        inizio: Instant,
        chiave: &str,
        atteso: Option<&str>,
        risposta: &Risposta<'_>,
    ) {
        let Some(protocollo) = risposta.protocollo() else {
            misure.fault(&risposta.summary());
            return;
        };
        misure.latency(inizio.elapsed());
        if atteso.is_some_and(|atteso| atteso != protocollo) {
            misure.fault("another number than the one acknowledged before");
        }
        if risposta.is_ripetizione() {
            misure.ripetizioni += 1;
        }
        if let Some(file) = &self.acked {
            let mut file = file.borrow_mut();
            // Flushed line by line: the file must know what was acknowledged even if this process is killed too.
            if writeln!(file, "{chiave}\t{protocollo}")
                .and_then(|()| file.flush())
                .is_err()
            {
                misure.fault("--acked: cannot write");
            }
        }
        misure.protocolli.push(protocollo.to_owned());
    }

    /// One connection after the other, each with a full handshake and one small exchange.
    async fn handshakes(&self, bersaglio: &Bersaglio) -> Misure {
        let mut misure = Misure::default();
        let mut richiesta = Vec::new();
        bersaglio.post(&self.modello.echo(), &mut richiesta);
        while self.take().is_some() {
            let inizio = Instant::now();
            let mut connessione = None;
            match exchange(bersaglio, &mut connessione, &richiesta).await {
                Ok(risposta) if risposta.status == 200 => misure.latency(inizio.elapsed()),
                Ok(risposta) => misure.fault(&risposta.summary()),
                Err(error) => misure.fault(&error.to_string()),
            }
        }
        misure
    }
}

/// Sends on the kept connection, or on a new one when there is none.
async fn exchange<'c>(
    bersaglio: &Bersaglio,
    connessione: &'c mut Option<Connessione>,
    richiesta: &[u8],
) -> std::io::Result<Risposta<'c>> {
    let aperta = match connessione.take() {
        Some(aperta) if aperta.is_alive() => aperta,
        _ => bersaglio.connect().await?,
    };
    connessione.insert(aperta).exchange(richiesta).await
}
