//! Work on several things, of which some may fail: what became of each, and the exit code of it all.

use std::process::ExitCode;

use serde_json::{Map, Value as Json, json};

use crate::{
    error::{Exit, Failure, Reporter},
    session::Session,
};

/// What became of each thing.
pub(crate) struct Report {
    heading: &'static str,
    /// What JSON calls the thing.
    member: &'static str,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    status: String,
    message: String,
    failure: Option<Failure>,
}

impl Report {
    pub(crate) fn new(heading: &'static str, member: &'static str) -> Self {
        Self { heading, member, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: &str, status: impl Into<String>, message: impl Into<String>) {
        let (status, message) = (status.into(), message.into());
        self.rows.push(Row { name: name.to_owned(), status, message, failure: None });
    }

    pub(crate) fn add_failed(&mut self, name: &str, failure: Failure) {
        self.add_failed_as(name, "failed", failure.summary(), failure);
    }

    /// Like [`add_failed`](Self::add_failed), in other words.
    pub(crate) fn add_failed_as(&mut self, name: &str, status: &str, message: String, failure: Failure) {
        self.rows.push(Row { name: name.to_owned(), status: status.to_owned(), message, failure: Some(failure) });
    }

    /// Prints it, and ends the program as [`end`](Self::end) says.
    pub(crate) fn told(self, session: &Session<'_>, what: &str, hint: &str) -> Result<ExitCode, Failure> {
        self.print(session)?;
        self.end(what, hint)
    }

    /// Prints it as data.
    pub(crate) fn print(&self, session: &Session<'_>) -> Result<(), Failure> {
        let cells = |row: &Row| vec![row.name.clone(), row.status.clone(), row.message.clone()];
        let rows: Vec<_> = self.rows.iter().map(cells).collect();
        // Why something failed is never cut.
        session.output.rows(&[self.heading, "STATUS", "MESSAGE"], &rows, usize::MAX, &self.to_json())
    }

    pub(crate) fn to_json(&self) -> Json {
        let row = |row: &Row| {
            let name = (self.member.to_owned(), row.name.as_str().into());
            let others = [
                ("status".to_owned(), row.status.as_str().into()),
                ("message".to_owned(), row.message.as_str().into()),
            ];
            Json::Object([name].into_iter().chain(others).collect::<Map<_, _>>())
        };
        json!({"results": self.rows.iter().map(row).collect::<Vec<_>>()})
    }

    /// Whether something failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.rows.iter().any(|row| row.failure.is_some())
    }

    /// The end of the program: where all failed it is the first failure, where some did that is said.
    pub(crate) fn end(self, what: &str, hint: &str) -> Result<ExitCode, Failure> {
        let all = self.rows.len();
        let mut failures: Vec<_> = self.rows.into_iter().filter_map(|row| row.failure).collect();
        match failures.len() {
            0 => Ok(ExitCode::SUCCESS),
            failed if failed == all => Err(failures.swap_remove(0)),
            failed => Err(Failure::new(Exit::Partial, "partial", format!("{failed} of {all} {what}"))
                .cause("the others were; stdout tells which, and why")
                .hint(hint)),
        }
    }
}

/// How far each of several things has come: a line for each on a terminal, else a line for each step.
pub(crate) struct Progress<'a> {
    reporter: &'a Reporter,
    lines: Vec<(String, String)>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(reporter: &'a Reporter) -> Self {
        Self { reporter, lines: Vec::new() }
    }

    /// Says how far one has come.
    pub(crate) fn tell(&mut self, name: &str, step: &str) {
        if !self.reporter.can_redraw() {
            return self.reporter.note(&format!("{name}: {step}"));
        }
        let drawn = self.lines.len();
        match self.lines.iter_mut().find(|(known, _)| known == name) {
            Some((_, last)) => step.clone_into(last),
            None => self.lines.push((name.to_owned(), step.to_owned())),
        }
        let lines: Vec<_> = self.lines.iter().map(|(name, step)| format!("{name}: {step}")).collect();
        self.reporter.redraw(drawn, &lines);
    }
}
