//! `csms`: the command line over `csms-sdk`. It parses, calls and renders; everything a program could want is in
//! the SDK.

mod audit;
mod ci;
mod cli;
mod commands;
mod complete;
mod config;
mod connection;
mod credentials;
mod directories;
mod dotenv;
mod error;
mod exec;
mod file;
mod input;
mod local;
mod log;
mod mask;
mod needs;
mod output;
mod params;
mod process;
mod project;
mod query;
mod redactor;
mod resolve;
mod session;
mod settings;
mod signals;
mod sources;
mod subject;
mod table;
mod text;
mod verb;

use std::process::ExitCode;

use crate::error::{Failure, Reporter};

fn main() -> ExitCode {
    if let Some(code) = complete::answer() {
        return code;
    }
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let reporter = Reporter::of_words(&words);
    match run(&words, &reporter) {
        Ok(code) => code,
        Err(failure) => {
            reporter.report(&failure);
            failure.exit_code()
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
        Err(error) => return Err(cli::usage_error(&error, words)),
    };
    match commands::named(&matches) {
        Some((command, matches)) => {
            // Before credentials come in. Help and such do without.
            process::protect();
            log::show(cli::innermost(matches), reporter);
            let outcome = command.run(matches, reporter);
            // Everything that changes something can be had as a dry run.
            if cli::innermost(matches).try_get_one::<bool>("dry-run").ok().flatten() == Some(&false) {
                complete::forget();
            }
            outcome
        }
        // clap has refused every other word and the absence of one.
        None => Ok(ExitCode::SUCCESS),
    }
}
