//! Where requests go: regions, endpoints and projects.
//!
//! An endpoint comes from the first of these that names one: the builder, the environment variable
//! `HUAWEICLOUD_SDK_REGION_<SERVICE>_<REGION>` (for IAM and STS `HUAWEICLOUD_SDK_IAM_ENDPOINT` and
//! `HUAWEICLOUD_SDK_STS_ENDPOINT`), the builder's [fallback](crate::ClientBuilder::fallback_endpoint), the regions file,
//! the [table](known). A region that the table does not know goes by
//! the pattern of the others, so that a new region needs no new release.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value as Json;
use url::Url;

use crate::{
    env::Env,
    error::{Error, ErrorKind},
    operation::Service,
};

mod table;

pub use table::known;

/// Stands for the region in an endpoint that serves several.
const REGION: &str = "{region}";

/// What a client knows of its region.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) env: Env,
    pub(crate) region: Option<String>,
    /// Project that was given; else it is looked up.
    pub(crate) project_id: Option<String>,
    pub(crate) endpoints: Endpoints,
    /// Whether the region is another than the one the program began with.
    pub(crate) derived: bool,
}

/// The endpoints that a client uses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints(BTreeMap<Service, Arc<Endpoint>>);

/// Addresses of one service in one region, and which of them is in use.
#[derive(Debug)]
pub(crate) struct Endpoint {
    urls: Vec<Url>,
    current: AtomicUsize,
    /// Who named it, for people.
    pub(crate) origin: String,
}

impl Endpoint {
    fn new(texts: &str, origin: impl Into<String>) -> Result<Self, Error> {
        let origin = origin.into();
        let urls = texts
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| parse(text, &origin))
            .collect::<Result<Vec<_>, _>>()?;
        if urls.is_empty() {
            return Err(Error::new(ErrorKind::Configuration, format!("the endpoint that {origin} names is empty")));
        }
        Ok(Self { urls, current: AtomicUsize::new(0), origin })
    }

    /// The address to use now.
    pub(crate) fn url(&self) -> &Url {
        &self.urls[self.current.load(Ordering::Relaxed)]
    }

    /// Goes on to the next address after `failed` could not be reached; false when there is none.
    pub(crate) fn advance(&self, failed: &Url) -> bool {
        let current = self.current.load(Ordering::Relaxed);
        if self.urls.len() == 1 {
            return false;
        }
        if self.urls[current] == *failed {
            let next = (current + 1) % self.urls.len();
            // Another task may have gone on already; then there is nothing left to do.
            let _ = self.current.compare_exchange(current, next, Ordering::Relaxed, Ordering::Relaxed);
        }
        true
    }
}

/// An endpoint is an http or https URL, perhaps with a path in front of every other; `https://` may be left out.
fn parse(text: &str, origin: &str) -> Result<Url, Error> {
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let usable = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(&full).ok().filter(usable).ok_or_else(|| {
        // The text is not repeated: a URL can carry a password.
        Error::new(ErrorKind::Configuration, format!("the endpoint that {origin} names is no http or https URL"))
            .with_help("write it as https://kms.cn-north-4.myhuaweicloud.com")
    })
}

/// Endpoints and settings as they were given to the builder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) region: Option<String>,
    pub(crate) project_id: Option<String>,
    pub(crate) endpoints: BTreeMap<Service, String>,
    /// For services of which the environment names none.
    pub(crate) fallbacks: BTreeMap<Service, String>,
    /// Who named them, where the program said so.
    pub(crate) origins: BTreeMap<Service, String>,
    /// Whether the region is another than the one the program began with.
    pub(crate) derived: bool,
}

impl Settings {
    /// Settles region, project and every endpoint that can be told.
    pub(crate) fn resolve(given: &Given, env: Env) -> Result<Self, Error> {
        let region = given.region.clone();
        if let Some(region) = &region {
            check_region("region", region)?;
        }
        if let Some(project_id) = &given.project_id {
            check_project_id(project_id)?;
        }
        let file = RegionsFile::read(&env)?;
        let mut endpoints = BTreeMap::new();
        for service in [Service::Csms, Service::Kms, Service::Iam, Service::Sts] {
            if let Some(endpoint) = endpoint(service, region.as_deref(), given, &env, &file)? {
                endpoints.insert(service, Arc::new(endpoint));
            }
        }
        let (project_id, derived) = (given.project_id.clone(), given.derived);
        Ok(Self { env, region, project_id, endpoints: Endpoints(endpoints), derived })
    }

    /// The endpoint of a service.
    pub(crate) fn endpoint(&self, service: Service) -> Result<&Arc<Endpoint>, Error> {
        self.endpoints.0.get(&service).ok_or_else(|| {
            Error::new(ErrorKind::Configuration, format!("neither a region nor an endpoint for {service} is known"))
                .with_help("set a region such as cn-north-4")
        })
    }
}

impl Given {
    /// The same for another region. The project belongs to the region and is not carried over.
    pub(crate) fn for_region(&self, region: &str) -> Result<Self, Error> {
        for service in [Service::Csms, Service::Kms] {
            if let Some(endpoint) = self.endpoints.get(&service).or(self.fallbacks.get(&service))
                && !endpoint.contains(REGION)
                && self.region.as_deref() != Some(region)
            {
                let message =
                    format!("the endpoint given for {service} serves one region, so it cannot serve {region}");
                return Err(Error::new(ErrorKind::Configuration, message)
                    .with_help("write {region} where the endpoint names the region, or give no endpoint"));
            }
        }
        let same = self.region.as_deref() == Some(region);
        Ok(Self {
            region: Some(region.to_owned()),
            project_id: self.project_id.clone().filter(|_| same),
            endpoints: self.endpoints.clone(),
            fallbacks: self.fallbacks.clone(),
            origins: self.origins.clone(),
            derived: self.derived || !same,
        })
    }
}

/// `field` is the one that the region was given in.
pub(crate) fn check_region(field: &str, region: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if !region.is_empty() && region.len() <= 64 && region.bytes().all(allowed) {
        return Ok(());
    }
    let mut error = Error::invalid(field, "has to be a region id such as cn-north-4");
    if let Some(near) = crate::check::nearest(region, known(Service::Kms).iter().copied()) {
        error = error.with_help(format!("did you mean {near}?"));
    }
    Err(error)
}

/// A project id stands in paths and headers; what is sure to be none is refused before it changes either.
pub(crate) fn check_project_id(project_id: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !project_id.is_empty() && project_id.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::invalid("project_id", "has to be a project id, 32 letters and digits")
        .with_help("the console shows it under My Credentials"))
}

fn endpoint(
    service: Service,
    region: Option<&str>,
    given: &Given,
    env: &Env,
    file: &RegionsFile,
) -> Result<Option<Endpoint>, Error> {
    let named = |text: &str| {
        let text = match region {
            Some(region) => text.replace(REGION, region),
            None => text.to_owned(),
        };
        let origin = given.origins.get(&service).map_or("the settings", String::as_str);
        Endpoint::new(&text, origin)
    };
    if let Some(text) = given.endpoints.get(&service) {
        return named(text).map(Some);
    }
    let upper = service.as_str().to_ascii_uppercase();
    let everywhere =
        matches!(service, Service::Iam | Service::Sts).then(|| format!("HUAWEICLOUD_SDK_{upper}_ENDPOINT"));
    let here = region
        .map(|region| format!("HUAWEICLOUD_SDK_REGION_{upper}_{}", region.to_ascii_uppercase().replace('-', "_")));
    for name in [everywhere, here].into_iter().flatten() {
        if let Some(text) = env.get(&name) {
            return Endpoint::new(&text, name).map(Some);
        }
    }
    if let Some(text) = given.fallbacks.get(&service) {
        return named(text).map(Some);
    }
    let Some(region) = region else {
        return table::endpoint_without_region(service).map(|text| Endpoint::new(text, "the default")).transpose();
    };
    if let Some(text) = file.endpoints(service, region) {
        return Endpoint::new(&text, "the regions file").map(Some);
    }
    Endpoint::new(&table::endpoint(service, region), "the region").map(Some)
}

/// The file in which users of the official SDKs list regions of their own: by service, the endpoints by region.
#[derive(Debug, Default)]
struct RegionsFile(BTreeMap<String, Vec<BTreeMap<String, Json>>>);

impl RegionsFile {
    fn read(env: &Env) -> Result<Self, Error> {
        let named = env.get("HUAWEICLOUD_SDK_REGIONS_FILE").map(PathBuf::from);
        let required = named.is_some();
        let Some(path) = named.or_else(|| Some(env.home()?.join(".huaweicloud/regions.yaml"))) else {
            return Ok(Self::default());
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            // Where a home is no directory there is no file in it.
            Err(error)
                if !required && matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                return Ok(Self::default());
            }
            Err(error) => {
                let message = format!("the regions file {} cannot be read: {error}", path.display());
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        };
        serde_saphyr::from_str(&text).map(Self).map_err(|error| {
            Error::new(ErrorKind::Configuration, format!("the regions file {} is not valid: {error}", path.display()))
        })
    }

    /// The listed endpoints, separated by commas; the single one goes last, as in the Python and Java SDKs.
    fn endpoints(&self, service: Service, region: &str) -> Option<String> {
        let (_, regions) = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(service.as_str()))?;
        let entry = regions.iter().find(|entry| entry.get("id").and_then(Json::as_str) == Some(region))?;
        let several = entry.get("endpoints").and_then(Json::as_array).into_iter().flatten();
        let all: Vec<_> = several.chain(entry.get("endpoint")).filter_map(Json::as_str).collect();
        (!all.is_empty()).then(|| all.join(","))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    fn resolve(region: Option<&str>, endpoints: &[(Service, &str)], env: &[(&str, &str)]) -> Result<Settings, Error> {
        let given = Given {
            region: region.map(str::to_owned),
            project_id: None,
            endpoints: endpoints.iter().map(|(service, text)| (*service, (*text).to_owned())).collect(),
            ..Given::default()
        };
        Settings::resolve(&given, Env::from_pairs(env.iter().copied()))
    }

    fn url(settings: &Settings, service: Service) -> String {
        settings.endpoint(service).unwrap().url().to_string()
    }

    #[test]
    fn csms_and_kms_share_a_host_and_europe_has_its_own_suffix() {
        let settings = resolve(Some("cn-north-4"), &[], &[]).unwrap();
        assert_eq!(url(&settings, Service::Csms), "https://kms.cn-north-4.myhuaweicloud.com/");
        assert_eq!(url(&settings, Service::Kms), "https://kms.cn-north-4.myhuaweicloud.com/");
        assert_eq!(url(&settings, Service::Iam), "https://iam.cn-north-4.myhuaweicloud.com/");
        let europe = resolve(Some("eu-west-101"), &[], &[]).unwrap();
        assert_eq!(url(&europe, Service::Csms), "https://kms.eu-west-101.myhuaweicloud.eu/");
        assert_eq!(url(&europe, Service::Iam), "https://iam.eu-west-101.myhuaweicloud.eu/");
        assert_eq!(url(&europe, Service::Sts), "https://sts.eu-west-101.myhuaweicloud.eu/");
    }

    #[test]
    fn regions_without_iam_or_sts_of_their_own_use_the_common_one() {
        let settings = resolve(Some("cn-south-4"), &[], &[]).unwrap();
        assert_eq!(url(&settings, Service::Iam), "https://iam.myhuaweicloud.com/");
        assert_eq!(url(&settings, Service::Sts), "https://sts.cn-north-4.myhuaweicloud.com/");
    }

    #[test]
    fn a_region_nobody_knows_goes_by_the_pattern() {
        let settings = resolve(Some("xx-new-9"), &[], &[]).unwrap();
        assert_eq!(url(&settings, Service::Kms), "https://kms.xx-new-9.myhuaweicloud.com/");
    }

    #[test]
    fn the_settings_win_over_the_environment_and_that_over_the_table() {
        let variable = ("HUAWEICLOUD_SDK_REGION_KMS_CN_NORTH_4", "kms.example.com");
        let settings = resolve(Some("cn-north-4"), &[], &[variable]).unwrap();
        assert_eq!(url(&settings, Service::Kms), "https://kms.example.com/");
        assert_eq!(url(&settings, Service::Csms), "https://kms.cn-north-4.myhuaweicloud.com/");
        let settings =
            resolve(Some("cn-north-4"), &[(Service::Kms, "http://127.0.0.1:9/{region}")], &[variable]).unwrap();
        assert_eq!(url(&settings, Service::Kms), "http://127.0.0.1:9/cn-north-4");
    }

    #[test]
    fn a_fallback_gives_way_to_the_environment() {
        let fallbacks =
            [Service::Csms, Service::Kms].map(|service| (service, "http://127.0.0.1:9/{region}".to_owned()));
        let given = Given { region: Some("cn-north-4".to_owned()), fallbacks: fallbacks.into(), ..Given::default() };
        let env = Env::from_pairs([("HUAWEICLOUD_SDK_REGION_KMS_CN_NORTH_4", "kms.example.com")]);
        let settings = Settings::resolve(&given, env).unwrap();
        assert_eq!(url(&settings, Service::Kms), "https://kms.example.com/");
        assert_eq!(url(&settings, Service::Csms), "http://127.0.0.1:9/cn-north-4");
        assert!(given.for_region("cn-east-3").is_ok());
        let fixed = Given { fallbacks: [(Service::Csms, "http://127.0.0.1:9".to_owned())].into(), ..given };
        assert!(fixed.for_region("cn-east-3").is_err());
    }

    #[test]
    fn what_is_no_endpoint_is_refused_without_repeating_it() {
        for text in ["ftp://x", "https://", "https://u:hunter2@h", "https://h?x=1", "::", ""] {
            let error = resolve(Some("cn-north-4"), &[(Service::Kms, text)], &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_region_that_is_none_is_refused_with_the_nearest() {
        let error = resolve(Some("CN-North-4"), &[], &[]).unwrap_err();
        assert_eq!((error.field(), error.help()), (Some("region"), Some("did you mean cn-north-4?")));
    }

    #[test]
    fn several_endpoints_are_used_in_turn() {
        let endpoint = Endpoint::new("https://a.example, b.example", "test").unwrap();
        let first = endpoint.url().clone();
        assert!(endpoint.advance(&first));
        assert_eq!(endpoint.url().as_str(), "https://b.example/");
        assert!(endpoint.advance(&first), "another task found out already");
        assert_eq!(endpoint.url().as_str(), "https://b.example/");
        assert!(!Endpoint::new("https://a.example", "test").unwrap().advance(&first));
    }

    #[test]
    fn the_regions_file_of_the_official_sdks_is_read() {
        let text = "KMS:\n  - id: my-region-1\n    endpoint: https://c.example\n    endpoints:\n      - https://a.example\n      - https://b.example\n";
        let path = std::env::temp_dir().join(format!("csms-regions-{}.yaml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let shown = path.to_str().unwrap();
        let settings = resolve(Some("my-region-1"), &[], &[("HUAWEICLOUD_SDK_REGIONS_FILE", shown)]).unwrap();
        assert_eq!(url(&settings, Service::Kms), "https://a.example/");
        std::fs::write(&path, "KMS: [").unwrap();
        let error = resolve(Some("my-region-1"), &[], &[("HUAWEICLOUD_SDK_REGIONS_FILE", shown)]).unwrap_err();
        assert!(error.message().contains("regions file"));
        std::fs::remove_file(&path).unwrap();
        assert!(resolve(None, &[], &[("HUAWEICLOUD_SDK_REGIONS_FILE", shown)]).is_err());
    }

    #[test]
    fn another_region_keeps_only_what_can_serve_it() {
        let mut given = Given { region: Some("a-1".into()), project_id: Some("p".into()), ..Given::default() };
        assert_eq!(given.for_region("b-1").unwrap().project_id, None);
        assert_eq!(given.for_region("a-1").unwrap().project_id.as_deref(), Some("p"));
        given.endpoints.insert(Service::Kms, "http://h/{region}".into());
        assert!(given.for_region("b-1").is_ok());
        given.endpoints.insert(Service::Kms, "http://h".into());
        assert_eq!(given.for_region("b-1").unwrap_err().kind(), ErrorKind::Configuration);
    }
}
