//! What verbs that compute with a key have in common.

use clap::{Arg, ArgAction};
use csms_sdk::{OperationInfo, SecretBytes, model::Kind};
use serde_json::Value as Json;

use crate::{connection::Connection, error::Failure, input, needs::Needs, output, session::Session, subject};

/// KMS takes no more bytes at once.
pub(super) const MOST: usize = 4096;

pub(super) fn key() -> Arg {
    Arg::new("key").value_name("KEY").required(true).help("The key: its id, name or alias")
}

pub(super) fn file(help: &'static str) -> Arg {
    Arg::new("file").value_name("FILE").required(true).help(help)
}

pub(super) fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

pub(super) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

pub(super) fn context() -> Arg {
    option("context", "TEXT", "Text that decrypting has to repeat, at most 128 bytes and nothing secret")
}

/// The flag for an algorithm, with those that the operation knows in its help.
pub(super) fn algorithm(name: &'static str, info: &OperationInfo, field: &str, help: &str) -> Arg {
    let known = match info.request.field(field).map(|field| &field.kind) {
        Some(Kind::Enum(known)) => known.join(", "),
        _ => String::new(),
    };
    Arg::new(name).long(name).value_name("NAME").help(format!("{help}: {known}"))
}

/// One call with the key of the verb.
pub(super) fn call(session: &Session<'_>, info: &'static OperationInfo) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let key = needs.key_of(session, "key");
    needs.always(&key, &[info]);
    Ok(needs)
}

/// The key that an argument names.
pub(super) fn key_id(session: &Session<'_>, connection: &Connection, argument: &str) -> Result<String, Failure> {
    let word = session.text(argument).unwrap_or_default();
    connection
        .block_on(subject::key_id(&connection.client, word))
        .map_err(|failure| session.placed(subject::key_told(failure, word)))
}

/// A refusal of the service, in the words of the user where it is his key that is missing.
pub(super) fn told(session: &Session<'_>, error: csms_sdk::Error) -> Failure {
    session.placed(match session.text("key") {
        Some(word) => subject::key_told(error.into(), word),
        None => error.into(),
    })
}

/// A message that is sent as it is.
pub(super) fn message(session: &Session<'_>, most: usize, instead: &str) -> Result<SecretBytes, Failure> {
    let name = session.text("file").unwrap_or_default();
    let bytes = input::read("FILE", name)?;
    match bytes.expose_secret().len() {
        0 => Err(Failure::usage("empty_value", format!("{name} is empty"))
            .cause("there is nothing to compute with; nothing was sent")
            .hint("check the path")),
        length if length > most => Err(too_long(name, most, instead)),
        _ => Ok(bytes),
    }
}

pub(super) fn too_long(name: &str, most: usize, instead: &str) -> Failure {
    Failure::usage("too_long", format!("{name} has more than {most} bytes"))
        .cause("KMS takes no more at once; nothing was sent")
        .hint(instead)
}

/// Prints a text in a line of its own, unless JSON or such was asked for.
pub(super) fn print(session: &Session<'_>, text: &str, answer: &Json) -> Result<(), Failure> {
    match session.output.is_bare() {
        true => output::line("", text.as_bytes()),
        false => session.output.json(answer),
    }
}
