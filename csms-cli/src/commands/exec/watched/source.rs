//! The values of a command, read again and again.

use std::{mem, time::Duration};

use csms_sdk::watch::{Watch, Watching};
use tokio::time::sleep;

use crate::{
    commands::exec::call::Call,
    connection::Connection,
    error::Failure,
    session::Session,
    sources::{Item, Wanted},
};

/// What reads the values.
pub(super) struct Source<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) connection: &'a Connection,
    pub(super) call: &'a Call<'a>,
    pub(super) wanted: &'a Wanted,
    pub(super) every: Duration,
    pub(super) settle: Duration,
}

/// What the command was given, and what tells that it is no longer so.
pub(super) struct Given {
    pub(super) items: Vec<Item>,
    watching: Watching,
    /// Whether it is known that something cannot be read.
    is_failing: bool,
}

impl Source<'_> {
    /// Everything as it is now.
    pub(super) async fn given(&self) -> Result<Given, Failure> {
        let (watching, items) = self.read().await?;
        Ok(Given { items, watching, is_failing: false })
    }

    /// Waits until the command has been given what is no longer right, and tells what is. What cannot be read is warned of
    /// once.
    pub(super) async fn changed(&self, given: &mut Given) -> Vec<Item> {
        loop {
            match self.next(given).await {
                Ok(Some(items)) => return items,
                Ok(None) => {}
                Err(failure) => {
                    if !mem::replace(&mut given.is_failing, true) {
                        self.warn(&failure);
                    }
                }
            }
        }
    }

    /// Says that the command does not get what it should.
    pub(super) fn warn(&self, failure: &Failure) {
        self.session.reporter.warn(&format!("the command goes on with what it has: {}", failure.summary()));
    }

    /// Looks until there is something to be told; the values, where others are to be given.
    async fn next(&self, given: &mut Given) -> Result<Option<Vec<Item>>, Failure> {
        let is_changed = match given.is_failing {
            true => {
                sleep(self.every).await;
                given.watching.has_changed().await?
            }
            false => given.watching.changed().await.map(|()| true)?,
        };
        let read = if is_changed { Some(self.read().await?) } else { None };
        if mem::take(&mut given.is_failing) {
            self.session.reporter.note("the secrets can be read again");
        }
        Ok(read.and_then(|(watching, items)| {
            given.watching = watching;
            (items != given.items).then_some(items)
        }))
    }

    /// First watches, then reads: what changes between the two is noticed.
    async fn read(&self) -> Result<(Watching, Vec<Item>), Failure> {
        let Self { session, connection, wanted, .. } = self;
        let watch = Watch::new().every(self.every).quiet(self.settle);
        let watching = wanted.watching(session, connection, watch).await;
        // This tells better what is missing.
        let items = wanted.read(session, connection).await?;
        Ok((watching?, self.call.settled(items)?))
    }
}
