//! CSMS: secrets, their versions and everything around them. One file per chapter of the reference.

mod backups;
mod batches;
mod checker;
mod codes;
mod events;
mod grants;
mod page;
mod passwords;
mod record;
mod replicas;
mod rotation;
mod secrets;
mod stages;
mod tags;
mod users;
mod versions;

pub(crate) use codes::refusal;
pub(crate) use record::Secret;
pub(crate) use secrets::settle;

use self::{
    events::{Event, Record},
    grants::Granted,
    rotation::Task,
    users::User,
};
use crate::{
    call::Named,
    table::{Stored, Table},
};

/// What a project keeps in CSMS.
pub(crate) struct State {
    /// By name, and by id.
    pub(crate) secrets: Table<Secret>,
    /// By name.
    events: Table<Event>,
    /// By time.
    records: Table<Record>,
    /// Rotations, the newest first; by id.
    tasks: Table<Task>,
    /// By the resource they are for.
    grants: Table<Granted>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            secrets: Table::with_id(|secret: &Secret| &secret.id),
            events: Table::default(),
            records: Table::default(),
            tasks: Table::with_id(|task: &Task| &task.id),
            grants: Table::default(),
        }
    }
}

impl State {
    /// Its tables under the names they are stored by.
    pub(crate) fn tables(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("secrets", &mut self.secrets),
            ("events", &mut self.events),
            ("notification records", &mut self.records),
            ("rotation tasks", &mut self.tasks),
            ("secret grants", &mut self.grants),
        ]
    }
}

/// What CSMS keeps for whole accounts, in no project.
#[derive(Default)]
pub(crate) struct Accounts {
    /// Ids of agencies, by account and name.
    agencies: Table<String>,
    /// By id.
    users: Table<User>,
    /// Whether the strength of secrets is checked, by account.
    checkers: Table<bool>,
}

impl Accounts {
    /// Its tables under the names they are stored by.
    pub(crate) fn tables(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("rotation agencies", &mut self.agencies),
            ("secret users", &mut self.users),
            ("secret checkers", &mut self.checkers),
        ]
    }
}

/// What carries the operations out, chapter by chapter.
pub(crate) fn handlers() -> Vec<&'static [Named]> {
    vec![
        secrets::HANDLERS,
        versions::HANDLERS,
        stages::HANDLERS,
        batches::HANDLERS,
        backups::HANDLERS,
        passwords::HANDLERS,
        events::HANDLERS,
        tags::HANDLERS,
        grants::HANDLERS,
        rotation::HANDLERS,
        replicas::HANDLERS,
        users::HANDLERS,
        checker::HANDLERS,
    ]
}
