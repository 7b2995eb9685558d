//! `config.toml`: what its user wants set, by profile, and the keys to call with.
//!
//! ```toml
//! profile = "work"                 # the one in use where none is named
//!
//! [profiles.work]
//! region = "cn-north-4"
//! project = "0123456789abcdef0123456789abcdef"
//! output = "json"
//! access_key = "…"                 # or auth_token, or idp_id with id_token_file
//! secret_key = "…"
//! ```

mod edit;

use std::{
    collections::BTreeMap,
    env, fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::ArgMatches;
use csms_sdk::{SecretBytes, SecretString, check::nearest, credentials::check_key_file};
use toml::{Spanned, de::DeTable, de::DeValue};

pub(crate) use self::edit::Editor;
use crate::{
    directories,
    error::{Exit, Failure},
    file,
    settings::{Setting, setting},
    text::{faulty_line, line_number},
};

/// What a profile can set.
pub(crate) const SETTINGS: [&str; 8] =
    ["region", "project", "endpoint", "iam_endpoint", "sts_endpoint", "output", "ca_file", "proxy"];

/// What a profile can call with. Not all of it is secret, but none of it is set one by one.
pub(crate) const CREDENTIALS: [&str; 6] =
    ["access_key", "secret_key", "security_token", "auth_token", "idp_id", "id_token_file"];

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// `None` where no variable says where it would be.
    path: Option<PathBuf>,
    /// The profile in use where none is named.
    pub(crate) profile: Option<String>,
    profiles: BTreeMap<String, Arc<Profile>>,
}

/// A profile of the file.
#[derive(Debug)]
pub(crate) struct Profile {
    /// The file and the name, for people.
    pub(crate) origin: String,
    settings: BTreeMap<String, String>,
    credentials: BTreeMap<String, SecretString>,
}

/// The profile in use.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) name: Setting,
    /// Whether somebody named it for this call, and so means it even next to keys in variables.
    pub(crate) is_named: bool,
    /// What the file says of it. Without, it is another program's.
    pub(crate) profile: Option<Arc<Profile>>,
}

impl Config {
    /// What is known without the file: where it is or would be.
    pub(crate) fn unread() -> Self {
        Self { path: directories::CONFIG.path().map(|directory| directory.join("config.toml")), ..Self::default() }
    }

    /// Reads the file. One that is not there says nothing, and so does a directory of somebody else's that hides whether
    /// it is there.
    pub(crate) fn load() -> Result<Arc<Self>, Failure> {
        let Some(path) = Self::unread().path else { return Ok(Arc::default()) };
        let config = match file::read_settings(&path) {
            Ok((bytes, metadata)) => {
                let config = Self::parse(&path, text(&path, &bytes)?)?;
                if config.profiles.values().any(|profile| profile.has_credentials()) {
                    check_key_file(&path, &metadata)?;
                }
                config
            }
            Err(error) if is_missing(&path, &error) => Self::default(),
            Err(error) => return Err(faulty(&path, &error.to_string())),
        };
        Ok(Arc::new(Self { path: Some(path), ..config }))
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        let mut config = Self::default();
        visit(path, text, |member| match member {
            Member::Default(name) => config.profile = Some(name.to_owned()),
            Member::Profile(name) => {
                let origin = format!("{} (profile {name})", shown(path));
                let (settings, credentials) = Default::default();
                config.profiles.insert(name.to_owned(), Arc::new(Profile { origin, settings, credentials }));
            }
            // As with variables, an empty one is not set.
            Member::Of(.., "", _) => {}
            Member::Of(profile, name, value, _) => {
                let profile = config.profiles.get_mut(profile).and_then(Arc::get_mut);
                match profile {
                    Some(profile) if CREDENTIALS.contains(&name) => {
                        drop(profile.credentials.insert(name.to_owned(), value.into()));
                    }
                    Some(profile) => drop(profile.settings.insert(name.to_owned(), value.to_owned())),
                    None => {}
                }
            }
        })?;
        Ok(config)
    }

    /// The profile in use: that of the flag, of the variable, or of the file.
    pub(crate) fn chosen(&self, matches: &ArgMatches) -> Result<Option<Chosen>, Failure> {
        let named = setting(matches, "profile", "--profile", "CSMS_PROFILE")?;
        let is_named = named.is_some();
        let usual = || Some(Setting::new(self.profile.as_ref()?, self.shown()));
        let chosen = named.or_else(usual).map(|name| Chosen { profile: self.get(&name.value), name, is_named });
        Ok(chosen)
    }

    /// Whether a profile could call with these.
    pub(crate) fn trial(name: &str, credentials: &[(&str, SecretString)]) -> Result<(), Failure> {
        let credentials = credentials.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let profile = Profile { origin: format!("profile {name}"), settings: BTreeMap::new(), credentials };
        profile.provider().map(drop)
    }

    /// A profile by its name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Profile>> {
        self.profiles.get(name).cloned()
    }

    /// All profiles by name.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.profiles.iter().map(|(name, profile)| (name.as_str(), &**profile))
    }

    /// A profile that has to be there.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<Profile>, Failure> {
        self.get(name).ok_or_else(|| {
            let near = nearest(name, self.profiles.keys().map(String::as_str));
            Failure::new(Exit::NotFound, "no_profile", format!("there is no profile \"{name}\""))
                .cause(format!("{} has none of this name", self.shown()))
                .hint(near.map_or("csms profile list".to_owned(), |near| format!("did you mean {near}?")))
        })
    }

    /// Where the file is or would be.
    pub(crate) fn place(&self) -> Result<&Path, Failure> {
        self.path.as_deref().ok_or_else(|| {
            Failure::usage("no_home", "there is no place for config.toml: neither XDG_CONFIG_HOME nor HOME is set")
                .cause("nothing was changed")
                .hint("set one of them")
        })
    }

    /// The path as people know it.
    pub(crate) fn shown(&self) -> String {
        self.path.as_deref().map_or("config.toml".to_owned(), shown)
    }
}

impl Profile {
    /// One of [`SETTINGS`].
    pub(crate) fn setting(&self, name: &str) -> Option<Setting> {
        Some(Setting::new(self.settings.get(name)?, self.origin.clone()))
    }

    /// One of [`CREDENTIALS`].
    pub(crate) fn credential(&self, name: &str) -> Option<&SecretString> {
        self.credentials.get(name)
    }

    /// Whether it says as whom to call.
    pub(crate) fn has_credentials(&self) -> bool {
        !self.credentials.is_empty()
    }
}

/// What stands in the file, in its order.
enum Member<'a> {
    Default(&'a str),
    Profile(&'a str),
    /// Profile, name, value, and where the value stands.
    Of(&'a str, &'a str, &'a str, Range<usize>),
}

/// Goes through the file, and refuses what no version of this program could mean.
fn visit(path: &Path, text: &str, mut seen: impl FnMut(Member<'_>)) -> Result<(), Failure> {
    let at = |place: usize, problem: &str| {
        let line = line_number(text, place);
        faulty(path, &format!("line {line}: {problem}"))
    };
    let unknown = |place: usize, name: &str, known: &[&'static str]| {
        let near = nearest(name, known.iter().copied()).map_or(String::new(), |near| format!("; did you mean {near}?"));
        at(place, &format!("`{name}` is not known{near}"))
    };
    let table = DeTable::parse(text)
        .map_err(|error| faulty(path, &format!("line {}: it is not TOML", faulty_line(text, &error))))?;
    let text_of = |value: &Spanned<DeValue<'_>>, name: &str| match value.get_ref() {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        _ => Err(at(value.span().start, &format!("`{name}` is no text in quotes"))),
    };
    for (name, value) in table.get_ref() {
        match (name.get_ref().as_ref(), value.get_ref()) {
            ("profile", _) => seen(Member::Default(&text_of(value, "profile")?)),
            ("profiles", DeValue::Table(profiles)) => {
                for (profile, members) in profiles {
                    let DeValue::Table(members) = members.get_ref() else {
                        return Err(at(profile.span().start, "a profile is a table: [profiles.NAME]"));
                    };
                    seen(Member::Profile(profile.get_ref()));
                    for (name, value) in members {
                        let known: Vec<_> = SETTINGS.into_iter().chain(CREDENTIALS).collect();
                        let name_text: &str = name.get_ref();
                        match value.get_ref() {
                            _ if !known.contains(&name_text) => {
                                return Err(unknown(name.span().start, name_text, &known));
                            }
                            DeValue::String(text) => {
                                seen(Member::Of(profile.get_ref(), name_text, text, value.span()));
                            }
                            _ => {
                                return Err(at(value.span().start, &format!("`{name_text}` is no text in quotes")));
                            }
                        }
                    }
                }
            }
            ("profiles", _) => return Err(at(value.span().start, "`profiles` is no table")),
            (name_text, _) => return Err(unknown(name.span().start, name_text, &["profile", "profiles"])),
        }
    }
    Ok(())
}

fn text<'a>(path: &Path, bytes: &'a SecretBytes) -> Result<&'a str, Failure> {
    str::from_utf8(bytes.expose_secret()).map_err(|_| faulty(path, "it is not UTF-8 text"))
}

fn is_missing(path: &Path, error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => true,
        io::ErrorKind::PermissionDenied => fs::metadata(path).is_err() && !is_below_our_own(path),
        _ => false,
    }
}

/// Whether it would be in a directory of the user's, as far down as can be seen; `HOME` may be that of another.
#[cfg(unix)]
fn is_below_our_own(path: &Path) -> bool {
    let ours = rustix::process::geteuid().as_raw();
    let mut seen = path.ancestors().filter_map(|directory| fs::metadata(directory).ok());
    seen.any(|directory| std::os::unix::fs::MetadataExt::uid(&directory) == ours)
}

#[cfg(not(unix))]
fn is_below_our_own(_: &Path) -> bool {
    true
}

fn faulty(path: &Path, problem: &str) -> Failure {
    Failure::usage("config_file", format!("{} cannot be used", shown(path)))
        .cause(format!("{problem}; nothing was sent"))
        .hint("correct it, or move it away and make another with `csms profile add`")
}

/// A path as people know it.
fn shown(path: &Path) -> String {
    let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    match home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Failure> {
        Config::parse(Path::new("/c/config.toml"), text)
    }

    #[test]
    fn profiles_are_read_in_every_form_of_toml() {
        for text in [
            "profile = 'a'\n[profiles.a]\nregion = 'r-1'\nsecret_key = 's'\nproxy = ''\n[profiles.'b c']\n",
            "profile = \"a\"\nprofiles.a.region = 'r-1'\nprofiles.a.secret_key = \"\\u0073\"\nprofiles.'b c' = {}",
        ] {
            let config = parse(text).unwrap();
            assert_eq!(config.profile.as_deref(), Some("a"));
            assert_eq!(config.profiles().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b c"]);
            let profile = config.get("a").unwrap();
            let region = profile.setting("region").unwrap();
            assert_eq!((&*region.value, &*region.origin), ("r-1", "/c/config.toml (profile a)"));
            assert_eq!(profile.credential("secret_key").unwrap().expose_secret(), "s");
            assert!(profile.setting("proxy").is_none());
            assert!(!format!("{config:?}").contains("\"s\""), "{config:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_what_stands_there() {
        for (text, told) in [
            ("\nsecret = hunter2", "line 2: it is not TOML"),
            ("[profiles.a]\nregoin = 'hunter2'", "line 2: `regoin` is not known; did you mean region?"),
            ("[profiles.a]\n\nsecret_key = ['hunter2']", "line 3: `secret_key` is no text"),
            ("[profile.a]\nregion = 'hunter2'", "`profile` is no text"),
            ("profiles = 'hunter2'", "no table"),
            ("profiles.a = 'hunter2'", "[profiles.NAME]"),
            ("[prifiles.a]\nsecret_key = 'hunter2'", "did you mean"),
        ] {
            let failure = format!("{:?}", parse(text).unwrap_err());
            assert!(failure.contains(told) && !failure.contains("hunter2"), "{failure}");
        }
    }
}
