//! `csms key encrypt`, `decrypt` and `reencrypt`: up to 4096 bytes, inside the service.
//!
//! KMS encrypts texts. Bytes that are none go as [`MARK`] and their Base64, and so do texts that begin like that; so
//! decrypting gives every value back as it was, and a text from elsewhere as it is.

use std::process::ExitCode;

use clap::Command;
use csms_sdk::{
    Operation as _, SecretBytes, SecretJson, SecretString,
    kms::{DecryptData, EncryptData, ReEncrypt},
};
use serde_json::json;

use super::parts;
use crate::{
    error::{Exit, Failure},
    file, input,
    needs::Needs,
    session::Session,
    verb::Own,
};

pub(super) const ENCRYPT: Own = Own {
    name: "encrypt",
    about: "Encrypts up to 4096 bytes",
    grammar: encrypt_grammar,
    run: encrypt,
    calls: |session| parts::call(session, EncryptData::INFO),
};
pub(super) const DECRYPT: Own = Own {
    name: "decrypt",
    about: "Decrypts what `encrypt` made",
    grammar: decrypt_grammar,
    run: decrypt,
    calls: |session| parts::call(session, DecryptData::INFO),
};
pub(super) const REENCRYPT: Own = Own {
    name: "reencrypt",
    about: "Puts a ciphertext under another key, inside the service",
    grammar: reencrypt_grammar,
    run: reencrypt,
    calls: calls_of_reencrypt,
};

/// Stands before the Base64 of bytes that are no text.
const MARK: &str = "csms-base64:";

fn encrypt_grammar(command: Command) -> Command {
    let algorithm = parts::algorithm("algorithm", EncryptData::INFO, "encryption_algorithm", "For an asymmetric key");
    input::data_flags(command.arg(parts::key())).args([parts::context(), algorithm]).after_help(
        "The ciphertext is printed as Base64. Bytes that are no text are encrypted as `csms-base64:` and their Base64, at \
         most 3063 of them; `decrypt` gives the bytes back. `csms encrypt` takes files of any size.",
    )
}

fn decrypt_grammar(command: Command) -> Command {
    let algorithm = parts::algorithm("algorithm", DecryptData::INFO, "encryption_algorithm", "For an asymmetric key");
    command
        .args([
            parts::file("The ciphertext in Base64; `-` is standard input"),
            parts::option("key", "KEY", "The key, where it is asymmetric: others are named in the ciphertext"),
            parts::context(),
            algorithm,
            parts::flag("as-is", "Print the text as it was encrypted, also where it begins with `csms-base64:`"),
        ])
        .args(file::flags())
}

fn reencrypt_grammar(command: Command) -> Command {
    command.args([
        parts::file("The ciphertext, as it was answered; `-` is standard input"),
        parts::option("to", "KEY", "The new key").required(true),
        parts::option("key", "KEY", "The old key, where it is asymmetric"),
        parts::context(),
        parts::option("to-context", "TEXT", "The context of the new ciphertext"),
        parts::algorithm("algorithm", ReEncrypt::INFO, "source_encryption_algorithm", "For an asymmetric old key"),
        parts::algorithm("to-algorithm", ReEncrypt::INFO, "source_encryption_algorithm", "For an asymmetric new key"),
    ])
}

fn encrypt(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let text = as_text(&input::data(session, "the plaintext")?);
    if text.expose_secret().len() > parts::MOST {
        return Err(parts::too_long("the plaintext", parts::MOST, "csms encrypt takes files of any size"));
    }
    let connection = session.connect()?;
    let mut request = EncryptData::new(parts::key_id(session, &connection, "key")?, text);
    request.additional_authenticated_data = session.text("context").map(str::to_owned);
    request.encryption_algorithm = session.text("algorithm").map(Into::into);
    let answer = connection.block_on(request.send(&connection.client)).map_err(|error| parts::told(session, error))?;
    let sealed = answer.cipher_text.as_deref().unwrap_or_default();
    parts::print(session, sealed, &json!({"key_id": answer.key_id, "cipher_text": sealed}))?;
    Ok(ExitCode::SUCCESS)
}

fn decrypt(session: &Session<'_>) -> Result<ExitCode, Failure> {
    file::check_value_target(session)?;
    let mut request = DecryptData::new(ciphertext(session)?);
    let connection = session.connect()?;
    if session.text("key").is_some() {
        request.key_id = Some(parts::key_id(session, &connection, "key")?);
    }
    request.additional_authenticated_data = session.text("context").map(str::to_owned);
    request.encryption_algorithm = session.text("algorithm").map(Into::into);
    let answer = connection.block_on(request.send(&connection.client)).map_err(|error| refused(session, error))?;
    // The text is not to be relied on where what was encrypted is none.
    let plain = answer.plain_text_base64.as_ref().and_then(SecretString::decode_base64);
    let plain =
        plain.or_else(|| Some(SecretBytes::from(answer.plain_text.as_ref()?.expose_secret().as_bytes().to_vec())));
    let plain = plain.unwrap_or_default();
    let plain = if session.is_set("as-is") { plain } else { original(plain) };
    if session.output.is_bare() || session.matches.contains_id("to-file") {
        file::deliver(session, plain.expose_secret())?;
    } else {
        let json = match str::from_utf8(plain.expose_secret()) {
            Ok(text) => json!({"key_id": answer.key_id, "plain_text": text}),
            Err(_) => {
                let base64 = SecretString::from_bytes_as_base64(plain.expose_secret());
                json!({"key_id": answer.key_id, "plain_text_base64": base64.expose_secret()})
            }
        };
        session.output.json(SecretJson::from(json).expose_secret())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn reencrypt(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let sealed = ciphertext(session)?;
    let connection = session.connect()?;
    let mut request = ReEncrypt::new(sealed, parts::key_id(session, &connection, "to")?);
    if session.text("key").is_some() {
        request.source_key_id = Some(parts::key_id(session, &connection, "key")?);
    }
    request.source_additional_authenticated_data = session.text("context").map(str::to_owned);
    request.destination_additional_authenticated_data = session.text("to-context").map(str::to_owned);
    request.source_encryption_algorithm = session.text("algorithm").map(Into::into);
    request.destination_encryption_algorithm = session.text("to-algorithm").map(Into::into);
    let answer = connection.block_on(request.send(&connection.client)).map_err(|error| refused(session, error))?;
    let sealed = answer.cipher_text.as_deref().unwrap_or_default();
    let json = json!({"key_id": answer.key_id, "source_key_id": answer.source_key_id, "cipher_text": sealed});
    parts::print(session, sealed, &json)?;
    Ok(ExitCode::SUCCESS)
}

fn calls_of_reencrypt(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let new = needs.key_of(session, "to");
    let old = needs.key_of(session, "key");
    needs.always(&new, &[ReEncrypt::INFO]);
    needs.always(&old, &[ReEncrypt::INFO]);
    Ok(needs)
}

fn ciphertext(session: &Session<'_>) -> Result<String, Failure> {
    let name = session.text("file").unwrap_or_default();
    let bytes = input::read("FILE", name)?;
    match str::from_utf8(bytes.expose_secret()).map(str::trim_ascii) {
        Ok(text) if !text.is_empty() && text.is_ascii() => Ok(text.to_owned()),
        _ => Err(Failure::usage("not_base64", format!("{name} is no ciphertext of KMS"))
            .cause("that is Base64 or hexadecimal; nothing was sent")
            .hint("csms decrypt opens what csms encrypt made")),
    }
}

/// A refusal. The service has one code for every ciphertext that does not fit.
fn refused(session: &Session<'_>, error: csms_sdk::Error) -> Failure {
    match error.code() {
        Some("KMS.2201") => Failure::new(Exit::Integrity, "integrity", "the ciphertext does not decrypt")
            .cause("KMS.2201: it was altered, or it has another key, context or algorithm")
            .hint("give --context, --key and --algorithm as it was encrypted"),
        _ => parts::told(session, error),
    }
}

/// The text that stands for bytes.
fn as_text(bytes: &SecretBytes) -> SecretString {
    match str::from_utf8(bytes.expose_secret()) {
        Ok(text) if !text.starts_with(MARK) => text.into(),
        _ => {
            let base64 = SecretString::from_bytes_as_base64(bytes.expose_secret());
            // Room for both at once: growing would leave a copy behind.
            let mut text = String::with_capacity(MARK.len() + base64.expose_secret().len());
            text.push_str(MARK);
            text.push_str(base64.expose_secret());
            text.into()
        }
    }
}

/// The bytes that a text stands for.
fn original(text: SecretBytes) -> SecretBytes {
    let base64 = text.expose_secret().strip_prefix(MARK.as_bytes()).and_then(|base64| str::from_utf8(base64).ok());
    base64.and_then(|base64| SecretString::from(base64).decode_base64()).unwrap_or(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_as_it_was() {
        let marked = format!("{MARK}AAAA");
        for bytes in [&b"text\n"[..], b"", &[0, 159, 255], marked.as_bytes(), b"csms-base64:", "ü".as_bytes()] {
            let bytes = SecretBytes::from(bytes.to_vec());
            let text = as_text(&bytes);
            assert_eq!(original(SecretBytes::from(text.expose_secret().as_bytes().to_vec())), bytes);
        }
        // A text from elsewhere is what it is.
        for text in ["csms-base64:no base64", "Csms-base64:AAAA", "AAAA"] {
            assert_eq!(original(SecretBytes::from(text.as_bytes().to_vec())).expose_secret(), text.as_bytes());
        }
    }
}
