//! What a provider may use: variables, files, the time, and requests to IAM and the server's metadata.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::{AccessKeys, UserToken};
use crate::{
    client::{Authentication, Call, Core},
    env::Env,
    error::{Error, ErrorKind},
    operation::{Operation, Response},
    region::Settings,
    secret::{SecretBytes, SecretString},
    transport::{HttpAnswer, HttpRequest},
};

/// The surroundings in which a provider looks for credentials.
#[derive(Debug)]
pub struct Context<'a> {
    core: &'a Core,
    settings: &'a Settings,
}

/// Who signs a provider's own request to IAM or STS.
#[derive(Clone, Copy, Debug)]
pub enum As<'a> {
    /// Nobody: the request carries a password or a token of its own.
    Nobody,
    /// These keys.
    Keys(&'a AccessKeys),
    /// The holder of this token.
    Token(&'a UserToken),
}

impl<'a> Context<'a> {
    pub(crate) fn new(core: &'a Core, settings: &'a Settings) -> Self {
        Self { core, settings }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.core.now()
    }

    /// Environment variables.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.settings.env
    }

    /// The client's region, if it has one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.settings.region.as_deref()
    }

    /// Sends an operation of IAM or STS to the client's IAM or STS endpoint.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn call<O: Operation>(&self, operation: &O, caller: As<'_>) -> Result<Response<O::Response>, Error> {
        let authentication = match caller {
            As::Nobody => Authentication::None,
            As::Keys(keys) => Authentication::keys(keys),
            As::Token(token) => Authentication::Token(&token.token),
        };
        let call = Call::of(operation, self.settings, None)?;
        self.core.run(call, &authentication).await?.read::<O>()
    }

    /// Reads a file; `None` when there is none.
    pub(crate) async fn read_file(&self, path: PathBuf) -> Result<Option<SecretBytes>, Error> {
        let shown = path.display().to_string();
        let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        match read.map_err(std::io::Error::other).and_then(|outcome| outcome) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::new(ErrorKind::Credentials, format!("{shown} cannot be read: {error}"))),
        }
    }

    /// One exchange with the server's own metadata or pod-identity address: no proxy, no retry, no signature.
    pub(crate) async fn exchange_locally(
        &self,
        method: Method,
        url: Url,
        headers: &[(&'static str, &SecretString)],
        body: Option<&'static str>,
        timeout: Duration,
    ) -> Result<HttpAnswer, Error> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(value.expose_secret())
                .map_err(|_| Error::new(ErrorKind::Credentials, format!("the {name} header cannot be sent")))?;
            value.set_sensitive(true);
            map.insert(HeaderName::from_static(name), value);
        }
        if body.is_some() {
            map.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let body = body.map(|text| Bytes::from_static(text.as_bytes()));
        let request = HttpRequest { method, url, headers: map, body, timeout: Some(timeout) };
        self.core.local_transport()?.exchange(request).await.map_err(|error| error.error)
    }
}
