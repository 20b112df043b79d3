//! SPCoop: the busta di e-Gov 1.1 (CNIPA, "Busta di e-Gov v1.1", 14-10-2005; DigitPA, "Linee guida busta e-gov v1.1").
//! It promises to read the header block Intestazione field by field, to collect everything that is wrong with it, each
//! finding with its official code and `posizione`, and to write what goes back: the header of an answer, the three
//! shapes of an error, the record of the trace. Bytes and values only: it knows no HTTP and no store.
//!
//! A message goes [`Busta::read`] → [`esamina`] → [`Accolta`]. What cannot be read is [`Illeggibile`] (shape A); what is
//! read and wrong is a list of [`Eccezione`] (shape B); what broke on our side is shape C. Docs: docs/spcoop.md.

pub mod costanti;
mod eccezione;
mod identificatore;
mod intestazione;
mod lettura;
pub mod ora;
mod regole;
mod risposta;
mod traccia;

#[cfg(test)]
mod tests;

pub use costanti::Profilo;
pub use eccezione::{CodiceEgov, Contesto, Eccezione, Rilevanza};
pub use identificatore::{Dominio, DominioErrato, Identificatore, IdentificatoreErrato, porta_solita};
pub use intestazione::{
    Busta, Illeggibile, Intestazione, Parte, ProfiloTrasmissione, Servizio, Trasmissione,
};
pub use regole::{Accolta, Anagrafe, MittenteNoto, RegoleBusta, Respinta, Tempi, esamina};
pub use risposta::{
    Dettaglio, IntestazioneRisposta, con_intestazione, errore_di_formato, errore_di_processamento,
    errore_di_validazione,
};
pub use traccia::{Diagnostico, Severita, TipoMessaggio, Traccia, esportazione};
