//! Tags of secrets.

use csms_emulator::Emulator;
use csms_sdk::{
    Client,
    csms::{self, QueryAction, TagAction, TagItem},
};

async fn create(client: &Client, name: &str) -> String {
    let created = csms::CreateSecret::new(name).secret_string("value").send(client).await.unwrap();
    created.secret.as_ref().unwrap().id.clone().unwrap()
}

fn item(key: &str, value: &str) -> TagItem {
    TagItem::new(key).value(value)
}

async fn tags(client: &Client, id: &str) -> Vec<TagItem> {
    csms::ListSecretTags::new(id).send(client).await.unwrap().tags.clone()
}

#[tokio::test]
async fn tags_are_put_on_replaced_and_taken_off_by_key() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = create(&client, "demo").await;
    csms::CreateSecretTag::new(&id, item("stage", "test")).send(&client).await.unwrap();
    csms::CreateSecretTag::new(&id, item("stage", "production")).send(&client).await.unwrap();
    let both = vec![item("team", "shop"), TagItem::new("plain")];
    csms::BatchCreateOrDeleteTags::new(&id, TagAction::Create, both).send(&client).await.unwrap();
    assert_eq!(tags(&client, &id).await, [item("plain", ""), item("stage", "production"), item("team", "shop")]);

    csms::DeleteSecretTag::new(&id, "plain").send(&client).await.unwrap();
    let missing = csms::DeleteSecretTag::new(&id, "plain").send(&client).await.unwrap_err();
    assert_eq!(missing.status(), Some(404));
    let some = vec![TagItem::new("stage"), item("team", "another value"), TagItem::new("absent")];
    csms::BatchCreateOrDeleteTags::new(&id, TagAction::Delete, some).send(&client).await.unwrap();
    assert_eq!(tags(&client, &id).await, [item("team", "shop")], "a value that is given has to be that of the tag");
}

#[tokio::test]
async fn a_secret_is_tagged_by_its_id_and_not_by_its_name() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = create(&client, "demo").await;
    csms::DeleteSecret::new("demo").send(&client).await.unwrap();
    let again = create(&client, "demo").await;
    for wrong in ["demo", id.as_str()] {
        let refused = csms::CreateSecretTag::new(wrong, item("a", "b")).send(&client).await.unwrap_err();
        assert_eq!((refused.status(), refused.code()), (Some(404), Some("CSMS.0005")), "{wrong}");
    }
    csms::CreateSecretTag::new(again, item("a", "b")).send(&client).await.unwrap();
}

#[tokio::test]
async fn tags_beyond_the_limits_leave_all_as_it_was() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = create(&client, "demo").await;
    let twenty: Vec<_> = (0..20).map(|number| item(&format!("key{number:02}"), "value")).collect();
    csms::BatchCreateOrDeleteTags::new(&id, TagAction::Create, twenty.clone()).send(&client).await.unwrap();
    let long = "k".repeat(129);
    for key in ["one-more", "_sys_own", " space", "space ", "semi;colon", "slash/", "", long.as_str()] {
        let refused = csms::CreateSecretTag::new(&id, item(key, "")).send(&client).await.unwrap_err();
        assert_eq!(refused.status(), Some(400), "{key}");
    }
    let long = "v".repeat(256);
    for value in ["semi;colon", long.as_str()] {
        let refused = csms::CreateSecretTag::new(&id, item("key00", value)).send(&client).await.unwrap_err();
        assert_eq!(refused.status(), Some(400), "{value}");
    }
    let twice = vec![item("key00", "a"), item("key00", "b")];
    let twice = csms::BatchCreateOrDeleteTags::new(&id, TagAction::Create, twice).send(&client).await.unwrap_err();
    assert_eq!(twice.code(), Some("CSMS.0002"));
    assert_eq!(tags(&client, &id).await, twenty);
    csms::CreateSecretTag::new(&id, item("key00", "Straße/北京 1")).send(&client).await.unwrap();
}

#[tokio::test]
async fn the_tags_of_a_project_are_listed_with_all_their_values() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    for (name, value) in [("one", "b"), ("two", "a"), ("three", "b")] {
        let id = create(&client, name).await;
        csms::CreateSecretTag::new(id, item("key", value)).send(&client).await.unwrap();
    }
    let answer = csms::ListProjectSecretsTags::new().send(&client).await.unwrap();
    assert_eq!(answer.tags.len(), 1);
    assert_eq!((answer.tags[0].key.as_deref(), &*answer.tags[0].values), (Some("key"), &["a".into(), "b".into()][..]));
}

#[tokio::test]
async fn secrets_are_found_by_all_conditions_on_tags_and_name() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    for (name, stage, team) in
        [("shop-db", "test", "shop"), ("shop-api", "live", "shop"), ("mail-db", "live", "mail"), ("mail-api", "", "")]
    {
        let id = create(&client, name).await;
        if !team.is_empty() {
            let tags = vec![item("stage", stage), item("team", team)];
            csms::BatchCreateOrDeleteTags::new(id, TagAction::Create, tags).send(&client).await.unwrap();
        }
    }
    let tag = |key: &str, values: &[&str]| {
        csms::Tag::new().key(key).values(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
    };
    let named = |part: &str| csms::TagMatches::new().key("resource_name").value(part);
    let query = |tags: Vec<csms::Tag>, matches: Vec<csms::TagMatches>| {
        let query = csms::ListResourceInstances::new("resource_instances", QueryAction::Filter).matches(matches);
        if tags.is_empty() { query } else { query.tags(tags) }
    };
    for (query, expected) in [
        (query(vec![], vec![]), &["mail-api", "mail-db", "shop-api", "shop-db"][..]),
        (query(vec![tag("stage", &["test", "live"])], vec![]), &["mail-db", "shop-api", "shop-db"]),
        (query(vec![tag("stage", &[])], vec![]), &["mail-db", "shop-api", "shop-db"]),
        (query(vec![tag("stage", &["live"]), tag("team", &["shop"])], vec![]), &["shop-api"]),
        (query(vec![], vec![named("db")]), &["mail-db", "shop-db"]),
        (query(vec![], vec![named("db"), named("shop")]), &["shop-db"]),
        (query(vec![tag("team", &["mail"])], vec![named("shop")]), &[]),
        (query(vec![], vec![named("")]), &[]),
    ] {
        let found = query.send(&client).await.unwrap();
        let names: Vec<_> = found.resources.iter().filter_map(|found| found.resource_name.as_deref()).collect();
        assert_eq!(names, expected);
        assert_eq!(found.total_count, Some(expected.len() as i32));
    }

    let page = query(vec![], vec![]).offset(1).limit(2).send(&client).await.unwrap();
    let names: Vec<_> = page.resources.iter().filter_map(|found| found.resource_name.as_deref()).collect();
    assert_eq!((names, page.total_count), (vec!["mail-db", "shop-api"], Some(4)));
    assert_eq!(page.resources[0].tags, [item("stage", "live"), item("team", "mail")]);
    assert_eq!(page.resources[0].resource_detail.as_ref().unwrap().name.as_deref(), Some("mail-db"));

    let count = csms::ListResourceInstances::new("resource_instances", QueryAction::Count);
    let count = count.tags(vec![tag("team", &["shop"])]).send(&client).await.unwrap();
    assert_eq!((count.total_count, count.resources.len()), (Some(2), 0));
}
