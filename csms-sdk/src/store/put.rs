//! Giving a secret a value.

use super::{
    SecretValue,
    difference::{self, Difference},
    explained, staged,
    value::Content,
    version,
};
use crate::{
    Client,
    check::name_problem,
    csms::{CreateSecret, CreateSecretVersion, UpdateSecretStage, UpdateVersion},
    error::{Error, ErrorKind},
    reference::{CURRENT, VersionRef},
    secret::{SecretBytes, SecretString},
    time::Timestamp,
};

/// The version that creating a secret makes.
const FIRST: &str = "v1";
/// So many a secret has.
const MOST_STAGES: usize = 12;

/// A value to be stored: text from `&str`, `String` and [`SecretString`], bytes from `&[u8]`, `Vec<u8>` and [`SecretBytes`].
///
/// A text and the same bytes are different values. The service takes 64 KB, of bytes in Base64.
#[derive(Clone, Debug)]
pub struct NewValue(pub(super) Content);

impl From<&str> for NewValue {
    fn from(text: &str) -> Self {
        Self(Content::Text(text.into()))
    }
}

impl From<String> for NewValue {
    fn from(text: String) -> Self {
        Self(Content::Text(text.into()))
    }
}

impl From<SecretString> for NewValue {
    fn from(text: SecretString) -> Self {
        Self(Content::Text(text))
    }
}

impl From<&[u8]> for NewValue {
    fn from(bytes: &[u8]) -> Self {
        Self(Content::Binary(bytes.to_vec().into()))
    }
}

impl From<Vec<u8>> for NewValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Content::Binary(bytes.into()))
    }
}

impl From<SecretBytes> for NewValue {
    fn from(bytes: SecretBytes) -> Self {
        Self(Content::Binary(bytes))
    }
}

impl From<SecretValue> for NewValue {
    fn from(value: SecretValue) -> Self {
        Self(value.content)
    }
}

impl NewValue {
    /// What would differ if the other were stored instead of this.
    #[must_use]
    pub fn difference_to(&self, other: &Self) -> Difference {
        difference::between(&self.0, &other.0)
    }

    /// Whether it is bytes, and the bytes of either kind.
    pub(crate) fn content(&self) -> (bool, &[u8]) {
        match &self.0 {
            Content::Text(text) => (false, text.expose_secret().as_bytes()),
            Content::Binary(bytes) => (true, bytes.expose_secret()),
        }
    }

    /// As the service takes it: `secret_string` and `secret_binary`.
    fn fields(&self) -> (Option<SecretString>, Option<SecretString>) {
        match &self.0 {
            Content::Text(text) => (Some(text.clone()), None),
            Content::Binary(bytes) => (None, Some(SecretString::from_bytes_as_base64(bytes))),
        }
    }
}

/// Gives a secret a value. Made by [`SecretStore::put`](super::SecretStore::put).
///
/// The secret is created if it does not exist, and gets a new version if its value differs. An unchanged value is not written
/// again, so that putting is harmless to repeat. For that the value is read first, which needs the permission to do so; a
/// caller that may only write has to say [`force_version`](Self::force_version).
///
/// Where an answer is lost, it is looked whether the value is there. It is never sent a second time on suspicion: that
/// could make a second version.
///
/// ```no_run
/// use csms_sdk::store::{PutOutcome, SecretStore};
///
/// # async fn example(store: SecretStore) -> Result<(), csms_sdk::Error> {
/// match store.put("db-password", "correct horse").description("of the shop").send().await? {
///     PutOutcome::Created { version } => println!("created as {version}"),
///     PutOutcome::Updated { version, previous } => println!("{version} after {previous:?}"),
///     PutOutcome::Unchanged { version } => println!("is the value of {version} already"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Put {
    client: Client,
    name: String,
    value: NewValue,
    description: Option<String>,
    kms_key_id: Option<String>,
    enterprise_project_id: Option<String>,
    stages: Vec<String>,
    expires: Option<Timestamp>,
    if_absent: bool,
    if_version: Option<String>,
    force: bool,
    keep_fields: bool,
}

/// What became of a [`Put`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The secret did not exist.
    Created {
        /// Id of its first version.
        version: String,
    },
    /// The secret has a new version.
    Updated {
        /// Id of the new version.
        version: String,
        /// Id of the version that was current before; `None` when the caller is not permitted to see it.
        previous: Option<String>,
    },
    /// Nothing was written.
    Unchanged {
        /// Id of the version that has this value.
        version: String,
    },
}

/// What a [`Put`] would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutPlan {
    /// Create the secret.
    Create,
    /// Add a version to it.
    Update {
        /// Id of the version that is current now; `None` when the caller is not permitted to see it.
        current: Option<String>,
    },
    /// Write nothing.
    Unchanged {
        /// Id of the version that has this value.
        version: String,
    },
}

impl PutOutcome {
    /// Id of the version that has the value now.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Self::Created { version } | Self::Updated { version, .. } | Self::Unchanged { version } => version,
        }
    }
}

impl Put {
    pub(super) fn new(client: Client, name: String, value: NewValue) -> Self {
        Self {
            client,
            name,
            value,
            description: None,
            kms_key_id: None,
            enterprise_project_id: None,
            stages: Vec::new(),
            expires: None,
            if_absent: false,
            if_version: None,
            force: false,
            keep_fields: false,
        }
    }

    /// Description of a secret that is created, at most 2048 bytes. One that exists keeps its own.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// KMS key that protects a secret that is created; default `csms/default`. One that exists keeps its own.
    pub fn kms_key_id(mut self, kms_key_id: impl Into<String>) -> Self {
        self.kms_key_id = Some(kms_key_id.into());
        self
    }

    /// Enterprise project of a secret that is created; default `0`. One that exists keeps its own.
    pub fn enterprise_project_id(mut self, enterprise_project_id: impl Into<String>) -> Self {
        self.enterprise_project_id = Some(enterprise_project_id.into());
        self
    }

    /// Puts these stages on the new version, at most 12, in place of `SYSCURRENT`: if they do not contain that, the current
    /// version stays the current one. The value is then compared with that of the version which all of them mark.
    ///
    /// The first version of a secret is `SYSCURRENT` in any case, and gets these as well.
    pub fn stages(mut self, stages: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stages = stages.into_iter().map(Into::into).collect();
        self
    }

    /// When the new version expires, in whole seconds; default never. An unchanged value keeps its own.
    pub fn expires(mut self, time: Timestamp) -> Self {
        self.expires = Some(time);
        self
    }

    /// Refuses to write unless this is the id of the current version. The service has no compare-and-set: somebody who
    /// writes in the moment after it was looked at is not noticed.
    pub fn if_version(mut self, id: impl Into<String>) -> Self {
        self.if_version = Some(id.into());
        self
    }

    /// Refuses to write where there is such a secret already. The service itself sees to that, so nothing is read before.
    pub fn if_absent(mut self) -> Self {
        self.if_absent = true;
        self
    }

    /// Refuses to write where a field would be lost: where the value that is replaced is a JSON object and has one that
    /// the new value lacks. For that it is read, also with [`force_version`](Self::force_version).
    pub fn keep_fields(mut self) -> Self {
        self.keep_fields = true;
        self
    }

    /// Makes a new version even if the value is unchanged. Does not read the value.
    pub fn force_version(mut self) -> Self {
        self.force = true;
        self
    }

    /// Says what [`send`](Self::send) would do, and writes nothing. Somebody who writes before it is sent can change
    /// that.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn plan(&self) -> Result<PutPlan, Error> {
        self.check()?;
        Ok(match self.decide().await? {
            Decision::Create => PutPlan::Create,
            Decision::Add { current, .. } => PutPlan::Update { current: Some(current) },
            Decision::AddUnseen => PutPlan::Update { current: None },
            Decision::Leave { version } => PutPlan::Unchanged { version },
        })
    }

    /// Does it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] of the [field](Error::field) `stages` when they cannot be right, of `value` when fields
    /// would be lost and [`keep_fields`](Self::keep_fields) is set; [`ErrorKind::Conflict`] when the state of the secret
    /// forbids it, with [help](Error::help), when the current version is another one than
    /// [`if_version`](Self::if_version) asks for, or when there is one and [`if_absent`](Self::if_absent) is set;
    /// [`ErrorKind::PermissionDenied`] when the value may not be read, unless [`force_version`](Self::force_version) is
    /// set; those of a call. Where a secret was created, but not with all stages or its expiry, the message begins with
    /// that. After [`ErrorKind::Connection`], [`ErrorKind::Timeout`] or [`ErrorKind::Service`] it may have been done or
    /// not; putting it again is right in both cases.
    pub async fn send(self) -> Result<PutOutcome, Error> {
        match self.carry_out().await {
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(explained(&self.client, &self.name, error).await),
        }
    }

    async fn carry_out(&self) -> Result<PutOutcome, Error> {
        self.check()?;
        let decision = match self.first_decision().await? {
            Decision::Create => match self.create().await {
                // Somebody else was faster.
                Err(error) if error.kind() == ErrorKind::Conflict && !self.if_absent => match self.decide().await? {
                    Decision::Create => return Err(error),
                    decision => decision,
                },
                created => {
                    created?;
                    return self.complete().await;
                }
            },
            decision => decision,
        };
        match decision {
            Decision::Create => self.create_completely().await,
            Decision::AddUnseen => self.add_unseen().await,
            Decision::Leave { version } => Ok(PutOutcome::Unchanged { version }),
            Decision::Add { current, marked } => match self.add().await {
                Err(error) if is_unclear(&error) => match self.found_after(marked).await {
                    Some(version) => Ok(PutOutcome::Updated { version, previous: Some(current) }),
                    None => Err(error),
                },
                added => Ok(PutOutcome::Updated { version: added?, previous: Some(current) }),
            },
        }
    }

    /// Refuses what would be refused only once the secret is created.
    fn check(&self) -> Result<(), Error> {
        if self.stages.len() > MOST_STAGES {
            return Err(Error::invalid(
                "stages",
                format!("are {}, a secret has at most {MOST_STAGES}", self.stages.len()),
            ));
        }
        match self.stages.iter().find_map(|stage| Some((stage, name_problem(stage)?))) {
            Some((stage, problem)) => Err(Error::invalid("stages", format!("hold `{stage}`, which {problem}"))),
            None => Ok(()),
        }
    }

    async fn first_decision(&self) -> Result<Decision, Error> {
        match self.if_absent {
            true => Ok(Decision::Create),
            false => self.decide().await,
        }
    }

    /// Looks at what is there.
    async fn decide(&self) -> Result<Decision, Error> {
        let current = match self.current().await {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return match self.force && self.if_version.is_none() && !self.keep_fields {
                    true => Ok(Decision::AddUnseen),
                    false => Err(self.unreadable(error)),
                };
            }
            current => current?,
        };
        self.check_version(current.as_deref())?;
        let Some(current) = current else { return Ok(Decision::Create) };
        if self.if_absent {
            let message = format!("secret `{}` exists, at {current}; nothing was written", self.name);
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let marked = self.marked(&current).await?;
        if let Some(id) = marked.as_ref().filter(|_| !self.force || self.keep_fields) {
            let id = VersionRef::Id(id.clone());
            let value = version(&self.client, &self.name, &id).await.map_err(|error| self.unreadable(error))?;
            if !self.force && value.holds(&self.value.0) {
                return Ok(Decision::Leave { version: value.version().to_owned() });
            }
            if self.keep_fields {
                self.check_fields(&difference::lost(&value.content, &self.value.0))?;
            }
        }
        Ok(Decision::Add { current, marked })
    }

    /// Writes without a look at what is there.
    async fn add_unseen(&self) -> Result<PutOutcome, Error> {
        match self.add().await {
            Err(error) if error.kind() == ErrorKind::NotFound => self.create_completely().await,
            added => Ok(PutOutcome::Updated { version: added?, previous: None }),
        }
    }

    async fn create_completely(&self) -> Result<PutOutcome, Error> {
        self.create().await?;
        self.complete().await
    }

    async fn create(&self) -> Result<(), Error> {
        let mut request = CreateSecret::new(&self.name);
        (request.secret_string, request.secret_binary) = self.value.fields();
        request.description = self.description.clone();
        request.kms_key_id = self.kms_key_id.clone();
        request.enterprise_project_id = self.enterprise_project_id.clone();
        match request.send(&self.client).await {
            Err(error) if is_unclear(&error) => match self.is_value_of(FIRST).await {
                Ok(true) => Ok(()),
                _ => Err(error),
            },
            created => created.map(drop),
        }
    }

    /// Sets what cannot be said when a secret is created.
    async fn complete(&self) -> Result<PutOutcome, Error> {
        let stages: Vec<_> = self.stages.iter().filter(|stage| *stage != CURRENT).collect();
        if let Some(time) = self.expires {
            let expires = UpdateVersion::new(&self.name, FIRST, time).send(&self.client).await;
            expires.map_err(|error| self.incomplete(error, Some("its expiry"), &stages))?;
        }
        for (at, stage) in stages.iter().enumerate() {
            let staged = UpdateSecretStage::new(&self.name, *stage, FIRST).send(&self.client).await;
            staged.map_err(|error| self.incomplete(error, None, &stages[at..]))?;
        }
        Ok(PutOutcome::Created { version: FIRST.to_owned() })
    }

    /// The secret is there, and this has kept it from being all that was asked for.
    fn incomplete(&self, error: Error, expiry: Option<&str>, stages: &[&String]) -> Error {
        let lacks = if is_unclear(&error) { "may lack" } else { "lacks" };
        let stages = stages.iter().map(|stage| format!("the stage `{stage}`"));
        let missing: Vec<_> = expiry.map(str::to_owned).into_iter().chain(stages).collect();
        error.behind(&format!("secret `{}` was created ({FIRST}), but {lacks} {}", self.name, missing.join(", ")))
    }

    async fn add(&self) -> Result<String, Error> {
        let mut request = CreateSecretVersion::new(&self.name);
        (request.secret_string, request.secret_binary) = self.value.fields();
        request.version_stages = (!self.stages.is_empty()).then(|| self.stages.clone());
        request.expire_time = self.expires;
        let answer = request.send(&self.client).await?;
        answer.into_body().version_metadata.and_then(|metadata| metadata.id).ok_or_else(|| {
            let message = format!("secret `{}` has a new version, but the answer does not tell its id", self.name);
            Error::new(ErrorKind::UnexpectedAnswer, message)
        })
    }

    /// Id of the current version; `None` when there is no such secret.
    async fn current(&self) -> Result<Option<String>, Error> {
        found(staged(&self.client, &self.name, CURRENT).await)
    }

    /// Id of the version that has all the stages which a new one would get.
    async fn marked(&self, current: &str) -> Result<Option<String>, Error> {
        let mut marked = None;
        for stage in &self.stages {
            let id = match stage.as_str() {
                CURRENT => Some(current.to_owned()),
                stage => found(staged(&self.client, &self.name, stage).await)?,
            };
            if id.is_none() || marked.as_ref().is_some_and(|marked| Some(marked) != id.as_ref()) {
                return Ok(None);
            }
            marked = id;
        }
        Ok(marked.or_else(|| self.stages.is_empty().then(|| current.to_owned())))
    }

    /// Id of the version that a call has added whose answer was lost; `None` when that is not sure.
    async fn found_after(&self, before: Option<String>) -> Option<String> {
        let current = self.current().await.ok()??;
        let marked = self.marked(&current).await.ok()??;
        let added = Some(&marked) != before.as_ref() && self.is_value_of(&marked).await.ok()?;
        added.then_some(marked)
    }

    async fn is_value_of(&self, id: &str) -> Result<bool, Error> {
        Ok(version(&self.client, &self.name, &VersionRef::Id(id.to_owned())).await?.holds(&self.value.0))
    }

    fn check_version(&self, current: Option<&str>) -> Result<(), Error> {
        let Some(expected) = self.if_version.as_deref().filter(|expected| Some(*expected) != current) else {
            return Ok(());
        };
        let state = current.map_or("does not exist".to_owned(), |current| format!("is at {current}"));
        let message = format!("secret `{}` {state}, not at {expected} as expected; nothing was written", self.name);
        Err(Error::new(ErrorKind::Conflict, message).with_help("read it, and put again if the value is still right"))
    }

    fn check_fields(&self, lost: &[String]) -> Result<(), Error> {
        if lost.is_empty() {
            return Ok(());
        }
        let lost = lost.join("`, `");
        Err(Error::invalid(
            "value",
            format!("lacks fields that secret `{}` has: `{lost}`; nothing was written", self.name),
        ))
    }

    fn unreadable(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::PermissionDenied => error
                .with_help("without this permission only a forced version can be written; see `Put::force_version`"),
            _ => error,
        }
    }
}

/// What is to be done.
enum Decision {
    Create,
    /// Write without a look at what is there.
    AddUnseen,
    /// `marked` is the version that has all the stages which the new one gets.
    Add {
        current: String,
        marked: Option<String>,
    },
    Leave {
        version: String,
    },
}

/// Whether a call may have been carried out although it failed.
pub(crate) fn is_unclear(error: &Error) -> bool {
    use ErrorKind::{Connection, Service, Timeout, UnexpectedAnswer};
    matches!(error.kind(), Connection | Timeout | Service | UnexpectedAnswer)
}

fn found<T>(outcome: Result<T, Error>) -> Result<Option<T>, Error> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
