//! Failures by the names that the other cloud's page of the operation has for them.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// The errors that the page of `ReplicateSecretToRegions` lists.
///
/// | here | [`ErrorKind`] |
/// | --- | --- |
/// | `InvalidParameterException` | `InvalidInput`, `Rejected`, `Configuration` |
/// | `InvalidRequestException` | `Conflict`, `QuotaExceeded`, `NotOffered` |
/// | `ResourceNotFoundException` | `NotFound` |
/// | `InternalServiceError` | `Service`, `Connection`, `Timeout`, `UnexpectedAnswer` |
/// | none: common to all operations there | `Credentials`, `Unauthenticated`, `PermissionDenied`, `Throttled` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exception {
    /// The service failed, or there was no answer that could be understood.
    InternalServiceError,
    /// A name or a value is wrong.
    InvalidParameterException,
    /// The request does not go with the state of things: scheduled for deletion, a replica, a name that is taken.
    InvalidRequestException,
    /// What was named does not exist.
    ResourceNotFoundException,
}

impl Exception {
    /// What that page calls it; `None` for what is common to all operations.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::Rejected | ErrorKind::Configuration => {
                Some(Self::InvalidParameterException)
            }
            ErrorKind::Conflict | ErrorKind::QuotaExceeded | ErrorKind::NotOffered => {
                Some(Self::InvalidRequestException)
            }
            ErrorKind::NotFound => Some(Self::ResourceNotFoundException),
            ErrorKind::Service | ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::UnexpectedAnswer => {
                Some(Self::InternalServiceError)
            }
            ErrorKind::Credentials
            | ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::Throttled => None,
        }
    }

    /// Its name on that page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InternalServiceError => "InternalServiceError",
            Self::InvalidParameterException => "InvalidParameterException",
            Self::InvalidRequestException => "InvalidRequestException",
            Self::ResourceNotFoundException => "ResourceNotFoundException",
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
