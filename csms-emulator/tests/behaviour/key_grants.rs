//! Grants on keys.

use csms_emulator::Emulator;
use serde_json::{Value as Json, json};

use crate::kms_caller::{Kms, START, Timed};

fn grant(key: &str, grantee: &str) -> Json {
    json!({"key_id": key, "grantee_principal": grantee, "operations": ["describe-key", "retire-grant"]})
}

#[tokio::test]
async fn a_grant_is_listed_as_it_was_made() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    let request = json!({
        "key_id": id, "grantee_principal": "13gg44", "grantee_principal_type": "domain", "name": "shop-reader",
        "operations": ["describe-key", "create-datakey"], "retiring_principal": "8b96",
    });
    let grant_id = kms.ask("CreateGrant", request).await["grant_id"].as_str().unwrap().to_owned();
    assert!(grant_id.len() == 64 && grant_id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{grant_id}");
    let mut answer = kms.ask("ListGrants", json!({"key_id": id})).await;
    assert_ne!(answer["grants"][0]["issuing_principal"].take(), json!(""));
    assert_eq!(
        answer,
        json!({
            "grants": [{
                "grant_id": grant_id, "key_id": id, "grantee_principal": "13gg44", "grantee_principal_type": "domain",
                "operations": ["describe-key", "create-datakey"], "issuing_principal": null,
                "creation_date": START.to_string(), "name": "shop-reader", "retiring_principal": "8b96",
            }],
            "next_marker": "", "truncated": "false", "total": 1,
        })
    );
}

#[tokio::test]
async fn a_grant_that_cannot_be_right_is_refused() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    for (member, value, code) in [
        ("operations", json!(["create-grant"]), "KMS.2401"),
        ("operations", json!(["sign"]), "KMS.0308"),
        ("operations", json!([]), "KMS.0308"),
        ("grantee_principal", json!("a-b"), "KMS.2402"),
        ("retiring_principal", json!(""), "KMS.2402"),
        ("grantee_principal_type", json!("group"), "KMS.0308"),
        ("name", json!("a b"), "KMS.0308"),
    ] {
        let mut request = grant(&id, "a");
        request[member] = value;
        assert_eq!(kms.refused("CreateGrant", request).await, code, "{member}");
    }
    kms.ask("DisableKey", json!({"key_id": id})).await;
    assert_eq!(kms.refused("CreateGrant", grant(&id, "a")).await, "KMS.0209");
    assert_eq!(kms.ask("ListGrants", json!({"key_id": id})).await["total"], 0);
}

#[tokio::test]
async fn a_key_has_at_most_a_hundred_grants() {
    let kms = Timed::start().await;
    let (one, two) = (kms.named("one").await, kms.named("two").await);
    for at in 0..100 {
        kms.ask("CreateGrant", grant(&one, &format!("a{at}"))).await;
    }
    assert_eq!(kms.refused("CreateGrant", grant(&one, "more")).await, "KMS.2404");
    kms.ask("CreateGrant", grant(&two, "more")).await;

    let mut seen = Vec::new();
    let mut request = json!({"key_id": one, "limit": 30});
    loop {
        let page = kms.ask("ListGrants", request.clone()).await;
        assert_eq!(page["total"], 100);
        seen.extend(page["grants"].as_array().unwrap().iter().map(|grant| grant["grantee_principal"].to_string()));
        if page["truncated"] == "false" {
            break;
        }
        request["marker"] = page["next_marker"].clone();
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 100);
    assert_eq!(kms.ask("ListRetirableGrants", json!({"limit": "1000"})).await["total"], 101);
}

#[tokio::test]
async fn a_grant_is_revoked_at_its_own_key_only() {
    let kms = Timed::start().await;
    let (one, two) = (kms.named("one").await, kms.named("two").await);
    let grant_id = kms.ask("CreateGrant", grant(&one, "a")).await["grant_id"].clone();
    for name in ["CancelGrant", "CancelSelfGrant"] {
        assert_eq!(kms.refused(name, json!({"key_id": two, "grant_id": grant_id})).await, "KMS.2502");
        assert_eq!(kms.refused(name, json!({"key_id": one, "grant_id": "0".repeat(64)})).await, "KMS.2501");
    }
    kms.ask("CancelGrant", json!({"key_id": one, "grant_id": grant_id})).await;
    assert_eq!(kms.ask("ListGrants", json!({"key_id": one})).await["total"], 0);
    assert_eq!(kms.refused("CancelGrant", json!({"key_id": one, "grant_id": grant_id})).await, "KMS.2501");
}

#[tokio::test]
async fn who_made_a_grant_may_retire_it() {
    let emulator = Emulator::builder().start().await.unwrap();
    let kms = Kms::of(&emulator);
    let key = kms.call("CreateKey", json!({"key_alias": "demo"})).await.unwrap();
    let id = key["key_info"]["key_id"].as_str().unwrap();
    let grant_id = kms.call("CreateGrant", grant(id, "somebody")).await.unwrap()["grant_id"].clone();
    assert_eq!(kms.call("ListRetirableGrants", json!({})).await.unwrap()["total"], 1);
    kms.call("CancelSelfGrant", json!({"key_id": id, "grant_id": grant_id})).await.unwrap();
    assert_eq!(kms.call("ListGrants", json!({"key_id": id})).await.unwrap()["total"], 0);
}
