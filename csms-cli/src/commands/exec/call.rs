//! The command of the line, and the environment that values come into.

use std::{cell::Cell, collections::BTreeMap, ffi::OsString, process::Command};

use super::{environment, memory::Files};
use crate::{
    ci,
    error::{Exit, Failure},
    process,
    session::Session,
    sources::{self, Item},
};

/// What is to be run, without the values that it is given.
pub(super) struct Call<'a> {
    session: &'a Session<'a>,
    words: Vec<OsString>,
    inherited: BTreeMap<OsString, OsString>,
    /// Whether a CI system has been told of values, so that a command may have printed something since.
    has_masked: Cell<bool>,
}

impl<'a> Call<'a> {
    pub(super) fn of(session: &'a Session<'a>) -> Self {
        let words = session.matches.get_many::<OsString>("command").into_iter().flatten().cloned().collect();
        Self { session, words, inherited: environment::inherited(session), has_masked: Cell::new(false) }
    }

    /// What is left of the items beside what is inherited. A CI system is told of their values first.
    pub(super) fn settled(&self, items: Vec<Item>) -> Result<Vec<Item>, Failure> {
        if self.session.is_set("ci-mask") {
            ci::mask(sources::secrets(&items), !self.has_masked.replace(true), self.session.reporter)?;
        }
        environment::without_conflicts(self.session, items, &self.inherited)
    }

    /// The command with everything it is given. The files are inherited, and have to be there when it starts.
    pub(super) fn command(&self, items: &[Item], files: &mut Files) -> Result<Command, Failure> {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().cloned().unwrap_or_default());
        command.args(words);
        self.equip(command, items, files)
    }

    /// Another command in the same environment.
    pub(super) fn equip(&self, mut command: Command, items: &[Item], files: &mut Files) -> Result<Command, Failure> {
        process::let_commands_leave_cores();
        command.env_clear().envs(&self.inherited);
        for item in items {
            let value = match item.is_file {
                true => files.path(&item.name, &item.value).map_err(|error| not_made(item, &error))?,
                false => environment::value(item)?,
            };
            command.env(&item.name, value);
        }
        Ok(command)
    }
}

fn not_made(item: &Item, error: &std::io::Error) -> Failure {
    Failure::new(Exit::NotStarted, "memory_file", format!("{}: the file cannot be made", item.origin))
        .cause(error.to_string())
        .hint(format!("--env {}=REF gives the value itself", item.name))
}
