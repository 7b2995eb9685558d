//! A version of a secret as a cache holds it.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    ask::{Answer, Landing},
    builder::Settings,
    flight::Flight,
};
use crate::{Client, error::Error, reference::Reference, retry, store::SecretValue};

/// After a failure, a stale value is handed out for this long before the service is asked again. Every read would wait for
/// its time-outs otherwise, and an outage would be met with as many calls as there are reads.
const PAUSE: Duration = Duration::from_secs(5);

/// What a reference without its field means, with its value if there is one.
pub(super) struct Entry {
    /// Without a field.
    pub(super) reference: Reference,
    /// Of the region that the reference names.
    pub(super) client: Client,
    pub(super) flight: Flight<Landing>,
    /// Whether a task renews it in the background.
    pub(super) renewing: AtomicBool,
    held: RwLock<Option<Held>>,
    /// When it was last read, in nanoseconds since the cache was built.
    used: AtomicU64,
}

struct Held {
    answer: Answer,
    /// Fields that were asked for.
    fields: HashMap<String, Arc<SecretValue>>,
    /// When it was last known to be right.
    asked: Instant,
    /// When its time to live is over.
    expires: Instant,
    /// When a read begins to renew it in the background.
    renew_from: Instant,
    /// Until when it is handed out although its time is over.
    borne_until: Instant,
}

impl Held {
    fn part(&self, field: Option<&str>) -> Option<&Arc<SecretValue>> {
        match field {
            None => Some(&self.answer.value),
            Some(field) => self.fields.get(field),
        }
    }
}

/// A value that can be handed out.
pub(super) struct Found {
    pub(super) value: Arc<SecretValue>,
    /// Whether its time to live is over.
    pub(super) is_stale: bool,
    /// Whether it is to be renewed in the background.
    pub(super) is_due: bool,
}

impl Entry {
    pub(super) fn new(reference: Reference, client: Client) -> Self {
        Self {
            reference,
            client,
            flight: Flight::default(),
            renewing: AtomicBool::new(false),
            held: RwLock::new(None),
            used: AtomicU64::new(0),
        }
    }

    /// The value, or a field of it that was asked for before, if it can be handed out now.
    pub(super) fn find(&self, field: Option<&str>, now: Instant) -> Option<Found> {
        let held = self.read();
        let held = held.as_ref()?;
        let is_stale = now >= held.expires;
        if is_stale && now >= held.borne_until {
            return None;
        }
        let value = Arc::clone(held.part(field)?);
        Some(Found { value, is_stale, is_due: !is_stale && now >= held.renew_from })
    }

    /// The value, or a field of it that was asked for before, and until when there is nothing to be done about it.
    pub(super) fn fresh(&self, field: Option<&str>) -> Option<(Arc<SecretValue>, Instant)> {
        let held = self.read();
        let held = held.as_ref()?;
        Some((Arc::clone(held.part(field)?), held.renew_from.min(held.expires)))
    }

    /// A field of this value, which is kept beside it.
    pub(super) fn field(&self, whole: &Arc<SecretValue>, field: &str) -> Result<Arc<SecretValue>, Error> {
        let is_of = |held: &&mut Held| Arc::ptr_eq(&held.answer.value, whole);
        if let Some(held) = self.write().as_mut().filter(is_of)
            && let Some(found) = held.fields.get(field)
        {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(whole.with_field(field)?);
        if let Some(held) = self.write().as_mut().filter(is_of) {
            held.fields.insert(field.to_owned(), Arc::clone(&found));
        }
        Ok(found)
    }

    /// What can be kept if the service confirms it.
    pub(super) fn known(&self, now: Instant, max_age: Duration) -> Option<Answer> {
        self.read().as_ref().filter(|held| now < held.answer.read + max_age).map(|held| held.answer.clone())
    }

    /// Holds what the service answered to a question of that time, unless it has answered a later one.
    pub(super) fn hold(&self, answer: Answer, asked: Instant, settings: &Settings) {
        let mut held = self.write();
        let fields = match &mut *held {
            Some(held) if held.asked > asked => return,
            Some(held) if Arc::ptr_eq(&held.answer.value, &answer.value) => std::mem::take(&mut held.fields),
            _ => HashMap::new(),
        };
        // Entries that came together do not expire together.
        let expires = asked + settings.ttl.mul_f64(1.0 - retry::random() / 10.0);
        let ahead = settings.refresh_ahead.min((expires - asked) / 2);
        *held = Some(Held { answer, fields, asked, expires, renew_from: expires - ahead, borne_until: expires });
    }

    /// Hands out the value on for a while after a failure that may pass, as far as that is allowed. True if it is.
    pub(super) fn bear(&self, error: &Error, now: Instant, settings: &Settings) -> bool {
        self.write().as_mut().is_some_and(|held| {
            let again = now + error.retry_after().unwrap_or_default().clamp(PAUSE, settings.ttl.max(PAUSE));
            held.renew_from = again;
            held.borne_until = again.min(held.expires + settings.stale_on_failure);
            now < held.borne_until
        })
    }

    /// Lets go of the value.
    pub(super) fn forget(&self) {
        *self.write() = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.read().is_none()
    }

    pub(super) fn touch(&self, age: Duration) {
        self.used.store(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// What is dropped first has the least: what is no longer fresh, then what was not used for long. `None` if there is
    /// nothing to drop.
    pub(super) fn worth(&self, now: Instant) -> Option<(bool, u64)> {
        self.read().as_ref().map(|held| (now < held.expires, self.used.load(Relaxed)))
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Held>> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}
