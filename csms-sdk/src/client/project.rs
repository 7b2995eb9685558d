//! A project id that is looked up when first needed.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Mutex;

use crate::error::Error;

/// One look-up however many calls wait for it. Those that wait share its failure too: refused one after the other
/// they would lock the access key out, or wait for each other's time-outs. Whoever comes later tries again.
#[derive(Debug, Default)]
pub(super) struct Project {
    id: OnceLock<String>,
    /// Held by the one task that looks it up; the failure is for those that waited.
    looking: Mutex<Option<Error>>,
    /// Number of look-ups that failed.
    failures: AtomicU64,
}

impl Project {
    pub(super) fn known(&self) -> Option<&str> {
        self.id.get().map(String::as_str)
    }

    pub(super) async fn get_or(&self, look_up: impl Future<Output = Result<String, Error>>) -> Result<&str, Error> {
        if let Some(id) = self.id.get() {
            return Ok(id);
        }
        let failures = self.failures.load(Ordering::Acquire);
        let mut last_failure = self.looking.lock().await;
        if let Some(id) = self.id.get() {
            return Ok(id);
        }
        if let Some(failure) = &*last_failure
            && self.failures.load(Ordering::Acquire) != failures
        {
            return Err(failure.duplicate());
        }
        match look_up.await {
            Ok(id) => Ok(self.id.get_or_init(|| id)),
            Err(error) => {
                *last_failure = Some(error.duplicate());
                self.failures.fetch_add(1, Ordering::Release);
                Err(error)
            }
        }
    }
}
