//! `csms wait`: until something is in a state.

use serde_json::json;

use crate::user::User;

#[test]
fn what_is_there_already_is_not_waited_for() {
    let user = User::new();
    user.create("db", "value");
    let id = user.does("key create app").trim().rsplit('\t').next().unwrap().to_owned();
    assert_eq!(user.says("wait secret db"), "db is ENABLED\n");
    assert_eq!(user.run("wait secret db -o json").json(), json!({"secret_name": "db", "state": "ENABLED"}));
    assert_eq!(user.says("wait key app --for enabled"), "app is enabled\n");
    assert_eq!(user.run("wait key app -o json").json(), json!({"key_id": id, "key_state": "2"}));
    assert_eq!(user.says("wait deleted nothing"), "nothing is deleted\n");
    user.says("secret rm db --yes");
    assert_eq!(user.says("wait secret db --for pending-delete"), "db is PENDING_DELETE\n");
}

#[test]
fn what_does_not_come_ends_with_its_own_code() {
    let user = User::new();
    user.create("db", "value");
    user.run("wait secret db --for deleted --timeout 3s").fails(11, "to be deleted").fails(11, "ENABLED");
    user.run("wait secret nothing --timeout 3s").fails(11, "not found");
    user.run("wait task 00000000-0000-0000-0000-000000000000 --timeout 3s").fails(11, "to succeed");
    user.run("wait replica db cn-east-3 --timeout 3s").fails(11, "in sync");
    user.does("key create app");
    user.run("wait key app --for disabled --timeout 1s").fails(11, "to be disabled").fails(11, "its state is enabled;");
}

#[test]
fn what_cannot_come_is_not_waited_for() {
    let user = User::new();
    user.run("wait replica nothing cn-east-3").fails(3, "\"nothing\" not found");
    user.run("wait key nothing").fails(3, "key \"nothing\" not found");
    user.run("wait secret db --for green").fails(2, "pending-delete");
    user.run("wait secret db --timeout soon").fails(2, "--timeout");
    user.run("wait secrett db").fails(2, "csms wait secret");
}
