//! A recorded answer and the same answer read by its type and written back.

use csms_sdk::{
    Timestamp,
    model::{Field, Kind, Shape},
};
use serde_json::Value as Json;

/// What a comparison found.
#[derive(Default)]
pub struct Comparison {
    /// Values that are gone, changed or invented, each with its path.
    pub losses: Vec<String>,
    /// Whether a value came in another form than the declared one, and is in that form now.
    pub other_forms: bool,
}

/// Compares the bodies. `null` and members that the type does not declare may be gone, and so may empty texts
/// where no text belongs: they mean "none". Absent lists and texts may be there and empty. Times are
/// compared as times.
#[must_use]
pub fn answers(shape: &'static Shape, recorded: &Json, written: &Json) -> Comparison {
    let mut comparison = Comparison::default();
    comparison.value(&Kind::Object(shape), recorded, written, "");
    comparison
}

impl Comparison {
    fn value(&mut self, kind: &Kind, recorded: &Json, written: &Json, path: &str) {
        match (kind, recorded, written) {
            (Kind::Object(_), Json::Array(items), Json::Object(_)) if items.len() == 1 => {
                self.other_forms = true;
                self.value(kind, &items[0], written, path);
            }
            (Kind::List(_), Json::Object(_), Json::Array(items)) if items.len() == 1 => {
                self.other_forms = true;
                self.value(kind, &Json::Array(vec![recorded.clone()]), written, path);
            }
            (Kind::Object(shape), Json::Object(_), Json::Object(_)) => self.object(shape, recorded, written, path),
            (Kind::List(item), Json::Array(recorded), Json::Array(written)) if recorded.len() == written.len() => {
                for (index, (recorded, written)) in recorded.iter().zip(written).enumerate() {
                    self.value(item, recorded, written, &format!("{path}.{index}"));
                }
            }
            (Kind::Time, Json::String(recorded), Json::String(written)) if time(recorded) == time(written) => {}
            _ if recorded == written => {}
            _ if scalar(recorded).is_some() && scalar(recorded) == scalar(written) => self.other_forms = true,
            _ => self.loss(path, format!("{recorded} became {written}")),
        }
    }

    fn object(&mut self, shape: &'static Shape, recorded: &Json, written: &Json, path: &str) {
        let (Some(recorded), Some(written)) = (recorded.as_object(), written.as_object()) else { return };
        let keeps_unknown = shape.fields.iter().any(|field| matches!(field.kind, Kind::Rest));
        let mut accounted = Vec::new();
        for (member, value) in recorded.iter().filter(|(_, value)| !value.is_null()) {
            let place = format!("{path}.{member}");
            match (declared(shape, member), written.get(member)) {
                (Some(field), _) => {
                    accounted.push(field.name);
                    match written.get(field.name) {
                        Some(written) => self.value(&field.kind, value, written, &place),
                        None if value == "" && !matches!(field.kind, Kind::Text | Kind::Secret) => {}
                        None => self.loss(&place, format!("{value} is gone")),
                    }
                }
                (None, kept) if keeps_unknown => {
                    accounted.push(member);
                    if kept != Some(value) {
                        self.loss(&place, "is unknown and not kept".into());
                    }
                }
                (None, _) => {}
            }
        }
        for (member, value) in written.iter().filter(|(member, _)| !accounted.contains(&member.as_str())) {
            if !(value == "" || value.as_array().is_some_and(Vec::is_empty)) {
                self.loss(&format!("{path}.{member}"), format!("{value} is invented"));
            }
        }
    }

    fn loss(&mut self, path: &str, what: String) {
        self.losses.push(format!("{}: {what}", path.trim_start_matches('.')));
    }
}

fn declared(shape: &'static Shape, member: &str) -> Option<&'static Field> {
    let named = |field: &&Field| field.name == member || field.aliases.contains(&member);
    shape.fields.iter().filter(|field| !matches!(field.kind, Kind::Rest)).find(named)
}

fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text)
}

/// A number, flag or text as text.
fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(json.to_string()),
        _ => None,
    }
}
