//! Tokens and temporary keys: what buys them, where they are good, and when they end.

use std::time::Duration;

use csms_emulator::Emulator;
use csms_sdk::{
    Client, Error,
    credentials::{AccessKeys, Account, Agency, Credentials, Password, UserToken},
    csms,
    iam::{
        self, AgencyTokenAssumerole, AgencyTokenAuth, AgencyTokenIdentity, AgencyTokenScope, AgencyTokenScopeProject,
        AuthMethod, AuthScope, AuthScopeDomain, AuthScopeProject, IdentityToken, MfaAuth, MfaIdentity, MfaTotp,
        MfaTotpUser, PwdAuth, PwdIdentity, PwdPassword, PwdPasswordUser, PwdPasswordUserDomain, TokenAuth,
        TokenAuthIdentity,
    },
    kms,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value as Json, json};

use crate::callers::{client, keys, with};

/// `12345678901234567890` in Base32.
const TOTP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn seed() -> Json {
    json!({
        "accounts": [
            {
                "name": "acme",
                "users": [
                    {"name": "alice", "password": "alice's", "access_keys": [{"access": "AKALICE", "secret": "SKALICE"}]},
                    {"name": "mia", "password": "mia's", "totp_secret": TOTP},
                ],
                "agencies": [
                    {"name": "open", "trusted_accounts": ["partner"]},
                    {"name": "narrow", "trusted_users": ["partner/bob"], "external_id": "agreed", "longest_session_seconds": 1800},
                    {"name": "closed"},
                ],
                "projects": [{"region": "cn-north-4", "name": "cn-north-4_shop"}],
            },
            {
                "name": "partner",
                "users": [
                    {"name": "bob", "password": "bob's", "access_keys": [{"access": "AKBOB", "secret": "SKBOB"}]},
                    {"name": "eve", "access_keys": [{"access": "AKEVE", "secret": "SKEVE"}]},
                ],
            },
        ],
    })
}

async fn start() -> Emulator {
    Emulator::builder().seed(seed()).start().await.unwrap()
}

fn user(name: &str, password: &str) -> PwdPassword {
    PwdPassword::new(PwdPasswordUser::new(name, password, PwdPasswordUserDomain::new("acme")))
}

fn login(name: &str, password: &str, scope: AuthScope) -> iam::KeystoneCreateUserTokenByPassword {
    let identity = PwdIdentity::new([AuthMethod::Password], user(name, password));
    iam::KeystoneCreateUserTokenByPassword::new(PwdAuth::new(identity, scope))
}

fn region(name: &str) -> AuthScope {
    AuthScope::new().project(AuthScopeProject::new().name(name))
}

fn account(name: &str) -> AuthScope {
    AuthScope::new().domain(AuthScopeDomain::new().name(name))
}

fn with_keys(emulator: &Emulator, access_key: &str, secret_key: &str) -> Client {
    with(emulator, Credentials::keys(access_key, secret_key))
}

/// Status, code and message.
fn told(error: &Error) -> (u16, &str, &str) {
    (error.status().unwrap(), error.code().unwrap_or_default(), error.message())
}

#[tokio::test]
async fn a_password_buys_a_token_for_a_project_or_an_account() {
    let emulator = start().await;
    let nobody = with_keys(&emulator, "NONE", "none");
    let answer = login("alice", "alice's", region("cn-north-4")).send(&nobody).await.unwrap().into_body();
    let token = answer.token.unwrap();
    assert!(answer.subject_token.unwrap().expose_secret().len() > 1000);
    assert_eq!(token.project.unwrap().id, emulator.project_id("cn-north-4"));
    assert_eq!(token.user.unwrap().domain.unwrap().name.as_deref(), Some("acme"));
    assert_eq!((token.domain, token.methods), (None, vec![AuthMethod::Password]));
    let life = token.expires_at.unwrap().as_seconds() - token.issued_at.unwrap().as_seconds();
    assert_eq!(life, 24 * 3600);
    let kms = token.catalog.iter().find(|service| service.name.as_deref() == Some("kms")).unwrap();
    let url = format!("{}/cn-north-4/v1.0", emulator.endpoint());
    assert_eq!(kms.endpoints[0].url.as_deref(), Some(url.as_str()));

    let by_id = AuthScope::new().project(AuthScopeProject::new().id(emulator.project_id("cn-east-3").unwrap()));
    let answer = login("alice", "alice's", by_id).nocatalog("false").send(&nobody).await.unwrap().into_body();
    let token = answer.token.unwrap();
    assert_eq!((token.project.unwrap().name.as_deref(), token.catalog.len()), (Some("cn-east-3"), 0));
    let answer = login("alice", "alice's", account("acme")).send(&nobody).await.unwrap().into_body();
    assert_eq!(answer.token.unwrap().domain.unwrap().name.as_deref(), Some("acme"));
}

#[tokio::test]
async fn wrong_logins_are_refused_and_the_sixth_locks_the_user() {
    let emulator = start().await;
    let nobody = with_keys(&emulator, "NONE", "none");
    for (name, scope, expected) in [
        ("alice", region("nowhere"), (404, "404", "Could not find project: nowhere.")),
        ("alice", account("partner"), (404, "404", "Could not find domain: partner.")),
        ("mallory", region("cn-north-4"), (401, "401", "The username or password is wrong.")),
        ("mia", region("cn-north-4"), (401, "401", "The user has an MFA device: a TOTP passcode is needed.")),
    ] {
        let password = format!("{name}'s");
        let error = login(name, &password, scope).send(&nobody).await.unwrap_err();
        assert_eq!(told(&error), expected);
    }
    let both = AuthScope::new().project(AuthScopeProject::new().name("cn-north-4")).domain(AuthScopeDomain::new());
    assert_eq!(login("alice", "alice's", both).send(&nobody).await.unwrap_err().status(), Some(400));
    for _ in 0..6 {
        let error = login("alice", "wrong", region("cn-north-4")).send(&nobody).await.unwrap_err();
        assert_eq!(error.status(), Some(401));
    }
    let error = login("alice", "alice's", region("cn-north-4")).send(&nobody).await.unwrap_err();
    assert_eq!(told(&error), (403, "403", "The user is locked."));
}

#[tokio::test]
async fn a_user_with_a_device_needs_its_code() {
    let emulator = start().await;
    let nobody = with_keys(&emulator, "NONE", "none");
    let attempt = async |id: &str, code: &str| {
        let methods = [AuthMethod::Password, AuthMethod::Totp];
        let identity = MfaIdentity::new(methods, user("mia", "mia's"), MfaTotp::new(MfaTotpUser::new(id, code)));
        iam::KeystoneCreateUserTokenByPasswordAndMfa::new(MfaAuth::new(identity, region("cn-north-4")))
            .send(&nobody)
            .await
    };
    let id = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(
        ["user", &account_id(&emulator, "AKALICE", "SKALICE").await, "mia"].join("\n"),
    ));
    let (id, code) = (&id[..32], code());
    let token = attempt(id, &code).await.unwrap().into_body().token.unwrap();
    assert_eq!(token.methods, [AuthMethod::Password, AuthMethod::Totp]);
    for (id, code) in [(id, "000000x"), ("another", code.as_str())] {
        assert_eq!(told(&attempt(id, code).await.unwrap_err()), (401, "401", "The TOTP passcode is wrong."));
    }
}

/// What the device of [`TOTP`] shows now.
fn code() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mac = Hmac::<sha1::Sha1>::new_from_slice(b"12345678901234567890").unwrap();
    let hash = mac.chain_update((now / 30).to_be_bytes()).finalize().into_bytes();
    let at = usize::from(hash[19] & 0xf);
    let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

async fn account_id(emulator: &Emulator, access_key: &str, secret_key: &str) -> String {
    let client = with_keys(emulator, access_key, secret_key);
    iam::GetCallerIdentity::new().send(&client).await.unwrap().into_body().account_id.unwrap()
}

#[tokio::test]
async fn a_token_is_good_where_it_is_scoped_until_it_ends() {
    let emulator = start().await;
    let nobody = with_keys(&emulator, "NONE", "none");
    let token = login("alice", "alice's", region("cn-north-4")).send(&nobody).await.unwrap().into_body();
    let token = token.subject_token.unwrap();
    let holder = with(&emulator, UserToken::new(token.clone()));
    csms::CreateSecret::new("demo").secret_string("value").send(&holder).await.unwrap();
    let elsewhere = client(&emulator)
        .region("cn-east-3")
        .project_id(emulator.project_id("cn-east-3").unwrap())
        .credentials(Credentials::token(token.clone()))
        .build()
        .unwrap();
    let error = kms::ListKeys::new().send(&elsewhere).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(403), Some("APIGW.0302")));

    let validated = iam::KeystoneValidateToken::new(token.clone()).send(&holder).await.unwrap().into_body();
    assert_eq!(validated.subject_token.unwrap(), token);
    assert_eq!(validated.token.unwrap().user.unwrap().name.as_deref(), Some("alice"));
    let error = iam::KeystoneValidateToken::new("other").send(&holder).await.unwrap_err();
    assert_eq!(told(&error), (404, "404", "Could not find token."));

    emulator.advance(Duration::from_secs(24 * 3600 - 60));
    csms::ShowSecret::new("demo").send(&holder).await.unwrap();
    emulator.advance(Duration::from_secs(61));
    let error = csms::ShowSecret::new("demo").send(&holder).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(401), Some("APIGW.0307")));
    let alice = with_keys(&emulator, "AKALICE", "SKALICE");
    let error = iam::KeystoneValidateToken::new(token).send(&alice).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn an_accounts_token_is_good_for_iam_only() {
    let emulator = start().await;
    let nobody = with_keys(&emulator, "NONE", "none");
    let token = login("alice", "alice's", account("acme")).send(&nobody).await.unwrap().into_body();
    let holder = with(&emulator, UserToken::new(token.subject_token.unwrap()));
    let projects = iam::KeystoneListAuthProjects::new().send(&holder).await.unwrap().into_body().projects;
    assert_eq!(projects.len(), 4);
    let error = csms::ListSecrets::new().send(&holder).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(403), Some("APIGW.0302")));
}

#[tokio::test]
async fn projects_are_found_by_name_and_parent_and_come_in_pages() {
    let emulator = start().await;
    let alice = with_keys(&emulator, "AKALICE", "SKALICE");
    let list = async |request: iam::KeystoneListProjects| {
        let projects = request.send(&alice).await.unwrap().into_body().projects;
        projects.into_iter().map(|project| project.name.unwrap()).collect::<Vec<_>>()
    };
    let request = iam::KeystoneListProjects::new;
    assert_eq!(list(request().name("cn-east-3")).await, ["cn-east-3"]);
    assert_eq!(list(request().parent_id(emulator.project_id("cn-north-4").unwrap())).await, ["cn-north-4_shop"]);
    assert_eq!(list(request().parent_id(account_id(&emulator, "AKALICE", "SKALICE").await)).await.len(), 3);
    assert_eq!(list(request().enabled(false)).await.len(), 0);
    let mut paged = list(request().page(1).per_page(3)).await;
    assert_eq!(paged.len(), 3);
    paged.extend(list(request().page(2).per_page(3)).await);
    assert_eq!(paged, list(request()).await);
    assert_eq!(request().page(2).send(&alice).await.unwrap_err().status(), Some(400));
    let regions = iam::KeystoneListRegions::new().send(&alice).await.unwrap().into_body().regions;
    let regions: Vec<_> = regions.into_iter().filter_map(|region| region.id).collect();
    assert_eq!(regions, emulator.regions());
}

#[tokio::test]
async fn temporary_keys_reach_as_far_as_their_token_and_end() {
    let emulator = start().await;
    let nobody = with_keys(&emulator, "NONE", "none");
    let token = login("alice", "alice's", region("cn-north-4")).send(&nobody).await.unwrap().into_body();
    let buy = async |token: IdentityToken| {
        let identity = TokenAuthIdentity::new([AuthMethod::Token]).token(token);
        iam::CreateTemporaryAccessKeyByToken::new(TokenAuth::new(identity)).send(&nobody).await
    };
    let wanted = IdentityToken::new().id(token.subject_token.unwrap()).duration_seconds(1000);
    let bought = keys(buy(wanted).await.unwrap().into_body().credential);
    let holder = with(&emulator, bought.clone());
    csms::CreateSecret::new("demo").secret_string("value").send(&holder).await.unwrap();
    let elsewhere = client(&emulator).region("cn-east-3").credentials(Credentials::from(bought.clone()));
    let error = csms::ListSecrets::new().send(&elsewhere.build().unwrap()).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(403), Some("APIGW.0302")));
    let bare = AccessKeys::new(&bought.access_key, bought.secret_key.clone());
    let error = csms::ListSecrets::new().send(&with(&emulator, bare.clone())).await.unwrap_err();
    assert!(error.message().contains("ak not exist"), "{error}");
    let error = csms::ListSecrets::new().send(&with(&emulator, bare.with_security_token("x"))).await.unwrap_err();
    assert!(error.message().contains("decrypt token fail"), "{error}");

    emulator.advance(Duration::from_secs(900));
    csms::ShowSecret::new("demo").send(&holder).await.unwrap();
    emulator.advance(Duration::from_secs(100));
    let error = csms::ShowSecret::new("demo").send(&holder).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(401), Some("APIGW.0301")));
    assert!(error.message().contains("signature expired"), "{error}");

    let error = buy(IdentityToken::new().id("none")).await.unwrap_err();
    assert_eq!(told(&error), (401, "IAM.0061", "The token is invalid."));
}

#[tokio::test]
async fn an_agency_is_assumed_by_those_it_trusts_by_token_and_by_key() {
    let emulator = start().await;
    let bob = with_keys(&emulator, "AKBOB", "SKBOB");
    let token = async |agency: &str, account: &str| {
        let role = AgencyTokenAssumerole::new(agency).domain_name(account);
        let scope = AgencyTokenScope::new().project(AgencyTokenScopeProject::new().name("cn-north-4"));
        let identity = AgencyTokenIdentity::new([AuthMethod::AssumeRole], role);
        iam::KeystoneCreateAgencyToken::new(AgencyTokenAuth::new(identity, scope)).send(&bob).await
    };
    let answer = token("open", "acme").await.unwrap().into_body();
    let about = answer.token.unwrap();
    assert_eq!(about.user.unwrap().name.as_deref(), Some("acme/open"));
    assert_eq!(about.assumed_by.unwrap().user.unwrap().name.as_deref(), Some("bob"));
    assert_eq!(about.project.unwrap().id, emulator.project_id("cn-north-4"));
    csms::ListSecrets::new().send(&with(&emulator, UserToken::new(answer.subject_token.unwrap()))).await.unwrap();
    let denied = "You are not authorized to perform the requested action.";
    for (agency, account, expected) in [
        ("closed", "acme", (403, "403", denied)),
        ("none", "acme", (404, "404", "Could not find agency: none.")),
        ("open", "none", (404, "404", "Could not find domain: none.")),
    ] {
        assert_eq!(told(&token(agency, account).await.unwrap_err()), expected);
    }

    // The SDK's own provider gets keys of the same agency.
    let assumed = |access_key: &str, secret_key: &str, agency: &str| {
        let base = Credentials::keys(access_key, secret_key);
        let agency = Agency::by_name(base, agency, Account::Name("acme".to_owned())).session_name("shop-session");
        client(&emulator).credentials(agency).build().unwrap()
    };
    csms::CreateSecret::new("demo").secret_string("v").send(&assumed("AKBOB", "SKBOB", "open")).await.unwrap();
    csms::ShowSecret::new("demo").send(&with_keys(&emulator, "AKALICE", "SKALICE")).await.unwrap();
    csms::ShowSecret::new("demo").send(&bob).await.unwrap_err();
    csms::ShowSecret::new("demo").send(&assumed("AKBOB", "SKBOB", "narrow")).await.unwrap();
    let error = csms::ShowSecret::new("demo").send(&assumed("AKEVE", "SKEVE", "narrow")).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
}

#[tokio::test]
async fn sts_assumes_agencies_by_urn_and_tells_who_acts() {
    let emulator = start().await;
    let acme = account_id(&emulator, "AKALICE", "SKALICE").await;
    let bob = with_keys(&emulator, "AKBOB", "SKBOB");
    let urn = |name: &str| format!("iam::{acme}:agency:{name}");
    let request = |name: &str| iam::AssumeAgency::new(urn(name), "session-1");
    let answer = request("open").source_identity("bob").send(&bob).await.unwrap().into_body();
    assert_eq!(answer.source_identity.as_deref(), Some("bob"));
    let session = answer.assumed_agency.unwrap().urn.unwrap();
    assert_eq!(session, format!("sts::{acme}:assumed-agency:open/session-1"));
    let got = answer.credentials.unwrap();
    let assumed = AccessKeys::new(got.access_key_id.unwrap(), got.secret_access_key.unwrap())
        .with_security_token(got.security_token.unwrap());
    let assumed = with(&emulator, assumed);
    let identity = iam::GetCallerIdentity::new().send(&assumed).await.unwrap().into_body();
    assert_eq!((identity.account_id.as_deref(), identity.principal_urn), (Some(acme.as_str()), Some(session)));
    assert!(identity.principal_id.unwrap().ends_with(":session-1"));

    let identity = iam::GetCallerIdentity::new().send(&bob).await.unwrap().into_body();
    assert!(identity.principal_urn.unwrap().ends_with(":user:bob"));
    request("narrow").external_id("agreed").duration_seconds(1800).send(&bob).await.unwrap();
    let eve = with_keys(&emulator, "AKEVE", "SKEVE");
    let forbidden = (403, "PAP5.0025", "You are not authorized to perform: sts:agencies:assume.");
    for (request, client) in [
        (request("narrow"), &bob),
        (request("narrow").external_id("other"), &bob),
        (request("narrow").external_id("agreed"), &eve),
        (request("none"), &bob),
        (request("closed"), &bob),
        (request("open").token_code("000000"), &bob),
    ] {
        assert_eq!(told(&request.send(client).await.unwrap_err()), forbidden);
    }
    for request in [
        request("narrow").external_id("agreed").duration_seconds(1801),
        iam::AssumeAgency::new("acme/open", "session-1"),
        iam::AssumeAgency::new(urn("open"), "a b"),
    ] {
        assert_eq!(request.send(&bob).await.unwrap_err().status(), Some(400));
    }
    let by_urn = Agency::by_urn(Credentials::keys("AKBOB", "SKBOB"), urn("open")).duration(Duration::from_secs(7200));
    let client = client(&emulator).credentials(by_urn).build().unwrap();
    csms::ListSecrets::new().send(&client).await.unwrap();
}

#[tokio::test]
async fn the_sdk_logs_in_with_a_password_in_every_region() {
    let emulator = start().await;
    let client = client(&emulator).credentials(Password::new("alice", "alice's", "acme")).build().unwrap();
    csms::CreateSecret::new("demo").secret_string("value").send(&client).await.unwrap();
    let elsewhere = client.for_region("cn-east-3").unwrap();
    assert_eq!(csms::ShowSecret::new("demo").send(&elsewhere).await.unwrap_err().status(), Some(404));
    csms::CreateSecret::new("demo").secret_string("value").send(&elsewhere).await.unwrap();
    // The token has ended before the client thought: it gets a new one.
    emulator.advance(Duration::from_secs(25 * 3600));
    csms::ShowSecret::new("demo").send(&client).await.unwrap();
}

#[tokio::test]
async fn what_was_issued_outlives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data");
    let start = async || Emulator::builder().seed(seed()).data(&file).start().await.unwrap();
    let emulator = start().await;
    let nobody = with_keys(&emulator, "NONE", "none");
    let token = login("alice", "alice's", region("cn-north-4")).send(&nobody).await.unwrap().into_body();
    let token = token.subject_token.unwrap();
    drop(nobody);
    emulator.shutdown().await;
    let emulator = start().await;
    let holder = with(&emulator, UserToken::new(token));
    csms::ListSecrets::new().send(&holder).await.unwrap();
    emulator.advance(Duration::from_secs(25 * 3600));
    assert_eq!(csms::ListSecrets::new().send(&holder).await.unwrap_err().code(), Some("APIGW.0307"));
    emulator.advance(Duration::from_secs(25 * 3600));
    let error = csms::ListSecrets::new().send(&holder).await.unwrap_err();
    assert!(error.message().contains("decrypt token fail"), "it is forgotten in the end: {error}");
}
