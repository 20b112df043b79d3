//! Codelists: an enum whose variants have one spelling each, that of the XSD's enumeration. The words travel as
//! they are from the message to the store, the receipt and the engine.

/// A word of a codelist: what code that serves every prestazione knows of it.
pub trait Parola: Copy + Eq + std::fmt::Debug + 'static {
    /// All of them, in the order of the XSD.
    const TUTTI: &'static [Self];

    /// The word of the XSD.
    fn as_str(self) -> &'static str;

    /// The variant that the word means.
    #[must_use]
    fn parse(text: &str) -> Option<Self> {
        Self::TUTTI.iter().copied().find(|parola| parola.as_str() == text)
    }
}

/// Makes a codelist: the enum, all its variants in the order of the XSD, and its words there and back.
macro_rules! codelista {
    ($(#[$doc:meta])* $nome:ident { $($(#[$doc_parola:meta])* $parola:ident = $testo:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $nome {
            $($(#[$doc_parola])* $parola,)+
        }

        impl $nome {
            /// All of them, in the order of the XSD.
            pub const TUTTI: &'static [Self] = &[$(Self::$parola,)+];

            /// The word of the XSD.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$parola => $testo,)+
                }
            }

            /// The variant that the word means.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::TUTTI.iter().copied().find(|parola| parola.as_str() == text)
            }
        }

        impl $crate::domanda::codelista::Parola for $nome {
            const TUTTI: &'static [Self] = Self::TUTTI;

            fn as_str(self) -> &'static str {
                Self::as_str(self)
            }
        }
    };
}

pub(crate) use codelista;
