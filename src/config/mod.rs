//! The configuration: one `varco.toml`, overridden by the environment (`VARCO_LISTENER__INDIRIZZO=…`: sections and
//! keys in capitals, two underscores between them).
//!
//! Every key is known by name, has a default and a type; an unknown key is refused with the nearest known one, a
//! wrong value with what was expected, all at once, each at its line or variable. Of every value it is known where it
//! comes from, so that `varco check` can say it. Relative paths are relative to the file, wherever they were written.

mod chiavi;
mod valore;

use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use toml::de::DeTable;

use crate::adesione::documento::{Documento, nearest};
pub use crate::adesione::documento::{Errore, FileErrato};
use crate::console::ConsoleConfig;
use crate::domanda::Ambiente;
use crate::egov::Dominio;
use crate::intake::lotto::LottiConfig;
use crate::intake::porta::PddConfig;
use crate::listener::prova::ProvaConfig;
use crate::listener::salute::SaluteConfig;
use crate::listener::{Bounds, ListenerConfig, TlsConfig};
use crate::manutenzione::ManutenzioneConfig;
use crate::soap::mtom;
use crate::spazio::SpazioConfig;
use crate::spazio::conservazione::ConservazioneConfig;
use crate::store::ancore::AncoreConfig;
use crate::store::spazio::Regola;
use crate::store::writer::WriterConfig;
use crate::store::{DatabaseConfig, StoreUrl};
use crate::trace::otlp::TelemetriaConfig;
use crate::trace::writer::TraceConfig;
use crate::xml;
use chiavi::{CHIAVI, set, show};
use valore::Grezzo;

/// The whole configuration, typed. Each section says what its keys do in docs/varco.sample.toml.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Which environment this is; the store remembers it.
    pub ambiente: Ambiente,
    /// Where things are kept.
    pub store: StoreUrl,
    /// How the store's connections are used.
    pub database: DatabaseConfig,
    /// The file of the enti.
    pub adesioni: PathBuf,
    /// Where to listen.
    pub listener: ListenerConfig,
    /// Where a load balancer asks.
    pub salute: SaluteConfig,
    /// The pages for who runs it.
    pub console: ConsoleConfig,
    /// The files of TLS.
    pub tls: TlsConfig,
    /// Every bound.
    pub limits: Limits,
    /// Lots.
    pub lotti: LottiConfig,
    /// How the header Identity is taken.
    pub identity: IdentityConfig,
    /// Our own porta di dominio.
    pub pdd: PddConfig,
    /// The business clock.
    pub orologio: OrologioConfig,
    /// What is remembered of each message.
    pub trace: TraceConfig,
    /// The file of the key by which the trace finds persons; `None` = it finds none.
    pub chiave_ricerca: Option<PathBuf>,
    /// Who is told of each message.
    pub telemetria: TelemetriaConfig,
    /// The writer of the register.
    pub writer: WriterConfig,
    /// Who is told why they are refused.
    pub porta_di_prova: ProvaConfig,
    /// How much room is little.
    pub spazio: SpazioConfig,
    /// How orders of maintenance are looked at.
    pub manutenzione: ManutenzioneConfig,
    /// How long what is kept.
    pub conservazione: ConservazioneConfig,
    /// Whose register it is.
    pub registro: RegistroConfig,
    /// What the process says of itself.
    pub log: LogConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ambiente: Ambiente::Sandbox,
            store: StoreUrl::Sqlite("store.db".into()),
            database: DatabaseConfig::default(),
            adesioni: "adesioni.toml".into(),
            listener: ListenerConfig::default(),
            salute: SaluteConfig::default(),
            console: ConsoleConfig::default(),
            tls: TlsConfig::default(),
            limits: Limits::default(),
            lotti: LottiConfig::default(),
            identity: IdentityConfig::default(),
            pdd: PddConfig::default(),
            orologio: OrologioConfig::default(),
            trace: TraceConfig::default(),
            chiave_ricerca: Some("chiave-ricerca.key".into()),
            telemetria: TelemetriaConfig::default(),
            writer: WriterConfig::default(),
            porta_di_prova: ProvaConfig::default(),
            spazio: SpazioConfig::default(),
            manutenzione: ManutenzioneConfig::default(),
            conservazione: ConservazioneConfig::default(),
            registro: RegistroConfig::default(),
            log: LogConfig::default(),
        }
    }
}

/// Section `limits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The door's.
    pub porta: Bounds,
    /// Bytes of one message.
    pub messaggio_bytes_max: usize,
    /// Bytes of all messages in memory together; over it, `ACC-009`.
    pub messaggi_in_memoria_bytes_max: usize,
    /// Acts of a second parent that match no sheet, of one ente in an hour; over it, `SEC-003`.
    pub secondo_genitore_errori_max: usize,
    /// Bytes of one document.
    pub allegato_bytes_max: usize,
    /// Of a message in parts.
    pub mtom: mtom::Limits,
    /// The reader's.
    pub xml: xml::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            porta: Bounds::default(),
            messaggio_bytes_max: 10 * 1024 * 1024,
            messaggi_in_memoria_bytes_max: 64 * 1024 * 1024,
            secondo_genitore_errori_max: 20,
            allegato_bytes_max: 5 * 1024 * 1024,
            mtom: mtom::Limits::default(),
            xml: xml::Limits::default(),
        }
    }
}

/// How the header Identity is taken from an ente that says nothing of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdentityMode {
    /// All known forms, with a warning for all but the published one.
    #[default]
    Lenient,
    /// The published form alone.
    Strict,
}

/// Section `identity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IdentityConfig {
    /// The mode.
    pub mode: IdentityMode,
}

/// Section `orologio`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrologioConfig {
    /// Where the business clock starts when the store is new; refused in produzione.
    pub inizio: Option<Timestamp>,
}

/// Section `registro`: what a segnatura says of the administration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistroConfig {
    /// IPA code of the administration.
    pub codice_amministrazione: Option<String>,
    /// IPA code of the homogeneous organisational area.
    pub codice_aoo: Option<String>,
    /// Entry of the classification scheme in which domande stand.
    pub classifica: Option<String>,
    /// Where it is written which numbers were told.
    pub ancore: AncoreConfig,
    /// The private key that signs the document of a day; `None` = it is kept without a signature.
    pub firma: Option<PathBuf>,
}

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormato {
    /// For people.
    #[default]
    Testo,
    /// One JSON object a line.
    Json,
}

/// Section `log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// How lines look.
    pub formato: LogFormato,
    /// Which lines: `info`, or by target as `tracing` reads it (`info,varco::listener=debug`).
    pub livello: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            formato: LogFormato::default(),
            // The dispatcher logs as an error what is only a client's bad request; the door log has it.
            livello: "info,actix_http=off,actix_server=warn".to_owned(),
        }
    }
}

/// Where settings come from beside the file: the process, or a test's own list.
pub trait Strings {
    /// Every name and value.
    fn all(&self) -> Vec<(String, String)>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Processo;

impl Strings for Processo {
    fn all(&self) -> Vec<(String, String)> {
        // A variable that is not UTF-8 cannot be one of ours.
        std::env::vars_os()
            .filter_map(|(nome, valore)| Some((nome.into_string().ok()?, valore.into_string().ok()?)))
            .collect()
    }
}

impl Strings for Vec<(String, String)> {
    fn all(&self) -> Vec<(String, String)> {
        self.clone()
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fonte {
    /// Nobody set it.
    Predefinito,
    /// A line of the file.
    File {
        /// Name of the file.
        file: String,
        /// The line.
        riga: usize,
    },
    /// A variable of the environment.
    Variabile(String),
}

impl fmt::Display for Fonte {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Predefinito => f.write_str("predefinito"),
            Self::File { file, riga } => write!(f, "{file}:{riga}"),
            Self::Variabile(nome) => f.write_str(nome),
        }
    }
}

/// One value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voce {
    /// Its key: `listener.indirizzo`.
    pub chiave: &'static str,
    /// Its value, as it may be shown.
    pub valore: String,
    /// Who set it.
    pub fonte: Fonte,
}

impl fmt::Display for Voce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}   ({})", self.chiave, self.valore, self.fonte)
    }
}

/// The configuration in force, and where each value comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// The values.
    pub config: Config,
    /// The file that was read.
    pub file: PathBuf,
    /// Every key in the order of the sample, with its value and its source.
    pub voci: Vec<Voce>,
}

impl Config {
    /// Reads the file and the environment over it.
    pub fn load(file: &Path, ambiente: &dyn Strings) -> Result<Effective, FileErrato> {
        let testo = std::fs::read_to_string(file).map_err(|causa| FileErrato::unreadable(file, &causa))?;
        Self::parse(&testo, file, ambiente)
    }

    /// The same from the file's text; `file` names it, and is where relative paths start.
    pub fn parse(testo: &str, file: &Path, ambiente: &dyn Strings) -> Result<Effective, FileErrato> {
        let mut lettura = Lettura {
            config: Self::default(),
            nome: file
                .file_name()
                .map_or_else(String::new, |nome| nome.to_string_lossy().into_owned()),
            fonti: CHIAVI.iter().map(|_| Fonte::Predefinito).collect(),
        };
        let (mut documento, tabella) = Documento::open(testo);
        lettura.table(&mut documento, "", tabella.get_ref());
        lettura.environment(&mut documento, ambiente);
        if documento.errori.is_empty() {
            lettura.check(&mut documento);
        }
        if !documento.errori.is_empty() {
            return Err(FileErrato::new(file, documento.errori));
        }
        let Lettura {
            mut config, fonti, ..
        } = lettura;
        config.resolve(file.parent().unwrap_or_else(|| Path::new("")));
        let voci = CHIAVI
            .iter()
            .zip(fonti)
            .map(|(chiave, fonte)| Voce {
                chiave,
                valore: show(&config, chiave),
                fonte,
            })
            .collect();
        Ok(Effective {
            config,
            file: file.to_owned(),
            voci,
        })
    }

    /// Makes relative paths start at the file's directory.
    fn resolve(&mut self, cartella: &Path) {
        match &mut self.store {
            StoreUrl::Sqlite(store) => *store = cartella.join(&*store),
            StoreUrl::Postgres(url) => *url = url.with_files_from(cartella),
        }
        let tls = &mut self.tls;
        let percorsi = [
            &mut self.adesioni,
            &mut self.registro.ancore.cartella,
            &mut tls.certificato,
            &mut tls.chiave,
            &mut tls.ca,
        ];
        let console = &mut self.console;
        let della_console = [&mut console.certificato, &mut console.chiave, &mut console.ca];
        let facoltativi = della_console
            .into_iter()
            .flatten()
            .chain(&mut tls.crl)
            .chain(&mut self.registro.firma)
            .chain(&mut self.registro.ancore.giornalieri.cartella)
            .chain(&mut self.registro.ancore.giornalieri.chiave)
            .chain(&mut self.chiave_ricerca)
            .chain(&mut self.spazio.database_cartella);
        for percorso in percorsi.into_iter().chain(facoltativi) {
            *percorso = cartella.join(&*percorso);
        }
    }
}

/// A configuration being read.
struct Lettura {
    config: Config,
    nome: String,
    /// Beside [`CHIAVI`], place by place.
    fonti: Vec<Fonte>,
}

impl Lettura {
    /// Takes every key of a table; `dove` is its path, with a dot at the end.
    fn table(&mut self, documento: &mut Documento<'_>, dove: &str, tabella: &DeTable<'_>) {
        let note = children(dove);
        documento.refuse_unknown(dove, tabella, &note);
        for (chiave, valore) in tabella {
            let completa = format!("{dove}{}", chiave.get_ref());
            let riga = documento.riga(chiave.span().start);
            let sezione = !children(&format!("{completa}.")).is_empty();
            match (sezione, valore.get_ref().as_table()) {
                (true, Some(figlia)) => self.table(documento, &format!("{completa}."), figlia),
                (true, None) => {
                    documento.tell(riga, format!("{completa}: è una sezione, si scrive [{completa}]"));
                }
                (false, _) => {
                    if let Some(posto) = CHIAVI.iter().position(|nota| *nota == completa) {
                        let fonte = Fonte::File {
                            file: self.nome.clone(),
                            riga,
                        };
                        let messo = self.put(posto, &Grezzo::of(valore.get_ref()), fonte);
                        if let Err(atteso) = messo {
                            documento.tell(riga, format!("{completa}: atteso {atteso}"));
                        }
                    }
                }
            }
        }
    }

    fn environment(&mut self, documento: &mut Documento<'_>, ambiente: &dyn Strings) {
        let note: Vec<String> = CHIAVI.iter().map(|chiave| variable(chiave)).collect();
        let note: Vec<&str> = note.iter().map(String::as_str).collect();
        for (nome, valore) in ambiente.all() {
            let Some(corto) = nome.strip_prefix(PREFISSO) else {
                continue;
            };
            if let Some(posto) = note.iter().position(|nota| *nota == corto) {
                let grezzo = Grezzo::Variabile(valore);
                if let Err(atteso) = self.put(posto, &grezzo, Fonte::Variabile(nome.clone())) {
                    documento.tell(0, format!("variabile {nome}: atteso {atteso}"));
                }
                continue;
            }
            // Others may have variables of their own that begin so; one that looks like a key is a slip.
            match nearest(corto, &note) {
                Some(vicina) => documento.tell(
                    0,
                    format!("variabile «{nome}» sconosciuta: forse «{PREFISSO}{vicina}»?"),
                ),
                None if corto.contains("__") => documento.tell(0, format!("variabile «{nome}» sconosciuta")),
                None => {}
            }
        }
    }

    fn put(&mut self, posto: usize, grezzo: &Grezzo, fonte: Fonte) -> Result<(), &'static str> {
        set(&mut self.config, CHIAVI[posto], grezzo)?;
        self.fonti[posto] = fonte;
        Ok(())
    }

    /// What no single value can tell.
    fn check(&self, documento: &mut Documento<'_>) {
        let Config {
            ambiente,
            listener,
            limits,
            orologio,
            database,
            pdd,
            trace,
            spazio,
            conservazione,
            console,
            porta_di_prova,
            ..
        } = &self.config;
        let pubblico = &listener.indirizzo_pubblico;
        let regole = [
            (
                *ambiente != Ambiente::Produzione || orologio.inizio.is_none(),
                "orologio.inizio",
                "in produzione l'orologio non si sposta: togliere la riga",
            ),
            (
                pubblico.starts_with("https://")
                    && !pubblico.ends_with('/')
                    && !pubblico.contains(char::is_whitespace),
                "listener.indirizzo_pubblico",
                "atteso https://nome[:porta], senza barra finale",
            ),
            (
                Dominio::new(&pdd.nome, &pdd.porta).is_ok(),
                "pdd.nome",
                "pdd.nome e pdd.porta: solo lettere e cifre (sono parte di ogni Identificatore)",
            ),
            (
                (1..=365 * 24 * 60).contains(&pdd.finestra_minuti),
                "pdd.finestra_minuti",
                "da un minuto a un anno",
            ),
            (
                *ambiente != Ambiente::Produzione || porta_di_prova.indirizzo.is_none(),
                "porta_di_prova.indirizzo",
                "in produzione non c'è porta di prova: togliere la riga",
            ),
            (
                (1..=1024).contains(&porta_di_prova.connessioni_max),
                "porta_di_prova.connessioni_max",
                "da 1 a 1024",
            ),
            (listener.workers <= 512, "listener.workers", "al massimo 512"),
            (
                (1..=256).contains(&database.connessioni),
                "database.connessioni",
                "da 1 a 256",
            ),
            (
                (1..=10_000).contains(&trace.sigillo_righe),
                "trace.sigillo_righe",
                "da 1 a 10000",
            ),
            (
                console.certificato.is_some() == console.chiave.is_some(),
                "console.certificato",
                "console.certificato e console.chiave vanno insieme",
            ),
            (
                console.certificato.is_some() || console.indirizzo.is_none_or(|dove| dove.ip().is_loopback()),
                "console.indirizzo",
                "fuori da questa macchina la console ascolta solo con TLS: servono console.certificato e console.chiave",
            ),
            (
                console.ca.is_none() || console.certificato.is_some(),
                "console.ca",
                "senza console.certificato nessuno può mostrare un certificato",
            ),
            (
                console.inattivita <= console.sessione,
                "console.inattivita_s",
                "non può superare console.sessione_s",
            ),
            (
                console.blocco <= console.blocco_massimo,
                "console.blocco_s",
                "non può superare console.blocco_massimo_s",
            ),
            (
                (1..=64).contains(&console.password_insieme),
                "console.password_insieme",
                "da 1 a 64",
            ),
            (
                (1..=1000).contains(&console.tentativi),
                "console.tentativi",
                "da 1 a 1000",
            ),
            (
                (1024..=1024 * 1024).contains(&console.modulo_bytes_max),
                "console.modulo_bytes_max",
                "da 1024 a 1048576",
            ),
            (
                (1..=1024).contains(&console.connessioni_max),
                "console.connessioni_max",
                "da 1 a 1024",
            ),
            (
                console.campione.as_secs() >= 1,
                "console.campione_s",
                "almeno un secondo",
            ),
            (
                limits.porta.testata_bytes_max <= 64 * 1024,
                "limits.testata_bytes_max",
                "al massimo 65536",
            ),
            (
                limits.porta.testata_campi_max <= 96,
                "limits.testata_campi_max",
                "al massimo 96",
            ),
            (
                limits.messaggi_in_memoria_bytes_max >= limits.messaggio_bytes_max,
                "limits.messaggi_in_memoria_bytes_max",
                "deve bastare almeno per un messaggio (limits.messaggio_bytes_max)",
            ),
            (
                limits.allegato_bytes_max <= limits.messaggio_bytes_max,
                "limits.allegato_bytes_max",
                "un documento sta in un messaggio (limits.messaggio_bytes_max)",
            ),
            (
                limits.porta.connessioni_per_certificato_max <= limits.porta.connessioni_max,
                "limits.connessioni_per_certificato_max",
                "non può superare limits.connessioni_max",
            ),
            (
                spazio.soglie.stretto_percento <= 100 && spazio.soglie.isteresi_percento <= 100,
                "spazio.stretto_percento",
                "spazio.stretto_percento e spazio.isteresi_percento: al massimo 100",
            ),
            (
                spazio.soglie.critico_bytes <= spazio.soglie.stretto_bytes
                    && spazio.soglie.critico_percento <= spazio.soglie.stretto_percento,
                "spazio.critico_bytes",
                "le soglie critico non superano le soglie stretto: i lotti si rifiutano per primi",
            ),
            (
                Regola::TUTTE.into_iter().all(|regola| {
                    let termine = conservazione.termine(regola);
                    termine == 0 || termine >= ConservazioneConfig::termine_minimo(regola)
                }),
                "conservazione.richieste_anni",
                "termini della sezione [conservazione]: 0 (per sempre), oppure almeno 1 anno per le richieste, 31 giorni per \
                 tracce e variazioni, 8 per byte delle tracce e porta",
            ),
            (
                conservazione.tracce_giorni == 0
                    || (1..=conservazione.tracce_giorni).contains(&conservazione.tracce_byte_giorni),
                "conservazione.tracce_byte_giorni",
                "i byte di una traccia non durano più della traccia (conservazione.tracce_giorni)",
            ),
            (
                conservazione.richieste_anni <= 1000
                    && Regola::TUTTE
                        .into_iter()
                        .all(|regola| conservazione.termine(regola) <= 365_000),
                "conservazione.tracce_giorni",
                "termini della sezione [conservazione]: al massimo mille anni",
            ),
        ];
        for (vale, chiave, testo) in regole {
            if !vale {
                let posto = CHIAVI.iter().position(|nota| *nota == chiave);
                match posto.map(|posto| &self.fonti[posto]) {
                    Some(Fonte::File { riga, .. }) => documento.tell(*riga, format!("{chiave}: {testo}")),
                    Some(Fonte::Variabile(nome)) => documento.tell(0, format!("variabile {nome}: {testo}")),
                    Some(Fonte::Predefinito) | None => documento.tell(0, format!("{chiave}: {testo}")),
                }
            }
        }
    }
}

/// The names that may stand in the table `dove` (with its dot), keys and sections.
fn children(dove: &str) -> Vec<&'static str> {
    let mut nomi: Vec<&str> = CHIAVI
        .iter()
        .filter_map(|chiave| chiave.strip_prefix(dove)?.split('.').next())
        .collect();
    nomi.dedup();
    nomi
}

/// How the variables begin that are ours.
const PREFISSO: &str = "VARCO_";

/// The variable that overrides a key, without prefix: `listener.indirizzo` → `LISTENER__INDIRIZZO`.
fn variable(chiave: &str) -> String {
    chiave.replace('.', "__").to_ascii_uppercase()
}

#[cfg(test)]
mod tests;
