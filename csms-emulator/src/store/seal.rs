//! How records are sealed, so that the file tells nothing but their number and lengths.
//!
//! Values go through AES-256-GCM-SIV with a random 96-bit nonce. Plain AES-GCM gives its key away when a nonce comes
//! twice, which limits one key to about 2³² writes; here a repeated nonce tells no more than that two equal values are
//! equal, so a file may be written without counting and copied, restored and written again.
//!
//! A record stands at a [`Place`] that follows from its name by a keyed hash, and its value is bound to that place: it
//! opens nowhere else.

use aes_gcm_siv::{
    Aes256GcmSiv, Nonce, Tag,
    aead::{AeadInOut, KeyInit},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::Problem;

/// What the key file holds.
pub(super) type MasterKey = Zeroizing<[u8; 32]>;
/// Where in the file a record stands.
pub(super) type Place = [u8; 32];

const NONCE: usize = 12;
const TAG: usize = 16;

/// Seals and opens. Its keys are wiped on drop.
pub(super) struct Sealer {
    values: Aes256GcmSiv,
    places: Hmac<Sha256>,
}

impl Sealer {
    pub(super) fn new(master: &MasterKey) -> Self {
        Self {
            values: Aes256GcmSiv::new(&(*derive(master, b"values")).into()),
            places: keyed(&*derive(master, b"places")),
        }
    }

    /// Where the record of this name stands.
    pub(super) fn place(&self, name: &[u8]) -> Place {
        self.places.clone().chain_update(name).finalize().into_bytes().into()
    }

    /// Nonce, sealed parts, tag.
    pub(super) fn seal(&self, place: &[u8], parts: &[&[u8]]) -> Result<Vec<u8>, Problem> {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        // Room for everything at once: a buffer that grows leaves plain text behind in the old one.
        let mut sealed = Vec::with_capacity(NONCE + length + TAG);
        let nonce = random::<NONCE>()?;
        sealed.extend(nonce);
        for part in parts {
            sealed.extend(*part);
        }
        let tag = self
            .values
            .encrypt_inout_detached(&Nonce::from(nonce), place, (&mut sealed[NONCE..]).into())
            .map_err(|_| Problem::TooLarge)?;
        sealed.extend(tag);
        Ok(sealed)
    }

    /// The plain text, or `None` where this was not sealed with this key for this place.
    pub(super) fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (text, tag) = rest.split_last_chunk::<TAG>()?;
        let mut plain = Zeroizing::new(text.to_vec());
        self.values
            .decrypt_inout_detached(&Nonce::from(*nonce), place, plain.as_mut_slice().into(), &Tag::from(*tag))
            .ok()?;
        Some(plain)
    }
}

/// Bytes nobody can guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Problem::io("draw random bytes", error.into()))?;
    Ok(bytes)
}

fn derive(master: &MasterKey, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(keyed(&**master).chain_update(purpose).finalize().into_bytes().into())
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}
