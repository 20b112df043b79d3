//! Quotas that hold for all gateways of a store together: each takes its requests of a minute in slices, and a slice that one
//! has taken no other gets. No SQL.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::patronato::CodiceEnte;

/// A slice of what an ente may ask in its minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetta {
    /// When the minute began, in seconds of the Unix era.
    pub inizio_s: i64,
    /// Requests that all gateways together have taken, this slice among them.
    pub prese: u64,
    /// Requests of this slice; 0 = none are left.
    pub mie: u64,
}

/// The store's part in quotas. Two implementations.
#[async_trait]
pub trait ArchivioQuote {
    /// Takes a slice of the minute that runs, or begins one: of `concesse` requests at most one twentieth, and fewer when few
    /// are left, so that what a gateway holds and does not use is little. All gateways together never get more than `concesse`.
    /// It need not survive a failure of the database: what is lost is a count of at most one minute.
    async fn take_fetta(
        &self,
        ente: &CodiceEnte,
        concesse: u32,
        adesso: Timestamp,
    ) -> Result<Fetta, StoreError>;
}

/// How long the minute of a quota is, in seconds.
pub const MINUTO_S: i64 = 60;
