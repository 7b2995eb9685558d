//! Temporary keys out of the answers that carry some, each in its own spelling.

use chrono::{DateTime, TimeDelta, Utc};

use super::AccessKeys;
use crate::{
    error::{Error, ErrorKind},
    iam::{CreateTemporaryAccessKeyByTokenResponseBody, Credential, CredentialsDto},
};

/// Assumed of keys that do not say when they expire: the shortest life that temporary keys have.
const SHORTEST_LIFE: TimeDelta = TimeDelta::minutes(15);

/// Reads an answer of server metadata or pod identity: the keys in `credential`, in `credentials`, or bare.
pub(super) fn read(body: &[u8], now: DateTime<Utc>) -> Result<AccessKeys, Error> {
    // What stood there is not repeated: it can hold keys.
    let unreadable = |_| Error::new(ErrorKind::Credentials, "the answer with temporary keys cannot be read");
    let wrapped: CreateTemporaryAccessKeyByTokenResponseBody = serde_json::from_slice(body).map_err(unreadable)?;
    match wrapped.credential {
        Some(credential) => keys(Some(credential), now),
        None => keys(Some(serde_json::from_slice::<Credential>(body).map_err(unreadable)?), now),
    }
}

/// The keys that IAM or STS answered.
pub(super) fn keys(credential: Option<impl Into<Credential>>, now: DateTime<Utc>) -> Result<AccessKeys, Error> {
    let Credential { access, secret, securitytoken, expires_at } = credential.map(Into::into).unwrap_or_default();
    match (access, secret, securitytoken) {
        (Some(access), Some(secret), Some(token)) if !access.is_empty() && !secret.is_empty() && !token.is_empty() => {
            Ok(AccessKeys::new(access, secret)
                .with_security_token(token)
                .with_expiry(expires_at.unwrap_or_else(|| (now + SHORTEST_LIFE).into())))
        }
        _ => Err(Error::new(ErrorKind::Credentials, "the answer with temporary keys lacks some of them")),
    }
}

impl From<CredentialsDto> for Credential {
    fn from(keys: CredentialsDto) -> Self {
        Self {
            access: keys.access_key_id,
            secret: keys.secret_access_key,
            securitytoken: keys.security_token,
            expires_at: keys.expiration,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    const KEYS: &str = r#"{"access":"AK","secret":"hidden","securitytoken":"ST"}"#;

    #[test]
    fn keys_are_found_in_either_wrapper_and_without_one() {
        let now = DateTime::from_timestamp(1_767_323_045, 0).unwrap();
        for text in [KEYS.to_owned(), format!(r#"{{"credential":{KEYS}}}"#), format!(r#"{{"credentials":{KEYS}}}"#)] {
            let keys = read(text.as_bytes(), now).unwrap();
            assert_eq!((keys.access_key.as_str(), keys.secret_key), ("AK", "hidden".into()), "{text}");
            assert_eq!(keys.expires_at.unwrap().as_seconds(), 1_767_323_945, "a quarter of an hour is assumed");
        }
    }

    #[test]
    fn incomplete_keys_are_refused_without_repeating_them() {
        for text in ["", "[]", "{}", r#"{"credential":null}"#, r#"{"access":"AK","secret":"hidden"}"#, "hidden"] {
            let error = read(text.as_bytes(), DateTime::UNIX_EPOCH).unwrap_err();
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }
}
