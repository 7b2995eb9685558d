//! The key of a signature: plain secret key, or the V11 key derived from it for one day, region and service.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// An access key with its secret key made ready for signing; the secret is hashed once, here, and not kept.
///
/// What is kept signs as well as the secret does. It is wiped on drop and `Debug` does not show it.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: &'static str,
    credential: String,
    scope: Option<String>,
    mac: Hmac<Sha256>,
}

impl SigningKey {
    /// For `SDK-HMAC-SHA256`, which all services take.
    #[must_use]
    pub fn sdk(access_key: &str, secret_key: &[u8]) -> Self {
        Self {
            algorithm: "SDK-HMAC-SHA256",
            credential: format!("Access={access_key}"),
            scope: None,
            mac: keyed(secret_key),
        }
    }

    /// For `V11-HMAC-SHA256`, whose key is bound to one day, region and service.
    ///
    /// `date` is the day of the timestamps to be signed, `YYYYMMDD`; the service refuses a signature of another day.
    /// The region of account-wide calls is `globe`.
    #[must_use]
    pub fn v11(access_key: &str, secret_key: &[u8], date: &str, region: &str, service: &str) -> Self {
        let scope = format!("{date}/{region}/{service}");
        let derived = hkdf(secret_key, access_key.as_bytes(), scope.as_bytes());
        // The key is the hexadecimal text, not the bytes it stands for.
        let derived = Zeroizing::new(hex::encode(derived));
        Self {
            algorithm: "V11-HMAC-SHA256",
            credential: format!("Credential={access_key}/{scope}"),
            scope: Some(scope),
            mac: keyed(derived.as_bytes()),
        }
    }

    /// The name of the algorithm, first word of the `Authorization` header.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// `Access=…` or `Credential=…`, as the `Authorization` header has it.
    pub(super) fn credential(&self) -> &str {
        &self.credential
    }

    /// Third line of V11's string to sign.
    pub(super) fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// A MAC already keyed.
    pub(super) fn mac(&self) -> Hmac<Sha256> {
        self.mac.clone()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// HMAC-SHA256 under a key of any length.
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// HKDF-SHA256 (RFC 5869) for 32 bytes, that is a single round of its expansion.
pub(crate) fn hkdf(secret: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let extracted = output(keyed(salt).chain_update(secret));
    output(keyed(extracted.as_slice()).chain_update(info).chain_update([1]))
}

fn output(mac: Hmac<Sha256>) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_agrees_with_rfc_5869_case_1() {
        let salt: Vec<u8> = (0x00..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        assert_eq!(
            hex::encode(hkdf(&[0x0b; 22], &salt, &info)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
        );
    }

    #[test]
    fn debug_shows_the_algorithm_only() {
        let key = SigningKey::v11("AK", b"SK", "20260102", "cn-north-4", "kms");
        assert_eq!(format!("{key:?}"), r#"SigningKey { algorithm: "V11-HMAC-SHA256", .. }"#);
    }
}
