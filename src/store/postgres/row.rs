//! What is PostgreSQL's own between rows and values: errors of the driver as ours, instants.

use std::borrow::Cow;

use jiff::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::{BoxDynError, DatabaseError};
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueRef, Postgres};
use sqlx::{Decode, Encode, Type};

use crate::store::valori::Riga;
use crate::store::{Inconsistency, StoreError};

/// What the driver says, in our words. Never a value: PostgreSQL's own texts quote them.
pub(super) fn guasto(errore: sqlx::Error) -> StoreError {
    let sqlx::Error::Database(database) = &errore else {
        return StoreError::unavailable(errore);
    };
    let codice = sqlstate(database.as_ref());
    match &codice[..2.min(codice.len())] {
        // What our code wrote does not fit: the cause lies in one of the rows.
        "22" | "23" => {
            let vincolo = database.constraint().unwrap_or("none");
            let causa = format!("SQLSTATE {codice}, constraint {vincolo}");
            StoreError::Inconsistency(Inconsistency::new("store", "constraint", causa))
        }
        "42" if codice == "42501" => StoreError::Refused(format!(
            "the database does not let this user do it ({}); as its owner: GRANT varco_gateway TO it, or \
             varco_registro to whoever keeps the register",
            database.message()
        )),
        "42" => StoreError::Refused(format!(
            "SQLSTATE {codice}: {}; bring the database up with `varco migrate`, as its owner",
            database.message()
        )),
        _ => match codice.as_str() {
            "53100" | "53200" | "53400" => StoreError::Full(format!(
                "no room left for the database (SQLSTATE {codice}); free some, nothing else is needed"
            )),
            _ => StoreError::unavailable(format!("SQLSTATE {codice}: {}", database.message())),
        },
    }
}

/// The five characters that say what went wrong (postgresql.org/docs/current/errcodes-appendix.html).
pub(super) fn sqlstate(database: &dyn DatabaseError) -> String {
    database.code().map(Cow::into_owned).unwrap_or_default()
}

impl Riga<'_, PgRow> {
    /// An instant.
    pub(super) fn istante(&self, column: &'static str) -> Result<Timestamp, Inconsistency> {
        self.get::<Istante>(column).map(|Istante(istante)| istante)
    }
}

/// An instant as a column of type `timestamptz` holds it: to the millisecond, as everywhere with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Istante(pub(super) Timestamp);

/// Microseconds from 1970, where we count from, to 2000, where PostgreSQL does.
const EPOCA_US: i64 = 946_684_800_000_000;

impl Type<Postgres> for Istante {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl PgHasArrayType for Istante {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_timestamptz")
    }
}

impl Encode<'_, Postgres> for Istante {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let us = self.0.as_millisecond() * 1000 - EPOCA_US;
        Encode::<Postgres>::encode_by_ref(&us, buffer)
    }
}

impl Decode<'_, Postgres> for Istante {
    fn decode(valore: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let us: i64 = Decode::<Postgres>::decode(valore)?;
        let ms = us.saturating_add(EPOCA_US).div_euclid(1000);
        Ok(Self(Timestamp::from_millisecond(ms)?))
    }
}
