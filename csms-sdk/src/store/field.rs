//! A field of a JSON text, cut out of it as it stands there.
//!
//! No tree is built: it would be made of copies, and would change numbers that it cannot hold. One level after the other is
//! taken apart into slices of the text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::secret::SecretString;

/// Why there is no such field. Names of fields are no secrets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    NotJson,
    NoObject,
    /// Those that there are.
    Among(Vec<String>),
}

/// The field: the content of a text, anything else as JSON. Of members of one name the last counts.
pub(super) fn find(json: &[u8], field: &str) -> Result<SecretString, Missing> {
    let json: &RawValue = serde_json::from_slice(json).map_err(|_| Missing::NotJson)?;
    let found = match field.strip_prefix('/') {
        Some(pointer) => pointer.split('/').try_fold(json, |json, step| {
            // In this order: `~01` is `~1`.
            step_into(json, &step.replace("~1", "/").replace("~0", "~"))
        }),
        None => step_into(json, field).or_else(|| field.split('.').try_fold(json, step_into)),
    };
    match found {
        Some(found) => Ok(content(found)),
        None => Err(match members(json.get().as_bytes()) {
            Some(members) => Missing::Among(members.into_keys().collect()),
            None => Missing::NoObject,
        }),
    }
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
