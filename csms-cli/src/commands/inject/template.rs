//! Templates: what in them stands for a value.

use crate::{
    error::Failure,
    resolve::{SCHEME, Target},
    text::line_number,
};

/// What a reference without braces may hold. One with other characters needs them.
const INNER: &str = "-_.@~#/?=&%";
/// What belongs to the sentence rather than to a reference, at its end.
const ENDS: [char; 3] = ['.', '/', '?'];

/// A part of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// Stands for a value.
    Target(Target),
}

impl Piece<'_> {
    pub(super) fn target(&self) -> Option<&Target> {
        match self {
            Self::Text(_) => None,
            Self::Target(target) => Some(target),
        }
    }
}

/// The parts of a template. `name` is that of its file.
pub(super) fn pieces<'a>(name: &str, text: &'a str) -> Result<Vec<Piece<'a>>, Failure> {
    let mut pieces = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while let Some(next) = text[at..].find(['{', 'c']).map(|found| at + found) {
        let rest = &text[next..];
        let place = || format!("{name}, line {}", line_number(text, next));
        let (length, target) = if let Some(inner) = rest.strip_prefix("{{") {
            let Some(target) = Target::marked(&place(), inside(inner)) else {
                at = next + 2;
                continue;
            };
            let Some(end) = inner.lines().next().and_then(|line| line.find("}}")) else {
                return Err(Failure::usage("invalid_template", format!("{}: the braces are not closed", place()))
                    .cause("`{{` needs `}}` in the same line; nothing was sent")
                    .hint("write {{ csms://NAME }}"));
            };
            (end + 4, target?)
        } else if rest.starts_with(SCHEME) {
            let reference = bare(rest);
            (reference.len(), Target::of(&place(), reference)?)
        } else {
            at = next + 1;
            continue;
        };
        pieces.push(Piece::Text(&text[begin..next]));
        pieces.push(Piece::Target(target));
        (begin, at) = (next + length, next + length);
    }
    pieces.push(Piece::Text(&text[begin..]));
    pieces.retain(|piece| *piece != Piece::Text(""));
    Ok(pieces)
}

/// What stands between braces, without the blanks around it.
fn inside(inner: &str) -> &str {
    let line = inner.lines().next().unwrap_or_default();
    line.split("}}").next().unwrap_or_default().trim()
}

/// The reference at the beginning of a text.
fn bare(text: &str) -> &str {
    let is_inner = |character: char| character.is_ascii_alphanumeric() || INNER.contains(character);
    let after = &text[SCHEME.len()..];
    let length = after.find(|character| !is_inner(character)).unwrap_or(after.len());
    &text[..SCHEME.len() + after[..length].trim_end_matches(ENDS).len()]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The template with what stands for values in brackets.
    fn read(text: &str) -> String {
        let piece = |piece: &Piece<'_>| match piece {
            Piece::Text(text) => (*text).to_owned(),
            Piece::Target(Target::Secret(reference)) => format!("[{}]", &reference.to_string()[SCHEME.len()..]),
            Piece::Target(Target::Cipher(base64)) => format!("[{base64}]"),
        };
        pieces("t", text).unwrap().iter().map(piece).collect()
    }

    #[test]
    fn references_are_found_in_braces_and_in_place() {
        for (template, expected) in [
            ("a: {{ csms://db#password }}\n", "a: [db#password]\n"),
            ("{{csms://db#a b}}{{kms:AAEC}}", "[db#a b][AAEC]"),
            ("{{ kms:AAEC }}", "[AAEC]"),
            ("'csms://db@previous#/a/b',", "'[db@previous#/a/b]',"),
            ("see csms://db. Or csms://db?", "see [db]. Or [db]?"),
            ("csms://db?region=cn-east-3&x", "csms"),
            ("url=csms://u:csms://p@v1", "url=[u]:[p@v1]"),
            ("{{ other }} kms:AAEC {{ { csms:/ c", "{{ other }} kms:AAEC {{ { csms:/ c"),
            ("{{{csms://db}}}", "{{{[db]}}}"),
            ("ü{{csms://db}}ü", "ü[db]ü"),
        ] {
            match expected {
                "csms" => assert!(pieces("t", template).is_err()),
                expected => assert_eq!(read(template), expected, "{template}"),
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        for text in ["\n{{ csms://db\n}}", "\n{{ csms://hunter2! }}", "\ncsms://", "\n{{ kms:hunter2! }}"] {
            let failure = pieces("t", text).unwrap_err();
            assert!(failure.what().starts_with("t, line 2: "), "{}", failure.what());
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
    }

    proptest! {
        #[test]
        fn what_has_no_reference_stays_as_it_is(text in "[{} a-z:/#ü\n]{0,30}") {
            if !text.contains(SCHEME) && !text.contains("kms:") {
                prop_assert_eq!(read(&text), text);
            }
        }

        #[test]
        fn no_template_makes_it_panic(text in "(csms://|kms:|\\{\\{|\\}\\}|[a.#@?\n ü]){0,12}") {
            let _ = pieces("t", &text);
        }
    }
}
