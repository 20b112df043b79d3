//! Who hands in: the ente (a patronato), its uffici, its operators. Strings with a shape, never numbers:
//! leading zeros count (spec of the header Identity, and DPR 445/2000 art. 53 for the mittente).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! parola {
    ($(#[$doc:meta])* $nome:ident, $max:literal, $ammesso:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $nome(String);

        impl $nome {
            /// The text as it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $nome {
            type Err = ParolaErrata;

            fn from_str(text: &str) -> Result<Self, ParolaErrata> {
                let ammesso: fn(char) -> bool = $ammesso;
                let caratteri = text.chars().count();
                if (1..=$max).contains(&caratteri) && text.chars().all(ammesso) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(ParolaErrata { tipo: stringify!($nome) })
                }
            }
        }

        impl TryFrom<String> for $nome {
            type Error = ParolaErrata;

            fn try_from(text: String) -> Result<Self, ParolaErrata> {
                text.parse()
            }
        }

        impl From<$nome> for String {
            fn from(parola: $nome) -> Self {
                parola.0
            }
        }

        impl fmt::Display for $nome {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

parola! {
    /// The code of an ente: 1 to 16 of `[A-Za-z0-9._-/]`.
    CodiceEnte, 16, |c| c.is_ascii_alphanumeric() || "._-/".contains(c)
}

parola! {
    /// The code of an ufficio of the ente: 1 to 16 of `[A-Za-z0-9._-/]`; `001` for an ente without offices.
    CodiceUfficio, 16, |c| c.is_ascii_alphanumeric() || "._-/".contains(c)
}

parola! {
    /// The operator, as the ente knows them: 1 to 64 characters without control characters.
    UserId, 64, |c| !c.is_control()
}

parola! {
    /// The sender's own key of a writing request: `[A-Za-z0-9._:/-]{1,64}`, compared byte by byte.
    ChiaveInvio, 64, |c| c.is_ascii_alphanumeric() || "._:/-".contains(c)
}

/// A word that has not the shape of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{tipo} di forma errata")]
pub struct ParolaErrata {
    /// The kind that was expected.
    pub tipo: &'static str,
}
