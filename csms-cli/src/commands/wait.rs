//! `csms wait`: until something is in a state.

use std::process::ExitCode;

use clap::{Arg, Command};
use csms_sdk::{
    ErrorKind, Operation as _,
    csms::{ListSecretTask, SecretState, ShowSecret},
    kms::{KeyState, ListKeyDetail},
    wait::Wait,
};
use serde_json::{Value as Json, json};

use crate::{
    commands::key,
    connection::Connection,
    error::{Exit, Failure},
    needs::Needs,
    session::Session,
    settings,
    subject::{self, KEY, SECRET},
    verb::{Noun, Own, Verb},
};

/// `csms wait`.
pub(crate) static NOUN: Noun = Noun {
    name: "wait",
    about: "Waits until a secret, a key, a replica or a rotation is in a state",
    verbs: &[
        Verb::Own(Own {
            name: "secret",
            about: "Waits until a secret is in a state",
            grammar: secret,
            run: run_secret,
            calls: calls_of_secret,
        }),
        Verb::Own(Own {
            name: "key",
            about: "Waits until a key is in a state",
            grammar: of_key,
            run: run_key,
            calls: calls_of_key,
        }),
        Verb::Own(Own {
            name: "replica",
            about: "Waits until the replica of a secret is in sync",
            grammar: replica,
            run: run_replica,
            calls: calls_of_secret,
        }),
        Verb::Own(Own {
            name: "task",
            about: "Waits until a rotation has succeeded",
            grammar: task,
            run: run_task,
            calls: calls_of_task,
        }),
        Verb::Own(Own {
            name: "deleted",
            about: "Waits until a secret is deleted; for a key: csms wait key KEY --for deleted",
            grammar: deleted,
            run: run_deleted,
            calls: calls_of_secret,
        }),
    ],
};

const DELETED: &str = "deleted";
const SECRET_STATES: [&str; 5] = ["enabled", "disabled", "pending-delete", "frozen", DELETED];
const KEY_STATES: [&str; 5] = ["enabled", "disabled", "pending-deletion", "pending-import", DELETED];

fn state(states: &'static [&'static str]) -> Arg {
    let state =
        Arg::new("for").long("for").value_name("STATE").value_parser(clap::builder::PossibleValuesParser::new(states));
    state.default_value("enabled").help("State to wait for")
}

/// What all of them say about time.
fn timed(command: Command) -> Command {
    command.after_help("--timeout TIME says how long to wait; default 5m. Exit code 11: that was too short.")
}

fn secret(command: Command) -> Command {
    timed(command.arg(SECRET.arg()).arg(state(&SECRET_STATES)))
}

fn of_key(command: Command) -> Command {
    timed(command.arg(KEY.arg()).arg(state(&KEY_STATES)))
}

fn replica(command: Command) -> Command {
    let region = Arg::new("in").value_name("REGION").required(true).help("Region of the replica");
    timed(command.arg(SECRET.arg()).arg(region))
}

fn task(command: Command) -> Command {
    timed(command.arg(Arg::new("task").value_name("ID").required(true).help("Id of the task, as `rotate` answers it")))
}

fn deleted(command: Command) -> Command {
    timed(command.arg(SECRET.arg()))
}

fn run_secret(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let state = match session.text("for").unwrap_or_default() {
        DELETED => return run_deleted(session),
        "disabled" => SecretState::Disabled,
        "pending-delete" => SecretState::PendingDelete,
        "frozen" => SecretState::Frozen,
        _ => SecretState::Enabled,
    };
    let name = name(session)?;
    let (wait, connection) = begin(session)?;
    let found = connection.block_on(wait.secret(&connection.client, &name, state));
    let found = found.map_err(|error| told(session, error))?;
    let state = found.state.as_ref().map_or("", SecretState::as_str);
    done(session, &format!("{name} is {state}"), &json!({"secret_name": name, "state": state}))
}

fn run_deleted(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = name(session)?;
    let (wait, connection) = begin(session)?;
    connection.block_on(wait.secret_deleted(&connection.client, &name)).map_err(|error| told(session, error))?;
    done(session, &format!("{name} is deleted"), &json!({"secret_name": name, "state": "DELETED"}))
}

fn run_key(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let word = session.text(KEY.field).unwrap_or_default();
    let (wait, connection) = begin(session)?;
    let id = connection.block_on(subject::key_id(&connection.client, word));
    let id = id.map_err(|failure| session.placed(subject::key_told(failure, word)))?;
    let asked = session.text("for").unwrap_or_default();
    // Deleted is none.
    let state = key::code_of_state(asked).map(KeyState::from);
    connection
        .block_on(async {
            match &state {
                Some(state) => wait.key(&connection.client, &id, state.clone()).await.map(drop),
                None => wait.key_deleted(&connection.client, &id).await,
            }
        })
        .map_err(|error| match error.kind() {
            ErrorKind::Timeout => {
                let last = error.last_state().map(|code| key::state(code).unwrap_or(code));
                too_late(format!("waited in vain for key \"{word}\" to be {asked}"), last)
            }
            _ => session.placed(subject::key_told(error.into(), word)),
        })?;
    let wire = state.as_ref().map_or("DELETED", KeyState::as_str);
    done(session, &format!("{word} is {asked}"), &json!({"key_id": id, "key_state": wire}))
}

fn run_replica(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let (name, region) = (name(session)?, session.text("in").unwrap_or_default());
    let (wait, connection) = begin(session)?;
    let found = connection.block_on(wait.secret_replica(&connection.client, &name, region));
    let found = found.map_err(|error| told(session, error))?;
    let answer = json!({"secret_name": name, "region": region, "id": found.id, "status": "IN_SYNC"});
    done(session, &format!("{name} is in sync in {region}"), &answer)
}

fn run_task(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let id = session.text("task").unwrap_or_default();
    let (wait, connection) = begin(session)?;
    let found = connection.block_on(wait.rotation(&connection.client, id)).map_err(|error| match error.kind() {
        ErrorKind::Timeout => too_late(error.message(), error.last_state()),
        _ => error.into(),
    })?;
    let name = found.secret_name.unwrap_or_default();
    done(session, &format!("the rotation of {name} has succeeded"), &json!({"task_id": id, "secret_name": name}))
}

fn calls_of_secret(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let secret = needs.subject(session)?;
    needs.always(&secret, &[ShowSecret::INFO]);
    Ok(needs)
}

fn calls_of_key(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let key = needs.key_of(session, KEY.field);
    needs.always(&key, &[ListKeyDetail::INFO]);
    Ok(needs)
}

fn calls_of_task(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    needs.always(&None, &[ListSecretTask::INFO]);
    Ok(needs)
}

fn name(session: &Session<'_>) -> Result<String, Failure> {
    subject::secret_name(session.text(SECRET.field).unwrap_or_default())
}

fn begin(session: &Session<'_>) -> Result<(Wait, Connection), Failure> {
    let wait = match session.text("timeout") {
        Some(time) => Wait::new().deadline(settings::duration("--timeout", time)?),
        None => Wait::new(),
    };
    Ok((wait, session.connect()?))
}

/// Of a wait for a secret.
fn told(session: &Session<'_>, error: csms_sdk::Error) -> Failure {
    match error.kind() {
        ErrorKind::Timeout => too_late(error.message(), error.last_state()),
        _ => session.placed(SECRET.told(error.into(), session.matches)),
    }
}

fn too_late(what: impl Into<String>, last: Option<&str>) -> Failure {
    Failure::new(Exit::WaitedTooLong, "waited_too_long", what)
        .cause(format!("its state is {}; the time that was given is over", last.unwrap_or("not known")))
        .hint("wait again, or longer with --timeout 10m")
}

fn done(session: &Session<'_>, text: &str, answer: &Json) -> Result<ExitCode, Failure> {
    session.output.done(session.reporter, text, answer)?;
    Ok(ExitCode::SUCCESS)
}
