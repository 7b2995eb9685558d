//! Projects: from a region's name to the project id that stands in every path of CSMS and KMS.

use csms_sdk_macros::Model;

use super::LinksSelf;
use crate::operation::{Chapter, Paging, Service};

const CHAPTER: Chapter = Chapter { service: Service::Iam, group: "Projects" };

/// Lists the projects the caller can use, in all regions.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v3/auth/projects",
    response = KeystoneListAuthProjectsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct KeystoneListAuthProjects {}

/// Lists projects by name, account or parent.
///
/// A region's default project has the region's id as its name; sub-projects have names of their own. A region the
/// account never opened may have no project. A refusal with 403 tells that the credentials are right and only
/// listing is not allowed.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v3/projects",
    response = KeystoneListProjectsResponseBody,
    paging = Paging::Page { items: "projects", number: "page", first: 1, size: "per_page", total: None },
    item = ProjectResult,
    idempotent,
)]
#[non_exhaustive]
pub struct KeystoneListProjects {
    /// Only the project of this name, e.g. `cn-north-4`.
    pub name: Option<String>,
    /// Only projects of this account.
    pub domain_id: Option<String>,
    /// Only projects right below this one: a region's project for its sub-projects, the account for the regions'.
    pub parent_id: Option<String>,
    /// Only projects that are enabled, or that are not.
    pub enabled: Option<bool>,
    /// Not to be used, says the reference.
    pub is_domain: Option<bool>,
    /// Number of the page, from 1. Only together with `per_page`.
    pub page: Option<i32>,
    /// Most projects of a page, 1 to 5000. Only together with `page`; without both the list comes whole.
    #[field(check(Range(1, 5000)))]
    pub per_page: Option<i32>,
}

/// The projects the caller can use.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoneListAuthProjectsResponseBody {
    /// One entry per project.
    pub projects: Vec<AuthProjectResult>,
    /// Where the list stands.
    pub links: Option<LinksSelf>,
}

/// A project the caller can use.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct AuthProjectResult {
    /// Project id.
    pub id: Option<String>,
    /// Name; the region's id for a region's default project.
    pub name: Option<String>,
    /// Account it belongs to.
    pub domain_id: Option<String>,
    /// The region's project for a sub-project, else the account.
    pub parent_id: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Whether it may be used.
    pub enabled: Option<bool>,
    /// Always false.
    pub is_domain: Option<bool>,
    /// Where it stands.
    pub links: Option<LinksSelf>,
}

/// One page of projects.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoneListProjectsResponseBody {
    /// One entry per project.
    pub projects: Vec<ProjectResult>,
    /// Where this page and its neighbours stand.
    pub links: Option<Links>,
}

/// A project.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ProjectResult {
    /// Project id.
    pub id: Option<String>,
    /// Name; the region's id for a region's default project.
    pub name: Option<String>,
    /// Account it belongs to.
    pub domain_id: Option<String>,
    /// The region's project for a sub-project, else the account.
    pub parent_id: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Whether it may be used.
    pub enabled: Option<bool>,
    /// Always false.
    pub is_domain: Option<bool>,
    /// Where it stands.
    pub links: Option<Links>,
}

/// Addresses of a resource and its neighbours.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Links {
    /// URL of the resource itself.
    #[field(name = "self")]
    pub self_link: Option<String>,
    /// URL of the page before; `None` on the first.
    pub previous: Option<String>,
    /// URL of the page after; `None` on the last.
    pub next: Option<String>,
}
