//! `csms secret replica`: copies of a secret in other regions.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    Client, Operation as _,
    csms::{CreateSecretReplica, DeleteSecret, DeleteSecretReplica, ListSupportRegions, ShowSecret},
    kms::ListKeyDetail,
    replicate::{RemoveRegionsFromReplication, ReplicaRegion, ReplicateSecretToRegions},
};
use serde_json::json;

use crate::{
    commands::{
        replication::{add_status, deadline, follow, regions, report, wait, would},
        report::Report,
    },
    error::Failure,
    input,
    needs::Needs,
    output::Column,
    session::Session,
    subject::{self, SECRET},
    verb::{Noun, Own, Verb, change_flags},
};

pub(super) const NOUN: Noun = Noun {
    name: "replica",
    about: "Replicas: copies of a secret in other regions that follow it",
    verbs: &[
        Verb::Own(Own {
            name: "list",
            about: "Lists the replicas of a secret",
            grammar: of_secret,
            run: list,
            calls: calls_of_list,
        }),
        Verb::Own(Own {
            name: "add",
            about: "Replicates a secret to other regions",
            grammar: to,
            run: add,
            calls: calls_of_add,
        }),
        Verb::Own(Own {
            name: "rm",
            about: "Deletes the replicas of a secret in regions",
            grammar: from,
            run: rm,
            calls: calls_of_rm,
        }),
    ],
};

const COLUMNS: &[Column] = &[
    Column::of("REGION", "region"),
    Column::of("STATUS", "status"),
    Column::of("KEY", "kms_key_id"),
    Column::of("ID", "id"),
    Column::time("UPDATED", "updated_at"),
];

fn of_secret(command: Command) -> Command {
    command.arg(SECRET.arg())
}

fn to(command: Command) -> Command {
    command
        .args([
            SECRET.arg(),
            regions("to", "Regions, with commas between them"),
            Arg::new("kms-key")
                .long("kms-key")
                .value_name("REGION=KEY")
                .action(ArgAction::Append)
                .help("Key that protects the replica in a region: its id, name or alias there; may be repeated"),
            Arg::new("force")
                .long("force")
                .action(ArgAction::SetTrue)
                .help("Where a secret in a region has the name, delete it for good to make room; asks first"),
            wait(),
        ])
        .args(change_flags())
        .after_help("Asking again is harmless. Exit code 12: some regions failed; the table says which, and why.")
}

fn from(command: Command) -> Command {
    command.args([SECRET.arg(), regions("from", "Regions, with commas between them"), wait()]).args(change_flags())
}

fn list(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = super::name(session)?;
    let connection = session.connect()?;
    let request = json!({"secret_name": name});
    let members = request.as_object().cloned().unwrap_or_default();
    let answer = connection.block_on(connection.client.send_json(ShowSecret::INFO, &members));
    let answer = answer.map_err(|error| super::told(session, &name, error))?.into_body();
    let replicas = &answer.expose_secret()["secret"]["replicas"];
    let items = replicas.as_array().map_or(&[][..], Vec::as_slice);
    session.list(COLUMNS, items, &json!({"replicas": items}))?;
    Ok(ExitCode::SUCCESS)
}

fn add(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = super::name(session)?;
    let names: Vec<&str> = session.words("to").collect();
    let wait = deadline(session)?;
    let keys = keys(session, &names)?;
    let connection = session.connect()?;
    let targets = connection.block_on(targets(&connection.client, &names, &keys))?;
    if session.is_set("dry-run") {
        return would(session, "secret_name", &name, "replicate", "to", &names);
    }
    if session.is_set("force") {
        session.confirm(
            &format!("csms secret replica add {name} --force --to {}", names.join(",")),
            "A secret that has the name in one of them and is no replica is deleted for good.",
        )?;
    }
    let mut request =
        ReplicateSecretToRegions::new(&name, targets).force_overwrite_replica_secret(session.is_set("force"));
    if let Some(wait) = wait {
        request = request.wait(wait);
    }
    let outcome = connection.block_on(follow(session, request.start(&connection.client)));
    let replicated = outcome.map_err(|error| super::told(session, &name, error))?;
    report(&replicated).told(session, "regions did not get the replica", "run it again: what is done stays as it is")
}

fn rm(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = super::name(session)?;
    let regions: Vec<&str> = session.words("from").collect();
    let wait = deadline(session)?;
    if session.is_set("dry-run") {
        return would(session, "secret_name", &name, "delete the replicas of", "in", &regions);
    }
    session.confirm(
        &format!("csms secret replica rm {name} --from {}", regions.join(",")),
        "Programs there can no longer read it.",
    )?;
    let connection = session.connect()?;
    let mut request = RemoveRegionsFromReplication::new(&name, regions.iter().copied());
    if let Some(wait) = wait {
        request = request.wait(wait);
    }
    let outcome = connection.block_on(follow(session, request.start(&connection.client)));
    let left = outcome.map_err(|error| super::told(session, &name, error))?;
    let mut report = Report::new("REGION", "region");
    for region in regions {
        // What the answer does not hold is gone.
        match left.replication_status.iter().find(|status| status.region == region) {
            Some(status) => add_status(&mut report, status),
            None => report.add(region, "Absent", ""),
        }
    }
    report.told(session, "replicas were not deleted", "run it again with the regions that failed")
}

fn calls_of_list(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let secret = needs.subject(session)?;
    needs.always(&secret, &[ShowSecret::INFO]);
    Ok(needs)
}

fn calls_of_add(session: &Session<'_>) -> Result<Needs, Failure> {
    const TAKEN: &str = "a region has another secret of this name";
    let mut needs = Needs::of(session);
    let secret = needs.subject(session)?;
    let (name, regions) = (super::name(session)?, session.words("to").collect::<Vec<_>>());
    let keys = keys(session, &regions)?;
    let keys: Vec<_> = keys.into_iter().map(|(region, key)| needs.protecting(Some(region), key)).collect();
    if session.is_set("dry-run") {
        return Ok(needs);
    }
    needs.always(&secret, &[ShowSecret::INFO, CreateSecretReplica::INFO]);
    if session.is_set("force") {
        needs.only(TAKEN, &None, &[ListSupportRegions::INFO]);
        for key in &keys {
            needs.only(TAKEN, key, &[ListKeyDetail::INFO]);
        }
        for region in regions {
            let there = needs.secret_in(Some(region), &name);
            needs.only(TAKEN, &there, &[ShowSecret::INFO, DeleteSecret::INFO]);
        }
    }
    Ok(needs)
}

fn calls_of_rm(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let secret = needs.subject(session)?;
    if !session.is_set("dry-run") {
        needs.always(&secret, &[ShowSecret::INFO]);
        needs.only("there is a replica", &secret, &[DeleteSecretReplica::INFO]);
    }
    Ok(needs)
}

/// What `--kms-key` says of which region.
fn keys<'a>(session: &'a Session<'_>, regions: &[&str]) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    let pair = |word: &'a str| {
        let (region, key) = input::pair("--kms-key", "REGION=KEY", word)?;
        match regions.contains(&region) {
            true => Ok((region, key)),
            false => Err(Failure::usage("invalid_value", format!("--kms-key {word} names no region of --to"))
                .cause("nothing was sent")
                .hint("name it with --to as well")),
        }
    };
    session.words("kms-key").map(pair).collect()
}

/// The regions with the ids of their keys, which are looked up there.
async fn targets(client: &Client, regions: &[&str], keys: &[(&str, &str)]) -> Result<Vec<ReplicaRegion>, Failure> {
    let mut targets = Vec::new();
    for region in regions {
        let target = ReplicaRegion::new(*region);
        targets.push(match keys.iter().find(|(of, _)| of == region) {
            Some((_, key)) => target.kms_key_id(subject::key_id(&client.for_region(region)?, key).await?),
            None => target,
        });
    }
    Ok(targets)
}
