//! What is searched for among the traces, and where a page of them was left. Every criterion has a name and one spelling,
//! by which the command line, the console and the saved filters mean the same.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::Traccia;
use super::persona::Persona;
use crate::domanda::cursore::{Elenco, Legame};
use crate::domanda::elenco::Pagina;
use crate::protocollo::{NumeroCercato, roma};

/// What to look for among the traces; every field that is set must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ricerca {
    /// Protocol number, or what is remembered of it.
    pub protocollo: Option<NumeroCercato>,
    /// Number of the domanda.
    pub numero_domanda: Option<u64>,
    /// Our message id.
    pub message_id: Option<Uuid>,
    /// The sender's own message id, or its transaction id; of a busta also the Identificatore that we answered with.
    pub id_mittente: Option<String>,
    /// The sender's key.
    pub chiave_invio: Option<String>,
    /// A lot: the message that brought it, and those of its items that were registered.
    pub lotto: Option<Uuid>,
    /// Who is named in the request, or has a part in the domanda that it was about.
    pub persona: Option<Persona>,
    /// The ente.
    pub ente: Option<String>,
    /// The ufficio.
    pub codice_ufficio: Option<String>,
    /// The operator.
    pub user_id: Option<String>,
    /// The channel: `MODI`, `PDD`, `LOTTO`, `CLI`.
    pub canale: Option<String>,
    /// The service.
    pub servizio: Option<String>,
    /// The operation.
    pub operazione: Option<String>,
    /// The outcome.
    pub esito: Option<String>,
    /// An error code, be it the first or not.
    pub codice: Option<String>,
    /// Serial number of the certificate, or a part of its subject, whatever the case.
    pub certificato: Option<String>,
    /// Where from: one address, or a network.
    pub indirizzo: Option<IpNet>,
    /// From this instant on.
    pub dal: Option<Timestamp>,
    /// Up to and without this instant.
    pub al: Option<Timestamp>,
    /// After this place, in the order of the list.
    pub dopo: Option<Posto>,
    /// At most so many, newest first; 0 = [`LIMITE_RICERCA`].
    pub limite: u32,
    /// Leave the bytes of request and answer out: a list needs none, and a page of them may be long.
    pub senza_byte: bool,
}

/// How many traces are found when nothing else is asked for.
pub const LIMITE_RICERCA: u32 = 100;

/// Where a list of traces was left. Which trace it is only its store knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posto {
    /// When it was received, to the millisecond.
    pub ricevuto_il: Timestamp,
    /// What orders the traces of one millisecond.
    pub id: u128,
}

/// A page of traces, newest first. What is searched for by several criteria may be rare in what each alone finds: then a
/// page has few rows, or none, and yet goes on.
pub type PaginaTracce = Pagina<Traccia, Option<Posto>>;

/// A text that is no value of its criterion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{nome}: {atteso}")]
pub struct CriterioErrato {
    /// Name of the criterion.
    pub nome: String,
    /// What was expected.
    pub atteso: &'static str,
}

/// One criterion: its name, its value as text, and back.
struct Criterio {
    nome: &'static str,
    atteso: &'static str,
    tell: fn(&Ricerca) -> Option<String>,
    read: fn(&mut Ricerca, &str) -> Option<()>,
}

macro_rules! criteri {
    ($($campo:ident, $atteso:literal, $read:expr;)*) => {
        [$(Criterio {
            nome: stringify!($campo),
            atteso: $atteso,
            tell: |ricerca| ricerca.$campo.as_ref().map(ToString::to_string),
            read: |ricerca, testo| {
                ricerca.$campo = Some($read(testo)?);
                Some(())
            },
        },)*]
    };
}

/// Every criterion but the person: what is told of a search must name nobody.
const CRITERI: [Criterio; 18] = criteri! {
    protocollo, "atteso un numero di protocollo, anche solo il progressivo: 0001234, 2026-0001234", parsed;
    numero_domanda, "atteso un numero di domanda", parsed;
    message_id, "atteso un IdMessaggio (UUID)", parsed;
    id_mittente, "atteso un identificativo", testo;
    chiave_invio, "attesa una ChiaveInvio", testo;
    lotto, "atteso l'identificativo di un lotto (UUID)", parsed;
    ente, "atteso il codice di un ente", testo;
    codice_ufficio, "atteso il codice di un ufficio", testo;
    user_id, "atteso uno UserId", testo;
    canale, "atteso un canale: MODI, PDD, LOTTO, CLI", maiuscolo;
    servizio, "atteso il nome di un servizio", testo;
    operazione, "atteso il nome di un'operazione", testo;
    esito, "atteso un esito: REGISTRATA, RIPETUTA, RIFIUTATA, AMMISSIBILE, ACCOLTO, RISPOSTA, FAULT, INTERROTTA", maiuscolo;
    codice, "atteso un codice di errore, come CF-002", maiuscolo;
    certificato, "atteso un numero di serie, o una parte del soggetto", testo;
    indirizzo, "atteso un indirizzo (192.0.2.7) o una rete (192.0.2.0/24)", rete;
    dal, "attesa una data (2021-07-15) o un istante (2021-07-15T10:00:00Z)", istante;
    al, "attesa una data (2021-07-15) o un istante (2021-07-15T10:00:00Z)", istante;
};

/// Longest value of a criterion: more than any column of a trace that is searched by holds.
const VALORE_BYTES_MAX: usize = 1024;

fn parsed<V: std::str::FromStr>(testo: &str) -> Option<V> {
    testo.parse().ok()
}

/// A text as it is: not empty, and nothing that no column can hold.
fn testo(testo: &str) -> Option<String> {
    let ammesso = !testo.is_empty() && testo.len() <= VALORE_BYTES_MAX && !testo.contains('\0');
    ammesso.then(|| testo.to_owned())
}

fn maiuscolo(valore: &str) -> Option<String> {
    testo(valore).map(|testo| testo.to_uppercase())
}

/// A network, or an address as the network of itself.
fn rete(testo: &str) -> Option<IpNet> {
    let indirizzo = || testo.parse::<IpAddr>().map(IpNet::from);
    testo.parse().or_else(|_| indirizzo()).ok()
}

/// An instant, or the midnight in Rome with which a day begins.
#[must_use]
pub fn istante(testo: &str) -> Option<Timestamp> {
    if let Ok(istante) = testo.parse() {
        return Some(istante);
    }
    let data: Date = testo.parse().ok()?;
    Some(data.to_zoned(roma()).ok()?.timestamp())
}

impl Ricerca {
    /// The criteria that are set, by name; who is searched for is not told.
    #[must_use]
    pub fn criteri(&self) -> Vec<(&'static str, String)> {
        CRITERI
            .iter()
            .filter_map(|criterio| Some((criterio.nome, (criterio.tell)(self)?)))
            .collect()
    }

    /// Sets a criterion from its text.
    pub fn set(&mut self, nome: &str, valore: &str) -> Result<(), CriterioErrato> {
        let errato = |atteso| CriterioErrato {
            nome: nome.to_owned(),
            atteso,
        };
        if nome == "persona" {
            self.persona = Some(valore.parse().map_err(|_| errato("atteso un codice fiscale"))?);
            return Ok(());
        }
        let criterio = CRITERI
            .iter()
            .find(|criterio| criterio.nome == nome)
            .ok_or_else(|| errato("criterio sconosciuto"))?;
        (criterio.read)(self, valore).ok_or_else(|| errato(criterio.atteso))
    }

    /// How many traces a page has at most.
    #[must_use]
    pub fn righe_max(&self) -> u32 {
        if self.limite == 0 {
            LIMITE_RICERCA
        } else {
            self.limite
        }
    }

    /// The cursor of a place in this search: good for it alone.
    #[must_use]
    pub fn cursore(&self, posto: Posto) -> String {
        let ms = posto.ricevuto_il.as_millisecond().cast_unsigned();
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let (alto, basso) = ((posto.id >> 64) as u64, posto.id as u64);
        self.with_legame(|legame| legame.cursore([ms, alto, basso]))
    }

    /// The place of a cursor; `None` for whatever was not given out for this search.
    #[must_use]
    pub fn posto(&self, cursore: &str) -> Option<Posto> {
        let [ms, alto, basso] = self.with_legame(|legame| legame.posizione(cursore))?;
        Some(Posto {
            ricevuto_il: Timestamp::from_millisecond(ms.cast_signed()).ok()?,
            id: u128::from(alto) << 64 | u128::from(basso),
        })
    }

    fn with_legame<V>(&self, usa: impl FnOnce(&Legame<'_>) -> V) -> V {
        // Who is searched for is not in the sum: a cursor may stand in a URL.
        let chi = self.persona.is_some().then(|| "persona".to_owned());
        let criteri = self.criteri().into_iter();
        let parole: Vec<_> = criteri
            .map(|(nome, valore)| format!("{nome}={}:{valore}", valore.len()))
            .chain(chi)
            .collect();
        usa(&Legame {
            elenco: Elenco::Tracce,
            ente: "",
            servizio: "",
            ricerca: &parole.join("\n"),
        })
    }
}

/// What is searched for within a value, which no index knows: the store asks row by row.
impl Ricerca {
    /// Whether there is anything to ask row by row.
    pub(crate) fn is_fine(&self) -> bool {
        self.indirizzo.is_some() || self.certificato.is_some()
    }

    /// Whether a row has the address and the certificate.
    pub(crate) fn is_from(&self, indirizzo: Option<IpAddr>, soggetto: &str, seriale: &str) -> bool {
        self.indirizzo
            .is_none_or(|rete| indirizzo.is_some_and(|indirizzo| rete.contains(&indirizzo)))
            && self.certificato.as_deref().is_none_or(|cercato| {
                hex(cercato).is_some_and(|cercato| hex(seriale) == Some(cercato))
                    || soggetto.to_lowercase().contains(&cercato.to_lowercase())
            })
    }
}

/// A serial number, however it is written: `0A:1b` and `a1B` are one.
fn hex(testo: &str) -> Option<String> {
    let cifre: String = testo
        .chars()
        .filter(|c| !matches!(c, ':' | ' '))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    (!cifre.is_empty()).then(|| cifre.trim_start_matches('0').to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piena() -> Ricerca {
        let mut ricerca = Ricerca::default();
        for (nome, valore) in [
            ("protocollo", "2026-0001234"),
            ("numero_domanda", "7"),
            ("message_id", "0197a3c1-0000-7000-8000-000000000001"),
            ("id_mittente", "urn:uuid:x"),
            ("chiave_invio", "PAT01-1"),
            ("lotto", "0197a3c1-0000-7000-8000-000000000002"),
            ("ente", "PAT01"),
            ("codice_ufficio", "001"),
            ("user_id", "mrossi"),
            ("canale", "modi"),
            ("servizio", "AssegnoTemporaneo"),
            ("operazione", "InviaDomanda"),
            ("esito", "fault"),
            ("codice", "cf-002"),
            ("certificato", "CN=pat01"),
            ("indirizzo", "192.0.2.7"),
            ("dal", "2021-07-15"),
            ("al", "2021-07-16T10:00:00Z"),
        ] {
            ricerca.set(nome, valore).unwrap();
        }
        ricerca
    }

    #[test]
    fn what_is_told_of_a_search_makes_the_same_search() {
        let piena = piena();
        let mut di_nuovo = Ricerca::default();
        for (nome, valore) in piena.criteri() {
            di_nuovo.set(nome, &valore).unwrap();
        }
        assert_eq!(di_nuovo, piena);
        assert_eq!(piena.criteri().len(), CRITERI.len());
        assert_eq!(piena.esito.as_deref(), Some("FAULT"));
        assert_eq!(piena.indirizzo.unwrap().to_string(), "192.0.2.7/32");
    }

    #[test]
    fn a_search_tells_nobody_whom_it_is_about() {
        let mut ricerca = Ricerca::default();
        ricerca.set("persona", "rssmra80a01h501u").unwrap();
        assert_eq!(ricerca.persona.as_ref().unwrap().as_str(), "RSSMRA80A01H501U");
        assert_eq!(ricerca.criteri(), []);
        assert!(!format!("{ricerca:?}").contains("RSSMRA"));
    }

    #[test]
    fn a_wrong_value_is_told_by_the_name_of_its_criterion() {
        for (nome, valore) in [
            ("protocollo", "'; DROP TABLE tracce; --"),
            ("numero_domanda", "-1"),
            ("message_id", "7"),
            ("ente", ""),
            ("ente", "a\0b"),
            ("user_id", &"x".repeat(VALORE_BYTES_MAX + 1)),
            ("indirizzo", "192.0.2.0/33"),
            ("dal", "ieri"),
            ("persona", "Mario Rossi"),
            ("inventato", "1"),
        ] {
            let errore = Ricerca::default().set(nome, valore).unwrap_err();
            assert_eq!(errore.nome, nome, "{valore}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_rome() {
        assert_eq!(istante("2021-07-15").unwrap().to_string(), "2021-07-14T22:00:00Z");
        assert_eq!(
            istante("2021-07-15T10:00:00Z").unwrap().to_string(),
            "2021-07-15T10:00:00Z"
        );
        assert!(istante("ieri").is_none());
    }

    #[test]
    fn a_certificate_is_found_by_its_serial_and_by_a_part_of_its_subject() {
        let da = |certificato: &str| Ricerca {
            certificato: Some(certificato.to_owned()),
            ..Ricerca::default()
        };
        for certificato in ["0a:1B", "A1B", "cn=PAT01", "uno, C=IT"] {
            assert!(
                da(certificato).is_from(None, "CN=pat01, O=uno, C=IT", "0A1B"),
                "{certificato}"
            );
        }
        for certificato in ["A1", "9", ":", "CN=pat02"] {
            assert!(
                !da(certificato).is_from(None, "CN=pat01, O=uno, C=IT", "0A1B"),
                "{certificato}"
            );
        }
        assert!(!da(":").is_from(None, "CN=pat01", ""), "no serial is no number");
    }

    #[test]
    fn an_address_is_found_by_its_network() {
        let mut ricerca = Ricerca::default();
        ricerca.set("indirizzo", "192.0.2.0/24").unwrap();
        for (indirizzo, sua) in [("192.0.2.255", true), ("192.0.3.0", false), ("::1", false)] {
            assert_eq!(
                ricerca.is_from(indirizzo.parse().ok(), "", ""),
                sua,
                "{indirizzo}"
            );
        }
        assert!(!ricerca.is_from(None, "", ""));
    }

    proptest! {
        #[test]
        fn a_cursor_is_good_for_its_own_search_alone(ms in -1_000_000_000_000_i64..4_000_000_000_000, id: u128) {
            let posto = Posto { ricevuto_il: Timestamp::from_millisecond(ms).unwrap(), id };
            let (piena, vuota) = (piena(), Ricerca::default());
            let cursore = piena.cursore(posto);
            prop_assert_eq!(piena.posto(&cursore), Some(posto));
            prop_assert_eq!(vuota.posto(&cursore), None);
            prop_assert_eq!(piena.posto(&cursore.to_uppercase()), None);
        }

        #[test]
        fn whatever_the_text_it_is_no_cursor_unless_it_was_given_out(
            testo in "\\PC{0,120}|[T][0-9]-[0-9a-f]{0,50}-[0-9a-f]{0,20}|T1-[0-9a-f]{48}-[0-9a-f]{16}"
        ) {
            let ricerca = Ricerca::default();
            if let Some(posto) = ricerca.posto(&testo) {
                prop_assert_eq!(ricerca.cursore(posto), testo);
            }
        }
    }
}
