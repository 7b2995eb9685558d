//! `csms key datakey`: keys to encrypt with elsewhere.

use std::{path::PathBuf, process::ExitCode};

use clap::Command;
use csms_sdk::{
    Operation as _, SecretJson,
    kms::{CreateDatakey, CreateDatakeyWithoutPlaintext},
};
use serde_json::json;

use super::parts;
use crate::{
    error::{Exit, Failure},
    file,
    mask::HIDDEN,
    needs::Needs,
    output::Column,
    session::Session,
    verb::Own,
};

pub(super) const DATAKEY: Own =
    Own { name: "datakey", about: "Makes a data key, in plain and under a key", grammar, run, calls };

const COLUMNS: &[Column] =
    &[Column::of("PLAIN", "plain_text"), Column::of("SEALED", "cipher_text"), Column::of("KEY", "key_id")];

fn grammar(command: Command) -> Command {
    let bits = parts::option("bits", "NUMBER", "Its length, 8 to 8192; default 256")
        .value_parser(clap::value_parser!(i32).range(8..=8192));
    let spec = parts::algorithm("spec", CreateDatakey::INFO, "key_spec", "Its kind, instead of --bits");
    let without = parts::flag("without-plaintext", "Have it sealed only, for others to decrypt");
    command
        .args([parts::key(), bits.conflicts_with("spec"), spec, parts::context()])
        .args(file::flags())
        .args([
            without.conflicts_with_all(["reveal", "to-file"]),
            parts::flag("reveal", "Show the plain key in hexadecimal"),
        ])
        .after_help("Keep what is sealed: the service keeps neither. --to-file writes the bytes of the plain key.")
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let without = session.is_set("without-plaintext");
    parts::call(session, if without { CreateDatakeyWithoutPlaintext::INFO } else { CreateDatakey::INFO })
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    file::check_target(session)?;
    let connection = session.connect()?;
    let key = parts::key_id(session, &connection, "key")?;
    let bits = session.matches.get_one::<i32>("bits").copied();
    let (spec, context) = (session.text("spec").map(Into::into), session.text("context").map(str::to_owned));
    let refused = |error| parts::told(session, error);
    if session.is_set("without-plaintext") {
        let mut request = CreateDatakeyWithoutPlaintext::new(key);
        request.datakey_length = bits;
        request.key_spec = spec;
        request.additional_authenticated_data = context;
        let answer = connection.block_on(request.send(&connection.client)).map_err(refused)?;
        let json = json!({"key_id": answer.key_id, "cipher_text": answer.cipher_text});
        session.output.facts(&json, &COLUMNS[1..], &json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut request = CreateDatakey::new(key);
    request.datakey_length = bits;
    request.key_spec = spec;
    request.additional_authenticated_data = context;
    let answer = connection.block_on(request.send(&connection.client)).map_err(refused)?.into_body();
    let plain = answer.plain_text.unwrap_or_default();
    if let Some(path) = session.matches.get_one::<PathBuf>("to-file") {
        let bytes = plain.decode_hex().ok_or_else(|| {
            Failure::new(Exit::Service, "unexpected_answer", "the answer holds no data key in hexadecimal")
                .cause("nothing was written")
                .hint("run it again")
        })?;
        file::write_private(path, bytes.expose_secret(), session.is_set("overwrite"))?;
    }
    let shown = if session.is_set("reveal") { plain.expose_secret() } else { HIDDEN };
    let json = json!({"key_id": answer.key_id, "plain_text": shown, "cipher_text": answer.cipher_text});
    let json = SecretJson::from(json);
    session.output.facts(json.expose_secret(), COLUMNS, json.expose_secret())?;
    Ok(ExitCode::SUCCESS)
}
