//! `csms key random`: random bytes of the service.

use std::process::ExitCode;

use clap::{Arg, Command};
use csms_sdk::{Operation as _, SecretJson, SecretString, kms::CreateRandom};
use serde_json::json;

use super::parts;
use crate::{
    error::{Exit, Failure},
    file,
    needs::Needs,
    output,
    session::Session,
    verb::Own,
};

pub(super) const RANDOM: Own =
    Own { name: "random", about: "Prints random bytes that the service makes", grammar, run, calls };

fn grammar(command: Command) -> Command {
    let bytes = Arg::new("bytes")
        .value_name("BYTES")
        .default_value("32")
        .value_parser(clap::value_parser!(i32).range(1..=1024))
        .help("How many, 1 to 1024");
    let encoding = parts::option("encoding", "FORM", "How to write them")
        .value_parser(["hex", "base64", "raw"])
        .default_value("hex");
    command.args([bytes, encoding]).args(file::flags())
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    needs.always(&None, &[CreateRandom::INFO]);
    Ok(needs)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    file::check_value_target(session)?;
    let count = session.matches.get_one::<i32>("bytes").copied().unwrap_or_default();
    let connection = session.connect()?;
    let answer = connection.block_on(CreateRandom::new(count * 8).send(&connection.client))?.into_body();
    let hex = answer.random_data.unwrap_or_default();
    let bytes = hex.decode_hex().filter(|bytes| bytes.expose_secret().len() == count as usize).ok_or_else(|| {
        Failure::new(Exit::Service, "unexpected_answer", format!("the answer does not hold {count} bytes"))
            .cause("nothing of it was printed")
            .hint("run it again")
    })?;
    let text = match session.text("encoding") {
        _ if !session.output.is_bare() && !session.matches.contains_id("to-file") => {
            let json = SecretJson::from(json!({"random_data": hex.expose_secret()}));
            session.output.json(json.expose_secret())?;
            return Ok(ExitCode::SUCCESS);
        }
        Some("raw") => {
            file::deliver(session, bytes.expose_secret())?;
            return Ok(ExitCode::SUCCESS);
        }
        Some("base64") => SecretString::from_bytes_as_base64(bytes.expose_secret()),
        _ => hex,
    };
    match session.matches.contains_id("to-file") {
        true => file::deliver(session, text.expose_secret().as_bytes())?,
        false => output::line("", text.expose_secret().as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}
