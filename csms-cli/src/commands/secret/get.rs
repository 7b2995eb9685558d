//! `csms get`: the value of a secret, byte for byte.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    SecretJson, SecretString, Timestamp,
    reference::Reference,
    store::{SecretStore, SecretValue},
};
use serde_json::{Value as Json, json};

use crate::{
    ci,
    error::Failure,
    file,
    needs::Needs,
    resolve::{self, Target},
    session::Session,
    verb::Own,
};

/// `csms get`, which is `csms secret get` as well.
pub(crate) const GET: Own = Own { name: "get", about: "Prints the value of a secret", grammar, run, calls };

fn grammar(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    command
        .args(file::flags())
        .arg(Arg::new("reference").value_name("REFERENCE").required(true).num_args(1..).help(
            "NAME, NAME@VERSION, NAME#FIELD or NAME@VERSION#FIELD. VERSION: current (default), previous, latest, v7, a \
             stage, or ~1 for one version back",
        ))
        .args([flag("ci-mask", "First say on stderr what has the CI system hide the value in its logs")])
        .after_help(
            "The exact bytes are printed; on a terminal a newline follows where the value has none. -o json prints \
             version and stages as well.",
        )
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let references: Vec<Reference> = session.words("reference").map(str::parse).collect::<Result<_, _>>()?;
    file::check_value_target(session)?;
    let is_bare = session.output.is_bare() || session.matches.contains_id("to-file");
    if references.len() > 1 && is_bare {
        return Err(Failure::usage("several_values", "several values cannot be told apart when they are printed bare")
            .cause("nothing was sent")
            .hint("use -o json, or csms export"));
    }
    let connection = session.connect()?;
    let values = match references.as_slice() {
        [reference] => {
            let client = connection.client_at(session, reference)?;
            let value = connection.block_on(SecretStore::new(&client).get(reference.here()));
            vec![value.map_err(|error| super::told_of_reference(session, reference, error))?]
        }
        several => connection.block_on(resolve::secrets(session, &connection, several))?,
    };
    if session.is_set("ci-mask") {
        ci::mask(values.iter().map(|value| (value.name(), value.expose_secret())), true, session.reporter)?;
    }
    match values.as_slice() {
        [value] if is_bare => file::deliver(session, value.expose_secret())?,
        [value] => session.output.json(as_json(value).expose_secret())?,
        values => {
            let all: Vec<_> = values.iter().map(as_json).collect();
            let list = all.iter().map(|json| json.expose_secret().clone()).collect::<Json>();
            session.output.json(SecretJson::from(list).expose_secret())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let targets = session.words("reference").map(|word| Ok(Target::Secret(word.parse()?)));
    match targets.collect::<Result<Vec<_>, Failure>>()?.as_slice() {
        [Target::Secret(reference)] => needs.read(reference),
        several => several.iter().for_each(|target| needs.target(target)),
    }
    Ok(needs)
}

/// With the names that the service has for its members.
fn as_json(value: &SecretValue) -> SecretJson {
    let (member, content) = match value.text() {
        Some(text) => ("secret_string", text.expose_secret().to_owned()),
        None => {
            let base64 = SecretString::from_bytes_as_base64(value.expose_secret());
            ("secret_binary", base64.expose_secret().to_owned())
        }
    };
    json!({
        "secret_name": value.name(),
        "id": value.version(),
        "version_stages": value.stages(),
        "create_time": value.created().map(Timestamp::as_millis),
        "expire_time": value.expires().map(Timestamp::as_millis),
        member: content,
    })
    .into()
}
