//! From a request to path, query, headers and body.
//!
//! One writer serves typed structs and JSON objects alike, because both are visited as [`Object`]s. Nothing
//! here does IO.

use std::io::Write as _;

use serde_json::Value as Json;

use crate::{
    check::{self, Path, Unknown},
    error::{Error, ErrorKind},
    model::{Field, Fields, Format, Kind, List, Mismatch, Object, View},
    operation::OperationInfo,
    secret::{SecretBytes, SecretString},
    sign,
};

/// Room for nearly all bodies, so that few grow.
const USUAL_BODY: usize = 512;

/// A request without endpoint and authentication.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    /// Percent-encoded, from the leading slash on.
    pub(crate) path: String,
    /// Percent-encoded and sorted, without the question mark.
    pub(crate) query: String,
    /// Header parameters.
    pub(crate) headers: Vec<(&'static str, SecretString)>,
    /// JSON, for operations that have a body.
    pub(crate) body: Option<SecretBytes>,
}

/// Whether our own checks stand between a request and the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Validation {
    #[default]
    On,
    /// What is given is sent as it is: the service may know better.
    Off,
}

/// Writes a request.
pub(crate) fn encode(
    info: &'static OperationInfo,
    request: &Object<'_>,
    project_id: Option<&str>,
    validation: Validation,
) -> Result<Encoded, Error> {
    if validation == Validation::On {
        check::object(info.request, request, Path::ROOT, Unknown::Refused)?;
    }
    let mut writer = Writer::new(info);
    match request {
        Object::Json(_, members) if validation == Validation::Off => writer.put_unchecked(members),
        request => request
            .each(&mut |field, view| writer.put(field, &view))
            .map_err(|(field, mismatch)| Error::invalid(field.name, format!("has to be {}", mismatch.0)))?,
    }
    writer.finish(project_id)
}

/// Writes what a struct carries in a body.
pub(crate) fn body(fields: &dyn Fields) -> SecretBytes {
    let mut out = SecretBytes::with_capacity(USUAL_BODY);
    write_object(&mut out, &Object::Typed(fields), |field| field.place.body);
    out
}

struct Writer {
    info: &'static OperationInfo,
    path: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
    headers: Vec<(&'static str, SecretString)>,
    body: SecretBytes,
}

impl Writer {
    fn new(info: &'static OperationInfo) -> Self {
        let mut body = SecretBytes::default();
        if info.has_body {
            body = SecretBytes::with_capacity(USUAL_BODY);
            body.extend_from_slice(b"{");
        }
        Self { info, path: Vec::new(), query: Vec::new(), headers: Vec::new(), body }
    }

    fn put(&mut self, field: &'static Field, view: &View<'_>) {
        let place = field.place;
        if place.body {
            write_member(&mut self.body, field.name, |body| write(body, &field.kind, field.format, view));
        }
        if place.path || place.query || place.header {
            let text = plain(view, field.format);
            if place.header {
                self.headers.push((field.name, text.as_str().into()));
            }
            if place.query {
                self.query.push((field.name.to_owned(), text.clone()));
            }
            if place.path {
                self.path.push((field.name, text));
            }
        }
    }

    /// Sends members as they are, those unknown in the body if there is one, else in the query.
    fn put_unchecked(&mut self, members: &serde_json::Map<String, Json>) {
        for (name, json) in members {
            match self.info.field(name) {
                Some(field) if field.place.body && !field.place.path && !field.place.query => {
                    write_member(&mut self.body, name, |body| write_json(body, json));
                }
                Some(field) => self.put(field, &View::Json(json)),
                None if self.info.has_body => {
                    write_member(&mut self.body, name, |body| write_json(body, json));
                }
                None => self.query.push((name.clone(), plain(&View::Json(json), Format::Plain))),
            }
        }
    }

    fn finish(mut self, project_id: Option<&str>) -> Result<Encoded, Error> {
        let path = self.fill_path(project_id)?;
        self.query.sort_unstable();
        let mut query = String::new();
        for (name, value) in &self.query {
            if !query.is_empty() {
                query.push('&');
            }
            sign::escape(&mut query, name);
            query.push('=');
            sign::escape(&mut query, value);
        }
        let body = self.info.has_body.then(|| {
            self.body.extend_from_slice(b"}");
            self.body
        });
        Ok(Encoded { path, query, headers: self.headers, body })
    }

    fn fill_path(&self, project_id: Option<&str>) -> Result<String, Error> {
        let mut path = String::with_capacity(self.info.path.len() + 64);
        for (index, part) in self.info.path.split(['{', '}']).enumerate() {
            // Every second part is a name between braces.
            match index % 2 {
                0 => path.push_str(part),
                _ => sign::escape(&mut path, self.path_value(part, project_id)?),
            }
        }
        Ok(path)
    }

    fn path_value<'a>(&'a self, name: &str, project_id: Option<&'a str>) -> Result<&'a str, Error> {
        if name == "project_id" {
            return project_id.ok_or_else(|| Error::new(ErrorKind::Configuration, "no project id is known"));
        }
        let value = self.path.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str());
        match value {
            None => Err(Error::invalid(name, "is required")),
            // An empty segment is another path, and dot segments are collapsed on the way to the service.
            Some("" | "." | "..") => Err(Error::invalid(name, "stands in the path and cannot be empty, `.` or `..`")),
            Some(value) => Ok(value),
        }
    }
}

impl<'a> Object<'a> {
    /// Visits every field that is set; stops at JSON that cannot stand for its field.
    pub(crate) fn each(
        &self,
        visit: &mut dyn FnMut(&'static Field, View<'a>),
    ) -> Result<(), (&'static Field, Mismatch)> {
        match *self {
            Self::Typed(fields) => fields.each(visit),
            Self::Json(shape, members) => {
                for field in shape.fields {
                    // `null` is how people write "not set" in JSON.
                    if let Some(json) = members.get(field.name).filter(|json| !json.is_null()) {
                        let view = View::of_json(&field.kind, json).map_err(|mismatch| (field, mismatch))?;
                        visit(field, view);
                    }
                }
            }
        }
        Ok(())
    }
}

impl<'a> List<'a> {
    /// Visits every item; stops at JSON that cannot stand for one.
    pub(crate) fn each(&self, visit: &mut dyn FnMut(View<'a>)) -> Result<(), (usize, Mismatch)> {
        match *self {
            Self::Typed(items) => items.each(visit),
            Self::Json(kind, items) => {
                for (index, json) in items.iter().enumerate() {
                    visit(View::of_json(kind, json).map_err(|mismatch| (index, mismatch))?);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Typed(items) => items.count(),
            Self::Json(_, items) => items.len(),
        }
    }
}

/// Writes a value as JSON. Memory takes every write, and JSON that cannot stand for its field has been refused
/// by the checks, so there is nothing to report.
pub(crate) fn write(out: &mut SecretBytes, kind: &'static Kind, format: Format, view: &View<'_>) {
    match view {
        View::Text(text) => write_text(out, text),
        View::Integer(number) => match format {
            Format::Text => write_display(out, format_args!("\"{number}\"")),
            _ => write_display(out, format_args!("{number}")),
        },
        View::Boolean(_) | View::Time(_) => match is_quoted(view, format) {
            true => write_display(out, format_args!("\"{}\"", plain(view, format))),
            false => write_display(out, format_args!("{}", plain(view, format))),
        },
        View::Json(json) => write_json(out, json),
        View::List(list) => {
            let item_kind = if let Kind::List(item) = kind { item } else { kind };
            out.extend_from_slice(b"[");
            let mut first = true;
            let _ = list.each(&mut |item| {
                if !std::mem::take(&mut first) {
                    out.extend_from_slice(b",");
                }
                write(out, item_kind, format, &item);
            });
            out.extend_from_slice(b"]");
        }
        View::Object(object) => write_object(out, object, |_| true),
        View::Members(members) => {
            members.iter().for_each(|(name, json)| write_member(out, name, |out| write_json(out, json)))
        }
    }
}

/// Writes the fields of a struct that `takes` lets through.
fn write_object(out: &mut SecretBytes, object: &Object<'_>, takes: impl Fn(&Field) -> bool) {
    out.extend_from_slice(b"{");
    let _ = object.each(&mut |field, member| match member {
        View::Members(_) => write(out, &field.kind, field.format, &member),
        _ if takes(field) => write_member(out, field.name, |out| write(out, &field.kind, field.format, &member)),
        _ => {}
    });
    out.extend_from_slice(b"}");
}

/// Writes one member of the object that was begun last.
fn write_member(out: &mut SecretBytes, name: &str, write_value: impl FnOnce(&mut SecretBytes)) {
    if !out.expose_secret().ends_with(b"{") {
        out.extend_from_slice(b",");
    }
    write_text(out, name);
    out.extend_from_slice(b":");
    write_value(out);
}

/// Writes JSON as it is.
pub(crate) fn write_json(out: &mut SecretBytes, json: &Json) {
    let _ = serde_json::to_writer(out, json);
}

fn write_text(out: &mut SecretBytes, text: &str) {
    let _ = serde_json::to_writer(out, text);
}

fn write_display(out: &mut SecretBytes, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn is_quoted(view: &View<'_>, format: Format) -> bool {
    match view {
        View::Boolean(_) => matches!(format, Format::Text | Format::Digit),
        _ => matches!(format, Format::Text | Format::SecondsText | Format::Rfc3339),
    }
}

/// The text of a value outside JSON: in a path, a query or a header.
fn plain(view: &View<'_>, format: Format) -> String {
    match view {
        View::Text(text) => text.clone().into_owned(),
        View::Integer(number) => number.to_string(),
        View::Boolean(flag) if format == Format::Digit => u8::from(*flag).to_string(),
        View::Boolean(flag) => flag.to_string(),
        View::Time(time) => match format {
            Format::Seconds | Format::SecondsText => time.as_seconds().to_string(),
            Format::Rfc3339 => time.to_string(),
            _ => time.as_millis().to_string(),
        },
        View::Json(Json::String(text)) => text.clone(),
        View::Json(json) => json.to_string(),
        View::List(_) | View::Object(_) | View::Members(_) => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::{csms, operation::Operation};

    fn typed<O: Operation>(request: &O) -> Result<Encoded, Error> {
        encode(O::INFO, &Object::Typed(request), Some("p1"), Validation::On)
    }

    fn json<O: Operation>(request: &Json, validation: Validation) -> Result<Encoded, Error> {
        let members = request.as_object().unwrap();
        encode(O::INFO, &Object::Json(O::INFO.request, members), Some("p1"), validation)
    }

    fn body(encoded: &Encoded) -> &str {
        std::str::from_utf8(encoded.body.as_ref().unwrap().expose_secret()).unwrap()
    }

    #[test]
    fn a_struct_and_the_same_json_are_the_same_request() {
        let request = csms::CreateSecret::new("demo").secret_string("v\"1").event_subscriptions(["e"]);
        let from_struct = typed(&request).unwrap();
        let from_json = json::<csms::CreateSecret>(
            &serde_json::json!({"event_subscriptions": ["e"], "secret_string": "v\"1", "name": "demo", "description": null}),
            Validation::On,
        )
        .unwrap();
        assert_eq!(from_struct.path, "/v1/p1/secrets");
        assert_eq!(body(&from_struct), r#"{"name":"demo","secret_string":"v\"1","event_subscriptions":["e"]}"#);
        assert_eq!(body(&from_struct), body(&from_json));
    }

    #[test]
    fn queries_are_sorted_and_escaped() {
        let encoded = typed(&csms::ListSecrets::new().marker("a b/ü").limit(2)).unwrap();
        assert_eq!(encoded.query, "limit=2&marker=a%20b%2F%C3%BC");
        assert!(encoded.body.is_none());
    }

    #[test]
    fn faults_are_named_and_values_are_not() {
        let cases = [
            (serde_json::json!({"secret_string": "hidden"}), "name"),
            (serde_json::json!({"name": "no spaces", "secret_string": "hidden"}), "name"),
            (serde_json::json!({"name": "demo"}), "secret_string"),
            (
                serde_json::json!({"name": "demo", "secret_string": "hidden", "secret_binary": "aGlkZGVu"}),
                "secret_string",
            ),
            (serde_json::json!({"name": "demo", "secret_string": "hidden".repeat(20_000)}), "secret_string"),
            (serde_json::json!({"name": "demo", "secret_string": ["hidden"]}), "secret_string"),
            (serde_json::json!({"name": "demo", "secret_string": "x", "secret_strin": "hidden"}), "secret_strin"),
            (
                serde_json::json!({"name": "demo", "secret_string": "x", "event_subscriptions": ["a", "b"]}),
                "event_subscriptions",
            ),
            (serde_json::json!({"name": "demo", "secret_string": "x", "rotation_period": "1h"}), "rotation_period"),
            (serde_json::json!({"name": "demo", "secret_string": "x", "auto_rotation": "perhaps"}), "auto_rotation"),
        ];
        for (input, field) in cases {
            let error = json::<csms::CreateSecret>(&input, Validation::On).unwrap_err();
            assert_eq!(error.field(), Some(field), "{error}");
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
    }

    #[test]
    fn without_validation_everything_is_sent_as_it_is() {
        let input = serde_json::json!({"name": "no spaces", "secret_string": 7, "new_member": {"a": 1}});
        let encoded = json::<csms::CreateSecret>(&input, Validation::Off).unwrap();
        assert_eq!(body(&encoded), r#"{"name":"no spaces","secret_string":7,"new_member":{"a":1}}"#);
    }

    #[test]
    fn a_segment_that_would_change_the_path_is_refused_even_unchecked() {
        for name in ["", ".", ".."] {
            let error =
                json::<csms::ShowSecret>(&serde_json::json!({"secret_name": name}), Validation::Off).unwrap_err();
            assert_eq!(error.field(), Some("secret_name"));
        }
        let odd = json::<csms::ShowSecret>(&serde_json::json!({"secret_name": "a/../b"}), Validation::Off).unwrap();
        assert_eq!(odd.path, "/v1/p1/secrets/a%2F..%2Fb");
    }
}
