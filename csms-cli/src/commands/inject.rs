//! `csms inject`: a template with values in place of references.

mod template;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::{Arg, ArgAction, Command};
use csms_sdk::SecretBytes;
use serde_json::json;

use self::template::Piece;
use crate::{error::Failure, file, input, needs::Needs, resolve, session::Session, verb::Own};

/// `csms inject`.
pub(crate) const INJECT: Own =
    Own { name: "inject", about: "Prints a template with the values of secrets in it", grammar, run, calls };

const AFTER_HELP: &str = "\
Two forms are replaced, byte for byte, and everything else stays as it is:

  {{ csms://db@previous#password }}  whatever stands between the braces; {{ kms:BASE64 }} is decrypted
  csms://db#password                 up to the first character that is no letter, digit or one of -_.@~#/?=&%, \
without a dot, slash or question mark at the end

Nothing is quoted for the place that a value comes to. Where one reference fails, nothing is printed.";

fn grammar(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    command
        .arg(
            Arg::new("input")
                .long("input")
                .short('i')
                .value_name("FILE")
                .default_value("-")
                .help("The template; `-` for standard input"),
        )
        .args(file::flags())
        .args([flag("check", "Print nothing; fail where a reference does")])
        .after_help(AFTER_HELP)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let path = session.text("input").unwrap_or("-");
    let text = input::text("--input", path)?;
    let pieces = template::pieces(path, text.expose_secret())?;
    pieces.iter().filter_map(Piece::target).for_each(|target| needs.target(target));
    Ok(needs)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let path = session.text("input").unwrap_or("-");
    if path == "-" && io::stdin().is_terminal() {
        return Err(Failure::usage("no_template", "there is no template")
            .cause("stdin is a terminal; nothing was sent")
            .hint("csms inject --input FILE"));
    }
    file::check_target(session)?;
    let text = input::text("--input", path)?;
    let pieces = template::pieces(if path == "-" { "stdin" } else { path }, text.expose_secret())?;
    let targets: Vec<_> = pieces.iter().filter_map(Piece::target).cloned().collect();
    // A template without references needs nobody to be asked.
    let values = match targets.is_empty() {
        true => Vec::new(),
        false => {
            let connection = session.connect()?;
            connection.block_on(resolve::all(session, &connection, &targets))?
        }
    };
    if session.is_set("check") {
        let text = format!("references that can be read: {}", targets.len());
        session.output.done(session.reporter, &text, &json!({}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut values = values.iter();
    let mut out = SecretBytes::default();
    for piece in &pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Target(_) => out.extend_from_slice(values.next().map_or(&[], |value| value.expose_secret())),
        }
    }
    file::deliver(session, out.expose_secret())?;
    Ok(ExitCode::SUCCESS)
}
