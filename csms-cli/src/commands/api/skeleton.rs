//! A request to fill in.

use csms_sdk::{
    OperationInfo,
    model::{Check, Field, Kind, Shape},
};
use serde_json::{Map, Value as Json};

/// Deeper than any request; ends the walk should a struct ever hold itself.
const DEEPEST: usize = 12;

/// Every field with a stand-in for its value, required ones first. Stand-ins of text are in angle brackets, so that
/// one that is forgotten shows.
pub(super) fn request(info: &OperationInfo) -> Json {
    object(info.request, 0)
}

fn object(shape: &Shape, depth: usize) -> Json {
    let mut fields: Vec<_> = shape.fields.iter().filter(|field| !matches!(field.kind, Kind::Rest)).collect();
    fields.sort_by_key(|field| !field.required);
    let members: Map<_, _> =
        fields.into_iter().map(|field| (field.name.to_owned(), value(&field.kind, field, depth))).collect();
    members.into()
}

fn value(kind: &Kind, field: &Field, depth: usize) -> Json {
    match kind {
        Kind::Secret | Kind::SecretJson => "<secret>".into(),
        Kind::Integer => field
            .checks
            .iter()
            .find_map(|check| match check {
                Check::Range(least, _) => Some(*least),
                _ => None,
            })
            .unwrap_or(0)
            .into(),
        Kind::Boolean => false.into(),
        Kind::Time => "<2030-01-31T00:00:00Z>".into(),
        Kind::Json | Kind::Rest => Json::Object(Map::new()),
        Kind::Enum(known) => format!("<{}>", known.join("|")).into(),
        Kind::List(item) => Json::Array(vec![value(item, field, depth)]),
        Kind::Object(shape) if depth < DEEPEST => object(shape, depth + 1),
        _ => "<text>".into(),
    }
}
