//! `csms secret diff`: what differs between two versions.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    SecretJson, SecretString,
    reference::{Reference, VersionRef},
    store::{Change, Difference, SecretStore, SecretValue},
};
use serde_json::{Value as Json, json};

use crate::{
    error::{Exit, Failure},
    needs::Needs,
    output,
    session::Session,
    subject::SECRET,
    verb::Own,
};

pub(super) const DIFF: Own =
    Own { name: "diff", about: "Names the fields that differ between two versions of a secret", grammar, run, calls };

fn grammar(command: Command) -> Command {
    let version = |name: &'static str, help: &'static str| Arg::new(name).value_name("VERSION").help(help);
    command
        .args([
            SECRET.arg(),
            version("from", "Version to compare, e.g. v3 or ~2; default previous"),
            version("to", "Version to compare it with; default current"),
        ])
        .arg(Arg::new("reveal").long("reveal").help("Show the values as well").action(ArgAction::SetTrue))
        .after_help("Exit code 0: the same; 10: they differ.")
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = super::name(session)?;
    let versions = versions(session)?;
    let connection = session.connect()?;
    let store = SecretStore::new(&connection.client);
    let read = |version: &VersionRef| -> Result<SecretValue, Failure> {
        let reference = Reference::new(&name)?.with_version(version.clone());
        let value = connection.block_on(store.get(reference));
        value.map_err(|error| super::told_of_version(session, &name, version, error))
    };
    let (old, new) = (read(&versions[0])?, read(&versions[1])?);
    let difference = old.difference(&new);
    if difference == Difference::None {
        session.reporter.note(&format!("{name}: {} and {} have the same value", old.version(), new.version()));
    } else {
        session.reporter.note(&format!("{name}: {} → {}", old.version(), new.version()));
    }
    print(session, &old, &new, &difference)?;
    Ok(match difference {
        Difference::None => ExitCode::SUCCESS,
        _ => Exit::Differences.into(),
    })
}

/// The versions that are compared.
fn versions(session: &Session<'_>) -> Result<[VersionRef; 2], Failure> {
    let version = |argument, default: VersionRef| session.text(argument).map_or(Ok(default), str::parse);
    Ok([version("from", VersionRef::Previous)?, version("to", VersionRef::Current)?])
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    for version in versions(session)? {
        needs.read(&Reference::new(super::name(session)?)?.with_version(version));
    }
    Ok(needs)
}

fn print(session: &Session<'_>, old: &SecretValue, new: &SecretValue, difference: &Difference) -> Result<(), Failure> {
    let is_revealed = session.is_set("reveal");
    let (mut rows, mut changes): (Vec<_>, Vec<Json>) = (Vec::new(), Vec::new());
    for (change, field) in listed(difference) {
        let mut row: Vec<SecretString> = vec![change.into(), field.unwrap_or("(value)").into()];
        let mut json = json!({"change": change, "field": field});
        if is_revealed {
            for (member, value) in [("before", old), ("after", new)] {
                let shown = content(value, field);
                json[member] = shown.as_ref().map(SecretString::expose_secret).into();
                row.push(shown.unwrap_or_default());
            }
        }
        rows.push(row);
        changes.push(json);
    }
    let answer = SecretJson::from(json!({
        "secret_name": new.name(),
        "from_version_id": old.version(),
        "to_version_id": new.version(),
        "changes": changes,
    }));
    let headings = ["CHANGE", "FIELD", "BEFORE", "AFTER"];
    let headings = if is_revealed { &headings[..] } else { &headings[..2] };
    session.output.rows(headings, &rows, output::width(), answer.expose_secret())
}

/// How each part differs, and its name; without one it is the value as a whole.
fn listed(difference: &Difference) -> Vec<(&'static str, Option<&str>)> {
    match difference {
        Difference::None => Vec::new(),
        Difference::Whole => vec![("changed", None)],
        // Blanks, or the order of fields.
        Difference::Fields(changes) if changes.is_empty() => vec![("reformatted", None)],
        Difference::Fields(changes) => {
            changes.iter().map(|field| (word(field.change), Some(field.name.as_str()))).collect()
        }
    }
}

/// How a field differs.
pub(crate) fn word(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Removed => "removed",
        _ => "changed",
    }
}

/// `changed user, removed old`
pub(super) fn in_words(difference: &Difference) -> String {
    let parts =
        listed(difference).into_iter().map(|(change, field)| format!("{change} {}", field.unwrap_or("the value")));
    parts.collect::<Vec<_>>().join(", ")
}

/// A field of a value, or all of it; bytes as Base64.
fn content(value: &SecretValue, field: Option<&str>) -> Option<SecretString> {
    match field {
        // As a pointer: dots in a name are part of it.
        Some(field) => value.field(&format!("/{}", field.replace('~', "~0").replace('/', "~1"))).ok(),
        None => Some(match value.text() {
            Some(text) => text.clone(),
            None => SecretString::from_bytes_as_base64(value.expose_secret()),
        }),
    }
}
