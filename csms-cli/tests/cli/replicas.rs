//! `csms secret replica` and `csms key replicate`: one thing in several regions.

use serde_json::json;

use crate::user::User;

#[test]
fn a_secret_is_replicated_listed_and_taken_back() {
    let user = User::new();
    user.create("db", "value");
    let added = user.run("secret replica add db --to cn-east-3,ap-southeast-1 --wait");
    assert_eq!(added.code, 0, "{}", added.stderr);
    assert_eq!(added.stdout, "cn-east-3\tInSync\t\nap-southeast-1\tInSync\t\n");
    assert!(added.stderr.contains("cn-east-3: created"), "{}", added.stderr);
    assert_eq!(user.does("get db?region=cn-east-3"), "value");
    let listed = user.does("secret replica list db");
    assert!(listed.contains("cn-east-3\tIN_SYNC\t") && listed.lines().count() == 2, "{listed}");
    assert_eq!(user.says("wait replica db cn-east-3"), "db is in sync in cn-east-3\n");
    // Asking again is harmless.
    assert_eq!(user.does("secret replica add db --to cn-east-3"), "cn-east-3\tInSync\t\n");

    user.run("secret replica rm db --from cn-east-3").fails(14, "--yes");
    assert_eq!(
        user.says("secret replica rm db --from cn-east-3 --dry-run"),
        "would delete the replicas of db in cn-east-3\n"
    );
    assert_eq!(user.does("secret replica rm db --from cn-east-3 --yes --wait=1m"), "cn-east-3\tAbsent\t\n");
    assert_eq!(user.run("secret replica list db -o json").json()["replicas"].as_array().unwrap().len(), 1);
}

#[test]
fn what_fails_in_some_regions_is_told_region_by_region() {
    let user = User::new();
    user.create("db", "value");
    let there = user.program("secret put db - -r cn-east-3").stdin("in the way").run();
    assert_eq!(there.code, 0, "{}", there.stderr);
    let partly = user.run("secret replica add db --to cn-east-3,ap-southeast-1 -o json");
    assert_eq!(partly.code, 12, "{}", partly.stderr);
    let answer: serde_json::Value = serde_json::from_str(&partly.stdout).unwrap();
    assert_eq!(
        (&answer["results"][0]["region"], &answer["results"][0]["status"]),
        (&json!("cn-east-3"), &json!("Failed"))
    );
    assert!(partly.stderr.contains("1 of 2 regions"), "{}", partly.stderr);
    let all = user.run("secret replica add db --to cn-east-3");
    assert_eq!((all.code, all.stdout.starts_with("cn-east-3\tFailed\t")), (6, true), "{}", all.stderr);

    user.run("secret replica add db --to cn-east-3 --force").fails(14, "--yes");
    assert_eq!(user.does("get db?region=cn-east-3"), "in the way");
    assert_eq!(user.does("secret replica add db --to cn-east-3 --force --yes --wait"), "cn-east-3\tInSync\t\n");
    assert_eq!(user.does("get db?region=cn-east-3"), "value");
}

#[test]
fn a_replica_gets_the_key_that_is_named_for_it() {
    let user = User::new();
    user.create("db", "value");
    let id = user.does("key create app -r cn-east-3").trim().rsplit('\t').next().unwrap().to_owned();
    user.does("secret replica add db --to cn-east-3 --kms-key cn-east-3=app --wait");
    assert!(user.does("secret replica list db").contains(&id));
    user.run("secret replica add db --to cn-east-3 --kms-key ap-southeast-1=app").fails(2, "--kms-key");
    user.run("secret replica add nothing --to cn-east-3").fails(3, "\"nothing\" not found");
    user.run("secret replica add db").fails(2, "--to");
    assert_eq!(
        user.says("secret replica add db --to ap-southeast-1 --dry-run"),
        "would replicate db to ap-southeast-1\n"
    );
}

#[test]
fn a_key_is_copied_with_its_name_or_another_and_its_tags() {
    let user = User::new();
    user.does("key create app");
    user.says("key tag add app team=shop");
    user.run("key replicate app --to cn-east-3 --alias cn-north-9=x").fails(2, "names no region of --to");
    user.run("key replicate nothing --to cn-east-3").fails(3, "key \"nothing\" not found");
    assert_eq!(user.says("key replicate app --to cn-east-3 --dry-run"), "would copy app to cn-east-3\n");
    user.run("key describe app -r cn-east-3").fails(3, "not found");
    let command = "key replicate app --to cn-east-3,ap-southeast-1 --alias ap-southeast-1=other --wait";
    let copied = user.run(command);
    assert_eq!(copied.code, 0, "{}", copied.stderr);
    assert_eq!(copied.stdout, "cn-east-3\tInSync\t\nap-southeast-1\tInSync\t\n");
    assert_eq!(user.does("key tag list app -r cn-east-3"), "team\tshop\n");
    assert!(user.does("key describe other -r ap-southeast-1").contains("enabled"));
    // Asking again is harmless.
    assert_eq!(user.run(command).code, 0);
}
