//! Whether and when a failed attempt is repeated. Decisions only: nothing here sleeps or sends.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// How often and how patiently a call is repeated.
///
/// The service's documentation demands three to five repetitions with exponential back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts after the first; default 3.
    pub max_retries: u32,
    /// Longest wait before the first repetition; default 200 ms. Doubles with each one.
    pub base: Duration,
    /// Longest wait before any repetition, unless the service asks for more; default 10 s.
    pub cap: Duration,
}

impl RetryPolicy {
    /// No repetition at all.
    #[must_use]
    pub const fn none() -> Self {
        Self { max_retries: 0, ..Self::standard() }
    }

    /// The default.
    #[must_use]
    pub const fn standard() -> Self {
        Self { max_retries: 3, base: Duration::from_millis(200), cap: Duration::from_secs(10) }
    }

    /// This policy with so many attempts after the first.
    #[must_use]
    pub const fn with_max_retries(mut self, max_retries: u32) -> Self {
        self.max_retries = max_retries;
        self
    }

    /// This policy with other waits.
    #[must_use]
    pub const fn with_backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// The wait before repetition `retry` (from 0): anything from nothing to the bound, which spreads callers
    /// that failed together.
    fn backoff(&self, retry: u32, random: f64) -> Duration {
        let bound = self.base.saturating_mul(2_u32.saturating_pow(retry)).min(self.cap);
        bound.mul_f64(random)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::standard()
    }
}

/// How an attempt failed, as far as repeating it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Not a byte of the request left: repeating is safe for every operation.
    NotSent,
    /// The service turned it away without carrying it out (429).
    Refused,
    /// The service failed, or the connection did; it may have been carried out.
    Unclear,
    /// Repeating cannot help.
    Final,
}

/// The wait before the next attempt; `None` to give up.
pub(crate) fn decide(
    policy: &RetryPolicy,
    retry: u32,
    failure: Failure,
    idempotent: bool,
    retry_after: Option<Duration>,
    random: f64,
) -> Option<Duration> {
    let safe = match failure {
        Failure::NotSent | Failure::Refused => true,
        Failure::Unclear => idempotent,
        Failure::Final => false,
    };
    if !safe || retry >= policy.max_retries {
        return None;
    }
    let backoff = policy.backoff(retry, random);
    Some(retry_after.map_or(backoff, |asked| asked.max(backoff)))
}

/// A number from 0 to 1 for spreading waits; not for secrets.
pub(crate) fn random() -> f64 {
    // Every RandomState is seeded anew by the standard library; no generator has to be kept.
    let bits = RandomState::new().hash_one(0_u8);
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Retries that a client and its clones may still spend. An outage then costs a client a bounded number of
/// requests on top of its calls, instead of several times as many.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 500;
    const RETRY: u32 = 5;
    const REFUND: u32 = 1;

    /// Takes one retry out; false when nothing is left.
    pub(crate) fn spend(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(Self::RETRY)).is_ok()
    }

    /// Puts back what a call that succeeded is worth: its last retry, or a little.
    pub(crate) fn refund(&self, retried: bool) {
        if !retried && self.0.load(Ordering::Relaxed) == Self::FULL {
            return; // the common case costs no write to shared memory
        }
        let worth = if retried { Self::RETRY } else { Self::REFUND };
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some((left + worth).min(Self::FULL)));
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy::standard();

    fn wait(retry: u32, failure: Failure, idempotent: bool, retry_after: Option<u64>) -> Option<Duration> {
        decide(&POLICY, retry, failure, idempotent, retry_after.map(Duration::from_secs), 1.0)
    }

    #[test]
    fn only_what_is_safe_is_repeated() {
        for (failure, idempotent, repeated) in [
            (Failure::NotSent, false, true),
            (Failure::Refused, false, true),
            (Failure::Unclear, false, false),
            (Failure::Unclear, true, true),
            (Failure::Final, true, false),
        ] {
            assert_eq!(wait(0, failure, idempotent, None).is_some(), repeated, "{failure:?} {idempotent}");
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_then_it_gives_up() {
        let waits: Vec<_> = (0..4).map(|retry| wait(retry, Failure::Refused, false, None)).collect();
        assert_eq!(waits[..3], [200, 400, 800].map(|millis| Some(Duration::from_millis(millis))));
        assert_eq!(waits[3], None);
        let patient = POLICY.with_max_retries(40);
        assert_eq!(decide(&patient, 39, Failure::NotSent, false, None, 1.0), Some(POLICY.cap));
        assert_eq!(decide(&patient, 39, Failure::NotSent, false, None, 0.0), Some(Duration::ZERO));
    }

    #[test]
    fn the_service_may_ask_for_a_longer_wait() {
        assert_eq!(wait(0, Failure::Refused, false, Some(30)), Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_spent_budget_stops_retries_until_calls_succeed_again() {
        let budget = Budget::default();
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), 100);
        assert!(!budget.spend());
        budget.refund(true);
        assert!(budget.spend());
    }

    #[test]
    fn random_numbers_spread_between_nought_and_one() {
        let numbers: Vec<_> = (0..1000).map(|_| random()).collect();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        assert!(numbers.iter().any(|number| *number < 0.1) && numbers.iter().any(|number| *number > 0.9));
    }
}
