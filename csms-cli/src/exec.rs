//! Child processes: signals are passed on to them, their end is passed back.

use std::{io, process::ExitStatus};

use tokio::{process::Command, sync::mpsc};

use crate::error::{Exit, Failure};

/// Runs a command to its end. Returns its exit code, or 128 and the number of the signal that ended it.
pub(crate) async fn run(command: &mut Command) -> Result<u8, Failure> {
    // Listened to before there is a child, so that no signal ends this process alone.
    let mut signals = Signals::listen()?;
    let mut child = command.spawn().map_err(|error| not_started(command, &error))?;
    loop {
        tokio::select! {
            status = child.wait() => {
                return status.map(code).map_err(|error| {
                    Failure::new(Exit::Unexpected, "child", format!("the command's end cannot be waited for: {error}"))
                });
            }
            signal = signals.next() => if let Some(process) = child.id() {
                signal.pass_on(process);
            },
        }
    }
}

/// A signal that asks this process to end or to tell another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// Any other, by its number.
    #[cfg(unix)]
    Other(i32),
}

/// The signals sent to this process, which no longer end it.
pub(crate) struct Signals(mpsc::UnboundedReceiver<Signal>);

impl Signals {
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let (sender, receiver) = mpsc::unbounded_channel();
        let interrupt = SignalKind::interrupt();
        let kinds = [
            interrupt,
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::quit(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
        ];
        for kind in kinds {
            let mut arrivals = signal(kind).map_err(|error| deaf(&error))?;
            let sender = sender.clone();
            let meaning = if kind == interrupt { Signal::Interrupt } else { Signal::Other(kind.as_raw_value()) };
            tokio::spawn(async move { while arrivals.recv().await.is_some() && sender.send(meaning).is_ok() {} });
        }
        Ok(Self(receiver))
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> Result<Self, Failure> {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() && sender.send(Signal::Interrupt).is_ok() {}
        });
        Ok(Self(receiver))
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            // Nobody listens any more, so none will come.
            None => std::future::pending().await,
        }
    }
}

impl Signal {
    /// Sends it to a child, unless the terminal has done so already.
    #[cfg(unix)]
    fn pass_on(self, process: u32) {
        use rustix::process::{Pid, Signal as Number, kill_process};
        let number = match self {
            Self::Interrupt => Some(Number::INT),
            Self::Other(number) => Number::from_named_raw(number),
        };
        let (Some(number), Some(process)) = (number, i32::try_from(process).ok().and_then(Pid::from_raw)) else {
            return;
        };
        let is_key = number == Number::INT || number == Number::QUIT;
        if !(is_key && is_in_foreground()) {
            // A child that has just ended needs no signal.
            let _ = kill_process(process, number);
        }
    }

    /// Ctrl-C reaches every process of the console by itself.
    #[cfg(not(unix))]
    fn pass_on(self, _: u32) {}
}

/// Whether keys of the terminal reach this process, and then its children as well.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    // Windows has codes that do not fit.
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

fn not_started(command: &Command, error: &io::Error) -> Failure {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let (exit, hint) = match error.kind() {
        io::ErrorKind::NotFound => (Exit::NoSuchCommand, "check its name and PATH"),
        io::ErrorKind::PermissionDenied => (Exit::NotExecutable, "check that it is a program and may be run"),
        _ => (Exit::NotExecutable, "run it by itself to see what it is"),
    };
    Failure::new(exit, "command", format!("`{name}` cannot be run")).cause(error.to_string()).hint(hint)
}

#[cfg(unix)]
fn deaf(error: &io::Error) -> Failure {
    Failure::new(Exit::Unexpected, "signals", format!("signals cannot be received: {error}"))
}
