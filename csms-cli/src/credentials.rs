//! As whom to call: variables of this program, the profile in use, or what the SDK finds.

use std::{fmt, sync::Arc};

use csms_sdk::{
    SecretString,
    credentials::{
        AccessKeys, BoxFuture, Chain, Context, Credentials, Environment, Federated, KooCli, Oidc, ProvideCredentials,
        ProvideError, ProvideResult, UserToken, default_chain,
    },
};

use crate::{
    config::{Chosen, Profile},
    error::{Exit, Failure},
    settings::variable,
};

/// Who says as whom to call. A profile that is named for this call comes first; one that is always in use comes after
/// variables and before the files of other programs.
pub(crate) fn provider(chosen: Option<&Chosen>) -> Result<Arc<dyn ProvideCredentials>, Failure> {
    let of_profile = match chosen {
        Some(Chosen { profile: Some(profile), .. }) => profile.provider()?,
        Some(Chosen { name, .. }) => Some(elsewhere(&name.value)),
        None => None,
    };
    let is_named = chosen.is_some_and(|chosen| chosen.is_named);
    Ok(match (of_profile, is_named) {
        (Some(provider), true) => provider,
        (of_profile, _) => match (variables()?, of_profile) {
            (Some(variables), _) => Arc::new(variables),
            (None, Some(provider)) => chain([Arc::new(Environment), Arc::new(Oidc), provider]),
            (None, None) => Arc::new(default_chain()),
        },
    })
}

/// A profile that `config.toml` does not have.
fn elsewhere(name: &str) -> Arc<dyn ProvideCredentials> {
    let absent = Absent(format!("config.toml has no profile {name}"));
    chain([Arc::new(absent), Arc::new(KooCli::profile(name))])
}

fn chain<const LENGTH: usize>(providers: [Arc<dyn ProvideCredentials>; LENGTH]) -> Arc<dyn ProvideCredentials> {
    Arc::new(Chain::new(providers))
}

/// Credentials in `CSMS_*` variables. All parts of them come from there or none does.
fn variables() -> Result<Option<Named>, Failure> {
    let names = ["CSMS_ACCESS_KEY", "CSMS_SECRET_KEY", "CSMS_SECURITY_TOKEN", "CSMS_AUTH_TOKEN"];
    let mut values = [const { None }; 4];
    for (value, name) in values.iter_mut().zip(names) {
        *value = variable(name)?.map(|setting| SecretString::from(setting.value));
    }
    let assembled = assemble(names, values)?;
    Ok(assembled.map(|(credentials, name)| Named::new(credentials, format!("environment ({name})"))))
}

impl Profile {
    /// Whoever the profile calls as, if it says so.
    pub(crate) fn provider(&self) -> Result<Option<Arc<dyn ProvideCredentials>>, Failure> {
        let value = |name| self.credential(name).cloned();
        let named = |name: &str| format!("{name} of {}", self.origin);
        let names = ["access_key", "secret_key", "security_token", "auth_token"];
        let labels = names.map(named);
        let given = assemble(labels.each_ref().map(String::as_str), names.map(value))?;
        let login = match (value("idp_id"), value("id_token_file")) {
            (Some(idp_id), Some(file)) => Some((idp_id, file)),
            (None, None) => None,
            (Some(_), None) => return Err(lacks(&named("idp_id"), &named("id_token_file"))),
            (None, Some(_)) => return Err(lacks(&named("id_token_file"), &named("idp_id"))),
        };
        let provider: Arc<dyn ProvideCredentials> = match (given, login) {
            (Some(_), Some(_)) => return Err(unclear(&named("idp_id"), "keys or a token")),
            (Some((credentials, _)), None) => Arc::new(credentials),
            (None, Some((idp_id, file))) => {
                let login = Federated::new(idp_id.expose_secret(), file.expose_secret());
                Arc::new(match self.setting("project") {
                    Some(project) => login.project_id(project.value),
                    None => login,
                })
            }
            (None, None) => return Ok(None),
        };
        let [region, project] = ["region", "project"].map(|name| Some(self.setting(name)?.value));
        Ok(Some(Arc::new(Named { provider, origin: self.origin.clone(), region, project, is_regional: true })))
    }
}

/// Keys or a token, and the name of what told. `names` are those of access key, secret key, security token and token.
fn assemble(names: [&str; 4], values: [Option<SecretString>; 4]) -> Result<Option<(Credentials, &str)>, Failure> {
    let [access, secret, security, token] = names;
    match values {
        [Some(_), .., Some(_)] => Err(unclear(access, token)),
        [Some(access_key), Some(secret_key), security_token, None] => {
            let keys = AccessKeys::new(access_key.expose_secret(), secret_key);
            let keys = match security_token {
                Some(token) => keys.with_security_token(token),
                None => keys,
            };
            Ok(Some((keys.into(), access)))
        }
        [Some(_), None, ..] => Err(lacks(access, secret)),
        [None, Some(_), ..] => Err(lacks(secret, access)),
        [None, None, Some(_), _] => Err(lacks(security, access)),
        [None, None, None, Some(value)] => Ok(Some((UserToken::new(value).into(), token))),
        [None, None, None, None] => Ok(None),
    }
}

fn lacks(present: &str, missing: &str) -> Failure {
    Failure::new(Exit::Credentials, "credentials", format!("{present} is set and {missing} is not"))
        .cause("access key and secret key have to come from one place; nothing was sent")
        .hint(format!("set {missing} as well, or unset {present}"))
}

fn unclear(one: &str, other: &str) -> Failure {
    Failure::new(Exit::Credentials, "credentials", format!("{one} and {other} are both set"))
        .cause("it is not clear who is calling; nothing was sent")
        .hint("unset one of them")
}

/// Credentials, and who named them.
pub(crate) struct Named {
    provider: Arc<dyn ProvideCredentials>,
    origin: String,
    region: Option<String>,
    project: Option<String>,
    /// Whether they are good in one project, and so in its region, only.
    is_regional: bool,
}

impl Named {
    pub(crate) fn new(credentials: Credentials, origin: String) -> Self {
        let is_regional = matches!(credentials, Credentials::Token(_));
        Self { provider: Arc::new(credentials), origin, region: None, project: None, is_regional }
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl ProvideCredentials for Named {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let mut provided = self.provider.provide(context).await?;
            provided.origin.clone_from(&self.origin);
            // The project belongs to the region that is named with it, which need not be the client's.
            let is_here = self.region.is_none() || self.region.as_deref() == context.region();
            let project = self.project.clone().filter(|_| is_here);
            provided.project_id = provided.project_id.or(project);
            Ok(provided)
        })
    }

    fn is_regional(&self) -> bool {
        self.is_regional
    }
}

/// A place that has nothing.
struct Absent(String);

impl fmt::Debug for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ProvideCredentials for Absent {
    fn provide<'a>(&'a self, _: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async { Err(ProvideError::NotConfigured(self.0.clone())) })
    }
}
