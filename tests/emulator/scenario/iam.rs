//! The operations of IAM and STS.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use csms_emulator::Emulator;
use csms_sdk::Service::{Iam, Sts};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value as Json, json};
use sha1::Sha1;
use sha2::Sha256;

use super::text;
use crate::calls::Calls;

const ACCOUNT: &str = "d78cbac186b744899480f25bd022f468";
/// The user that the client is.
pub(super) const ALICE: &str = "7116d09f88fa41908676fdd4b039e95b";
const BOB: &str = "0f9aa5b2c4d14a30a8d8a1b2c3d4e5f6";
pub(super) const PASSWORD: &str = "correct-horse";
const ACCESS_KEY: &str = "ACMEACCESSKEY0000001";
/// `12345678901234567890` in Base32.
const TOTP_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const TOTP_BYTES: &[u8] = b"12345678901234567890";
const PROVIDER_SECRET: &str = "shared-secret";

pub(super) fn seed() -> Json {
    json!({"accounts": [{
        "id": ACCOUNT,
        "name": "acme",
        "users": [
            {
                "id": ALICE, "name": "alice", "password": PASSWORD,
                "access_keys": [{"access": ACCESS_KEY, "secret": "acmeSecretKey"}],
            },
            {"id": BOB, "name": "bob", "password": "battery-staple", "totp_secret": TOTP_SECRET},
        ],
        "agencies": [{"name": "ops", "trusted_users": ["acme/alice"], "trusted_providers": ["ci"]}],
        "oidc_providers": [{"name": "ci", "hs256_secret": PROVIDER_SECRET}],
    }]})
}

pub(super) async fn every_operation(emulator: &Emulator, calls: &mut Calls) {
    let region = &emulator.regions()[0];
    let project = json!({"project": {"name": region}});
    let domain = json!({"domain": {"id": ACCOUNT}});
    let issued = calls.call(Iam, "KeystoneCreateUserTokenByPassword", by_password("alice", &project)).await;
    let token = text(&issued, "/X-Subject-Token");
    let issued = calls.call(Iam, "KeystoneCreateUserTokenByPassword", by_password("alice", &domain)).await;
    let of_account = text(&issued, "/X-Subject-Token");
    second_factor(calls, &project).await;
    agencies(calls, &project, &domain).await;

    for token in [&token, &of_account] {
        calls.call(Iam, "KeystoneValidateToken", json!({"X-Subject-Token": token})).await;
    }
    let by_token = json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token}}}});
    calls.call(Iam, "CreateTemporaryAccessKeyByToken", by_token).await;
    calls.call(Iam, "KeystoneListProjects", json!({"name": region})).await;
    calls.call(Iam, "KeystoneListProjects", json!({"page": 2, "per_page": 1})).await;
    calls.call(Iam, "KeystoneListAuthProjects", json!({})).await;
    calls.call(Iam, "KeystoneListAuthDomains", json!({})).await;
    calls.call(Iam, "KeystoneListRegions", json!({})).await;
    federation(calls, &project, &domain).await;
    calls.call(Sts, "GetCallerIdentity", json!({})).await;
}

fn by_password(user: &str, scope: &Json) -> Json {
    json!({"auth": {"identity": {"methods": ["password"], "password": password(user, PASSWORD)}, "scope": scope}})
}

fn password(user: &str, password: &str) -> Json {
    json!({"user": {"name": user, "password": password, "domain": {"name": "acme"}}})
}

async fn second_factor(calls: &mut Calls, project: &Json) {
    let identity = json!({
        "methods": ["password", "totp"],
        "password": password("bob", "battery-staple"),
        "totp": {"user": {"id": BOB, "passcode": totp()}},
    });
    let request = json!({"auth": {"identity": identity, "scope": project}});
    calls.call(Iam, "KeystoneCreateUserTokenByPasswordAndMfa", request).await;
}

async fn agencies(calls: &mut Calls, project: &Json, domain: &Json) {
    let role = json!({"methods": ["assume_role"], "assume_role": {"agency_name": "ops", "domain_name": "acme"}});
    for scope in [project, domain] {
        let request = json!({"auth": {"identity": role, "scope": scope}});
        calls.call(Iam, "KeystoneCreateAgencyToken", request).await;
    }
    calls.call(Iam, "CreateTemporaryAccessKeyByAgency", json!({"auth": {"identity": role}})).await;
    let assumed = json!({"agency_urn": format!("iam::{ACCOUNT}:agency:ops"), "agency_session_name": "session", "source_identity": "alice"});
    calls.call(Sts, "AssumeAgency", assumed).await;
    let with_oidc = json!({
        "provider_urn": format!("iam::{ACCOUNT}:oidc-provider:ci"), "agency_urn": format!("iam::{ACCOUNT}:agency:ops"),
        "agency_session_name": "session", "id_token": id_token(),
    });
    calls.call(Sts, "AssumeAgencyWithOIDC", with_oidc).await;
}

async fn federation(calls: &mut Calls, project: &Json, domain: &Json) {
    for scope in [project, domain] {
        let request = json!({"X-Idp-Id": "ci", "auth": {"id_token": {"id": id_token()}, "scope": scope}});
        calls.call(Iam, "CreateTokenWithIdToken", request).await;
    }
    let request = json!({"idp_id": "ci", "protocol_id": "oidc", "Authorization": format!("Bearer {}", id_token())});
    calls.call(Iam, "CreateUnscopedTokenWithIdToken", request).await;
}

/// An id token of the provider.
fn id_token() -> String {
    let part = |json: Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({"iss": "https://ci.example.com", "sub": "job", "aud": "csms", "exp": 4_102_444_800_u64});
    let signed = format!("{}.{}", part(json!({"alg": "HS256", "typ": "JWT"})), part(claims));
    let mac = <Hmac<Sha256>>::new_from_slice(PROVIDER_SECRET.as_bytes()).unwrap().chain_update(&signed);
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// The code of this half minute.
fn totp() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mac = <Hmac<Sha1>>::new_from_slice(TOTP_BYTES).unwrap().chain_update((now.as_secs() / 30).to_be_bytes());
    let mac = mac.finalize().into_bytes();
    let at = usize::from(mac[19] & 0xf);
    let number = u32::from_be_bytes(mac[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
