//! `csms policy`: what it prints, and whether a caller with no more than that can do what it promises.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
};

use csms_emulator::Emulator;
use csms_sdk::operations;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::{
    cloud::Cloud,
    program::{Outcome, Program},
};

/// Somebody who has only the permissions that a policy gives.
struct Caller {
    cloud: Cloud,
    files: TempDir,
}

impl Caller {
    fn new() -> Self {
        let cloud = Cloud::start(Emulator::builder().replication_delay(std::time::Duration::ZERO));
        Self { cloud, files: tempfile::tempdir().unwrap() }
    }

    fn program(&self, line: &str) -> Program {
        let line = line.replace("DIR", self.files.path().to_str().unwrap());
        self.cloud
            .program_at(&self.cloud.emulator.endpoint_in("{region}"), line.split_whitespace())
            .env("CSMS_EDITOR", "sed -i s/shop/store/")
            .env("FIRST", r#"{"user":"shop","password":"made up"}"#)
            .env("OTHER", r#"{"user":"shop","password":"made up too"}"#)
    }

    fn does(&self, line: &str) -> String {
        let outcome = self.program(line).run();
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        outcome.stdout
    }

    /// Refuses everything for which a permission is published and that `actions` do not allow.
    fn allow_only(&self, actions: &BTreeSet<String>) {
        let refused = operations().filter(|info| info.permission.is_some_and(|action| !actions.contains(action)));
        let rules: Vec<_> = refused.map(|info| json!({"operation": info.id(), "status": 403})).collect();
        self.cloud.set_faults(&Json::Array(rules));
    }

    /// What `csms policy` says of a line: the operations with their conditions, and the actions.
    fn policy(&self, line: &str) -> (BTreeMap<String, String>, BTreeSet<String>) {
        let outcome = self.program(&format!("policy -v -- {line}")).run();
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        let document = outcome.json();
        let actions = document["Statement"].as_array().unwrap().iter().flat_map(|it| it["Action"].as_array().unwrap());
        let lines = outcome.stderr.lines().filter(|line| line.starts_with("csms/") || line.starts_with("kms/"));
        let calls = lines.map(|line| {
            let (id, when) = line.split_once(", ").unwrap_or((line, ""));
            (id.split_once('/').unwrap().1.to_owned(), when.to_owned())
        });
        (calls.collect(), actions.map(|action| action.as_str().unwrap().to_owned()).collect())
    }
}

/// The operations of CSMS and KMS that the log of a run tells of.
fn called(outcome: &Outcome) -> BTreeSet<String> {
    let lines = outcome.stderr.lines().filter(|line| line.contains("csms_sdk"));
    let names = lines.filter_map(|line| Some(line.split_once("operation=\"")?.1.split_once('"')?.0.to_owned()));
    names.filter(|name| !name.starts_with("Keystone")).collect()
}

/// Lines of every command that is more than one operation, in an order in which each can be done. `DIR` is a folder, `CODE:`
/// stands before a line that does not end with 0.
const LINES: &[&str] = &[
    "secret put db --from-env FIRST --stage blue --expires 2099-01-01T00:00:00Z",
    "secret put db --from-env OTHER",
    "secret put db --from-env FIRST --dry-run",
    "secret put under-key --from-env FIRST --kms-key billing",
    "secret put under-alias --from-env FIRST --kms-key other-name",
    "secret put db --from-env OTHER --force-version --replace",
    "secret put made --generate=24",
    "secret put unseen --from-env FIRST --force-version --replace",
    "secret patch db --set user=env://OTHER",
    "secret patch db --remove user --dry-run",
    "secret edit under-key",
    "secret get db",
    "get db@v1",
    "get db@previous#user",
    "get db@~1",
    "get db@latest",
    "get db made db@v1 -o json",
    "10:secret diff db",
    "10:secret diff db v1 ~1",
    "secret rollback db",
    "secret rollback db ~1",
    "secret rollback db v1 --dry-run",
    "secret describe db",
    "secret update db --description words",
    "secret tag add db a=b",
    "secret tag list db",
    "secret backup db --to-file DIR/backup",
    "secret password 24",
    "secret replica add db --to cn-east-3 --wait",
    "secret replica list db",
    "wait replica db cn-east-3",
    "secret replica rm db --from cn-east-3 --yes --wait",
    "secret replica rm db --from cn-east-3 --dry-run",
    "wait secret db",
    "exec --secret db -- true",
    "exec --secret db@v1 --prefix ma --env X=kms:SEALED -- true",
    "export db made --format json",
    "inject --input DIR/template",
    "redact --secret db",
    "scan --secret db DIR/template",
    "key describe billing",
    "key describe other-name",
    "key disable ID --yes",
    "key enable ID",
    "key sign signer DIR/template --algorithm ECDSA_SHA_256 --to-file DIR/signature",
    "key verify signer DIR/template --algorithm ECDSA_SHA_256 --signature DIR/signature",
    "key mac mac DIR/template --algorithm HMAC_SHA_256",
    "key encrypt ID --from-file DIR/template",
    "key decrypt DIR/sealed",
    "key reencrypt DIR/sealed --to billing",
    "key datakey billing",
    "key datakey billing --without-plaintext",
    "key random 16",
    "key public-key signer",
    "key replicate ID --to cn-east-3 --wait",
    "key replicate ID --to cn-east-3",
    "key replicate signer --to cn-east-3",
    "key replicate signer --to cn-east-3",
    "wait key billing",
    "secret put taken --from-env FIRST",
    "secret put taken --from-env OTHER --region cn-east-3",
    "secret replica add taken --to cn-east-3 --kms-key cn-east-3=billing --force --yes",
    "encrypt DIR/template --key billing --region-key cn-east-3=billing --to-file DIR/file.enc",
    "decrypt DIR/file.enc --key ID --to-file DIR/plain",
    "decrypt DIR/file.enc --any-key --to-file DIR/plain2",
    "rewrap DIR/file.enc --from ID --key signer2",
    "rewrap DIR/file.enc --any-key --key billing",
    "api csms ListSecrets",
    "key create another --tag a=b",
    "key create mine --origin external",
    "6:key create mine",
    "key import-material mine --from-file DIR/material",
    "import DIR/some.json --name-prefix im- --dry-run",
    "import DIR/some.json --name-prefix im-",
    "import DIR/other.json --name-prefix im- --mode create --dry-run",
    "import DIR/other.json --name-prefix im-",
    "10:diff DIR/some.json region=cn-north-4 --name-prefix im-",
    "10:diff region=cn-north-4 region=cn-east-3 --prefix im-",
    "10:diff region=cn-north-4 region=cn-east-3 im-a db",
    "sync --from region=cn-north-4 --to region=cn-east-3 im-a",
    "sync --from region=cn-north-4 --to region=cn-east-3 --prefix im- --dry-run",
    "sync --from region=cn-north-4 --to region=cn-east-3 --prefix im-",
    "import DIR/some.json --name-prefix im-",
    "sync --from region=cn-north-4 --to region=cn-east-3 im-a --mode mirror",
    "import DIR/less.json --name-prefix im- --mode mirror --yes",
    "sync --from region=cn-north-4 --to region=cn-east-3 --prefix im- --mode mirror --dry-run",
    "sync --from region=cn-north-4 --to region=cn-east-3 --prefix im- --mode mirror --yes",
    "import DIR/none.json --name-prefix gone- --apply DIR/gone --allow-empty-source --yes",
    "sync --from region=cn-north-4 --to region=cn-east-3 --prefix left- --apply DIR/left --allow-empty-source --yes",
    "secret rm made --yes",
    "secret rm under-key --now --yes",
    "secret restore-backup --from-file DIR/backup --dry-run",
    "secret rm db --now --yes",
    "wait deleted db",
    "secret restore-backup --from-file DIR/backup",
];

#[test]
fn whoever_has_the_policy_of_a_line_can_do_what_it_says() {
    let caller = Caller::new();
    std::fs::write(caller.files.path().join("template"), "user = {{ csms://db#password }} {{ csms://db@v1 }}\n")
        .unwrap();
    for (name, json) in
        [("some.json", r#"{"a": "1", "b": "2"}"#), ("other.json", r#"{"a": "3"}"#), ("less.json", r#"{"b": "2"}"#)]
    {
        std::fs::write(caller.files.path().join(name), json).unwrap();
    }
    std::fs::write(caller.files.path().join("none.json"), "{}").unwrap();
    std::fs::write(caller.files.path().join("material"), [7; 32]).unwrap();
    // Runs that broke off after a deletion was begun.
    caller.does("secret put gone-a --from-env FIRST");
    caller.does("secret put left-a --from-env FIRST --region cn-east-3");
    caller.does("import DIR/none.json --name-prefix gone- --mode mirror --plan DIR/gone --allow-empty-source");
    caller.does("sync --from region=cn-north-4 --to region=cn-east-3 --prefix left- --mode mirror --plan DIR/left --allow-empty-source");
    for name in ["gone", "left"] {
        let mut journal = std::fs::OpenOptions::new().append(true).open(caller.files.path().join(name)).unwrap();
        writeln!(journal, "{}", json!({"name": format!("{name}-a"), "outcome": "started"})).unwrap();
    }
    let id = caller.does("key create billing -o json -q key_info.key_id");
    let id = id.trim().trim_matches('"').to_owned();
    caller.does("key alias add billing alias/other-name");
    caller.does("key create signer --spec EC_P256 --usage SIGN_VERIFY");
    caller.does("key create signer2");
    caller.does("key create mac --spec HMAC_256 --usage GENERATE_VERIFY_MAC");
    let sealed = caller.does("key encrypt billing --from-file DIR/template");
    std::fs::write(caller.files.path().join("sealed"), &sealed).unwrap();

    let mut declared: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut problems = Vec::new();
    for line in LINES {
        let (code, line) = line.split_once(':').filter(|(code, _)| code.parse::<i32>().is_ok()).unwrap_or(("0", line));
        let line = line.replace("ID", &id).replace("SEALED", sealed.trim());
        let (calls, actions) = caller.policy(&line);
        caller.allow_only(&actions);
        let outcome = caller.program(&format!("-vv {line}")).stdin("").run();
        caller.cloud.emulator.clear_faults();
        if outcome.code.to_string() != code {
            problems.push(format!("{line}: with {actions:?} it ends with {}: {}", outcome.code, outcome.stderr));
        }
        let called = called(&outcome);
        let untold = called.iter().filter(|name| !calls.contains_key(*name));
        problems.extend(untold.map(|name| format!("{line}: {name} is called and not declared")));
        let idle = calls.iter().filter(|(name, when)| when.is_empty() && !called.contains(*name));
        problems.extend(idle.map(|(name, _)| format!("{line}: {name} is declared and not called")));
        let verb = match line.split(' ').collect::<Vec<_>>().as_slice() {
            [noun @ ("secret" | "key" | "wait"), verb, ..] => format!("{noun} {verb}"),
            [verb, ..] => (*verb).to_owned(),
            [] => String::new(),
        };
        let needed = calls.into_iter().filter(|(_, when)| !when.starts_with("which only")).map(|(name, _)| name);
        declared.entry(verb.clone()).or_default().extend(needed);
        made.entry(verb).or_default().extend(called);
    }
    for (verb, calls) in &declared {
        // Looking for a key is the same for all, and one line looks for an alias.
        let idle = calls.difference(&made[verb]).filter(|name| *name != "ListAliases");
        problems.extend(idle.map(|name| format!("{verb}: {name} is declared, and no line has it called")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A policy for a caller of a region who sends nothing: there is nobody to send it to.
fn policy(line: &str) -> Outcome {
    let program = Program::new(["policy", "-r", "cn-north-4", "--project", "p"]);
    program.arguments(line.split_whitespace()).file("csms.toml", "secrets = ['db']\nprefixes = ['shop-']\n").run()
}

const KEY: &str = "0d0466b0-e727-4d9c-b35d-f84bb474a37f";

#[test]
fn it_is_limited_to_the_secrets_and_keys_that_the_line_names() {
    let outcome = policy(&format!("-- secret put db#x?y --kms-key {KEY}"));
    outcome.fails(2, "");
    let statements = policy(&format!("-- secret update db --kms-key {KEY}")).json()["Statement"].clone();
    let expected = json!([
        {"Effect": "Allow", "Action": ["csms:secret:update"], "Resource": ["csms:cn-north-4:*:secretName:db"]}]);
    assert_eq!(statements, expected);
    let statements = policy(&format!("--form role -- key rm {KEY}")).json()["Statement"].clone();
    let expected = json!([
        {"Effect": "Allow", "Action": ["kms:cmk:update"], "Resource": [format!("KMS:*:*:KeyId:{KEY}")]}]);
    assert_eq!(statements, expected);
    let elsewhere = policy("-- get db?region=cn-east-3").stdout;
    assert!(elsewhere.contains("\"csms:cn-east-3:*:secretName:db\""), "{elsewhere}");
}

#[test]
fn a_key_that_protects_secrets_is_told_of_and_added_where_it_is_known() {
    let told = policy("-- get db");
    assert!(told.stderr.contains("--kms-key ID adds: kms:cmk:decryptDataKey"), "{}", told.stderr);
    let urn = format!("\"kms:cn-north-4:*:KeyId:{KEY}\"");
    let put = policy(&format!("-- secret put db --kms-key {KEY}"));
    assert!(put.stdout.contains("kms:cmk:createDataKey") && put.stdout.contains(&urn), "{}", put.stdout);
    let given = policy(&format!("--kms-key {KEY} -- get db"));
    assert!(given.stdout.contains("kms:cmk:decryptDataKey") && given.stderr.is_empty(), "{}", given.stderr);
    policy("--kms-key billing -- get db").fails(2, "no id of a key");
}

#[test]
fn what_is_left_open_is_told_on_stderr() {
    for (line, told) in [
        ("secret list", "allowed on everything, as it cannot be limited or is not known to what: csms:secret:list"),
        ("key describe billing", "cannot be limited to: billing"),
        ("key alias list", "no permission is published for, so a role may have to be given: ListAliases"),
        ("exec --secret db -- true", "--helpful adds them: BatchGetSecretValue"),
        ("secret rotate db", "secrets of other services may need more: rds:password:update"),
        ("explain CreateSecret", "it calls nothing that would need a permission"),
    ] {
        let outcome = policy(&format!("-- {line}"));
        assert!(outcome.code == 0 && outcome.stderr.contains(told), "{line}: {}", outcome.stderr);
    }
    let helpful = policy("--helpful -- exec --secret db -- true");
    assert!(helpful.stdout.contains("csms:secret:batchGetSecretValue"), "{}", helpful.stdout);
    let given = Program::new(["policy", "--", "secret", "list", "--project", "p"]).run();
    assert!(!given.stderr.contains("KeystoneListProjects"), "{}", given.stderr);
    let unknown = Program::new(["policy", "--", "whoami"]).run();
    assert!(unknown.stderr.contains("KeystoneListProjects"), "{}", unknown.stderr);
}

#[test]
fn a_mirror_of_names_lists_what_is_there_as_well() {
    let caller = Caller::new();
    caller.does("secret put db --from-env FIRST");
    let line = "sync --from region=cn-north-4 --to region=cn-east-3 db --mode mirror";
    let (calls, actions) = caller.policy(line);
    assert_eq!(calls.get("ListSecrets").map(String::as_str), Some(""), "{calls:?}");
    caller.allow_only(&actions);
    assert_eq!(caller.does(line), "db\tcreated\tv1\n");
}

#[test]
fn to_apply_a_plan_is_to_delete_what_it_names() {
    let caller = Caller::new();
    caller.does("secret put old-1 --from-env FIRST");
    std::fs::write(caller.files.path().join("new.env"), "2=x\n").unwrap();
    caller.does("import DIR/new.env --name-prefix old- --mode mirror --plan DIR/plan");
    let line = "import DIR/new.env --name-prefix old- --apply DIR/plan --yes";
    let (calls, actions) = caller.policy(line);
    assert!(calls.contains_key("DeleteSecretForSchedule") && !calls.contains_key("ListSecrets"), "{calls:?}");
    caller.allow_only(&actions);
    assert!(caller.does(line).starts_with("old-2\tcreated\tv1\nold-1\tdeleted\t"));
    let (calls, _) = caller.policy("import DIR/new.env --name-prefix old- --apply DIR/plan");
    assert!(calls.contains_key("DeleteSecretForSchedule"), "a journal is as good as its plan");
}

#[test]
fn a_manifest_is_as_good_as_a_line() {
    let statements = policy("--manifest").json()["Statement"].clone();
    assert_eq!(statements, policy("-- exec -- ./server").json()["Statement"]);
    assert!(statements.to_string().contains("secretName:shop-*"), "{statements}");
    let named = Program::new(["policy", "--manifest=mine"]).file("mine", "secrets = ['x']").run();
    assert!(named.stdout.contains("\"csms:*:*:secretName:x\""), "{}", named.stdout);
    Program::new(["policy", "--manifest"]).run().fails(2, "there is no csms.toml");
    Program::new(["policy", "--manifest=none"]).run().fails(2, "none cannot be used");
    Program::new(["policy"]).run().fails(2, "COMMAND");
}

#[test]
fn it_is_printed_in_other_forms_as_well() {
    assert!(policy("-o yaml -- get db").stdout.starts_with("Version:"));
    assert_eq!(policy("-o json -q Version -- get db").stdout, "\"5.0\"\n");
    assert_eq!(policy("-- csms get db").stdout, policy("-- get db").stdout);
}

#[test]
fn a_line_that_cannot_run_is_refused_by_name() {
    policy("-- secret gte db").fails(2, "`gte` is not a verb");
    policy("-- secret get").fails(2, "<REFERENCE>");
    policy("-- get db --surprise").fails(2, "--surprise");
    policy("-- get a/b").fails(2, "");
    policy("-- get --help").fails(2, "help and versions call nothing");
    policy("-- nothing").fails(2, "`nothing` is not a command");
    policy("--form v6 -- get db").fails(2, "--form");
}
