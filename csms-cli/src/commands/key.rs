//! `csms key`: everything about keys.

mod create;
mod data;
mod datakey;
mod import_material;
mod mac;
mod parts;
mod public_key;
mod random;
mod replicate;
mod signature;

use csms_sdk::{
    Operation as _,
    kms::{
        AssociateAlias, BatchCreateKmsTags, CancelGrant, CancelKeyDeletion, CancelSelfGrant, CreateAlias, CreateGrant,
        CreateKeyPolicy, CreateKeyStore, DeleteAlias, DeleteImportedKeyMaterial, DeleteKey, DeleteKeyPolicy,
        DeleteKeyStore, DeleteTag, DisableKey, DisableKeyRotation, DisableKeyStore, EnableKey, EnableKeyRotation,
        EnableKeyStore, ListAliases, ListGrants, ListKeyDetail, ListKeyPolicy, ListKeyStores, ListKeys, RotateOnDemand,
        ShowKeyPolicy, ShowKeyRotationStatus, ShowKeyStore, ShowKmsTags, UpdateKeyAlias, UpdateKeyDescription,
        UpdateKeyPolicy, UpdateKeyRotationInterval,
    },
};

use crate::{
    output::Column,
    subject::{KEY, Subject},
    verb::{Call, Flag, Noun, Verb},
};

/// `csms key`.
pub(crate) static NOUN: Noun = Noun {
    name: "key",
    about: "Keys: create and look after them, and compute with them",
    verbs: &[
        Verb::Call(Call::list("list", ListKeys::INFO, KEYS).about("Lists keys of every kind").flags(&[
            Flag::of("key_spec").named("spec").default("ALL").closed(),
            Flag::of("key_state").named("state").words(STATES),
        ])),
        Verb::Call(
            Call::show("describe", ListKeyDetail::INFO, "key_info", DETAILS).about("Shows all about a key").on(&[KEY]),
        ),
        Verb::Own(create::CREATE),
        Verb::Own(import_material::IMPORT_MATERIAL),
        Verb::Call(
            Call::change("enable", EnableKey::INFO, "{KEY} is enabled").about("Enables a disabled key").on(&[KEY]),
        ),
        Verb::Call(
            Call::change("disable", DisableKey::INFO, "{KEY} is disabled; undo it with: csms key enable {KEY}")
                .about("Disables a key, so that nothing can be done with it")
                .on(&[KEY])
                .destroys("Everything under it can no longer be decrypted."),
        ),
        Verb::Call(
            Call::change("rename", UpdateKeyAlias::INFO, "{KEY} is now called {NAME}")
                .about("Gives a key another name")
                .on(&[KEY, Subject::text("key_alias", "NAME", "The new name")]),
        ),
        Verb::Call(
            Call::change("set-description", UpdateKeyDescription::INFO, "described {KEY}")
                .about("Gives a key another description")
                .on(&[KEY, Subject::text("key_description", "TEXT", "The new description")]),
        ),
        Verb::Call(
            Call::change(
                "rm",
                DeleteKey::INFO,
                "{KEY} will be deleted in {days} days; undo it with: csms key undelete {KEY}",
            )
            .about("Schedules the deletion of a key; `undelete` undoes it until then")
            .on(&[KEY])
            .flags(&[Flag::of("pending_days").named("days").default("30")])
            .destroys("It cannot be used from now on. In {days} days everything under it is lost for ever."),
        ),
        Verb::Call(
            Call::change(
                "undelete",
                CancelKeyDeletion::INFO,
                "{KEY} will not be deleted, and is disabled; use it again with: csms key enable {KEY}",
            )
            .about("Takes back the scheduled deletion of a key, which is then disabled")
            .on(&[KEY]),
        ),
        Verb::Noun(Noun {
            name: "alias",
            about: "Aliases: further names that can be moved from key to key",
            verbs: &[
                Verb::Call(
                    Call::list("list", ListAliases::INFO, ALIASES)
                        .about("Lists aliases")
                        .flags(&[Flag::of("key_id").named("key").key()]),
                ),
                Verb::Call(
                    Call::change("add", CreateAlias::INFO, "{ALIAS} is an alias of {KEY}")
                        .about("Gives a key an alias")
                        .on(&[KEY, ALIAS]),
                ),
                Verb::Call(
                    Call::change("move", AssociateAlias::INFO, "{ALIAS} is now an alias of {KEY}")
                        .about("Has an alias stand for another key")
                        .on(&[Subject::key("target_key_id", "KEY", "The other key: its id, name or alias"), ALIAS])
                        .lacking_either(NO_ALIAS, "csms key alias list")
                        .destroys("Whoever uses the alias uses another key from then on."),
                ),
                Verb::Call(
                    Call::change("rm", DeleteAlias::INFO, "removed {ALIAS}")
                        .about("Removes aliases of a key; the key stays")
                        .on(&[KEY, Subject::items("aliases", "ALIAS", "The aliases")])
                        .lacking_either(NO_ALIAS, "csms key alias list")
                        .destroys("Whoever uses them will find nothing."),
                ),
            ],
        }),
        Verb::Noun(Noun {
            name: "tag",
            about: "Tags of keys",
            verbs: &[
                Verb::Call(
                    Call::whole_list("list", ShowKmsTags::INFO, "tags", TAGS)
                        .about("Lists the tags of a key")
                        .on(&[KEY]),
                ),
                Verb::Call(
                    Call::change("add", BatchCreateKmsTags::INFO, "tagged {KEY}")
                        .about("Adds tags to a key, or changes their values")
                        .on(&[KEY, Subject::items("tags", "KEY=VALUE", "The tags")])
                        .fixed(&[("action", "create")]),
                ),
                Verb::Call(
                    Call::change("rm", DeleteTag::INFO, "{KEY}: removed the tag {TAG}")
                        .about("Removes a tag from a key")
                        .on(&[KEY, Subject::text("key", "TAG", "Key of the tag")])
                        .lacking(r#"key "{KEY}" has no tag "{TAG}""#, "csms key tag list {KEY}"),
                ),
            ],
        }),
        Verb::Noun(Noun {
            name: "grant",
            about: "Grants: who else may do what with a key",
            verbs: &[
                Verb::Call(Call::list("list", ListGrants::INFO, GRANTS).about("Lists the grants of a key").on(&[KEY])),
                Verb::Call(
                    Call::change("add", CreateGrant::INFO, "")
                        .about("Lets a user or an account do something with a key")
                        .on(&[KEY])
                        .flags(&[
                            Flag::of("grantee_principal").named("to"),
                            Flag::of("grantee_principal_type").named("type"),
                            Flag::of("operations").named("may"),
                            Flag::of("retiring_principal").named("retirable-by"),
                            Flag::of("name"),
                        ])
                        .shows("", &[Column::of("GRANT", "grant_id")]),
                ),
                Verb::Call(
                    Call::change("rm", CancelGrant::INFO, "revoked the grant")
                        .about("Revokes a grant")
                        .on(&[KEY, GRANT])
                        .lacking(NO_GRANT, GRANTS_OF)
                        .destroys("Who has it loses it at once."),
                ),
                Verb::Call(
                    Call::change("retire", CancelSelfGrant::INFO, "gave the grant back")
                        .about("Gives back a grant that one has")
                        .on(&[KEY, GRANT])
                        .lacking(NO_GRANT, GRANTS_OF),
                ),
            ],
        }),
        Verb::Noun(Noun {
            name: "rotation",
            about: "Rotation: new material for a key, from time to time",
            verbs: &[
                Verb::Call(
                    Call::show("show", ShowKeyRotationStatus::INFO, "", ROTATION)
                        .about("Shows whether and how often a key is rotated")
                        .on(&[KEY]),
                ),
                Verb::Call(
                    Call::change("enable", EnableKeyRotation::INFO, "{KEY} is rotated from now on")
                        .about("Has a key rotated, every 365 days unless `set` says otherwise")
                        .on(&[KEY]),
                ),
                Verb::Call(
                    Call::change("set", UpdateKeyRotationInterval::INFO, "{KEY} is rotated every {days} days")
                        .about("Says how often a key is rotated")
                        .on(&[KEY])
                        .flags(&[Flag::of("rotation_interval").named("days")]),
                ),
                Verb::Call(
                    Call::change("disable", DisableKeyRotation::INFO, "{KEY} is no longer rotated")
                        .about("Stops the rotation of a key")
                        .on(&[KEY]),
                ),
            ],
        }),
        Verb::Call(
            Call::change("rotate", RotateOnDemand::INFO, "rotated {KEY}")
                .about("Rotates a key with imported material now")
                .on(&[KEY]),
        ),
        Verb::Call(
            Call::change("forget-material", DeleteImportedKeyMaterial::INFO, "{KEY} waits for its material")
                .about("Deletes imported material; the same can be imported again")
                .on(&[KEY])
                .destroys("Nothing under it can be decrypted until the same material is imported again."),
        ),
        Verb::Own(replicate::REPLICATE),
        Verb::Own(public_key::PUBLIC_KEY),
        Verb::Own(random::RANDOM),
        Verb::Own(signature::SIGN),
        Verb::Own(signature::VERIFY),
        Verb::Own(mac::MAC),
        Verb::Own(mac::VERIFY_MAC),
        Verb::Own(data::ENCRYPT),
        Verb::Own(data::DECRYPT),
        Verb::Own(data::REENCRYPT),
        Verb::Own(datakey::DATAKEY),
        Verb::Noun(Noun {
            name: "store",
            about: "Keystores: dedicated hardware for keys",
            verbs: &[
                Verb::Call(Call::list("list", ListKeyStores::INFO, STORES).about("Lists keystores")),
                Verb::Call(
                    Call::show("describe", ShowKeyStore::INFO, "keystore", STORES)
                        .about("Shows a keystore")
                        .on(&[STORE]),
                ),
                Verb::Call(
                    Call::change("create", CreateKeyStore::INFO, "")
                        .about("Creates a keystore, which is disabled at first")
                        .on(&[Subject::text("keystore_alias", "NAME", "Name of the keystore")])
                        .flags(&[
                            Flag::of("keystore_type").named("type"),
                            Flag::of("hsm_cluster_id").named("hsm-cluster"),
                            Flag::of("hsm_ca_cert").named("hsm-ca"),
                            Flag::of("cluster_id").named("cluster"),
                        ])
                        .shows("keystore", &[Column::of("ID", "keystore_id")]),
                ),
                Verb::Call(
                    Call::change("enable", EnableKeyStore::INFO, "{STORE} is enabled")
                        .about("Enables a keystore")
                        .on(&[STORE]),
                ),
                Verb::Call(
                    Call::change("disable", DisableKeyStore::INFO, "{STORE} is disabled")
                        .about("Disables a keystore")
                        .on(&[STORE])
                        .destroys("Its keys cannot be used."),
                ),
                Verb::Call(
                    Call::change("rm", DeleteKeyStore::INFO, "deleted {STORE}")
                        .about("Deletes an empty keystore")
                        .on(&[STORE])
                        .destroys("It cannot be brought back."),
                ),
            ],
        }),
        Verb::Noun(Noun {
            name: "policy",
            about: "Policies of keys",
            verbs: &[
                Verb::Call(
                    Call::list("list", ListKeyPolicy::INFO, POLICIES)
                        .about("Lists the policies of a key space")
                        .flags(&[Flag::of("keyspace_id").named("key-space")]),
                ),
                Verb::Call(
                    Call::show("describe", ShowKeyPolicy::INFO, "", POLICIES).about("Shows a policy").on(&[POLICY]),
                ),
                Verb::Call(
                    Call::change("create", CreateKeyPolicy::INFO, "")
                        .about("Creates a policy")
                        .on(&[Subject::text("policy_name", "NAME", "Name of the policy")])
                        .flags(&[
                            Flag::of("keyspace_id").named("key-space"),
                            Flag::of("policy"),
                            Flag::of("description"),
                        ])
                        .shows("", &[Column::of("ID", "policy_id")]),
                ),
                Verb::Call(
                    Call::change("update", UpdateKeyPolicy::INFO, "updated the policy")
                        .about("Changes a policy")
                        .on(&[POLICY])
                        .flags(&[Flag::of("policy"), Flag::of("description")])
                        .destroys("It decides at once who may use the keys."),
                ),
                Verb::Call(
                    Call::change("rm", DeleteKeyPolicy::INFO, "deleted the policy")
                        .about("Deletes a policy")
                        .on(&[POLICY])
                        .destroys("It decides at once who may use the keys."),
                ),
            ],
        }),
    ],
};

const ALIAS: Subject = Subject::text("alias", "ALIAS", "The alias, e.g. alias/billing");
const GRANT: Subject = Subject::text("grant_id", "GRANT", "Id of the grant");
const STORE: Subject = Subject::text("keystore_id", "STORE", "Id of the keystore");
const POLICY: Subject = Subject::text("policy_id", "POLICY", "Id of the policy");

/// What a key can lack, and what shows what it has. The service has one code for a key and an alias that do not exist.
const NO_ALIAS: &str = r#"key "{KEY}" or alias "{ALIAS}" not found"#;
const NO_GRANT: &str = r#"key "{KEY}" has no grant "{GRANT}""#;
const GRANTS_OF: &str = "csms key grant list {KEY}";

/// What the codes of `key_state` mean that can be asked for.
const STATES: &[(&str, &str)] = &[
    ("1", "pending activation"),
    ("2", "enabled"),
    ("3", "disabled"),
    ("4", "pending deletion"),
    ("5", "pending import"),
];

/// What the codes of `key_state` mean.
pub(crate) fn state(code: &str) -> Option<&'static str> {
    match code {
        "7" => Some("frozen"),
        code => STATES.iter().find(|(of, _)| *of == code).map(|(_, word)| *word),
    }
}

/// The code that a word for a state stands for, where that can be asked for.
pub(crate) fn code_of_state(word: &str) -> Option<&'static str> {
    STATES.iter().find(|(_, known)| *known == word.replace('-', " ")).map(|(code, _)| *code)
}

/// What the codes of flags mean.
fn yes(code: &str) -> Option<&'static str> {
    Some(match code {
        "1" | "true" => "yes",
        "0" | "false" => "no",
        _ => return None,
    })
}

const KEYS: &[Column] = &[
    Column::of("NAME", "key_alias"),
    Column::word("STATE", "key_state", state),
    Column::of("SPEC", "key_spec"),
    Column::of("USAGE", "key_usage").spare(),
    Column::time("CREATED", "creation_date").spare(),
    Column::of("ID", "key_id"),
];
const DETAILS: &[Column] = &[
    Column::of("NAME", "key_alias"),
    Column::of("ID", "key_id"),
    Column::word("STATE", "key_state", state),
    Column::of("SPEC", "key_spec"),
    Column::of("USAGE", "key_usage"),
    Column::of("DESCRIPTION", "key_description"),
    Column::of("ORIGIN", "origin"),
    Column::time("CREATED", "creation_date"),
    Column::time("DELETION", "scheduled_deletion_date"),
    Column::time("MATERIAL EXPIRES", "expiration_time"),
    Column::word("ROTATED", "key_rotation_enabled", yes),
    Column::word("MADE BY A SERVICE", "default_key_flag", yes),
    Column::of("KEYSTORE", "keystore_id"),
    Column::of("ENTERPRISE PROJECT", "sys_enterprise_project_id"),
    Column::of("REGION", "realm"),
];
const ALIASES: &[Column] =
    &[Column::of("ALIAS", "alias"), Column::of("KEY", "key_id"), Column::time("UPDATED", "update_time").spare()];
const TAGS: &[Column] = &[Column::of("KEY", "key"), Column::of("VALUE", "value")];
const GRANTS: &[Column] = &[
    Column::of("NAME", "name"),
    Column::of("TO", "grantee_principal"),
    Column::of("MAY", "operations"),
    Column::time("CREATED", "creation_date").spare(),
    Column::of("ID", "grant_id"),
];
const ROTATION: &[Column] = &[
    Column::word("ENABLED", "key_rotation_enabled", yes),
    Column::of("DAYS", "rotation_interval"),
    Column::time("LAST", "last_rotation_time"),
    Column::of("ROTATIONS", "number_of_rotations"),
];
const STORES: &[Column] = &[
    Column::of("NAME", "keystore_alias"),
    Column::of("TYPE", "keystore_type"),
    Column::time("CREATED", "create_time").spare(),
    Column::of("ID", "keystore_id"),
];
const POLICIES: &[Column] = &[
    Column::of("NAME", "policy_name"),
    Column::of("KEY SPACE", "keyspace_id"),
    Column::time("CREATED", "create_time").spare(),
    Column::of("DESCRIPTION", "description").spare(),
    Column::of("ID", "policy_id"),
];
