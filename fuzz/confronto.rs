//! The compiled schema held to the authority: one message read with the tables and without them, and all that comes of
//! either. The fuzz target and the differential tests of `schema` share it: each names `domanda`, `prestazione`, `schema`,
//! `soap` and `xml` where this file looks for them.

use std::cell::RefCell;

use super::domanda::{Istanza, Lettore, Originale};
use super::prestazione::{Prestazione, assegno_temporaneo, assegno_unico};
use super::schema::{Lettura, LetturaError, Schema};
use super::soap::envelope::{Apertura, Envelope};
use super::xml::{Limits, Reader, Token};

/// The prestazioni with a reader that notes what it is told.
static PROVE: [Prestazione; 2] = [
    Prestazione {
        lettore: || Box::new(Taccuino(Vec::new())),
        ..assegno_temporaneo::PRESTAZIONE
    },
    Prestazione {
        lettore: || Box::new(Taccuino(Vec::new())),
        ..assegno_unico::PRESTAZIONE
    },
];

/// The one that stands for a prestazione.
pub(crate) fn prova(prestazione: &Prestazione) -> &'static Prestazione {
    let prova = PROVE.iter().find(|prova| prova.servizio == prestazione.servizio);
    prova.expect("every prestazione has its own")
}

/// A reader of a domanda that notes what it is told.
#[derive(Debug)]
struct Taccuino(Vec<String>);

thread_local! {
    /// What the last domanda's reader was told.
    pub(crate) static TACCUINO: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Lettore for Taccuino {
    fn apri(&mut self, campo: &str) {
        self.0.push(format!("<{campo}"));
    }

    fn valore(&mut self, campo: &str, testo: &str) {
        self.0.push(format!("{campo}={testo}"));
    }

    fn byte(&mut self, campo: &str, byte: Originale) {
        self.0.push(format!("{campo}={}", byte.byte.escape_ascii()));
    }

    fn chiudi(&mut self, campo: &str) {
        self.0.push(format!("{campo}>"));
    }

    fn istanza(self: Box<Self>) -> Option<Istanza> {
        TACCUINO.replace(self.0);
        None
    }
}

/// What came of a reading; beside it, what the reader of the domanda was told.
pub(crate) type Esito = (Result<Lettura, LetturaError>, Vec<String>);

/// Reads a file as everybody may, and what can be read once more for the reader that notes.
pub(crate) fn leggi_file(schema: &Schema, bytes: &[u8]) -> Esito {
    TACCUINO.take();
    let limits = Limits::default();
    let letta = schema.read_file(bytes, &limits);
    if let Ok(lettura) = &letta {
        let richiesta = (prova(lettura.prestazione), lettura.operazione);
        let mut reader = Reader::new(bytes, &limits);
        let principio = reader.checkpoint();
        let busta = matches!(reader.next(), Ok(Token::Start { nome, .. }) if nome.locale == "Envelope");
        let annotata = match Envelope::open(bytes, true, &limits) {
            Ok(Apertura::Aperta(envelope)) if busta => {
                schema.read(richiesta.0, richiesta.1, &envelope, bytes, &limits)
            }
            _ => schema.read_element(richiesta, &principio, bytes, &limits),
        };
        assert_eq!(
            annotata.map(|annotata| annotata.rilievi).as_ref(),
            Ok(&lettura.rilievi)
        );
    }
    (letta, TACCUINO.take())
}

/// Holds the two readings of one message against each other; whether it is valid, and whether the tables said so.
/// `solo_provate`: one that the tables doubted has been before the authority already, and once is enough.
pub(crate) fn confronta(
    schema: &Schema,
    bytes: &[u8],
    dove: &str,
    solo_provate: bool,
    leggi: impl Fn(&Schema, &[u8]) -> Esito,
) -> (bool, bool) {
    let (nostra, detto) = leggi(schema, bytes);
    if let (Ok(nostra), true) = (&nostra, solo_provate)
        && !nostra.provata
    {
        return (nostra.rilievi.is_empty(), false);
    }
    let (sua, suo_detto) = leggi(&schema.by_authority(), bytes);
    let messaggio = || format!("{dove}\n{}", String::from_utf8_lossy(bytes));
    let (nostra, sua) = match (nostra, sua) {
        (Ok(nostra), Ok(sua)) => (nostra, sua),
        (nostra, sua) => {
            assert_eq!(nostra.err(), sua.err(), "{}", messaggio());
            return (false, false);
        }
    };
    assert_eq!(
        nostra.rilievi,
        sua.rilievi,
        "provata: {}\n{}",
        nostra.provata,
        messaggio()
    );
    assert!(!sua.provata && (nostra.rilievi.is_empty() || !nostra.provata));
    assert_eq!(detto, suo_detto, "{}", messaggio());
    let fatti = |lettura: Lettura| {
        (
            lettura.digest,
            lettura.impronta,
            lettura.chiave,
            lettura.contenuto_in_richiesta,
            lettura.campi,
            format!("{:?}", lettura.istanza),
            (lettura.prestazione.servizio, lettura.operazione),
        )
    };
    assert!(nostra.posizioni == sua.posizioni, "{}", messaggio());
    let (provata, valida) = (nostra.provata, sua.rilievi.is_empty());
    assert_eq!(fatti(nostra), fatti(sua), "{}", messaggio());
    (valida, provata)
}
