//! Waiting until something is in a state: a secret, a key, a rotation, a replica, a scheduled deletion.
//!
//! ```no_run
//! use std::time::Duration;
//! use csms_sdk::{Client, csms::CreateSecretReplica, wait::Wait};
//!
//! # async fn example(client: Client) -> Result<(), csms_sdk::Error> {
//! CreateSecretReplica::new("db-password", "cn-east-3").send(&client).await?;
//! let wait = Wait::new().deadline(Duration::from_secs(60));
//! match wait.secret_replica(&client, "db-password", "cn-east-3").await {
//!     Ok(replica) => println!("in sync: {:?}", replica.id),
//!     Err(error) => eprintln!("{error}; last seen: {:?}", error.last_state()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! For anything else, [`Wait::until`] takes a way to look and a way to judge.
//!
//! Looks come seldom and more seldom, at times that differ from caller to caller. What may pass, such as a throttled
//! look, is borne until the deadline; everything else ends the waiting at once. The time is that of `tokio`, so that tests
//! can pause it. Nothing goes on in the background: a wait that is dropped has ended.

use std::{fmt, time::Duration};

use tokio::time::{Instant, sleep, timeout};

use crate::{
    csms::{ListSecretTask, Replica, ReplicaStatus, Secret, SecretState, SecretTask, ShowSecret, TaskStatus},
    error::{Error, ErrorKind},
    kms::{KeyDetails, KeyState, ListKeyDetail},
    operation::{Caller, Operation, Response},
    retry,
};

const NOT_FOUND: &str = "not found";

/// How long to wait, and how often to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    deadline: Duration,
    first: Duration,
    longest: Duration,
}

/// How far something has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is where it was to come.
    Done,
    /// It is in this state now, and may come there yet.
    Pending(String),
    /// It is in this state, and will not come there.
    Failed(String),
}

impl Default for Wait {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(300), first: Duration::from_millis(500), longest: Duration::from_secs(10) }
    }
}

impl Wait {
    /// Waits five minutes; looks after half a second, and at last every ten.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives up after so long. The last look comes before that; one that takes longer is broken off.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The time between two looks: at first, and at most. It doubles, and a part of up to a half is left out at random.
    #[must_use]
    pub fn between(mut self, first: Duration, longest: Duration) -> Self {
        // Without any time between them, looks would be all that is done.
        self.first = first.max(Duration::from_millis(1));
        self.longest = longest.max(self.first);
        self
    }

    /// Looks with `read` until `judge` says that it is done, and hands out what was read last.
    ///
    /// `what` is for the error, e.g. ``secret `demo` to be ENABLED``. A look that failed for what may pass says nothing about the
    /// state. `read` decides what becomes of something that does not exist.
    ///
    /// ```no_run
    /// use csms_sdk::{Client, csms::ListSecretVersions, wait::{Progress, Wait}};
    ///
    /// # async fn example(client: Client) -> Result<(), csms_sdk::Error> {
    /// let read = || ListSecretVersions::new("demo").send(&client);
    /// let versions = Wait::new()
    ///     .until("secret `demo` to have two versions", read, |answer| match answer.version_metadatas.len() {
    ///         0 | 1 => Progress::Pending("too few".to_owned()),
    ///         _ => Progress::Done,
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] at the deadline, [`ErrorKind::Conflict`] for [`Progress::Failed`], and whatever `read` fails with
    /// for good; each with the [last state](Error::last_state).
    pub async fn until<T, F>(
        self,
        what: impl fmt::Display + Send,
        mut read: impl FnMut() -> F + Send,
        mut judge: impl FnMut(&T) -> Progress + Send,
    ) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let started = Instant::now();
        let mut last = None;
        let mut trouble = None;
        let mut bound = self.first;
        loop {
            let left = self.deadline.saturating_sub(started.elapsed());
            let mut asked = None;
            match timeout(left, read()).await {
                Ok(Ok(found)) => match judge(&found) {
                    Progress::Done => return Ok(found),
                    Progress::Pending(state) => (last, trouble) = (Some(state), None),
                    Progress::Failed(state) => {
                        let message = format!("waited for {what}; it is {state}, which will not change");
                        return Err(Error::new(ErrorKind::Conflict, message).with_last_state(Some(state)));
                    }
                },
                Ok(Err(error)) if error.is_retryable() => {
                    asked = error.retry_after();
                    trouble = Some(error);
                }
                Ok(Err(error)) => return Err(error.with_last_state(last)),
                Err(_) => return Err(self.too_late(what, last, trouble)),
            }
            // The last look gets as much time as lies before the second.
            let spare = self.deadline.saturating_sub(started.elapsed()).saturating_sub(self.first);
            if spare.is_zero() {
                return Err(self.too_late(what, last, trouble));
            }
            let pause = bound.mul_f64(0.5 + retry::random() / 2.0).max(asked.unwrap_or_default());
            sleep(pause.min(spare)).await;
            bound = bound.saturating_mul(2).min(self.longest);
        }
    }

    /// Until a secret is in `state`. Not there yet is waited for; gone after it was there is an error.
    ///
    /// # Errors
    /// Those of [`until`](Self::until).
    pub async fn secret(self, caller: &impl Caller, name: &str, state: SecretState) -> Result<Secret, Error> {
        let what = format!("secret `{name}` to be {state}");
        let read = || secret(caller, name);
        let found = self.until(what, read, in_state(|secret: &Secret| secret.state.as_ref(), &state)).await?;
        Ok(found.unwrap_or_default())
    }

    /// Until a secret is deleted, at once or as scheduled. A deletion that is cancelled meanwhile is an error.
    ///
    /// # Errors
    /// Those of [`until`](Self::until).
    pub async fn secret_deleted(self, caller: &impl Caller, name: &str) -> Result<(), Error> {
        let what = format!("secret `{name}` to be deleted");
        let judge = gone(|secret: &Secret| secret.state.as_ref(), &SecretState::PendingDelete);
        self.until(what, || secret(caller, name), judge).await.map(drop)
    }

    /// Until a key is in `state`. Not there yet is waited for; gone after it was there is an error.
    ///
    /// # Errors
    /// Those of [`until`](Self::until).
    pub async fn key(self, caller: &impl Caller, key_id: &str, state: KeyState) -> Result<KeyDetails, Error> {
        let what = format!("key `{key_id}` to be in state {state}");
        let read = || key(caller, key_id);
        let found = self.until(what, read, in_state(|key: &KeyDetails| key.key_state.as_ref(), &state)).await?;
        Ok(found.unwrap_or_default())
    }

    /// Until a key is deleted as scheduled. A deletion that is cancelled meanwhile is an error.
    ///
    /// # Errors
    /// Those of [`until`](Self::until).
    pub async fn key_deleted(self, caller: &impl Caller, key_id: &str) -> Result<(), Error> {
        let what = format!("key `{key_id}` to be deleted");
        let judge = gone(|key: &KeyDetails| key.key_state.as_ref(), &KeyState::PendingDeletion);
        self.until(what, || key(caller, key_id), judge).await.map(drop)
    }

    /// Until a rotation has succeeded, by the id of its task. A task that is not listed yet is waited for.
    ///
    /// # Errors
    /// Those of [`until`](Self::until), and [`ErrorKind::Conflict`] when the rotation failed.
    pub async fn rotation(self, caller: &impl Caller, task_id: &str) -> Result<SecretTask, Error> {
        let read = || async move {
            let answer = ListSecretTask::new().task_id(task_id).send(caller).await?;
            Ok(answer.into_body().tasks.into_iter().find(|task| task.task_id.as_deref() == Some(task_id)))
        };
        let judge = |task: &Option<SecretTask>| match task.as_ref().map(|task| (task, task.task_status.as_ref())) {
            None => Progress::Pending(NOT_FOUND.to_owned()),
            Some((_, Some(TaskStatus::Success))) => Progress::Done,
            Some((task, Some(status @ TaskStatus::Failed))) => Progress::Failed(match &task.task_error_code {
                Some(code) => format!("{status} ({code})"),
                None => status.to_string(),
            }),
            Some((_, status)) => Progress::Pending(text(status)),
        };
        let found = self.until(format!("rotation `{task_id}` to succeed"), read, judge).await?;
        Ok(found.unwrap_or_default())
    }

    /// Until the replica of a secret is in sync, as its primary tells. A replica that is not listed yet is waited for, a
    /// secret that does not exist is not.
    ///
    /// # Errors
    /// Those of [`until`](Self::until), and [`ErrorKind::Conflict`] when the replica failed.
    pub async fn secret_replica(self, caller: &impl Caller, name: &str, region: &str) -> Result<Replica, Error> {
        let read = || async move {
            let secret = ShowSecret::new(name).send(caller).await?.into_body().secret.unwrap_or_default();
            Ok(secret.replicas.into_iter().find(|replica| replica.region.as_deref() == Some(region)))
        };
        let judge = |replica: &Option<Replica>| match replica.as_ref().map(|replica| replica.status.as_ref()) {
            None => Progress::Pending(NOT_FOUND.to_owned()),
            Some(Some(ReplicaStatus::InSync)) => Progress::Done,
            Some(Some(status @ ReplicaStatus::Failed)) => Progress::Failed(status.to_string()),
            Some(status) => Progress::Pending(text(status)),
        };
        let what = format!("the replica of secret `{name}` in {region} to be in sync");
        Ok(self.until(what, read, judge).await?.unwrap_or_default())
    }

    /// Until the replica of a key can be used: `there` calls its region, `key_id` is what
    /// [`ReplicateKey`](crate::kms::ReplicateKey) answered.
    ///
    /// # Errors
    /// Those of [`until`](Self::until).
    pub async fn key_replica(self, there: &impl Caller, key_id: &str) -> Result<KeyDetails, Error> {
        self.key(there, key_id, KeyState::Enabled).await
    }

    fn too_late(self, what: impl fmt::Display, last: Option<String>, trouble: Option<Error>) -> Error {
        let state = last.as_deref().unwrap_or("unknown");
        let message = format!("waited {:?} for {what}; its last state is {state}", self.deadline);
        let error = Error::new(ErrorKind::Timeout, message).retryable().with_last_state(last);
        match trouble {
            Some(trouble) => error.with_source(trouble),
            None => error,
        }
    }
}

async fn secret(caller: &impl Caller, name: &str) -> Result<Option<Secret>, Error> {
    Ok(existing(ShowSecret::new(name), caller).await?.map(|answer| answer.into_body().secret.unwrap_or_default()))
}

async fn key(caller: &impl Caller, key_id: &str) -> Result<Option<KeyDetails>, Error> {
    Ok(existing(ListKeyDetail::new(key_id), caller)
        .await?
        .map(|answer| answer.into_body().key_info.unwrap_or_default()))
}

/// The answer of an operation; `None` when what it asks for does not exist.
async fn existing<O: Operation>(operation: O, caller: &impl Caller) -> Result<Option<Response<O::Response>>, Error> {
    match caller.call(operation).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether something is in a state; it may not be there yet, but not be gone again.
fn in_state<T, S: PartialEq + fmt::Display>(
    state_of: fn(&T) -> Option<&S>,
    goal: &S,
) -> impl FnMut(&Option<T>) -> Progress {
    let mut was_there = false;
    move |found| match found.as_ref().map(state_of) {
        None if was_there => Progress::Failed("gone".to_owned()),
        None => Progress::Pending(NOT_FOUND.to_owned()),
        Some(Some(state)) if state == goal => Progress::Done,
        Some(state) => {
            was_there = true;
            Progress::Pending(text(state))
        }
    }
}

/// Whether something is gone; it may wait for that, but not be in use again.
fn gone<T, S: PartialEq + fmt::Display>(
    state_of: fn(&T) -> Option<&S>,
    pending: &S,
) -> impl FnMut(&Option<T>) -> Progress {
    let mut was_pending = false;
    move |found| match found.as_ref().map(state_of) {
        None => Progress::Done,
        Some(state) if state == Some(pending) => {
            was_pending = true;
            Progress::Pending(text(state))
        }
        Some(state) if was_pending => Progress::Failed(text(state)),
        Some(state) => Progress::Pending(text(state)),
    }
}

fn text(state: Option<&impl fmt::Display>) -> String {
    state.map_or_else(|| "unknown".to_owned(), ToString::to_string)
}
