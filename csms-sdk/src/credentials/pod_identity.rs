//! The identity that CCE gives to a pod.

use std::time::Duration;

use http::Method;
use url::Url;

use super::{
    BoxFuture, Context, ProvideCredentials, ProvideError, ProvideResult, Provided, metadata::refusal, temporary,
};

const URI: &str = "HC_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN_FILE: &str = "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const TIMEOUT: Duration = Duration::from_secs(5);

/// The agency that is associated with the pod's service account (CCE pod identity).
///
/// Asks the address in `HC_CONTAINER_CREDENTIALS_FULL_URI`, authorised by the content of the file
/// `HC_CONTAINER_AUTHORIZATION_TOKEN_FILE`; CCE sets both. No proxy is used. The project is that of
/// `HUAWEICLOUD_SDK_PROJECT_ID`, if set.
///
/// *Not configured* when neither variable is set; *broken* when only one is, when the file is missing or empty, and when
/// the address does not answer or refuses. The file, which Kubernetes rotates, is read again for each renewal.
#[derive(Clone, Copy, Debug, Default)]
pub struct PodIdentity;

impl ProvideCredentials for PodIdentity {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let env = context.env();
            let (uri, file) = match (env.get(URI), env.get(TOKEN_FILE)) {
                (Some(uri), Some(file)) => (uri, file),
                (None, None) => return Err(ProvideError::NotConfigured(format!("pod identity: no {URI}"))),
                (Some(_), None) => return Err(ProvideError::broken(format!("{URI} is set without {TOKEN_FILE}"))),
                (None, Some(_)) => return Err(ProvideError::broken(format!("{TOKEN_FILE} is set without {URI}"))),
            };
            let url = Url::parse(&uri).map_err(|_| ProvideError::broken(format!("{URI} is no URL")))?;
            let token = context.read_token_file(&file).await?;
            let headers = [("authorization", &token)];
            let answer = context.exchange_locally(Method::POST, url, &headers, Some("{}"), TIMEOUT).await?;
            if !(200..300).contains(&answer.status) {
                return Err(refusal("the pod's identity address", &answer).into());
            }
            let keys = temporary::read(answer.body.expose_secret(), context.now())?;
            Ok(Provided::new(keys, format!("pod identity ({URI})"))
                .with_project_id(env.get("HUAWEICLOUD_SDK_PROJECT_ID")))
        })
    }
}
