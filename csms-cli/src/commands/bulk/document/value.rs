//! A value as a file has it, and how it becomes a secret.

use csms_sdk::{SecretBytes, SecretString};
use serde::de::IgnoredAny;

/// A value as a file has it.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    Text(SecretString),
    /// A number or a boolean: as it is written, and as JSON where that can have it.
    Scalar(SecretString, Option<SecretString>),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// JSON as it stands.
    Json(SecretString),
}

impl Value {
    /// A number as it is written; `whole` is the same in decimal digits, where it is known.
    pub(super) fn number(written: SecretString, whole: Option<SecretString>) -> Self {
        let json = match is_json(&written) {
            true => Some(written.clone()),
            false => whole.or_else(|| as_json(written.expose_secret())),
        };
        Self::Scalar(written, json)
    }

    /// As it is stored; `None` where it has no value. An error names the number that cannot be kept as it is.
    pub(super) fn into_text(self) -> Result<Option<SecretString>, String> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) | Self::Scalar(text, _) | Self::Json(text) => Ok(Some(text)),
            Self::List(_) | Self::Map(_) => {
                let mut out = SecretBytes::default();
                self.write_json(&mut out)?;
                Ok(Some(String::from_utf8_lossy(out.expose_secret()).as_ref().into()))
            }
        }
    }

    fn write_json(&self, out: &mut SecretBytes) -> Result<(), String> {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Text(text) => write_text(text.expose_secret(), out),
            Self::Scalar(_, None) => return Err(String::new()),
            Self::Scalar(_, Some(json)) | Self::Json(json) => out.extend_from_slice(json.expose_secret().as_bytes()),
            Self::List(items) => {
                out.extend_from_slice(b"[");
                for (at, item) in items.iter().enumerate() {
                    out.extend_from_slice(if at == 0 { b"" } else { b"," });
                    item.write_json(out).map_err(|below| path(&at.to_string(), &below))?;
                }
                out.extend_from_slice(b"]");
            }
            Self::Map(members) => {
                out.extend_from_slice(b"{");
                for (at, (name, value)) in members.iter().enumerate() {
                    out.extend_from_slice(if at == 0 { b"" } else { b"," });
                    write_text(name, out);
                    out.extend_from_slice(b":");
                    value.write_json(out).map_err(|below| path(name, &below))?;
                }
                out.extend_from_slice(b"}");
            }
        }
        Ok(())
    }
}

fn write_text(text: &str, out: &mut SecretBytes) {
    // Writing texts into memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

fn path(name: &str, below: &str) -> String {
    if below.is_empty() { name.to_owned() } else { format!("{name}.{below}") }
}

fn is_json(text: &SecretString) -> bool {
    serde_json::from_str::<IgnoredAny>(text.expose_secret()).is_ok()
}

/// A number that is written as only YAML or TOML do, in the same digits: `+1_000`, `.5`, `5.`; `None` for infinity and such.
fn as_json(number: &str) -> Option<SecretString> {
    // Two zeros at most are added.
    let (mut json, mut last) = (String::with_capacity(number.len() + 2), ' ');
    for character in number.chars().chain([' ']).filter(|character| *character != '_') {
        if (character == '.' && !last.is_ascii_digit()) || (last == '.' && !character.is_ascii_digit()) {
            json.push('0');
        }
        if !matches!(character, '+' | ' ') || last == 'e' || last == 'E' {
            json.push(character);
        }
        last = character;
    }
    Some(SecretString::from(json)).filter(is_json)
}
