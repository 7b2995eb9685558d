//! `csms key sign` and `verify`: signatures of files of any size.

use std::{io::Read, process::ExitCode};

use clap::{ArgGroup, Command};
use csms_sdk::{
    Operation as _, SecretString,
    kms::{MessageType, Sign, SigningAlgorithm, ValidateSignature},
};
use serde_json::json;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::parts;
use crate::{
    error::{Exit, Failure},
    file, input,
    session::Session,
    verb::Own,
};

pub(super) const SIGN: Own = Own {
    name: "sign",
    about: "Signs a file with an asymmetric key",
    grammar: sign_grammar,
    run: sign,
    calls: |session| parts::call(session, Sign::INFO),
};
pub(super) const VERIFY: Own = Own {
    name: "verify",
    about: "Verifies a signature of a file",
    grammar: verify_grammar,
    run: verify,
    calls: |session| parts::call(session, ValidateSignature::INFO),
};

/// Below 4096 bytes, unlike elsewhere.
const MOST: usize = parts::MOST - 1;
const AFTER_HELP: &str = "The file is hashed on this machine with the hash that the algorithm names, and its digest is sent. \
ED25519_SHA_512 signs the message itself: it needs --raw. SM2DSA_SM3 signs SM3 over Z(A) and the message, which has to \
be computed elsewhere: it needs --digest.";

fn common(command: Command) -> Command {
    command
        .args([
            parts::key(),
            parts::file("What is signed; `-` is standard input"),
            parts::algorithm("algorithm", Sign::INFO, "signing_algorithm", "One that the key has").required(true),
            parts::flag("raw", "Send the file itself, less than 4096 bytes, for the service to hash"),
            parts::flag("digest", "The file is the digest, as bytes"),
        ])
        .group(ArgGroup::new("form").args(["raw", "digest"]))
}

fn sign_grammar(command: Command) -> Command {
    common(command)
        .args(file::flags())
        .after_help(format!("{AFTER_HELP} The signature is printed as Base64; --to-file writes its bytes."))
}

fn verify_grammar(command: Command) -> Command {
    let signature = parts::option("signature", "PATH", "File with the signature, as bytes or as Base64");
    common(command)
        .arg(signature.required(true))
        .after_help(format!("{AFTER_HELP} Prints `valid`, or ends with the exit code 13."))
}

fn sign(session: &Session<'_>) -> Result<ExitCode, Failure> {
    file::check_value_target(session)?;
    let (message, form) = message(session)?;
    let connection = session.connect()?;
    let key = parts::key_id(session, &connection, "key")?;
    let request = Sign::new(key, message, algorithm(session)).message_type(form);
    let answer = connection.block_on(request.send(&connection.client)).map_err(|error| parts::told(session, error))?;
    let signature = answer.signature.as_deref().unwrap_or_default();
    if session.matches.contains_id("to-file") {
        let bytes = SecretString::from(signature).decode_base64().unwrap_or_default();
        file::deliver(session, bytes.expose_secret())?;
    } else {
        parts::print(session, signature, &json!({"key_id": answer.key_id, "signature": signature}))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let (message, form) = message(session)?;
    let path = session.text("signature").unwrap_or_default();
    let bytes = input::read("--signature", path)?;
    let signature = match str::from_utf8(bytes.expose_secret()).map(str::trim_ascii) {
        Ok(text) if SecretString::from(text).decode_base64().is_some() => text.to_owned(),
        _ => SecretString::from_bytes_as_base64(bytes.expose_secret()).expose_secret().to_owned(),
    };
    let connection = session.connect()?;
    let key = parts::key_id(session, &connection, "key")?;
    let request = ValidateSignature::new(key, message, signature, algorithm(session)).message_type(form);
    let answer = connection.block_on(request.send(&connection.client)).map_err(|error| parts::told(session, error))?;
    match answer.signature_valid {
        Some(true) => {
            parts::print(session, "valid", &json!({"key_id": answer.key_id, "signature_valid": true}))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(Failure::new(Exit::Integrity, "integrity", "the signature is not valid")
            .cause("the file, the signature, the key or the algorithm is another")
            .hint(format!("check what {path} belongs to"))),
    }
}

fn algorithm(session: &Session<'_>) -> SigningAlgorithm {
    session.text("algorithm").unwrap_or_default().into()
}

/// What is sent: the digest of the file, or the file.
fn message(session: &Session<'_>) -> Result<(SecretString, MessageType), Failure> {
    if session.is_set("raw") || session.is_set("digest") {
        let bytes = parts::message(session, MOST, "leave out --raw to have it hashed here")?;
        let form = if session.is_set("raw") { MessageType::Raw } else { MessageType::Digest };
        return Ok((SecretString::from_bytes_as_base64(bytes.expose_secret()), form));
    }
    let name = session.text("algorithm").unwrap_or_default();
    let hash: fn(&mut dyn Read) -> std::io::Result<Vec<u8>> = match name {
        "ED25519_SHA_512" => {
            return Err(unhashed(name, "signs messages and no digests", "--raw, or ED25519_PH_SHA_512"));
        }
        name if name.ends_with("SHA_256") => digest::<Sha256>,
        name if name.ends_with("SHA_384") => digest::<Sha384>,
        name if name.ends_with("SHA_512") => digest::<Sha512>,
        "SM2DSA_SM3" => {
            return Err(unhashed(
                name,
                "hashes with the public key as well",
                "--digest, with SM3 over Z(A) and the message",
            ));
        }
        name => return Err(unhashed(name, "names no hash that is known here", "csms key sign --help")),
    };
    let path = session.text("file").unwrap_or_default();
    let digest = hash(&mut input::open("FILE", path)?).map_err(|error| input::unreadable("FILE", path, &error))?;
    Ok((SecretString::from_bytes_as_base64(digest), MessageType::Digest))
}

fn unhashed(algorithm: &str, why: &str, hint: &str) -> Failure {
    Failure::usage("algorithm", format!("{algorithm}: the file cannot be hashed here"))
        .cause(format!("the algorithm {why}; nothing was sent"))
        .hint(hint)
}

fn digest<D: Digest>(source: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut hash = D::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(hash.finalize().to_vec()),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
