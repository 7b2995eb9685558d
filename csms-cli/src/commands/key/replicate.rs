//! `csms key replicate`: copies of a key in other regions.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    Operation as _,
    kms::{DecryptData, EncryptData, ListKeyDetail, ListKeys, ReplicateKey, ShowKmsTags, ShowPublicKey},
    policy::Resource,
    replicate::{ReplicaKeyRegion, ReplicateKeyToRegions},
};

use crate::{
    commands::replication::{deadline, follow, regions, report, wait, would},
    error::Failure,
    input,
    needs::Needs,
    session::Session,
    subject::{self, KEY},
    verb::{Own, change_flags},
};

pub(super) const REPLICATE: Own = Own {
    name: "replicate",
    about: "Copies a key to other regions, under its name and with its tags",
    grammar,
    run,
    calls,
};

fn grammar(command: Command) -> Command {
    let alias = Arg::new("alias").long("alias").value_name("REGION=NAME").action(ArgAction::Append);
    command
        .args([
            KEY.arg(),
            regions("to", "Regions, with commas between them"),
            alias.help("Name of the copy in a region, where it is to have another one; may be repeated"),
            wait(),
        ])
        .args(change_flags())
        .after_help("Asking again is harmless. Exit code 12: some regions failed; the table says which, and why.")
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    const TAKEN: &str = "a region has a key of this name, which may be a copy";
    let mut needs = Needs::of(session);
    let key = needs.key_of(session, KEY.field);
    if session.is_set("dry-run") {
        return Ok(needs);
    }
    needs.always(&key, &[ListKeyDetail::INFO, ShowKmsTags::INFO, ReplicateKey::INFO]);
    needs.only(TAKEN, &None, &[ListKeys::INFO]);
    needs.only(TAKEN, &key, &[EncryptData::INFO, ShowPublicKey::INFO]);
    for region in session.words("to") {
        let there = Some(Resource::key("*").in_region(region));
        needs.only(TAKEN, &there, &[DecryptData::INFO, ShowPublicKey::INFO]);
        if deadline(session)?.is_some() {
            needs.always(&there, &[ListKeyDetail::INFO]);
        }
    }
    Ok(needs)
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let word = session.text("key_id").unwrap_or_default();
    let names: Vec<&str> = session.words("to").collect();
    let mut targets: Vec<_> = names.iter().map(|region| (*region, ReplicaKeyRegion::new(*region))).collect();
    for pair in session.words("alias") {
        let (region, alias) = input::pair("--alias", "REGION=NAME", pair)?;
        let Some((_, target)) = targets.iter_mut().find(|(of, _)| *of == region) else {
            return Err(Failure::usage("invalid_value", format!("--alias {pair} names no region of --to"))
                .cause("nothing was sent")
                .hint("name it with --to as well"));
        };
        *target = target.clone().alias(alias);
    }
    let wait = deadline(session)?;
    let connection = session.connect()?;
    let key_id = connection.block_on(subject::key_id(&connection.client, word));
    let told = |failure| session.placed(subject::key_told(failure, word));
    let key_id = key_id.map_err(told)?;
    if session.is_set("dry-run") {
        return would(session, "key_id", word, "copy", "to", &names);
    }
    let mut request = ReplicateKeyToRegions::new(key_id, targets.into_iter().map(|(_, target)| target));
    if let Some(wait) = wait {
        request = request.wait(wait);
    }
    let outcome = connection.block_on(follow(session, request.start(&connection.client)));
    let replicated = outcome.map_err(|error| told(error.into()))?;
    report(&replicated).told(session, "regions did not get the copy", "run it again: what is done stays as it is")
}
