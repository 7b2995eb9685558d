//! `csms key create`: a new key, and no other that has the name.

use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    Error, Operation as _, keys,
    kms::{BatchCreateKmsTags, CreateKey, KeyOrigin, KeyState, ListKeyDetail, ListKeys, TagItem},
};
use serde_json::{Map, Value as Json, json};

use super::parts;
use crate::{
    commands::api::dry_run,
    error::Failure,
    needs::Needs,
    output::Column,
    params,
    session::Session,
    text::shell_word,
    verb::{Own, change_flags},
};

pub(super) const CREATE: Own = Own { name: "create", about: "Creates a key", grammar, run, calls };

/// Members of the request, and the flags for them.
const FLAGS: [(&str, &str); 6] = [
    ("key_spec", "spec"),
    ("key_usage", "usage"),
    ("key_description", "description"),
    ("origin", "origin"),
    ("keystore_id", "store"),
    ("enterprise_project_id", "enterprise-project"),
];

fn grammar(command: Command) -> Command {
    let flags = FLAGS.iter().filter_map(|(field, flag)| {
        let field = CreateKey::INFO.request.field(field)?;
        Some(params::arg(flag, (*flag).to_owned(), field))
    });
    command
        .arg(Arg::new("name").value_name("NAME").required(true).help("Name of the key"))
        .args(flags)
        .arg(parts::option("tag", "KEY=VALUE", "A tag; repeat the flag for each").action(ArgAction::Append))
        .args(change_flags())
        .after_help(
            "A key of the origin `external` has no material and cannot be used before it gets some: \
             csms key import-material.",
        )
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = session.text("name").unwrap_or_default();
    let tags = session.words("tag").map(tag).collect::<Result<Vec<_>, _>>()?;
    if session.is_set("dry-run") {
        return would(session, name);
    }
    let connection = session.connect()?;
    let created = connection.block_on(keys::create(&connection.client, request(session, name)));
    let details = created.map_err(|error| told(session, name, error))?;
    let id = details.key_id.unwrap_or_default();
    let tagged = match tags.is_empty() {
        true => Ok(()),
        false => {
            let request = BatchCreateKmsTags::new(&id, "create", tags);
            connection.block_on(request.send(&connection.client)).map(drop)
        }
    };
    // The key is there, tagged or not.
    let json = json!({"key_info": {"key_id": id, "domain_id": details.domain_id}});
    session.output.facts(&json["key_info"], &[Column::of("ID", "key_id")], &json)?;
    if details.origin == Some(KeyOrigin::External) {
        session.reporter.note(&format!("{name} waits for its material: csms key import-material {}", shell_word(name)));
    }
    tagged.map_err(|error| {
        let words: Vec<_> = session.words("tag").map(shell_word).collect();
        let failure = Failure::from(error);
        let what = format!("{name} was created, and has no tags: {}", failure.what());
        failure.renamed(what).hint(format!("csms key tag add {id} {}", words.join(" ")))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    if session.is_set("dry-run") {
        return Ok(needs);
    }
    needs.always(&None, &[CreateKey::INFO]);
    needs.helps("makes sure that the key is a new one", &None, &[ListKeyDetail::INFO]);
    needs.only("the name is taken", &None, &[ListKeys::INFO]);
    if session.words("tag").next().is_some() {
        needs.always(&None, &[BatchCreateKmsTags::INFO]);
    }
    Ok(needs)
}

fn request(session: &Session<'_>, name: &str) -> CreateKey {
    let text = |flag| session.text(flag).map(str::to_owned);
    let mut request = CreateKey::new(name);
    request.key_spec = session.text("spec").map(Into::into);
    request.key_usage = session.text("usage").map(Into::into);
    request.origin = session.text("origin").map(Into::into);
    request.key_description = text("description");
    request.keystore_id = text("store");
    request.enterprise_project_id = text("enterprise-project");
    request
}

fn would(session: &Session<'_>, name: &str) -> Result<ExitCode, Failure> {
    let mut request = Map::from_iter([("key_alias".to_owned(), name.into())]);
    for (field, flag) in FLAGS {
        request.extend(session.text(flag).map(|text| (field.to_owned(), text.into())));
    }
    let request = Json::Object(request).into();
    session.output.json(&dry_run::request(CreateKey::INFO, &request, &session.settings, true)?)?;
    Ok(ExitCode::SUCCESS)
}

fn tag(pair: &str) -> Result<TagItem, Failure> {
    match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok(TagItem::new(key).value(value)),
        _ => Err(Failure::usage("invalid_value", "--tag takes a key and a value")
            .cause("there is no `=` behind a key; nothing was sent")
            .hint("--tag team=shop")),
    }
}

/// A name that belongs to a key that is about to go can be had in two ways.
fn told(session: &Session<'_>, name: &str, error: Error) -> Failure {
    let is_pending = error.last_state() == Some(KeyState::PendingDeletion.to_string().as_str());
    let failure = session.placed(error.into());
    match is_pending {
        true => failure
            .renamed(format!("the name \"{name}\" belongs to a key that is to be deleted; none was created"))
            .hint(format!("csms key undelete {}; or use another name", shell_word(name))),
        false => failure,
    }
}
