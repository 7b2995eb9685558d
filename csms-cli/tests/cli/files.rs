//! Files that are written with values, and what is read from stdin.

use std::{fs, path::Path};

use crate::user::User;

/// A user with a secret, a key, and a file `plain`.
fn user() -> User {
    let user = User::new();
    user.create("db", "the-value");
    user.does("key create k");
    fs::write(user.home().join("plain"), "what nobody else may read").unwrap();
    user
}

/// Commands that write what is secret to `path`.
fn writing(user: &User, path: &Path) -> [String; 4] {
    let (path, plain) = (path.display(), user.home().join("plain"));
    [
        format!("get db --to-file {path} --overwrite"),
        format!("export db --to-file {path} --overwrite"),
        format!("encrypt {} --key k --to-file {path} --overwrite", plain.display()),
        format!("secret backup db --to-file {path} --overwrite"),
    ]
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_never_replaced() {
    use std::os::unix::fs::{FileTypeExt as _, symlink};
    let user = user();
    let at = |name: &str| user.home().join(name);
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    // A device of one's own takes a privilege; this is as little a file.
    let _listening = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    fs::write(at("target"), "old").unwrap();
    symlink(at("target"), at("link")).unwrap();
    symlink("/dev/null", at("null")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    for (name, told) in [
        ("pipe", "a pipe"),
        ("socket", "a device"),
        ("link", "a symbolic link"),
        ("null", "link"),
        ("folder", "directory"),
    ] {
        for command in writing(&user, &at(name)) {
            let outcome = user.run(&command);
            outcome.fails(2, &format!("{name} is no regular file"));
            assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
        }
    }
    assert!(fs::symlink_metadata(at("pipe")).unwrap().file_type().is_fifo());
    assert!(fs::symlink_metadata(at("socket")).unwrap().file_type().is_socket());
    assert!(fs::symlink_metadata(at("null")).unwrap().is_symlink());
    assert_eq!(fs::read_link(at("link")).unwrap(), at("target"));
    assert_eq!(fs::read_to_string(at("target")).unwrap(), "old");
    // Standard output has a name of its own.
    for command in writing(&user, Path::new("/dev/stdout")) {
        user.run(&command).fails(2, "--to-file -");
    }
}

#[test]
fn a_dash_in_the_place_of_a_file_is_stdout() {
    let user = user();
    assert_eq!(user.does("get db --to-file -"), "the-value");
    assert_eq!(user.does("export db --to-file -"), "DB=the-value\n");
    let backup = user.does("secret backup db --to-file -");
    user.says("secret rm db --now --yes");
    let restored = user.program("secret restore-backup --from-file -").stdin(backup).run();
    assert_eq!((restored.code, restored.stderr.as_str()), (0, "restored db\n"));
    assert_eq!(user.does("get db"), "the-value");
    user.program("secret restore-backup --from-file -").stdin("").run().fails(2, "stdin is no backup");
}

#[test]
fn stdin_is_read_once_whoever_asks_for_it() {
    let user = user();
    for (command, told) in [
        ("key verify k - --signature - --algorithm RSASSA_PSS_SHA_256", "FILE and --signature both read stdin"),
        ("diff - - --format dotenv", "FILE is to read stdin twice"),
        ("export --env-file - --env-file -", "--env-file is to read stdin twice"),
        ("redact --env-file -", "--env-file and the text to be copied both read stdin"),
        ("secret patch db --set a=- --set b=-", "both read stdin"),
    ] {
        user.program(command).stdin("A=csms://db\n").run().fails(2, told);
    }
}
