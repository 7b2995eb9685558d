//! `csms doctor`: each thing that can be wrong, made wrong.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread,
};

use csms_emulator::Emulator;
use serde_json::{Value as Json, json};

use crate::{
    cloud::Cloud,
    program::{Outcome, Program},
    user::User,
};

const WORDS: [&str; 3] = ["doctor", "-o", "json"];
const SECRET_KEY: &str = "a made-up secret key that nobody may see";

fn cloud() -> Cloud {
    Cloud::start(Emulator::builder().tls())
}

/// `csms doctor` for a service that is there.
fn program(cloud: &Cloud) -> Program {
    cloud.program_at(&cloud.emulator.endpoint(), WORDS)
}

fn with_faults(cloud: &Cloud, faults: &Json) -> Program {
    cloud.set_faults(faults);
    program(cloud)
}

/// `csms doctor` with keys of nobody, for an address.
fn at(address: &str) -> Program {
    Program::at(address, WORDS)
        .env("CSMS_REGION", "cn-north-4")
        .env("CSMS_ACCESS_KEY", "AAAAAAAAAAAAAAAAAAAA")
        .env("CSMS_SECRET_KEY", SECRET_KEY)
        .without("CSMS_PROJECT_ID")
}

/// What the checks say, after a look at what they all have to keep to.
fn findings(outcome: &Outcome) -> Vec<Json> {
    assert!(!outcome.stdout.contains(SECRET_KEY) && !outcome.stderr.contains(SECRET_KEY), "{}", outcome.stdout);
    let list: Vec<Json> = serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{}", outcome.stderr));
    for finding in &list {
        let names: Vec<_> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["check", "status", "found", "hint"]);
        let status = finding["status"].as_str().unwrap();
        assert!(["ok", "warn", "fail", "skipped"].contains(&status), "{finding}");
        assert!(finding["found"].as_str().is_some_and(|found| !found.is_empty()), "{finding}");
        assert_eq!(finding["hint"].is_string(), ["warn", "fail"].contains(&status), "{finding}");
    }
    list
}

/// The status of a check, what it has found, and what it advises.
#[track_caller]
fn check(outcome: &Outcome, name: &str) -> (String, String, String) {
    let list = findings(outcome);
    let finding = list.iter().find(|finding| finding["check"] == name).unwrap_or_else(|| panic!("{name}: {list:?}"));
    let text = |member: &str| finding[member].as_str().unwrap_or_default().to_owned();
    (text("status"), text("found"), text("hint"))
}

/// Checks the code, and how one check has come out, with this in what it found or advises.
#[track_caller]
fn expect(outcome: &Outcome, code: i32, name: &str, status: &str, told: &str) {
    assert_eq!(outcome.code, code, "{}{}", outcome.stdout, outcome.stderr);
    let (found_status, found, hint) = check(outcome, name);
    assert_eq!(found_status, status, "{name}: {found}");
    assert!(format!("{found}\n{hint}").contains(told), "{name}: {found}: {hint}");
}

fn statuses(outcome: &Outcome) -> Vec<(String, String)> {
    let text = |finding: &Json, member: &str| finding[member].as_str().unwrap().to_owned();
    findings(outcome).iter().map(|finding| (text(finding, "check"), text(finding, "status"))).collect()
}

#[test]
fn all_is_well_with_an_emulator_and_locally() {
    let outcome = program(&cloud()).run();
    let names: Vec<_> = statuses(&outcome).into_iter().map(|(check, _)| check).collect();
    let expected = [
        "config.toml",
        "settings",
        "credentials",
        "csms endpoint",
        "kms endpoint",
        "iam endpoint",
        "csms dns",
        "csms tcp",
        "csms tls",
        "csms http",
        "clock",
        "project",
        "csms call",
        "kms call",
    ];
    assert_eq!(names, expected, "one address is looked at once");
    assert!(statuses(&outcome).iter().all(|(_, status)| status == "ok"), "{}", outcome.stdout);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    let local = User::new().program("doctor -o json").run();
    assert!(statuses(&local).iter().all(|(_, status)| status == "ok"), "{}", local.stdout);
    assert!(statuses(&local).iter().any(|(check, _)| check == "local"), "{}", local.stdout);
}

#[test]
fn credentials_that_are_missing_or_wrong_are_told_apart() {
    let cloud = cloud();
    let without = || program(&cloud).without("CSMS_ACCESS_KEY").without("CSMS_SECRET_KEY");
    let outcome = without().run();
    expect(&outcome, 4, "credentials", "fail", "set CSMS_ACCESS_KEY and CSMS_SECRET_KEY");
    expect(&outcome, 4, "csms http", "ok", "answered");
    expect(&outcome, 4, "csms call", "skipped", "credentials");
    let wrong = program(&cloud).env("CSMS_SECRET_KEY", SECRET_KEY).env("CSMS_PROJECT_ID", "p").run();
    expect(&wrong, 4, "csms call", "fail", "HTTP 401");
    expect(&wrong, 4, "csms call", "fail", "CSMS_ACCESS_KEY");
    let unknown = program(&cloud).env("CSMS_SECRET_KEY", SECRET_KEY).run();
    expect(&unknown, 4, "project", "fail", "HTTP 401");
    expect(&unknown, 4, "kms call", "skipped", "project");
}

#[test]
fn a_permission_that_is_missing_is_named() {
    let cloud = cloud();
    let outcome = with_faults(&cloud, &json!([{"operation": "csms/ListSecrets", "status": 403}])).run();
    expect(&outcome, 5, "csms call", "fail", "csms:secret:list");
    expect(&outcome, 5, "kms call", "ok", "ListKeys");
}

#[test]
fn a_clock_that_is_off_is_a_warning() {
    let cloud = cloud();
    for (seconds, told) in [(-1200, "20 min ahead of"), (1530, "25 min behind"), (300, "s behind the service's")] {
        let outcome = with_faults(&cloud, &json!([{"skew_seconds": seconds}])).run();
        expect(&outcome, 0, "clock", "warn", told);
        expect(&outcome, 0, "csms call", "ok", "");
    }
}

#[test]
fn a_name_that_is_none_and_a_port_that_is_closed_are_told_apart() {
    let outcome = at("https://csms.invalid").run();
    expect(&outcome, 9, "csms dns", "fail", "csms.invalid");
    expect(&outcome, 9, "csms http", "skipped", "name");
    expect(&outcome, 9, "project", "skipped", "reached");
    // Nobody listens where somebody did a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = at(&format!("http://{address}")).run();
    expect(&outcome, 9, "csms dns", "ok", "address");
    expect(&outcome, 9, "csms tcp", "fail", "refused");
    expect(&outcome, 9, "clock", "skipped", "time");
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_with_its_problem() {
    let cloud = cloud();
    let address = cloud.emulator.tls_endpoint().unwrap();
    let program = || cloud.program_at(&address, WORDS);
    let outcome = program().run();
    expect(&outcome, 9, "csms tcp", "ok", "connected");
    expect(&outcome, 9, "csms tls", "fail", "UnknownIssuer");
    expect(&outcome, 9, "csms http", "skipped", "trusted");
    let trusting = program().file("ca.pem", cloud.emulator.ca_pem().unwrap()).env("CSMS_CA_FILE", "ca.pem").run();
    expect(&trusting, 0, "csms tls", "ok", "trusted");
    let unreadable = program().env("CSMS_CA_FILE", "missing.pem").run();
    expect(&unreadable, 2, "client", "fail", "missing.pem");
    // As on a small image without the package.
    let without = |program: Program| program.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "");
    let outcome = without(program()).run();
    expect(&outcome, 2, "csms tcp", "ok", "connected");
    expect(&outcome, 2, "csms tls", "fail", "SSL_CERT_FILE");
    let outcome = without(cloud.program_at(&address, ["get", "db"])).run();
    outcome.fails(2, "no certificate authorities can be read: No CA");
    assert!(outcome.stderr.contains("ca-certificates"), "{}", outcome.stderr);
    // Without TLS nobody looks.
    without(cloud.program(["get", "db"])).run().fails(3, "db");
}

/// A server that answers everybody the same, and its address.
fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        // More connections than any test makes.
        for stream in listener.incoming().take(32) {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 1024]).and_then(|_| stream.write_all(answer));
                // Until the other side has had enough.
                let _ = stream.read_to_end(&mut Vec::new());
            });
        }
    });
    format!("http://{address}")
}

#[test]
fn what_is_no_http_is_told_and_what_says_nothing_ends() {
    let outcome = at(&server(b"220 mail.example.com ESMTP\r\n")).run();
    expect(&outcome, 1, "csms tcp", "ok", "connected");
    expect(&outcome, 1, "csms http", "fail", "no HTTP");
    let outcome = at(&server(b"")).arguments(["--timeout", "300ms"]).run();
    expect(&outcome, 9, "csms http", "fail", "in time");
    let outcome = at(&server(b"")).env("HTTP_PROXY", "http://127.0.0.1:1").arguments(["--timeout", "300ms"]).run();
    expect(&outcome, 9, "csms dns", "skipped", "proxy");
}

#[cfg(unix)]
#[test]
fn files_with_keys_are_looked_at_whatever_else_is_in_use() {
    use std::os::unix::fs::PermissionsExt as _;

    let write = |folder: &Path, name: &str, content: &str, mode: u32| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let (sdk, hcloud) = (".huaweicloud/credentials", ".hcloud/config.json");
    let keys = format!("[basic]\nak = AAAAAAAAAAAAAAAAAAAA\nsk = {SECRET_KEY}\n");
    let profile = |encrypted: bool| {
        let profile = json!({"name": "default", "accessKeyId": "AAAAAAAAAAAAAAAAAAAA", "secretAccessKey": SECRET_KEY});
        json!({"profiles": [profile], "authEncrypt": encrypted}).to_string()
    };
    let cloud = cloud();
    for (name, content, mode, code, status, told) in [
        (sdk, keys.as_str(), 0o600, 0, "ok", sdk),
        (sdk, &keys, 0o640, 0, "warn", "chmod 600"),
        (sdk, &keys, 0o644, 0, "warn", "open to everybody"),
        (hcloud, &profile(false), 0o600, 0, "ok", hcloud),
        (hcloud, &profile(true), 0o600, 0, "warn", "hcloud configure set --cli-auth-encrypt=false"),
        (hcloud, "{", 0o600, 0, "warn", "not JSON"),
    ] {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), name, content, mode);
        let outcome = program(&cloud).env("HOME", home.path()).run();
        expect(&outcome, code, "key file", status, told);
        // The keys in use are others.
        expect(&outcome, code, "csms call", "ok", "");
    }
    let home = tempfile::tempdir().unwrap();
    write(home.path(), hcloud, &profile(true), 0o600);
    let keyless = program(&cloud).env("HOME", home.path()).without("CSMS_ACCESS_KEY").without("CSMS_SECRET_KEY");
    expect(&keyless.run(), 4, "key file", "fail", "hcloud configure set --cli-auth-encrypt=false");
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let waits = program(&cloud).env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", &pipe).arguments(["--timeout", "1s"]).run();
    expect(&waits, 0, "key file", "warn", "not read within 1s");
    let outcome = program(&cloud).env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/").run();
    expect(&outcome, 0, "key file", "warn", "credentials file /");
}

#[cfg(unix)]
#[test]
fn a_file_of_settings_that_cannot_be_used_is_a_finding_and_the_others_are_made() {
    use std::os::unix::fs::PermissionsExt as _;

    let keys = format!("access_key = 'AAAAAAAAAAAAAAAAAAAA'\nsecret_key = '{SECRET_KEY}'\n");
    let cloud = cloud();
    for (text, mode, code, status, told) in [
        ("[profiles.a]\n", 0o644, 0, "ok", "~/.config/csms/config.toml, no profile in use"),
        ("profile = 'a'\n[profiles.a]\n", 0o600, 0, "ok", "profile a in use"),
        ("regon = 'x'\n", 0o600, 2, "fail", "line 1: `regon` is not known"),
        (&format!("[profiles.a]\n{keys}"), 0o640, 0, "warn", "chmod 600"),
        (&format!("[profiles.a]\n{keys}"), 0o644, 4, "fail", "open to everybody"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".config/csms/config.toml");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let outcome = program(&cloud).env("HOME", home.path()).run();
        expect(&outcome, code, "config.toml", status, told);
        expect(&outcome, code, "csms call", "ok", "ListSecrets");
    }
    expect(&program(&cloud).run(), 0, "config.toml", "ok", "is not there");
    expect(&program(&cloud).without("HOME").run(), 0, "config.toml", "skipped", "HOME");
}

#[test]
fn a_configuration_that_cannot_be_used_is_one_finding() {
    let cloud = cloud();
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".config/csms")).unwrap();
    std::fs::write(home.path().join(".config/csms/config.toml"), "[profiles.a]\nregoin = 'x'\n").unwrap();
    let outcome = program(&cloud).env("HOME", home.path()).run();
    expect(&outcome, 2, "config.toml", "fail", "did you mean region?");
    expect(&outcome, 2, "csms call", "ok", "");
    // Every other command ends.
    cloud
        .program_at(&cloud.emulator.endpoint(), ["secret", "list"])
        .env("HOME", home.path())
        .run()
        .fails(2, "config.toml");
}

#[test]
fn people_get_text_that_fits_and_programs_rows() {
    let program = |columns: &str, format: &str| {
        Program::new(["doctor", "--endpoint", "https://csms.invalid", "-r", "cn-north-4", "-o", format])
            .env("CSMS_IAM_ENDPOINT", "https://csms.invalid")
            .env("COLUMNS", columns)
            .run()
    };
    for columns in [40, 80, 120] {
        let outcome = program(&columns.to_string(), "table");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (4, ""));
        // What has no blank cannot be broken.
        let fits = |line: &&str| line.chars().count() <= columns || !line.trim().contains(' ');
        assert!(outcome.stdout.lines().all(|line| fits(&line)), "{columns}: {}", outcome.stdout);
        assert!(outcome.stdout.contains("\n         → ") == (columns == 40), "{columns}: {}", outcome.stdout);
        assert!(outcome.stdout.contains("skipped  csms tcp"), "{}", outcome.stdout);
    }
    let rows = program("80", "tsv").stdout;
    assert!(rows.lines().all(|row| row.split('\t').count() == 4), "{rows}");
    assert_eq!(program("80", "none").stdout, "");
    Program::new(["doctor", "--timeout", "soon"]).run().fails(2, "--timeout");
}
