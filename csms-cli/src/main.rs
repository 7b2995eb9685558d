//! `csms`: the command line over `csms-sdk`. It parses, calls and renders; everything a program could want is in
//! the SDK.

mod cli;
mod commands;
mod connection;
mod error;
mod exec;
mod input;
mod local;
mod output;
mod settings;
mod text;

use std::process::ExitCode;

use crate::error::{Failure, Reporter};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let reporter = Reporter::of_words(&words);
    match run(&words, &reporter) {
        Ok(code) => code,
        Err(failure) => {
            reporter.report(&failure);
            failure.exit()
        }
    }
}

fn run(words: &[String], reporter: &Reporter) -> Result<ExitCode, Failure> {
    let command = cli::command(words);
    let matches = match command.try_get_matches_from(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => {
            return output::print_help(&error, words).map(|()| ExitCode::SUCCESS);
        }
        Err(error) => return Err(cli::usage_error(&error)),
    };
    let outcome = match matches.subcommand() {
        Some(("api", matches)) => commands::api::run(matches, reporter),
        Some(("emulate", matches)) => return commands::emulate::run(matches, reporter),
        Some(("explain", matches)) => commands::explain::run(matches),
        Some(("whoami", matches)) => commands::whoami::run(matches, reporter),
        // clap has refused every other word and the absence of one.
        _ => Ok(()),
    };
    outcome.map(|()| ExitCode::SUCCESS)
}
