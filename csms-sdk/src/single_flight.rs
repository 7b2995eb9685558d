//! One attempt for all who want the same thing at the same time.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use crate::error::Error;

/// Lets one task try while the others wait. Those that wait share its failure too: refused one after the other they
/// would lock the access key out, or wait for each other's time-outs. Whoever comes later tries again.
#[derive(Debug, Default)]
pub(crate) struct SingleFlight {
    /// Held by the task that tries; the failure is for those that waited.
    last_failure: Mutex<Option<Error>>,
    /// Number of attempts that failed.
    failures: AtomicU64,
}

impl SingleFlight {
    /// What `look` finds once no other task is trying, else the outcome of `attempt`.
    pub(crate) async fn run<T>(
        &self,
        look: impl FnOnce() -> Option<T>,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let failures = self.failures.load(Ordering::Acquire);
        let mut last_failure = self.last_failure.lock().await;
        if let Some(found) = look() {
            return Ok(found);
        }
        match &*last_failure {
            Some(failure) if self.failures.load(Ordering::Acquire) != failures => Err(failure.duplicate()),
            _ => self.attempt(&mut last_failure, attempt).await,
        }
    }

    /// The outcome of `attempt`, unless another task is trying or `look` finds that one has.
    pub(crate) async fn run_alone<T>(
        &self,
        look: impl FnOnce() -> Option<T>,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Option<Result<T, Error>> {
        let mut last_failure = self.last_failure.try_lock().ok()?;
        match look() {
            Some(found) => Some(Ok(found)),
            None => Some(self.attempt(&mut last_failure, attempt).await),
        }
    }

    async fn attempt<T>(
        &self,
        last_failure: &mut Option<Error>,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let outcome = attempt.await;
        match &outcome {
            Ok(_) => *last_failure = None,
            Err(error) => {
                *last_failure = Some(error.duplicate());
                self.failures.fetch_add(1, Ordering::Release);
            }
        }
        outcome
    }
}
