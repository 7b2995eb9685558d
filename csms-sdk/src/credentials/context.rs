//! What a provider may use: variables, files, the time, and requests to IAM and the server's metadata.

use std::{io, path::PathBuf, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::{AccessKeys, UserToken};
use crate::{
    client::{Authentication, Call, Core},
    env::Env,
    error::{Error, ErrorKind},
    operation::{Operation, Response, Service},
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

/// A project that a token is scoped to.
pub(crate) enum TokenProject {
    Id(String),
    Name(String),
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

    /// The project that was given to the client, if one was.
    #[must_use]
    pub fn project_id(&self) -> Option<&str> {
        self.settings.project_id.as_deref()
    }

    /// The project that a token is to be good in: the one given to the client, else the one the provider names, by id
    /// or by name, else the region's default project. What a provider names belongs to the region the program
    /// began with.
    pub(crate) fn token_project(&self, id: Option<&str>, name: Option<&str>) -> Option<TokenProject> {
        let here = !self.settings.derived;
        if let Some(id) = self.project_id().or(id.filter(|_| here)) {
            return Some(TokenProject::Id(id.to_owned()));
        }
        name.filter(|_| here).or(self.region()).map(|name| TokenProject::Name(name.to_owned()))
    }

    /// The address of the client's IAM.
    pub(crate) fn iam_endpoint(&self) -> Option<&Url> {
        self.settings.endpoint(Service::Iam).ok().map(|endpoint| endpoint.url())
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
        match blocking(move || std::fs::read(path)).await {
            Ok(bytes) => Ok(Some(bytes.into())),
            // Where a home is no directory there is no file in it.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Error::new(ErrorKind::Credentials, format!("{shown} cannot be read: {error}"))),
        }
    }

    /// Reads a file that holds one token and nothing else. Others renew such files, so nothing of them is kept.
    pub(crate) async fn read_token_file(&self, path: &str) -> Result<SecretString, Error> {
        let bytes = self.read_file(PathBuf::from(path)).await?;
        let problem = match &bytes {
            None => "no such file",
            Some(bytes) => match std::str::from_utf8(bytes.expose_secret()).map(str::trim) {
                Ok("") => "the file is empty",
                Ok(token) => return Ok(token.into()),
                Err(_) => "the file is not text",
            },
        };
        Err(Error::new(ErrorKind::Credentials, format!("the token file {path}: {problem}")))
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
        let request = HttpRequest {
            method,
            url,
            headers: map,
            body,
            timeout,
            #[cfg(feature = "testing")]
            operation: None,
        };
        self.core.local_transport()?.exchange(request).await.map_err(|error| error.error)
    }
}

/// Does what blocks where blocking hurts nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
