//! Many secrets at once: files into secrets, places compared and copied, runs that break off and go on.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use csms_emulator::Emulator;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::{
    cloud::Cloud,
    program::{Outcome, Program},
    user::User,
};

const VALUE: &str = "hunter2-hunter2";
/// So long a test waits for what does not come.
const PATIENCE: Duration = Duration::from_secs(60);

fn csms(user: &User, command: &str) -> Program {
    user.program(command)
}

/// A file of this many values.
fn dotenv(count: usize) -> String {
    (0..count).map(|number| format!("NAME-{number}={VALUE}-{number}\n")).collect()
}

fn write(user: &User, name: &str, text: &str) -> String {
    let path = user.home().join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn state(home: &Path) -> Vec<PathBuf> {
    let directory = home.join(".local/state/csms");
    fs::read_dir(directory).map_or_else(|_| Vec::new(), |found| found.map(|entry| entry.unwrap().path()).collect())
}

/// No value in what was printed, nor in any file of the user's but the given one; the local data are sealed.
#[track_caller]
fn keeps_values(home: &Path, input: &str, outcomes: &[&Outcome]) {
    for outcome in outcomes {
        assert!(!outcome.stdout.contains("hunter2") && !outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    }
    let mut folders = vec![home.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false if entry != Path::new(input) => {
                    let bytes = fs::read(&entry).unwrap();
                    assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "{}", entry.display());
                }
                false => {}
            }
        }
    }
}

#[test]
fn a_file_is_imported_and_an_unchanged_value_is_not_written_again() {
    let user = User::new();
    let file = write(&user, "app.json", &json!({"db": {"user": "shop", "password": VALUE}, "url": VALUE}).to_string());
    let first = csms(&user, &format!("import {file} --name-prefix app-")).run();
    assert_eq!(first.stdout, "app-db\tcreated\tv1\napp-url\tcreated\tv1\n", "{}", first.stderr);
    assert!(first.stderr.contains("cn-north-4 (local): 2 create"), "{}", first.stderr);
    assert_eq!(user.does("get app-db#password"), VALUE);
    assert!(state(user.home()).is_empty(), "a journal is kept only as long as it is needed");

    let changed = write(&user, "app.json", &json!({"db": {"user": "shop", "port": 1}, "url": VALUE}).to_string());
    let dry = csms(&user, &format!("import {changed} --name-prefix app- --dry-run --exit-code")).run();
    assert_eq!(dry.code, 10, "{}", dry.stderr);
    assert_eq!(dry.stdout, "app-db\tupdate\tremoved password, added port\napp-url\tunchanged\t\n");
    let json = csms(&user, &format!("import {changed} --name-prefix app- --dry-run -o json")).run();
    let change = &json.json()["changes"][0];
    assert_eq!(change["fields"], json!({"password": "removed", "port": "added"}));
    assert_eq!(change["base_version_id"], "v1");
    let second = csms(&user, &format!("import {changed} --name-prefix app-")).run();
    assert_eq!((second.code, second.stdout.as_str()), (0, "app-db\tupdated\tv2\n"), "{}", second.stderr);
    let third = csms(&user, &format!("import {changed} --name-prefix app- --dry-run --exit-code")).run();
    assert_eq!(third.code, 0);
    keeps_values(user.home(), &changed, &[&first, &dry, &json, &second, &third]);

    let create = format!("import {changed} --name-prefix app- --mode create");
    let same = csms(&user, &create).run();
    assert_eq!((same.code, same.stdout.as_str()), (0, ""), "both have their values: {}", same.stderr);
    let other = write(&user, "app.json", &json!({"db": "x"}).to_string());
    let exists = csms(&user, &create).run();
    assert_eq!(exists.code, 6, "{}", exists.stderr);
    assert!(exists.stderr.contains("hint:  without --mode create"), "{}", exists.stderr);
    keeps_values(user.home(), &other, &[&exists]);
}

#[test]
fn every_form_of_a_file_is_taken_and_stdin_as_well() {
    let user = User::new();
    for (number, (form, text)) in [
        ("dotenv", "A='x y'\nB=1.50\n"),
        ("json", r#"{"A":"x y","B":1.50}"#),
        ("yaml", "A: x y\nB: 1.50\n"),
        ("toml", "A = 'x y'\nB = 1.50\n"),
    ]
    .into_iter()
    .enumerate()
    {
        let prefix = format!("f{number}-");
        let command = format!("import - --format {form} --name-prefix {prefix}");
        let outcome = csms(&user, &command).stdin(text).run();
        assert_eq!(outcome.code, 0, "{form}: {}", outcome.stderr);
        assert_eq!(
            (user.does(&format!("get {prefix}A")), user.does(&format!("get {prefix}B"))),
            ("x y".into(), "1.50".into())
        );
        let command = format!("import - --format {form} --as-one all-{number}");
        assert_eq!(csms(&user, &command).stdin(text).run().code, 0);
        assert_eq!(user.does(&format!("get all-{number}#B")), "1.50");
    }
}

#[test]
fn all_that_cannot_be_stored_is_refused_at_once_by_name() {
    let user = User::new();
    let text = json!({"a b": VALUE, "empty": "", "null": null, "long": VALUE.repeat(5000), "fine": VALUE}).to_string();
    let file = write(&user, "bad.json", &text);
    let outcome = csms(&user, &format!("import {file}")).run();
    outcome.fails(2, "4 cannot be taken");
    for name in ["`a b`", "`empty`", "`null`", "`long`"] {
        assert!(outcome.stderr.contains(name), "{}", outcome.stderr);
    }
    keeps_values(user.home(), &file, &[&outcome]);
    let outcome = csms(&user, "import - --format json").stdin(r#"{"a":"1","a":"2"}"#).run();
    outcome.fails(2, "`a`: the name is there twice");
    let outcome = csms(&user, "import - --format json --as-one all").stdin(r#"{"a":"1","a":"2"}"#).run();
    outcome.fails(2, "`a`: the name is there twice");
    csms(&user, "import - --format json").stdin(r#"{"half":"\ud800"}"#).run().fails(2, "`half`");
    csms(&user, "import -").stdin("A=1").run().fails(2, "--format");
    csms(&user, "import - --format json").stdin(VALUE).run().fails(2, "line 1");
    csms(&user, "import missing.env").run().fails(2, "missing.env");
    csms(&user, "import - --format json --mode mirror").stdin("{}").run().fails(2, "--name-prefix");
    csms(&user, "import - --format json --exit-code").stdin("{}").run().fails(2, "missing");
}

#[test]
fn a_number_that_would_not_stay_as_it_is_is_refused_by_name() {
    let user = User::new();
    let refused = csms(&user, "import - --format yaml").stdin("db: {limits: [1, .inf]}\nfine: 1\n").run();
    refused.fails(2, "`db`: JSON cannot write the number `limits.1` in it; put that in quotes");
    let text = "db: {id: 18446744073709551615, rate: 1.50}\n";
    assert_eq!(csms(&user, "import - --format yaml").stdin(text).run().code, 0);
    assert_eq!(user.does("get db"), r#"{"id":18446744073709551615,"rate":1.50}"#);
}

#[cfg(unix)]
#[test]
fn a_terminal_gets_no_heading_over_nothing() {
    let user = User::new();
    let file = write(&user, "none.json", "{}");
    for (command, told) in [
        ("secret list".to_owned(), "there is nothing to list"),
        (format!("diff {file} {file}"), "there is no difference"),
        (format!("import {file} --dry-run"), "cn-north-4 (local): nothing is there to be done"),
        (format!("import {file}"), "cn-north-4 (local): nothing is there to be done"),
    ] {
        let (code, shown) = crate::terminal::Terminal::open(csms(&user, &command), 100).ends();
        assert_eq!((code, shown.trim()), (0, told), "{command}");
    }
}

#[test]
fn a_plan_is_made_by_one_run_and_applied_by_another() {
    let user = User::new();
    user.create("db", "old");
    let file = write(&user, "a.json", &json!({"db": {"password": VALUE}, "new": VALUE}).to_string());
    let plan = user.home().join("plan.jsonl").display().to_string();
    let planned = csms(&user, &format!("import {file} --plan {plan} --exit-code")).run();
    assert_eq!(planned.code, 10, "{}", planned.stderr);
    assert!(planned.stderr.contains(&format!("csms --local import {file} --apply {plan}")), "{}", planned.stderr);
    assert_eq!(user.does("get db"), "old");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&plan).unwrap().permissions().mode() & 0o777, 0o600);
    }
    csms(&user, &format!("import {file} --plan {plan}")).run().fails(2, "exists").fails(2, "hint:  name another file");

    let other = write(&user, "b.json", &json!({"db": {"password": "x"}, "new": "y"}).to_string());
    let changed = csms(&user, &format!("import {other} --apply {plan}")).run();
    changed.fails(2, "not what the plan was made for").fails(2, &format!("csms --local import {other} --dry-run"));
    csms(&user, &format!("import {file} --apply {plan} -r cn-east-3")).run().fails(2, "cn-north-4");
    let altered = fs::read_to_string(&plan).unwrap().replace("\"action\":\"update\"", "\"action\":\"unchanged\"");
    let altered = write(&user, "altered.jsonl", &altered);
    let refused = csms(&user, &format!("import {file} --apply {altered}")).run();
    refused.fails(2, "the plan was altered after it was made");
    assert!(refused.stderr.contains("make a new plan"), "{}", refused.stderr);
    let applied = csms(&user, &format!("import {file} --apply {plan}")).run();
    assert_eq!(applied.stdout, "db\tupdated\tv2\nnew\tcreated\tv1\n", "{}", applied.stderr);
    let again = csms(&user, &format!("import {file} --apply {plan}")).run();
    assert_eq!((again.code, &again.stdout), (0, &applied.stdout), "what is done is not done again");
    keeps_values(user.home(), &file, &[&planned, &applied, &again]);
    fs::write(&plan, "{}\n").unwrap();
    csms(&user, &format!("import {file} --apply {plan}")).run().fails(2, "line 1");
}

#[test]
fn a_mirror_of_an_empty_source_deletes_nothing_unless_that_is_said() {
    let user = User::new();
    for name in ["em-1", "em-2", "other"] {
        user.create(name, VALUE);
    }
    let mirror = "import - --format dotenv --mode mirror --name-prefix em- --yes";
    let refused = csms(&user, mirror).stdin("").run();
    refused.fails(2, "the input has no secret: the mirror would delete all 2").fails(2, "--allow-empty-source");
    csms(&user, &format!("{mirror} --dry-run")).stdin("").run().fails(2, "would delete all 2");
    let sync = "sync --from region=cn-east-3 --to region=cn-north-4 --mode mirror --yes --prefix em-";
    csms(&user, sync).run().fails(2, "would delete all 2");
    // Such a plan can be sealed by everybody, and is not taken either.
    let plan = user.home().join("plan").display().to_string();
    let planned = csms(&user, &format!("{mirror} --allow-empty-source --plan {plan}")).stdin("").run();
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    csms(&user, &format!("import - --format dotenv --name-prefix em- --apply {plan} --yes"))
        .stdin("")
        .run()
        .fails(2, "would delete all 2");
    assert_eq!(user.does("get em-1"), VALUE);
    let allowed = csms(&user, &format!("{mirror} --allow-empty-source")).stdin("").run();
    assert_eq!((allowed.code, allowed.stdout.matches("\tdeleted\t").count()), (0, 2), "{}", allowed.stderr);
    assert_eq!(user.does("get other"), VALUE);

    let one = "import - --format dotenv --as-one other";
    csms(&user, one).stdin("").run().fails(2, "`other`: there is nothing in it");
    assert_eq!(csms(&user, &format!("{one} --allow-empty")).stdin("").run().code, 0);
    assert_eq!(user.does("get other"), "{}");
}

#[test]
fn a_dry_run_of_a_plan_sees_whether_it_may_be_applied_and_leaves_it_as_it_is() {
    let user = User::new();
    user.create("db", "old");
    let file = write(&user, "a.env", &format!("db={VALUE}\nnew={VALUE}\n"));
    let plan = user.home().join("plan.jsonl");
    assert_eq!(csms(&user, &format!("import {file} --plan {}", plan.display())).run().code, 0);
    let text = fs::read_to_string(&plan).unwrap();
    let torn = format!("{text}{{\"name\":\"ne");
    fs::write(&plan, &torn).unwrap();
    let apply = format!("import {file} --dry-run --exit-code --apply {}", plan.display());
    // Another run is at it.
    let held = fs::File::open(&plan).unwrap();
    held.lock().unwrap();
    let dry = csms(&user, &apply).run();
    assert_eq!((dry.code, dry.stdout.as_str()), (10, "db\tupdate\t\nnew\tcreate\t\n"), "{}", dry.stderr);
    drop(held);
    assert_eq!(fs::read_to_string(&plan).unwrap(), torn);

    csms(&user, &format!("{apply} -r cn-east-3")).run().fails(2, "cn-north-4");
    let other = write(&user, "b.env", "db=x\nnew=y\n");
    let others = format!("import {other} --apply {} --yes", plan.display());
    for command in [format!("{others} --dry-run"), others] {
        let refused = csms(&user, &command).run();
        refused.fails(2, "not what the plan was made for");
        assert!(!refused.stderr.contains("cn-north-4 (local):"), "it is not shown first: {}", refused.stderr);
    }
    fs::write(&plan, text.replace("\"action\":\"update\"", "\"action\":\"unchanged\"")).unwrap();
    csms(&user, &apply).run().fails(2, "was altered after it was made");
    assert_eq!(user.does("get db"), "old");
}

#[cfg(unix)]
#[test]
fn hints_name_the_command_that_ran_with_all_that_was_said() {
    let user = User::new();
    let (said, plan) = ("import - --format dotenv --name-prefix a- -r cn-east-3", user.home().join("p"));
    let (csms_said, plan) = (format!("csms --local {said}"), plan.display());
    let planned = csms(&user, &format!("{said} --mode create --dry-run --plan {plan} --exit-code")).stdin("b=1").run();
    assert_eq!(planned.code, 10, "{}", planned.stderr);
    assert!(planned.stderr.contains(&format!("do it with: {csms_said} --apply {plan}\n")), "{}", planned.stderr);
    let changed = csms(&user, &format!("{said} --apply {plan}")).stdin("b=2").run();
    changed.fails(2, &format!("{csms_said} --mode create --dry-run"));

    // Where names stand behind `--`, flags stand before it; and not all that is said is UTF-8.
    user.create("db", VALUE);
    let sync = "sync --from region=cn-north-4 --to region=cn-east-3";
    let odd = std::os::unix::ffi::OsStrExt::from_bytes(b"odd\xff.jsonl");
    let program =
        csms(&user, sync).arguments(["--plan".as_ref(), user.home().join::<&std::ffi::OsStr>(odd).as_os_str()]);
    let planned = program.arguments(["--", "db"]).run();
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let told = format!("csms --local {sync} --apply '{}/odd\u{fffd}.jsonl' -- db\n", user.home().display());
    assert!(planned.stderr.contains(&told), "{}", planned.stderr);
}

#[cfg(unix)]
#[test]
fn a_journal_that_is_lost_is_not_named_again() {
    let (user, server) = (User::new(), Server::start(json!([{"operation": "csms/CreateSecret", "status": 403}])));
    let (file, plan) = (write(&user, "many.env", &dotenv(15)), user.home().join("plan"));
    let import = format!("import {file} --yes");
    assert_eq!(server.program(user.home(), &format!("{import} --plan {}", plan.display())).run().code, 0);
    // Room for the plan and little more. Shells count in blocks of 512 bytes, or of 1024.
    let blocks = fs::metadata(&plan).unwrap().len() / 512 + 1;
    let (command, _folder) = server.program(user.home(), &import).into_command();
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {import}");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(command.get_program()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("warning: no journal is kept") && !stderr.contains("--apply"), "{stderr}");
    assert!(state(user.home()).is_empty());
}

#[test]
fn what_has_changed_meanwhile_fails_and_the_rest_is_done() {
    let user = User::new();
    user.create("db", "old");
    let file = write(&user, "a.json", &json!({"db": VALUE, "new": VALUE}).to_string());
    let plan = user.home().join("plan.jsonl").display().to_string();
    assert_eq!(csms(&user, &format!("import {file} --plan {plan}")).run().code, 0);
    assert_eq!(csms(&user, "secret put db -").stdin("somebody else's").run().code, 0);
    let outcome = csms(&user, &format!("import {file} --apply {plan} -o json")).run();
    assert_eq!(outcome.code, 12, "{}", outcome.stderr);
    let report: Json = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        (&report["results"][0]["status"], &report["results"][1]["status"]),
        (&json!("failed"), &json!("created"))
    );
    assert!(
        outcome.stderr.contains(&format!("run it again: csms --local import {file} -o json\n")),
        "{}",
        outcome.stderr
    );
    assert_eq!(user.does("get db"), "somebody else's");

    // Where all fails, it is the first failure that counts.
    let conflict = csms(&user, &format!("import {file} --mode create")).run();
    assert_eq!(conflict.code, 6, "{}", conflict.stderr);
    keeps_values(user.home(), &file, &[&outcome, &conflict]);
}

#[test]
fn deletions_and_many_changes_are_confirmed() {
    let user = User::new();
    user.create("app-old", "old");
    user.create("other", "old");
    let few = write(&user, "few.env", &dotenv(1));
    let many = write(&user, "many.env", &dotenv(21));
    let mirror = format!("import {few} --mode mirror --name-prefix app-");
    let refused = csms(&user, &mirror).run();
    refused.fails(14, "not confirmed");
    assert!(refused.stderr.contains("delete    app-old"), "{}", refused.stderr);
    csms(&user, &format!("import {many}")).run().fails(14, "not confirmed");
    assert_eq!(user.does("get app-old"), "old");
    let done = csms(&user, &format!("{mirror} --yes")).run();
    assert_eq!(done.code, 0, "{}", done.stderr);
    csms(&user, "get app-old").run().fails(6, "CSMS.");
    assert_eq!(user.does("get other"), "old", "it is out of scope");
    assert_eq!(csms(&user, &format!("import {many} --yes")).run().code, 0);
    assert_eq!(user.does("get NAME-20"), format!("{VALUE}-20"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_narrow_terminal_shows_question_and_progress() {
    let user = User::new();
    let file = write(&user, "many.env", &dotenv(25));
    let program = csms(&user, &format!("import {file}")).env("TERM", "xterm");
    let mut terminal = crate::terminal::Terminal::open(program, 40);
    terminal.waits_for("25 will be created").waits_for("[y/N]");
    terminal.types("y");
    let (code, shown) = terminal.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("25 of 25") && shown.contains("SECRET") && !shown.contains("hunter2"), "{shown}");
    let lines = shown.rsplit("SECRET").next().unwrap().lines();
    assert!(lines.map(|line| line.chars().count()).all(|width| width <= 40), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_said_takes_the_place_of_the_line_that_tells_how_far_it_is() {
    let cloud = Cloud::start(Emulator::builder());
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a.env");
    fs::write(&file, dotenv(3)).unwrap();
    let mut terminal = {
        let slow = json!({"operation": "CreateSecret", "delay_ms": 3_600_000});
        let program = cloud.program(["import", file.to_str().unwrap(), "--concurrency", "1"]);
        cloud.set_faults(&json!([{"operation": "CreateSecret", "delay_ms": 0, "times": 1}, slow]));
        crate::terminal::Terminal::open(program.env("TERM", "xterm"), 80)
    };
    terminal.waits_for("1 of 3");
    terminal.interrupts();
    let (code, shown) = terminal.ends();
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("1 of 3^C\r\x1b[2K\x1b[1;31merror:\x1b[0m interrupted"), "{shown:?}");
}

#[cfg(unix)]
#[test]
fn without_a_place_for_its_journal_it_warns_and_goes_on() {
    let user = User::new();
    let file = write(&user, "a.env", &dotenv(2));
    for home in ["/dev/null", "/proc/nowhere"] {
        let outcome = csms(&user, &format!("import {file}")).env("XDG_STATE_HOME", home).run();
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        if home == "/dev/null" {
            assert!(outcome.stderr.contains("warning: no journal is kept"), "{}", outcome.stderr);
            assert_eq!(csms(&user, "import - --format dotenv --yes").stdin("NAME-0=x").run().code, 0);
        }
    }
}

#[test]
fn places_and_files_are_compared_without_their_values() {
    let user = User::new();
    user.create("db", r#"{"user":"a","password":"hunter2"}"#);
    user.create("same", VALUE);
    assert_eq!(csms(&user, "-r cn-east-3 secret put db -").stdin(r#"{"user":"b","password":"hunter2"}"#).run().code, 0);
    let places = "diff region=cn-north-4 region=cn-east-3";
    let outcome = csms(&user, &format!("{places} --all")).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (10, "db\tchanged\tchanged user\nsame\tremoved\t\n"));
    let named = csms(&user, &format!("{places} same -o json")).run();
    assert_eq!(named.code, 10, "{}", named.stderr);
    let json: Json = serde_json::from_str(&named.stdout).unwrap();
    assert_eq!(json["differences"], json!([{"secret_name": "same", "change": "removed", "fields": {}}]));
    let told = "secret \"nothing\" is in neither region=cn-north-4 nor region=cn-east-3";
    csms(&user, &format!("{places} same nothing")).run().fails(3, told);
    csms(&user, places).run().fails(2, "--all");

    let file = write(&user, "a.json", &json!({"same": VALUE}).to_string());
    let equal = csms(&user, &format!("diff {file} region=cn-north-4")).run();
    assert_eq!((equal.code, equal.stdout.as_str()), (0, ""), "{}", equal.stderr);
    let whole = csms(&user, &format!("diff {file} region=cn-north-4 --all")).run();
    assert_eq!(whole.stdout, "db\tadded\t\n");
    let other = write(&user, "b.json", &json!({"same": "x"}).to_string());
    let files = csms(&user, &format!("diff {file} {other}")).run();
    assert_eq!((files.code, files.stdout.as_str()), (10, "same\tchanged\t\n"));
    csms(&user, "diff region= region=cn-east-3 --all").run().fails(2, "names no place");
    csms(&user, "diff region=cn-north-4,zone=x region=cn-east-3 --all").run().fails(2, "names no place");
    for outcome in [&outcome, &named, &equal, &whole, &files] {
        assert!(!outcome.stdout.contains("hunter2") && !outcome.stderr.contains("hunter2"));
    }
}

#[test]
fn secrets_are_brought_from_one_region_to_another() {
    let user = User::new();
    for name in ["app-1", "app-2", "other"] {
        user.create(name, VALUE);
    }
    let sync = "sync --from region=cn-north-4 --to region=cn-east-3";
    csms(&user, sync).run().fails(2, "missing");
    csms(&user, "sync --from region=cn-north-4 --to region=cn-north-4 --all").run().fails(2, "same place");
    csms(&user, &format!("{sync} nothing")).run().fails(3, "\"nothing\" not found in cn-north-4 (local)");
    let back = "sync --from region=cn-east-3 --to region=cn-north-4 app-1";
    csms(&user, back).run().fails(3, "\"app-1\" not found in cn-east-3 (local)");
    csms(&user, "sync --from a.env --to region=cn-east-3 --all").run().fails(2, "--from names no place");
    let outcome = csms(&user, &format!("{sync} --prefix app-")).run();
    assert_eq!(outcome.stdout, "app-1\tcreated\tv1\napp-2\tcreated\tv1\n", "{}", outcome.stderr);
    assert!(outcome.stderr.contains("cn-east-3 (local): 2 create"), "{}", outcome.stderr);
    assert_eq!(user.does("-r cn-east-3 get app-1"), VALUE);
    let same = csms(&user, "diff region=cn-north-4 region=cn-east-3 --prefix app-").run();
    assert_eq!(same.code, 0);

    assert_eq!(csms(&user, "secret rm app-2 --yes").run().code, 0);
    let mirror = csms(&user, &format!("{sync} --prefix app- --mode mirror --yes")).run();
    assert_eq!(mirror.code, 0, "{}", mirror.stderr);
    assert!(mirror.stdout.starts_with("app-2\tdeleted\t"), "{}", mirror.stdout);
    csms(&user, "-r cn-east-3 get app-2").run().fails(6, "CSMS.");
    keeps_values(user.home(), "", &[&outcome, &same, &mirror]);
}

#[test]
fn secrets_are_brought_from_one_account_to_another_by_profile() {
    let account = |name: &str, key: &str| {
        let pair = json!({"access": key, "secret": format!("{name}SecretKey")});
        json!({"name": name, "users": [{"name": "admin", "access_keys": [pair]}]})
    };
    let (test, prod) = ("TESTACCESSKEY0000001", "PRODACCESSKEY0000001");
    let cloud =
        Cloud::start(Emulator::builder().seed(json!({"accounts": [account("test", test), account("prod", prod)]})));
    let home = tempfile::tempdir().unwrap();
    // Profiles are made as their users make them; the keys of one are no use to the other.
    let program = |line: &str| {
        let program = Program::new(line.split_whitespace()).env("HOME", home.path()).env("CSMS_REGION", "cn-north-4");
        let addresses = ["CSMS_ENDPOINT", "CSMS_IAM_ENDPOINT"];
        addresses.iter().fold(program, |program, name| program.env(name, cloud.emulator.endpoint()))
    };
    let does = |line: &str| {
        let outcome = program(line).run();
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        outcome
    };
    for (name, key) in [("test", test), ("prod", prod)] {
        let added = program(&format!("profile add {name} --access-key env://KEY --secret-key -")).env("KEY", key);
        let added = added.stdin(format!("{name}SecretKey")).run();
        assert_eq!(added.code, 0, "{}", added.stderr);
    }
    for name in ["db", "cache"] {
        let put = program(&format!("secret put {name} -p test")).stdin(format!("{VALUE}-{name}")).run();
        assert_eq!(put.code, 0, "{}", put.stderr);
    }
    program("get db -p prod").run().fails(3, "\"db\" not found");
    let dry = does("sync --from profile=test --to profile=prod --all --dry-run");
    let synced = does("sync --from profile=test --to profile=prod --all");
    assert_eq!(synced.stdout, "cache\tcreated\tv1\ndb\tcreated\tv1\n", "{}", synced.stderr);
    assert_eq!(does("get db -p prod").stdout, format!("{VALUE}-db"));
    let same = does("diff profile=test profile=prod --all");
    let here = program("sync --from profile=test --to profile=test --all").run();
    here.fails(2, "same place");
    keeps_values(home.path(), "", &[&dry, &synced, &same, &here]);
}

#[test]
fn a_dry_run_of_put_tells_by_its_exit_code_whether_something_would_change() {
    let user = User::new();
    let put = |value: &str| csms(&user, "secret put db - --dry-run --exit-code").stdin(value).run().code;
    assert_eq!(put("a"), 10);
    user.create("db", "a");
    assert_eq!((put("a"), put("b")), (0, 10));
}

#[cfg(unix)] // the editors are commands of a Unix shell
#[test]
fn so_do_those_of_patch_edit_and_rollback() {
    let user = User::new();
    user.create("db", r#"{"user":"a"}"#);
    let code = |command: &str, stdin: &str, editor: &str| {
        let path = std::env::var_os("PATH").unwrap();
        let program = csms(&user, command).env("EDITOR", editor).env("PATH", path).stdin(stdin);
        let outcome = program.run();
        assert!(outcome.stderr.lines().count() < 3, "{}", outcome.stderr);
        outcome.code
    };
    let patch = |user: &str| code("secret patch db --set user=- --dry-run --exit-code", user, "");
    assert_eq!((patch("a"), patch("b")), (0, 10));
    let edit = |editor: &str| code("secret edit db --dry-run --exit-code", "", editor);
    assert_eq!((edit("true"), edit("sed -i s/a/b/")), (0, 10));
    assert_eq!(code("secret patch db --set user=-", "b", ""), 0);
    let rollback = |to: &str| code(&format!("secret rollback db {to} --dry-run --exit-code"), "", "");
    assert_eq!((rollback("v2"), rollback("v1")), (0, 10));
    csms(&user, "secret rollback db --exit-code").run().fails(2, "--dry-run");
}

/// An emulator as a server of its own that answers slowly, killed when it is dropped.
struct Server {
    child: Child,
    variables: Vec<(String, String)>,
    _home: TempDir,
}

impl Server {
    fn start(faults: Json) -> Self {
        let seed = json!({"faults": faults}).to_string();
        let program = Program::new(["emulate", "-o", "json", "--seed", "seed.json"]).file("seed.json", seed);
        let (mut command, home) = program.into_command();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let printed: Json = serde_json::from_str(&line).unwrap();
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let variables =
            printed["variables"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value)));
        Self { variables: variables.collect(), child, _home: home }
    }

    fn program(&self, home: &Path, command: &str) -> Program {
        let program = Program::new(command.split_whitespace());
        let program = self.variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        program.env("HOME", home)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the one journal has this many lines that end something, and gives its path.
fn journal_with(home: &Path, ended: usize) -> PathBuf {
    let started = Instant::now();
    loop {
        if let [path] = state(home).as_slice() {
            let text = fs::read_to_string(path).unwrap_or_default();
            if text.matches(r#""outcome":"created""#).count() >= ended {
                return path.clone();
            }
        }
        assert!(started.elapsed() < PATIENCE, "no journal with {ended} ends");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_secret_that_may_not_be_read_is_named_and_nothing_is_done() {
    let server = Server::start(json!([{"operation": "BatchGetSecretValue", "status": 403}, {"status": 403}]));
    let user = User::new();
    let file = write(&user, "a.env", &dotenv(1));
    let outcome = server.program(user.home(), &format!("import {file}")).run();
    outcome.fails(5, "secret `NAME-0` cannot be read");
    assert!(state(user.home()).is_empty());
}

#[cfg(unix)]
#[test]
fn what_failed_in_part_is_gone_on_with_by_the_command_in_the_hint() {
    let server = Server::start(json!([{"operation": "CreateSecret", "status": 500, "times": 2}]));
    let user = User::new();
    let file = write(&user, "a file.env", &dotenv(5));
    let program = server.program(user.home(), "import --mode=create").arguments([&file]);
    let outcome = program.run();
    assert_eq!(outcome.code, 12, "{}", outcome.stderr);
    assert_eq!((outcome.stdout.matches("\tcreated\t").count(), outcome.stdout.matches("\tfailed\t").count()), (3, 2));
    let hint = outcome.stderr.lines().find_map(|line| line.strip_prefix("  hint:  ")).unwrap();
    let script = hint.replacen("csms ", concat!(env!("CARGO_BIN_EXE_csms"), " "), 1);
    let (mut command, _folder) = server.program(user.home(), "").into_command();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let resumed = shell.current_dir(command.stdin(Stdio::null()).get_current_dir().unwrap()).output().unwrap();
    let stdout = String::from_utf8(resumed.stdout).unwrap();
    assert!(resumed.status.success(), "{script}: {}", String::from_utf8_lossy(&resumed.stderr));
    assert_eq!(stdout.matches("\tcreated\tv1\n").count(), 5, "{stdout}");
    assert!(state(user.home()).is_empty());
    keeps_values(user.home(), &file, &[&outcome]);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_or_interrupted_is_gone_on_with_and_nothing_is_written_twice() {
    let server = Server::start(json!([{"operation": "csms/*", "delay_ms": 50}]));
    for (signal, prefix) in [("-INT", "int-"), ("-KILL", "kill-")] {
        let user = User::new();
        let file = write(&user, "many.env", &dotenv(30));
        let import = format!("import {file} --name-prefix {prefix} --concurrency 4 --yes");
        let (mut command, _folder) = server.program(user.home(), &import).into_command();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let journal = journal_with(user.home(), 5);
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let status = child.wait().unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        if signal == "-INT" {
            assert_eq!(status.code(), Some(130), "{stderr}");
            let resume = format!("hint:  csms {import} --apply {}", journal.display());
            assert!(stderr.contains(&resume), "{stderr}");
        } else {
            assert_eq!(status.code(), None);
        }
        let resumed = server.program(user.home(), &format!("{import} --apply {}", journal.display())).run();
        assert_eq!(resumed.code, 0, "{signal}: {}", resumed.stderr);
        assert_eq!(resumed.stdout.matches("\tcreated\tv1\n").count(), 30, "{}", resumed.stdout);
        assert!(!journal.exists(), "there is nothing left to go on with");
        let versions = "api csms ListSecretVersions --query length(version_metadatas)";
        for number in 0..30 {
            let command = format!("{versions} --secret-name {prefix}NAME-{number}");
            assert_eq!(server.program(user.home(), &command).run().stdout.trim(), "1", "{number}");
        }
        keeps_values(user.home(), &file, &[&resumed]);
        assert!(!stderr.contains("hunter2"));
    }
}
