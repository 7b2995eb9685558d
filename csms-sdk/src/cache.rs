//! Keeps secrets at hand, so that a program can ask for them each time it needs them.
//!
//! ```no_run
//! use csms_sdk::{Client, cache::SecretCache};
//!
//! # async fn example() -> Result<(), csms_sdk::Error> {
//! let client = Client::builder().region("cn-north-4").build()?;
//! let cache = SecretCache::new(&client);
//!
//! let password = cache.get("db#password").await?; // asks the service
//! let password = cache.get("db#password").await?; // takes well under a microsecond
//! println!("{} of {} reads were hits", cache.metrics().hits, cache.metrics().hits + cache.metrics().misses);
//! # Ok(())
//! # }
//! ```
//!
//! # When a value is asked for again
//!
//! A value is handed out for its [time to live](Builder::ttl). The first read after that asks the service which version is
//! meant now, and whether the secret is enabled and still the same one. If so the value is kept: a version's value never
//! changes. Otherwise it is fetched. However many tasks wait for a value, the service is asked once, and all get what it
//! answered, an error as well. A task that gives up leaves the attempt to the others. Nothing goes on in the background,
//! unless [`refresh_ahead`](Builder::refresh_ahead) asks for it.
//!
//! A program that changes a secret calls [`invalidate`](SecretCache::invalidate) or [`refresh`](SecretCache::refresh)
//! afterwards: a read that joins an attempt under way gets what was right when that began.
//!
//! # When a value ends
//!
//! | what happened | is noticed |
//! | --- | --- |
//! | another version is current, or has the stage that was asked for | after the time to live |
//! | the secret was deleted, scheduled for deletion, disabled, or created anew | after the time to live |
//! | the caller lost the permission to read the value; the key of KMS was disabled; a version without a stage was removed | after [`max_age`](Builder::max_age) |
//!
//! What the service refuses for good is told at once, and the value dropped: not found, not permitted, not authenticated,
//! pending deletion. What may pass (throttled, a failure of the service, no connection, a time-out) is told too, unless
//! [`stale_on_failure`](Builder::stale_on_failure) allows the value to be used on. A refusal is not remembered: the next read
//! asks again. A field that a value lacks is told without asking.
//!
//! Each of these bounds holds while a program reads, and goes by the time of `tokio`, so that tests can pause it. A value that nobody reads stays in memory until it makes room for another;
//! [`invalidate_all`](SecretCache::invalidate_all) ends that. Dropped values are wiped as soon as nobody holds the `Arc` that
//! was handed out: let go of it after use.
//!
//! # Permissions
//!
//! `csms:secret:getVersion` with `kms:cmk:decryptDataKey` reads values, `csms:secret:getStage` tells what a stage marks,
//! `csms:secret:listVersion` resolves `latest` and `~1`. `csms:secret:get` confirms values; without it they are fetched anew
//! each time.

mod ask;
mod builder;
mod entry;
mod flight;
mod index;
mod metrics;
mod wanted;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::{runtime::Handle, task::JoinSet, time::Instant};

use self::{
    ask::{Landing, ask},
    builder::Settings,
    entry::{Entry, Found},
    index::Index,
    metrics::{Counters, count},
};
use crate::{
    Client,
    credentials::BoxFuture,
    error::Error,
    reference::Reference,
    store::{SecretStore, SecretValue},
};

pub use self::{builder::Builder, metrics::CacheMetrics, wanted::Wanted};

/// Keeps secrets at hand; see the [module](self). Clones share what is held.
#[derive(Clone)]
pub struct SecretCache {
    shared: Arc<Shared>,
    /// Renew values in the background, and end with the last clone.
    tasks: Arc<Mutex<JoinSet<()>>>,
}

struct Shared {
    client: Client,
    store: SecretStore,
    settings: Settings,
    built: Instant,
    index: RwLock<Index>,
    counters: Arc<Counters>,
}

impl SecretCache {
    /// A cache with every setting at its default, for secrets that this client reads.
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self::builder(client).build()
    }

    /// Sets up a cache for secrets that this client reads. References may name other regions.
    pub fn builder(client: &Client) -> Builder {
        Builder::new(client)
    }

    fn from_settings(client: Client, settings: Settings) -> Self {
        let shared = Shared {
            store: SecretStore::new(&client),
            client,
            settings,
            built: Instant::now(),
            index: RwLock::default(),
            counters: Arc::default(),
        };
        Self { shared: Arc::new(shared), tasks: Arc::default() }
    }

    /// The value that a reference means: the one at hand, else what the service answers.
    ///
    /// `db`, `db@current` and `csms://db` are the same, and `db#a` and `db#b` fields of one value that is fetched once.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when secret, version or field does not exist; those of a call.
    pub async fn get<'a>(&self, reference: impl Into<Wanted<'a>>) -> Result<Arc<SecretValue>, Error> {
        let wanted = reference.into();
        if let Wanted::Text(text) = wanted
            && let Some(value) = self.at_hand(text)
        {
            return Ok(value);
        }
        // Boxed, so that those who find their value do not carry the space for asking.
        Box::pin(self.look_for(wanted)).await
    }

    /// Fetches the value that a reference means now, whatever is at hand, and keeps it.
    ///
    /// # Errors
    /// Those of [`get`](Self::get). What may pass leaves the value that is at hand.
    pub async fn refresh<'a>(&self, reference: impl Into<Wanted<'a>>) -> Result<Arc<SecretValue>, Error> {
        let wanted = reference.into();
        let (whole, field) = split(wanted.to_reference()?);
        let visit = self.visit(whole)?;
        let entry = &visit.entry;
        let landing = ask(entry.client.clone(), entry.reference.clone(), None, Arc::clone(&self.shared.counters)).await;
        let value = self.shared.land(entry, landing)?;
        self.part(wanted, entry, value, field.as_deref())
    }

    /// Drops a secret with all its versions and fields, in the region that the reference names: the next read fetches it. What was
    /// asked before comes to those who wait for it, and is not kept.
    ///
    /// # Errors
    /// When `reference` is no reference.
    pub fn invalidate<'a>(&self, reference: impl Into<Wanted<'a>>) -> Result<(), Error> {
        let reference = reference.into().to_reference()?;
        let region = reference.region().or(self.shared.client.region());
        let is_meant =
            |entry: &&Arc<Entry>| entry.reference.name() == reference.name() && entry.client.region() == region;
        let mut index = self.shared.write();
        let meant: Vec<_> = index.entries().filter(is_meant).cloned().collect();
        meant.iter().for_each(|entry| index.drop_entry(entry));
        Ok(())
    }

    /// Drops everything, as [`invalidate`](Self::invalidate) does.
    pub fn invalidate_all(&self) {
        let mut index = self.shared.write();
        index.entries().for_each(|entry| entry.forget());
        *index = Index::default();
    }

    /// Reads many, eight at a time, so that they are at hand later. Tells of each in turn what came of it.
    ///
    /// More than the [capacity](Builder::capacity) drive each other out.
    pub async fn prefetch<'a>(
        &self,
        references: impl IntoIterator<Item: Into<Wanted<'a>>>,
    ) -> Vec<Result<Arc<SecretValue>, Error>> {
        let wanted: Vec<_> = references.into_iter().map(Into::into).collect();
        let next = AtomicUsize::new(0);
        let work = || async {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Relaxed);
                let Some(wanted) = wanted.get(number) else { return done };
                done.push((number, self.get(*wanted).await));
            }
        };
        // Not tasks: whoever drops the future has ended it all.
        let (a, b, c, d, e, f, g, h) = tokio::join!(work(), work(), work(), work(), work(), work(), work(), work());
        let mut done: Vec<_> = [a, b, c, d, e, f, g, h].into_iter().flatten().collect();
        done.sort_unstable_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Number of values that are held, fresh or not; their fields are not counted. Looks at each.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.read().len()
    }

    /// Whether no value is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the cache has done so far.
    #[must_use]
    pub fn metrics(&self) -> CacheMetrics {
        self.shared.counters.read()
    }

    /// The value of a text that was asked for before.
    fn at_hand(&self, text: &str) -> Option<Arc<SecretValue>> {
        let now = Instant::now();
        let index = self.shared.read();
        let shortcut = index.shortcut(text)?;
        // Nearly every read ends here: one lock, one hash, one look at the clock.
        let found = match now < shortcut.fresh_until {
            true => Found { value: Arc::clone(&shortcut.value), is_stale: false, is_due: false },
            false => shortcut.entry.find(shortcut.field.as_deref(), now)?,
        };
        Some(self.hand_out(&shortcut.entry, found, now))
    }

    fn hand_out(&self, entry: &Arc<Entry>, found: Found, now: Instant) -> Arc<SecretValue> {
        let counters = &self.shared.counters;
        count(if found.is_stale { &counters.stale_hits } else { &counters.hits });
        entry.touch(now - self.shared.built);
        if found.is_due {
            self.renew(entry);
        }
        found.value
    }

    async fn look_for(&self, wanted: Wanted<'_>) -> Result<Arc<SecretValue>, Error> {
        let (whole, field) = split(wanted.to_reference()?);
        let visit = self.visit(whole)?;
        let entry = &visit.entry;
        let now = Instant::now();
        let value = match entry.find(None, now) {
            Some(found) => self.hand_out(entry, found, now),
            None => self.wait_for(entry, now).await?,
        };
        self.part(wanted, entry, value, field.as_deref())
    }

    /// The value that the service answers, to whoever asks it.
    async fn wait_for(&self, entry: &Arc<Entry>, now: Instant) -> Result<Arc<SecretValue>, Error> {
        let counters = &self.shared.counters;
        count(&counters.misses);
        entry.touch(now - self.shared.built);
        let fresh = || entry.find(None, Instant::now()).filter(|found| !found.is_stale).map(|found| found.value);
        let (outcome, began) = self.shared.ask(entry, fresh).await;
        if !began {
            count(&counters.waits);
        }
        match outcome {
            Err(error) if error.is_retryable() => {
                let found = entry.find(None, Instant::now()).ok_or(error)?;
                if found.is_stale {
                    count(&counters.stale_hits);
                }
                Ok(found.value)
            }
            outcome => outcome,
        }
    }

    /// Of this value what was asked for; and remembers how.
    fn part(
        &self,
        wanted: Wanted<'_>,
        entry: &Arc<Entry>,
        whole: Arc<SecretValue>,
        field: Option<&str>,
    ) -> Result<Arc<SecretValue>, Error> {
        let value = match field {
            Some(field) => entry.field(&whole, field)?,
            None => whole,
        };
        if let Wanted::Text(text) = wanted {
            self.shared.write().remember(text, entry, field, self.shared.settings.capacity);
        }
        Ok(value)
    }

    /// Renews a value in the background, unless that is being done.
    fn renew(&self, entry: &Arc<Entry>) {
        if entry.renewing.swap(true, Relaxed) {
            return;
        }
        let renewal = Renewal(Arc::clone(entry));
        // A runtime is what tasks need; a read that finds its value does not.
        let Ok(runtime) = Handle::try_current() else { return };
        let shared = Arc::clone(&self.shared);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        let task = async move {
            // What failed is told to the first read that has to wait.
            let _ = shared.ask(&renewal.0, || None).await;
        };
        tasks.spawn_on(task, &runtime);
    }

    fn visit(&self, reference: Reference) -> Result<Visit<'_>, Error> {
        let shared = &*self.shared;
        let known = shared.read().entry(&reference).cloned();
        let entry = match known {
            Some(entry) => entry,
            None => {
                let client = shared.store.client_for(&reference)?;
                shared.write().entry_or_new(reference, client)
            }
        };
        Ok(Visit { shared, entry })
    }
}

/// Names and numbers, never a value.
impl fmt::Debug for SecretCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.shared.read();
        let mut held: Vec<_> = index.entries().map(|entry| entry.reference.to_string()).collect();
        held.sort_unstable();
        f.debug_struct("SecretCache").field("secrets", &held).field("metrics", &self.metrics()).finish_non_exhaustive()
    }
}

impl Shared {
    /// What comes of asking the service, once for all who want to know.
    async fn ask(
        &self,
        entry: &Arc<Entry>,
        look: impl FnOnce() -> Option<Arc<SecretValue>>,
    ) -> (Result<Arc<SecretValue>, Error>, bool) {
        let begin = || -> BoxFuture<'static, Landing> {
            let known = entry.known(Instant::now(), self.settings.max_age);
            Box::pin(ask(entry.client.clone(), entry.reference.clone(), known, Arc::clone(&self.counters)))
        };
        entry.flight.join(look, begin, |landing| self.land(entry, landing)).await
    }

    /// Keeps what the service answered, or drops what it refuses for good.
    fn land(&self, entry: &Arc<Entry>, landing: Landing) -> Result<Arc<SecretValue>, Error> {
        let now = Instant::now();
        match landing.outcome {
            Ok(answer) => {
                let value = Arc::clone(&answer.value);
                entry.hold(answer, landing.asked, &self.settings);
                let evicted = {
                    let mut index = self.write();
                    index.forget_shortcuts(entry);
                    index.make_room(self.settings.capacity, entry, now)
                };
                self.counters.evictions.fetch_add(evicted, Relaxed);
                Ok(value)
            }
            Err(error) => {
                if !error.is_retryable() {
                    self.write().drop_entry(entry);
                } else if entry.bear(&error, now, &self.settings) {
                    tracing::warn!(secret = entry.reference.name(), %error, "a secret was not confirmed and is used on");
                }
                Err(error)
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Someone who asks for an entry. The last one takes it along if it has no value: what does not exist takes no room.
struct Visit<'a> {
    shared: &'a Shared,
    entry: Arc<Entry>,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if !self.entry.is_empty() {
            return;
        }
        let mut index = self.shared.write();
        // The index has one, we have one; under the lock nobody gets another.
        if self.entry.is_empty() && Arc::strong_count(&self.entry) == 2 {
            index.drop_entry(&self.entry);
        }
    }
}

/// That an entry is being renewed.
struct Renewal(Arc<Entry>);

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.renewing.store(false, Relaxed);
    }
}

/// A reference to all of the value, and the field.
fn split(reference: Reference) -> (Reference, Option<String>) {
    let field = reference.field().map(str::to_owned);
    (reference.with_field(None), field)
}
