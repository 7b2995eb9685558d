//! OpenID Connect by STS.

use super::{As, BoxFuture, Context, ProvideCredentials, ProvideError, ProvideResult, Provided, temporary};
use crate::iam::AssumeAgencyWithOIDC;

const PROVIDER_URN: &str = "HUAWEICLOUD_OIDC_PROVIDER_URN";
const AGENCY_URN: &str = "HUAWEICLOUD_OIDC_AGENCY_URN";
const ID_TOKEN: &str = "HUAWEICLOUD_OIDC_ID_TOKEN";
const TOKEN_FILE: &str = "HUAWEICLOUD_OIDC_TOKEN_FILE";
const SESSION_NAME: &str = "HUAWEICLOUD_OIDC_SESSION_NAME";
const DURATION: &str = "HUAWEICLOUD_OIDC_DURATION_SECONDS";
const POLICY: &str = "HUAWEICLOUD_OIDC_POLICY";
const POLICY_IDS: &str = "HUAWEICLOUD_OIDC_POLICY_IDS";

/// An id token and an agency that trusts its issuer, as `HUAWEICLOUD_OIDC_*` variables name them, exchanged for
/// temporary keys at the client's STS endpoint ([`AssumeAgencyWithOIDC`]).
///
/// Reads `…_PROVIDER_URN`, `…_AGENCY_URN`, then `…_ID_TOKEN` or else the file `…_TOKEN_FILE`, and optionally
/// `…_SESSION_NAME` (default `oidc-sts-session`), `…_DURATION_SECONDS` (900 to 43200, default 3600), `…_POLICY` and
/// `…_POLICY_IDS` (separated by commas). The project is that of `HUAWEICLOUD_SDK_PROJECT_ID`, if set.
///
/// *Not configured* when neither URN nor token is set; *broken* when some of them are, when the file is missing or
/// empty, and when STS refuses. The file is read again for each renewal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Oidc;

impl ProvideCredentials for Oidc {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let env = context.env();
            let token = env.first(&[ID_TOKEN, TOKEN_FILE]);
            let (provider, agency, (variable, token)) = match (env.get(PROVIDER_URN), env.get(AGENCY_URN), token) {
                (Some(provider), Some(agency), Some(token)) => (provider, agency, token),
                (None, None, None) => return Err(ProvideError::NotConfigured(format!("OIDC: no {PROVIDER_URN}"))),
                (None, _, _) => return Err(missing(PROVIDER_URN)),
                (_, None, _) => return Err(missing(AGENCY_URN)),
                (_, _, None) => return Err(missing("HUAWEICLOUD_OIDC_TOKEN_FILE or HUAWEICLOUD_OIDC_ID_TOKEN")),
            };
            let token = match variable {
                ID_TOKEN => token.into(),
                _ => context.read_token_file(&token).await?,
            };
            let session = env.get(SESSION_NAME).unwrap_or_else(|| "oidc-sts-session".to_owned());
            let mut request = AssumeAgencyWithOIDC::new(provider, agency, session, token);
            if let Some(seconds) = env.get(DURATION) {
                let Ok(seconds) = seconds.parse() else {
                    return Err(ProvideError::broken(format!("{DURATION} is no number of seconds")));
                };
                request.duration_seconds = Some(seconds);
            }
            request.policy = env.get(POLICY);
            request.policy_ids = env
                .get(POLICY_IDS)
                .map(|ids| ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect());
            let answer = context.call(&request, As::Nobody).await?.into_body();
            let keys = temporary::keys(answer.credentials, context.now())?;
            Ok(Provided::new(keys, format!("OIDC ({PROVIDER_URN})"))
                .with_project_id(env.get("HUAWEICLOUD_SDK_PROJECT_ID")))
        })
    }
}

fn missing(variables: &str) -> ProvideError {
    ProvideError::broken(format!("OIDC is set up in part: no {variables}"))
}
