//! Codes of virtual MFA devices: RFC 6238 as all of them have it, with SHA-1, 30 seconds and six digits.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::auth::same;

const STEP: i64 = 30;
/// A code is good for so many steps before and after its own, because clocks differ.
const TOLERANCE: i64 = 1;

/// What a device and IAM share. Has no `Debug`: it is a secret.
pub(crate) struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Reads Base32 (RFC 4648) as devices are given it: any case, with or without padding and blanks.
    pub(crate) fn from_base32(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        let (mut bits, mut count) = (0_u32, 0);
        for char in text.trim_end_matches('=').bytes().filter(|byte| *byte != b' ') {
            let value = match char.to_ascii_uppercase() {
                letter @ b'A'..=b'Z' => letter - b'A',
                digit @ b'2'..=b'7' => digit - b'2' + 26,
                _ => return None,
            };
            (bits, count) = (bits << 5 | u32::from(value), count + 5);
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
                bits &= (1 << count) - 1;
            }
        }
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// Whether a device shows this code about now.
    pub(crate) fn accepts(&self, code: &str, now: DateTime<Utc>) -> bool {
        let step = now.timestamp().div_euclid(STEP);
        (-TOLERANCE..=TOLERANCE).any(|off| same(&self.code(step + off), code))
    }

    fn code(&self, step: i64) -> String {
        let mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        let hash = mac.chain_update(step.to_be_bytes()).finalize().into_bytes();
        let at = usize::from(hash[19] & 0x0f);
        let number = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
        format!("{:06}", number % 1_000_000)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    /// `12345678901234567890` of RFC 6238, appendix B.
    const PUBLISHED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = Secret::from_base32(PUBLISHED).unwrap();
        // The last six of its eight digits.
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(secret.code(seconds / STEP), code);
            for (off, accepted) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
                assert_eq!(secret.accepts(code, at(seconds + off)), accepted, "{seconds} {off}");
            }
        }
        assert!(!secret.accepts("", at(59)));
    }

    #[test]
    fn secrets_are_read_as_devices_are_given_them() {
        let read = |text| Secret::from_base32(text).map(|secret| secret.0.to_vec());
        assert_eq!(read(PUBLISHED).unwrap(), b"12345678901234567890");
        assert_eq!(read("mzxw 6ytb oi======").unwrap(), b"foobar");
        for odd in ["", "=", "A", "GEZDGNB1", "GEZ-DGN"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
