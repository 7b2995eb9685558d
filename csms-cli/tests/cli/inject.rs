//! `csms inject`.

use crate::user::User;

const TEMPLATE: &str = "user: {{ csms://db#user }}\nurl: 'csms://db#url'\nother: {{ name }}\n";
const FILLED: &str = "user: admin\nurl: 'x\"y'\nother: {{ name }}\n";

fn user() -> User {
    let user = User::new();
    user.create("db", r#"{"user":"admin","url":"x\"y"}"#);
    user
}

#[test]
fn references_become_values_and_the_rest_stays() {
    let user = user();
    assert_eq!(user.program("inject").stdin(TEMPLATE).run().stdout, FILLED);
    assert_eq!(user.program("inject -i template").file("template", TEMPLATE).run().stdout, FILLED);
    assert_eq!(user.program("inject").stdin("no {{ reference }}").run().stdout, "no {{ reference }}");
}

#[test]
fn a_check_prints_nothing_and_fails_where_a_reference_does() {
    let user = user();
    let outcome = user.program("inject --check").stdin(TEMPLATE).run();
    assert_eq!(
        (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
        (0, "", "references that can be read: 2\n")
    );
    user.program("inject --check").stdin("csms://nothing").run().fails(3, "\"nothing\" not found");
    user.program("inject").stdin("{{ csms://db#user }} csms://nothing").run().fails(3, "\"nothing\" not found");
    user.program("inject").stdin("a\n{{ csms://db").run().fails(2, "stdin, line 2");
    user.run("inject -i missing").fails(2, "missing");
}

#[test]
fn files_are_private_and_not_replaced_unasked() {
    let user = user();
    let path = user.home().join("out");
    let command = format!("inject --to-file {}", path.display());
    let outcome = user.program(&command).stdin(TEMPLATE).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
    assert_eq!(outcome.stderr, format!("wrote {}\n", path.display()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), FILLED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    user.program(&command).stdin(TEMPLATE).run().fails(2, "--overwrite");
    assert_eq!(user.program(&command).arguments(["--overwrite"]).stdin("new").run().code, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
}
