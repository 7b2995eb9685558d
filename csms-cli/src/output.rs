//! Rendering: the only place that writes to stdout.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
};

use clap::ArgMatches;
use csms_sdk::SecretBytes;
use serde_json::Value as Json;

use crate::{
    error::{Exit, Failure},
    text,
};

/// Help and tables are this wide where no terminal tells.
const USUAL_WIDTH: usize = 100;

/// Form in which data are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// What suits the command and the place it prints to.
    Auto,
    /// JSON: indented on a terminal, in one line otherwise.
    Json,
    /// YAML.
    Yaml,
    /// Rows of cells between tabs, without a heading.
    Tsv,
    /// A text as it is, byte for byte; everything else as JSON in one line.
    Raw,
    /// Nothing.
    None,
}

impl Format {
    pub(crate) const NAMES: [&str; 6] = ["auto", "json", "yaml", "tsv", "raw", "none"];

    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "auto" => Self::Auto,
            "json" => Self::Json,
            "yaml" => Self::Yaml,
            "tsv" => Self::Tsv,
            "raw" => Self::Raw,
            "none" => Self::None,
            _ => return None,
        })
    }
}

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }
}

/// Whether a stream gets colour: the flag, then `NO_COLOR`, then `CLICOLOR_FORCE`, then whether it is a terminal.
pub(crate) fn wants_color(words: &[String], stream: Stream) -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    match text::flag_value(words, "--color") {
        Some("always") => true,
        Some("never") => false,
        _ if is_set("NO_COLOR") => false,
        _ if is_set("CLICOLOR_FORCE") => env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
        _ => stream.is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

/// Width of stdout.
pub(crate) fn width() -> usize {
    let columns = || env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
    let terminal = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    terminal().or_else(columns).unwrap_or(USUAL_WIDTH)
}

/// Width of help: long lines are hard to read.
pub(crate) fn help_width() -> usize {
    width().min(USUAL_WIDTH)
}

/// Prints what clap answers to `--help` and `--version`.
pub(crate) fn print_help(help: &clap::Error, words: &[String]) -> Result<(), Failure> {
    let text = help.render();
    match wants_color(words, Stream::Stdout) {
        true => print(text.ansi().to_string().as_bytes()),
        false => print(text.to_string().as_bytes()),
    }
}

/// How this call prints.
pub(crate) struct Output {
    pub(crate) format: Format,
    query: Option<jmespath::Expression<'static>>,
    color: bool,
}

impl Output {
    /// Reads `--output` and `--query`; a faulty expression is found before anything is sent.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        let format = match matches.get_one::<String>("output") {
            Some(name) => Format::parse(name),
            None => match env::var("CSMS_OUTPUT").ok().filter(|name| !name.is_empty()) {
                None => Some(Format::Auto),
                Some(name) => Some(Format::parse(&name).ok_or_else(|| {
                    Failure::usage("invalid_value", "CSMS_OUTPUT names no form of output")
                        .cause("nothing was sent")
                        .hint(format!("one of {}", Format::NAMES.join(", ")))
                })?),
            },
        };
        let query = matches.get_one::<String>("query").map(|text| {
            jmespath::compile(text).map_err(|error| {
                Failure::usage("invalid_query", format!("--query is not JMESPath: {}", reason(&error)))
                    .cause(format!("column {} of the expression", error.column + 1))
                    .hint("see https://jmespath.org; quote the expression for the shell")
            })
        });
        let choice = matches.get_one::<String>("color").map(|choice| format!("--color={choice}"));
        let color = wants_color(choice.as_slice(), Stream::Stdout);
        Ok(Self { format: format.unwrap_or(Format::Auto), query: query.transpose()?, color })
    }

    /// Whether rows are printed as a table for people.
    fn is_table(&self) -> bool {
        self.format == Format::Auto && self.query.is_none() && io::stdout().is_terminal()
    }

    /// Prints JSON, after the query, in the form that was asked for.
    pub(crate) fn json(&self, json: &Json) -> Result<(), Failure> {
        self.shown(json, io::stdout().is_terminal())
    }

    /// Prints JSON that people go on to edit: indented wherever it goes.
    pub(crate) fn form(&self, json: &Json) -> Result<(), Failure> {
        self.shown(json, true)
    }

    fn shown(&self, json: &Json, indented: bool) -> Result<(), Failure> {
        let Some(query) = &self.query else { return self.render(json, indented) };
        let failed = |problem: String| {
            Failure::usage("invalid_query", format!("--query cannot be applied: {problem}"))
                .cause("the answer came, and is not what the expression expects")
                .hint("run it without --query to see the answer")
        };
        let found = query.search(json).map_err(|error| failed(reason(&error)))?;
        let found = serde_json::to_value(found).map_err(|error| failed(error.to_string()))?;
        self.render(&found, indented)
    }

    /// Prints rows: as a table for people, as [`tsv`](Format::Tsv) for pipes, or `json`. A table is cut to `width`.
    pub(crate) fn rows(
        &self,
        headings: &[&str],
        rows: &[Vec<String>],
        width: usize,
        json: &Json,
    ) -> Result<(), Failure> {
        if self.is_table() {
            return print(table(headings, rows, width, self.color).as_bytes());
        }
        match self.format {
            Format::Auto | Format::Tsv if self.query.is_none() => {
                let cell = |text: &String| text.replace(['\t', '\n'], " ");
                let lines = rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("\t") + "\n");
                print(lines.collect::<String>().as_bytes())
            }
            _ => self.json(json),
        }
    }

    /// Prints lines that a shell can take as they are, unless `json` was asked for.
    pub(crate) fn script(&self, script: &str, json: &Json) -> Result<(), Failure> {
        match self.format {
            Format::Auto | Format::Raw if self.query.is_none() => print(script.as_bytes()),
            _ => self.json(json),
        }
    }

    /// Prints text for people, unless `json` was asked for. Lines that begin with `#` are headings.
    pub(crate) fn text(&self, text: &str, json: impl FnOnce() -> Json) -> Result<(), Failure> {
        if self.format != Format::Auto || self.query.is_some() {
            return self.json(&json());
        }
        let (bold, plain) = if self.color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let mut out = String::with_capacity(text.len());
        for line in text.lines() {
            match line.strip_prefix('#') {
                Some(heading) => out.push_str(&format!("{bold}{heading}{plain}\n")),
                None => out.push_str(&format!("{line}\n")),
            }
        }
        print(out.as_bytes())
    }

    fn render(&self, json: &Json, indented: bool) -> Result<(), Failure> {
        // Answers hold secrets: what is made of them is wiped.
        let mut out = SecretBytes::default();
        match self.format {
            Format::None => return Ok(()),
            Format::Auto | Format::Json if indented => {
                write_json(serde_json::to_writer_pretty(&mut out, json))?;
            }
            Format::Auto | Format::Json => write_json(serde_json::to_writer(&mut out, json))?,
            Format::Yaml => out = yaml(json)?.into_bytes().into(),
            Format::Tsv => {
                for row in json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice) {
                    let cells: Vec<_> = match row {
                        Json::Array(cells) => cells.iter().map(cell).collect(),
                        Json::Object(members) => members.values().map(cell).collect(),
                        scalar => vec![cell(scalar)],
                    };
                    out.extend_from_slice(cells.join("\t").as_bytes());
                    out.extend_from_slice(b"\n");
                }
                return print(out.expose_secret());
            }
            Format::Raw => match json {
                // The exact bytes; only a person needs the line to end.
                Json::String(text) => {
                    out.extend_from_slice(text.as_bytes());
                    if !io::stdout().is_terminal() || text.ends_with('\n') {
                        return print(out.expose_secret());
                    }
                }
                json => write_json(serde_json::to_writer(&mut out, json))?,
            },
        }
        if !out.expose_secret().ends_with(b"\n") {
            out.extend_from_slice(b"\n");
        }
        print(out.expose_secret())
    }
}

/// JSON as YAML that readers of YAML 1.1 and 1.2 alike read back as the same values.
fn yaml(json: &Json) -> Result<String, Failure> {
    serde_saphyr::to_string(json)
        .map_err(|_| Failure::new(Exit::Unexpected, "yaml", "the answer cannot be written as YAML").hint("use -o json"))
}

fn write_json(outcome: serde_json::Result<()>) -> Result<(), Failure> {
    outcome.map_err(|_| Failure::new(Exit::Unexpected, "json", "the answer cannot be written as JSON"))
}

/// A value as a cell of a row: a text bare, in one line.
fn cell(json: &Json) -> String {
    match json {
        Json::String(text) => text.replace(['\t', '\n', '\r'], " "),
        Json::Null => String::new(),
        json => json.to_string(),
    }
}

fn table(headings: &[&str], rows: &[Vec<String>], width: usize, color: bool) -> String {
    let column = |index: usize| rows.iter().filter_map(move |row| row.get(index)).map(|cell| cell.chars().count());
    let widths: Vec<_> = headings
        .iter()
        .enumerate()
        .map(|(index, heading)| column(index).chain([heading.chars().count()]).max().unwrap_or_default())
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<_> = cells
            .zip(&widths)
            .map(|(cell, width)| {
                format!("{}{}", text::one_line(cell), " ".repeat(width.saturating_sub(cell.chars().count())))
            })
            .collect();
        text::cut(padded.join("  ").trim_end(), width)
    };
    let (bold, plain) = if color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let mut out = format!("{bold}{}{plain}\n", line(&mut headings.iter().copied()));
    for row in rows {
        out.push_str(&line(&mut row.iter().map(String::as_str)));
        out.push('\n');
    }
    out
}

/// What is wrong with an expression or its use. Names types, never values.
fn reason(error: &jmespath::JmespathError) -> String {
    error.reason.to_string()
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::new(Exit::ClosedPipe, "closed_pipe", "stdout is closed"),
        _ => Failure::new(Exit::Unexpected, "io", format!("stdout cannot be written: {error}")),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_read_back_as_it_was() {
        let texts = [
            "yes",
            "no",
            "on",
            "y",
            "1e3",
            "0x1F",
            "1_000",
            "12:30:45",
            "2026-01-01",
            "null",
            "~",
            "",
            " lead",
            "trail ",
            "a: b",
            "- a",
            "# no comment",
            "a #b",
            "two\nlines",
            "ends\n",
            "ends twice\n\n",
            "\n",
            "\nlead",
            "  indented\nnot",
            "tab\there",
            "cr\r\nlf",
            "'quoted'",
            "\"quoted\"",
            "back\\slash",
            "{a}",
            "[a]",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a`",
            "|",
            ">",
            "?",
            "ü…",
            "\u{7f}\u{85}\u{2028}\u{feff}",
            "\u{0}\u{1b}",
            "---",
            "...",
            "=",
            "<<",
            ".5",
            "+1",
            ".inf",
            "long words beyond eighty characters so that a writer may want to fold them, which has to be read back as it was",
            "long words beyond eighty characters so that a writer may want to fold them, with  two spaces and an end \n",
        ];
        for text in texts {
            for json in [json!(text), json!({"a": text}), json!([text, {"b": [text]}]), json!({text: 1})] {
                let yaml = yaml(&json).unwrap();
                let back: Json =
                    serde_saphyr::from_str(&yaml).unwrap_or_else(|error| panic!("{json}: {yaml}: {error}"));
                assert_eq!(back, json, "{yaml}");
            }
        }
        let others = json!({"n": null, "t": true, "i": -3, "u": u64::MAX, "f": 1.5, "e": [], "o": {}});
        assert_eq!(serde_saphyr::from_str::<Json>(&yaml(&others).unwrap()).unwrap(), others);
    }

    #[test]
    fn tables_are_aligned_and_cut() {
        let rows = [vec!["a".to_owned(), "long one".to_owned()], vec!["bbb".to_owned(), "c".to_owned()]];
        assert_eq!(table(&["n", "text"], &rows, 9, false), "n    text\na    lon…\nbbb  c\n");
    }
}
