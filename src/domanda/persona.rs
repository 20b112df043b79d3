//! The people of a domanda, as they were sent: codici fiscali right or wrong, so that the rules can say what is wrong
//! with each. None of them prints itself.

use jiff::civil::Date;

use super::codelista::codelista;
use super::codice_fiscale::{CodiceFiscale, CodiceFiscaleErrato};
use super::{Richiedente, regole};

/// A codice fiscale as it was sent: read, or what is wrong with it.
pub type CodiceInviato = Result<CodiceFiscale, CodiceFiscaleErrato>;

/// The person who asks, as sent.
#[derive(Clone, PartialEq, Eq)]
pub struct RichiedenteInviato {
    /// Their codice fiscale.
    pub codice_fiscale: CodiceInviato,
    /// Given name.
    pub nome: String,
    /// Family name.
    pub cognome: String,
    /// For notices.
    pub email: Option<String>,
    /// For notices.
    pub cellulare: Option<String>,
    /// For notices.
    pub indirizzo: Option<String>,
}

/// The other parent of a child.
#[derive(Clone, PartialEq, Eq)]
pub enum AltroGenitore {
    /// There is one.
    Presente(CodiceInviato),
    /// There is none.
    Assente(MotivoAssenza),
}

codelista! {
    /// Why there is no other parent.
    MotivoAssenza {
        /// Dead.
        Deceduto = "DECEDUTO",
        /// Has not acknowledged the child.
        NonRiconosciuto = "NON_RICONOSCIUTO",
        /// Unknown.
        Ignoto = "IGNOTO",
        /// Otherwise.
        Altro = "ALTRO",
    }
}

impl RichiedenteInviato {
    /// The values to register; `None` where the codice fiscale cannot be read.
    #[must_use]
    pub fn registrato(&self) -> Option<Richiedente> {
        Some(Richiedente {
            codice_fiscale: regole::letto(&self.codice_fiscale)?,
            nome: self.nome.clone(),
            cognome: self.cognome.clone(),
            email: self.email.clone(),
            cellulare: self.cellulare.clone(),
            indirizzo: self.indirizzo.clone(),
        })
    }
}

impl AltroGenitore {
    /// The codice fiscale, where there is another parent.
    #[must_use]
    pub fn codice_fiscale(&self) -> Option<&CodiceInviato> {
        match self {
            Self::Presente(codice) => Some(codice),
            Self::Assente(_) => None,
        }
    }

    /// Why there is none.
    #[must_use]
    pub fn assenza(&self) -> Option<MotivoAssenza> {
        match self {
            Self::Presente(_) => None,
            Self::Assente(motivo) => Some(*motivo),
        }
    }
}

/// A child's date of birth in a domanda presented `oggi`: the codice fiscale's, or the one sent beside a provisional
/// codice; `None` when neither tells.
#[must_use]
pub fn nascita(codice_fiscale: &CodiceInviato, inviata: Option<Date>, oggi: Date) -> Option<Date> {
    match codice_fiscale {
        Ok(codice) if codice.is_provvisorio() => inviata,
        Ok(codice) => codice.data_nascita(oggi).ok().flatten(),
        Err(_) => None,
    }
}
