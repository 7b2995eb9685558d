//! Requests and answers without their secrets.

use csms_sdk::model::Kind;
use serde_json::{Map, Value as Json};

/// Stands for a secret value: of fixed width, so that it tells nothing about it.
pub(crate) const HIDDEN: &str = "****";

/// The same without its secrets. What is not known may be one.
pub(crate) fn mask(kind: &Kind, json: &Json) -> Json {
    match (kind, json) {
        (_, Json::Null) => Json::Null,
        (Kind::List(item), Json::Array(items)) => items.iter().map(|json| mask(item, json)).collect(),
        (Kind::Object(shape), Json::Object(members)) => {
            let masked = members.iter().map(|(name, json)| match shape.field(name) {
                Some(field) => (name.clone(), mask(&field.kind, json)),
                None => (name.clone(), HIDDEN.into()),
            });
            masked.collect::<Map<_, _>>().into()
        }
        _ if kind.is_sensitive() => HIDDEN.into(),
        _ => json.clone(),
    }
}
