//! Signs requests with an access key: `SDK-HMAC-SHA256` and `V11-HMAC-SHA256`.
//!
//! Everything here is a pure function of its arguments: no clock, no IO. The functions sign what they are told to, so it
//! is the caller who adds the `X-Sdk-Date` header with the same text as the timestamp, and who chooses the headers.
//!
//! ```
//! use csms_sdk::sign::{self, Payload, Request, SigningKey};
//!
//! let key = SigningKey::sdk("QTWAOYTTINDUT2QVKYUC", b"MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc");
//! let request = Request {
//!     method: "GET",
//!     path: "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs",
//!     query: "limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
//!     headers: &[
//!         ("content-type", "application/json"),
//!         ("host", "service.region.example.com"),
//!         ("x-sdk-date", "20191115T033655Z"),
//!     ],
//!     payload: Payload::Bytes(b""),
//! };
//! let authorization = sign::sign(&key, &request, "20191115T033655Z");
//! assert!(authorization.ends_with("7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"));
//! ```
//!
//! When the service answers that a signature is wrong it quotes its own canonical request with `|` for each newline;
//! compare that with [`canonical_request`].

mod canonical;
mod digest;
mod key;
mod percent;
mod timestamp;

use hmac::Mac;
use sha2::{Digest, Sha256, digest::Update};

pub(crate) use self::key::{hkdf, keyed};
#[cfg(feature = "testing")]
pub(crate) use self::percent::decoded;
use self::{canonical::Canonical, digest::Text};
pub use self::{
    canonical::{Payload, Request, canonical_query},
    digest::{HexDigest, payload_hash},
    key::SigningKey,
    percent::escape,
    timestamp::{parse_timestamp, timestamp},
};

/// The value of the `Authorization` header for `request`.
///
/// `timestamp` is the text of the signed `X-Sdk-Date` header, as [`timestamp()`] writes it.
#[must_use]
pub fn sign(key: &SigningKey, request: &Request<'_>, timestamp: &str) -> String {
    let canonical = Canonical::new(request);
    let mut mac = key.mac();
    write_string_to_sign(&mut mac, key, &canonical, timestamp);
    let signature = HexDigest::new(mac.finalize().into_bytes().into());
    [
        key.algorithm(),
        " ",
        key.credential(),
        ", SignedHeaders=",
        canonical.signed_headers(),
        ", Signature=",
        signature.as_str(),
    ]
    .concat()
}

/// The text whose SHA-256 is signed, for debugging.
///
/// It quotes the values of the signed headers. One of them can be a security token: do not log it unread.
#[must_use]
pub fn canonical_request(request: &Request<'_>) -> String {
    let mut text = Text::default();
    Canonical::new(request).write(&mut text);
    text.into_string()
}

/// The text the secret key signs, for debugging: algorithm, timestamp, for V11 the scope, hash of the canonical request.
#[must_use]
pub fn string_to_sign(key: &SigningKey, request: &Request<'_>, timestamp: &str) -> String {
    let mut text = Text::default();
    write_string_to_sign(&mut text, key, &Canonical::new(request), timestamp);
    text.into_string()
}

fn write_string_to_sign(out: &mut impl Update, key: &SigningKey, canonical: &Canonical<'_>, timestamp: &str) {
    let mut hash = Sha256::new();
    canonical.write(&mut hash);
    let hash = HexDigest::new(hash.finalize().into());
    for line in [key.algorithm(), timestamp].into_iter().chain(key.scope()) {
        out.update(line.as_bytes());
        out.update(b"\n");
    }
    out.update(hash.as_bytes());
}
