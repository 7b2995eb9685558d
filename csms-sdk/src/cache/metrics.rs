//! What a cache has done, in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a cache has done since it was built. The numbers only grow; take the difference of two for a span of time.
///
/// Each is read on its own: while tasks are at work, two of them can be a moment apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheMetrics {
    /// Reads that were answered at once with a value within its time to live.
    pub hits: u64,
    /// Reads that were answered with a value beyond its time to live, because asking the service failed for what may pass. The
    /// one that asked, and those that waited with it, are misses as well.
    pub stale_hits: u64,
    /// Reads that found no value within its time to live and turned to the service; those that waited for another's attempt
    /// are among them.
    pub misses: u64,
    /// Misses that waited for an attempt that another read, or a renewal ahead of time, had begun.
    pub waits: u64,
    /// How often a value was asked of the service, whatever came of it.
    pub fetches: u64,
    /// How often the service was asked whether a value is still the right one, whatever came of it.
    pub revalidations: u64,
    /// Revalidations that confirmed the value, so that it was not fetched. All others that did not fail led to a fetch.
    pub unchanged: u64,
    /// Attempts, at a fetch or a revalidation, that ended in an error. One attempt counts once, however many waited for it.
    pub failures: u64,
    /// Values dropped to make room for another. Those dropped by `invalidate` or for an error are not among them.
    pub evictions: u64,
}

/// The same while it is being counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: AtomicU64,
    pub(super) stale_hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) waits: AtomicU64,
    pub(super) fetches: AtomicU64,
    pub(super) revalidations: AtomicU64,
    pub(super) unchanged: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) evictions: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl Counters {
    pub(super) fn read(&self) -> CacheMetrics {
        CacheMetrics {
            hits: self.hits.load(Relaxed),
            stale_hits: self.stale_hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            waits: self.waits.load(Relaxed),
            fetches: self.fetches.load(Relaxed),
            revalidations: self.revalidations.load(Relaxed),
            unchanged: self.unchanged.load(Relaxed),
            failures: self.failures.load(Relaxed),
            evictions: self.evictions.load(Relaxed),
        }
    }
}
