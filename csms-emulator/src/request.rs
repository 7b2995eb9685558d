//! A request as one flat JSON object, wherever its parameters were carried.

use csms_sdk::{
    OperationInfo,
    model::{Field, Kind},
};
use serde_json::{Map, Value as Json};

use crate::{route::decode, server::Incoming};

/// Why a body cannot be read. Never what stood in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It is not JSON.
    Syntax { line: usize, column: usize },
    /// It is JSON, but no object.
    NoObject,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { line, column } => write!(f, "the body is not JSON: line {line}, column {column}"),
            Self::NoObject => f.write_str("the body is not a JSON object"),
        }
    }
}

/// Reads a body. One that is absent counts as `{}`: some clients leave it out when nothing is to be said.
///
/// # Errors
/// When it is anything but a JSON object.
pub(crate) fn body(incoming: &Incoming) -> Result<Map<String, Json>, Malformed> {
    if incoming.body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&incoming.body) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(Malformed::NoObject),
        Err(error) => Err(Malformed::Syntax { line: error.line(), column: error.column() }),
    }
}

/// The parameters of `info` from all places under their wire names: those of the path, the query and the headers as
/// texts, those of the body as they came, unknown members included. Where two places disagree the path wins, then the
/// query, then the headers. Unknown parameters of the query are left out.
///
/// # Errors
/// When the operation has a body and this is none.
pub(crate) fn flatten(
    info: &OperationInfo,
    path: &[(&'static str, String)],
    incoming: &Incoming,
) -> Result<Map<String, Json>, Malformed> {
    let mut flat = if info.has_body { body(incoming)? } else { Map::new() };
    // A member cannot pose as a parameter of another place.
    flat.retain(|name, _| info.field(name).is_none_or(|field| field.place.body));
    for field in info.request.fields {
        if field.place.header
            && let Some(text) = incoming.header(field.name)
        {
            flat.insert(field.name.to_owned(), text.into());
        }
        if field.place.query
            && let Some(value) = in_query(field, &incoming.query)
        {
            flat.insert(field.name.to_owned(), value);
        }
    }
    for (name, value) in path {
        flat.insert((*name).to_owned(), value.as_str().into());
    }
    Ok(flat)
}

/// A parameter of the query: the last of its name, or all of them for a list. What is no text is left out.
fn in_query(field: &Field, query: &str) -> Option<Json> {
    let mut values = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name)? == field.name).then_some(decode(value)?.into_owned())
    });
    match field.kind {
        Kind::List(_) => {
            let values: Vec<_> = values.map(Json::from).collect();
            (!values.is_empty()).then_some(values.into())
        }
        _ => values.next_back().map(Json::from),
    }
}

#[cfg(test)]
mod tests {
    use csms_sdk::{Service, operation};
    use serde_json::json;

    use super::*;
    use crate::server::tests::incoming;

    fn flat(service: Service, name: &str, query: &str, body: &str) -> Result<Json, Malformed> {
        let info = operation(service, name).unwrap_or_else(|| panic!("{name}"));
        let headers = [("X-Subject-Token", "t"), ("x-language", "en-us")];
        let mut incoming = incoming(info.method.as_str(), "/", &headers, body.as_bytes());
        incoming.query = query.to_owned();
        flatten(info, &[("project_id", "p".to_owned())], &incoming).map(Json::Object)
    }

    #[test]
    fn parameters_come_together() {
        assert_eq!(
            flat(Service::Csms, "CreateSecret", "name=q&x=1", r#"{"name":"b","project_id":"z","new":[1]}"#),
            Ok(json!({"name": "b", "new": [1], "project_id": "p"}))
        );
        assert_eq!(
            flat(Service::Csms, "ListSecrets", "limit=1&%6Cimit=%32&marker=&other=1&a+b", "not read"),
            Ok(json!({"limit": "2", "marker": "", "project_id": "p"}))
        );
        assert_eq!(
            flat(Service::Iam, "KeystoneValidateToken", "nocatalog", ""),
            Ok(json!({"X-Subject-Token": "t", "nocatalog": "", "project_id": "p"}))
        );
    }

    #[test]
    fn a_body_is_an_object_or_absent() {
        assert_eq!(flat(Service::Csms, "CreateSecret", "", ""), Ok(json!({"project_id": "p"})));
        let error = flat(Service::Csms, "CreateSecret", "", "{\n\"secret\" 1}");
        assert_eq!(error, Err(Malformed::Syntax { line: 2, column: 10 }));
        assert_eq!(flat(Service::Csms, "CreateSecret", "", "[]"), Err(Malformed::NoObject));
        assert_eq!(Malformed::NoObject.to_string(), "the body is not a JSON object");
    }
}
