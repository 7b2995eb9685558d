//! What is written is read back, by the real reader where this machine has one.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Pairs = Vec<(String, String)>;

fn items(pairs: &[(String, String)]) -> Vec<Item> {
    let item = |(name, value): &(String, String)| Item {
        name: name.clone(),
        value: value.as_bytes().to_vec().into(),
        origin: "--secret db".to_owned(),
        is_file: false,
        is_named: false,
        is_secret: true,
    };
    pairs.iter().map(item).collect()
}

fn written(form: &Form, pairs: &[(String, String)]) -> Result<String, Failure> {
    let mut out = SecretBytes::default();
    form.write(&items(pairs), &mut out)?;
    Ok(String::from_utf8(out.expose_secret().to_vec()).unwrap())
}

/// Some pairs with names that every form takes.
fn pairs() -> impl Strategy<Value = Pairs> {
    let value = "[a${%}'`\"\\\\#=:! \n\r\t<\u{7f}\u{85}ü😀-]{0,10}|[^\0]{0,10}|[0-9.e+_:]{1,6}|true|null|~|yes";
    let values = proptest::collection::vec(value, 1..5);
    values.prop_map(|values| values.into_iter().enumerate().map(|(at, value)| (format!("N_{at}"), value)).collect())
}

/// The text in double quotes at the beginning, read as HCL reads it, and what follows.
fn hcl(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text.strip_prefix('"').unwrap();
    loop {
        let at = |start: &str| rest.starts_with(start);
        let (character, length) = match rest.chars().next().unwrap() {
            '"' => return (value, &rest[1..]),
            '\\' if at("\\u") => (char::from_u32(u32::from_str_radix(&rest[2..6], 16).unwrap()).unwrap(), 6),
            '\\' => ({ "\"\\\n\r\t".chars().nth("\"\\nrt".find(&rest[1..2]).unwrap()).unwrap() }, 2),
            '$' | '%' if at("$${") || at("%%{") => {
                value.push_str(&rest[1..3]);
                rest = &rest[3..];
                continue;
            }
            other => {
                assert!(!at("${") && !at("%{"), "a template: {text}");
                (other, other.len_utf8())
            }
        };
        value.push(character);
        rest = &rest[length..];
    }
}

/// Properties as `java.util.Properties` reads them, of one line each.
fn properties(text: &str) -> Pairs {
    let part = |text: &mut std::iter::Peekable<std::str::Chars<'_>>, is_key: bool| {
        let mut units = Vec::new();
        while let Some(character) = text.next_if(|it| !(is_key && "=: ".contains(*it))) {
            assert!((' '..='~').contains(&character));
            match (character, (character == '\\').then(|| text.next().unwrap())) {
                (_, Some('u')) => {
                    let digits: String = text.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap());
                }
                (_, Some(letter)) => {
                    units.push("nrt".find(letter).map_or(letter as u16, |at| [10, 13, 9][at]));
                }
                (other, None) => units.push(other as u16),
            }
        }
        String::from_utf16(&units).unwrap()
    };
    let line = |line: &str| {
        let mut characters = line.chars().peekable();
        let name = part(&mut characters, true);
        assert_eq!(characters.next(), Some('='));
        while characters.next_if_eq(&' ').is_some() {}
        (name, part(&mut characters, false))
    };
    text.lines().map(line).collect()
}

/// A file as GitHub's runner reads it.
fn github(text: &str) -> Pairs {
    let mut lines = text.split('\n');
    let mut pairs = Vec::new();
    while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
        let value: Vec<_> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        pairs.push((name.to_owned(), value.join("\n")));
    }
    pairs
}

proptest! {
    #[test]
    fn every_text_is_read_back(pairs in pairs()) {
        let map: BTreeMap<String, String> = pairs.iter().cloned().collect();
        let write = |form| written(&form, &pairs).unwrap();
        prop_assert_eq!(&serde_json::from_str::<BTreeMap<String, String>>(&write(Form::Json)).unwrap(), &map);
        prop_assert_eq!(&serde_saphyr::from_str::<BTreeMap<String, String>>(&write(Form::Yaml)).unwrap(), &map);
        let toml = write(Form::Toml);
        prop_assert_eq!(&toml::from_str::<BTreeMap<String, String>>(&toml).unwrap(), &map, "{}", toml);
        prop_assert_eq!(&properties(&write(Form::Properties)), &pairs);
        let dotenv = dotenv::parse(&write(Form::Dotenv)).unwrap();
        prop_assert!(dotenv.iter().map(|(name, value)| (name.as_str(), value.expose_secret()))
            .eq(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
        let tfvars = write(Form::Tfvars);
        let mut rest = tfvars.as_str();
        for (name, value) in &pairs {
            let (read, after) = hcl(rest.strip_prefix(&format!("{name} = ")).unwrap());
            prop_assert_eq!(&read, value);
            rest = after.strip_prefix('\n').unwrap();
        }
        prop_assert_eq!(rest, "");
        match written(&Form::GithubEnv, &pairs) {
            Ok(text) => prop_assert_eq!(&github(&text), &pairs),
            Err(_) => prop_assert!(pairs.iter().any(|(_, value)| value.contains('\r'))),
        }
        match written(&Form::Docker, &pairs) {
            Ok(text) => {
                let lines: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
                prop_assert!(text.lines().eq(lines));
            }
            Err(_) => prop_assert!(pairs.iter().any(|(_, value)| value.contains(['\n', '\r']))),
        }
        let secret: Json = serde_saphyr::from_str(&write(Form::Kubernetes("db".to_owned()))).unwrap();
        for (name, value) in &pairs {
            let base64 = SecretString::from(secret["data"][name].as_str().unwrap());
            let bytes = base64.decode_base64().unwrap();
            prop_assert_eq!(bytes.expose_secret(), value.as_bytes());
        }
    }
}

#[cfg(unix)]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))] // each starts a shell

    #[test]
    fn a_shell_reads_back_every_text(pairs in pairs()) {
        for (shell, form) in [("/bin/sh", Form::Shell), ("bash", Form::Dotenv)] {
            prop_assert_eq!(read_by(shell, &form, &pairs), pairs.clone());
        }
    }
}

/// What a shell makes of the form.
#[cfg(unix)]
fn read_by(shell: &str, form: &Form, pairs: &[(String, String)]) -> Pairs {
    let names: Vec<_> = pairs.iter().map(|(name, _)| format!("\"${name}\"")).collect();
    let script = format!("{}printf '%s\\0' {}", written(form, pairs).unwrap(), names.join(" "));
    let output = std::process::Command::new(shell).args(["-c", &script]).output().unwrap();
    let values = String::from_utf8(output.stdout).unwrap();
    let values = values.split_terminator('\0').map(str::to_owned);
    pairs.iter().map(|(name, _)| name.clone()).zip(values).collect()
}

#[cfg(unix)]
#[test]
fn no_value_is_run_or_expanded() {
    let values = [
        "it's `touch PWNED`",
        "it's $(id)",
        "$(id)",
        "`id`",
        "it's ${HOME}",
        "it's \\",
        "a\\",
        "\\n",
        "it's\n\t\"$5\"",
        "a\nb\r\n",
        "=ls",
        "x; id",
        "~",
        "!!",
        "*",
    ];
    let pairs: Pairs = values.iter().enumerate().map(|(at, value)| (format!("N_{at}"), (*value).to_owned())).collect();
    for form in [Form::Shell, Form::Dotenv] {
        assert_eq!(read_by("bash", &form, &pairs), pairs);
    }
}

#[test]
fn who_misreads_a_value_is_told_by_name() {
    for (value, readers) in [
        ("it's", None),
        ("-----BEGIN\nKEY\\n$HOME `id` \"x\"\n", None),
        ("it's\nmore", None),
        ("it's $5", Some("python-dotenv and node --env-file")),
        ("it's `x`", Some("python-dotenv and node --env-file")),
        ("a\r\nb", Some("python-dotenv and node --env-file")),
        ("${HOME}", Some("python-dotenv")),
        ("a\\\\b", Some("python-dotenv")),
        ("a\\", Some("python-dotenv")),
    ] {
        let items = items(&[("A".to_owned(), value.to_owned())]);
        let doubts = Form::Dotenv.doubts(&items);
        let expected = readers.map(|it| format!("A is misread by {it}; --format shell or json suits every value"));
        assert_eq!(doubts.first(), expected.as_ref(), "{value}");
        assert!(Form::Shell.doubts(&items).is_empty());
    }
}

#[test]
fn what_a_form_cannot_hold_is_refused_by_name_and_not_by_value() {
    for (form, name, value) in [
        (Form::Docker, "A", "hunter2\n"),
        (Form::Docker, "A", "hunter2\r"),
        (Form::Shell, "A", "hunter2\0"),
        (Form::Dotenv, "A", "hunter2\0"),
        (Form::GithubEnv, "A", "hunter2\r\n"),
        (Form::Shell, "A-B", "hunter2"),
        (Form::Shell, "1A", "hunter2"),
        (Form::Docker, "A B", "hunter2"),
        (Form::Tfvars, "-A", "hunter2"),
        (Form::Kubernetes("db".to_owned()), "A/B", "hunter2"),
    ] {
        let failure = written(&form, &[(name.to_owned(), value.to_owned())]).unwrap_err();
        assert!(failure.what().starts_with(&format!("{name} cannot")), "{}", failure.what());
        assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
    }
    let binary = Item { value: vec![0xff].into(), ..items(&[("A".to_owned(), String::new())]).remove(0) };
    let binary = [binary];
    assert!(Form::Json.write(&binary, &mut SecretBytes::default()).is_err());
    assert!(Form::Kubernetes("db".to_owned()).write(&binary, &mut SecretBytes::default()).is_ok());
}

#[test]
fn names_of_objects_are_those_of_kubernetes() {
    for name in ["db", "db-1.x"] {
        assert!(Form::of("k8s", Some(name)).is_ok(), "{name}");
    }
    for name in [None, Some(""), Some("Db"), Some("-db"), Some("db-"), Some("a..b"), Some("a b")] {
        assert!(Form::of("k8s", name).is_err(), "{name:?}");
    }
}

#[test]
fn awkward_names_are_written_as_they_are_where_that_is_possible() {
    let pairs = [("a b=c:d#\"ü".to_owned(), "v".to_owned())];
    let read = |form| written(&form, &pairs).unwrap();
    assert_eq!(properties(&read(Form::Properties)), pairs);
    assert_eq!(toml::from_str::<BTreeMap<String, String>>(&read(Form::Toml)).unwrap()[&pairs[0].0], "v");
    assert_eq!(serde_saphyr::from_str::<BTreeMap<String, String>>(&read(Form::Yaml)).unwrap()[&pairs[0].0], "v");
}
