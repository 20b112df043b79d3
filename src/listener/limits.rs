//! The bounds of the door, each a named number, and the counting of connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the door bounds: connections, heads, and the time that each step may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Connections in all.
    pub connessioni_max: usize,
    /// Connections with the same certificate.
    pub connessioni_per_certificato_max: usize,
    /// From the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its head.
    pub testata: Duration,
    /// Bytes of a head.
    pub testata_bytes_max: usize,
    /// Fields of a head.
    pub testata_campi_max: usize,
    /// From the end of the head to the last byte of the body.
    pub richiesta: Duration,
    /// How long a client may leave an answer unread.
    pub scrittura: Duration,
    /// How long a connection may stay open between two requests.
    pub keep_alive: Duration,
    /// How long answers in flight may take when the service stops.
    pub drain: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connessioni_max: 1024,
            connessioni_per_certificato_max: 64,
            handshake: Duration::from_secs(3),
            testata: Duration::from_secs(5),
            testata_bytes_max: 16 * 1024,
            testata_campi_max: 64,
            richiesta: Duration::from_secs(15),
            scrittura: Duration::from_secs(15),
            keep_alive: Duration::from_mins(1),
            drain: Duration::from_secs(30),
        }
    }
}

/// The connections that are open, in all and by certificate.
#[derive(Debug, Clone, Default)]
pub(super) struct Conteggio(Arc<Mutex<HashMap<String, usize>>>);

/// A place taken; given back when dropped.
#[derive(Debug)]
pub(super) struct Posto {
    di: String,
    conteggio: Conteggio,
}

impl Conteggio {
    /// How many go by this name now.
    pub(super) fn count(&self, nome: &str) -> usize {
        let aperte = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        aperte.get(nome).copied().unwrap_or(0)
    }

    /// A place among at most `limite` that go by the same name.
    pub(super) fn take(&self, nome: &str, limite: usize) -> Option<Posto> {
        // A panic under the lock leaves a map that still counts.
        let mut aperte = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let quante = aperte.entry(nome.to_owned()).or_insert(0);
        if *quante >= limite {
            return None;
        }
        *quante += 1;
        Some(Posto {
            di: nome.to_owned(),
            conteggio: self.clone(),
        })
    }
}

impl Drop for Posto {
    fn drop(&mut self) {
        let mut aperte = self.conteggio.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(quante) = aperte.get_mut(&self.di) {
            *quante -= 1;
            if *quante == 0 {
                aperte.remove(&self.di);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_when_the_connection_ends() {
        let conteggio = Conteggio::default();
        let primo = conteggio.take("a", 2).unwrap();
        let _secondo = conteggio.take("a", 2).unwrap();
        assert!(conteggio.take("a", 2).is_none());
        assert!(conteggio.take("b", 2).is_some());
        drop(primo);
        assert!(conteggio.take("a", 2).is_some());
    }
}
