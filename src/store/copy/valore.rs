//! A value of a column, the same whichever store it was read from: what is equal here is equal.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// What kind of value a column holds. In the embedded store instants are milliseconds, truth values 0 and 1, dates,
/// JSON and ids are texts; PostgreSQL has a type for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Tipo {
    /// A whole number of any width.
    Intero,
    /// A text; months, too.
    Testo,
    /// 0, 1.
    Booleano,
    /// Raw bytes.
    Byte,
    /// Milliseconds, `timestamptz`.
    Istante,
    /// `2021-07-15`.
    Data,
    /// JSON: compared as values.
    Json,
    /// An id as a text, `uuid`.
    Uuid,
}

/// A value. No `Debug`: it may be anybody's name.
#[derive(Clone, PartialEq)]
pub(in crate::store) enum Valore {
    Nullo,
    Intero(i64),
    /// Texts and dates.
    Testo(String),
    Booleano(bool),
    Byte(Vec<u8>),
    Istante(Timestamp),
    Json(Value),
    Uuid(Uuid),
}

impl Valore {
    /// A text as PostgreSQL can hold it: its texts hold every character but U+0000, which a certificate's subject can
    /// bring.
    pub(in crate::store) fn of_text(testo: String) -> Self {
        Self::Testo(without_nul(testo))
    }

    /// JSON, its texts likewise.
    pub(in crate::store) fn of_json(testo: &str) -> Result<Self, serde_json::Error> {
        let mut valore = serde_json::from_str(testo)?;
        if testo.contains("\\u0000") {
            strip(&mut valore);
        }
        Ok(Self::Json(valore))
    }

    pub(in crate::store) fn intero(&self) -> Option<i64> {
        match self {
            Self::Intero(valore) => Some(*valore),
            _ => None,
        }
    }

    pub(in crate::store) fn testo(&self) -> Option<&str> {
        match self {
            Self::Testo(valore) => Some(valore),
            _ => None,
        }
    }

    pub(in crate::store) fn booleano(&self) -> Option<bool> {
        match self {
            Self::Booleano(valore) => Some(*valore),
            _ => None,
        }
    }

    pub(in crate::store) fn byte(&self) -> Option<&[u8]> {
        match self {
            Self::Byte(valore) => Some(valore),
            _ => None,
        }
    }

    pub(in crate::store) fn istante(&self) -> Option<Timestamp> {
        match self {
            Self::Istante(valore) => Some(*valore),
            _ => None,
        }
    }

    pub(in crate::store) fn json(&self) -> Option<String> {
        match self {
            Self::Json(valore) => Some(valore.to_string()),
            _ => None,
        }
    }

    pub(in crate::store) fn uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(valore) => Some(*valore),
            _ => None,
        }
    }

    /// How much memory it takes, about.
    pub(in crate::store) fn peso(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Testo(valore) => valore.len(),
                Self::Byte(valore) => valore.len(),
                Self::Json(valore) => valore.to_string().len(),
                Self::Nullo | Self::Intero(_) | Self::Booleano(_) | Self::Istante(_) | Self::Uuid(_) => 0,
            }
    }

    /// A key, for a message.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Intero(valore) => valore.to_string(),
            Self::Testo(valore) => valore.clone(),
            Self::Uuid(valore) => valore.to_string(),
            Self::Nullo | Self::Booleano(_) | Self::Byte(_) | Self::Istante(_) | Self::Json(_) => {
                "…".to_owned()
            }
        }
    }
}

fn without_nul(testo: String) -> String {
    if testo.contains('\0') {
        testo.replace('\0', "\u{fffd}")
    } else {
        testo
    }
}

fn strip(valore: &mut Value) {
    match valore {
        Value::String(testo) => *testo = without_nul(std::mem::take(testo)),
        Value::Array(valori) => valori.iter_mut().for_each(strip),
        Value::Object(campi) => {
            *campi = std::mem::take(campi)
                .into_iter()
                .map(|(nome, mut valore)| {
                    strip(&mut valore);
                    (without_nul(nome), valore)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_compared_as_a_value() {
        let uguali = |a, b| Valore::of_json(a).unwrap() == Valore::of_json(b).unwrap();
        assert!(uguali(
            r#"{"a":1,"b":["x",null]}"#,
            r#"{ "b": ["\u0078", null], "a": 1 }"#
        ));
        assert!(!uguali("[1,2]", "[2,1]"));
        // What PostgreSQL cannot hold becomes what it can, the same at every reading.
        assert!(uguali(r#"["a\u0000b"]"#, "[\"a\u{fffd}b\"]"));
        assert!(Valore::of_text("a\0b".to_owned()) == Valore::Testo("a\u{fffd}b".to_owned()));
    }
}
