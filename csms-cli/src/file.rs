//! Files with values in them: nobody else can read them, and they are there whole or not at all.

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::{
    error::{Exit, Failure},
    session::Session,
};

/// The flags of verbs that print values, for those who want them in a file instead.
pub(crate) fn flags() -> [Arg; 3] {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    [
        Arg::new("to-file")
            .long("to-file")
            .value_name("PATH")
            .value_parser(clap::value_parser!(PathBuf))
            .help("Write it to a file that only you can read"),
        flag("overwrite", "Replace the file if it exists"),
        flag("force", "Print bytes that are no text even to a terminal"),
    ]
}

/// Refuses the file of [`flags`] where it exists already, before anything is sent.
pub(crate) fn check_target(session: &Session<'_>) -> Result<(), Failure> {
    match session.matches.get_one::<PathBuf>("to-file") {
        Some(path) => check_free(path, session.is_set("overwrite")),
        None => Ok(()),
    }
}

/// The same for a verb that prints nothing else than the value: a file that gets it has no form.
pub(crate) fn check_value_target(session: &Session<'_>) -> Result<(), Failure> {
    let is_formed = session.text("output").is_some_and(|form| !matches!(form, "auto" | "raw"));
    match session.matches.contains_id("to-file") && (is_formed || session.output.has_query()) {
        true => Err(Failure::usage("conflict", "--to-file excludes --query and every --output but raw")
            .cause("the file gets the value itself, byte for byte; nothing was sent")
            .hint("leave out --to-file, and put what is printed into a file with >")),
        false => check_target(session),
    }
}

/// Puts values where [`flags`] say: into a file, or on stdout.
pub(crate) fn deliver(session: &Session<'_>, bytes: &[u8]) -> Result<(), Failure> {
    match session.matches.get_one::<PathBuf>("to-file") {
        Some(path) => {
            write_private(path, bytes, session.is_set("overwrite"))?;
            session.output.done(session.reporter, &format!("wrote {}", path.display()), &json!({}))
        }
        None => session.output.exact(bytes, session.is_set("force")),
    }
}

/// Bytes that a memory file system may hold.
const SMALL: u64 = 16 << 20;

/// Writes a file that only its owner can read. It is made beside its place and moved there, so that an interrupted
/// write leaves what was there. A file that exists is replaced only if that is wanted.
pub(crate) fn write_private(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), Failure> {
    let mut file = draft(path)?;
    let written = file.write_all(bytes).and_then(|()| file.as_file().sync_all());
    written.map_err(|error| unwritable(path, &error))?;
    place(file, path, overwrite)?;
    // A crash must not take back the name of what is there. Not every file system can be told so, nor has to be.
    #[cfg(unix)]
    let _ = File::open(directory_of(path)).and_then(|directory| directory.sync_all());
    Ok(())
}

/// A file beside `path` that is not there yet as far as others can tell.
pub(crate) fn draft(path: &Path) -> Result<NamedTempFile, Failure> {
    NamedTempFile::new_in(directory_of(path)).map_err(|error| unwritable(path, &error))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A file without a name, for what must not be seen before all of it is there: nobody can open it, and it is gone with
/// this process. In memory where that is possible and it has no more than [`SMALL`] bytes.
pub(crate) fn unnamed(size: Option<u64>) -> io::Result<File> {
    let is_small = size.is_some_and(|size| size <= SMALL);
    match is_small.then(|| tempfile::tempfile_in("/dev/shm")) {
        Some(Ok(file)) => Ok(file),
        _ => tempfile::tempfile(),
    }
}

/// Moves a draft to its place.
pub(crate) fn place(draft: NamedTempFile, path: &Path, overwrite: bool) -> Result<(), Failure> {
    let placed = match overwrite {
        true => draft.persist(path),
        false => draft.persist_noclobber(path),
    };
    placed.map(drop).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => unwritable(path, &error.error),
    })
}

/// Refuses a path at which there is something, before anything is sent.
pub(crate) fn check_free(path: &Path, overwrite: bool) -> Result<(), Failure> {
    match !overwrite && path.symlink_metadata().is_ok() {
        true => Err(exists(path)),
        false => Ok(()),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::usage("file_exists", format!("{} exists", path.display()))
        .cause("it was left as it is")
        .hint("--overwrite replaces it")
}

pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let exit = match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem => Exit::Usage,
        _ => Exit::Unexpected,
    };
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room, and run it again"
        }
        _ => "check the path and who may write there",
    };
    Failure::new(exit, "unwritable", format!("{} cannot be written", path.display()))
        .cause(format!("{error}; what was there is as it was"))
        .hint(hint)
}
