//! Where the emulator's records outlive the process: one encrypted file.
//!
//! The records themselves live in [`Table`](crate::table::Table)s. A store reads them all once and then takes batches of
//! changes. What it promises of a file:
//!
//! - A batch is written whole or not at all, and once `commit` has returned it survives the end of the process at any
//!   moment, and of the machine as far as its disks keep what they say is written.
//! - A damaged file either still yields every record or is refused. It is never emptied, and never put in order by
//!   leaving records out.
//! - Neither values nor names stand in it in the clear: [`seal`] says how, [`key`] where the key is.
//! - One process has it open at a time.

mod error;
mod key;
mod seal;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, backends::FileBackend};
use zeroize::Zeroizing;

use error::Problem;
pub(crate) use error::StoreError;
use key::KeyFile;
use seal::{Place, Sealer};

/// Facts about the file itself: `format`, which anybody can read, and `check`, which only the right key opens.
const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
/// The records, sealed.
const RECORDS: TableDefinition<'_, &Place, &[u8]> = TableDefinition::new("records");

/// The version of everything written here; a file with a greater one is refused.
const FORMAT: u32 = 1;
/// How files of redb begin, so that other files are told apart before a key is asked for.
const MAGIC: &[u8] = b"redb";
/// What redb may keep of the file in memory. Records are read once, so this only serves inner pages.
const CACHE_BYTES: usize = 4 << 20;

/// One stored record, as it is read back.
pub(crate) struct Record<'a> {
    /// The name of its table.
    pub(crate) table: &'a str,
    /// Its key within the table.
    pub(crate) key: &'a str,
    /// Its value, wiped from memory after the visit.
    pub(crate) value: &'a [u8],
}

/// One record to be written, or to be removed where there is no value.
pub(crate) struct Change {
    /// The name of its table.
    pub(crate) table: &'static str,
    /// Its key within the table.
    pub(crate) key: String,
    /// Its value from now on; `None` removes the record, which need not exist.
    pub(crate) value: Option<Zeroizing<Vec<u8>>>,
}

/// The file, open.
pub(crate) struct Store {
    path: PathBuf,
    database: Database,
    sealer: Sealer,
    /// Holds the lock that keeps other processes out; dropped last.
    _key: KeyFile,
}

impl Store {
    /// Opens the file at `path` and the key beside it, `<path>.key`; creates both where neither exists.
    ///
    /// Reads the whole file to check it, so its time grows with the file.
    ///
    /// # Errors
    ///
    /// The file is in use, damaged, foreign or of a newer format; the key is missing, wrong or readable by others; or
    /// the disk refuses.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let at = |problem| StoreError::new(path, problem);
        // Asked before the key is looked for, so that data without its key never gets a new one.
        let exists = data_exists(path).map_err(at)?;
        let key = KeyFile::lock(path, exists)?;
        // Asked again under the lock: another process may have created the file in between.
        let exists = data_exists(path).map_err(at)?;
        let sealer = Sealer::new(&key.read_or_create(exists)?);
        if !exists {
            create(path, &sealer).map_err(at)?;
        }
        let database = open_checked(path, &sealer).map_err(at)?;
        Ok(Self { path: path.to_owned(), database, sealer, _key: key })
    }

    /// Shows every record to `each`, in no order that means anything.
    ///
    /// # Errors
    ///
    /// A record does not read back as it was written, `each` does not understand it, or the disk refuses.
    pub(crate) fn load(&self, each: impl FnMut(Record<'_>) -> Result<(), String>) -> Result<(), StoreError> {
        self.read(each).map_err(|problem| StoreError::new(&self.path, problem))
    }

    /// Writes the changes in their order as one transaction and returns when they are on the disk.
    ///
    /// Blocks for as long as the disk takes, so an async caller moves it to a blocking thread.
    ///
    /// # Errors
    ///
    /// The disk refuses, or has refused before: then the store takes nothing more until it is opened anew. Whether the
    /// changes of a failed call are there afterwards is open, but it is all of them or none.
    pub(crate) fn commit(&self, changes: &[Change]) -> Result<(), StoreError> {
        match changes.is_empty() {
            true => Ok(()),
            false => self.write(changes).map_err(|problem| StoreError::new(&self.path, problem)),
        }
    }

    fn read(&self, mut each: impl FnMut(Record<'_>) -> Result<(), String>) -> Result<(), Problem> {
        let read = self.database.begin_read()?;
        for entry in read.open_table(RECORDS)?.iter()? {
            let (place, sealed) = entry?;
            let plain = self.sealer.open(place.value(), sealed.value()).ok_or_else(unreadable)?;
            let record = unpack(&plain).ok_or_else(unreadable)?;
            let (table, key) = (record.table.to_owned(), record.key.to_owned());
            each(record).map_err(|reason| Problem::Record { table, key, reason })?;
        }
        Ok(())
    }

    fn write(&self, changes: &[Change]) -> Result<(), Problem> {
        let write = self.database.begin_write()?;
        {
            let mut records = write.open_table(RECORDS)?;
            for Change { table, key, value } in changes {
                let name = pack_name(table, key);
                let place = self.sealer.place(&name);
                match value {
                    Some(value) => records.insert(&place, self.sealer.seal(&place, &[&name, value])?.as_slice())?,
                    None => records.remove(&place)?,
                };
            }
        }
        write.commit()?;
        settle(&self.database)
    }
}

/// Commits once more without a change, so that both of redb's commit slots hold all that is acknowledged.
///
/// redb keeps its last two commits and falls back to the older one where the newer is damaged, which would lose the
/// newer one's records without a word. Two-phase commits take as many syncs and leave one such bit: the one that says
/// which slot counts.
fn settle(database: &Database) -> Result<(), Problem> {
    Ok(database.begin_write()?.commit()?)
}

fn data_exists(path: &Path) -> Result<bool, Problem> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Problem::io("look at it", error)),
    };
    if !found.is_file() {
        return Err(Problem::NotAFile);
    }
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start))
        .map_err(|error| Problem::io("read it", error))?;
    match start.as_slice() {
        MAGIC => Ok(true),
        [] => Err(Problem::Damaged("it is empty".to_owned())),
        _ => Err(Problem::Damaged("it does not begin like one".to_owned())),
    }
}

/// Writes an empty store under another name first, so that a file at `path` is complete whenever there is one.
fn create(path: &Path, sealer: &Sealer) -> Result<(), Problem> {
    let unfinished = path.with_added_extension("new");
    let mut options = OpenOptions::new();
    // Whatever stands there was left by a process that ended here: the lock on the key keeps others out.
    options.read(true).write(true).create(true).truncate(true);
    key::private(&mut options);
    let file = options.open(&unfinished).map_err(|error| Problem::io("create it", error))?;
    let database = Database::builder().set_cache_size(CACHE_BYTES).create_with_backend(FileBackend::new(file)?)?;
    let write = database.begin_write()?;
    {
        let mut about = write.open_table(ABOUT)?;
        about.insert("format", FORMAT.to_le_bytes().as_slice())?;
        about.insert("check", sealer.seal(b"check", &[])?.as_slice())?;
        write.open_table(RECORDS)?;
    }
    write.commit()?;
    settle(&database)?;
    database.close()?;
    fs::rename(&unfinished, path).map_err(|error| Problem::io("create it", error))?;
    key::sync_directory(path).map_err(|error| Problem::io("create it", error))
}

fn open_checked(path: &Path, sealer: &Sealer) -> Result<Database, Problem> {
    let database = Database::builder().set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true).open(path)?;
    let read = database.begin_read()?;
    let about = match read.open_table(ABOUT) {
        Ok(about) => about,
        Err(redb::TableError::TableDoesNotExist(_)) => {
            return Err(Problem::Damaged("another program wrote it".to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    let format = about.get("format")?.and_then(|found| Some(u32::from_le_bytes(found.value().try_into().ok()?)));
    match format {
        Some(FORMAT) => {}
        Some(found) if found > FORMAT => return Err(Problem::Newer { found }),
        _ => return Err(Problem::Damaged("it does not name its format".to_owned())),
    }
    let check = about.get("check")?.ok_or_else(|| Problem::Damaged("it lacks the check of its key".to_owned()))?;
    sealer.open(b"check", check.value()).ok_or(Problem::WrongKey)?;
    drop(check);
    Ok(database)
}

/// The name of a record, from which its place follows and with which its plain text begins.
fn pack_name(table: &str, key: &str) -> Vec<u8> {
    let mut name = Vec::with_capacity(16 + table.len() + key.len());
    for part in [table, key] {
        name.extend((part.len() as u64).to_le_bytes());
        name.extend(part.as_bytes());
    }
    name
}

fn unpack(plain: &[u8]) -> Option<Record<'_>> {
    let (table, rest) = unpack_part(plain)?;
    let (key, value) = unpack_part(rest)?;
    Some(Record { table, key, value })
}

fn unpack_part(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some((std::str::from_utf8(part).ok()?, rest))
}

fn unreadable() -> Problem {
    Problem::Damaged("a record does not open with its key".to_owned())
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("table", &self.table).field("key", &self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.as_ref().map(|_| "[REDACTED]");
        f.debug_struct("Change").field("table", &self.table).field("key", &self.key).field("value", &value).finish()
    }
}
