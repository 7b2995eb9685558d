//! Files: complete under their name, or not there.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::fs::{self, File};

use super::{Envelope, EnvelopeError, keys};

impl Envelope {
    /// Encrypts a file into another one, which is replaced if it is there; answers the bytes that were encrypted.
    ///
    /// The other file gets its name only when it is complete and on the disk; until then, and only until then, a file
    /// with `.partial-…` behind the name is beside it. Only its owner may read it. Both files may be the same.
    /// Links and devices are not written to.
    ///
    /// # Errors
    /// [`EnvelopeError::Kms`], [`EnvelopeError::Io`] or [`EnvelopeError::TooLarge`].
    pub async fn encrypt_file(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<u64, EnvelopeError> {
        let (from, to) = (from.as_ref(), to.as_ref());
        let source = open(from).await?;
        let mut target = Unfinished::create(to)?;
        let outcome = self.encrypt_stream(source, &mut target.file).await;
        let count = outcome.map_err(|error| error.between(from, to))?;
        target.finish().await?;
        Ok(count)
    }

    /// Decrypts a file into another one, which is replaced if it is there; answers the bytes that were decrypted.
    ///
    /// The other file gets its name only when all of it has been verified; otherwise it is as with
    /// [`encrypt_file`](Self::encrypt_file).
    ///
    /// # Errors
    /// Every [`EnvelopeError`].
    pub async fn decrypt_file(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<u64, EnvelopeError> {
        let (from, to) = (from.as_ref(), to.as_ref());
        let source = open(from).await?;
        let mut target = Unfinished::create(to)?;
        let outcome = self.decrypt_stream(source, &mut target.file).await;
        let count = outcome.map_err(|error| error.between(from, to))?;
        target.finish().await?;
        Ok(count)
    }

    /// Puts a file under the master keys of this envelope; see [`rewrap`](Self::rewrap).
    ///
    /// The file is replaced by its new form at once, or stays as it was. A link is followed. Permissions stay, and
    /// the owner too where the system lets us.
    ///
    /// # Errors
    /// Every [`EnvelopeError`].
    pub async fn rewrap_file(&self, file: impl AsRef<Path>) -> Result<(), EnvelopeError> {
        let file = fs::canonicalize(file.as_ref()).await.map_err(|error| failed("open", file.as_ref(), error))?;
        let source = open(&file).await?;
        let before = source.metadata().await.map_err(|error| failed("open", &file, error))?;
        let mut target = Unfinished::create(&file)?;
        self.rewrap(source, &mut target.file).await.map_err(|error| error.between(&file, &file))?;
        target.belong_like(&before).await?;
        target.finish().await
    }
}

async fn open(path: &Path) -> Result<File, EnvelopeError> {
    File::open(path).await.map_err(|error| failed("open", path, error))
}

fn failed(doing: &str, path: &Path, error: io::Error) -> EnvelopeError {
    EnvelopeError::Io(format!("{doing} {}", path.display()), error)
}

/// A file under another name until it is complete. Dropped before that, it is removed.
struct Unfinished {
    file: File,
    /// Its name for now; `None` once it has its own.
    path: Option<PathBuf>,
    target: PathBuf,
}

impl Unfinished {
    /// Does not wait: a file made while nobody waits any more would stay.
    fn create(target: &Path) -> Result<Self, EnvelopeError> {
        // A name is replaced, not what it leads to; so it has to be a plain file's.
        if std::fs::symlink_metadata(target).is_ok_and(|there| !there.is_file()) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is there and not a regular file");
            return Err(failed("replace", target, error));
        }
        let suffix = hex::encode(&keys::random()?[..6]);
        let path = target.with_added_extension(format!("partial-{suffix}"));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| failed("create", &path, error))?;
        Ok(Self { file: File::from_std(file), path: Some(path), target: target.to_owned() })
    }

    /// Takes over permissions, and owner and group where the system lets us.
    async fn belong_like(&self, other: &std::fs::Metadata) -> Result<(), EnvelopeError> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, chown};
            if let Some(path) = &self.path {
                // Most users cannot give files away; then it is theirs.
                let _ = chown(path, Some(other.uid()), Some(other.gid()));
            }
        }
        let permissions = other.permissions();
        self.file.set_permissions(permissions).await.map_err(|error| failed("write", &self.target, error))
    }

    /// Gives the file its name, once its content is on the disk.
    async fn finish(mut self) -> Result<(), EnvelopeError> {
        self.file.sync_all().await.map_err(|error| failed("write", &self.target, error))?;
        if let Some(path) = &self.path {
            fs::rename(path, &self.target).await.map_err(|error| failed("replace", &self.target, error))?;
        }
        self.path = None;
        // The name as well, where directories can be synchronized; the file is complete either way.
        #[cfg(unix)]
        {
            let directory = self.target.parent().filter(|parent| !parent.as_os_str().is_empty());
            if let Ok(directory) = File::open(directory.unwrap_or(Path::new("."))).await {
                let _ = directory.sync_all().await;
            }
        }
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // One short call where something has failed already; there is nobody to tell if it fails too.
            let _ = std::fs::remove_file(path);
        }
    }
}
