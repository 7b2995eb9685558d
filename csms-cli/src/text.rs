//! Plain functions on text.

use csms_sdk::Timestamp;

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

/// Control characters could move the cursor or fake another line; services and files may hold them.
pub(crate) fn one_line(text: &str) -> String {
    text.trim_end().chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
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

/// Breaks text into lines of at most `width` characters, each after `indent` spaces.
pub(crate) fn wrap(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let margin = " ".repeat(indent);
    let mut out = String::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
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

/// At most `width` characters, the last one `…` where something was cut off.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// A text as one word of a shell. It may be a value: no second copy of it is made, and it does not grow and leave one behind.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,@%+=".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
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
        assert_eq!(wrap("", 2, 10), "\n");
    }

    #[test]
    fn what_is_too_long_is_cut_visibly() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("äöüß", 3), "äö…");
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
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(one_line("a\x1b[2Jb\nc\n"), "a [2Jb c");
    }
}
