//! The request that would be sent, fit to be shown.

use csms_sdk::{OperationInfo, SecretJson, model::Kind};
use serde_json::{Map, Value as Json, json};

use crate::{
    connection::runtime,
    error::Failure,
    mask::mask,
    settings::{Settings, UNKNOWN_PROJECT, call_options},
};

/// Stands for credentials.
const HIDDEN: &str = "***";

/// Writes the request as it would be sent, then once more with stand-ins instead of secrets: what is shown has never
/// held one.
pub(crate) fn request(
    info: &'static OperationInfo,
    request: &SecretJson,
    settings: &Settings,
    validate: bool,
) -> Result<Json, Failure> {
    let client = settings.dry_client()?.with_options(call_options(validate));
    let masked = mask(&Kind::Object(info.request), request.expose_secret());
    let prepared = runtime()?.block_on(async {
        client.prepare_json(info, super::members(request)).await?;
        client.prepare_json(info, super::members(&masked.into())).await
    })?;

    let headers: Map<_, _> = prepared
        .headers()
        .iter()
        .map(|(name, value)| {
            let is_credential = matches!(name.as_str(), "authorization" | "x-auth-token" | "x-security-token");
            let text = if is_credential { HIDDEN } else { value.to_str().unwrap_or(HIDDEN) };
            (name.to_string(), known(text).into())
        })
        .collect();
    let body = serde_json::from_slice(prepared.body().expose_secret()).unwrap_or(Json::Null);
    let url = known(&prepared.uri().to_string());
    Ok(json!({"method": prepared.method().as_str(), "url": url, "headers": headers, "body": body}))
}

/// The text with a project id that is not known written as in the reference.
fn known(text: &str) -> String {
    text.replace(UNKNOWN_PROJECT, "{project_id}")
}
