//! `csms export`: values in the form that another program reads.

mod format;

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::SecretBytes;

use self::format::Form;
use crate::{
    ci,
    error::Failure,
    file,
    needs::Needs,
    session::Session,
    sources::{self, Wanted},
    verb::Own,
};

/// `csms export`.
pub(crate) const EXPORT: Own =
    Own { name: "export", about: "Prints secrets as variables, in the form of another program", grammar, run, calls };

const AFTER_HELP: &str = "\
Without references and sources it is csms.toml that says what is wanted. What a form cannot hold is refused by name, and \
nothing is printed.

  csms export db --format dotenv --to-file .env
  eval \"$(csms export db --format shell)\"
  csms export db --format k8s --name db | kubectl apply -f -
  csms export db --format github-env >> \"$GITHUB_ENV\"";

fn grammar(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    sources::flags(command)
        .arg(Arg::new("reference").value_name("REFERENCE").num_args(0..).help("As --secret"))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORM")
                .value_parser(Form::NAMES)
                .default_value("dotenv")
                .help("What reads it"),
        )
        .arg(Arg::new("name").long("name").value_name("NAME").help("Name of the Secret, for k8s"))
        .args(file::flags())
        .args([flag("ci-mask", "First say on stderr what has the CI system hide the values in its logs")])
        .after_help(AFTER_HELP)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    wanted(session)?.needs(&mut needs);
    Ok(needs)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let form = Form::of(session.text("format").unwrap_or_default(), session.text("name"))?;
    file::check_target(session)?;
    let wanted = wanted(session)?;
    let connection = session.connect()?;
    let items = connection.block_on(wanted.read(session, &connection))?;
    let mut out = SecretBytes::default();
    form.write(&items, &mut out)?;
    form.doubts(&items).iter().for_each(|doubt| session.reporter.warn(doubt));
    if session.is_set("ci-mask") {
        ci::mask(sources::secrets(&items), true, session.reporter)?;
    }
    file::deliver(session, out.expose_secret())?;
    Ok(ExitCode::SUCCESS)
}

fn wanted(session: &Session<'_>) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::of(session)?;
    for reference in session.words("reference") {
        wanted.secret("export", reference)?;
    }
    if wanted.is_empty() {
        wanted = wanted.with_project(session)?;
    }
    match wanted.is_empty() {
        true => Err(Failure::usage("no_sources", "there is nothing to be exported")
            .cause("no reference, no source and no csms.toml is given; nothing was sent")
            .hint("csms export NAME")),
        false => Ok(wanted),
    }
}
