//! `csms secret`: everything about secrets.

mod backup;
mod diff;
mod edit;
pub(crate) mod get;
mod password;
mod patch;
mod put;
mod replica;
mod rm;
mod rollback;

use csms_sdk::{
    Error, Operation as _,
    csms::{
        BatchCreateOrDeleteTags, CreateGrants, CreateSecretEvent, CreateSecretVersion, DeleteGrant, DeleteSecretEvent,
        DeleteSecretStage, DeleteSecretTag, ListGrants, ListNotificationRecords, ListSecretEvents, ListSecretTags,
        ListSecretTask, ListSecretVersions, ListSecrets, RestoreSecret, RotateSecret, SecretState, ShowSecret,
        ShowSecretEvent, ShowSecretStage, ShowSecretVersion, UpdateGrant, UpdateSecret, UpdateSecretEvent,
        UpdateSecretStage, UpdateVersion,
    },
    reference::{Reference, VersionRef},
};

pub(crate) use self::diff::word;
use crate::{
    error::Failure,
    needs::Needs,
    output::Column,
    session::Session,
    subject::{self, NEW_STAGE, SECRET, SECRET_AS_RESOURCE, SECRET_BY_ID, Subject, VERSION},
    text::shell_word,
    verb::{Call, Flag, Noun, Verb},
};

/// `csms secret`.
pub(crate) static NOUN: Noun = Noun {
    name: "secret",
    about: "Secrets: read, write, rotate, replicate, delete and restore them",
    verbs: &[
        Verb::Own(get::GET),
        Verb::Own(put::PUT),
        Verb::Own(patch::PATCH),
        Verb::Own(edit::EDIT),
        Verb::Call(Call::list("list", ListSecrets::INFO, SECRETS).about("Lists secrets").flags(&[
            Flag::of("event_name").named("event"),
        ])),
        Verb::Call(
            Call::show("describe", ShowSecret::INFO, "secret", DETAILS)
                .about("Shows all about a secret but its value")
                .on(&[SECRET]),
        ),
        Verb::Call(
            Call::list("versions", ListSecretVersions::INFO, VERSIONS)
                .about("Lists the versions of a secret, without their values")
                .on(&[SECRET]),
        ),
        Verb::Own(diff::DIFF),
        Verb::Own(rollback::ROLLBACK),
        Verb::Call(
            Call::change("update", UpdateSecret::INFO, "updated {NAME}")
                .about("Changes the description, key or event of a secret; `put` changes its value")
                .on(&[SECRET])
                .flags(&[
                    Flag::of("description"),
                    Flag::of("kms_key_id").named("kms-key").key(),
                    Flag::of("event_subscriptions").named("event"),
                ]),
        ),
        Verb::Noun(Noun {
            name: "stage",
            about: "Stages: names that mark versions",
            verbs: &[
                Verb::Call(
                    Call::show("show", ShowSecretStage::INFO, "stage", STAGE)
                        .about("Shows which version a stage marks")
                        .on(&[SECRET, STAGE_NAME])
                        .lacking(NO_STAGE, VERSIONS_OF),
                ),
                Verb::Call(
                    Call::change("set", UpdateSecretStage::INFO, "{NAME}: {STAGE} now marks {VERSION}")
                        .about("Has a stage mark a version, and makes the stage where there is none")
                        .on(&[SECRET, NEW_STAGE, VERSION])
                        .lacking(NO_VERSION, VERSIONS_OF),
                ),
                Verb::Call(
                    Call::change("rm", DeleteSecretStage::INFO, "{NAME}: removed {STAGE}")
                        .about("Removes a stage; the version that it marks stays, but may be deleted by the service without any")
                        .on(&[SECRET, STAGE_NAME])
                        .lacking(NO_STAGE, VERSIONS_OF)
                        .destroys("Programs that read {NAME}@{STAGE} will find nothing."),
                ),
            ],
        }),
        Verb::Call(
            Call::change("expire", UpdateVersion::INFO, "{NAME}@{VERSION} expires at {at}")
                .about("Says when a version expires, which leads to a notification and no more")
                .on(&[SECRET, VERSION])
                .lacking(NO_VERSION, VERSIONS_OF)
                .flags(&[Flag::of("expire_time").named("at")]),
        ),
        Verb::Noun(Noun {
            name: "rotation",
            about: "Rotation: new values from the service, from time to time",
            verbs: &[
                Verb::Call(
                    Call::show("show", ShowSecret::INFO, "secret", ROTATION)
                        .about("Shows whether and how often a secret is rotated")
                        .on(&[SECRET]),
                ),
                Verb::Call(
                    Call::change("enable", UpdateSecret::INFO, "{NAME} is rotated every {period} from now on")
                        .about("Has a secret rotated, or says how often; not for those of the type COMMON")
                        .on(&[SECRET])
                        .fixed(&[("auto_rotation", "true")])
                        .flags(&[
                            Flag::of("rotation_period").named("period").required(),
                            Flag::of("rotation_func_urn").named("function"),
                        ]),
                ),
                Verb::Call(
                    Call::change("disable", UpdateSecret::INFO, "{NAME} is no longer rotated by itself")
                        .about("Stops the rotation of a secret; `csms secret rotate` still starts one")
                        .on(&[SECRET])
                        .fixed(&[("auto_rotation", "false")]),
                ),
            ],
        }),
        Verb::Call(
            Call::change("rotate", RotateSecret::INFO, "{NAME} is being rotated; follow it with: csms secret tasks --name {NAME}")
                .about("Starts a rotation now")
                .on(&[SECRET]),
        ),
        Verb::Call(Call::list("tasks", ListSecretTask::INFO, TASKS).about("Lists rotations and how they went").flags(&[
            Flag::of("secret_name").named("name"),
            Flag::of("status"),
            Flag::of("task_id").named("id"),
        ])),
        Verb::Own(rm::RM),
        Verb::Call(
            Call::change("restore", RestoreSecret::INFO, "{NAME} is in use again")
                .about("Takes back the scheduled deletion of a secret")
                .on(&[SECRET]),
        ),
        Verb::Noun(replica::NOUN),
        Verb::Own(backup::BACKUP),
        Verb::Own(backup::RESTORE_BACKUP),
        Verb::Own(password::PASSWORD),
        Verb::Noun(Noun {
            name: "tag",
            about: "Tags of secrets",
            verbs: &[
                Verb::Call(
                    Call::whole_list("list", ListSecretTags::INFO, "tags", TAGS)
                        .about("Lists the tags of a secret")
                        .on(&[SECRET_BY_ID]),
                ),
                Verb::Call(
                    Call::change("add", BatchCreateOrDeleteTags::INFO, "tagged {NAME}")
                        .about("Adds tags to a secret, or changes their values")
                        .on(&[SECRET_BY_ID, Subject::items("tags", "KEY=VALUE", "The tags")])
                        .fixed(&[("action", "create")]),
                ),
                Verb::Call(
                    Call::change("rm", DeleteSecretTag::INFO, "{NAME}: removed the tag {TAG}")
                        .about("Removes a tag from a secret")
                        .on(&[SECRET_BY_ID, Subject::text("key", "TAG", "Key of the tag")])
                        .lacking(r#"secret "{NAME}" has no tag "{TAG}""#, "csms secret tag list {NAME}"),
                ),
            ],
        }),
        Verb::Noun(Noun {
            name: "grant",
            about: "Grants: users and groups that may use a secret",
            verbs: &[
                Verb::Call(
                    Call::whole_list("list", ListGrants::INFO, "data.grantee_user", GRANTS)
                        .about("Lists who has been granted the use of a secret")
                        .on(&[SECRET_AS_RESOURCE]),
                ),
                Verb::Call(
                    Call::change("add", CreateGrants::INFO, "granted the use of {NAME}")
                        .about("Grants the use of a secret")
                        .on(&[SECRET_AS_RESOURCE])
                        .fixed(&[("type", "SECRET")])
                        .flags(GRANT),
                ),
                Verb::Call(
                    Call::change("update", UpdateGrant::INFO, "changed the grant of {NAME}")
                        .about("Changes until when a grant holds")
                        .on(&[SECRET_AS_RESOURCE])
                        .lacking(r#"secret "{NAME}" has no grant for "{to}""#, GRANTS_OF)
                        .fixed(&[("type", "SECRET")])
                        .flags(GRANT),
                ),
                Verb::Call(
                    Call::change("rm", DeleteGrant::INFO, "took back the grant of {NAME}")
                        .about("Takes back a grant")
                        .on(&[SECRET_AS_RESOURCE])
                        .lacking(r#"secret "{NAME}" has no grant for "{from}""#, GRANTS_OF)
                        .flags(&[Flag::of("grantee_user").named("from").required()])
                        .destroys("Programs of that user can no longer read it."),
                ),
            ],
        }),
        Verb::Noun(Noun {
            name: "event",
            about: "Events: notifications of what happens to secrets",
            verbs: &[
                Verb::Call(Call::list("list", ListSecretEvents::INFO, EVENTS).about("Lists events")),
                Verb::Call(
                    Call::show("describe", ShowSecretEvent::INFO, "event", EVENTS)
                        .about("Shows an event")
                        .on(&[EVENT_NAME]),
                ),
                Verb::Call(
                    Call::change("create", CreateSecretEvent::INFO, "created {EVENT}")
                        .about("Creates an event")
                        .on(&[Subject::text("name", "EVENT", "Name of the event")])
                        .flags(&[
                            Flag::of("event_types").named("type"),
                            Flag::of("state").default("ENABLED"),
                            Flag::of("notification"),
                        ]),
                ),
                Verb::Call(
                    Call::change("update", UpdateSecretEvent::INFO, "updated {EVENT}")
                        .about("Changes an event")
                        .on(&[EVENT_NAME])
                        .flags(&[Flag::of("event_types").named("type"), Flag::of("state"), Flag::of("notification")]),
                ),
                Verb::Call(
                    Call::change("rm", DeleteSecretEvent::INFO, "deleted {EVENT}")
                        .about("Deletes an event that no secret subscribes to")
                        .on(&[EVENT_NAME])
                        .destroys("Nobody is notified by it any more."),
                ),
                Verb::Call(
                    Call::whole_list("records", ListNotificationRecords::INFO, "records", RECORDS)
                        .about("Lists what has been notified"),
                ),
            ],
        }),
    ],
};

const STAGE_NAME: Subject = Subject::text("stage_name", "STAGE", "Name of the stage, e.g. SYSCURRENT");
const EVENT_NAME: Subject = Subject::text("event_name", "EVENT", "Name of the event");

/// What a secret can lack, and what shows what it has.
const NO_STAGE: &str = r#"secret "{NAME}" has no stage "{STAGE}""#;
const NO_VERSION: &str = r#"secret "{NAME}" has no version "{VERSION}""#;
const VERSIONS_OF: &str = "csms secret versions {NAME}";
const GRANTS_OF: &str = "csms secret grant list {NAME}";

/// Who may use a secret, and until when.
const GRANT: &[Flag] = &[
    Flag::of("grantee_target_id").named("to"),
    Flag::of("grantee_type").named("type").default("0"),
    Flag::of("validity_time").named("until"),
];

const SECRETS: &[Column] = &[
    Column::of("NAME", "name"),
    Column::of("STATE", "state"),
    Column::of("TYPE", "secret_type").spare(),
    Column::time("UPDATED", "update_time"),
    Column::time("DELETION", "scheduled_delete_time"),
    Column::of("DESCRIPTION", "description"),
];
const DETAILS: &[Column] = &[
    Column::of("NAME", "name"),
    Column::of("ID", "id"),
    Column::of("STATE", "state"),
    Column::of("TYPE", "secret_type"),
    Column::of("DESCRIPTION", "description"),
    Column::of("KEY", "kms_key_id"),
    Column::time("CREATED", "create_time"),
    Column::time("UPDATED", "update_time"),
    Column::time("LAST USED", "last_used_time"),
    Column::time("DELETION", "scheduled_delete_time"),
    Column::of("AUTO ROTATION", "auto_rotation"),
    Column::of("PERIOD", "rotation_period"),
    Column::time("ROTATED", "rotation_time"),
    Column::time("NEXT ROTATION", "next_rotation_time"),
    Column::of("FUNCTION", "rotation_func_urn"),
    Column::of("EVENTS", "event_subscriptions"),
    Column::of("ENTERPRISE PROJECT", "enterprise_project_id"),
    Column::of("REPLICATION", "replica_type"),
];
const ROTATION: &[Column] = &[
    Column::of("AUTOMATIC", "auto_rotation"),
    Column::of("PERIOD", "rotation_period"),
    Column::time("LAST", "rotation_time"),
    Column::time("NEXT", "next_rotation_time"),
    Column::of("FUNCTION", "rotation_func_urn"),
];
const VERSIONS: &[Column] = &[
    Column::of("VERSION", "id"),
    Column::of("STAGES", "version_stages"),
    Column::time("CREATED", "create_time"),
    Column::time("EXPIRES", "expire_time"),
    Column::of("KEY", "kms_key_id").spare(),
];
const STAGE: &[Column] =
    &[Column::of("STAGE", "name"), Column::of("VERSION", "version_id"), Column::time("MOVED", "update_time")];
const TASKS: &[Column] = &[
    Column::of("NAME", "secret_name"),
    Column::of("STATUS", "task_status"),
    Column::time("TIME", "task_time"),
    Column::of("ATTEMPTS", "attempt_nums").spare(),
    Column::of("KIND", "operate_type").spare(),
    Column::of("ERROR", "task_error_msg"),
    Column::of("ID", "task_id"),
];
const TAGS: &[Column] = &[Column::of("KEY", "key"), Column::of("VALUE", "value")];
const GRANTS: &[Column] = &[
    Column::of("USER", "user_name"),
    Column::of("ID", "user_id"),
    Column::time("UNTIL", "validity_time"),
    Column::time("CREATED", "create_time"),
];
const EVENTS: &[Column] = &[
    Column::of("NAME", "name"),
    Column::of("STATE", "state"),
    Column::of("TYPES", "event_types"),
    Column::of("TARGET", "notification.target_name"),
    Column::time("UPDATED", "update_time"),
];
const RECORDS: &[Column] = &[
    Column::time("TIME", "create_time"),
    Column::of("SECRET", "secret_name"),
    Column::of("EVENT", "event_name"),
    Column::of("TYPE", "trigger_event_type"),
    Column::of("STATUS", "notification_status"),
    Column::of("TARGET", "notification_target_name"),
];

/// What a look at a secret is for that could not be written.
pub(crate) const WHY_REFUSED: &str = "tells why the secret cannot be written";

/// Reading the current version of the secret that a verb is about, and writing a new one unless that is a dry run.
fn changes(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    let secret = needs.subject(session)?;
    needs.always(&secret, &[ShowSecretStage::INFO, ShowSecretVersion::INFO]);
    if !session.is_set("dry-run") {
        needs.only("something is changed", &secret, &[CreateSecretVersion::INFO]);
        needs.helps(WHY_REFUSED, &secret, &[ShowSecret::INFO]);
    }
    Ok(needs)
}

/// The name of the secret that a verb is about.
fn name(session: &Session<'_>) -> Result<String, Failure> {
    subject::secret_name(session.text(SECRET.field).unwrap_or_default())
}

/// A refusal, in the words of the user.
fn told(session: &Session<'_>, name: &str, error: Error) -> Failure {
    told_of(&session.place(), name, &error)
}

/// The same of an error that is kept, and of a place.
pub(crate) fn told_of(place: &str, name: &str, error: &Error) -> Failure {
    let failure = subject::secret_told(Failure::of(error), name, "").placed(place);
    // That it is to be deleted may have been seen, and not refused.
    match error.last_state() == Some(SecretState::PendingDelete.as_str()) {
        true => failure.hint(format!("csms secret restore {name}")),
        false => failure,
    }
}

/// A refusal, in the words of a reference.
pub(crate) fn told_of_reference(session: &Session<'_>, reference: &Reference, error: Error) -> Failure {
    let (place, at) = whereabouts(session, reference);
    let failure = match (reference.field(), error.status(), error.help()) {
        // It is the field, and the error names those that there are.
        (Some(_), None, Some(_)) => error.into(),
        _ => version_told(reference.name(), reference.version(), &at, error),
    };
    failure.placed(&place)
}

/// A refusal, where what is missing may be a version.
fn told_of_version(session: &Session<'_>, name: &str, version: &VersionRef, error: Error) -> Failure {
    session.placed(version_told(name, version, "", error))
}

fn version_told(name: &str, version: &VersionRef, at: &str, error: Error) -> Failure {
    match version {
        VersionRef::Current => subject::secret_told(error.into(), name, at),
        version => subject::version_told(error.into(), name, &version.to_string(), at),
    }
}

/// Where a reference is looked up: in words, and as the flags that say so.
fn whereabouts(session: &Session<'_>, reference: &Reference) -> (String, String) {
    let (region, profile, project) = (reference.region(), reference.profile(), reference.project());
    let place = match profile.or(project) {
        None if region.is_none() => session.place(),
        // A project is that of one region.
        None => session.place_of(region, None),
        Some(_) => match session.settings.at(reference) {
            Ok(there) => session.place_at(&there),
            Err(_) => session.place_of(region, project),
        },
    };
    let flags = [("region", region), ("profile", profile), ("project", project)];
    let flags = flags.iter().filter_map(|(flag, value)| Some(format!("--{flag} {} ", shell_word((*value)?))));
    (place, flags.collect())
}
