//! `csms key import-material`: material that was made elsewhere, or here.

use std::{path::PathBuf, process::ExitCode};

use clap::{Command, value_parser};
use csms_sdk::{
    ErrorKind, Operation as _, SecretBytes,
    keys::{Import, check_import, material_length},
    kms::{CreateParametersForImport, ImportKeyMaterial, KeyState, ListKeyDetail},
};
use serde_json::json;

use super::parts;
use crate::{
    connection::Connection,
    error::{Exit, Failure},
    file, input,
    needs::Needs,
    session::Session,
    settings,
    text::shell_word,
    verb::{Own, change_flags},
};

pub(super) const IMPORT_MATERIAL: Own = Own {
    name: "import-material",
    about: "Gives a key of the origin `external` material that was not made by KMS",
    grammar,
    run,
    calls,
};

fn grammar(command: Command) -> Command {
    let save = parts::option("save", "PATH", "Where to keep material that is made here; only you can read the file");
    let generate = parts::flag("generate", "Made here, of random bytes; for symmetric and HMAC keys");
    input::data_flags(command.arg(parts::key()))
        .args([
            generate.help_heading("Value, from one of").group("source").requires("save"),
            save.value_parser(value_parser!(PathBuf)).requires("generate"),
            parts::option("expires", "TIME", "When the material is deleted, e.g. 2027-01-31T00:00:00Z; default never"),
        ])
        .args(change_flags())
        .after_help(
            "Material of AES_256 and HMAC_256 keys is 32 bytes, of SM4 16, of HMAC_384 48, of HMAC_512 64, just as they are; that \
             of an asymmetric key is its private key in PKCS #8, DER or PEM. It is wrapped here and leaves this machine \
             encrypted only.\n\n\
             The service gives it back to nobody. Keep it: when it has expired or was deleted, the key and everything under \
             it is lost unless the same material is imported again.\n\n\
             A key that has its material takes other material for its next rotation: csms key rotate.",
        )
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let word = session.text("key").unwrap_or_default();
    let expires = session.text("expires").map(|text| settings::time("--expires", text)).transpose()?;
    let save = session.matches.get_one::<PathBuf>("save");
    if let Some(path) = save {
        // What is there may be the only copy of another key's material.
        file::check_free(path, false).map_err(|failure| failure.hint("name a path at which there is nothing yet"))?;
    }
    let given = match save {
        Some(_) => None,
        None => Some(input::data(session, &format!("the material of {word}"))?),
    };
    let connection = session.connect()?;
    let id = parts::key_id(session, &connection, "key")?;
    if session.is_set("dry-run") {
        session.output.done(session.reporter, &format!("would import material into {word}"), &json!({"key_id": id}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let material = match (given, save) {
        (Some(material), _) => material,
        (None, path) => {
            let material = generated(session, &connection, &id)?;
            // Kept before it is used: what only the service had would be lost.
            if let Some(path) = path {
                file::write_private(path, material.expose_secret(), false)?;
            }
            material
        }
    };
    let mut import = Import::new(&id, material);
    if let Some(time) = expires {
        import = import.expires(time);
    }
    connection.block_on(import.send(&connection.client)).map_err(|error| {
        if let Some(path) = save {
            session.reporter.note(&format!("the material is kept in {}", path.display()));
        }
        told(session, error)
    })?;
    session.output.done(session.reporter, &format!("{word} has its material"), &json!({"key_id": id}))?;
    Ok(ExitCode::SUCCESS)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let key = needs.key_of(session, "key");
    if !session.is_set("dry-run") {
        needs.always(&key, &[ListKeyDetail::INFO, CreateParametersForImport::INFO, ImportKeyMaterial::INFO]);
    }
    Ok(needs)
}

/// As many random bytes as the key takes.
fn generated(session: &Session<'_>, connection: &Connection, id: &str) -> Result<SecretBytes, Failure> {
    let details = connection.block_on(ListKeyDetail::new(id).send(&connection.client));
    let details = details.map_err(|error| parts::told(session, error))?.into_body().key_info.unwrap_or_default();
    check_import(&details).map_err(|error| told(session, error))?;
    let spec = details.key_spec.map(|spec| (material_length(&spec), spec.to_string()));
    let Some((Some(length), _)) = spec else {
        let spec = spec.map_or_else(|| "this kind".to_owned(), |(_, spec)| spec);
        return Err(Failure::usage("not_generated", format!("material for a key of {spec} is not made here"))
            .cause("its material is more than random bytes; nothing was written or imported")
            .hint("openssl genpkey makes a private key; give it with --from-file"));
    };
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Exit::Unexpected, "random", "the system has no random numbers")
            .cause(error.to_string())
            .hint("give material with --from-file")
    })?;
    Ok(bytes.into())
}

fn told(session: &Session<'_>, error: csms_sdk::Error) -> Failure {
    let word = session.text("key").unwrap_or_default();
    let problem = (error.field() == Some("material")).then(|| format!("the material of {word} {}", error.message()));
    let is_pending = error.last_state() == Some(KeyState::PendingDeletion.to_string().as_str());
    // What the service has not been asked yet it cannot have refused.
    let is_told_here = error.kind() == ErrorKind::Conflict && error.status().is_none();
    let failure = parts::told(session, error);
    match problem {
        Some(problem) => failure.renamed(problem).hint("csms key describe shows the spec; give the bytes as they are"),
        None if is_pending => failure.hint(format!("csms key undelete {}", shell_word(word))),
        None if is_told_here => failure.hint("csms key create NAME --origin external"),
        None => failure,
    }
}
