//! Doing what a plan says.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    sync::Arc,
};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};

use super::{
    Action, Bulk, Change, Journal, Plan, Wanted,
    journal::{self, Done, Known},
};
use crate::{
    credentials::BoxFuture,
    csms::{DeleteSecretForSchedule, SecretState, ShowSecret},
    error::{Error, ErrorKind},
    reference::VersionRef,
    store::{Difference, NewValue, is_unclear, version_id},
};

/// For each call that may be under way, so many secrets are told to the journal at once, before their turn comes: the disk
/// is waited for once for all of them. When what broke off is gone on with, each of them costs a look.
const TOLD_AHEAD: usize = 4;

/// Days until a secret that is not wanted any more is deleted: the most that the service keeps it.
const DAYS: i32 = 30;

/// A plan that is to be applied. Made by [`Bulk::apply`].
#[must_use = "nothing is sent before `start`"]
pub struct Apply<'a> {
    bulk: Bulk,
    plan: &'a Plan,
    wanted: &'a Wanted,
    journal: Option<&'a mut dyn Journal>,
}

/// A plan that is being applied. Goes on while [`next`](Self::next) or [`finish`](Self::finish) is awaited, and stops when
/// it is dropped: what a call that was under way has come to is then not known, and found out when the journal is gone on
/// with.
#[must_use = "nothing is sent before `next` or `finish`"]
pub struct Applying<'a> {
    apply: Apply<'a>,
    /// Indexes of changes, not yet begun.
    waiting: VecDeque<usize>,
    /// So many of the first that wait are in the journal.
    told_ahead: usize,
    under_way: FuturesUnordered<BoxFuture<'static, (usize, Outcome)>>,
    /// Ended, and not yet told to the journal.
    ended: Vec<(usize, Outcome)>,
    /// Told to the journal, and not yet to the caller.
    events: VecDeque<Event>,
    outcomes: BTreeMap<usize, Outcome>,
    /// Why the journal takes no more.
    failure: Option<Error>,
}

/// Something that happens to a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// Name of the secret.
    pub name: String,
    /// What happens.
    pub step: Step,
}

/// What happens to a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Its turn has come.
    Started,
    /// Nothing more is done with it.
    Ended(Outcome),
}

/// What has become of a secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It was created.
    Created {
        /// Id of its first version.
        version: String,
    },
    /// It has a new version.
    Updated {
        /// Id of the new version.
        version: String,
    },
    /// It will be deleted in 30 days.
    Deleted,
    /// It was left as it was, as far as is known. [`ErrorKind::Conflict`] where it has changed since it was planned. After
    /// [`ErrorKind::Connection`], [`ErrorKind::Timeout`] or [`ErrorKind::Service`] it may have been done; going on with the
    /// journal finds out.
    Failed(Arc<Error>),
}

impl Outcome {
    /// In one word, as journals have it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Updated { .. } => "updated",
            Self::Deleted => "deleted",
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created { version } => write!(f, "created ({version})"),
            Self::Updated { version } => write!(f, "updated to {version}"),
            Self::Deleted => f.write_str("will be deleted"),
            Self::Failed(error) => write!(f, "failed: {error}"),
        }
    }
}

/// What became of a plan.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Applied {
    /// What became of each secret with which something was to be done, in the order of the plan; what a journal had told
    /// as done is included.
    pub outcomes: Vec<(String, Outcome)>,
}

impl Applied {
    /// Those that failed, and why.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.outcomes.iter().filter_map(|(name, outcome)| match outcome {
            Outcome::Failed(error) => Some((name.as_str(), error.as_ref())),
            _ => None,
        })
    }
}

impl Bulk {
    /// Does what a plan says, with the values that it was made for.
    pub fn apply<'a>(&self, plan: &'a Plan, wanted: &'a Wanted) -> Apply<'a> {
        Apply { bulk: self.clone(), plan, wanted, journal: None }
    }

    /// Sees whether plan, values and client go together, as [`Apply::start`] does: before a plan that somebody else may
    /// have had is shown to people, or they are asked about it. What the secrets are like by now is not looked at.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] of the [field](Error::field) `plan` when it is for another region or project or was
    /// altered, of the field `wanted` when names or values are not those that it was made for, of the field `mode` when
    /// there are none and secrets would be deleted: see [`allow_empty`](Self::allow_empty).
    pub async fn check(&self, plan: &Plan, wanted: &Wanted) -> Result<(), Error> {
        let client = &self.client;
        if plan.region() != client.region() || plan.project_id != client.project_id().await? {
            let (region, project) = (plan.region().unwrap_or("no region"), &plan.project_id);
            let message = format!("is for {region}, project {project}, and the client is for another place");
            return Err(Error::invalid("plan", message));
        }
        let Some(sealer) = wanted.sealer_of(&plan.fingerprint).await else {
            return Err(Error::invalid("wanted", "is not what the plan was made for: names or values have changed")
                .with_help("make a new plan"));
        };
        if !sealer.is_seal(&plan.seal, &plan.unsealed()) {
            return Err(Error::invalid("plan", "was altered after it was made").with_help("make a new plan"));
        }
        self.check_not_empty(wanted, &plan.changes)
    }

    /// Refuses to delete whatever there is where nothing is wanted.
    pub(super) fn check_not_empty(&self, wanted: &Wanted, changes: &[Change]) -> Result<(), Error> {
        let deletions = changes.iter().filter(|change| change.action == Action::Delete).count();
        if self.allows_empty || !wanted.is_empty() || deletions == 0 {
            return Ok(());
        }
        let message = format!("would delete all {deletions} of its scope, as none is wanted");
        Err(Error::invalid("mode", message).with_help("see whether the source was read; or allow it to be empty"))
    }
}

impl<'a> Apply<'a> {
    /// Keeps a journal, which has the plan as its first line already.
    pub fn journal(mut self, journal: &'a mut dyn Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Sees whether plan, values and client go together. Nothing is written before [`next`](Applying::next) or
    /// [`finish`](Applying::finish).
    ///
    /// # Errors
    /// Those of [`Bulk::check`].
    pub async fn start(self) -> Result<Applying<'a>, Error> {
        let plan = self.plan;
        self.bulk.check(plan, self.wanted).await?;
        let mut applying = Applying {
            apply: self,
            waiting: VecDeque::new(),
            told_ahead: 0,
            under_way: FuturesUnordered::new(),
            ended: Vec::new(),
            events: VecDeque::new(),
            outcomes: BTreeMap::new(),
            failure: None,
        };
        for (at, change) in plan.changes.iter().enumerate() {
            match (change.action, plan.known.get(&change.name)) {
                (_, Some(Known::Done(done))) => drop(applying.outcomes.insert(at, done.into())),
                (Action::Create | Action::Update | Action::Delete, _) => applying.waiting.push_back(at),
                (Action::Conflict, _) => applying.tell(at, conflict(change)),
                (Action::Unchanged | Action::Leave, _) => {}
            }
        }
        Ok(applying)
    }
}

impl Applying<'_> {
    /// Goes on to the next event; `None` when nothing more happens.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            self.begin();
            if self.events.is_empty() {
                let ended = self.under_way.next().await?;
                self.ended.push(ended);
                // One record of all that have ended by now.
                while let Some(Some(ended)) = self.under_way.next().now_or_never() {
                    self.ended.push(ended);
                }
            }
        }
    }

    /// Goes on to the end, without regard to events.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the journal could not be written; then some may not have been begun.
    pub async fn finish(mut self) -> Result<Applied, Error> {
        while self.next().await.is_some() {}
        match self.failure {
            Some(failure) => Err(failure),
            None => {
                let changes = &self.apply.plan.changes;
                let outcomes = self.outcomes.into_iter().map(|(at, outcome)| (changes[at].name.clone(), outcome));
                Ok(Applied { outcomes: outcomes.collect() })
            }
        }
    }

    /// Tells the journal what has ended and what is begun next, and begins it.
    fn begin(&mut self) {
        let free = self.apply.bulk.concurrency.saturating_sub(self.under_way.len()).min(self.waiting.len());
        let recorded = if self.failure.is_none() { self.record(free) } else { Ok(()) };
        for (at, outcome) in std::mem::take(&mut self.ended) {
            self.tell(at, outcome);
        }
        if let Err(error) = recorded {
            let message = "the journal could not be written, and nothing more was begun";
            self.failure = Some(Error::new(ErrorKind::Configuration, message).with_source(error));
        }
        if self.failure.is_some() {
            return;
        }
        for at in self.waiting.drain(..free).collect::<Vec<_>>() {
            let Apply { bulk, plan, wanted, .. } = &self.apply;
            let change = plan.changes[at].clone();
            let job = Job {
                bulk: bulk.clone(),
                value: wanted.get(&change.name).cloned(),
                was_begun: plan.known.contains_key(&change.name),
                change,
            };
            self.events.push_back(Event { name: job.change.name.clone(), step: Step::Started });
            self.under_way.push(Box::pin(async move { (at, job.outcome().await) }));
        }
    }

    /// Has the journal tell what has ended, and that `next` more are begun.
    fn record(&mut self, next: usize) -> io::Result<()> {
        let Apply { bulk, plan, journal: Some(journal), .. } = &mut self.apply else { return Ok(()) };
        let mut lines = String::new();
        for (at, outcome) in &self.ended {
            lines.push_str(&journal::ended(&plan.changes[*at].name, outcome));
        }
        let needs_more = self.told_ahead < next;
        if needs_more {
            let most = bulk.concurrency.saturating_mul(TOLD_AHEAD).min(self.waiting.len());
            for at in self.waiting.range(self.told_ahead..most) {
                lines.push_str(&journal::begun(&plan.changes[*at].name));
            }
            self.told_ahead = most;
        }
        self.told_ahead -= next;
        if !lines.is_empty() {
            journal.append(&lines)?;
        }
        if needs_more { journal.sync() } else { Ok(()) }
    }

    fn tell(&mut self, at: usize, outcome: Outcome) {
        let name = self.apply.plan.changes[at].name.clone();
        self.events.push_back(Event { name, step: Step::Ended(outcome.clone()) });
        self.outcomes.insert(at, outcome);
    }
}

/// One secret, and what is to be done with it.
struct Job {
    bulk: Bulk,
    change: Change,
    value: Option<NewValue>,
    /// Whether it was begun before, and may have been done.
    was_begun: bool,
}

impl Job {
    async fn outcome(self) -> Outcome {
        self.carry_out().await.unwrap_or_else(|error| {
            let is_found_here = error.kind() == ErrorKind::Conflict && error.code().is_none();
            Outcome::Failed(Arc::new(if is_found_here { error.with_help("make a new plan") } else { error }))
        })
    }

    async fn carry_out(&self) -> Result<Outcome, Error> {
        let Change { name, action, base, .. } = &self.change;
        match (action, &self.value) {
            (Action::Create, Some(value)) => {
                if let Some(version) = self.found(value).await? {
                    return Ok(Outcome::Created { version });
                }
                let put = self.bulk.store.put(name, value.clone()).if_absent().send().await?;
                Ok(Outcome::Created { version: put.version().to_owned() })
            }
            (Action::Update, Some(value)) => {
                if let Some(version) = self.found(value).await? {
                    return Ok(Outcome::Updated { version });
                }
                // That the value differs is known.
                let put = self.bulk.store.put(name, value.clone()).force_version();
                let put = put.if_version(base.as_deref().unwrap_or_default()).send().await?;
                Ok(Outcome::Updated { version: put.version().to_owned() })
            }
            (Action::Delete, None) => self.delete().await,
            _ => Err(Error::invalid("plan", format!("would {action} `{name}`, for which there is no value"))),
        }
    }

    /// Id of the version that was made when this was begun before; `None` where it was not, or nothing came of it.
    async fn found(&self, value: &NewValue) -> Result<Option<String>, Error> {
        if !self.was_begun {
            return Ok(None);
        }
        match self.bulk.store.get(self.change.name.as_str()).await {
            Ok(current) if current.difference_to(value) == Difference::None => Ok(Some(current.version().to_owned())),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(None),
        }
    }

    async fn delete(&self) -> Result<Outcome, Error> {
        let (client, Change { name, base, .. }) = (&self.bulk.client, &self.change);
        if self.was_begun && self.is_deleted().await? {
            return Ok(Outcome::Deleted);
        }
        let current = match version_id(client, name, &VersionRef::Current).await {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            current => Some(current?),
        };
        if current != *base {
            let message =
                format!("secret `{name}` has changed since it was planned to be deleted; it was left as it is");
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        match DeleteSecretForSchedule::new(name, DAYS).send(client).await {
            Err(error) if is_unclear(&error) && self.is_deleted().await.unwrap_or_default() => {}
            answer => drop(answer?),
        }
        Ok(Outcome::Deleted)
    }

    async fn is_deleted(&self) -> Result<bool, Error> {
        match ShowSecret::new(&self.change.name).send(&self.bulk.client).await {
            Ok(answer) => {
                let state = answer.into_body().secret.and_then(|secret| secret.state);
                Ok(state == Some(SecretState::PendingDelete))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn conflict(change: &Change) -> Outcome {
    let reason = change.reason.as_deref().unwrap_or("is in conflict with the plan");
    let message = format!("secret `{}` {reason}", change.name);
    let error =
        Error::new(ErrorKind::Conflict, message).with_help("leave it out of what is wanted, or see to it first");
    Outcome::Failed(Arc::new(error))
}

impl From<&Done> for Outcome {
    fn from(done: &Done) -> Self {
        match done {
            Done::Created(version) => Self::Created { version: version.clone() },
            Done::Updated(version) => Self::Updated { version: version.clone() },
            Done::Deleted => Self::Deleted,
        }
    }
}
