//! What is wrong with a busta, in the official words: code, context, weight, place. These codes are not ours
//! (`catalogo`): they are those of the busta, and go out in its header.

use std::borrow::Cow;
use std::fmt;

use crate::domanda::codelista::codelista;

/// One finding, as `ListaEccezioni` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Eccezione {
    /// Where in the work it was found.
    pub contesto: Contesto,
    /// What.
    pub codice: CodiceEgov,
    /// How much it weighs.
    pub rilevanza: Rilevanza,
    /// Which element or attribute, by its path below the Intestazione.
    pub posizione: Cow<'static, str>,
}

impl Eccezione {
    /// A finding that stops the message.
    pub fn grave(codice: CodiceEgov, posizione: impl Into<Cow<'static, str>>) -> Self {
        Self {
            contesto: Contesto::Intestazione,
            codice,
            rilevanza: Rilevanza::Grave,
            posizione: posizione.into(),
        }
    }

    /// A finding that is told, and stops nothing.
    pub fn info(codice: CodiceEgov, posizione: impl Into<Cow<'static, str>>) -> Self {
        Self {
            rilevanza: Rilevanza::Info,
            ..Self::grave(codice, posizione)
        }
    }

    /// Whether it stops the message.
    #[must_use]
    pub fn is_grave(&self) -> bool {
        self.rilevanza == Rilevanza::Grave
    }

    /// The certificate does not speak for the Mittente, or the Mittente may not call the action.
    #[must_use]
    pub fn non_autorizzato(motivo: &'static str) -> Self {
        Self::grave(CodiceEgov::E201, motivo)
    }

    /// The Identificatore was accepted before.
    #[must_use]
    pub fn doppione() -> Self {
        Self::grave(CodiceEgov::E110, "Messaggio/Identificatore")
    }
}

impl fmt::Display for Eccezione {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.codice.as_str(),
            self.rilevanza.as_str(),
            self.posizione
        )
    }
}

codelista! {
    /// `contestoCodifica`.
    Contesto {
        /// Found while the header was validated.
        Intestazione = "ErroreIntestazioneMessaggioSPCoop",
        /// Found while the message was worked.
        Processamento = "ErroreProcessamentoMessaggioSPCoop",
    }
}

codelista! {
    /// `rilevanza`.
    Rilevanza {
        /// Told; the message goes on.
        Info = "INFO",
        /// Logged; the message goes on.
        Lieve = "LIEVE",
        /// The message stops.
        Grave = "GRAVE",
    }
}

macro_rules! codici {
    ($($nome:ident $codice:literal $testo:literal)+) => {
        codelista! {
            /// `codiceEccezione`: the whole enumeration of the busta.
            CodiceEgov {
                $(#[doc = $testo] $nome = $codice,)+
            }
        }

        impl CodiceEgov {
            /// The official sentence.
            #[must_use]
            pub const fn testo(self) -> &'static str {
                match self {
                    $(Self::$nome => $testo,)+
                }
            }
        }
    };
}

codici! {
    E001 "EGOV_IT_001" "Formato Busta non corretto"
    E002 "EGOV_IT_002" "Formato Intestazione non corretto"
    E003 "EGOV_IT_003" "Formato Corpo non corretto"
    E100 "EGOV_IT_100" "Errore nel contenuto della Intestazione della busta"
    E101 "EGOV_IT_101" "Identificativo della parte Mittente sconosciuto"
    E102 "EGOV_IT_102" "Identificativo della parte Destinatario sconosciuto"
    E103 "EGOV_IT_103" "Profilo di Collaborazione non valido"
    E104 "EGOV_IT_104" "Identificativo di Collaborazione non valido"
    E105 "EGOV_IT_105" "Servizio sconosciuto"
    E106 "EGOV_IT_106" "Azione sconosciuta"
    E107 "EGOV_IT_107" "Identificatore messaggio non definito"
    E108 "EGOV_IT_108" "OraRegistrazione messaggio non valida"
    E109 "EGOV_IT_109" "Riferimento messaggio non definito"
    E110 "EGOV_IT_110" "Identificatore messaggio non valido"
    E111 "EGOV_IT_111" "RiferimentoMessaggio non valido"
    E112 "EGOV_IT_112" "Scadenza messaggio non valida"
    E113 "EGOV_IT_113" "Profilo di Trasmissione non valido"
    E114 "EGOV_IT_114" "Sequenza non valida"
    E115 "EGOV_IT_115" "ListaRiscontri non valida"
    E116 "EGOV_IT_116" "ListaTrasmissioni non valida"
    E117 "EGOV_IT_117" "Firma non valida"
    E118 "EGOV_IT_118" "Riferimento all'allegato non valido"
    E119 "EGOV_IT_119" "Allegato non presente"
    E120 "EGOV_IT_120" "Allegato non definito"
    E200 "EGOV_IT_200" "Errore nelle politiche di sicurezza del Servizio"
    E201 "EGOV_IT_201" "Mittente non Autorizzato"
    E202 "EGOV_IT_202" "Firma XML non valida"
    E203 "EGOV_IT_203" "Firma PKCS#7 non valida"
    E300 "EGOV_IT_300" "Errore nel processamento del messaggio"
    E301 "EGOV_IT_301" "Messaggio scaduto"
    E400 "EGOV_IT_400" "Errore nella gestione della trasparenza temporale"
    E401 "EGOV_IT_401" "Trasparenza temporale non supportata"
    E402 "EGOV_IT_402" "Trasparenza temporale: attributi del Profilo di trasmissione non validi"
}
