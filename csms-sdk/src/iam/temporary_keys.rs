//! Temporary access keys: for an agency or for a token.

use csms_sdk_macros::Model;
use serde_json::Value;

use super::AuthMethod;
use crate::{
    operation::{Chapter, Service},
    secret::SecretString,
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Iam, group: "Temporary access keys" };

/// Gets temporary access keys for an agency. New keys leave older ones valid.
///
/// The caller has to be a user of the delegated account who may act through the agency. Shares its address with
/// [`CreateTemporaryAccessKeyByToken`]; the body tells them apart.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v3.0/OS-CREDENTIAL/securitytokens",
    response = CreateTemporaryAccessKeyByAgencyResponseBody,
    success = 201,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateTemporaryAccessKeyByAgency {
    /// Which agency, and what the keys may do.
    pub auth: AgencyAuth,
}

/// Gets temporary access keys for a token. New keys leave older ones valid.
///
/// Sent without the client's credentials: the token has to stand in the request, although the reference does not
/// demand it there.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v3.0/OS-CREDENTIAL/securitytokens",
    response = CreateTemporaryAccessKeyByTokenResponseBody,
    success = 201,
    unsigned,
    idempotent,
)]
#[non_exhaustive]
pub struct CreateTemporaryAccessKeyByToken {
    /// Which token, and what the keys may do.
    pub auth: TokenAuth,
}

/// An agency that keys are wanted for.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AgencyAuth {
    /// The agency.
    pub identity: AgencyAuthIdentity,
}

/// An agency to be assumed, and what of its permissions is wanted.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AgencyAuthIdentity {
    /// [`AuthMethod::AssumeRole`] and nothing else.
    #[field(check(Items(1, 1)))]
    pub methods: Vec<AuthMethod>,
    /// Which agency, and for how long.
    pub assume_role: IdentityAssumerole,
    /// Narrows what the keys may do; default all that the agency may.
    pub policy: Option<ServicePolicy>,
}

/// Name of an agency, the account that made it, and how long the keys are to live. The account has to be given,
/// by id or by name.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct IdentityAssumerole {
    /// Agency name.
    pub agency_name: String,
    /// Id of the delegating account.
    pub domain_id: Option<String>,
    /// Name of the delegating account.
    pub domain_name: Option<String>,
    /// Life of the keys in seconds, 900 to 86400; default 900.
    #[field(check(Range(900, 86_400)))]
    pub duration_seconds: Option<i32>,
    /// Who the keys are for, as recorded in them.
    pub session_user: Option<AssumeroleSessionuser>,
}

/// A name for whoever uses the keys.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct AssumeroleSessionuser {
    /// 5 to 64 letters, digits, `-` or `_`, a letter first.
    pub name: Option<String>,
}

/// A token that keys are wanted for.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct TokenAuth {
    /// The token.
    pub identity: TokenAuthIdentity,
}

/// A token, and what of its permissions is wanted.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct TokenAuthIdentity {
    /// [`AuthMethod::Token`] and nothing else.
    #[field(check(Items(1, 1)))]
    pub methods: Vec<AuthMethod>,
    /// Which token, and for how long.
    pub token: Option<IdentityToken>,
    /// Narrows what the keys may do; default all that the token permits.
    pub policy: Option<ServicePolicy>,
}

/// A token, and how long the keys made for it are to live.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct IdentityToken {
    /// The token. The service prefers the header `X-Auth-Token` where both are sent, and means to drop this one.
    pub id: Option<SecretString>,
    /// Life of the keys in seconds, 900 to 86400; default 900.
    #[field(check(Range(900, 86_400)))]
    pub duration_seconds: Option<i32>,
}

/// A policy that narrows what temporary keys may do; it never widens.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct ServicePolicy {
    /// Version of the policy language: `1.1`.
    #[field(name = "Version")]
    pub version: String,
    /// What is allowed and denied.
    #[field(name = "Statement")]
    pub statement: Vec<ServiceStatement>,
}

/// One rule of a policy.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct ServiceStatement {
    /// Actions as `service:resource:operation`, e.g. `csms:secret:get`; `*` stands for any.
    #[field(name = "Action")]
    pub action: Vec<String>,
    /// Whether the rule allows or denies.
    #[field(name = "Effect")]
    pub effect: PolicyEffect,
    /// Resources as `service:region:account:type:path`; `*` stands for any.
    #[field(name = "Resource")]
    pub resource: Option<Vec<String>>,
    /// When the rule holds: operator, then condition key, then values, as in
    /// `{"StringEquals":{"obs:prefix":["public"]}}`.
    #[field(name = "Condition")]
    pub condition: Option<Value>,
}

/// Temporary access keys for an agency.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateTemporaryAccessKeyByAgencyResponseBody {
    /// The keys.
    #[field(alias = "credentials")]
    pub credential: Option<Credential>,
}

/// Temporary access keys for a token.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct CreateTemporaryAccessKeyByTokenResponseBody {
    /// The keys.
    #[field(alias = "credentials")]
    pub credential: Option<Credential>,
}

/// Temporary access keys. Every place that hands some out spells them in its own way; all spellings are read.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Credential {
    /// Access key id.
    #[field(alias = "accessKeyId", alias = "access_key_id")]
    pub access: Option<String>,
    /// Secret access key.
    #[field(alias = "secretAccessKey", alias = "secret_access_key")]
    pub secret: Option<SecretString>,
    /// Security token, to be sent as `X-Security-Token` with every request signed by these keys.
    #[field(alias = "securityToken", alias = "security_token")]
    pub securitytoken: Option<SecretString>,
    /// When they end.
    #[field(alias = "expiration", rfc3339)]
    pub expires_at: Option<Timestamp>,
}

/// What a rule of a policy does. Deny wins over allow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum PolicyEffect {
    /// Allows. Sent with a capital, though an example of the reference has none.
    #[wire("Allow")]
    Allow,
    /// Denies.
    #[wire("Deny")]
    Deny,
    /// An effect that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::{
        encode::{Validation, encode},
        iam::CredentialsDto,
        model::Object,
        operation::Operation as _,
    };

    const SPELLINGS: [&str; 3] = [
        r#"{"access":"AK","secret":"SK","securitytoken":"ST","expires_at":"2020-01-08T03:50:07.574000Z"}"#,
        r#"{"access_key_id":"AK","secret_access_key":"SK","security_token":"ST","expiration":"2020-01-08T03:50:07.574Z"}"#,
        r#"{"accessKeyId":"AK","secretAccessKey":"SK","securityToken":"ST","expiration":"2020-01-08T03:50:07.574000Z"}"#,
    ];

    #[test]
    fn temporary_keys_are_read_in_all_three_spellings() {
        let end = Timestamp::parse("2020-01-08T03:50:07.574Z");
        for text in SPELLINGS {
            let iam: Credential = serde_json::from_str(text).unwrap();
            let expected = Credential {
                access: Some("AK".into()),
                secret: Some("SK".into()),
                securitytoken: Some("ST".into()),
                expires_at: end,
            };
            assert_eq!(iam, expected, "{text}");
            let sts: CredentialsDto = serde_json::from_str(text).unwrap();
            let expected = CredentialsDto {
                access_key_id: Some("AK".into()),
                secret_access_key: Some("SK".into()),
                security_token: Some("ST".into()),
                expiration: end,
            };
            assert_eq!(sts, expected, "{text}");
        }
    }

    #[test]
    fn the_effect_of_a_session_policy_is_sent_with_a_capital() {
        let policy = ServicePolicy::new("1.1", [ServiceStatement::new(["csms:secret:get"], PolicyEffect::Allow)]);
        let token = IdentityToken::new().id("hidden").duration_seconds(900);
        let identity = TokenAuthIdentity::new([AuthMethod::Token]).token(token).policy(policy);
        let request = CreateTemporaryAccessKeyByToken::new(TokenAuth::new(identity));
        let info = CreateTemporaryAccessKeyByToken::INFO;
        let encoded = encode(info, &Object::Typed(&request), None, Validation::On).unwrap();
        assert_eq!(
            std::str::from_utf8(encoded.body.unwrap().expose_secret()).unwrap(),
            concat!(
                r#"{"auth":{"identity":{"methods":["token"],"token":{"id":"hidden","duration_seconds":900},"#,
                r#""policy":{"Version":"1.1","Statement":[{"Action":["csms:secret:get"],"Effect":"Allow"}]}}}}"#,
            )
        );
    }
}
