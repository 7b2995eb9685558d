//! A terminal of forty columns.

use unicode_width::UnicodeWidthStr as _;

use crate::{program::Program, terminal::Terminal, user::User};

const COLUMNS: usize = 40;

/// What can follow these words, as their help says it.
fn verbs(path: &[String]) -> Vec<String> {
    let help = Program::new(path).arguments(["--help"]).env("COLUMNS", "100").run().stdout;
    let listed = help.lines().skip_while(|line| !matches!(*line, "Verbs:" | "Commands:")).skip(1);
    let listed =
        listed.take_while(|line| !line.is_empty()).filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    listed.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|verb| verb != "help").collect()
}

/// Every way through the words of the program.
fn paths() -> Vec<Vec<String>> {
    let mut paths = vec![Vec::new()];
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        next += 1;
        // Operations are not verbs.
        if path.first().is_none_or(|first| first != "api") {
            paths.extend(verbs(&path).into_iter().map(|verb| [path.clone(), vec![verb]].concat()));
        }
    }
    paths
}

#[test]
fn help_is_no_wider_than_the_terminal() {
    let mut paths = paths();
    assert!(paths.len() > 80, "{paths:?}");
    paths.push(["api", "csms", "CreateSecret"].map(str::to_owned).into());
    for path in paths {
        let help = Program::new(&path).arguments(["--help"]).env("COLUMNS", COLUMNS.to_string()).run().stdout;
        for line in help.lines().filter(|line| line.chars().count() > COLUMNS) {
            // A flag and what stands behind it stay together, as does a word.
            let is_flag = line.trim_start().starts_with('-') && line.ends_with(['>', ']']);
            assert!(is_flag || line.split_whitespace().count() == 1, "csms {}: {line}", path.join(" "));
        }
    }
}

#[test]
fn tables_are_no_wider_than_the_terminal() {
    let user = User::new();
    let name = "a-name-that-is-quite-long-for-a-secret";
    user.create(name, r#"{"a":"1"}"#);
    let wide = "production-database-main-cluster-";
    for number in [1, 2] {
        let put =
            user.program(&format!("secret put {wide}{number} - --description 数据库密码🔑生产环境数据库密码生产环境"));
        assert_eq!(put.stdin("x").run().code, 0);
    }
    user.says(&format!("secret tag add {name} a-key-that-is-quite-long=a-value-that-is-longer-still-than-that"));
    user.does("key create a-key-whose-name-has-more-than-forty-characters");
    user.says(
        "key alias add a-key-whose-name-has-more-than-forty-characters alias/that-has-more-than-forty-characters",
    );
    for line in [
        "secret list",
        &format!("secret versions {name}"),
        &format!("secret tag list {name}"),
        &format!("secret replica list {name}"),
        "key list",
        "key alias list",
        "secret event list",
        "api --list",
    ] {
        let (code, shown) = Terminal::open(user.program(line).arguments(["--color", "never"]), 40).ends();
        assert_eq!(code, 0, "{line}: {shown}");
        for row in shown.lines() {
            assert!(row.trim_end().width() <= COLUMNS, "{line}: {row}");
        }
    }
    // Names are shown before anything else, and what is left out leaves a sign.
    for columns in [40, 60, 80] {
        let (_, shown) = Terminal::open(user.program("secret list --color never"), columns).ends();
        assert!(shown.contains(&format!("{wide}1")) && shown.contains(&format!("{wide}2")), "{shown}");
        assert!(shown.lines().next().unwrap().contains('…'), "{shown}");
        assert!(shown.lines().all(|row| row.trim_end().width() <= columns.into()), "{shown}");
    }
}

#[test]
fn without_a_terminal_nothing_is_cut_or_coloured() {
    let user = User::new();
    let name = "a-name-that-is-quite-long-for-a-secret";
    user.create(name, "value");
    for columns in ["10", "40"] {
        let listed = user.program("secret list").env("COLUMNS", columns).env("TERM", "xterm").run().stdout;
        assert!(listed.starts_with(&format!("{name}\t")) && !listed.contains(['\x1b', '…']), "{listed}");
    }
}
