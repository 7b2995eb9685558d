//! Plain functions on text.

use std::borrow::Cow;

use csms_sdk::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The value of a flag that is written `--flag value` or `--flag=value`; the last one counts.
pub(crate) fn flag_value<'a>(words: &'a [String], flag: &str) -> Option<&'a str> {
    let before_end = words.iter().take_while(|word| *word != "--");
    before_end
        .enumerate()
        .filter_map(|(index, word)| match word.strip_prefix(flag)? {
            "" => words.get(index + 1).map(String::as_str),
            rest => rest.strip_prefix('='),
        })
        .last()
}

/// Control characters could move the cursor or fake another line, and marks of direction turn what follows; services and
/// files may hold them.
pub(crate) fn one_line(text: &str) -> String {
    let is_mark =
        |character| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |character: char| if character.is_control() || is_mark(character) { ' ' } else { character };
    text.trim_end().chars().map(shown).collect()
}

/// How many columns a terminal takes to show a text of one line.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Documentation as people read it on a terminal: paragraphs in one line each, links as their text.
pub(crate) fn plain(docs: &str) -> String {
    let joined: Vec<_> =
        docs.split("\n\n").map(|paragraph| paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ")).collect();
    let text = joined.join("\n\n");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    // `[text](target)` and `[text]` become `text`; names keep their last part: `ImportResponse::error_list`.
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((name, after)) = after.split_once("`]") else { break };
        out.push_str(before);
        out.push_str(name);
        rest = match after.strip_prefix('(').and_then(|target| target.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    out.push_str(rest);
    out
}

/// Breaks text into lines of at most `width` columns, each after `indent` spaces.
pub(crate) fn wrap(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let margin = " ".repeat(indent);
    let mut out = String::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.width() + 1 + word.width() > room {
                out.push_str(&format!("{margin}{line}\n"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        match line.is_empty() {
            true => out.push('\n'),
            false => out.push_str(&format!("{margin}{line}\n")),
        }
    }
    out
}

/// Breaks a line that may be coloured; what does not fit on the first line is put behind `indent` spaces.
pub(crate) fn wrap_behind(line: &str, indent: usize, width: usize) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for (at, word) in line.split(' ').enumerate() {
        let columns = uncolored(word).chars().count();
        if column > indent && column + 1 + columns > width {
            out.push_str(&format!("\n{}", " ".repeat(indent)));
            column = indent;
        } else if at > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += columns;
    }
    out + "\n"
}

/// A text without what sets its colours.
pub(crate) fn uncolored(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// The number of the line in which a byte of a text stands.
pub(crate) fn line_number(text: &str, place: usize) -> usize {
    1 + text.get(..place).unwrap_or_default().matches('\n').count()
}

/// The same of where TOML is faulty. The message of the error is of no use: it quotes what stands there.
pub(crate) fn faulty_line(text: &str, error: &toml::de::Error) -> usize {
    line_number(text, error.span().map_or(0, |span| span.start))
}

/// A time as people say it: `3 days ago`, `in 2 h`.
pub(crate) fn relative(time: Timestamp, now: Timestamp) -> String {
    const UNITS: [(i64, &str); 6] =
        [(31_557_600, "years"), (2_629_800, "months"), (86_400, "days"), (3_600, "h"), (60, "min"), (1, "s")];
    let seconds = time.as_seconds() - now.as_seconds();
    // From two of a unit on, so that little is lost.
    let found = UNITS.iter().find(|(length, _)| seconds.abs() >= 2 * length);
    match found {
        None => "now".to_owned(),
        Some((length, unit)) => match seconds.abs() / length {
            count if seconds < 0 => format!("{count} {unit} ago"),
            count => format!("in {count} {unit}"),
        },
    }
}

/// At most `width` columns of a text, the last one `…` where something was cut off.
pub(crate) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    let mut room = width.saturating_sub(1);
    let fits = |character: &char| {
        let left = room.checked_sub(character.width().unwrap_or_default());
        room = left.unwrap_or_default();
        left.is_some()
    };
    text.chars().take_while(fits).chain(['…']).collect::<String>().into()
}

/// A text as one word of a shell. It may be a value: no second copy of it is made, and it does not grow and leave one behind.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,@%+=".contains(&byte);
    // What follows such a `=` is a command to zsh, and it puts the command's path there.
    let is_path_of = text.starts_with('=') || text.contains(":=");
    if !text.is_empty() && !is_path_of && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    const QUOTE: &str = r"'\''";
    let mut word = String::with_capacity(text.len() + QUOTE.len() * text.matches('\'').count() + 2);
    word.push('\'');
    for (index, part) in text.split('\'').enumerate() {
        word.extend([if index > 0 { QUOTE } else { "" }, part]);
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_their_text_and_lines_their_paragraph() {
        assert_eq!(plain("See [`A::b`](super::A)\nand [`C`].\n\nNext `d`."), "See A::b and C.\n\nNext `d`.");
        assert_eq!(plain("[`open"), "[`open");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrap("aaaa bbbb cccc dddd eeee ffff", 2, 24), "  aaaa bbbb cccc dddd\n  eeee ffff\n");
        assert_eq!(wrap("密码密码 密码密码 密码密码", 0, 20), "密码密码 密码密码\n密码密码\n");
        assert_eq!(wrap("", 2, 10), "\n");
    }

    #[test]
    fn a_coloured_line_is_broken_by_what_is_seen_of_it() {
        let line = "\x1b[1mUsage:\x1b[0m \x1b[1mcsms\x1b[0m [A] [BB]";
        assert_eq!(uncolored(line), "Usage: csms [A] [BB]");
        assert_eq!(uncolored(&wrap_behind(line, 7, 15)), "Usage: csms [A]\n       [BB]\n");
        assert_eq!(wrap_behind(line, 7, 20), format!("{line}\n"));
        assert_eq!(wrap_behind("Usage: longer-than-all", 7, 10), "Usage: longer-than-all\n");
    }

    #[test]
    fn what_is_too_long_is_cut_visibly() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(
            (cut("密码库", 6), cut("密码库", 5), cut("密码库", 4)),
            ("密码库".into(), "密码…".into(), "密…".into())
        );
    }

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let now = Timestamp::from_seconds(1_000_000_000);
        for (seconds, expected) in [
            (0, "now"),
            (-1, "now"),
            (-59, "59 s ago"),
            (-119, "119 s ago"),
            (-120, "2 min ago"),
            (7_200, "in 2 h"),
            (-90_000, "25 h ago"),
            (30 * 86_400, "in 30 days"),
            (-400 * 86_400, "13 months ago"),
        ] {
            let time = Timestamp::from_seconds(now.as_seconds() + seconds);
            assert_eq!(relative(time, now), expected);
        }
    }

    #[test]
    fn the_last_value_of_a_flag_counts() {
        let words = ["csms", "--color", "never", "--color=always", "--", "--color", "x"].map(str::to_owned);
        assert_eq!(flag_value(&words, "--color"), Some("always"));
        assert_eq!(flag_value(&words, "--colo"), None);
    }

    #[test]
    fn what_a_shell_would_change_is_quoted() {
        for (text, word) in [
            ("region=cn-north-4", "region=cn-north-4"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
            ("$(id)", "'$(id)'"),
            ("=ls", "'=ls'"),
            ("a:=ls", "'a:=ls'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(one_line("a\x1b[2Jb\nc\n"), "a [2Jb c");
        assert_eq!(one_line("a\u{202e}b\u{2066}c\u{200f}d"), "a b c d");
    }
}
