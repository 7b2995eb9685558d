//! Identity and Access Management and Security Token Service: what a client of secrets and keys needs of them, one
//! chapter per file: look-up of accounts, projects and regions, user tokens, and temporary access keys.
//!
//! A token stands in a header of the answer (`X-Subject-Token`), never in its body; the answers carry it in their
//! field `subject_token`. IAM writes times as RFC 3339 text.

mod accounts;
mod federation;
mod projects;
mod regions;
mod sts;
mod temporary_keys;
mod tokens;

pub use accounts::*;
pub use federation::*;
pub use projects::*;
pub use regions::*;
pub use sts::*;
pub use temporary_keys::*;
pub use tokens::*;

crate::registry! {
    accounts: KeystoneListAuthDomains;
    projects: KeystoneListAuthProjects, KeystoneListProjects;
    regions: KeystoneListRegions;
    tokens: KeystoneCreateUserTokenByPassword, KeystoneCreateUserTokenByPasswordAndMfa, KeystoneCreateAgencyToken,
        KeystoneValidateToken;
    federation: CreateTokenWithIdToken, CreateUnscopedTokenWithIdToken;
    temporary_keys: CreateTemporaryAccessKeyByAgency, CreateTemporaryAccessKeyByToken;
    sts: AssumeAgency, AssumeAgencyWithOIDC, GetCallerIdentity;
}
