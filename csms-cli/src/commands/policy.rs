//! `csms policy`: the least IAM policy that a command line needs.

use std::{path::PathBuf, process::ExitCode};

use clap::{Arg, ArgAction, Command, value_parser};
use csms_sdk::{
    Operation as _, OperationInfo,
    iam::KeystoneListProjects,
    keys,
    policy::{Form, Policy, Resource},
};

use crate::{
    cli, commands,
    error::Failure,
    needs::{Need, Needs, When},
    project,
    session::Session,
    sources::Wanted,
    verb::Own,
};

/// `csms policy`.
pub(crate) const POLICY: Own = Own {
    name: "policy",
    about: "Prints the least IAM policy that a command needs",
    grammar,
    run,
    calls: |_| Ok(Needs::none()),
};

const AFTER_HELP: &str = "\
Nothing is called: what a command may do follows from its line, its files and csms.toml. Secrets are limited by their names, \
keys by their ids. What cannot be limited, and what is not known, is told on stderr; -v tells every call and when it is made.

  csms policy -- secret get db
  csms policy -- exec --secret db --prefix shop- -- ./server
  csms policy --form role --manifest > policy.json";

fn grammar(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    command
        .args([
            Arg::new("form")
                .long("form")
                .value_name("FORM")
                .value_parser(["v5", "role"])
                .default_value("v5")
                .help("An identity policy, version 5.0, or a custom policy of the older kind, version 1.1"),
            Arg::new("kms-key")
                .long("kms-key")
                .value_name("ID")
                .action(ArgAction::Append)
                .help("Key of your own that protects the secrets, by its id; may be repeated"),
            flag("helpful", "Allow as well what only helps: calls that save others, or explain a refusal"),
            Arg::new("manifest")
                .long("manifest")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .num_args(0..=1)
                .require_equals(true)
                .conflicts_with("command")
                .help("For what csms.toml of this directory, or this file, wants; instead of a command"),
            Arg::new("command")
                .value_name("COMMAND")
                .help("The words behind `csms`")
                .num_args(1..)
                .required_unless_present("manifest")
                .last(true),
        ])
        .after_help(AFTER_HELP)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let form = if session.text("form") == Some("role") { Form::Role } else { Form::Identity };
    let keys = session.words("kms-key").map(key).collect::<Result<Vec<_>, _>>()?;
    let needs = match session.matches.contains_id("command") {
        true => of_line(session)?,
        false => of_manifest(session)?,
    };
    let policy = policy(form, &needs, session.is_set("helpful"));
    let policy = keys.iter().chain(&needs.protecting).fold(policy, Policy::with_key_of_secrets);
    tell(session, &needs, &policy, keys.is_empty() && needs.protecting.is_empty());
    session.output.form(&policy.document())?;
    Ok(ExitCode::SUCCESS)
}

fn policy(form: Form, needs: &Needs, helpful: bool) -> Policy {
    let wanted = needs.calls.iter().filter(|need| helpful || !matches!(need.when, When::Helps(_)));
    wanted.fold(Policy::new(form), |policy, Need { info, on, .. }| match on {
        Some(on) => policy.allow_on(info, on.clone()),
        None => policy.allow(info),
    })
}

/// What the command behind `--` may call.
fn of_line(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut words = vec!["csms".to_owned()];
    // What is said of `csms policy` holds for the command, unless it says otherwise.
    for flag in ["region", "project"] {
        words.extend(session.text(flag).map(|value| format!("--{flag}={value}")));
    }
    words.extend(session.words("command").skip_while(|word| *word == "csms").map(str::to_owned));
    let matches = cli::command(&words).try_get_matches_from(&words).map_err(|error| match error.use_stderr() {
        true => cli::usage_error(&error, &words),
        false => Failure::usage("no_command", "help and versions call nothing")
            .cause("there is nothing that a policy could allow")
            .hint("csms policy -- COMMAND"),
    })?;
    match commands::named(&matches) {
        Some((command, matches)) => command.calls(matches, session.reporter),
        // clap has refused every other word and the absence of one.
        None => Ok(Needs::none()),
    }
}

/// What giving a program the values of a project file may call.
fn of_manifest(session: &Session<'_>) -> Result<Needs, Failure> {
    let project = match session.matches.get_one::<PathBuf>("manifest") {
        Some(path) => Some(project::read(path, session.reporter)?),
        None => project::find(session.reporter)?,
    };
    let project = project.ok_or_else(|| {
        Failure::usage("no_manifest", "there is no csms.toml here, nor in a directory above")
            .cause("--manifest is about what such a file wants")
            .hint("csms policy --manifest=FILE, or csms policy -- COMMAND")
    })?;
    let mut needs = Needs::of(session);
    Wanted::of_project(&project)?.needs(&mut needs);
    Ok(needs)
}

fn key(id: &str) -> Result<Resource, Failure> {
    match keys::is_id(id) {
        true => Ok(Resource::key(id)),
        false => Err(Failure::usage("invalid_value", "--kms-key is no id of a key")
            .cause("a policy names keys by their ids, and nothing is called to find one out")
            .hint("csms key describe KEY -o json -q key_info.key_id")),
    }
}

/// Says what the policy leaves open.
fn tell(session: &Session<'_>, needs: &Needs, policy: &Policy, is_without_key: bool) {
    let note = |text: &str| session.reporter.note(text);
    let listed = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(", ");
    if session.settings.is_verbose() {
        needs.calls.iter().for_each(|need| note(&line(need)));
    }
    if needs.calls.is_empty() {
        note("it calls nothing that would need a permission");
        return;
    }
    if !policy.unlimited().is_empty() {
        let actions = listed(&mut policy.unlimited().into_iter());
        note(&format!("allowed on everything, as it cannot be limited or is not known to what: {actions}"));
    }
    if !needs.names_of_keys.is_empty() {
        let mut names: Vec<_> = needs.names_of_keys.iter().map(String::as_str).collect();
        names.dedup();
        note(&format!("keys that are not called by their ids cannot be limited to: {}", names.join(", ")));
    }
    let mut unpublished: Vec<_> = policy.unpublished().to_vec();
    if !needs.has_project && !unpublished.iter().any(|info| std::ptr::eq(*info, KeystoneListProjects::INFO)) {
        unpublished.push(KeystoneListProjects::INFO);
    }
    if !unpublished.is_empty() {
        let names = listed(&mut unpublished.iter().map(|info| info.name));
        note(&format!("no permission is published for, so a role may have to be given: {names}"));
    }
    if is_without_key && !policy.needed_of_keys().is_empty() {
        let actions = listed(&mut policy.needed_of_keys().into_iter());
        note(&format!("secrets under a key of your own need more, which --kms-key ID adds: {actions}"));
    }
    if !policy.needed_elsewhere().is_empty() {
        let actions = listed(&mut policy.needed_elsewhere().into_iter());
        note(&format!("secrets of other services may need more: {actions}"));
    }
    let mut helpful: Vec<&OperationInfo> = Vec::new();
    for need in needs.calls.iter().filter(|need| matches!(need.when, When::Helps(_))) {
        if !session.is_set("helpful") && !helpful.iter().any(|known| std::ptr::eq(*known, need.info)) {
            helpful.push(need.info);
        }
    }
    if !helpful.is_empty() {
        let names = listed(&mut helpful.iter().map(|info| info.name));
        note(&format!("not needed and left out, --helpful adds them: {names}"));
    }
}

/// `csms/ShowSecret, where the secret exists`
fn line(need: &Need) -> String {
    let id = need.info.id();
    match need.when {
        When::Always => id,
        When::Only(condition) => format!("{id}, where {condition}"),
        When::Helps(purpose) => format!("{id}, which only {purpose}"),
    }
}
