//! Key lifecycle.

use csms_emulator::Emulator;
use serde_json::json;

use crate::{
    kms_caller::{Kms, START, Timed},
    support::DAY,
};

#[tokio::test]
async fn a_key_is_described_with_every_member_as_text() {
    let kms = Timed::start().await;
    let request = json!({"key_alias": "shop", "key_description": "protects the shop", "enterprise_project_id": "0"});
    let answer = kms.ask("CreateKey", request).await;
    let info = &answer["key_info"];
    assert_eq!(info["region_id"], "cn-north-4");
    assert_eq!(
        kms.details(info["key_id"].as_str().unwrap()).await,
        json!({
            "key_id": info["key_id"],
            "domain_id": info["domain_id"],
            "key_alias": "shop",
            "realm": "cn-north-4",
            "key_spec": "AES_256",
            "key_usage": "ENCRYPT_DECRYPT",
            "key_description": "protects the shop",
            "creation_date": START.to_string(),
            "scheduled_deletion_date": "",
            "key_state": "2",
            "default_key_flag": "0",
            "key_type": "1",
            "expiration_time": "",
            "origin": "kms",
            "key_rotation_enabled": "false",
            "sys_enterprise_project_id": "0",
            "keystore_id": "0",
        })
    );
}

#[tokio::test]
async fn the_spec_decides_what_a_key_is_used_for() {
    let kms = Timed::start().await;
    for (spec, usage) in [
        ("SM4", "ENCRYPT_DECRYPT"),
        ("EC_P256", "SIGN_VERIFY"),
        ("ED25519", "SIGN_VERIFY"),
        ("SM2", "SIGN_VERIFY"),
        ("HMAC_384", "GENERATE_VERIFY_MAC"),
    ] {
        let id = kms.key_of(json!({"key_alias": spec, "key_spec": spec})).await;
        assert_eq!(kms.details(&id).await["key_usage"], usage, "{spec}");
    }
    let agreement = json!({"key_alias": "a", "key_spec": "EC_P384", "key_usage": "KEY_AGREEMENT"});
    let id = kms.key_of(agreement).await;
    assert_eq!(kms.details(&id).await["key_usage"], "KEY_AGREEMENT");
    let signing = json!({"key_alias": "b", "key_usage": "SIGN_VERIFY"});
    assert_eq!(kms.refused("CreateKey", signing).await, "KMS.0308");
    assert_eq!(kms.refused("CreateKey", json!({"key_alias": "b", "key_spec": "ALL"})).await, "KMS.1110");
}

#[tokio::test]
async fn a_key_goes_through_its_states_and_no_other_way() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    let key = json!({"key_id": id});
    assert_eq!(kms.refused("EnableKey", key.clone()).await, "KMS.1201");
    assert_eq!(kms.refused("CancelKeyDeletion", key.clone()).await, "KMS.1501");
    let answer = kms.ask("DisableKey", key.clone()).await;
    assert_eq!(answer, json!({"key_info": {"key_id": id, "key_state": "3"}}));
    assert_eq!(kms.refused("DisableKey", key.clone()).await, "KMS.1301");
    let answer = kms.ask("EnableKey", key.clone()).await;
    assert_eq!(answer, json!({"key_info": {"key_id": id, "key_state": "2"}}));

    for days in [json!("6"), json!(1097), json!("soon")] {
        let request = json!({"key_id": id, "pending_days": days});
        assert_eq!(kms.refused("DeleteKey", request).await, "KMS.1401");
    }
    // A number is as good as text.
    let answer = kms.ask("DeleteKey", json!({"key_id": id, "pending_days": 7})).await;
    assert_eq!(answer, json!({"key_id": id, "key_state": "4"}));
    assert_eq!(kms.details(&id).await["scheduled_deletion_date"], (START + 7 * DAY).to_string());
    for (name, code) in [("EnableKey", "KMS.1201"), ("DisableKey", "KMS.1301"), ("DeleteKey", "KMS.1402")] {
        assert_eq!(kms.refused(name, json!({"key_id": id, "pending_days": "7"})).await, code);
    }
    let renamed = json!({"key_id": id, "key_alias": "other", "key_description": ""});
    assert_eq!(kms.refused("UpdateKeyAlias", renamed.clone()).await, "KMS.0210");
    assert_eq!(kms.refused("UpdateKeyDescription", renamed).await, "KMS.0210");

    assert_eq!(kms.ask("CancelKeyDeletion", key.clone()).await, json!({"key_id": id, "key_state": "3"}));
    assert_eq!(kms.details(&id).await["scheduled_deletion_date"], "");
    kms.pass(8);
    assert_eq!(kms.state(&id).await, "3", "what was cancelled does not happen");
}

#[tokio::test]
async fn a_key_is_gone_when_its_days_are_over() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    kms.ask("CreateAlias", json!({"key_id": id, "alias": "alias/demo"})).await;
    kms.ask("CreateGrant", json!({"key_id": id, "grantee_principal": "a", "operations": ["describe-key"]})).await;
    kms.ask("DeleteKey", json!({"key_id": id, "pending_days": "7"})).await;
    kms.pass(6);
    assert_eq!(kms.state(&id).await, "4");
    assert_eq!(kms.refused("CreateKey", json!({"key_alias": "demo"})).await, "KMS.1104", "the name is still taken");
    kms.pass(1);
    let gone = kms.call("ListKeyDetail", json!({"key_id": id})).await;
    assert_eq!(gone, Err((404, "KMS.0207".to_owned())));
    assert_eq!(kms.ask("ListAliases", json!({})).await["aliases"], json!([]));
    assert_eq!(kms.ask("ListRetirableGrants", json!({})).await["total"], 0);
    kms.named("demo").await;
}

#[tokio::test]
async fn a_key_to_be_imported_waits_for_its_material() {
    let kms = Timed::start().await;
    let id = kms.key_of(json!({"key_alias": "demo", "origin": "external"})).await;
    assert_eq!(kms.state(&id).await, "5");
    assert_eq!(kms.refused("EnableKey", json!({"key_id": id})).await, "KMS.1201");
    kms.ask("DeleteKey", json!({"key_id": id, "pending_days": "7"})).await;
    kms.ask("CancelKeyDeletion", json!({"key_id": id})).await;
    assert_eq!(kms.state(&id).await, "5");
    let other = json!({"key_alias": "other", "origin": "elsewhere"});
    assert_eq!(kms.refused("CreateKey", other).await, "KMS.0308");
}

#[tokio::test]
async fn names_are_unique_and_follow_a_key_that_is_renamed() {
    let kms = Timed::start().await;
    let (one, two) = (kms.named("one").await, kms.named("two").await);
    for name in ["", "a b", "shop/default", &"a".repeat(256)] {
        assert_eq!(kms.refused("CreateKey", json!({"key_alias": name})).await, "KMS.1101", "{name}");
        let request = json!({"key_id": one, "key_alias": name});
        assert_eq!(kms.refused("UpdateKeyAlias", request).await, "KMS.1101", "{name}");
    }
    assert_eq!(kms.refused("CreateKey", json!({"key_alias": "two"})).await, "KMS.1104");
    assert_eq!(kms.refused("UpdateKeyAlias", json!({"key_id": one, "key_alias": "two"})).await, "KMS.1104");
    kms.ask("UpdateKeyAlias", json!({"key_id": two, "key_alias": "two"})).await;
    let answer = kms.ask("UpdateKeyAlias", json!({"key_id": two, "key_alias": "three"})).await;
    assert_eq!(answer, json!({"key_info": {"key_id": two, "key_alias": "three"}}));
    kms.named("two").await;
    assert_eq!(kms.refused("CreateKey", json!({"key_alias": "three"})).await, "KMS.1104");
}

#[tokio::test]
async fn a_description_can_be_changed_and_emptied() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    let change = |text: String| json!({"key_id": id, "key_description": text});
    assert_eq!(kms.refused("UpdateKeyDescription", change("密".repeat(256))).await, "KMS.1103");
    let answer = kms.ask("UpdateKeyDescription", change("密".repeat(255))).await;
    assert_eq!(answer["key_info"]["key_description"], "密".repeat(255));
    kms.ask("UpdateKeyDescription", change(String::new())).await;
    assert_eq!(kms.details(&id).await["key_description"], "");
    assert_eq!(kms.refused("UpdateKeyDescription", json!({"key_id": id})).await, "KMS.0204");
}

#[tokio::test]
async fn a_default_key_belongs_to_its_service() {
    let kms = Timed::start().await;
    let id = kms.default_key().await;
    assert_eq!(kms.details(&id).await["default_key_flag"], "1");
    let request = json!({
        "key_id": id, "key_alias": "mine", "key_description": "mine", "pending_days": "7", "rotation_interval": 30,
        "alias": "mine", "grantee_principal": "a", "operations": ["describe-key"],
        "tag": {"key": "a"}, "tags": [{"key": "a"}], "action": "create", "key": "a",
    });
    for name in [
        "EnableKey",
        "DisableKey",
        "UpdateKeyAlias",
        "UpdateKeyDescription",
        "DeleteKey",
        "CancelKeyDeletion",
        "EnableKeyRotation",
        "DisableKeyRotation",
        "UpdateKeyRotationInterval",
        "CreateAlias",
        "CreateGrant",
        "CreateKmsTag",
        "BatchCreateKmsTags",
        "DeleteTag",
    ] {
        assert_eq!(kms.refused(name, request.clone()).await, "KMS.0211", "{name}");
    }
}

#[tokio::test]
async fn a_key_is_made_in_the_keystore_that_is_named() {
    let kms = Timed::start().await;
    let keystore = kms.keystore().await;
    let id = kms.key_of(json!({"key_alias": "one", "keystore_id": keystore})).await;
    assert_eq!(kms.details(&id).await["keystore_id"], keystore);
    let imported = json!({"key_alias": "two", "keystore_id": keystore, "origin": "external"});
    assert_eq!(kms.refused("CreateKey", imported).await, "KMS.0339");
    kms.ask("DisableKeyStore", json!({"keystore_id": keystore})).await;
    assert_eq!(kms.refused("CreateKey", json!({"key_alias": "two", "keystore_id": keystore})).await, "KMS.0317");
    assert_eq!(kms.refused("CreateKey", json!({"key_alias": "two", "keystore_id": "none"})).await, "KMS.8003");
}

#[tokio::test]
async fn unknown_and_malformed_ids_are_told_apart() {
    let kms = Timed::start().await;
    for name in ["ListKeyDetail", "EnableKey", "ShowPublicKey", "ShowKmsTags", "ListGrants", "ShowKeyRotationStatus"] {
        let unknown = kms.call(name, json!({"key_id": "cd17f0cc-1450-50e6-a1b2-b02e630b9357"})).await;
        assert_eq!(unknown, Err((404, "KMS.0207".to_owned())), "{name}");
        let malformed = json!({"key_id": "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"});
        assert_eq!(kms.refused(name, malformed).await, "KMS.0205", "{name}");
    }
    assert_eq!(kms.refused("EnableKey", json!({})).await, "KMS.0204");
}

#[tokio::test]
async fn default_keys_do_not_count_against_the_quota() {
    let kms = Timed::with_quota(2).await;
    kms.default_key().await;
    let first = kms.named("one").await;
    kms.named("two").await;
    assert_eq!(kms.refused("CreateKey", json!({"key_alias": "three"})).await, "KMS.1105");
    kms.ask("DeleteKey", json!({"key_id": first, "pending_days": "7"})).await;
    assert_eq!(kms.refused("CreateKey", json!({"key_alias": "three"})).await, "KMS.1105", "it is still there");
    kms.pass(7);
    kms.named("three").await;
}

#[tokio::test]
async fn keys_with_their_names_aliases_and_grants_are_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data");
    let emulator = Emulator::builder().data(&file).start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.call("CreateKey", json!({"key_alias": "demo"})).await.unwrap();
    let id = key["key_info"]["key_id"].clone();
    kms.call("CreateAlias", json!({"key_id": id, "alias": "alias/demo"})).await.unwrap();
    let grant = json!({"key_id": id, "grantee_principal": "a", "operations": ["describe-key"]});
    kms.call("CreateGrant", grant).await.unwrap();
    drop(kms);
    emulator.shutdown().await;

    let emulator = Emulator::builder().data(&file).start().await.unwrap();
    let kms = Kms::of(&emulator);
    let taken = kms.call("CreateKey", json!({"key_alias": "demo"})).await;
    assert_eq!(taken, Err((400, "KMS.1104".to_owned())));
    let found = kms.call("ListGrants", json!({"key_id": "alias/demo"})).await.unwrap();
    assert_eq!(found["grants"][0]["key_id"], id);
    assert_eq!(kms.call("ShowUserInstances", json!({})).await.unwrap(), json!({"instance_num": 1}));
}
