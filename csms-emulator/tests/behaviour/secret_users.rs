//! Users of CSMS, and the checker of secrets.

use csms_emulator::Emulator;
use csms_sdk::{csms, secret::SecretJson};

#[tokio::test]
async fn the_users_of_the_account_are_listed_and_shown() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let listed = csms::ListUsers::new(0, 10).send(&client).await.unwrap();
    assert_eq!((listed.total, listed.users.len()), (Some(1), 1));
    let user = &listed.users[0];
    assert_eq!((user.user_name.as_deref(), user.disabled, user.grade), (Some("developer"), Some(false), Some(1)));
    let shown = csms::ShowUserDetail::new(user.user_id.clone().unwrap()).send(&client).await.unwrap();
    assert_eq!((&shown.user_id, &shown.user_name, &shown.org_id), (&user.user_id, &user.user_name, &user.org_id));
    assert_eq!(shown.created_at, user.created_at);
    let missing = csms::ShowUserDetail::new("nobody").send(&client).await.unwrap_err();
    assert_eq!((missing.status(), missing.code()), (Some(404), Some("CSMS.0005")));

    let count = |query: csms::ListUsers| async { query.send(&client).await.unwrap().users.len() };
    assert_eq!(count(csms::ListUsers::new(1, 10)).await, 0, "the second page");
    assert_eq!(count(csms::ListUsers::new(0, 10).user_info("velop")).await, 1);
    assert_eq!(count(csms::ListUsers::new(0, 10).user_info("other")).await, 0);
    assert_eq!(count(csms::ListUsers::new(0, 10).org_id("other")).await, 0);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let directory = tempfile::tempdir().unwrap();
    let start = || Emulator::builder().data(directory.path().join("data")).start();
    let emulator = start().await.unwrap();
    let client = emulator.client();
    let user_id = csms::ListUsers::new(0, 10).send(&client).await.unwrap().users[0].user_id.clone();
    let wrong = csms::UpdateUserPassword::new("guess", "new").send(&client).await.unwrap_err();
    assert_eq!((wrong.status(), wrong.code()), (Some(400), Some("CSMS.0002")));
    let changed = csms::UpdateUserPassword::new("emulator-password", "new").send(&client).await.unwrap();
    assert_eq!(changed.user_id, user_id);
    drop(client);
    emulator.shutdown().await;
    let emulator = start().await.unwrap();
    let client = emulator.client();
    csms::UpdateUserPassword::new("emulator-password", "other").send(&client).await.unwrap_err();
    csms::UpdateUserPassword::new("new", "other").send(&client).await.unwrap();
}

#[tokio::test]
async fn secrets_are_judged_unless_that_is_turned_off() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let check = || async {
        let data = serde_json::json!({"weak": "12345", "strong": "Correct-Horse-7", "count": 3});
        let checked = csms::CheckSecrets::new("strength", SecretJson::from(data)).send(&client).await.unwrap();
        assert_eq!(checked.r#type.as_deref(), Some("strength"));
        checked.data.as_ref().unwrap().expose_secret().clone()
    };
    let judged = check().await;
    assert!(judged["weak"].as_str().unwrap().starts_with("weak"), "{judged}");
    assert_eq!((&judged["strong"], judged.get("count")), (&"strong".into(), None));

    let config = csms::UpdateSecretsConfig::new().checking_secret_strength(false).send(&client).await.unwrap();
    assert_eq!(config.checking_secret_strength, Some(false));
    let elsewhere = client.for_region("cn-east-3").unwrap();
    let config = csms::ShowSecretsConfig::new().send(&elsewhere).await.unwrap();
    assert_eq!(config.checking_secret_strength, Some(false), "it is the account's");
    assert_eq!(check().await, serde_json::json!({}));
}
