//! Signals sent to this process: heard, instead of ending it.

use std::{future::poll_fn, io, task::Poll};

use crate::error::{Exit, Failure};

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
            Self::Other(number) => u8::try_from(128 + number.as_raw()).unwrap_or(u8::MAX),
        }
    }
}

#[cfg(unix)]
type Arrivals = tokio::signal::unix::Signal;
#[cfg(windows)]
type Arrivals = tokio::signal::windows::CtrlC;

/// The signals sent to this process. From the first time that they are listened to they never end it by themselves: who
/// listens once has to do so as long as there is something that can be ended.
pub(crate) struct Signals(Vec<(Signal, Arrivals)>);

impl Signals {
    /// Listens to those that ask a process to end. Has to be called on a runtime; any other one can wait for them as well.
    pub(crate) fn listen() -> Result<Self, Failure> {
        #[cfg(unix)]
        return Self::listen_to(&ENDING);
        #[cfg(windows)]
        tokio::signal::windows::ctrl_c()
            .map(|arrivals| Self(vec![(Signal::Interrupt, arrivals)]))
            .map_err(|error| deaf(&error))
    }

    /// Listens to every one that can be meant for a command, and to what tells of a child.
    pub(crate) fn listen_to_all() -> Result<Self, Failure> {
        #[cfg(unix)]
        return Self::listen_to(&[&ENDING[..], OTHERS, &real_time()].concat());
        #[cfg(windows)]
        Self::listen()
    }

    #[cfg(unix)]
    fn listen_to(numbers: &[rustix::process::Signal]) -> Result<Self, Failure> {
        use rustix::process::Signal as Number;
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = ignored();
        // To listen to those would undo what `nohup` or a shell without job control has done, for a command as well. That of
        // a child is needed.
        let is_heard = |number: &Number| *number == Number::CHILD || ignored >> (number.as_raw() - 1) & 1 == 0;
        let arrivals = numbers.iter().filter(|number| is_heard(number)).map(|number| {
            let meaning = if *number == Number::INT { Signal::Interrupt } else { Signal::Other(*number) };
            Ok((meaning, signal(SignalKind::from_raw(number.as_raw()))?))
        });
        arrivals.collect::<io::Result<_>>().map(Self).map_err(|error| deaf(&error))
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            let arrived = self.0.iter_mut().find_map(|(signal, arrivals)| {
                let has_come = arrivals.poll_recv(context).is_ready();
                has_come.then_some(*signal)
            });
            arrived.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// Signals that end a process which does not listen to them.
#[cfg(unix)]
pub(crate) const ENDING: [rustix::process::Signal; 6] = {
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

/// The signals that this process was started to ignore, a bit for each from the lowest on. Where that cannot be found out
/// there are none: files are to be left whole, and commands told, everywhere.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.unwrap_or_default()
}

fn deaf(error: &io::Error) -> Failure {
    Failure::new(Exit::Unexpected, "signals", "signals cannot be listened to")
        .cause(format!("{error}; nothing was sent or started"))
        .hint("run it again")
}
