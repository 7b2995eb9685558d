//! `csms exec`: a command with secrets in its environment.

mod call;
mod environment;
mod masked;
mod memory;
#[cfg(unix)] // signals are what a command is told by
mod watched;

use std::{ffi::OsString, process::ExitCode};

use clap::{Arg, ArgAction, Command, value_parser};

use self::{call::Call, memory::Files};
use crate::{
    error::{Exit, Failure},
    exec,
    needs::Needs,
    redactor::Patterns,
    session::Session,
    sources::{self, Item, Wanted},
    verb::Own,
};

/// `csms exec`.
pub(crate) const EXEC: Own =
    Own { name: "exec", about: "Runs a command with secrets in its environment", grammar, run, calls };

const AFTER_HELP: &str = "\
Of two sources that have a name in common the later one in the list above counts, and csms.toml of this directory or the \
nearest one above it counts most. Everything is read before the command is started, and the command takes the place of \
csms: signals, terminal and exit code are its own.

These are not set unless --env names them: PATH, HOME, SHELL, LD_*, DYLD_*, IFS, BASH_ENV, NODE_OPTIONS, PYTHON*.

A file of --file is in memory and open in the command, and its path leads there: a program that gets none of the files \
that its parent has open (from Python's subprocess, from sudo), or runs as another user, cannot open it.

  csms exec --secret db -- ./server --port 8080
  csms exec --env PGPASSWORD=db#password --file PGSSLKEY=db-tls#key -- psql

With --mask or --watch csms stays in front of the command: it passes on signals, and takes its exit code. Where it is in \
the foreground of a terminal, whose keys reach the command by themselves, INT, QUIT and TSTP that `kill` sends to csms \
do not reach the command; TERM does. With --mask and --ci-mask values of less than four \
bytes are not hidden, nor is what stands in csms.toml as it is. A pause in the output can be longer where what was \
printed may be the beginning of a value.

With --watch csms looks which versions the references mean, again and again. Where a value that the command was given is \
another one, everything is read anew and --on-change done: `restart` ends the command and starts it with the new values; \
`signal:NAME` sends it a signal; `exec:COMMAND` runs a command of the shell with the new values. With the latter two the \
command itself goes on: its environment cannot change, only its files of --file do, before it is told. csms.toml and \
--env-file are not read again, and nothing is looked for while COMMAND runs. Where something cannot be read there is one \
warning, and the command goes on with what it has.

Exit codes: those of the command; 125 where csms fails before it is started, 126 where it cannot be run, 127 where there \
is none, 2 where the line cannot be right.";

fn grammar(command: Command) -> Command {
    #[cfg(unix)]
    let command = command.args(watched::flags());
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).action(ArgAction::SetTrue).help_heading("Environment")
    };
    sources::flags(command)
        .arg(sources::file_flag())
        .args([
            Arg::new("on-conflict")
                .long("on-conflict")
                .value_name("WHAT")
                .value_parser(["override", "keep", "error"])
                .default_value("override")
                .help("Where a variable is set already: override it with a warning, keep it, or fail")
                .help_heading("Environment"),
            flag("pristine", "Start from no variables at all, not even PATH"),
            Arg::new("inherit")
                .long("inherit")
                .value_name("NAMES")
                .value_delimiter(',')
                .help("Start from these variables only; LC_* stands for all that begin like it")
                .help_heading("Environment"),
            flag("keep-credentials", "Leave the variables in place that csms itself calls the services with"),
            Arg::new("mask")
                .long("mask")
                .action(ArgAction::SetTrue)
                .help("Read what the command prints, and hide the values in it, in Base64, URLs and JSON as well"),
            Arg::new("ci-mask")
                .long("ci-mask")
                .action(ArgAction::SetTrue)
                .help("First say on stderr what has the CI system hide the values in its logs"),
            Arg::new("command")
                .value_name("COMMAND")
                .help("The command and its arguments, which are never interpreted")
                .value_parser(value_parser!(OsString))
                .num_args(1..)
                .required(true)
                .last(true),
        ])
        .after_help(AFTER_HELP)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let wanted = wanted(session)?;
    wanted.needs(&mut needs);
    if session.text("watch").is_some() {
        wanted.needs_of_watching(&mut needs);
    }
    Ok(needs)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let wanted = wanted(session).map_err(before_start)?;
    let call = Call::of(session);
    #[cfg(unix)]
    if session.text("watch").is_some() {
        return watched::run(session, &call, &wanted).map(ExitCode::from);
    }
    let items = read(session, &wanted).and_then(|items| call.settled(items)).map_err(before_start)?;
    let mut files = Files::fixed();
    let command = call.command(&items, &mut files).map_err(before_start)?;
    match session.is_set("mask") {
        true => masked::run(command, patterns(session, &items), session.reporter),
        false => exec::become_or_run(command, files.need_us()),
    }
    .map(ExitCode::from)
}

/// What fails before the command is started is told from what the command itself says.
fn before_start(failure: Failure) -> Failure {
    match failure.exit() {
        Exit::Usage => failure,
        _ => failure.with_exit(Exit::NotStarted),
    }
}

fn wanted(session: &Session<'_>) -> Result<Wanted, Failure> {
    let wanted = Wanted::of(session)?.with_project(session)?;
    match wanted.is_empty() {
        true => Err(Failure::usage("no_sources", "there is nothing to give to the command")
            .cause("no source and no csms.toml is given; nothing was sent or started")
            .hint("csms exec --secret NAME -- COMMAND")),
        false => Ok(wanted),
    }
}

/// Reads everything. What is open to the services, or to local data, is closed before the command starts.
fn read(session: &Session<'_>, wanted: &Wanted) -> Result<Vec<Item>, Failure> {
    let connection = session.connect()?;
    connection.block_on(wanted.read(session, &connection))
}

/// What is to be hidden.
fn patterns(session: &Session<'_>, items: &[Item]) -> Patterns {
    let mut patterns = Patterns::default();
    for Item { name, value, origin, .. } in items.iter().filter(|item| item.is_secret) {
        if !patterns.add(origin, value.expose_secret()) {
            session.reporter.warn(&format!("{name} is not hidden: its value is too short to be told from other text"));
        }
    }
    patterns
}
