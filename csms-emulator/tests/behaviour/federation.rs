//! Id tokens of identity providers, and what they buy.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use csms_emulator::Emulator;
use csms_sdk::{
    Client,
    credentials::{Credentials, Federated, Oidc},
    csms, iam,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs8::EncodePublicKey as _};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::callers::{client, env, with};

fn seed(rs256_public_key: &str) -> Json {
    json!({
        "accounts": [{
            "name": "acme",
            "users": [{"name": "alice", "access_keys": [{"access": "AKALICE", "secret": "SKALICE"}]}],
            "oidc_providers": [
                {"name": "ci", "issuer": "https://ci.example.com", "audiences": ["csms"], "hs256_secret": "shared"},
                {"name": "k8s", "rs256_public_key": rs256_public_key},
                {"name": "lax", "accept_any": true},
            ],
            "agencies": [{"name": "deploy", "trusted_providers": ["ci", "k8s"]}],
        }],
    })
}

async fn start() -> Emulator {
    start_with(&RSA.to_public_key().to_public_key_pem(Default::default()).unwrap()).await
}

async fn start_with(pem: &str) -> Emulator {
    Emulator::builder().seed(seed(pem)).start().await.unwrap()
}

/// Making one takes long.
static RSA: std::sync::LazyLock<RsaPrivateKey> = std::sync::LazyLock::new(|| {
    RsaPrivateKey::new(&mut getrandom::rand_core::UnwrapErr(getrandom::SysRng), 2048).unwrap()
});

fn claims() -> Json {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    json!({"iss": "https://ci.example.com", "aud": "csms", "sub": "build-7", "exp": now + 600})
}

fn unsigned(alg: &str, claims: &Json) -> String {
    let encode = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}", encode(&json!({"alg": alg, "typ": "JWT"})), encode(claims))
}

fn hs256(secret: &str) -> String {
    let text = unsigned("HS256", &claims());
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&text);
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn rs256() -> String {
    let text = unsigned("RS256", &claims());
    let signature = RSA.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&text)).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn nobody(emulator: &Emulator) -> Client {
    with(emulator, Credentials::keys("NONE", "none"))
}

fn exchange(provider: &str, token: &str) -> iam::CreateTokenWithIdToken {
    let id_token = iam::GetIdTokenIdTokenBody::new(token);
    let project = iam::GetIdTokenScopeDomainOrProjectBody::new().name("cn-north-4");
    let scope = iam::GetIdTokenIdScopeBody::new().project(project);
    iam::CreateTokenWithIdToken::new(provider, iam::GetIdTokenAuthParams::new(id_token).scope(scope))
}

#[tokio::test]
async fn id_tokens_buy_tokens_for_a_project() {
    let emulator = start().await;
    for (provider, token, name) in
        [("ci", hs256("shared"), "build-7"), ("k8s", rs256(), "build-7"), ("lax", "anything".to_owned(), "anybody")]
    {
        let answer = exchange(provider, &token).send(&nobody(&emulator)).await.unwrap().into_body();
        let about = answer.token.unwrap();
        assert_eq!(about.methods, [iam::AuthMethod::Mapped]);
        let user = about.user.unwrap();
        assert_eq!(user.name.as_deref(), Some(name));
        assert_eq!(user.os_federation.unwrap().identity_provider.unwrap().id.as_deref(), Some(provider));
        assert!(about.catalog.iter().all(|endpoint| endpoint.url.is_some()) && about.catalog.len() == 2);
        let holder = with(&emulator, Credentials::token(answer.subject_token.unwrap()));
        csms::ListSecrets::new().send(&holder).await.unwrap();
    }
}

#[tokio::test]
async fn bad_id_tokens_buy_nothing() {
    let emulator = start().await;
    for (provider, token, status, reason) in [
        ("ci", hs256("other"), 401, "its signature is wrong"),
        ("k8s", hs256("shared"), 401, "it is signed by another algorithm"),
        ("ci", "nonsense".to_owned(), 401, "it is not a JWT"),
        ("none", hs256("shared"), 404, "Could not find identity provider: none."),
    ] {
        let error = exchange(provider, &token).send(&nobody(&emulator)).await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert!(error.message().contains(reason), "{error}");
        assert!(!error.to_string().contains(&token), "a token is never repeated");
    }
}

#[tokio::test]
async fn a_token_without_scope_is_good_for_no_project() {
    let emulator = start().await;
    let bearer = format!("Bearer {}", hs256("shared"));
    let request = |protocol: &str| iam::CreateUnscopedTokenWithIdToken::new("ci", protocol, bearer.clone());
    let answer = request("oidc").send(&nobody(&emulator)).await.unwrap().into_body();
    let about = answer.token.unwrap();
    assert!(about.roles.is_empty() && about.expires_at.is_some());
    let holder = with(&emulator, Credentials::token(answer.subject_token.unwrap()));
    assert_eq!(csms::ListSecrets::new().send(&holder).await.unwrap_err().status(), Some(403));
    iam::KeystoneListAuthProjects::new().send(&holder).await.unwrap();
    assert_eq!(request("saml").send(&nobody(&emulator)).await.unwrap_err().status(), Some(404));
    let request = iam::CreateUnscopedTokenWithIdToken::new("ci", "oidc", "Bearer x");
    assert_eq!(request.send(&nobody(&emulator)).await.unwrap_err().status(), Some(401));
}

#[tokio::test]
async fn the_sdk_logs_in_with_an_id_token_in_a_file() {
    let emulator = start().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, hs256("shared")).unwrap();
    let file = file.to_str().unwrap();

    let federated = client(&emulator).credentials(Federated::new("ci", file)).build().unwrap();
    csms::CreateSecret::new("demo").secret_string("value").send(&federated).await.unwrap();
    csms::ListSecrets::new().send(&federated.for_region("cn-east-3").unwrap()).await.unwrap();

    let alice = with(&emulator, Credentials::keys("AKALICE", "SKALICE"));
    let acme = iam::GetCallerIdentity::new().send(&alice).await.unwrap().into_body().account_id.unwrap();
    let oidc = |provider: &str, agency: &str| {
        let variables = env(&[
            ("HUAWEICLOUD_OIDC_PROVIDER_URN", &format!("iam::{acme}:oidc-provider:{provider}")),
            ("HUAWEICLOUD_OIDC_AGENCY_URN", &format!("iam::{acme}:agency:{agency}")),
            ("HUAWEICLOUD_OIDC_TOKEN_FILE", file),
        ]);
        client(&emulator).env(variables).credentials(Oidc).build().unwrap()
    };
    csms::ShowSecret::new("demo").send(&oidc("ci", "deploy")).await.unwrap();
    for (provider, agency, status, code) in [
        ("k8s", "deploy", 400, "STS5.0016"),
        ("none", "deploy", 400, "STS5.0016"),
        ("lax", "deploy", 403, "PAP5.0025"),
        ("ci", "none", 403, "PAP5.0025"),
    ] {
        let error = csms::ShowSecret::new("demo").send(&oidc(provider, agency)).await.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(status), Some(code)), "{error}");
    }
}

#[tokio::test]
async fn sts_tells_of_whom_an_id_token_speaks() {
    let emulator = start().await;
    let alice = with(&emulator, Credentials::keys("AKALICE", "SKALICE"));
    let acme = iam::GetCallerIdentity::new().send(&alice).await.unwrap().into_body().account_id.unwrap();
    let urn = |kind: &str, name: &str| format!("iam::{acme}:{kind}:{name}");
    let request =
        iam::AssumeAgencyWithOIDC::new(urn("oidc-provider", "ci"), urn("agency", "deploy"), "run-7", hs256("shared"));
    let answer = request.send(&nobody(&emulator)).await.unwrap().into_body();
    assert_eq!(answer.subject_from_id_token.as_deref(), Some("build-7"));
    assert_eq!(answer.audience.as_deref(), Some("csms"));
    assert_eq!(answer.provider.as_deref(), Some("https://ci.example.com"));
    assert!(answer.assumed_agency.unwrap().id.unwrap().ends_with(":run-7"));
}
