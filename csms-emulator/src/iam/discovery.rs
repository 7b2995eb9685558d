//! The versions of IAM, which clients of OpenStack ask for first.

use http::Method;
use serde_json::{Value as Json, json};

use crate::server::{Incoming, Outgoing};

/// Answers `GET /v3`, and `GET /` at a host named after IAM; `None` for every other request.
///
/// KMS tells its own versions at the same addresses. Whoever looks for IAM has no credentials yet.
pub(super) fn answer(incoming: &Incoming, base: &str, path: &str) -> Option<Outgoing> {
    let shows_credentials =
        incoming.headers.contains_key("authorization") || incoming.headers.contains_key("x-auth-token");
    if incoming.method != Method::GET || shows_credentials {
        return None;
    }
    match path {
        // A choice of one is still a choice: 300.
        "/" if incoming.header("host").is_some_and(|host| host.starts_with("iam.")) => {
            Some(Outgoing::json(300, &json!({"versions": {"values": [version(base)]}})))
        }
        "/v3" | "/v3/" => Some(Outgoing::json(200, &json!({"version": version(base)}))),
        _ => None,
    }
}

fn version(base: &str) -> Json {
    json!({
        "id": "v3.6",
        "status": "stable",
        "updated": "2016-04-04T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{base}/v3/")}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    })
}
