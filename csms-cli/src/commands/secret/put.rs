//! `csms secret put`: gives a secret a value.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    Client, ErrorKind, Operation as _, SecretBytes, SecretString, Timestamp,
    csms::{
        CreateSecret, CreateSecretVersion, GenerateRandomPassword, ShowSecret, ShowSecretStage, ShowSecretVersion,
        UpdateSecretStage, UpdateVersion,
    },
    password::Password,
    reference::VersionRef,
    store::{NewValue, Put, PutOutcome, PutPlan, SecretStore},
};
use serde_json::json;

use crate::{
    error::{Exit, Failure},
    input::{self, Value},
    needs::Needs,
    session::Session,
    settings,
    subject::{self, SECRET},
    verb::{Own, change_flags, exit_code_flag},
};

pub(super) const PUT: Own =
    Own { name: "put", about: "Gives a secret a value, and creates it if it does not exist", grammar, run, calls };

fn grammar(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    let setting = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    input::value_flags(command.arg(SECRET.arg()))
        .args([
            setting("description", "TEXT", "Description of a secret that is created"),
            setting("kms-key", "KEY", "Key that protects a secret that is created: its id, name or alias"),
            setting("enterprise-project", "ID", "Enterprise project of a secret that is created"),
            setting("stage", "STAGE", "Stage of the new version instead of SYSCURRENT; may be repeated")
                .action(ArgAction::Append),
            setting("expires", "TIME", "When the new version expires, e.g. 2027-01-31T00:00:00Z"),
            if_version(),
            flag("force-version", "Make a new version even if the value is unchanged"),
            flag("replace", "Replace a JSON object even if the new value lacks some of its fields"),
            flag("binary", "Store it as bytes, even if it is text"),
        ])
        .args(change_flags())
        .arg(exit_code_flag().requires("dry-run"))
        .after_help(
            "The value is never an argument. Without a source a person is asked, and otherwise stdin is read. An \
             unchanged value is not written again. Text is stored as text, anything else as bytes.",
        )
}

/// `--if-version`, which cannot promise what its name says.
pub(super) fn if_version() -> Arg {
    Arg::new("if-version").long("if-version").value_name("VERSION").help(
        "Refuse to write unless this is the current version; best effort, as the service cannot compare and write in \
         one step",
    )
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = super::name(session)?;
    let expires = session.text("expires").map(|text| settings::time("--expires", text)).transpose()?;
    if let Some(version) = session.text("if-version") {
        check_version(version)?;
    }
    session.words("stage").try_for_each(|stage| subject::stage("--stage", stage).map(drop))?;
    let value = input::value(session, &name)?;
    let connection = session.connect()?;
    let outcome = connection.block_on(async {
        let value = made(session, &connection.client, value).await?;
        let put = put(session, &connection.client, &name, value, expires).await?;
        match session.is_set("dry-run") {
            true => put.plan().await.map(Written::Planned),
            false => put.send().await.map(Written::Done),
        }
        .map_err(|error| told(session, &name, error))
    })?;
    if !matches!(outcome, Written::Done(PutOutcome::Created { .. }) | Written::Planned(PutPlan::Create))
        && ["description", "kms-key", "enterprise-project"].iter().any(|flag| session.text(flag).is_some())
    {
        session.reporter.note(&format!("{name} exists: its description, key and enterprise project stay as they are"));
    }
    if let Written::Done(PutOutcome::Unchanged { version }) | Written::Planned(PutPlan::Unchanged { version }) =
        &outcome
        && let Some(time) = expires
    {
        session.reporter.note(&format!(
            "{version} of {name} expires as before; change that with: csms secret expire {name} {version} --at {time}"
        ));
    }
    // What is not current cannot be undone by going back.
    let is_current = session.words("stage").all(|stage| stage == "SYSCURRENT");
    outcome.tell(session, &name, is_current)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let secret = needs.subject(session)?;
    if session.text("generate").is_some() && !session.is_set("dry-run") {
        needs.always(&None, &[GenerateRandomPassword::INFO]);
    }
    if let Some(key) = session.text("kms-key") {
        needs.protecting(None, key);
    }
    // What is there does not matter.
    if session.is_set("force-version") && session.is_set("replace") && session.text("if-version").is_none() {
        needs.helps("tells the version that was current", &secret, &[ShowSecretStage::INFO]);
    } else {
        needs.always(&secret, &[ShowSecretStage::INFO]);
        needs.only("the secret exists", &secret, &[ShowSecretVersion::INFO]);
    }
    if session.is_set("dry-run") {
        return Ok(needs);
    }
    needs.only("there is no such secret", &secret, &[CreateSecret::INFO]);
    needs.only("the secret exists, with another value", &secret, &[CreateSecretVersion::INFO]);
    if session.text("expires").is_some() {
        needs.only("there is no such secret", &secret, &[UpdateVersion::INFO]);
    }
    if session.words("stage").any(|stage| stage != "SYSCURRENT") {
        needs.only("there is no such secret", &secret, &[UpdateSecretStage::INFO]);
    }
    needs.helps(super::WHY_REFUSED, &secret, &[ShowSecret::INFO]);
    Ok(needs)
}

/// The value to be stored; one that is generated is made now, and in a dry run by nobody else.
async fn made(session: &Session<'_>, client: &Client, value: Value) -> Result<NewValue, Failure> {
    match value {
        Value::Given(bytes) => Ok(new_value(bytes, session.is_set("binary"))),
        Value::Generated(policy) => {
            let rules: Password = policy.parse()?;
            let password = match session.is_set("dry-run") {
                true => rules.generate()?,
                false => rules.by_service(client).await?,
            };
            Ok(password.into())
        }
    }
}

/// Text as text, anything else as bytes.
fn new_value(bytes: SecretBytes, binary: bool) -> NewValue {
    match str::from_utf8(bytes.expose_secret()) {
        Ok(text) if !binary => SecretString::from(text).into(),
        _ => bytes.into(),
    }
}

async fn put(
    session: &Session<'_>,
    client: &Client,
    name: &str,
    value: NewValue,
    expires: Option<Timestamp>,
) -> Result<Put, Failure> {
    let mut put = SecretStore::new(client).put(name, value).stages(session.words("stage"));
    if let Some(description) = session.text("description") {
        put = put.description(description);
    }
    if let Some(key) = session.text("kms-key") {
        put = put.kms_key_id(subject::key_id(client, key).await?);
    }
    if let Some(project) = session.text("enterprise-project") {
        put = put.enterprise_project_id(project);
    }
    if let Some(time) = expires {
        put = put.expires(time);
    }
    if let Some(version) = session.text("if-version") {
        put = put.if_version(version);
    }
    if session.is_set("force-version") {
        put = put.force_version();
    }
    if !session.is_set("replace") {
        put = put.keep_fields();
    }
    Ok(put)
}

fn told(session: &Session<'_>, name: &str, error: csms_sdk::Error) -> Failure {
    match error.field() {
        Some("value") => Failure::usage("fields_lost", format!("the new value {}", error.message()))
            .cause("a field that is missing is rarely meant to go")
            .hint(format!("--replace writes it; csms secret patch {name} changes some fields and keeps the others")),
        // It is created where it is missing: nothing else could be told as not found.
        _ if error.kind() == ErrorKind::NotFound => error.into(),
        _ => subject::told_of_its_key(super::told(session, name, error), session.text("kms-key")),
    }
}

/// Refuses what is no id of a version, as the service compares ids.
pub(super) fn check_version(text: &str) -> Result<(), Failure> {
    match text.parse() {
        Ok(VersionRef::Id(_)) => Ok(()),
        _ => Err(Failure::usage("invalid_value", "--if-version is no id of a version")
            .cause("nothing was sent")
            .hint("write v3; csms get NAME -o json -q id shows it")),
    }
}

/// What has become of a value that was to be stored.
pub(super) enum Written {
    Done(PutOutcome),
    Planned(PutPlan),
}

impl Written {
    /// Says so, in one line or as JSON. The exit code is what `--exit-code` makes of it.
    pub(super) fn tell(&self, session: &Session<'_>, name: &str, is_current: bool) -> Result<ExitCode, Failure> {
        let undo = match is_current {
            true => format!("; undo with: csms secret rollback {name}"),
            false => String::new(),
        };
        let (outcome, text, version, previous) = match self {
            Self::Done(PutOutcome::Created { version }) => {
                ("created", format!("created {name} ({version})"), Some(version), None)
            }
            Self::Done(PutOutcome::Updated { version, previous }) => {
                ("updated", format!("updated {name} to {version}{undo}"), Some(version), previous.as_ref())
            }
            Self::Done(PutOutcome::Unchanged { version }) | Self::Planned(PutPlan::Unchanged { version }) => {
                ("unchanged", format!("unchanged {name} ({version})"), Some(version), None)
            }
            Self::Planned(PutPlan::Create) => ("created", format!("would create {name}"), None, None),
            Self::Planned(PutPlan::Update { current }) => {
                let at = current.as_ref().map(|current| format!(", now at {current}")).unwrap_or_default();
                ("updated", format!("would update {name}{at}"), None, current.as_ref())
            }
        };
        let mut answer = json!({
            "secret_name": name,
            "outcome": outcome,
            "version_id": version,
            "previous_version_id": previous,
        });
        if matches!(self, Self::Planned(_)) {
            answer["dry_run"] = true.into();
        }
        session.output.done(session.reporter, &text, &answer)?;
        Ok(match self {
            Self::Planned(PutPlan::Create | PutPlan::Update { .. }) if session.is_set("exit-code") => {
                Exit::Differences.into()
            }
            _ => ExitCode::SUCCESS,
        })
    }
}
