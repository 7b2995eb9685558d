//! Where a value comes from: the command line, a file, a variable, stdin, a prompt.

use std::{
    env, fs,
    io::{self, IsTerminal as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use clap::{Arg, ArgAction, ArgGroup, Command};
use csms_sdk::{SecretBytes, SecretString};
use serde_json::{Map, Value as Json};

use crate::{
    error::{Exit, Failure, Reporter},
    session::Session,
};

/// The value of a secret, as a verb is given it.
pub(crate) enum Value {
    /// Bytes as they are.
    Given(SecretBytes),
    /// To be made up, by this policy.
    Generated(String),
}

/// Adds the flags that say where the value of a secret comes from, never the value itself.
pub(crate) fn value_flags(command: Command) -> Command {
    data_flags(command).arg(
        source("generate", "POLICY", "Made up by the service and not shown; e.g. 40 or 24,no-punctuation")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("")
            .group("source"),
    )
}

/// How the grammar writes the `-` of [`data_flags`].
pub(crate) const DASH: &str = "[-]";

/// Adds the flags that say where something secret comes from.
pub(crate) fn data_flags(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    command
        .args([
            source("from-file", "PATH", "A file, byte for byte"),
            source("from-stdin", "", "Standard input; `-` behind the name says the same").action(ArgAction::SetTrue),
            source("from-env", "NAME", "An environment variable"),
        ])
        .arg(Arg::new("dash").value_name("-").value_parser(["-"]).hide_possible_values(true).help("Standard input"))
        .group(ArgGroup::new("source").args(["from-file", "from-stdin", "from-env", "dash"]))
        .args([
            flag("verbatim", "Keep the newline of a value that is one line of stdin"),
            flag("allow-empty", "Take an empty value"),
        ])
}

fn source(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help).help_heading("Value, from one of")
}

/// Reads the value of a secret from where the flags of [`value_flags`] say.
pub(crate) fn value(session: &Session<'_>, name: &str) -> Result<Value, Failure> {
    match session.text("generate") {
        Some(policy) => Ok(Value::Generated(policy.to_owned())),
        None => data(session, name).map(Value::Given),
    }
}

/// Reads from where the flags of [`data_flags`] say. Without any of them a person is asked twice, and otherwise stdin is
/// read.
pub(crate) fn data(session: &Session<'_>, name: &str) -> Result<SecretBytes, Failure> {
    let mut sources = Sources::new(session.reporter, false, session.is_set("allow-empty"), session.is_set("verbatim"));
    let from_stdin = session.is_set("from-stdin") || session.text("dash").is_some();
    let bytes = match (session.text("from-file"), session.text("from-env")) {
        (Some(path), _) => file("--from-file", path)?,
        (None, Some(variable)) => bytes_of(&self::variable("--from-env", variable)?),
        (None, None) if !from_stdin && session.is_interactive() => prompt(session, name)?,
        (None, None) if from_stdin || !io::stdin().is_terminal() => sources.stdin("the value")?,
        (None, None) => {
            return Err(Failure::usage("no_value", format!("there is no value for {name}"))
                .cause("nothing may be asked, and stdin is a terminal; nothing was sent")
                .hint("--from-file PATH, --from-env NAME or --from-stdin"));
        }
    };
    match bytes.expose_secret().is_empty() && !session.is_set("allow-empty") {
        true => Err(empty(&format!("the value of {name}"))),
        false => Ok(bytes),
    }
}

/// The text of a file, or of stdin where that is called `-`: every byte of it.
pub(crate) fn text(flag: &str, path: impl AsRef<Path>) -> Result<SecretString, Failure> {
    let path = path.as_ref();
    let bytes = read(flag, path)?;
    utf8(flag, &shown(path), &bytes).map(SecretString::from).map_err(|failure| failure.hint("save it as UTF-8"))
}

/// The two sides of `NAME=VALUE`, which the help calls `form`.
pub(crate) fn pair<'a>(flag: &str, form: &str, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty()).ok_or_else(|| {
        Failure::usage("invalid_value", format!("{flag} is not {form}"))
            .cause("there has to be something on both sides of `=`; nothing was sent")
            .hint(format!("write {flag} {form}"))
    })
}

/// Asks a person twice, without showing what is typed.
fn prompt(session: &Session<'_>, name: &str) -> Result<SecretBytes, Failure> {
    let first = typed(session.reporter, &format!("Value of {name} (not shown):"))?;
    match first == typed(session.reporter, "Once more:")? {
        true => Ok(bytes_of(&first)),
        false => Err(Failure::usage("not_the_same", format!("the two values of {name} are not the same"))
            .cause("nothing was sent")
            .hint("run it again, or give it with --from-file or --from-stdin")),
    }
}

/// Asks a person for a line, without showing what is typed.
pub(crate) fn typed(reporter: &Reporter, question: &str) -> Result<SecretString, Failure> {
    reporter.ask(question);
    let typed = rpassword::read_password().map(SecretString::from);
    typed.map_err(|error| unreadable("the value", "the terminal", &error))
}

fn bytes_of(text: &SecretString) -> SecretBytes {
    let mut bytes = SecretBytes::with_capacity(text.expose_secret().len());
    bytes.extend_from_slice(text.expose_secret().as_bytes());
    bytes
}

/// The code of the failure where a secret stands on the command line.
pub(crate) const LITERAL: &str = "secret_on_command_line";

/// A secret on the command line itself.
pub(crate) fn literal(what: impl Into<String>) -> Failure {
    Failure::usage(LITERAL, what)
        .cause("the command line is visible to other programs and kept in the shell's history; nothing was sent")
}

fn empty(what: &str) -> Failure {
    Failure::usage("empty_value", format!("{what} is empty"))
        .cause("an empty secret is rarely meant; nothing was sent")
        .hint("--allow-empty sends it")
}

/// What the command line says about sources, and what has been read from them.
pub(crate) struct Sources<'a> {
    reporter: &'a Reporter,
    allow_argv_secrets: bool,
    allow_empty: bool,
    verbatim: bool,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(reporter: &'a Reporter, allow_argv_secrets: bool, allow_empty: bool, verbatim: bool) -> Self {
        Self { reporter, allow_argv_secrets, allow_empty, verbatim }
    }

    /// A whole request: one JSON object.
    pub(crate) fn request(&mut self, source: &str) -> Result<Map<String, Json>, Failure> {
        let name = if source == "-" { "stdin" } else { source };
        let bytes = read("--input", source)?;
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
                return Err(literal(format!("{flag} is secret and cannot be written here"))
                    .hint(format!("{flag} file://PATH, fileb://PATH for bytes, env://NAME, or - for stdin")));
            }
        };
        if text.is_empty() && !self.allow_empty {
            return Err(empty(flag));
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
        utf8(flag, "stdin", &bytes).map(|text| Some(text.into()))
    }

    /// Stdin without the newline that `echo` adds.
    fn stdin(&mut self, reader: &str) -> Result<SecretBytes, Failure> {
        let bytes = whole_stdin(reader)?;
        let kept = without_lonely_newline(bytes.expose_secret());
        if self.verbatim || kept.len() == bytes.expose_secret().len() {
            return Ok(bytes);
        }
        self.reporter.note(&format!("{reader}: the newline at the end of stdin is left out; --verbatim keeps it"));
        let mut without = SecretBytes::with_capacity(kept.len());
        without.extend_from_slice(kept);
        Ok(without)
    }
}

/// What an argument names, where `-` is stdin, to be read piece by piece.
pub(crate) fn open(flag: &str, name: impl AsRef<Path>) -> Result<fs::File, Failure> {
    let name = name.as_ref();
    let opened = match is_stdin(name) {
        true => take_stdin(flag).map(|()| stdin_as_file())?,
        false => fs::File::open(name),
    };
    opened.map_err(|error| unreadable(flag, &shown(name), &error))
}

/// All of what an argument names, where `-` is stdin.
pub(crate) fn read(flag: &str, name: impl AsRef<Path>) -> Result<SecretBytes, Failure> {
    let name = name.as_ref();
    match is_stdin(name) {
        true => whole_stdin(flag),
        false => file(flag, name),
    }
}

fn is_stdin(name: &Path) -> bool {
    name == Path::new("-")
}

/// What people call it.
pub(crate) fn shown(name: &Path) -> String {
    if is_stdin(name) { "stdin".to_owned() } else { name.display().to_string() }
}

/// Says who reads stdin. It can be read once: whoever came second would find nothing, and take that for a value.
pub(crate) fn take_stdin(reader: &str) -> Result<(), Failure> {
    static READER: Mutex<Option<String>> = Mutex::new(None);
    let mut taken = READER.lock().unwrap_or_else(PoisonError::into_inner);
    let what = match taken.as_deref() {
        None => {
            *taken = Some(reader.to_owned());
            return Ok(());
        }
        Some(other) if other == reader => format!("{reader} is to read stdin twice"),
        Some(other) => format!("{other} and {reader} both read stdin"),
    };
    Err(Failure::usage("stdin_twice", what)
        .cause("stdin can be read once; nothing was sent")
        .hint("give one of them from a file: PATH, or file://PATH where a value could stand"))
}

#[cfg(unix)]
fn stdin_as_file() -> io::Result<fs::File> {
    std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned().map(fs::File::from)
}

#[cfg(windows)]
fn stdin_as_file() -> io::Result<fs::File> {
    std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned().map(fs::File::from)
}

/// Whether an argument says where a value is, rather than what it is.
pub(crate) fn is_source(argument: &str) -> bool {
    argument == "-" || ["file://", "fileb://", "env://"].iter().any(|scheme| argument.starts_with(scheme))
}

/// One line that ends in a newline is what `echo` makes of a value; several lines are a file.
fn without_lonely_newline(bytes: &[u8]) -> &[u8] {
    match bytes.strip_suffix(b"\n") {
        Some(line) if !line.contains(&b'\n') => line.strip_suffix(b"\r").unwrap_or(line),
        _ => bytes,
    }
}

fn whole_stdin(reader: &str) -> Result<SecretBytes, Failure> {
    take_stdin(reader)?;
    all_of(io::stdin().lock()).map_err(|error| unreadable(reader, "stdin", &error))
}

fn all_of(mut reader: impl io::Read) -> io::Result<SecretBytes> {
    // This buffer wipes what it leaves behind when it grows.
    let mut bytes = SecretBytes::default();
    io::copy(&mut reader, &mut bytes)?;
    Ok(bytes)
}

/// All of a file, whatever it is called.
pub(crate) fn file(flag: &str, path: impl AsRef<Path>) -> Result<SecretBytes, Failure> {
    let path = path.as_ref();
    fs::File::open(path).and_then(all_of).map_err(|error| unreadable(flag, &path.display().to_string(), &error))
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

pub(crate) fn utf8<'a>(flag: &str, name: &str, bytes: &'a SecretBytes) -> Result<&'a str, Failure> {
    str::from_utf8(bytes.expose_secret()).map_err(|error| {
        Failure::usage("not_utf8", format!("{flag}: {name} is not UTF-8"))
            .cause(format!("byte {} begins no character; nothing was sent", error.valid_up_to()))
            .hint("fileb://PATH sends bytes as Base64, where the parameter takes that")
    })
}

pub(crate) fn unreadable(flag: &str, name: &str, error: &io::Error) -> Failure {
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
    fn pairs_have_two_sides() {
        for text in ["A", "=a", "A=", "="] {
            assert!(pair("--env", "VAR=REF", text).is_err(), "{text}");
        }
        assert!(pair("--env", "VAR=REF", "A=b#c=d").is_ok_and(|pair| pair == ("A", "b#c=d")));
    }

    #[test]
    fn only_a_single_line_loses_its_newline() {
        for (text, kept) in
            [("a\n", "a"), ("a\r\n", "a"), ("a", "a"), ("a\nb\n", "a\nb\n"), ("\n", ""), ("a\n\n", "a\n\n")]
        {
            assert_eq!(without_lonely_newline(text.as_bytes()), kept.as_bytes());
        }
    }
}
