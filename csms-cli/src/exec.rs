//! Child processes: signals are passed on to them, their end is passed back.

#[cfg(unix)]
mod supervision;

use std::{
    io,
    process::{Child, Command},
};

use crate::{
    error::{Exit, Failure},
    signals::Signals,
};

#[cfg(unix)]
pub(crate) use self::supervision::{Event, Stopped, signal_named};

/// Runs a command to its end. Returns its exit code, or 128 and the number of the signal that ended it.
pub(crate) async fn run(command: &mut Command) -> Result<u8, Failure> {
    Running::start(command)?.end().await
}

/// A command that runs. Signals are passed on to it, and this process stops when it does, so that a shell sees one job.
pub(crate) struct Running {
    child: Child,
    signals: Signals,
    #[cfg(unix)]
    supervision: supervision::State,
}

impl Running {
    /// Starts a command, and begins to listen to the signals that are to be passed on to it.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        // Listened to before there is a child, so that no signal ends this process alone.
        let signals = Signals::listen_to_all()?;
        Ok(Self {
            child: spawn(command)?,
            signals,
            #[cfg(unix)]
            supervision: supervision::State::default(),
        })
    }

    /// Waits for the end of the command; Ctrl-C reaches every process of the console by itself.
    #[cfg(not(unix))]
    pub(crate) async fn end(self) -> Result<u8, Failure> {
        let Self { mut child, signals: _listening } = self;
        let ended = tokio::task::spawn_blocking(move || child.wait()).await;
        let status = ended.map_err(|error| lost(&error.to_string()))?.map_err(|error| lost(&error.to_string()))?;
        Ok(code(status.code()))
    }

    /// The same, and then what is left to be done, unless Ctrl-C ends that.
    #[cfg(not(unix))]
    pub(crate) async fn end_and(self, rest: impl Future<Output = ()>) -> Result<u8, Failure> {
        let code = self.end().await?;
        let mut signals = Signals::listen()?;
        tokio::select! {
            () = rest => Ok(code),
            signal = signals.next() => Ok(signal.code()),
        }
    }
}

fn spawn(command: &mut Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| not_started(command, &error))
}

/// Has a command take the place of this process, which returns only where that fails. A command that is `waited_for`, and
/// every one where the system has no such thing, is run to its end instead.
pub(crate) fn become_or_run(mut command: Command, waited_for: bool) -> Result<u8, Failure> {
    #[cfg(unix)]
    if !waited_for {
        let error = std::os::unix::process::CommandExt::exec(&mut command);
        return Err(not_started(&command, &error));
    }
    crate::connection::runtime()?.block_on(run(&mut command))
}

fn code(code: Option<i32>) -> u8 {
    // Windows has codes that do not fit.
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

fn lost(why: &str) -> Failure {
    Failure::new(Exit::Unexpected, "child", format!("the command's end cannot be waited for: {why}"))
}

fn not_started(command: &Command, error: &io::Error) -> Failure {
    let name = command.get_program().to_string_lossy().into_owned();
    let (exit, hint) = match error.kind() {
        io::ErrorKind::NotFound => (Exit::NoSuchCommand, "check its name and PATH"),
        io::ErrorKind::PermissionDenied => (Exit::NotExecutable, "check that it is a program and may be run"),
        io::ErrorKind::ArgumentListTooLong => (Exit::NotExecutable, "give large values as --file VAR=REF"),
        _ => (Exit::NotExecutable, "run it by itself to see what it is"),
    };
    Failure::new(exit, "command", format!("`{name}` cannot be run")).cause(error.to_string()).hint(hint)
}
