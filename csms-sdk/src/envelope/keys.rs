//! Data keys: made and protected by KMS.

use std::{
    fmt,
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    Envelope, EnvelopeError,
    header::{MOST_SLOTS, Slot},
};
use crate::{
    Client, Error, ErrorKind, SecretBytes, SecretString,
    kms::{CreateDatakey, DecryptDatakey, EncryptDatakey},
};

/// Bytes of a data key. Some regions make no other.
const DATA_KEY: usize = 64;

/// How often and how long one data key may serve for encrypting. Nothing bounds the bytes: each file's content has a key
/// derived for it alone.
#[derive(Clone, Copy, Debug)]
pub struct Reuse {
    /// Most files that it encrypts.
    pub files: u32,
    /// How long after it was made it is used at most.
    pub age: Duration,
}

/// A key of KMS that protects data keys.
#[derive(Clone)]
pub(super) struct Master {
    client: Client,
    region: String,
    key_id: String,
}

/// A data key, in the clear and protected. Has no `Debug`.
pub(super) struct DataKey {
    pub(super) plain: SecretBytes,
    pub(super) slots: Vec<Slot>,
}

/// A data key that may be used again. Has no `Debug`.
pub(super) struct Cached {
    key: DataKey,
    uses: u32,
    made: Instant,
}

impl fmt::Debug for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.key_id, self.region)
    }
}

impl Master {
    pub(super) fn new(client: &Client, key_id: String) -> Self {
        Self { client: client.clone(), region: client.region().unwrap_or_default().to_owned(), key_id }
    }
}

impl Envelope {
    /// A data key to encrypt with: a new one, or the one in use while its bounds allow.
    pub(super) async fn data_key(&self) -> Result<DataKey, EnvelopeError> {
        let Some(bounds) = self.reuse else { return self.new_data_key().await };
        // Held while a key is made: whoever comes meanwhile gets the same.
        let mut cached = self.cached.lock().await;
        let usable = cached.take().filter(|cached| cached.uses < bounds.files && cached.made.elapsed() < bounds.age);
        let mut current = match usable {
            Some(current) => current,
            None => Cached { key: self.new_data_key().await?, uses: 0, made: Instant::now() },
        };
        current.uses += 1;
        let key = DataKey { plain: current.key.plain.clone(), slots: current.key.slots.clone() };
        *cached = Some(current);
        Ok(key)
    }

    async fn new_data_key(&self) -> Result<DataKey, EnvelopeError> {
        let (first, others) = self.masters()?;
        let mut request = CreateDatakey::new(&first.key_id).datakey_length(DATA_KEY as i32 * 8);
        if let Some(data) = self.authenticated_data() {
            request = request.additional_authenticated_data(data);
        }
        let answer = request.send(&first.client).await?;
        let plain = answer.plain_text.as_ref().and_then(SecretString::decode_hex).filter(is_data_key);
        let sealed = answer.cipher_text.as_deref().and_then(|text| hex::decode(text).ok());
        let (Some(plain), Some(sealed)) = (plain, sealed) else { return Err(unexpected().into()) };
        let mut slots = vec![first.slot(sealed)];
        for master in others {
            slots.push(self.protect_with(master, &plain).await?);
        }
        Ok(DataKey { plain, slots })
    }

    /// The first master key and the others.
    pub(super) fn masters(&self) -> Result<(&Master, &[Master]), EnvelopeError> {
        match self.masters.split_first() {
            Some(masters) if self.masters.len() <= MOST_SLOTS => Ok(masters),
            Some(_) => Err(EnvelopeError::TooLarge("more than 16 master keys")),
            None => Err(Error::new(ErrorKind::InvalidInput, "no master key was named to encrypt under").into()),
        }
    }

    /// Puts a data key under every master key.
    pub(super) async fn protect(&self, data_key: &SecretBytes) -> Result<Vec<Slot>, EnvelopeError> {
        let mut slots = Vec::new();
        for master in &self.masters {
            slots.push(self.protect_with(master, data_key).await?);
        }
        Ok(slots)
    }

    async fn protect_with(&self, master: &Master, data_key: &SecretBytes) -> Result<Slot, EnvelopeError> {
        let bytes = data_key.expose_secret();
        // Room for both at once: growing would leave a copy of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * (DATA_KEY + 32)));
        text.push_str(&Zeroizing::new(hex::encode(bytes)));
        text.push_str(&hex::encode(Sha256::digest(bytes)));
        let mut request = EncryptDatakey::new(&master.key_id, text.as_str(), DATA_KEY as i32);
        if let Some(data) = self.authenticated_data() {
            request = request.additional_authenticated_data(data);
        }
        let answer = request.send(&master.client).await?;
        let sealed = answer.cipher_text.as_deref().and_then(|text| hex::decode(text).ok());
        Ok(master.slot(sealed.ok_or_else(unexpected)?))
    }

    /// The data key, by the first slot whose master key can be used.
    pub(super) async fn unprotect(&self, slots: &[Slot]) -> Result<SecretBytes, EnvelopeError> {
        let mut ordered: Vec<_> = slots.iter().map(|slot| (self.distance(slot), slot)).collect();
        ordered.retain(|(distance, _)| self.opens_any || *distance == 0);
        ordered.sort_by_key(|(distance, _)| *distance);
        let mut tried = Vec::new();
        for (_, slot) in ordered {
            match self.unprotect_with(slot).await {
                Ok(data_key) => return Ok(data_key),
                Err(error) => {
                    // Going on with credentials that are refused would lock the access key.
                    let is_hopeless = error.kind() == ErrorKind::Unauthenticated;
                    tried.push((slot.region.clone(), slot.key_id.clone(), error));
                    if is_hopeless {
                        break;
                    }
                }
            }
        }
        Err(EnvelopeError::NoKey(tried))
    }

    /// Which slot to try first: one of our master keys, then one of our region.
    fn distance(&self, slot: &Slot) -> u8 {
        let is_ours = |master: &Master| master.region == slot.region && master.key_id == slot.key_id;
        match self.client.region().unwrap_or_default() == slot.region {
            _ if self.named().any(is_ours) => 0,
            true => 1,
            false => 2,
        }
    }

    /// All keys that open.
    fn named(&self) -> impl Iterator<Item = &Master> {
        self.masters.iter().chain(&self.openers)
    }

    async fn unprotect_with(&self, slot: &Slot) -> Result<SecretBytes, Error> {
        let client = self.client_for(&slot.region)?;
        let mut request = DecryptDatakey::new(&slot.key_id, hex::encode(&slot.data_key), DATA_KEY as i32);
        if let Some(data) = self.authenticated_data() {
            request = request.additional_authenticated_data(data);
        }
        let answer = request.send(&client).await?;
        answer.data_key.as_ref().and_then(SecretString::decode_hex).filter(is_data_key).ok_or_else(unexpected)
    }

    fn client_for(&self, region: &str) -> Result<Client, Error> {
        let mut clients = self.named().map(|master| &master.client).chain([&self.client]);
        match clients.find(|client| client.region().unwrap_or_default() == region) {
            Some(client) => Ok(client.clone()),
            None => self.client.for_region(region),
        }
    }
}

impl Master {
    fn slot(&self, data_key: Vec<u8>) -> Slot {
        Slot { region: self.region.clone(), key_id: self.key_id.clone(), data_key }
    }
}

fn is_data_key(bytes: &SecretBytes) -> bool {
    bytes.expose_secret().len() == DATA_KEY
}

fn unexpected() -> Error {
    Error::new(ErrorKind::UnexpectedAnswer, "the answer holds no data key of 512 bits in hexadecimal")
}

/// Random bytes of the operating system.
pub(super) fn random() -> Result<[u8; 32], EnvelopeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| EnvelopeError::Io("ask the system for randomness".to_owned(), std::io::Error::other(error)))?;
    Ok(bytes)
}
