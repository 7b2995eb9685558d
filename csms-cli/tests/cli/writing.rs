//! Values are written, changed, compared, taken back and saved; and are never shown on the way.

use serde_json::{Value as Json, json};

use crate::{program::Outcome, user::User};

const VALUE: &str = "hunter2-hunter2";

impl User {
    fn put(&self, arguments: &str, value: &str) -> Outcome {
        self.program(&format!("secret put {arguments}")).stdin(value).run()
    }

    /// Puts a value, and answers what is said.
    #[track_caller]
    fn puts(&self, arguments: &str, value: &str) -> String {
        let outcome = self.put(arguments, value);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
        outcome.stderr
    }
}

#[test]
fn putting_says_what_became_of_the_value_and_how_to_undo_it() {
    let user = User::new();
    assert_eq!(user.puts("db -", "one"), "created db (v1)\n");
    assert_eq!(user.puts("db", "one"), "unchanged db (v1)\n");
    assert_eq!(user.puts("db", "two"), "updated db to v2; undo with: csms secret rollback db\n");
    assert!(user.puts("db --force-version", "two").starts_with("updated db to v3;"));
    assert_eq!(user.puts("db --stage blue", "four"), "updated db to v4\n");
    assert_eq!((user.does("get db"), user.does("get db@blue")), ("two".to_owned(), "four".to_owned()));
    let answer = user.put("db --if-version v3 -o json", "five").json();
    assert_eq!(
        answer,
        json!({"secret_name": "db", "outcome": "updated", "version_id": "v5", "previous_version_id": "v3"})
    );
    user.put("db --if-version v3", "six").fails(6, "is at v5, not at v3");
    user.put("db --if-version newest", "six").fails(2, "--if-version");
    user.put("db --expires tomorrow", "six").fails(2, "--expires");
    assert!(user.puts("db --expires 2027-01-31T00:00:00Z", "five").contains("v5 of db expires as before"));
    for stage in ["current", "latest", "v9", "~1"] {
        user.put(&format!("db --stage {stage}"), "six").fails(2, "--stage").fails(2, stage);
    }
    user.put("db@v1", "six").fails(2, "more than the name");
    user.put("db", "").fails(2, "--allow-empty");
    assert_eq!(user.does("get db"), "five");
}

#[test]
fn values_come_from_files_variables_and_the_service_but_not_from_arguments() {
    let user = User::new();
    let file = user.home().join("file");
    std::fs::write(&file, "one line\n").unwrap();
    user.says(&format!("secret put file --from-file {}", file.display()));
    assert_eq!(user.does("get file"), "one line\n");
    assert_eq!(user.program("secret put env --from-env V").env("V", VALUE).run().code, 0);
    assert_eq!(user.does("get env"), VALUE);
    let said = user.says("secret put made --generate=20,no-punctuation");
    let made = user.does("get made");
    assert!(made.len() == 20 && !said.contains(&made), "{said}");
    user.run("secret put made --generate=hunter2").fails(2, "no-punctuation");
    let argument = user.run(&format!("secret put db {VALUE}"));
    let argument = argument.fails(2, "a value is never an argument").fails(2, "--from-file");
    assert!(!argument.stderr.contains(VALUE));
    let argument = user.run(&format!("secret put db two words {VALUE}"));
    assert!(!argument.fails(2, "a value is never an argument").stderr.contains(VALUE));
    user.run(&format!("secret patch made --set a={VALUE}")).fails(2, "--set a=file://PATH");
    user.run("secret put db --from-env V --from-stdin").fails(2, "excludes");
    std::fs::write(&file, [0, 159, 255]).unwrap();
    user.says(&format!("secret put bytes --from-file {}", file.display()));
    assert_eq!(user.run("get bytes -o json").json()["secret_binary"], "AJ//");
    user.puts("bytes --binary", "text");
    assert_eq!(user.run("get bytes -o json").json()["secret_binary"], "dGV4dA==");
}

#[test]
fn a_secret_is_created_with_what_is_said_and_keeps_it() {
    let user = User::new();
    let key = user.does("key create app").trim().rsplit('\t').next().unwrap().to_owned();
    user.puts("db --description shop --kms-key app --expires 2040-01-01T00:00:00Z --stage blue", "one");
    let secret = user.run("secret describe db -o json").json()["secret"].clone();
    assert_eq!((&secret["description"], &secret["kms_key_id"]), (&json!("shop"), &json!(key)));
    let value = user.run("get db -o json").json();
    assert_eq!(
        (&value["version_stages"], &value["expire_time"]),
        (&json!(["SYSCURRENT", "blue"]), &json!(2_208_988_800_000_u64))
    );
    assert!(user.puts("db --description other", "two").contains("stay as they are"));
    user.put("db2 --kms-key nothing", "one").fails(3, "nothing");
}

#[test]
fn fields_are_not_lost_by_accident() {
    let user = User::new();
    user.puts("db", r#"{"user":"a","password":"b"}"#);
    let refused = user.put("db", &format!(r#"{{"user":"{VALUE}"}}"#));
    refused.fails(2, "`password`").fails(2, "--replace");
    assert!(!refused.stderr.contains(VALUE));
    user.run("secret put db --generate").fails(2, "--replace");
    assert!(user.puts("db --replace", r#"{"user":"a"}"#).starts_with("updated db to v2"));
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let user = User::new();
    assert_eq!(user.puts("db --dry-run", "one"), "would create db\n");
    user.run("get db").fails(3, "not found");
    user.puts("db", r#"{"a":1}"#);
    assert_eq!(user.puts("db --dry-run", r#"{"a":2}"#), "would update db, now at v1\n");
    assert_eq!(user.says("secret put db --generate --replace --dry-run"), "would update db, now at v1\n");
    let answer = user.put("db --dry-run -o json", r#"{"a":1}"#).json();
    assert_eq!((&answer["outcome"], &answer["dry_run"]), (&json!("unchanged"), &json!(true)));
    assert_eq!(user.says("secret patch db --remove a --dry-run"), "removed a\nwould update db, now at v1\n");
    assert_eq!(user.does("get db"), r#"{"a":1}"#);
}

#[test]
fn a_stage_that_cannot_be_right_is_refused_before_the_secret_is_there() {
    let user = User::new();
    for dry_run in ["", "--dry-run"] {
        let arguments = ["secret", "put", "db", "-", "--stage", "bad stage", dry_run];
        let arguments = arguments.into_iter().filter(|word| !word.is_empty());
        let put = user.program("").arguments(arguments).stdin("x").run();
        put.fails(2, "\"bad stage\" cannot be the name of a stage");
        assert!(put.stderr.contains("nothing was sent"), "{}", put.stderr);
    }
    user.run("get db").fails(3, "not found");
}

#[test]
fn a_patch_changes_its_fields_and_no_byte_of_the_others() {
    let user = User::new();
    user.puts("db", "{\n  \"pin\": 1.50,\n  \"user\": \"a\",\n  \"old\": 1\n}");
    let patch =
        user.program("secret patch db --set user=env://V --set new=- --remove old").env("V", VALUE).stdin("x\n").run();
    assert_eq!(patch.code, 0, "{}", patch.stderr);
    assert!(
        patch.stderr.ends_with("updated db to v2; undo with: csms secret rollback db\n")
            && !patch.stderr.contains(VALUE)
    );
    assert_eq!(user.does("get db"), format!("{{\n  \"pin\": 1.50,\n  \"user\": \"{VALUE}\",\n  \"new\":\"x\"\n}}"));
    let merge = || user.program("secret patch db").stdin(r#"{"pin":null,"new":null}"#).run();
    assert_eq!(merge().code, 0, "{}", merge().stderr);
    assert_eq!(user.does("get db"), format!("{{\n  \"user\": \"{VALUE}\"\n}}"));
    assert_eq!(merge().stderr, "unchanged db (v3)\n");
    user.run("secret patch db --remove pin").fails(3, "no field `pin`: its value has `user`");

    let literal = user.run(&format!("secret patch db --set user={VALUE}"));
    literal.fails(2, "file://PATH");
    let literal = user.run(&format!("secret patch db --set {VALUE}"));
    literal.fails(2, "FIELD=SOURCE");
    assert!(!literal.stderr.contains(VALUE));
    user.program("secret patch db").stdin(VALUE).run().fails(2, "no JSON object");
    user.run("secret patch db --remove a --from-stdin").fails(2, "exclude each other");
    user.run("secret patch none --remove a").fails(3, "\"none\" not found");
    user.run("secret patch db --remove user --if-version v1").fails(6, "not at v1");
    user.program("secret patch db").stdin(b"{\"a\":\"caf\xe9\"}").run().fails(2, "not UTF-8");
    user.puts("text", VALUE);
    let refused = user.run("secret patch text --remove a");
    assert!(!refused.fails(2, "no JSON object").stderr.contains(VALUE));
}

#[test]
fn a_patch_changes_the_field_that_get_reads() {
    let user = User::new();
    user.puts("db", r#"{"db":{"password":"old","pin":1.50},"list":[1]}"#);
    let patch = |line: &str| user.program(&format!("secret patch db {line}")).stdin(VALUE).run();
    assert_eq!(patch("--set /db/password=-").code, 0);
    assert_eq!(user.does("get db#/db/password"), VALUE);
    assert_eq!(user.does("get db"), format!(r#"{{"db":{{"password":"{VALUE}","pin":1.50}},"list":[1]}}"#));
    assert_eq!(patch("--set db.pin=-").code, 0);
    assert_eq!(user.does("get db#/db/pin"), VALUE);
    for (line, what) in [("--set /list/0=-", "through `/list`"), ("--remove /db/pin/x", "through `/db/pin`")] {
        let refused = patch(line);
        assert!(!refused.fails(2, what).stderr.contains(VALUE), "{line}");
    }
    patch("--remove /db/none --set new=-").fails(3, "no field `/db/none`");
    assert_eq!(user.says("secret patch db --remove /db/pin"), "updated db to v4; undo with: csms secret rollback db\n");
    assert_eq!(user.does("get db"), format!(r#"{{"db":{{"password":"{VALUE}"}},"list":[1]}}"#));
}

#[test]
fn a_diff_names_fields_and_shows_values_only_when_told_to() {
    let user = User::new();
    user.puts("db", &format!(r#"{{"a.b/c":"{VALUE}","same":1,"old":1}}"#));
    user.run("secret diff db").fails(3, "version previous");
    user.puts("db --replace", r#"{"a.b/c":"x","same":1,"new":2}"#);
    let diff = user.run("secret diff db");
    assert_eq!((diff.code, diff.stdout.as_str()), (10, "changed\ta.b/c\nremoved\told\nadded\tnew\n"));
    assert!(diff.stderr.contains("v1 → v2") && !diff.stderr.contains(VALUE));
    let revealed = user.run("secret diff db v1 v2 --reveal").stdout;
    assert_eq!(revealed, format!("changed\ta.b/c\t{VALUE}\tx\nremoved\told\t1\t\nadded\tnew\t\t2\n"));
    let json = user.run("secret diff db -o json");
    let json: Json = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["changes"][2], json!({"change": "added", "field": "new"}));
    let same = user.run("secret diff db current");
    assert_eq!((same.code, same.stdout.as_str()), (0, ""));
    user.puts("db", r#"{ "new": 2, "a.b/c": "x", "same": 1 }"#);
    assert_eq!(user.run("secret diff db").stdout, "reformatted\t(value)\n");
    user.puts("text", "one");
    user.puts("text", "two");
    let whole = user.run("secret diff text");
    assert_eq!((whole.code, whole.stdout.as_str()), (10, "changed\t(value)\n"));
}

#[test]
fn no_log_level_shows_a_value() {
    let user = User::new();
    let logged = |command: &str, value: &str| {
        let outcome = user.program(command).stdin(value).run();
        assert!(outcome.stderr.contains("answered"), "{command}: {}", outcome.stderr);
        assert!(!(outcome.stderr + &outcome.stdout).contains(VALUE), "{command}");
    };
    let json = format!(r#"{{"password":"{VALUE}"}}"#);
    logged("secret put db - -vvv", &json);
    logged("secret put db - -vvv", VALUE);
    logged("secret put db - --dry-run --replace -vvv -o json", VALUE);
    logged("secret patch db --set password=- -vvv", "x");
    logged("secret patch db --set other=- -vvv -o json", VALUE);
    logged("secret diff db -vvv -o json", "");
    logged("secret rollback db -vvv", "");
}

#[test]
fn a_mistake_is_taken_back() {
    let user = User::new();
    user.puts("db", "one");
    user.run("secret rollback db").fails(3, "csms secret versions db");
    user.puts("db", "two");
    assert_eq!(user.says("secret rollback db --dry-run"), "would make v1 the current version of db in place of v2\n");
    assert_eq!(user.does("get db"), "two");
    assert_eq!(user.says("secret rollback db"), "db: v2 → v1; undo with: csms secret rollback db v2\n");
    assert_eq!(user.does("get db"), "one");
    assert_eq!(user.says("secret rollback db v1"), "unchanged db (v1)\n");
    let answer = user.run("secret rollback db v2 -o json").json();
    assert_eq!(answer, json!({"secret_name": "db", "version_id": "v2", "previous_version_id": "v1"}));
    user.run("secret rollback none").fails(3, "none");
}

#[test]
fn passwords_follow_their_policy() {
    let user = User::new();
    assert_eq!(user.does("secret password").len(), 32);
    let password = user.does("secret password 12,no-punctuation,no-lowercase,no-uppercase");
    assert!(password.len() == 12 && password.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(user.run("secret password 8 -o json").json()["password"].as_str().unwrap().len(), 8);
    user.run("secret password hunter2").fails(2, "csms secret password --help");
}

#[test]
fn a_backup_brings_a_secret_back() {
    let user = User::new();
    user.puts("db", VALUE);
    let path = user.home().join("db.backup");
    let backup = format!("secret backup db --to-file {}", path.display());
    assert!(user.says(&backup).contains("csms secret restore-backup --from-file"));
    assert!(!std::fs::read_to_string(&path).unwrap().contains(VALUE));
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
    user.run(&backup).fails(2, "exists");
    user.says(&format!("{backup} --overwrite"));
    let restore = format!("secret restore-backup --from-file {}", path.display());
    user.run(&restore).fails(6, "CSMS.");
    user.says("secret rm db --now --yes");
    let request = user.run(&format!("{restore} --dry-run")).json();
    assert_eq!(request["body"], json!({"secret_blob": "****"}));
    assert_eq!(user.says(&restore), "restored db\n");
    assert_eq!(user.does("get db"), VALUE);
    user.run("secret restore-backup --from-file nowhere").fails(2, "nowhere");
}

#[test]
fn many_secrets_are_deleted_or_none_is_touched() {
    let user = User::new();
    for name in ["a", "b", "c"] {
        user.puts(name, "value");
    }
    user.run("secret rm a nothing --yes").fails(3, "\"nothing\" not found");
    user.run("secret rm a b").fails(14, "--yes");
    user.run("secret rm a --now").fails(14, "--yes");
    assert_eq!(user.does("secret list").lines().count(), 3);
    assert_eq!(user.run("secret rm a b --dry-run").json().as_array().unwrap().len(), 2);
    let said = user.says("secret rm a b a --yes --days 7");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("a will be deleted in 7 days; undo it with: csms secret restore a"), "{said}");

    // One of them is being deleted already.
    let partly = user.run("secret rm a c --yes");
    assert_eq!(partly.code, 12, "{}", partly.stderr);
    assert!(partly.stdout.starts_with("a\tfailed\t") && partly.stdout.contains("c\tscheduled\t"), "{}", partly.stdout);
    assert!(partly.stderr.contains("1 of 2 secrets were not deleted"), "{}", partly.stderr);
    user.run("secret rm a --yes").fails(6, "CSMS.");
    user.says("secret restore a");
    let answer = user.run("secret rm a --now --yes -o json").json();
    assert_eq!(answer["results"][0]["status"], "deleted");
    user.run("secret restore a").fails(3, "not found");
    user.run("secret rm c --now --days 7 --yes").fails(2, "excludes");
}

#[cfg(unix)]
mod editing {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::{cloud::Cloud, program::Program};

    /// A call of `edit` with a shell script as the editor; `$1` is the file.
    fn edit(user: &User, command: &str, script: &str) -> Program {
        let editor = user.home().join("editor");
        fs::write(&editor, format!("#!/bin/sh\nset -e\n{script}\n")).unwrap();
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        user.program(command).env("EDITOR", editor).env("PATH", path).env("CSMS", env!("CARGO_BIN_EXE_csms"))
    }

    #[test]
    fn what_the_editor_leaves_is_stored_and_the_copy_is_gone() {
        let user = User::new();
        user.puts("db", r#"{"user":"a","pin":1.50}"#);
        let seen = user.home().join("seen");
        let script = format!(
            "stat -c '%a %n' \"$1\" \"$(dirname \"$1\")\" > {}\nsed -i 's/\"a\"/\"b\"/' \"$1\"\necho >> \"$1\"",
            seen.display()
        );
        let edited = edit(&user, "secret edit db", &script).run();
        assert_eq!(edited.code, 0, "{}", edited.stderr);
        assert!(
            edited.stderr.ends_with("changed user\nupdated db to v2; undo with: csms secret rollback db\n"),
            "{}",
            edited.stderr
        );
        assert_eq!(user.does("get db"), r#"{"user":"b","pin":1.50}"#);
        let seen = fs::read_to_string(seen).unwrap();
        let lines: Vec<_> = seen.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert_eq!((lines[0].0, lines[1].0), ("600", "700"), "{seen}");
        assert!(lines[0].1.ends_with("/db.json") && !fs::exists(lines[1].1).unwrap(), "{seen}");
    }

    #[test]
    fn nothing_is_stored_unless_it_is_meant() {
        let user = User::new();
        user.puts("db", r#"{"user":"a"}"#);
        assert_eq!(edit(&user, "secret edit db", ":").run().stderr.lines().last(), Some("unchanged db (v1)"));
        edit(&user, "secret edit db", "exit 3").run().fails(1, "ended with 3");
        let broken = edit(&user, "secret edit db", &format!("echo '{VALUE}' > \"$1\"")).run();
        assert!(!broken.fails(2, "no longer JSON").stderr.contains(VALUE));
        user.puts("text", "value");
        edit(&user, "secret edit text", ": > \"$1\"").run().fails(2, "--allow-empty");
        edit(&user, "secret edit none", ":").run().fails(3, "csms secret put none");
        let dry = edit(&user, "secret edit db --dry-run", "echo '{}' > \"$1\"").run();
        assert!(dry.stderr.ends_with("removed user\nwould update db, now at v1\n"), "{}", dry.stderr);
        user.run("secret edit db").fails(2, "EDITOR");
        let cloud = Cloud::with("db", "value");
        cloud.set_faults(&json!([{"operation": "csms/*", "status": 403}]));
        let refused = cloud.program(["secret", "edit", "db"]).env("EDITOR", "true").run();
        assert!(!refused.fails(5, "whoami").stderr.contains("secret put"), "{}", refused.stderr);
        for (editor, message) in
            [("no-such-editor -x", "`no-such-editor -x` cannot be run"), ("/dev/null", "/dev/null")]
        {
            let not_run = edit(&user, "secret edit db", ":").env("EDITOR", editor).run();
            not_run.fails(2, message).fails(2, "hint:  EDITOR names another one");
        }
        assert_eq!(user.does("get db"), r#"{"user":"a"}"#);
    }

    #[test]
    fn the_editor_is_a_command_as_the_shell_takes_it() {
        let user = User::new();
        user.puts("db", "one");
        let folder = user.home().join("with blank");
        fs::create_dir(&folder).unwrap();
        let script = "[ \"$1\" = '-c' ] && [ \"$2\" = 'set x' ] && echo \"$3\" > \"$3\"";
        let program = edit(&user, "secret edit db", script);
        fs::rename(user.home().join("editor"), folder.join("editor")).unwrap();
        let editor = format!("'{}/editor' -c \"set x\"", folder.display());
        let edited = program.env("EDITOR", editor).run();
        assert_eq!(edited.code, 0, "{}", edited.stderr);
        assert!(user.does("get db").ends_with("/db.txt"));
    }

    #[test]
    fn somebody_elses_change_is_not_overwritten() {
        let user = User::new();
        user.puts("db", "one");
        let script = "echo two > \"$1\"\nprintf theirs | \"$CSMS\" --local secret put db -";
        edit(&user, "secret edit db", script).run().fails(6, "is at v2, not at v1");
        assert_eq!(user.does("get db"), "theirs");
    }

    #[test]
    fn a_signal_leaves_no_copy() {
        let user = User::new();
        user.puts("db", VALUE);
        let seen = user.home().join("seen");
        // The editor has the program that started it end, which passes that on.
        let script = format!("dirname \"$1\" > {}\nkill -TERM $PPID\nexec sleep 60", seen.display());
        edit(&user, "secret edit db", &script).run().fails(1, "ended with 143");
        assert!(!fs::exists(fs::read_to_string(seen).unwrap().trim()).unwrap());
    }
}
