//! What the tags of secrets and of keys have in common.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

/// The tags of a record: value by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// Tags as they are shown.
pub(crate) fn shown(tags: &Tags) -> Json {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// The keys that all these tags have, each with its values.
pub(crate) fn by_key<'a>(all: impl Iterator<Item = &'a Tags>) -> Json {
    let mut known = BTreeMap::<_, BTreeSet<_>>::new();
    for (key, value) in all.flatten() {
        known.entry(key).or_default().insert(value);
    }
    known.into_iter().map(|(key, values)| json!({"key": key, "values": values})).collect()
}

/// Whether there is a tag of this key and one of these values; any value will do when there are none.
pub(crate) fn has(tags: &Tags, key: &str, values: &[Json]) -> bool {
    tags.get(key).is_some_and(|value| values.is_empty() || values.iter().any(|wanted| wanted == value))
}
