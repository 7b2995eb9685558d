//! Names of secrets and keys, kept at hand for a few minutes. Names only, never values.

use std::{fs, path::Path, sync::mpsc, thread, time::Duration};

use csms_sdk::{
    Client,
    csms::ListSecrets,
    kms::{KeySpec, ListAliases, ListKeys},
};
use serde_json::{Value as Json, json};

use crate::{cli, config::Config, connection::Connection, directories, file, output, settings::Settings};

/// Seconds for which names are taken as they are.
const FRESH: i64 = 300;
/// Seconds after which a place that gave no names is asked again, so that not every completion waits for it.
const PAUSE: i64 = 30;
/// A person waits for no more than this.
const PATIENCE: Duration = Duration::from_secs(1);
/// What ends the names of the files.
const EXTENSION: &str = "names";

/// The names in the place that a line is about.
pub(super) struct Names {
    words: Vec<String>,
}

#[derive(Clone, Copy)]
enum Kind {
    Secrets,
    Keys,
}

impl Names {
    /// Looks for nothing before it is asked.
    pub(super) fn of(words: &[String]) -> Self {
        Self { words: words.to_owned() }
    }

    /// Names of secrets.
    pub(super) fn secrets(&self) -> Vec<String> {
        self.list(Kind::Secrets).unwrap_or_default()
    }

    /// Names, aliases and ids of keys.
    pub(super) fn keys(&self) -> Vec<String> {
        self.list(Kind::Keys).unwrap_or_default()
    }

    fn list(&self, kind: Kind) -> Option<Vec<String>> {
        let settings = self.settings()?;
        let directory = directories::CACHE.path();
        let file = directory.as_ref().map(|directory| directory.join(file_name(&settings, kind)));
        let kept = file.as_deref().and_then(Kept::read).unwrap_or_default();
        if kept.is_fresh() {
            return Some(kept.names);
        }
        let found = fetch(kind, settings.in_a_hurry(PATIENCE));
        let (names, seconds) = match found.filter(|names| !names.is_empty()) {
            Some(names) => (names, FRESH),
            None => (kept.names, PAUSE),
        };
        if let (Some(directory), Some(file)) = (directory, file) {
            keep(&directory, &file, &names, seconds);
        }
        Some(names)
    }

    /// What the line, variables and files say, although the line is not finished.
    fn settings(&self) -> Option<Settings> {
        let command = cli::command(&self.words).ignore_errors(true);
        let matches = command.try_get_matches_from(&self.words).ok()?;
        Settings::of(cli::innermost(&matches), &Config::load().ok()?).ok()
    }
}

/// Has the next completion ask again, wherever it is about: something was created or deleted.
pub(crate) fn forget() {
    let files = directories::CACHE.path().and_then(|directory| fs::read_dir(directory).ok());
    for file in files.into_iter().flatten().flatten() {
        if file.path().extension().is_some_and(|extension| extension == EXTENSION) {
            // One that cannot be removed is out of date in a few minutes.
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Places are not written out: who looks into the directory does not have to know where somebody has secrets.
fn file_name(settings: &Settings, kind: Kind) -> String {
    let kind = match kind {
        Kind::Secrets => "secrets",
        Kind::Keys => "keys",
    };
    let hexadecimal: String = settings.fingerprint()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hexadecimal}-{kind}.{EXTENSION}")
}

/// What a file holds.
#[derive(Default)]
struct Kept {
    until: i64,
    names: Vec<String>,
}

impl Kept {
    fn read(path: &Path) -> Option<Self> {
        let json: Json = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let names = json["names"].as_array()?.iter().filter_map(Json::as_str).map(str::to_owned).collect();
        Some(Self { until: json["until"].as_i64()?, names })
    }

    /// A time too far away was written when the clock was wrong.
    fn is_fresh(&self) -> bool {
        let left = self.until - output::now().as_seconds();
        (1..=FRESH).contains(&left)
    }
}

/// Where it cannot be kept, the next completion takes longer.
fn keep(directory: &Path, file: &Path, names: &[String], seconds: i64) {
    let json = json!({"until": output::now().as_seconds() + seconds, "names": names});
    if directories::make_private(directory).is_ok() {
        let _ = file::write_private(file, json.to_string().as_bytes(), true);
    }
}

/// Asks the service. The thread is left behind where it hangs: this process ends soon.
fn fetch(kind: Kind, settings: Settings) -> Option<Vec<String>> {
    if settings.local.as_ref().is_some_and(|local| !local.file.exists()) {
        return None;
    }
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut names = Vec::new();
        if let Ok(connection) = Connection::open(&settings) {
            let found = async {
                match kind {
                    Kind::Secrets => secrets(&connection.client, &mut names).await,
                    Kind::Keys => keys(&connection.client, &mut names).await,
                }
            };
            // The first names of a long list are better than none.
            let _ = connection.block_on(async { tokio::time::timeout(PATIENCE, found).await });
        }
        let _ = sender.send(names);
    });
    receiver.recv_timeout(PATIENCE + PATIENCE / 4).ok()
}

async fn secrets(client: &Client, names: &mut Vec<String>) -> Result<(), csms_sdk::Error> {
    let mut secrets = client.items(ListSecrets::new());
    while let Some(secret) = secrets.next().await.transpose()? {
        names.extend(secret.name);
    }
    Ok(())
}

async fn keys(client: &Client, names: &mut Vec<String>) -> Result<(), csms_sdk::Error> {
    let mut ids = Vec::new();
    let mut keys = client.items(ListKeys::new().key_spec(KeySpec::All));
    while let Some(key) = keys.next().await.transpose()? {
        names.extend(key.key_alias);
        ids.extend(key.key_id);
    }
    names.append(&mut ids);
    let mut aliases = client.items(ListAliases::new());
    while let Some(alias) = aliases.next().await.transpose()? {
        names.extend(alias.alias);
    }
    Ok(())
}
