//! Child processes: signals are passed on to them, their end is passed back.

#[cfg(unix)]
mod supervision;

use std::{
    io,
    process::{Child, Command},
};

use tokio::sync::mpsc;

use crate::error::{Exit, Failure};

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

/// Signals that end a process which does not listen to them.
#[cfg(unix)]
const ENDING: [rustix::process::Signal; 6] = {
    use rustix::process::Signal as Number;
    [Number::INT, Number::TERM, Number::HUP, Number::QUIT, Number::USR1, Number::USR2]
};

/// Those that are meant for a command as well, or tell of a child.
#[cfg(unix)]
const OTHERS: &[rustix::process::Signal] = {
    use rustix::process::Signal as Number;
    &[
        Number::TSTP,
        Number::CONT,
        Number::CHILD,
        Number::WINCH,
        Number::ALARM,
        Number::VTALARM,
        Number::PROF,
        Number::IO,
        Number::XCPU,
        Number::XFSZ,
        Number::URG,
        Number::TTIN,
        Number::TTOU,
        Number::ABORT,
        Number::TRAP,
        Number::SYS,
        #[cfg(target_os = "linux")]
        Number::POWER,
        #[cfg(target_os = "linux")]
        Number::STKFLT,
    ]
};

/// Those without names: a system that runs a container asks it to end with one of them. tokio takes all but the last.
#[cfg(unix)]
fn real_time() -> Vec<rustix::process::Signal> {
    #[cfg(target_os = "linux")]
    {
        use rustix_libc_wrappers::process::SignalExt as _;
        (0..).map_while(rustix::process::Signal::rt).filter(|it| *it != rustix::process::Signal::rt_max()).collect()
    }
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}

/// The signals that this process was started to ignore, a bit for each from the lowest on. None where that cannot be found
/// out.
#[cfg(unix)]
pub(crate) fn ignored() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok())
}

/// A signal that asks this process to end or to tell another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// Any other.
    #[cfg(unix)]
    Other(rustix::process::Signal),
}

impl Signal {
    /// The exit code of what it has ended.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            #[cfg(unix)]
            Self::Other(number) => code(Some(128 + number.as_raw())),
        }
    }
}

/// The signals sent to this process, which no longer end it.
pub(crate) struct Signals(mpsc::UnboundedReceiver<Signal>);

impl Signals {
    /// Listens to those that ask a process to end.
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::listen_to(&ENDING)
    }

    /// Listens to every one that can be meant for a command, and to what tells of a child.
    #[cfg(unix)]
    fn listen_to_all() -> Result<Self, Failure> {
        Self::listen_to(&[&ENDING[..], OTHERS, &real_time()].concat())
    }

    #[cfg(unix)]
    fn listen_to(numbers: &[rustix::process::Signal]) -> Result<Self, Failure> {
        use rustix::process::Signal as Number;
        use tokio::signal::unix::{SignalKind, signal};
        let (sender, receiver) = mpsc::unbounded_channel();
        let ignored = ignored().unwrap_or_default();
        // To listen to those would undo what `nohup` has done, for a command as well. That of a child is needed.
        let is_heard = |number: &Number| *number == Number::CHILD || ignored >> (number.as_raw() - 1) & 1 == 0;
        for number in numbers.iter().filter(|number| is_heard(number)) {
            let kind = SignalKind::from_raw(number.as_raw());
            let mut arrivals = signal(kind).map_err(|error| deaf(&error))?;
            let sender = sender.clone();
            let meaning = if *number == Number::INT { Signal::Interrupt } else { Signal::Other(*number) };
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
