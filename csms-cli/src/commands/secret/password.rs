//! `csms secret password`: a password that nobody can guess.

use std::process::ExitCode;

use clap::{Arg, Command};
use csms_sdk::{Operation as _, SecretJson, csms::GenerateRandomPassword, password::Password};
use serde_json::json;

use crate::{error::Failure, needs::Needs, output::Format, session::Session, verb::Own};

pub(super) const PASSWORD: Own =
    Own { name: "password", about: "Makes a password up and prints it", grammar, run, calls };

fn grammar(command: Command) -> Command {
    command
        .arg(Arg::new("policy").value_name("POLICY").default_value("").hide_default_value(true).help(
            "Words with commas between them: a length, no-lowercase, no-uppercase, no-numbers, no-punctuation, \
             no-ambiguous, space, each; default 32 letters, digits and punctuation",
        ))
        .after_help(
            "The service makes it; with --local it is made here, and nothing is sent. It is not stored: \
             `csms secret put NAME --generate` does both without showing it.",
        )
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    needs.always(&None, &[GenerateRandomPassword::INFO]);
    Ok(needs)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let rules: Password = session.text("policy").unwrap_or_default().parse()?;
    let password = match session.settings.local {
        Some(_) => rules.generate()?,
        None => {
            let connection = session.connect()?;
            connection.block_on(rules.by_service(&connection.client))?
        }
    };
    match session.output.format {
        Format::Auto | Format::Raw if !session.output.has_query() => {
            session.output.exact(password.expose_secret().as_bytes(), false)?;
        }
        _ => session.output.json(SecretJson::from(json!({"password": password.expose_secret()})).expose_secret())?,
    }
    Ok(ExitCode::SUCCESS)
}
