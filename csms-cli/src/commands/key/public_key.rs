//! `csms key public-key`: the public half of an asymmetric key.

use std::process::ExitCode;

use clap::Command;
use csms_sdk::{Operation as _, kms::ShowPublicKey};
use serde_json::json;

use super::parts;
use crate::{error::Failure, needs::Needs, session::Session, verb::Own};

pub(super) const PUBLIC_KEY: Own =
    Own { name: "public-key", about: "Prints the public key of an asymmetric key as PEM", grammar, run, calls };

fn grammar(command: Command) -> Command {
    command.arg(parts::key())
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    parts::call(session, ShowPublicKey::INFO)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let connection = session.connect()?;
    let request = ShowPublicKey::new(parts::key_id(session, &connection, "key")?);
    let answer = connection.block_on(request.send(&connection.client)).map_err(|error| parts::told(session, error))?;
    // The service ends lines as Windows does.
    let pem = answer.public_key.as_deref().unwrap_or_default().replace("\r\n", "\n");
    parts::print(session, pem.trim_end(), &json!({"key_id": answer.key_id, "public_key": pem}))?;
    Ok(ExitCode::SUCCESS)
}
