//! `csms whoami`: as whom and where calls go, and who said so. Shows no secret.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    Client, Error, Operation as _, Service,
    credentials::{Credentials, Provided},
    iam::KeystoneListProjects,
};
use serde_json::{Map, Value as Json, json};

use crate::{
    error::Failure, mask::shortened_key, needs::Needs, output::Output, session::Session, settings::Settings, verb::Own,
};

pub(crate) const WHOAMI: Own = Own {
    name: "whoami",
    about: "Shows credentials, region, project and endpoints in use, and where each comes from",
    grammar,
    run,
    calls,
};

fn grammar(command: Command) -> Command {
    command.arg(
        Arg::new("no-lookup")
            .long("no-lookup")
            .action(ArgAction::SetTrue)
            .help("Do not ask IAM for a project id that is not given"),
    )
}

/// Prints what is known even where something is missing, and then fails with what is missing.
fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let settings = &session.settings;
    let connection = session.connect()?;
    let client = &connection.client;
    let (credentials, project) = connection.block_on(async {
        let credentials = client.credentials().await;
        let project = match (&settings.project, &credentials) {
            (Some(project), _) => Some(Ok(Fact::new(&project.value, &*project.origin))),
            // Without credentials nothing can be asked, and that is told already.
            (None, Err(_)) => None,
            (None, Ok(_)) if session.is_set("no-lookup") => None,
            (None, Ok(provided)) => Some(project(client, provided).await),
        };
        (credentials, project)
    });

    let mut facts = Vec::new();
    let mut failures = Vec::new();
    match credentials {
        Ok(provided) => facts.extend(identity(&provided)),
        Err(error) => {
            facts.push(("credentials", Fact::new("none", "")));
            failures.push(error);
        }
    }
    if let Some(chosen) = &settings.chosen {
        facts.push(("profile", Fact::new(&chosen.name.value, &*chosen.name.origin)));
    }
    facts.push(("region", region(settings, client)));
    match project {
        Some(Ok(fact)) => facts.push(("project", fact)),
        Some(Err(error)) => {
            facts.push(("project", Fact::unknown()));
            failures.push(error);
        }
        None => facts.push(("project", Fact::unknown())),
    }
    for (name, service) in [
        ("csms_endpoint", Service::Csms),
        ("kms_endpoint", Service::Kms),
        ("iam_endpoint", Service::Iam),
        ("sts_endpoint", Service::Sts),
    ] {
        facts.push((name, client.endpoint(service).map_or(Fact::unknown(), |(url, origin)| Fact::new(url, origin))));
    }
    if let Some(local) = &settings.local {
        facts.push(("local_data", Fact::new(local.file.display().to_string(), local.origin)));
    }
    print(&facts, &session.output)?;
    failures.into_iter().next().map_or(Ok(ExitCode::SUCCESS), |error| Err(error.into()))
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    if session.settings.project.is_none() && !session.is_set("no-lookup") {
        needs.only("the credentials name no project", &None, &[KeystoneListProjects::INFO]);
    }
    Ok(needs)
}

/// A setting and where it comes from.
pub(super) struct Fact {
    pub(super) value: Option<String>,
    pub(super) origin: String,
}

impl Fact {
    fn new(value: impl Into<String>, origin: impl Into<String>) -> Self {
        Self { value: Some(value.into()), origin: origin.into() }
    }

    fn unknown() -> Self {
        Self { value: None, origin: String::new() }
    }
}

/// What kind of credentials they are, and which key, if it is one.
pub(super) fn kind(credentials: &Credentials) -> (&'static str, Option<String>) {
    match credentials {
        Credentials::Keys(keys) if keys.security_token.is_some() => {
            ("temporary access key", Some(shortened_key(&keys.access_key)))
        }
        Credentials::Keys(keys) => ("permanent access key", Some(shortened_key(&keys.access_key))),
        _ => ("user token", None),
    }
}

fn identity(provided: &Provided) -> Vec<(&'static str, Fact)> {
    let (kind, key) = kind(&provided.credentials);
    let mut facts = vec![("credentials", Fact::new(kind, &provided.origin))];
    facts.extend(key.map(|key| ("access_key", Fact::new(key, &provided.origin))));
    let expiry = provided.credentials.expires_at();
    facts.extend(expiry.map(|time| ("expires_at", Fact::new(time.to_string(), &provided.origin))));
    facts
}

fn region(settings: &Settings, client: &Client) -> Fact {
    match (&settings.region, client.region()) {
        (Some(region), _) => Fact::new(&region.value, &*region.origin),
        (None, Some(region)) => Fact::new(region, "the place of the credentials"),
        (None, None) => Fact::unknown(),
    }
}

pub(super) async fn project(client: &Client, provided: &Provided) -> Result<Fact, Error> {
    let id = client.project_id().await?;
    let origin = if provided.project_id.as_deref() == Some(id) { provided.origin.as_str() } else { "looked up in IAM" };
    Ok(Fact::new(id, origin))
}

fn print(facts: &[(&'static str, Fact)], output: &Output) -> Result<(), Failure> {
    let rows: Vec<_> = facts
        .iter()
        .map(|(name, fact)| {
            vec![(*name).to_owned(), fact.value.clone().unwrap_or_else(|| "unknown".to_owned()), fact.origin.clone()]
        })
        .collect();
    let json: Map<_, _> = facts
        .iter()
        .map(|(name, fact)| {
            let origin = Some(&fact.origin).filter(|origin| !origin.is_empty());
            ((*name).to_owned(), json!({"value": fact.value, "origin": origin}))
        })
        .collect();
    // Few rows, of which every word counts: never cut.
    output.rows(&["SETTING", "VALUE", "FROM"], &rows, usize::MAX, &Json::Object(json))
}
