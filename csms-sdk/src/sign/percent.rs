//! Percent-encoding as the signature has it: `A–Z a–z 0–9 - _ . ~` stand for themselves, every other byte is `%XX`.

use std::iter;

use sha2::digest::Update;

/// Appends `text`, which holds no escapes yet, as one segment of a path or one name or value of a query.
///
/// A request built with this is sent in the very form that is signed.
pub fn escape(out: &mut String, text: &str) {
    if text.bytes().all(|byte| IN_QUERY.has(byte)) {
        return out.push_str(text); // as nearly all names and ids are
    }
    for byte in text.bytes() {
        if IN_QUERY.has(byte) {
            out.push(char::from(byte));
        } else {
            out.extend(escaped(byte).map(char::from));
        }
    }
}

/// Writes `text`, which may hold escapes, in its one canonical form: needless escapes undone, missing ones added,
/// digits in upper case. A `%` that starts no escape stands for itself, as does `+`.
pub(super) fn canonicalise(out: &mut impl Update, text: &[u8], kept: &Kept) {
    let mut rest = text;
    // `rest[..done]` is canonical as it is, and goes out in one piece.
    let mut done = 0;
    loop {
        done += rest[done..].iter().take_while(|&&byte| kept.has(byte)).count();
        let Some((byte, length)) = decode_first(&rest[done..]) else {
            return out.update(rest);
        };
        if !kept.has(byte) && rest[done..].starts_with(&escaped(byte)) {
            done += length;
            continue;
        }
        out.update(&rest[..done]);
        if kept.has(byte) {
            out.update(&[byte]);
        } else {
            out.update(&escaped(byte));
        }
        rest = &rest[done + length..];
        done = 0;
    }
}

/// The bytes `text` stands for.
pub(crate) fn decoded(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    iter::from_fn(move || {
        let (byte, length) = decode_first(rest)?;
        rest = &rest[length..];
        Some(byte)
    })
}

/// A set of bytes that are not escaped.
pub(super) struct Kept([bool; 256]);

/// Kept in names and values of a query.
pub(super) const IN_QUERY: &Kept = &Kept::unreserved();
/// Kept in a path.
pub(super) const IN_PATH: &Kept = &Kept::unreserved().and(b'/');

impl Kept {
    const fn unreserved() -> Self {
        let mut set = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            set[byte as usize] =
                (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'_' | b'.' | b'~');
            byte += 1;
        }
        Self(set)
    }

    const fn and(mut self, byte: u8) -> Self {
        self.0[byte as usize] = true;
        self
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

fn escaped(byte: u8) -> [u8; 3] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// The first byte `text` stands for, and the length of its spelling.
fn decode_first(text: &[u8]) -> Option<(u8, usize)> {
    if let [b'%', high, low, ..] = *text
        && let (Some(high), Some(low)) = (digit(high), digit(low))
    {
        return Some((high << 4 | low, 3));
    }
    Some((*text.first()?, 1))
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::digest::Text, *};

    fn canonical(text: &str, kept: &Kept) -> String {
        let mut out = Text::default();
        canonicalise(&mut out, text.as_bytes(), kept);
        out.into_string()
    }

    #[test]
    fn escapes_get_one_spelling() {
        for (given, expected) in [
            ("", ""),
            ("plain-._~09", "plain-._~09"),
            ("%41%7e", "A~"),
            ("%e5%AF%86x%3a", "%E5%AF%86x%3A"),
            ("密", "%E5%AF%86"),
            ("a+b c", "a%2Bb%20c"),
            ("100%25", "100%25"),
            ("100%", "100%25"),
            ("%2", "%252"),
            ("%zz%%41", "%25zz%25A"),
            ("a/b", "a%2Fb"),
        ] {
            assert_eq!(canonical(given, IN_QUERY), expected, "{given:?}");
        }
        assert_eq!(canonical("/a%2fb/", IN_PATH), "/a/b/");
    }

    #[test]
    fn escaping_takes_percent_signs_literally() {
        let mut out = String::from("name=");
        escape(&mut out, "50%25 密~");
        assert_eq!(out, "name=50%2525%20%E5%AF%86~");
    }
}
