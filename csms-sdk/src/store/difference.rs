//! What differs between two values, without the values.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{SecretValue, field::members, put::NewValue, value::Content};

/// What differs between two values. Holds the names of fields, which are no secrets, and no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Nothing does.
    None,
    /// Both are JSON objects, and these fields differ: those of the first value in the order of their names, then those
    /// that are new. None, if only blanks or the order of fields do.
    Fields(Vec<FieldChange>),
    /// They differ, and are not both JSON objects.
    Whole,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldChange {
    /// Name of the field.
    pub name: String,
    /// How it differs.
    pub change: Change,
}

/// How a field differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The second value has it, and the first has not.
    Added,
    /// The first value has it, and the second has not.
    Removed,
    /// Both have it, with other content.
    Changed,
}

impl SecretValue {
    /// What makes the other value differ from this one.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Difference {
        between(&self.content, &other.content)
    }

    /// What would differ if this were stored instead.
    #[must_use]
    pub fn difference_to(&self, value: &NewValue) -> Difference {
        between(&self.content, &value.0)
    }
}

pub(super) fn between(old: &Content, new: &Content) -> Difference {
    if old == new {
        return Difference::None;
    }
    let (Some(old), Some(new)) = (fields(old), fields(new)) else { return Difference::Whole };
    let gone_or_changed = old.iter().filter_map(|(name, value)| match new.get(name) {
        None => Some((name, Change::Removed)),
        Some(other) if other.get() != value.get() => Some((name, Change::Changed)),
        Some(_) => None,
    });
    let added = new.keys().filter(|name| !old.contains_key(*name)).map(|name| (name, Change::Added));
    let changes = gone_or_changed.chain(added);
    Difference::Fields(changes.map(|(name, change)| FieldChange { name: name.clone(), change }).collect())
}

/// The names of the fields that the first has and the second has not.
pub(super) fn lost(old: &Content, new: &Content) -> Vec<String> {
    let Some(old) = fields(old) else { return Vec::new() };
    let new = fields(new).unwrap_or_default();
    old.into_keys().filter(|name| !new.contains_key(name)).collect()
}

fn fields(content: &Content) -> Option<BTreeMap<String, &RawValue>> {
    match content {
        Content::Text(text) => members(text.expose_secret().as_bytes()),
        Content::Binary(bytes) => members(bytes.expose_secret()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn differs(old: &str, new: &str) -> Difference {
        between(&Content::Text(old.into()), &Content::Text(new.into()))
    }

    #[test]
    fn fields_are_named_with_what_became_of_them() {
        let change = |name: &str, change| FieldChange { name: name.to_owned(), change };
        assert_eq!(
            differs(r#"{"same":1,"pin":1.0,"old":1}"#, r#"{"new":1,"same":1,"pin":1.00}"#),
            Difference::Fields(vec![
                change("old", Change::Removed),
                change("pin", Change::Changed),
                change("new", Change::Added)
            ])
        );
        assert_eq!(differs(r#"{"a":1,"b":2}"#, r#"{"b": 2, "a": 1}"#), Difference::Fields(vec![]));
    }

    #[test]
    fn what_is_no_object_differs_as_a_whole_or_not_at_all() {
        assert_eq!(differs("a", "a"), Difference::None);
        assert_eq!(differs("a", "{}"), Difference::Whole);
        assert_eq!(differs("[1]", "[2]"), Difference::Whole);
        assert_eq!(
            between(&Content::Text("a".into()), &Content::Binary(b"a".to_vec().into())),
            Difference::Whole,
            "a text and the same bytes are different values"
        );
    }
}
