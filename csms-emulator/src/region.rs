//! Which region a request is for. One server plays several.

use crate::server::Incoming;

/// First labels of the host names under which a region's services are known.
const SERVICE_HOSTS: [&str; 4] = ["kms", "csms", "iam", "sts"];

/// The regions that are played.
#[derive(Clone, Debug)]
pub(crate) struct Regions {
    /// The one that is meant when nothing tells.
    first: String,
    others: Vec<String>,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Located<'a> {
    /// Nothing may tell: the Python SDK drops the path of an endpoint, and knows no host but the one it is given.
    pub(crate) region: Option<&'a str>,
    /// The request's path without the region in front, escapes included.
    pub(crate) path: &'a str,
}

impl Regions {
    pub(crate) fn new(first: impl Into<String>, others: impl IntoIterator<Item = String>) -> Self {
        Self { first: first.into(), others: others.into_iter().collect() }
    }

    /// All of them, the default first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.first).chain(&self.others).map(String::as_str)
    }

    /// The region that is meant when nothing tells.
    pub(crate) fn first(&self) -> &str {
        &self.first
    }

    /// The region named by the first segment of the path, or else by the host (`kms.REGION.…`).
    pub(crate) fn locate<'a>(&'a self, incoming: &'a Incoming) -> Located<'a> {
        let path = incoming.path.as_str();
        if let Some((region, path)) = self.in_path(path) {
            return Located { region: Some(region), path };
        }
        let host = incoming.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        Located { region: host.and_then(|host| self.in_host(host)), path }
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
    fn the_path_goes_before_the_host() {
        let regions = Regions::new("cn-north-4", ["ap-southeast-1".to_owned(), "my-1".to_owned()]);
        for (path, host, region, rest) in [
            ("/v1/p/secrets", "localhost:1", None, "/v1/p/secrets"),
            ("/v1/p/secrets", "KMS.ap-southeast-1.example.com:8443", Some("ap-southeast-1"), "/v1/p/secrets"),
            ("/v1/p/secrets", "iam.my-1", Some("my-1"), "/v1/p/secrets"),
            ("/v1/p/secrets", "obs.my-1.example.com", None, "/v1/p/secrets"),
            ("/v1/p/secrets", "kms.unknown.example.com", None, "/v1/p/secrets"),
            ("/my-1/v1/p%2F/", "kms.ap-southeast-1.example.com", Some("my-1"), "/v1/p%2F/"),
            ("/my-1", "localhost", Some("my-1"), "/"),
            ("/my-10/v1", "localhost", None, "/my-10/v1"),
            ("/", "localhost", None, "/"),
        ] {
            let incoming = incoming("GET", path, &[("host", host)], b"");
            assert_eq!(regions.locate(&incoming), Located { region, path: rest }, "{path} {host}");
        }
    }
}
