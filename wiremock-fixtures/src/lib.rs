//! Recorded exchanges of every CSMS, KMS and IAM operation, mounted on [`wiremock`].
//!
//! Each operation has at least one good answer and one error. They stand in files a person can read,
//! `csms/<Operation>/<case>.json` and so on, written after the API reference rather than after any client,
//! so that they judge clients independently. No value in them was ever a real secret.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let server = wiremock::MockServer::start().await;
//! let fixture = wiremock_fixtures::find("csms/CreateSecret/minimal").expect("recorded");
//! fixture.mount(&server).await;
//!
//! // Here the client under test, its endpoint set to `server.uri()`, sends `fixture.input`
//! // and decodes `fixture.response.body`.
//! assert_eq!(fixture.input["name"], "demo");
//! assert_eq!(fixture.response.status, 200);
//! # }
//! ```
//!
//! [`Fixture::mock`] accepts any credentials and any project. [`Fixture::strict_mock`] also wants the signed
//! headers and a valid signature, so the client has to use the recorded context: [`ACCESS_KEY`], [`SECRET_KEY`],
//! [`PROJECT_ID`], [`REGION`] and a clock that stands at [`UNIX_TIME`].
//!
//! Errors come in every form the services are known to use: flat and nested, with the gateway's request id, with a
//! numeric code (`iam/`), with `encoded_authorization_message` (`permission-denied`), in camel case
//! (`kms/CreateKeyPolicy/invalid-parameter`), as `code` and `message` (`kms/ListTrustedKeySpace/system-exception`), in a list
//! (`kms/UpdateKeyDescription/invalid-description`), with `details` (`csms/UpdateSecretsConfig/details`), as HTML
//! (`csms/ShowSecretVersion/bad-gateway`), as plain text (`sts/GetCallerIdentity/not-json`) and empty
//! (`kms/DecryptData/empty-body`).
//!
//! When a mock does not answer, [`Fixture::check`] tells what the request lacks:
//!
//! ```no_run
//! # async fn f(server: wiremock::MockServer, fixture: &wiremock_fixtures::Fixture) {
//! for request in server.received_requests().await.unwrap_or_default() {
//!     assert_eq!(fixture.check(&request), Ok(()));
//! }
//! # }
//! ```

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};

mod check;
mod escape;
mod fixture;
mod signature;

pub use fixture::{Fixture, RecordedRequest, RecordedResponse};
pub use signature::verify_signature;

/// Access key the recorded requests are signed with.
pub const ACCESS_KEY: &str = "FIXTUREACCESSKEY0001";
/// Secret key of [`ACCESS_KEY`]; a made-up text.
pub const SECRET_KEY: &str = "FixtureSecretKey/0123456789+abcdefABCDEF";
/// Project of the recorded requests, in their paths and in `X-Project-Id`.
pub const PROJECT_ID: &str = "0123456789abcdef0123456789abcdef";
/// Region of the recorded hosts.
pub const REGION: &str = "cn-north-4";
/// Value of `X-Sdk-Date` in the recorded requests.
pub const TIMESTAMP: &str = "20260102T030405Z";
/// [`TIMESTAMP`] in seconds since 1970.
pub const UNIX_TIME: u64 = 1_767_323_045;

static CSMS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/csms");
static KMS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/kms");
static IAM: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/iam");

/// Parsed once, at the first look-up, in the order of their folders.
static FIXTURES: LazyLock<Vec<Fixture>> = LazyLock::new(|| {
    files().map(|(path, text)| Fixture::parse(text).unwrap_or_else(|error| panic!("fixture {path}: {error}"))).collect()
});

/// Every fixture: CSMS, KMS, then IAM with STS; by operation and case.
pub fn all() -> &'static [Fixture] {
    &FIXTURES
}

/// The fixture of a full name such as `csms/CreateSecret/success`.
pub fn find(name: &str) -> Option<&'static Fixture> {
    let (operation, case) = name.rsplit_once('/')?;
    of(operation).find(|fixture| fixture.case == case)
}

/// The fixtures of one operation such as `csms/CreateSecret` or `sts/AssumeAgency`.
pub fn of(operation: &str) -> impl Iterator<Item = &'static Fixture> {
    all().iter().filter(move |fixture| fixture.operation == operation)
}

/// Mounts every good answer, so that each operation can be called with the input of any of its good cases.
pub async fn mount_success(server: &wiremock::MockServer) {
    for fixture in all().iter().filter(|fixture| fixture.is_success()) {
        fixture.mount(server).await;
    }
}

/// Path and text of every embedded file.
fn files() -> impl Iterator<Item = (String, &'static str)> {
    [("csms", &CSMS), ("kms", &KMS), ("iam", &IAM)].into_iter().flat_map(|(service, folder)| {
        let mut files: Vec<_> = folder.dirs().flat_map(Dir::files).collect();
        files.sort_by_key(|file| file.path());
        files.into_iter().map(move |file| {
            let path = format!("{service}/{}", file.path().display());
            (path, file.contents_utf8().unwrap_or_default())
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn every_file_parses_and_is_named_after_its_content() {
        for (path, text) in files() {
            let fixture = Fixture::parse(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            let folder = if fixture.service() == "sts" { "iam" } else { fixture.service() };
            let expected = format!("{folder}/{}/{}.json", fixture.name(), fixture.case);
            assert_eq!(path.replace('\\', "/"), expected);
        }
    }

    #[test]
    fn every_operation_has_a_success_and_an_error() {
        let mut operations: BTreeMap<&str, Vec<&Fixture>> = BTreeMap::new();
        for fixture in all() {
            operations.entry(&fixture.operation).or_default().push(fixture);
        }
        for (operation, fixtures) in &operations {
            assert!(
                fixtures.iter().any(|fixture| fixture.case == "success" && fixture.is_success()),
                "{operation} has no success"
            );
            assert!(fixtures.iter().any(|fixture| !fixture.is_success()), "{operation} has no error");
        }
        let count = |service: &str| operations.keys().filter(|operation| operation.starts_with(service)).count();
        assert_eq!([count("csms/"), count("kms/"), count("iam/"), count("sts/")], [51, 78, 12, 3]);
    }

    #[test]
    fn a_case_named_success_or_minimal_answers_well_and_no_other() {
        for fixture in all() {
            let good = fixture.case.starts_with("success") || fixture.case == "minimal";
            assert_eq!(fixture.is_success(), good, "{}/{}", fixture.operation, fixture.case);
        }
    }

    #[test]
    fn good_requests_differ_so_that_all_can_be_mounted_together() {
        let mut seen = HashSet::new();
        for fixture in all().iter().filter(|fixture| fixture.is_success()) {
            let request = &fixture.request;
            let key = format!("{} {} {:?} {:?}", request.method, request.path, request.query, request.body);
            assert!(seen.insert(key), "{}/{} repeats a request", fixture.operation, fixture.case);
        }
    }

    #[test]
    fn the_input_is_what_the_request_carries() {
        for fixture in all() {
            let name = format!("{}/{}", fixture.operation, fixture.case);
            let request = &fixture.request;
            for (field, value) in &fixture.input {
                let in_body = request.body.as_ref().is_some_and(|body| body.get(field) == Some(value));
                let text = value.as_str().unwrap_or_default();
                let in_query = request.query.get(field).is_some_and(|sent| sent == text);
                let in_header = request.headers.get(&field.to_ascii_lowercase()).is_some_and(|sent| sent == text);
                let in_path = request
                    .path
                    .split('/')
                    .any(|segment| !text.is_empty() && escape::decode(segment) == text.as_bytes());
                assert!(in_body || in_query || in_header || in_path, "{name}: {field} is not sent");
            }
            let body_fields = request.body.iter().flat_map(|body| body.as_object());
            for field in body_fields.flat_map(serde_json::Map::keys).chain(request.query.keys()) {
                assert!(fixture.input.contains_key(field), "{name}: {field} is not in the input");
            }
        }
    }

    #[tokio::test]
    async fn mounted_fixtures_answer_as_recorded() {
        let server = wiremock::MockServer::start().await;
        mount_success(&server).await;
        for name in [
            "csms/DeleteSecretTag/success",
            "kms/ListKmsByTags/success",
            "kms/ImportKeyMaterial/success",
            "iam/KeystoneCreateUserTokenByPassword/success",
        ] {
            answers_as_recorded(&server, find(name).expect(name));
        }
        for name in [
            "csms/ShowSecretVersion/bad-gateway",
            "kms/DecryptData/empty-body",
            "iam/KeystoneListProjects/expired-signature",
        ] {
            let server = wiremock::MockServer::start().await;
            let fixture = find(name).expect(name);
            fixture.mount(&server).await;
            answers_as_recorded(&server, fixture);
        }
    }

    /// Sends the recorded request over a plain socket and compares status line, headers and body.
    fn answers_as_recorded(server: &wiremock::MockServer, fixture: &Fixture) {
        let (request, response) = (&fixture.request, &fixture.response);
        let query: Vec<_> = request.query.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let body = request.body.as_ref().map_or(String::new(), |body| body.to_string());
        let mut stream = TcpStream::connect(server.address()).expect("the server listens");
        write!(
            stream,
            "{} {}?{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            request.method,
            request.path,
            query.join("&"),
            body.len()
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");

        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with(&format!("http/1.1 {} ", response.status)), "{head}");
        for (name, value) in &response.headers {
            let line = format!("\r\n{name}: {}", value.to_ascii_lowercase());
            assert_eq!(head.matches(&line).count(), 1, "{name} in {head}");
        }
        match &response.body {
            None => assert_eq!(body, ""),
            Some(serde_json::Value::String(text)) => assert_eq!(body, text),
            Some(value) => assert_eq!(serde_json::from_str::<serde_json::Value>(body).expect("JSON"), *value),
        }
    }

    #[test]
    fn the_fixtures_named_in_the_docs_exist() {
        for name in [
            "kms/CreateKeyPolicy/invalid-parameter",
            "kms/ListTrustedKeySpace/system-exception",
            "kms/UpdateKeyDescription/invalid-description",
            "csms/UpdateSecretsConfig/details",
            "csms/ShowSecretVersion/bad-gateway",
            "sts/GetCallerIdentity/not-json",
            "kms/DecryptData/empty-body",
        ] {
            assert!(find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_fixture_is_found_by_its_name() {
        let fixture = find("sts/AssumeAgency/minimal").expect("recorded");
        assert_eq!((fixture.service(), fixture.name()), ("sts", "AssumeAgency"));
        assert!(find("csms/CreateSecret/no-such-case").is_none());
        assert!(find("no slash").is_none());
    }
}
