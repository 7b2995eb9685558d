//! Keystores: HSM clusters of one's own that hold keys in place of the keystore of KMS.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Paging, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Kms, group: "Keystores" };

/// Creates a keystore on an HSM cluster. It begins disabled: [`EnableKeyStore`] makes it usable.
///
/// Its keys can be neither rotated nor imported.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/keystores",
    response = CreateKeyStoreResponseBody,
)]
#[non_exhaustive]
pub struct CreateKeyStore {
    /// Name that no keystore has yet: 1 to 255 letters, digits, `:`, `/`, `_` or `-`.
    pub keystore_alias: String,
    /// Kind of keystore.
    pub keystore_type: Option<KeystoreType>,
    /// HSM cluster, which may not carry a keystore yet.
    pub hsm_cluster_id: Option<String>,
    /// Certificate of the HSM cluster's authority, in PEM.
    pub hsm_ca_cert: Option<String>,
    /// The cluster, by kind of keystore: the HSM cluster for `DHSM`, the CDMS cluster for `CDMS`.
    pub cluster_id: Option<String>,
}

/// Reads a keystore. One that does not exist is answered with 400 and `KMS.8003`.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/keystores/{keystore_id}",
    response = ShowKeyStoreResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowKeyStore {
    /// The keystore.
    pub keystore_id: String,
}

/// Lists the project's keystores.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1.0/{project_id}/keystores",
    response = ListKeyStoresResponseBody,
    paging = Paging::Offset { items: "keystores", total: Some("total"), size: 10 },
    item = KeystoreDetails,
    idempotent,
)]
#[non_exhaustive]
pub struct ListKeyStores {
    /// Most keystores of a page; default 10.
    pub limit: Option<i32>,
    /// Number of keystores to skip.
    pub offset: Option<i64>,
}

/// Enables a keystore: keys can be made in it and used.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/keystores/{keystore_id}/enable",
    response = EnableKeyStoreResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct EnableKeyStore {
    /// The keystore.
    pub keystore_id: String,
}

/// Disables a keystore; [`EnableKeyStore`] undoes it.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1.0/{project_id}/keystores/{keystore_id}/disable",
    response = EnableKeyStoreResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct DisableKeyStore {
    /// The keystore.
    pub keystore_id: String,
}

/// Deletes a keystore; it has to be empty.
#[derive(Clone, Debug, Model)]
#[operation(DELETE, "/v1.0/{project_id}/keystores/{keystore_id}", success = 200, idempotent)]
#[non_exhaustive]
pub struct DeleteKeyStore {
    /// The keystore.
    pub keystore_id: String,
}

/// Answer to a creation.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateKeyStoreResponseBody {
    /// The keystore that was created.
    pub keystore: Option<KeystoreInfo>,
}

/// A keystore that was created.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoreInfo {
    /// Id.
    pub keystore_id: Option<String>,
    /// Account that owns it.
    pub domain_id: Option<String>,
}

/// Answer with one keystore.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ShowKeyStoreResponseBody {
    /// The keystore.
    pub keystore: Option<KeystoreDetails>,
}

/// A keystore.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeystoreDetails {
    /// Id; `0` is the keystore of KMS.
    pub keystore_id: Option<String>,
    /// Account that owns it.
    pub domain_id: Option<String>,
    /// Name.
    pub keystore_alias: Option<String>,
    /// Kind of keystore.
    pub keystore_type: Option<KeystoreType>,
    /// HSM cluster.
    pub hsm_cluster_id: Option<String>,
    /// The cluster: `0` for `DEFAULT`, the HSM cluster for `DHSM`, `1` or the CDMS cluster for `CDMS`.
    pub cluster_id: Option<String>,
    /// When it was created. Declared as text, shown as a number; both are read.
    #[field(text)]
    pub create_time: Option<Timestamp>,
}

/// One page of keystores.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListKeyStoresResponseBody {
    /// The keystores.
    pub keystores: Vec<KeystoreDetails>,
    /// Number of all keystores.
    pub total: Option<i64>,
}

/// Answer to enabling or disabling.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct EnableKeyStoreResponseBody {
    /// The keystore in its new state.
    pub keystore: Option<KeyStoreStateInfo>,
}

/// State of one keystore.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct KeyStoreStateInfo {
    /// Id.
    pub keystore_id: Option<String>,
    /// Its state now.
    pub keystore_state: Option<KeystoreState>,
}

/// Kind of keystore.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum KeystoreType {
    /// The keystore of KMS.
    #[wire("DEFAULT")]
    Default,
    /// A dedicated HSM cluster.
    #[wire("DHSM")]
    Dhsm,
    /// A CDMS cluster.
    #[wire("CDMS")]
    Cdms,
    /// A kind that is not known here yet.
    Other(String),
}

/// State of a keystore. Only these two codes are known, from examples.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum KeystoreState {
    /// In use.
    #[wire("2")]
    Enabled,
    /// Not to be used until it is enabled; the state after creation.
    #[wire("3")]
    Disabled,
    /// A state that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn the_creation_time_is_read_from_text_and_from_a_number() {
        for json in [r#"{"create_time":1581507580000}"#, r#"{"create_time":"1581507580000"}"#] {
            let keystore: KeystoreDetails = serde_json::from_str(json).unwrap();
            assert_eq!(keystore.create_time, Some(Timestamp::from_millis(1_581_507_580_000)), "{json}");
        }
    }
}
