//! An operation of the API, as data and as a trait.

use std::{future::Future, ops::Deref};

use http::HeaderMap;
use serde::de::DeserializeOwned;

use crate::{
    error::Error,
    model::{Field, Fields, Kind, Shape},
};

/// The service an operation belongs to; decides the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Service {
    /// Cloud Secret Management Service. Shares KMS's host.
    Csms,
    /// Key Management Service.
    Kms,
    /// Identity and Access Management.
    Iam,
    /// Security Token Service.
    Sts,
}

impl Service {
    /// Lower-case name, as the command line and the fixtures spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csms => "csms",
            Self::Kms => "kms",
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// HTTP method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::upper_case_acronyms)] // the names of the methods
#[allow(missing_docs)] // RFC 9110 documents them
pub enum Method {
    GET,
    POST,
    PUT,
    DELETE,
}

impl Method {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GET => "GET",
            Self::POST => "POST",
            Self::PUT => "PUT",
            Self::DELETE => "DELETE",
        }
    }
}

/// How a caller proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// By signature, or by a user token, whichever the credentials are.
    Credentials,
    /// Not at all: the request itself carries a password or a token.
    None,
}

/// A chapter of the reference: what its operations have in common.
#[derive(Debug)]
pub(crate) struct Chapter {
    pub(crate) service: Service,
    pub(crate) group: &'static str,
}

/// Everything about an operation that is not its fields.
#[derive(Debug)]
#[non_exhaustive]
pub struct OperationInfo {
    /// The service it belongs to.
    pub service: Service,
    /// The reference's name, e.g. `CreateSecret`.
    pub name: &'static str,
    /// Heading of the reference under which it stands.
    pub group: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path template, e.g. `/v1/{project_id}/secrets`.
    pub path: &'static str,
    /// The request: docs and fields. A field is in the path where the template names it, else in the query
    /// for GET and DELETE and in the body for the rest, unless the reference says otherwise.
    pub request: &'static Shape,
    /// Whether the reference gives it a JSON body (`{}` is sent when nothing is set).
    pub has_body: bool,
    /// The answer; `None` when it has no content.
    pub response: Option<&'static Shape>,
    /// Documented HTTP status of success. Any 2xx is accepted.
    pub success: u16,
    /// Whether repeating it changes nothing: decides what is retried when it may have been carried out.
    pub idempotent: bool,
    /// Identity-policy action that a caller needs, e.g. `csms:secret:create`; `None` where none is published.
    pub permission: Option<&'static str>,
    /// The action of custom policies of the older kind, as roles have them, e.g. `csms:secretVersion:get`: the same as
    /// `permission` where no other is published.
    pub role_permission: Option<&'static str>,
    /// Identity-policy actions that a caller needs besides. Those of `kms:` are for the key that protects the secret,
    /// where it is the account's own: the default key needs none. Those of another service are for secrets of its kind.
    pub needs: &'static [&'static str],
    /// How its list is paged.
    pub paging: Option<Paging>,
    /// How a caller proves who it is.
    pub auth: Auth,
}

impl OperationInfo {
    /// The request's field of this wire name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.request.field(name)
    }

    /// `csms/CreateSecret`: the service and the name.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.service, self.name)
    }

    /// Whether its path names the project.
    #[must_use]
    pub fn needs_project(&self) -> bool {
        self.path.contains("{project_id}")
    }

    /// Whether its answer may hold a secret.
    #[must_use]
    pub fn answers_secrets(&self) -> bool {
        self.response.is_some_and(|shape| Kind::Object(shape).is_sensitive())
    }

    /// First paragraph of its documentation, on one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let paragraph = self.request.docs.split("\n\n").next().unwrap_or_default();
        paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// How a list is paged. Names with dots are members of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paging {
    /// `marker` and `limit` go in, the next marker comes out.
    Marker {
        /// The list in the answer.
        items: &'static str,
        /// The next marker in the answer; absent, empty or equal to the one sent on the last page.
        next: &'static str,
        /// A flag in the answer that is false on the last page.
        more: Option<&'static str>,
        /// Page size when no `limit` is sent, where a page shorter than its size is known to be the last.
        size: Option<usize>,
    },
    /// `offset` (a number of items) and `limit` go in.
    Offset {
        /// The list in the answer.
        items: &'static str,
        /// The number of all items in the answer.
        total: Option<&'static str>,
        /// Page size when no `limit` is sent.
        size: usize,
    },
    /// A page number and a page size go in; without a size the list comes whole.
    Page {
        /// The list in the answer.
        items: &'static str,
        /// The field for the page number.
        number: &'static str,
        /// The number of the first page.
        first: i64,
        /// The field for the page size.
        size: &'static str,
        /// The number of all items in the answer.
        total: Option<&'static str>,
    },
}

impl Paging {
    /// Where the answer has its list.
    #[must_use]
    pub const fn items(self) -> &'static str {
        match self {
            Self::Marker { items, .. } | Self::Offset { items, .. } | Self::Page { items, .. } => items,
        }
    }

    /// The field of the request that says where a page begins.
    #[must_use]
    pub const fn marker(self) -> &'static str {
        match self {
            Self::Marker { .. } => "marker",
            Self::Offset { .. } => "offset",
            Self::Page { number, .. } => number,
        }
    }

    /// The field of the request that says how many items a page has.
    #[must_use]
    pub const fn size(self) -> &'static str {
        match self {
            Self::Marker { .. } | Self::Offset { .. } => "limit",
            Self::Page { size, .. } => size,
        }
    }
}

/// A request of the API: one struct per operation of the reference.
///
/// Derived, never written by hand. [`INFO`](Operation::INFO) is everything about it that is not its fields.
pub trait Operation: Fields + Send {
    /// What the service answers; `()` when the answer has no content.
    type Response: Answer;

    /// Everything about it that is not its fields.
    const INFO: &'static OperationInfo;
}

impl<O: Operation> Operation for &O {
    type Response = O::Response;
    const INFO: &'static OperationInfo = O::INFO;
}

impl<T: Fields + ?Sized> Fields for &T {
    fn shape(&self) -> &'static Shape {
        (**self).shape()
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'static Field, crate::model::View<'a>)) {
        (**self).each(visit);
    }
}

/// An operation whose list comes in pages. Derived, where an operation says how it is paged.
pub trait Paged: Operation {
    /// One of the list.
    type Item: Send;

    /// How its list is paged.
    const PAGING: Paging;

    /// Takes the items out of an answer.
    fn items(answer: Self::Response) -> Vec<Self::Item>;
}

/// The answer of an operation.
pub trait Answer: Sized + Send {
    /// Its description; `None` when it has no content.
    const SHAPE: Option<&'static Shape>;

    /// Reads the body.
    ///
    /// # Errors
    /// When the body is not JSON of this shape.
    fn read(body: &[u8]) -> Result<Self, DecodeError>;

    /// Its fields; `None` when it has no content.
    fn fields(&self) -> Option<&dyn Fields>;

    /// Takes what the answer carries in headers.
    fn read_headers(&mut self, headers: &HeaderMap) {
        let _ = headers;
    }
}

impl Answer for () {
    const SHAPE: Option<&'static Shape> = None;

    /// Accepts any body: what is documented as empty need not be looked at.
    fn read(_: &[u8]) -> Result<Self, DecodeError> {
        Ok(())
    }

    fn fields(&self) -> Option<&dyn Fields> {
        None
    }
}

/// Where a body could not be read. Never what stood there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// Path of the member, e.g. `secret.create_time`; `.` for the whole body.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Reads a JSON body. For the derive.
#[doc(hidden)]
pub fn read_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(body).map_err(|error| decode_error(body, &error))
}

/// What is wrong with a body, and where; not what stands there.
pub(crate) fn decode_error(body: &[u8], error: &serde_json::Error) -> DecodeError {
    use serde_json::error::Category;
    let problem = match error.classify() {
        Category::Syntax => "not JSON",
        Category::Eof => "the JSON ends too early",
        Category::Data => "not of the documented type",
        Category::Io => "could not be read",
    };
    let (line, column) = (error.line(), error.column());
    DecodeError { path: path_to(body, line, column), line, column, problem }
}

/// The path of the member that stands at this line and column, both from 1, or that was the last before it.
///
/// Found by one more look at the text, so that reading well costs nothing for it.
fn path_to(body: &[u8], line: usize, column: usize) -> String {
    let line_start = match line {
        0 | 1 => 0,
        _ => body.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(line - 2).map_or(0, |(at, _)| at + 1),
    };
    let end = line_start.saturating_add(column).min(body.len());
    // A step is the name of a member, or the index of an item.
    let mut steps: Vec<Result<String, usize>> = Vec::new();
    let mut rest = &body[..end];
    let mut name = String::new();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => {
                let length = text_length(rest);
                name = String::from_utf8_lossy(&rest[..length]).into_owned();
                rest = rest.get(length + 1..).unwrap_or_default();
            }
            b'{' => steps.push(Ok(String::new())),
            b'[' => steps.push(Err(0)),
            b'}' | b']' => {
                steps.pop();
            }
            b':' => {
                if let Some(Ok(step)) = steps.last_mut() {
                    step.clone_from(&name);
                }
            }
            b',' => {
                if let Some(Err(index)) = steps.last_mut() {
                    *index += 1;
                }
            }
            _ => {}
        }
    }
    let named = steps.iter().filter(|step| step.as_ref().map_or(true, |name| !name.is_empty()));
    let path: Vec<String> = named.map(|step| step.as_ref().map_or_else(ToString::to_string, Clone::clone)).collect();
    if path.is_empty() { ".".to_owned() } else { path.join(".") }
}

/// Length of a JSON text up to its closing quote.
fn text_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(text.len())
}

/// An answer with what came around it. Dereferences to the body.
#[derive(Clone, Debug)]
pub struct Response<T> {
    body: T,
    status: u16,
    request_id: Option<String>,
    attempts: u32,
}

impl<T> Response<T> {
    pub(crate) fn new(body: T, status: u16, request_id: Option<String>, attempts: u32) -> Self {
        Self { body, status, request_id, attempts }
    }

    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The service's id of this request (`X-Request-Id`), to be named in a support ticket.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// How many times the request was sent, from 1.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The body alone.
    #[must_use]
    pub fn into_body(self) -> T {
        self.body
    }

    /// The same answer with a body made from this one.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Response<U> {
        Response { body: convert(self.body), status: self.status, request_id: self.request_id, attempts: self.attempts }
    }
}

impl<T> Deref for Response<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.body
    }
}

/// Something that carries operations out: a [`Client`](crate::Client), or a stand-in in a test.
pub trait Caller: Sync {
    /// Sends `operation` and reads its answer.
    fn call<O: Operation>(&self, operation: O) -> impl Future<Output = Result<Response<O::Response>, Error>> + Send;
}

impl<C: Caller> Caller for &C {
    fn call<O: Operation>(&self, operation: O) -> impl Future<Output = Result<Response<O::Response>, Error>> + Send {
        (**self).call(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::path_to;

    #[test]
    fn the_path_to_a_fault_is_found_from_its_place() {
        for (body, expected) in [
            (r#"{"secret":{"create_time":^[]}}"#, "secret.create_time"),
            (r#"{"a":{"b":1},"secrets":[{"id":1},{"id":"x","limit":{^}}]}"#, "secrets.1.limit"),
            (r#"{"a\"b}":[1,[2,^"x"]]}"#, r#"a\"b}.1.1"#),
            ("{\n \"x\": {\n  \"y\": ^true\n }\n}", "x.y"),
            ("^", "."),
            ("[^", "0"),
            ("{^", "."),
            (r#"{"unfinished^"#, "."),
        ] {
            let at = body.find('^').unwrap_or_default();
            let line = body[..at].matches('\n').count() + 1;
            let column = at - body[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let text = body.replace('^', "");
            // The reader stops at the first byte that it cannot take, or just before.
            assert_eq!(path_to(text.as_bytes(), line, column), expected, "{body}");
        }
    }

    #[test]
    fn places_outside_the_text_do_no_harm() {
        for (line, column) in [(0, 0), (1, 99), (9, 9), (usize::MAX, usize::MAX)] {
            path_to(b"{\"a\":[1]}", line, column);
        }
    }
}
