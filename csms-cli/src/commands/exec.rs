//! `csms exec`: a command with secrets in its environment.

mod environment;
mod masked;
mod memory;

use std::{ffi::OsString, process::ExitCode};

use clap::{Arg, ArgAction, Command, value_parser};

use self::memory::MemoryFile;
use crate::{
    ci,
    error::{Exit, Failure},
    exec,
    redactor::Patterns,
    session::{self, Session},
    sources::{self, Item, Wanted},
    verb::Own,
};

/// `csms exec`.
pub(crate) const EXEC: Own =
    Own { name: "exec", about: "Runs a command with secrets in its environment", grammar, run };

const AFTER_HELP: &str = "\
Of two sources that have a name in common the later one in the list above counts, and csms.toml of this directory or the \
nearest one above it counts most. Everything is read before the command is started, and the command takes the place of \
csms: signals, terminal and exit code are its own.

These are not set unless --env names them: PATH, HOME, SHELL, LD_*, DYLD_*, IFS, BASH_ENV, NODE_OPTIONS, PYTHON*.

  csms exec --secret db -- ./server --port 8080
  csms exec --env PGPASSWORD=db#password --file PGSSLKEY=db-tls#key -- psql

With --mask csms stays in front of the command: it passes on signals, and takes its exit code. Values of less than four \
bytes are not hidden. A pause in the output can be longer where what was printed may be the beginning of a value.

Exit codes: those of the command; 125 where csms fails before it is started, 126 where it cannot be run, 127 where there \
is none, 2 where the line cannot be right.";

fn grammar(command: Command) -> Command {
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
                .help("First print what has the CI system hide the values in its logs"),
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

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let mut words = session.matches.get_many::<OsString>("command").into_iter().flatten();
    let mut command = std::process::Command::new(words.next().cloned().unwrap_or_default());
    command.args(words);
    // These are inherited, and have to be there when the command starts.
    let mut patterns = session.is_set("mask").then(Patterns::default);
    let files = prepare(session, &mut command, patterns.as_mut()).map_err(|failure| match failure.exit_code() {
        Exit::Usage => failure,
        _ => failure.with_exit(Exit::NotStarted),
    })?;
    if let Some(patterns) = patterns {
        return masked::run(command, patterns).map(ExitCode::from);
    }
    exec::become_or_run(command, !files.is_empty() && !MemoryFile::OUTLIVES_US).map(ExitCode::from)
}

/// Gives the command its environment, and tells what is to be hidden.
fn prepare(
    session: &Session<'_>,
    command: &mut std::process::Command,
    mut patterns: Option<&mut Patterns>,
) -> Result<Vec<MemoryFile>, Failure> {
    let wanted = Wanted::of(session)?.with_project()?;
    if wanted.is_empty() {
        return Err(Failure::usage("no_sources", "there is nothing to give to the command")
            .cause("no source and no csms.toml is given; nothing was sent or started")
            .hint("csms exec --secret NAME -- COMMAND"));
    }
    session::hold_values_until_exec();
    // What is open to the services, or to local data, is closed before the command starts.
    let items = wanted.read(session, &session.connect()?)?;
    if session.is_set("ci-mask") {
        ci::mask(items.iter().map(|item| item.value.expose_secret()), session.reporter)?;
    }
    let inherited = environment::inherited(session);
    let items = environment::without_conflicts(session, items, &inherited)?;
    command.env_clear().envs(inherited);
    let mut files = Vec::new();
    for item in &items {
        let Item { name, value, origin, is_file, .. } = item;
        if patterns.as_mut().is_some_and(|patterns| !patterns.add(origin, value.expose_secret())) {
            session.reporter.warn(&format!("{name} is not hidden: its value is too short to be told from other text"));
        }
        match is_file {
            true => {
                let file = MemoryFile::with(value).map_err(|error| {
                    Failure::new(Exit::NotStarted, "memory_file", format!("{origin}: the file cannot be made"))
                        .cause(error.to_string())
                        .hint(format!("--env {name}=REF gives the value itself"))
                })?;
                command.env(name, file.path());
                files.push(file);
            }
            false => {
                command.env(name, environment::value(item)?);
            }
        }
    }
    Ok(files)
}
