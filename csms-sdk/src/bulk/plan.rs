//! What is to be done, secret by secret.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use super::{Bulk, Scope, Wanted, fingerprint::Fingerprint, journal::Known, protected};
use crate::{
    csms::Secret,
    error::{Error, ErrorKind},
    reference::VersionRef,
    store::{Difference, FieldChange, NewValue, SecretValue, at_once, version_id},
};

/// So many are looked for by their names; of more, a list tells at once which there are.
const FEW: usize = 20;

/// How secrets that exist are treated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Secrets are created; one that exists with another value is a conflict.
    Create,
    /// Secrets are created, or get a new version where their value differs.
    Upsert,
    /// As [`Upsert`](Self::Upsert), and secrets of this scope that are not wanted are deleted: in 30 days, until when they
    /// can be restored. Secrets that are to be deleted already, replicas, those that have replicas, and those that another
    /// service manages are left alone.
    Mirror(Scope),
}

/// What is to be done with the secrets of one region and project, and what that is based on.
///
/// Holds no value, no length and no part of one. What it was made for is told by one fingerprint: PBKDF2-HMAC-SHA256 with
/// 600,000 rounds and a random salt, over all names and values together. To guess by it is slow, and takes a guess of all
/// values at once. Where few values are wanted, and all of them are short, keep the plan to yourself all the same.
///
/// All of it is sealed with a key that comes out of the same hash and does not stand in it: HMAC-SHA256. Who does not have
/// the values can neither add a deletion nor change anything else. Who has them, or can guess them, can: where nothing is
/// wanted, that is everybody, and such a plan deletes nothing unless [that is allowed](Bulk::allow_empty).
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub(super) region: Option<String>,
    pub(super) project_id: String,
    pub(super) mode: Mode,
    pub(super) fingerprint: Fingerprint,
    pub(super) changes: Vec<Change>,
    /// Over all of the above.
    pub(super) seal: [u8; 32],
    /// What a journal tells.
    pub(super) known: BTreeMap<String, Known>,
}

/// What is to be done with one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Name of the secret.
    pub name: String,
    /// What is to be done.
    pub action: Action,
    /// Id of the version that this is based on; `None` where there is none.
    pub base: Option<String>,
    /// Fields that differ, where both values are JSON objects.
    pub fields: Vec<FieldChange>,
    /// Why there is a conflict, or why it is left alone.
    pub reason: Option<String>,
}

/// What is to be done with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// It is created.
    Create,
    /// It gets a new version.
    Update,
    /// Its deletion is scheduled.
    Delete,
    /// Nothing: it has the value that is wanted.
    Unchanged,
    /// Nothing: it is not wanted, and is not ours to delete.
    Leave,
    /// It cannot be done, and counts as failed.
    Conflict,
}

impl Action {
    pub(super) const ALL: [Self; 6] =
        [Self::Create, Self::Update, Self::Delete, Self::Unchanged, Self::Leave, Self::Conflict];

    /// In one word, as plans have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Unchanged => "unchanged",
            Self::Leave => "leave",
            Self::Conflict => "conflict",
        }
    }

    /// Whether something is written.
    #[must_use]
    pub const fn is_change(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Plan {
    /// What is to be done: wanted secrets in the order of their names, then those that are not wanted.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What is still to be done, as far as a journal tells; conflicts included.
    pub fn left(&self) -> impl Iterator<Item = &Change> {
        let is_work = |change: &&Change| change.action.is_change() || change.action == Action::Conflict;
        let is_done = |change: &Change| matches!(self.known.get(&change.name), Some(Known::Done(_)));
        self.changes.iter().filter(is_work).filter(move |change| !is_done(change))
    }

    /// Region that it is for; `None` where only endpoints were given.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Project that it is for.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// How secrets that exist are treated.
    #[must_use]
    pub fn mode(&self) -> &Mode {
        &self.mode
    }
}

impl Bulk {
    /// Looks at what is there, and says what there is to do. Changes nothing.
    ///
    /// Values are read, 20 in a call, to be compared; so this needs the permission to do so. Where more than 20 secrets
    /// are wanted, all are listed first if that is permitted: what is not there is then not looked for one by one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] of the [field](Error::field) `wanted` when a wanted secret is not of the scope of
    /// [`Mode::Mirror`], of the field `mode` when that would delete secrets and none is wanted: see
    /// [`allow_empty`](Self::allow_empty); those of a call. A secret whose state forbids to read it is no error, but a
    /// [conflict](Action::Conflict).
    pub async fn plan(&self, wanted: &Wanted, mode: Mode) -> Result<Plan, Error> {
        if let Mode::Mirror(scope) = &mode
            && let Some(name) = wanted.names().find(|name| !scope.contains(name))
        {
            let message = format!("has `{name}`, which does not belong to what is to be mirrored");
            return Err(Error::invalid("wanted", message));
        }
        let reading = async {
            let listed = self.listed(wanted, &mode).await?;
            let may_be_there = |name: &&str| listed.as_ref().is_none_or(|listed| listed.contains_key(*name));
            let names: Vec<_> = wanted.names().filter(may_be_there).collect();
            let values = self.get_all(names.iter().copied()).await;
            let values: HashMap<_, _> = names.into_iter().zip(values).collect();
            Ok::<_, Error>((listed, values))
        };
        let (read, sealer) = tokio::join!(reading, wanted.sealer());
        let ((listed, mut values), sealer) = (read?, sealer?);
        // What else there is matters to a mirror only.
        let mirrored = listed.filter(|_| matches!(mode, Mode::Mirror(_))).unwrap_or_default();
        let mut changes = Vec::new();
        for name in wanted.names() {
            let Some(new) = wanted.get(name) else { continue };
            let reason = mirrored.get(name).and_then(protected);
            changes.push(match values.remove(name) {
                Some(value) => compared(name, new, value, &mode, reason)?,
                None => Change::new(name, Action::Create),
            });
        }
        let unwanted: Vec<_> = mirrored.into_iter().filter(|(name, _)| !wanted.contains(name)).collect();
        let deleted = |(name, secret)| async move { self.deletion(name, &secret).await };
        let mut deletions =
            at_once(self.concurrency, unwanted, deleted).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        deletions.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        changes.extend(deletions);
        self.check_not_empty(wanted, &changes)?;
        let mut plan = Plan {
            region: self.client.region().map(str::to_owned),
            project_id: self.client.project_id().await?.to_owned(),
            mode,
            fingerprint: sealer.fingerprint().clone(),
            changes,
            seal: [0; 32],
            known: BTreeMap::new(),
        };
        plan.seal = sealer.seal(&plan.unsealed());
        Ok(plan)
    }

    /// The secrets that there are, by name and whatever their state: all that are mirrored, or all there are where many are
    /// wanted. `None` where few are, and where they may not be listed.
    async fn listed(&self, wanted: &Wanted, mode: &Mode) -> Result<Option<BTreeMap<String, Secret>>, Error> {
        let secrets = match mode {
            Mode::Mirror(scope) => self.list(scope).await?,
            _ if wanted.len() <= FEW => return Ok(None),
            _ => match self.list(&Scope::All).await {
                Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::NotOffered) => {
                    return Ok(None);
                }
                secrets => secrets?,
            },
        };
        Ok(Some(secrets.into_iter().filter_map(|secret| Some((secret.name.clone()?, secret))).collect()))
    }

    /// What is to be done with a secret that is not wanted.
    async fn deletion(&self, name: String, secret: &Secret) -> Result<Change, Error> {
        let has_replicas = (!secret.replicas.is_empty()).then_some("has replicas");
        if let Some(reason) = protected(secret).or(has_replicas) {
            return Ok(Change { reason: Some(reason.to_owned()), ..Change::new(&name, Action::Leave) });
        }
        match version_id(&self.client, &name, &VersionRef::Current).await {
            Ok(base) => Ok(Change { base: Some(base), ..Change::new(&name, Action::Delete) }),
            // It has gone meanwhile, or has no current version.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Change::new(&name, Action::Delete)),
            Err(error) => Err(error),
        }
    }
}

impl Change {
    pub(super) fn new(name: &str, action: Action) -> Self {
        Self { name: name.to_owned(), action, base: None, fields: Vec::new(), reason: None }
    }

    fn conflict(name: &str, reason: String) -> Self {
        Self { reason: Some(reason), ..Self::new(name, Action::Conflict) }
    }
}

/// What is to be done with a secret that is wanted. `reason` tells why it must not be written.
fn compared(
    name: &str,
    new: &NewValue,
    old: Result<SecretValue, Error>,
    mode: &Mode,
    reason: Option<&str>,
) -> Result<Change, Error> {
    let old =
        match old {
            Ok(old) => old,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::NotFound => Ok(Change::new(name, Action::Create)),
                    // Its state forbids to read it, and to write it.
                    ErrorKind::Conflict | ErrorKind::Rejected => {
                        Ok(Change::conflict(name, reason.map_or_else(|| error.to_string(), str::to_owned)))
                    }
                    ErrorKind::PermissionDenied => Err(error
                        .with_help(format!("secret `{name}` cannot be read, and so not compared with what is wanted"))),
                    _ => Err(error),
                };
            }
        };
    let fields = match old.difference_to(new) {
        Difference::None => {
            let base = Some(old.version().to_owned());
            return Ok(Change { base, ..Change::new(name, Action::Unchanged) });
        }
        Difference::Fields(fields) => fields,
        Difference::Whole => Vec::new(),
    };
    let change = match (reason, mode) {
        (Some(reason), _) => Change::conflict(name, reason.to_owned()),
        (None, Mode::Create) => Change::conflict(name, "exists with another value".to_owned()),
        (None, _) => Change::new(name, Action::Update),
    };
    Ok(Change { base: Some(old.version().to_owned()), fields, ..change })
}
