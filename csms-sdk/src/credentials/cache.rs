//! Credentials that are kept and renewed: one request however many wait, early, failures not remembered.

use std::{
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{AccessKeys, Context, ProvideCredentials, ProvideError, Provided};
use crate::{error::Error, retry::random, sign::SigningKey, single_flight::SingleFlight, time::Timestamp};

/// Renewing begins this long before the end, or after three quarters of a shorter life.
const EARLY: Duration = Duration::from_secs(40 * 60);

/// After a failed renewal, credentials that are still valid are used on for this long before it is tried again.
const PAUSE: Duration = Duration::from_secs(30);

/// Credentials as requests use them.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) provided: Provided,
    /// The keys made ready, when something is first signed with them.
    signing_key: OnceLock<SigningKey>,
    /// From when on they should be renewed.
    renew_at: Option<DateTime<Utc>>,
}

impl Current {
    fn new(provided: Provided, now: DateTime<Utc>) -> Self {
        let renew_at = expiry(&provided).map(|end| {
            let life = (end - now).to_std().unwrap_or_default();
            // Spread over a tenth, so that many programs started together do not renew together.
            let early = EARLY.min(life / 4).mul_f64(1.0 + random() / 10.0);
            end - chrono::TimeDelta::from_std(early).unwrap_or_default()
        });
        Self { provided, signing_key: OnceLock::new(), renew_at }
    }

    /// These credentials' own `keys`, made ready for signing once.
    pub(crate) fn signing_key(&self, keys: &AccessKeys) -> &SigningKey {
        self.signing_key.get_or_init(|| keys.signing_key())
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
    flight: SingleFlight,
    /// Time in milliseconds before which renewing is not tried again, as long as there are valid credentials.
    paused_until: AtomicI64,
}

impl Cache {
    pub(crate) fn new(provider: Arc<dyn ProvideCredentials>) -> Self {
        Self {
            provider,
            current: RwLock::default(),
            flight: SingleFlight::default(),
            paused_until: AtomicI64::new(i64::MIN),
        }
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
        match self.valid(context) {
            // Still good: one task renews, the others go on with what there is.
            Some(valid) => Ok(self.renew_early(context).await.unwrap_or(valid)),
            // Nothing to use: everybody waits for one attempt.
            None => self.flight.run(|| self.valid(context), self.renew(context)).await,
        }
    }

    async fn renew_early(&self, context: &Context<'_>) -> Option<Arc<Current>> {
        let now = context.now();
        if now.timestamp_millis() < self.paused_until.load(Ordering::Relaxed) {
            return None;
        }
        match self.flight.run_alone(|| self.fresh(context), self.renew(context)).await? {
            Ok(renewed) => Some(renewed),
            Err(error) => {
                tracing::warn!(%error, "credentials could not be renewed and are used on");
                self.paused_until.store((now + PAUSE).timestamp_millis(), Ordering::Relaxed);
                None
            }
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

    fn valid(&self, context: &Context<'_>) -> Option<Arc<Current>> {
        self.peek().filter(|current| current.is_valid(context.now()))
    }

    async fn renew(&self, context: &Context<'_>) -> Result<Arc<Current>, Error> {
        let provided = self.provider.provide(context).await.map_err(ProvideError::into_error)?;
        tracing::debug!(origin = provided.origin, "credentials found");
        let current = Arc::new(Current::new(provided, context.now()));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&current));
        Ok(current)
    }
}
