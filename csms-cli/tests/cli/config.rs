//! `config.toml`: profiles, and how they stand among the other settings.

use std::{fs, process::Stdio};

use serde_json::{Value as Json, json};

#[cfg(unix)]
use crate::terminal::Terminal;
use crate::{
    program::{Outcome, Program},
    user::User,
};

const FILE: &str = ".config/csms/config.toml";
const SECRET: &str = "hunter2-the-secret-key";

/// Somebody with a home directory and no settings.
struct Person(User);

impl Person {
    fn new() -> Self {
        Self(User::new())
    }

    /// Somebody whose file says this.
    fn with(text: &str) -> Self {
        let person = Self::new();
        person.writes(FILE, text);
        person
    }

    fn writes(&self, file: &str, text: &str) {
        let path = self.0.home().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        mode(&path, 0o600);
    }

    fn file(&self) -> String {
        fs::read_to_string(self.0.home().join(FILE)).unwrap()
    }

    fn program(&self, command: &str) -> Program {
        Program::new(command.split_whitespace()).env("HOME", self.0.home())
    }

    fn run(&self, command: &str) -> Outcome {
        self.program(command).run()
    }

    #[track_caller]
    fn does(&self, command: &str) -> String {
        let outcome = self.run(command);
        assert_eq!(outcome.code, 0, "{command}: {}", outcome.stderr);
        outcome.stdout
    }

    /// Who would call, and who says so.
    fn caller(&self, arguments: &str, variables: &[(&str, &str)]) -> Json {
        let program = self.program(&format!("whoami --no-lookup -o json {arguments}"));
        let program = variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        let outcome = program.run();
        assert!(!outcome.stdout.contains(SECRET) && !outcome.stderr.contains(SECRET));
        outcome.json()
    }
}

#[cfg(unix)]
fn mode(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn mode(_: &std::path::Path, _: u32) {}

/// One's own file that cannot be read is told of; one that another hides is not there.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_none() {
    use std::os::unix::{fs::chown, process::CommandExt as _};
    /// Root can read everything; `nobody` cannot.
    const NOBODY: u32 = 65534;
    let person = two_profiles();
    let is_root = rustix::process::geteuid().is_root();
    let run = |line: &str| {
        let (mut command, _folder) = person.program(line).into_command();
        command.current_dir("/");
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let file = person.0.home().join(FILE);
    let owned_by = |owner: u32| {
        for path in file.ancestors().take(4) {
            chown(path, Some(owner), None).unwrap();
        }
    };
    if is_root {
        owned_by(NOBODY);
    }
    assert_eq!(run("profile list").0, Some(0));
    mode(&file, 0o000);
    for line in ["profile list", "secret list", "secret list --profile work"] {
        let (code, told) = run(line);
        assert!(code == Some(2) && told.contains("config.toml cannot be used"), "{told}");
    }
    mode(&file, 0o600);
    mode(file.parent().unwrap(), 0o000);
    let (code, told) = run("profile list");
    assert!(code == Some(2) && told.contains("config.toml cannot be used"), "{told}");
    mode(file.parent().unwrap(), 0o700);
    if is_root {
        owned_by(0);
        mode(person.0.home(), 0o700);
        assert_eq!(run("profile list").0, Some(0));
    }
}

fn two_profiles() -> Person {
    Person::with(&format!(
        "profile = 'work'\n\
         [profiles.work]\nregion = 'cn-north-4'\nproject = 'p-work'\naccess_key = 'WORKACCESSKEY0000001'\n\
         secret_key = '{SECRET}'\n\
         [profiles.other]\nregion = 'eu-west-101'\nauth_token = '{SECRET}'\n\
         [profiles.bare]\nregion = 'cn-south-1'\nproject = 'p-bare'\noutput = 'json'\nendpoint = 'http://127.0.0.1:7/{{region}}'\n"
    ))
}

const VARIABLES: [(&str, &str); 2] = [("CSMS_ACCESS_KEY", "VARIABLEACCESSKEY001"), ("CSMS_SECRET_KEY", SECRET)];
const SDK_VARIABLES: [(&str, &str); 2] =
    [("HUAWEICLOUD_SDK_AK", "SDKACCESSKEY00000001"), ("HUAWEICLOUD_SDK_SK", SECRET)];

#[test]
fn the_profile_in_use_says_who_calls_and_where() {
    let facts = two_profiles().caller("", &[]);
    let origin = "~/.config/csms/config.toml (profile work)";
    assert_eq!(facts["credentials"], json!({"value": "permanent access key", "origin": origin}));
    assert_eq!(facts["access_key"], json!({"value": "WORK…0001", "origin": origin}));
    assert_eq!(facts["region"], json!({"value": "cn-north-4", "origin": origin}));
    assert_eq!(facts["profile"], json!({"value": "work", "origin": "~/.config/csms/config.toml"}));
    let said = two_profiles().run("whoami --no-lookup -v").stderr;
    assert!(
        said.contains("profile: work (from ~/.config") && said.contains("region: cn-north-4 (from ~/.config"),
        "{said}"
    );
}

#[test]
fn the_order_of_the_settings_is_that_of_the_guide() {
    let person = two_profiles();
    person.writes(".huaweicloud/credentials", &format!("[basic]\nak = FILEACCESSKEY0000001\nsk = {SECRET}\n"));
    let who = |arguments: &str, variables: &[(&str, &str)]| {
        let facts = person.caller(arguments, variables);
        facts["access_key"]["value"].as_str().unwrap_or("a token").to_owned()
    };
    let all = [VARIABLES, SDK_VARIABLES].concat();
    assert_eq!(who("", &all), "VARI…Y001");
    assert_eq!(who("", &SDK_VARIABLES), "SDKA…0001");
    assert_eq!(who("", &[("HW_ACCESS_KEY", "HWACCESSKEY000000001"), ("HW_SECRET_KEY", SECRET)]), "HWAC…0001");
    assert_eq!(who("", &[("OS_ACCESS_KEY", "OSACCESSKEY000000001"), ("OS_SECRET_KEY", SECRET)]), "OSAC…0001");
    assert_eq!(who("", &[]), "WORK…0001");
    // Whoever names a profile means it.
    assert_eq!(who("--profile work", &all), "WORK…0001");
    assert_eq!(who("--profile other", &all), "a token");
    assert_eq!(who("", &[&all[..], &[("CSMS_PROFILE", "work")]].concat()), "WORK…0001");
    let koocli = json!({"profiles": [{"name": "default", "mode": "AKSK", "accessKeyId": "KOOACCESSKEY00000001", "secretAccessKey": SECRET}]});
    person.writes(".hcloud/config.json", &koocli.to_string());
    // A profile that does not say who calls leaves it to the others.
    assert_eq!(who("--profile bare", &all), "VARI…Y001");
    assert_eq!(who("--profile bare", &[]), "FILE…0001");
    fs::remove_file(person.0.home().join(".huaweicloud/credentials")).unwrap();
    assert_eq!(who("--profile bare", &[]), "KOOA…0001");

    let region =
        |arguments: &str, variables: &[(&str, &str)]| person.caller(arguments, variables)["region"]["value"].clone();
    assert_eq!(region("", &[]), "cn-north-4");
    assert_eq!(region("-p other", &[]), "eu-west-101");
    assert_eq!(region("-p other -r a-1", &[("CSMS_REGION", "b-1")]), "a-1");
    assert_eq!(region("-p other", &[("CSMS_REGION", "b-1"), ("HW_REGION_NAME", "c-1")]), "b-1");
    assert_eq!(region("-p other", &[("HW_REGION_NAME", "c-1"), ("OS_REGION_NAME", "d-1")]), "c-1");
    assert_eq!(region("-p other", &[("OS_REGION_NAME", "d-1")]), "d-1");
}

#[test]
fn the_project_of_a_profile_goes_with_its_keys() {
    let person = two_profiles();
    let project =
        |arguments: &str, variables: &[(&str, &str)]| person.caller(arguments, variables)["project"]["value"].clone();
    let lookups = |arguments: &str| {
        let outcome =
            person.program(&format!("whoami -o json {arguments}")).env("HTTPS_PROXY", "http://127.0.0.1:1").run();
        serde_json::from_str::<Json>(&outcome.stdout).unwrap()["project"].clone()
    };
    let origin = "~/.config/csms/config.toml (profile work)";
    assert_eq!(lookups(""), json!({"value": "p-work", "origin": origin}));
    assert_eq!(lookups("-r cn-east-3 --timeout 1 --retries 0")["value"], Json::Null);
    assert_eq!(project("", &VARIABLES), Json::Null);
    assert_eq!(project("--project p-flag", &[]), "p-flag");
    // Without keys it is a setting, after variables.
    assert_eq!(project("-p bare", &VARIABLES), "p-bare");
    assert_eq!(project("-p bare -r cn-east-3", &VARIABLES), Json::Null);
    assert_eq!(project("-p bare", &[&VARIABLES[..], &[("CSMS_PROJECT_ID", "p-1")]].concat()), "p-1");
    let theirs =
        person.program("api csms ListSecrets --dry-run -p bare -q url -o raw").env("HW_PROJECT_ID", "p-2").run();
    assert!(!theirs.stdout.contains("p-bare"), "{}", theirs.stdout);
}

#[test]
fn endpoints_and_output_come_from_the_profile_unless_somebody_says_otherwise() {
    let person = two_profiles();
    let url = |arguments: &str, variables: &[(&str, &str)]| {
        let program = person.program(&format!("api csms ListSecrets --dry-run -q url -p bare -o raw {arguments}"));
        variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run().stdout
    };
    assert!(url("", &[]).starts_with("http://127.0.0.1:7/cn-south-1/v1/p-bare/"), "{}", url("", &[]));
    assert!(url("--endpoint http://127.0.0.1:1", &[]).starts_with("http://127.0.0.1:1/v1"));
    assert!(url("", &[("CSMS_ENDPOINT", "http://127.0.0.1:2")]).starts_with("http://127.0.0.1:2/v1"));
    let theirs = [("HUAWEICLOUD_SDK_REGION_CSMS_CN_SOUTH_1", "http://127.0.0.1:3")];
    assert!(url("", &theirs).starts_with("http://127.0.0.1:3/v1"));

    let shown = |arguments: &str, variables: &[(&str, &str)]| {
        let program = person.program(&format!("config get region {arguments}"));
        variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run().stdout
    };
    assert!(shown("-p bare", &[]).starts_with('{'));
    assert_eq!(shown("-p bare", &[("CSMS_OUTPUT", "raw")]), "cn-south-1\n");
    assert_eq!(shown("-p bare -o raw", &[("CSMS_OUTPUT", "yaml")]), "cn-south-1\n");
}

#[test]
fn a_reference_can_name_a_profile() {
    let person = two_profiles();
    // The endpoint is that of the profile, which nobody listens at.
    let outcome = person
        .program("get csms://db?profile=bare --retries 0 -v")
        .env("HUAWEICLOUD_SDK_AK", "SDKACCESSKEY00000001")
        .env("HUAWEICLOUD_SDK_SK", SECRET)
        .run();
    assert_eq!(outcome.code, 9, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains(SECRET));
}

#[test]
fn an_endpoint_of_one_region_serves_no_other_that_a_reference_names() {
    let person = Person::with(
        "[profiles.fixed]\nregion = 'cn-south-1'\nendpoint = 'http://127.0.0.1:7'\n\
         [profiles.free]\nendpoint = 'http://127.0.0.1:7'\n",
    );
    let get = |line: &str| {
        let program = person.program(&format!("get --retries 0 {line}")).env("CSMS_REGION", "cn-north-4");
        VARIABLES.iter().fold(program, |program, (name, value)| program.env(name, value)).run()
    };
    let endpoint = "--endpoint http://127.0.0.1:7";
    for line in [
        format!("{endpoint} db?region=cn-east-3"),
        format!("{endpoint} db?region=cn-east-3&project=p2"),
        format!("{endpoint} db?region=cn-east-3&profile=fixed"),
        "db?region=cn-east-3&profile=fixed".to_owned(),
        "db?region=cn-east-3&profile=free".to_owned(),
        "-p fixed -r cn-south-1 db?region=cn-east-3&project=p2".to_owned(),
    ] {
        get(&line).fails(2, "serves one region, so it cannot serve cn-east-3");
    }
    for line in [
        format!("{endpoint} db?region=cn-north-4&project=p2"),
        format!("{endpoint}/{{region}} db?region=cn-east-3&project=p2"),
        "db?region=cn-south-1&profile=fixed&project=p2".to_owned(),
        "db?profile=free&project=p2".to_owned(),
    ] {
        // Nobody listens there.
        assert_eq!(get(&line).code, 9, "{line}: {}", get(&line).stderr);
    }
}

#[test]
fn local_calls_leave_profiles_out() {
    let person = two_profiles();
    let facts = person.caller("--local", &[]);
    assert_eq!(facts["region"], json!({"value": "cn-north-4", "origin": "--local"}));
    assert_eq!(facts["credentials"]["origin"], "--local");
    assert_eq!(facts["profile"], Json::Null);
    person.run("whoami --local --profile work").fails(2, "--profile");
}

#[test]
fn a_profile_that_nobody_has_is_told_with_where_it_was_looked_for() {
    let person = two_profiles();
    let outcome = person.program("secret list -p nobody -r cn-north-4").run();
    outcome.fails(4, "config.toml has no profile nobody").fails(4, "~/.hcloud/config.json");
    outcome.fails(4, "csms profile add");
    // KooCLI's, where this program has none of that name, and ours where both have one.
    let koocli = json!({"profiles": [
        {"name": "theirs", "mode": "AKSK", "accessKeyId": "THEIRACCESSKEY000001", "secretAccessKey": SECRET},
        {"name": "work", "mode": "AKSK", "accessKeyId": "THEIRACCESSKEY000002", "secretAccessKey": SECRET},
    ]});
    person.writes(".hcloud/config.json", &koocli.to_string());
    assert_eq!(person.caller("-p theirs", &VARIABLES)["access_key"]["value"], "THEI…0001");
    assert_eq!(person.caller("-p work", &VARIABLES)["access_key"]["value"], "WORK…0001");
}

#[test]
fn keys_that_koocli_has_encrypted_are_told_with_both_ways_out() {
    let person = Person::new();
    let koocli = json!({"authEncrypt": "true", "profiles": [
        {"name": "default", "mode": "AKSK", "accessKeyId": "kJ8s+Xw0Zm5vRg==", "secretAccessKey": SECRET},
    ]});
    person.writes(".hcloud/config.json", &koocli.to_string());
    let outcome = person.run("secret list -r cn-north-4");
    outcome
        .fails(4, "encrypted")
        .fails(4, "hcloud configure set --cli-auth-encrypt=false")
        .fails(4, "csms profile add");
    assert!(!outcome.stderr.contains(SECRET));
}

#[test]
fn keys_and_secret_keys_come_from_one_place() {
    for (text, told) in [
        (format!("secret_key = '{SECRET}'"), "access_key of ~/.config/csms/config.toml (profile a)"),
        ("access_key = 'A'".to_owned(), "secret_key of"),
        (format!("security_token = '{SECRET}'"), "access_key of"),
        (format!("access_key = 'A'\nsecret_key = '{SECRET}'\nauth_token = '{SECRET}'"), "not clear who is calling"),
        (format!("idp_id = 'a'\nid_token_file = 'b'\nauth_token = '{SECRET}'"), "not clear who is calling"),
        ("idp_id = 'a'".to_owned(), "id_token_file of"),
    ] {
        let person = Person::with(&format!("[profiles.a]\n{text}\n"));
        let outcome = person.program("secret list -r cn-north-4 -p a").run();
        outcome.fails(4, told);
        assert!(!outcome.stderr.contains(SECRET));
    }
}

#[test]
fn what_needs_no_settings_does_not_look_at_the_file() {
    let person = Person::with("not TOML");
    person.run("secret list").fails(2, "line 1: it is not TOML");
    for (command, told) in [
        ("completion bash", "complete -o"),
        ("man", ".TH csms 1"),
        ("explain ListSecrets -o json", "ListSecrets"),
        ("config path", FILE),
    ] {
        let outcome = person.run(command);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{command}");
        assert!(outcome.stdout.contains(told), "{command}: {}", outcome.stdout);
    }
    person.program("config path").without("HOME").run().fails(2, "XDG_CONFIG_HOME");
}

#[cfg(unix)]
#[test]
fn a_profile_that_came_into_use_or_went_while_somebody_was_asked_stays_as_it_is() {
    let person = two_profiles();
    let mut terminal = Terminal::open(person.program("profile rm work"), 200);
    terminal.waits_for("[y/N]");
    person.does("profile use other");
    terminal.types("y");
    let (code, shown) = terminal.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(person.file().contains("profile = \"other\"") && !person.file().contains("[profiles.work]"), "{shown}");

    let person = two_profiles();
    let mut terminal = Terminal::open(person.program("profile rm work"), 200);
    terminal.waits_for("[y/N]");
    person.does("profile rm work --yes");
    person.does("profile use bare");
    terminal.types("y");
    let (code, shown) = terminal.ends();
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("there is no profile \"work\" any more"), "{shown}");
    assert!(person.file().contains("profile = \"bare\""), "{}", person.file());
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_is_told_with_the_way_out_that_fits() {
    let person = Person::with("[profiles.a]\n");
    let (command, _folder) = person.program("config set region cn-north-4").into_command();
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" config set region cn-north-4"])
        .arg(command.get_program());
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.stdin(Stdio::null()).stdout(Stdio::null()).output();
    let stderr = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(stderr.contains("cannot be written") && stderr.contains("hint:  make room"), "{stderr}");

    let person = Person::new();
    let path = person.0.home().join(FILE);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/nowhere/config.toml", &path).unwrap();
    person.run("config set region cn-north-4").fails(2, "it leads to /nowhere/config.toml, which is not there");
}

#[cfg(unix)]
#[test]
fn a_file_with_keys_is_refused_where_everybody_can_read_it_and_warned_of_where_its_group_can() {
    let person = two_profiles();
    let path = person.0.home().join(FILE);
    mode(&path, 0o604);
    let outcome = person.run("profile list");
    outcome.fails(4, "open to everybody").fails(4, "chmod 600");
    mode(&path, 0o640);
    let outcome = person.run("profile list");
    assert_eq!(outcome.code, 0);
    assert!(outcome.stderr.starts_with("warning: the file holds keys and is open to its group"), "{}", outcome.stderr);
    mode(&path, 0o600);
    assert_eq!(person.run("profile list").stderr, "");
    // Without keys in it, it is nobody's business who reads it.
    person.writes(FILE, "[profiles.a]\nregion = 'cn-north-4'\n");
    mode(&path, 0o644);
    assert_eq!(person.run("profile list").stderr, "");

    // The file of the official SDKs goes by the same rule.
    let theirs = person.0.home().join(".huaweicloud/credentials");
    person.writes(".huaweicloud/credentials", &format!("[basic]\nak = FILEACCESSKEY0000001\nsk = {SECRET}\n"));
    mode(&theirs, 0o640);
    let said = person.run("whoami --no-lookup -r cn-north-4").stderr;
    assert!(said.starts_with("warning: the file holds keys"), "{said}");
    mode(&theirs, 0o604);
    assert!(person.run("whoami --no-lookup -r cn-north-4").stderr.contains("open to everybody"));
}

#[test]
fn a_file_that_cannot_be_right_is_told_without_what_stands_in_it() {
    let person = Person::with(&format!("[profiles.a]\nsecretkey = '{SECRET}'\n"));
    let outcome = person.run("secret list");
    outcome.fails(2, "line 2: `secretkey` is not known; did you mean secret_key?");
    assert!(!outcome.stderr.contains(SECRET));
    person.writes(FILE, &format!("secret_key = {SECRET}\n"));
    let outcome = person.run("secret list");
    outcome.fails(2, "line 1: it is not TOML");
    assert!(!outcome.stderr.contains(SECRET));
    person.writes(FILE, "[profiles.a]\noutput = 'xml'\nregion = 'No Region'\n");
    person.run("secret list -p a").fails(2, "(profile a) names no form of output").fails(2, "jsonl");
    person.run("secret list -p a -o json").fails(2, "(profile a) names no region");
}

#[test]
fn settings_are_kept_shown_and_removed() {
    let person = Person::new();
    assert_eq!(person.does("config path"), format!("{}\n", person.0.home().join(FILE).display()));
    person.run("config get region").fails(3, "csms config set region VALUE");
    let said = person.run("config set region cn-east-3").stderr;
    assert_eq!(said, "region of profile default is cn-east-3 from now on (~/.config/csms/config.toml)\n");
    assert_eq!(person.file(), "profile = \"default\"\n\n[profiles.default]\nregion = \"cn-east-3\"\n");
    assert_eq!(person.does("config get region"), "cn-east-3\n");
    person.does("config set iam-endpoint https://iam.example.com");
    person.does("config set proxy http://127.0.0.1:3128 --profile other");
    let rows = person.does("config list");
    assert!(rows.contains("region\tcn-east-3\t~/.config/csms/config.toml (profile default)\n"), "{rows}");
    assert!(rows.contains("iam_endpoint\thttps://iam.example.com\t~") && rows.contains("proxy\t\t\n"), "{rows}");
    let json = person.program("config list -o json -p other").env("CSMS_REGION", "cn-north-1").run().json();
    assert_eq!(json["profile"], json!({"value": "other", "origin": "--profile"}));
    assert_eq!(json["region"], json!({"value": "cn-north-1", "origin": "CSMS_REGION"}));
    assert_eq!(json["proxy"]["value"], "http://127.0.0.1:3128");
    assert_eq!(json["output"], json!({"value": "json", "origin": "--output"}));
    assert_eq!(json["project"], json!({"value": null, "origin": null}));
    person.does("config unset region");
    person.run("config unset region").fails(3, "does not set region");
    person.run("config get region").fails(3, "not set");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &str| fs::metadata(person.0.home().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(FILE), mode(".config/csms")), (0o600, 0o700));
    }
}

#[test]
fn what_cannot_be_a_setting_is_not_kept() {
    let person = Person::new();
    for (command, told) in [
        ("region Here", "region cannot be set"),
        ("endpoint ftp://x", "no http or https URL"),
        ("iam_endpoint https://user:pass@x", "no http or https URL"),
        ("proxy http://user:pass@x", "CSMS_PROXY"),
        ("project ../x", "project"),
        ("output xml", "jsonl"),
        ("ca_file ca.pem", "whole path"),
        ("regoin cn-north-4", "did you mean region?"),
        ("profile work", "csms profile use"),
    ] {
        let outcome = person.run(&format!("config set {command}"));
        outcome.fails(2, told);
        assert!(!outcome.stderr.contains("pass@"), "{}", outcome.stderr);
    }
    for name in ["access_key", "secret-key", "auth_token"] {
        let outcome = person.run(&format!("config set {name} {SECRET}"));
        outcome.fails(2, "csms profile add NAME");
        assert!(!outcome.stderr.contains(SECRET));
        person.run(&format!("config get {name}")).fails(2, "csms profile add NAME");
    }
    assert!(!person.0.home().join(FILE).exists());
    let shown = person.program("config list").env("CSMS_PROXY", "http://user:pass@proxy").run().stdout;
    assert!(shown.contains("proxy\thttp://****@proxy\tCSMS_PROXY"), "{shown}");
}

#[test]
fn comments_survive_every_change() {
    let text = format!(
        "# mine\nprofile = 'a' # daily\n\n[profiles.a] # work\nregion = 'cn-north-4' # near\nsecret_key = '{SECRET}' # from the safe\naccess_key = 'A'\n"
    );
    let person = Person::with(&text);
    person.does("config set region cn-east-3");
    assert_eq!(person.file(), text.replace("'cn-north-4'", "\"cn-east-3\""));
    person.does("config set output json -p b");
    person.does("profile use b");
    assert!(person.file().starts_with("# mine\nprofile = \"b\" # daily\n"), "{}", person.file());
    person.does("profile rm b --yes");
    let left = text.replace("'cn-north-4'", "\"cn-east-3\"").replace("profile = 'a' # daily\n\n", "");
    assert!(person.file().ends_with(left.trim_start_matches("# mine\n").trim_start()), "{}", person.file());
}

#[test]
fn profiles_are_added_from_files_variables_and_stdin_and_never_from_arguments() {
    let person = Person::new();
    let add =
        |arguments: &str| person.program(&format!("profile add {arguments}")).env("MY_KEY", "MYACCESSKEY000000001");
    let outcome = add("work --access-key env://MY_KEY --secret-key - -r cn-east-3 --project p1")
        .stdin(format!("{SECRET}\n"))
        .run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("csms profile use work") && !outcome.stderr.contains(SECRET), "{}", outcome.stderr);
    assert!(person.file().contains(&format!("secret_key = \"{SECRET}\"")));
    let facts = person.caller("-p work", &[]);
    assert_eq!((&facts["access_key"]["value"], &facts["region"]["value"]), (&json!("MYAC…0001"), &json!("cn-east-3")));
    // It is in use only once that is said.
    assert_eq!(person.run("whoami --no-lookup -r cn-north-4").code, 4);
    person.does("profile use work");
    assert_eq!(person.caller("", &[])["access_key"]["value"], "MYAC…0001");

    add("work --access-key env://MY_KEY --secret-key -").stdin("x").run().fails(6, "--overwrite");
    let literal = add(&format!("lit --access-key env://MY_KEY --secret-key {SECRET}")).run();
    literal.fails(2, "--secret-key file://PATH");
    assert!(!literal.stderr.contains(SECRET));
    add("half --access-key env://MY_KEY").run().fails(4, "secret_key of profile half");
    add("none").run().fails(2, "nobody to be asked");
    add("odd --auth-token env://MY_KEY -r Nowhere").run().fails(2, "region cannot be set");
    assert_eq!(person.does("profile list").lines().count(), 1);

    // New keys leave nothing of the old ones.
    assert_eq!(add("work --overwrite --auth-token -").stdin(format!("{SECRET}2")).run().code, 0);
    let file = person.file();
    assert!(file.contains("auth_token") && !file.contains("access_key") && file.contains("cn-east-3"), "{file}");
    let login = add("fed --idp-id corp --id-token-file /run/token -r cn-north-4").run();
    assert_eq!(login.code, 0, "{}", login.stderr);
    let outcome = person.run("secret list -p fed");
    assert!(outcome.stderr.contains("/run/token"), "{}", outcome.stderr);
}

#[test]
fn profiles_are_shown_without_their_keys() {
    let person = two_profiles();
    let rows = person.does("profile list");
    assert_eq!(
        rows,
        "bare\tcn-south-1\tp-bare\t\t\nother\teu-west-101\t\ta user token\t\nwork\tcn-north-4\tp-work\tWORK…0001\t*\n"
    );
    assert_eq!(
        person.does("profile show"),
        "region\tcn-north-4\nproject\tp-work\naccess_key\tWORK…0001\nsecret_key\t****\n"
    );
    let json = person.run("profile show other -o json").json();
    assert_eq!(json, json!({"region": "eu-west-101", "auth_token": "****"}));
    for command in ["profile list -o json", "profile show work -o yaml", "config list", "profile show other"] {
        let outcome = person.run(command);
        assert!(outcome.code == 0 && !outcome.stdout.contains(SECRET), "{}", outcome.stdout);
    }
    let proxied = Person::with("[profiles.a]\nproxy = 'http://user:pass@proxy'\n");
    assert_eq!(proxied.does("profile show a"), "proxy\thttp://****@proxy\n");
    person.run("profile show nobody").fails(3, "csms profile list");
    person.run("profile show wrok").fails(3, "did you mean work?");
    person.run("profile use nobody").fails(3, "no profile");
    Person::new().run("profile show").fails(2, "no profile is in use");
}

#[test]
fn a_profile_is_removed_once_that_is_confirmed() {
    let person = two_profiles();
    let before = person.file();
    person.run("profile rm work").fails(14, "not confirmed").fails(14, "--yes");
    let shown = person.run("profile rm work --dry-run").stderr;
    assert!(shown.starts_with("nothing was changed in ~/.config"), "{shown}");
    assert_eq!(person.file(), before);
    person.does("profile rm work --yes");
    let after = person.file();
    assert!(!after.contains("work") && !after.contains("profile =") && after.contains("[profiles.other]"), "{after}");
    for command in [
        "config set region cn-east-3 --dry-run",
        "config unset region -p other --dry-run",
        "profile use other --dry-run",
    ] {
        assert!(person.run(command).stderr.starts_with("nothing was changed"), "{command}");
    }
    assert_eq!(person.file(), after);
}

#[cfg(target_os = "linux")]
#[test]
fn keys_are_typed_without_being_shown() {
    use crate::terminal::Terminal;

    let person = Person::new();
    let mut terminal = Terminal::open(person.program("profile add work"), 100);
    terminal.waits_for("Access key of work (not shown):");
    terminal.types_unseen("TYPEDACCESSKEY000001");
    terminal.waits_for("Secret key of work (not shown):");
    terminal.types_unseen(SECRET);
    let (code, shown) = terminal.ends();
    assert!(code == 0 && !shown.contains(SECRET) && !shown.contains("TYPEDACCESS"), "{shown}");
    assert_eq!(person.caller("-p work -r cn-north-4", &[])["access_key"]["value"], "TYPE…0001");
    let mut terminal = Terminal::open(person.program("profile rm work"), 100);
    terminal.waits_for("csms profile rm work in ~/.config/csms/config.toml?");
    terminal.types("n");
    assert_eq!(terminal.ends().0, 14);
    let mut terminal = Terminal::open(person.program("profile rm work"), 100);
    terminal.waits_for("[y/N]");
    terminal.types("y");
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn profiles_that_are_added_at_once_are_all_kept() {
    let person = Person::with("# mine\n");
    let add = |number: usize| {
        let command = format!("profile add p{number} --access-key env://AK --secret-key env://SK");
        let (mut command, home) =
            person.program(&command).env("AK", "ACCESSKEY00000000001").env("SK", SECRET).into_command();
        (command.stderr(Stdio::null()).spawn().unwrap(), home)
    };
    for (mut child, _home) in (0..12).map(add).collect::<Vec<_>>() {
        assert!(child.wait().unwrap().success());
    }
    let file = person.file();
    let missing: Vec<_> = (0..12).filter(|number| !file.contains(&format!("[profiles.p{number}]\n"))).collect();
    assert!(missing.is_empty() && file.contains("# mine"), "{missing:?}: {file}");
}

#[test]
fn a_profile_of_koocli_is_not_replaced_by_one_without_keys() {
    let person = Person::new();
    let profiles = json!({"current": "theirs", "profiles": [{"name": "theirs", "mode": "AKSK"}]});
    person.writes(".hcloud/config.json", &profiles.to_string());
    person.run("config set region cn-east-3 -p theirs").fails(6, "csms profile add theirs");
    person.does("config set region cn-east-3 -p ours");
}

#[test]
fn a_home_that_cannot_be_written_explains_itself() {
    let set = || Program::new(["config", "set", "region", "cn-north-4"]);
    set().env("HOME", "/proc/nowhere").run().fails(2, "cannot be written").fails(2, "XDG_CONFIG_HOME");
    set().without("HOME").run().fails(2, "neither XDG_CONFIG_HOME nor HOME is set");
    Program::new(["config", "path"]).without("HOME").run().fails(2, "no place for config.toml");
    // Reading needs none.
    let outcome = Program::new(["config", "list"]).env("HOME", "/proc/nowhere").run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
}

#[test]
fn the_directory_can_be_moved() {
    let person = Person::new();
    let moved = person.0.home().join("elsewhere");
    let program = |command: &str| person.program(command).env("XDG_CONFIG_HOME", &moved);
    assert_eq!(program("config set region cn-north-4").run().code, 0);
    assert!(moved.join("csms/config.toml").exists());
    assert_eq!(program("config get region").run().stdout, "cn-north-4\n");
    person.run("config get region").fails(3, "not set");
    // A relative path is none.
    person.program("config get region").env("XDG_CONFIG_HOME", "elsewhere").run().fails(3, "not set");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let person = Person::new();
    person.writes("dotfiles/csms.toml", "# kept elsewhere\n");
    fs::create_dir_all(person.0.home().join(".config/csms")).unwrap();
    std::os::unix::fs::symlink(person.0.home().join("dotfiles/csms.toml"), person.0.home().join(FILE)).unwrap();
    person.does("config set region cn-north-4");
    assert!(person.0.home().join(FILE).is_symlink());
    let text = fs::read_to_string(person.0.home().join("dotfiles/csms.toml")).unwrap();
    assert!(text.contains("cn-north-4") && text.contains("# kept elsewhere"), "{text}");
}

#[test]
fn profiles_and_settings_are_completed() {
    let person = two_profiles();
    let offered = |words: &str| {
        let program =
            person.program("").arguments(["--", "csms"]).arguments(words.split(' ')).env("CSMS_COMPLETE", "bash");
        program.run().stdout
    };
    assert_eq!(offered("-p "), "bare\nother\nwork\n");
    person.writes(".hcloud/config.json", &json!({"profiles": [{"name": "theirs"}]}).to_string());
    assert_eq!(offered("-p "), "bare\nother\nwork\ntheirs\n");
    assert_eq!(offered("profile use t"), "");
    assert_eq!(offered("profile use w"), "work\n");
    assert_eq!(offered("config set re"), "region\n");
}
