//! What can be wrong with the file, said to the person who has to put it right.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// Why the store does not open, read or write. `Display` is one line: the file, what is wrong, what to do.
#[derive(Debug)]
pub(crate) struct StoreError {
    path: PathBuf,
    problem: Problem,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum Problem {
    /// Another process has the data open.
    InUse,
    /// The path leads to a directory or a device.
    NotAFile,
    /// The data is not, or no longer, what this module wrote.
    Damaged(String),
    /// The data was written by a later version.
    Newer { found: u32 },
    /// There is data but no key file.
    NoKey,
    /// The key file holds no key.
    BadKey,
    /// The key file may be read by others.
    OpenKey { mode: u32 },
    /// The data was sealed with another key.
    WrongKey,
    /// A value is longer than can be sealed.
    TooLarge,
    /// A record reads back, but its reader does not understand it.
    Record { table: String, key: String, reason: String },
    /// The disk failed before, so redb takes no more.
    Stopped,
    /// The system refuses.
    Io { doing: &'static str, error: io::Error },
}

impl StoreError {
    pub(super) fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }

    /// Whether another process has the data open.
    pub(crate) fn is_in_use(&self) -> bool {
        matches!(self.problem, Problem::InUse)
    }

    #[cfg(test)]
    pub(super) fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl Problem {
    pub(super) fn io(doing: &'static str, error: io::Error) -> Self {
        Self::Io { doing, error }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::InUse => write!(f, "{path} is in use by another emulator: stop that one, or choose another file"),
            Problem::NotAFile => write!(f, "{path} is not a file: name a file for the emulator's data"),
            Problem::Damaged(how) => write!(
                f,
                "{path} is damaged, or is no data of this emulator ({how}): restore it from a copy, or move it away to start empty"
            ),
            Problem::Newer { found } => write!(
                f,
                "{path} was written by a later version (format {found}, this one knows up to {}): use that version",
                super::FORMAT
            ),
            Problem::NoKey => {
                write!(
                    f,
                    "{path} cannot be read without its key: put the key back as {path}.key, or move the data away to start empty"
                )
            }
            Problem::BadKey => {
                write!(f, "{path} does not hold a key of 64 hexadecimal digits: put back the key of the data beside it")
            }
            Problem::OpenKey { mode } => {
                write!(
                    f,
                    "{path} may be read by others (mode {mode:04o}): run `chmod 600` on it; if others may have read it, start with new data and a new key"
                )
            }
            Problem::WrongKey => {
                write!(f, "{path} was written with another key than that in {path}.key: put back the right one")
            }
            Problem::TooLarge => write!(f, "a record for {path} is too large to be stored"),
            Problem::Record { table, key, reason } => {
                write!(
                    f,
                    "{path} holds a record that this version does not understand ({table} {key:?}: {reason}): use the version that wrote it"
                )
            }
            Problem::Stopped => {
                write!(
                    f,
                    "{path} takes no more changes, because writing to it failed earlier: see to the disk, then start the emulator again"
                )
            }
            Problem::Io { doing, error } => write!(f, "{path}: cannot {doing}: {error}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            Problem::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<redb::Error> for Problem {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::InUse,
            redb::Error::PreviousIo => Self::Stopped,
            // A file too short for a header, or without one.
            redb::Error::Io(error)
                if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) =>
            {
                Self::Damaged(error.to_string())
            }
            redb::Error::Io(error) => Self::io("read or write it", error),
            redb::Error::ValueTooLarge(_) => Self::TooLarge,
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// redb has an error for each step; all of them are parts of its `Error`.
macro_rules! from_steps {
    ($($step:ident),*) => {$(
        impl From<redb::$step> for Problem {
            fn from(error: redb::$step) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

from_steps!(DatabaseError, TransactionError, TableError, StorageError, CommitError);
