//! `csms`: the command line over `csms-sdk`. It parses, calls and renders; everything a program could want is in
//! the SDK.

mod ci;
mod cli;
mod commands;
mod connection;
mod dotenv;
mod error;
mod exec;
mod file;
mod input;
mod local;
mod mask;
mod output;
mod params;
mod project;
mod redactor;
mod resolve;
mod session;
mod settings;
mod sources;
mod subject;
mod text;
mod verb;

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
    let found = matches
        .subcommand()
        .and_then(|(name, matches)| Some((commands::ALL.iter().find(|command| command.name() == name)?, matches)));
    match found {
        Some((command, matches)) => command.run(matches, reporter),
        // clap has refused every other word and the absence of one.
        None => Ok(ExitCode::SUCCESS),
    }
}
