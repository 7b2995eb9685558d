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
///
/// The path to a fault is found by reading a second time, so that reading well costs nothing more.
#[doc(hidden)]
pub fn read_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let error = match serde_json::from_slice(body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mut input = serde_json::Deserializer::from_slice(body);
    let path = match serde_path_to_error::deserialize::<_, T>(&mut input) {
        Err(error) => error.path().to_string(),
        Ok(_) => ".".to_owned(),
    };
    Err(decode_error(path, &error))
}

pub(crate) fn decode_error(path: String, error: &serde_json::Error) -> DecodeError {
    use serde_json::error::Category;
    let problem = match error.classify() {
        Category::Syntax => "not JSON",
        Category::Eof => "the JSON ends too early",
        Category::Data => "not of the documented type",
        Category::Io => "could not be read",
    };
    DecodeError { path, line: error.line(), column: error.column(), problem }
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
