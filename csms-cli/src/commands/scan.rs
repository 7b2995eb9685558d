//! `csms scan`: where in files the values of secrets stand.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Arg, ArgAction, Command, value_parser};
use serde_json::{Value as Json, json};

use crate::{
    error::{Exit, Failure},
    needs::Needs,
    redactor::{self, Patterns},
    session::Session,
    sources::{self, Wanted},
    verb::Own,
};

/// `csms scan`.
pub(crate) const SCAN: Own = Own {
    name: "scan",
    about: "Finds the values of secrets in files, and tells where they stand",
    grammar,
    run,
    calls,
};

/// What is larger is hardly written by people.
const LARGEST: u64 = 16 << 20;
/// A zero byte in the beginning, of this length, is what makes a file binary.
const BEGINNING: u64 = 8 * 1024;

const AFTER_HELP: &str = "\
The sources are those of `csms exec`, but names of variables do not matter. Without sources it is csms.toml that says which \
values. They are found as they are and in their Base64, URL and JSON \
forms; of JSON also each field, so that it is better to name one field than a secret with a common word in it. Values of \
less than four bytes are not looked for, which is warned about. --prefix '' is every secret of the region.

Each place is printed as FILE:LINE:COLUMN, columns in bytes, and with what named the value; never the value. Folders named \
.git and symbolic links in folders are left out.

  csms scan . --secret db#password --prefix prod-
  csms scan build/ --all --env-file .env -o json

Exit codes: 0 nothing found, 10 something found, 1 nothing found but not everything could be read.";

fn grammar(command: Command) -> Command {
    sources::value_flags(command)
        .arg(
            Arg::new("path")
                .value_name("PATH")
                .value_parser(value_parser!(PathBuf))
                .num_args(1..)
                .required(true)
                .help("A file, or a folder with all that is in it"),
        )
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .help("Read binary files and files over 16 MiB as well"),
        )
        .after_help(AFTER_HELP)
}

fn calls(session: &Session<'_>) -> Result<Needs, Failure> {
    let mut needs = Needs::of(session);
    wanted(session)?.needs(&mut needs);
    Ok(needs)
}

fn wanted(session: &Session<'_>) -> Result<Wanted, Failure> {
    Wanted::of_values(session, "looked for", "csms scan PATH --secret NAME")
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let paths: Vec<_> = session.matches.get_many::<PathBuf>("path").into_iter().flatten().collect();
    if let Some((path, error)) = paths.iter().find_map(|path| Some((path, path.metadata().err()?))) {
        return Err(Failure::usage("unreadable", format!("{} cannot be read", path.display()))
            .cause(format!("{error}; nothing was sent"))
            .hint("check the path and who may read it"));
    }
    let wanted = wanted(session)?;
    let patterns = wanted.patterns(session, &session.connect()?)?;
    let mut scan = Scan { session, patterns: &patterns, places: Vec::new(), skipped: 0, unread: 0 };
    for path in paths {
        scan.walk(path);
    }
    scan.tell()
}

struct Scan<'a> {
    session: &'a Session<'a>,
    patterns: &'a Patterns,
    places: Vec<Place<'a>>,
    skipped: usize,
    unread: usize,
}

/// A file, and what is found in it.
struct Place<'a> {
    file: String,
    found: redactor::Found<'a>,
}

impl Scan<'_> {
    /// Reads a file, or all that is in a folder. A link is followed only where somebody has named it.
    fn walk(&mut self, root: &Path) {
        let mut waiting = vec![root.to_path_buf()];
        while let Some(path) = waiting.pop() {
            let looked = match path.is_dir() {
                true => entries(&path).map(|entries| waiting.extend(entries)),
                false => self.read(&path),
            };
            if let Err(error) = looked {
                self.unread += 1;
                self.session.reporter.warn(&format!("{} cannot be read: {error}", self.shown(&path)));
            }
        }
    }

    fn read(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let is_all = self.session.is_set("all");
        let mut beginning = Vec::new();
        if !is_all {
            file.by_ref().take(BEGINNING).read_to_end(&mut beginning)?;
        }
        if !is_all && (beginning.contains(&0) || file.metadata()?.len() > LARGEST) {
            self.skipped += 1;
            return Ok(());
        }
        let found = redactor::find(beginning.as_slice().chain(file), self.patterns)?;
        let name = self.shown(path);
        self.places.extend(found.into_iter().map(|found| Place { file: name.clone(), found }));
        Ok(())
    }

    /// A path, whose names may hold values as well.
    fn shown(&self, path: &Path) -> String {
        let text = path.display().to_string();
        String::from_utf8_lossy(&redactor::redacted(self.patterns, text.as_bytes())).into_owned()
    }

    fn tell(self) -> Result<ExitCode, Failure> {
        let Self { session, places, skipped, unread, .. } = self;
        let row = |Place { file, found }: &Place<'_>| {
            vec![format!("{file}:{}:{}", found.line, found.column), found.origin.to_owned()]
        };
        let rows: Vec<_> = places.iter().map(row).collect();
        let json: Json = places
            .iter()
            .map(|Place { file, found }| {
                json!({"file": file, "line": found.line, "column": found.column, "origin": found.origin})
            })
            .collect();
        if skipped > 0 {
            session.reporter.note(&format!("not read, as binary or over 16 MiB: {skipped}; --all reads them as well"));
        }
        session.output.rows(&["PLACE", "VALUE"], &rows, usize::MAX, &json)?;
        match (rows.is_empty(), unread) {
            (false, _) => Ok(Exit::Differences.into()),
            (true, 0) => Ok(ExitCode::SUCCESS),
            (true, unread) => {
                Err(Failure::new(Exit::Unexpected, "unread", format!("files that cannot be read: {unread}"))
                    .cause("nothing was found in all others; the warnings name them")
                    .hint("run it as somebody who may read them"))
            }
        }
    }
}

/// What is in a folder and is to be read, the last by name first.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        // Links, pipes and devices are neither files nor folders.
        if kind.is_file() || (kind.is_dir() && entry.file_name() != ".git") {
            paths.push(entry.path());
        }
    }
    paths.sort_unstable_by(|a, b| b.cmp(a));
    Ok(paths)
}
