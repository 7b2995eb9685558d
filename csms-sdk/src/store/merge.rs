//! JSON merge patches (RFC 7386) on the text itself: what is not touched stays byte for byte, blanks and numbers
//! included.

use serde::{Deserializer, de};
use serde_json::value::RawValue;

use crate::secret::{SecretBytes, SecretString};

/// More levels than this are refused: each takes its room on the stack.
const DEEPEST: usize = 100;

/// Why there is no merged text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unmergeable {
    /// The text is no JSON object.
    Text,
    /// The patch is no JSON object.
    Patch,
    /// The patch has too many levels.
    Depth,
}

/// The object with the patch merged into it. Members keep their order, and new ones come last.
pub(super) fn merge(json: &str, patch: &str) -> Result<SecretString, Unmergeable> {
    let merged = object(json, patch, DEEPEST)?;
    // Both were texts, so that what is made of pieces of them is one.
    str::from_utf8(merged.expose_secret()).map(SecretString::from).map_err(|_| Unmergeable::Text)
}

/// A member of an object, as slices of its text.
struct Member<'a> {
    name: SecretString,
    /// From its name to its value.
    head: &'a str,
    value: &'a str,
    start: usize,
}

impl Member<'_> {
    fn end(&self) -> usize {
        self.start + self.head.len() + self.value.len()
    }
}

fn object(json: &str, patch: &str, levels: usize) -> Result<SecretBytes, Unmergeable> {
    let levels = levels.checked_sub(1).ok_or(Unmergeable::Depth)?;
    let members = members(json).ok_or(Unmergeable::Text)?;
    let patches = self::members(patch).ok_or(Unmergeable::Patch)?;
    let mut out = SecretBytes::with_capacity(json.len() + patch.len());
    let Some((first, last)) = members.first().zip(members.last()) else {
        out.extend_from_slice(b"{");
        append(&mut out, &patches, "", ",", levels)?;
        out.extend_from_slice(b"}");
        return Ok(out);
    };

    out.extend_from_slice(&json.as_bytes()[..first.start]);
    let before_any = out.expose_secret().len();
    for (index, member) in members.iter().enumerate() {
        // Of members of one name the last counts, of a patch as well.
        let patch = patches.iter().rfind(|patch| patch.name == member.name);
        let is_shadowed = members[index + 1..].iter().any(|later| later.name == member.name);
        if patch.is_some_and(|patch| patch.value == "null") {
            continue;
        }
        if index > 0 && out.expose_secret().len() > before_any {
            out.extend_from_slice(&json.as_bytes()[members[index - 1].end()..member.start]);
        }
        out.extend_from_slice(member.head.as_bytes());
        match patch.filter(|_| !is_shadowed) {
            Some(patch) => value(&mut out, Some(member.value), patch.value, levels)?,
            None => out.extend_from_slice(member.value.as_bytes()),
        }
    }
    let new: Vec<_> =
        patches.into_iter().filter(|patch| members.iter().all(|member| member.name != patch.name)).collect();
    // New members stand apart as the old ones do.
    let between = match members.as_slice() {
        [first, second, ..] => json[first.end()..second.start].to_owned(),
        _ => format!(",{}", &json[..first.start].trim_start().trim_start_matches('{')),
    };
    let separator = if out.expose_secret().len() > before_any { between.as_str() } else { "" };
    append(&mut out, &new, separator, &between, levels)?;
    out.extend_from_slice(&json.as_bytes()[last.end()..]);
    Ok(out)
}

/// Adds the members that a patch brings, the first after `separator`, the others after `between`.
fn append<'a>(
    out: &mut SecretBytes,
    patches: &[Member<'_>],
    mut separator: &'a str,
    between: &'a str,
    levels: usize,
) -> Result<(), Unmergeable> {
    for (index, patch) in patches.iter().enumerate() {
        let is_shadowed = patches[index + 1..].iter().any(|later| later.name == patch.name);
        if patch.value == "null" || is_shadowed {
            continue;
        }
        out.extend_from_slice(separator.as_bytes());
        out.extend_from_slice(patch.head.as_bytes());
        value(out, None, patch.value, levels)?;
        separator = between;
    }
    Ok(())
}

/// Adds the value that a patch makes of another one, or of none.
fn value(out: &mut SecretBytes, old: Option<&str>, patch: &str, levels: usize) -> Result<(), Unmergeable> {
    if !patch.starts_with('{') {
        out.extend_from_slice(patch.as_bytes());
        return Ok(());
    }
    let old = old.filter(|old| old.starts_with('{')).unwrap_or("{}");
    out.extend_from_slice(object(old, patch, levels)?.expose_secret());
    Ok(())
}

/// The members of an object in their order; `None` for anything else.
fn members(json: &str) -> Option<Vec<Member<'_>>> {
    /// Takes names and values as they stand.
    struct Slices;
    impl<'de> de::Visitor<'de> for Slices {
        type Value = Vec<(&'de RawValue, &'de RawValue)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let slices = reader.deserialize_map(Slices).ok()?;
    reader.end().ok()?;
    let offset = |slice: &str| slice.as_ptr() as usize - json.as_ptr() as usize;
    let member = |(name, value): (&RawValue, &'_ RawValue)| {
        let start = offset(name.get());
        let value_start = offset(value.get());
        Some(Member {
            name: serde_json::from_str(name.get()).ok()?,
            head: &json[start..value_start],
            value: &json[value_start..value_start + value.get().len()],
            start,
        })
    };
    slices.into_iter().map(member).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value as Json};

    use super::*;

    #[track_caller]
    fn merged(json: &str, patch: &str) -> String {
        merge(json, patch).unwrap().expose_secret().to_owned()
    }

    /// The RFC's own words, on trees.
    fn by_the_rfc(target: Json, patch: Json) -> Json {
        let Json::Object(patch) = patch else { return patch };
        let mut target = match target {
            Json::Object(target) => target,
            _ => Map::new(),
        };
        for (name, value) in patch {
            if value.is_null() {
                target.shift_remove(&name);
            } else {
                let old = target.shift_remove(&name).unwrap_or(Json::Null);
                target.insert(name, by_the_rfc(old, value));
            }
        }
        target.into()
    }

    #[test]
    fn what_is_not_touched_stays_byte_for_byte() {
        let json = "{\n  \"pin\": 1.50,\n  \"long\" :12345678901234567890123,\n  \"p\\u0061ss\": \"a\\/b\"\n}\n";
        let expected = json.replace("1.50", "\"x\"");
        assert_eq!(merged(json, r#"{"pin":"x"}"#), expected);
        assert_eq!(merged(json, r#"{"pass":"x"}"#), json.replace(r#""a\/b""#, r#""x""#));
        assert_eq!(merged(json, "{}"), json);
    }

    #[test]
    fn members_go_and_come_without_disturbing_the_others() {
        let json = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}";
        assert_eq!(merged(json, r#"{"a":null}"#), "{\n  \"b\": 2,\n  \"c\": 3\n}");
        assert_eq!(merged(json, r#"{"b":null}"#), "{\n  \"a\": 1,\n  \"c\": 3\n}");
        assert_eq!(merged(json, r#"{"c":null}"#), "{\n  \"a\": 1,\n  \"b\": 2\n}");
        assert_eq!(merged(json, r#"{"a":null,"b":null,"c":null}"#), "{\n  \n}");
        assert_eq!(merged(json, r#"{"d":4}"#), "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3,\n  \"d\":4\n}");
        assert_eq!(merged(r#"{"a":1}"#, r#"{"a":null,"b":2,"c":null,"d":4}"#), r#"{"b":2,"d":4}"#);
        assert_eq!(merged("{ }", r#"{"b":2,"c":3}"#), r#"{"b":2,"c":3}"#);
    }

    #[test]
    fn objects_are_merged_at_every_level() {
        assert_eq!(
            merged(r#"{"db":{"user":"a","pin":1.0}}"#, r#"{"db":{"user":"b"}}"#),
            r#"{"db":{"user":"b","pin":1.0}}"#
        );
        assert_eq!(merged(r#"{"db":1}"#, r#"{"db":{"a":null,"b":2}}"#), r#"{"db":{"b":2}}"#);
    }

    #[test]
    fn of_members_of_one_name_the_last_is_changed_and_all_are_removed() {
        assert_eq!(merged(r#"{"a":1,"a":2}"#, r#"{"a":3,"a":4}"#), r#"{"a":1,"a":4}"#);
        assert_eq!(merged(r#"{"a":1,"b":0,"a":2}"#, r#"{"a":null}"#), r#"{"b":0}"#);
        assert_eq!(merged("{}", r#"{"a":1,"a":2}"#), r#"{"a":2}"#);
    }

    #[test]
    fn what_is_no_object_or_too_deep_is_refused() {
        assert_eq!(merge("hunter2", "{}"), Err(Unmergeable::Text));
        assert_eq!(merge("{} x", "{}"), Err(Unmergeable::Text));
        assert_eq!(merge("{}", "[]"), Err(Unmergeable::Patch));
        let deep = "{\"a\":".repeat(20_000) + "1" + &"}".repeat(20_000);
        assert_eq!(merge("{}", &deep), Err(Unmergeable::Depth));
    }

    fn tree() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![Just(Json::Null), (0..3_i32).prop_map(Json::from), "[x\"é]{0,2}".prop_map(Json::from)];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                prop::collection::vec(("[ab\"]", inner), 0..4)
                    .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_means_what_the_rfc_means(json in tree(), patch in tree(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
            let outcome = merge(&text, &patch.to_string());
            if json.is_object() && patch.is_object() {
                let merged: Json = serde_json::from_str(outcome.unwrap().expose_secret()).unwrap();
                prop_assert_eq!(merged, by_the_rfc(json, patch));
            } else {
                prop_assert!(outcome.is_err());
            }
        }
    }
}
