//! Regions of the cloud.

use csms_sdk_macros::Model;

use super::{Links, LinksSelf};
use crate::operation::{Chapter, Service};

const CHAPTER: Chapter = Chapter { service: Service::Iam, group: "Regions" };

/// Lists the regions of the cloud, whether or not CSMS and KMS are offered there.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v3/regions",
    response = KeystoneListRegionsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct KeystoneListRegions {}

/// The regions.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoneListRegionsResponseBody {
    /// One entry per region.
    pub regions: Vec<Region>,
    /// Where the list stands; it has one page only.
    pub links: Option<Links>,
}

/// A region.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Region {
    /// Region id, e.g. `cn-north-4`.
    pub id: Option<String>,
    /// Kind of region, e.g. `public`.
    pub r#type: Option<String>,
    /// Names for people, by language.
    pub locales: Option<RegionLocales>,
    /// Description, often empty.
    pub description: Option<String>,
    /// Always `None`.
    pub parent_region_id: Option<String>,
    /// Where it stands.
    pub links: Option<LinksSelf>,
}

/// A region's names for people.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct RegionLocales {
    /// In Chinese.
    #[field(name = "zh-cn")]
    pub zh_cn: Option<String>,
    /// In English.
    #[field(name = "en-us")]
    pub en_us: Option<String>,
    /// In Brazilian Portuguese.
    #[field(name = "pt-br")]
    pub pt_br: Option<String>,
    /// In American Spanish.
    #[field(name = "es-us")]
    pub es_us: Option<String>,
    /// In European Spanish.
    #[field(name = "es-es")]
    pub es_es: Option<String>,
}
