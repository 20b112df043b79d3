//! Time and ids, asked for and never taken: with both handed in, a test compares whole answers.
//!
//! Two clocks. The true one serves TLS, logs and deadlines and cannot be moved. The business clock governs
//! windows, ages, the registration instant and the year; outside produzione it may start elsewhere
//! (`orologio.inizio`) and then runs on.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// Where the rest of the code learns what time it is.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The true time.
    fn wall(&self) -> Timestamp;
    /// The time that rules, windows and the register see.
    fn business(&self) -> Timestamp;
}

/// The machine's clock, with the business clock a fixed distance away.
#[derive(Debug, Default)]
pub struct WallClock {
    offset_ms: AtomicI64,
}

impl WallClock {
    /// The machine's clock; the business clock runs `offset` ahead of it (behind, when negative).
    #[must_use]
    pub fn with_offset(offset: SignedDuration) -> Self {
        let offset_ms = i64::try_from(offset.as_millis()).unwrap_or(0);
        Self {
            offset_ms: AtomicI64::new(offset_ms),
        }
    }
}

impl Clock for WallClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the Clock that everybody else asks"
    )]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn business(&self) -> Timestamp {
        self.wall() + SignedDuration::from_millis(self.offset_ms.load(Ordering::Relaxed))
    }
}

/// A clock that stands still until it is moved, for tests.
#[derive(Debug)]
pub struct HandClock {
    now_ms: AtomicI64,
    /// The true time, where only the business clock is set by hand.
    machine: Option<WallClock>,
}

impl HandClock {
    /// A clock that shows `now` to everybody.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now_ms: AtomicI64::new(now.as_millisecond()),
            machine: None,
        }
    }

    /// A business clock that shows `now`, while certificates and deadlines go by the machine's.
    #[must_use]
    pub fn business_at(now: Timestamp) -> Self {
        Self {
            machine: Some(WallClock::default()),
            ..Self::at(now)
        }
    }

    /// Moves the hands to `now`, forwards or back.
    pub fn set(&self, now: Timestamp) {
        self.now_ms.store(now.as_millisecond(), Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn wall(&self) -> Timestamp {
        self.machine
            .as_ref()
            .map_or_else(|| self.business(), WallClock::wall)
    }

    fn business(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms.load(Ordering::Relaxed)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Where message ids come from.
pub trait Ids: Send + Sync + std::fmt::Debug {
    /// A fresh id; ids made later sort after (UUID version 7).
    fn next(&self) -> Uuid;
}

/// Random ids, ordered by time.
#[derive(Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is where ids are made")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Ids in sequence, for tests: …0001, …0002.
#[derive(Debug, Default)]
pub struct CountedIds {
    last: AtomicU64,
}

impl Ids for CountedIds {
    fn next(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.last.fetch_add(1, Ordering::Relaxed) + 1))
    }
}
