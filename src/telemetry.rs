//! What the process says of itself: one line an event, for people or as JSON, on standard error. Nobody's data is in
//! them: personal types mask themselves, and messages are named by their id. And one event is one line: what somebody
//! wrote into a name (a certificate's, a header's) cannot begin another.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::OnceLock;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormato};

/// Begins to speak, as section `log` says. A second call changes nothing.
pub fn init(config: &LogConfig) {
    // An error says that somebody else has begun to speak: a test, or the demo before its gateway.
    let (lines, livello) = subscriber(config, io::stderr);
    if lines.try_init().is_ok() {
        // Whoever began to speak first is the one whose level can be changed.
        let _unico = LIVELLO.set(livello);
    }
}

/// Changes the level of who speaks since [`init`]; a level that cannot be read leaves the old one, and says why.
pub fn set_level(livello: &str) -> Result<(), String> {
    let filtro = EnvFilter::try_new(livello).map_err(|causa| format!("log.livello «{livello}»: {causa}"))?;
    match LIVELLO.get() {
        Some(set) => set(filtro),
        None => Err("il log non è di questo processo".to_owned()),
    }
}

/// Puts another filter in place.
type Livello = Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>;

static LIVELLO: OnceLock<Livello> = OnceLock::new();

/// What writes the lines, to wherever `uscita` says.
fn subscriber<W>(config: &LogConfig, uscita: W) -> (Box<dyn Subscriber + Send + Sync>, Livello)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filtro = EnvFilter::try_new(&config.livello).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filtro)
        .with_writer(InRiga(uscita));
    macro_rules! finish {
        ($lines:expr) => {{
            let lines = $lines.with_filter_reloading();
            let handle = lines.reload_handle();
            let set = move |filtro| handle.reload(filtro).map_err(|causa| causa.to_string());
            (Box::new(lines.finish()), Box::new(set))
        }};
    }
    match config.formato {
        LogFormato::Testo => finish!(lines.with_ansi(false)),
        LogFormato::Json => finish!(lines.json().flatten_event(true)),
    }
}

/// Writers that keep an event in its line.
struct InRiga<W>(W);

/// One of them: it is handed an event at a time, whole.
struct Riga<W>(W);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for InRiga<W> {
    type Writer = Riga<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Riga(self.0.make_writer())
    }
}

impl<W: Write> Write for Riga<W> {
    fn write(&mut self, evento: &[u8]) -> io::Result<usize> {
        let (testo, a_capo) = match evento.strip_suffix(b"\n") {
            Some(testo) => (testo, true),
            None => (evento, false),
        };
        match std::str::from_utf8(testo) {
            Ok(detto) if !detto.chars().any(breaks) => self.0.write_all(evento)?,
            _ => {
                let mut riga = String::with_capacity(testo.len() + 16);
                for carattere in String::from_utf8_lossy(testo).chars() {
                    if breaks(carattere) {
                        // As JSON spells it; none of them lies beyond four digits.
                        let _ = write!(riga, "\\u{:04x}", u32::from(carattere));
                    } else {
                        riga.push(carattere);
                    }
                }
                if a_capo {
                    riga.push('\n');
                }
                self.0.write_all(riga.as_bytes())?;
            }
        }
        Ok(evento.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What ends a line, moves the cursor or turns the direction of writing.
fn breaks(carattere: char) -> bool {
    carattere.is_control()
        || matches!(carattere, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;
    use crate::trace::Traccia;

    /// Where lines go, to be looked at.
    #[derive(Clone, Default)]
    pub(crate) struct Quaderno(Arc<Mutex<Vec<u8>>>);

    impl Quaderno {
        /// What was written so far.
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Quaderno {
        fn write(&mut self, byte: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(byte);
            Ok(byte.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written while `f` speaks.
    fn written(formato: LogFormato, f: impl FnOnce()) -> String {
        let quaderno = Quaderno::default();
        let dove = quaderno.clone();
        let config = LogConfig {
            formato,
            ..LogConfig::default()
        };
        tracing::subscriber::with_default(subscriber(&config, move || dove.clone()).0, f);
        quaderno.text()
    }

    /// Strings that want to be more than a name.
    fn hostile() -> impl Strategy<Value = String> {
        let pezzo = prop_oneof![
            Just("\n2026-01-01T00:00:00Z  INFO varco: serving".to_owned()),
            Just("\r\n".to_owned()),
            Just("\u{1b}[2J\u{9b}31m".to_owned()),
            Just("\u{2028}\u{202e}".to_owned()),
            Just("\",\"level\":\"ERROR\"}\n{\"".to_owned()),
            Just("\0\u{7f}\u{85}".to_owned()),
            any::<String>(),
        ];
        prop::collection::vec(pezzo, 1..4).prop_map(|pezzi| pezzi.concat())
    }

    proptest! {
        /// By field, by sentence, by `Debug` or as it is: one event is one line, and JSON stays JSON.
        #[test]
        fn nobody_writes_a_line_of_his_own(nome in hostile()) {
            for formato in [LogFormato::Testo, LogFormato::Json] {
                let scritto = written(formato, || {
                    tracing::info!(soggetto = nome, mostrato = %nome, visto = ?nome, "refused at the door: {nome}");
                });
                let riga = scritto.strip_suffix('\n').unwrap();
                prop_assert!(!riga.chars().any(breaks), "{riga:?}");
                if formato == LogFormato::Json {
                    let letta: serde_json::Value = serde_json::from_str(riga).unwrap();
                    prop_assert_eq!(&letta["level"], "INFO");
                }
            }
        }

        /// Nor does a record whose every field is hostile.
        #[test]
        fn a_message_is_one_line_whatever_its_record_says(nome in hostile()) {
            let di = || Some(nome.clone());
            let traccia = Traccia {
                canale: nome.clone(),
                certificato_soggetto: nome.clone(),
                certificato_seriale: nome.clone(),
                tls: nome.clone(),
                ente: di(),
                user_id: di(),
                codice_ufficio: di(),
                uri: nome.clone(),
                servizio: di(),
                operazione: di(),
                azione: di(),
                id_mittente: di(),
                id_transazione: di(),
                chiave_invio: di(),
                esito: nome.clone(),
                codice: di(),
                codici: vec![nome.clone(); 2],
                ..Traccia::default()
            };
            for formato in [LogFormato::Testo, LogFormato::Json] {
                let scritto = written(formato, || crate::trace::tell(&traccia));
                let riga = scritto.strip_suffix('\n').unwrap();
                prop_assert!(!riga.chars().any(breaks), "{riga:?}");
                if formato == LogFormato::Json {
                    let letta: serde_json::Value = serde_json::from_str(riga).unwrap();
                    prop_assert_eq!(&letta["message"], "message");
                }
            }
        }
    }

    #[test]
    fn the_level_changes_while_somebody_speaks() {
        let quaderno = Quaderno::default();
        let dove = quaderno.clone();
        let (lines, set) = subscriber(&LogConfig::default(), move || dove.clone());
        tracing::subscriber::with_default(lines, || {
            tracing::debug!("prima");
            set(EnvFilter::new("debug")).unwrap();
            tracing::debug!("durante");
            set(EnvFilter::new("info")).unwrap();
            tracing::debug!("dopo");
        });
        let scritto = String::from_utf8(quaderno.0.lock().unwrap().clone()).unwrap();
        assert!(scritto.contains("durante"), "{scritto}");
        assert_eq!(scritto.lines().count(), 1, "{scritto}");
    }

    #[test]
    fn a_line_has_nothing_of_a_person() {
        let traccia = Traccia {
            canale: "MODI".to_owned(),
            ente: Some("PAT01".to_owned()),
            operazione: Some("InviaDomanda".to_owned()),
            esito: "REGISTRATA".to_owned(),
            user_id: Some("RSSMRA80A01H501U".to_owned()),
            chiave_invio: Some("RSSMRA80A01H501U-1".to_owned()),
            id_mittente: Some("RSSMRA80A01H501U".to_owned()),
            azione: Some("RSSMRA80A01H501U".to_owned()),
            uri: "POST /RSSMRA80A01H501U".to_owned(),
            certificato_soggetto: "CN=RSSMRA80A01H501U".to_owned(),
            ..Traccia::default()
        };
        let scritto = written(LogFormato::Json, || crate::trace::tell(&traccia));
        let letta: serde_json::Value = serde_json::from_str(&scritto).unwrap();
        assert_eq!(letta["ente"], "PAT01");
        assert_eq!(letta["operazione"], "InviaDomanda");
        assert_eq!(letta["esito"], "REGISTRATA");
        assert!(!scritto.contains("RSSMRA"), "{scritto}");
    }
}
