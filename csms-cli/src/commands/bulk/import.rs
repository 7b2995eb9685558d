//! `csms import`: stores what a file holds.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::bulk::{Mode, Scope};

use super::{Work, change_many_flags, document, mode, needs_of_writing};
use crate::{error::Failure, needs::Needs, session::Session, text::shell_word, verb::Own};

/// `csms import`.
pub(crate) const IMPORT: Own =
    Own { name: "import", about: "Stores the values of a file as secrets", grammar, run, calls };

const AFTER_HELP: &str = "\
Each top-level member becomes a secret: text as its text, numbers and booleans as they are written, everything else as \
JSON. What cannot be stored is refused by name before anything is sent. A secret that has its value already is not \
written again.

What is to be done is shown first; deletions and more than 20 changes are asked for. A run keeps a journal in \
$XDG_STATE_HOME/csms: where it breaks off or fails in part, it says how to go on. --mode mirror deletes the secrets that \
begin with --name-prefix, or with --all every secret, that the file lacks, in 30 days. --apply with --dry-run tells whether \
plan and input go together, and does not look at what the service has by now.

  csms import .env --name-prefix shop- --dry-run
  csms import secrets.yaml --plan plan.jsonl; csms import secrets.yaml --apply plan.jsonl

Exit codes: 0 done; 10 with --exit-code: there are changes; 12 a part of it failed.";

fn grammar(command: Command) -> Command {
    let command = document::flags(command.arg(document::file_arg("file")));
    change_many_flags(command)
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .conflicts_with("name-prefix")
                .help("With --mode mirror: delete every other secret, whatever its name"),
        )
        .after_help(AFTER_HELP)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let file = session.text("file").unwrap_or_default();
    let wanted = document::wanted(session, file)?;
    let mode = what(session)?;
    let connection = session.connect()?;
    let client = connection.client.clone();
    Work { client, wanted, mode, words: format!("csms import {}", shell_word(file)) }.carry_out(session, connection)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let wanted = document::wanted(session, session.text("file").unwrap_or_default())?;
    let mut needs = Needs::of(session);
    let names = Scope::Names(wanted.names().map(str::to_owned).collect());
    needs_of_writing(session, &mut needs, None, &names, what(session)?)?;
    Ok(needs)
}

/// What is done with secrets that exist, and with which others.
fn what(session: &Session<'_>) -> Result<Mode, Failure> {
    let scope = match (session.text("name-prefix"), session.is_set("all")) {
        (Some(prefix), _) if !prefix.is_empty() => Ok(Scope::Prefix(prefix.to_owned())),
        (_, true) => Ok(Scope::All),
        _ => Err(Failure::usage("missing_argument", "--mode mirror needs to know what is mirrored")
            .cause("it deletes secrets that the file lacks; nothing was sent")
            .hint("--name-prefix PREFIX for those that begin like this, or --all")),
    };
    mode(session, scope)
}
