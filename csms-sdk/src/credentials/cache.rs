//! Credentials that are kept and renewed: one request however many wait, early, failures not remembered.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::{AccessKeys, Context, Credentials, ProvideCredentials, Provided};
use crate::{error::Error, retry::random, sign::SigningKey, time::Timestamp};

/// Renewing begins this long before the end, or after three quarters of a shorter life.
const EARLY: Duration = Duration::from_secs(40 * 60);

/// After a failed renewal, credentials that are still valid are used on for this long before it is tried again.
const PAUSE: Duration = Duration::from_secs(30);

/// Credentials as requests use them.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) provided: Provided,
    /// The keys made ready for signing.
    pub(crate) signing_key: Option<SigningKey>,
    /// From when on they should be renewed.
    renew_at: Option<DateTime<Utc>>,
}

impl Current {
    fn new(provided: Provided, now: DateTime<Utc>) -> Self {
        let signing_key = match &provided.credentials {
            Credentials::Keys(AccessKeys { access_key, secret_key, .. }) => {
                Some(SigningKey::sdk(access_key, secret_key.expose_secret().as_bytes()))
            }
            Credentials::Token(_) => None,
        };
        let renew_at = expiry(&provided).map(|end| {
            let life = (end - now).to_std().unwrap_or_default();
            // Spread over a tenth, so that many programs started together do not renew together.
            let early = EARLY.min(life / 4).mul_f64(1.0 + random() / 10.0);
            end - chrono::TimeDelta::from_std(early).unwrap_or_default()
        });
        Self { provided, signing_key, renew_at }
    }

    fn is_fresh(&self, now: impl FnOnce() -> DateTime<Utc>) -> bool {
        self.renew_at.is_none_or(|renew_at| now() < renew_at)
    }

    fn is_valid(&self, now: DateTime<Utc>) -> bool {
        expiry(&self.provided).is_none_or(|end| now < end)
    }
}

fn expiry(provided: &Provided) -> Option<DateTime<Utc>> {
    provided.credentials.expires_at().and_then(Timestamp::to_datetime)
}

/// A provider with its last answer.
#[derive(Debug)]
pub(crate) struct Cache {
    provider: Arc<dyn ProvideCredentials>,
    current: RwLock<Option<Arc<Current>>>,
    /// Held by the one task that renews.
    renewing: Mutex<Renewing>,
    /// Number of attempts to renew that failed.
    failures: AtomicU64,
}

#[derive(Debug, Default)]
struct Renewing {
    /// Not tried again before, as long as there are valid credentials.
    paused_until: Option<DateTime<Utc>>,
    /// For those that waited for the attempt that failed.
    last_failure: Option<Error>,
}

impl Cache {
    pub(crate) fn new(provider: Arc<dyn ProvideCredentials>) -> Self {
        Self { provider, current: RwLock::default(), renewing: Mutex::default(), failures: AtomicU64::new(0) }
    }

    pub(crate) fn provider(&self) -> &Arc<dyn ProvideCredentials> {
        &self.provider
    }

    /// The credentials that are at hand, unless it is time to ask for new ones.
    pub(crate) fn fresh(&self, context: &Context<'_>) -> Option<Arc<Current>> {
        // Most credentials never end, and asking for the time is not free.
        self.peek().filter(|current| current.is_fresh(|| context.now()))
    }

    /// The credentials to use now.
    pub(crate) async fn get(&self, context: &Context<'_>) -> Result<Arc<Current>, Error> {
        if let Some(current) = self.fresh(context) {
            return Ok(current);
        }
        let current = self.peek();
        let now = context.now();
        match current.filter(|current| current.is_valid(now)) {
            // Still good: one task renews, the others go on with what there is.
            Some(valid) => match self.renewing.try_lock() {
                Ok(mut renewing) if renewing.paused_until.is_none_or(|end| now >= end) => {
                    // Another task may have renewed between the look and the lock.
                    if let Some(fresh) = self.peek().filter(|current| current.is_fresh(|| now)) {
                        return Ok(fresh);
                    }
                    Ok(self.renew(&mut renewing, context).await.unwrap_or_else(|error| {
                        tracing::warn!(%error, "credentials could not be renewed and are used on");
                        renewing.paused_until = Some(now + PAUSE);
                        valid
                    }))
                }
                _ => Ok(valid),
            },
            None => self.wait(context).await,
        }
    }

    /// Nothing to use: everybody waits for one attempt and shares its outcome; whoever comes later tries again.
    async fn wait(&self, context: &Context<'_>) -> Result<Arc<Current>, Error> {
        let failures = self.failures.load(Ordering::Acquire);
        let mut renewing = self.renewing.lock().await;
        if let Some(current) = self.peek().filter(|current| current.is_valid(context.now())) {
            return Ok(current);
        }
        match &renewing.last_failure {
            Some(failure) if self.failures.load(Ordering::Acquire) != failures => Err(failure.duplicate()),
            _ => self.renew(&mut renewing, context).await,
        }
    }

    /// Forgets `refused`, so that the next call asks the provider again; false when asking again cannot help.
    pub(crate) fn invalidate(&self, refused: &Arc<Current>) -> bool {
        if refused.provided.credentials.expires_at().is_none() {
            return false;
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, refused)) {
            *current = None;
        }
        true
    }

    fn peek(&self) -> Option<Arc<Current>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(&self, renewing: &mut Renewing, context: &Context<'_>) -> Result<Arc<Current>, Error> {
        match self.provider.provide(context).await {
            Ok(provided) => {
                tracing::debug!(origin = provided.origin, "credentials found");
                let current = Arc::new(Current::new(provided, context.now()));
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&current));
                *renewing = Renewing::default();
                Ok(current)
            }
            Err(error) => {
                let error = error.into_error();
                renewing.last_failure = Some(error.duplicate());
                self.failures.fetch_add(1, Ordering::Release);
                Err(error)
            }
        }
    }
}
