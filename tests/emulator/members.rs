//! The shape of answers: which members their parts have, and of which kinds.

use std::collections::{BTreeMap, BTreeSet};

use csms_sdk::{
    OperationInfo,
    model::{Kind as Documented, Shape},
};
use serde_json::Value as Json;

/// What JSON knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Boolean,
    Number,
    Text,
    List,
    Object,
}

/// The members that were seen, such as `Secret.name`, with the kinds of what stood there. A part has the same members
/// wherever it is answered, so it is looked at by its name.
#[derive(Debug, Default)]
pub(crate) struct Members {
    pub(crate) documented: BTreeMap<String, BTreeSet<Kind>>,
    /// Those that no part of this name has.
    pub(crate) unknown: BTreeSet<String>,
}

impl Members {
    /// Takes in one more answer of an operation.
    pub(crate) fn add(&mut self, info: &OperationInfo, answer: &Json) {
        if let Some(shape) = info.response {
            // Two services have parts of the same name.
            self.part(info.service.as_str(), shape, answer);
        }
    }

    fn part(&mut self, service: &str, shape: &Shape, json: &Json) {
        match json {
            // One object and a list of one are both read.
            Json::Array(items) => items.iter().for_each(|item| self.part(service, shape, item)),
            Json::Object(members) => {
                for (name, value) in members {
                    let mut fields = shape.fields.iter();
                    let field = fields.find(|field| field.name == name || field.aliases.contains(&name.as_str()));
                    let path = format!("{service}/{}.{name}", shape.name);
                    match field {
                        Some(field) => self.member(service, path, field.kind, value),
                        None if shape.fields.iter().any(|field| matches!(field.kind, Documented::Rest)) => {}
                        None => drop(self.unknown.insert(path)),
                    }
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, service: &str, path: String, documented: Documented, value: &Json) {
        let kind = match value {
            Json::Null => return,
            Json::Bool(_) => Kind::Boolean,
            Json::Number(_) => Kind::Number,
            Json::String(_) => Kind::Text,
            Json::Array(_) => Kind::List,
            Json::Object(_) => Kind::Object,
        };
        self.documented.entry(path).or_default().insert(kind);
        let inner = if let Documented::List(inner) = documented { *inner } else { documented };
        if let Documented::Object(shape) = inner {
            self.part(service, shape, value);
        }
    }
}
