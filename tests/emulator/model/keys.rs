//! What must come of operations on keys.

use csms_sdk::{
    Client, Error,
    kms::{
        CancelKeyDeletion, CreateKey, DecryptData, DeleteKey, DisableKey, EnableKey, EncryptData, ListKeyDetail,
        UpdateKeyAlias,
    },
};

use super::random::Random;

const ALIASES: [&str; 5] = ["one", "two", "three", "four", "five"];

/// One operation on a key; keys go by the order in which they were made.
#[derive(Debug)]
pub(crate) enum Action {
    Create { alias: &'static str },
    Enable(usize),
    Disable(usize),
    Schedule { key: usize, days: u64 },
    Cancel(usize),
    Rename { key: usize, alias: &'static str },
    Describe(usize),
    Encrypt { key: usize, text: String },
    Decrypt(usize),
}

/// What comes of an operation, as far as the model speaks of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Done,
    /// State and name.
    Described(&'static str, String),
    Text(String),
    Refused(&'static str),
}

/// What is known of all keys and ciphertexts there have been.
#[derive(Default)]
pub(crate) struct Model {
    keys: Vec<Key>,
    ciphertexts: Vec<Ciphertext>,
    /// The ids in the order of the keys, as the emulator gave them.
    ids: Vec<String>,
    sealed: Vec<String>,
}

struct Key {
    alias: &'static str,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Enabled,
    Disabled,
    /// With the days that are left.
    Pending(u64),
    Gone,
}

struct Ciphertext {
    key: usize,
    text: String,
}

impl Action {
    pub(crate) fn any(random: &mut Random, model: &Model) -> Self {
        let alias = random.of(&ALIASES);
        let text = format!("text {}", random.below(1_000_000));
        if model.keys.is_empty() {
            return Self::Create { alias };
        }
        // The newest keys are the ones that are still there.
        let count = model.keys.len();
        let key = count - 1 - random.below(count.min(8) as u64) as usize;
        match random.below(100) {
            0..12 => Self::Create { alias },
            12..27 => Self::Enable(key),
            27..37 => Self::Disable(key),
            37..43 => Self::Schedule { key, days: 7 + random.below(30) },
            43..53 => Self::Cancel(key),
            53..57 => Self::Rename { key, alias },
            57..67 => Self::Describe(key),
            67..82 => Self::Encrypt { key, text },
            _ if model.ciphertexts.is_empty() => Self::Encrypt { key, text },
            _ => Self::Decrypt(random.below(model.ciphertexts.len() as u64) as usize),
        }
    }

    pub(crate) async fn carry_out(&self, client: &Client, model: &mut Model) -> Seen {
        self.attempt(client, model).await.unwrap_or_else(|error| Seen::Refused(reason(&error)))
    }

    async fn attempt(&self, client: &Client, model: &mut Model) -> Result<Seen, Error> {
        let id = |key: &usize| model.ids[*key].clone();
        Ok(match self {
            Self::Create { alias } => {
                let answer = CreateKey::new(*alias).send(client).await?;
                model.ids.push(answer.key_info.as_ref().unwrap().key_id.clone().unwrap());
                Seen::Done
            }
            Self::Enable(key) => EnableKey::new(id(key)).send(client).await.map(|_| Seen::Done)?,
            Self::Disable(key) => DisableKey::new(id(key)).send(client).await.map(|_| Seen::Done)?,
            Self::Schedule { key, days } => {
                DeleteKey::new(id(key), *days as i32).send(client).await.map(|_| Seen::Done)?
            }
            Self::Cancel(key) => CancelKeyDeletion::new(id(key)).send(client).await.map(|_| Seen::Done)?,
            Self::Rename { key, alias } => {
                UpdateKeyAlias::new(id(key), *alias).send(client).await.map(|_| Seen::Done)?
            }
            Self::Describe(key) => {
                let answer = ListKeyDetail::new(id(key)).send(client).await?;
                let key = answer.key_info.as_ref().unwrap();
                let state = match key.key_state.as_ref().unwrap().as_str() {
                    "2" => "enabled",
                    "3" => "disabled",
                    "4" => "pending",
                    other => panic!("state {other}"),
                };
                Seen::Described(state, key.key_alias.clone().unwrap())
            }
            Self::Encrypt { key, text } => {
                let answer = EncryptData::new(id(key), text.as_str()).send(client).await?;
                model.sealed.push(answer.cipher_text.clone().unwrap());
                Seen::Done
            }
            Self::Decrypt(ciphertext) => {
                let answer = DecryptData::new(model.sealed[*ciphertext].as_str()).send(client).await?;
                Seen::Text(answer.plain_text.as_ref().unwrap().expose_secret().to_owned())
            }
        })
    }
}

/// A refusal in the model's words.
fn reason(error: &Error) -> &'static str {
    match error.code() {
        Some("KMS.0207") => "missing",
        Some("KMS.0209") => "disabled",
        Some("KMS.0210" | "KMS.1402") => "pending",
        Some("KMS.1104") => "taken",
        Some("KMS.1201") => "not disabled",
        Some("KMS.1301") => "not enabled",
        Some("KMS.1501") => "not pending",
        _ => panic!("{error}"),
    }
}

impl Model {
    pub(crate) fn days_pass(&mut self, days: u64) {
        for key in &mut self.keys {
            key.state = match key.state {
                State::Pending(left) if left <= days => State::Gone,
                State::Pending(left) => State::Pending(left - days),
                state => state,
            };
        }
    }

    /// What must come of an action; the model goes along.
    pub(crate) fn expect(&mut self, action: &Action) -> Seen {
        self.attempt(action).unwrap_or_else(Seen::Refused)
    }

    fn attempt(&mut self, action: &Action) -> Result<Seen, &'static str> {
        match action {
            Action::Create { alias } => {
                self.check_free(alias, None)?;
                self.keys.push(Key { alias, state: State::Enabled });
            }
            Action::Enable(key) => match self.there(*key)?.state {
                State::Disabled => self.keys[*key].state = State::Enabled,
                _ => return Err("not disabled"),
            },
            Action::Disable(key) => match self.there(*key)?.state {
                State::Enabled => self.keys[*key].state = State::Disabled,
                _ => return Err("not enabled"),
            },
            Action::Schedule { key, days } => match self.there(*key)?.state {
                State::Pending(_) => return Err("pending"),
                _ => self.keys[*key].state = State::Pending(*days),
            },
            Action::Cancel(key) => match self.there(*key)?.state {
                State::Pending(_) => self.keys[*key].state = State::Disabled,
                _ => return Err("not pending"),
            },
            Action::Rename { key, alias } => {
                if let State::Pending(_) = self.there(*key)?.state {
                    return Err("pending");
                }
                self.check_free(alias, Some(*key))?;
                self.keys[*key].alias = alias;
            }
            Action::Describe(key) => {
                let key = self.there(*key)?;
                let state = match key.state {
                    State::Enabled => "enabled",
                    State::Disabled => "disabled",
                    _ => "pending",
                };
                return Ok(Seen::Described(state, key.alias.to_owned()));
            }
            Action::Encrypt { key, text } => {
                self.usable(*key)?;
                self.ciphertexts.push(Ciphertext { key: *key, text: text.clone() });
            }
            Action::Decrypt(ciphertext) => {
                let Ciphertext { key, text } = &self.ciphertexts[*ciphertext];
                self.usable(*key)?;
                return Ok(Seen::Text(text.clone()));
            }
        }
        Ok(Seen::Done)
    }

    fn there(&self, key: usize) -> Result<&Key, &'static str> {
        Some(&self.keys[key]).filter(|key| key.state != State::Gone).ok_or("missing")
    }

    fn usable(&self, key: usize) -> Result<(), &'static str> {
        match self.there(key)?.state {
            State::Disabled => Err("disabled"),
            State::Pending(_) => Err("pending"),
            _ => Ok(()),
        }
    }

    fn check_free(&self, alias: &str, except: Option<usize>) -> Result<(), &'static str> {
        let mut there = self.keys.iter().enumerate().filter(|(_, key)| key.state != State::Gone);
        match there.any(|(index, key)| key.alias == alias && Some(index) != except) {
            true => Err("taken"),
            false => Ok(()),
        }
    }
}
