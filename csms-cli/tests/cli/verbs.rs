//! `csms secret` and `csms key`: verbs that are one operation each.

use serde_json::json;

use crate::user::User;

#[test]
fn a_key_goes_through_its_life_by_name() {
    let user = User::new();
    let id = user.does("key create app --spec AES_256").trim().rsplit('\t').next().unwrap().to_owned();
    assert_eq!(user.does("key describe app -q key_info.key_id -o raw"), id);
    assert!(user.says("key tag add app team=shop tier=").contains("tagged app"));
    assert_eq!(user.does("key tag list app"), "team\tshop\ntier\t\n");
    user.says("key tag rm app tier");
    user.says("key alias add app alias/billing");
    assert_eq!(user.does("key describe billing -q key_info.key_id -o raw"), id);
    user.says("key rotation enable app");
    user.says("key rotation set app --days 90");
    user.run("key rotation set app").fails(2, "--days");
    assert!(user.says("key disable app --yes").contains("csms key enable app"));
    user.says("key enable app");
    assert!(user.says("key rm app --yes --days 7").contains("in 7 days"));
    user.says("key undelete app");
    assert!(user.does("key list").contains("\tdisabled\t"));
}

#[test]
fn what_destroys_asks_and_does_nothing_where_nobody_answers() {
    let user = User::new();
    user.create("db", "value");
    user.does("key create app");
    for command in ["secret rm db", "key disable app", "key rm app", "secret stage rm db SYSCURRENT"] {
        user.run(command).fails(14, "not confirmed").fails(14, "--yes");
    }
    assert_eq!(user.does("get db"), "value");
    assert!(user.does("key list").contains("\tenabled\t"));
    // What would be sent is shown without asking.
    let request = user.run("secret rm db --dry-run").json();
    assert_eq!(request["body"], json!({"recovery_window_in_days": 30}));
    assert_eq!(user.does("get db"), "value");
}

#[test]
fn a_secret_is_deleted_and_restored_as_the_messages_say() {
    let user = User::new();
    user.create("db", "value");
    let said = user.says("secret rm db --yes");
    assert!(said.contains("deleted in 30 days") && said.contains("csms secret restore db"), "{said}");
    user.run("get db").fails(6, "CSMS.");
    user.says("secret restore db");
    assert_eq!(user.does("get db"), "value");
    user.run("secret rm db --yes --days 3").fails(2, "--days").fails(2, "csms secret rm --help");
}

#[test]
fn values_come_as_they_are() {
    let user = User::new();
    user.create("db", "{\"user\":\"app\",\"pin\":1.50}");
    assert_eq!(user.does("get csms://db"), "{\"user\":\"app\",\"pin\":1.50}");
    assert_eq!(user.does("get db#user"), "app");
    assert_eq!(user.does("secret get db@v1#/user"), "app");
    let value = user.run("get db -o json").json();
    assert_eq!((&value["id"], &value["version_stages"]), (&json!("v1"), &json!(["SYSCURRENT"])));
    user.run("get db#nothing").fails(3, "`user`");
    user.run("get db@previous").fails(3, "previous").fails(3, "csms secret versions db");
    user.run("get nothing").fails(3, "secret \"nothing\" not found in cn-north-4 (local)");
    user.run("get db db").fails(2, "-o json");
    user.run("get db#nothing").fails(3, "seen in what the service answered in cn-north-4");
    user.run("get nothing#user").fails(3, "secret \"nothing\" not found");
    user.run("get db?region=cn-east-3")
        .fails(3, "not found in cn-east-3")
        .fails(3, "csms --region cn-east-3 secret list");
    user.run("secret describe db@v1").fails(2, "more than the name");
}

#[test]
fn a_file_gets_a_value_whole_and_for_its_owner_only() {
    let user = User::new();
    user.create("db", "value");
    let path = user.home().join("out");
    let command = format!("get db --to-file {}", path.display());
    assert_eq!(user.says(&command), format!("wrote {}\n", path.display()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "value");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
    std::fs::write(&path, "mine").unwrap();
    user.run(&command).fails(2, "exists").fails(2, "--overwrite");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    user.does(&format!("{command} --overwrite"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "value");
    user.run("get db --to-file nowhere/out").fails(2, "cannot be written");
    for form in ["-o json", "-q secret_name"] {
        user.run(&format!("get db --to-file new {form}")).fails(2, "--to-file excludes");
    }
}

#[test]
fn lists_take_every_form() {
    let user = User::new();
    for name in ["a", "b", "c"] {
        user.create(name, "value");
    }
    let names = |text: String| text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(user.does("secret list")), ["a", "b", "c"]);
    assert_eq!(names(user.does("secret list --limit 2")), ["a", "b"]);
    assert_eq!(user.does("secret list -o jsonl").lines().count(), 3);
    assert_eq!(user.run("secret list -o json --limit 1").json()["secrets"].as_array().unwrap().len(), 1);
    assert_eq!(user.does("secret list -q secrets[].name -o tsv"), "a\nb\nc\n");
    let table = user.program("secret list -o table").env("COLUMNS", "40").run().stdout;
    assert!(table.starts_with("NAME  STATE") && table.lines().all(|line| line.chars().count() <= 40), "{table}");
    assert_eq!(user.does("secret list -o none"), "");
}

#[test]
fn ci_systems_are_told_what_to_hide() {
    let user = User::new();
    user.create("db", "first\n\nsecond");
    let masked = user.program("get db --ci-mask").env("GITHUB_ACTIONS", "true").run();
    assert_eq!(masked.stdout, "first\n\nsecond");
    assert_eq!(masked.stderr, "::add-mask::first\n::add-mask::second\n");
    let elsewhere = user.run("get db --ci-mask");
    assert_eq!(elsewhere.stdout, "first\n\nsecond");
    assert!(elsewhere.stderr.contains("--ci-mask"));
}

#[test]
fn verbs_that_do_not_exist_are_told_apart() {
    let user = User::new();
    user.run("secret lisst").fails(2, "csms secret list");
    user.run("key tag ad").fails(2, "csms key tag add");
    for noun in ["secret", "key tag", "wait", "config", "profile"] {
        user.run(noun)
            .fails(2, "a verb is missing")
            .fails(2, "the verbs are: ")
            .fails(2, &format!("csms {noun} --help"));
    }
}

#[test]
fn what_is_missing_is_told_and_not_what_is_there() {
    let user = User::new();
    user.create("db", "value");
    user.does("key create app");
    for (command, what, hint) in [
        ("secret stage show db blue", "secret \"db\" has no stage \"blue\"", "csms secret versions db"),
        ("secret stage rm db blue -y", "secret \"db\" has no stage \"blue\"", "csms secret versions db"),
        ("secret stage set db blue v9", "secret \"db\" has no version \"v9\"", "csms secret versions db"),
        ("secret stage set db blue ~3", "secret \"db\", version ~3, not found", "csms secret versions db"),
        ("secret expire db v9 --at 2030-01-01T00:00:00Z", "has no version \"v9\"", "csms secret versions db"),
        ("secret tag rm db team", "secret \"db\" has no tag \"team\"", "csms secret tag list db"),
        ("secret grant rm db --from u -y", "secret \"db\" has no grant for \"u\"", "csms secret grant list db"),
        ("secret grant update db --to u", "secret \"db\" has no grant for \"u\"", "csms secret grant list db"),
        ("key tag rm app team", "key \"app\" has no tag \"team\"", "csms key tag list app"),
        ("key alias rm app alias/x -y", "key \"app\" or alias \"alias/x\" not found", "csms key alias list"),
        ("key alias move app alias/x -y", "key \"app\" or alias \"alias/x\" not found", "csms key alias list"),
        // It is the first.
        ("secret stage show no blue", "secret \"no\" not found in cn-north-4", "csms secret list"),
        ("secret stage set no blue v1", "secret \"no\" not found", "csms secret list"),
        ("secret stage set no blue ~1", "secret \"no\" not found", "csms secret list"),
        ("secret tag rm no team", "secret \"no\" not found", "csms secret list"),
        ("key tag rm no team", "key \"no\" not found", "csms key list"),
        ("key tag rm 00000000-0000-0000-0000-000000000000 team", "\" not found", "csms key list"),
    ] {
        user.run(command).fails(3, what).fails(3, hint);
    }
}

#[test]
fn a_state_that_is_in_the_way_is_told_with_the_command_that_ends_it() {
    let user = User::new();
    let put = |command: &str| user.program(command).stdin("value").run();
    user.does("key create app");
    user.create("db", "value");
    assert_eq!(put("secret put own --kms-key app").code, 0);
    user.says("secret rm db --yes");
    for command in ["get db", "get db#x", "secret update db --description x", "export --env A=db"] {
        user.run(command).fails(6, "hint:  csms secret restore db");
    }
    put("secret put db").fails(6, "hint:  csms secret restore db");
    user.run("secret replica add db --to cn-east-3").fails(6, "hint:  csms secret restore db");
    user.says("key disable app --yes");
    put("key encrypt app").fails(6, "hint:  csms key enable app");
    user.run("get own").fails(1, "csms secret describe own");
    put("secret put new --kms-key app").fails(1, "hint:  csms key describe app");
    user.run("secret update own --kms-key app").fails(1, "hint:  csms key describe app");
    user.says("key rm app --yes");
    user.run("key rotation enable app").fails(6, "hint:  csms key undelete app");
}

#[test]
fn names_that_are_printed_are_taken_as_well() {
    let user = User::new();
    for value in ["one", "two"] {
        assert_eq!(user.program("secret put db").stdin(value).run().code, 0);
    }
    let id = user.does("key create app").trim().rsplit('\t').next().unwrap().to_owned();
    user.says("key alias add app alias/billing");
    assert!(user.does("key alias list --key app").starts_with("alias/billing\t"));
    user.says("secret update db --kms-key billing");
    assert_eq!(user.does("secret describe db -q secret.kms_key_id -o raw"), id);
    user.run("secret update db --kms-key no").fails(3, "key \"no\" not found in cn-north-4");

    assert_eq!(user.says("secret stage set db blue ~1"), "db: blue now marks v1\n");
    assert_eq!(user.says("secret stage set db green current"), "db: green now marks v2\n");
    assert_eq!(user.says("secret stage set db red latest"), "db: red now marks v2\n");
    assert!(user.says("secret expire db blue --at 2030-01-01T00:00:00Z").starts_with("db@v1 expires"));
    for stage in ["latest", "current", "previous", "v9", "~1"] {
        user.run(&format!("secret stage set db {stage} v1")).fails(2, "STAGE").fails(2, "nothing was sent");
    }
    user.says("secret stage set db SYSCURRENT v1");

    user.says("key disable app --yes");
    for state in ["disabled", "3"] {
        let listed = user.does(&format!("key list --state {state}"));
        assert!(listed.contains(&id) && listed.lines().count() == 1, "{listed}");
    }
    assert!(!user.does("key list --state enabled").contains(&id));
    user.run("key list --state frozen").fails(2, "pending-deletion");
    user.run("key list --spec RSA").fails(2, "RSA_2048");
}

#[test]
fn a_change_of_nothing_is_refused() {
    let user = User::new();
    user.create("db", "value");
    user.run("secret update db").fails(2, "--description");
    user.run("secret event update audit").fails(2, "--state");
    assert_eq!(user.says("secret update db --description="), "updated db\n");
}

#[test]
fn a_grant_tells_its_times() {
    let user = User::new();
    user.create("db", "value");
    user.says("secret grant add db --to someone --until 2099-01-31");
    assert!(user.does("secret grant list db").contains("\t2099-01-31T00:00:00Z\t"));
}

#[test]
fn the_rotation_of_a_secret_is_turned_on_changed_and_off() {
    let user = User::new();
    let request = json!({
        "name": "db",
        "secret_string": "{}",
        "secret_type": "RDS-FG",
        "rotation_config": r#"{"InstanceId":"51d3e5f7in03","SecretSubType":"SingleUser"}"#,
        "rotation_func_urn": "urn:fss:cn-north-4:p:function:default:rotate:latest",
    });
    let created = user.program("api csms CreateSecret --input -").stdin(request.to_string()).run();
    assert_eq!(created.code, 0, "{}", created.stderr);
    let shown = || user.run("secret rotation show db -o json").json()["secret"].clone();
    assert_eq!(shown()["auto_rotation"], false);
    user.run("secret rotation enable db").fails(2, "--period");
    assert_eq!(user.says("secret rotation enable db --period 30d"), "db is rotated every 30d from now on\n");
    assert_eq!((&shown()["auto_rotation"], &shown()["rotation_period"]), (&json!(true), &json!("30d")));
    user.says("secret rotation enable db --period 7d");
    assert_eq!(shown()["rotation_period"], "7d");
    assert_eq!(user.says("secret rotation disable db"), "db is no longer rotated by itself\n");
    assert_eq!(shown()["auto_rotation"], false);
    user.create("plain", "1");
    let refused = user.run("secret rotation enable plain --period 30d");
    assert!(refused.code != 0 && refused.stderr.contains("COMMON"), "{}", refused.stderr);
}
