//! The verdict: what a message gets that is not taken. Two families, decided by one question: would the same message
//! succeed if it were sent again? No → [`Rifiuto`]. Yes → [`Guasto`]. Both end as violations with a code of the
//! catalogue, of which `soap::fault` makes a Fault.

use uuid::Uuid;

use crate::catalogo::Codice;
use crate::domanda::Violazione;
use crate::egov::Eccezione;
use crate::protocollo::NumeroProtocollo;
use crate::schema::LetturaError;
use crate::soap::envelope::EnvelopeError;
use crate::soap::identity::IdentityError;
use crate::soap::mtom::MtomError;

/// Theirs: the sender must change something before sending again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rifiuto {
    /// The envelope is none, or none that we take.
    #[error("busta rifiutata")]
    Envelope(#[from] EnvelopeError),
    /// The header Identity is absent, blank, twice or contradictory.
    #[error("identità rifiutata")]
    Identity(#[from] IdentityError),
    /// Known or unknown, but not allowed.
    #[error("accesso negato")]
    Access(#[from] Negato),
    /// The rest of the message cannot be read: not well-formed, over a limit, junk after the body.
    #[error("messaggio illeggibile")]
    Lettura(Violazione),
    /// The key was used for other content.
    #[error("chiave già usata per altro contenuto")]
    Conflitto {
        /// The number that the first content has.
        protocollo: NumeroProtocollo,
    },
    /// The key was used for a lot.
    #[error("chiave già usata per un lotto")]
    ChiaveDiLotto {
        /// The lot.
        lotto: Uuid,
    },
    /// No busta e-Gov can be read, where there must be one.
    #[error("busta illeggibile")]
    SenzaBusta(Violazione),
    /// Its busta is not taken: all that is wrong with it, in the official words.
    #[error("busta rifiutata")]
    Busta(Vec<Eccezione>),
    /// A block for portas must be understood, and is not.
    #[error("blocco non compreso")]
    BloccoNonCompreso,
    /// The certificate does not speak for the Mittente of the busta.
    #[error("certificato di altri")]
    MittenteDiAltri {
        /// Whom it does not speak for.
        mittente: String,
    },
    /// The Identificatore of its busta was used up before.
    #[error("busta già accolta")]
    BustaDoppia,
    /// The body asks for another operation than the busta.
    #[error("operazione diversa dall'azione")]
    AltraAzione {
        /// The operation of the busta.
        azione: &'static str,
        /// That of the body.
        operazione: &'static str,
    },
    /// The message breaks the XSD, or what it asks cannot be asked: all findings, at most a hundred.
    #[error("forma non valida")]
    Forma(Vec<Violazione>),
    /// The domanda breaks rules: no Fault, but `Esito=RIFIUTATA`.
    #[error("regole violate")]
    Regole {
        /// Each of them refuses.
        violazioni: Vec<Violazione>,
        /// Told beside them.
        avvisi: Vec<Violazione>,
    },
    /// No domanda of this ente has that name.
    #[error("domanda non trovata")]
    NonTrovata,
    /// HTTP's own refusals while the body comes, told by status line.
    #[error("richiesta HTTP rifiutata")]
    Http {
        /// Which.
        violazione: Violazione,
        /// The status.
        status: u16,
    },
}

/// Ours: the same message may succeed later.
#[derive(Debug, thiserror::Error)]
pub enum Guasto {
    /// The store does not answer, is full, or contradicts itself.
    #[error("store: {causa}")]
    Store {
        /// What a caller may know of it.
        codice: Codice,
        /// What operators are told.
        causa: String,
    },
    /// Room runs out: nothing new of this kind is taken until there is more (`spazio`).
    #[error("spazio in esaurimento")]
    Spazio {
        /// What is not taken.
        codice: Codice,
        /// Seconds until it is worth trying again.
        riprova_fra_s: u64,
    },
    /// Maintenance: nothing new is taken until it is over (`manutenzione`).
    #[error("manutenzione")]
    Manutenzione {
        /// What whoever runs the gateway tells senders.
        messaggio: String,
        /// Seconds until it is over, or worth trying again.
        riprova_fra_s: u64,
    },
    /// More bytes of bodies are being read than the configuration allows.
    #[error("memoria per i messaggi in arrivo esaurita")]
    MemoriaEsaurita,
    /// The deadline of the whole request ran out while we worked.
    #[error("tempo scaduto durante {0}")]
    TempoScaduto(&'static str),
    /// A paper could not be made of what is kept.
    #[error("documento non composto: {0}")]
    Carta(String),
    /// What our own checks exclude.
    #[error("errore interno: {0}")]
    Interno(&'static str),
}

/// Why a message that can be read is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", violazione.codice)]
pub struct Negato {
    /// An `ACC-` code with its arguments.
    pub violazione: Violazione,
    /// Seconds until it is worth trying again (quota only).
    pub riprova_fra_s: Option<u64>,
}

/// Either family.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Theirs.
    #[error(transparent)]
    Rifiuto(#[from] Rifiuto),
    /// Ours.
    #[error(transparent)]
    Guasto(#[from] Guasto),
}

macro_rules! through_rifiuto {
    ($($errore:ty),*) => {$(
        impl From<$errore> for Failure {
            fn from(errore: $errore) -> Self {
                Self::Rifiuto(Rifiuto::from(errore))
            }
        }
    )*};
}

through_rifiuto!(EnvelopeError, IdentityError, Negato);

impl From<MtomError> for Failure {
    fn from(errore: MtomError) -> Self {
        Rifiuto::Lettura(*errore.0).into()
    }
}

impl From<LetturaError> for Failure {
    fn from(errore: LetturaError) -> Self {
        match errore.violazione() {
            Some(violazione) => Rifiuto::Lettura(violazione).into(),
            None => Guasto::Interno("schema").into(),
        }
    }
}

impl Rifiuto {
    /// All that is wrong, the first of which names the fault.
    #[must_use]
    pub fn violazioni(&self) -> Vec<Violazione> {
        match self {
            Self::Envelope(errore) => vec![errore.violazione()],
            Self::Identity(errore) => vec![errore.violazione()],
            Self::Access(negato) => vec![negato.violazione.clone()],
            Self::Conflitto { protocollo } => {
                vec![Violazione::at(Codice::Rpl001, "").with("protocollo", protocollo)]
            }
            Self::ChiaveDiLotto { lotto } => {
                vec![Violazione::at(Codice::Rpl002, "").with("lotto", lotto)]
            }
            Self::Forma(violazioni) | Self::Regole { violazioni, .. } => violazioni.clone(),
            Self::Busta(eccezioni) => {
                let dette: Vec<String> = eccezioni.iter().map(ToString::to_string).collect();
                vec![Violazione::at(Codice::Bst002, "").with("eccezioni", dette.join("; "))]
            }
            Self::BloccoNonCompreso => vec![Violazione::at(Codice::Bst006, "")],
            Self::MittenteDiAltri { mittente } => {
                vec![Violazione::at(Codice::Bst003, "").with("mittente", mittente)]
            }
            Self::AltraAzione { azione, operazione } => {
                let violazione = Violazione::at(Codice::Bst007, "");
                vec![violazione.with("azione", azione).with("operazione", operazione)]
            }
            Self::BustaDoppia => vec![Violazione::at(Codice::Bst004, "")],
            Self::NonTrovata => vec![Violazione::at(Codice::Pro101, "")],
            Self::Lettura(violazione) | Self::SenzaBusta(violazione) | Self::Http { violazione, .. } => {
                vec![violazione.clone()]
            }
        }
    }
}

impl Guasto {
    /// The code of the catalogue: what a caller may know.
    #[must_use]
    pub fn codice(&self) -> Codice {
        match self {
            Self::Store { codice, .. } | Self::Spazio { codice, .. } => *codice,
            Self::Manutenzione { .. } => Codice::Sys004,
            Self::MemoriaEsaurita => Codice::Acc009,
            Self::TempoScaduto(_) => Codice::Sys003,
            Self::Carta(_) | Self::Interno(_) => Codice::Sys001,
        }
    }

    /// What a caller is told.
    fn violazione(&self) -> Violazione {
        let violazione = Violazione::at(self.codice(), "");
        match self {
            Self::Manutenzione { messaggio, .. } => violazione.with("messaggio", messaggio),
            _ => violazione,
        }
    }
}

impl Failure {
    /// All that is told of it.
    #[must_use]
    pub fn violazioni(&self) -> Vec<Violazione> {
        match self {
            Self::Rifiuto(rifiuto) => rifiuto.violazioni(),
            Self::Guasto(guasto) => vec![guasto.violazione()],
        }
    }
}
