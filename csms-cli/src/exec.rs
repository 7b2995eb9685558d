//! Child processes: signals are passed on to them, their end is passed back.

use std::{
    io,
    process::{Child, Command},
};

use tokio::sync::mpsc;

use crate::error::{Exit, Failure};

/// Runs a command to its end. Returns its exit code, or 128 and the number of the signal that ended it.
pub(crate) async fn run(command: &mut Command) -> Result<u8, Failure> {
    let (child, signals) = spawn(command)?;
    supervise(child, signals).await
}

/// Starts a command, and begins to listen to the signals that are to be passed on to it.
pub(crate) fn spawn(command: &mut Command) -> Result<(Child, Signals), Failure> {
    // Listened to before there is a child, so that no signal ends this process alone.
    let signals = Signals::listen_to_all()?;
    let child = command.spawn().map_err(|error| not_started(command, &error))?;
    Ok((child, signals))
}

/// Waits for the end of a command. Until then signals are passed on to it, and this process stops when it does, so that a
/// shell sees one job.
#[cfg(unix)]
pub(crate) async fn supervise(child: Child, mut signals: Signals) -> Result<u8, Failure> {
    use rustix::process::{Signal as Number, WaitOptions, getpid, kill_process, waitpid};
    let Some(process) = process(child.id()) else { return Err(lost("it has no process id")) };
    // Process 1 gets the children of all that have ended, and nobody else can bury them.
    let whom = (getpid().as_raw_pid() != 1).then_some(process);
    loop {
        while let Some((changed, status)) =
            waitpid(whom, WaitOptions::NOHANG | WaitOptions::UNTRACED).map_err(|error| lost(&error.to_string()))?
        {
            if changed != process {
                continue;
            }
            if !status.stopped() {
                let signal = status.terminating_signal().map(|signal| 128 + signal);
                return Ok(code(status.exit_status().or(signal)));
            }
            // Not refused to a process that asks it of itself.
            let _ = kill_process(getpid(), Number::STOP);
        }
        signals.next().await.pass_on(process);
    }
}

/// Waits for the end of a command; Ctrl-C reaches every process of the console by itself.
#[cfg(not(unix))]
pub(crate) async fn supervise(mut child: Child, _: Signals) -> Result<u8, Failure> {
    let ended = tokio::task::spawn_blocking(move || child.wait()).await;
    let status = ended.map_err(|error| lost(&error.to_string()))?.map_err(|error| lost(&error.to_string()))?;
    Ok(code(status.code()))
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

/// Signals that end a process which does not listen to them.
#[cfg(unix)]
const ENDING: [rustix::process::Signal; 6] = {
    use rustix::process::Signal as Number;
    [Number::INT, Number::TERM, Number::HUP, Number::QUIT, Number::USR1, Number::USR2]
};

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
    /// Listens to those that ask a process to end.
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::listen_to(&ENDING)
    }

    /// Listens to those as well that ask it to stop and to go on, or tell of a child.
    #[cfg(unix)]
    fn listen_to_all() -> Result<Self, Failure> {
        use rustix::process::Signal as Number;
        Self::listen_to(&[&ENDING[..], &[Number::TSTP, Number::CONT, Number::CHILD]].concat())
    }

    #[cfg(unix)]
    fn listen_to(numbers: &[rustix::process::Signal]) -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let (sender, receiver) = mpsc::unbounded_channel();
        for number in numbers {
            let kind = SignalKind::from_raw(number.as_raw());
            let mut arrivals = signal(kind).map_err(|error| deaf(&error))?;
            let sender = sender.clone();
            let is_interrupt = kind == SignalKind::interrupt();
            let meaning = if is_interrupt { Signal::Interrupt } else { Signal::Other(kind.as_raw_value()) };
            tokio::spawn(async move { while arrivals.recv().await.is_some() && sender.send(meaning).is_ok() {} });
        }
        Ok(Self(receiver))
    }

    #[cfg(not(unix))]
    fn listen_to_all() -> Result<Self, Failure> {
        Self::listen()
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
    fn pass_on(self, process: rustix::process::Pid) {
        use rustix::process::{Signal as Number, kill_process};
        let number = match self {
            Self::Interrupt => Some(Number::INT),
            Self::Other(number) => Number::from_named_raw(number),
        };
        let Some(number) = number.filter(|number| *number != Number::CHILD) else { return };
        let is_key = [Number::INT, Number::QUIT, Number::TSTP].contains(&number);
        if !(is_key && is_in_foreground()) {
            // A child that has just ended needs no signal.
            let _ = kill_process(process, number);
        }
    }
}

/// A process by its number.
#[cfg(unix)]
pub(crate) fn process(id: u32) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(id).ok()?)
}

/// Whether keys of the terminal reach this process, and then its children as well.
#[cfg(unix)]
fn is_in_foreground() -> bool {
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
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

#[cfg(unix)]
fn deaf(error: &io::Error) -> Failure {
    Failure::new(Exit::Unexpected, "signals", format!("signals cannot be received: {error}"))
}
