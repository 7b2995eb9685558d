//! Files that hold keys: where they are, and who may read them.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{ProvideError, context::blocking};
use crate::{
    env::Env,
    error::{Error, ErrorKind},
    secret::SecretBytes,
};

/// A file that holds keys.
pub(super) struct KeyFile {
    pub(super) path: PathBuf,
    /// The path as people know it.
    pub(super) shown: String,
    /// Whether somebody named it, so that it has to be there.
    named: bool,
}

impl KeyFile {
    /// This file.
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), shown: path.display().to_string(), named: true }
    }

    /// The file that `variable` names, else the one at `default` below the home directory.
    pub(super) fn locate(env: &Env, variable: &str, default: &str) -> Result<Self, ProvideError> {
        if let Some(path) = env.get(variable) {
            return Ok(Self::at(Path::new(&path)));
        }
        let shown = format!("~/{default}");
        match env.home() {
            Some(home) => Ok(Self { path: home.join(default), shown, named: false }),
            None => Err(ProvideError::NotConfigured(format!("{shown}: no home directory is known"))),
        }
    }

    /// Its content. Refused when everybody can read or change it; a warning when its group can.
    pub(super) async fn read(&self) -> Result<SecretBytes, ProvideError> {
        let (bytes, is_open_to_group) = self.inspect().await?;
        if is_open_to_group {
            warn(&self.shown);
        }
        Ok(bytes)
    }

    /// Its content, and whether its group can read or change it. Refused when everybody can.
    pub(super) async fn inspect(&self) -> Result<(SecretBytes, bool), ProvideError> {
        let path = self.path.clone();
        let (bytes, metadata) = blocking(move || read(&path)).await.map_err(|error| self.unreadable(&error))?;
        let is_open_to_group = judge(&self.path, &self.shown, &metadata)?;
        Ok((bytes, is_open_to_group))
    }

    /// A file somebody named has to be readable. One at its usual place may be missing, or be another user's.
    fn unreadable(&self, error: &io::Error) -> ProvideError {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => error.to_string(),
        };
        let message = format!("{}: {problem}", self.shown);
        let may_be_missing = matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory
        );
        match may_be_missing && !self.named {
            true => ProvideError::NotConfigured(message),
            false => ProvideError::broken(format!("credentials file {message}")),
        }
    }
}

/// Judges who may open a file that holds keys, as this SDK does with those that it reads: refused when everybody on the
/// machine can read or change it; a warning in the log when its group can. For programs that keep keys in a file of their
/// own, with the metadata of the opened file.
///
/// # Errors
/// [`ErrorKind::Credentials`] when it is open to everybody.
pub fn check_key_file(path: &Path, metadata: &Metadata) -> Result<(), Error> {
    let shown = path.display().to_string();
    if judge(path, &shown, metadata)? {
        warn(&shown);
    }
    Ok(())
}

/// Whether its group can read or change it. Refused when everybody can.
fn judge(path: &Path, shown: &str, metadata: &Metadata) -> Result<bool, Error> {
    let mode = mode(metadata);
    if mode & 0o006 != 0 {
        let message = format!("{shown} holds keys and is open to everybody on this machine");
        return Err(Error::new(ErrorKind::Credentials, message)
            .with_help(format!("chmod 600 '{}', and replace the keys if others use this machine", path.display())));
    }
    Ok(mode & 0o060 != 0)
}

fn warn(shown: &str) {
    tracing::warn!(file = shown, "the file holds keys and is open to its group; chmod 600 closes it");
}

/// Content and metadata of one and the same file, whatever happens to its name meanwhile.
fn read(path: &Path) -> io::Result<(SecretBytes, Metadata)> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok((bytes.into(), metadata))
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions())
}

/// Elsewhere a home directory is its user's own.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0
}
