//! Grants of secrets.

use csms_emulator::Emulator;
use csms_sdk::csms::{self, GrantResourceType, GranteeType};

use crate::support::pass_days;

#[tokio::test]
async fn a_grant_is_listed_changed_and_taken_away() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let secret = csms::CreateSecret::new("demo").secret_string("value").send(&client).await.unwrap();
    let id = secret.secret.as_ref().unwrap().id.clone().unwrap();
    let none = csms::ListGrants::new(&id).send(&client).await.unwrap();
    assert!(none.data.as_ref().unwrap().grantee_user.is_empty());

    let create = || csms::CreateGrants::new(&id, GrantResourceType::Secret, "user_01", GranteeType::User);
    let made = create().send(&client).await.unwrap().data.clone().unwrap();
    assert_eq!((made.resource_id.as_deref(), made.grantee_user.as_deref()), (Some(id.as_str()), Some("user_01")));
    assert_eq!((made.validity_time, made.r#type), (None, Some(GrantResourceType::Secret)));
    assert_eq!(create().send(&client).await.unwrap_err().status(), Some(400), "it is there already");

    let update = csms::UpdateGrant::new(&id, GrantResourceType::Secret, "user_01", GranteeType::User);
    let changed = update.validity_time("2099-12-31").send(&client).await.unwrap().data.clone().unwrap();
    assert_eq!((changed.uuid, changed.validity_time.as_deref()), (made.uuid, Some("4102358400000")));

    let listed = csms::ListGrants::new("demo").send(&client).await.unwrap().data.clone().unwrap();
    assert_eq!((listed.id.as_deref(), listed.name.as_deref()), (Some(id.as_str()), Some("demo")));
    assert_eq!(listed.grantee_user.len(), 1);
    assert_eq!(listed.grantee_user[0].user_id.as_deref(), Some("user_01"));

    let other = csms::DeleteGrant::new(&id).grantee_user("user_02").send(&client).await.unwrap_err();
    assert_eq!((other.status(), other.code()), (Some(404), Some("CSMS.0005")));
    csms::DeleteGrant::new(&id).grantee_user("user_01").send(&client).await.unwrap();
    assert_eq!(csms::DeleteGrant::new(&id).send(&client).await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn grants_go_with_their_secret() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let grant = || csms::CreateGrants::new("demo", GrantResourceType::Secret, "user_01", GranteeType::User);
    let missing = grant().send(&client).await.unwrap_err();
    assert_eq!((missing.status(), missing.code()), (Some(404), Some("CSMS.0106")));
    csms::CreateSecret::new("demo").secret_string("value").send(&client).await.unwrap();
    let made = grant().send(&client).await.unwrap();
    let id = made.data.as_ref().unwrap().resource_id.clone().unwrap();
    csms::DeleteSecret::new("demo").send(&client).await.unwrap();
    assert_eq!(csms::ListGrants::new(id).send(&client).await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn a_grant_ends_after_its_last_day() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let group = |day: String| {
        csms::CreateGrants::new("group-1", GrantResourceType::Group, "team", GranteeType::Group).validity_time(day)
    };
    let today = csms_sdk::clock::Clock::system().now().date_naive();
    let past = group((today - chrono::Days::new(1)).to_string()).send(&client).await.unwrap_err();
    assert_eq!(past.code(), Some("CSMS.0002"));
    group((today + chrono::Days::new(1)).to_string()).send(&client).await.unwrap();
    let count = || async {
        let listed = csms::ListGrants::new("group-1").send(&client).await.unwrap();
        listed.data.as_ref().unwrap().grantee_user.len()
    };
    assert_eq!(count().await, 1);
    pass_days(&emulator, 2);
    assert_eq!(count().await, 0);
}
