//! A command that is told when its values change.

mod source;

use std::{
    process::{self, Stdio},
    time::Duration,
};

use clap::Arg;
use rustix::process::Signal;

use self::source::Source;
use super::{before_start, call::Call, memory::Files};
use crate::{
    error::Failure,
    exec::{Event, Running, Stopped, signal_named},
    session::Session,
    settings,
    sources::{Item, Wanted},
};

/// The flags of a command that is watched over.
pub(super) fn flags() -> [Arg; 5] {
    let flag = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).help_heading("Changes")
    };
    let of_watch = |name, value, help| flag(name, value, help).requires("watch");
    [
        flag("watch", "TIME", "Look for changes again and again, every 30s unless a time is given")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("30s"),
        of_watch("on-change", "WHAT", "What to do then: restart, signal:NAME or exec:COMMAND; default restart"),
        of_watch("settle", "TIME", "Wait until nothing has changed for so long; default 3s"),
        of_watch("stop-signal", "NAME", "What asks the command to end before a restart; default TERM"),
        of_watch("grace", "TIME", "Kill the command where it has not ended after so long; default 10s"),
    ]
}

/// What the flags say.
struct Plan {
    every: Duration,
    settle: Duration,
    grace: Duration,
    stop_signal: Signal,
    on_change: OnChange,
}

enum OnChange {
    Restart,
    Signal(Signal),
    Exec(String),
}

/// Runs the command to its end.
pub(super) fn run(session: &Session<'_>, call: &Call<'_>, wanted: &Wanted) -> Result<u8, Failure> {
    let plan = Plan::of(session)?;
    let connection = session.connect().map_err(before_start)?;
    let source = Source { session, connection: &connection, call, wanted, every: plan.every, settle: plan.settle };
    connection.block_on(supervise(&plan, &source))
}

async fn supervise(plan: &Plan, source: &Source<'_>) -> Result<u8, Failure> {
    let mut given = source.given().await.map_err(before_start)?;
    let mut files = plan.files();
    let mut command = source.call.command(&given.items, &mut files).map_err(before_start)?;
    let mut running = Running::start(&mut command)?;
    loop {
        let items = match running.or(source.changed(&mut given)).await? {
            Event::Ended(code) => return Ok(code),
            // Whoever asked for that does not want another one.
            Event::Other(_) if running.is_to_end() => return running.end().await,
            Event::Other(items) => items,
        };
        // What cannot be done is found out before the command is stopped.
        let mut next = plan.files();
        let (renewed, done) = match &plan.on_change {
            OnChange::Restart => (source.call.command(&items, &mut next), "the command is restarted"),
            OnChange::Signal(_) => (source.call.command(&items, &mut files), "the command gets a signal"),
            OnChange::Exec(text) => {
                let mut shell = process::Command::new("/bin/sh");
                shell.args(["-c", text]).stdin(Stdio::null());
                (source.call.equip(shell, &items, &mut files), "the command of --on-change is run")
            }
        };
        command = match renewed {
            Ok(command) => command,
            Err(failure) => {
                source.warn(&failure);
                continue;
            }
        };
        source.session.reporter.note(&format!("{} changed; {done}", names(&given.items, &items)));
        given.items = items;
        match &plan.on_change {
            OnChange::Restart => {
                if let Stopped::Otherwise(code) = running.stop(plan.stop_signal, plan.grace).await? {
                    return Ok(code);
                }
                // The next command does not inherit what the last one had.
                files = next;
                running.start_next(&mut command)?;
            }
            OnChange::Signal(signal) => running.send(*signal),
            OnChange::Exec(_) => match running.beside(&mut command).await {
                Ok(Event::Ended(code)) => return Ok(code),
                Ok(Event::Other(0)) => {}
                Ok(Event::Other(code)) => {
                    source.session.reporter.warn(&format!("the command of --on-change has ended with {code}"));
                }
                Err(failure) => source.warn(&failure),
            },
        }
    }
}

impl Plan {
    fn of(session: &Session<'_>) -> Result<Self, Failure> {
        let excluded = |flag: &str, cause: &str, hint: &str| {
            Err(Failure::usage("conflict", format!("--watch and --{flag} exclude each other"))
                .cause(format!("{cause}; nothing was sent or started"))
                .hint(hint))
        };
        if session.is_set("mask") {
            return excluded("mask", "only one of them can stand in front of a command", "leave out one of them");
        }
        if session.settings.local.is_some() {
            let cause = "local data belong to this process as long as it runs, so that nothing could change";
            return excluded("local", cause, "have `csms emulate` run elsewhere, and take the variables it prints");
        }
        let time = |name: &str, default| match session.text(name) {
            Some(text) => settings::duration(&format!("--{name}"), text),
            None => Ok(default),
        };
        Ok(Self {
            every: time("watch", Duration::from_secs(30))?,
            settle: time("settle", Duration::from_secs(3))?,
            grace: time("grace", Duration::from_secs(10))?,
            stop_signal: signal("--stop-signal", session.text("stop-signal").unwrap_or("TERM"))?,
            on_change: OnChange::of(session.text("on-change").unwrap_or("restart"))?,
        })
    }

    /// Files for a command that goes on have to be renewed, others are for one command.
    fn files(&self) -> Files {
        match self.on_change {
            OnChange::Restart => Files::fixed(),
            _ => Files::renewable(),
        }
    }
}

impl OnChange {
    fn of(text: &str) -> Result<Self, Failure> {
        match text.split_once(':') {
            None if text == "restart" => Ok(Self::Restart),
            Some(("signal", name)) => signal("--on-change signal", name).map(Self::Signal),
            Some(("exec", command)) if !command.trim().is_empty() => Ok(Self::Exec(command.to_owned())),
            _ => Err(Failure::usage("invalid_value", "--on-change does not take this value")
                .cause("nothing was sent or started")
                .hint("write restart, signal:HUP or exec:COMMAND")),
        }
    }
}

/// The variables that are others now.
fn names(before: &[Item], now: &[Item]) -> String {
    let changed = now.iter().filter(|item| !before.contains(item));
    let gone = before.iter().filter(|item| now.iter().all(|other| other.name != item.name));
    changed.chain(gone).map(|item| item.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn signal(flag: &str, name: &str) -> Result<Signal, Failure> {
    signal_named(name).ok_or_else(|| {
        Failure::usage("invalid_value", format!("{flag} takes the name of a signal"))
            .cause("it is none that ends a command or tells it something; nothing was sent or started")
            .hint("write TERM, INT, QUIT, HUP, USR1, USR2, WINCH, ALRM, CONT or KILL")
    })
}
