//! What can be wrong with an encrypted file.

use std::{fmt, io, path::Path};

const READ: &str = "read";
const WRITE: &str = "write";

/// Why nothing was encrypted or decrypted. Never carries what was to be.
#[derive(Debug)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// It does not begin like one of ours.
    Foreign,
    /// A later version wrote it.
    Newer {
        /// The version it names; [`VERSION`](super::VERSION) is the latest that is known here.
        version: u8,
    },
    /// Its header cannot be read, or was altered.
    Header(&'static str),
    /// It was encrypted with another context than the one given.
    WrongContext,
    /// A chunk was altered, moved, cut off or taken from elsewhere; nothing of it was released.
    Altered {
        /// Which chunk, from 0.
        chunk: u64,
    },
    /// It ends where more must follow.
    Truncated,
    /// More than the format can hold: the name says of what.
    TooLarge(&'static str),
    /// None of its master keys could be used; for each that was tried its region, its id and why.
    NoKey(Vec<(String, String, crate::Error)>),
    /// KMS did not make or protect the data key.
    Kms(crate::Error),
    /// Reading or writing failed; the text says of what.
    Io(String, io::Error),
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not an encrypted file of this format"),
            Self::Newer { version } => {
                write!(f, "written in version {version} of the format, which is newer than this program: update it")
            }
            Self::Header(problem) => write!(f, "the header of the encrypted file {problem}"),
            Self::WrongContext => f.write_str("encrypted with another context: give the one it was encrypted with"),
            Self::Altered { chunk } => write!(f, "the encrypted file was altered or cut off in chunk {chunk}"),
            Self::Truncated => f.write_str("the encrypted file ends too early: a part of it is missing"),
            Self::TooLarge(what) => write!(f, "the format does not hold {what}"),
            Self::NoKey(tried) => {
                f.write_str("none of the master keys of the file could decrypt its data key")?;
                if tried.is_empty() {
                    f.write_str(", as it is under none of those that were named")?;
                }
                for (region, key, error) in tried {
                    write!(f, "; {key} in {region}: {error}")?;
                }
                Ok(())
            }
            Self::Kms(error) => error.fmt(f),
            Self::Io(doing, error) => write!(f, "{doing}: {error}"),
        }
    }
}

impl std::error::Error for EnvelopeError {}

impl EnvelopeError {
    pub(super) fn reading(error: io::Error) -> Self {
        Self::Io(READ.to_owned(), error)
    }

    pub(super) fn writing(error: io::Error) -> Self {
        Self::Io(WRITE.to_owned(), error)
    }

    /// Names the file that could not be read or written.
    pub(super) fn between(self, from: &Path, to: &Path) -> Self {
        match self {
            Self::Io(doing, error) if doing == READ => Self::Io(format!("{READ} {}", from.display()), error),
            Self::Io(doing, error) if doing == WRITE => Self::Io(format!("{WRITE} {}", to.display()), error),
            other => other,
        }
    }
}

impl From<crate::Error> for EnvelopeError {
    fn from(error: crate::Error) -> Self {
        Self::Kms(error)
    }
}
