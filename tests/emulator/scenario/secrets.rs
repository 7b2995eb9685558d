//! The operations of CSMS.

use std::time::Duration;

use csms_emulator::Emulator;
use csms_sdk::Service::Csms;
use serde_json::json;

use super::{other_region, text};
use crate::calls::Calls;

/// The database that rotated secrets are of.
const INSTANCE: &str = "63616bceef2c45409575d762a498318bin01";

pub(super) async fn every_operation(emulator: &Emulator, calls: &mut Calls) {
    let id = lifecycle(calls).await;
    events(calls).await;
    tags(calls, &id).await;
    rotation(emulator, calls).await;
    replicas(emulator, calls).await;
    users_and_grants(calls, &id).await;
    backup_and_deletion(emulator, calls).await;
}

async fn lifecycle(calls: &mut Calls) -> String {
    let event = json!({
        "name": "all", "state": "ENABLED", "event_types": ["SECRET_VERSION_CREATED", "SECRET_DELETED"],
        "notification": {"target_type": "SMN", "target_id": "urn:smn:cn-north-4:p:all", "target_name": "all"},
    });
    calls.call(Csms, "CreateSecretEvent", event).await;
    let created =
        json!({"name": "demo", "secret_string": "one", "description": "first", "event_subscriptions": ["all"]});
    let created = calls.call(Csms, "CreateSecret", created).await;
    let id = text(&created, "/secret/id");
    calls.call(Csms, "CreateSecret", json!({"name": "binary", "secret_binary": "AAEC"})).await;
    calls.call(Csms, "ShowSecret", json!({"secret_name": "demo"})).await;
    calls.call(Csms, "ListSecrets", json!({"limit": 1})).await;
    calls.call(Csms, "UpdateSecret", json!({"secret_name": "demo", "description": "second"})).await;

    let version = json!({"secret_name": "demo", "secret_string": "two", "expire_time": 1_893_456_789_000_i64});
    calls.call(Csms, "CreateSecretVersion", version).await;
    calls.call(Csms, "ShowSecretVersion", json!({"secret_name": "demo", "version_id": "latest"})).await;
    calls.call(Csms, "ShowSecretVersion", json!({"secret_name": "binary", "version_id": "v1"})).await;
    calls.call(Csms, "ListSecretVersions", json!({"secret_name": "demo", "limit": 1})).await;
    let expiry = json!({"secret_name": "demo", "version_id": "v1", "expire_time": 1_893_456_789_000_i64});
    calls.call(Csms, "UpdateVersion", expiry).await;
    calls.call(Csms, "BatchGetSecretValue", json!({"secret_name_list": ["demo", "binary"]})).await;

    calls.call(Csms, "CreateSecretStage", json!({"secret_name": "demo", "name": "blue", "version_id": "v1"})).await;
    let moved = json!({"secret_name": "demo", "stage_name": "blue", "version_id": "v2"});
    calls.call(Csms, "UpdateSecretStage", moved).await;
    calls.call(Csms, "ShowSecretStage", json!({"secret_name": "demo", "stage_name": "blue"})).await;
    calls.call(Csms, "DeleteSecretStage", json!({"secret_name": "demo", "stage_name": "blue"})).await;

    calls.call(Csms, "GenerateRandomPassword", json!({"length": 20})).await;
    let many = json!({"secrets": [
        {"name": "imported", "secret_string": "three"},
        {"name": "demo", "secret_string": "there already"},
    ]});
    calls.call(Csms, "BatchImportSecrets", many).await;
    id
}

async fn events(calls: &mut Calls) {
    let notification = json!({"target_type": "SMN", "target_id": "urn:smn:cn-north-4:p:t", "target_name": "t"});
    let event =
        json!({"name": "second", "state": "ENABLED", "event_types": ["SECRET_ROTATED"], "notification": notification});
    calls.call(Csms, "CreateSecretEvent", event).await;
    calls.call(Csms, "ShowSecretEvent", json!({"event_name": "second"})).await;
    calls.call(Csms, "ListSecretEvents", json!({"limit": 1})).await;
    let changed = json!({
        "event_name": "second", "state": "DISABLED", "event_types": ["SECRET_ROTATED"], "notification": notification,
    });
    calls.call(Csms, "UpdateSecretEvent", changed).await;
    calls.call(Csms, "DeleteSecretEvent", json!({"event_name": "second"})).await;
    calls.call(Csms, "ListNotificationRecords", json!({})).await;
}

async fn tags(calls: &mut Calls, id: &str) {
    calls.call(Csms, "CreateSecretTag", json!({"secret_id": id, "tag": {"key": "DEV", "value": "one"}})).await;
    let many = json!({"secret_id": id, "action": "create", "tags": [{"key": "team", "value": "a"}, {"key": "x", "value": ""}]});
    calls.call(Csms, "BatchCreateOrDeleteTags", many).await;
    calls.call(Csms, "ListSecretTags", json!({"secret_id": id})).await;
    calls.call(Csms, "ListProjectSecretsTags", json!({})).await;
    for action in ["filter", "count"] {
        let query = json!({
            "resource_instances": "resource_instances", "action": action, "tags": [{"key": "team", "values": ["a"]}],
        });
        calls.call(Csms, "ListResourceInstances", query).await;
    }
    calls.call(Csms, "DeleteSecretTag", json!({"secret_id": id, "key": "x"})).await;
}

async fn rotation(emulator: &Emulator, calls: &mut Calls) {
    for _ in 0..2 {
        // There is nothing to do any more the second time.
        calls.call(Csms, "CreateAgency", json!({"secret_type": "RDS-FG"})).await;
    }
    calls.call(Csms, "ShowAgency", json!({"secret_type": "RDS-FG"})).await;
    let template = json!({"secret_type": "RDS-FG", "secret_sub_type": "MultiUser", "engine": "mysql"});
    calls.call(Csms, "ShowSecretFunctionTemplates", template).await;
    for (name, users) in [("database", "SingleUser"), ("databases", "MultiUser"), ("lost", "SingleUser")] {
        let account = json!({
            "name": name, "secret_type": "RDS-FG", "secret_string": r#"{"users":[{"name":"shop","password":"p"}]}"#,
            "rotation_config": json!({"InstanceId": INSTANCE, "SecretSubType": users}).to_string(), "auto_rotation": true,
            "rotation_period": "30d", "rotation_func_urn": "urn:fss:cn-north-4:p:function:default:rotate:latest",
        });
        calls.call(Csms, "CreateSecret", account).await;
        calls.call(Csms, "RotateSecret", json!({"secret_name": name})).await;
    }
    // Its rotation fails.
    calls.call(Csms, "DeleteSecret", json!({"secret_name": "lost"})).await;
    emulator.advance(Duration::from_secs(1));
    calls.call(Csms, "ListSecretTask", json!({})).await;
    calls.call(Csms, "ListSecretTask", json!({"limit": 1})).await;
    calls.call(Csms, "ShowSecret", json!({"secret_name": "database"})).await;
}

async fn replicas(emulator: &Emulator, calls: &mut Calls) {
    let region = other_region(emulator);
    calls.call(Csms, "ListSupportRegions", json!({})).await;
    calls.call(Csms, "CreateSecretReplica", json!({"secret_name": "demo", "region": region})).await;
    emulator.advance(Duration::from_secs(1));
    calls.call(Csms, "ShowSecret", json!({"secret_name": "demo"})).await;
    calls.call(Csms, "DeleteSecretReplica", json!({"secret_name": "demo", "region_name": region})).await;
}

async fn users_and_grants(calls: &mut Calls, id: &str) {
    let users = calls.call(Csms, "ListUsers", json!({"offset": 0, "limit": 10})).await;
    let user = text(&users, "/users/0/user_id");
    calls.call(Csms, "ShowUserDetail", json!({"user_id": user})).await;
    let password = json!({"old_password": super::iam::PASSWORD, "password": "another-Password-1"});
    calls.call(Csms, "UpdateUserPassword", password).await;
    let grant = json!({"type": "SECRET", "resource_id": id, "grantee_type": "0", "grantee_target_id": user, "validity_time": "2036-12-31"});
    calls.call(Csms, "CreateGrants", grant).await;
    calls.call(Csms, "ListGrants", json!({"resource_id": id})).await;
    let changed = json!({
        "resource_id": id, "grantee_target_id": user, "grantee_type": "0", "type": "SECRET", "validity_time": "2026-12-31",
    });
    calls.call(Csms, "UpdateGrant", changed).await;
    calls.call(Csms, "DeleteGrant", json!({"grantee_user": user, "resource_id": id})).await;

    calls.call(Csms, "UpdateSecretsConfig", json!({"checking_secret_strength": true})).await;
    calls.call(Csms, "ShowSecretsConfig", json!({})).await;
    calls.call(Csms, "CheckSecrets", json!({"type": "strength", "data": {"password": "weak"}})).await;
}

async fn backup_and_deletion(emulator: &Emulator, calls: &mut Calls) {
    let backup = calls.call(Csms, "DownloadSecretBlob", json!({"secret_name": "demo"})).await;
    let later = json!({"secret_name": "demo", "recovery_window_in_days": 7});
    calls.call(Csms, "DeleteSecretForSchedule", later).await;
    calls.call(Csms, "RestoreSecret", json!({"secret_name": "demo"})).await;
    calls.call(Csms, "DeleteSecret", json!({"secret_name": "demo"})).await;
    calls.call(Csms, "UploadSecretBlob", json!({"secret_blob": backup["secret_blob"]})).await;
    // A secret with replicas cannot be deleted.
    let replica = json!({"secret_name": "database", "region": other_region(emulator)});
    calls.call(Csms, "CreateSecretReplica", replica).await;
    calls.call(Csms, "BatchDeleteSecrets", json!({"instance_id": INSTANCE, "instance_type": "RDS"})).await;
}
