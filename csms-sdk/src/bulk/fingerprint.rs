//! One fingerprint over all names and values, and the key that plans are sealed with.
//!
//! A plan may be shown around and kept among the artefacts of a CI system, so what stands in it must not help to guess a
//! value. A MAC of each value, its key beside it, would let short passwords be tried one by one, at full speed. A slow
//! hash over all of them together makes every guess cost 600,000 rounds, and takes a guess of all values at once. It
//! needs no key that is kept somewhere: one job may plan and another one apply.
//!
//! The slow hash gives two things that do not tell of each other: the fingerprint, which stands in the plan, and a key, which
//! only who has the values can make.

use std::{fmt, num::NonZeroU32};

use hmac::Mac as _;
use ring::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorKind},
    sign::{hkdf, keyed},
    store::NewValue,
};

/// What OWASP recommends for PBKDF2 with HMAC-SHA256: about a quarter of a second.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();

/// More are not waited for: whoever has altered a plan must not keep a program busy for hours.
const MOST_ROUNDS: u32 = 10_000_000;

const ALGORITHM: &str = "pbkdf2-hmac-sha256";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    rounds: NonZeroU32,
    salt: [u8; 16],
    hash: [u8; 32],
}

/// A fingerprint, and the key that goes with it.
#[derive(Clone)]
pub(super) struct Sealer {
    fingerprint: Fingerprint,
    key: Zeroizing<[u8; 32]>,
}

/// Names and values, sorted by name.
pub(super) trait Entries<'a>: Iterator<Item = (&'a String, &'a NewValue)> {}

impl<'a, I: Iterator<Item = (&'a String, &'a NewValue)>> Entries<'a> for I {}

impl Sealer {
    /// One with a salt of its own.
    pub(super) async fn make<'a>(entries: impl Entries<'a>) -> Result<Self, Error> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| {
            let message = "the operating system has no random numbers for the salt of a plan";
            Error::new(ErrorKind::Configuration, message).with_source(error)
        })?;
        Ok(Self::salted(entries, salt, ROUNDS).await)
    }

    /// The one of this fingerprint; `None` where that is of other names or values.
    pub(super) async fn again<'a>(entries: impl Entries<'a>, fingerprint: &Fingerprint) -> Option<Self> {
        let made = Self::salted(entries, fingerprint.salt, fingerprint.rounds).await;
        (made.fingerprint == *fingerprint).then_some(made)
    }

    async fn salted<'a>(entries: impl Entries<'a>, salt: [u8; 16], rounds: NonZeroU32) -> Self {
        let stretched = stretched(digest(entries), salt, rounds).await;
        let output = |label: &[u8]| hkdf(&*stretched, &[], label);
        let hash = *output(b"csms plan fingerprint");
        Self { fingerprint: Fingerprint { rounds, salt, hash }, key: output(b"csms plan seal") }
    }

    pub(super) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// What only who has the values can make of a text.
    pub(super) fn seal(&self, text: &str) -> [u8; 32] {
        keyed(&*self.key).chain_update(text).finalize().into_bytes().into()
    }

    /// Whether the seal is that of the text.
    pub(super) fn is_seal(&self, seal: &[u8; 32], text: &str) -> bool {
        keyed(&*self.key).chain_update(text).verify_slice(seal).is_ok()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Fingerprint {
    pub(super) fn to_json(&self) -> Json {
        json!({
            "algorithm": ALGORITHM,
            "rounds": self.rounds.get(),
            "salt": hex::encode(self.salt),
            "hash": hex::encode(self.hash),
        })
    }

    pub(super) fn of_json(json: &Json) -> Option<Self> {
        let rounds = NonZeroU32::new(u32::try_from(json["rounds"].as_u64()?).ok()?)?;
        if json["algorithm"] != ALGORITHM || rounds.get() > MOST_ROUNDS {
            return None;
        }
        let (mut salt, mut hash) = ([0; 16], [0; 32]);
        hex::decode_to_slice(json["salt"].as_str()?, &mut salt).ok()?;
        hex::decode_to_slice(json["hash"].as_str()?, &mut hash).ok()?;
        Some(Self { rounds, salt, hash })
    }
}

/// A digest of all of it, each part behind its length, so that no two sets look the same.
fn digest<'a>(entries: impl Entries<'a>) -> Zeroizing<[u8; 32]> {
    let mut hasher = Sha256::new();
    for (name, value) in entries {
        let (is_binary, bytes) = value.content();
        for part in [name.as_bytes(), &[u8::from(is_binary)], bytes] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    Zeroizing::new(hasher.finalize().into())
}

async fn stretched(digest: Zeroizing<[u8; 32]>, salt: [u8; 16], rounds: NonZeroU32) -> Zeroizing<[u8; 32]> {
    let stretch = move |digest: &[u8; 32]| {
        let mut hash = Zeroizing::new([0; 32]);
        derive(PBKDF2_HMAC_SHA256, rounds, &salt, digest, &mut *hash);
        hash
    };
    let kept = digest.clone();
    // On a thread of its own, as everybody else would have to wait; a runtime that ends has none.
    tokio::task::spawn_blocking(move || stretch(&digest)).await.unwrap_or_else(|_| stretch(&kept))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn digest_of(entries: &[(&str, NewValue)]) -> [u8; 32] {
        let entries: BTreeMap<_, _> = entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        *digest(entries.iter())
    }

    #[test]
    fn sets_that_differ_in_anything_have_other_digests() {
        let text = |text: &str| NewValue::from(text);
        let sets = [
            vec![],
            vec![("a", text(""))],
            vec![("a", text("b"))],
            vec![("ab", text(""))],
            vec![("a", NewValue::from(b"b".as_slice()))],
            vec![("a", text("b")), ("c", text(""))],
            vec![("a", text("")), ("c", text("b"))],
            vec![("a", text("bc"))],
        ];
        let digests: std::collections::HashSet<_> = sets.iter().map(|set| digest_of(set)).collect();
        assert_eq!(digests.len(), sets.len());
    }

    #[tokio::test]
    async fn the_hash_is_that_of_the_standard() {
        // As Python's hashlib computes it.
        let hash = stretched(Zeroizing::new([7; 32]), [9; 16], NonZeroU32::new(1000).unwrap()).await;
        assert_eq!(hex::encode(*hash), "e9ae4b1491081d168c13cbc4e4802bb3ea6203c6b542aa1125d413f3cc120170");
    }

    #[tokio::test]
    async fn it_is_written_and_read_back_and_the_same_values_make_the_same_seals() {
        let entries = BTreeMap::from([("a".to_owned(), NewValue::from("b"))]);
        let sealer = Sealer::make(entries.iter()).await.unwrap();
        let made = sealer.fingerprint();
        let read = Fingerprint::of_json(&made.to_json()).unwrap();
        assert_eq!(read, *made);
        let again = Sealer::again(entries.iter(), &read).await.unwrap();
        assert!(again.is_seal(&sealer.seal("text"), "text") && !again.is_seal(&sealer.seal("text"), "test"));
        assert_ne!(Sealer::make(entries.iter()).await.unwrap().fingerprint(), made, "each has a salt of its own");
        assert_ne!(*sealer.key, made.hash);
        assert!(!format!("{sealer:?}").contains(&format!("{:?}", *sealer.key)), "the key is not shown");
        let others = BTreeMap::from([("a".to_owned(), NewValue::from("c"))]);
        assert!(Sealer::again(others.iter(), &read).await.is_none());
        for (member, value) in [
            ("rounds", json!(0)),
            ("rounds", json!(10_000_001)),
            ("salt", json!("00")),
            ("hash", json!(1)),
            ("algorithm", json!("md5")),
        ] {
            let mut damaged = made.to_json();
            damaged[member] = value;
            assert_eq!(Fingerprint::of_json(&damaged), None, "{member}");
        }
    }
}
