//! The variables that lead other programs to an emulator.

use std::path::Path;

use csms_emulator::Emulator;

/// Services that have an endpoint each in the official SDKs.
const SERVICES: [&str; 4] = ["CSMS", "KMS", "IAM", "STS"];

/// Says who calls or where to: with one of these left over from elsewhere, a program would be half at the emulator.
const MISLEADING: [&str; 35] = [
    "CSMS_AUTH_TOKEN",
    "CSMS_LOCAL",
    "CSMS_LOCAL_DATA",
    "CSMS_PROFILE",
    "CSMS_PROJECT_ID",
    "CSMS_PROXY",
    "CSMS_SECURITY_TOKEN",
    "HUAWEICLOUD_SDK_DOMAIN_ID",
    "HUAWEICLOUD_SDK_IDP_ID",
    "HUAWEICLOUD_SDK_ID_TOKEN_FILE",
    "HUAWEICLOUD_SDK_PROJECT_ID",
    "HUAWEICLOUD_SDK_REGIONS_FILE",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "HUAWEICLOUD_OIDC_AGENCY_URN",
    "HUAWEICLOUD_OIDC_ID_TOKEN",
    "HUAWEICLOUD_OIDC_PROVIDER_URN",
    "HUAWEICLOUD_OIDC_TOKEN_FILE",
    "HW_ASSUME_ROLE_AGENCY_NAME",
    "HW_AUTH_TOKEN",
    "HW_DOMAIN_ID",
    "HW_DOMAIN_NAME",
    "HW_PROFILE",
    "HW_PROJECT_ID",
    "HW_PROJECT_NAME",
    "HW_SECURITY_TOKEN",
    "HW_SHARED_CONFIG_FILE",
    "OS_AUTH_TOKEN",
    "OS_DOMAIN_ID",
    "OS_DOMAIN_NAME",
    "OS_PROJECT_ID",
    "OS_PROJECT_NAME",
    "OS_TENANT_ID",
    "OS_TENANT_NAME",
    "OS_USER_DOMAIN_ID",
    "OS_USER_DOMAIN_NAME",
];

/// What one kind of program reads.
pub(super) struct Group {
    /// Which programs.
    pub(super) title: &'static str,
    /// What has to be done besides, if anything.
    pub(super) note: Vec<String>,
    pub(super) variables: Vec<(String, String)>,
}

/// The variables for all kinds of programs, of which no name stands twice.
pub(super) fn groups(emulator: &Emulator, endpoint: &str, ca: Option<&Path>) -> Vec<Group> {
    let regions = emulator.regions();
    let (access_key, secret_key) = emulator.keys();
    let ca = ca.map(|path| path.display().to_string());
    let with_ca = |mut pairs: Vec<(String, String)>, names: &[&str]| {
        let named = ca.iter().flat_map(|path| names.iter().map(move |name| ((*name).to_owned(), path.clone())));
        pairs.extend(named);
        pairs
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<_> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };

    let anywhere = format!("{endpoint}/{{region}}");
    let csms = pairs(&[
        ("CSMS_REGION", &regions[0]),
        ("CSMS_ACCESS_KEY", access_key),
        ("CSMS_SECRET_KEY", secret_key),
        ("CSMS_ENDPOINT", &anywhere),
        ("CSMS_IAM_ENDPOINT", &anywhere),
        ("CSMS_STS_ENDPOINT", &anywhere),
    ]);

    let mut sdks = pairs(&[
        ("HUAWEICLOUD_SDK_AK", access_key),
        ("HUAWEICLOUD_SDK_SK", secret_key),
        ("HUAWEICLOUD_SDK_IAM_ENDPOINT", endpoint),
        ("HUAWEICLOUD_SDK_STS_ENDPOINT", endpoint),
    ]);
    for region in regions {
        let suffix = region.to_ascii_uppercase().replace('-', "_");
        let names = SERVICES.iter().map(|service| format!("HUAWEICLOUD_SDK_REGION_{service}_{suffix}"));
        sdks.extend(names.map(|name| (name, format!("{endpoint}/{region}"))));
    }

    let auth_url = format!("{endpoint}/v3");
    let terraform = pairs(&[
        ("HW_REGION_NAME", &regions[0]),
        ("HW_ACCESS_KEY", access_key),
        ("HW_SECRET_KEY", secret_key),
        ("HW_AUTH_URL", &auth_url),
        // Services that are not in the provider block would be looked for in the real cloud.
        ("HW_CLOUD", "csms-emulator.invalid"),
        ("SKIP_CHECK_UPGRADE", "true"),
    ]);
    let address = format!("{endpoint}/{}", regions[0]);
    let block = ["kms", "csms", "iam", "sts"].map(|service| format!("  {service} = \"{address}\""));
    let note = ["It has no variables for endpoints; its provider block needs:".to_owned(), "endpoints = {".to_owned()];
    let note = note.into_iter().chain(block).chain(["}".to_owned()]).collect();

    vec![
        Group { title: "csms", note: Vec::new(), variables: with_ca(csms, &["CSMS_CA_FILE"]) },
        Group {
            title: "The official SDKs",
            note: Vec::new(),
            variables: with_ca(sdks, &["REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]),
        },
        Group { title: "Terraform", note, variables: with_ca(terraform, &["OS_CACERT"]) },
    ]
}

/// Variables that are set here and lead elsewhere.
pub(super) fn misleading() -> Vec<&'static str> {
    MISLEADING.into_iter().filter(|name| std::env::var_os(name).is_some()).collect()
}

/// Hosts to be reached without the proxy, those named already first; `None` where there is no proxy.
pub(super) fn no_proxy(host: &str) -> Option<Vec<(String, String)>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    proxies.into_iter().find_map(variable)?;
    let named = variable("NO_PROXY").or_else(|| variable("no_proxy"));
    let value = named.map_or_else(|| host.to_owned(), |named| format!("{named},{host}"));
    // Programs differ in which of the two they read.
    Some(["NO_PROXY", "no_proxy"].map(|name| (name.to_owned(), value.clone())).to_vec())
}
