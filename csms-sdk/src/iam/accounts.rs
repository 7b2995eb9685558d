//! Accounts: which ones the caller can use.

use csms_sdk_macros::Model;

use crate::operation::{Chapter, Service};

const CHAPTER: Chapter = Chapter { service: Service::Iam, group: "Accounts" };

/// Lists the accounts (domains) the caller can use.
///
/// A caller without the permission `iam:users:getUser` may get an empty list;
/// [`GetCallerIdentity`](super::GetCallerIdentity) names the account all the same.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v3/auth/domains",
    response = KeystoneListAuthDomainsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct KeystoneListAuthDomains {}

/// The accounts.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoneListAuthDomainsResponseBody {
    /// One entry per account.
    pub domains: Vec<Domains>,
    /// Where the list stands.
    pub links: Option<LinksSelf>,
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Domains {
    /// Account id, which the services call domain id.
    pub id: Option<String>,
    /// Account name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Whether it may be used.
    pub enabled: Option<bool>,
    /// Where it stands.
    pub links: Option<LinksSelf>,
}

/// Address of a resource.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct LinksSelf {
    /// URL of the resource itself.
    #[field(name = "self")]
    pub self_link: Option<String>,
}
