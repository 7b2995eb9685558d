//! Values that must never be printed.
//!
//! [`SecretString`] and [`SecretJson`] have no `Display`, their `Debug` says `[REDACTED]`, and their memory
//! is wiped when they are dropped. Reading one is spelled `expose_secret()`, so that every reader of a
//! secret is one search away.
//!
//! What this cannot do: wipe the copies that the HTTP and TLS layers keep in their own buffers, or those
//! the caller made before handing a `String` over.

use std::{fmt, io};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::de::{Deserialize, Deserializer, Visitor};

const REDACTED: &str = "[REDACTED]";

/// A secret text: a secret's value, a key in Base64 or hexadecimal, a token, a password.
///
/// ```
/// use csms_sdk::SecretString;
///
/// let value = SecretString::from("correct horse");
/// assert_eq!(format!("{value:?}"), "[REDACTED]");
/// assert_eq!(value.expose_secret(), "correct horse");
/// ```
#[derive(Clone, Default)]
pub struct SecretString(String);

impl SecretString {
    /// The text itself. Do not log it, and do not keep copies.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// The Base64 text of `bytes`, the form in which the services take binary values.
    pub fn from_bytes_as_base64(bytes: impl AsRef<[u8]>) -> Self {
        Self(STANDARD.encode(bytes))
    }

    /// The bytes this Base64 text stands for; `None` when it is not Base64.
    #[must_use]
    pub fn decode_base64(&self) -> Option<SecretBytes> {
        let mut bytes = SecretBytes(vec![0; self.0.len() / 4 * 3 + 3]);
        let length = STANDARD.decode_slice(&self.0, &mut bytes.0).ok()?;
        bytes.0.truncate(length);
        Some(bytes)
    }

    /// The bytes this hexadecimal text stands for, in either case of letters; `None` when it is not
    /// hexadecimal.
    #[must_use]
    pub fn decode_hex(&self) -> Option<SecretBytes> {
        let mut bytes = SecretBytes(vec![0; self.0.len() / 2]);
        hex::decode_to_slice(&self.0, &mut bytes.0).ok()?;
        Some(bytes)
    }

    /// Whether the text is empty. Says nothing else about it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Drop for SecretString {
    fn drop(&mut self) {
        wipe_text(&mut self.0);
    }
}

impl From<String> for SecretString {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for SecretString {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Read from a text, as a `String` is. A text with escapes passes through a buffer of the reader that is not wiped.
///
/// There is no `Serialize`: serialising is how secrets end up in logs.
impl<'de> Deserialize<'de> for SecretString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = SecretString;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<SecretString, E> {
                Ok(text.into())
            }

            fn visit_string<E>(self, text: String) -> Result<SecretString, E> {
                Ok(text.into())
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Equality in time that depends on the lengths only.
impl PartialEq for SecretString {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for SecretString {}

/// Secret bytes, wiped on drop; also the buffer in which requests are written and answers collected.
#[derive(Clone, Default)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// An empty buffer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// The bytes themselves. Do not log them, and do not keep copies.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// The buffer itself, to be worked on in place. Must not be made to grow: that would leave a copy behind.
    pub(crate) fn as_mut_vec(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Appends `bytes`. Growing leaves no copy behind: the old memory is wiped before it is freed.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut grown = Vec::with_capacity(needed.max(self.0.capacity() * 2));
            grown.extend_from_slice(&self.0);
            wipe(&mut self.0);
            self.0 = grown;
        }
        self.0.extend_from_slice(bytes);
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Lets a request body be shared between attempts and still be wiped after the last one.
impl AsRef<[u8]> for SecretBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// A body that HTTP libraries take: shared without a copy, and wiped when the last share is dropped.
impl From<SecretBytes> for bytes::Bytes {
    fn from(secret: SecretBytes) -> Self {
        Self::from_owner(secret)
    }
}

impl io::Write for SecretBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Equality in time that depends on the lengths only.
impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for SecretBytes {}

/// A free-form JSON value that may hold secrets; every text in it is wiped on drop.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretJson(serde_json::Value);

impl SecretJson {
    /// The value itself. Do not log it, and do not keep copies.
    #[must_use]
    pub fn expose_secret(&self) -> &serde_json::Value {
        &self.0
    }
}

impl fmt::Debug for SecretJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        wipe_json(&mut self.0);
    }
}

impl From<serde_json::Value> for SecretJson {
    fn from(value: serde_json::Value) -> Self {
        Self(value)
    }
}

/// Overwrites every text inside `value`.
pub(crate) fn wipe_json(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) => wipe_text(text),
        Value::Array(items) => items.iter_mut().for_each(wipe_json),
        Value::Object(members) => members.values_mut().for_each(wipe_json),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn wipe_text(text: &mut String) {
    wipe(&mut std::mem::take(text).into_bytes());
}

/// Overwrites all memory of `bytes`, the part not in use included, and leaves it empty.
///
/// `Zeroize` writes byte by byte, twice, which costs more than decoding the answer that is wiped. This is one `memset`,
/// and the barrier keeps the compiler from leaving it out.
fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    zeroize::optimization_barrier(bytes.as_slice());
    bytes.clear();
}

fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && std::hint::black_box(left.iter().zip(right).fold(0, |difference, (a, b)| difference | (a ^ b))) == 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        assert_eq!(format!("{:?}", SecretString::from("hunter2")), REDACTED);
        assert_eq!(format!("{:?}", SecretBytes::from(b"hunter2".to_vec())), REDACTED);
        assert_eq!(format!("{:?}", SecretJson::from(serde_json::json!({"a": "hunter2"}))), REDACTED);
    }

    #[test]
    fn binary_values_survive_their_text_forms() {
        let bytes = [0, 159, 146, 150, 255];
        let text = SecretString::from_bytes_as_base64(bytes);
        assert_eq!(text.decode_base64().unwrap().expose_secret(), bytes);
        assert_eq!(SecretString::from("00FFa0").decode_hex().unwrap().expose_secret(), [0, 255, 160]);
        assert!(SecretString::from("no base64!").decode_base64().is_none());
        assert!(SecretString::from("abc").decode_hex().is_none());
    }

    #[test]
    fn a_growing_buffer_keeps_its_content() {
        let mut buffer = SecretBytes::default();
        for byte in 0..=255 {
            buffer.extend_from_slice(&[byte]);
        }
        assert!(buffer.expose_secret().iter().copied().eq(0..=255));
    }
}
