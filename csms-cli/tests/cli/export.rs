//! `csms export`, and the sources that it shares with `exec`.

use wiremock::{Mock, ResponseTemplate, matchers::method};

use crate::{
    program::{Program, Server},
    user::User,
};

fn user() -> User {
    let user = User::new();
    user.create("db", r#"{"user":"admin","pass-word":"it's 1"}"#);
    user.create("db-url", "postgres://x");
    user
}

#[test]
fn fields_of_json_and_whole_values_are_variables() {
    let user = user();
    assert_eq!(user.does("export db db-url"), "PASS_WORD=\"it's 1\"\nUSER=admin\nDB_URL=postgres://x\n");
    assert_eq!(user.does("export --prefix db- --format shell"), "export DB_URL=postgres://x\n");
    assert_eq!(user.does("export db-url --name-case keep --format properties"), "db-url=postgres://x\n");
    assert_eq!(user.does("export db#user"), "USER=admin\n");
    assert_eq!(user.does("export --env A=db@v1#user --format docker"), "A=admin\n");
}

#[test]
fn each_form_is_there() {
    let user = user();
    for (form, expected) in [
        ("dotenv", "A=admin\n"),
        ("shell", "export A=admin\n"),
        ("json", "{\n  \"A\": \"admin\"\n}\n"),
        ("yaml", "A: admin\n"),
        ("toml", "\"A\" = \"admin\"\n"),
        ("tfvars", "A = \"admin\"\n"),
        ("properties", "A=admin\n"),
        ("docker", "A=admin\n"),
        ("k8s --name db", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ntype: Opaque\ndata:\n  A: YWRtaW4=\n"),
    ] {
        assert_eq!(user.does(&format!("export --env A=db#user --format {form}")), expected);
    }
    let github = user.does("export --env A=db#user --format github-env");
    assert!(github.starts_with("A<<csms_") && github.contains("\nadmin\ncsms_"), "{github}");
    user.run("export db --format k8s").fails(2, "--name");
    user.run("export db --name-case keep").fails(2, "pass-word cannot be written");
}

#[test]
fn what_is_missing_is_named_and_nothing_is_printed() {
    let user = user();
    let outcome = user.run("export db nothing db#nothing");
    outcome.fails(3, "secret \"nothing\" not found");
    assert!(outcome.stderr.contains("also: secret `db` (v1) has no field `nothing`"), "{}", outcome.stderr);
    user.run("export --prefix nothing").fails(3, "no secret begins");
    user.run("export").fails(2, "nothing to be exported");
    user.run("export --env db").fails(2, "write --env VAR=REF");
    user.run("export kms:AAEC").fails(2, "has no name");
    user.run("export --env A=kms:x").fails(2, "Base64");
    assert!(!user.run("export --env A=hunter2!").stderr.contains("hunter2"));
}

#[test]
fn a_file_has_plain_values_and_references() {
    let user = user();
    let file = "A=plain\nB=csms://db#user\n#C\nexport D='x y'\n";
    let outcome = user.program("export --env-file vars").file("vars", file).run();
    assert_eq!(outcome.stdout, "A=plain\nB=admin\nD='x y'\n", "{}", outcome.stderr);
    let outcome = user.program("export --env-file vars").file("vars", "A=1\nhunter2\n").run();
    outcome.fails(2, "line 2");
    assert!(!outcome.stderr.contains("hunter2"));
    user.run("export --env-file missing").fails(2, "missing");
}

#[test]
fn the_later_source_counts_and_both_are_named() {
    let user = user();
    let outcome = user.program("export --env USER=db-url --secret db#user").run();
    assert_eq!(outcome.stdout, "USER=postgres://x\n");
    assert_eq!(outcome.stderr, "warning: USER is of --secret db#user and of --env USER; the latter counts\n");
    user.run("export --env USER=db-url --secret db#user --strict").fails(2, "USER is of");
}

#[test]
fn variables_that_decide_what_runs_have_to_be_named() {
    let user = user();
    user.create("sly", r#"{"PATH":"/evil","LD_PRELOAD":"/evil","A":"1"}"#);
    let outcome = user.run("export sly");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "A=1\n"));
    assert_eq!(outcome.stderr.matches("is left out").count(), 2, "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("evil"), "{}", outcome.stderr);
    user.run("export sly --strict").fails(2, "is left out");
    assert_eq!(user.does("export --env PATH=sly#A"), "PATH=1\n");
}

#[test]
fn a_project_says_what_it_wants_and_holds_no_credentials() {
    let user = user();
    let project = "secrets = ['db-url']\n[env]\nUSER = 'csms://db#user'\nLEVEL = 'info'\nPATH = '/evil'\n";
    let outcome = user.program("export").file("csms.toml", project).run();
    assert_eq!(outcome.stdout, "DB_URL=postgres://x\nLEVEL=info\nUSER=admin\n", "{}", outcome.stderr);
    assert!(outcome.stderr.contains("PATH of"), "{}", outcome.stderr);
    for text in ["[env]\nCSMS_SECRET_KEY = 'hunter2'", "access_key = 'hunter2'", "a = hunter2"] {
        let outcome = user.program("export").file("csms.toml", text).run();
        outcome.fails(2, "csms.toml");
        assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_project_file_is_one_that_only_the_user_can_change() {
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    let user = user();
    let path = user.home().join("csms.toml");
    let run = || {
        let (mut command, _folder) = user.program("export").into_command();
        let output = command.current_dir(user.home()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    std::fs::write(&path, "secrets = ['db-url']\n").unwrap();
    let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o664);
    // A group that has the number of its owner is his own.
    let owner = rustix::process::geteuid().as_raw();
    if chown(&path, None, Some(owner)).is_ok() {
        assert_eq!(run(), (Some(0), String::new()));
    }
    mode(0o666);
    let (code, told) = run();
    assert!(code == Some(5) && told.contains("can be changed by everybody"), "{told}");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    let (code, told) = run();
    assert!(code == Some(2) && told.contains("more than 1 MiB"), "{told}");
    // Neither what has no end nor what never begins is read.
    std::fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    let (code, told) = run();
    assert!(code == Some(2) && told.contains("no regular file"), "{told}");
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (code, told) = run();
    assert!(code == Some(2) && told.contains("no regular file"), "{told}");
}

#[test]
fn files_are_private_and_not_replaced_unasked() {
    let user = user();
    let path = user.home().join(".env");
    let command = format!("export db#user --to-file {}", path.display());
    assert_eq!(user.says(&command), format!("wrote {}\n", path.display()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "USER=admin\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    user.run(&command).fails(2, "--overwrite");
    assert_eq!(user.run(&format!("{command} --overwrite -o json")).json(), serde_json::json!({}));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "USER=admin\n");
}

#[test]
fn a_ciphertext_is_decrypted_in_place() {
    let user = user();
    let id = user.does("key create app --spec AES_256").trim().rsplit('\t').next().unwrap().to_owned();
    let encrypt = format!("api kms EncryptData --key-id {id} --plain-text - -o raw -q cipher_text");
    let cipher = user.program(&encrypt).stdin("tütü").run().stdout;
    assert_eq!(user.does(&format!("export --env A=kms:{cipher} --format json")), "{\n  \"A\": \"tütü\"\n}\n");
}

#[test]
fn many_ciphertexts_stay_in_their_order_and_each_is_decrypted_once() {
    let server = Server::start();
    let answer = |request: &wiremock::Request| {
        let sent: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let text = sent["cipher_text"].as_str().unwrap();
        // The first is the last to come.
        let delay = if text == "AAAA" { 300 } else { 0 };
        let answer = ResponseTemplate::new(200).set_body_json(serde_json::json!({"key_id": "k", "plain_text": text}));
        answer.set_delay(std::time::Duration::from_millis(delay))
    };
    server.mount(Mock::given(method("POST")).respond_with(answer));
    let line =
        "export --format dotenv --env A=kms:AAAA --env B=kms:BBBB --env C=kms:AAAA --env D=kms:CCCC --env E=kms:DDDD";
    let outcome = Program::against(&server.mock, line.split(' ')).run();
    assert_eq!(outcome.stdout, "A=AAAA\nB=BBBB\nC=AAAA\nD=CCCC\nE=DDDD\n", "{}", outcome.stderr);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_ci_system_is_told_first() {
    let user = user();
    let outcome = user.program("export db#user --ci-mask").env("GITHUB_ACTIONS", "true").run();
    // A shell may run what is on stdout.
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("USER=admin\n", "::add-mask::admin\n"));
}

#[test]
fn a_ci_system_is_told_of_secrets_only_and_of_none_that_stands_everywhere() {
    let user = user();
    user.create("pin", "12");
    let project = "secrets = ['pin']\n[env]\nUSER = 'csms://db#user'\nLEVEL = 'info'\nPORT = 8080\nDEBUG = 1\n";
    let run = |command: &str| user.program(command).env("GITHUB_ACTIONS", "true");
    let outcome = run("export --ci-mask").file("csms.toml", project).run();
    assert_eq!(outcome.stdout, "PIN=12\nDEBUG=1\nLEVEL=info\nPORT=8080\nUSER=admin\n");
    let warning = "is not hidden: its value is too short to be told from other text\n";
    assert_eq!(outcome.stderr, format!("warning: PIN {warning}::add-mask::admin\n"));
    // What somebody has in a file of his own may be secret.
    let outcome = run("export --ci-mask --env-file vars").file("vars", "A=plain\nB=1\n").run();
    assert_eq!(outcome.stderr, format!("::add-mask::plain\nwarning: B {warning}"));
}

#[cfg(unix)]
#[test]
fn what_is_evaluated_by_a_shell_holds_nothing_but_variables() {
    let user = user();
    user.create("evil", "x; touch PWNED; it's `touch PWNED`");
    let csms = format!("{} --local export evil --ci-mask", env!("CARGO_BIN_EXE_csms"));
    for form in ["shell", "dotenv"] {
        let script = format!("eval \"$({csms} --format {form})\"; printf %s \"$EVIL\"");
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &script]).env("HOME", user.home()).env("GITHUB_ACTIONS", "true").current_dir(user.home());
        let output = command.output().unwrap();
        assert_eq!(output.stdout, b"x; touch PWNED; it's `touch PWNED`");
        assert!(!user.home().join("PWNED").exists());
    }
}

#[test]
fn what_some_readers_of_env_files_misread_is_told() {
    let user = user();
    user.create("odd", "it's $5");
    let outcome = user.run("export odd");
    assert_eq!(outcome.stdout, "ODD=\"it's \\$5\"\n");
    let expected = "ODD is misread by python-dotenv and node --env-file; --format shell or json suits every value";
    assert_eq!(outcome.stderr, format!("warning: {expected}\n"));
    assert_eq!(user.run("export odd --format shell").stderr, "");
}

#[test]
fn an_empty_prefix_gives_nothing_away() {
    let user = user();
    for command in [
        "export",
        "exec -- true",
        "sync --from region=cn-north-4 --to region=cn-east-3",
        "diff region=cn-north-4 region=cn-east-3",
    ] {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let program = user.program(verb).arguments(["--prefix="]).arguments(rest.split_whitespace());
        program.run().fails(2, "--prefix is empty");
    }
    user.program("export").file("csms.toml", "prefixes = ['']").run().fails(2, "csms.toml");
    // Whoever hides or looks for every secret gives none away.
    let outcome = user.program("redact").arguments(["--prefix="]).stdin("admin postgres://x").run();
    assert_eq!(outcome.stdout, "**** ****", "{}", outcome.stderr);
}
