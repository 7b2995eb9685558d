//! `csms.toml`: what a project wants to be given, in a file beside its source. It holds no credentials.
//!
//! ```toml
//! secrets = ["db", "cache#url"]    # as --secret
//! prefixes = ["shop-"]             # as --prefix
//!
//! [env]                            # as --env-file
//! DB_PASSWORD = "csms://db#password"
//! LOG_LEVEL = "info"
//!
//! [files]                          # as --file
//! TLS_KEY = "csms://tls#key"
//! ```

use std::{
    collections::BTreeMap,
    fs::Metadata,
    io,
    path::{Path, PathBuf},
};

use csms_sdk::SecretBytes;
use serde_json::Value as Json;

use crate::{
    error::{Exit, Failure, Reporter},
    file,
    text::faulty_line,
};

const NAME: &str = "csms.toml";

/// What a project file says.
#[derive(Debug, Default)]
pub(crate) struct Project {
    pub(crate) path: PathBuf,
    pub(crate) secrets: Vec<String>,
    pub(crate) prefixes: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) files: Vec<(String, String)>,
}

/// The file of the directory that the program runs in, or of the nearest one above that has one.
pub(crate) fn find(reporter: &Reporter) -> Result<Option<Project>, Failure> {
    let Ok(here) = std::env::current_dir() else { return Ok(None) };
    for directory in here.ancestors() {
        let path = directory.join(NAME);
        match file::read_settings(&path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => {}
            read => return judged(path, read, reporter).map(Some),
        }
    }
    Ok(None)
}

/// A file that somebody has named.
pub(crate) fn read(path: &Path, reporter: &Reporter) -> Result<Project, Failure> {
    judged(path.to_owned(), file::read_settings(path), reporter)
}

fn judged(path: PathBuf, read: io::Result<(SecretBytes, Metadata)>, reporter: &Reporter) -> Result<Project, Failure> {
    let (bytes, metadata) = read.map_err(|error| faulty(&path, error.to_string()))?;
    check_writers(&path, &metadata, reporter)?;
    let text = str::from_utf8(bytes.expose_secret()).map_err(|_| faulty(&path, "it is not UTF-8 text".to_owned()))?;
    parse(path, text)
}

/// Whoever can write the file decides what programs find in their environment: only the user himself and root may. Its
/// group is warned about, as with files that hold keys.
#[cfg(unix)]
fn check_writers(path: &Path, metadata: &Metadata, reporter: &Reporter) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt as _;
    /// The file may be read more than once.
    static WARNED: std::sync::Once = std::sync::Once::new();
    let (owner, mode) = (metadata.uid(), metadata.mode());
    let refused = |what: &str, hint: &str| {
        Err(Failure::new(Exit::NotPermitted, "project_file", format!("{} {what}", path.display()))
            .cause("who can write it decides what is read and what programs are given; nothing was sent")
            .hint(hint))
    };
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return refused("is somebody else's", "copy it, or run csms in another directory");
    }
    if mode & 0o002 != 0 {
        return refused(
            "can be changed by everybody",
            &format!("look what is in it, and chmod o-w {}", path.display()),
        );
    }
    // A group of the same number is commonly its owner's alone.
    if mode & 0o020 != 0 && metadata.gid() != owner {
        let text = format!("{} can be changed by its group, which then decides what is read", path.display());
        WARNED.call_once(|| reporter.warn(&format!("{text}; chmod g-w closes it")));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_writers(_: &Path, _: &Metadata, _: &Reporter) -> Result<(), Failure> {
    Ok(())
}

fn parse(path: PathBuf, text: &str) -> Result<Project, Failure> {
    let members: BTreeMap<String, Json> = toml::from_str(text)
        .map_err(|error| faulty(&path, format!("line {}: it is not TOML", faulty_line(text, &error))))?;
    let mut project = Project::default();
    for (name, value) in &members {
        match name.as_str() {
            "secrets" => project.secrets = texts(&path, name, value)?,
            "prefixes" => {
                project.prefixes = texts(&path, name, value)?;
                if project.prefixes.iter().any(String::is_empty) {
                    return Err(faulty(&path, "`prefixes` has an empty one, which would be every secret".to_owned()));
                }
            }
            "env" => project.variables = pairs(&path, name, value)?,
            "files" => project.files = pairs(&path, name, value)?,
            _ => {
                return Err(faulty(
                    &path,
                    format!("`{name}` is not known; there are secrets, prefixes, [env] and [files]"),
                ));
            }
        }
    }
    let credential = project.variables.iter().find(|(name, _)| crate::sources::is_credential(name));
    if let Some((name, _)) = credential {
        return Err(faulty(&path, format!("[env] has {name}: project files hold no credentials")));
    }
    Ok(Project { path, ..project })
}

fn texts(path: &Path, name: &str, value: &Json) -> Result<Vec<String>, Failure> {
    let items = value.as_array().into_iter().flatten();
    let texts: Option<Vec<_>> = items.map(|item| item.as_str().map(str::to_owned)).collect();
    texts.filter(|_| value.is_array()).ok_or_else(|| faulty(path, format!("`{name}` is no list of texts")))
}

fn pairs(path: &Path, name: &str, value: &Json) -> Result<Vec<(String, String)>, Failure> {
    let members = value.as_object().ok_or_else(|| faulty(path, format!("`{name}` is no table")))?;
    let pair = |(key, value): (&String, &Json)| match value {
        Json::String(text) => Ok((key.clone(), text.clone())),
        Json::Number(_) | Json::Bool(_) => Ok((key.clone(), value.to_string())),
        _ => Err(faulty(path, format!("[{name}] {key} is no text"))),
    };
    members.iter().map(pair).collect()
}

fn faulty(path: &Path, problem: String) -> Failure {
    Failure::usage("project_file", format!("{} cannot be used", path.display()))
        .cause(format!("{problem}; nothing was sent"))
        .hint("correct it, or run csms in another directory")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn lists_and_tables_are_read() {
        let text = "secrets = ['db']\nprefixes = ['shop-']\n[env]\nA = 'csms://a'\nB = 1\n[files]\nC = 'c'\n";
        let project = parse(PathBuf::new(), text).unwrap();
        assert_eq!((project.secrets, project.prefixes), (vec!["db".to_owned()], vec!["shop-".to_owned()]));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(project.variables, [pair("A", "csms://a"), pair("B", "1")]);
        assert_eq!(project.files, [pair("C", "c")]);
    }

    #[test]
    fn what_is_wrong_is_told_without_what_stands_there() {
        for text in [
            "a = hunter2",
            "secret_key = 'hunter2'",
            "[env]\nCSMS_SECRET_KEY = 'hunter2'",
            "[env]\nHW_SECRET_KEY = 'hunter2'",
            "secrets = 'hunter2'",
            "secrets = [1]",
            "secrets = ['hunter2']\nprefixes = ['']",
            "[env]\nA = ['hunter2']",
            "env = 'hunter2'",
        ] {
            let failure = parse(PathBuf::new(), text).unwrap_err();
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
    }
}
