//! What can go wrong, told in one line.
//!
//! ```
//! # fn handle(error: csms_sdk::Error) {
//! use csms_sdk::ErrorKind;
//!
//! match error.kind() {
//!     ErrorKind::NotFound => { /* create it */ }
//!     ErrorKind::Throttled => eprintln!("try again in {:?}", error.retry_after()),
//!     _ => eprintln!("{error}"),
//! }
//! # }
//! ```

use std::{fmt, sync::Arc, time::Duration};

use crate::operation::{DecodeError, OperationInfo, Service};

mod body;
mod classify;

pub(crate) use body::ErrorBody;
pub(crate) use classify::classify;
use classify::is_of_project;

/// Anything that went wrong: before sending, on the way, or at the service.
///
/// One pointer wide. `Display` is one complete line: operation, what happened, the service's code and
/// message, status, request id. It never holds a secret value, a key or a token.
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: Option<&'static OperationInfo>,
    field: Option<String>,
    code: Option<String>,
    status: Option<u16>,
    message: String,
    request_id: Option<String>,
    authorization_message: Option<String>,
    retry_after: Option<Duration>,
    attempts: u32,
    retryable: bool,
    help: Option<String>,
    last_state: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What class of thing went wrong. The service's code decides first, the HTTP status second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request cannot be right and was not sent; [`Error::field`] names the field. Where the service knows
    /// better, [`CallOptions::without_validation`](crate::CallOptions::without_validation) sends it all the same.
    InvalidInput,
    /// A setting is missing or wrong: region, endpoint, project, certificate. Nothing was sent; [`Error::help`] says
    /// what to set.
    Configuration,
    /// No credentials were found, or those found could not be used. The message lists the places that were looked
    /// in; a place that is set up by half stops the search.
    Credentials,
    /// The service refused the credentials (401 and the codes that mean the same). Usual causes: a wrong secret key,
    /// a clock that is off, a proxy that changes the request, a token of another cloud. Six in a row lock an access
    /// key for five minutes, so do not repeat it blindly.
    Unauthenticated,
    /// The caller lacks a permission (403); [`Error::permission`] names it. Or the endpoint does not serve the project, of which
    /// [`Error::help`] tells.
    PermissionDenied,
    /// The secret, version, stage, key or other resource does not exist, in this region and project.
    NotFound,
    /// It exists already, or its state forbids the operation: disabled, pending deletion, a replica. Look at its state
    /// first.
    Conflict,
    /// A quota is used up. Not retried, whatever the status; delete something or ask for more.
    QuotaExceeded,
    /// Too many calls (429), after all retries. KMS allows most callers 20 operations a second.
    Throttled,
    /// The service found the request invalid; its message says why.
    Rejected,
    /// The endpoint does not offer this operation: a wrong endpoint, or a region that lacks the feature.
    NotOffered,
    /// The service failed (5xx), after all retries where repeating was safe. Name the request id to its support.
    Service,
    /// No connection: name resolution, TCP, TLS, or cut off before the answer was complete.
    Connection,
    /// A time-out ran out: that of a connection, of an attempt, or of the whole call. Whether the request was carried
    /// out is not known.
    Timeout,
    /// An answer came that cannot be understood: a redirect, a page of a proxy, broken JSON, no HTTP at all, too many bytes.
    UnexpectedAnswer,
}

impl ErrorKind {
    /// Stable name in `snake_case`, for logs and machine-readable output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Configuration => "configuration",
            Self::Credentials => "credentials",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Throttled => "throttled",
            Self::Rejected => "rejected",
            Self::NotOffered => "not_offered",
            Self::Service => "service",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::UnexpectedAnswer => "unexpected_answer",
        }
    }
}

impl Error {
    /// What class of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The service's own code, e.g. `CSMS.0106`; `None` when it sent none.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// HTTP status of the answer; `None` when there was none.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// What happened, without code, status and request id.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The service's id of the request (`X-Request-Id`), to be named in a support ticket.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Name of the operation, e.g. `CreateSecret`.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation.map(|info| info.name)
    }

    /// The service of the operation.
    #[must_use]
    pub fn service(&self) -> Option<Service> {
        self.0.operation.map(|info| info.service)
    }

    /// Wire name of the field at fault, e.g. `notification.target_id`.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The identity-policy action the caller lacks. Only for [`ErrorKind::PermissionDenied`], and not where it is the
    /// project that is refused, of which [`help`](Self::help) tells.
    ///
    /// # Troubleshooting
    /// Grant it to the user or agency, or ask for the role that holds it. A `kms:` permission can be missing
    /// as well when the secret is protected by an own key.
    #[must_use]
    pub fn permission(&self) -> Option<&'static str> {
        let lacks_one = self.0.kind == ErrorKind::PermissionDenied && !is_of_project(self.code());
        self.0.operation.filter(|_| lacks_one)?.permission
    }

    /// The encoded explanation that some 403 answers carry; `DecodeAuthorizationMessage` of STS reads it.
    #[must_use]
    pub fn authorization_message(&self) -> Option<&str> {
        self.0.authorization_message.as_deref()
    }

    /// How long the service asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same request may succeed later. Says nothing about whether repeating it is safe.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// How many times the request was sent; 0 when it never left.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The state that was seen last when [`Wait`](crate::wait::Wait) gave up; `None` for everything else, and where none was seen.
    #[must_use]
    pub fn last_state(&self) -> Option<&str> {
        self.0.last_state.as_deref()
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: None,
            field: None,
            code: None,
            status: None,
            message: message.into(),
            request_id: None,
            authorization_message: None,
            retry_after: None,
            attempts: 0,
            retryable: false,
            help: None,
            last_state: None,
            source: None,
        }))
    }

    pub(crate) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::InvalidInput, message);
        error.0.field = Some(field.into());
        error
    }

    pub(crate) fn decode(error: DecodeError, status: u16, request_id: Option<String>) -> Self {
        let DecodeError { path, line, column, problem } = error;
        let message = format!("the answer could not be read at `{path}` (line {line}, column {column}): {problem}");
        let mut error = Self::new(ErrorKind::UnexpectedAnswer, message)
            .with_help("check the endpoint; if it is right, report this together with the request id");
        error.0.status = Some(status);
        error.0.request_id = request_id;
        error
    }

    /// From an answer that reports failure.
    pub(crate) fn from_answer(status: u16, body: ErrorBody, request_id: Option<String>) -> Self {
        let (kind, retryable) = classify(body.code.as_deref(), status);
        let mut error = Self::new(kind, body.message);
        if is_of_project(body.code.as_deref()) {
            error.0.help = Some(
                "project and endpoint do not belong together: name the project of this region and account, or none to \
                 have it looked up"
                    .to_owned(),
            );
        }
        error.0.retryable = retryable;
        error.0.code = body.code;
        error.0.status = Some(status);
        error.0.request_id = request_id.or(body.request_id);
        error.0.authorization_message = body.authorization_message;
        error
    }

    pub(crate) fn with_operation(mut self, info: &'static OperationInfo) -> Self {
        self.0.operation.get_or_insert(info);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Puts what was done before it in front of its message.
    pub(crate) fn behind(mut self, done: &str) -> Self {
        self.0.message = format!("{done}: {}", self.0.message);
        self
    }

    pub(crate) fn with_last_state(mut self, state: Option<String>) -> Self {
        self.0.last_state = state;
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.0.request_id = request_id;
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The same error for another caller that waited for the same thing.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    pub(crate) fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(info) = inner.operation {
            write!(f, "{}: ", info.name)?;
        }
        if let Some(field) = &inner.field {
            write!(f, "`{field}` ")?;
        }
        if let Some(code) = &inner.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&inner.message)?;
        if let Some(permission) = self.permission() {
            write!(f, "; the caller needs the permission {permission}")?;
        }
        if inner.kind == ErrorKind::Unauthenticated
            && let Some(help) = &inner.help
        {
            write!(f, "; {help}")?;
        }
        match (inner.status, &inner.request_id) {
            (Some(status), Some(id)) => write!(f, " (HTTP {status}, request {id}")?,
            (Some(status), None) => write!(f, " (HTTP {status}")?,
            (None, _) => return Ok(()),
        }
        match inner.attempts {
            0 | 1 => f.write_str(")"),
            attempts => write!(f, ", {attempts} attempts)"),
        }
    }
}

/// The same as `Display` plus the kind: nothing in an error is for developers only.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({}: {self})", self.0.kind.as_str())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
