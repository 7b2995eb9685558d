//! Many secrets brought to given values: planned first, then done, and gone on with where it broke off.
//!
//! ```no_run
//! use csms_sdk::{Client, bulk::{Bulk, Mode, Step, Wanted}};
//!
//! # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
//! let mut wanted = Wanted::new();
//! wanted.insert("db", r#"{"user":"shop","password":"correct horse"}"#)?;
//! wanted.insert("cache-url", "redis://cache:6379")?;
//!
//! let bulk = Bulk::new(&client);
//! let plan = bulk.plan(&wanted, Mode::Upsert).await?;
//! for change in plan.changes() {
//!     println!("{} {} {:?}", change.action, change.name, change.fields);
//! }
//!
//! // Keeps a journal, so that this can be gone on with.
//! let mut journal = std::fs::File::create("import.jsonl")?;
//! let mut applying = bulk.apply(&plan, &wanted).journal(&mut journal).start().await?;
//! while let Some(event) = applying.next().await {
//!     if let Step::Ended(outcome) = event.step {
//!         println!("{}: {outcome}", event.name);
//!     }
//! }
//! let applied = applying.finish().await?;
//! assert_eq!(applied.failed().count(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! # The plan
//!
//! A [`Plan`] says for each secret what is to be done, and which version that is based on. It names secrets and fields,
//! and holds no value, no length and no part of one. What it was made for is told by one [fingerprint](Plan) over all
//! names and values, so that it is only applied to the same ones, on this machine or another. All of it is sealed: who does
//! not have the values cannot alter it.
//!
//! Before something is written, it is looked whether the secret still is at the version that the plan is based on; if
//! not, that is a conflict, and it is left as it is. **That is best effort**: the service has no compare-and-set, and
//! somebody who writes in the moment after the look is not noticed. Only that a secret is created once is certain.
//!
//! # The journal
//!
//! Plan and journal are one format, lines of JSON: first the plan, then a line for each thing that is begun or has ended.
//! [`Plan::read`] takes both. A plan that was read from a journal goes on where that ended: what is done is not done
//! again, and where something may have been begun and no end is known, it is looked first whether the value is there. So no
//! secret gets a second version, whenever it broke off. That something is begun is told to the [`Journal`] before a call is
//! sent, for some secrets ahead; that it has ended, when it was answered.
//!
//! The lines after the plan are not sealed. Who can write them can have planned work skipped and told as done, and nothing
//! more: what is done, and with which values, is said by the plan alone.
//!
//! # Errors
//!
//! One secret that fails does not keep the others from being done: see [`Applied::failed`]. Throttling is met by the
//! client's own repetitions. Dropping an [`Applying`] stops it; nothing goes on in the background.

mod apply;
mod fingerprint;
mod journal;
mod plan;
mod wanted;

use crate::{
    Client,
    csms::{ListSecrets, ReplicaType, Secret, SecretState},
    error::Error,
    store::{SecretStore, SecretValue},
};

pub use self::{
    apply::{Applied, Apply, Applying, Event, Outcome, Step},
    journal::Journal,
    plan::{Action, Change, Mode, Plan},
    wanted::{Comparison, Wanted},
};

/// Calls under way at once, unless told otherwise: not half of the 20 calls a second that KMS allows most callers.
const USUAL: usize = 8;

/// The most items that a page of secrets has.
const PAGE: i32 = 1000;

/// Works on many secrets of one region and project.
#[derive(Clone, Debug)]
pub struct Bulk {
    client: Client,
    store: SecretStore,
    concurrency: usize,
    allows_empty: bool,
}

/// Some secrets of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// Those whose names begin like this.
    Prefix(String),
    /// Those of these names.
    Names(Vec<String>),
}

impl Scope {
    /// Whether a secret belongs to it.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
            Self::Names(names) => names.iter().any(|known| known == name),
        }
    }
}

impl Bulk {
    /// Works with this client, in its region and project.
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), store: SecretStore::new(client), concurrency: USUAL, allows_empty: false }
    }

    /// How many calls may be under way at once, at least one; default 8.
    #[must_use]
    pub fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = most.max(1);
        self
    }

    /// Lets [`Mode::Mirror`] delete all of its scope where nothing is wanted. Without, that is refused: far more often it
    /// is a source that could not be read than one that is meant to be empty.
    #[must_use]
    pub fn allow_empty(mut self) -> Self {
        self.allows_empty = true;
        self
    }

    /// Reads the current values of secrets, 20 in a call, and why some could not be read. Secrets that are to be deleted
    /// are left out, unless they are named.
    ///
    /// # Errors
    /// Those of listing, which names do without.
    pub async fn read(&self, scope: &Scope) -> Result<(Wanted, Vec<(String, Error)>), Error> {
        let names = match scope {
            Scope::Names(names) => names.clone(),
            scope => {
                let secrets = self.list(scope).await?.into_iter();
                let readable = secrets.filter(|secret| secret.state != Some(SecretState::PendingDelete));
                readable.filter_map(|secret| secret.name).collect()
            }
        };
        let (mut wanted, mut failed) = (Wanted::new(), Vec::new());
        let values = self.get_all(names.iter().map(String::as_str)).await;
        for (name, value) in names.into_iter().zip(values) {
            let kept = value.and_then(|value| match wanted.contains(&name) {
                // Named twice.
                true => Ok(()),
                false => wanted.insert(&name, value),
            });
            failed.extend(kept.err().map(|error| (name, error)));
        }
        Ok((wanted, failed))
    }

    async fn get_all(&self, names: impl Iterator<Item = &str>) -> Vec<Result<SecretValue, Error>> {
        self.store.get_all(&names.collect::<Vec<_>>(), self.concurrency).await
    }

    /// The secrets of a scope, whatever their state.
    async fn list(&self, scope: &Scope) -> Result<Vec<Secret>, Error> {
        let mut found = Vec::new();
        let mut secrets = self.client.items(ListSecrets::new().limit(PAGE));
        while let Some(secret) = secrets.next().await.transpose()? {
            if secret.name.as_deref().is_some_and(|name| scope.contains(name)) {
                found.push(secret);
            }
        }
        Ok(found)
    }
}

/// Why a secret is not ours to write or to delete; `None` where it is.
fn protected(secret: &Secret) -> Option<&'static str> {
    use crate::csms::SecretType;
    match (&secret.state, &secret.replica_type, &secret.secret_type) {
        (Some(SecretState::PendingDelete), ..) => Some("is to be deleted already"),
        (_, Some(ReplicaType::Replica), _) => Some("is a replica, and only follows its primary"),
        (_, _, Some(kind)) if *kind != SecretType::Common => Some("is managed by another service"),
        _ => None,
    }
}
