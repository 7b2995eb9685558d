//! What went wrong: exit code, what, why, what to do. All that this program says on stderr is written here; what the SDK
//! logs is by `log`, and what a masked command says by `exec`.

#![allow(clippy::print_stderr)] // this is where stderr is written

use std::{
    fmt::Write as _,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use csms_sdk::{Error, ErrorKind, SecretBytes};
use serde_json::json;

use crate::{output, text};

/// The stable exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Unexpected = 1,
    Usage = 2,
    NotFound = 3,
    Credentials = 4,
    NotPermitted = 5,
    Conflict = 6,
    Throttled = 7,
    Service = 8,
    NoAnswer = 9,
    /// There were differences, and that is what was asked.
    Differences = 10,
    WaitedTooLong = 11,
    /// Of many, some were done and some were not.
    Partial = 12,
    /// A signature or MAC is not valid, a ciphertext is damaged, the key is another.
    Integrity = 13,
    NotConfirmed = 14,
    /// A child process could not be started for a reason of ours.
    NotStarted = 125,
    NotExecutable = 126,
    NoSuchCommand = 127,
    Interrupted = 130,
    ClosedPipe = 141,
}

impl Exit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unexpected | Self::ClosedPipe => "unexpected",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Credentials => "credentials",
            Self::NotPermitted => "not_permitted",
            Self::Conflict => "conflict",
            Self::Throttled => "throttled",
            Self::Service => "service",
            Self::NoAnswer => "no_answer",
            Self::Differences => "differences",
            Self::WaitedTooLong => "waited_too_long",
            Self::Partial => "partial",
            Self::Integrity => "integrity",
            Self::NotConfirmed => "not_confirmed",
            Self::Interrupted => "interrupted",
            Self::NotStarted => "not_started",
            Self::NotExecutable => "not_executable",
            Self::NoSuchCommand => "no_such_command",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidInput | ErrorKind::Configuration => Self::Usage,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Credentials | ErrorKind::Unauthenticated => Self::Credentials,
            ErrorKind::PermissionDenied => Self::NotPermitted,
            ErrorKind::Conflict | ErrorKind::QuotaExceeded => Self::Conflict,
            ErrorKind::Throttled => Self::Throttled,
            ErrorKind::Service => Self::Service,
            ErrorKind::Connection | ErrorKind::Timeout => Self::NoAnswer,
            _ => Self::Unexpected,
        }
    }
}

/// Why the program ends without having done its work. Never holds a secret value.
#[derive(Debug)]
pub(crate) struct Failure(Box<Inner>);

#[derive(Debug)]
struct Inner {
    exit: Exit,
    code: &'static str,
    what: String,
    /// Whether that is in our words, behind which a place can stand.
    is_renamed: bool,
    cause: Option<String>,
    hint: Option<String>,
    /// What else has failed.
    also: Vec<String>,
    status: Option<u16>,
    service_code: Option<String>,
    request_id: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        let none = (None, None, None);
        let (status, service_code, request_id) = none;
        Self(Box::new(Inner {
            exit,
            code,
            what,
            is_renamed: false,
            cause: None,
            hint: None,
            also: Vec::new(),
            status,
            service_code,
            request_id,
        }))
    }

    /// What an error of the SDK says.
    pub(crate) fn of(error: &Error) -> Self {
        let kind = error.kind();
        let mut what = error.operation().map(|name| format!("{name}: ")).unwrap_or_default();
        if let Some(field) = error.field() {
            what.push_str(&format!("`{field}` "));
        }
        what.push_str(error.message());
        let mut failure = Self::new(kind.into(), kind.as_str(), what).cause(cause(error)).hint(hint(error));
        failure.0.status = error.status();
        failure.0.service_code = error.code().map(str::to_owned);
        failure.0.request_id = error.request_id().map(str::to_owned);
        failure
    }

    /// The command line, a file or a variable cannot be right; nothing was sent.
    pub(crate) fn usage(code: &'static str, what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, what)
    }

    /// Says why.
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Says what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says what else has failed.
    pub(crate) fn also(mut self, also: Vec<String>) -> Self {
        self.0.also = also;
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        self.0.exit
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        self.0.exit.into()
    }

    /// Stable name of what went wrong.
    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }

    /// The service's own code, e.g. `CSMS.0106`.
    pub(crate) fn service_code(&self) -> Option<&str> {
        self.0.service_code.as_deref()
    }

    /// What happened.
    pub(crate) fn what(&self) -> &str {
        &self.0.what
    }

    /// What to do.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Ends the program with another code.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.0.exit = exit;
        self
    }

    /// Tells what happened in other words.
    pub(crate) fn renamed(mut self, what: impl Into<String>) -> Self {
        self.0.what = what.into();
        self.0.is_renamed = true;
        self
    }

    /// What happened and why, in one line.
    pub(crate) fn summary(&self) -> String {
        match &self.0.cause {
            Some(cause) => format!("{} ({cause})", self.0.what),
            None => self.0.what.clone(),
        }
    }

    /// Has input that cannot be right explained by the help of the command that took it.
    pub(crate) fn explained_by(mut self, command: &str) -> Self {
        if self.0.code == ErrorKind::InvalidInput.as_str() {
            self.0.hint = Some(format!("{command} --help"));
        }
        self
    }

    /// Says of what was not found where it was looked for: in the reason, where the words are those of others and may be
    /// a whole sentence.
    pub(crate) fn placed(mut self, place: &str) -> Self {
        let Inner { exit, what, is_renamed, cause, .. } = &mut *self.0;
        if *exit == Exit::NotFound {
            let text = cause.as_mut().filter(|_| !*is_renamed).unwrap_or(what);
            text.push_str(&format!(" in {place}"));
        }
        self
    }

    fn to_json(&self) -> String {
        let Inner { exit, code, what, cause, hint, also, status, service_code, request_id, .. } = &*self.0;
        json!({"error": {
            "kind": exit.as_str(),
            "code": code,
            "message": text::one_line(what),
            "cause": cause.as_deref().map(text::one_line),
            "hint": hint.as_deref().map(text::one_line),
            "also": also.iter().map(|what| text::one_line(what)).collect::<Vec<_>>(),
            "status": status,
            "service_code": service_code,
            "request_id": request_id,
            "exit": *exit as u8,
        }})
        .to_string()
    }

    fn to_text(&self, color: bool) -> String {
        let (red, bold, plain) = if color { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
        let mut out = format!("{red}error:{plain} {}\n", text::one_line(&self.0.what));
        // Writing into memory does not fail.
        if let Some(cause) = &self.0.cause {
            let _ = writeln!(out, "  {bold}cause:{plain} {}", text::one_line(cause));
        }
        if let Some(hint) = &self.0.hint {
            let _ = writeln!(out, "  {bold}hint:{plain}  {}", text::one_line(hint));
        }
        out
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
}

/// `CSMS.0106, HTTP 400 (request 7d01…), 4 attempts`
fn cause(error: &Error) -> String {
    let mut parts = Vec::new();
    parts.extend(error.code().map(str::to_owned));
    parts.extend(error.status().map(|status| match error.request_id() {
        Some(id) => format!("HTTP {status} (request {id})"),
        None => format!("HTTP {status}"),
    }));
    let is_ours = matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Configuration | ErrorKind::Credentials);
    match error.attempts() {
        attempts @ 2.. => parts.push(format!("{attempts} attempts")),
        _ if !parts.is_empty() => {}
        0 if is_ours => parts.push("nothing was sent".to_owned()),
        _ if matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout) => {
            parts.push("no answer came".to_owned());
        }
        // Nothing was refused.
        _ => parts.push("seen in what the service answered".to_owned()),
    }
    parts.join(", ")
}

fn hint(error: &Error) -> String {
    if let Some(permission) = error.permission() {
        return format!("the caller needs the permission {permission}; `csms whoami` shows who is calling");
    }
    if error.kind() == ErrorKind::Credentials {
        let other = error.help().map(|help| format!("; or {help}")).unwrap_or_default();
        return format!("csms profile add NAME, or set CSMS_ACCESS_KEY and CSMS_SECRET_KEY{other}");
    }
    if let Some(way_out) = error.code().and_then(|code| way_out(code, "", "NAME", "KEY")) {
        return way_out;
    }
    if let Some(help) = error.help() {
        return help.to_owned();
    }
    let explain = match (error.service(), error.operation()) {
        (Some(service), Some(name)) => format!("csms explain {service} {name}"),
        _ => "csms --help".to_owned(),
    };
    match error.kind() {
        ErrorKind::InvalidInput => format!("{explain}; --no-validate sends it anyway"),
        ErrorKind::Configuration => "csms whoami".to_owned(),
        ErrorKind::Unauthenticated => "`csms whoami` shows where the credentials come from".to_owned(),
        ErrorKind::PermissionDenied => "`csms whoami` shows who is calling".to_owned(),
        ErrorKind::NotFound => "check the name; `csms whoami` shows region and project".to_owned(),
        ErrorKind::Conflict => "look at its state first".to_owned(),
        ErrorKind::QuotaExceeded => "delete what is no longer needed, or have the quota raised".to_owned(),
        ErrorKind::Throttled => match error.retry_after() {
            Some(wait) => format!("try again in {} s", wait.as_secs()),
            None => "try again later, or with more --retries".to_owned(),
        },
        ErrorKind::Service => "try again later; a support ticket needs the request id".to_owned(),
        ErrorKind::Timeout => "try again, or with a longer --timeout".to_owned(),
        ErrorKind::Connection => "check the network, the proxy and the endpoint".to_owned(),
        ErrorKind::NotOffered => "check the region and the endpoint with `csms whoami`".to_owned(),
        ErrorKind::Rejected => explain,
        _ => "run it again with -vv".to_owned(),
    }
}

/// What to do about a state that the service tells by its code; `at` are flags that say where the secret is.
pub(crate) fn way_out(code: &str, at: &str, secret: &str, key: &str) -> Option<String> {
    Some(match code {
        "CSMS.0103" | "CSMS.0107" => format!("csms {at}secret restore {secret}"),
        "CSMS.0401" => format!(
            "`csms {at}secret describe {secret}` shows its key, `csms {at}key describe {key}` whether that can be used"
        ),
        "KMS.0209" => format!("csms {at}key enable {key}"),
        "KMS.0210" => format!("csms {at}key undelete {key}"),
        _ => return None,
    })
}

/// Writes to stderr, in the form that the command line asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reporter {
    json: bool,
    color: bool,
}

impl Reporter {
    /// Reads the two flags that it needs without a parser, since the parser's own errors go through it.
    pub(crate) fn of_words(words: &[String]) -> Self {
        let json = text::flag_value(words, "--error-format") == Some("json");
        Self { json, color: output::wants_color(words, output::Stream::Stderr) }
    }

    /// Reports why the program ends; a closed pipe is nobody's fault and is not mentioned.
    pub(crate) fn report(&self, failure: &Failure) {
        match failure.0.exit {
            Exit::ClosedPipe => {}
            _ if self.json => eprint_line(&failure.to_json()),
            _ => {
                failure.0.also.iter().for_each(|what| self.note(&format!("also: {what}")));
                eprint_line(failure.to_text(self.color).trim_end());
            }
        }
    }

    /// Asks something, and leaves the cursor behind it.
    pub(crate) fn ask(&self, text: &str) {
        use std::io::Write as _;
        ProgressLine::take_away();
        let mut stderr = std::io::stderr();
        let _ =
            write!(stderr, "{}", text::one_line(text)).and_then(|()| write!(stderr, " ")).and_then(|()| stderr.flush());
    }

    /// Whether lines can be drawn in place of others.
    pub(crate) fn can_redraw(&self) -> bool {
        use std::io::IsTerminal as _;
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        !self.json && !is_dumb && std::io::stderr().is_terminal()
    }

    /// Draws lines in place of the last `drawn` ones.
    pub(crate) fn redraw(&self, drawn: usize, lines: &[String]) {
        use std::io::Write as _;
        let width = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
        let mut out = if drawn > 0 { format!("\x1b[{drawn}A") } else { String::new() };
        for line in lines {
            // A line that is broken would be two for the cursor.
            out.push_str(&format!("\x1b[2K{}\n", text::cut(&text::one_line(line), width)));
        }
        let mut stderr = std::io::stderr();
        let _ = stderr.write_all(out.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Tells a program that reads stderr something, in a line of its own. It may hold a value.
    pub(crate) fn command(&self, prefix: &str, bytes: &[u8]) -> Result<(), Failure> {
        use std::io::Write as _;
        let mut line = SecretBytes::with_capacity(prefix.len() + bytes.len() + 1);
        for part in [prefix.as_bytes(), bytes, b"\n"] {
            line.extend_from_slice(part);
        }
        std::io::stderr().write_all(line.expose_secret()).map_err(|error| {
            Failure::new(Exit::Unexpected, "io", "stderr cannot be written")
                .cause(error.to_string())
                .hint("have it go where there is room")
        })
    }

    /// Says something that is worth knowing.
    pub(crate) fn note(&self, text: &str) {
        eprint_line(&text::one_line(text));
    }

    /// Says something that should not go on like this.
    pub(crate) fn warn(&self, text: &str) {
        let (yellow, plain) = if self.color { ("\x1b[1;33m", "\x1b[0m") } else { ("", "") };
        eprint_line(&format!("{yellow}warning:{plain} {}", text::one_line(text)));
    }
}

/// One line on a terminal that says how far something has come, in place of what it said before. Whatever else is written to
/// stderr takes its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProgressLine {
    is_wanted: bool,
}

/// Whether there is one on the terminal.
static SHOWS_PROGRESS: AtomicBool = AtomicBool::new(false);

impl ProgressLine {
    pub(crate) fn new(reporter: &Reporter) -> Self {
        Self { is_wanted: reporter.can_redraw() }
    }

    /// Says it.
    pub(crate) fn tell(self, text: &str) {
        use std::io::Write as _;
        if self.is_wanted {
            SHOWS_PROGRESS.store(true, Ordering::Relaxed);
            let _ = write!(std::io::stderr(), "\r\x1b[2K{text}");
        }
    }

    /// Takes the line away.
    pub(crate) fn end(self) {
        Self::take_away();
    }

    fn take_away() {
        use std::io::Write as _;
        if SHOWS_PROGRESS.swap(false, Ordering::Relaxed) {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

/// Like `eprintln!`, but a closed stderr is no panic.
fn eprint_line(line: &str) {
    use std::io::Write as _;
    ProgressLine::take_away();
    let _ = writeln!(std::io::stderr(), "{line}");
}
