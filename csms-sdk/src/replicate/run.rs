//! A replication under way: what it does is told as it is done, and goes on only while somebody listens.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::sync::{
    Semaphore,
    mpsc::{self, UnboundedReceiver, UnboundedSender},
};

use super::{Replicated, ReplicationStatus, StatusType};
use crate::{
    Client,
    credentials::BoxFuture,
    error::Error,
    operation::{Caller, Operation, Response},
};

/// A replication under way. Goes on while [`next`](Self::next) or [`finish`](Self::finish) is awaited, and stops when
/// it is dropped.
///
/// With the feature `stream` it is a [`futures_core::Stream`](https://docs.rs/futures-core) of its events.
#[must_use = "nothing is sent before `next` or `finish`"]
pub struct Replication {
    work: Work,
    /// Few at a time: no more are made while there are any.
    events: UnboundedReceiver<Event>,
}

enum Work {
    UnderWay(BoxFuture<'static, Result<Replicated, Error>>),
    Over(Result<Replicated, Error>),
}

/// Something that was done in a region, or seen there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The region.
    pub region: String,
    /// What it was.
    pub step: Step,
}

/// What happens in a region. First it is `Started`; last `Ended` or `Absent`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Its turn has come.
    Started,
    /// What was there has been removed: a secret that was in the way, or the replica that was to be removed.
    Removed,
    /// The copy has been made, and is to be filled.
    Created,
    /// It has come so far.
    Seen(StatusType),
    /// Nothing more is done for it. The status is that of the answer.
    Ended(ReplicationStatus),
    /// It has no replica, as was asked for. Nothing more is done for it.
    Absent,
}

/// How many calls may be under way at once, repetitions of the same call not counted; default 8.
///
/// Clones share it, and so do all the workflows that are given it.
#[derive(Clone, Debug)]
pub struct Concurrency(Arc<Semaphore>);

impl Concurrency {
    /// At most so many, and at least one.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))))
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        // A few regions at once, and not half of the 20 calls a second that KMS allows most callers.
        Self::new(8)
    }
}

impl From<usize> for Concurrency {
    fn from(most: usize) -> Self {
        Self::new(most)
    }
}

impl From<&Concurrency> for Concurrency {
    fn from(shared: &Concurrency) -> Self {
        shared.clone()
    }
}

impl Replication {
    pub(super) fn new<F>(work: impl FnOnce(Events) -> F) -> Self
    where
        F: Future<Output = Result<Replicated, Error>> + Send + 'static,
    {
        let (sender, events) = mpsc::unbounded_channel();
        Self { work: Work::UnderWay(Box::pin(work(Events(sender)))), events }
    }

    /// Goes on to the next event; `None` when nothing more happens, and [`finish`](Self::finish) has the outcome at
    /// once.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// Goes on to the end, without regard to events.
    ///
    /// # Errors
    /// See [the module](super#what-comes-of-it).
    pub async fn finish(mut self) -> Result<Replicated, Error> {
        self.events.close();
        match self.work {
            Work::UnderWay(work) => work.await,
            Work::Over(outcome) => outcome,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        if let Poll::Ready(Some(event)) = self.events.poll_recv(context) {
            return Poll::Ready(Some(event));
        }
        if let Work::UnderWay(work) = &mut self.work
            && let Poll::Ready(outcome) = work.as_mut().poll(context)
        {
            // With the work goes what events are sent with: after the last one, `None` is received.
            self.work = Work::Over(outcome);
        }
        self.events.poll_recv(context)
    }
}

#[cfg(feature = "stream")]
impl futures_core::Stream for Replication {
    type Item = Event;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.poll(context)
    }
}

impl fmt::Debug for Replication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match &self.work {
            Work::UnderWay(_) => None,
            Work::Over(outcome) => Some(outcome),
        };
        f.debug_struct("Replication").field("outcome", &outcome).finish_non_exhaustive()
    }
}

/// Where events are told.
pub(super) struct Events(UnboundedSender<Event>);

impl Events {
    pub(super) fn tell(&self, region: &str, step: Step) {
        // Whoever only wants the outcome has closed the other side.
        let _ = self.0.send(Event { region: region.to_owned(), step });
    }
}

/// A client with so many calls under way at once.
#[derive(Clone)]
pub(super) struct Bounded {
    pub(super) client: Client,
    most: Concurrency,
}

impl Bounded {
    pub(super) fn new(client: &Client, most: &Concurrency) -> Self {
        Self { client: client.clone(), most: most.clone() }
    }

    /// The same for a project of another region; for its default project where none is named.
    pub(super) fn elsewhere(&self, region: &str, project_id: Option<&str>) -> Result<Self, Error> {
        Ok(Self { client: self.client.for_project(region, project_id)?, most: self.most.clone() })
    }

    /// What `work` gives, done when its turn comes.
    pub(super) async fn in_turn<T>(&self, work: impl Future<Output = T>) -> T {
        // Never closed, so there always is a turn.
        let _turn = self.most.0.acquire().await;
        work.await
    }
}

impl Caller for Bounded {
    async fn call<O: Operation>(&self, operation: O) -> Result<Response<O::Response>, Error> {
        // Boxed, as a call takes 20 KB, and a replication has several in each region.
        self.in_turn(Box::pin(self.client.send(operation))).await
    }
}
