//! Noticing that secrets have changed, without reading their values.
//!
//! ```no_run
//! use csms_sdk::{Client, store::SecretStore, watch::Watch};
//!
//! # async fn serve(_: Vec<csms_sdk::store::SecretValue>) {}
//! # async fn example(client: Client) -> Result<(), csms_sdk::Error> {
//! let store = SecretStore::new(&client);
//! let wanted = ["db", "mail#password"];
//! loop {
//!     // First watch, then read: what changes between the two is noticed as well.
//!     let watching = Watch::new().secrets(&store, wanted)?.begin().await?;
//!     let values = store.get_many(wanted).await.into_iter().collect::<Result<Vec<_>, _>>()?;
//!     serve(values).await;
//!     while let Err(error) = watching.changed().await {
//!         eprintln!("the values at hand are used on: {error}");
//!     }
//! }
//! # }
//! ```
//!
//! A look asks which version a reference means now: one small call for each secret and stage, which decrypts nothing. An id
//! of a version always means the same, so nobody is asked about it. Looks come at times that differ from watcher to watcher.
//!
//! What is noticed: another version is current or has the stage that was asked for, the stage was moved away and back, a
//! secret was deleted and created anew. So the values may be the same afterwards; whoever minds compares them. A secret that
//! is scheduled for deletion or disabled still tells its versions, and its values were read: that is no change.
//!
//! The time is that of `tokio`, so that tests can pause it. Nothing goes on in the background: [`changed`](Watching::changed)
//! looks while it is awaited, and can be dropped at any time.
//!
//! # Permissions
//!
//! `csms:secret:getStage` for stages, `SYSCURRENT` among them; `csms:secret:listVersion` for `latest` and `~1`;
//! `csms:secret:list` for prefixes.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    Client,
    csms::{ListSecrets, SecretState, ShowSecretStage},
    error::Error,
    reference::{Reference, VersionRef},
    retry,
    store::{self, SecretStore},
    time::Timestamp,
};

/// Looks that a change is given to come to rest. A secret that never rests is told in the end.
const LOOKS: usize = 10;

/// What to watch, and how often to look.
#[derive(Clone, Debug)]
pub struct Watch {
    subjects: Vec<Subject>,
    every: Duration,
    quiet: Duration,
}

/// What has been seen, to be compared with what there is.
#[derive(Debug)]
pub struct Watching {
    watch: Watch,
    seen: Vec<Mark>,
}

#[derive(Clone, Debug)]
struct Subject {
    client: Client,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// What a name and a version mean.
    Version(String, VersionRef),
    /// The secrets whose names begin like this.
    Prefix(String),
}

/// By what it is recognised that something is still the same.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mark {
    /// Id of a version, and when its stage came to it or it was created: ids come again where a secret is created anew.
    Version(Option<String>, Option<Timestamp>),
    /// Names and ids, in their order.
    Secrets(Vec<(String, Option<String>)>),
}

impl Default for Watch {
    fn default() -> Self {
        Self { subjects: Vec::new(), every: Duration::from_secs(30), quiet: Duration::from_secs(3) }
    }
}

impl Watch {
    /// Looks every 30 seconds, and takes a change for complete when nothing has changed for three.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time between two looks. A part of up to a tenth is left out at random.
    #[must_use]
    pub fn every(mut self, every: Duration) -> Self {
        // Without any time between them, looks would be all that is done.
        self.every = every.max(Duration::from_millis(1));
        self
    }

    /// How long nothing may change until a change is told, so that several that belong together are one. What goes on
    /// changing is told after ten times as long.
    #[must_use]
    pub fn quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Watches what these references mean, in the regions that they name. Fields of one secret are looked at once.
    ///
    /// # Errors
    /// When one is no reference, or names what the store has not: another project, profile or unknown region.
    pub fn secrets(
        mut self,
        store: &SecretStore,
        references: impl IntoIterator<Item = impl TryInto<Reference, Error: Into<Error>>>,
    ) -> Result<Self, Error> {
        // Of one store a region is one place; other stores may be somebody else there.
        let before = self.subjects.len();
        for reference in references {
            let reference = reference.try_into().map_err(Into::into)?;
            // What an id means never changes.
            if matches!(reference.version(), VersionRef::Id(_)) {
                continue;
            }
            let client = store.client_for(&reference)?;
            let what = What::Version(reference.name().to_owned(), reference.version().clone());
            let is_it = |other: &Subject| other.what == what && other.client.region() == client.region();
            if !self.subjects[before..].iter().any(is_it) {
                self.subjects.push(Subject { client, what });
            }
        }
        Ok(self)
    }

    /// Watches which secrets there are whose names begin like this: one that comes or goes is a change, another version of
    /// one is not. Each look lists all secrets.
    #[must_use]
    pub fn prefix(mut self, client: &Client, prefix: impl Into<String>) -> Self {
        self.subjects.push(Subject { client: client.clone(), what: What::Prefix(prefix.into()) });
        self
    }

    /// Looks for the first time.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when a secret or version does not exist; those of a call.
    pub async fn begin(self) -> Result<Watching, Error> {
        let seen = self.look().await?;
        Ok(Watching { watch: self, seen })
    }

    async fn look(&self) -> Result<Vec<Mark>, Error> {
        let looks = store::at_once(
            store::CALLS_AT_ONCE,
            self.subjects.iter().enumerate().collect(),
            |(at, subject): (usize, &Subject)| async move { (at, subject.look().await) },
        );
        let mut marks = looks.await;
        marks.sort_unstable_by_key(|(at, _)| *at);
        marks.into_iter().map(|(_, mark)| mark).collect()
    }
}

impl Watching {
    /// Whether anything differs from the first look.
    ///
    /// # Errors
    /// Those of [`Watch::begin`].
    pub async fn has_changed(&self) -> Result<bool, Error> {
        Ok(self.watch.look().await? != self.seen)
    }

    /// Waits until something differs from the first look and then nothing has changed for a while. Awaited again it tells
    /// the same again after the next look: watch anew when the change has been dealt with.
    ///
    /// # Errors
    /// Those of [`Watch::begin`], of the look that fails. Awaited again, it goes on after the usual time.
    pub async fn changed(&self) -> Result<(), Error> {
        loop {
            // Watchers that began together do not look together.
            sleep(self.watch.every.mul_f64(1.0 - retry::random() / 10.0)).await;
            let mut found = self.watch.look().await?;
            for _ in 0..LOOKS {
                if found == self.seen {
                    break;
                }
                sleep(self.watch.quiet).await;
                let before = std::mem::replace(&mut found, self.watch.look().await?);
                if found == before {
                    return Ok(());
                }
            }
            if found != self.seen {
                return Ok(());
            }
        }
    }
}

impl Subject {
    async fn look(&self) -> Result<Mark, Error> {
        match &self.what {
            What::Version(name, version) => match version.stage() {
                Some(stage) => {
                    let stage = ShowSecretStage::new(name, stage).send(&self.client).await?.into_body().stage;
                    let stage = stage.unwrap_or_default();
                    Ok(Mark::Version(stage.version_id, stage.update_time))
                }
                None => {
                    let (id, create_time) = store::version_meant(&self.client, name, version).await?;
                    Ok(Mark::Version(Some(id), create_time))
                }
            },
            What::Prefix(prefix) => {
                let mut found = Vec::new();
                let mut secrets = self.client.items(ListSecrets::new());
                while let Some(secret) = secrets.next().await.transpose()? {
                    let is_there = secret.state != Some(SecretState::PendingDelete);
                    if let Some(name) = secret.name.filter(|name| is_there && name.starts_with(prefix)) {
                        found.push((name, secret.id));
                    }
                }
                found.sort_unstable();
                Ok(Mark::Secrets(found))
            }
        }
    }
}
