//! Who sent a request: checks signatures and tokens as the gateway does. Knows no clock and keeps no keys.

use std::{
    collections::HashMap,
    hint::black_box,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use csms_sdk::sign::{self, Payload, Request, SigningKey, parse_timestamp, timestamp};

use crate::{fault::Fault, server::Incoming};

/// How far a signature's time may be from ours.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// So many wrong signatures in a row are borne; one more locks the key.
const MAX_FAILURES: u32 = 5;
/// How long it is locked.
const LOCK: TimeDelta = TimeDelta::minutes(5);

/// Who sent a request, and what it may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) account_id: String,
    pub(crate) user_id: String,
    pub(crate) user_name: String,
    pub(crate) reach: Reach,
    /// The token or temporary key it came with, as the directory knows it; `None` for permanent keys.
    pub(crate) session: Option<String>,
}

/// The projects that credentials are good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All that the account has: access keys.
    Account,
    /// One: a token that is scoped to it, and temporary keys that such a token bought.
    Project(String),
    /// None: a token that is scoped to an account, or not at all. IAM takes it.
    Nowhere,
}

/// Where keys and tokens are looked up.
pub(crate) trait Keyring {
    fn access_key(&self, id: &str) -> Option<AccessKey<'_>>;
    fn token(&self, token: &str) -> Option<Token>;
}

/// An access key. Has no `Debug`: it holds the secret.
pub(crate) struct AccessKey<'a> {
    pub(crate) secret_key: &'a str,
    /// For temporary keys only.
    pub(crate) session: Option<Session<'a>>,
    pub(crate) identity: Identity,
}

/// What makes an access key temporary. Has no `Debug`: it holds a secret.
pub(crate) struct Session<'a> {
    pub(crate) security_token: &'a str,
    pub(crate) expires: DateTime<Utc>,
}

/// What is known of a token.
pub(crate) struct Token {
    pub(crate) expires: DateTime<Utc>,
    pub(crate) identity: Identity,
}

/// Wrong signatures in a row, per access key; or wrong passwords, per user.
#[derive(Debug, Default)]
pub(crate) struct Lockouts(Mutex<HashMap<String, Failures>>);

#[derive(Debug)]
struct Failures {
    count: u32,
    last: DateTime<Utc>,
}

/// Finds out who sent a request: by its signature if it has an `Authorization` header, else by its token.
///
/// `path` is the request's path without the region in front. A client whose endpoint has that region may sign the
/// path with or without it.
///
/// # Errors
/// 401 in the words of the gateway. A wrong signature is counted in `lockouts`.
pub(crate) fn verify(
    incoming: &Incoming,
    path: &str,
    now: DateTime<Utc>,
    keyring: &dyn Keyring,
    lockouts: &Lockouts,
) -> Result<Identity, Fault> {
    if let Some(authorization) = incoming.header("authorization") {
        let claim = Claim::read(&authorization).ok_or_else(|| refused("Unauthorized"))?;
        return verify_signature(&claim, incoming, path, now, keyring, lockouts);
    }
    let token = incoming.header("x-auth-token").ok_or_else(|| refused("x-auth-token not found"))?;
    let token = keyring.token(&token).ok_or_else(|| refused("decrypt token fail"))?;
    if token.expires <= now {
        return Err(token_expired());
    }
    Ok(token.identity)
}

/// What the gateway says when the credentials of this request have expired, whether they have or not.
pub(crate) fn expired(incoming: &Incoming, now: DateTime<Utc>) -> Fault {
    match incoming.header("x-sdk-date") {
        Some(signed_at) => signature_expired(&signed_at, now),
        None => token_expired(),
    }
}

impl Lockouts {
    pub(crate) fn is_locked(&self, access_key: &str, now: DateTime<Utc>) -> bool {
        self.lock().get(access_key).is_some_and(|failures| failures.count > MAX_FAILURES && failures.is_recent(now))
    }

    pub(crate) fn failed(&self, access_key: &str, now: DateTime<Utc>) {
        let mut all = self.lock();
        let failures = all.entry(access_key.to_owned()).or_insert(Failures { count: 0, last: now });
        if failures.count > MAX_FAILURES {
            failures.count = 0;
        }
        failures.count += 1;
        failures.last = now;
    }

    pub(crate) fn passed(&self, access_key: &str) {
        self.lock().remove(access_key);
    }

    /// Held for a look only, never while a signature is made.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    /// Looks both ways, because the emulator's clock can be told to be off.
    fn is_recent(&self, now: DateTime<Utc>) -> bool {
        (now - self.last).abs() < LOCK
    }
}

/// What an `Authorization` header says.
struct Claim<'a> {
    access_key: &'a str,
    /// Day, region and service, for V11.
    scope: Option<[&'a str; 3]>,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn read(authorization: &'a str) -> Option<Self> {
        let (algorithm, fields) = authorization.trim().split_once(' ')?;
        let field = |name: &str| {
            fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('=').map(str::trim))
        };
        let (access_key, scope) = match algorithm {
            "SDK-HMAC-SHA256" => (field("Access")?, None),
            "V11-HMAC-SHA256" => {
                let mut parts = field("Credential")?.rsplitn(4, '/');
                let (service, region, date) = (parts.next()?, parts.next()?, parts.next()?);
                (parts.next()?, Some([date, region, service]))
            }
            _ => return None,
        };
        let signed_headers = field("SignedHeaders")?.split(';').collect();
        Some(Self { access_key, scope, signed_headers, signature: field("Signature")? })
    }

    fn signs(&self, header: &str) -> bool {
        self.signed_headers.iter().any(|name| name.eq_ignore_ascii_case(header))
    }

    fn key(&self, secret_key: &str) -> SigningKey {
        match self.scope {
            None => SigningKey::sdk(self.access_key, secret_key.as_bytes()),
            Some([date, region, service]) => {
                SigningKey::v11(self.access_key, secret_key.as_bytes(), date, region, service)
            }
        }
    }
}

fn verify_signature(
    claim: &Claim<'_>,
    incoming: &Incoming,
    path: &str,
    now: DateTime<Utc>,
    keyring: &dyn Keyring,
    lockouts: &Lockouts,
) -> Result<Identity, Fault> {
    let id = claim.access_key;
    if lockouts.is_locked(id, now) {
        return Err(refused("AK access failed to reach the limit,forbidden"));
    }
    let unknown = || refused(format!("Get secretKey failed,ak:{id},err:ak not exist"));
    let key = keyring.access_key(id).ok_or_else(unknown)?;
    let date = signed_date(claim, incoming, now)?;
    if let Some(session) = &key.session {
        // Without its security token a temporary key is not to be found.
        let token = incoming.header("x-security-token").ok_or_else(unknown)?;
        if !same(&token, session.security_token) {
            return Err(refused("decrypt token fail"));
        }
        if session.expires <= now {
            return Err(signature_expired(&date, now));
        }
    }
    match check_signature(claim, &claim.key(key.secret_key), incoming, path, &date) {
        Ok(()) => {
            lockouts.passed(id);
            Ok(key.identity)
        }
        Err(canonical) => {
            lockouts.failed(id, now);
            let quoted = canonical.replace('\n', "|");
            Err(refused(format!("verify aksk signature fail, canonicalRequest:{quoted}")))
        }
    }
}

/// The time of the signature as the request has it, if it is signed and near enough to `now`.
fn signed_date(claim: &Claim<'_>, incoming: &Incoming, now: DateTime<Utc>) -> Result<String, Fault> {
    let date = incoming.header("x-sdk-date").filter(|_| claim.signs("x-sdk-date"));
    let date = date.ok_or_else(|| refused("verify aksk signature fail, x-sdk-date is not signed"))?;
    let time = parse_timestamp(&date)
        .ok_or_else(|| refused("verify aksk signature fail, x-sdk-date is not of the form YYYYMMDDTHHMMSSZ"))?;
    if (now - time).abs() > WINDOW {
        return Err(signature_expired(&date, now));
    }
    match claim.scope {
        Some([day, ..]) if !date.starts_with(day) => {
            Err(refused("verify aksk signature fail, the credential is of another day than x-sdk-date"))
        }
        _ => Ok(date),
    }
}

/// Signs the request anew, as its own list of headers says. Fails with the canonical request.
fn check_signature(
    claim: &Claim<'_>,
    key: &SigningKey,
    incoming: &Incoming,
    path: &str,
    date: &str,
) -> Result<(), String> {
    let values: Vec<_> = claim.signed_headers.iter().map(|name| incoming.header(name).unwrap_or_default()).collect();
    let headers: Vec<_> = claim.signed_headers.iter().copied().zip(values.iter().map(String::as_str)).collect();
    let given_hash = incoming.header("x-sdk-content-sha256").filter(|_| claim.signs("x-sdk-content-sha256"));
    let mut payloads = vec![Payload::Bytes(&incoming.body)];
    if let Some(hash) = &given_hash {
        payloads.insert(0, Payload::Digest(hash));
        // With an empty body one of the official SDKs sends that header but does not sign its value as the hash.
        payloads.truncate(if incoming.body.is_empty() { 2 } else { 1 });
    }
    let mut paths = vec![incoming.path.as_str(), path];
    paths.dedup();
    let request = Request {
        method: incoming.method.as_str(),
        path: paths[0],
        query: &incoming.query,
        headers: &headers,
        payload: payloads[0],
    };
    let mut spellings = paths.iter().flat_map(|&path| payloads.iter().map(move |&payload| (path, payload)));
    let is_right = |(path, payload)| {
        let expected = sign::sign(key, &Request { path, payload, ..request }, date);
        expected.rsplit_once("Signature=").is_some_and(|(_, signature)| same(signature, claim.signature))
    };
    if spellings.any(is_right) { Ok(()) } else { Err(sign::canonical_request(&request)) }
}

/// Compares in a time that does not tell where the difference is.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let difference = a.bytes().zip(b.bytes()).fold(0, |difference, (a, b)| black_box(difference | (a ^ b)));
    a.len() == b.len() && difference == 0
}

fn refused(why: impl AsRef<str>) -> Fault {
    Fault::new(401, "APIGW.0301", format!("Incorrect IAM authentication information: {}", why.as_ref()))
}

/// Said of a clock that is off as of temporary keys that have expired.
fn signature_expired(signed_at: &str, now: DateTime<Utc>) -> Fault {
    let now = timestamp(now);
    refused(format!("calc aksk signature fail:signature expired, signature time:{signed_at},server time:{now}"))
}

fn token_expired() -> Fault {
    Fault::new(401, "APIGW.0307", "The token must be updated")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
pub(crate) mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::server::tests::incoming;

    const NOW: &str = "20260102T030405Z";

    fn time(text: &str) -> DateTime<Utc> {
        parse_timestamp(text).unwrap()
    }

    fn somebody() -> Identity {
        Identity {
            account_id: "d".into(),
            user_id: "u".into(),
            user_name: "somebody".into(),
            reach: Reach::Account,
            session: None,
        }
    }

    /// A permanent key, temporary ones good and expired, a token good and expired.
    pub(crate) struct Ring;

    impl Keyring for Ring {
        fn access_key(&self, id: &str) -> Option<AccessKey<'_>> {
            let (secret_key, expires) = match id {
                "AKPERMANENT" => ("SKPERMANENT", None),
                "AKTEMPORARY" => ("SKTEMPORARY", Some(DateTime::<Utc>::MAX_UTC)),
                "AKEXPIRED" => ("SKEXPIRED", Some(DateTime::<Utc>::MIN_UTC)),
                _ => return None,
            };
            let session = expires.map(|expires| Session { security_token: "SECURITYTOKEN", expires });
            Some(AccessKey { secret_key, session, identity: somebody() })
        }

        fn token(&self, token: &str) -> Option<Token> {
            let expires = match token {
                "TOKEN" => DateTime::<Utc>::MAX_UTC,
                "EXPIRED" => DateTime::<Utc>::MIN_UTC,
                _ => return None,
            };
            Some(Token { expires, identity: Identity { reach: Reach::Project("p".into()), ..somebody() } })
        }
    }

    /// One key with its secret.
    struct One<'a>(&'a str, &'a str, Option<&'a str>);

    impl Keyring for One<'_> {
        fn access_key(&self, id: &str) -> Option<AccessKey<'_>> {
            let session = self.2.map(|security_token| Session { security_token, expires: DateTime::<Utc>::MAX_UTC });
            (id == self.0).then(|| AccessKey { secret_key: self.1, session, identity: somebody() })
        }

        fn token(&self, _: &str) -> Option<Token> {
            None
        }
    }

    /// A request signed for `signed_path` and sent to `path`, with `extra` headers of which all are signed.
    fn signed(key: &SigningKey, path: &str, signed_path: &str, extra: &[(&str, &str)]) -> Incoming {
        let mut headers = vec![("host", "localhost:8443"), ("x-sdk-date", NOW)];
        headers.extend(extra);
        let request = Request {
            method: "POST",
            path: signed_path,
            query: "b=1&a",
            headers: &headers,
            payload: Payload::Bytes(b"{}"),
        };
        let authorization = sign::sign(key, &request, NOW);
        headers.push(("authorization", &authorization));
        incoming("POST", &format!("{path}?b=1&a"), &headers, b"{}")
    }

    fn permanent() -> SigningKey {
        SigningKey::sdk("AKPERMANENT", b"SKPERMANENT")
    }

    fn verify_at(now: &str, incoming: &Incoming) -> Result<Identity, String> {
        let path = incoming.path.strip_prefix("/my-1").unwrap_or(&incoming.path);
        verify(incoming, path, time(now), &Ring, &Lockouts::default()).map_err(|fault| {
            assert_eq!(fault.status, 401);
            format!("{} {}", fault.code, fault.message)
        })
    }

    fn refusal(text: &str) -> Result<Identity, String> {
        Err(format!("APIGW.0301 Incorrect IAM authentication information: {text}"))
    }

    fn with(mut incoming: Incoming, name: &'static str, value: &'static str) -> Incoming {
        incoming.headers.insert(name, http::HeaderValue::from_static(value));
        incoming
    }

    #[test]
    fn what_the_vendor_signs_is_let_in() {
        let sdk = include_str!("../../csms-sdk/tests/vectors/signing.json");
        let v11 = include_str!("../../csms-sdk/tests/vectors/signing_v11.json");
        let mut verified = 0;
        for (file, count) in [(sdk, 53), (v11, 5)] {
            let cases: Vec<Json> = serde_json::from_str(file).unwrap();
            assert_eq!(cases.len(), count);
            for case in &cases {
                for expected in ["expected", "expected_content_type_unsigned"] {
                    let Some(authorization) = case.get(expected).map(|expected| &expected["authorization"]) else {
                        continue;
                    };
                    replay(case, authorization.as_str().unwrap());
                    verified += 1;
                }
            }
        }
        assert!(verified > 58, "{verified}");
    }

    fn replay(case: &Json, authorization: &str) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let text = |name: &str| case[name].as_str();
        let name = text("name").unwrap();
        let mut headers = vec![("authorization", authorization)];
        for given in [&case["headers"], &case["expected"]["added_headers"]] {
            headers.extend(given.as_object().unwrap().iter().map(|(name, value)| (&name[..], value.as_str().unwrap())));
        }
        let body = match text("body_base64") {
            Some(encoded) => STANDARD.decode(encoded).unwrap(),
            None => text("body").unwrap().as_bytes().to_vec(),
        };
        let query = text("url").unwrap().split_once('?').map_or("", |(_, query)| query);
        let target = format!("{}?{query}", text("path").unwrap());
        let mut request = incoming(text("method").unwrap(), &target, &headers, &body);
        let ring = One(text("ak").unwrap(), text("sk").unwrap(), text("security_token"));
        let now = time(text("timestamp").unwrap());
        let check = |request: &Incoming| verify(request, &request.path, now, &ring, &Lockouts::default());
        assert_eq!(check(&request), Ok(somebody()), "{name}");
        // As it is sent.
        let target = case["expected"]["request_target"].as_str().unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (request.path, request.query) = (path.to_owned(), query.to_owned());
        assert_eq!(check(&request), Ok(somebody()), "{name}");
        request.query.push_str("&more=1");
        assert!(check(&request).is_err(), "{name}");
    }

    #[test]
    fn the_path_may_be_signed_with_or_without_the_region() {
        let v11 = SigningKey::v11("AKPERMANENT", b"SKPERMANENT", &NOW[..8], "my-1", "kms");
        for key in [permanent(), v11] {
            for (path, signed_path) in [("/v1/x", "/v1/x"), ("/my-1/v1/x", "/my-1/v1/x"), ("/my-1/v1/x", "/v1/x")] {
                assert_eq!(verify_at(NOW, &signed(&key, path, signed_path, &[])), Ok(somebody()));
            }
            assert!(verify_at(NOW, &signed(&key, "/v1/x", "/my-1/v1/x", &[])).is_err());
        }
    }

    #[test]
    fn a_wrong_signature_is_answered_with_the_canonical_request() {
        let right = signed(&permanent(), "/v1/x", "/v1/x", &[("x-security-token", "t")]);
        let canonical = |body: &[u8], host: &str| {
            let hash = sign::payload_hash(body);
            refusal(&format!(
                "verify aksk signature fail, canonicalRequest:POST|/v1/x/|a=&b=1|host:{host}|x-sdk-date:{NOW}|\
                 x-security-token:t||host;x-sdk-date;x-security-token|{}",
                hash.as_str()
            ))
        };
        assert_eq!(verify_at(NOW, &right), Ok(somebody()), "a permanent key may come with a security token");
        let other_host = with(right, "host", "proxy");
        assert_eq!(verify_at(NOW, &other_host), canonical(b"{}", "proxy"));
        let mut other_body = with(other_host, "host", "localhost:8443");
        other_body.body = "{ }".into();
        assert_eq!(verify_at(NOW, &other_body), canonical(b"{ }", "localhost:8443"));
    }

    #[test]
    fn a_hash_given_is_signed_in_place_of_the_body() {
        let headers = [("x-sdk-content-sha256", "UNSIGNED-PAYLOAD"), ("x-sdk-date", NOW)];
        for (body, payload, lets_in) in [
            (&b"abc"[..], Payload::Digest("UNSIGNED-PAYLOAD"), true),
            (b"abc", Payload::Bytes(b"abc"), false),
            (b"", Payload::Digest("UNSIGNED-PAYLOAD"), true),
            (b"", Payload::Bytes(b""), true),
        ] {
            let request = Request { method: "POST", path: "/", query: "", headers: &headers, payload };
            let authorization = sign::sign(&permanent(), &request, NOW);
            let headers = [headers[0], headers[1], ("authorization", authorization.as_str())];
            assert_eq!(verify_at(NOW, &incoming("POST", "/", &headers, body)).is_ok(), lets_in);
        }
        // Not signed, it says nothing.
        let unsigned = with(signed(&permanent(), "/v1/x", "/v1/x", &[]), "x-sdk-content-sha256", "UNSIGNED-PAYLOAD");
        assert_eq!(verify_at(NOW, &unsigned), Ok(somebody()));
    }

    #[test]
    fn the_clock_may_be_a_quarter_of_an_hour_off() {
        let request = signed(&permanent(), "/v1/x", "/v1/x", &[]);
        for (now, lets_in) in [
            ("20260102T031905Z", true),
            ("20260102T024905Z", true),
            ("20260102T031906Z", false),
            ("20260102T024904Z", false),
        ] {
            let text = format!("calc aksk signature fail:signature expired, signature time:{NOW},server time:{now}");
            let expected = if lets_in { Ok(somebody()) } else { refusal(&text) };
            assert_eq!(verify_at(now, &request), expected);
        }
        for odd in ["", "2026-01-02T03:04:05Z"] {
            assert!(verify_at(NOW, &with(signed(&permanent(), "/v1/x", "/v1/x", &[]), "x-sdk-date", odd)).is_err());
        }
        let yesterday = SigningKey::v11("AKPERMANENT", b"SKPERMANENT", "20260101", "my-1", "kms");
        assert!(verify_at(NOW, &signed(&yesterday, "/v1/x", "/v1/x", &[])).is_err());
    }

    #[test]
    fn temporary_keys_need_their_security_token() {
        let key = SigningKey::sdk("AKTEMPORARY", b"SKTEMPORARY");
        let request = |key, extra: &[_]| signed(key, "/v1/x", "/v1/x", extra);
        assert_eq!(verify_at(NOW, &request(&key, &[("x-security-token", "SECURITYTOKEN")])), Ok(somebody()));
        let added_later = with(request(&key, &[]), "x-security-token", "SECURITYTOKEN");
        assert_eq!(verify_at(NOW, &added_later), Ok(somebody()), "it need not be signed");
        let unknown = refusal("Get secretKey failed,ak:AKTEMPORARY,err:ak not exist");
        assert_eq!(verify_at(NOW, &request(&key, &[])), unknown);
        let wrong = request(&key, &[("x-security-token", "SECURITYTOKE")]);
        assert_eq!(verify_at(NOW, &wrong), refusal("decrypt token fail"));
        let expired_key = SigningKey::sdk("AKEXPIRED", b"SKEXPIRED");
        let old = request(&expired_key, &[("x-security-token", "SECURITYTOKEN")]);
        let fault = expired(&old, time(NOW));
        assert_eq!(verify_at(NOW, &old), Err(format!("{} {}", fault.code, fault.message)));
    }

    #[test]
    fn without_a_signature_a_token_is_needed() {
        let token = |value| verify_at(NOW, &incoming("GET", "/", &[("X-Auth-Token", value)], b""));
        assert_eq!(token("TOKEN"), Ok(Identity { reach: Reach::Project("p".into()), ..somebody() }));
        assert_eq!(token("EXPIRED"), Err("APIGW.0307 The token must be updated".to_owned()));
        assert_eq!(token("OTHER"), refusal("decrypt token fail"));
        assert_eq!(verify_at(NOW, &incoming("GET", "/", &[], b"")), refusal("x-auth-token not found"));
    }

    #[test]
    fn odd_claims_are_refused() {
        let unknown = signed(&SigningKey::sdk("AK", b"SK"), "/v1/x", "/v1/x", &[]);
        assert_eq!(verify_at(NOW, &unknown), refusal("Get secretKey failed,ak:AK,err:ak not exist"));
        for odd in [
            "",
            "SDK-HMAC-SHA256",
            "Bearer abc",
            "SDK-HMAC-SM3 Access=AKPERMANENT, SignedHeaders=x-sdk-date, Signature=0",
            "SDK-HMAC-SHA256 Credential=AKPERMANENT, SignedHeaders=x-sdk-date, Signature=0",
            "SDK-HMAC-SHA256 Access=AKPERMANENT, SignedHeaders=x-sdk-date",
            "V11-HMAC-SHA256 Credential=AKPERMANENT/20260102/kms, SignedHeaders=x-sdk-date, Signature=0",
        ] {
            let request = with(signed(&permanent(), "/v1/x", "/v1/x", &[]), "authorization", odd);
            assert_eq!(verify_at(NOW, &request), refusal("Unauthorized"), "{odd}");
        }
        let undated = "SDK-HMAC-SHA256 Access=AKPERMANENT, SignedHeaders=host, Signature=0";
        let request = with(signed(&permanent(), "/v1/x", "/v1/x", &[]), "authorization", undated);
        assert!(verify_at(NOW, &request).unwrap_err().contains("x-sdk-date is not signed"));
    }

    #[test]
    fn six_wrong_signatures_in_a_row_lock_the_key_for_five_minutes() {
        let right = signed(&permanent(), "/v1/x", "/v1/x", &[]);
        let wrong = signed(&SigningKey::sdk("AKPERMANENT", b"wrong"), "/v1/x", "/v1/x", &[]);
        let lockouts = Lockouts::default();
        let check = |now, incoming: &Incoming| {
            let result = verify(incoming, "/v1/x", time(now), &Ring, &lockouts);
            result.map(|_| "in").unwrap_or_else(|fault| if fault.message.contains("limit") { "locked" } else { "out" })
        };
        for _ in 0..2 {
            for _ in 0..5 {
                assert_eq!(check(NOW, &wrong), "out");
            }
            assert_eq!(check(NOW, &right), "in", "the row is broken");
        }
        for _ in 0..6 {
            assert_eq!(check(NOW, &wrong), "out");
        }
        assert_eq!(check(NOW, &right), "locked");
        assert_eq!(check("20260102T030904Z", &wrong), "locked");
        assert_eq!(check("20260102T030905Z", &wrong), "out", "it is counted anew");
        assert_eq!(check("20260102T030906Z", &right), "in");
    }
}
