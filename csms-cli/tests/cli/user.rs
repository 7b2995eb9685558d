//! Somebody who uses the program on one machine, day after day.

use std::path::Path;

use tempfile::TempDir;

use crate::program::{Outcome, Program};

/// A user with an account of his own on this machine.
pub(crate) struct User(TempDir);

impl User {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn home(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn program(&self, command: &str) -> Program {
        Program::new(["--local"]).arguments(command.split_whitespace()).env("HOME", self.home())
    }

    pub(crate) fn run(&self, command: &str) -> Outcome {
        self.program(command).run()
    }

    /// What a command that succeeds prints.
    #[track_caller]
    pub(crate) fn does(&self, command: &str) -> String {
        let outcome = self.run(command);
        assert_eq!(outcome.code, 0, "{command}: {}", outcome.stderr);
        outcome.stdout
    }

    /// What a command that succeeds says.
    #[track_caller]
    pub(crate) fn says(&self, command: &str) -> String {
        let outcome = self.run(command);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{command}: {}", outcome.stderr);
        outcome.stderr
    }

    pub(crate) fn create(&self, name: &str, value: &str) {
        let command = format!("api csms CreateSecret --name {name} --secret-string -");
        assert_eq!(self.program(&command).stdin(value).run().code, 0);
    }
}
