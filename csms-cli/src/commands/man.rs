//! `csms man`: the help of every command as manual pages, for packages.

use std::{fs, path::Path, path::PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_mangen::Man;
use serde_json::json;

use crate::{
    cli,
    config::Config,
    error::{Failure, Reporter},
    file,
    output::{self, Output},
};

/// The grammar of `man`.
pub(crate) fn command() -> Command {
    let command = Command::new("man").about("Prints csms(1), or writes all manual pages");
    let directory = Arg::new("directory").value_name("DIRECTORY").value_parser(value_parser!(PathBuf));
    command.arg(directory.help("Directory for the pages of all commands; default csms(1) alone, on stdout")).after_help(
        "Pages of commands are called csms-secret-get(1) and so on, those of operations csms-api-csms-CreateSecret(1). \
         `csms man | man -l -` shows the first.",
    )
}

/// Runs `man`. Those who make packages have no settings.
pub(crate) fn run(matches: &ArgMatches, reporter: &Reporter) -> Result<(), Failure> {
    let output = Output::of(matches, &Config::unread())?;
    // The flags that every command takes are told by the first page alone.
    let first = cli::command(&["csms".to_owned()]).disable_help_subcommand(true);
    let Some(directory) = matches.get_one::<PathBuf>("directory") else {
        return output::print(&render(first));
    };
    fs::create_dir_all(directory).map_err(|error| file::unwritable(directory, &error))?;
    let mut pages = 1;
    write(directory, first)?;
    let mut all = cli::whole().disable_help_subcommand(true);
    all.build();
    for command in all.get_subcommands() {
        pages += write_all(directory, command)?;
    }
    let text = format!("wrote {pages} pages to {}", directory.display());
    output.done(reporter, &text, &json!({"pages": pages}))
}

fn write_all(directory: &Path, command: &Command) -> Result<usize, Failure> {
    write(directory, command.clone())?;
    command.get_subcommands().try_fold(1, |pages, inner| Ok(pages + write_all(directory, inner)?))
}

fn write(directory: &Path, command: Command) -> Result<(), Failure> {
    let path = directory.join(format!("{}.1", command.get_display_name().unwrap_or("csms")));
    file::write_public(&path, &render(command)).map_err(|error| file::unwritable(&path, &error))
}

fn render(command: Command) -> Vec<u8> {
    let mut page = Vec::new();
    let source = concat!("csms ", env!("CARGO_PKG_VERSION"));
    // Writing into memory does not fail.
    let _ = Man::new(command).source(source).manual("csms").render(&mut page);
    let mut text = String::with_capacity(page.len());
    for character in String::from_utf8_lossy(&page).chars() {
        match character.is_ascii() {
            true => text.push(character),
            // Which encoding a page has is anybody's guess; troff's own form of a character is not.
            false => text.push_str(&format!("\\[u{:04X}]", u32::from(character))),
        }
    }
    text.into_bytes()
}
