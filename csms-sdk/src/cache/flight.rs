//! One attempt for all who wait for the same thing, which outlives the one that began it.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::sync::Mutex;

use crate::{credentials::BoxFuture, error::Error, store::SecretValue};

/// What those who waited get.
type Outcome = Result<Arc<SecretValue>, Error>;

/// Lets one task drive an attempt while the others wait; all get its outcome, a failure as well.
///
/// The attempt belongs to none of them. One that is dropped leaves it as far as it came, and the next drives it on: were it
/// begun anew each time, callers with little patience would never see it end. When the last of them is gone, so is it.
///
/// Unlike the [`SingleFlight`](crate::single_flight::SingleFlight) of credentials, those who waited share a success as it is,
/// even if it is out of date by then.
pub(super) struct Flight<A> {
    /// Held by the task that drives.
    attempt: Mutex<Attempt<A>>,
    /// Number of attempts that ended.
    landed: AtomicU64,
    /// Number of tasks that drive or wait.
    aboard: AtomicUsize,
}

struct Attempt<A> {
    running: Option<BoxFuture<'static, A>>,
    /// Of the last one, for those who waited.
    outcome: Option<Outcome>,
}

impl<A> Default for Flight<A> {
    fn default() -> Self {
        let attempt = Mutex::new(Attempt { running: None, outcome: None });
        Self { attempt, landed: AtomicU64::new(0), aboard: AtomicUsize::new(0) }
    }
}

impl<A> Flight<A> {
    /// The outcome of the attempt that is running, else what `look` finds, else the outcome of one that `begin` begins.
    /// `land` makes the outcome of what it ended with. True if it was begun here.
    pub(super) async fn join(
        &self,
        look: impl FnOnce() -> Option<Arc<SecretValue>>,
        begin: impl FnOnce() -> BoxFuture<'static, A>,
        land: impl FnOnce(A) -> Outcome,
    ) -> (Outcome, bool) {
        // Dropped last, when the attempt is let go of.
        let _seat = Seat::take(self);
        let landed = self.landed.load(SeqCst);
        let mut attempt = self.attempt.lock().await;
        if self.landed.load(SeqCst) != landed
            && let Some(outcome) = &attempt.outcome
        {
            return (share(outcome), false);
        }
        let begins = attempt.running.is_none();
        if begins && let Some(value) = look() {
            return (Ok(value), false);
        }
        let ended = attempt.running.get_or_insert_with(begin).await;
        attempt.running = None;
        let outcome = land(ended);
        attempt.outcome = Some(share(&outcome));
        self.landed.fetch_add(1, SeqCst);
        (outcome, begins)
    }
}

fn share(outcome: &Outcome) -> Outcome {
    match outcome {
        Ok(value) => Ok(Arc::clone(value)),
        Err(error) => Err(error.duplicate()),
    }
}

/// A place among those who wait.
struct Seat<'a, A>(&'a Flight<A>);

impl<'a, A> Seat<'a, A> {
    fn take(flight: &'a Flight<A>) -> Self {
        flight.aboard.fetch_add(1, SeqCst);
        Self(flight)
    }
}

impl<A> Drop for Seat<'_, A> {
    fn drop(&mut self) {
        // Whoever comes in between drives it himself, and leaves after us.
        if self.0.aboard.fetch_sub(1, SeqCst) == 1
            && let Ok(mut attempt) = self.0.attempt.try_lock()
        {
            let left = mem::replace(&mut *attempt, Attempt { running: None, outcome: None });
            drop(attempt);
            drop(left);
        }
    }
}
