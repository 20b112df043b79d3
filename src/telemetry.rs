//! What the process says of itself: one line an event, for people or as JSON, on standard error. Nobody's data is in
//! them: personal types mask themselves, and messages are named by their id.

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormato};

/// Begins to speak, as section `log` says. A second call changes nothing.
pub fn init(config: &LogConfig) {
    let filtro = EnvFilter::try_new(&config.livello).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filtro)
        .with_writer(std::io::stderr);
    // An error says that somebody else has begun to speak: a test, or the demo before its gateway.
    let _already = match config.formato {
        LogFormato::Testo => lines.with_ansi(false).try_init(),
        LogFormato::Json => lines.json().flatten_event(true).try_init(),
    };
}
