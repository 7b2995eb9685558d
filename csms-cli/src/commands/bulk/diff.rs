//! `csms diff`: what differs between two places or files.

use std::process::ExitCode;

use clap::{Arg, Command};
use csms_sdk::{
    ErrorKind,
    bulk::{Bulk, Comparison, Scope, Wanted},
    store::Difference,
};
use serde_json::{Map, Value as Json, json};

use super::{concurrency_flag, document, fields, place::Place, scope, scope_flags, told_unread, with_concurrency};
use crate::{
    connection::Connection,
    error::{Exit, Failure},
    needs::Needs,
    output,
    session::Session,
    verb::Own,
};

/// `csms diff`.
pub(crate) const DIFF: Own =
    Own { name: "diff", about: "Names the secrets that differ between two places or files", grammar, run, calls };

const AFTER_HELP: &str = "\
Each of A and B is a file as `csms import` takes it, or a place: region=R, project=ID or profile=NAME, or several with \
commas between them. Between a file and a place, the secrets of the file are compared unless others are chosen. Values \
are not shown; `csms secret diff` compares versions of one secret.

  csms diff region=cn-north-4 region=cn-east-3 --prefix shop-
  csms diff .env profile=prod

Exit codes: 0 the same; 3 neither has a secret that was named; 10 they differ.";

fn grammar(command: Command) -> Command {
    let side = |name: &'static str, help: &'static str| Arg::new(name).required(true).value_name(name).help(help);
    let command = command.args([side("A", "A place or a file"), side("B", "What it is compared with")]);
    scope_flags(document::flags(command)).arg(concurrency_flag()).after_help(AFTER_HELP)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let (old, new, scope) = sides(session)?;
    let connection = match (&old, &new) {
        (Side::Values(_), Side::Values(_)) => None,
        _ => Some(session.connect()?),
    };
    let read = |side| read(session, connection.as_ref(), &scope, side);
    let (old, new) = (read(old)?, read(new)?);
    check_found(session, &scope, [&old, &new])?;
    let differences = old.compare(&new);
    print(session, &differences)?;
    match differences.len() {
        0 => {
            session.reporter.note("there is no difference");
            Ok(ExitCode::SUCCESS)
        }
        _ => Ok(Exit::Differences.into()),
    }
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let (old, new, scope) = sides(session)?;
    let mut needs = Needs::of(session);
    for side in [old, new] {
        if let Side::Place(place) = side {
            needs.scope(place.region(), &scope);
        }
    }
    Ok(needs)
}

/// What is compared with what, and which secrets of it.
fn sides(session: &Session<'_>) -> Result<(Side, Side, Scope), Failure> {
    let chosen = scope(session)?;
    let side = |name: &str| Side::of(session, name, chosen.as_ref());
    let (old, new) = (side("A")?, side("B")?);
    let scope = match (chosen, &old, &new) {
        (Some(scope), ..) => scope,
        (None, Side::Values(values), Side::Place(_)) | (None, Side::Place(_), Side::Values(values)) => {
            Scope::Names(values.names().map(str::to_owned).collect())
        }
        (None, Side::Values(_), Side::Values(_)) => Scope::All,
        (None, Side::Place(_), Side::Place(_)) => {
            return Err(Failure::usage("missing_argument", "there is nothing to be compared")
                .cause("nothing was sent")
                .hint("name secrets, or give --prefix or --all"));
        }
    };
    Ok((old, new, scope))
}

/// What is compared.
enum Side {
    Place(Place),
    Values(Wanted),
}

impl Side {
    fn of(session: &Session<'_>, argument: &str, scope: Option<&Scope>) -> Result<Self, Failure> {
        let word = session.text(argument).unwrap_or_default();
        if Place::is_meant(word) {
            return Place::of(argument, word).map(Self::Place);
        }
        let mut values = document::wanted(session, word)?;
        if let Some(scope) = scope {
            values.retain(scope);
        }
        Ok(Self::Values(values))
    }
}

fn read(session: &Session<'_>, connection: Option<&Connection>, scope: &Scope, side: Side) -> Result<Wanted, Failure> {
    let (place, connection) = match (side, connection) {
        (Side::Place(place), Some(connection)) => (place, connection),
        (Side::Values(values), _) => return Ok(values),
        (Side::Place(_), None) => return Ok(Wanted::new()),
    };
    let client = place.client(session, connection)?;
    let bulk = with_concurrency(session, Bulk::new(&client));
    let (values, mut failed) = connection.block_on(bulk.read(scope))?;
    // That it is missing is a difference.
    failed.retain(|(_, error)| error.kind() != ErrorKind::NotFound);
    told_unread(session, connection, &client, &failed)?;
    Ok(values)
}

/// Refuses names that nothing has: whoever compares them has mistyped them.
fn check_found(session: &Session<'_>, scope: &Scope, sides: [&Wanted; 2]) -> Result<(), Failure> {
    let Scope::Names(names) = scope else { return Ok(()) };
    let word = |name| session.text(name).unwrap_or_default();
    let missing = names.iter().filter(|name| !sides.iter().any(|side| side.contains(name)));
    let mut told = missing.map(|name| format!("secret \"{name}\" is in neither {} nor {}", word("A"), word("B")));
    match told.next() {
        None => Ok(()),
        Some(first) => Err(Failure::new(Exit::NotFound, "not_found", first)
            .cause("there is nothing to be compared under this name")
            .hint("check the name; --all compares all that there are")
            .also(told.collect())),
    }
}

fn print(session: &Session<'_>, differences: &[(String, Comparison)]) -> Result<(), Failure> {
    let (mut rows, mut json) = (Vec::new(), Vec::new());
    for (name, comparison) in differences {
        let (word, changed) = match comparison {
            Comparison::Added => ("added", &[][..]),
            Comparison::Removed => ("removed", &[][..]),
            // Blanks, or the order of fields.
            Comparison::Changed(Difference::Fields(fields)) if fields.is_empty() => ("reformatted", &[][..]),
            Comparison::Changed(Difference::Fields(fields)) => ("changed", fields.as_slice()),
            Comparison::Changed(_) => ("changed", &[][..]),
        };
        rows.push(vec![name.clone(), word.to_owned(), fields(changed)]);
        let changed = changed.iter().map(|field| (field.name.clone(), super::word(field.change).into()));
        json.push(json!({"secret_name": name, "change": word, "fields": changed.collect::<Map<String, Json>>()}));
    }
    session.output.rows(&["SECRET", "CHANGE", "FIELDS"], &rows, output::width(), &json!({"differences": json}))
}
