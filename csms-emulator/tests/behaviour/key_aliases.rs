//! Aliases of keys.

use serde_json::json;

use crate::kms_caller::{START, Timed};

#[tokio::test]
async fn an_alias_stands_for_its_key_until_it_is_pointed_at_another() {
    let kms = Timed::start().await;
    let (one, two) = (kms.named("one").await, kms.named("two").await);
    let alias = kms.ask("CreateAlias", json!({"key_id": one, "alias": "alias/shop"})).await;
    let account = kms.details(&one).await["domain_id"].clone();
    let urn = format!("kms:cn-north-4:{}:alias:alias/shop", account.as_str().unwrap());
    assert_eq!(
        alias,
        json!({
            "alias": "alias/shop", "alias_urn": urn, "key_id": one, "domain_id": account,
            "create_time": "2030-03-17T17:46:40Z", "update_time": "2030-03-17T17:46:40Z",
        }),
        "{START}"
    );
    for name in ["alias/shop", &urn] {
        assert_eq!(kms.details(name).await["key_id"], json!(one), "{name}");
    }
    kms.pass(1);
    let moved = kms.ask("AssociateAlias", json!({"target_key_id": two, "alias": "alias/shop"})).await;
    assert_eq!((&moved["key_id"], &moved["update_time"]), (&json!(two), &json!("2030-03-18T17:46:40Z")));
    assert_eq!(moved["create_time"], alias["create_time"]);
    assert_eq!(kms.details("alias/shop").await["key_id"], json!(two));

    for name in ["alias/other", "kms:cn-east-3:x:alias:alias/shop"] {
        let unknown = kms.call("ListKeyDetail", json!({"key_id": name})).await;
        assert_eq!(unknown, Err((404, "KMS.0207".to_owned())), "{name}");
    }
}

#[tokio::test]
async fn an_alias_without_a_prefix_is_found_with_one() {
    let kms = Timed::start().await;
    let id = kms.named("one").await;
    kms.ask("CreateAlias", json!({"key_id": id, "alias": "kms-1234"})).await;
    assert_eq!(kms.details("alias/kms-1234").await["key_id"], json!(id));
}

#[tokio::test]
async fn aliases_are_unique_and_a_key_has_fifty() {
    let kms = Timed::start().await;
    let (one, two) = (kms.named("one").await, kms.named("two").await);
    for at in 0..50 {
        kms.ask("CreateAlias", json!({"key_id": one, "alias": format!("a{at}")})).await;
    }
    assert_eq!(kms.refused("CreateAlias", json!({"key_id": one, "alias": "more"})).await, "KMS.0308");
    assert_eq!(kms.refused("CreateAlias", json!({"key_id": two, "alias": "a1"})).await, "KMS.1104");
    assert_eq!(kms.refused("CreateAlias", json!({"key_id": two, "alias": "a b"})).await, "KMS.1101");
    kms.ask("AssociateAlias", json!({"target_key_id": one, "alias": "a1"})).await;
    kms.ask("CreateAlias", json!({"key_id": two, "alias": "more"})).await;
    assert_eq!(kms.refused("AssociateAlias", json!({"target_key_id": one, "alias": "more"})).await, "KMS.0308");
    let unknown = kms.call("AssociateAlias", json!({"target_key_id": two, "alias": "none"})).await;
    assert_eq!(unknown, Err((404, "KMS.0207".to_owned())));
}

#[tokio::test]
async fn aliases_are_listed_page_by_page() {
    let kms = Timed::start().await;
    let (one, two) = (kms.named("one").await, kms.named("two").await);
    for (alias, id) in [("c", &one), ("a", &one), ("b", &two)] {
        kms.ask("CreateAlias", json!({"key_id": id, "alias": alias})).await;
    }
    for (request, aliases, next) in [
        (json!({}), vec!["a", "b", "c"], ""),
        (json!({"limit": 2}), vec!["a", "b"], "b"),
        (json!({"limit": "2", "marker": "b"}), vec!["c"], ""),
        (json!({"key_id": one}), vec!["a", "c"], ""),
        (json!({"key_id": one, "limit": 1}), vec!["a"], "a"),
        (json!({"key_id": two, "marker": "b"}), vec![], ""),
    ] {
        let page = kms.ask("ListAliases", request.clone()).await;
        let names: Vec<_> = page["aliases"].as_array().unwrap().iter().map(|alias| &alias["alias"]).collect();
        assert_eq!(names, aliases, "{request}");
        assert_eq!(page["page_info"], json!({"next_marker": next, "current_count": aliases.len()}), "{request}");
    }
}

#[tokio::test]
async fn aliases_of_a_key_are_deleted_together_or_not_at_all() {
    let kms = Timed::start().await;
    let (one, two) = (kms.named("one").await, kms.named("two").await);
    for (alias, id) in [("a", &one), ("b", &one), ("c", &two)] {
        kms.ask("CreateAlias", json!({"key_id": id, "alias": alias})).await;
    }
    let other = kms.call("DeleteAlias", json!({"key_id": one, "aliases": ["a", "c"]})).await;
    assert_eq!(other, Err((404, "KMS.0207".to_owned())));
    assert_eq!(kms.ask("ListAliases", json!({})).await["page_info"]["current_count"], 3);
    kms.ask("DeleteAlias", json!({"key_id": one, "aliases": ["a", "b"]})).await;
    assert_eq!(kms.ask("ListAliases", json!({})).await["page_info"]["current_count"], 1);
    kms.details(&one).await;
}
