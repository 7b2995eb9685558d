//! The configuration file of KooCLI (`hcloud`).

use serde_json::Value as Json;

use super::{
    AccessKeys, Account, Agency, BoxFuture, Context, Credentials, ProvideCredentials, ProvideError, ProvideResult,
    Provided, ServerMetadata, key_file::KeyFile,
};
use crate::{
    env::Env,
    error::{Error, ErrorKind},
    secret::{SecretBytes, SecretJson},
};

const FILE: &str = "HW_SHARED_CONFIG_FILE";
const PROFILE: &str = "HW_PROFILE";

/// A profile of KooCLI (`hcloud`), from the file that `HW_SHARED_CONFIG_FILE` names, else `~/.hcloud/config.json`.
///
/// The profile is the one given to [`profile`](KooCli::profile), else that of `HW_PROFILE`, else the file's current one.
/// By its mode: `AKSK` reads keys, `SSO` the keys of the last login, `AssumeRole` and `agency` read keys and the
/// [agency](Agency) to assume with them, `ecsAgency` asks the [server's metadata](ServerMetadata). It names the region of
/// clients that were given none, and the project in that region.
///
/// KooCLI encrypts the keys in its file unless told otherwise, in a way only it knows.
///
/// *Not configured* when the usual file is missing or another user's, or the profile has no keys. *Broken* when a file or
/// profile that was named is missing, when the keys are encrypted, when everybody can read or change the file, and in
/// any other mode. Agencies are renewed. Keys are read once; those of an SSO login do not say when they expire.
#[derive(Clone, Debug, Default)]
pub struct KooCli {
    profile: Option<String>,
    metadata: ServerMetadata,
}

impl KooCli {
    /// This profile, whatever is current.
    pub fn profile(name: impl Into<String>) -> Self {
        Self { profile: Some(name.into()), ..Self::default() }
    }

    /// The names of all profiles in the file; none where it cannot be read.
    #[must_use]
    pub fn names(env: &Env) -> Vec<String> {
        let config = Self::file(env).ok().and_then(|file| parse(&std::fs::read(file.path).ok()?.into()));
        let profiles = config.as_ref().and_then(|config| config.expose_secret()["profiles"].as_array());
        profiles.into_iter().flatten().filter_map(|profile| text(profile, "name")).map(str::to_owned).collect()
    }

    fn file(env: &Env) -> Result<KeyFile, ProvideError> {
        KeyFile::locate(env, FILE, ".hcloud/config.json")
    }

    /// Looks at the file alone, without asking anybody; whether its group can read it.
    pub(super) async fn inspect(&self, env: &Env) -> Result<(String, bool), ProvideError> {
        let file = Self::file(env)?;
        let (bytes, is_open_to_group) = file.inspect().await?;
        let Some(config) = parse(&bytes) else {
            return Err(ProvideError::broken(format!("{} is not JSON", file.shown)));
        };
        if let Some(profile) = Profile::find(config.expose_secret(), self.named(env).as_deref()) {
            profile.keys(config.expose_secret(), &format!("{} (profile {})", file.shown, profile.name))?;
        }
        Ok((file.shown, is_open_to_group))
    }

    /// The profile's name, if it was not left to the file.
    fn named(&self, env: &Env) -> Option<String> {
        self.profile.clone().or_else(|| env.get(PROFILE))
    }
}

impl ProvideCredentials for KooCli {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let env = context.env();
            let file = Self::file(env)?;
            let Some(config) = parse(&file.read().await?) else {
                return Err(ProvideError::broken(format!("{} is not JSON", file.shown)));
            };
            let named = self.named(env);
            let Some(profile) = Profile::find(config.expose_secret(), named.as_deref()) else {
                return Err(match named {
                    Some(name) => ProvideError::broken(format!("{} has no profile {name}", file.shown)),
                    None => ProvideError::NotConfigured(format!("{}: no profile", file.shown)),
                });
            };
            let place = format!("{} (profile {})", file.shown, profile.name);
            let mode = profile.mode();
            let provided = match mode {
                "AKSK" | "SSO" | "AssumeRole" | "agency" => {
                    let Some(keys) = profile.keys(config.expose_secret(), &place)? else {
                        return Err(ProvideError::NotConfigured(format!("{place}: no keys")));
                    };
                    match profile.agency(matches!(mode, "AssumeRole" | "agency"), &place)? {
                        Some((name, account)) => {
                            Agency::by_name(Credentials::from(keys), name, account).provide(context).await?
                        }
                        None => Provided::new(keys, ""),
                    }
                }
                "ecsAgency" => match self.metadata.provide(context).await {
                    Err(ProvideError::NotConfigured(reason)) => {
                        return Err(ProvideError::broken(format!("{place} relies on the server's agency: {reason}")));
                    }
                    outcome => outcome?,
                },
                _ => return Err(ProvideError::broken(format!("{place}: the mode {mode} is not supported"))),
            };
            // The project belongs to the profile's region, which need not be the client's.
            let here = profile.text("region").is_none_or(|region| Some(region) == context.region());
            let project_id = profile.text("projectId").filter(|_| here).map(str::to_owned);
            Ok(Provided { origin: place, ..provided }.with_project_id(project_id))
        })
    }

    fn region(&self, env: &Env) -> Option<String> {
        // Whatever is wrong with the file is told when its keys are wanted.
        let file = Self::file(env).ok()?;
        let config = parse(&std::fs::read(file.path).ok()?.into())?;
        let named = self.named(env);
        let profile = Profile::find(config.expose_secret(), named.as_deref())?;
        profile.text("region").map(str::to_owned)
    }
}

fn parse(bytes: &SecretBytes) -> Option<SecretJson> {
    serde_json::from_slice::<Json>(bytes.expose_secret()).ok().map(SecretJson::from)
}

struct Profile<'a> {
    name: &'a str,
    json: &'a Json,
}

impl<'a> Profile<'a> {
    fn find(config: &'a Json, named: Option<&'a str>) -> Option<Self> {
        let name = named.or_else(|| text(config, "current")).unwrap_or("default");
        let profiles = config["profiles"].as_array()?;
        let json = profiles.iter().find(|profile| text(profile, "name") == Some(name))?;
        Some(Self { name, json })
    }

    fn text(&self, member: &str) -> Option<&'a str> {
        text(self.json, member)
    }

    fn mode(&self) -> &'a str {
        self.text("mode").unwrap_or("AKSK")
    }

    /// The keys; `None` when there are none.
    fn keys(&self, config: &Json, place: &str) -> Result<Option<AccessKeys>, ProvideError> {
        let holder = if self.mode() == "SSO" { &self.json["ssoAuth"]["stsToken"] } else { self.json };
        keys(holder, &config["authEncrypt"], place)
    }

    /// The agency to assume, and the account that made it.
    fn agency(&self, required: bool, place: &str) -> Result<Option<(&'a str, Account)>, ProvideError> {
        let id = self.text("agencyDomainId").map(|id| Account::Id(id.to_owned()));
        let account = id.or_else(|| self.text("agencyDomainName").map(|name| Account::Name(name.to_owned())));
        match (self.text("agencyName"), account) {
            (Some(name), Some(account)) => Ok(Some((name, account))),
            (None, None) if !required => Ok(None),
            _ => Err(ProvideError::broken(format!("{place}: agencyName and agencyDomainName go together"))),
        }
    }
}

/// The keys; `None` when there are none.
fn keys(holder: &Json, encrypt: &Json, place: &str) -> Result<Option<AccessKeys>, ProvideError> {
    let (access_key, secret_key) = match (text(holder, "accessKeyId"), text(holder, "secretAccessKey")) {
        (Some(access_key), Some(secret_key)) => (access_key, secret_key),
        (None, None) => return Ok(None),
        _ => return Err(ProvideError::broken(format!("{place}: accessKeyId and secretAccessKey go together"))),
    };
    let says_so =
        encrypt.as_bool().unwrap_or(false) || encrypt.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if says_so || !looks_like_a_key_id(access_key) {
        let error = Error::new(
            ErrorKind::Credentials,
            format!("{place}: KooCLI has encrypted the keys, and only it can read them"),
        )
        .with_help("run `hcloud configure set --cli-auth-encrypt=false`, or name the keys in another way");
        return Err(error.into());
    }
    let keys = AccessKeys::new(access_key, secret_key);
    Ok(Some(match text(holder, "securityToken") {
        Some(token) => keys.with_security_token(token),
        None => keys,
    }))
}

/// Key ids are capital letters and digits. What encryption makes of them is not.
fn looks_like_a_key_id(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A member that is a text and not empty.
fn text<'a>(json: &'a Json, member: &str) -> Option<&'a str> {
    json[member].as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use serde_json::json;
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

    use super::*;
    use crate::Client;

    #[tokio::test]
    async fn the_servers_agency_is_asked_for_where_the_profile_says_so() {
        let server = MockServer::start().await;
        let file = std::env::temp_dir().join(format!("csms-koocli-{}.json", std::process::id()));
        let config = json!({"profiles": [{"name": "default", "mode": "ecsAgency", "region": "cn-north-4"}]});
        std::fs::write(&file, config.to_string()).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let provider = KooCli { metadata: ServerMetadata::at(server.uri()), ..KooCli::default() };
        let env = Env::from_pairs([(FILE, file.to_str().unwrap())]);
        let client = Client::builder().env(env).credentials(provider).build().unwrap();

        let error = client.credentials().await.unwrap_err();
        assert!(
            error.message().contains("relies on the server's agency: server metadata: it knows no keys"),
            "{error}"
        );
        let keys = json!({"credential": {"access": "AK", "secret": "hidden", "securitytoken": "t"}});
        let answer = ResponseTemplate::new(200).set_body_json(keys);
        Mock::given(path("/openstack/latest/securitykey")).respond_with(answer).mount(&server).await;
        let provided = client.credentials().await.unwrap();
        assert!(provided.origin.ends_with("(profile default)"), "{provided:?}");
        assert_eq!(client.region(), Some("cn-north-4"));
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn encrypted_keys_are_recognised_by_the_flag_and_by_their_looks() {
        let plain = json!({"accessKeyId": "FIXTUREACCESSKEY0001", "secretAccessKey": "hidden"});
        let odd = json!({"accessKeyId": "kJ8s+Xw0Zm5vRg==", "secretAccessKey": "hidden"});
        assert!(keys(&plain, &json!("false"), "f").unwrap().is_some());
        assert!(keys(&plain, &Json::Null, "f").unwrap().is_some());
        for (holder, encrypt) in
            [(&plain, json!("true")), (&plain, json!(true)), (&odd, json!("false")), (&odd, Json::Null)]
        {
            let Err(ProvideError::Broken(error)) = keys(holder, &encrypt, "f") else { panic!("{encrypt}") };
            assert!(error.help().unwrap().contains("hcloud configure set --cli-auth-encrypt=false"));
            assert!(!format!("{error:?}").contains("hidden"));
        }
    }

    #[test]
    fn the_current_profile_is_taken_unless_another_is_named() {
        let config = json!({"current": "b", "profiles": [{"name": "a"}, {"name": "b"}, {"name": "default"}]});
        assert_eq!(Profile::find(&config, None).unwrap().name, "b");
        assert_eq!(Profile::find(&config, Some("a")).unwrap().name, "a");
        assert!(Profile::find(&config, Some("c")).is_none());
        assert_eq!(Profile::find(&json!({"profiles": [{"name": "default"}]}), None).unwrap().name, "default");
        assert!(Profile::find(&json!([]), None).is_none());
    }
}
