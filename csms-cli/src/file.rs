//! Files with values in them: nobody else can read them, and they are there whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction};
use csms_sdk::SecretBytes;
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
            .help("Write it to a file that only you can read; `-` is standard output"),
        flag("overwrite", "Replace the file if it exists"),
        flag("force", "Print bytes that are no text even to a terminal"),
    ]
}

/// Refuses the file of [`flags`] where something is in its place already, before anything is sent.
pub(crate) fn check_target(session: &Session<'_>) -> Result<(), Failure> {
    match target(session) {
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
    match target(session) {
        Some(path) => {
            write_private(path, bytes, session.is_set("overwrite"))?;
            session.output.done(session.reporter, &format!("wrote {}", path.display()), &json!({}))
        }
        None => session.output.exact(bytes, session.is_set("force")),
    }
}

fn target<'a>(session: &Session<'a>) -> Option<&'a Path> {
    session.matches.get_one("to-file").map(PathBuf::as_path).filter(|path| *path != Path::new("-"))
}

/// Writes a file that only its owner can read. It is made beside its place and moved there, so that an interrupted
/// write leaves what was there. A file that exists is replaced only if that is wanted.
pub(crate) fn write_private(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), Failure> {
    let mut file = draft(path)?;
    file.write_all(bytes).map_err(|error| unwritable(path, &error))?;
    place(file, path, overwrite)
}

/// Writes a file that has nothing secret in it, and replaces one that is there. What a link leads to is written in place,
/// and so is what takes bytes without being a file.
pub(crate) fn write_public(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return fs::write(path, bytes);
    }
    let mut draft = tempfile::Builder::new();
    // As for every new file, the umask takes from it.
    #[cfg(unix)]
    draft.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut draft = draft.tempfile_in(directory_of(path))?;
    draft.write_all(bytes)?;
    draft.persist(path).map(drop).map_err(|error| error.error)
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

/// Moves a draft to its place, once its content is on the disk; a crash does not take it back.
pub(crate) fn place(draft: NamedTempFile, path: &Path, overwrite: bool) -> Result<(), Failure> {
    draft.as_file().sync_all().map_err(|error| unwritable(path, &error))?;
    // Something may have come there meanwhile.
    check_free(path, overwrite)?;
    let placed = match overwrite {
        true => draft.persist(path),
        false => draft.persist_noclobber(path),
    };
    placed.map(drop).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => unwritable(path, &error.error),
    })?;
    // Not every file system can be told to keep the name, nor has to be.
    #[cfg(unix)]
    let _ = File::open(directory_of(path)).and_then(|directory| directory.sync_all());
    Ok(())
}

/// Refuses a path at which there is something that is not to be replaced, before anything is sent. What is no regular
/// file never is: a device or a pipe would be gone, and what a link leads to would keep the old value.
pub(crate) fn check_free(path: &Path, overwrite: bool) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(there) if !there.is_file() => Err(irregular(path, there.file_type())),
        Ok(_) if !overwrite => Err(exists(path)),
        _ => Ok(()),
    }
}

fn irregular(path: &Path, kind: fs::FileType) -> Failure {
    let kind = match (kind.is_dir(), kind.is_symlink()) {
        (true, _) => "a directory",
        (_, true) => "a symbolic link",
        _ => "a device, a pipe or such",
    };
    let hint = match path.starts_with("/dev") || path.starts_with("/proc") {
        true => "--to-file - is standard output",
        false => "name the file itself, or one that is not there yet",
    };
    Failure::usage("not_a_file", format!("{} is no regular file", path.display()))
        .cause(format!("it is {kind}, and was left as it is"))
        .hint(hint)
}

fn exists(path: &Path) -> Failure {
    Failure::usage("file_exists", format!("{} exists", path.display()))
        .cause("it was left as it is")
        .hint("--overwrite replaces it")
}

/// Most bytes of a file that says what this program is to do.
const MOST: u64 = 1 << 20;

/// Content and metadata of a file that says what this program is to do: of one and the same file, whatever happens to its
/// name meanwhile, and of no device or pipe, which could have no end or never begin.
pub(crate) fn read_settings(path: &Path) -> io::Result<(SecretBytes, fs::Metadata)> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    // Whoever may be at the other end of a pipe is not waited for.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut bytes = SecretBytes::default();
    match io::copy(&mut file.take(MOST + 1), &mut bytes)? {
        0..=MOST => Ok((bytes, metadata)),
        _ => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 1 MiB")),
    }
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

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_is_public_follows_links_and_has_the_permissions_of_new_files() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("usual"), "").unwrap();
        let mode = |name: &str| at(name).metadata().unwrap().permissions().mode();
        write_public(&at("new"), b"1").unwrap();
        assert_eq!(mode("new"), mode("usual"));
        symlink(at("new"), at("link")).unwrap();
        write_public(&at("link"), b"2").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(fs::read(at("new")).unwrap(), b"2");
        // A device takes it, and stays.
        symlink("/dev/null", at("null")).unwrap();
        write_public(&at("null"), b"3").unwrap();
        assert!(at("null").is_symlink() && !fs::metadata("/dev/null").unwrap().is_file());
        // Where it cannot be written, nothing else comes.
        assert!(write_public(&at("none/new"), b"4").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }
}
