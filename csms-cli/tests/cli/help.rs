//! The help that people read, as files.

use std::{env, fs, path::PathBuf};

use crate::program::Program;

/// Compares with a file; `UPDATE_SNAPSHOTS=1` writes it instead.
fn is_as_before(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(text, expected, "UPDATE_SNAPSHOTS=1 accepts the change");
}

#[test]
fn the_surface_changes_only_on_purpose() {
    for (name, arguments) in [
        ("help.txt", &["--help"][..]),
        ("secret-help.txt", &["secret", "--help"]),
        ("secret-rm-help.txt", &["secret", "rm", "--help"]),
        ("secret-put-help.txt", &["secret", "put", "--help"]),
        ("secret-patch-help.txt", &["secret", "patch", "--help"]),
        ("secret-edit-help.txt", &["secret", "edit", "--help"]),
        ("secret-diff-help.txt", &["secret", "diff", "--help"]),
        ("secret-replica-add-help.txt", &["secret", "replica", "add", "--help"]),
        ("wait-help.txt", &["wait", "--help"]),
        ("key-help.txt", &["key", "--help"]),
        ("get-help.txt", &["get", "--help"]),
        ("exec-help.txt", &["exec", "--help"]),
        ("export-help.txt", &["export", "--help"]),
        ("import-help.txt", &["import", "--help"]),
        ("sync-help.txt", &["sync", "--help"]),
        ("diff-help.txt", &["diff", "--help"]),
        ("redact-help.txt", &["redact", "--help"]),
        ("scan-help.txt", &["scan", "--help"]),
        ("inject-help.txt", &["inject", "--help"]),
        ("encrypt-help.txt", &["encrypt", "--help"]),
        ("decrypt-help.txt", &["decrypt", "--help"]),
        ("rewrap-help.txt", &["rewrap", "--help"]),
        ("completion-help.txt", &["completion", "--help"]),
        ("config-help.txt", &["config", "--help"]),
        ("config-set-help.txt", &["config", "set", "--help"]),
        ("profile-help.txt", &["profile", "--help"]),
        ("profile-add-help.txt", &["profile", "add", "--help"]),
        ("man-help.txt", &["man", "--help"]),
        ("doctor-help.txt", &["doctor", "--help"]),
        ("policy-help.txt", &["policy", "--help"]),
        ("emulate-help.txt", &["emulate", "--help"]),
        ("api-help.txt", &["api", "--help"]),
        ("api-csms-CreateSecret-help.txt", &["api", "csms", "CreateSecret", "--help"]),
        ("api-csms-CreateSecret-skeleton.txt", &["api", "csms", "CreateSecret", "--skeleton"]),
        ("explain-ListSecrets.txt", &["explain", "ListSecrets"]),
        ("list-iam.txt", &["api", "--list", "iam"]),
    ] {
        let outcome = Program::new(arguments).run();
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
        is_as_before(name, &outcome.stdout);
    }
}

#[test]
fn help_and_version_are_where_people_look() {
    for words in [&["--version"] as &[_], &["-V"], &["-v", "--version"], &["-V", "--no-flag", "no-command"]] {
        let version = Program::new(words).run();
        assert_eq!(version.stdout, format!("csms {}\n", env!("CARGO_PKG_VERSION")), "{words:?}");
    }
    let help = Program::new(["--help"]).run().stdout;
    assert_eq!(Program::new(["help"]).run().stdout, help);
    assert_eq!(Program::new(["-h"]).run().stdout, help);
    let operation = Program::new(["api", "csms", "CreateSecret", "-h"]).run().stdout;
    assert_eq!(Program::new(["help", "api", "csms", "CreateSecret"]).run().stdout, operation);
    assert_eq!(Program::new(["api", "csms", "create-secret", "--help"]).run().stdout, operation);
}

#[test]
fn help_wraps_to_the_width() {
    for columns in [40, 80] {
        let help = Program::new(["--help"]).env("COLUMNS", columns.to_string()).run().stdout;
        let longest = help.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= columns, "{longest}: {help}");
    }
}

#[test]
fn help_never_shows_what_a_variable_holds() {
    let help = Program::new(["--help"]).env("CSMS_REGION", "made-up-region").env("CSMS_OUTPUT", "yaml").run().stdout;
    assert!(!help.contains("made-up-region"));
}

#[test]
fn a_word_missing_is_a_usage_error() {
    Program::new::<&str>([]).run().fails(2, "csms --help");
    Program::new(["api"]).run().fails(2, "--list");
    Program::new(["explain"]).run().fails(2, "OPERATION");
}
