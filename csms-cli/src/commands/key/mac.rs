//! `csms key mac` and `verify-mac`: authentication codes of up to 4096 bytes.

use std::process::ExitCode;

use clap::Command;
use csms_sdk::{
    Operation as _, SecretString,
    kms::{GenerateMac, VerifyMac},
};
use serde_json::json;

use super::parts;
use crate::{
    error::{Exit, Failure},
    session::Session,
    verb::Own,
};

pub(super) const MAC: Own = Own {
    name: "mac",
    about: "Computes the authentication code of up to 4096 bytes",
    grammar: common,
    run: mac,
    calls: |session| parts::call(session, GenerateMac::INFO),
};
pub(super) const VERIFY_MAC: Own = Own {
    name: "verify-mac",
    about: "Verifies the authentication code of up to 4096 bytes",
    grammar: verify_grammar,
    run: verify,
    calls: |session| parts::call(session, VerifyMac::INFO),
};

fn common(command: Command) -> Command {
    command.args([
        parts::key(),
        parts::file("The message; `-` is standard input, taken byte for byte"),
        parts::algorithm("algorithm", GenerateMac::INFO, "mac_algorithm", "That of the key").required(true),
    ])
}

fn verify_grammar(command: Command) -> Command {
    common(command)
        .arg(parts::option("mac", "HEX", "The code, in hexadecimal").required(true))
        .after_help("Prints `valid`, or ends with the exit code 13.")
}

fn mac(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let (message, algorithm) = (message(session)?, session.text("algorithm").unwrap_or_default());
    let connection = session.connect()?;
    let request = GenerateMac::new(parts::key_id(session, &connection, "key")?, algorithm, message);
    let answer = connection.block_on(request.send(&connection.client)).map_err(|error| parts::told(session, error))?;
    let mac = answer.mac.as_deref().unwrap_or_default();
    parts::print(session, mac, &json!({"key_id": answer.key_id, "mac_algorithm": algorithm, "mac": mac}))?;
    Ok(ExitCode::SUCCESS)
}

fn verify(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let (message, algorithm) = (message(session)?, session.text("algorithm").unwrap_or_default());
    let mac = session.text("mac").unwrap_or_default();
    let connection = session.connect()?;
    let request = VerifyMac::new(parts::key_id(session, &connection, "key")?, algorithm, message, mac);
    let answer = connection.block_on(request.send(&connection.client)).map_err(|error| parts::told(session, error))?;
    match answer.mac_valid {
        Some(true) => {
            parts::print(session, "valid", &json!({"key_id": answer.key_id, "mac_valid": true}))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(Failure::new(Exit::Integrity, "integrity", "the authentication code is not valid")
            .cause("the message, the code or the key is another")
            .hint("check what the code belongs to")),
    }
}

fn message(session: &Session<'_>) -> Result<SecretString, Failure> {
    let bytes = parts::message(session, parts::MOST, "compute it of a digest of the file")?;
    Ok(SecretString::from_bytes_as_base64(bytes.expose_secret()))
}
