//! Secrets by [reference](crate::reference): what is asked for, not how it is asked.
//!
//! ```no_run
//! use csms_sdk::{Client, store::SecretStore};
//!
//! # async fn example(client: Client) -> Result<(), csms_sdk::Error> {
//! let store = SecretStore::new(&client);
//! let password = store.get("db#password").await?;
//! assert_eq!(format!("{password:?}").matches("[REDACTED]").count(), 1);
//! # Ok(())
//! # }
//! ```

mod difference;
mod field;
mod many;
mod merge;
mod patch;
mod put;
mod rollback;
mod value;

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::de::DeserializeOwned;

use crate::{
    Client,
    csms::{
        ListSecretVersions, ReplicaType, SecretState, ShowSecret, ShowSecretStage, ShowSecretVersion, VersionMetadata,
    },
    error::{Error, ErrorKind},
    reference::{CURRENT, Reference, VersionRef, version_number},
    secret::SecretString,
    time::Timestamp,
};

pub use self::{
    difference::{Change, Difference, FieldChange},
    patch::Patch,
    put::{NewValue, Put, PutOutcome, PutPlan},
    rollback::Rollback,
    value::SecretValue,
};
pub(crate) use self::{
    many::{CALLS_AT_ONCE, at_once},
    put::is_unclear,
};

/// Reads and changes secrets by [reference](crate::reference).
///
/// Cheap to clone; clones share what they have learned about regions. `Send + Sync`.
#[derive(Clone, Debug)]
pub struct SecretStore {
    home: Place,
    elsewhere: Arc<Mutex<HashMap<String, Place>>>,
}

/// A region as a store knows it.
#[derive(Clone, Debug)]
struct Place {
    client: Client,
    /// Whether the batch call was found missing here.
    no_batch: Arc<AtomicBool>,
}

impl SecretStore {
    /// Works with this client, in its region.
    #[must_use]
    pub fn new(client: &Client) -> Self {
        Self { home: Place::new(client.clone()), elsewhere: Arc::default() }
    }

    /// Reads a secret, a version of it, or a field.
    ///
    /// Without a version it is the one staged `SYSCURRENT`, for which the stage is asked first: whether the service's own
    /// `latest` is that version is documented both ways. So it takes two calls, and one where the reference names an id.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when secret, version or field does not exist; those of a call.
    pub async fn get(&self, reference: impl TryInto<Reference, Error: Into<Error>>) -> Result<SecretValue, Error> {
        let reference = reference.try_into().map_err(Into::into)?;
        self.read(&reference).await
    }

    /// Reads a text.
    ///
    /// # Errors
    /// Those of [`get`](Self::get), and [`ErrorKind::UnexpectedAnswer`] when the value is binary.
    pub async fn get_text(
        &self,
        reference: impl TryInto<Reference, Error: Into<Error>>,
    ) -> Result<SecretString, Error> {
        self.get(reference).await?.into_text()
    }

    /// Reads JSON into a type; see [`SecretValue::json`] for what to watch.
    ///
    /// # Errors
    /// Those of [`get`](Self::get), and [`ErrorKind::UnexpectedAnswer`] when the value is not JSON of that type.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        reference: impl TryInto<Reference, Error: Into<Error>>,
    ) -> Result<T, Error> {
        self.get(reference).await?.json()
    }

    /// Reads many secrets, versions or fields, and answers in the order of the references. One that fails does not keep the
    /// others from being read.
    ///
    /// Current versions are read 20 in a call. Where the service does not offer that call or does not permit it, and for
    /// secrets that its answer lacks, it is done as in [`get`](Self::get); so is everything else. What several references
    /// mean is read once. Four calls are under way at a time.
    pub async fn get_many(
        &self,
        references: impl IntoIterator<Item = impl TryInto<Reference, Error: Into<Error>>>,
    ) -> Vec<Result<SecretValue, Error>> {
        let references = references.into_iter().map(|reference| reference.try_into().map_err(Into::into)).collect();
        many::read(self, references, CALLS_AT_ONCE).await
    }

    /// Reads the current values of these secrets, with so many calls under way at a time.
    pub(crate) async fn get_all(&self, names: &[&str], concurrency: usize) -> Vec<Result<SecretValue, Error>> {
        many::read(self, names.iter().map(|name| Reference::new(*name)).collect(), concurrency).await
    }

    /// Makes this the current value of a secret, which is created if it does not exist; see [`Put`].
    pub fn put(&self, name: impl Into<String>, value: impl Into<NewValue>) -> Put {
        Put::new(self.home.client.clone(), name.into(), value.into())
    }

    /// Changes fields of a secret that is a JSON object; see [`Patch`].
    pub fn patch(&self, name: impl Into<String>) -> Patch {
        Patch::new(self.home.client.clone(), name.into())
    }

    /// The id of the version that is meant. Its value is not read; an id is taken as it is, and nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such secret or version; those of a call.
    pub async fn version_id(&self, name: &str, version: &VersionRef) -> Result<String, Error> {
        version_id(&self.home.client, name, version).await
    }

    /// Makes another version the current one: the one staged `SYSPREVIOUS`, unless `to` names one. The version that was
    /// current is staged `SYSPREVIOUS`, by this if the service does not do it.
    ///
    /// Without `to`, asking twice goes back and forth. With it, asking again changes nothing. The service has no
    /// compare-and-set: a version that is added meanwhile may become current, or lose that, in any order.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such secret or version, [`ErrorKind::Conflict`] when its state forbids it;
    /// those of a call. If `SYSPREVIOUS` could not be moved, the error's [help](Error::help) says so: the rest is done.
    pub async fn rollback(&self, name: &str, to: Option<VersionRef>) -> Result<Rollback, Error> {
        rollback::rollback(&self.home.client, name, to.unwrap_or(VersionRef::Previous)).await
    }

    async fn read(&self, reference: &Reference) -> Result<SecretValue, Error> {
        let client = &self.place(reference)?.client;
        let value = version(client, reference.name(), reference.version()).await?;
        match reference.field() {
            Some(field) => value.with_field(field),
            None => Ok(value),
        }
    }

    /// The client for the place that a reference names.
    pub(crate) fn client_for(&self, reference: &Reference) -> Result<Client, Error> {
        Ok(self.place(reference)?.client)
    }

    /// The place that a reference names.
    fn place(&self, reference: &Reference) -> Result<Place, Error> {
        if reference.profile().is_some() {
            return Err(Error::invalid("reference", "names a profile; a store has the one that its client has"));
        }
        if reference.project().is_some() {
            return Err(Error::invalid("reference", "names a project; a store has the one that its client has"));
        }
        let client = &self.home.client;
        let Some(region) = reference.region().filter(|region| Some(*region) != client.region()) else {
            return Ok(self.home.clone());
        };
        // Kept, because each client of a region has to find out its project.
        let mut elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = elsewhere.get(region) {
            return Ok(place.clone());
        }
        let place = Place::new(client.for_region(region)?);
        elsewhere.insert(region.to_owned(), place.clone());
        Ok(place)
    }
}

impl Place {
    fn new(client: Client) -> Self {
        Self { client, no_batch: Arc::default() }
    }

    fn offers_batches(&self) -> bool {
        !self.no_batch.load(Ordering::Relaxed)
    }

    fn lacks_batches(&self) {
        self.no_batch.store(true, Ordering::Relaxed);
    }
}

/// A version with its value.
async fn version(client: &Client, name: &str, version: &VersionRef) -> Result<SecretValue, Error> {
    let id = version_id(client, name, version).await?;
    value_of(client, name, &id).await
}

/// The value of the version with this id.
pub(crate) async fn value_of(client: &Client, name: &str, version_id: &str) -> Result<SecretValue, Error> {
    let answer = ShowSecretVersion::new(name, version_id).send(client).await?;
    SecretValue::of(name, answer.into_body().version.unwrap_or_default())
}

/// The id of the version that is meant now.
pub(crate) async fn version_id(client: &Client, name: &str, version: &VersionRef) -> Result<String, Error> {
    Ok(version_meant(client, name, version).await?.0)
}

/// The same, and when that version was created, where it had to be found in the list of versions.
pub(crate) async fn version_meant(
    client: &Client,
    name: &str,
    version: &VersionRef,
) -> Result<(String, Option<Timestamp>), Error> {
    if let Some(stage) = version.stage() {
        return Ok((staged(client, name, stage).await?, None));
    }
    let (back, below) = match version {
        VersionRef::Id(id) => return Ok((id.clone(), None)),
        VersionRef::Back(count) => {
            let current = staged(client, name, CURRENT).await?;
            (count - 1, version_number(&current))
        }
        _ => (0, None),
    };
    let mut found = Vec::new();
    let mut versions = client.items(ListSecretVersions::new(name));
    while let Some(VersionMetadata { id, create_time, .. }) = versions.next().await.transpose()? {
        let number = id.as_deref().and_then(version_number);
        let number = number.filter(|number| below.is_none_or(|below| *number < below));
        found.extend(number.map(|number| (number, create_time)));
    }
    found.sort_unstable_by_key(|(number, _)| Reverse(*number));
    match found.get(back as usize) {
        Some((number, create_time)) => Ok((format!("v{number}"), *create_time)),
        None => Err(not_found(name, format_args!("version {version}"))),
    }
}

/// The id of the version that a stage marks.
async fn staged(client: &Client, name: &str, stage: &str) -> Result<String, Error> {
    let answer = ShowSecretStage::new(name, stage).send(client).await?;
    answer
        .into_body()
        .stage
        .and_then(|stage| stage.version_id)
        .ok_or_else(|| not_found(name, format_args!("version staged {stage}")))
}

fn not_found(name: &str, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, format!("secret `{name}` has no {what}"))
}

/// Says what to do about a refused change, where the state of the secret is the reason. Looks at it, if that is permitted.
async fn explained(client: &Client, name: &str, error: Error) -> Error {
    // A write to a replica is told as an invalid request by some.
    if !matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Rejected) || error.help().is_some() {
        return error;
    }
    let Ok(answer) = ShowSecret::new(name).send(client).await else { return error };
    let secret = answer.into_body().secret.unwrap_or_default();
    match (secret.state, secret.replica_type) {
        (Some(SecretState::PendingDelete), _) => {
            error.with_help("the secret is to be deleted; bring it back with RestoreSecret, or use another name")
        }
        (Some(SecretState::Disabled), _) => {
            error.with_help("the secret is disabled; the service's support can enable it")
        }
        (Some(SecretState::Frozen), _) => error.with_help("the secret is frozen; settle the account's arrears"),
        (_, Some(ReplicaType::Replica)) => {
            error.with_help("the secret is a replica and only follows its primary; write to the primary's region")
        }
        _ => error,
    }
}
