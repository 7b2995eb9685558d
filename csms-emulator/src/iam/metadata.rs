//! What a server finds in its metadata, and what a pod gets for its identity: temporary keys of an agency.
//!
//! | request | answer |
//! | --- | --- |
//! | `PUT /meta-data/latest/api/token` with `X-Metadata-Token-Ttl-Seconds`, 1 to 21600 | a token as text, for the next |
//! | `GET /openstack/latest/securitykey` with or without `X-Metadata-Token` | `{"credential": …}` |
//! | `POST /pod-identity/credentials` with `Authorization: <token>` | `{"credentials": …, "assumedAgency": …, …}` |
//!
//! The first two stand where servers have them: the endpoint of the emulator takes the place of
//! `http://169.254.169.254`. The address of the third is for `HC_CONTAINER_CREDENTIALS_FULL_URI`.
//!
//! # Limits
//! Nothing else that servers find in their metadata is here.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use csms_sdk::SecretString;
use http::{Method, header};
use serde_json::{Value as Json, json};

use super::{
    directory::{Directory, HANDED_OUT_LIFE, token_id},
    session::{Issued, Principal, issue_keys},
};
use crate::{
    auth::same,
    clock::Millis,
    crypto::random,
    id,
    server::{Incoming, Outgoing},
    shared::Shared,
    world::World,
};

/// Where pods ask. Chosen here: in the cloud the address is whatever CCE sets.
pub(crate) const POD_PATH: &str = "/pod-identity/credentials";

/// The longest life of a metadata token, in seconds.
const LONGEST_TOKEN: i64 = 21_600;

/// An agency: the id of its account, and its name.
pub(crate) type AgencyName = (String, String);

/// A server's metadata.
pub(crate) struct ServerMetadata {
    pub(crate) agency: AgencyName,
    /// Life of the keys, in seconds.
    pub(crate) duration: i64,
    pub(crate) tokens: Tokens,
}

/// Whether a server's metadata knows tokens (IMDSv2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// It does, and answers without as well.
    Optional,
    /// It answers nothing without one.
    Required,
    /// It does not.
    Unknown,
}

/// A pod's identity.
pub(crate) struct PodIdentity {
    pub(crate) agency: AgencyName,
    /// Life of the keys, in seconds.
    pub(crate) duration: i64,
    /// What the pod has to show; any text where the seed does not tell.
    pub(crate) token: Option<SecretString>,
    pub(crate) namespace: String,
    pub(crate) service_account: String,
}

impl ServerMetadata {
    /// That of a server to which this agency is bound.
    pub(crate) fn of(agency: AgencyName) -> Self {
        Self { agency, duration: HANDED_OUT_LIFE, tokens: Tokens::Optional }
    }
}

impl PodIdentity {
    /// That of a pod with which this agency is associated.
    pub(crate) fn of(agency: AgencyName) -> Self {
        let (namespace, service_account) = ("default".to_owned(), "default".to_owned());
        Self { agency, duration: HANDED_OUT_LIFE, token: None, namespace, service_account }
    }
}

/// Answers a request of a server or a pod; `None` for every other.
pub(super) async fn answer(shared: &Shared, incoming: &Incoming, region: &str, path: &str) -> Option<Outgoing> {
    let answer = match (&incoming.method, path) {
        (&Method::PUT, "/meta-data/latest/api/token") => new_token(shared, incoming),
        (&Method::GET, "/openstack/latest/securitykey") => server_keys(shared, incoming, region),
        (&Method::POST, POD_PATH) => pod_keys(shared, incoming, region),
        _ => return None,
    };
    Some(match shared.journal.written().await {
        Ok(()) => answer,
        Err(fault) => Outgoing::refusal(&fault, None, &incoming.request_id),
    })
}

fn new_token(shared: &Shared, incoming: &Incoming) -> Outgoing {
    let tokens = shared.read(|world| world.directory.server.as_ref().map(|server| server.tokens));
    if tokens == Some(Tokens::Unknown) {
        return text(404, "404 Not Found");
    }
    let life = incoming.header("x-metadata-token-ttl-seconds").and_then(|life| life.trim().parse().ok());
    let Some(life) = life.filter(|life| (1..=LONGEST_TOKEN).contains(life)) else {
        return text(400, "X-Metadata-Token-Ttl-Seconds has to be from 1 to 21600");
    };
    let token = URL_SAFE_NO_PAD.encode(&*random::bytes(42));
    let now = shared.clock.now();
    shared.write(|world| {
        let tokens = &mut world.directory.metadata_tokens;
        tokens.retain(|_, expires| *expires > now);
        tokens.insert(token_id(&token), now + life * 1000);
    });
    text(200, &token)
}

fn server_keys(shared: &Shared, incoming: &Incoming, region: &str) -> Outgoing {
    let now = shared.clock.now();
    let shown = incoming.header("x-metadata-token");
    shared.write(|world| {
        let Some(server) = &world.directory.server else {
            return text(401, "Please configure Cloud Service Agency first");
        };
        let is_good = |token: &String| {
            world.directory.metadata_tokens.get(&token_id(token)).is_some_and(|expires| *expires > now)
        };
        match (server.tokens, &shown) {
            (Tokens::Required, None) => return text(401, "A metadata token is needed"),
            (Tokens::Optional | Tokens::Required, Some(token)) if !is_good(token) => {
                return text(401, "The metadata token is not valid");
            }
            _ => {}
        }
        let (agency, duration) = (server.agency.clone(), server.duration);
        let (_, issued) = hand_out(world, &agency, "ecs", duration, (region, now));
        Outgoing::json(200, &json!({"credential": issued.shown()}))
    })
}

fn pod_keys(shared: &Shared, incoming: &Incoming, region: &str) -> Outgoing {
    let now = shared.clock.now();
    let shown = incoming.header("authorization").unwrap_or_default();
    shared.write(|world| {
        let Some(pod) = &world.directory.pod else {
            return refusal(404, "No agency is associated with the pod's service account");
        };
        let is_good = match &pod.token {
            Some(token) => same(&shown, token.expose_secret()),
            None => !shown.is_empty(),
        };
        if !is_good {
            return refusal(401, "The token in Authorization is not valid");
        }
        let subject = json!({"namespace": pod.namespace, "serviceAccount": pod.service_account});
        let session = format!("{}-{}", pod.namespace, pod.service_account);
        let (agency, duration) = (pod.agency.clone(), pod.duration);
        let (principal, issued) = hand_out(world, &agency, &session, duration, (region, now));
        Outgoing::json(
            200,
            &json!({
                "assumedAgency": {"urn": principal.urn(), "id": principal.session_id()},
                "audience": "pod-identity",
                "credentials": {
                    "accessKeyId": issued.access_key,
                    "secretAccessKey": issued.keys.secret_key.expose(),
                    "securityToken": issued.keys.security_token.expose(),
                    "expiration": issued.expires,
                },
                "podIdentityAssociationId": id::uuid(),
                "subject": subject,
            }),
        )
    })
}

/// Has the cloud itself assume an agency.
fn hand_out(
    world: &mut World,
    agency: &AgencyName,
    session: &str,
    seconds: i64,
    call: (&str, Millis),
) -> (Principal, Issued) {
    let principal = named(&world.directory, agency, session);
    let issued = issue_keys(world, principal.clone(), None, seconds, call);
    (principal, issued)
}

fn named(directory: &Directory, (account_id, name): &AgencyName, session: &str) -> Principal {
    let account = directory.account(Some(account_id), None);
    let found = account.and_then(|account| Some((account, account.agency(name)?)));
    match found {
        Some((account, agency)) => Principal::agency(account, agency, session, None),
        // The seed has been checked for it.
        None => directory.principal(&directory.anybody()),
    }
}

fn text(status: u16, text: &str) -> Outgoing {
    let mut answer = Outgoing::empty(status);
    answer.headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain"));
    answer.body = text.to_owned().into();
    answer
}

fn refusal(status: u16, message: &str) -> Outgoing {
    let body: Json = json!({"error_code": status.to_string(), "error_msg": message});
    Outgoing::json(status, &body)
}
