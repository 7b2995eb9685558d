//! One module per command, and the list of them.

use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::{
    error::{Failure, Reporter},
    verb::{Noun, Own},
};

pub(crate) mod api;
pub(crate) mod emulate;
pub(crate) mod envelope;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod inject;
pub(crate) mod key;
pub(crate) mod redact;
mod replication;
pub(crate) mod report;
pub(crate) mod scan;
pub(crate) mod secret;
pub(crate) mod wait;
pub(crate) mod whoami;

/// A word behind `csms`.
pub(crate) enum Top {
    /// One command.
    Own(&'static Own),
    /// A word before verbs.
    Noun(&'static Noun),
    /// A command with a grammar that no table describes.
    Other(&'static str, fn(&[String]) -> Command, fn(&ArgMatches, &Reporter) -> Result<ExitCode, Failure>),
}

/// Every command, in the order of the help.
pub(crate) static ALL: [Top; 16] = [
    Top::Own(&secret::get::GET),
    Top::Own(&exec::EXEC),
    Top::Own(&inject::INJECT),
    Top::Own(&export::EXPORT),
    Top::Own(&redact::REDACT),
    Top::Own(&scan::SCAN),
    Top::Noun(&secret::NOUN),
    Top::Noun(&key::NOUN),
    Top::Own(&envelope::ENCRYPT),
    Top::Own(&envelope::DECRYPT),
    Top::Own(&envelope::REWRAP),
    Top::Noun(&wait::NOUN),
    Top::Other("api", api::command, |matches, reporter| done(api::run(matches, reporter))),
    Top::Other("emulate", |_| emulate::command(), emulate::run),
    Top::Other("explain", |_| explain::command(), |matches, _| done(explain::run(matches))),
    Top::Other("whoami", |_| whoami::command(), |matches, reporter| done(whoami::run(matches, reporter))),
];

impl Top {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Own(own) => own.name,
            Self::Noun(noun) => noun.name,
            Self::Other(name, ..) => name,
        }
    }

    /// The grammar, as far as `words` need it.
    pub(crate) fn command(&self, words: &[String]) -> Command {
        match self {
            Self::Own(own) => own.command(words.iter().any(|word| word == own.name)),
            Self::Noun(noun) => noun.command(words),
            Self::Other(_, command, _) => command(words),
        }
    }

    pub(crate) fn run(&self, matches: &ArgMatches, reporter: &Reporter) -> Result<ExitCode, Failure> {
        match self {
            Self::Own(own) => own.run(&format!("csms {}", own.name), matches, reporter),
            Self::Noun(noun) => noun.run(matches, reporter),
            Self::Other(.., run) => run(matches, reporter),
        }
    }
}

/// The names of all commands.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(Top::name)
}

fn done(outcome: Result<(), Failure>) -> Result<ExitCode, Failure> {
    outcome.map(|()| ExitCode::SUCCESS)
}
