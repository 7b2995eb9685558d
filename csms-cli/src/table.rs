//! Tables for people: aligned by what a terminal shows of them, and no wider than it is.

use csms_sdk::{SecretBytes, SecretString};

use crate::text;

/// No column is cut to less than this while another one can be left out.
const NARROWEST: usize = 6;
const GAP: &str = "  ";
/// Stands in the headings for columns that are left out.
const MORE: &str = "…";

/// A text of a row, which may be a value.
pub(crate) trait Cell {
    fn text(&self) -> &str;
}

impl Cell for String {
    fn text(&self) -> &str {
        self
    }
}

impl Cell for SecretString {
    fn text(&self) -> &str {
        self.expose_secret()
    }
}

/// What stands above a column.
#[derive(Clone, Copy)]
pub(crate) struct Heading<'a> {
    pub(crate) text: &'a str,
    /// Whether it is left out before others are cut.
    pub(crate) is_spare: bool,
}

/// Rows under their headings, no wider than `width`. What does not fit gives way in this order: columns without any content,
/// spare ones, the widest, the last. The first column, by which people tell things apart, is cut when it is alone.
pub(crate) fn table(headings: &[Heading<'_>], rows: &[Vec<impl Cell>], width: usize, color: bool) -> SecretBytes {
    let shown = |cell| SecretString::from(text::one_line(Cell::text(cell)));
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    let natural = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| text::width(cell.expose_secret()));
        cells.max().unwrap_or_default()
    };
    let columns: Vec<_> = headings
        .iter()
        .enumerate()
        .map(|(at, heading)| {
            let content = natural(at);
            Column { width: content.max(text::width(heading.text)), is_spare: heading.is_spare, is_empty: content == 0 }
        })
        .collect();
    let fitted = fit(&columns, width);
    let (bold, plain) = if color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let mut out = SecretBytes::default();
    // Facts have no headings.
    if headings.iter().any(|heading| !heading.text.is_empty()) {
        let more = if fitted.is_complete { None } else { Some((MORE, text::width(MORE))) };
        let cells = fitted.columns.iter().map(|(at, width)| (headings[*at].text, *width));
        out.extend_from_slice(bold.as_bytes());
        out.extend_from_slice(line(cells.chain(more), width).expose_secret().as_bytes());
        out.extend_from_slice(plain.as_bytes());
        out.extend_from_slice(b"\n");
    }
    for row in &rows {
        let cells = fitted.columns.iter().filter_map(|(at, width)| Some((row.get(*at)?.expose_secret(), *width)));
        out.extend_from_slice(line(cells, width).expose_secret().as_bytes());
        out.extend_from_slice(b"\n");
    }
    out
}

/// What is known of a column before it is fitted.
struct Column {
    /// With nothing cut.
    width: usize,
    is_spare: bool,
    is_empty: bool,
}

/// The columns that are shown, and how wide.
#[derive(Debug, PartialEq, Eq)]
struct Fitted {
    columns: Vec<(usize, usize)>,
    /// Whether nothing is left out that has content.
    is_complete: bool,
}

fn fit(columns: &[Column], width: usize) -> Fitted {
    let narrowest = |at: usize| if at == 0 { columns[at].width } else { columns[at].width.min(NARROWEST) };
    let (mut kept, mut is_complete): (Vec<_>, _) = ((0..columns.len()).collect(), true);
    let room = |kept: &[usize], is_complete: bool, width_of: &dyn Fn(usize) -> usize| {
        let gaps = GAP.len() * kept.len().saturating_sub(1);
        let more = if is_complete { 0 } else { GAP.len() + text::width(MORE) };
        kept.iter().map(|at| width_of(*at)).sum::<usize>() + gaps + more
    };
    let whole = |at: usize| columns[at].width;

    let empty = (1..columns.len()).rev().filter(|at| columns[*at].is_empty);
    let spare = (1..columns.len()).rev().filter(|at| columns[*at].is_spare && !columns[*at].is_empty);
    for at in empty.chain(spare) {
        if room(&kept, is_complete, &whole) <= width {
            break;
        }
        kept.retain(|other| *other != at);
        is_complete &= columns[at].is_empty;
    }
    while kept.len() > 1 && room(&kept, is_complete, &narrowest) > width {
        kept.pop();
        is_complete = false;
    }
    let mut excess = room(&kept, is_complete, &whole).saturating_sub(width);
    let mut fitted: Vec<_> = kept.into_iter().map(|at| (at, whole(at))).collect();
    while excess > 0 {
        let others = fitted.iter_mut().skip(1).map(|(_, width)| width);
        let Some(widest) = others.max().filter(|widest| **widest > NARROWEST) else { break };
        *widest -= 1;
        excess -= 1;
    }
    if let Some((_, first)) = fitted.first_mut() {
        *first = first.saturating_sub(excess);
    }
    Fitted { columns: fitted, is_complete }
}

/// Cells side by side, each in its width.
fn line<'a>(cells: impl Iterator<Item = (&'a str, usize)>, width: usize) -> SecretString {
    let mut line = SecretBytes::default();
    let mut to_fill = 0;
    for (cell, width) in cells.filter(|(_, width)| *width > 0) {
        let cell = text::cut(cell, width);
        line.extend_from_slice(" ".repeat(to_fill).as_bytes());
        line.extend_from_slice(cell.as_bytes());
        to_fill = width.saturating_sub(text::width(&cell)) + GAP.len();
    }
    let line = String::from_utf8_lossy(line.expose_secret());
    text::cut(line.trim_end(), width).as_ref().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    /// A table of columns whose headings begin with `+` where they are spare.
    fn shown(headings: &[&str], rows: &[&[&str]], width: usize) -> Vec<String> {
        let headings: Vec<_> = headings
            .iter()
            .map(|text| Heading { text: text.trim_start_matches('+'), is_spare: text.starts_with('+') })
            .collect();
        let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        let table = table(&headings, &rows, width, false);
        let lines: Vec<_> = str::from_utf8(table.expose_secret()).unwrap().lines().map(str::to_owned).collect();
        for line in &lines {
            assert!(text::width(line) <= width, "{line}");
        }
        lines
    }

    #[test]
    fn columns_are_aligned_and_the_widest_is_cut() {
        let rows: &[&[&str]] = &[&["a", "long one"], &["bbb", "c"]];
        assert_eq!(shown(&["n", "text"], rows, 20), ["n    text", "a    long one", "bbb  c"]);
        assert_eq!(shown(&["n", "text"], rows, 11), ["n    text", "a    long …", "bbb  c"]);
    }

    #[test]
    fn columns_give_way_in_their_order_and_the_first_last() {
        let rows: &[&[&str]] = &[
            &["production-main-cluster-1", "", "ENABLED", "of the shop", "3 days ago"],
            &["production-main-cluster-2", "", "ENABLED", "of the shop", "3 days ago"],
        ];
        let headings = ["NAME", "TYPE", "STATE", "ABOUT", "+CREATED"];
        assert_eq!(
            shown(&headings, rows, 90)[0],
            "NAME                       TYPE  STATE    ABOUT        CREATED",
            "what fits is shown"
        );
        assert_eq!(shown(&headings, rows, 60)[0], "NAME                       STATE    ABOUT        CREATED");
        assert_eq!(shown(&headings, rows, 58)[0], "NAME                       STATE    ABOUT        …");
        assert_eq!(shown(&headings, rows, 46)[1], "production-main-cluster-1  ENABLED  of the…");
        assert_eq!(
            shown(&headings, rows, 40),
            [
                "NAME                       STATE    …",
                "production-main-cluster-1  ENABLED",
                "production-main-cluster-2  ENABLED"
            ]
        );
        assert_eq!(shown(&headings, rows, 30)[..2], ["NAME                       …", "production-main-cluster-1"]);
        assert_eq!(shown(&headings, rows, 20)[..2], ["NAME               …", "production-main-…"]);
        assert_eq!(shown(&headings, rows, 1)[0], "…", "there is room for nothing else");
    }

    #[test]
    fn characters_that_take_two_columns_are_counted_as_two() {
        let rows: &[&[&str]] = &[&["数据库", "a"], &["🔑🔑", "b"], &["é\u{301}e", "c"]];
        let expected = ["NAME    X", "数据库  a", "🔑🔑    b", "é\u{301}e      c"];
        assert_eq!(shown(&["NAME", "X"], rows, 20), expected);
        assert_eq!(shown(&["NAME"], &[&["数据库密码"]], 6), ["NAME", "数据…"]);
    }
}
