//! The agency that is bound to the server.

use std::time::Duration;

use http::Method;
use url::Url;

use super::{BoxFuture, Context, ProvideCredentials, ProvideError, ProvideResult, Provided, temporary};
use crate::{
    error::{Error, ErrorBody, ErrorKind},
    secret::SecretString,
    transport::HttpAnswer,
};

/// Names another address, or `off`.
const VARIABLE: &str = "CSMS_METADATA_ENDPOINT";
/// The address that every server reaches its own metadata at.
const ADDRESS: &str = "http://169.254.169.254";
const TIMEOUT: Duration = Duration::from_secs(3);
/// Life of a metadata token in seconds: six hours, the most there is. One serves one renewal.
const TOKEN_LIFE: &str = "21600";
/// How the metadata says that no agency is bound.
const NO_AGENCY: &[u8] = b"Please configure Cloud Service Agency first";

/// The agency that is bound to this server (ECS), asked of the server's metadata.
///
/// Gets a metadata token first (version 2) and goes on without one where the server does not know them (version 1).
/// No proxy is used. The project is that of `HUAWEICLOUD_SDK_PROJECT_ID`, if set. The environment variable
/// `CSMS_METADATA_ENDPOINT` names another address (an emulator's, say), or is `off` where nobody should be asked.
///
/// *Not configured* when it is switched off, when there is no metadata (nothing connects within a second, or it knows no keys, as on other
/// clouds) and when no agency is bound; *broken* when the metadata fails otherwise.
#[derive(Clone, Debug, Default)]
pub struct ServerMetadata {
    address: Option<String>,
}

impl ServerMetadata {
    /// Metadata at this address, whatever the environment says.
    pub fn at(address: impl Into<String>) -> Self {
        Self { address: Some(address.into()) }
    }

    fn url(&self, path: &str, context: &Context<'_>) -> Result<Url, ProvideError> {
        let address =
            self.address.clone().or_else(|| context.env().get(VARIABLE)).unwrap_or_else(|| ADDRESS.to_owned());
        if address == "off" {
            return Err(not_configured("switched off"));
        }
        Url::parse(&format!("{}{path}", address.trim_end_matches('/')))
            .map_err(|_| ProvideError::broken("the address of the server's metadata is no URL"))
    }

    async fn token(&self, context: &Context<'_>) -> Result<HttpAnswer, ProvideError> {
        let url = self.url("/meta-data/latest/api/token", context)?;
        let life = SecretString::from(TOKEN_LIFE);
        let headers = [("x-metadata-token-ttl-seconds", &life)];
        context.exchange_locally(Method::PUT, url, &headers, None, TIMEOUT).await.map_err(|error| match error.kind() {
            ErrorKind::Connection | ErrorKind::Timeout => not_configured(error.message()),
            _ => error.into(),
        })
    }

    async fn keys(&self, token: Option<&SecretString>, context: &Context<'_>) -> Result<HttpAnswer, ProvideError> {
        let url = self.url("/openstack/latest/securitykey", context)?;
        let header = token.map(|token| ("x-metadata-token", token));
        Ok(context.exchange_locally(Method::GET, url, header.as_slice(), None, TIMEOUT).await?)
    }
}

impl ProvideCredentials for ServerMetadata {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let answer = self.token(context).await?;
            let token = match answer.status {
                404 | 405 | 503 => None,
                _ => Some(read_token(&answer)?),
            };
            let mut answer = self.keys(token.as_ref(), context).await?;
            if answer.status == 401 && !has_no_agency(&answer) {
                // The token has ended or is demanded after all; now there has to be one.
                let token = read_token(&self.token(context).await?)?;
                answer = self.keys(Some(&token), context).await?;
            }
            match answer.status {
                200..300 => {}
                401 if has_no_agency(&answer) => return Err(not_configured("no agency is bound to this server")),
                404 => return Err(not_configured("it knows no keys")),
                _ => return Err(refusal("the server's metadata", &answer).into()),
            }
            let keys = temporary::read(answer.body.expose_secret(), context.now())?;
            Ok(Provided::new(keys, "agency of the server (metadata)")
                .with_project_id(context.env().get("HUAWEICLOUD_SDK_PROJECT_ID")))
        })
    }
}

fn not_configured(reason: &str) -> ProvideError {
    ProvideError::NotConfigured(format!("server metadata: {reason}"))
}

fn has_no_agency(answer: &HttpAnswer) -> bool {
    answer.body.expose_secret().windows(NO_AGENCY.len()).any(|window| window == NO_AGENCY)
}

fn read_token(answer: &HttpAnswer) -> Result<SecretString, Error> {
    if answer.status != 200 {
        return Err(refusal("the server's metadata", answer));
    }
    match std::str::from_utf8(answer.body.expose_secret()).map(str::trim) {
        Ok(token) if !token.is_empty() => Ok(token.into()),
        _ => Err(Error::new(ErrorKind::Credentials, "the server's metadata answered no token")),
    }
}

/// The error of an address on this machine that did not give out keys.
pub(super) fn refusal(who: &str, answer: &HttpAnswer) -> Error {
    let body = ErrorBody::parse(answer.body.expose_secret());
    let error =
        Error::new(ErrorKind::Credentials, format!("{who} refused: {}", body.message)).with_status(answer.status);
    if answer.status >= 500 { error.retryable() } else { error }
}
