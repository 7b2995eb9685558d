use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use wiremock::Request;

use crate::escape::{decode, encode, pairs};

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// Verifies the `SDK-HMAC-SHA256` signature of a request received.
///
/// The canonical request is rebuilt from what arrived and from the headers the request says it signed, so any
/// choice of signed headers is good as long as `x-sdk-date` is among them.
///
/// # Errors
///
/// Says what is missing or malformed, or, when the signatures differ, shows both and the canonical request to
/// compare with the client's. The text holds the signed headers, a security token included: it is for tests only.
pub fn verify_signature(request: &Request, secret_key: &str) -> Result<(), String> {
    let authorization = Authorization::of(request)?;
    if !authorization.signed_headers.split(';').any(|name| name == "x-sdk-date") {
        return Err("x-sdk-date is not signed".into());
    }
    let timestamp = header(request, "x-sdk-date")?;
    let canonical = canonical_request(request, authorization.signed_headers)?;
    let expected = sign(&canonical, timestamp, secret_key);
    if authorization.signature == expected {
        return Ok(());
    }
    Err(format!("signature is {}, expected {expected} for the canonical request\n{canonical}", authorization.signature))
}

/// The parts of an `Authorization` header.
pub(crate) struct Authorization<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) signed_headers: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Authorization<'a> {
    pub(crate) fn of(request: &'a Request) -> Result<Self, String> {
        let value = header(request, "authorization")?;
        let Some(("", parts)) = value.split_once(ALGORITHM) else {
            return Err(format!("authorization does not start with {ALGORITHM}"));
        };
        let parts: Vec<_> = parts.trim_start_matches(' ').split(", ").collect();
        if let [access, signed, signature] = parts[..]
            && let Some(access_key) = access.strip_prefix("Access=")
            && let Some(signed_headers) = signed.strip_prefix("SignedHeaders=")
            && let Some(signature) = signature.strip_prefix("Signature=")
        {
            return Ok(Self { access_key, signed_headers, signature });
        }
        Err("authorization does not consist of Access, SignedHeaders and Signature".into())
    }
}

/// The canonical request of a request received, for the given list of header names.
pub(crate) fn canonical_request(request: &Request, signed_headers: &str) -> Result<String, String> {
    // Decoded before it is split: an escaped slash is signed as a separator.
    let path = decode(request.url.path());
    let mut uri = path.split(|byte| *byte == b'/').map(encode).collect::<Vec<_>>().join("/");
    if !uri.ends_with('/') {
        uri.push('/');
    }
    let mut query = pairs(request.url.query().unwrap_or_default());
    query.sort();
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let mut headers = String::new();
    for name in signed_headers.split(';') {
        headers.push_str(&format!("{name}:{}\n", header(request, name)?.trim()));
    }
    // A given hash is taken at its word, as the service does.
    let payload = match request.headers.get("x-sdk-content-sha256") {
        Some(_) => header(request, "x-sdk-content-sha256")?.to_owned(),
        None => hex::encode(Sha256::digest(&request.body)),
    };
    Ok(format!("{}\n{uri}\n{}\n{headers}\n{signed_headers}\n{payload}", request.method, query.join("&")))
}

/// The signature of a canonical request.
pub(crate) fn sign(canonical: &str, timestamp: &str, secret_key: &str) -> String {
    let hash = hex::encode(Sha256::digest(canonical));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{ALGORITHM}\n{timestamp}\n{hash}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn header<'a>(request: &'a Request, name: &str) -> Result<&'a str, String> {
    let value = request.headers.get(name).ok_or_else(|| format!("header {name} is missing"))?;
    // Header values are UTF-8 on this wire; `to_str` would refuse anything but ASCII.
    std::str::from_utf8(value.as_bytes()).map_err(|_| format!("header {name} is not UTF-8"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap fails the test, as it should

    use wiremock::http::{HeaderMap, HeaderName};

    use super::*;

    /// A case signed by the vendor's own signer.
    struct Vector {
        secret_key: &'static str,
        method: &'static str,
        target: &'static str,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
        authorization: &'static str,
    }

    /// The worked example of the vendor's signing guide.
    const GUIDE: Vector = Vector {
        secret_key: "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
        method: "GET",
        target: "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
        headers: &[
            ("content-type", "application/json"),
            ("host", "service.region.example.com"),
            ("x-sdk-date", "20191115T033655Z"),
        ],
        body: "",
        authorization: "SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, \
            Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
    };

    const CREATE_SECRET: Vector = Vector {
        secret_key: "ExampleSecretKey/0123456789+abcdefABCDEF",
        method: "POST",
        target: "/v1/0123456789abcdef0123456789abcdef/secrets",
        headers: &[
            ("content-type", "application/json"),
            ("host", "kms.cn-north-4.myhuaweicloud.com"),
            ("x-project-id", "0123456789abcdef0123456789abcdef"),
            ("x-sdk-date", "20260102T030405Z"),
        ],
        body: r#"{"name":"prod-db","kms_key_id":"bb6a3d22-dc93-47ac-b5bd-88df7ad35f1e","description":"main database","secret_string":"{\"user\":\"app\",\"password\":\"p@ss/w+rd==\"}"}"#,
        authorization: "SDK-HMAC-SHA256 Access=EXAMPLEACCESSKEY0001, \
            SignedHeaders=content-type;host;x-project-id;x-sdk-date, \
            Signature=e7a598dde2c984d319ac5a437f7fa44f7a7515cf88f4a7d46a47dfc572a4114e",
    };

    const ESCAPED_QUERY: Vector = Vector {
        secret_key: "ExampleSecretKey/0123456789+abcdefABCDEF",
        method: "GET",
        target: "/v1/0123456789abcdef0123456789abcdef/secrets?k1=a%20b&k2=a%2Bb&k3=a*b&k4=a~b&k5=a/b",
        headers: &[
            ("host", "kms.cn-north-4.myhuaweicloud.com"),
            ("x-project-id", "0123456789abcdef0123456789abcdef"),
            ("x-sdk-date", "20260102T030405Z"),
        ],
        body: "",
        authorization: "SDK-HMAC-SHA256 Access=EXAMPLEACCESSKEY0001, SignedHeaders=host;x-project-id;x-sdk-date, \
            Signature=5fb9d29e6bbbdc17cadbb8d6979c3832d8c7a286acd337fcbf22940e829e8f9e",
    };

    const ESCAPED_PATH: Vector = Vector {
        target: "/v1/0123456789abcdef0123456789abcdef/secrets/a%3Ab%40c%21d%24e%26f%27g%28h%29i%2Aj%2Bk%2Cl%3Bm%3Dn",
        authorization: "SDK-HMAC-SHA256 Access=EXAMPLEACCESSKEY0001, SignedHeaders=host;x-project-id;x-sdk-date, \
            Signature=be3655426b154a3eca30f769db0cf220f0b1de761bb1a79eb9ba3ecec515f736",
        ..ESCAPED_QUERY
    };

    fn request(vector: &Vector) -> Request {
        let mut headers = HeaderMap::new();
        for (name, value) in vector.headers {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers.insert("authorization", vector.authorization.parse().unwrap());
        Request {
            url: format!("http://localhost{}", vector.target).parse().unwrap(),
            method: vector.method.parse().unwrap(),
            headers,
            body: vector.body.into(),
        }
    }

    #[test]
    fn signatures_of_the_vendors_signer_are_accepted() {
        for vector in [GUIDE, CREATE_SECRET, ESCAPED_QUERY, ESCAPED_PATH] {
            assert_eq!(verify_signature(&request(&vector), vector.secret_key), Ok(()));
        }
    }

    #[test]
    fn a_change_of_any_signed_part_is_noticed() {
        let key = CREATE_SECRET.secret_key;
        let original = request(&CREATE_SECRET);
        let mut changed = vec![original.clone(); 4];
        changed[0].body.push(b'\n');
        changed[1].url.set_query(Some("limit=1"));
        changed[2].url.set_path("/v1/0123456789abcdef0123456789abcdef/secret");
        changed[3].headers.insert("host", "kms.cn-north-1.myhuaweicloud.com".parse().unwrap());
        for request in &changed {
            let error = verify_signature(request, key).unwrap_err();
            assert!(error.contains("for the canonical request\nPOST\n/v1/"), "{error}");
        }
        assert!(verify_signature(&original, "another key").is_err());
    }

    #[test]
    fn a_missing_or_malformed_part_is_named() {
        let key = GUIDE.secret_key;
        let mut request = request(&GUIDE);
        for (authorization, expected) in [
            ("Basic abc", "authorization does not start with SDK-HMAC-SHA256"),
            (
                "SDK-HMAC-SHA256 Access=A, Signature=b",
                "authorization does not consist of Access, SignedHeaders and Signature",
            ),
            ("SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=b", "x-sdk-date is not signed"),
            ("SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date;x-gone, Signature=b", "header x-gone is missing"),
        ] {
            request.headers.insert("authorization", authorization.parse().unwrap());
            assert_eq!(verify_signature(&request, key), Err(expected.to_owned()));
        }
        request.headers.remove("authorization");
        assert_eq!(verify_signature(&request, key), Err("header authorization is missing".into()));
    }
}
