//! Tags of keys.

use serde_json::{Value as Json, json};

use crate::kms_caller::Timed;

fn tags(names: impl IntoIterator<Item = String>) -> Vec<Json> {
    names.into_iter().map(|name| json!({"key": name, "value": "v"})).collect()
}

#[tokio::test]
async fn tags_are_added_changed_and_taken_away() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    kms.ask("CreateKmsTag", json!({"key_id": id, "tag": {"key": "cost center/1", "value": "a"}})).await;
    kms.ask("CreateKmsTag", json!({"key_id": id, "tag": {"key": "cost center/1", "value": "b"}})).await;
    kms.ask("BatchCreateKmsTags", json!({"key_id": id, "action": "create", "tags": [{"key": "x"}, {"key": "y"}]}))
        .await;
    let shown = kms.ask("ShowKmsTags", json!({"key_id": id})).await;
    let expected = json!([
        {"key": "cost center/1", "value": "b"}, {"key": "x", "value": ""}, {"key": "y", "value": ""},
    ]);
    assert_eq!(shown, json!({"tags": expected, "existTagsNum": 3}));
    let delete = json!({"key_id": id, "action": "delete", "tags": [{"key": "x"}, {"key": "never there"}]});
    kms.ask("BatchCreateKmsTags", delete).await;
    kms.ask("DeleteTag", json!({"key_id": id, "key": "cost center/1"})).await;
    let again = kms.call("DeleteTag", json!({"key_id": id, "key": "cost center/1"})).await;
    assert_eq!(again, Err((404, "KMS.0416".to_owned())));
    assert_eq!(kms.ask("ShowKmsTags", json!({"key_id": id})).await["existTagsNum"], 1);
}

#[tokio::test]
async fn a_tag_that_cannot_be_right_is_refused() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    for (tag, code) in [
        (json!({"key": ""}), "KMS.0411"),
        (json!({"key": "a".repeat(37)}), "KMS.0411"),
        (json!({"key": "bad=key"}), "KMS.0406"),
        (json!({"key": "a", "value": "b<"}), "KMS.0405"),
        (json!({"key": "a", "value": "b".repeat(44)}), "KMS.0410"),
        (json!({"value": "b"}), "KMS.0204"),
    ] {
        assert_eq!(kms.refused("CreateKmsTag", json!({"key_id": id, "tag": tag})).await, code, "{tag}");
        let batch = json!({"key_id": id, "action": "create", "tags": [{"key": "good"}, tag]});
        assert_eq!(kms.refused("BatchCreateKmsTags", batch).await, code, "{tag}");
    }
    let unknown = json!({"key_id": id, "action": "move", "tags": [{"key": "a"}]});
    assert_eq!(kms.refused("BatchCreateKmsTags", unknown).await, "KMS.0404");
    assert_eq!(
        kms.refused("BatchCreateKmsTags", json!({"key_id": id, "action": "create", "tags": []})).await,
        "KMS.0407"
    );
    assert_eq!(kms.refused("CreateKmsTag", json!({"key_id": id})).await, "KMS.0204");
    assert_eq!(kms.ask("ShowKmsTags", json!({"key_id": id})).await["existTagsNum"], 0);
}

#[tokio::test]
async fn a_key_has_at_most_twenty_tags() {
    let kms = Timed::start().await;
    let id = kms.named("demo").await;
    let create = |names: std::ops::Range<i32>| json!({"key_id": id, "action": "create", "tags": tags(names.map(|at| format!("t{at}")))});
    kms.ask("BatchCreateKmsTags", create(0..15)).await;
    assert_eq!(kms.refused("BatchCreateKmsTags", create(10..21)).await, "KMS.0409");
    assert_eq!(kms.ask("ShowKmsTags", json!({"key_id": id})).await["existTagsNum"], 15);
    kms.ask("BatchCreateKmsTags", create(10..20)).await;
    assert_eq!(kms.refused("CreateKmsTag", json!({"key_id": id, "tag": {"key": "more"}})).await, "KMS.0409");
}

#[tokio::test]
async fn keys_are_found_by_tags_and_names() {
    let kms = Timed::start().await;
    for (alias, a, b) in [("shop-one", "1", "x"), ("shop-two", "2", "x"), ("bank", "1", "y")] {
        let id = kms.named(alias).await;
        let tags = json!([{"key": "a", "value": a}, {"key": "b", "value": b}]);
        kms.ask("BatchCreateKmsTags", json!({"key_id": id, "action": "create", "tags": tags})).await;
    }
    kms.named("untagged").await;
    let listed = kms.ask("ListKmsTags", json!({})).await;
    assert_eq!(listed, json!({"tags": [{"key": "a", "values": ["1", "2"]}, {"key": "b", "values": ["x", "y"]}]}));

    let named = |text: &str| json!({"key": "resource_name", "value": text});
    for (tags, matches, expected) in [
        (json!([{"key": "a", "values": ["1"]}]), json!([]), vec!["bank", "shop-one"]),
        (
            json!([{"key": "a", "values": ["1", "2"]}, {"key": "b", "values": ["x"]}]),
            json!([]),
            vec!["shop-one", "shop-two"],
        ),
        (json!([{"key": "a"}]), json!([named("shop")]), vec!["shop-one", "shop-two"]),
        (json!([{"key": "none", "values": [""]}]), json!([]), vec![]),
    ] {
        let mut request = json!({"resource_instances": "resource_instances", "tags": tags, "matches": matches});
        request["action"] = "count".into();
        assert_eq!(
            kms.ask("ListKmsByTags", request.clone()).await,
            json!({"total_count": expected.len()}),
            "{request}"
        );
        request["action"] = "filter".into();
        let answer = kms.ask("ListKmsByTags", request.clone()).await;
        let resources = answer["resources"].as_array().unwrap();
        let mut names: Vec<_> = resources.iter().map(|resource| resource["resource_name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{request}");
    }
}

#[tokio::test]
async fn a_search_is_paged_by_offset_and_shows_the_details() {
    let kms = Timed::start().await;
    for at in 0..3 {
        kms.named(&format!("key{at}")).await;
    }
    let page = |offset: &str| json!({"resource_instances": "resource_instances", "action": "filter", "limit": "2", "offset": offset});
    let first = kms.ask("ListKmsByTags", page("0")).await;
    let second = kms.ask("ListKmsByTags", page("2")).await;
    assert_eq!(first["resources"].as_array().unwrap().len(), 2);
    assert_eq!(second["resources"].as_array().unwrap().len(), 1);
    assert_eq!((&first["total_count"], &second["total_count"]), (&json!(3), &json!(3)));
    assert_eq!(kms.ask("ListKmsByTags", page("4")).await["resources"], json!([]));
    let resource = &second["resources"][0];
    let id = resource["resource_id"].as_str().unwrap();
    assert_eq!(resource["resource_detail"], kms.details(id).await);

    for (member, value, code) in [
        ("offset", json!("-1"), "KMS.0417"),
        ("limit", json!("0"), "KMS.1601"),
        ("action", json!("guess"), "KMS.0404"),
        ("action", json!("count"), "KMS.0418"),
        ("matches", json!([{"key": "name", "value": "a"}]), "KMS.0403"),
        ("matches", json!([{"key": "resource_name", "value": ""}]), "KMS.0402"),
    ] {
        let mut request = page("0");
        request[member] = value;
        assert_eq!(kms.refused("ListKmsByTags", request).await, code, "{member}");
    }
}
