//! Passwords: have the service make one up.

use csms_sdk_macros::Model;

use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Passwords" };

/// Generates a random password. It is not kept: storing it is another call.
///
/// With nothing set it has 32 characters: letters, digits and punctuation.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/csms/generate-password",
    response = CreatePasswordResponse,
    idempotent,
)]
#[non_exhaustive]
pub struct GenerateRandomPassword {
    /// Number of characters, 1 to 255; default 32.
    #[field(check(Range(1, 255)))]
    pub length: Option<i32>,
    /// Leaves out lower-case letters; default false.
    pub exclude_lowercase: Option<bool>,
    /// Leaves out upper-case letters; default false.
    pub exclude_uppercase: Option<bool>,
    /// Leaves out digits; default false.
    pub exclude_numbers: Option<bool>,
    /// Leaves out punctuation; default false.
    pub exclude_punctuation: Option<bool>,
    /// Leaves out each of these characters; default none.
    pub exclude_characters: Option<String>,
    /// Allows the blank; default false.
    pub include_space: Option<bool>,
    /// Whether every class that is not left out has to occur; default false.
    pub require_each_included_type: Option<bool>,
    /// Name of a password policy. What one does, and how it goes with the other fields, is not documented.
    pub password_policy_name: Option<String>,
}

/// A generated password.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreatePasswordResponse {
    /// The password.
    pub password: Option<SecretString>,
}
