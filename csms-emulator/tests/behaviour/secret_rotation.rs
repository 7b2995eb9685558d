//! Rotation of secrets.

use std::time::Duration;

use csms_emulator::{Builder, Emulator};
use csms_sdk::{
    Client,
    csms::{self, DatabaseEngine, EventState, EventType, SecretSubType, SecretType, TaskStatus},
    kms,
    time::Timestamp,
};

use crate::support::pass_days;

const FUNCTION: &str = "urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:function:default:rotate:latest";
const VALUE: &str = r#"{"users":[{"name":"shop","password":"first-password"}],"port":3306}"#;

fn database(name: &str, sub_type: &str) -> csms::CreateSecret {
    csms::CreateSecret::new(name)
        .secret_string(VALUE)
        .secret_type(SecretType::RdsFg)
        .rotation_config(format!(
            r#"{{"InstanceId":"63616bceef2c45409575d762a498318bin01","SecretSubType":"{sub_type}"}}"#
        ))
        .rotation_func_urn(FUNCTION)
}

fn at_once() -> Builder {
    Emulator::builder().rotation_delay(Duration::ZERO)
}

async fn rotate(client: &Client, name: &str) -> String {
    let begun = csms::RotateSecret::new(name).send(client).await.unwrap();
    begun.rotation_task_id.clone().unwrap()
}

async fn task(client: &Client, id: &str) -> csms::SecretTask {
    let tasks = csms::ListSecretTask::new().task_id(id).send(client).await.unwrap();
    assert_eq!((tasks.tasks.len(), tasks.total), (1, Some(1)));
    tasks.tasks[0].clone()
}

async fn value(client: &Client, name: &str, version: &str) -> String {
    let version = csms::ShowSecretVersion::new(name, version).send(client).await.unwrap();
    version.version.as_ref().unwrap().secret_string.as_ref().unwrap().expose_secret().to_owned()
}

async fn stage(client: &Client, name: &str, stage: &str) -> Option<String> {
    let stage = csms::ShowSecretStage::new(name, stage).send(client).await.ok()?;
    stage.stage.as_ref().unwrap().version_id.clone()
}

async fn secret(client: &Client, name: &str) -> csms::Secret {
    csms::ShowSecret::new(name).send(client).await.unwrap().secret.clone().unwrap()
}

#[tokio::test]
async fn a_rotation_puts_a_new_password_into_use_and_keeps_the_rest_of_the_value() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    database("demo", "SingleUser").send(&client).await.unwrap();
    let id = rotate(&client, "demo").await;
    let done = task(&client, &id).await;
    assert_eq!((done.task_status, done.secret_name.as_deref()), (Some(TaskStatus::Success), Some("demo")));
    assert_eq!(
        (done.operate_type.as_deref(), done.rotation_func_urn.as_deref()),
        (Some("SINGLE_USER"), Some(FUNCTION))
    );
    assert_eq!(stage(&client, "demo", "SYSCURRENT").await.as_deref(), Some("v2"));
    assert_eq!(stage(&client, "demo", "SYSPREVIOUS").await.as_deref(), Some("v1"));

    let renewed: serde_json::Value = serde_json::from_str(&value(&client, "demo", "latest").await).unwrap();
    let user = &renewed["users"][0];
    assert_eq!((&renewed["port"], &user["name"]), (&3306.into(), &"shop".into()));
    let password = user["password"].as_str().unwrap();
    assert!(password.len() == 32 && password != "first-password", "a password of its own");
    assert_eq!(value(&client, "demo", "v1").await, VALUE);
    assert!(secret(&client, "demo").await.rotation_time.is_some());
}

#[tokio::test]
async fn values_in_single_quotes_keep_their_shape_and_others_are_passwords() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    let quoted = "{'users':[{'name':'shop','password':'first-password'}]}";
    database("quoted", "SingleUser").secret_string(quoted).send(&client).await.unwrap();
    database("plain", "SingleUser").secret_string("first-password").send(&client).await.unwrap();
    rotate(&client, "quoted").await;
    rotate(&client, "plain").await;
    let renewed = value(&client, "quoted", "latest").await;
    assert!(renewed.starts_with("{'users':[{'name':'shop','password':'") && renewed.len() > quoted.len());
    assert!(!renewed.contains("first-password"));
    assert_eq!(value(&client, "plain", "latest").await.len(), 32);
}

#[tokio::test]
async fn while_two_accounts_take_part_the_new_value_is_pending() {
    let emulator = Emulator::builder().rotation_delay(Duration::from_secs(60)).start().await.unwrap();
    let client = emulator.client();
    database("demo", "MultiUser").send(&client).await.unwrap();
    let begun = csms::RotateSecret::new("demo").send(&client).await.unwrap();
    assert_eq!(begun.version_id.as_deref(), Some("v2"), "it is known already");
    let id = begun.rotation_task_id.clone().unwrap();
    assert_eq!(task(&client, &id).await.task_status, Some(TaskStatus::Other("RUNNING".into())));
    assert_eq!(stage(&client, "demo", "SYSPENDING").await.as_deref(), Some("v2"));
    assert_eq!(stage(&client, "demo", "SYSCURRENT").await.as_deref(), Some("v1"));
    let twice = csms::RotateSecret::new("demo").send(&client).await.unwrap_err();
    assert_eq!((twice.status(), twice.code()), (Some(400), Some("CSMS.0003")));

    let pending = value(&client, "demo", "v2").await;
    emulator.advance(Duration::from_secs(61));
    let done = task(&client, &id).await;
    assert_eq!((done.task_status, done.operate_type.as_deref()), (Some(TaskStatus::Success), Some("MULTI_USER")));
    assert_eq!(stage(&client, "demo", "SYSPENDING").await, None);
    assert_eq!(stage(&client, "demo", "SYSPREVIOUS").await.as_deref(), Some("v1"));
    assert_eq!(value(&client, "demo", "latest").await, pending);
}

#[tokio::test]
async fn a_secret_rotates_by_itself_when_its_period_is_over() {
    let emulator = Emulator::builder().rotation_delay(Duration::from_secs(60)).start().await.unwrap();
    let client = emulator.client();
    let created = database("demo", "SingleUser").auto_rotation(true).rotation_period("1d").send(&client).await.unwrap();
    let created = created.secret.clone().unwrap();
    let next = |secret: &csms::Secret| secret.next_rotation_time.map(Timestamp::as_millis);
    assert_eq!(next(&created), created.create_time.map(|time| time.as_millis() + 86_400_000));

    emulator.advance(Duration::from_secs(86_400 - 60));
    assert_eq!(stage(&client, "demo", "SYSCURRENT").await.as_deref(), Some("v1"));
    emulator.advance(Duration::from_secs(61));
    let tasks = csms::ListSecretTask::new().secret_name("demo").send(&client).await.unwrap();
    assert_eq!(tasks.tasks[0].task_status, Some(TaskStatus::Other("RUNNING".into())));
    emulator.advance(Duration::from_secs(60));
    assert_eq!(stage(&client, "demo", "SYSCURRENT").await.as_deref(), Some("v2"));
    let rotated = secret(&client, "demo").await;
    assert_eq!(next(&rotated), rotated.rotation_time.map(|time| time.as_millis() + 86_400_000));

    csms::UpdateSecret::new("demo").auto_rotation(false).send(&client).await.unwrap();
    assert_eq!(next(&secret(&client, "demo").await), None);
    pass_days(&emulator, 3);
    assert_eq!(stage(&client, "demo", "SYSCURRENT").await.as_deref(), Some("v2"));
}

#[tokio::test]
async fn a_common_secret_is_not_rotated() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    csms::CreateSecret::new("demo").secret_string("value").send(&client).await.unwrap();
    let refused = csms::RotateSecret::new("demo").send(&client).await.unwrap_err();
    assert_eq!((refused.status(), refused.code()), (Some(400), Some("CSMS.0003")));
    assert_eq!(csms::ListSecretTask::new().send(&client).await.unwrap().total, Some(0));
}

#[tokio::test]
async fn a_rotation_whose_key_is_disabled_fails_and_tells() {
    let emulator = at_once().start().await.unwrap();
    let client = emulator.client();
    let topic = csms::Notification::new(csms::NotificationTargetType::Smn, "urn:smn:a:b:c", "topic");
    let types = vec![EventType::Rotated, EventType::RotatedFailed];
    csms::CreateSecretEvent::new("rotated", types, EventState::Enabled, topic).send(&client).await.unwrap();
    let key = kms::CreateKey::new("demo").send(&client).await.unwrap();
    let key = key.key_info.as_ref().unwrap().key_id.clone().unwrap();
    let secret = database("demo", "MultiUser").kms_key_id(&key).event_subscriptions(vec!["rotated".to_owned()]);
    secret.send(&client).await.unwrap();
    rotate(&client, "demo").await;
    kms::DisableKey::new(key).send(&client).await.unwrap();
    let id = rotate(&client, "demo").await;
    let failed = task(&client, &id).await;
    assert_eq!((failed.task_status, failed.task_error_code.as_deref()), (Some(TaskStatus::Failed), Some("CSMS.0401")));
    let told = csms::ListNotificationRecords::new().send(&client).await.unwrap();
    let told: Vec<_> = told.records.iter().filter_map(|record| record.trigger_event_type.clone()).collect();
    assert_eq!(told, [EventType::RotatedFailed, EventType::Rotated], "the newest first");
    assert_eq!(stage(&client, "demo", "SYSCURRENT").await.as_deref(), Some("v2"));
}

#[tokio::test]
async fn the_rotation_of_a_deleted_secret_fails() {
    let emulator = Emulator::builder().rotation_delay(Duration::from_secs(600)).start().await.unwrap();
    let client = emulator.client();
    database("demo", "SingleUser").send(&client).await.unwrap();
    let id = rotate(&client, "demo").await;
    csms::DeleteSecret::new("demo").send(&client).await.unwrap();
    database("demo", "SingleUser").send(&client).await.unwrap();
    assert_eq!(task(&client, &id).await.task_status, Some(TaskStatus::Failed));
    rotate(&client, "demo").await;
}

#[tokio::test]
async fn tasks_are_listed_the_newest_first_page_by_page() {
    let emulator = Emulator::builder().rotation_delay(Duration::ZERO).start().await.unwrap();
    let client = emulator.client();
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        database(name, "SingleUser").send(&client).await.unwrap();
        ids.insert(0, rotate(&client, name).await);
        emulator.advance(Duration::from_secs(1));
    }
    let first = csms::ListSecretTask::new().limit(2).send(&client).await.unwrap();
    let listed: Vec<_> = first.tasks.iter().filter_map(|task| task.task_id.clone()).collect();
    assert_eq!((&listed[..], first.total), (&ids[..2], Some(3)));
    let marker = first.next_marker.clone().unwrap();
    let second = csms::ListSecretTask::new().limit(2).marker(marker).send(&client).await.unwrap();
    assert_eq!((second.tasks[0].task_id.as_ref(), second.next_marker.as_ref()), (ids.last(), None));
    let failed = csms::ListSecretTask::new().status(TaskStatus::Failed).send(&client).await.unwrap();
    assert_eq!((failed.total, failed.tasks.len()), (Some(0), 0));
    let both = csms::ListSecretTask::new().task_id(&ids[0]).secret_name("one").send(&client).await.unwrap_err();
    assert_eq!(both.code(), Some("CSMS.0002"));
}

#[tokio::test]
async fn agencies_are_created_once_for_all_regions() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let granted = |client: Client, secret_type| async move {
        csms::ShowAgency::new(secret_type).send(&client).await.unwrap().agency_granted
    };
    assert_eq!(granted(client.clone(), SecretType::RdsFg).await, Some(false));
    let created = csms::CreateAgency::new(SecretType::RdsFg).send(&client).await.unwrap();
    assert!(created.agencies.len() == 2 && created.agencies.iter().all(|agency| agency.agency_id.is_some()));
    let elsewhere = client.for_region("cn-east-3").unwrap();
    assert_eq!(granted(elsewhere, SecretType::RdsFg).await, Some(true));
    assert_eq!(granted(client.clone(), SecretType::GaussDbFg).await, Some(false));
    let again = csms::CreateAgency::new(SecretType::RdsFg).send(&client).await.unwrap();
    assert!(again.agencies.iter().all(|agency| agency.agency_id.is_none() && agency.error_msg.is_some()));
    assert_eq!(csms::CreateAgency::new(SecretType::Common).send(&client).await.unwrap_err().code(), Some("CSMS.0002"));
}

#[tokio::test]
async fn a_function_template_names_the_engine_where_there_is_a_choice() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let template = |secret_type| csms::ShowSecretFunctionTemplates::new(secret_type, SecretSubType::MultiUser);
    let shown = template(SecretType::RdsFg).engine(DatabaseEngine::MySql).send(&client).await.unwrap();
    let source = shown.function_templates.clone().unwrap();
    assert!(source.contains("def handler(event, context):") && source.contains("mysql"), "{source}");
    template(SecretType::GaussDbFg).send(&client).await.unwrap();
    let without = template(SecretType::RdsFg).send(&client).await.unwrap_err();
    assert_eq!((without.status(), without.code()), (Some(400), Some("CSMS.0002")));
    let with = template(SecretType::GaussDbFg).engine(DatabaseEngine::MySql).send(&client).await.unwrap_err();
    assert_eq!(with.status(), Some(400));
}
