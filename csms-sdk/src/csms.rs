//! Cloud Secret Management Service: every operation of its API reference, one chapter per file.
//!
//! Times of CSMS are documented as seconds and sent as milliseconds; [`Timestamp`](crate::Timestamp) reads both.

mod checker;
mod events;
mod grants;
mod lifecycle;
mod passwords;
mod replicas;
mod rotation;
mod stages;
mod tags;
mod users;
mod versions;

pub use checker::*;
pub use events::*;
pub use grants::*;
pub use lifecycle::*;
pub use passwords::*;
pub use replicas::*;
pub use rotation::*;
pub use stages::*;
pub use tags::*;
pub use users::*;
pub use versions::*;

crate::registry! {
    lifecycle: CreateSecret, ShowSecret, ListSecrets, UpdateSecret, DeleteSecret, DeleteSecretForSchedule,
        RestoreSecret, RotateSecret, DownloadSecretBlob, UploadSecretBlob, BatchImportSecrets, BatchDeleteSecrets;
    versions: CreateSecretVersion, ShowSecretVersion, BatchGetSecretValue, ListSecretVersions, UpdateVersion;
    stages: CreateSecretStage, ShowSecretStage, UpdateSecretStage, DeleteSecretStage;
    replicas: CreateSecretReplica, ListSupportRegions, DeleteSecretReplica;
    rotation: CreateAgency, ShowAgency, ShowSecretFunctionTemplates, ListSecretTask;
    events: CreateSecretEvent, ShowSecretEvent, ListSecretEvents, UpdateSecretEvent, DeleteSecretEvent,
        ListNotificationRecords;
    tags: CreateSecretTag, BatchCreateOrDeleteTags, ListSecretTags, ListProjectSecretsTags, ListResourceInstances,
        DeleteSecretTag;
    passwords: GenerateRandomPassword;
    checker: CheckSecrets, ShowSecretsConfig, UpdateSecretsConfig;
    grants: CreateGrants, ListGrants, UpdateGrant, DeleteGrant;
    users: ListUsers, ShowUserDetail, UpdateUserPassword;
}
