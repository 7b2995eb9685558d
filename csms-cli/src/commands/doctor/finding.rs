//! What the checks have found, and how it is told.

use std::process::ExitCode;

use serde_json::json;

use crate::{
    error::{Exit, Failure},
    session::Session,
    text,
};

/// Columns of the status, and of the name of a check.
const STATUS: usize = 9;
const CHECK: usize = 15;
/// From this width on both stand in front of what was found.
const ROOMY: usize = 72;

/// How a check has come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    Warning,
    Failed(Exit),
    /// What it needs has failed.
    Skipped,
}

/// One check, what it has found, and what to do.
pub(super) struct Finding {
    check: String,
    status: Status,
    found: String,
    hint: Option<String>,
}

impl Finding {
    fn of(check: impl Into<String>, status: Status, found: impl Into<String>) -> Self {
        Self { check: check.into(), status, found: found.into(), hint: None }
    }

    pub(super) fn ok(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self::of(check, Status::Ok, found)
    }

    pub(super) fn warning(check: impl Into<String>, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::of(check, Status::Warning, found) }
    }

    pub(super) fn failed(check: impl Into<String>, failure: &Failure) -> Self {
        let hint = failure.advice().map(str::to_owned);
        Self { hint, ..Self::of(check, Status::Failed(failure.exit()), failure.summary()) }
    }

    pub(super) fn skipped(check: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::of(check, Status::Skipped, reason)
    }

    pub(super) fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// A failure of what is not needed is a warning.
    pub(super) fn needed(mut self, is_needed: bool) -> Self {
        if matches!(self.status, Status::Failed(_)) && !is_needed {
            self.status = Status::Warning;
        }
        self
    }
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warn",
            Self::Failed(_) => "fail",
            Self::Skipped => "skipped",
        }
    }
}

/// All of them, in their order.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Prints them. The code is that of the first that has failed.
    pub(super) fn print(&self, session: &Session<'_>) -> Result<ExitCode, Failure> {
        let rows: Vec<_> = self.0.iter().map(Finding::row).collect();
        let json = self.0.iter().map(|Finding { check, status, found, hint }| {
            json!({"check": check, "status": status.as_str(), "found": found, "hint": hint})
        });
        session.output.prose(|width| self.text(width), &rows, &json.collect())?;
        let first = self.0.iter().find_map(|finding| match finding.status {
            Status::Failed(exit) => Some(exit),
            _ => None,
        });
        Ok(first.map_or(ExitCode::SUCCESS, ExitCode::from))
    }

    fn text(&self, width: usize) -> String {
        self.0.iter().map(|finding| finding.text(width)).collect()
    }
}

impl Finding {
    fn row(&self) -> Vec<String> {
        let hint = self.hint.clone().unwrap_or_default();
        vec![self.check.clone(), self.status.as_str().to_owned(), self.found.clone(), hint]
    }

    /// The status, the check, what was found and what to do: side by side where there is room, else below each other.
    fn text(&self, width: usize) -> String {
        let label = format!("{:<STATUS$}{:<CHECK$}", self.status.as_str(), self.check);
        let (indent, begin) = match width >= ROOMY {
            true => (STATUS + CHECK, label),
            false => (STATUS, format!("{}\n{}", label.trim_end(), " ".repeat(STATUS))),
        };
        let found = text::wrap(&text::one_line(&self.found), indent, width);
        let mut out = format!("{begin}{}", found.get(indent..).unwrap_or("\n"));
        if let Some(hint) = &self.hint {
            out.push_str(&text::wrap(&format!("→ {}", text::one_line(hint)), indent, width));
        }
        out
    }
}
