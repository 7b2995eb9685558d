//! Events: what is kept, and what they tell of.

use csms_emulator::Emulator;
use csms_sdk::{
    Client,
    csms::{self, EventState, EventType, NotificationStatus},
    time::Timestamp,
};

use crate::support::pass_days;

const TOPIC: &str = "urn:smn:cn-north-4:0123456789abcdef0123456789abcdef:secret-events";

fn topic(id: &str) -> csms::Notification {
    csms::Notification::new(csms::NotificationTargetType::Smn, id, "secret-events")
}

async fn create_event(client: &Client, name: &str, types: Vec<EventType>, target: &str) {
    let event = csms::CreateSecretEvent::new(name, types, EventState::Enabled, topic(target));
    event.send(client).await.unwrap();
}

async fn create_secret(client: &Client, name: &str, event: &str) {
    let secret = csms::CreateSecret::new(name).secret_string("value");
    secret.event_subscriptions(vec![event.to_owned()]).send(client).await.unwrap();
}

async fn told(client: &Client) -> Vec<csms::Record> {
    csms::ListNotificationRecords::new().send(client).await.unwrap().records.clone()
}

#[tokio::test]
async fn an_event_is_shown_as_it_was_created_and_changed() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let types = vec![EventType::VersionCreated, EventType::Rotated];
    let created = csms::CreateSecretEvent::new("demo", types.clone(), EventState::Enabled, topic(TOPIC));
    let created = created.send(&client).await.unwrap().event.clone().unwrap();
    let shown = csms::ShowSecretEvent::new("demo").send(&client).await.unwrap().event.clone().unwrap();
    assert_eq!(shown, created);
    assert_eq!((shown.event_types, shown.state), (types.clone(), Some(EventState::Enabled)));
    assert_eq!(shown.notification, Some(topic(TOPIC)));

    let again = csms::CreateSecretEvent::new("demo", types.clone(), EventState::Enabled, topic(TOPIC));
    assert_eq!(again.send(&client).await.unwrap_err().status(), Some(409));

    let changed = csms::UpdateSecretEvent::new("demo").state(EventState::Disabled).send(&client).await.unwrap();
    let changed = changed.event.clone().unwrap();
    assert_eq!((changed.state, changed.event_types), (Some(EventState::Disabled), types));
    assert_eq!((changed.event_id, changed.create_time), (created.event_id, created.create_time));

    csms::DeleteSecretEvent::new("demo").send(&client).await.unwrap();
    let missing = csms::ShowSecretEvent::new("demo").send(&client).await.unwrap_err();
    assert_eq!((missing.status(), missing.code()), (Some(404), Some("CSMS.0005")));
}

#[tokio::test]
async fn event_types_that_are_unknown_or_repeated_are_refused() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    for types in [vec![EventType::Other("SECRET_SHARED".into())], vec![EventType::Deleted, EventType::Deleted]] {
        let event = csms::CreateSecretEvent::new("demo", types, EventState::Enabled, topic(TOPIC));
        let refused = event.send(&client).await.unwrap_err();
        assert_eq!((refused.status(), refused.code()), (Some(400), Some("CSMS.0002")));
    }
    assert!(csms::ListSecretEvents::new().send(&client).await.unwrap().events.is_empty());
}

#[tokio::test]
async fn a_project_has_thirty_events_and_lists_them_page_by_page() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    for number in 0..30 {
        create_event(&client, &format!("event-{number:02}"), vec![EventType::Deleted], TOPIC).await;
    }
    let one_more = csms::CreateSecretEvent::new("more", [EventType::Deleted], EventState::Enabled, topic(TOPIC));
    assert_eq!(one_more.send(&client).await.unwrap_err().status(), Some(400));

    let page = csms::ListSecretEvents::new().limit(20).send(&client).await.unwrap();
    let marker = page.page_info.as_ref().unwrap().next_marker.clone().unwrap();
    assert_eq!((page.events.len(), marker.as_str()), (20, "event-19"));
    let rest = csms::ListSecretEvents::new().limit(20).marker(marker).send(&client).await.unwrap();
    let names: Vec<_> = rest.events.iter().filter_map(|event| event.name.as_deref()).collect();
    assert_eq!((names.len(), names[0], names[9]), (10, "event-20", "event-29"));
    assert_eq!(rest.page_info.as_ref().unwrap().next_marker, None);
}

#[tokio::test]
async fn only_an_enabled_event_tells_and_only_of_what_it_is_about() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create_event(&client, "created", vec![EventType::VersionCreated], TOPIC).await;
    create_secret(&client, "demo", "created").await;
    let before = told(&client).await.len();
    csms::CreateSecretVersion::new("demo").secret_string("next").send(&client).await.unwrap();
    let records = told(&client).await;
    assert_eq!(records.len(), before + 1);
    let record = &records[0];
    assert_eq!(record.event_name.as_deref(), Some("created"));
    assert_eq!(record.trigger_event_type, Some(EventType::VersionCreated));
    assert_eq!(record.secret_name.as_deref(), Some("demo"));
    assert_eq!(record.notification_status, Some(NotificationStatus::Success));
    assert_eq!(record.notification_target_id.as_deref(), Some(TOPIC));
    let content: serde_json::Value = serde_json::from_str(record.notification_content.as_ref().unwrap()).unwrap();
    assert_eq!((&content["secretName"], &content["secretVersion"]), (&"demo".into(), &"v2".into()));

    csms::UpdateSecretEvent::new("created").state(EventState::Disabled).send(&client).await.unwrap();
    csms::CreateSecretVersion::new("demo").secret_string("silent").send(&client).await.unwrap();
    csms::UpdateSecretEvent::new("created").state(EventState::Enabled).send(&client).await.unwrap();
    csms::DeleteSecret::new("demo").send(&client).await.unwrap();
    assert_eq!(told(&client).await.len(), before + 1);
}

#[tokio::test]
async fn a_target_that_is_no_topic_shows_in_the_record_only() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create_event(&client, "deleted", vec![EventType::Deleted], "somewhere").await;
    create_secret(&client, "demo", "deleted").await;
    csms::DeleteSecret::new("demo").send(&client).await.unwrap();
    let records = told(&client).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].trigger_event_type, Some(EventType::Deleted));
    assert_eq!(records[0].notification_status, Some(NotificationStatus::Invalid));
}

#[tokio::test]
async fn an_event_is_deleted_once_no_secret_subscribes() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create_event(&client, "demo", vec![EventType::Deleted], TOPIC).await;
    create_secret(&client, "secret", "demo").await;
    let refused = csms::DeleteSecretEvent::new("demo").send(&client).await.unwrap_err();
    assert_eq!(refused.status(), Some(400));
    assert!(refused.to_string().contains("secret"), "{refused}");
    csms::UpdateSecret::new("secret").event_subscriptions(Vec::<String>::new()).send(&client).await.unwrap();
    csms::DeleteSecretEvent::new("demo").send(&client).await.unwrap();
}

#[tokio::test]
async fn an_expired_version_is_told_of_once_and_can_still_be_read() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    create_event(&client, "expired", vec![EventType::VersionExpired], TOPIC).await;
    create_secret(&client, "demo", "expired").await;
    let expiry = csms_sdk::clock::Clock::system().now().timestamp() + 86_400;
    let expiry = Timestamp::from_seconds(expiry);
    csms::UpdateVersion::new("demo", "v1", expiry).send(&client).await.unwrap();
    assert!(told(&client).await.is_empty());
    pass_days(&emulator, 2);
    assert_eq!(told(&client).await.len(), 1);
    pass_days(&emulator, 2);
    assert_eq!(told(&client).await.len(), 1);
    csms::ShowSecretVersion::new("demo", "v1").send(&client).await.unwrap();
    pass_days(&emulator, 100);
    assert!(told(&client).await.is_empty(), "records are kept for three months");
}
