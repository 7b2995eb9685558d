//! The value of a version, or a field of it.

use serde::de::DeserializeOwned;

use super::field;
use crate::{
    csms::Version,
    error::{Error, ErrorKind},
    operation::decode_error,
    secret::{SecretBytes, SecretString},
    time::Timestamp,
};

/// The value of a version of a secret, or a field of it. `Debug` shows everything but the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretValue {
    name: String,
    version: String,
    stages: Vec<String>,
    created: Option<Timestamp>,
    expires: Option<Timestamp>,
    pub(super) content: Content,
}

/// A value: a text, or bytes. They differ even where the bytes are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(SecretString),
    Binary(SecretBytes),
}

impl SecretValue {
    /// The version of an answer.
    pub(super) fn of(name: &str, version: Version) -> Result<Self, Error> {
        let Version { secret_string, secret_binary, version_metadata } = version;
        let unreadable = |problem| Error::new(ErrorKind::UnexpectedAnswer, format!("secret `{name}`: {problem}"));
        let content = match (secret_string, secret_binary) {
            (Some(text), _) => Content::Text(text),
            (None, Some(base64)) => {
                Content::Binary(base64.decode_base64().ok_or_else(|| unreadable("the binary value is not Base64"))?)
            }
            (None, None) => return Err(unreadable("the answer has no value")),
        };
        let metadata = version_metadata.unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            version: metadata.id.ok_or_else(|| unreadable("the answer does not tell the version"))?,
            stages: metadata.version_stages,
            created: metadata.create_time,
            expires: metadata.expire_time,
            content,
        })
    }

    /// Name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of the version, e.g. `v3`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Stages that marked it when it was read.
    #[must_use]
    pub fn stages(&self) -> &[String] {
        &self.stages
    }

    /// When the version was created.
    #[must_use]
    pub fn created(&self) -> Option<Timestamp> {
        self.created
    }

    /// When the version expires; `None` for never. It can be read after that as well.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// The value itself: text in UTF-8, or the bytes of a binary one. Do not log it, and do not keep copies.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        match &self.content {
            Content::Text(text) => text.expose_secret().as_bytes(),
            Content::Binary(bytes) => bytes.expose_secret(),
        }
    }

    /// The value of a secret that holds text; `None` for a binary one, even if its bytes are text.
    #[must_use]
    pub fn text(&self) -> Option<&SecretString> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Binary(_) => None,
        }
    }

    /// A field of a JSON value; see [`reference`](crate::reference) for its forms. A text is given as it is, anything else as
    /// the JSON that stands there: numbers keep every digit. Of members of one name the last counts.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when the value is not JSON or has no such field. The names of fields are no secrets: the error
    /// may hold them.
    pub fn field(&self, field: &str) -> Result<SecretString, Error> {
        field::find(self.expose_secret(), field).map_err(|missing| missing.error(&self.name, &self.version, field))
    }

    /// All fields of a value that is a JSON object, each as [`field`](Self::field) gives it, sorted by name; `None` for
    /// every other value.
    #[must_use]
    pub fn fields(&self) -> Option<Vec<(String, SecretString)>> {
        field::all(self.expose_secret())
    }

    /// The value read as JSON.
    ///
    /// What it is read into is yours to protect: use [`SecretString`] for its secret fields, which can be read like a
    /// `String`.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedAnswer`] when it is not JSON of that type: the error says where, not what stands there.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(self.expose_secret()).map_err(|error| {
            let at = decode_error(self.expose_secret(), &error);
            // In what is not JSON, anything might pass for the name of a field.
            let path = if error.is_data() { format!(" at `{}`", at.path) } else { String::new() };
            let message = format!(
                "the value of secret `{}` could not be read{path} (line {}, column {}): {}",
                self.name, at.line, at.column, at.problem
            );
            Error::new(ErrorKind::UnexpectedAnswer, message)
        })
    }

    /// The same version, a field of it in place of its value.
    pub(crate) fn with_field(&self, field: &str) -> Result<Self, Error> {
        let content = Content::Text(self.field(field)?);
        Ok(Self {
            name: self.name.clone(),
            version: self.version.clone(),
            stages: self.stages.clone(),
            content,
            ..*self
        })
    }

    pub(super) fn into_text(self) -> Result<SecretString, Error> {
        match self.content {
            Content::Text(text) => Ok(text),
            Content::Binary(_) => {
                let message = format!("the value of secret `{}` ({}) is binary, not text", self.name, self.version);
                Err(Error::new(ErrorKind::UnexpectedAnswer, message).with_help("read it with `get`"))
            }
        }
    }

    pub(super) fn holds(&self, content: &Content) -> bool {
        self.content == *content
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::csms::VersionMetadata;

    fn value(text: &str) -> SecretValue {
        let metadata = VersionMetadata { id: Some("v1".to_owned()), ..VersionMetadata::default() };
        let version =
            Version { secret_string: Some(text.into()), version_metadata: Some(metadata), ..Version::default() };
        SecretValue::of("db", version).unwrap()
    }

    #[test]
    fn an_error_names_fields_and_never_a_value() {
        let error = value(r#"{"user":"hunter2"}"#).field("password").unwrap_err();
        assert!(error.to_string().contains("`user`") && !error.to_string().contains("hunter2"), "{error}");
        let error = value("hunter2").field("password").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");

        #[derive(Debug, Deserialize)]
        struct Login {
            #[allow(dead_code)] // only read into
            port: u16,
        }
        let error = value(r#"{"port":1 "hunter2":"hunter2"}"#).json::<Login>().unwrap_err();
        assert!(error.to_string().contains("not JSON") && !error.to_string().contains("hunter2"), "{error}");
        let error = value(r#"{"port":"hunter2"}"#).json::<Login>().unwrap_err();
        assert!(error.to_string().contains("`port`") && !error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn texts_of_a_typed_value_can_be_secret() {
        #[derive(Debug, Deserialize)]
        struct Login {
            password: SecretString,
        }
        let login: Login = value(r#"{"password":"a\"b"}"#).json().unwrap();
        assert_eq!(login.password.expose_secret(), "a\"b");
        assert_eq!(format!("{login:?}"), "Login { password: [REDACTED] }");
        assert!(value(r#"{"password":1}"#).json::<Login>().is_err());
    }
}
