//! Requests as people may see them: what is secret, and what no table knows, is left out.

use std::{collections::BTreeSet, iter};

use serde_json::{Map, Value as Json};

use crate::model::{Kind, Shape};

const REDACTED: &str = "[REDACTED]";

/// The members of a struct without their secrets. Without a struct, only their names are left.
pub(super) fn members(shape: Option<&Shape>, members: &Map<String, Json>) -> Map<String, Json> {
    members.iter().map(|(name, value)| (name.clone(), member(shape, name, value))).collect()
}

fn member(shape: Option<&Shape>, name: &str, value: &Json) -> Json {
    match shape.and_then(|shape| shape.field(name)) {
        Some(field) => of_kind(&field.kind, value),
        None => REDACTED.into(),
    }
}

fn of_kind(kind: &Kind, value: &Json) -> Json {
    match (kind, value) {
        (Kind::Secret | Kind::SecretJson | Kind::Rest, _) => REDACTED.into(),
        (Kind::Json, _) => value.clone(),
        (Kind::List(item), Json::Array(items)) => items.iter().map(|value| of_kind(item, value)).collect(),
        (Kind::Object(shape), Json::Object(values)) => Json::Object(members(Some(shape), values)),
        // What stands where it does not belong can be anything.
        (Kind::List(_) | Kind::Object(_), _) | (_, Json::Array(_) | Json::Object(_)) => REDACTED.into(),
        _ => value.clone(),
    }
}

/// In which members two structs differ; `None` when they do not.
pub(super) fn difference(
    shape: Option<&Shape>,
    expected: &Map<String, Json>,
    found: &Map<String, Json>,
) -> Option<String> {
    let names: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let problems: Vec<_> = names
        .into_iter()
        .filter(|name| expected.get(*name) != found.get(*name))
        .map(|name| {
            let told = |value: Option<&Json>| match value {
                Some(value) => member(shape, name, value).to_string(),
                None => "absent".to_owned(),
            };
            format!("`{name}` is {}, expected is {}", told(found.get(name)), told(expected.get(name)))
        })
        .collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// One member as a struct of its own.
pub(super) fn only(name: &str, value: Option<&Json>) -> Map<String, Json> {
    iter::zip([name.to_owned()], value.cloned()).collect()
}
