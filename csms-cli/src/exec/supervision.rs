//! A command under supervision: its end, and what else may happen until then.

use std::{
    convert::Infallible,
    fs::File,
    future::{pending, ready},
    os::unix::process::CommandExt as _,
    pin::pin,
    process::Command,
    time::Duration,
};

use rustix::process::{
    Pid, Signal as Number, WaitId, WaitIdOptions, WaitOptions, getpgrp, getpid, kill_process, kill_process_group, wait,
    waitid, waitpid,
};
use tokio::sync::oneshot;

use super::{Running, code, lost, spawn};
use crate::{
    error::Failure,
    signals::{ENDING, Signal},
};

/// So long what is left to be done may still take when a signal comes: that may have been the one that the command has ended
/// of, seen late.
const RACE: Duration = Duration::from_millis(200);

/// So long has a command beside the first one to end when that has ended, and so often it is looked whether it has.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);

/// Signals by their names.
const NAMES: [(&str, Number); 10] = [
    ("ALRM", Number::ALARM),
    ("CONT", Number::CONT),
    ("HUP", Number::HUP),
    ("INT", Number::INT),
    ("KILL", Number::KILL),
    ("QUIT", Number::QUIT),
    ("TERM", Number::TERM),
    ("USR1", Number::USR1),
    ("USR2", Number::USR2),
    ("WINCH", Number::WINCH),
];

/// What happens to a command.
pub(crate) enum Event<T> {
    /// It has ended, with this exit code or 128 and the number of a signal.
    Ended(u8),
    /// Something else has happened, and it goes on.
    Other(T),
}

/// Why a command that was to be stopped has ended.
pub(crate) enum Stopped {
    /// Because of that.
    ByUs,
    /// By itself or because somebody else has asked for it, with this exit code.
    Otherwise(u8),
}

/// What is known of a command beside its process.
#[derive(Default)]
pub(super) struct State {
    is_to_end: bool,
    is_being_stopped: bool,
    /// A command beside it, and who waits for its end.
    helper: Option<(Pid, oneshot::Sender<u8>)>,
}

impl Running {
    /// Waits for the end of the command.
    pub(crate) async fn end(mut self) -> Result<u8, Failure> {
        let Event::Ended(code) = self.or(pending::<Infallible>()).await?;
        Ok(code)
    }

    /// The same, and then what is left to be done, unless a signal ends that. Nobody is there any more to pass it on to.
    pub(crate) async fn end_and(mut self, rest: impl Future<Output = ()>) -> Result<u8, Failure> {
        let Event::Ended(code) = self.or(pending::<Infallible>()).await?;
        let mut rest = pin!(rest);
        loop {
            tokio::select! {
                () = &mut rest => return Ok(code),
                signal = self.signals.next() => match number(signal) {
                    Number::TSTP | Number::TTIN | Number::TTOU => stop_too(),
                    number if ENDING.contains(&number) => {
                        let in_time = tokio::time::timeout(RACE, rest).await;
                        return Ok(in_time.map_or(signal.code(), |()| code));
                    }
                    _ => {}
                },
            }
        }
    }

    /// Waits for the end of the command or for something else, which is dropped where the end comes first.
    pub(crate) async fn or<T>(&mut self, other: impl Future<Output = T>) -> Result<Event<T>, Failure> {
        let mut other = pin!(other);
        loop {
            // All children: beside those that are known, process 1 gets the children of all that have ended, and nobody else
            // can bury them.
            while let Some((changed, status)) =
                wait(WaitOptions::NOHANG | WaitOptions::UNTRACED).map_err(|error| lost(&error.to_string()))?
            {
                let is_command = changed == self.process();
                match status.stopped() {
                    true if is_command => stop_too(),
                    true => {}
                    false => {
                        let signal = status.terminating_signal().map(|signal| 128 + signal);
                        let code = code(status.exit_status().or(signal));
                        if is_command {
                            return Ok(Event::Ended(code));
                        }
                        if let Some((_, ended)) = self.supervision.helper.take_if(|(helper, _)| *helper == changed) {
                            // Nobody may wait for it any more.
                            let _ = ended.send(code);
                        }
                    }
                }
            }
            tokio::select! {
                signal = self.signals.next() => self.pass_on(signal),
                done = &mut other => return Ok(Event::Other(done)),
            }
        }
    }

    /// Runs another command beside it, to the end of either. Signals go to the first one only.
    pub(crate) async fn beside(&mut self, command: &mut Command) -> Result<Event<u8>, Failure> {
        let (ended, code) = oneshot::channel();
        // A group of its own can be ended with all that is in it.
        let helper = spawn(command.process_group(0))?;
        self.supervision.helper = Some((Pid::from_child(&helper), ended));
        let event = self.or(async { code.await.unwrap_or_default() }).await;
        self.end_helper().await;
        event
    }

    /// Sends a signal to the command.
    pub(crate) fn send(&self, signal: Number) {
        // One that has just ended needs none.
        let _ = kill_process(self.process(), signal);
    }

    /// Whether somebody has asked the command to end.
    pub(crate) fn is_to_end(&self) -> bool {
        self.supervision.is_to_end
    }

    /// Has the command end: asks it to, and kills it where it has not done so in time. Who asks for the same meanwhile is heard.
    pub(crate) async fn stop(&mut self, signal: Number, grace: Duration) -> Result<Stopped, Failure> {
        // Its own end may have come before.
        if let Event::Ended(code) = self.or(ready(())).await? {
            return Ok(Stopped::Otherwise(code));
        }
        self.supervision.is_being_stopped = true;
        self.send(signal);
        let code = match self.or(tokio::time::sleep(grace)).await? {
            Event::Ended(code) => code,
            Event::Other(()) => {
                self.send(Number::KILL);
                let Event::Ended(code) = self.or(pending::<Infallible>()).await?;
                code
            }
        };
        self.supervision.is_being_stopped = false;
        Ok(if self.is_to_end() { Stopped::Otherwise(code) } else { Stopped::ByUs })
    }

    /// Starts a command in the place of the one that has ended.
    pub(crate) fn start_next(&mut self, command: &mut Command) -> Result<(), Failure> {
        self.child = spawn(command)?;
        Ok(())
    }

    /// The process of the command.
    pub(crate) fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Passes a signal on to the command, unless the terminal has sent it there already.
    fn pass_on(&mut self, signal: Signal) {
        let number = number(signal);
        if number == Number::CHILD {
            return;
        }
        // Many programs take the others for something else than a wish to end. One that is ending cannot.
        let ends = number == Number::TERM
            || (self.supervision.is_being_stopped && [Number::HUP, Number::INT, Number::QUIT].contains(&number));
        self.supervision.is_to_end |= ends;
        let is_of_terminal = [Number::INT, Number::QUIT, Number::TSTP, Number::WINCH].contains(&number);
        if !(is_of_terminal && is_in_foreground()) {
            self.send(number);
        }
        // What this process itself does with the terminal brings these, again and again unless it stops.
        if [Number::TTIN, Number::TTOU].contains(&number) {
            stop_too();
            // That the command has stopped of it as well is no reason to stop once more.
            let _ = waitid(WaitId::Pid(self.process()), WaitIdOptions::STOPPED | WaitIdOptions::NOHANG);
        }
    }

    /// Ends the command beside the one that has ended, and what it has started: asks it to, and kills it where it has not done
    /// so in time.
    async fn end_helper(&mut self) {
        let Some((helper, _)) = self.supervision.helper.take() else { return };
        // Those who are gone need no signal.
        let _ = kill_process_group(helper, Number::TERM);
        let has_ended = async {
            while let Ok(None) = waitpid(Some(helper), WaitOptions::NOHANG) {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(PATIENCE, has_ended).await.is_err() {
            let _ = kill_process_group(helper, Number::KILL);
        }
    }
}

fn number(signal: Signal) -> Number {
    match signal {
        Signal::Interrupt => Number::INT,
        Signal::Other(number) => number,
    }
}

/// Stops this process, until it is told to go on.
fn stop_too() {
    // Not refused to a process that asks it of itself.
    let _ = kill_process(getpid(), Number::STOP);
}

/// A signal by its name, with or without `SIG`.
pub(crate) fn signal_named(name: &str) -> Option<Number> {
    let name = name.to_ascii_uppercase();
    let short = name.strip_prefix("SIG").unwrap_or(&name);
    NAMES.iter().find(|(known, _)| *known == short).map(|(_, number)| *number)
}

/// Whether keys of the terminal reach this process, and then its children as well.
fn is_in_foreground() -> bool {
    let Ok(terminal) = File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
}
