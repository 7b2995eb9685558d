//! Key Management Service: every operation of its API reference, one chapter per file.
//!
//! KMS sends most numbers and flags as text; they are numbers and flags here. Times are milliseconds as text,
//! documented as seconds. Data keys, their ciphertexts, random data and message authentication codes are
//! hexadecimal; everything else that is binary is Base64.

mod access_points;
mod agreement;
mod aliases;
mod capsules;
mod data;
mod data_keys;
mod grants;
mod import;
mod key_policies;
mod key_spaces;
mod keys;
mod keystores;
mod macs;
mod queries;
mod regions;
mod rotation;
mod signatures;
mod tags;
mod types;
mod versions;

pub use access_points::*;
pub use agreement::*;
pub use aliases::*;
pub use capsules::*;
pub use data::*;
pub use data_keys::*;
pub use grants::*;
pub use import::*;
pub use key_policies::*;
pub use key_spaces::*;
pub use keys::*;
pub use keystores::*;
pub use macs::*;
pub use queries::*;
pub use regions::*;
pub use rotation::*;
pub use signatures::*;
pub use tags::*;
pub use types::*;
pub use versions::*;

crate::registry! {
    keys: CreateKey, EnableKey, DisableKey, UpdateKeyAlias, UpdateKeyDescription, DeleteKey, CancelKeyDeletion;
    queries: ListKeys, ListKeyDetail, ShowPublicKey, ShowUserInstances, ShowUserQuotas;
    rotation: EnableKeyRotation, ShowKeyRotationStatus, UpdateKeyRotationInterval, DisableKeyRotation;
    import: CreateParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial, RotateOnDemand;
    data_keys: CreateDatakey, CreateDatakeyWithoutPlaintext, EncryptDatakey, DecryptDatakey, CreateRsaDatakeyPair,
        CreateEcDatakeyPair, CreatePin, CreateRandom;
    data: EncryptData, DecryptData, ReEncrypt;
    signatures: Sign, ValidateSignature;
    macs: GenerateMac, VerifyMac;
    agreement: DeriveSharedSecret;
    grants: CreateGrant, ListGrants, ListRetirableGrants, CancelGrant, CancelSelfGrant;
    regions: ListSupportRegions, ReplicateKey, UpdatePrimaryRegion;
    tags: CreateKmsTag, BatchCreateKmsTags, ShowKmsTags, ListKmsTags, ListKmsByTags, DeleteTag;
    key_spaces: CreateTrustedKeySpace, ListTrustedKeySpace, DeleteTrustedKeySpace;
    access_points: CreateAccessPoint, ListAccessPoint, DownloadAccessPointPrivateKey, EnableAccessPoint,
        DisableAccessPoint, DeleteAccessPoint;
    key_policies: CreateKeyPolicy, ShowKeyPolicy, ListKeyPolicy, UpdateKeyPolicy, DeleteKeyPolicy;
    capsules: CreateDatakeyCapsule, DecryptDatakeyCapsule;
    keystores: CreateKeyStore, ShowKeyStore, ListKeyStores, EnableKeyStore, DisableKeyStore, DeleteKeyStore;
    aliases: CreateAlias, ListAliases, AssociateAlias, DeleteAlias;
    versions: ShowVersion, ShowVersions;
}
