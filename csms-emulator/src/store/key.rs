//! The key beside the data: `<data>.key`, 64 hexadecimal digits that only their owner may read.
//!
//! The file is also the lock: whoever has it locked may read and create the data, so that of two processes that start
//! at once neither replaces what the other has just made. It holds before there is data, which redb's own lock cannot.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{
    error::{Problem, StoreError},
    seal::{MasterKey, random},
};

const DIGITS: usize = 64;

/// The key file, locked until this is dropped.
pub(super) struct KeyFile {
    path: PathBuf,
    file: File,
}

impl KeyFile {
    /// Locks the key of the data at `data`, and creates its file, still empty, unless there is data already.
    pub(super) fn lock(data: &Path, data_exists: bool) -> Result<Self, StoreError> {
        let path = data.with_added_extension("key");
        let at = |problem| StoreError::new(&path, problem);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(!data_exists);
        private(&mut options);
        let file = options.open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if data_exists => StoreError::new(data, Problem::NoKey),
            _ if data_exists => at(Problem::io("open it", error)),
            _ => at(Problem::io("create it", error)),
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::new(data, Problem::InUse)),
            Err(TryLockError::Error(error)) => return Err(at(Problem::io("lock it", error))),
        }
        check_private(&file).map_err(at)?;
        Ok(Self { path, file })
    }

    /// The key; a new one where the file is still empty and there is no data that would need another.
    pub(super) fn read_or_create(&self, data_exists: bool) -> Result<MasterKey, StoreError> {
        let key = match self.read()? {
            None if data_exists => Err(Problem::BadKey),
            None => self.create(),
            Some(key) => Ok(key),
        };
        key.map_err(|problem| StoreError::new(&self.path, problem))
    }

    /// The key, or `None` where the file is empty.
    fn read(&self) -> Result<Option<MasterKey>, StoreError> {
        let at = |problem| StoreError::new(&self.path, problem);
        // One byte more than the line may have, so that a longer file shows.
        let mut text = Zeroizing::new([0; DIGITS + 2]);
        let mut length = 0;
        while length < text.len() {
            match (&self.file).read(&mut text[length..]).map_err(|error| at(Problem::io("read it", error)))? {
                0 => break,
                read => length += read,
            }
        }
        if length == 0 {
            return Ok(None);
        }
        let mut key = MasterKey::default();
        let digits = text[..length].strip_suffix(b"\n").unwrap_or(&text[..length]);
        hex::decode_to_slice(digits, &mut *key).map_err(|_| at(Problem::BadKey))?;
        Ok(Some(key))
    }

    fn create(&self) -> Result<MasterKey, Problem> {
        let key = MasterKey::new(random()?);
        let mut line = Zeroizing::new([b'\n'; DIGITS + 1]);
        hex::encode_to_slice(*key, &mut line[..DIGITS]).expect("two digits for each byte");
        (&self.file)
            .write_all(&*line)
            .and_then(|()| self.file.sync_all())
            .and_then(|()| sync_directory(&self.path))
            .map_err(|error| Problem::io("write it", error))?;
        Ok(key)
    }
}

/// Lets files created with these options be read by their owner only, where the system knows owners.
pub(super) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Makes the name of a new file as durable as its content.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn check_private(file: &File) -> Result<(), Problem> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(|error| Problem::io("look at it", error))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Problem::OpenKey { mode });
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}
