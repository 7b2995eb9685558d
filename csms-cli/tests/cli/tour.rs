//! The tour of the README, word for word.

use std::{env, fs, path::Path, process::Command};

/// The commands of the block, each with what it prints.
fn steps(readme: &str) -> Vec<(&str, Vec<&str>)> {
    let block = readme.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut steps: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => steps.push((command, Vec::new())),
            None => steps.last_mut().unwrap().1.push(line),
        }
    }
    steps
}

#[test]
fn the_tour_of_the_readme_prints_what_it_says() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let home = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_csms")).parent().unwrap().to_owned();
    let path = env::join_paths([program].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap()))).unwrap();
    let steps = steps(&readme);
    assert!(steps.len() > 20, "{steps:?}");
    let mut exports = String::new();
    for (command, expected) in steps {
        if command.starts_with("export ") {
            exports.push_str(&format!("{command}; "));
            continue;
        }
        let output = Command::new("sh")
            .arg("-c")
            .arg(format!("{exports}{{ {command}; }} 2>&1"))
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", &path)
            .current_dir(home.path())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed.lines().collect::<Vec<_>>(), expected, "$ {command}");
    }
}
