//! Compares a request received with a recorded one.

use std::collections::BTreeMap;

use serde_json::Value;
use wiremock::Request;

use crate::fixture::RecordedRequest;
use crate::signature::{self, Authorization};
use crate::{ACCESS_KEY, PROJECT_ID, SECRET_KEY, escape};

/// Method, path, query and body.
pub(crate) fn content(recorded: &RecordedRequest, request: &Request) -> Result<(), String> {
    if request.method.as_str() != recorded.method {
        return Err(format!("method is {}, recorded is {}", request.method, recorded.method));
    }
    if !same_path(&recorded.path, request.url.path()) {
        return Err(format!("path is {}, recorded is {}", request.url.path(), recorded.path));
    }
    let mut query = escape::pairs(request.url.query().unwrap_or_default());
    query.sort();
    let expected = recorded.query.iter().map(|(name, value)| {
        let pair: (Vec<u8>, Vec<u8>) = (name.clone().into(), value.clone().into());
        pair
    });
    if !query.into_iter().eq(expected) {
        return Err(format!(
            "query is {:?}, recorded is {:?}",
            request.url.query().unwrap_or_default(),
            recorded.query
        ));
    }
    match &recorded.body {
        None if request.body.is_empty() => Ok(()),
        None => Err("there is a body, none is recorded".into()),
        Some(expected) => match serde_json::from_slice::<Value>(&request.body) {
            Ok(body) if body == *expected => Ok(()),
            Ok(body) => Err(format!("body is {body}, recorded is {expected}")),
            Err(error) => Err(format!("body is not JSON: {error}")),
        },
    }
}

/// The recorded headers, and the signature where one is recorded.
pub(crate) fn authentication(recorded: &RecordedRequest, request: &Request) -> Result<(), String> {
    let headers = &recorded.headers;
    for (name, expected) in headers.iter().filter(|(name, _)| *name != "host") {
        match request.headers.get(name).map(|value| value.to_str()) {
            Some(Ok(value)) if value == expected => {}
            Some(value) => {
                return Err(format!("header {name} is {value:?}, recorded is {expected}"));
            }
            None => return Err(format!("header {name} is missing")),
        }
    }
    if headers.contains_key("x-sdk-date") {
        signed_as_recorded(headers, request)
    } else if request.headers.contains_key("x-sdk-date")
        || (request.headers.contains_key("authorization") && !headers.contains_key("authorization"))
    {
        Err("the request is signed, recorded is an unsigned one".into())
    } else {
        Ok(())
    }
}

fn signed_as_recorded(headers: &BTreeMap<String, String>, request: &Request) -> Result<(), String> {
    let authorization = Authorization::of(request)?;
    if authorization.access_key != ACCESS_KEY {
        return Err(format!("access key is {}, recorded is {ACCESS_KEY}", authorization.access_key));
    }
    if !authorization.signed_headers.split(';').eq(headers.keys()) {
        let names: Vec<_> = headers.keys().map(String::as_str).collect();
        return Err(format!("signed headers are {}, recorded are {}", authorization.signed_headers, names.join(";")));
    }
    signature::verify_signature(request, SECRET_KEY)
}

/// Compares decoded segments; any project id will do where the recorded one stands.
fn same_path(recorded: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    recorded.split('/').all(|expected| {
        segments.next().is_some_and(|segment| {
            if expected == PROJECT_ID {
                !segment.is_empty()
            } else {
                escape::decode(segment) == escape::decode(expected)
            }
        })
    }) && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap fails the test, as it should

    use wiremock::http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;
    use crate::{Fixture, all, find, signature::canonical_request};

    /// The request as a client would send it, signed with the recorded keys.
    fn sent(fixture: &Fixture) -> Request {
        let recorded = &fixture.request;
        let query: Vec<_> = recorded
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", escape::encode(name.as_bytes()), escape::encode(value.as_bytes())))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("http://localhost{}{mark}{}", recorded.path, query.join("&"));
        let mut headers = HeaderMap::new();
        for (name, value) in &recorded.headers {
            headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        }
        let mut request = Request {
            url: url.parse().unwrap(),
            method: recorded.method.parse().unwrap(),
            headers,
            body: recorded.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        };
        if recorded.headers.contains_key("x-sdk-date") {
            let names: Vec<_> = recorded.headers.keys().map(String::as_str).collect();
            let signed_headers = names.join(";");
            let canonical = canonical_request(&request, &signed_headers).unwrap();
            let signature = signature::sign(&canonical, crate::TIMESTAMP, SECRET_KEY);
            let value =
                format!("SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={signed_headers}, Signature={signature}");
            request.headers.insert("authorization", value.parse().unwrap());
        }
        request
    }

    #[test]
    fn every_recorded_request_passes_its_own_checks() {
        for fixture in all() {
            let result = fixture.check_strictly(&sent(fixture));
            assert_eq!(result, Ok(()), "{}/{}", fixture.operation, fixture.case);
        }
    }

    #[test]
    fn another_project_passes_and_another_segment_fails() {
        let fixture = find("csms/ShowSecret/success").unwrap();
        let mut request = sent(fixture);
        request.url.set_path("/v1/ffffffffffffffffffffffffffffffff/secrets/demo");
        assert_eq!(fixture.check(&request), Ok(()));
        for path in ["/v1/f/secrets/demo2", "/v1/f/secrets", "/v1/f/secrets/demo/", "/v1//secrets/demo"] {
            request.url.set_path(path);
            assert!(fixture.check(&request).is_err(), "{path}");
        }
    }

    #[test]
    fn a_missing_or_added_query_parameter_fails() {
        let fixture = find("csms/ListSecrets/success").unwrap();
        for query in [
            "limit=2&marker=alpha",
            "limit=2&marker=alpha&event_name=demo-event&x=",
            "limit=2&limit=2&marker=alpha&event_name=demo-event",
        ] {
            let mut request = sent(fixture);
            request.url.set_query(Some(query));
            assert!(fixture.check(&request).is_err(), "{query}");
        }
    }

    #[test]
    fn a_body_where_none_is_recorded_fails() {
        let fixture = find("csms/RestoreSecret/success").unwrap();
        let mut request = sent(fixture);
        request.body = b"{}".to_vec();
        assert!(fixture.check(&request).is_err());
    }

    #[test]
    fn strictness_covers_key_headers_and_signature() {
        let fixture = find("csms/CreateSecret/success").unwrap();
        for (name, value) in [
            ("x-sdk-date", "20260102T030406Z"),
            ("content-type", "text/plain"),
            ("x-project-id", "ffffffffffffffffffffffffffffffff"),
            ("host", "another.example.com"),
            ("authorization", "SDK-HMAC-SHA256 Access=OTHER, SignedHeaders=x-sdk-date, Signature=00"),
        ] {
            let mut request = sent(fixture);
            request.headers.insert(name, value.parse().unwrap());
            assert!(fixture.check_strictly(&request).is_err(), "{name}");
            assert_eq!(fixture.check(&request), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_signature_on_an_unsigned_exchange_fails() {
        let fixture = find("iam/KeystoneCreateUserTokenByPassword/success").unwrap();
        let mut request = sent(fixture);
        request.headers.insert("authorization", "SDK-HMAC-SHA256 Access=A".parse().unwrap());
        assert!(fixture.check_strictly(&request).is_err());
    }
}
