use std::collections::BTreeMap;

use serde_json::{Map, Value};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::check;

/// One recorded exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixture {
    /// Service and operation, such as `csms/CreateSecret`; STS operations start with `sts/`.
    pub operation: String,
    /// What the exchange shows: `success`, `minimal`, `success-binary`, or the name of an error such as `not-found`.
    pub case: String,
    /// Where request and answer come from, and what was repaired or made up.
    pub source: String,
    /// All fields of the request by their wire names, without the project id. Values that go into path, query or
    /// headers are texts; a field that goes to two places stands here once.
    pub input: Map<String, Value>,
    /// What a client sends for [`input`](Self::input).
    pub request: RecordedRequest,
    /// What the service answers.
    pub response: RecordedResponse,
}

/// The request of an exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedRequest {
    /// Upper-case method.
    pub method: String,
    /// Path as it is sent, escapes included.
    pub path: String,
    /// Decoded query parameters.
    pub query: BTreeMap<String, String>,
    /// The headers that are signed, or, where nothing is signed, the headers that matter; lower-case names.
    pub headers: BTreeMap<String, String>,
    /// Body, or `None` where the operation has none.
    pub body: Option<Value>,
}

/// The answer of an exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers by lower-case names.
    pub headers: BTreeMap<String, String>,
    /// Body, or `None` when there is none. Where `content-type` is not JSON, this is a string and sent as it is.
    pub body: Option<Value>,
}

impl Fixture {
    /// `csms`, `kms`, `iam` or `sts`.
    pub fn service(&self) -> &str {
        self.operation.split_once('/').map_or("", |(service, _)| service)
    }

    /// Name of the operation alone, such as `CreateSecret`.
    pub fn name(&self) -> &str {
        self.operation.split_once('/').map_or("", |(_, name)| name)
    }

    /// Whether the service answers well, that is with a status below 400.
    pub fn is_success(&self) -> bool {
        self.response.status < 400
    }

    /// Mounts [`mock`](Self::mock).
    pub async fn mount(&self, server: &MockServer) {
        self.mock().mount(server).await;
    }

    /// Answers requests with the recorded method, path, query and body, whatever their credentials and project.
    ///
    /// Bodies are compared as JSON; where none is recorded, none may come.
    pub fn mock(&self) -> Mock {
        let fixture = self.clone();
        Mock::given(move |request: &Request| fixture.check(request).is_ok()).respond_with(self.template())
    }

    /// Answers like [`mock`](Self::mock), and only to the recorded headers with a valid signature.
    ///
    /// `host` has to be signed but is not compared, since its port is that of the mock server. An exchange
    /// that is recorded unsigned must come without a signature.
    pub fn strict_mock(&self) -> Mock {
        let fixture = self.clone();
        Mock::given(move |request: &Request| fixture.check_strictly(request).is_ok()).respond_with(self.template())
    }

    /// Whether [`mock`](Self::mock) would answer a request.
    ///
    /// # Errors
    ///
    /// Says what differs first.
    pub fn check(&self, request: &Request) -> Result<(), String> {
        check::content(&self.request, request)
    }

    /// Whether [`strict_mock`](Self::strict_mock) would answer a request.
    ///
    /// # Errors
    ///
    /// Says what differs first.
    pub fn check_strictly(&self, request: &Request) -> Result<(), String> {
        check::content(&self.request, request)?;
        check::authentication(&self.request, request)
    }

    /// Reads the text of a fixture file; unknown and missing members are errors.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut fixture = Members::new("fixture", value)?;
        let mut request = Members::new("request", fixture.take("request")?)?;
        let mut response = Members::new("response", fixture.take("response")?)?;
        let parsed = Self {
            operation: text_of("operation", fixture.take("operation")?)?,
            case: text_of("case", fixture.take("case")?)?,
            source: text_of("source", fixture.take("source")?)?,
            input: map_of("input", fixture.take("input")?)?,
            request: RecordedRequest {
                method: text_of("method", request.take("method")?)?,
                path: text_of("path", request.take("path")?)?,
                query: request.take_optional("query").map_or(Ok(BTreeMap::new()), |query| texts_of("query", query))?,
                headers: texts_of("headers", request.take("headers")?)?,
                body: request.take_optional("body"),
            },
            response: RecordedResponse {
                status: response
                    .take("status")?
                    .as_u64()
                    .and_then(|status| u16::try_from(status).ok())
                    .ok_or("status is not a number")?,
                headers: texts_of("headers", response.take("headers")?)?,
                body: response.take_optional("body"),
            },
        };
        request.finish()?;
        response.finish()?;
        fixture.finish()?;
        Ok(parsed)
    }

    fn template(&self) -> ResponseTemplate {
        let mut template = ResponseTemplate::new(self.response.status);
        for (name, value) in &self.response.headers {
            template = template.insert_header(name.as_str(), value.as_str());
        }
        let Some(body) = &self.response.body else {
            return template;
        };
        let kind = self.response.headers.get("content-type").map_or("application/json", String::as_str);
        let text = match body {
            Value::String(text) if kind != "application/json" => text.clone(),
            _ => body.to_string(),
        };
        template.set_body_raw(text, kind)
    }
}

/// The members of an object, taken one by one so that leftovers show.
struct Members {
    name: &'static str,
    map: Map<String, Value>,
}

impl Members {
    fn new(name: &'static str, value: Value) -> Result<Self, String> {
        map_of(name, value).map(|map| Self { name, map })
    }

    fn take(&mut self, member: &str) -> Result<Value, String> {
        self.take_optional(member).ok_or_else(|| format!("{} lacks {member}", self.name))
    }

    fn take_optional(&mut self, member: &str) -> Option<Value> {
        self.map.shift_remove(member)
    }

    fn finish(self) -> Result<(), String> {
        match self.map.keys().next() {
            Some(member) => Err(format!("{} has an unknown member {member}", self.name)),
            None => Ok(()),
        }
    }
}

fn map_of(name: &str, value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(format!("{name} is not an object")),
    }
}

fn text_of(name: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(format!("{name} is not a text")),
    }
}

fn texts_of(name: &str, value: Value) -> Result<BTreeMap<String, String>, String> {
    map_of(name, value)?.into_iter().map(|(member, value)| text_of(&member, value).map(|text| (member, text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"operation":"csms/X","case":"success","source":"","input":{},
        "request":{"method":"GET","path":"/","headers":{}},"response":{"status":204,"headers":{}}}"#;

    #[test]
    fn unknown_and_missing_members_are_named() {
        assert!(Fixture::parse(TEXT).is_ok());
        let unknown = TEXT.replace(r#""path":"/""#, r#""path":"/","querry":{}"#);
        assert_eq!(Fixture::parse(&unknown), Err("request has an unknown member querry".into()));
        let missing = TEXT.replace(r#""case":"success","#, "");
        assert_eq!(Fixture::parse(&missing), Err("fixture lacks case".into()));
    }
}
