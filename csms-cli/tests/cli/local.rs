//! `--local`: no service, no server, a file of the user's.

use std::{path::Path, thread};

use crate::program::Program;

/// A local call of a user whose home is `home`.
pub(crate) fn local(home: &Path, arguments: &[&str]) -> Program {
    Program::new(["--local"]).arguments(arguments).env("HOME", home)
}

const CREATE: [&str; 5] = ["api", "csms", "CreateSecret", "--secret-string", "-"];
const SHOW: [&str; 5] = ["api", "csms", "ShowSecretVersion", "--version-id", "latest"];
const VALUE: [&str; 4] = ["-o", "raw", "--query", "version.secret_string"];

#[test]
fn data_are_there_at_the_next_call() {
    let home = tempfile::tempdir().unwrap();
    let created = local(home.path(), &CREATE).arguments(["--name", "demo"]).stdin("value").run();
    assert_eq!(created.code, 0, "{}", created.stderr);
    let shown = local(home.path(), &SHOW).arguments(["--secret-name", "demo"]).arguments(VALUE).run();
    assert_eq!((shown.code, shown.stdout.as_str()), (0, "value"), "{}", shown.stderr);
    // The same by variable, for scripts.
    let program = Program::new(SHOW).arguments(["--secret-name", "demo"]).arguments(VALUE);
    assert_eq!(program.env("HOME", home.path()).env("CSMS_LOCAL", "1").run().stdout, "value");
    // Every region has its own.
    local(home.path(), &SHOW).arguments(["--secret-name", "demo", "-r", "ap-southeast-1"]).run().fails(3, "CSMS.");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_look_into_the_data() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    assert_eq!(local(home.path(), &["whoami"]).env("XDG_DATA_HOME", home.path().join("data")).run().code, 0);
    let mode = |name: &str| home.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data/csms"), mode("data/csms/local"), mode("data/csms/local.key")), (0o700, 0o600, 0o600));
}

#[test]
fn calls_at_the_same_time_wait_for_one_another() {
    let home = tempfile::tempdir().unwrap();
    let create = |name: String| {
        let program = local(home.path(), &CREATE).arguments(["--name", &name]).stdin("value");
        move || program.run()
    };
    let calls: Vec<_> = (0..6).map(|number| thread::spawn(create(format!("secret-{number}")))).collect();
    for call in calls {
        let outcome = call.join().unwrap();
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    }
    for number in 0..6 {
        let name = format!("secret-{number}");
        assert_eq!(local(home.path(), &SHOW).arguments(["--secret-name", &name]).run().code, 0);
    }
}

#[test]
fn whoami_says_that_it_is_local_and_where() {
    let home = tempfile::tempdir().unwrap();
    let program = local(home.path(), &["whoami", "-o", "json"]);
    // What is set for the service does not count.
    let facts = program.env("CSMS_PROJECT_ID", "p1").env("CSMS_ENDPOINT", "http://192.0.2.1").run().json();
    assert_eq!(facts["credentials"]["origin"], "--local");
    assert_eq!(facts["project"]["origin"], "looked up in IAM");
    assert!(facts["csms_endpoint"]["value"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{facts}");
    let file = home.path().join(".local/share/csms/local");
    assert_eq!(facts["local_data"]["value"], file.to_str().unwrap());

    let named = home.path().join("named");
    let facts = Program::new(["whoami", "-o", "json", "--local-data", named.to_str().unwrap()]).run().json();
    assert_eq!(facts["local_data"]["value"], named.to_str().unwrap());
    assert!(named.exists());
}

#[test]
fn a_place_that_cannot_be_written_explains_itself() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let at = |name: &str| local(home.path(), &["whoami"]).env("XDG_DATA_HOME", home.path().join(name)).run();
    at("file").fails(1, "cannot be made").fails(1, "XDG_DATA_HOME");
    let no_home = Program::new(["--local", "whoami"]).without("HOME").run();
    no_home.fails(2, "neither XDG_DATA_HOME nor HOME");
    std::fs::write(home.path().join("data"), "not the emulator's").unwrap();
    let data = home.path().join("data");
    Program::new(["whoami", "--local-data", data.to_str().unwrap()]).run().fails(1, "damaged");
    assert_eq!(std::fs::read_to_string(data).unwrap(), "not the emulator's");
}

#[test]
fn it_is_here_or_there_but_not_both() {
    Program::new(["--local", "--endpoint", "http://127.0.0.1:1", "whoami"]).run().fails(2, "--endpoint");
    Program::new(["whoami", "--local", "--profile", "p"]).run().fails(2, "--profile");
    Program::new(["whoami"]).env("CSMS_LOCAL", "maybe").run().fails(2, "CSMS_LOCAL");
    Program::new(["--local", "whoami", "--region", "a b"]).run().fails(2, "--region");
    // A flag is stronger than a variable.
    let facts = Program::at("http://127.0.0.1:1", ["whoami", "-o", "json", "--endpoint", "http://127.0.0.1:2"]);
    assert_eq!(facts.env("CSMS_LOCAL", "1").run().json()["kms_endpoint"]["origin"], "--endpoint");
}

#[test]
fn a_dry_run_touches_nothing() {
    let home = tempfile::tempdir().unwrap();
    let request = local(home.path(), &["api", "csms", "ListSecrets", "--dry-run"]).run().json();
    assert_eq!(request["url"], "http://127.0.0.1/cn-north-4/v1/{project_id}/secrets");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}
