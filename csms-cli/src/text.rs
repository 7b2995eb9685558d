//! Plain functions on text.

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

/// At most `width` characters, the last one `…` where something was cut off.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
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
