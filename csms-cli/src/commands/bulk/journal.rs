//! The file in which it is kept what a run has done, so that another one can go on.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use csms_sdk::bulk::{Journal, Plan};

use crate::{
    directories,
    error::{Exit, Failure, Reporter},
    input,
};

/// A journal on the disk. Where it cannot be written, that is said once, and the work goes on: it can be repeated, as what
/// is there already is not written again.
pub(super) struct JournalFile<'a> {
    file: Option<File>,
    path: PathBuf,
    /// Whether it is removed when there is nothing left to go on with.
    is_ours: bool,
    reporter: &'a Reporter,
}

impl<'a> JournalFile<'a> {
    /// A new one in this program's own directory.
    pub(super) fn create(plan: &Plan, reporter: &'a Reporter) -> Self {
        match begin(plan) {
            Ok((file, path)) => Self { file: Some(file), path, is_ours: true, reporter },
            Err(error) => {
                let journal = Self { file: None, path: PathBuf::new(), is_ours: true, reporter };
                journal.warn(&error);
                journal
            }
        }
    }

    /// Goes on with a plan or a journal.
    pub(super) fn open(path: &Path, reporter: &'a Reporter) -> Result<(Plan, Self), Failure> {
        let name = path.display().to_string();
        let unreadable = |error| unreadable(&name, &error);
        let (mut file, problem) = match OpenOptions::new().read(true).append(true).open(path) {
            Ok(file) => (file, None),
            // A plan may be kept where nobody writes.
            Err(error) if is_protected(&error) => (File::open(path).map_err(unreadable)?, Some(error)),
            Err(error) => return Err(unreadable(error)),
        };
        if problem.is_none() && file.try_lock().is_err() {
            return Err(Failure::new(Exit::Conflict, "in_use", format!("--apply: {name} is in use"))
                .cause("another run is applying it; nothing was changed")
                .hint("wait until it ends"));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        let (plan, whole) = plan_of(&name, &bytes)?;
        let is_ours = directory().is_some_and(|ours| path.starts_with(ours));
        let mut journal = Self { file: None, path: path.to_owned(), is_ours, reporter };
        // What is torn must not have another line behind it.
        let cut = |file: &File| if whole < bytes.len() { file.set_len(whole as u64) } else { Ok(()) };
        match problem.map_or_else(|| cut(&file), Err) {
            Ok(()) => journal.file = Some(file),
            Err(error) => journal.warn(&error),
        }
        Ok((plan, journal))
    }

    /// Where it is; `None` where there is none.
    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|_| self.path.as_path())
    }

    /// There is nothing left to go on with.
    pub(super) fn discard(&mut self) {
        if self.is_ours && self.file.take().is_some() {
            // One that stays says that all is done.
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Does something with the file, and does without the file where that fails.
    fn keep(&mut self, work: impl FnOnce(&mut File) -> io::Result<()>) {
        if let Some(Err(error)) = self.file.as_mut().map(work) {
            self.warn(&error);
            // Whoever went on with it would not know all that is done.
            self.discard();
            self.file = None;
        }
    }

    fn warn(&self, error: &io::Error) {
        self.reporter
            .warn(&format!("no journal is kept: {error}; if this breaks off, run it again from the beginning"));
    }
}

impl Journal for JournalFile<'_> {
    fn append(&mut self, lines: &str) -> io::Result<()> {
        self.keep(|file| file.append(lines));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.keep(File::sync);
        Ok(())
    }
}

/// Reads a plan or a journal, and leaves it as it is.
pub(super) fn read(path: &Path) -> Result<Plan, Failure> {
    let name = path.display().to_string();
    let bytes = input::file("--apply", path)?;
    plan_of(&name, bytes.expose_secret()).map(|(plan, _)| plan)
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    input::unreadable("--apply", name, error)
}

/// The plan of a file, and how many bytes of it are whole.
fn plan_of(name: &str, bytes: &[u8]) -> Result<(Plan, usize), Failure> {
    Plan::read(bytes).map_err(|error| {
        Failure::usage("damaged_plan", format!("--apply: {name} {}", error.message()))
            .cause("it is no plan or journal, or was changed; nothing was changed")
            .hint("plan again, without --apply")
    })
}

/// A new file that only its user can read, with the plan as its first line.
fn begin(plan: &Plan) -> io::Result<(File, PathBuf)> {
    let directory = directory().ok_or_else(|| io::Error::other("neither XDG_STATE_HOME nor HOME is set"))?;
    directories::make_private(&directory)?;
    let mut file = tempfile::Builder::new().prefix("plan-").suffix(".jsonl").tempfile_in(directory)?;
    file.write_all(plan.to_line().as_bytes())?;
    file.as_file().sync_all()?;
    let (file, path) = file.keep().map_err(|error| error.error)?;
    // Nobody else knows it yet.
    let _ = file.try_lock();
    Ok((file, path))
}

fn directory() -> Option<PathBuf> {
    directories::STATE.path()
}

fn is_protected(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
