//! What was measured, and how it is told.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::json;

use crate::Args;

/// What one connection (then: all of them) saw.
#[derive(Debug, Default)]
pub(crate) struct Misure {
    latenze_us: Vec<u32>,
    /// Every number that was given.
    pub(crate) protocolli: Vec<String>,
    /// Answers that said `Ripetizione`.
    pub(crate) ripetizioni: u64,
    /// How often a message was sent again.
    pub(crate) ripetuti: u64,
    errori: BTreeMap<String, u64>,
}

impl Misure {
    /// One answer of the kind that was hoped for took so long.
    pub(crate) fn latency(&mut self, durata: Duration) {
        self.latenze_us
            .push(u32::try_from(durata.as_micros()).unwrap_or(u32::MAX));
    }

    /// Something else happened.
    pub(crate) fn fault(&mut self, cosa: &str) {
        *self.errori.entry(cosa.to_owned()).or_default() += 1;
    }

    /// Takes in what another connection saw.
    pub(crate) fn add(&mut self, altre: Self) {
        self.latenze_us.extend(altre.latenze_us);
        self.protocolli.extend(altre.protocolli);
        self.ripetizioni += altre.ripetizioni;
        self.ripetuti += altre.ripetuti;
        for (cosa, volte) in altre.errori {
            *self.errori.entry(cosa).or_default() += volte;
        }
    }
}

/// What `/proc` tells of the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Processo {
    cpu_s: f64,
    rss_kib: u64,
    rss_max_kib: u64,
}

impl Processo {
    /// A look at a process; `None` when there is none.
    pub(crate) fn read(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kib = |nome: &str| {
            let riga = status.lines().find_map(|riga| riga.strip_prefix(nome))?;
            riga.trim().strip_suffix(" kB")?.trim().parse().ok()
        };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // After the command in parentheses, fields 14 and 15 of proc(5): ticks of a hundredth of a second.
        let campi: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let ticks: f64 = campi.get(11)?.parse::<f64>().ok()? + campi.get(12)?.parse::<f64>().ok()?;
        Some(Self {
            cpu_s: ticks / 100.0,
            rss_kib: kib("VmRSS:")?,
            rss_max_kib: kib("VmHWM:")?,
        })
    }

    /// The same look, with the CPU time since `prima`.
    pub(crate) fn since(self, prima: &Self) -> Self {
        Self {
            cpu_s: self.cpu_s - prima.cpu_s,
            ..self
        }
    }
}

/// The report.
#[derive(Debug)]
pub(crate) struct Rapporto {
    modo: &'static str,
    /// Whether we are the only sender.
    soli: bool,
    connessioni: usize,
    durata: Duration,
    risposte: usize,
    per_secondo: f64,
    min_us: u32,
    p50_us: u32,
    p90_us: u32,
    p99_us: u32,
    max_us: u32,
    ripetizioni: u64,
    ripetuti: u64,
    numeri: Option<Numeri>,
    errori: BTreeMap<String, u64>,
    processo: Option<Processo>,
}

/// What the numbers say about the register.
#[derive(Debug)]
struct Numeri {
    primo: String,
    ultimo: String,
    doppi: usize,
    mancanti: u64,
}

impl Rapporto {
    /// Sums up.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub(crate) fn new(args: &Args, mut misure: Misure, durata: Duration, processo: Option<Processo>) -> Self {
        misure.latenze_us.sort_unstable();
        let latenze = &misure.latenze_us;
        let percentile = |cento: usize| {
            latenze
                .get((latenze.len() * cento / 100).min(latenze.len().saturating_sub(1)))
                .copied()
                .unwrap_or(0)
        };
        Self {
            modo: match (args.handshakes, &args.verify, args.retry) {
                (true, ..) => "handshakes",
                (_, Some(_), _) => "verify",
                _ if args.consulta.is_some() => "consulta",
                (.., true) => "retry",
                (.., false) => "load",
            },
            soli: !args.shared && args.verify.is_none(),
            connessioni: args.connections,
            durata,
            risposte: latenze.len(),
            per_secondo: latenze.len() as f64 / durata.as_secs_f64(),
            min_us: percentile(0),
            p50_us: percentile(50),
            p90_us: percentile(90),
            p99_us: percentile(99),
            max_us: percentile(100),
            ripetizioni: misure.ripetizioni,
            ripetuti: misure.ripetuti,
            // The numbers that a look-up is told are those that it asked for, again and again.
            numeri: args
                .consulta
                .is_none()
                .then(|| Numeri::of(misure.protocolli))
                .flatten(),
            errori: misure.errori,
            processo,
        }
    }

    /// Whether nothing went wrong. Between the first and the last number that we were given none may be missing,
    /// unless others send too, or an old file is verified.
    pub(crate) fn all_well(&self) -> bool {
        let numeri_ok = self
            .numeri
            .as_ref()
            .is_none_or(|numeri| numeri.doppi == 0 && (numeri.mancanti == 0 || !self.soli));
        self.errori.is_empty() && numeri_ok
    }

    /// For machines.
    pub(crate) fn json(&self) -> String {
        let testo = json!({
            "modo": self.modo,
            "connessioni": self.connessioni,
            "secondi": self.durata.as_secs_f64(),
            "risposte": self.risposte,
            "al_secondo": self.per_secondo,
            "min_us": self.min_us,
            "p50_us": self.p50_us,
            "p90_us": self.p90_us,
            "p99_us": self.p99_us,
            "max_us": self.max_us,
            "ripetizioni": self.ripetizioni,
            "inviati_di_nuovo": self.ripetuti,
            "numeri": self.numeri.as_ref().map(|numeri| json!({
                "primo": numeri.primo,
                "ultimo": numeri.ultimo,
                "doppi": numeri.doppi,
                "mancanti": numeri.mancanti,
            })),
            "errori": self.errori,
            "processo": self.processo.as_ref().map(|processo| json!({
                "cpu_s": processo.cpu_s,
                "rss_kib": processo.rss_kib,
                "rss_max_kib": processo.rss_max_kib,
            })),
        });
        format!("{testo:#}\n")
    }
}

impl Numeri {
    fn of(mut protocolli: Vec<String>) -> Option<Self> {
        protocolli.sort_unstable();
        let quanti = protocolli.len();
        protocolli.dedup();
        let (primo, ultimo) = (protocolli.first()?.clone(), protocolli.last()?.clone());
        let numero = |protocollo: &str| {
            protocollo
                .rsplit_once('-')
                .and_then(|(_, numero)| numero.parse::<u64>().ok())
        };
        let tratto = numero(&ultimo)? + 1 - numero(&primo)?;
        Some(Self {
            primo,
            ultimo,
            doppi: quanti - protocolli.len(),
            mancanti: tratto.saturating_sub(protocolli.len() as u64),
        })
    }
}

impl fmt::Display for Rapporto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |us: u32| f64::from(us) / 1000.0;
        writeln!(
            f,
            "{}: {} answers in {:.1} s from {} connections: {:.0}/s",
            self.modo,
            self.risposte,
            self.durata.as_secs_f64(),
            self.connessioni,
            self.per_secondo
        )?;
        writeln!(
            f,
            "latency ms: p50 {:.2}  p90 {:.2}  p99 {:.2}  max {:.2}",
            ms(self.p50_us),
            ms(self.p90_us),
            ms(self.p99_us),
            ms(self.max_us)
        )?;
        if let Some(numeri) = &self.numeri {
            writeln!(
                f,
                "numbers: {} … {}, {} twice, {} in between not given to us",
                numeri.primo, numeri.ultimo, numeri.doppi, numeri.mancanti
            )?;
        }
        if self.ripetizioni + self.ripetuti > 0 {
            writeln!(
                f,
                "sent again: {}; answered with Ripetizione: {}",
                self.ripetuti, self.ripetizioni
            )?;
        }
        if let Some(processo) = &self.processo {
            writeln!(
                f,
                "gateway: {:.2} s of CPU, RSS {} MiB (highest {} MiB)",
                processo.cpu_s,
                processo.rss_kib / 1024,
                processo.rss_max_kib / 1024
            )?;
        }
        for (cosa, volte) in &self.errori {
            writeln!(f, "error: {cosa} × {volte}")?;
        }
        Ok(())
    }
}
