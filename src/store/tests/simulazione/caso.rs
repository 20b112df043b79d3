//! The seed's own numbers: all that happens by chance in a run is drawn here, so that one seed is one run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::sleep;

/// Numbers of one seed (`SplitMix64`). Shared by all tasks of a run, which one thread executes.
#[derive(Debug)]
pub(super) struct Caso(AtomicU64);

impl Caso {
    /// Those of a seed.
    pub(super) fn new(seme: u64) -> Self {
        Self(AtomicU64::new(seme.wrapping_mul(0xD1B5_4A32_D192_ED03)))
    }

    /// The next one.
    pub(super) fn next(&self) -> u64 {
        let passo = 0x9E37_79B9_7F4A_7C15_u64;
        let mut z = self.0.fetch_add(passo, Ordering::Relaxed).wrapping_add(passo);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One below `n`.
    pub(super) fn below(&self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// Whether it happens, so many times of a thousand.
    pub(super) fn happens(&self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&self, fra: &'a [T]) -> &'a T {
        let quale = usize::try_from(self.below(fra.len() as u64)).unwrap_or(0);
        &fra[quale]
    }

    /// A time between these, in milliseconds.
    pub(super) fn ms(&self, da: u64, a: u64) -> Duration {
        Duration::from_millis(da + self.below(a - da + 1))
    }

    /// Lets others go on: none, some, or all who have anything to do within some milliseconds.
    pub(super) async fn hesitate(&self) {
        match self.below(8) {
            0..=2 => {}
            3..=5 => {
                for _ in 0..=self.below(4) {
                    yield_now().await;
                }
            }
            _ => sleep(self.ms(1, 12)).await,
        }
    }
}
