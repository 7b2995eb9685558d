//! `csms secret patch`: changes fields of a secret.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    ErrorKind, SecretString,
    store::{Difference, Patch, PutPlan, SecretStore},
};

use super::{
    diff,
    put::{Written, check_version, if_version},
};
use crate::{
    error::Failure,
    input::{self, Sources, Value},
    session::Session,
    subject::SECRET,
    verb::{Own, change_flags, exit_code_flag},
};

pub(super) const PATCH: Own = Own {
    name: "patch",
    about: "Changes fields of a JSON secret, and leaves the others as they are",
    grammar,
    run,
    calls: super::changes,
};

fn grammar(command: Command) -> Command {
    let field = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append)
    };
    let command = command.args([
        SECRET.arg(),
        field(
            "set",
            "FIELD=SOURCE",
            "Give a field the text of file://PATH, env://NAME or - for stdin; may be repeated",
        ),
        field("remove", "FIELD", "Remove a field; exit code 3 if it is not there; may be repeated"),
        if_version(),
        exit_code_flag().requires("dry-run"),
    ]);
    input::value_flags(command).mut_arg("generate", |arg| arg.hide(true)).args(change_flags()).after_help(
        "FIELD is the name of a field, or a JSON pointer to one inside of others, as /db/password; `csms get` \
             takes the same behind `#`. Without --set and --remove, an object is read from the value's source and merged \
             as RFC 7386 says: null removes a field if it is there, objects are merged at every level. What is not touched \
             stays byte for byte.",
    )
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = super::name(session)?;
    if let Some(version) = session.text("if-version") {
        check_version(version)?;
    }
    let changes = changes(session, &name)?;
    let connection = session.connect()?;
    let mut patch = SecretStore::new(&connection.client).patch(&name);
    for change in changes {
        patch = change(patch);
    }
    if let Some(version) = session.text("if-version") {
        patch = patch.if_version(version);
    }
    let told = |error| told(session, &name, error);
    if session.is_set("dry-run") {
        let (current, difference) = connection.block_on(patch.plan()).map_err(told)?;
        if difference == Difference::None {
            return Written::Planned(PutPlan::Unchanged { version: current }).tell(session, &name, true);
        }
        session.reporter.note(&diff::in_words(&difference));
        return Written::Planned(PutPlan::Update { current: Some(current) }).tell(session, &name, true);
    }
    let outcome = connection.block_on(patch.send()).map_err(told)?;
    Written::Done(outcome).tell(session, &name, true)
}

type Step = Box<dyn FnOnce(Patch) -> Patch>;

/// What is to be changed, in the order of removals, then values.
fn changes(session: &Session<'_>, name: &str) -> Result<Vec<Step>, Failure> {
    let mut steps: Vec<Step> = Vec::new();
    for field in session.words("remove") {
        let field = field.to_owned();
        steps.push(Box::new(move |patch| patch.remove(&field)));
    }
    let mut sources = Sources::new(session.reporter, false, session.is_set("allow-empty"), session.is_set("verbatim"));
    for argument in session.words("set") {
        // Nothing of an argument that may be a value is repeated.
        let Some((field, source)) = argument.split_once('=').filter(|(field, _)| !field.is_empty()) else {
            return Err(Failure::usage("invalid_value", "--set is not FIELD=SOURCE")
                .cause("nothing was sent")
                .hint("--set password=file://PATH, --set password=env://NAME, or --set password=-"));
        };
        let text = sources.secret(&format!("--set {field}"), source).map_err(|failure| match failure.code() {
            input::LITERAL => {
                failure.hint(format!("--set {field}=file://PATH, --set {field}=env://NAME, or --set {field}=-"))
            }
            _ => failure,
        })?;
        let field = field.to_owned();
        steps.push(Box::new(move |patch| patch.set(&field, &text)));
    }
    let has_source = ["from-file", "from-env", "dash"].iter().any(|source| session.text(source).is_some());
    match (steps.is_empty(), has_source || session.is_set("from-stdin")) {
        (false, false) => return Ok(steps),
        (false, true) => {
            return Err(Failure::usage("conflict", "an object and --set or --remove exclude each other")
                .cause("nothing was sent")
                .hint("put all changes into the object: null removes a field"));
        }
        (true, _) => {}
    }
    if session.text("generate").is_some() {
        return Err(Failure::usage("conflict", "--generate makes no object")
            .cause("nothing was sent")
            .hint(format!("csms secret password | csms secret patch {name} --set FIELD=-")));
    }
    match input::value(session, name)? {
        Value::Given(bytes) => {
            let text = input::utf8("patch", "what is to be merged", &bytes);
            let object = SecretString::from(text.map_err(|failure| failure.hint("save it as UTF-8"))?);
            Ok(vec![Box::new(move |patch: Patch| patch.merge(object))])
        }
        Value::Generated(_) => Ok(steps),
    }
}

fn told(session: &Session<'_>, name: &str, error: csms_sdk::Error) -> Failure {
    match error.field() {
        Some("secret") => Failure::usage("not_an_object", format!("secret {}", error.message()))
            .cause("only fields of a JSON object can be changed by themselves; nothing was written")
            .hint(format!("csms secret put {name} replaces the value")),
        Some("patch") => Failure::usage("not_an_object", format!("what is to be merged {}", error.message()))
            .cause("nothing was written")
            .hint(format!("give {{\"FIELD\": …}}, or use csms secret patch {name} --set FIELD=SOURCE")),
        Some("field") => Failure::usage("no_object", error.message())
            .cause("fields are set and removed in objects; nothing was written")
            .hint(format!("csms secret edit {name}, or csms secret put {name} with all of the value")),
        // Of a field no call can say this.
        _ if error.kind() == ErrorKind::NotFound && error.operation().is_none() => Failure::from(error)
            .cause("nothing was written")
            .hint("name one that is there; to remove it only if it is there, merge {\"FIELD\": null}"),
        _ => super::told(session, name, error),
    }
}
