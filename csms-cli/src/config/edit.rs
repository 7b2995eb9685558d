//! Changing `config.toml` without touching what else stands in it.
//!
//! Keys do not go through the editor of TOML, whose copies nobody wipes: marks stand for them while it works.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use csms_sdk::{SecretBytes, SecretString};
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::{CREDENTIALS, Config, Member, faulty, text, visit};
use crate::{
    directories,
    error::{Exit, Failure},
    file,
};

/// The file with changes that are not written yet.
pub(crate) struct Editor {
    path: PathBuf,
    /// Whether there is no such file yet.
    is_new: bool,
    /// Keeps others from changing the file before this has; let go of at the end.
    _lock: Option<File>,
    document: DocumentMut,
    /// Begins every mark; nobody can have written it.
    mark: String,
    /// How what the marks stand for is written in TOML.
    kept: Vec<SecretBytes>,
}

impl Editor {
    pub(crate) fn open(config: &Config) -> Result<Self, Failure> {
        let path = config.place()?;
        // A link stays one, and what it leads to is changed.
        let path = fs::canonicalize(path).unwrap_or(path.to_owned());
        let lock = path.parent().and_then(|directory| File::open(directory).ok());
        // Where a file system has no locks, there is nothing that could be done.
        let lock = lock.filter(|lock| lock.lock().is_ok());
        let (bytes, is_new) = match file::read_settings(&path) {
            Ok((bytes, _)) => (bytes, false),
            // One that cannot be read is not to be replaced by what is known of it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(&path) {
                Ok(target) => {
                    return Err(faulty(&path, &format!("it leads to {}, which is not there", target.display())));
                }
                Err(_) => (SecretBytes::default(), true),
            },
            Err(error) => return Err(faulty(&path, &error.to_string())),
        };
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            Failure::new(Exit::Unexpected, "random", "the system gives no random numbers").cause(error.to_string())
        })?;
        let mark: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let (open, kept) = marked(&path, text(&path, &bytes)?, &mark)?;
        let document = open.parse().map_err(|_| faulty(&path, "it is not TOML"))?;
        Ok(Self { path, is_new, _lock: lock, document, mark, kept })
    }

    /// Whether there is a profile of this name.
    pub(crate) fn has(&self, profile: &str) -> bool {
        let profiles = self.document.get("profiles").and_then(Item::as_table_like);
        profiles.is_some_and(|profiles| profiles.contains_key(profile))
    }

    /// The profile that is in use where none is named.
    pub(crate) fn used(&self) -> Option<&str> {
        self.document.get("profile").and_then(Item::as_str)
    }

    /// Gives a profile a setting, and makes the profile where there is none.
    pub(crate) fn set(&mut self, profile: &str, name: &str, value: &str) -> Result<(), Failure> {
        self.profile(profile).map(|table| put(table, name, value.into()))
    }

    /// The same with something that is nobody else's business.
    pub(crate) fn set_secret(&mut self, profile: &str, name: &str, value: &SecretString) -> Result<(), Failure> {
        self.kept.push(written(value));
        let mark = mark(&self.mark, self.kept.len() - 1);
        self.profile(profile).map(|table| put(table, name, mark.into()))
    }

    fn profile(&mut self, name: &str) -> Result<&mut dyn TableLike, Failure> {
        let mut parent = Table::new();
        parent.set_implicit(true);
        let profiles = self.document.entry("profiles").or_insert(Item::Table(parent));
        let profile = profiles.as_table_like_mut().map(|profiles| profiles.entry(name).or_insert(toml_edit::table()));
        profile.and_then(Item::as_table_like_mut).ok_or_else(|| faulty(&self.path, "`profiles` is no table"))
    }

    /// Takes a setting from a profile; whether there was one.
    pub(crate) fn unset(&mut self, profile: &str, name: &str) -> bool {
        let profiles = self.document.get_mut("profiles").and_then(Item::as_table_like_mut);
        let table = profiles.and_then(|profiles| profiles.get_mut(profile)).and_then(Item::as_table_like_mut);
        table.and_then(|table| table.remove(name)).is_some()
    }

    /// Has a profile be in use where none is named.
    pub(crate) fn use_profile(&mut self, name: Option<&str>) {
        let Some(name) = name else { return drop(self.document.remove("profile")) };
        put(self.document.as_table_mut(), "profile", name.into());
        // It stands first; what comes then had no need of a line between.
        let is_close = self.document.to_string().lines().nth(1).is_some_and(|line| line.starts_with('['));
        if let (true, Some(value)) = (is_close, self.document["profile"].as_value_mut()) {
            value.decor_mut().set_suffix("\n");
        }
    }

    /// Removes a profile and all that is in it.
    pub(crate) fn remove(&mut self, profile: &str) {
        let profiles = self.document.get_mut("profiles").and_then(Item::as_table_like_mut);
        profiles.and_then(|profiles| profiles.remove(profile));
    }

    /// Writes the file, for its user alone.
    pub(crate) fn save(self) -> Result<(), Failure> {
        let bytes = unmarked(&self.document.to_string(), &self.mark, &self.kept);
        // Whatever the editor made of it has to be a file that can be used.
        Config::parse(&self.path, text(&self.path, &bytes)?)?;
        if let Some(directory) = self.path.parent() {
            directories::make_private(directory).map_err(|error| elsewhere(file::unwritable(directory, &error)))?;
        }
        file::write_private(&self.path, bytes.expose_secret(), !self.is_new).map_err(|failure| {
            match self.is_new && self.path.exists() {
                // Somebody else has made it meanwhile.
                true => failure.hint("run it again"),
                false => elsewhere(failure),
            }
        })
    }
}

/// Says what to do where nothing may be written. What else keeps a file from being written, as a disk that is full does, has
/// its own way out.
fn elsewhere(failure: Failure) -> Failure {
    match failure.exit() {
        Exit::Usage => failure.hint("make its directory writable, set XDG_CONFIG_HOME, or use CSMS_* variables"),
        _ => failure,
    }
}

/// Sets a member; a comment behind the one that was there stays.
fn put(table: &mut dyn TableLike, name: &str, mut value: Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => drop(table.insert(name, Item::Value(value))),
    }
}

fn mark(mark: &str, index: usize) -> String {
    format!("{mark}-{index}.")
}

/// The text with marks in place of keys, and how these are written.
fn marked(path: &Path, text: &str, word: &str) -> Result<(String, Vec<SecretBytes>), Failure> {
    let mut spans = Vec::new();
    visit(path, text, |member| {
        if let Member::Of(_, name, _, span) = member
            && CREDENTIALS.contains(&name)
        {
            spans.push(span);
        }
    })?;
    spans.sort_by_key(|span| span.start);
    let (mut open, mut kept, mut end) = (String::new(), Vec::new(), 0);
    for span in spans {
        open.push_str(&text[end..span.start]);
        open.push_str(&format!("\"{}\"", mark(word, kept.len())));
        kept.push(SecretBytes::from(text.as_bytes()[span.clone()].to_vec()));
        end = span.end;
    }
    open.push_str(&text[end..]);
    Ok((open, kept))
}

/// The text with keys in place of their marks.
fn unmarked(open: &str, word: &str, kept: &[SecretBytes]) -> SecretBytes {
    let length = open.len() + kept.iter().map(|bytes| bytes.expose_secret().len()).sum::<usize>();
    let mut bytes = SecretBytes::with_capacity(length);
    let mut rest = open;
    let start = format!("\"{word}-");
    while let Some((before, after)) = rest.split_once(&start) {
        bytes.extend_from_slice(before.as_bytes());
        let (index, after) = after.split_once(".\"").unwrap_or((after, ""));
        if let Some(value) = index.parse().ok().and_then(|index: usize| kept.get(index)) {
            bytes.extend_from_slice(value.expose_secret());
        }
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// A text as a basic string of TOML.
fn written(value: &SecretString) -> SecretBytes {
    // Room for every character as an escape, so that nothing is left behind by growing.
    let mut bytes = SecretBytes::with_capacity(value.expose_secret().len() * 10 + 2);
    bytes.extend_from_slice(b"\"");
    for character in value.expose_secret().chars() {
        match character {
            '"' | '\\' => bytes.extend_from_slice(&[b'\\', character as u8]),
            character if character.is_control() => {
                bytes.extend_from_slice(format!("\\u{:04X}", u32::from(character)).as_bytes());
            }
            character => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes.extend_from_slice(b"\"");
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use std::path::Path;

    use super::*;

    const PATH: &str = "/c/config.toml";

    fn editor(text: &str) -> Editor {
        let (open, kept) = marked(Path::new(PATH), text, "mark").unwrap();
        Editor {
            is_new: true,
            _lock: None,
            path: PATH.into(),
            document: open.parse().unwrap(),
            mark: "mark".to_owned(),
            kept,
        }
    }

    fn edited(text: &str, change: impl FnOnce(&mut Editor)) -> String {
        let mut editor = editor(text);
        change(&mut editor);
        let bytes = unmarked(&editor.document.to_string(), "mark", &editor.kept);
        let text = String::from_utf8(bytes.expose_secret().to_vec()).unwrap();
        Config::parse(Path::new(PATH), &text).unwrap();
        text
    }

    #[test]
    fn what_is_not_changed_stays_byte_for_byte() {
        for text in [
            "",
            "# mine\nprofile = 'a' # this\n\n[profiles.a] # work\nregion='r-1'   # near\nsecret_key = '''x\ny'''\n\n# end\n",
            "profiles = { a = { secret_key = 'x', region = \"r\" }, b = {} }\n",
            "profiles.a.secret_key = \"\\u0073\\\"\" # dotted\nprofiles.a.region = 'r'\n",
        ] {
            assert_eq!(edited(text, |_| {}), text);
        }
    }

    #[test]
    fn changes_leave_comments_and_order() {
        let text = "# mine\n[profiles.a] # work\nregion = 'r-1' # near\nsecret_key = 'x'\n\n# other\n[profiles.b]\n";
        let set = edited(text, |editor| editor.set("a", "region", "r-2").unwrap());
        assert_eq!(set, text.replace("'r-1'", "\"r-2\""));
        let added = edited(text, |editor| editor.set("c", "output", "json").unwrap());
        assert_eq!(added, format!("{text}\n[profiles.c]\noutput = \"json\"\n"));
        let used = edited(text, |editor| editor.use_profile(Some("a")));
        assert_eq!(used, format!("profile = \"a\"\n{text}"));
        assert_eq!(edited(&used, |editor| editor.use_profile(None)), text);
        let bare = edited("[profiles.a]\n", |editor| editor.use_profile(Some("a")));
        assert_eq!(bare, "profile = \"a\"\n\n[profiles.a]\n");
        let unset = edited(text, |editor| assert!(editor.unset("a", "region") && !editor.unset("b", "region")));
        assert_eq!(unset, text.replace("region = 'r-1' # near\n", ""));
        assert_eq!(edited(text, |editor| editor.remove("b")), text.replace("\n# other\n[profiles.b]\n", ""));
        let inline = edited("profiles = { a = { region = 'r' } }", |editor| editor.set("b", "region", "s").unwrap());
        assert!(inline.contains("region = 'r'") && inline.contains("\"s\""), "{inline}");
    }

    #[test]
    fn keys_pass_by_the_editor_of_toml() {
        let mut editor = editor("[profiles.a]\nsecret_key = 'hunter2'\n");
        editor.set_secret("a", "security_token", &"to\"k\\en\n".into()).unwrap();
        editor.set_secret("a", "access_key", &"third".into()).unwrap();
        let open = format!("{:?}", editor.document);
        assert!(!open.contains("hunter2") && !open.contains("to\"k") && !open.contains("third"), "{open}");
        let bytes = unmarked(&editor.document.to_string(), "mark", &editor.kept);
        let text = str::from_utf8(bytes.expose_secret()).unwrap();
        let profile = Config::parse(Path::new(PATH), text).unwrap().get("a").unwrap();
        let value = |name| profile.credential(name).unwrap().expose_secret().to_owned();
        assert_eq!((value("secret_key"), value("security_token")), ("hunter2".to_owned(), "to\"k\\en\n".to_owned()));
        assert_eq!(value("access_key"), "third");
    }
}
