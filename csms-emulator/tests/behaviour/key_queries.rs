//! Key queries and API versions.

use csms_sdk::{Service, kms, operation::Method};

use serde_json::json;

use crate::kms_caller::Timed;

#[tokio::test]
async fn only_aes_keys_are_listed_unless_others_are_asked_for() {
    let kms = Timed::start().await;
    let aes = kms.named("aes").await;
    let ec = kms.key_of(json!({"key_alias": "ec", "key_spec": "EC_P256", "enterprise_project_id": "7"})).await;
    kms.ask("DisableKey", json!({"key_id": ec})).await;
    for (filter, expected) in [
        (json!({}), vec![&aes]),
        (json!({"key_spec": "EC_P256"}), vec![&ec]),
        (json!({"key_spec": "SM2"}), vec![]),
        (json!({"key_spec": "ALL", "key_state": "2"}), vec![&aes]),
        (json!({"key_spec": "ALL", "key_state": 3}), vec![&ec]),
        (json!({"key_spec": "ALL", "enterprise_project_id": "0"}), vec![&aes]),
        (json!({"key_spec": "ALL", "enterprise_project_id": "7"}), vec![&ec]),
    ] {
        let answer = kms.ask("ListKeys", filter.clone()).await;
        assert_eq!((&answer["keys"], &answer["total"]), (&json!(expected), &json!(expected.len())), "{filter}");
        let details = answer["key_details"].as_array().unwrap();
        assert!(details.iter().map(|key| &key["key_id"]).eq(expected.iter().copied()), "{filter}");
    }
    let all = kms.ask("ListKeys", json!({"key_spec": "ALL", "enterprise_project_id": "all"})).await;
    assert_eq!(all["total"], 2);
    assert_eq!(kms.refused("ListKeys", json!({"key_state": "6"})).await, "KMS.0308");
}

#[tokio::test]
async fn pages_of_keys_begin_where_the_marker_says() {
    let kms = Timed::start().await;
    for at in 0..5 {
        kms.named(&format!("key{at}")).await;
    }
    let all = kms.ask("ListKeys", json!({})).await;
    assert_eq!((&all["next_marker"], &all["truncated"], &all["total"]), (&json!(""), &json!("false"), &json!(5)));
    let mut seen = Vec::new();
    let mut marker = json!("");
    for (limit, next) in [(json!("2"), "2"), (json!(2), "4"), (json!("2"), "")] {
        let page = kms.ask("ListKeys", json!({"limit": limit, "marker": marker})).await;
        seen.extend(page["keys"].as_array().unwrap().clone());
        assert_eq!(page["next_marker"], next);
        assert_eq!((&page["truncated"], &page["total"]), (&json!((!next.is_empty()).to_string()), &json!(5)));
        marker = page["next_marker"].clone();
    }
    assert_eq!(all["keys"], json!(seen));
    for limit in [json!("0"), json!(-1), json!("many")] {
        assert_eq!(kms.refused("ListKeys", json!({"limit": limit})).await, "KMS.1601", "{limit}");
    }
    for marker in ["-1", "next"] {
        assert_eq!(kms.refused("ListKeys", json!({"marker": marker})).await, "KMS.1602", "{marker}");
    }
}

#[tokio::test]
async fn only_asymmetric_keys_have_a_public_key() {
    let kms = Timed::start().await;
    let ec = kms.key_of(json!({"key_alias": "ec", "key_spec": "EC_P256"})).await;
    let hmac = kms.key_of(json!({"key_alias": "hmac", "key_spec": "HMAC_256"})).await;
    let aes = kms.named("aes").await;
    let answer = kms.ask("ShowPublicKey", json!({"key_id": ec})).await;
    let pem = answer["public_key"].as_str().unwrap();
    assert!(
        pem.starts_with("-----BEGIN PUBLIC KEY-----\r\n") && pem.ends_with("-----END PUBLIC KEY-----\r\n"),
        "{pem}"
    );
    assert_eq!(answer["key_id"], json!(ec));
    assert_eq!(kms.refused("ShowPublicKey", json!({"key_id": aes})).await, "KMS.0331");
    assert_eq!(kms.refused("ShowPublicKey", json!({"key_id": hmac})).await, "KMS.0341");
    kms.ask("DisableKey", json!({"key_id": ec})).await;
    assert_eq!(kms.refused("ShowPublicKey", json!({"key_id": ec})).await, "KMS.0209");
}

#[tokio::test]
async fn keys_and_grants_are_counted_against_their_quotas() {
    let kms = Timed::with_quota(20).await;
    kms.default_key().await;
    kms.named("one").await;
    let id = kms.named("two").await;
    for grantee in ["a", "b"] {
        let grant = json!({"key_id": id, "grantee_principal": grantee, "operations": ["describe-key"]});
        kms.ask("CreateGrant", grant).await;
    }
    assert_eq!(kms.ask("ShowUserInstances", json!({})).await, json!({"instance_num": 2}));
    assert_eq!(
        kms.ask("ShowUserQuotas", json!({})).await,
        json!({"quotas": {"resources": [
            {"type": "CMK", "quota": 20, "used": 2},
            {"type": "grant_per_CMK", "quota": 100, "used": 2},
        ]}})
    );
}

#[tokio::test]
async fn the_service_has_one_version_and_no_other_path_of_one_segment() {
    let kms = Timed::start().await;
    let list = kms::ShowVersions::new().send(&kms.client).await.unwrap();
    let one = kms::ShowVersion::new("v1.0").send(&kms.client).await.unwrap();
    assert_eq!(list.versions, [one.version.clone().unwrap()]);
    assert_eq!(list.versions[0].status, Some(kms::ApiVersionStatus::Current));
    let href = list.versions[0].links[0].href.clone().unwrap();
    assert_eq!(href, format!("{}/v1.0/", kms.emulator.endpoint_in("cn-north-4")));
    for path in ["/v9.9", "/nothing"] {
        let error = kms.client.raw(Service::Kms, Method::GET, path, None).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(404), Some("APIGW.0101")), "{path}");
    }
}
