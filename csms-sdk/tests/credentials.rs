//! Where credentials come from, and how they are kept fresh: every source against a server of its own.

#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use csms_sdk::{
    Client, ClientBuilder, Error, ErrorKind, Service, Timestamp,
    clock::Clock,
    credentials::{
        AccessKeys, Account, Agency, BoxFuture, Chain, Context, Credentials, Environment, Federated, KooCli, Oidc,
        Password, PodIdentity, ProfileFile, ProvideCredentials, ProvideError, ProvideResult, Provided, ServerMetadata,
        UserToken,
    },
    env::Env,
    retry::RetryPolicy,
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{body_partial_json, header, method, path},
};

/// 2026-01-02T03:04:05Z.
const START: u64 = wiremock_fixtures::UNIX_TIME;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// A text that must never be shown.
const HIDDEN: &str = "hunter2-hidden";

const TOKENS: &str = "/v3/auth/tokens";
const ID_TOKENS: &str = "/v3.0/OS-AUTH/id-token/tokens";
const TEMPORARY_KEYS: &str = "/v3.0/OS-CREDENTIAL/securitytokens";
const METADATA_TOKEN: &str = "/meta-data/latest/api/token";
const METADATA_KEYS: &str = "/openstack/latest/securitykey";

/// A server for everything, and a clock that stands still until it is told otherwise.
struct World {
    server: MockServer,
    seconds: Arc<AtomicU64>,
}

impl World {
    async fn new() -> Self {
        Self { server: MockServer::start().await, seconds: Arc::new(AtomicU64::new(START)) }
    }

    fn client(&self, provider: impl ProvideCredentials + 'static, env: &[(&str, &str)]) -> Client {
        self.builder(env).credentials(provider).build().unwrap()
    }

    fn builder(&self, env: &[(&str, &str)]) -> ClientBuilder {
        let seconds = Arc::clone(&self.seconds);
        let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::SeqCst));
        Client::builder()
            .env(Env::from_pairs(env.iter().copied()))
            .clock(Clock::from_fn(now))
            .endpoint(format!("{}/{{region}}", self.server.uri()))
            .iam_endpoint(self.server.uri())
            .service_endpoint(Service::Sts, self.server.uri())
            .region("cn-north-4")
            .retry(RetryPolicy::none())
            .no_proxy()
    }

    fn pass(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The time `seconds` from the start, as the services write it.
    fn at(&self, seconds: u64) -> String {
        Timestamp::from_seconds((START + seconds).try_into().unwrap()).to_string()
    }

    async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.unwrap()
    }

    async fn bodies(&self) -> Vec<Value> {
        self.requests().await.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    /// Answers of a metadata service that knows tokens, with keys for a day.
    async fn metadata(&self) {
        let token = ResponseTemplate::new(200).set_body_string("metadata-token\n");
        Mock::given(method("PUT")).and(path(METADATA_TOKEN)).respond_with(token).mount(&self.server).await;
        let keys =
            ResponseTemplate::new(200).set_body_json(json!({"credential": iam_keys("METADATAKEY", &self.at(DAY))}));
        Mock::given(method("GET"))
            .and(path(METADATA_KEYS))
            .and(header("x-metadata-token", "metadata-token"))
            .respond_with(keys)
            .mount(&self.server)
            .await;
    }
}

fn iam_keys(access: &str, expires_at: &str) -> Value {
    json!({"access": access, "secret": HIDDEN, "securitytoken": "security-token", "expires_at": expires_at})
}

fn sts_keys(access: &str, expires_at: &str) -> Value {
    json!({"credentials": {"access_key_id": access, "secret_access_key": HIDDEN, "security_token": "security-token",
        "expiration": expires_at}})
}

fn user_token(token: &str, project: &str, expires_at: &str) -> ResponseTemplate {
    ResponseTemplate::new(201)
        .insert_header("X-Subject-Token", token)
        .set_body_json(json!({"token": {"expires_at": expires_at, "project": {"id": project}}}))
}

fn keys(provided: &Provided) -> &AccessKeys {
    match &provided.credentials {
        Credentials::Keys(keys) => keys,
        Credentials::Token(_) => panic!("a token"),
        _ => unreachable!(),
    }
}

fn token(provided: &Provided) -> &UserToken {
    match &provided.credentials {
        Credentials::Token(token) => token,
        _ => panic!("keys"),
    }
}

/// The credentials of a client that sends nothing.
async fn provided(provider: impl ProvideCredentials + 'static, env: &[(&str, &str)]) -> Result<Provided, Error> {
    let client = Client::builder().env(Env::from_pairs(env.iter().copied())).region("cn-north-4").credentials(provider);
    client.build().unwrap().credentials().await
}

/// The error when something is set up and does not work.
async fn broken(provider: impl ProvideCredentials + 'static, env: &[(&str, &str)]) -> Error {
    let error = provided(provider, env).await.unwrap_err();
    assert!(!error.message().starts_with("no credentials were found"), "{error}");
    assert!(!format!("{error} {error:?} {:?}", error.help()).contains(HIDDEN), "{error}");
    error
}

/// The reason when nothing is set up.
async fn not_configured(provider: impl ProvideCredentials + 'static, env: &[(&str, &str)]) -> String {
    let error = provided(provider, env).await.unwrap_err();
    error.message().strip_prefix("no credentials were found: ").unwrap_or_else(|| panic!("{error}")).to_owned()
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("csms-credentials-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Writes a file that only its owner can read, and tells its path.
    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap().to_owned();
        chmod(&path, 0o600);
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn chmod(path: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn chmod(_: &str, _: u32) {}

mod environment {
    use super::*;

    const SDK: [(&str, &str); 2] = [("HUAWEICLOUD_SDK_AK", "SDKKEY"), ("HUAWEICLOUD_SDK_SK", HIDDEN)];
    const HW: [(&str, &str); 2] = [("HW_ACCESS_KEY", "HWKEY"), ("HW_SECRET_KEY", HIDDEN)];
    const OS: [(&str, &str); 2] = [("OS_ACCESS_KEY", "OSKEY"), ("OS_SECRET_KEY", HIDDEN)];

    #[tokio::test]
    async fn the_first_family_in_which_anything_is_set_decides() {
        for (env, key, variable) in [
            ([&SDK[..], &HW, &OS].concat(), "SDKKEY", "HUAWEICLOUD_SDK_AK"),
            ([&HW[..], &OS].concat(), "HWKEY", "HW_ACCESS_KEY"),
            (OS.to_vec(), "OSKEY", "OS_ACCESS_KEY"),
        ] {
            let found = provided(Environment, &env).await.unwrap();
            assert_eq!(keys(&found).access_key, key);
            assert_eq!(found.origin, format!("environment ({variable})"));
            assert!(!format!("{found:?}").contains(HIDDEN));
        }
        let reason = not_configured(Environment, &[("HW_PROJECT_ID", "p"), ("OS_DOMAIN_NAME", "d")]).await;
        assert_eq!(reason, "environment: no HUAWEICLOUD_SDK_AK, HW_ACCESS_KEY or OS_ACCESS_KEY");
    }

    #[tokio::test]
    async fn half_a_pair_is_broken_and_never_completed_from_another_family() {
        for (there, missing) in [
            ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"),
            ("HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_AK"),
            ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "HUAWEICLOUD_SDK_AK"),
            ("HUAWEICLOUD_SDK_IDP_ID", "HUAWEICLOUD_SDK_ID_TOKEN_FILE"),
            ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "HUAWEICLOUD_SDK_IDP_ID"),
            ("HW_ACCESS_KEY", "HW_SECRET_KEY"),
            ("HW_SECRET_KEY", "HW_ACCESS_KEY"),
            ("HW_SECURITY_TOKEN", "HW_ACCESS_KEY"),
            ("HW_USER_NAME", "HW_USER_PASSWORD"),
            ("HW_USER_PASSWORD", "HW_USER_NAME"),
        ] {
            let error = broken(Environment, &[&[(there, HIDDEN)][..], &OS].concat()).await;
            assert_eq!(error.kind(), ErrorKind::Credentials);
            assert!(error.message().starts_with(&format!("{there} is set without {missing}")), "{error}");
        }
        let user = [("OS_USERNAME", "u"), ("OS_PASSWORD", HIDDEN)];
        assert!(broken(Environment, &user).await.message().contains("OS_DOMAIN_NAME"));
    }

    #[tokio::test]
    async fn security_token_and_project_come_from_the_family_of_the_keys() {
        let others = [("HW_SECURITY_TOKEN", "t"), ("HW_PROJECT_ID", "p"), ("OS_TENANT_ID", "q")];
        let found = provided(Environment, &[&SDK[..], &others].concat()).await.unwrap();
        assert_eq!((keys(&found).security_token.is_none(), found.project_id), (true, None));
        let found = provided(Environment, &[&HW[..], &others].concat()).await.unwrap();
        assert_eq!((keys(&found).security_token.clone(), found.project_id), (Some("t".into()), Some("p".into())));
        let found = provided(Environment, &[&OS[..], &others[2..]].concat()).await.unwrap();
        assert_eq!((keys(&found).security_token.is_none(), found.project_id.as_deref()), (true, Some("q")));
    }

    #[tokio::test]
    async fn the_project_is_not_carried_over_to_another_region() {
        let world = World::new().await;
        let answer = ResponseTemplate::new(200).set_body_json(json!({"projects": [{"id": "looked-up"}]}));
        Mock::given(path("/v3/projects")).respond_with(answer).expect(1).mount(&world.server).await;
        let client = world.client(Environment, &[&HW[..], &[("HW_PROJECT_ID", "p")]].concat());
        assert_eq!(client.project_id().await.unwrap(), "p");
        assert_eq!(client.for_region("ap-southeast-1").unwrap().project_id().await.unwrap(), "looked-up");
    }

    #[tokio::test]
    async fn a_given_token_comes_before_keys() {
        let env = [&HW[..], &[("HW_AUTH_TOKEN", HIDDEN), ("HW_PROJECT_ID", "p")]].concat();
        let found = provided(Environment, &env).await.unwrap();
        assert_eq!(token(&found).token.expose_secret(), HIDDEN);
        assert_eq!((found.origin.as_str(), found.project_id.as_deref()), ("environment (HW_AUTH_TOKEN)", Some("p")));
        let found = provided(Environment, &[("OS_AUTH_TOKEN", HIDDEN)]).await.unwrap();
        assert_eq!(found.origin, "environment (OS_AUTH_TOKEN)");
    }

    #[tokio::test]
    async fn a_password_for_another_cloud_is_not_sent_to_this_one() {
        let world = World::new().await;
        let iam = format!("{}/v3", world.server.uri());
        let user = [("OS_USERNAME", "user"), ("OS_PASSWORD", HIDDEN), ("OS_USER_DOMAIN_NAME", "account")];
        let elsewhere = [&user[..], &[("OS_AUTH_URL", "https://keystone.example.com:5000/v3")]].concat();
        let error = world.client(Environment, &elsewhere).credentials().await.unwrap_err();
        assert!(error.message().contains("OS_AUTH_URL names the IAM of another cloud"), "{error}");
        assert!(world.requests().await.is_empty());
        let signed = [&OS[..], &[("OS_AUTH_URL", "https://iam.partner.example.com/v3")]].concat();
        assert!(provided(Environment, &signed).await.is_ok(), "a signature gives nothing away");

        let answer = user_token("t", "p", &world.at(DAY));
        Mock::given(path(TOKENS)).respond_with(answer).expect(1).mount(&world.server).await;
        let here = [&user[..], &[("OS_AUTH_URL", iam.as_str()), ("OS_TENANT_NAME", "cn-north-4_team")]].concat();
        let found = world.client(Environment, &here).credentials().await.unwrap();
        assert_eq!((found.origin.as_str(), found.project_id.as_deref()), ("environment (OS_USERNAME)", Some("p")));
        assert_eq!(world.bodies().await[0]["auth"]["scope"], json!({"project": {"name": "cn-north-4_team"}}));
    }

    #[tokio::test]
    async fn an_agency_is_assumed_with_whatever_is_set_and_needs_something() {
        let world = World::new().await;
        let answer =
            ResponseTemplate::new(201).set_body_json(json!({"credential": iam_keys("AGENCYKEY", &world.at(HOUR))}));
        Mock::given(path(TEMPORARY_KEYS)).respond_with(answer).mount(&world.server).await;
        let agency = [
            ("HW_ASSUME_ROLE_AGENCY_NAME", "ops"),
            ("HW_ASSUME_ROLE_DOMAIN_NAME", "partner"),
            ("HW_ASSUME_ROLE_DURATION", "3600"),
            ("HW_PROJECT_ID", "partner-project"),
        ];
        let found = world.client(Environment, &[&HW[..], &agency].concat()).credentials().await.unwrap();
        assert_eq!(
            (keys(&found).access_key.as_str(), found.project_id.as_deref()),
            ("AGENCYKEY", Some("partner-project"))
        );
        assert_eq!(found.origin, "environment (HW_ASSUME_ROLE_AGENCY_NAME with HW_ACCESS_KEY)");
        assert_eq!(
            world.bodies().await[0]["auth"]["identity"]["assume_role"],
            json!({"agency_name": "ops", "domain_name": "partner", "duration_seconds": 3600,
                "session_user": {"name": "csms-sdk"}})
        );

        let error = broken(Environment, &agency).await;
        assert!(error.message().contains("nothing to assume the agency with"), "{error}");
        let error = broken(Environment, &[&HW[..], &agency[..1]].concat()).await;
        assert!(error.message().contains("HW_ASSUME_ROLE_DOMAIN_NAME"), "{error}");
        let odd = [("HW_ASSUME_ROLE_DURATION", "1h")];
        let error = broken(Environment, &[&HW[..], &agency[..2], &odd].concat()).await;
        assert!(error.message().contains("HW_ASSUME_ROLE_DURATION is no number"), "{error}");
    }

    #[tokio::test]
    async fn a_complete_federated_login_wins_over_keys() {
        let folder = Folder::new();
        let file = folder.path().to_owned() + "/missing";
        let idp = [("HUAWEICLOUD_SDK_IDP_ID", "idp"), ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", file.as_str())];
        let error = broken(Environment, &[&SDK[..], &idp].concat()).await;
        assert!(error.message().contains("no such file"), "{error}");
        let found = provided(Environment, &[&SDK[..], &idp[..1]].concat()).await.unwrap();
        assert_eq!(keys(&found).access_key, "SDKKEY");
    }
}

mod chain {
    use super::*;

    #[tokio::test]
    async fn what_is_broken_stops_the_chain_and_what_is_not_configured_does_not() {
        let chain = || {
            let last = Arc::new(Credentials::keys("LASTKEY", HIDDEN));
            Chain::new([
                Arc::new(Environment) as Arc<dyn ProvideCredentials>,
                Arc::new(Oidc),
                Arc::new(PodIdentity),
                last,
            ])
        };
        let found = provided(chain(), &[]).await.unwrap();
        assert_eq!(keys(&found).access_key, "LASTKEY");
        for variable in ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_OIDC_AGENCY_URN", "HC_CONTAINER_CREDENTIALS_FULL_URI"] {
            broken(chain(), &[(variable, "set")]).await;
        }
    }

    #[tokio::test]
    async fn a_chain_without_luck_says_where_it_looked() {
        let home = Folder::new();
        let nobody = TcpPort::closed();
        let chain = Chain::new([
            Arc::new(Environment) as Arc<dyn ProvideCredentials>,
            Arc::new(Oidc),
            Arc::new(ProfileFile::default()),
            Arc::new(KooCli::default()),
            Arc::new(PodIdentity),
            Arc::new(ServerMetadata::at(nobody)),
        ]);
        let reason = not_configured(chain, &[("HOME", home.path()), ("USERPROFILE", home.path())]).await;
        let (looked, metadata) = reason.rsplit_once("; ").unwrap();
        assert_eq!(
            looked,
            "environment: no HUAWEICLOUD_SDK_AK, HW_ACCESS_KEY or OS_ACCESS_KEY; OIDC: no HUAWEICLOUD_OIDC_PROVIDER_URN; \
             ~/.huaweicloud/credentials: no such file; ~/.hcloud/config.json: no such file; \
             pod identity: no HC_CONTAINER_CREDENTIALS_FULL_URI"
        );
        assert!(metadata.starts_with("server metadata: no connection to 127.0.0.1"), "{metadata}");
    }

    struct TcpPort;

    impl TcpPort {
        /// An address at which nobody listens.
        fn closed() -> String {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://{}", listener.local_addr().unwrap())
        }
    }
}

mod profile_file {
    use super::*;

    const BASIC: &str =
        "# mine\n[basic]\n ak = FILEKEY\nsk=hunter2-hidden\nsecurity_token = t\nproject_id = p\n[global]\nak = G\n";

    #[tokio::test]
    async fn the_basic_section_is_read_from_the_usual_file_or_the_one_that_is_named() {
        let home = Folder::new();
        let file = home.write(".huaweicloud/credentials", BASIC);
        let usual = [("HOME", home.path()), ("USERPROFILE", home.path())];
        for env in [&usual[..], &[("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file.as_str())]] {
            let found = provided(ProfileFile::default(), env).await.unwrap();
            assert_eq!(keys(&found).access_key, "FILEKEY");
            assert_eq!(keys(&found).secret_key.expose_secret(), HIDDEN);
            assert_eq!(keys(&found).security_token, Some("t".into()));
            assert_eq!(found.project_id.as_deref(), Some("p"));
            assert!(found.origin.ends_with(".huaweicloud/credentials"));
        }
        assert_eq!(keys(&provided(ProfileFile::at(file), &[]).await.unwrap()).access_key, "FILEKEY");
    }

    #[tokio::test]
    async fn a_file_may_be_missing_unless_it_was_named() {
        let home = Folder::new();
        let env = [("HOME", home.path()), ("USERPROFILE", home.path())];
        assert_eq!(not_configured(ProfileFile::default(), &env).await, "~/.huaweicloud/credentials: no such file");
        assert!(not_configured(ProfileFile::default(), &[]).await.contains("no home directory"));
        let error = broken(ProfileFile::default(), &[("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/nowhere/keys")]).await;
        assert_eq!(error.message(), "credentials file /nowhere/keys: no such file");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_everybody_can_read_is_refused_with_the_remedy() {
        let folder = Folder::new();
        let file = folder.write("credentials", BASIC);
        for mode in [0o604, 0o644, 0o602] {
            chmod(&file, mode);
            let error = broken(ProfileFile::at(&file), &[]).await;
            assert!(error.message().contains("open to everybody"), "{error}");
            assert!(error.help().unwrap().starts_with(&format!("chmod 600 '{file}'")));
        }
        chmod(&file, 0o640);
        assert!(provided(ProfileFile::at(&file), &[]).await.is_ok(), "its group may");
    }

    #[tokio::test]
    async fn sections_and_keys_that_do_not_serve_are_explained() {
        let folder = Folder::new();
        let at = |text: &str| ProfileFile::at(folder.write("credentials", text));
        assert!(not_configured(at("[global]\nak=G\nsk=hunter2-hidden"), &[]).await.contains("[global] only"));
        assert!(not_configured(at(""), &[]).await.contains("no ak and sk in [basic]"));
        assert!(broken(at("[basic]\nak=A"), &[]).await.message().ends_with("has ak and no sk"));
        assert!(broken(at("[basic]\nsk=hunter2-hidden"), &[]).await.message().ends_with("has sk and no ak"));
        assert!(broken(at("[basic]\nidp_id=i"), &[]).await.message().ends_with("has idp_id and no id_token_file"));
        let both = at("[basic]\nak=A\nsk=hunter2-hidden\nidp_id=i\nid_token_file=/nowhere/token");
        assert!(broken(both, &[]).await.message().contains("/nowhere/token"), "the login wins over the keys");
    }
}

mod koocli {
    use super::*;

    fn config(profile: Value) -> String {
        json!({"current": "default", "profiles": [profile]}).to_string()
    }

    fn aksk() -> Value {
        json!({"name": "default", "mode": "AKSK", "accessKeyId": "KOOKEY", "secretAccessKey": HIDDEN,
            "securityToken": "", "region": "ap-southeast-1", "projectId": "p", "agencyName": ""})
    }

    #[tokio::test]
    async fn keys_region_and_project_come_from_the_profile() {
        let home = Folder::new();
        home.write(".hcloud/config.json", &config(aksk()));
        let env = Env::from_pairs([("HOME", home.path()), ("USERPROFILE", home.path())]);
        let client = Client::builder().env(env.clone()).credentials(KooCli::default()).build().unwrap();
        assert_eq!(client.region(), Some("ap-southeast-1"));
        let found = client.credentials().await.unwrap();
        assert_eq!((keys(&found).access_key.as_str(), found.project_id.as_deref()), ("KOOKEY", Some("p")));
        assert_eq!(found.origin, "~/.hcloud/config.json (profile default)");

        let elsewhere = Client::builder().env(env).region("cn-north-4").credentials(KooCli::default()).build().unwrap();
        assert_eq!(elsewhere.credentials().await.unwrap().project_id, None, "the project is of the profile's region");
    }

    #[tokio::test]
    async fn the_profile_and_the_file_can_be_named() {
        let folder = Folder::new();
        let mut other = aksk();
        other["name"] = "other".into();
        other["accessKeyId"] = "OTHERKEY".into();
        let file = folder.write("koo.json", &json!({"profiles": [aksk(), other]}).to_string());
        let env = [("HW_SHARED_CONFIG_FILE", file.as_str()), ("HW_PROFILE", "other")];
        assert_eq!(keys(&provided(KooCli::default(), &env).await.unwrap()).access_key, "OTHERKEY");
        assert_eq!(keys(&provided(KooCli::profile("default"), &env).await.unwrap()).access_key, "KOOKEY");
        assert!(broken(KooCli::profile("none"), &env).await.message().ends_with("has no profile none"));
        let file = folder.write("koo.json", "{");
        assert!(
            broken(KooCli::default(), &[("HW_SHARED_CONFIG_FILE", &file)]).await.message().ends_with("is not JSON")
        );
    }

    #[tokio::test]
    async fn a_login_has_its_keys_elsewhere_and_odd_modes_are_refused() {
        let folder = Folder::new();
        let read = async |profile: Value| {
            let file = folder.write("koo.json", &config(profile));
            provided(KooCli::default(), &[("HW_SHARED_CONFIG_FILE", &file)]).await
        };
        let stored = json!({"accessKeyId": "SSOKEY", "secretAccessKey": HIDDEN, "securityToken": "t"});
        let found = read(json!({"name": "default", "mode": "SSO", "ssoAuth": {"stsToken": stored}})).await.unwrap();
        assert_eq!(
            (keys(&found).access_key.as_str(), keys(&found).security_token.clone()),
            ("SSOKEY", Some("t".into()))
        );
        let error = read(json!({"name": "default", "mode": "SSO"})).await.unwrap_err();
        assert!(error.message().ends_with("(profile default): no keys"), "{error}");
        let error = read(json!({"name": "default", "mode": "token"})).await.unwrap_err();
        assert!(error.message().ends_with("the mode token is not supported"), "{error}");
        let error = read(json!({"name": "default", "accessKeyId": "A"})).await.unwrap_err();
        assert!(error.message().ends_with("go together"), "{error}");
    }

    #[tokio::test]
    async fn an_encrypted_file_is_explained() {
        let folder = Folder::new();
        let text = json!({"current": "default", "authEncrypt": "true", "profiles": [aksk()]}).to_string();
        let file = folder.write("koo.json", &text);
        let error = broken(KooCli::default(), &[("HW_SHARED_CONFIG_FILE", &file)]).await;
        assert!(error.message().contains("KooCLI has encrypted the keys"), "{error}");
        assert!(error.help().unwrap().contains("hcloud configure set --cli-auth-encrypt=false"));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_everybody_can_read_is_refused() {
        let folder = Folder::new();
        let file = folder.write("koo.json", &config(aksk()));
        chmod(&file, 0o644);
        let error = broken(KooCli::default(), &[("HW_SHARED_CONFIG_FILE", &file)]).await;
        assert!(error.message().contains("open to everybody"), "{error}");
    }

    #[tokio::test]
    async fn an_agency_of_the_profile_is_assumed_with_its_keys() {
        let (world, folder) = (World::new().await, Folder::new());
        let answer =
            ResponseTemplate::new(201).set_body_json(json!({"credential": iam_keys("AGENCYKEY", &world.at(HOUR))}));
        Mock::given(path(TEMPORARY_KEYS)).respond_with(answer).mount(&world.server).await;
        let mut profile = aksk();
        profile["mode"] = "AssumeRole".into();
        let file = folder.write("koo.json", &config(profile.clone()));
        let error = broken(KooCli::default(), &[("HW_SHARED_CONFIG_FILE", &file)]).await;
        assert!(error.message().ends_with("agencyName and agencyDomainName go together"), "{error}");
        profile["agencyName"] = "ops".into();
        profile["agencyDomainName"] = "partner".into();
        let file = folder.write("koo.json", &config(profile));
        let client = world.client(KooCli::default(), &[("HW_SHARED_CONFIG_FILE", &file)]);
        assert_eq!(keys(&client.credentials().await.unwrap()).access_key, "AGENCYKEY");
        wiremock_fixtures::verify_signature(&world.requests().await[0], HIDDEN).unwrap();
    }
}

mod metadata {
    use super::*;

    fn provider(world: &World) -> ServerMetadata {
        ServerMetadata::at(world.server.uri())
    }

    #[tokio::test]
    async fn keys_are_got_with_a_metadata_token() {
        let world = World::new().await;
        world.metadata().await;
        let client = world.client(provider(&world), &[("HUAWEICLOUD_SDK_PROJECT_ID", "p")]);
        let found = client.credentials().await.unwrap();
        assert_eq!((keys(&found).access_key.as_str(), found.project_id.as_deref()), ("METADATAKEY", Some("p")));
        assert_eq!(keys(&found).expires_at.unwrap().to_string(), world.at(DAY));
        let requests = world.requests().await;
        assert_eq!(requests[0].headers["x-metadata-token-ttl-seconds"], "21600");
        assert_eq!(requests.len(), 2);
    }

    #[tokio::test]
    async fn the_environment_names_another_address_or_switches_it_off() {
        let world = World::new().await;
        world.metadata().await;
        let address = world.server.uri();
        let found = world.client(ServerMetadata::default(), &[("CSMS_METADATA_ENDPOINT", &address)]);
        assert_eq!(keys(&found.credentials().await.unwrap()).access_key, "METADATAKEY");
        let reason = not_configured(ServerMetadata::default(), &[("CSMS_METADATA_ENDPOINT", "off")]).await;
        assert_eq!(reason, "server metadata: switched off");
    }

    #[tokio::test]
    async fn a_server_without_tokens_is_asked_without_one() {
        for status in [404, 405, 503] {
            let world = World::new().await;
            Mock::given(path(METADATA_TOKEN)).respond_with(ResponseTemplate::new(status)).mount(&world.server).await;
            let body = json!({"credential": iam_keys("V1KEY", "2026-01-03T03:04:05.574000Z")});
            let answer = ResponseTemplate::new(200).set_body_json(body);
            Mock::given(path(METADATA_KEYS)).respond_with(answer).mount(&world.server).await;
            let found = world.client(provider(&world), &[]).credentials().await.unwrap();
            assert_eq!(keys(&found).access_key, "V1KEY");
            assert!(!world.requests().await[1].headers.contains_key("x-metadata-token"));
        }
    }

    #[tokio::test]
    async fn a_refused_metadata_token_is_replaced_once() {
        let world = World::new().await;
        let old = ResponseTemplate::new(200).set_body_string("old");
        Mock::given(path(METADATA_TOKEN)).respond_with(old).up_to_n_times(1).mount(&world.server).await;
        let refusal = ResponseTemplate::new(401);
        let with_old = Mock::given(path(METADATA_KEYS)).and(header("x-metadata-token", "old"));
        with_old.respond_with(refusal).mount(&world.server).await;
        world.metadata().await;
        let found = world.client(provider(&world), &[]).credentials().await.unwrap();
        assert_eq!(keys(&found).access_key, "METADATAKEY");
        assert_eq!(world.requests().await.len(), 4);
    }

    #[tokio::test]
    async fn a_server_without_agency_is_not_configured_and_says_so() {
        let world = World::new().await;
        let token = ResponseTemplate::new(200).set_body_string("t");
        Mock::given(path(METADATA_TOKEN)).respond_with(token).mount(&world.server).await;
        let body = "{\"error\": \"Please configure Cloud Service Agency first.\"}";
        let refusal = ResponseTemplate::new(401).set_body_string(body);
        Mock::given(path(METADATA_KEYS)).respond_with(refusal).expect(1).mount(&world.server).await;
        let error = world.client(provider(&world), &[]).credentials().await.unwrap_err();
        assert!(error.message().ends_with("server metadata: no agency is bound to this server"), "{error}");
    }

    #[tokio::test]
    async fn a_failing_metadata_service_is_broken() {
        let world = World::new().await;
        Mock::given(path(METADATA_TOKEN)).respond_with(ResponseTemplate::new(500)).mount(&world.server).await;
        let error = world.client(provider(&world), &[]).credentials().await.unwrap_err();
        assert_eq!((error.kind(), error.status(), error.is_retryable()), (ErrorKind::Credentials, Some(500), true));
    }
}

mod pod_identity {
    use super::*;

    #[tokio::test]
    async fn the_token_file_is_read_again_for_each_renewal() {
        let (world, folder) = (World::new().await, Folder::new());
        for (token, end) in [("first", HOUR), ("second", DAY)] {
            let keys = json!({"accessKeyId": token.to_uppercase(), "secretAccessKey": HIDDEN, "securityToken": "t",
                "expiration": world.at(end)});
            Mock::given(method("POST"))
                .and(path("/pod"))
                .and(header("authorization", token))
                .and(body_partial_json(json!({})))
                .respond_with(ResponseTemplate::new(200).set_body_json(json!({"audience": "a", "credentials": keys})))
                .expect(1)
                .mount(&world.server)
                .await;
        }
        let (uri, file) = (format!("{}/pod", world.server.uri()), folder.write("token", " first\n"));
        let env = [
            ("HC_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
            ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.as_str()),
        ];
        let client = world.client(PodIdentity, &env);
        assert_eq!(keys(&client.credentials().await.unwrap()).access_key, "FIRST");
        folder.write("token", "second");
        assert_eq!(keys(&client.credentials().await.unwrap()).access_key, "FIRST", "still fresh");
        world.pass(HOUR - 60);
        assert_eq!(keys(&client.credentials().await.unwrap()).access_key, "SECOND");
        assert_eq!(world.bodies().await[0], json!({}));
    }

    #[tokio::test]
    async fn a_refusal_and_a_missing_half_are_broken() {
        let (world, folder) = (World::new().await, Folder::new());
        let refusal =
            ResponseTemplate::new(403).set_body_json(json!({"code": "PodIdentity.1", "message": "no association"}));
        Mock::given(path("/pod")).respond_with(refusal).mount(&world.server).await;
        let (uri, file) = (format!("{}/pod", world.server.uri()), folder.write("token", HIDDEN));
        let env = [
            ("HC_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
            ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.as_str()),
        ];
        let error = broken(PodIdentity, &env).await;
        assert!(error.message().contains("no association"), "{error}");
        assert!(
            broken(PodIdentity, &env[..1]).await.message().contains("without HC_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        );
        folder.write("token", "\n");
        assert!(broken(PodIdentity, &env).await.message().ends_with("the file is empty"));
    }
}

mod password {
    use super::*;

    #[tokio::test]
    async fn a_token_is_renewed_and_every_region_gets_its_own() {
        let world = World::new().await;
        for (region, token, life, calls) in [
            ("cn-north-4", "first", DAY, 1),
            ("ap-southeast-1", "other", DAY, 1),
            ("cn-north-4", "renewed", 2 * DAY, 1),
        ] {
            Mock::given(method("POST"))
                .and(path(TOKENS))
                .and(body_partial_json(json!({"auth": {"scope": {"project": {"name": region}}}})))
                .respond_with(user_token(token, &format!("project-of-{region}"), &world.at(life)))
                .up_to_n_times(1)
                .expect(calls)
                .mount(&world.server)
                .await;
        }
        let client = world.client(Password::new("user", HIDDEN, "account"), &[]);
        let other = client.for_region("ap-southeast-1").unwrap();
        assert_eq!(token(&client.credentials().await.unwrap()).token.expose_secret(), "first");
        assert_eq!(client.project_id().await.unwrap(), "project-of-cn-north-4");
        assert_eq!(token(&other.credentials().await.unwrap()).token.expose_secret(), "other");
        assert_eq!(other.project_id().await.unwrap(), "project-of-ap-southeast-1");
        world.pass(DAY - 30 * 60);
        assert_eq!(token(&client.credentials().await.unwrap()).token.expose_secret(), "renewed");

        let requests = world.requests().await;
        assert_eq!(requests[0].url.query(), Some("nocatalog=true"));
        assert!(!requests[0].headers.contains_key("authorization"), "a login must not be signed");
        assert_eq!(
            world.bodies().await[0]["auth"]["identity"],
            json!({"methods": ["password"], "password": {"user": {"name": "user", "password": HIDDEN,
                "domain": {"name": "account"}}}})
        );
    }

    #[tokio::test]
    async fn the_project_of_the_client_comes_before_that_of_the_login() {
        let world = World::new().await;
        Mock::given(path(TOKENS)).respond_with(user_token("t", "p", &world.at(DAY))).mount(&world.server).await;
        let login = || Password::new("user", HIDDEN, "account").project_id("mine").project_name("name");
        let given = world.builder(&[]).project_id("given").credentials(login()).build().unwrap();
        given.credentials().await.unwrap();
        world.client(login(), &[]).credentials().await.unwrap();
        world.client(login(), &[]).for_region("ap-southeast-1").unwrap().credentials().await.unwrap();
        let scopes: Vec<_> = world.bodies().await.iter().map(|body| body["auth"]["scope"]["project"].clone()).collect();
        assert_eq!(scopes, [json!({"id": "given"}), json!({"id": "mine"}), json!({"name": "ap-southeast-1"})]);
    }

    #[tokio::test]
    async fn a_wrong_password_is_told_once_and_never_shown() {
        let world = World::new().await;
        let body =
            json!({"error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}});
        let refusal = ResponseTemplate::new(401).set_body_json(body);
        Mock::given(path(TOKENS)).respond_with(refusal).expect(1).mount(&world.server).await;
        let client = world.client(Password::new("user", HIDDEN, "account"), &[]);
        let error = client.credentials().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        assert!(!format!("{error:?} {client:?}").contains(HIDDEN), "{error:?}");
    }
}

mod federated {
    use super::*;

    #[tokio::test]
    async fn an_id_token_buys_a_token_and_that_buys_keys() {
        let (world, folder) = (World::new().await, Folder::new());
        Mock::given(path(ID_TOKENS))
            .and(header("x-idp-id", "idp"))
            .respond_with(user_token("user-token", "p", &world.at(DAY)))
            .mount(&world.server)
            .await;
        let answer =
            ResponseTemplate::new(201).set_body_json(json!({"credential": iam_keys("IDPKEY", &world.at(6 * HOUR))}));
        Mock::given(path(TEMPORARY_KEYS)).respond_with(answer).mount(&world.server).await;
        let file = folder.write("jwt", "first\n");
        let client = world.client(Federated::new("idp", &file), &[]);
        let found = client.credentials().await.unwrap();
        assert_eq!((keys(&found).access_key.as_str(), found.project_id.as_deref()), ("IDPKEY", Some("p")));
        folder.write("jwt", "second");
        world.pass(6 * HOUR);
        client.credentials().await.unwrap();

        let bodies = world.bodies().await;
        let scope = json!({"project": {"name": "cn-north-4"}});
        assert_eq!(bodies[0], json!({"auth": {"id_token": {"id": "first"}, "scope": scope}}));
        assert_eq!(
            bodies[1],
            json!({"auth": {"identity": {"methods": ["token"], "token": {"id": "user-token", "duration_seconds": 21600}}}})
        );
        assert_eq!(bodies[2]["auth"]["id_token"]["id"], "second");
        assert!(world.requests().await.iter().all(|request| !request.headers.contains_key("authorization")));
    }
}

mod oidc {
    use super::*;

    const URNS: [(&str, &str); 2] = [
        ("HUAWEICLOUD_OIDC_PROVIDER_URN", "iam::1:oidcProvider:x"),
        ("HUAWEICLOUD_OIDC_AGENCY_URN", "iam::1:agency:a"),
    ];

    #[tokio::test]
    async fn an_id_token_buys_keys_of_an_agency() {
        let (world, folder) = (World::new().await, Folder::new());
        let answer = ResponseTemplate::new(200).set_body_json(sts_keys("OIDCKEY", &world.at(HOUR)));
        Mock::given(path("/v5/agencies/assume-with-oidc")).respond_with(answer).mount(&world.server).await;
        let file = folder.write("jwt", "jwt-of-the-pod\n");
        let more = [
            ("HUAWEICLOUD_OIDC_TOKEN_FILE", file.as_str()),
            ("HUAWEICLOUD_OIDC_DURATION_SECONDS", "900"),
            ("HUAWEICLOUD_OIDC_POLICY_IDS", "a, b"),
            ("HUAWEICLOUD_SDK_PROJECT_ID", "p"),
        ];
        let found = world.client(Oidc, &[&URNS[..], &more].concat()).credentials().await.unwrap();
        assert_eq!((keys(&found).access_key.as_str(), found.project_id.as_deref()), ("OIDCKEY", Some("p")));
        assert_eq!(
            world.bodies().await[0],
            json!({"provider_urn": "iam::1:oidcProvider:x", "agency_urn": "iam::1:agency:a",
                "agency_session_name": "oidc-sts-session", "id_token": "jwt-of-the-pod", "duration_seconds": 900,
                "policy_ids": ["a", "b"]})
        );
    }

    #[tokio::test]
    async fn variables_that_are_missing_are_named() {
        assert_eq!(not_configured(Oidc, &[]).await, "OIDC: no HUAWEICLOUD_OIDC_PROVIDER_URN");
        assert!(broken(Oidc, &URNS).await.message().contains("HUAWEICLOUD_OIDC_TOKEN_FILE"));
        assert!(broken(Oidc, &URNS[..1]).await.message().contains("HUAWEICLOUD_OIDC_AGENCY_URN"));
        let token = ("HUAWEICLOUD_OIDC_ID_TOKEN", HIDDEN);
        assert!(broken(Oidc, &[token]).await.message().contains("HUAWEICLOUD_OIDC_PROVIDER_URN"));
        let odd = [&URNS[..], &[token, ("HUAWEICLOUD_OIDC_DURATION_SECONDS", "1h")]].concat();
        assert!(broken(Oidc, &odd).await.message().contains("HUAWEICLOUD_OIDC_DURATION_SECONDS"));
    }
}

mod agency {
    use super::*;

    #[tokio::test]
    async fn an_agency_by_name_is_asked_for_with_the_signature_of_the_other_keys() {
        let world = World::new().await;
        let answer =
            ResponseTemplate::new(201).set_body_json(json!({"credential": iam_keys("AGENCYKEY", &world.at(HOUR))}));
        Mock::given(path(TEMPORARY_KEYS)).respond_with(answer).mount(&world.server).await;
        let base = Credentials::keys("BASEKEY", "base-secret");
        let provider = Agency::by_name(base, "ops", Account::Id("account-id".into()))
            .duration(Duration::from_secs(1800))
            .session_name("deploy");
        let found = world.client(provider, &[]).credentials().await.unwrap();
        assert_eq!(keys(&found).access_key, "AGENCYKEY");
        assert_eq!(found.origin, "agency ops, assumed with: given by the program");
        let request = &world.requests().await[0];
        wiremock_fixtures::verify_signature(request, "base-secret").unwrap();
        assert!(request.headers["authorization"].to_str().unwrap().contains("Access=BASEKEY,"));
        assert_eq!(
            world.bodies().await[0],
            json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": {"agency_name": "ops",
                "domain_id": "account-id", "duration_seconds": 1800, "session_user": {"name": "deploy"}}}}})
        );
    }

    #[tokio::test]
    async fn a_token_serves_as_well_and_the_base_is_asked_again_for_each_renewal() {
        let world = World::new().await;
        Mock::given(path(TOKENS))
            .respond_with(user_token("t", "base-project", &world.at(DAY)))
            .mount(&world.server)
            .await;
        let answer =
            ResponseTemplate::new(201).set_body_json(json!({"credential": iam_keys("AGENCYKEY", &world.at(HOUR))}));
        Mock::given(path(TEMPORARY_KEYS))
            .and(header("x-auth-token", "t"))
            .respond_with(answer)
            .mount(&world.server)
            .await;
        let base = Password::new("user", HIDDEN, "account");
        let client = world.client(Agency::by_name(base, "ops", Account::Name("partner".into())), &[]);
        assert_eq!(client.credentials().await.unwrap().project_id, None, "the base's project is of another account");
        world.pass(HOUR);
        client.credentials().await.unwrap();
        assert_eq!(world.requests().await.len(), 4);
    }

    #[tokio::test]
    async fn an_agency_by_urn_is_assumed_by_sts_and_needs_keys() {
        let world = World::new().await;
        let answer = ResponseTemplate::new(200).set_body_json(sts_keys("STSKEY", &world.at(HOUR)));
        Mock::given(path("/v5/agencies/assume")).respond_with(answer).mount(&world.server).await;
        let base = Credentials::keys("BASEKEY", "base-secret");
        let provider = Agency::by_urn(base, "iam::1:agency:ops").project_id("p");
        let found = world.client(provider, &[]).credentials().await.unwrap();
        assert_eq!((keys(&found).access_key.as_str(), found.project_id.as_deref()), ("STSKEY", Some("p")));
        wiremock_fixtures::verify_signature(&world.requests().await[0], "base-secret").unwrap();
        let expected = json!({"agency_urn": "iam::1:agency:ops", "agency_session_name": "csms-sdk"});
        assert_eq!(world.bodies().await[0], expected);
        let error = broken(Agency::by_urn(Credentials::token(HIDDEN), "iam::1:agency:ops"), &[]).await;
        assert!(error.message().starts_with("STS takes keys"), "{error}");
    }
}

mod keeping_fresh {
    use super::*;

    /// A source that counts how often it is asked, and fails when told to.
    #[derive(Debug, Default)]
    struct Source {
        asked: AtomicUsize,
        fails: AtomicBool,
        /// Seconds the keys live.
        life: u64,
    }

    impl Source {
        fn living(life: u64) -> Arc<Self> {
            Arc::new(Self { life, ..Self::default() })
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    impl ProvideCredentials for Source {
        fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
            Box::pin(async move {
                let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
                // Long enough for all others to come and wait.
                tokio::time::sleep(Duration::from_millis(50)).await;
                if self.fails.load(Ordering::SeqCst) {
                    return Err(ProvideError::broken(format!("failure {number}")));
                }
                let end = context.now() + Duration::from_secs(self.life);
                let keys = AccessKeys::new(format!("KEY{number}"), HIDDEN).with_expiry(end.into());
                Ok(Provided::new(keys, "test"))
            })
        }
    }

    /// The outcomes of so many tasks that want credentials at the same time.
    async fn together(client: &Client, tasks: usize) -> Vec<Result<Provided, Error>> {
        let tasks: Vec<_> = (0..tasks)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.credentials().await })
            })
            .collect();
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    }

    async fn key(client: &Client) -> String {
        keys(&client.credentials().await.unwrap()).access_key.clone()
    }

    #[tokio::test]
    async fn two_hundred_tasks_on_a_cold_cache_make_one_request() {
        let world = World::new().await;
        world.metadata().await;
        let client = world.client(ServerMetadata::at(world.server.uri()), &[]);
        let outcomes = together(&client, 200).await;
        assert!(outcomes.iter().all(|outcome| keys(outcome.as_ref().unwrap()).access_key == "METADATAKEY"));
        assert_eq!(world.requests().await.len(), 2, "one for the metadata token, one for the keys");
    }

    #[tokio::test]
    async fn a_failure_is_shared_by_those_who_wait_and_forgotten_afterwards() {
        let (world, source) = (World::new().await, Source::living(DAY));
        let client = world.client(Arc::clone(&source), &[]);
        source.fails.store(true, Ordering::SeqCst);
        let outcomes = together(&client, 200).await;
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().unwrap_err().message() == "failure 1"));
        assert_eq!(source.asked(), 1);
        assert_eq!(client.credentials().await.unwrap_err().message(), "failure 2");
        source.fails.store(false, Ordering::SeqCst);
        assert_eq!(key(&client).await, "KEY3");
    }

    #[tokio::test]
    async fn credentials_are_renewed_before_they_expire() {
        let (world, source) = (World::new().await, Source::living(DAY));
        let client = world.client(Arc::clone(&source), &[]);
        assert_eq!(key(&client).await, "KEY1");
        world.pass(DAY - 45 * 60);
        assert_eq!(key(&client).await, "KEY1", "more than forty minutes and a tenth are left");
        world.pass(5 * 60);
        assert_eq!(key(&client).await, "KEY2");
        assert_eq!(source.asked(), 2);
    }

    #[tokio::test]
    async fn short_lived_credentials_serve_for_most_of_their_life() {
        let (world, source) = (World::new().await, Source::living(900));
        let client = world.client(Arc::clone(&source), &[]);
        assert_eq!(key(&client).await, "KEY1");
        world.pass(600);
        assert_eq!(key(&client).await, "KEY1");
        world.pass(80);
        assert_eq!(key(&client).await, "KEY2");
    }

    #[tokio::test]
    async fn keys_that_are_still_valid_serve_on_while_renewing_fails() {
        let (world, source) = (World::new().await, Source::living(DAY));
        let client = world.client(Arc::clone(&source), &[]);
        assert_eq!(key(&client).await, "KEY1");
        source.fails.store(true, Ordering::SeqCst);
        world.pass(DAY - 30 * 60);
        assert_eq!(key(&client).await, "KEY1");
        assert_eq!(key(&client).await, "KEY1");
        assert_eq!(source.asked(), 2, "not tried again at once");
        world.pass(30);
        assert_eq!(key(&client).await, "KEY1");
        assert_eq!(source.asked(), 3);
        world.pass(30 * 60);
        assert_eq!(client.credentials().await.unwrap_err().message(), "failure 4", "now they have expired");
    }

    #[tokio::test]
    async fn one_task_renews_while_the_others_go_on() {
        let (world, source) = (World::new().await, Source::living(DAY));
        let client = world.client(Arc::clone(&source), &[]);
        assert_eq!(key(&client).await, "KEY1");
        world.pass(DAY - 30 * 60);
        let outcomes = together(&client, 200).await;
        let renewed = outcomes.iter().filter(|outcome| keys(outcome.as_ref().unwrap()).access_key == "KEY2").count();
        assert_eq!((source.asked(), renewed), (2, 1));
    }
}
