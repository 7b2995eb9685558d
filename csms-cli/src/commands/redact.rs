//! `csms redact`: a stream without the values in it.

use std::{io, process::ExitCode};

use clap::Command;

use crate::{
    error::{Exit, Failure},
    input,
    needs::Needs,
    output, redactor,
    session::Session,
    sources::{self, Wanted},
    verb::Own,
};

/// `csms redact`.
pub(crate) const REDACT: Own = Own {
    name: "redact",
    about: "Copies stdin to stdout, with **** in place of the values of secrets",
    grammar,
    run,
    calls,
};

const AFTER_HELP: &str = "\
The sources are those of `csms exec`, but names of variables do not matter. Without sources it is csms.toml that says which \
values. They are hidden as they are and in their Base64, URL and JSON \
forms; of JSON also each field. Nothing is passed on before all values are read, nor where one of them cannot be.

--prefix '' is every secret of the region. Values of less than four bytes are not hidden, which is warned about. What may \
be the beginning of a value waits for what follows it.

  ./deploy 2>&1 | csms redact --secret db --prefix deploy- | tee deploy.log
  csms redact --env-file .env < crash.log > crash-to-share.log";

fn grammar(command: Command) -> Command {
    sources::value_flags(command).after_help(AFTER_HELP)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    wanted(session)?.needs(&mut needs);
    Ok(needs)
}

fn wanted(session: &Session<'_>) -> Result<Wanted, Failure> {
    Wanted::of_values(session, "hidden", "csms redact --secret NAME")
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let wanted = wanted(session)?;
    input::take_stdin("the text to be copied")?;
    let patterns = wanted.patterns(session, &session.connect()?)?;
    redactor::copy(io::stdin().lock(), &patterns, output::print)?.map_err(|error| {
        Failure::new(Exit::Unexpected, "io", "stdin cannot be read to its end")
            .cause(format!("{error}; what came before was passed on"))
            .hint("run it again with a file or a pipe as stdin")
    })?;
    Ok(ExitCode::SUCCESS)
}
