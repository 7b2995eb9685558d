//! A field of a JSON text, cut out of it as it stands there.
//!
//! No tree is built: it would be made of copies, and would change numbers that it cannot hold. One level after the other is
//! taken apart into slices of the text.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::value::RawValue;

use crate::{
    error::{Error, ErrorKind},
    secret::SecretString,
};

/// Why there is no such field. Names of fields are no secrets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    NotJson,
    NoObject,
    /// Those that there are.
    Among(Vec<String>),
}

impl Missing {
    /// The error that says so of a version of a secret.
    pub(super) fn error(self, secret: &str, version: &str, field: &str) -> Error {
        let why = match self {
            Self::NotJson => "is not JSON".to_owned(),
            Self::NoObject => "is no JSON object".to_owned(),
            Self::Among(names) if names.is_empty() => "has none".to_owned(),
            Self::Among(names) => format!("has `{}`", names.join("`, `")),
        };
        let message = format!("secret `{secret}` ({version}) has no field `{field}`: its value {why}");
        Error::new(ErrorKind::NotFound, message).with_help("name a field that it has, or none for all of the value")
    }
}

/// The field: the content of a text, anything else as JSON. Of members of one name the last counts.
pub(super) fn find(json: &[u8], field: &str) -> Result<SecretString, Missing> {
    let json: &RawValue = serde_json::from_slice(json).map_err(|_| Missing::NotJson)?;
    match walk(json, &steps(json, field)) {
        Some(found) => Ok(content(found)),
        None => Err(match members(json.get().as_bytes()) {
            Some(members) => Missing::Among(members.into_keys().collect()),
            None => Missing::NoObject,
        }),
    }
}

/// The names of the members, one inside of the other, that lead to where [`find`] reads a field, or will once it is there.
/// Fails with a pointer to what is no object on the way.
pub(super) fn place(json: &str, field: &str) -> Result<Vec<String>, String> {
    let Ok(json) = serde_json::from_str::<&RawValue>(json) else { return Err(String::new()) };
    let steps = steps(json, field);
    let mut at = Some(json);
    for (depth, step) in steps.iter().enumerate() {
        let Some(json) = at else { break };
        let members = members(json.get().as_bytes()).ok_or_else(|| pointer(&steps[..depth]))?;
        at = members.get(step.as_ref()).copied();
    }
    Ok(steps.into_iter().map(Cow::into_owned).collect())
}

/// The steps that a field takes: one to a member, or those of a pointer, or of a path.
fn steps<'a>(json: &RawValue, field: &'a str) -> Vec<Cow<'a, str>> {
    if let Some(pointer) = field.strip_prefix('/') {
        // In this order: `~01` is `~1`.
        return pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~").into()).collect();
    }
    let path: Vec<Cow<'_, str>> = field.split('.').map(Cow::from).collect();
    match step_into(json, field).is_none() && walk(json, &path).is_some() {
        true => path,
        false => vec![field.into()],
    }
}

fn walk<'a>(json: &'a RawValue, steps: &[Cow<'_, str>]) -> Option<&'a RawValue> {
    steps.iter().try_fold(json, |json, step| step_into(json, step))
}

/// Steps as a pointer.
fn pointer(steps: &[Cow<'_, str>]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// All members of an object, each as [`find`] gives it, by name; `None` when the text is no JSON object.
pub(super) fn all(json: &[u8]) -> Option<Vec<(String, SecretString)>> {
    let members = members(json)?;
    Some(members.into_iter().map(|(name, json)| (name, content(json))).collect())
}

/// The content of a text, anything else as JSON.
fn content(json: &RawValue) -> SecretString {
    serde_json::from_str(json.get()).unwrap_or_else(|_| json.get().into())
}

/// The member of this name, or the item of this index.
fn step_into<'a>(json: &'a RawValue, step: &str) -> Option<&'a RawValue> {
    match members(json.get().as_bytes()) {
        Some(members) => members.get(step).copied(),
        None => serde_json::from_str::<Vec<&RawValue>>(json.get()).ok()?.get(index(step)?).copied(),
    }
}

/// The members of an object; `None` for anything else.
pub(super) fn members(json: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_slice(json).ok()
}

/// An index as RFC 6901 writes it: digits without a zero in front.
fn index(step: &str) -> Option<usize> {
    let leading = step.len() > 1 && step.starts_with('0');
    step.parse().ok().filter(|_| !leading && step.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;

    #[track_caller]
    fn found(json: &str, field: &str) -> Option<String> {
        find(json.as_bytes(), field).ok().map(|found| found.expose_secret().to_owned())
    }

    #[test]
    fn fields_are_members_pointers_and_paths() {
        let json = r#"{"a.b":"literal","a":{"b":"path","c":[1,{"d":null}]},"":"empty","a/b":"slash","m~n":"tilde"}"#;
        for (field, expected) in [
            ("a.b", Some("literal")),
            ("/a/b", Some("path")),
            ("/a~1b", Some("slash")),
            ("/m~0n", Some("tilde")),
            ("/m~01n", None),
            ("a.c.0", Some("1")),
            ("/a/c/1", Some(r#"{"d":null}"#)),
            ("a.c.1.d", Some("null")),
            ("/", Some("empty")),
            ("/a/c/01", None),
            ("/a/c/+1", None),
            ("/a/c/-", None),
            ("/a/c/2", None),
            ("a.b.c", None),
            ("b", None),
        ] {
            assert_eq!(found(json, field).as_deref(), expected, "{field}");
        }
    }

    #[test]
    fn what_is_no_text_comes_out_as_it_stands() {
        let json = r#"{"long":12345678901234567890123,"price":1.50,"power":1E+2,"list":[ 1.0, "a" ],"no":false}"#;
        for (field, expected) in [
            ("long", "12345678901234567890123"),
            ("price", "1.50"),
            ("power", "1E+2"),
            ("list", r#"[ 1.0, "a" ]"#),
            ("list.0", "1.0"),
            ("no", "false"),
        ] {
            assert_eq!(found(json, field).as_deref(), Some(expected), "{field}");
        }
    }

    #[test]
    fn texts_lose_their_quotes_and_escapes() {
        assert_eq!(found(r#"{"p\u0061ss":"a\"b\n\u00e4"}"#, "pass").as_deref(), Some("a\"b\nä"));
    }

    #[test]
    fn of_members_of_one_name_the_last_counts() {
        assert_eq!(found(r#"{"a":"first","a":"last"}"#, "a").as_deref(), Some("last"));
    }

    #[test]
    fn all_fields_come_as_each_of_them() {
        let json = r#"{"b":"x\u0061","a":[1.0],"b":"last"}"#;
        let all = all(json.as_bytes()).unwrap();
        let all: Vec<_> = all.iter().map(|(name, text)| (name.as_str(), text.expose_secret())).collect();
        assert_eq!(all, [("a", "[1.0]"), ("b", "last")]);
        for json in ["[1]", "1", "hunter2", ""] {
            assert!(super::all(json.as_bytes()).is_none(), "{json}");
        }
    }

    #[test]
    fn a_missing_field_is_told_with_those_there_are() {
        let missing = |json: &[u8]| find(json, "x").unwrap_err();
        assert_eq!(missing(b"hunter2"), Missing::NotJson);
        assert_eq!(missing(br#"{"a":1} hunter2"#), Missing::NotJson);
        assert_eq!(missing(b"\xff"), Missing::NotJson);
        assert_eq!(missing(b"[1]"), Missing::NoObject);
        assert_eq!(missing(br#"{"b":1,"a":2}"#), Missing::Among(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn a_place_is_where_the_field_is_read() {
        let json = r#"{"a":{"b":"x","c":[1]},"a.c":1,"t":"x","n":null}"#;
        let place = |field: &str| place(json, field).map(|steps| steps.join("|"));
        for (field, expected) in [
            ("a", Ok("a")),
            ("new", Ok("new")),
            ("/a/b", Ok("a|b")),
            ("/new/m~01n/x~1y", Ok("new|m~1n|x/y")),
            ("a.b", Ok("a|b")),
            ("a.c", Ok("a.c")),
            ("a.new", Ok("a.new")),
            ("/a/c", Ok("a|c")),
            ("/a/c/0", Err("/a/c")),
            ("/t/x", Err("/t")),
            ("/n/x", Err("/n")),
            ("/t/x/y", Err("/t")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(place(field), expected, "{field}");
        }
    }

    proptest! {
        #[test]
        fn pointers_find_what_a_tree_finds(
            json in r#"(\{("[ab]":(1|"x"|\[1,\{"a":2\}\]|\{"b":null\}),){0,2}"[ab]":\{"a":[0-9]\}\})|\PC{0,12}"#,
            field in "/[ab01~/]{0,5}",
        ) {
            let tree = serde_json::from_str::<Json>(&json).ok();
            let expected = tree.as_ref().and_then(|tree| tree.pointer(&field)).map(|found| match found {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            });
            prop_assert_eq!(found(&json, &field), expected);
        }
    }
}
