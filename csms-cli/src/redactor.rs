//! Values found in a stream, or hidden in it, in all the forms in which programs print them.
//!
//! Plain functions over bytes: what comes in pieces is treated as if it had come at once. Bytes that may be the beginning of
//! a value are held back until what follows tells, or until the end.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use csms_sdk::{SecretBytes, SecretString};
use serde_json::value::RawValue;

use crate::mask::HIDDEN;

/// What is shorter stands everywhere by accident: hiding it would hide nothing and spoil the rest.
pub(crate) const SHORTEST: usize = 4;
/// So deep does a value nest that is searched for values in it: as deep as `serde_json` reads.
const DEEPEST: usize = 128;
/// After so many characters do programs break lines of Base64: those of mail and of PEM.
const LINES: [usize; 2] = [76, 64];

/// What is looked for.
#[derive(Clone, Default)]
pub(crate) struct Patterns {
    /// By their first byte.
    by_first: Vec<Vec<Pattern>>,
    origins: Vec<String>,
}

#[derive(Clone)]
struct Pattern {
    bytes: SecretBytes,
    /// Index of its origin.
    origin: usize,
}

/// Hides what the patterns find in one stream.
pub(crate) struct Redactor<'a> {
    patterns: &'a Patterns,
    /// Not given out yet: it may be the beginning of something.
    held: SecretBytes,
    /// How many of the bytes held belong to something that was found before.
    covered: usize,
    /// Whether the bytes before those held were hidden.
    is_hiding: bool,
}

/// Finds the places in one stream where a pattern stands.
pub(crate) struct Finder<'a> {
    patterns: &'a Patterns,
    /// Not looked at yet: more has to come first.
    held: SecretBytes,
    /// Where the bytes held begin in the stream.
    offset: usize,
    /// Where what was found last ends in the stream, for each origin.
    ends: Vec<usize>,
    line: u64,
    column: u64,
}

/// A place where a pattern begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    /// From 1.
    pub(crate) line: u64,
    /// In bytes, from 1.
    pub(crate) column: u64,
    /// Who has added what stands there.
    pub(crate) origin: &'a str,
}

/// Copies a stream to its end without what the patterns find, in constant memory. `write` gets each part as soon as it is
/// clear. Answers its error, or else how the reading went.
pub(crate) fn copy<E>(
    reader: impl Read,
    patterns: &Patterns,
    mut write: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<io::Result<()>, E> {
    let mut redactor = Redactor::new(patterns);
    let mut out = Vec::new();
    let read = read_all(reader, |bytes| {
        redactor.push(bytes, &mut out);
        let written = if out.is_empty() { Ok(()) } else { write(&out) };
        out.clear();
        written
    })?;
    redactor.finish(&mut out);
    if !out.is_empty() {
        write(&out)?;
    }
    Ok(read)
}

/// A short text without what the patterns find.
pub(crate) fn redacted(patterns: &Patterns, text: &[u8]) -> Vec<u8> {
    let mut redactor = Redactor::new(patterns);
    let mut out = Vec::new();
    redactor.push(text, &mut out);
    redactor.finish(&mut out);
    out
}

/// Finds all places in a stream where a pattern stands, in constant memory but for the places.
pub(crate) fn find<'a>(reader: impl Read, patterns: &'a Patterns) -> io::Result<Vec<Found<'a>>> {
    let mut finder = Finder::new(patterns);
    let mut found = Vec::new();
    read_all(reader, |bytes| {
        finder.push(bytes, &mut found);
        Ok::<(), io::Error>(())
    })??;
    finder.finish(&mut found);
    Ok(found)
}

/// Reads to the end, or to an error of `take`, which is the outer one.
fn read_all<E>(mut reader: impl Read, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<io::Result<()>, E> {
    let mut buffer = vec![0; 16 * 1024];
    let outcome = loop {
        match reader.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Ok(Err(error)),
            Ok(0) => break Ok(Ok(())),
            Ok(length) => {
                if let Err(error) = take(&buffer[..length]) {
                    break Err(error);
                }
            }
        }
    };
    // It is wiped there.
    drop(SecretBytes::from(buffer));
    outcome
}

impl Patterns {
    /// Adds a value in its forms: as it is, in Base64, in URLs and in JSON; of JSON also each text and number in it. Tells
    /// whether it is long enough to be looked for. `origin` names it where it is found.
    pub(crate) fn add(&mut self, origin: &str, value: &[u8]) -> bool {
        let origin = self.origins.iter().position(|other| other == origin).unwrap_or_else(|| {
            self.origins.push(origin.to_owned());
            self.origins.len() - 1
        });
        let line = value.trim_ascii_end();
        self.add_forms(origin, value);
        if line != value {
            self.add_forms(origin, line);
        }
        if let Ok(json) = serde_json::from_slice(value) {
            self.add_json(origin, json, DEEPEST);
        }
        line.len() >= SHORTEST
    }

    /// Adds the texts and numbers of JSON, which are taken as they stand there.
    fn add_json(&mut self, origin: usize, json: &RawValue, depth: usize) {
        let json = json.get();
        match json.as_bytes().first() {
            Some(b'"') => {
                if let Ok(text) = serde_json::from_str::<SecretString>(json) {
                    self.add_forms(origin, text.expose_secret().as_bytes());
                }
            }
            Some(b'[') if depth > 0 => {
                let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
                items.iter().for_each(|item| self.add_json(origin, item, depth - 1));
            }
            Some(b'{') if depth > 0 => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
                members.values().for_each(|member| self.add_json(origin, member, depth - 1));
            }
            Some(b'-' | b'0'..=b'9') => self.add_forms(origin, json.as_bytes()),
            _ => {}
        }
    }

    fn add_forms(&mut self, origin: usize, value: &[u8]) {
        if value.len() < SHORTEST {
            return;
        }
        self.add_one(origin, value);
        let base64 = SecretString::from_bytes_as_base64(value);
        // Padding is left out by some and tells nothing.
        let base64 = base64.expose_secret().trim_end_matches('=');
        self.add_one(origin, base64.as_bytes());
        for width in LINES.into_iter().filter(|width| base64.len() > *width) {
            for end in ["\n", "\r\n"] {
                self.add_one(origin, in_lines(base64, width, end).expose_secret().as_bytes());
            }
        }
        let for_urls = base64.bytes().map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        });
        self.add_one(origin, SecretBytes::from(for_urls.collect::<Vec<_>>()).expose_secret());
        for (plain, space) in [("-_.~", "%20"), ("-_.~!'()*", "%20"), ("-_.*", "+")] {
            for is_upper in [true, false] {
                self.add_one(origin, in_url(value, plain, space, is_upper).expose_secret());
            }
        }
        let Ok(text) = str::from_utf8(value) else { return };
        for also in [|_| false, |it: char| !it.is_ascii(), |it| "<>&".contains(it), |it| it == '/'] {
            self.add_one(origin, in_json(text, also).expose_secret().as_bytes());
        }
    }

    fn add_one(&mut self, origin: usize, pattern: &[u8]) {
        let Some(first) = pattern.first() else { return };
        if self.by_first.is_empty() {
            self.by_first.resize_with(256, Vec::new);
        }
        let list = &mut self.by_first[usize::from(*first)];
        if !list.iter().any(|other| other.origin == origin && other.bytes.expose_secret() == pattern) {
            list.push(Pattern { bytes: pattern.to_vec().into(), origin });
        }
    }

    /// What stands at the beginning of `rest`, as lengths and origins; `None` where that is not clear before more has come.
    fn at_start<'p>(&'p self, rest: &'p [u8], is_end: bool) -> Option<impl Iterator<Item = (usize, usize)> + 'p> {
        let first = rest.first().and_then(|first| self.by_first.get(usize::from(*first)));
        let patterns = first.map_or(&[][..], Vec::as_slice).iter().map(|it| (it.bytes.expose_secret(), it.origin));
        let is_open = |pattern: &[u8]| pattern.len() > rest.len() && pattern.starts_with(rest);
        if !is_end && patterns.clone().any(|(pattern, _)| is_open(pattern)) {
            return None;
        }
        let found = patterns.filter(|(pattern, _)| rest.starts_with(pattern));
        Some(found.map(|(pattern, origin)| (pattern.len(), origin)))
    }
}

impl<'a> Redactor<'a> {
    pub(crate) fn new(patterns: &'a Patterns) -> Self {
        Self { patterns, held: SecretBytes::default(), covered: 0, is_hiding: false }
    }

    /// Takes the next bytes of the stream, and appends to `out` what is clear by now.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.held.extend_from_slice(bytes);
        self.give_out(false, out);
    }

    /// Ends the stream, and appends the rest to `out`.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        self.give_out(true, out);
    }

    fn give_out(&mut self, is_end: bool, out: &mut Vec<u8>) {
        let held = self.held.expose_secret();
        let mut at = 0;
        while let Some(first) = held.get(at) {
            let Some(found) = self.patterns.at_start(&held[at..], is_end) else { break };
            self.covered = found.map(|(length, _)| length).fold(self.covered, usize::max);
            match (self.covered > 0, self.is_hiding) {
                (false, _) => out.push(*first),
                (true, false) => out.extend_from_slice(HIDDEN.as_bytes()),
                // Values that touch are hidden as one.
                (true, true) => {}
            }
            self.is_hiding = self.covered > 0;
            self.covered = self.covered.saturating_sub(1);
            at += 1;
        }
        if at > 0 {
            self.held = held[at..].to_vec().into();
        }
    }
}

impl<'a> Finder<'a> {
    pub(crate) fn new(patterns: &'a Patterns) -> Self {
        let ends = vec![0; patterns.origins.len()];
        Self { patterns, held: SecretBytes::default(), offset: 0, ends, line: 1, column: 1 }
    }

    /// Takes the next bytes of the stream, and appends to `found` what is clear by now.
    pub(crate) fn push(&mut self, bytes: &[u8], found: &mut Vec<Found<'a>>) {
        self.held.extend_from_slice(bytes);
        self.look(false, found);
    }

    /// Ends the stream, and appends what its rest holds.
    pub(crate) fn finish(&mut self, found: &mut Vec<Found<'a>>) {
        self.look(true, found);
    }

    fn look(&mut self, is_end: bool, found: &mut Vec<Found<'a>>) {
        let held = self.held.expose_secret();
        let mut at = 0;
        while let Some(first) = held.get(at) {
            let Some(here) = self.patterns.at_start(&held[at..], is_end) else { break };
            let before = found.len();
            for (length, origin) in here {
                // What is a part of what was found before of the same origin is no news.
                let end = self.offset + at + length;
                if end <= self.ends[origin] {
                    continue;
                }
                self.ends[origin] = end;
                let new = Found { line: self.line, column: self.column, origin: &self.patterns.origins[origin] };
                if !found[before..].contains(&new) {
                    found.push(new);
                }
            }
            (self.line, self.column) = match first {
                b'\n' => (self.line + 1, 1),
                _ => (self.line, self.column + 1),
            };
            at += 1;
        }
        if at > 0 {
            self.offset += at;
            self.held = held[at..].to_vec().into();
        }
    }
}

/// Base64 in lines.
fn in_lines(base64: &str, width: usize, end: &str) -> SecretString {
    let mut out = String::with_capacity(base64.len() + base64.len() / width * end.len());
    for (at, character) in base64.char_indices() {
        if at > 0 && at % width == 0 {
            out.push_str(end);
        }
        out.push(character);
    }
    out.into()
}

/// A value in a URL. `plain` stay as they are.
fn in_url(value: &[u8], plain: &str, space: &str, is_upper: bool) -> SecretBytes {
    let mut out = SecretBytes::with_capacity(3 * value.len());
    for byte in value {
        match byte {
            b' ' => out.extend_from_slice(space.as_bytes()),
            byte if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(byte) => out.extend_from_slice(&[*byte]),
            byte if is_upper => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            byte => out.extend_from_slice(format!("%{byte:02x}").as_bytes()),
        }
    }
    out
}

/// A text inside quotes of JSON; what `also` picks is escaped although it need not be.
fn in_json(text: &str, also: impl Fn(char) -> bool) -> SecretString {
    let mut out = String::with_capacity(6 * text.len());
    for character in text.chars() {
        match character {
            '/' if also('/') => out.push_str("\\/"),
            picked if also(picked) => {
                picked.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            }
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patterns(values: &[&str]) -> Patterns {
        let mut patterns = Patterns::default();
        for value in values {
            patterns.add(value, value.as_bytes());
        }
        patterns
    }

    /// What comes out of a stream that comes in these pieces.
    fn in_pieces<'a>(patterns: &Patterns, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut redactor = Redactor::new(patterns);
        let mut out = Vec::new();
        pieces.into_iter().for_each(|piece| redactor.push(piece, &mut out));
        redactor.finish(&mut out);
        out
    }

    /// The same, slowly and all at once: every byte of every place where a pattern stands is hidden.
    fn reference(patterns: &Patterns, text: &[u8]) -> Vec<u8> {
        let mut hidden = vec![false; text.len()];
        for pattern in patterns.by_first.iter().flatten().map(|it| it.bytes.expose_secret()) {
            for at in (0..text.len()).filter(|at| text[*at..].starts_with(pattern)) {
                hidden[at..at + pattern.len()].fill(true);
            }
        }
        let mut out = Vec::new();
        for (at, byte) in text.iter().enumerate() {
            match hidden[at] {
                false => out.push(*byte),
                true if at == 0 || !hidden[at - 1] => out.extend_from_slice(HIDDEN.as_bytes()),
                true => {}
            }
        }
        out
    }

    #[test]
    fn every_form_of_a_value_is_hidden() {
        let value = "pä/s \"<w>?\n~é";
        let patterns = patterns(&[value]);
        let json = serde_json::to_string(value).unwrap();
        for form in [
            value,
            &json[1..json.len() - 1],
            r#"p\u00e4/s \"<w>?\n~\u00e9"#,
            r#"pä/s \"\u003cw\u003e?\n~é"#,
            r#"pä\/s \"<w>?\n~é"#,
            SecretString::from_bytes_as_base64(value).expose_secret().trim_end_matches('='),
            "p%C3%A4%2Fs%20%22%3Cw%3E%3F%0A~%C3%A9",
            "p%c3%a4%2fs%20%22%3cw%3e%3f%0a~%c3%a9",
            "p%C3%A4%2Fs+%22%3Cw%3E%3F%0A%7E%C3%A9",
        ] {
            let text = format!("a {form}b");
            assert_eq!(in_pieces(&patterns, [text.as_bytes()]), b"a ****b", "{form}");
        }
    }

    #[test]
    fn texts_and_numbers_of_json_and_lines_without_their_end_are_hidden() {
        let json = r#"{"user":"admin","list":[{"x":"hunter2"},-1.50e9],"n":12345,"on":true,"off":false}"#;
        let patterns = patterns(&[json, "line\n"]);
        let text = b"admin hunter2 -1.50e9 12345 true false line.".as_slice();
        assert_eq!(in_pieces(&patterns, [text]), b"**** **** **** **** true false ****.");
    }

    #[test]
    fn json_may_nest_as_deep_as_it_likes() {
        let deep = format!("{}\"hunter2\"{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(in_pieces(&patterns(&[&deep]), [deep.as_bytes()]), b"****");
    }

    #[test]
    fn base64_in_lines_is_hidden() {
        for length in [48, 49, 57, 58, 200] {
            let value: String = ('!'..'~').cycle().take(length).collect();
            let base64 = SecretString::from_bytes_as_base64(&value);
            let base64 = base64.expose_secret().trim_end_matches('=');
            let patterns = patterns(&[&value]);
            for (width, end) in [(64, "\n"), (64, "\r\n"), (76, "\n"), (76, "\r\n")] {
                let lines: Vec<_> = base64.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
                let text = format!("a\n{}\nb", lines.join(end));
                assert_eq!(in_pieces(&patterns, [text.as_bytes()]), b"a\n****\nb", "{length}, {width}");
            }
        }
    }

    #[test]
    fn what_is_short_is_told() {
        let mut patterns = Patterns::default();
        assert!(!patterns.add("a", b"abc\n") && !patterns.add("b", b"") && patterns.add("c", b"abcd"));
        assert_eq!(in_pieces(&patterns, [b"abc abcd".as_slice()]), b"abc ****");
    }

    #[test]
    fn what_is_clear_is_given_out_at_once() {
        let patterns = patterns(&["hunter2"]);
        let mut redactor = Redactor::new(&patterns);
        let mut out = Vec::new();
        redactor.push(b"Name: hunt", &mut out);
        assert_eq!(out, b"Name: ");
        redactor.push(b"ing", &mut out);
        assert_eq!(out, b"Name: hunting");
    }

    /// What is found in a stream that comes in these pieces.
    fn found<'p, 'a>(patterns: &'p Patterns, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Found<'p>> {
        let mut finder = Finder::new(patterns);
        let mut found = Vec::new();
        pieces.into_iter().for_each(|piece| finder.push(piece, &mut found));
        finder.finish(&mut found);
        found
    }

    /// The same, slowly and all at once: for each origin the places where one of its patterns stands that reaches beyond all
    /// those before. As line, column and origin, sorted.
    fn found_slowly(patterns: &Patterns, text: &[u8]) -> Vec<(u64, u64, String)> {
        let mut found = Vec::new();
        for (index, origin) in patterns.origins.iter().enumerate() {
            let mut end = 0;
            for at in 0..text.len() {
                let of_origin = patterns.by_first.iter().flatten().filter(|pattern| pattern.origin == index);
                let standing = of_origin.map(|it| it.bytes.expose_secret()).filter(|it| text[at..].starts_with(it));
                let longest = standing.map(<[u8]>::len).max().unwrap_or_default();
                if longest > 0 && at + longest > end {
                    end = at + longest;
                    let lines: Vec<_> = text[..at].split(|byte| *byte == b'\n').collect();
                    found.push((lines.len() as u64, lines[lines.len() - 1].len() as u64 + 1, origin.clone()));
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn places_are_lines_and_columns_and_tell_whose_value_it_is() {
        let mut patterns = Patterns::default();
        patterns.add("url", b"pg://u:hunter2@h");
        patterns.add("password", b"hunter2");
        patterns.add("again", b"hunter2");
        let places: Vec<_> = found(&patterns, [b"a\n\n pg://u:hun".as_slice(), b"ter2@h\naHVudGVyMg=="])
            .into_iter()
            .map(|found| (found.line, found.column, found.origin))
            .collect();
        assert_eq!(places, [(3, 2, "url"), (3, 9, "password"), (3, 9, "again"), (4, 1, "password"), (4, 1, "again")]);
    }

    #[test]
    fn a_value_in_a_value_of_the_same_origin_is_one_finding() {
        let json = r#"{"password":"hunter2"}"#;
        let patterns = patterns(&[json]);
        assert_eq!(found(&patterns, [json.as_bytes()]).len(), 1);
        assert_eq!(found(&patterns, [b"hunter2 hunter2".as_slice()]).len(), 2);
    }

    proptest! {
        #[test]
        fn pieces_are_searched_as_the_whole_is(
            values in proptest::collection::vec("[ab]{4,7}|[ab%/ ]{4}", 0..4),
            pieces in proptest::collection::vec("[abc%/\n 0-9+]{0,9}", 0..9),
        ) {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            let patterns = patterns(&values);
            let whole = pieces.concat();
            let found = found(&patterns, pieces.iter().map(String::as_bytes));
            let mut found: Vec<_> =
                found.into_iter().map(|found| (found.line, found.column, found.origin.to_owned())).collect();
            found.sort();
            prop_assert_eq!(found, found_slowly(&patterns, whole.as_bytes()));
        }

        #[test]
        fn pieces_are_hidden_as_the_whole_is(
            values in proptest::collection::vec("[ab]{4,7}|[ab%/ ]{4}", 0..4),
            pieces in proptest::collection::vec("[abc%/ 0-9+]{0,9}", 0..9),
        ) {
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            let patterns = patterns(&values);
            let whole = pieces.concat();
            let out = in_pieces(&patterns, pieces.iter().map(String::as_bytes));
            prop_assert_eq!(&out, &reference(&patterns, whole.as_bytes()));
            for value in values.iter().filter(|value| !value.trim_ascii_end().is_empty()) {
                prop_assert!(!out.windows(value.len()).any(|window| window == value.as_bytes()));
            }
        }
    }
}
