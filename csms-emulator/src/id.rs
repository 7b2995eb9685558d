//! Identifiers as the services write them.

use crate::crypto::random;

/// A random UUID of version 4, with dashes.
pub(crate) fn uuid() -> String {
    let mut bytes = random::bytes(16);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(&*bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// `bytes` random bytes as hexadecimal digits.
pub(crate) fn digits(bytes: usize) -> String {
    hex::encode(&*random::bytes(bytes))
}

/// Whether `text` is a UUID with dashes.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_one() {
        let made = uuid();
        assert!(is_uuid(&made) && made.as_bytes()[14] == b'4', "{made}");
        assert_ne!(made, uuid());
        for text in ["", "0d0466b0-e727-4d9c-b35d-f84bb474a37", "0d0466b0-e727-4d9c-b35d-f84bb474a37g"] {
            assert!(!is_uuid(text), "{text}");
        }
    }
}
