//! One module per command, and the list of them.

use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::{
    audit, cli,
    error::{Failure, Reporter},
    needs::Needs,
    session::Session,
    verb::{Noun, Own},
};

pub(crate) mod api;
pub(crate) mod bulk;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod emulate;
pub(crate) mod envelope;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod inject;
pub(crate) mod key;
pub(crate) mod man;
pub(crate) mod policy;
pub(crate) mod profile;
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
    Other {
        name: &'static str,
        command: fn(&[String]) -> Command,
        run: fn(&ArgMatches, &Reporter) -> Result<ExitCode, Failure>,
        calls: fn(&ArgMatches, &Reporter) -> Result<Needs, Failure>,
    },
}

/// Every command, in the order of the help.
pub(crate) static ALL: &[Top] = &[
    Top::Own(&secret::get::GET),
    Top::Own(&exec::EXEC),
    Top::Own(&inject::INJECT),
    Top::Own(&export::EXPORT),
    Top::Own(&bulk::import::IMPORT),
    Top::Own(&bulk::sync::SYNC),
    Top::Own(&bulk::diff::DIFF),
    Top::Own(&redact::REDACT),
    Top::Own(&scan::SCAN),
    Top::Noun(&secret::NOUN),
    Top::Noun(&key::NOUN),
    Top::Own(&envelope::ENCRYPT),
    Top::Own(&envelope::DECRYPT),
    Top::Own(&envelope::REWRAP),
    Top::Noun(&wait::NOUN),
    Top::Other {
        name: "api",
        command: api::command,
        run: |matches, reporter| done(api::run(matches, reporter)),
        calls: api::calls,
    },
    Top::Other { name: "emulate", command: |_| emulate::command(), run: emulate::run, calls: |_, _| Ok(Needs::none()) },
    Top::Other {
        name: "explain",
        command: |_| explain::command(),
        run: |matches, _| done(explain::run(matches)),
        calls: |_, _| Ok(Needs::none()),
    },
    Top::Own(&whoami::WHOAMI),
    Top::Other { name: "doctor", command: |_| doctor::command(), run: doctor::run, calls: doctor::calls },
    Top::Own(&policy::POLICY),
    Top::Noun(&config::NOUN),
    Top::Noun(&profile::NOUN),
    Top::Other {
        name: "completion",
        command: |_| completion::command(),
        run: |matches, _| done(completion::run(matches)),
        calls: |_, _| Ok(Needs::none()),
    },
    Top::Other {
        name: "man",
        command: |_| man::command(),
        run: |matches, reporter| done(man::run(matches, reporter)),
        calls: |_, _| Ok(Needs::none()),
    },
];

impl Top {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Own(own) => own.name,
            Self::Noun(noun) => noun.name,
            Self::Other { name, .. } => name,
        }
    }

    /// The grammar, as far as `words` need it.
    pub(crate) fn command(&self, words: &[String]) -> Command {
        match self {
            Self::Own(own) => own.command(words.iter().any(|word| word == own.name)),
            Self::Noun(noun) => noun.command(words),
            Self::Other { command, .. } => command(words),
        }
    }

    pub(crate) fn run(&self, matches: &ArgMatches, reporter: &Reporter) -> Result<ExitCode, Failure> {
        audit::expect(cli::innermost(matches), || self.calls(matches, reporter));
        match self {
            Self::Own(own) => own.run(&format!("csms {}", own.name), matches, reporter),
            Self::Noun(noun) => noun.run(matches, reporter),
            Self::Other { run, .. } => run(matches, reporter),
        }
    }

    /// What it may call, without calling it.
    pub(crate) fn calls(&self, matches: &ArgMatches, reporter: &Reporter) -> Result<Needs, Failure> {
        match self {
            Self::Own(own) => (own.calls)(&Session::of(matches, reporter)?),
            Self::Noun(noun) => noun.calls(matches, reporter),
            Self::Other { calls, .. } => calls(matches, reporter),
        }
    }
}

/// The command that was named, and what stands behind it.
pub(crate) fn named(matches: &ArgMatches) -> Option<(&'static Top, &ArgMatches)> {
    let (name, matches) = matches.subcommand()?;
    Some((ALL.iter().find(|command| command.name() == name)?, matches))
}

/// The names of all commands.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(Top::name)
}

fn done(outcome: Result<(), Failure>) -> Result<ExitCode, Failure> {
    outcome.map(|()| ExitCode::SUCCESS)
}
