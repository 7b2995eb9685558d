//! Where a value comes from: the command line, a file, a variable, stdin.

use std::{env, fs, io};

use csms_sdk::{SecretBytes, SecretString};
use serde_json::{Map, Value as Json};

use crate::error::{Exit, Failure, Reporter};

/// What the command line says about sources, and what has been read from them.
pub(crate) struct Sources<'a> {
    reporter: &'a Reporter,
    allow_argv_secrets: bool,
    allow_empty: bool,
    verbatim: bool,
    /// Who has read stdin: it can be read once.
    stdin_reader: Option<String>,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(reporter: &'a Reporter, allow_argv_secrets: bool, allow_empty: bool, verbatim: bool) -> Self {
        Self { reporter, allow_argv_secrets, allow_empty, verbatim, stdin_reader: None }
    }

    /// A whole request: one JSON object.
    pub(crate) fn request(&mut self, source: &str) -> Result<Map<String, Json>, Failure> {
        let name = if source == "-" { "stdin" } else { source };
        let bytes = match source {
            "-" => self.stdin("--input")?,
            path => file("--input", path)?,
        };
        let text = utf8("--input", name, &bytes)?;
        match serde_json::from_str(text) {
            Ok(Json::Object(members)) => Ok(members),
            Ok(_) => Err(Failure::usage("invalid_input_file", format!("--input: {name} is JSON, but no object"))
                .cause("the request is one object with all parameters by their wire names; nothing was sent")
                .hint("--skeleton prints one to fill in")),
            Err(error) => Err(not_json("--input", name, &error).hint("--skeleton prints a request to fill in")),
        }
    }

    /// The text of a secret parameter: never the argument itself, unless the user insists.
    pub(crate) fn secret(&mut self, flag: &str, argument: &str) -> Result<SecretString, Failure> {
        let text = match self.named(flag, argument)? {
            Some(text) => text,
            None if self.allow_argv_secrets => {
                self.reporter.warn(&format!("{flag} holds a secret that other programs on this machine can see"));
                argument.into()
            }
            None => {
                return Err(Failure::usage(
                    "secret_on_command_line",
                    format!("{flag} is secret and cannot be written here"),
                )
                .cause(
                    "the command line is visible to other programs and kept in the shell's history; nothing was sent",
                )
                .hint(format!(
                    "{flag} file://PATH, fileb://PATH for bytes, env://NAME, or - for stdin; or --input FILE"
                )));
            }
        };
        if text.is_empty() && !self.allow_empty {
            return Err(Failure::usage("empty_value", format!("{flag} is empty"))
                .cause("an empty secret is rarely meant; nothing was sent")
                .hint("--allow-empty sends it"));
        }
        Ok(text)
    }

    /// JSON from the argument or from where it points.
    pub(crate) fn json(&mut self, flag: &str, argument: &str, is_secret: bool) -> Result<Json, Failure> {
        let text = match is_secret {
            true => self.secret(flag, argument)?,
            false => self.named(flag, argument)?.unwrap_or_else(|| argument.into()),
        };
        serde_json::from_str(text.expose_secret()).map_err(|error| {
            not_json(flag, "the value", &error).hint("quote JSON for the shell, or write it to a file: file://PATH")
        })
    }

    /// The text that `file://`, `fileb://`, `env://` or `-` names; `None` for a literal.
    fn named(&mut self, flag: &str, argument: &str) -> Result<Option<SecretString>, Failure> {
        if let Some(path) = argument.strip_prefix("file://") {
            let bytes = file(flag, path)?;
            return utf8(flag, path, &bytes).map(|text| Some(text.into()));
        }
        if let Some(path) = argument.strip_prefix("fileb://") {
            return Ok(Some(SecretString::from_bytes_as_base64(file(flag, path)?)));
        }
        if let Some(name) = argument.strip_prefix("env://") {
            return variable(flag, name).map(Some);
        }
        if argument != "-" {
            return Ok(None);
        }
        let bytes = self.stdin(flag)?;
        let text = utf8(flag, "stdin", &bytes)?;
        if self.verbatim {
            return Ok(Some(text.into()));
        }
        let kept = without_lonely_newline(text);
        if kept.len() < text.len() {
            self.reporter.note(&format!("{flag}: the newline at the end of stdin is left out; --verbatim keeps it"));
        }
        Ok(Some(kept.into()))
    }

    fn stdin(&mut self, reader: &str) -> Result<SecretBytes, Failure> {
        if let Some(other) = &self.stdin_reader {
            return Err(Failure::usage("stdin_twice", format!("{other} and {reader} both read stdin"))
                .cause("stdin can be read once; nothing was sent")
                .hint("give one of them from a file: file://PATH"));
        }
        self.stdin_reader = Some(reader.to_owned());
        // This buffer wipes what it leaves behind when it grows.
        let mut bytes = SecretBytes::default();
        io::copy(&mut io::stdin().lock(), &mut bytes).map_err(|error| unreadable(reader, "stdin", &error))?;
        Ok(bytes)
    }
}

/// One line that ends in a newline is what `echo` makes of a value; several lines are a file.
fn without_lonely_newline(text: &str) -> &str {
    match text.strip_suffix('\n') {
        Some(line) if !line.contains('\n') => line.strip_suffix('\r').unwrap_or(line),
        _ => text,
    }
}

fn file(flag: &str, path: &str) -> Result<SecretBytes, Failure> {
    fs::read(path).map(SecretBytes::from).map_err(|error| unreadable(flag, path, &error))
}

fn variable(flag: &str, name: &str) -> Result<SecretString, Failure> {
    let problem = match env::var(name) {
        Ok(value) => return Ok(value.into()),
        Err(env::VarError::NotPresent) => "is not set",
        Err(env::VarError::NotUnicode(_)) => "is not UTF-8",
    };
    Err(Failure::usage("variable", format!("{flag}: the variable {name} {problem}"))
        .cause("nothing was sent")
        .hint(format!("export {name}, or give the value as file://PATH")))
}

fn utf8<'a>(flag: &str, name: &str, bytes: &'a SecretBytes) -> Result<&'a str, Failure> {
    str::from_utf8(bytes.expose_secret()).map_err(|error| {
        Failure::usage("not_utf8", format!("{flag}: {name} is not UTF-8"))
            .cause(format!("byte {} begins no character; nothing was sent", error.valid_up_to()))
            .hint("fileb://PATH sends bytes as Base64, where the parameter takes that")
    })
}

fn unreadable(flag: &str, name: &str, error: &io::Error) -> Failure {
    // A wrong path is a wrong argument; a broken disk is not.
    let exit = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied => Exit::Usage,
        _ => Exit::Unexpected,
    };
    Failure::new(exit, "unreadable", format!("{flag}: {name} cannot be read"))
        .cause(format!("{error}; nothing was sent"))
        .hint("check the path")
}

/// Says where the fault is, not what stands there.
fn not_json(flag: &str, name: &str, error: &serde_json::Error) -> Failure {
    let problem = if error.is_eof() { "it ends too early" } else { "it is not written as JSON" };
    Failure::usage("not_json", format!("{flag}: {name} is not JSON")).cause(format!(
        "line {}, column {}: {problem}; nothing was sent",
        error.line(),
        error.column()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_line_loses_its_newline() {
        for (text, kept) in
            [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("a\nb\n", "a\nb\n"), ("\n", ""), ("a\n\n", "a\n\n")]
        {
            assert_eq!(without_lonely_newline(text), kept);
        }
    }
}
