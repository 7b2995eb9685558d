//! One run of a verb: what was asked for, the settings, and how to answer.

use std::{
    env,
    io::{self, IsTerminal as _},
    sync::Arc,
};

use clap::ArgMatches;
use csms_sdk::{OperationInfo, SecretJson, model::Kind};
use serde_json::Value as Json;

use crate::{
    config::Config,
    connection::Connection,
    error::{Exit, Failure, Reporter},
    mask::mask,
    output::{Column, Output},
    settings::{Setting, Settings},
};

/// One run of a verb.
pub(crate) struct Session<'a> {
    pub(crate) matches: &'a ArgMatches,
    pub(crate) reporter: &'a Reporter,
    pub(crate) config: Arc<Config>,
    pub(crate) settings: Settings,
    pub(crate) output: Output,
}

impl<'a> Session<'a> {
    pub(crate) fn of(matches: &'a ArgMatches, reporter: &'a Reporter) -> Result<Self, Failure> {
        Self::with(matches, reporter, Config::load()?)
    }

    /// The same where the file has been read, or not, already.
    pub(crate) fn with(matches: &'a ArgMatches, reporter: &'a Reporter, config: Arc<Config>) -> Result<Self, Failure> {
        let (settings, output) = (Settings::of(matches, &config)?, Output::of(matches, &config)?);
        Ok(Self { matches, reporter, config, settings, output })
    }

    /// A client as the settings say, and the runtime it needs.
    pub(crate) fn connect(&self) -> Result<Connection, Failure> {
        let connection = Connection::open(&self.settings)?;
        self.settings.tell(&connection.client, self.reporter);
        Ok(connection)
    }

    /// Whether a flag is given; one that a verb does not have is not.
    pub(crate) fn is_set(&self, flag: &str) -> bool {
        self.matches.try_get_one::<bool>(flag).ok().flatten().copied().unwrap_or_default()
    }

    /// The value of an argument; none where a verb does not have it.
    pub(crate) fn text(&self, argument: &str) -> Option<&str> {
        self.matches.try_get_one::<String>(argument).ok().flatten().map(String::as_str)
    }

    /// The values of an argument that takes several.
    pub(crate) fn words(&self, argument: &str) -> impl Iterator<Item = &str> {
        self.matches.try_get_many::<String>(argument).ok().flatten().into_iter().flatten().map(String::as_str)
    }

    /// An answer without its secrets, unless they are to be revealed.
    pub(crate) fn shown(&self, info: &OperationInfo, answer: SecretJson) -> SecretJson {
        match info.response {
            // Members that are not known yet stay where nothing else is secret.
            Some(shape) if Kind::Object(shape).is_sensitive() && !self.is_set("reveal") => {
                mask(&Kind::Object(shape), answer.expose_secret()).into()
            }
            _ => answer,
        }
    }

    /// Says of what was not found where it was looked for.
    pub(crate) fn placed(&self, failure: Failure) -> Failure {
        failure.placed(&self.place())
    }

    /// `cn-north-4 (project 4ff0…1948)`
    pub(crate) fn place(&self) -> String {
        self.place_at(&self.settings)
    }

    /// The same of other settings.
    pub(crate) fn place_at(&self, settings: &Settings) -> String {
        let value = |setting: &Option<Setting>| setting.as_ref().map(|setting| setting.value.clone());
        self.place_of(value(&settings.region).as_deref(), value(&settings.project).as_deref())
    }

    /// The same of another region and project.
    pub(crate) fn place_of(&self, region: Option<&str>, project: Option<&str>) -> String {
        let region = region.unwrap_or("this region");
        match (&self.settings.local, project) {
            (Some(_), _) => format!("{region} (local)"),
            (None, Some(project)) => format!("{region} (project {})", shortened(project)),
            (None, None) => region.to_owned(),
        }
    }

    /// Prints the items of a list, and says where there are none that a table could show.
    pub(crate) fn list(&self, columns: &[Column], items: &[Json], answer: &Json) -> Result<(), Failure> {
        if items.is_empty() && self.output.is_table() {
            self.reporter.note("there is nothing to list");
        }
        self.output.list(columns, items, answer)
    }

    /// Asks whether to go on, unless that was said already.
    pub(crate) fn confirm(&self, question: &str, consequence: &str) -> Result<(), Failure> {
        self.confirm_if(question, &self.place(), &format!("{consequence} [y/N]"), is_yes)
    }

    /// The same of something in another place, or in a file of this machine.
    pub(crate) fn confirm_in(&self, place: &str, question: &str, consequence: &str) -> Result<(), Failure> {
        self.confirm_if(question, place, &format!("{consequence} [y/N]"), is_yes)
    }

    /// Asks for `word` to be typed, where a `y` out of habit would do too much harm.
    pub(crate) fn confirm_by_typing(&self, question: &str, consequence: &str, word: &str) -> Result<(), Failure> {
        self.confirm_if(question, &self.place(), &format!("{consequence} Type \"{word}\" to go on:"), |answer| {
            answer == word
        })
    }

    fn confirm_if(
        &self,
        question: &str,
        place: &str,
        prompt: &str,
        is_yes: impl Fn(&str) -> bool,
    ) -> Result<(), Failure> {
        if self.is_set("yes") {
            return Ok(());
        }
        let refused = |cause: &str| {
            Failure::new(Exit::NotConfirmed, "not_confirmed", format!("{question}: not confirmed"))
                .cause(format!("{cause}; nothing was changed"))
                .hint("--yes does it without asking")
        };
        if !self.is_interactive() {
            return Err(refused("there is nobody to be asked"));
        }
        self.reporter.ask(&format!("{question} in {place}? {prompt}"));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        match read.is_ok() && is_yes(answer.trim()) {
            true => Ok(()),
            false => Err(refused("the answer was not yes")),
        }
    }

    /// Whether there is a person to be asked. Where stdout goes does not matter.
    pub(crate) fn is_interactive(&self) -> bool {
        let is_set =
            |name| env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false" && value != "0");
        !self.is_set("no-input")
            && !is_set("CSMS_NO_INPUT")
            && !is_set("CI")
            && io::stdin().is_terminal()
            && io::stderr().is_terminal()
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer, "y" | "Y" | "yes")
}

/// The ends of an id.
fn shortened(id: &str) -> String {
    match (id.get(..4), id.get(id.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) if id.len() > 12 => format!("{first}…{last}"),
        _ => id.to_owned(),
    }
}
