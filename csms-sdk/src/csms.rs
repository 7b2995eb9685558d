//! Cloud Secret Management Service: every operation of its API reference, one chapter per file.
//!
//! Times of CSMS are documented as seconds and sent as milliseconds; [`Timestamp`](crate::Timestamp) reads both.

mod lifecycle;

pub use lifecycle::*;

crate::registry! {
    lifecycle: CreateSecret, ShowSecret, ListSecrets, UpdateSecret, DeleteSecret, DeleteSecretForSchedule,
        RestoreSecret, RotateSecret, DownloadSecretBlob, UploadSecretBlob, BatchImportSecrets, BatchDeleteSecrets;
}
