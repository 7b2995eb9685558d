//! `csms secret backup` and `restore-backup`: a secret with all its versions as an encrypted file.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    Operation as _, SecretJson, SecretString,
    csms::{DownloadSecretBlob, UploadSecretBlob},
};
use serde_json::json;

use crate::{
    commands::api::dry_run,
    error::{Exit, Failure},
    file, input,
    needs::Needs,
    session::Session,
    subject::SECRET,
    verb::{Own, change_flags},
};

pub(super) const BACKUP: Own = Own {
    name: "backup",
    about: "Writes a secret with its versions to an encrypted file",
    grammar: to,
    run: backup,
    calls: calls_of_backup,
};
pub(super) const RESTORE_BACKUP: Own = Own {
    name: "restore-backup",
    about: "Creates a secret from a file that `backup` has written",
    grammar: from,
    run: restore,
    calls: calls_of_restore,
};

fn path(name: &'static str, help: &'static str) -> Arg {
    let path = Arg::new(name).long(name).value_name("PATH").value_parser(clap::value_parser!(PathBuf));
    path.required(true).help(help)
}

fn to(command: Command) -> Command {
    command.args([
        SECRET.arg(),
        path(
            "to-file",
            "File to write, which only you can read; `-` is standard output. What is in it only the service can use",
        ),
        Arg::new("overwrite").long("overwrite").help("Replace the file if it exists").action(ArgAction::SetTrue),
    ])
}

fn from(command: Command) -> Command {
    let command = command
        .arg(path("from-file", "File that `csms secret backup` has written; `-` is standard input"))
        .args(change_flags());
    command.after_help("No secret of its name may exist, and the key that protects it has to be usable.")
}

fn backup(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = super::name(session)?;
    let path = file_of(session, "to-file")?;
    file::check_target(session)?;
    let connection = session.connect()?;
    let answer = connection.block_on(DownloadSecretBlob::new(&name).send(&connection.client));
    let answer = answer.map_err(|error| super::told(session, &name, error))?;
    let blob = answer.into_body().secret_blob.unwrap_or_default();
    if blob.is_empty() {
        return Err(Failure::new(Exit::Unexpected, "unexpected_answer", format!("there is no backup of {name}"))
            .cause("the answer holds none; no file was written")
            .hint("run it again with -vv"));
    }
    file::deliver(session, blob.expose_secret().as_bytes())?;
    if path == Path::new("-") {
        return Ok(ExitCode::SUCCESS);
    }
    let shown = path.display();
    let text = format!("wrote {name} to {shown}; restore it with: csms secret restore-backup --from-file {shown}");
    session.output.done(session.reporter, &text, &json!({"secret_name": name, "path": shown.to_string()}))?;
    Ok(ExitCode::SUCCESS)
}

fn restore(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let path = file_of(session, "from-file")?;
    let blob = read(path)?;
    if session.is_set("dry-run") {
        let request = SecretJson::from(json!({"secret_blob": blob.expose_secret()}));
        session.output.json(&dry_run::request(UploadSecretBlob::INFO, &request, &session.settings, true)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let connection = session.connect()?;
    let answer = connection.block_on(UploadSecretBlob::new(blob).send(&connection.client))?;
    let name = answer.into_body().secret.and_then(|secret| secret.name).unwrap_or_default();
    session.output.done(session.reporter, &format!("restored {name}"), &json!({"secret_name": name}))?;
    Ok(ExitCode::SUCCESS)
}

fn calls_of_backup(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let secret = needs.subject(session)?;
    needs.always(&secret, &[DownloadSecretBlob::INFO]);
    Ok(needs)
}

fn calls_of_restore(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    if !session.is_set("dry-run") {
        // Only the service can read whose backup it is.
        needs.always(&None, &[UploadSecretBlob::INFO]);
    }
    Ok(needs)
}

fn file_of<'a>(session: &Session<'a>, argument: &str) -> Result<&'a PathBuf, Failure> {
    // clap requires it.
    session
        .matches
        .get_one(argument)
        .ok_or_else(|| Failure::usage("missing_argument", format!("--{argument} is missing")))
}

fn read(path: &Path) -> Result<SecretString, Failure> {
    const HINT: &str = "give a file that `csms secret backup` has written";
    let text = input::text("--from-file", path).map_err(|failure| failure.hint(HINT))?;
    match text.expose_secret().trim_end() {
        "" => Err(Failure::usage("unreadable", format!("--from-file: {} is no backup", input::shown(path)))
            .cause("it is empty; nothing was sent")
            .hint(HINT)),
        blob => Ok(blob.into()),
    }
}
