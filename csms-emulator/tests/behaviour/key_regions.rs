//! Keys in several regions.

use std::time::Duration;

use csms_emulator::Emulator;
use serde_json::{Value as Json, json};

use crate::{kms_caller::Kms, support::text};

const REGIONS: [&str; 3] = ["cn-north-4", "cn-east-3", "ap-southeast-1"];

async fn emulator() -> Emulator {
    Emulator::builder().regions(REGIONS).replication_delay(Duration::from_millis(300)).start().await.unwrap()
}

/// The request for a replica of `key`.
fn replica(emulator: &Emulator, key: &str, region: &str) -> Json {
    json!({
        "key_id": key,
        "replica_region": region,
        "key_alias": format!("replica-{region}"),
        "replica_project_id": emulator.project_id(region).unwrap(),
        "key_description": "copied",
        "tags": [{"key": "stage", "value": "test"}],
    })
}

async fn info(kms: &Kms, key: &str) -> Json {
    kms.ask("ListKeyDetail", json!({"key_id": key})).await["key_info"].clone()
}

/// Waits until a key is in a state.
async fn becomes(kms: &Kms, key: &str, state: &str) {
    for _ in 0..100 {
        if text(&info(kms, key).await, "key_state") == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never in state {state}");
}

#[tokio::test]
async fn a_replica_appears_in_the_other_region_and_shares_the_material() {
    let emulator = emulator().await;
    let here = Kms::of(&emulator);
    let there = here.in_region(REGIONS[1]);
    let key = here.key("AES_256", "ENCRYPT_DECRYPT").await;
    let answer = here.ask("ReplicateKey", replica(&emulator, &key, REGIONS[1])).await;
    assert_eq!(text(&answer, "region"), REGIONS[1]);
    let copy = text(&answer, "key_id");
    assert_ne!(copy, key);
    assert_eq!(text(&info(&there, copy).await, "key_state"), "1", "it is still to be copied");
    becomes(&there, copy, "2").await;
    let shown = info(&there, copy).await;
    assert_eq!((text(&shown, "key_alias"), text(&shown, "key_description")), ("replica-cn-east-3", "copied"));
    assert_eq!(answer["domain_id"], shown["domain_id"]);
    assert_eq!(here.refused("ListKeyDetail", json!({"key_id": copy})).await, "KMS.0207");

    for (from, id, to, opener) in [(&here, key.as_str(), &there, copy), (&there, copy, &here, key.as_str())] {
        let sealed = from.ask("EncryptData", json!({"key_id": id, "plain_text": "text"})).await;
        let opened = to.ask("DecryptData", json!({"cipher_text": sealed["cipher_text"]})).await;
        assert_eq!((text(&opened, "plain_text"), text(&opened, "key_id")), ("text", opener));
        let made = from.ask("CreateDatakey", json!({"key_id": id})).await;
        let request = json!({"key_id": opener, "cipher_text": made["cipher_text"], "datakey_cipher_length": "32"});
        assert_eq!(to.ask("DecryptDatakey", request).await["data_key"], made["plain_text"]);
    }
}

#[tokio::test]
async fn a_replica_is_refused_where_it_cannot_be() {
    let emulator = emulator().await;
    let kms = Kms::of(&emulator);
    let key = kms.key("AES_256", "ENCRYPT_DECRYPT").await;
    let changed = |name: &str, value: &str| {
        let mut request = replica(&emulator, &key, REGIONS[1]);
        request[name] = value.into();
        request
    };
    let elsewhere = emulator.project_id(REGIONS[2]).unwrap();
    for (request, code) in [
        (changed("replica_region", REGIONS[0]), "KMS.0308"),
        (changed("replica_region", "mars-1"), "KMS.0308"),
        (changed("replica_project_id", &elsewhere), "KMS.0308"),
        (changed("replica_project_id", &"0".repeat(32)), "KMS.0308"),
        (changed("key_alias", "x/default"), "KMS.1101"),
        (changed("key_id", "0d0466b0-e727-4d9c-b35d-f84bb474a37f"), "KMS.0207"),
    ] {
        assert_eq!(kms.refused("ReplicateKey", request.clone()).await, code, "{request}");
    }
    let there = kms.in_region(REGIONS[1]);
    there.ask("CreateKey", json!({"key_alias": "taken"})).await;
    assert_eq!(kms.refused("ReplicateKey", changed("key_alias", "taken")).await, "KMS.1104");
    kms.ask("ReplicateKey", replica(&emulator, &key, REGIONS[1])).await;
    assert_eq!(kms.refused("ReplicateKey", changed("key_alias", "second")).await, "KMS.0308");
}

#[tokio::test]
async fn a_replica_takes_no_changes_and_follows_its_primary() {
    let emulator = emulator().await;
    let here = Kms::of(&emulator);
    let there = here.in_region(REGIONS[1]);
    let key = here.key("AES_256", "ENCRYPT_DECRYPT").await;
    let copy = here.ask("ReplicateKey", replica(&emulator, &key, REGIONS[1])).await;
    let copy = text(&copy, "key_id");
    becomes(&there, copy, "2").await;
    assert_eq!(there.refused("ReplicateKey", replica(&emulator, copy, REGIONS[2])).await, "KMS.0106");
    let request = json!({"key_id": copy, "primary_region": REGIONS[1]});
    assert_eq!(there.refused("UpdatePrimaryRegion", request).await, "KMS.0106");
    assert_eq!(there.refused("DisableKey", json!({"key_id": copy})).await, "KMS.0106");
    here.ask("DisableKey", json!({"key_id": key})).await;
    becomes(&there, copy, "3").await;
    here.ask("EnableKey", json!({"key_id": key})).await;
    becomes(&there, copy, "2").await;
    here.ask("DeleteKey", json!({"key_id": key, "pending_days": "7"})).await;
    becomes(&there, copy, "4").await;
}

#[tokio::test]
async fn imported_material_reaches_replicas_but_only_from_the_primary() {
    let emulator = emulator().await;
    let here = Kms::of(&emulator);
    let there = here.in_region(REGIONS[1]);
    let key = here.key_of(json!({"origin": "external"})).await;
    let parameters = |key: &str| json!({"key_id": key, "wrapping_algorithm": "RSAES_OAEP_SHA_256"});
    assert_eq!(here.refused("ReplicateKey", replica(&emulator, &key, REGIONS[1])).await, "KMS.1301");
    let tokens = here.ask("CreateParametersForImport", parameters(&key)).await;
    here.ask("ImportKeyMaterial", crate::key_import::import(&tokens, &[1; 32])).await;
    let copy = here.ask("ReplicateKey", replica(&emulator, &key, REGIONS[1])).await;
    let copy = text(&copy, "key_id");
    becomes(&there, copy, "2").await;
    assert_eq!(there.refused("CreateParametersForImport", parameters(copy)).await, "KMS.1404");
    here.ask("ImportKeyMaterial", crate::key_import::import(&tokens, &[2; 32])).await;
    here.ask("RotateOnDemand", json!({"key_id": key})).await;
    let sealed = here.ask("EncryptData", json!({"key_id": key, "plain_text": "text"})).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let opened = there.ask("DecryptData", json!({"cipher_text": sealed["cipher_text"]})).await;
    assert_eq!(text(&opened, "plain_text"), "text");
}

#[tokio::test]
async fn the_primary_and_a_replica_change_places() {
    let emulator = emulator().await;
    let [first, second, third] = REGIONS.map(|region| Kms::of(&emulator).in_region(region));
    let key = first.key("AES_256", "ENCRYPT_DECRYPT").await;
    let move_to = |region: &str| json!({"key_id": key, "primary_region": region});
    assert_eq!(first.refused("UpdatePrimaryRegion", move_to(REGIONS[1])).await, "KMS.0308");
    let mut copies = Vec::new();
    for region in &REGIONS[1..] {
        let answer = first.ask("ReplicateKey", replica(&emulator, &key, region)).await;
        copies.push(text(&answer, "key_id").to_owned());
    }
    becomes(&second, &copies[0], "2").await;
    becomes(&third, &copies[1], "2").await;
    assert_eq!(first.refused("UpdatePrimaryRegion", move_to(REGIONS[0])).await, "KMS.0308");
    let moved = first.ask("UpdatePrimaryRegion", move_to(REGIONS[1])).await;
    assert_eq!(moved, json!({"key_id": key, "primary_region": REGIONS[1]}));

    assert_eq!(first.refused("UpdatePrimaryRegion", move_to(REGIONS[2])).await, "KMS.0106");
    second.ask("DisableKey", json!({"key_id": copies[0]})).await;
    becomes(&first, &key, "3").await;
    becomes(&third, &copies[1], "3").await;
    second.ask("EnableKey", json!({"key_id": copies[0]})).await;
    becomes(&third, &copies[1], "2").await;
    let sealed = third.ask("EncryptData", json!({"key_id": copies[1], "plain_text": "text"})).await;
    becomes(&first, &key, "2").await;
    for kms in [&first, &second] {
        let opened = kms.ask("DecryptData", json!({"cipher_text": sealed["cipher_text"]})).await;
        assert_eq!(text(&opened, "plain_text"), "text");
    }
}

#[tokio::test]
async fn the_regions_are_those_that_are_played() {
    let emulator = emulator().await;
    let kms = Kms::of(&emulator);
    let all = kms.ask("ListSupportRegions", json!({})).await;
    assert_eq!(all, json!({"regions": ["ap-southeast-1", "cn-east-3", "cn-north-4"]}));
    let page = kms.ask("ListSupportRegions", json!({"limit": 1, "offset": 1})).await;
    assert_eq!(page, json!({"regions": ["cn-east-3"]}));
    assert_eq!(kms.refused("ListSupportRegions", json!({"limit": -1})).await, "KMS.1601");
    assert_eq!(kms.refused("ListSupportRegions", json!({"offset": -1})).await, "KMS.1603");
}
