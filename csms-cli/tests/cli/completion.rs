//! What the tab key offers, and the manual pages.

use std::{fs, path::Path, process::Command, time::Duration};

use serde_json::{Value as Json, json};
use wiremock::{Mock, ResponseTemplate, matchers::path};

#[cfg(unix)]
use crate::terminal::Terminal;
use crate::{
    program::{Program, Server},
    user::User,
};

/// What is offered for the last of these words, as lines.
fn offered(program: Program, words: &[&str]) -> Vec<String> {
    let outcome = program.arguments(["--", "csms"]).arguments(words).env("CSMS_COMPLETE", "bash").run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    outcome.stdout.lines().map(str::to_owned).collect()
}

fn without_settings() -> Program {
    Program::new::<&str>([])
}

/// A user with secrets and a key, on his machine.
fn user() -> User {
    let user = User::new();
    for name in ["db", "db-prod", "cache"] {
        user.create(name, "the-value");
    }
    user.does("key create app");
    user.says("key alias add app alias/billing");
    user
}

fn at_home(user: &User) -> Program {
    without_settings().env("HOME", user.home()).env("CSMS_LOCAL", "1")
}

fn kept(home: &Path) -> Vec<(String, Json)> {
    let Ok(files) = fs::read_dir(home.join(".cache/csms")) else { return Vec::new() };
    files
        .map(|file| {
            let file = file.unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
                let directory = fs::metadata(home.join(".cache/csms")).unwrap();
                assert_eq!(directory.permissions().mode() & 0o777, 0o700);
            }
            let text = fs::read_to_string(file.path()).unwrap();
            (file.path().to_str().unwrap().to_owned(), serde_json::from_str(&text).unwrap())
        })
        .collect()
}

#[test]
fn commands_verbs_flags_and_known_values_are_offered() {
    let offered = |words: &[&str]| offered(without_settings(), words);
    assert!(offered(&[""]).contains(&"secret".to_owned()));
    assert!(!offered(&[""]).iter().any(|word| word.starts_with('-')));
    assert_eq!(offered(&["secret", "rol"]), ["rollback"]);
    assert_eq!(offered(&["key", "rotation", "en"]), ["enable"]);
    assert_eq!(offered(&["get", "--over"]), ["--overwrite"]);
    assert_eq!(offered(&["get", "--pro"]), ["--profile", "--project"]);
    assert_eq!(offered(&["whoami", ""]), ["--no-lookup", "--help"]);
    assert_eq!(offered(&["-o", "js"]), ["json", "jsonl"]);
    assert_eq!(offered(&["--output=ya"]), ["--output=yaml"]);
    assert_eq!(offered(&["wait", "secret", "db", "--for", "ena"]), ["enabled"]);
    assert_eq!(offered(&["api", "csms", "CreateSecretV"]), ["CreateSecretVersion"]);
    assert_eq!(offered(&["explain", "ReEnc"]), ["ReEncrypt"]);
    assert_eq!(offered(&["--region", "cn-east-3"]), ["cn-east-3"]);
    assert_eq!(offered(&["secret", "replica", "add", "db", "--to", "cn-east-3,eu-w"]), ["cn-east-3,eu-west-101"]);
    assert_eq!(offered(&["completion", "z"]), ["zsh"]);
    assert_eq!(offered(&["get", "db@"]), ["db@current", "db@previous", "db@latest"]);
    assert_eq!(offered(&["nothing", "like", "this"]), [""; 0]);
}

#[test]
fn files_are_offered_where_a_path_is_expected() {
    let program = || without_settings().file("orders.csv", "").file("other", "");
    assert_eq!(offered(program(), &["encrypt", "ord"]), ["orders.csv"]);
    assert_eq!(offered(program(), &["secret", "put", "db", "--from-file", "ord"]), ["orders.csv"]);
}

#[test]
fn places_and_what_stands_behind_the_end_of_flags_are_offered() {
    let file = ".config/csms/config.toml";
    let user = user();
    for (directory, file) in [("bin", "bin/my-server"), (".config/csms", file)] {
        fs::create_dir_all(user.home().join(directory)).unwrap();
        fs::write(user.home().join(file), "").unwrap();
    }
    fs::write(user.home().join(file), "[profiles.prod]\nregion = 'cn-north-4'\n").unwrap();
    let program = || at_home(&user).file("values.env", "").file("regional", "").env("PATH", user.home().join("bin"));
    let offered = |words: &[&str]| offered(program(), words);
    assert_eq!(offered(&["sync", "--from", ""]), ["region=", "profile=", "project="]);
    assert_eq!(
        offered(&["sync", "--to", "region=cn-east-3,p"]),
        ["region=cn-east-3,profile=", "region=cn-east-3,project="]
    );
    assert_eq!(offered(&["sync", "--from", "region=cn-north-4,profile="]), ["region=cn-north-4,profile=prod"]);
    assert_eq!(offered(&["diff", "region=eu-w"]), ["region=eu-west-101"]);
    assert_eq!(offered(&["diff", "region=cn-north-4", "re"]), ["region=", "regional"]);
    assert_eq!(offered(&["diff", "val"]), ["values.env"]);
    for words in
        [&["sync", "--from", "region=a-1", "--to", "region=b-1", "d"][..], &["diff", "region=a-1", "x.env", "d"]]
    {
        assert_eq!(offered(words), ["db", "db-prod"], "{words:?}");
    }
    assert_eq!(offered(&["policy", "--", "secret", "rol"]), ["rollback"]);
    assert_eq!(offered(&["policy", "--", "get", "d"]), ["db", "db-prod"]);
    assert_eq!(offered(&["policy", "--fo"]), ["--form"]);
    for words in [&["exec", "--secret", "db", "--"][..], &["emulate", "--"], &["policy", "--", "exec", "--"]] {
        assert_eq!(offered(&[words, &["my-s"]].concat()), ["my-server"], "{words:?}");
        assert_eq!(offered(&[words, &["./val"]].concat()), ["./values.env"], "{words:?}");
        assert_eq!(offered(&[words, &["cat", "val"]].concat()), ["values.env"], "{words:?}");
    }
}

#[test]
fn names_of_secrets_and_keys_are_offered_wherever_one_is_expected() {
    let user = user();
    let offered = |words: &[&str]| offered(at_home(&user), words);
    for words in [
        &["get", ""][..],
        &["secret", "get", ""],
        &["secret", "describe", ""],
        &["secret", "rm", "gone", ""],
        &["secret", "tag", "list", ""],
        &["secret", "replica", "add", ""],
        &["secret", "tasks", "--name", ""],
        &["wait", "secret", ""],
        &["exec", "--secret", ""],
        &["api", "csms", "ShowSecret", "--secret_name", ""],
    ] {
        assert_eq!(offered(words), ["cache", "db", "db-prod"], "{words:?}");
    }
    assert_eq!(offered(&["get", "db"]), ["db", "db-prod"]);
    assert_eq!(offered(&["get", "csms://c"]), ["csms://cache"]);
    assert_eq!(offered(&["exec", "--env", "URL=ca"]), ["URL=cache"]);
    assert_eq!(offered(&["exec", "--env", "URL=db@p"]), ["URL=db@previous"]);

    for words in [
        &["key", "describe", "a"][..],
        &["key", "sign", "a"],
        &["encrypt", "--key", "a"],
        &["secret", "put", "db", "--kms-key", "a"],
        &["secret", "update", "db", "--kms-key", "a"],
        &["api", "kms", "EnableKey", "--key_id", "a"],
    ] {
        let offered = offered(words);
        assert!(
            ["app", "alias/billing"].iter().all(|name| offered.iter().any(|word| word == name)),
            "{words:?}: {offered:?}"
        );
    }
    let id = user.does("key describe app -q key_info.key_id -o raw");
    assert_eq!(offered(&["key", "describe", &id[..8]]), [id.as_str()]);
    let mut all = offered(&["key", "describe", ""]);
    all.sort();
    assert_eq!(all, ["alias/billing", "app", "csms/default"]);
}

#[test]
fn the_place_is_that_of_the_line() {
    let user = user();
    assert_eq!(offered(at_home(&user), &["get", "d"]), ["db", "db-prod"]);
    assert_eq!(offered(at_home(&user), &["-r", "cn-east-3", "get", "d"]), [""; 0]);
    assert_eq!(offered(at_home(&user), &["get", "--region=cn-east-3", "d"]), [""; 0]);
    assert_eq!(offered(at_home(&user), &["get", "d"]), ["db", "db-prod"]);
}

#[test]
fn names_are_kept_for_their_owner_and_values_are_not() {
    let user = user();
    offered(at_home(&user), &["get", ""]);
    offered(at_home(&user), &["key", "describe", ""]);
    let kept = kept(user.home());
    assert_eq!(kept.len(), 2);
    for (path, json) in &kept {
        assert!(!json.to_string().contains("the-value"), "{json}");
        // Not even where the secrets are is told.
        assert!(!path.contains("cn-north-4") && !json.to_string().contains("cn-north-4"), "{path} {json}");
    }
}

#[test]
fn what_is_kept_is_taken_until_it_is_old() {
    let server = listing();
    let home = User::new();
    let names = || offered(Program::against(&server.mock, [""; 0]).env("HOME", home.home()), &["get", ""]);
    let first = names();
    assert_eq!(first, ["alpha", "beta"]);
    assert_eq!(names(), first);
    assert_eq!(server.requests().len(), 1);

    let (path, mut json) = kept(home.home()).remove(0);
    json["until"] = 1_000_000.into();
    fs::write(&path, json.to_string()).unwrap();
    assert_eq!(names(), first);
    assert_eq!(server.requests().len(), 2);
    // Written by a clock that was wrong.
    json["until"] = json!(99_999_999_999_i64);
    fs::write(&path, json.to_string()).unwrap();
    assert_eq!(names(), first);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn other_callers_have_other_names() {
    let server = listing();
    let home = User::new();
    let program = || Program::against(&server.mock, [""; 0]).env("HOME", home.home());
    offered(program(), &["get", ""]);
    offered(program().env("CSMS_ACCESS_KEY", "ANOTHERACCESSKEY0001"), &["get", ""]);
    offered(program().env("CSMS_PROJECT_ID", "another"), &["get", ""]);
    let variables =
        ["HW_PROJECT_ID", "HW_PROJECT_NAME", "OS_TENANT_NAME", "HW_DOMAIN_NAME", "HUAWEICLOUD_SDK_PROJECT_ID"];
    for name in variables.into_iter().chain(["CSMS_AUTH_TOKEN", "OS_AUTH_TOKEN", "HW_SHARED_CONFIG_FILE"]) {
        offered(program().env(name, "ANOTHERACCESSKEY0001"), &["get", ""]);
    }
    let (work, other) =
        ("[profiles.work]\naccess_key='WORKACCESSKEY0000001'\n", "[profiles.work]\nproject='another'\n");
    for profile in [work, other] {
        let config = home.home().join(".config/csms/config.toml");
        fs::create_dir_all(config.parent().unwrap()).unwrap();
        fs::write(&config, profile).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        offered(program().env("CSMS_PROFILE", "work"), &["get", ""]);
    }
    assert_eq!(kept(home.home()).len(), 3 + 8 + 2);
    // What somebody could try out is not told, not even by a name that he could compare.
    offered(program().env("HW_USER_PASSWORD", "another").env("CSMS_SECRET_KEY", "another"), &["get", ""]);
    assert_eq!(kept(home.home()).len(), 3 + 8 + 2);
    assert!(!kept(home.home()).iter().any(|(path, json)| format!("{path}{json}").contains("ACCESSKEY")));
}

#[test]
fn old_names_are_better_than_none_and_nobody_waits_twice() {
    let server = listing();
    let home = User::new();
    let at = |address: &str| Program::at(address, [""; 0]).env("HOME", home.home());
    let first = offered(at(&server.mock.uri()), &["get", ""]);
    let (path, mut json) = kept(home.home()).remove(0);
    json["until"] = 1_000_000.into();
    fs::write(&path, json.to_string()).unwrap();

    // From here on nothing comes in time.
    server.block_on(server.mock.reset());
    server.mount(
        Mock::given(path_of_secrets()).respond_with(ResponseTemplate::new(200).set_delay(Duration::from_secs(600))),
    );
    assert_eq!(offered(at(&server.mock.uri()), &["get", ""]), first);
    assert_eq!(offered(at(&server.mock.uri()), &["get", ""]), first);
    assert_eq!(server.requests().len(), 1);
    // And where there never was anything: no answer, no words.
    assert_eq!(offered(at("http://127.0.0.1:1"), &["get", "x"]), [""; 0]);
}

/// A server with two secrets.
fn listing() -> Server {
    let server = Server::start();
    let secrets = json!({"secrets": [{"name": "alpha"}, {"name": "beta"}], "page_info": {"current_count": 2}});
    server.mount(Mock::given(path_of_secrets()).respond_with(ResponseTemplate::new(200).set_body_json(secrets)));
    server
}

fn path_of_secrets() -> impl wiremock::Match + 'static {
    path(format!("/v1/{}/secrets", wiremock_fixtures::PROJECT_ID))
}

#[test]
fn what_goes_wrong_is_not_written_over_the_line() {
    // No place for the names, no credentials, a setting that is no setting: `offered` checks that nothing is said.
    let broken = || without_settings().env("CSMS_CA_FILE", "/nowhere").env("CSMS_REGION", "not a region");
    assert_eq!(offered(broken(), &["get", "x"]), [""; 0]);
    assert_eq!(offered(without_settings().without("HOME"), &["get", "x"]), [""; 0]);
    assert_eq!(offered(at_home(&user()).env("XDG_CACHE_HOME", "/proc/nowhere"), &["get", "ca"]), ["cache"]);
    for arguments in [&["--"][..], &["--", ""], &["--", "csms", "é\u{fffd}", "\n"]] {
        let outcome = Program::new(arguments).env("CSMS_COMPLETE", "bash").run();
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{arguments:?}");
    }
    // Whoever has the variable set is not left without the program.
    let outcome = Program::new(["--version"]).env("CSMS_COMPLETE", "bash").run();
    assert!(outcome.stdout.starts_with("csms "), "{}", outcome.stdout);
    let outcome = Program::new(["--", "csms", ""]).env("CSMS_COMPLETE", "tcsh").run();
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (0, "", ""));
}

#[test]
fn a_completion_makes_no_data_where_there_are_none() {
    let home = User::new();
    offered(at_home(&home), &["get", ""]);
    assert!(!home.home().join(".local").exists());
}

#[test]
fn what_was_created_or_deleted_is_known_at_once() {
    let user = user();
    let offered = |words: &[&str]| offered(at_home(&user), words);
    assert_eq!(offered(&["get", "d"]), ["db", "db-prod"]);
    user.program("secret put delta").stdin("x").run();
    assert_eq!(offered(&["get", "d"]), ["db", "db-prod", "delta"]);
    user.says("secret rm delta --now --yes");
    assert_eq!(offered(&["get", "d"]), ["db", "db-prod"]);
    user.program("api csms CreateSecret --name dora --secret-string -").stdin("x").run();
    assert_eq!(offered(&["get", "d"]), ["db", "db-prod", "dora"]);
    // Reading leaves the names.
    user.does("get db");
    assert_eq!(kept(user.home()).len(), 1);
}

/// Whether a shell is on this machine.
fn is_there(shell: &str) -> bool {
    Command::new(shell).arg("--version").output().is_ok()
}

/// Runs a script in a shell that finds the program under its name, at the home of a user.
fn in_shell(user: &User, shell: &str, arguments: &[&str], script: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_csms"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new(shell)
        .args(arguments)
        .args(["-c", script])
        .env("PATH", path)
        .env("HOME", user.home())
        .env("CSMS_LOCAL", "1")
        .current_dir(user.home())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "", "{shell}");
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn bash_completes_words_that_it_breaks() {
    let user = user();
    // Words as bash breaks them, and what it takes for the word to complete.
    for (line, words, current, expected) in [
        ("csms get d", &["csms", "get", "d"][..], "d", &["db", "db-prod"][..]),
        ("csms get ", &["csms", "get", ""], "", &["cache", "db", "db-prod"]),
        ("csms get db@pre", &["csms", "get", "db", "@", "pre"], "pre", &["previous"]),
        ("csms get db@", &["csms", "get", "db", "@"], "", &["current", "previous", "latest"]),
        ("csms get db@", &["csms", "get", "db", "@"], "@", &["current", "previous", "latest"]),
        ("csms get csms://ca", &["csms", "get", "csms", ":", "//ca"], "//ca", &["//cache"]),
        ("csms exec --env X=ca", &["csms", "exec", "--env", "X", "=", "ca"], "ca", &["cache"]),
        ("csms --output=ya", &["csms", "--output", "=", "ya"], "ya", &["yaml"]),
        ("csms  secret   roll", &["csms", "secret", "roll"], "roll", &["rollback"]),
    ] {
        let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            "source <(csms completion bash)\n\
             COMP_LINE='{line}' COMP_POINT=${{#COMP_LINE}} COMP_WORDS=({}) COMP_CWORD={} COMP_POINT={}\n\
             _csms csms '{current}' ''\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n\
             complete -p csms",
            quoted.join(" "),
            words.len() - 1,
            line.len(),
        );
        let shown = in_shell(&user, "bash", &["--norc", "--noprofile"], &script);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[..lines.len() - 1], *expected, "{line}");
        assert!(lines[lines.len() - 1].ends_with("-F _csms csms"), "{shown}");
    }
}

#[cfg(unix)]
#[test]
fn what_bash_puts_on_the_line_is_one_word_whatever_a_file_is_called() {
    let user = user();
    let names =
        ["my file.env", "we$(touch PWNED).env", "it's.env", "a*b.env", "~tilde.env", "say!\"x.env", "a-star-b.env"];
    for name in names {
        fs::write(user.home().join(name), "").unwrap();
    }
    fs::create_dir(user.home().join("a dir")).unwrap();
    fs::write(user.home().join("a dir/b c.env"), "").unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_csms"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-i"]).current_dir(user.home());
    bash.env("PATH", path).env("HOME", user.home()).env("CSMS_LOCAL", "1").env("TERM", "dumb").env("PS1", "> ");
    let mut terminal = Terminal::start(&bash, 200);
    // What is completed for the program is shown instead of given to it.
    let show = "show() { printf '<%s>' $((++count)) \"$@\"; echo; }; complete -o bashdefault -F _csms show";
    terminal.types(&format!("source <(csms completion bash); {show}; echo re''ady")).waits_for("ready");
    let words = [
        ("my", names[0]),
        ("\"my f", names[0]),
        ("'my f", names[0]),
        ("my\\ f", names[0]),
        ("we", names[1]),
        ("we\\$", names[1]),
        ("\"we", names[1]),
        ("'we", names[1]),
        ("it", names[2]),
        ("'it", names[2]),
        ("it\\'", names[2]),
        ("a\\*", names[3]),
        ("\\~", names[4]),
        ("say", names[5]),
        ("\"say", names[5]),
        ("'say", names[5]),
        ("\"a dir/\"", "a dir/b c.env"),
        ("--format=\"ya", "--format=yaml"),
    ];
    for (count, (typed, word)) in words.iter().enumerate() {
        terminal.types(&format!("show import {typed}\t")).waits_for(&format!("<{}><import><{word}>", count + 1));
    }
    terminal.types("exit");
    let (_, shown) = terminal.ends();
    assert!(!user.home().join("PWNED").exists(), "{shown}");
}

#[cfg(unix)]
#[test]
fn fish_completes_where_it_is_installed() {
    if !is_there("fish") {
        return;
    }
    let shown = in_shell(&user(), "fish", &["--no-config"], "csms completion fish | source\ncomplete -C 'csms get d'");
    assert_eq!(shown, "db\ndb-prod\n");
}

#[cfg(unix)]
#[test]
fn zsh_asks_for_the_word_at_the_cursor_where_it_is_installed() {
    if !is_there("zsh") {
        return;
    }
    // What the completion system of zsh would do with candidates is print them here.
    let script = "compdef() { : }; _describe() { print -l ${(P)${@[-1]}} }\n\
                  source <(csms completion zsh)\n\
                  words=(csms get d rest); CURRENT=3; _clap_dynamic_completer_csms";
    assert_eq!(in_shell(&user(), "zsh", &["--no-rcs"], script), "db\ndb-prod\n");
}

#[test]
fn a_script_is_printed_for_every_shell() {
    for (shell, sign) in
        [("bash", "complete -o"), ("zsh", "#compdef csms"), ("fish", "complete --"), ("powershell", "Register-")]
    {
        let outcome = Program::new(["completion", shell]).run();
        assert_eq!(outcome.code, 0);
        assert!(outcome.stdout.contains(sign) && outcome.stdout.contains("CSMS_COMPLETE"), "{}", outcome.stdout);
    }
    Program::new(["completion", "tcsh"]).run().fails(2, "bash, zsh, fish, powershell");
    Program::new(["completion"]).run().fails(2, "SHELL");
}

#[test]
fn there_is_a_page_for_every_command() {
    let user = User::new();
    let directory = user.home().join("man/man1");
    let said = user.says(&format!("man {}", directory.display()));
    let pages = fs::read_dir(&directory).unwrap().count();
    assert!(said.contains(&format!("wrote {pages} pages")), "{said}");
    for file in fs::read_dir(&directory).unwrap() {
        let page = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(page.is_ascii() && page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{page}");
        // Every page that it names is there: those of all verbs of a noun, and so on down from csms(1).
        let words = page.replace("\\-", "-").replace("\\fR", " ");
        let named = words.split_whitespace().filter_map(|word| word.strip_suffix("(1)"));
        for name in named.filter(|name| name.starts_with("csms-")) {
            assert!(directory.join(format!("{name}.1")).exists(), "{name}: {page}");
        }
    }
    for verb in ["secret-get", "secret-stage-rm", "key-grant-retire", "exec", "wait-replica", "completion"] {
        let page = fs::read_to_string(directory.join(format!("csms-{verb}.1"))).unwrap();
        assert!(page.contains(&format!(".TH csms-{verb} 1")), "{page}");
    }
    let operations = csms_operations(&user);
    for (service, name) in &operations {
        assert!(directory.join(format!("csms-api-{service}-{name}.1")).exists(), "{service} {name}");
    }
    // The flags that all take stand in the first page.
    let first = Program::new(["man"]).run().stdout;
    assert_eq!(first, fs::read_to_string(directory.join("csms.1")).unwrap());
    assert!(first.contains("\\-\\-region") && !first.contains('…'), "{first}");
    if is_there("groff") {
        let pages = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path());
        let output = Command::new("groff").args(["-man", "-ww", "-z", "-Tutf8"]).args(pages).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

/// Every operation, under the service that the command line has it in.
fn csms_operations(user: &User) -> Vec<(String, String)> {
    let listed = user.does("api --list");
    listed
        .lines()
        .map(|line| {
            let mut cells = line.split('\t');
            let service = cells.next().unwrap().to_lowercase().replace("sts", "iam");
            (service, cells.next().unwrap().to_owned())
        })
        .collect()
}

#[test]
fn pages_that_cannot_be_written_say_so() {
    let user = User::new();
    user.run("man /proc/nowhere").fails(2, "cannot be written");
}
