//! The published endpoints, as data.

use crate::operation::Service;

/// Regions that offer CSMS and KMS under `https://kms.<region>.<suffix>`.
const BOTH: &[&str] = &[
    "ae-ad-1",
    "af-north-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-11",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-southwest-2",
    "cn-southwest-3",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "sa-brazil-1",
    "tr-west-1",
    // In the lists of KMS only; the shared host serves CSMS there too.
    "cn-south-4",
    "eu-west-101",
];

/// Regions with an IAM of their own; the others use the common one.
const IAM: &[&str] = &[
    "ae-ad-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-southwest-2",
    "eu-west-0",
    "eu-west-101",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "sa-brazil-1",
    "tr-west-1",
];

/// Regions with an STS of their own; the others use that of `cn-north-4`.
const STS: &[&str] = &[
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-east-3",
    "cn-north-4",
    "cn-south-1",
    "cn-southwest-2",
    "la-south-2",
    "sa-brazil-1",
    "tr-west-1",
];

const COMMON_IAM: &str = "https://iam.myhuaweicloud.com";
const COMMON_STS: &str = "https://sts.cn-north-4.myhuaweicloud.com";

/// The regions that are known to offer a service. Others can be used as well.
#[must_use]
pub fn known(service: Service) -> &'static [&'static str] {
    match service {
        Service::Csms | Service::Kms => BOTH,
        Service::Iam => IAM,
        Service::Sts => STS,
    }
}

/// The endpoint of a service in a region.
pub(super) fn endpoint(service: Service, region: &str) -> String {
    // The European site is a cloud of its own, with accounts of its own.
    let europe = region.starts_with("eu-west-1");
    let suffix = if europe { "myhuaweicloud.eu" } else { "myhuaweicloud.com" };
    match service {
        Service::Csms | Service::Kms => format!("https://kms.{region}.{suffix}"),
        Service::Iam if europe || IAM.contains(&region) => format!("https://iam.{region}.{suffix}"),
        Service::Iam => COMMON_IAM.to_owned(),
        Service::Sts if europe || STS.contains(&region) => format!("https://sts.{region}.{suffix}"),
        Service::Sts => COMMON_STS.to_owned(),
    }
}

/// The endpoint of a service that does not depend on a region.
pub(super) fn endpoint_without_region(service: Service) -> Option<&'static str> {
    match service {
        Service::Csms | Service::Kms => None,
        Service::Iam => Some(COMMON_IAM),
        Service::Sts => Some(COMMON_STS),
    }
}
