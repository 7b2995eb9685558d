//! `csms key create` and `csms key import-material`.

use std::fs;

use serde_json::json;
use wiremock::{Mock, ResponseTemplate, matchers::path_regex};

use crate::{
    program::{Program, Server},
    user::User,
};

/// Eleven times `hunter`, cut to this length.
fn material(length: usize) -> String {
    "hunter".repeat(11)[..length].to_owned()
}

impl User {
    fn external(name: &str, flags: &str) -> Self {
        let user = Self::new();
        let created = user.run(&format!("key create {name} --origin external {flags}"));
        assert_eq!(created.code, 0, "{}", created.stderr);
        assert!(created.stderr.contains(&format!("csms key import-material {name}")), "{}", created.stderr);
        user
    }

    fn state(&self, key: &str) -> String {
        self.does(&format!("key describe {key} -q key_info.key_state -o raw"))
    }
}

#[test]
fn a_key_can_be_used_once_it_has_its_material_and_waits_for_the_same_afterwards() {
    let user = User::external("k", "");
    assert_eq!(user.state("k"), "5");
    fs::write(user.home().join("other"), &material(33).as_bytes()[1..]).unwrap();
    let import = |bytes: &str| user.program("key import-material k - -vv").stdin(bytes.to_owned()).run();
    let outcome = import(&material(32));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
    assert!(
        outcome.stderr.ends_with("k has its material\n") && !outcome.stderr.contains("hunter"),
        "{}",
        outcome.stderr
    );
    assert_eq!(user.state("k"), "2");
    user.does("key datakey k");
    user.says("key forget-material k --yes");
    let other = user.run(&format!("key import-material k --from-file {}", user.home().join("other").display()));
    other.fails(6, "KMS.2606").fails(6, "the material that the key had before");
    assert_eq!(import(&material(32)).code, 0);
    assert_eq!(user.state("k"), "2");
}

#[test]
fn material_of_another_length_is_refused_by_name_and_never_quoted() {
    for (flags, length, takes) in [
        ("", 31, "takes 32"),
        ("--spec SM4", 32, "takes 16"),
        ("--spec HMAC_384 --usage GENERATE_VERIFY_MAC", 32, "takes 48"),
    ] {
        let user = User::external("k", flags);
        let outcome = user.program("key import-material k - -vv").stdin(material(length)).run();
        outcome.fails(2, &format!("the material of k has {length} bytes")).fails(2, takes);
        assert!(!outcome.stderr.contains("hunter"), "{}", outcome.stderr);
        assert_eq!(user.state("k"), "5");
    }
}

#[test]
fn material_can_be_made_here_and_is_kept_in_a_file_of_ones_own() {
    let user = User::external("k", "");
    let file = user.home().join("material");
    let line = format!("key import-material k --generate --save {}", file.display());
    assert_eq!(user.says(&line), "k has its material\n");
    assert_eq!(fs::read(&file).unwrap().len(), 32);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let made = fs::read(&file).unwrap();
    user.run(&line).fails(2, "material exists").fails(2, "name a path at which there is nothing yet");
    user.run(&format!("{line} --overwrite")).fails(2, "--overwrite");
    assert_eq!(fs::read(&file).unwrap(), made);
    user.says("key forget-material k --yes");
    assert_eq!(user.says(&format!("key import-material k --from-file {}", file.display())), "k has its material\n");
    user.run("key import-material k --generate").fails(2, "--save is missing");
    let dry = user.says(&format!("key import-material k --generate --save {0}2 --dry-run", file.display()));
    assert_eq!(dry, "would import material into k\n");
    assert!(!user.home().join("material2").exists());
}

#[test]
fn material_can_expire() {
    let user = User::external("k", "");
    let import =
        |time: &str| user.program(&format!("key import-material k - --expires {time}")).stdin(material(32)).run();
    import("soon").fails(2, "--expires is no time");
    import("2001-01-01T00:00:00Z").fails(1, "KMS.2602");
    assert_eq!(import("2099-01-31T00:00:00Z").code, 0);
    assert!(user.does("key describe k").contains("2099-01-31T00:00:00Z"));
}

#[test]
fn keys_that_take_no_material_say_what_to_do() {
    let user = User::new();
    user.does("key create own");
    let import = |key: &str| user.program(&format!("key import-material {key} -")).stdin(material(32)).run();
    import("own").fails(6, "made by KMS").fails(6, "csms key create NAME --origin external");
    import("none").fails(3, "key \"none\" not found");
    user.run("key create k --origin external");
    user.says("key rm k --yes");
    import("k").fails(6, "csms key undelete k");
    let file = user.home().join("f");
    for (key, what) in [("own", "made by KMS"), ("k", "csms key undelete k")] {
        user.run(&format!("key import-material {key} --generate --save {}", file.display())).fails(6, what);
        assert!(!file.exists(), "{key}");
    }
    user.run("key create pair --origin external --spec EC_P256");
    user.program("key import-material pair -").stdin(material(32)).run().fails(2, "no private key in PKCS #8");
    let line = format!("key import-material pair --generate --save {}", file.display());
    user.run(&line).fails(2, "material for a key of EC_P256 is not made here").fails(2, "openssl genpkey");
    assert!(!file.exists());
}

#[test]
fn a_key_is_created_with_its_tags() {
    let user = User::new();
    assert!(user.does("key create app --tag team=shop --tag tier=").starts_with("id\t"));
    assert_eq!(user.does("key tag list app"), "team\tshop\ntier\t\n");
    user.run("key create other --tag team").fails(2, "--tag team=shop");
    let request = user.run("key create other --spec RSA_2048 --dry-run").json();
    assert_eq!(request["body"], json!({"key_alias": "other", "key_spec": "RSA_2048"}));
    assert!(!user.does("key list").contains("other"));
}

#[test]
fn a_key_that_was_created_and_not_tagged_is_told_so() {
    let server = Server::start();
    let answer =
        |path: &str, template: ResponseTemplate| server.mount(Mock::given(path_regex(path)).respond_with(template));
    answer("create-key$", ResponseTemplate::new(200).set_body_json(json!({"key_info": {"key_id": "the-id"}})));
    answer("describe-key$", ResponseTemplate::new(403).set_body_json(json!({})));
    answer("tags/action$", ResponseTemplate::new(403).set_body_json(json!({"error": {"error_code": "KMS.0306"}})));
    let outcome = Program::against(&server.mock, ["key", "create", "app", "--tag", "team=a b"]).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (5, "id\tthe-id\n"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("app was created, and has no tags"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("csms key tag add the-id 'team=a b'"), "{}", outcome.stderr);
}

#[test]
fn a_name_of_a_key_that_is_to_be_deleted_is_a_conflict_with_the_next_command() {
    // Refused, as most regions do it.
    let user = User::new();
    user.does("key create app");
    user.run("key create app").fails(6, "KMS.1104");
    user.says("key rm app --yes");
    user.run("key create app").fails(6, "belongs to a key that is to be deleted").fails(6, "csms key undelete app");
    // Answered with the id of the old key, as some do it.
    let server = Server::start();
    for (path, body) in [
        ("create-key$", json!({"key_info": {"key_id": "old-id"}})),
        ("describe-key$", json!({"key_info": {"key_id": "old-id", "key_alias": "app", "key_state": "4"}})),
    ] {
        server.mount(Mock::given(path_regex(path)).respond_with(ResponseTemplate::new(200).set_body_json(body)));
    }
    let outcome = Program::against(&server.mock, ["key", "create", "app"]).run();
    outcome.fails(6, "belongs to a key that is to be deleted").fails(6, "csms key undelete app");
}
