//! `csms secret rollback`: makes an earlier version the current one.

use std::process::ExitCode;

use clap::{Arg, Command};
use csms_sdk::{
    Operation as _,
    csms::{ShowSecret, ShowSecretStage, UpdateSecretStage},
    reference::VersionRef,
    store::SecretStore,
};
use serde_json::json;

use crate::{
    error::{Exit, Failure},
    needs::Needs,
    session::Session,
    subject::SECRET,
    verb::{Own, change_flags, exit_code_flag},
};

pub(super) const ROLLBACK: Own =
    Own { name: "rollback", about: "Makes the previous version, or another one, the current one", grammar, run, calls };

fn grammar(command: Command) -> Command {
    command
        .arg(SECRET.arg())
        .arg(Arg::new("version").value_name("VERSION").help("Version to go back to, e.g. v3 or ~2; default previous"))
        .args(change_flags())
        .arg(exit_code_flag().requires("dry-run"))
        .after_help("No value is read or written: a stage is moved. Asking twice without VERSION goes back and forth.")
}

/// The version to go back to.
fn target(session: &Session<'_>) -> Result<VersionRef, Failure> {
    Ok(session.text("version").map_or(Ok(VersionRef::Previous), str::parse)?)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let secret = needs.subject(session)?;
    needs.always(&secret, &[ShowSecretStage::INFO]);
    needs.version(&secret, &target(session)?);
    if !session.is_set("dry-run") {
        needs.only("another version is current", &secret, &[UpdateSecretStage::INFO]);
        needs.helps(super::WHY_REFUSED, &secret, &[ShowSecret::INFO]);
    }
    Ok(needs)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = super::name(session)?;
    let to = target(session)?;
    let connection = session.connect()?;
    let store = SecretStore::new(&connection.client);
    let told = |error| super::told_of_version(session, &name, &to, error);
    let dry_run = session.is_set("dry-run");
    let (from, current) = match dry_run {
        true => connection
            .block_on(async {
                let current = store.version_id(&name, &VersionRef::Current).await?;
                Ok((current, store.version_id(&name, &to).await?))
            })
            .map_err(told)?,
        false => {
            let done = connection.block_on(store.rollback(&name, Some(to.clone()))).map_err(told)?;
            (done.replaced, done.current)
        }
    };
    let text = match (from == current, dry_run) {
        (true, _) => format!("unchanged {name} ({current})"),
        (false, true) => format!("would make {current} the current version of {name} in place of {from}"),
        (false, false) => format!("{name}: {from} → {current}; undo with: csms secret rollback {name} {from}"),
    };
    let mut answer = json!({"secret_name": name, "version_id": current, "previous_version_id": from});
    if dry_run {
        answer["dry_run"] = true.into();
    }
    session.output.done(session.reporter, &text, &answer)?;
    match dry_run && session.is_set("exit-code") && from != current {
        true => Ok(Exit::Differences.into()),
        false => Ok(ExitCode::SUCCESS),
    }
}
