//! Signing agrees, step by step, with what the vendor's own signers produce, and keeps its promises on any input.
#![allow(clippy::unwrap_used, reason = "a test may fail on unexpected data")]

use std::collections::BTreeMap;

use csms_sdk::sign::{
    self, Payload, Request, SigningKey, canonical_query, canonical_request, payload_hash, string_to_sign,
};
use proptest::prelude::*;
use serde_json::Value;
use url::Url;

#[test]
fn every_step_of_sdk_hmac_sha256_agrees() {
    let cases = cases(include_str!("vectors/signing.json"));
    assert_eq!(cases.len(), 53);
    for case in &cases {
        check(case, SigningKey::sdk);
    }
}

#[test]
fn every_step_of_v11_hmac_sha256_agrees() {
    let cases = cases(include_str!("vectors/signing_v11.json"));
    assert_eq!(cases.len(), 5);
    for case in &cases {
        let date = &text(case, "timestamp")[..8];
        check(case, |access_key, secret_key| {
            let (region, service) = (text(case, "region_id"), text(case, "service"));
            SigningKey::v11(access_key, secret_key, date, region, service)
        });
    }
}

fn cases(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap()
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap()
}

fn check(case: &Value, key: impl Fn(&str, &[u8]) -> SigningKey) {
    let key = key(text(case, "ak"), text(case, "sk").as_bytes());
    check_step(case, &key, &case["expected"], |_| true);
    if let Some(expected) = case.get("expected_content_type_unsigned") {
        check_step(case, &key, expected, |name| !name.eq_ignore_ascii_case("content-type"));
    }
}

/// Signs the headers of `case` for which `is_signed`, and compares everything `expected` has.
fn check_step(case: &Value, key: &SigningKey, expected: &Value, is_signed: fn(&str) -> bool) {
    let name = text(case, "name");
    let timestamp = text(case, "timestamp");

    // The vendor's signer adds headers of its own to the caller's.
    let headers = [&case["headers"], &case["expected"]["added_headers"]]
        .into_iter()
        .flat_map(|headers| headers.as_object().unwrap())
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .filter(|(name, _)| is_signed(name))
        .collect::<BTreeMap<_, _>>();
    let headers: Vec<_> = headers.into_iter().collect();

    let body = match case.get("body_base64") {
        Some(encoded) => base64(encoded.as_str().unwrap()),
        None => text(case, "body").as_bytes().to_vec(),
    };
    // Both the unsigned payload and the caller's own hash are signed as that header has them.
    let given_hash = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-sdk-content-sha256"));
    let computed = payload_hash(&body);
    let hash = given_hash.map_or(computed.as_str(), |(_, value)| value);
    assert_eq!(hash, text(&case["expected"], "payload_hash"), "{name}");
    let payload = given_hash.map_or(Payload::Bytes(&body), |(_, value)| Payload::Digest(value));

    let url = Url::parse(text(case, "url")).unwrap();
    let parsed = Request::from_url(text(case, "method"), &url, &headers, payload);
    let raw_query = text(case, "url").split_once('?').map_or("", |(_, query)| query);
    let raw = Request { path: text(case, "path"), query: raw_query, ..parsed };
    let hashed_before = Request { payload: Payload::Digest(hash), ..parsed };
    for request in [parsed, raw, hashed_before] {
        let canonical = canonical_request(&request);
        assert_eq!(canonical, text(expected, "canonical_request"), "{name}");
        let signed_headers = canonical.lines().rev().nth(1).unwrap();
        assert_eq!(signed_headers, text(expected, "signed_headers"), "{name}");
        let to_sign = string_to_sign(key, &request, timestamp);
        assert_eq!(to_sign, text(expected, "string_to_sign"), "{name}");
        let authorization = sign::sign(key, &request, timestamp);
        assert_eq!(authorization, text(expected, "authorization"), "{name}");
        let (_, signature) = authorization.split_once("Signature=").unwrap();
        assert_eq!(signature, text(expected, "signature"), "{name}");
    }

    let target = text(&case["expected"], "request_target");
    let sent_query = target.split_once('?').map_or("", |(_, query)| query);
    assert_eq!(canonical_query(raw_query), sent_query, "{name}");
}

fn base64(encoded: &str) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.decode(encoded).unwrap()
}

fn key() -> SigningKey {
    SigningKey::sdk("EXAMPLEACCESSKEY0001", b"ExampleSecretKey")
}

fn request<'a>(path: &'a str, query: &'a str, headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: "GET", path, query, headers, payload: Payload::Bytes(b"") }
}

fn authorization(query: &str, headers: &[(String, String)]) -> String {
    let headers: Vec<_> = headers.iter().map(|(n, v)| (&n[..], &v[..])).collect();
    sign::sign(&key(), &request("/v1/x", query, &headers), "20260102T030405Z")
}

/// Text rich in what the canonical form treats specially.
fn url_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "([a-c~/+=&]|%[0-9a-fA-FxX%]{0,3}|密| ){0,12}"]
}

/// A list and the same list in another order.
fn shuffled<T: Clone + std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = (Vec<T>, Vec<T>)> {
    prop::collection::vec(item, 0..8).prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle()))
}

proptest! {
    #[test]
    fn any_text_is_signed_without_panic(
        method in any::<String>(),
        path in url_text(),
        query in url_text(),
        headers in prop::collection::vec(any::<(String, String)>(), 0..6),
        hash in any::<String>(),
        timestamp in any::<String>(),
    ) {
        let headers: Vec<_> = headers.iter().map(|(n, v)| (&n[..], &v[..])).collect();
        let payload = Payload::Digest(&hash);
        let request = Request { method: &method, payload, ..request(&path, &query, &headers) };
        let canonical = canonical_request(&request);
        prop_assert!(canonical.ends_with(&hash));
        prop_assert!(sign::sign(&key(), &request, &timestamp).starts_with("SDK-HMAC-SHA256 Access="));
    }

    #[test]
    fn the_canonical_form_is_its_own_canonical_form(path in url_text(), query in url_text()) {
        let once = canonical_request(&request(&path, &query, &[]));
        let mut lines = once.lines().skip(1);
        let (path, query) = (lines.next().unwrap(), lines.next().unwrap());
        prop_assert_eq!(&canonical_request(&request(path, query, &[])), &once);
        prop_assert_eq!(canonical_query(query), query);
    }

    #[test]
    fn the_canonical_path_is_ascii_without_reserved_bytes(path in url_text()) {
        let once = canonical_request(&request(&path, "", &[]));
        let path = once.lines().nth(1).unwrap();
        prop_assert!(path.ends_with('/'));
        prop_assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~/%".contains(&b)), "{path}");
    }

    #[test]
    fn escaped_text_is_already_canonical(text in any::<String>()) {
        let mut query = String::from("k=");
        sign::escape(&mut query, &text);
        prop_assert_eq!(canonical_query(&query), query);
    }

    #[test]
    fn the_order_of_query_pairs_does_not_matter((given, other) in shuffled("([a-c]|%6[1-3]|%2[fF]){0,3}(=[a-b%]{0,3})?")) {
        prop_assert_eq!(authorization(&given.join("&"), &[]), authorization(&other.join("&"), &[]));
    }

    #[test]
    fn the_order_of_headers_does_not_matter((given, other) in shuffled(("[A-Ca-c_-]{1,3}", "[ a-c]{0,3}"))) {
        prop_assert_eq!(authorization("", &given), authorization("", &other));
    }
}
