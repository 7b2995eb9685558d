//! `.env` files: lines of `NAME=value`, read and written.
//!
//! | written | is |
//! | --- | --- |
//! | `NAME=value` | what stands there up to the end of the line or a comment, without the blanks around it |
//! | `NAME='value'` | what stands between the quotes, which may be several lines; nothing in it is an escape |
//! | `NAME="value"` | the same with the escapes `\\`, `\"`, `\$`, ``\` ``, `\n`, `\r` and `\t` |
//!
//! `export` in front of a name is passed over, and so are blank lines and comments: what follows a `#` at the beginning of
//! a line or behind a blank. Nothing is expanded: `$NAME` stays as it is.

use csms_sdk::SecretString;

use crate::text::line_number;

const BLANKS: [char; 2] = [' ', '\t'];
const LINE_ENDS: [char; 2] = ['\n', '\r'];

/// What is wrong in a file, without what stands there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) problem: &'static str,
}

/// One line of a file.
type Entry = (String, SecretString);

/// Reads a file. A name may come more than once.
pub(crate) fn parse(text: &str) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        let (found, after) = entry(rest).map_err(|problem| {
            let line = line_number(text, text.len() - rest.len());
            Fault { line, problem }
        })?;
        entries.extend(found);
        rest = after;
    }
    Ok(entries)
}

/// A value as a file holds it: a shell that reads the file as a script, and [`parse`], find the same value.
pub(crate) fn quoted(value: &str) -> SecretString {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || "_-./:@%+,".contains(character);
    if !value.is_empty() && value.chars().all(is_bare) {
        return value.into();
    }
    // Enough for every character, so that it does not grow and leave a copy behind.
    let mut out = String::with_capacity(2 * value.len() + 2);
    if !value.contains('\'') {
        out.extend(["'", value, "'"]);
        return out.into();
    }
    out.push('"');
    for character in value.chars() {
        if SPECIAL.contains(&character) {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out.into()
}

/// Which other readers find another value in what [`quoted`] makes of this one.
pub(crate) fn misread_by(value: &str) -> Option<&'static str> {
    let has_quote = value.contains('\'');
    // They make line ends alike, and know fewer escapes than a shell; one knows some more in single quotes.
    if value.contains('\r') || (has_quote && value.contains(SPECIAL)) {
        return Some("python-dotenv and node --env-file");
    }
    let is_changed = !has_quote && (value.contains(r"\\") || value.ends_with('\\') || value.contains("${"));
    is_changed.then_some("python-dotenv")
}

/// What a shell interprets in double quotes.
const SPECIAL: [char; 4] = ['\\', '"', '$', '`'];

/// The letter behind a backslash, and what it stands for.
const ESCAPES: [(char, char); 7] =
    [('\\', '\\'), ('"', '"'), ('$', '$'), ('`', '`'), ('n', '\n'), ('r', '\r'), ('t', '\t')];

/// The first line of a text, or more where a quote goes on, and what follows it.
fn entry(text: &str) -> Result<(Option<Entry>, &str), &'static str> {
    let text = text.trim_start_matches(BLANKS);
    if ends_or_comments(text) {
        return Ok((None, after_line(text)));
    }
    let exported = text.strip_prefix("export").filter(|rest| rest.starts_with(BLANKS));
    let text = exported.map_or(text, |rest| rest.trim_start_matches(BLANKS));
    let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    let (name, rest) = text.split_at(text.find(|character| !is_name(character)).unwrap_or(text.len()));
    let Some(assigned) = rest.trim_start_matches(BLANKS).strip_prefix('=').filter(|_| !name.is_empty()) else {
        return Err("it is no NAME=value");
    };
    let value = assigned.trim_start_matches(BLANKS);
    let (value, rest) = match value.chars().next() {
        Some('\'') => {
            let (value, rest) = value[1..].split_once('\'').ok_or("the quote is not closed")?;
            (value.into(), rest)
        }
        Some('"') => escaped(&value[1..])?,
        Some('#') if value.len() == assigned.len() => return Err("a value that begins with # needs quotes"),
        _ => bare(value),
    };
    let rest = rest.trim_start_matches(BLANKS);
    match ends_or_comments(rest) {
        true => Ok((Some((name.to_owned(), value)), after_line(rest))),
        false => Err("there is more behind the closing quote"),
    }
}

/// A value without quotes.
fn bare(text: &str) -> (SecretString, &str) {
    let line = &text[..text.find(LINE_ENDS).unwrap_or(text.len())];
    let is_comment = |at: &usize| *at == 0 || line[..*at].ends_with(BLANKS);
    let end = line.match_indices('#').map(|(at, _)| at).find(is_comment).unwrap_or(line.len());
    let (value, rest) = text.split_at(line[..end].trim_end_matches(BLANKS).len());
    (value.into(), rest)
}

/// A value in double quotes, of which the first is left out here.
fn escaped(text: &str) -> Result<(SecretString, &str), &'static str> {
    // Never longer than what is written, so that it does not grow and leave a copy behind.
    let mut value = String::with_capacity(text.len());
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value.into(), &text[at + 1..])),
            '\\' => {
                let letter = characters.next().map(|(_, letter)| letter);
                let known = ESCAPES.iter().find(|(known, _)| Some(*known) == letter);
                value.push(known.ok_or(r#"the escapes are \\ \" \$ \` \n \r \t"#)?.1);
            }
            other => value.push(other),
        }
    }
    Err("the quote is not closed")
}

fn ends_or_comments(text: &str) -> bool {
    text.is_empty() || text.starts_with('#') || text.starts_with(LINE_ENDS)
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, after)| after)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let entries = parse(text).unwrap();
        entries.into_iter().map(|(name, value)| (name, value.expose_secret().to_owned())).collect()
    }

    #[test]
    fn values_are_bare_or_quoted() {
        for (text, value) in [
            ("A=b", "b"),
            ("A=", ""),
            ("  export A = b c  # comment\r\n", "b c"),
            ("A=b#c", "b#c"),
            ("A= # only a comment", ""),
            ("\u{feff}A=$HOME", "$HOME"),
            ("A='b\\n#\n \"c\"' # comment", "b\\n#\n \"c\""),
            (r#"A="b\n\t\"\\\$\` 'c'""#, "b\n\t\"\\$` 'c'"),
            ("exported=b", "b"),
        ] {
            assert_eq!(read(text)[0].1, value, "{text}");
        }
        assert_eq!(read("# first\n\nA=1\n \t\nB='2'\n\nA=3").len(), 3);
    }

    #[test]
    fn what_cannot_be_read_is_told_by_line_only() {
        for (text, line) in
            [("hunter2", 1), ("A=1\n=hunter2", 2), ("A='1\n2'\nB='x", 3), ("A=\"\\x\"", 1), ("A='1'2", 1), ("A=#1", 1)]
        {
            let fault = parse(text).unwrap_err();
            assert_eq!(fault.line, line, "{text}");
            assert!(!format!("{fault:?}").contains("hunter2"));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in "[a #'\"\\\\$`\n\r\t=]{0,12}|[^\0]{0,12}", next in "[a-z' \\\\]{0,5}") {
            let text = format!("A={}\nB={}\n", quoted(&value).expose_secret(), quoted(&next).expose_secret());
            prop_assert_eq!(read(&text), [("A".to_owned(), value), ("B".to_owned(), next)]);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[A='\"\\\\#\n\r export]{0,20}|\\PC{0,20}") {
            let _ = parse(&text);
        }
    }
}
