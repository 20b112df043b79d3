//! The register as the law wants it told: its registrations with all their data, what was annulled or changed since, the
//! daily register, the segnatura. Values and their XML; the store reads and writes the rows, and nothing here knows SQL.
//!
//! A day is one of Europe/Rome: 23 or 25 hours when the clocks change.

mod estremo;
mod giornaliero;
mod segnatura;

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::domanda::codelista::codelista;
use crate::protocollo::roma;

pub use estremo::Estremo;
pub use giornaliero::{Composto, Giornaliero, Giornata, PRIMO_ANELLO};
pub use segnatura::{Aoo, segnatura};

/// One registration with all its data (DPR 445/2000 art. 53; spec/domain.md §2.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Iscrizione {
    /// The store's own id of it.
    pub id: i64,
    /// Year of its number, in Europe/Rome.
    pub anno: i16,
    /// The number.
    pub numero: u64,
    /// Year and number as they are told.
    pub protocollo: String,
    /// Instant of registration.
    pub registrata_il: Timestamp,
    /// Request wholly received.
    pub presentata_il: Timestamp,
    /// Subject.
    pub oggetto: String,
    /// Service.
    pub servizio: String,
    /// Which act.
    pub operazione: String,
    /// Sender: code of the ente.
    pub ente: String,
    /// Its name on that day.
    pub ente_denominazione: String,
    /// Its ufficio.
    pub codice_ufficio: String,
    /// Its operator.
    pub user_id: String,
    /// Codice fiscale of who asks.
    pub richiedente: String,
    /// Addressee.
    pub destinatario: String,
    /// The sender's own protocol.
    pub chiave_invio: String,
    /// Its date, `YYYY-MM-DD`.
    pub data_pratica: Option<String>,
    /// The domanda.
    pub numero_domanda: u64,
    /// Protocol number of the registration that it follows.
    pub collegato_a: Option<String>,
    /// Digest of the content, hex.
    pub digest: String,
    /// Which digest.
    pub digest_versione: i64,
    /// Imprint of the document as received, hex.
    pub impronta: String,
    /// Its algorithm.
    pub impronta_algoritmo: String,
    /// The documents that came with it.
    pub allegati: Vec<AllegatoIscritto>,
    /// Channel.
    pub canale: String,
    /// Our id of the message.
    pub message_id: String,
    /// SHA-256 of the client certificate, hex.
    pub certificato_sha256: String,
    /// SHA-256 of the receipt, hex; `None` = older than such digests.
    pub ricevuta_sha256: Option<String>,
    /// SHA-256 of the whole request, hex; `None` = older than such digests.
    pub richiesta_sha256: Option<String>,
    /// Its number in the emergency register, if it was taken in there.
    pub emergenza: Option<u64>,
}

/// A document that came with a registration.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
pub struct AllegatoIscritto {
    /// SHA-256 of its bytes, hex.
    pub impronta: String,
    /// Its type.
    pub tipo_mime: String,
    /// Its name, as sent.
    pub nome_file: String,
}

impl fmt::Debug for Iscrizione {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iscrizione")
            .field("protocollo", &self.protocollo)
            .finish_non_exhaustive()
    }
}

codelista! {
    /// The fields of a registration that may be annulled by themselves. Number and date may not: without them there is
    /// no registration.
    Campo {
        /// Subject.
        Oggetto = "oggetto",
        /// Sender: ente, ufficio, operator, who asks.
        Mittente = "mittente",
        /// Addressee.
        Destinatario = "destinatario",
        /// The sender's own protocol and its date.
        ProtocolloMittente = "protocollo-mittente",
        /// Imprint of the document.
        Impronta = "impronta",
    }
}

/// A word that is no [`Campo`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "campo «{0}» sconosciuto: si annullano oggetto, mittente, destinatario, protocollo-mittente, impronta; \
     senza --campo si annulla l'intera registrazione"
)]
pub struct CampoErrato(pub String);

impl std::str::FromStr for Campo {
    type Err = CampoErrato;

    fn from_str(testo: &str) -> Result<Self, CampoErrato> {
        Self::parse(testo).ok_or_else(|| CampoErrato(testo.to_owned()))
    }
}

/// The provision of the service for the register that authorises an act (art. 61).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provvedimento {
    /// Its number.
    pub numero: String,
    /// Its date.
    pub data: Date,
}

/// An annulment (art. 54) as it stands in the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annullamento {
    /// The store's own id of it.
    pub id: i64,
    /// What is annulled.
    pub protocollo: String,
    /// The one field; `None` = the whole registration.
    pub campo: Option<String>,
    /// When.
    pub annullata_il: Timestamp,
    /// By whom.
    pub operatore: String,
    /// Why.
    pub motivo: String,
    /// Number of the authorising provision.
    pub provvedimento_numero: String,
    /// Its date, `YYYY-MM-DD`.
    pub provvedimento_data: String,
}

/// A change of classification or assignment, the only data of a registration that may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assegnazione {
    /// The store's own id of it.
    pub id: i64,
    /// Of which registration.
    pub protocollo: String,
    /// Since when.
    pub dal: Timestamp,
    /// Set by whom.
    pub operatore: String,
    /// Entry of the classification scheme.
    pub classifica: Option<String>,
    /// The office that works it.
    pub assegnazione: Option<String>,
}

/// An interruption, in which acts were taken into the emergency register (art. 63).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergenza {
    /// The store's own id of it.
    pub id: i64,
    /// The register that stood still.
    pub registro: String,
    /// Since when.
    pub aperta_il: Timestamp,
    /// Why.
    pub causa: String,
    /// Opened by whom.
    pub operatore: String,
    /// Number of the authorising provision.
    pub provvedimento_numero: String,
    /// Its date, `YYYY-MM-DD`.
    pub provvedimento_data: String,
    /// Until when; `None` = it is open.
    pub chiusa_il: Option<Timestamp>,
    /// Closed by whom.
    pub chiusa_da: Option<String>,
}

/// A further period for which an interruption is authorised, by a provision of its own (art. 63 c. 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proroga {
    /// The store's own id of it.
    pub id: i64,
    /// Of which interruption.
    pub emergenza: i64,
    /// Where the period begins: where the one before it ends.
    pub dal: Timestamp,
    /// Where it ends.
    pub al: Timestamp,
    /// When it was written down.
    pub concessa_il: Timestamp,
    /// By whom.
    pub operatore: String,
    /// Number of the authorising provision.
    pub provvedimento_numero: String,
    /// Its date, `YYYY-MM-DD`.
    pub provvedimento_data: String,
}

impl Emergenza {
    /// Up to when it is authorised: a day by itself, then by each period that was granted, in their order.
    #[must_use]
    pub fn autorizzata_fino_a(&self, proroghe: &[Proroga]) -> Timestamp {
        let ultima = proroghe.iter().rfind(|proroga| proroga.emergenza == self.id);
        ultima.map_or_else(
            || {
                self.aperta_il
                    .saturating_add(SENZA_PROROGA)
                    .unwrap_or(self.aperta_il)
            },
            |proroga| proroga.al,
        )
    }
}

/// For so long an emergency register may be used without a provision of its own (art. 63 c. 2).
pub const SENZA_PROROGA: SignedDuration = SignedDuration::from_hours(24);

/// The longest period of a provision (art. 63 c. 2).
pub const PROROGA_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

/// An ordinary registration that was made in the emergency register first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correlazione {
    /// The number in the emergency register.
    pub numero: u64,
    /// When it was given.
    pub istante: Timestamp,
    /// The ordinary number.
    pub protocollo: String,
}

/// What was written beside the registrations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fatti {
    /// Annulments.
    pub annullamenti: Vec<Annullamento>,
    /// Changes of classification and assignment.
    pub assegnazioni: Vec<Assegnazione>,
    /// Interruptions that began or ended.
    pub emergenze: Vec<Emergenza>,
    /// Further periods of interruptions that were written down.
    pub proroghe: Vec<Proroga>,
    /// Holes that were declared.
    pub lacune: Vec<Lacuna>,
    /// Numbers that were brought back.
    pub recuperi: Vec<RecuperoFatto>,
}

/// A declared hole: numbers that were told, or can have been, by a store that is no more. They are never given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacuna {
    /// Its number among holes.
    pub id: i64,
    /// Of which register.
    pub registro: String,
    /// Of which year.
    pub anno: i16,
    /// The first number that is not there.
    pub da: u64,
    /// The last one.
    pub a: u64,
    /// First and last number of domande that are not there.
    pub domande: Option<(u64, u64)>,
    /// When it was declared.
    pub dichiarata_il: Timestamp,
    /// By whom.
    pub operatore: String,
    /// Why.
    pub motivo: String,
    /// Number of the authorising provision.
    pub provvedimento_numero: String,
    /// Its date.
    pub provvedimento_data: String,
}

/// Numbers that came back out of another store, after this one was put back from a copy. The registrations are as they were
/// told; that they came back is told here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecuperoFatto {
    /// Its number among these.
    pub id: i64,
    /// Of which register.
    pub registro: String,
    /// Of which year.
    pub anno: i16,
    /// The first number that came back.
    pub da: u64,
    /// The last one.
    pub a: u64,
    /// How many came back.
    pub quante: u64,
    /// Out of which store.
    pub archivio: String,
    /// When.
    pub recuperate_il: Timestamp,
    /// By whom.
    pub operatore: String,
    /// Why.
    pub motivo: String,
    /// Number of the authorising provision.
    pub provvedimento_numero: String,
    /// Its date.
    pub provvedimento_data: String,
}

/// The instant at which a day begins in Rome.
#[must_use]
pub fn inizio_del_giorno(giorno: Date) -> Timestamp {
    // At the edge of the calendar there is no such instant; no register is there either.
    giorno
        .to_zoned(roma())
        .map_or(Timestamp::MAX, |inizio| inizio.timestamp())
}

/// The instant at which a day has ended: that at which the next one begins.
#[must_use]
pub fn fine_del_giorno(giorno: Date) -> Timestamp {
    giorno.tomorrow().map_or(Timestamp::MAX, inizio_del_giorno)
}

/// An instant as people of the register read it: Rome's time, with its offset.
#[must_use]
pub fn a_roma(istante: Timestamp) -> String {
    istante
        .to_zoned(roma())
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
        .to_string()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_has_as_many_hours_as_it_has_in_rome() {
        for (giorno, ore) in [
            (date(2022, 3, 27), 23),
            (date(2022, 10, 30), 25),
            (date(2021, 12, 31), 24),
        ] {
            let durata = fine_del_giorno(giorno).duration_since(inizio_del_giorno(giorno));
            assert_eq!(durata.as_hours(), ore, "{giorno}");
        }
        let capodanno = inizio_del_giorno(date(2022, 1, 1));
        assert_eq!(capodanno.to_string(), "2021-12-31T23:00:00Z");
        assert_eq!(a_roma(capodanno), "2022-01-01T00:00:00.000+01:00");
    }

    #[test]
    fn a_field_has_one_spelling() {
        for campo in Campo::TUTTI {
            assert_eq!(campo.as_str().parse(), Ok(*campo));
        }
        assert_eq!(
            "numero".parse::<Campo>().unwrap_err().to_string(),
            "campo «numero» sconosciuto: si annullano oggetto, mittente, destinatario, protocollo-mittente, impronta; \
             senza --campo si annulla l'intera registrazione"
        );
    }
}
