//! What servers and pods find: keys of an agency.

use csms_emulator::Emulator;
use csms_sdk::{
    Client, ErrorKind,
    credentials::{PodIdentity, ServerMetadata},
    csms, iam,
};
use serde_json::{Value as Json, json};

use crate::callers::{client, env, http, json};

const TOKEN_PATH: &str = "/meta-data/latest/api/token";
const KEYS_PATH: &str = "/openstack/latest/securitykey";

fn seed(more: &Json) -> Json {
    let mut seed = json!({
        "accounts": [{
            "name": "acme",
            "users": [{"name": "alice", "access_keys": [{"access": "AKALICE", "secret": "SKALICE"}]}],
            "agencies": [{"name": "server"}],
        }],
    });
    seed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    seed
}

async fn start(more: Json) -> Emulator {
    Emulator::builder().seed(seed(&more)).start().await.unwrap()
}

async fn principal(client: &Client) -> String {
    iam::GetCallerIdentity::new().send(client).await.unwrap().into_body().principal_urn.unwrap()
}

fn on_server(emulator: &Emulator) -> Client {
    client(emulator).credentials(ServerMetadata::at(emulator.endpoint())).build().unwrap()
}

#[tokio::test]
async fn the_sdk_finds_a_servers_keys_whether_or_not_metadata_knows_tokens() {
    for tokens in ["optional", "required", "unknown"] {
        let emulator = start(json!({"server_metadata": {"agency": "acme/server", "tokens": tokens}})).await;
        let client = on_server(&emulator);
        csms::ListSecrets::new().send(&client).await.unwrap();
        assert!(principal(&client).await.ends_with(":assumed-agency:server/ecs"), "{tokens}");
    }
}

#[tokio::test]
async fn metadata_tokens_are_what_the_seed_says() {
    let get =
        async |emulator: &Emulator, headers: &[(&str, &str)]| http(emulator, "GET", KEYS_PATH, headers, "").await.0;
    for (tokens, without, with_wrong) in [("optional", 200, 401), ("required", 401, 401), ("unknown", 200, 200)] {
        let emulator = start(json!({"server_metadata": {"agency": "acme/server", "tokens": tokens}})).await;
        assert_eq!(get(&emulator, &[]).await, without, "{tokens}");
        assert_eq!(get(&emulator, &[("x-metadata-token", "wrong")]).await, with_wrong, "{tokens}");
        let life = [("x-metadata-token-ttl-seconds", "60")];
        let (status, token) = http(&emulator, "PUT", TOKEN_PATH, &life, "").await;
        assert_eq!(status, if tokens == "unknown" { 404 } else { 200 });
        assert_eq!(get(&emulator, &[("x-metadata-token", &token)]).await, 200);
        emulator.advance(std::time::Duration::from_secs(60));
        assert_eq!(get(&emulator, &[("x-metadata-token", &token)]).await, with_wrong, "it has ended");
    }
    let emulator = start(json!({"server_metadata": {"agency": "acme/server"}})).await;
    for life in ["0", "21601", "x"] {
        let (status, _) = http(&emulator, "PUT", TOKEN_PATH, &[("x-metadata-token-ttl-seconds", life)], "").await;
        assert_eq!(status, 400, "{life}");
    }
}

#[tokio::test]
async fn a_server_without_agency_is_told_so() {
    let emulator = start(json!({})).await;
    let (status, body) = http(&emulator, "GET", KEYS_PATH, &[], "").await;
    assert_eq!((status, body.as_str()), (401, "Please configure Cloud Service Agency first"));
    let error = csms::ListSecrets::new().send(&on_server(&emulator)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.message().contains("no agency is bound"), "{error}");
    assert_eq!(json(&emulator, "POST", "/pod-identity/credentials", &[("authorization", "t")], "{}").await.0, 404);
}

#[tokio::test]
async fn keys_last_as_long_as_the_seed_says() {
    let emulator = start(json!({"server_metadata": {"agency": "acme/server", "duration_seconds": 900}})).await;
    let (_, first) = json(&emulator, "GET", KEYS_PATH, &[], "").await;
    let credential = &first["credential"];
    let keys = csms_sdk::credentials::AccessKeys::new(
        credential["access"].as_str().unwrap(),
        credential["secret"].as_str().unwrap(),
    );
    let keys = keys.with_security_token(credential["securitytoken"].as_str().unwrap());
    let client = crate::callers::with(&emulator, keys);
    csms::ListSecrets::new().send(&client).await.unwrap();
    emulator.advance(std::time::Duration::from_secs(900));
    assert_eq!(csms::ListSecrets::new().send(&client).await.unwrap_err().status(), Some(401));
    // The SDK gets new ones when these are refused.
    let client = on_server(&emulator);
    csms::ListSecrets::new().send(&client).await.unwrap();
    emulator.advance(std::time::Duration::from_secs(900));
    csms::ListSecrets::new().send(&client).await.unwrap();
}

#[tokio::test]
async fn the_sdk_finds_a_pods_keys() {
    let pod = json!({"agency": "acme/server", "token": "pod-token", "namespace": "shop", "service_account": "web"});
    let emulator = start(json!({"pod_identity": pod})).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    let in_pod = || {
        let variables = env(&[
            ("HC_CONTAINER_CREDENTIALS_FULL_URI", &emulator.pod_identity_uri()),
            ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.to_str().unwrap()),
        ]);
        client(&emulator).env(variables).credentials(PodIdentity).build().unwrap()
    };
    std::fs::write(&file, "pod-token\n").unwrap();
    csms::ListSecrets::new().send(&in_pod()).await.unwrap();
    assert!(principal(&in_pod()).await.ends_with(":assumed-agency:server/shop-web"));
    std::fs::write(&file, "other").unwrap();
    let error = csms::ListSecrets::new().send(&in_pod()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Credentials, Some(401)));
}

#[tokio::test]
async fn without_a_seed_servers_and_pods_get_keys_of_the_default_account() {
    let emulator = Emulator::start().await.unwrap();
    csms::CreateSecret::new("demo").secret_string("value").send(&on_server(&emulator)).await.unwrap();
    csms::ShowSecret::new("demo").send(&emulator.client()).await.unwrap();
    let (status, body) = json(&emulator, "POST", "/pod-identity/credentials", &[("authorization", "any")], "{}").await;
    assert_eq!((status, &body["subject"]["serviceAccount"]), (200, &"default".into()));
    assert!(body["credentials"]["securityToken"].is_string());
}
