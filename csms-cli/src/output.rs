//! Rendering: the only place that writes to stdout.

use std::{
    env, fs,
    io::{self, IsTerminal as _, Write as _},
};

use clap::ArgMatches;
use csms_sdk::{SecretBytes, SecretString, Timestamp, clock::Clock};
use serde_json::Value as Json;

use crate::{
    config::Config,
    error::{Exit, Failure, Reporter},
    query::Query,
    settings::{Setting, setting},
    table::{self, Cell, Heading},
    text, verb,
};

/// Help and tables are this wide where no terminal tells.
const USUAL_WIDTH: usize = 100;
/// What the line of usage begins with.
const USAGE: &str = "Usage: ";

/// Form in which data are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// What suits the command and the place it prints to.
    Auto,
    /// JSON: indented on a terminal, in one line otherwise.
    Json,
    /// JSON with one item of a list in each line.
    Jsonl,
    /// YAML.
    Yaml,
    /// A table for people, wherever it goes.
    Table,
    /// Rows of cells between tabs, without a heading.
    Tsv,
    /// A text as it is, byte for byte; everything else as JSON in one line.
    Raw,
    /// Nothing.
    None,
}

impl Format {
    pub(crate) const NAMES: [&str; 8] = ["auto", "json", "jsonl", "yaml", "table", "tsv", "raw", "none"];

    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "auto" => Self::Auto,
            "json" => Self::Json,
            "jsonl" => Self::Jsonl,
            "yaml" => Self::Yaml,
            "table" => Self::Table,
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
    pub(crate) fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }

    /// Passes on what another program has printed.
    pub(crate) fn write(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().lock().write_all(bytes).and_then(|()| io::stdout().flush()),
            Self::Stderr => io::stderr().lock().write_all(bytes),
        }
    }

    /// The stream itself, for calls that look at where it goes.
    #[cfg(unix)]
    pub(crate) fn duplicate(self) -> io::Result<std::os::fd::OwnedFd> {
        use std::os::fd::AsFd as _;
        match self {
            Self::Stdout => io::stdout().as_fd().try_clone_to_owned(),
            Self::Stderr => io::stderr().as_fd().try_clone_to_owned(),
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

/// Whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
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

/// Prints what clap answers to `--help` and `--version`. It breaks every line but that of usage.
pub(crate) fn print_help(help: &clap::Error, words: &[String]) -> Result<(), Failure> {
    let text = help.render();
    let text = match wants_color(words, Stream::Stdout) {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    let broken = |line: &str| match text::uncolored(line).starts_with(USAGE) {
        true => text::wrap_behind(line.trim_end(), USAGE.len(), help_width()),
        false => line.to_owned(),
    };
    print(text.split_inclusive('\n').map(broken).collect::<String>().as_bytes())
}

/// Prints a line, of which a part may be a value.
pub(crate) fn line(prefix: &str, bytes: &[u8]) -> Result<(), Failure> {
    let mut line = SecretBytes::with_capacity(prefix.len() + bytes.len() + 1);
    line.extend_from_slice(prefix.as_bytes());
    line.extend_from_slice(bytes);
    line.extend_from_slice(b"\n");
    print(line.expose_secret())
}

/// How this call prints.
pub(crate) struct Output {
    pub(crate) format: Format,
    query: Option<Query>,
    color: bool,
    /// Whether what is printed is the answer to a change, which cannot be had again by running it again.
    is_of_change: bool,
}

impl Output {
    /// Reads `--output` and `--query`, which variable and profile stand in for; a faulty expression is found before
    /// anything is sent.
    pub(crate) fn of(matches: &ArgMatches, config: &Config) -> Result<Self, Failure> {
        let format = match form(matches, config)? {
            None => Format::Auto,
            Some(Setting { value, origin }) => Format::parse(&value).ok_or_else(|| {
                Failure::usage("invalid_value", format!("{origin} names no form of output"))
                    .cause("nothing was sent")
                    .hint(format!("one of {}", Format::NAMES.join(", ")))
            })?,
        };
        let query = matches.get_one::<String>("query").map(|text| Query::of(text)).transpose()?;
        let choice = matches.get_one::<String>("color").map(|choice| format!("--color={choice}"));
        let color = wants_color(choice.as_slice(), Stream::Stdout);
        // Everything that changes something can be had as a dry run.
        let is_of_change = matches.try_get_one::<bool>("dry-run").ok().flatten() == Some(&false);
        Ok(Self { format, query, color, is_of_change })
    }

    /// Whether a part of the answer was asked for.
    pub(crate) fn has_query(&self) -> bool {
        self.query.is_some()
    }

    /// Prints exactly these bytes. On a terminal a newline follows where they have none, and what is no text is refused
    /// unless it is forced.
    pub(crate) fn exact(&self, bytes: &[u8], force: bool) -> Result<(), Failure> {
        if !io::stdout().is_terminal() {
            return print(bytes);
        }
        if !str::from_utf8(bytes).is_ok_and(is_plain) && !force {
            return Err(binary("the value is no text"));
        }
        print(bytes)?;
        if bytes.ends_with(b"\n") { Ok(()) } else { print(b"\n") }
    }

    /// Whether what is printed is a text or bytes, and not made into JSON or such.
    pub(crate) fn is_bare(&self) -> bool {
        matches!(self.format, Format::Auto | Format::Raw) && !self.has_query()
    }

    /// Stdout for bytes that come piece by piece. A terminal gets them only if that is forced.
    pub(crate) fn pipe(&self, force: bool) -> Result<fs::File, Failure> {
        if io::stdout().is_terminal() && !force {
            return Err(binary("a stream may be no text"));
        }
        #[cfg(unix)]
        let opened = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned();
        #[cfg(windows)]
        let opened = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned();
        opened.map(fs::File::from).map_err(|error| unprintable(&error))
    }

    /// Whether rows are printed as a table for people.
    pub(crate) fn is_table(&self) -> bool {
        let for_people = match self.format {
            Format::Table => true,
            Format::Auto => io::stdout().is_terminal(),
            _ => false,
        };
        for_people && self.query.is_none()
    }

    /// Prints JSON, after the query, in the form that was asked for.
    pub(crate) fn json(&self, json: &Json) -> Result<(), Failure> {
        self.shown(json, io::stdout().is_terminal(), || self.is_of_change.then(|| json.clone()))
    }

    /// The same of an answer that may hold secrets. It is `told` where the query fails and it cannot be had again.
    pub(crate) fn answer(&self, json: &Json, told: impl FnOnce() -> Option<Json>) -> Result<(), Failure> {
        self.shown(json, io::stdout().is_terminal(), told)
    }

    /// Prints JSON that people go on to edit: indented wherever it goes.
    pub(crate) fn form(&self, json: &Json) -> Result<(), Failure> {
        self.shown(json, true, || None)
    }

    fn shown(&self, json: &Json, indented: bool, told: impl FnOnce() -> Option<Json>) -> Result<(), Failure> {
        let Some(query) = &self.query else { return self.render(json, indented) };
        let found = query.apply(json).map_err(|failure| match told() {
            Some(answer) => failure
                .cause(format!("the work is over, and only its answer could not be shown: {answer}"))
                .hint("do not run it again for that: --query only decides what is printed"),
            None => failure
                .cause("the answer came, and is not what the expression expects")
                .hint("run it without --query to see the answer"),
        })?;
        self.render(found.expose_secret(), indented)
    }

    /// Prints rows: as a table for people, as [`tsv`](Format::Tsv) for pipes, or `json`. A table is cut to `width`, and of no
    /// rows there is none.
    pub(crate) fn rows(
        &self,
        headings: &[&str],
        rows: &[Vec<impl Cell>],
        width: usize,
        json: &Json,
    ) -> Result<(), Failure> {
        let headings: Vec<_> = headings.iter().map(|text| Heading { text, is_spare: false }).collect();
        self.table(&headings, rows, width, json)
    }

    fn table(
        &self,
        headings: &[Heading<'_>],
        rows: &[Vec<impl Cell>],
        width: usize,
        json: &Json,
    ) -> Result<(), Failure> {
        if self.is_table() {
            return match rows {
                [] => Ok(()),
                rows => print(table::table(headings, rows, width, self.color).expose_secret()),
            };
        }
        match self.format {
            Format::Auto | Format::Tsv if self.query.is_none() => {
                let mut out = SecretBytes::default();
                for row in rows {
                    add_line(&mut out, row.iter().map(|cell| cell.text().replace(['\t', '\n'], " ")));
                }
                print(out.expose_secret())
            }
            _ => self.json(json),
        }
    }

    /// Prints what no table could hold: as `text` for people, for a width, else as rows.
    pub(crate) fn prose(
        &self,
        text: impl FnOnce(usize) -> String,
        rows: &[Vec<impl Cell>],
        json: &Json,
    ) -> Result<(), Failure> {
        match self.is_table() {
            true => print(text(help_width()).as_bytes()),
            false => self.rows(&[], rows, usize::MAX, json),
        }
    }

    /// Whether items are printed as they come, so that pages need not be kept.
    pub(crate) fn takes_pages(&self) -> bool {
        let by_line = match self.format {
            Format::Jsonl | Format::Tsv => true,
            Format::Auto => !io::stdout().is_terminal(),
            _ => false,
        };
        by_line && self.query.is_none()
    }

    /// Prints the items of a list: as a table for people, in lines for pipes, or the whole `answer`.
    pub(crate) fn list(&self, columns: &[Column], items: &[Json], answer: &Json) -> Result<(), Failure> {
        if self.format == Format::Jsonl && self.query.is_none() {
            return items.iter().try_for_each(|item| self.json(item));
        }
        let for_people = self.is_table().then(now);
        let cells = |item| columns.iter().map(|column| column.cell(item, for_people)).collect();
        let rows: Vec<Vec<_>> = items.iter().map(cells).collect();
        let heading = |column: &Column| Heading { text: column.heading, is_spare: column.is_spare };
        let headings: Vec<_> = columns.iter().map(heading).collect();
        self.table(&headings, &rows, width(), answer)
    }

    /// Prints the members of one thing, a line each, or the whole `answer`.
    pub(crate) fn facts(&self, thing: &Json, columns: &[Column], answer: &Json) -> Result<(), Failure> {
        let for_people = self.is_table().then(now);
        let rows: Vec<_> = columns
            .iter()
            .map(|column| vec![column.heading.to_ascii_lowercase().into(), column.cell(thing, for_people)])
            .filter(|row| for_people.is_none() || !row[1].text().is_empty())
            .collect();
        self.rows(&["", ""], &rows, usize::MAX, answer)
    }

    /// Says that something is done: a line on stderr, or the answer as JSON.
    pub(crate) fn done(&self, reporter: &Reporter, text: &str, answer: &Json) -> Result<(), Failure> {
        self.done_each(reporter, &[text.to_owned()], answer)
    }

    /// The same of several things, a line for each.
    pub(crate) fn done_each(&self, reporter: &Reporter, lines: &[String], answer: &Json) -> Result<(), Failure> {
        match self.format {
            Format::Auto | Format::Raw | Format::Tsv | Format::Table if self.query.is_none() => {
                lines.iter().for_each(|line| reporter.note(line));
                Ok(())
            }
            _ => self.json(answer),
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
            Format::Auto | Format::Json | Format::Table if indented => {
                write_json(serde_json::to_writer_pretty(&mut out, json))?;
            }
            Format::Auto | Format::Json | Format::Table => write_json(serde_json::to_writer(&mut out, json))?,
            Format::Jsonl => {
                for item in json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice) {
                    write_json(serde_json::to_writer(&mut out, item))?;
                    out.extend_from_slice(b"\n");
                }
                return print(out.expose_secret());
            }
            Format::Yaml => out = yaml(json)?.into_bytes().into(),
            Format::Tsv => {
                for row in json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice) {
                    match row {
                        Json::Array(cells) => add_line(&mut out, cells.iter().map(cell)),
                        Json::Object(members) => add_line(&mut out, members.values().map(cell)),
                        scalar => add_line(&mut out, [cell(scalar)]),
                    }
                }
                return print(out.expose_secret());
            }
            Format::Raw => match json {
                // The exact bytes, but for what a terminal would obey; only a person needs the line to end.
                Json::String(text) => {
                    if io::stdout().is_terminal() && !is_plain(text) {
                        return Err(binary("the text holds control characters").hint("a pipe, or -o json"));
                    }
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

/// The form of output that was asked for, and by whom.
pub(crate) fn form(matches: &ArgMatches, config: &Config) -> Result<Option<Setting>, Failure> {
    let given = setting(matches, "output", "--output", "CSMS_OUTPUT")?;
    let of_profile = || config.chosen(matches).ok()??.profile?.setting("output");
    Ok(given.or_else(of_profile))
}

/// The time by the system.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(Clock::system().now().timestamp_millis())
}

/// A member of what is listed or described, and how it looks.
pub(crate) struct Column {
    heading: &'static str,
    path: &'static str,
    form: Form,
    is_spare: bool,
}

#[derive(Clone, Copy)]
enum Form {
    Plain,
    Time,
    /// A code in words.
    Word(fn(&str) -> Option<&'static str>),
}

impl Column {
    /// A member as it is; the items of a list with commas between them.
    pub(crate) const fn of(heading: &'static str, path: &'static str) -> Self {
        Self { heading, path, form: Form::Plain, is_spare: false }
    }

    /// A point in time.
    pub(crate) const fn time(heading: &'static str, path: &'static str) -> Self {
        Self { heading, path, form: Form::Time, is_spare: false }
    }

    /// A code that `word` knows in words.
    pub(crate) const fn word(
        heading: &'static str,
        path: &'static str,
        word: fn(&str) -> Option<&'static str>,
    ) -> Self {
        Self { heading, path, form: Form::Word(word), is_spare: false }
    }

    /// The same, left out of a list where a terminal is too narrow for all columns, before others are cut; the last one first.
    pub(crate) const fn spare(self) -> Self {
        Self { is_spare: true, ..self }
    }

    /// Where it stands in what is listed or described.
    #[cfg(test)]
    pub(crate) fn path(&self) -> &'static str {
        self.path
    }

    /// The text of a cell: for people, who know what time it is, times are relative.
    fn cell(&self, item: &Json, now: Option<Timestamp>) -> SecretString {
        let json = verb::at(item, self.path);
        let text = match json {
            Json::Array(items) => items.iter().map(cell).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", "),
            json => cell(json),
        };
        let text = match self.form {
            Form::Plain => text,
            Form::Word(word) => word(&text).map_or(text, str::to_owned),
            Form::Time => match (Timestamp::parse(&text), now) {
                (Some(time), Some(now)) => text::relative(time, now),
                (Some(time), None) => time.to_string(),
                (None, _) => text,
            },
        };
        text.into()
    }
}

/// JSON as YAML that readers of YAML 1.1 and 1.2 alike read back as the same values.
pub(crate) fn yaml(json: &Json) -> Result<String, Failure> {
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

/// Adds cells between tabs, in a line. What a terminal would obey becomes blanks there.
fn add_line(out: &mut SecretBytes, cells: impl IntoIterator<Item = String>) {
    let for_terminal = io::stdout().is_terminal();
    for (index, cell) in cells.into_iter().map(SecretString::from).enumerate() {
        let cell = match for_terminal {
            true => text::one_line(cell.expose_secret()).into(),
            false => cell,
        };
        out.extend_from_slice(if index > 0 { b"\t" } else { b"" });
        out.extend_from_slice(cell.expose_secret().as_bytes());
    }
    out.extend_from_slice(b"\n");
}

/// Whether a terminal only shows this text.
fn is_plain(text: &str) -> bool {
    text.chars().all(|character| !character.is_control() || matches!(character, '\n' | '\r' | '\t'))
}

/// Prints bytes as they are, at once.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| unprintable(&error))
}

/// Why stdout took no more.
pub(crate) fn unprintable(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::new(Exit::ClosedPipe, "closed_pipe", "stdout is closed"),
        _ => Failure::new(Exit::Unexpected, "io", "stdout cannot be written")
            .cause(format!("{error}; what came before may have been"))
            .hint("make room, or have the output go elsewhere"),
    }
}

fn binary(why: &str) -> Failure {
    Failure::usage("binary", format!("{why}, and stdout is a terminal"))
        .cause("it could make the terminal do anything; it was not printed")
        .hint("--to-file PATH, a pipe, or --force")
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
}
