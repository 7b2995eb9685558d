//! `csms secret edit`: changes a value in an editor.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use clap::{Arg, ArgAction, Command};
use csms_sdk::{
    SecretBytes, SecretString,
    reference::Reference,
    store::{Difference, PutOutcome, SecretStore, SecretValue},
};
use serde_json::value::RawValue;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{diff, put::Written};
use crate::{
    connection::runtime,
    error::{Exit, Failure},
    exec, file,
    session::Session,
    signals::Signals,
    subject::SECRET,
    verb::{Own, change_flags, exit_code_flag},
};

pub(super) const EDIT: Own =
    Own { name: "edit", about: "Changes the value of a secret in an editor", grammar, run, calls: super::changes };

fn grammar(command: Command) -> Command {
    command
        .arg(SECRET.arg())
        .arg(Arg::new("allow-empty").long("allow-empty").help("Take an empty value").action(ArgAction::SetTrue))
        .args(change_flags())
        .arg(exit_code_flag().requires("dry-run"))
        .after_help(
            "The editor is $CSMS_EDITOR, $VISUAL or $EDITOR: a command as the shell takes it, with arguments if need be, \
             that ends when the editing does. It gets a copy that only you can read, in memory where the system has files \
             there, which is removed in any case. If somebody else has changed the secret meanwhile, nothing is stored.",
        )
}

fn run(session: &Session<'_>) -> Result<ExitCode, Failure> {
    let name = super::name(session)?;
    let editor = editor()?;
    let old = {
        // Not kept while somebody edits: local data would be locked all that time.
        let connection = session.connect()?;
        connection.block_on(SecretStore::new(&connection.client).get(Reference::new(&name)?))
    };
    let old = old.map_err(|error| {
        let failure = super::told(session, &name, error);
        match failure.exit() {
            Exit::NotFound => failure.hint(format!("csms secret put {name}")),
            _ => failure,
        }
    })?;
    let Some(text) = old.text() else {
        return Err(Failure::usage("binary", format!("{name} is binary"))
            .cause("an editor would damage it; nothing was changed")
            .hint(format!("csms get {name} --to-file PATH, and csms secret put {name} --from-file PATH")));
    };
    let runtime = runtime()?;
    let signals = runtime.block_on(async { Signals::listen() })?;
    let mut editing = Editing { session, name: &name, editor, runtime, signals };
    let written = match editing.edited(text)? {
        Some(new) => editing.store(&old, &new)?,
        None => Written::Done(PutOutcome::Unchanged { version: old.version().to_owned() }),
    };
    written.tell(session, &name, true)
}

/// One run, in which from the first copy on no signal ends this process before that is gone.
struct Editing<'a> {
    session: &'a Session<'a>,
    name: &'a str,
    editor: String,
    runtime: Runtime,
    signals: Signals,
}

impl Editing<'_> {
    /// What the user makes of a text; `None` where that is the same.
    fn edited(&mut self, old: &SecretString) -> Result<Option<SecretString>, Failure> {
        let name = self.name;
        let mut text = old.clone();
        loop {
            text = self.one_go(&text, is_json(old))?;
            if !old.expose_secret().ends_with('\n')
                && let Some(kept) = text.expose_secret().strip_suffix('\n')
            {
                // Editors end the last line.
                text = kept.strip_suffix('\r').unwrap_or(kept).into();
            }
            if text == *old {
                return Ok(None);
            }
            let failure = match is_json(old) && !is_json(&text) {
                true => Failure::usage("not_json", format!("{name} is no longer JSON"))
                    .cause("it was before; nothing was changed")
                    .hint(format!("csms secret put {name} stores anything")),
                false if text.is_empty() && !self.session.is_set("allow-empty") => {
                    Failure::usage("empty_value", format!("the value of {name} is empty"))
                        .cause("an empty secret is rarely meant; nothing was changed")
                        .hint("--allow-empty stores it")
                }
                false => return Ok(Some(text)),
            };
            if !self.session.is_interactive() {
                return Err(failure);
            }
            self.session.reporter.warn(&failure.summary());
            match self.ask("Edit it again? [Y/n]")?.as_str() {
                "" | "y" | "Y" | "yes" => {}
                _ => return Err(failure),
            }
        }
    }

    /// Lets the user edit a text once. The copy is gone when this returns.
    fn one_go(&mut self, text: &SecretString, is_json: bool) -> Result<SecretString, Failure> {
        let name = self.name;
        let folder = private_folder(self.session)?;
        // Editors go by the ending.
        let path = folder.path().join(format!("{name}{}", if is_json { ".json" } else { ".txt" }));
        file::write_private(&path, text.expose_secret().as_bytes(), false)?;
        let ended = self.runtime.block_on(exec::run(&mut command(&self.editor, &path)));
        let outcome = match ended {
            Ok(0) => read(&path),
            Ok(130) => Err(Failure::new(Exit::Interrupted, "interrupted", "the editor was interrupted")
                .cause("nothing was changed, and the copy is gone")
                .hint("run it again")),
            // Of the shell, which has said why.
            Ok(126 | 127) if cfg!(unix) => Err(self.not_run("the shell cannot start it")),
            Ok(code) => Err(Failure::new(Exit::Unexpected, "editor", format!("the editor ended with {code}"))
                .cause("nothing was changed")
                .hint("end the editor without an error to store the text; EDITOR names another one")),
            Err(failure) if matches!(failure.exit(), Exit::NoSuchCommand | Exit::NotExecutable) => {
                Err(self.not_run(&failure.summary()))
            }
            Err(failure) => Err(failure),
        };
        folder.close().map_err(|error| {
            Failure::new(Exit::Unexpected, "io", format!("the copy of {name} cannot be removed"))
                .cause(format!("{error}; nothing was changed"))
                .hint(format!("remove {} yourself", path.display()))
        })?;
        // What came meanwhile went to the editor, which has made of it what it likes.
        self.signals = self.runtime.block_on(async { Signals::listen() })?;
        outcome
    }

    fn not_run(&self, why: &str) -> Failure {
        Failure::usage("editor", format!("the editor `{}` cannot be run", self.editor))
            .cause(format!("{why}; nothing was changed"))
            .hint("EDITOR names another one, e.g. EDITOR=vi")
    }

    /// Stores a text, or offers to keep what could not be stored.
    fn store(&mut self, old: &SecretValue, new: &SecretString) -> Result<Written, Failure> {
        let written = self.written(old, new);
        if let Err(failure) = &written
            && self.session.is_interactive()
        {
            self.session.reporter.warn(&failure.summary());
            self.save(new);
        }
        written
    }

    fn written(&mut self, old: &SecretValue, new: &SecretString) -> Result<Written, Failure> {
        let Self { session, name, .. } = *self;
        let value = new.clone().into();
        let difference = old.difference_to(&value);
        if difference != Difference::Whole {
            session.reporter.note(&diff::in_words(&difference));
        }
        let is_dry = session.is_set("dry-run");
        let connection = session.connect()?;
        let put = SecretStore::new(&connection.client).put(name, value).if_version(old.version());
        let written = connection.until_signal(&mut self.signals, async {
            match is_dry {
                true => put.plan().await.map(Written::Planned),
                false => put.send().await.map(Written::Done),
            }
            .map_err(|error| super::told(session, name, error))
        });
        written.map_err(|failure| match failure.exit() {
            Exit::Interrupted if !is_dry => failure
                .cause("whether the value was stored is not known")
                .hint(format!("csms secret versions {name} shows it")),
            Exit::Interrupted => failure.cause("nothing was changed"),
            _ => failure,
        })
    }

    /// Writes a text where the user says, if anywhere.
    fn save(&mut self, text: &SecretString) {
        let reporter = self.session.reporter;
        // Whoever ends the question wants no file either.
        while let Ok(path) = self.ask("File to save your text in (empty: none):")
            && !path.is_empty()
        {
            let path = from_home(&path);
            match file::write_private(&path, text.expose_secret().as_bytes(), false) {
                Ok(()) => return reporter.note(&format!("wrote {}, which only you can read", path.display())),
                Err(failure) => reporter.warn(&failure.summary()),
            }
        }
    }

    /// Asks for a line, until a signal asks to end.
    fn ask(&mut self, question: &str) -> Result<String, Failure> {
        self.session.reporter.ask(question);
        let (sender, line) = tokio::sync::oneshot::channel();
        thread::spawn(move || {
            let mut line = String::new();
            // At the end of the input there is nobody.
            let count = io::stdin().read_line(&mut line).unwrap_or_default();
            sender.send((count > 0).then(|| line.trim().to_owned()))
        });
        let answer = self.runtime.block_on(async {
            tokio::select! {
                line = line => Some(line.ok().flatten()),
                _ = self.signals.next() => None,
            }
        });
        match answer {
            Some(Some(line)) => Ok(line),
            Some(None) => Err(Failure::new(Exit::NotConfirmed, "not_confirmed", "the terminal cannot be read")
                .cause("nothing was changed")
                .hint("run it on a terminal")),
            None => Err(Failure::new(Exit::Interrupted, "interrupted", "interrupted")
                .cause("a signal asked to end; nothing was changed")
                .hint("run it again")),
        }
    }
}

/// The editor with a file.
#[cfg(unix)]
fn command(editor: &str, path: &Path) -> std::process::Command {
    let mut command = std::process::Command::new("/bin/sh");
    // As other programs do it, the path being none of the shell's business. The editor takes its place: a signal for one
    // must not leave the other running.
    command.args(["-c", &format!("exec {editor} \"$@\""), "sh"]).arg(path);
    command
}

#[cfg(not(unix))]
fn command(editor: &str, path: &Path) -> std::process::Command {
    let mut words = editor.split_whitespace();
    let mut command = std::process::Command::new(words.next().unwrap_or_default());
    command.args(words).arg(path);
    command
}

/// A path as a shell reads it: `~/` is what is in the user's home.
fn from_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.into(),
    }
}

fn read(path: &Path) -> Result<SecretString, Failure> {
    let unreadable = |cause: String| {
        Failure::new(Exit::Unexpected, "editor", "what the editor has written cannot be read")
            .cause(format!("{cause}; nothing was changed"))
            .hint("save it as UTF-8 in the place where it was opened")
    };
    let bytes = fs::read(path).map(SecretBytes::from).map_err(|error| unreadable(error.to_string()))?;
    str::from_utf8(bytes.expose_secret()).map(SecretString::from).map_err(|_| unreadable("it is not UTF-8".to_owned()))
}

/// A folder that only the user can look into, in memory where that is possible.
fn private_folder(session: &Session<'_>) -> Result<TempDir, Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("csms-edit-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let memory = [env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from), Some(PathBuf::from("/dev/shm"))];
    let memory = if cfg!(target_os = "linux") { memory } else { [None, None] };
    for place in memory.into_iter().flatten().filter(|place| place.is_absolute() && is_in_memory(place)) {
        if let Ok(folder) = builder.tempdir_in(place) {
            return Ok(folder);
        }
    }
    session.reporter.warn("there are no files in memory here: the copy is on the disk while it is edited");
    builder.tempdir().map_err(|error| {
        Failure::new(Exit::Unexpected, "io", "there is no place for the copy to be edited")
            .cause(format!("{error}; nothing was changed"))
            .hint("set TMPDIR to a folder that can be written")
    })
}

#[cfg(target_os = "linux")]
fn is_in_memory(place: &Path) -> bool {
    /// `TMPFS_MAGIC` and `RAMFS_MAGIC` of statfs(2).
    const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
    rustix::fs::statfs(place).is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| IN_MEMORY.contains(&kind)))
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}

fn editor() -> Result<String, Failure> {
    let named = ["CSMS_EDITOR", "VISUAL", "EDITOR"].into_iter().filter_map(|name| env::var(name).ok());
    named.into_iter().find(|editor| !editor.trim().is_empty()).ok_or_else(|| {
        Failure::usage("no_editor", "there is no editor: neither CSMS_EDITOR, VISUAL nor EDITOR is set")
            .cause("nothing was sent")
            .hint("export EDITOR=vi, or use csms secret put or patch")
    })
}

fn is_json(text: &SecretString) -> bool {
    serde_json::from_str::<&RawValue>(text.expose_secret()).is_ok_and(|json| json.get().starts_with(['{', '[']))
}
