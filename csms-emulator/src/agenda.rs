//! What will happen by itself, and when.

use std::collections::BTreeSet;

use crate::clock::Millis;

/// A record that something is due for. What exactly, the record tells when the time has come: an entry whose reason has
/// gone away does no harm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Errand {
    /// The secret of this project and name.
    Secret { project_id: String, name: String },
    /// The key of this project and id.
    Key { project_id: String, id: String },
    /// An issued token or temporary key.
    Session { id: String },
}

/// All errands by their time.
#[derive(Debug, Default)]
pub(crate) struct Agenda(BTreeSet<(Millis, Errand)>);

impl Agenda {
    /// Has an errand run at `time`; nothing where there is no time.
    pub(crate) fn add(&mut self, time: Option<Millis>, errand: Errand) {
        if let Some(time) = time {
            self.0.insert((time, errand));
        }
    }

    /// Whether anything is due.
    pub(crate) fn is_due(&self, now: Millis) -> bool {
        self.0.first().is_some_and(|(time, _)| *time <= now)
    }

    /// All errands that are due, in the order of their times, taken off the list.
    pub(crate) fn take(&mut self, now: Millis) -> Vec<Errand> {
        let mut due = Vec::new();
        while self.is_due(now)
            && let Some((_, errand)) = self.0.pop_first()
        {
            due.push(errand);
        }
        due
    }
}
