//! A key as it is kept.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use zeroize::Zeroizing;

use crate::{clock::Millis, crypto::Material, tags::Tags};

/// A key with all its generations. Has no `Debug`: it holds the material.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) id: String,
    /// Its name, `key_alias` in the API.
    pub(crate) alias: String,
    pub(crate) description: String,
    pub(crate) account_id: String,
    pub(crate) spec: String,
    pub(crate) usage: String,
    /// `kms` or `external`.
    pub(crate) origin: String,
    pub(crate) state: State,
    pub(crate) is_default: bool,
    pub(crate) keystore_id: String,
    pub(crate) enterprise_project_id: String,
    pub(crate) created: Millis,
    /// When it will be gone.
    pub(crate) deletion: Option<Millis>,
    /// When its imported material will be gone.
    pub(crate) expiration: Option<Millis>,
    /// Oldest first; the last one encrypts and signs, all of them decrypt. Empty while the import is pending.
    pub(crate) generations: Vec<Generation>,
    pub(crate) tags: Tags,
    pub(crate) rotation: Option<Rotation>,
    /// When it was rotated, oldest first.
    pub(crate) rotated: Vec<Millis>,
    pub(crate) replication: Replication,
    pub(crate) imported: Imported,
}

/// What is remembered of imported material.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Imported {
    /// What each generation was, also once its material is deleted: only the same is taken again.
    pub(crate) fingerprints: Vec<String>,
    /// The material that the next rotation on demand brings into use.
    pub(crate) next: Option<Generation>,
}

/// How a key is rotated by itself.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) interval_days: i64,
    pub(crate) next: Millis,
}

/// What kind of key a spec makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To encrypt and decrypt, and for data keys.
    Symmetric,
    /// For message authentication codes.
    Hmac,
    /// With a public key.
    Asymmetric,
}

/// A key's part in replication. All of a family have the same material, and each has an id of its own.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Replication {
    Single,
    /// With its replicas.
    Primary(Vec<Place>),
    /// Follows that key.
    Replica(Place),
}

/// Where a key of a family is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) project_id: String,
    pub(crate) key_id: String,
}

/// What can be done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// A replica that its primary's material has not reached yet.
    PendingActivation,
    Enabled,
    Disabled,
    PendingDeletion,
    PendingImport,
}

/// One material of a key. Shared, so that computing with it need not hold up everything else.
#[derive(Clone)]
pub(crate) struct Generation(pub(crate) Arc<Material>);

impl Kind {
    /// The kind of key that a spec makes.
    pub(crate) fn of(spec: &str) -> Self {
        match spec {
            "AES_256" | "SM4" => Self::Symmetric,
            spec if spec.starts_with("HMAC_") => Self::Hmac,
            _ => Self::Asymmetric,
        }
    }
}

impl State {
    /// As the service spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PendingActivation => "1",
            Self::Enabled => "2",
            Self::Disabled => "3",
            Self::PendingDeletion => "4",
            Self::PendingImport => "5",
        }
    }
}

impl Key {
    /// The material that encrypts and signs; `None` while the import is pending.
    pub(crate) fn material(&self) -> Option<&Arc<Material>> {
        self.generations.last().map(|generation| &generation.0)
    }

    /// Whether it has all its generations; not while the import of one is pending.
    pub(crate) fn is_complete(&self) -> bool {
        !self.generations.is_empty() && self.generations.len() >= self.imported.fingerprints.len()
    }

    /// What kind of key it is.
    pub(crate) fn kind(&self) -> Kind {
        Kind::of(&self.spec)
    }

    /// When something will next happen to it by itself.
    pub(crate) fn due(&self) -> Option<Millis> {
        [self.deletion, self.expiration, self.next_rotation()].into_iter().flatten().min()
    }

    /// When it will be rotated by itself; not unless it is enabled.
    pub(crate) fn next_rotation(&self) -> Option<Millis> {
        self.rotation.as_ref().filter(|_| self.state == State::Enabled).map(|rotation| rotation.next)
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    spec: String,
    bytes: Zeroizing<String>,
}

impl Serialize for Generation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.0.to_bytes().map_err(S::Error::custom)?;
        let (spec, bytes) = (self.0.spec().to_owned(), STANDARD.encode(&*bytes).into());
        Written { spec, bytes }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Generation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { spec, bytes } = Written::deserialize(deserializer)?;
        let bytes = STANDARD.decode(bytes.as_str()).map(Zeroizing::new).map_err(|_| D::Error::custom("not Base64"))?;
        Material::from_bytes(&spec, &bytes).map(|material| Self(Arc::new(material))).map_err(D::Error::custom)
    }
}
