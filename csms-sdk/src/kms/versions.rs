//! API versions: which versions of the API the service offers.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "API versions" };

/// Reads one version of the API. The service asks for neither project nor permission.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/{version_id}",
    response = ShowVersionResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowVersion {
    /// Id of the version, e.g. `v1.0`.
    pub version_id: String,
}

/// Lists the versions of the API. The service asks for neither project nor permission.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/",
    response = ShowVersionsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowVersions {}

/// Answer with one version of the API.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowVersionResponseBody {
    /// The version.
    pub version: Option<ApiVersionDetail>,
}

/// Answer with all versions of the API.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowVersionsResponseBody {
    /// The versions.
    pub versions: Vec<ApiVersionDetail>,
}

/// A version of the API.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ApiVersionDetail {
    /// Id, e.g. `v1.0`.
    pub id: Option<String>,
    /// How long it will be there.
    pub status: Option<ApiVersionStatus>,
    /// When it was released.
    #[field(rfc3339)]
    pub updated: Option<Timestamp>,
    /// Lowest microversion; empty where there are none.
    pub min_version: Option<String>,
    /// Highest microversion; empty where there are none.
    pub version: Option<String>,
    /// Where it is.
    pub links: Vec<ApiLink>,
}

/// Address of a version of the API.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ApiLink {
    /// The address.
    pub href: Option<String>,
    /// What it leads to: always `self`.
    pub rel: Option<String>,
}

/// How long a version of the API will be there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum ApiVersionStatus {
    /// The one to use.
    #[wire("CURRENT")]
    Current,
    /// Older and still there.
    #[wire("SUPPORTED")]
    Supported,
    /// To be removed.
    #[wire("DEPRECATED")]
    Deprecated,
    /// A status that is not known here yet.
    Other(String),
}
