//! Who may be computed with: finds the key that is fit for a use, or says why there is none.

use std::sync::Arc;

use super::{
    keys::find,
    record::{Generation, Key, Kind, State},
    refusal, regions,
};
use crate::{
    call::Call,
    crypto::{CryptoError, Material, envelope},
    fault::Fault,
    world::World,
};

/// What a key is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Small data, with symmetric and asymmetric keys.
    Data,
    /// Data keys, with symmetric keys.
    DataKey,
    /// Signatures.
    Sign,
    /// Message authentication codes.
    Mac,
    /// Shared secrets.
    Agreement,
}

/// A key that is fit for a use, taken out of the world so that computing with it holds nobody up.
pub(super) struct Fit {
    pub(super) id: String,
    generations: Vec<Generation>,
    material: Arc<Material>,
}

/// The key of this id, if it is there, enabled and meant for this use.
pub(super) fn key(call: &Call, world: &World, id: &str, purpose: Use) -> Result<Fit, Fault> {
    let key = find(&world.project(&call.project_id)?.kms, id)?;
    check_enabled(key)?;
    check_use(key, purpose)?;
    let material = key.material().cloned().ok_or_else(|| refusal("KMS.1301"))?;
    Ok(Fit { id: key.id.clone(), generations: key.generations.clone(), material })
}

/// The symmetric key that made a ciphertext, which tells it.
pub(super) fn key_of(call: &Call, world: &World, ciphertext: &[u8], purpose: Use) -> Result<Fit, Fault> {
    let sealed = envelope::parse(ciphertext).map_err(|_| refusal("KMS.2201"))?;
    let id = regions::key_here(&world.project(&call.project_id)?.kms, sealed.key_id);
    key(call, world, id, purpose)
}

/// Refuses a key that is in no state to be used.
pub(super) fn check_enabled(key: &Key) -> Result<(), Fault> {
    match key.state {
        State::Enabled => Ok(()),
        State::Disabled => Err(refusal("KMS.0209")),
        State::PendingDeletion => Err(refusal("KMS.0210")),
        // The documents have no code for a use in these two.
        State::PendingImport => Err(refusal("KMS.1301").because("its material has not been imported")),
        State::PendingActivation => Err(refusal("KMS.1301").because("it is still being copied from its primary")),
    }
}

/// Refuses a key that is meant for something else.
fn check_use(key: &Key, purpose: Use) -> Result<(), Fault> {
    let usage = match purpose {
        Use::Data | Use::DataKey => "ENCRYPT_DECRYPT",
        Use::Sign => "SIGN_VERIFY",
        Use::Mac => "GENERATE_VERIFY_MAC",
        Use::Agreement => "KEY_AGREEMENT",
    };
    let hmac = key.kind() == Kind::Hmac;
    let asymmetric = key.kind() == Kind::Asymmetric;
    if key.usage == usage && (purpose != Use::DataKey || !asymmetric) {
        return Ok(());
    }
    Err(refusal(match purpose {
        _ if hmac => "KMS.0341",
        Use::DataKey | Use::Mac if asymmetric => "KMS.0325",
        Use::Sign | Use::Agreement if !asymmetric => "KMS.0331",
        _ => match key.usage.as_str() {
            "ENCRYPT_DECRYPT" => "KMS.0334",
            "SIGN_VERIFY" => "KMS.0335",
            // A key for agreement; these two come nearest to saying so.
            _ if purpose == Use::Sign => "KMS.0332",
            _ => "KMS.1114",
        },
    }))
}

impl Fit {
    /// What encrypts, signs and verifies.
    pub(super) fn material(&self) -> &Material {
        &self.material
    }

    pub(super) fn spec(&self) -> &'static str {
        self.material.spec()
    }

    /// Encrypts with a symmetric key.
    pub(super) fn seal(&self, plaintext: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
        // `material` is the last of them, so there is one.
        let generation = self.generations.len() as u64 - 1;
        envelope::seal(&self.id, generation, &self.material, plaintext, aad)
    }

    /// Decrypts with a symmetric key: with the generation that encrypted.
    pub(super) fn open(&self, ciphertext: &[u8], aad: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, Fault> {
        let invalid = |_| refusal("KMS.2201");
        let sealed = envelope::parse(ciphertext).map_err(invalid)?;
        let generation = usize::try_from(sealed.generation).ok().and_then(|at| self.generations.get(at));
        let generation = generation.ok_or_else(|| refusal("KMS.2201"))?;
        sealed.open(&generation.0, aad).map_err(invalid)
    }
}
