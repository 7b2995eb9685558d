//! A request as it was sent.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value as Json};
use url::Url;

use super::{shown, target};
use crate::{model::Shape, operation::OperationInfo, secret::SecretJson, transport::HttpRequest};

/// A request that a [`Script`](super::Script) got. `Debug` shows operation and fields, of secret ones only the names.
#[derive(Clone)]
pub struct Sent {
    operation: Option<&'static OperationInfo>,
    method: http::Method,
    url: Url,
    headers: HeaderMap,
    /// Wiped when the last copy is dropped.
    body: Bytes,
    fields: SecretJson,
}

impl Sent {
    pub(super) fn new(request: &HttpRequest) -> Self {
        let HttpRequest { method, url, headers, body, operation, .. } = request;
        let mut sent = Self {
            operation: *operation,
            method: method.clone(),
            url: url.clone(),
            headers: headers.clone(),
            body: body.clone().unwrap_or_default(),
            fields: SecretJson::default(),
        };
        sent.fields = Json::Object(sent.all_fields()).into();
        sent
    }

    /// Path, query, header and body fields together.
    fn all_fields(&self) -> Map<String, Json> {
        let mut fields = self.query();
        if let Some(info) = self.operation {
            let values = target::values(info.path, self.path()).unwrap_or_default();
            fields.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
            fields.shift_remove("project_id");
            for field in info.request.fields.iter().filter(|field| field.place.header) {
                if let Some(text) = self.header(field.name).and_then(|value| value.to_str().ok()) {
                    fields.insert(field.name.to_owned(), text.into());
                }
            }
        }
        if let Ok(Json::Object(members)) = serde_json::from_slice(&self.body) {
            fields.extend(members);
        }
        fields
    }

    pub(super) fn query(&self) -> Map<String, Json> {
        self.url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect()
    }

    pub(super) fn method(&self) -> &str {
        self.method.as_str()
    }

    pub(super) fn shape(&self) -> Option<&'static Shape> {
        self.operation.map(|info| info.request)
    }

    /// The operation; `None` for what [`Client::raw`](crate::Client::raw) and the look-up of credentials send.
    #[must_use]
    pub fn operation(&self) -> Option<&'static OperationInfo> {
        self.operation
    }

    /// The host it went to, which tells the region.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The path as it was sent, escapes included.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// A header. `Debug` of one that holds credentials does not show it.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.headers.get(name)
    }

    /// All fields by their wire names in one object, without the project: what [`Client::send_json`](crate::Client::send_json)
    /// takes. Fields of path, query and headers are texts.
    #[must_use]
    pub fn fields(&self) -> &SecretJson {
        &self.fields
    }

    /// The body as JSON; `null` when there is none, or none in JSON.
    #[must_use]
    pub fn body(&self) -> SecretJson {
        serde_json::from_slice::<Json>(&self.body).unwrap_or_default().into()
    }

    pub(super) fn has_body(&self) -> bool {
        !self.body.is_empty()
    }

    /// It had these [`fields`](Self::fields) and no others.
    ///
    /// # Panics
    /// When that is not so; the message names every field that differs. Also when `expected` is no object.
    #[track_caller]
    pub fn assert_fields(&self, expected: Json) -> &Self {
        let expected = SecretJson::from(expected);
        let Some(members) = expected.expose_secret().as_object() else { panic!("fields stand in an object") };
        self.assert_same(members, self.members())
    }

    /// It had this field with this value.
    ///
    /// # Panics
    /// When it had not; the message tells both, unless the field is secret.
    #[track_caller]
    pub fn assert_field(&self, name: &str, expected: impl Into<Json>) -> &Self {
        let expected = expected.into();
        self.assert_same(&shown::only(name, Some(&expected)), &shown::only(name, self.members().get(name)))
    }

    #[track_caller]
    fn assert_same(&self, expected: &Map<String, Json>, found: &Map<String, Json>) -> &Self {
        if let Some(difference) = shown::difference(self.shape(), expected, found) {
            panic!("{}: {difference}", self.name());
        }
        self
    }

    fn members(&self) -> &Map<String, Json> {
        self.fields.expose_secret().as_object().expect("made as an object")
    }

    fn name(&self) -> String {
        match self.operation {
            Some(info) => info.id(),
            None => format!("{} {}", self.method, self.path()),
        }
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), Json::Object(shown::members(self.shape(), self.members())))
    }
}
