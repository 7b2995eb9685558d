//! Which region a request is for. One server plays several.

use std::collections::BTreeMap;

use crate::server::Incoming;

/// First labels of the host names under which a region's services are known.
const SERVICE_HOSTS: [&str; 4] = ["kms", "csms", "iam", "sts"];

/// The regions that are played.
#[derive(Clone, Debug)]
pub(crate) struct Regions {
    /// The one that is meant when nothing tells.
    first: String,
    others: Vec<String>,
    by_listener: BTreeMap<usize, String>,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Located<'a> {
    pub(crate) region: &'a str,
    /// The request's path without the region in front, escapes included.
    pub(crate) path: &'a str,
}

impl Regions {
    pub(crate) fn new(first: impl Into<String>, others: impl IntoIterator<Item = String>) -> Self {
        Self { first: first.into(), others: others.into_iter().collect(), by_listener: BTreeMap::new() }
    }

    /// What comes through `listener` and names no region is for `region`.
    pub(crate) fn listener(mut self, listener: usize, region: impl Into<String>) -> Self {
        self.by_listener.insert(listener, region.into());
        self
    }

    /// All of them, the default first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.first).chain(&self.others).map(String::as_str)
    }

    /// The region named by, in this order: the first segment of the path, the host (`kms.REGION.…`), the listener.
    pub(crate) fn locate<'a>(&'a self, incoming: &'a Incoming) -> Located<'a> {
        let path = incoming.path.as_str();
        if let Some((region, path)) = self.in_path(path) {
            return Located { region, path };
        }
        let by_host = || self.in_host(incoming.headers.get(http::header::HOST)?.to_str().ok()?);
        let by_listener = || self.by_listener.get(&incoming.listener).map(String::as_str);
        Located { region: by_host().or_else(by_listener).unwrap_or(&self.first), path }
    }

    fn in_path<'a>(&'a self, path: &'a str) -> Option<(&'a str, &'a str)> {
        let segment = path.strip_prefix('/')?.split('/').next()?;
        let rest = &path[1 + segment.len()..];
        Some((self.known(segment)?, if rest.is_empty() { "/" } else { rest }))
    }

    fn in_host(&self, host: &str) -> Option<&str> {
        let mut labels = host.split(['.', ':']);
        let service = labels.next()?;
        SERVICE_HOSTS.iter().find(|known| known.eq_ignore_ascii_case(service))?;
        self.known(&labels.next()?.to_ascii_lowercase())
    }

    fn known(&self, name: &str) -> Option<&str> {
        self.iter().find(|region| *region == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::tests::incoming;

    #[test]
    fn path_goes_before_host_before_listener() {
        let regions = Regions::new("cn-north-4", ["ap-southeast-1".to_owned(), "my-1".to_owned()]).listener(1, "my-1");
        for (path, host, listener, region, rest) in [
            ("/v1/p/secrets", "localhost:1", 0, "cn-north-4", "/v1/p/secrets"),
            ("/v1/p/secrets", "localhost:1", 1, "my-1", "/v1/p/secrets"),
            ("/v1/p/secrets", "KMS.ap-southeast-1.example.com:8443", 1, "ap-southeast-1", "/v1/p/secrets"),
            ("/v1/p/secrets", "iam.my-1", 0, "my-1", "/v1/p/secrets"),
            ("/v1/p/secrets", "obs.my-1.example.com", 0, "cn-north-4", "/v1/p/secrets"),
            ("/v1/p/secrets", "kms.unknown.example.com", 1, "my-1", "/v1/p/secrets"),
            ("/my-1/v1/p%2F/", "kms.ap-southeast-1.example.com", 0, "my-1", "/v1/p%2F/"),
            ("/my-1", "localhost", 0, "my-1", "/"),
            ("/my-10/v1", "localhost", 0, "cn-north-4", "/my-10/v1"),
            ("/", "localhost", 0, "cn-north-4", "/"),
        ] {
            let mut incoming = incoming("GET", path, &[("host", host)], b"");
            incoming.listener = listener;
            assert_eq!(regions.locate(&incoming), Located { region, path: rest }, "{path} {host} {listener}");
        }
    }
}
