//! Files of values: dotenv, JSON, YAML and TOML, whose top-level members become secrets.

mod value;
mod yaml;

use std::{collections::BTreeSet, path::Path};

use clap::{Arg, ArgAction, Command, builder::PossibleValuesParser};
use csms_sdk::{SecretString, bulk::Wanted};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use self::value::Value;
use super::refused;
use crate::{dotenv, error::Failure, input, session::Session, text::faulty_line};

/// The argument that names a file.
pub(super) fn file_arg(name: &'static str) -> Arg {
    Arg::new(name).value_name("FILE").required(true).help("File with the values; - is stdin")
}

/// Adds the flags that say how a file is read.
pub(super) fn flags(command: Command) -> Command {
    command.args([
        Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(["dotenv", "json", "yaml", "toml"]))
            .help("How the file is written; default by its name"),
        Arg::new("name-prefix").long("name-prefix").value_name("PREFIX").help("Put this in front of every name"),
        Arg::new("as-one")
            .long("as-one")
            .value_name("NAME")
            .conflicts_with("name-prefix")
            .help("Store all of it as one secret, a JSON object"),
        Arg::new("allow-empty").long("allow-empty").action(ArgAction::SetTrue).help("Take empty values"),
    ])
}

/// The secrets that a file holds. All that cannot be taken is told at once.
pub(super) fn wanted(session: &Session<'_>, file: &str) -> Result<Wanted, Failure> {
    let shown = if file == "-" { "stdin" } else { file };
    let format = session.text("format").or_else(|| format_of(file)).ok_or_else(|| {
        Failure::usage("missing_argument", format!("{shown}: it is not clear how it is written"))
            .cause("its name does not tell; nothing was sent")
            .hint("--format dotenv, json, yaml or toml")
    })?;
    let bytes = input::read("FILE", file)?;
    let faulty = |cause: String| {
        Failure::usage("invalid_input_file", format!("{shown} cannot be read as {format}"))
            .cause(format!("{cause}; nothing was sent"))
            .hint("mend it, or give another --format")
    };
    let text = str::from_utf8(bytes.expose_secret())
        .map_err(|error| faulty(format!("byte {} begins no character of UTF-8", error.valid_up_to())))?;
    let members = members(format, text).map_err(faulty)?;
    let (mut wanted, mut problems) = (Wanted::new(), Vec::new());
    let entries: Vec<_> = match session.text("as-one") {
        Some(name) => {
            let mut known = BTreeSet::new();
            let twice = members.iter().filter(|(name, _)| !known.insert(name.as_str()));
            problems.extend(twice.map(|(name, _)| format!("`{name}`: the name is there twice")));
            if members.is_empty() && !session.is_set("allow-empty") {
                problems.push(format!("`{name}`: there is nothing in it; --allow-empty takes it"));
            }
            vec![(name.to_owned(), Value::Map(members).into_text())]
        }
        None => {
            let prefix = session.text("name-prefix").unwrap_or_default();
            members.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value.into_text())).collect()
        }
    };
    for (name, text) in entries {
        let problem = match text {
            Err(number) => Some(format!("JSON cannot write the number `{number}` in it; put that in quotes")),
            Ok(None) => Some("has no value".to_owned()),
            Ok(Some(text)) if text.is_empty() && !session.is_set("allow-empty") => {
                Some("is empty; --allow-empty takes it".to_owned())
            }
            Ok(Some(text)) => wanted.insert(&name, text).err().map(|error| match error.field() {
                Some("value") => format!("its value {}", error.message()),
                _ => format!("the name {}", error.message()),
            }),
        };
        problems.extend(problem.map(|problem| format!("`{name}`: {problem}")));
    }
    match problems.is_empty() {
        true => Ok(wanted),
        false => {
            Err(refused(shown, &problems, "mend the file; --name-prefix changes names, --as-one makes one secret"))
        }
    }
}

fn format_of(file: &str) -> Option<&'static str> {
    let path = Path::new(file);
    let name = path.file_name()?.to_str()?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Some("json"),
        Some("yaml" | "yml") => Some("yaml"),
        Some("toml") => Some("toml"),
        Some("env") => Some("dotenv"),
        _ if name == ".env" || name.starts_with(".env.") => Some("dotenv"),
        _ => None,
    }
}

/// The members of a file in their order. An error tells where it is faulty, and not what stands there.
fn members(format: &str, text: &str) -> Result<Vec<(String, Value)>, String> {
    match format {
        "json" => of_json(text),
        "yaml" => yaml::members(text),
        "toml" => of_toml(text),
        _ => {
            let entries = dotenv::parse(text).map_err(|fault| format!("line {}: {}", fault.line, fault.problem))?;
            Ok(entries.into_iter().map(|(name, value)| (name, Value::Text(value))).collect())
        }
    }
}

fn of_json(text: &str) -> Result<Vec<(String, Value)>, String> {
    let members: Members<&RawValue> = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        let problem = if error.is_data() { "it is no object" } else { "it is not written as JSON" };
        format!("line {}, column {}: {problem}", error.line(), error.column())
    })?;
    let member = |(name, raw): (String, &RawValue)| {
        let value = match raw.get().as_bytes().first() {
            // All else has been checked already.
            Some(b'"') => Value::Text(
                serde_json::from_str(raw.get())
                    .map_err(|_| format!("`{name}`: its text has half of a surrogate pair, which is no character"))?,
            ),
            Some(b'n') => Value::Null,
            _ => Value::Json(compact(raw.get())),
        };
        Ok((name, value))
    };
    members.0.into_iter().map(member).collect()
}

/// JSON without the blanks between its parts, and with its numbers as they are.
fn compact(json: &str) -> SecretString {
    let (mut out, mut in_text, mut is_escaped) = (String::with_capacity(json.len()), false, false);
    for character in json.chars() {
        if !in_text && character.is_ascii_whitespace() {
            continue;
        }
        match (is_escaped, character) {
            (false, '"') => in_text = !in_text,
            (false, '\\') => is_escaped = true,
            _ => is_escaped = false,
        }
        out.push(character);
    }
    out.into()
}

fn of_toml(text: &str) -> Result<Vec<(String, Value)>, String> {
    let table = DeTable::parse(text)
        .map_err(|error| format!("line {}: it is not written as TOML", faulty_line(text, &error)))?;
    Ok(of_table(text, table.get_ref()))
}

fn of_table(text: &str, table: &DeTable<'_>) -> Vec<(String, Value)> {
    let mut members: Vec<_> = table.iter().collect();
    // They come sorted by name.
    members.sort_by_key(|(name, _)| name.span().start);
    members.into_iter().map(|(name, value)| (name.get_ref().to_string(), of_toml_value(text, value))).collect()
}

fn of_toml_value(text: &str, value: &Spanned<DeValue<'_>>) -> Value {
    let written = || SecretString::from(text.get(value.span()).unwrap_or_default().trim());
    match value.get_ref() {
        DeValue::String(text) => Value::Text(text.as_ref().into()),
        DeValue::Datetime(_) => Value::Text(written()),
        DeValue::Boolean(is_true) => Value::Scalar(written(), Some(is_true.to_string().into())),
        DeValue::Float(_) => Value::number(written(), None),
        DeValue::Integer(number) => {
            let whole = u128::from_str_radix(number.as_str(), number.radix());
            Value::number(written(), whole.ok().map(|number| number.to_string().into()))
        }
        DeValue::Array(items) => Value::List(items.iter().map(|item| of_toml_value(text, item)).collect()),
        DeValue::Table(table) => Value::Map(of_table(text, table)),
    }
}

/// The members of a mapping in their order, also where a name comes twice.
struct Members<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Members<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for All<V> {
            type Value = Members<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All(std::marker::PhantomData))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn read(format: &str, text: &str) -> Vec<(String, Option<String>)> {
        let members = members(format, text).unwrap();
        let text = |value: Value| value.into_text().unwrap().map(|text| text.expose_secret().to_owned());
        members.into_iter().map(|(name, value)| (name, text(value))).collect()
    }

    fn one(format: &str, text: &str) -> String {
        Value::Map(members(format, text).unwrap()).into_text().unwrap().unwrap().expose_secret().to_owned()
    }

    #[track_caller]
    fn holds(format: &str, text: &str, expected: &[(&str, Option<&str>)]) {
        let read = read(format, text);
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        assert_eq!(read, expected, "{format}");
    }

    #[test]
    fn members_are_texts_and_numbers_stay_as_they_are_written() {
        holds("dotenv", "B='x y'\nA=1.50", &[("B", Some("x y")), ("A", Some("1.50"))]);
        holds(
            "json",
            r#"{"t":"a\"b ä","n":1.50,"long":12345678901234567890123,"yes":true,"o":{"a b": [ 1.0, "x \" y" ]},"z":null,"t":"2"}"#,
            &[
                ("t", Some("a\"b ä")),
                ("n", Some("1.50")),
                ("long", Some("12345678901234567890123")),
                ("yes", Some("true")),
                ("o", Some(r#"{"a b":[1.0,"x \" y"]}"#)),
                ("z", None),
                ("t", Some("2")),
            ],
        );
        holds(
            "yaml",
            "t: a b\nq: '1'\nn: 1.50\nlong: 12345678901234567890123\nyes: true\no:\n  a b: [1, x]\nz:\nlines: |\n  a\n  b\n",
            &[
                ("t", Some("a b")),
                ("q", Some("1")),
                ("n", Some("1.50")),
                ("long", Some("12345678901234567890123")),
                ("yes", Some("true")),
                ("o", Some(r#"{"a b":[1,"x"]}"#)),
                ("z", None),
                ("lines", Some("a\nb\n")),
            ],
        );
        holds(
            "toml",
            "t = 'a b'\nn = 1.50\ni = 1_000\nd = 2027-01-31\nl = [1, 'x']\n[o]\na = true\n[o.deep]\nb = 2\n",
            &[
                ("t", Some("a b")),
                ("n", Some("1.50")),
                ("i", Some("1_000")),
                ("d", Some("2027-01-31")),
                ("l", Some(r#"[1,"x"]"#)),
                ("o", Some(r#"{"a":true,"deep":{"b":2}}"#)),
            ],
        );
    }

    #[test]
    fn all_of_a_file_is_one_object() {
        assert_eq!(one("dotenv", "A=1\nB='x\"'"), r#"{"A":"1","B":"x\""}"#);
        assert_eq!(one("json", r#"{ "a" : 1.50 , "b":null}"#), r#"{"a":1.50,"b":null}"#);
        assert_eq!(one("yaml", "a: 0x10\nb: [x]\n"), r#"{"a":16,"b":["x"]}"#);
        assert_eq!(one("yaml", "a: 1.50\nb: yes\n"), r#"{"a":1.50,"b":true}"#);
        assert_eq!(one("toml", "a = 1_000\n"), r#"{"a":1000}"#);
        assert_eq!(one("json", "{}"), "{}");
    }

    #[test]
    fn numbers_within_others_keep_their_digits() {
        for (format, written, json) in [
            ("yaml", "9223372036854775807", "9223372036854775807"),
            ("yaml", "18446744073709551615", "18446744073709551615"),
            ("yaml", "-9223372036854775808", "-9223372036854775808"),
            ("yaml", "0xFFFFFFFFFFFFFFFF", "18446744073709551615"),
            ("yaml", "12345678901234567890123", "12345678901234567890123"),
            ("yaml", "1.50", "1.50"),
            ("yaml", "0.10000000000000000001", "0.10000000000000000001"),
            ("yaml", "+.5e+3", "0.5e+3"),
            ("yaml", "-5.", "-5.0"),
            ("yaml", "1e999", "1e999"),
            ("yaml", "'1.50'", r#""1.50""#),
            ("yaml", "yes", "true"),
            ("toml", "9223372036854775807", "9223372036854775807"),
            ("toml", "-9_223_372_036_854_775_808", "-9223372036854775808"),
            ("toml", "+1_000", "1000"),
            ("toml", "0xFFFF_FFFF_FFFF_FFFF", "18446744073709551615"),
            ("toml", "0b101", "5"),
            ("toml", "1.50", "1.50"),
            ("toml", "+9_224.30", "9224.30"),
            ("toml", "6.626e-34", "6.626e-34"),
            ("toml", "1979-05-27T07:32:00Z", r#""1979-05-27T07:32:00Z""#),
        ] {
            let text = match format {
                "yaml" => format!("z: {{b: [{written}], a: {written}}}\n"),
                _ => format!("z = {{b = [{written}], a = {written}}}\n"),
            };
            assert_eq!(one(format, &text), format!(r#"{{"z":{{"b":[{json}],"a":{json}}}}}"#), "{text}");
            holds(format, &text, &[("z", Some(&format!(r#"{{"b":[{json}],"a":{json}}}"#)))]);
        }
    }

    #[test]
    fn a_number_that_json_does_not_have_is_told_by_name_within_others_and_stored_as_written_by_itself() {
        for (format, text, number) in [
            ("yaml", "a: .inf\n", ".inf"),
            ("yaml", "a: -.INF\n", "-.INF"),
            ("yaml", "a: .nan\n", ".nan"),
            ("toml", "a = inf\n", "inf"),
            ("toml", "a = -nan\n", "-nan"),
        ] {
            holds(format, text, &[("a", Some(number))]);
            assert_eq!(Value::Map(members(format, text).unwrap()).into_text().unwrap_err(), "a");
        }
        let long = format!("a.b = [1, {{c = 0x{}}}]\n", "F".repeat(33));
        for (format, text) in [("yaml", "a: {b: [1, {c: .inf}]}\n"), ("toml", &long)] {
            let (_, value) = members(format, text).unwrap().remove(0);
            assert_eq!(value.into_text().unwrap_err(), "b.1.c");
        }
    }

    #[test]
    fn a_part_of_yaml_that_stands_for_others_is_read_as_these() {
        let text = "a: &x {n: 1.50, l: [0x10]}\nb: *x\nc: {<<: *x, m: ~}\n";
        let x = r#""n":1.50,"l":[16]"#;
        assert_eq!(one("yaml", text), format!(r#"{{"a":{{{x}}},"b":{{{x}}},"c":{{"m":null,{x}}}}}"#));
    }

    #[test]
    fn what_cannot_be_read_is_told_by_place_only() {
        for (format, text) in [
            ("dotenv", "A=1\nhunter2"),
            ("json", "{\n\"a\": hunter2}"),
            ("json", "\n\"hunter2\""),
            ("yaml", "a: 1\nb: \"hunter2\n"),
            ("yaml", "- hunter2\n"),
            ("yaml", "hunter2: 1\nhunter2: 2\n"),
            ("toml", "a = 1\nhunter2\n"),
            ("toml", "a = 1\na = 'hunter2'\n"),
        ] {
            let fault = members(format, text).map(drop).unwrap_err();
            assert!(fault.contains("line") && !fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn half_a_character_is_refused_by_the_name_of_its_member() {
        let fault = members("json", r#"{"fine":"\ud83d\ude00","half":"hunter2\ud800"}"#).map(drop).unwrap_err();
        assert!(fault.starts_with("`half`:") && !fault.contains("hunter2"), "{fault}");
    }

    #[test]
    fn the_name_of_a_file_tells_how_it_is_written() {
        for (name, format) in [
            (".env", Some("dotenv")),
            ("a/.env.local", Some("dotenv")),
            ("x.env", Some("dotenv")),
            ("x.json", Some("json")),
            ("x.yml", Some("yaml")),
            ("x.toml", Some("toml")),
            ("env", None),
            ("-", None),
        ] {
            assert_eq!(format_of(name), format, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(format in "dotenv|json|yaml|toml", text in "[a:={}\\[\\]\", \n1.'|&*-]{0,24}|\\PC{0,16}") {
            let _ = members(&format, &text).map(|members| Value::Map(members).into_text());
        }
    }
}
