//! Environment variables: those of the official SDKs, of Terraform, and of OpenStack.

use std::{sync::Arc, time::Duration};

use url::Url;

use super::{
    AccessKeys, Account, Agency, BoxFuture, Context, Credentials, Federated, Password, ProvideCredentials,
    ProvideError, ProvideResult, UserToken,
};
use crate::env::Env;

/// Credentials in environment variables.
///
/// Three families are looked at in this order, and the first in which anything is set decides:
///
/// 1. The official SDKs': `HUAWEICLOUD_SDK_IDP_ID` with `…_ID_TOKEN_FILE` ([federated login](Federated)), else
///    `HUAWEICLOUD_SDK_AK` with `…_SK` and perhaps `…_SECURITY_TOKEN`; `…_PROJECT_ID`.
/// 2. Terraform's: `HW_AUTH_TOKEN` (a user token), else `HW_ACCESS_KEY` with `HW_SECRET_KEY` and perhaps
///    `HW_SECURITY_TOKEN`, else `HW_USER_NAME` with `HW_USER_PASSWORD` and `HW_DOMAIN_NAME` ([password](Password));
///    `HW_PROJECT_ID`, and for a password `HW_PROJECT_NAME`.
/// 3. OpenStack's: `OS_AUTH_TOKEN`, else `OS_ACCESS_KEY` with `OS_SECRET_KEY`, else `OS_USERNAME` with `OS_PASSWORD` and
///    `OS_DOMAIN_NAME`, `OS_USER_DOMAIN_NAME` or `OS_PROJECT_DOMAIN_NAME`; `OS_PROJECT_ID` or `OS_TENANT_ID`, and
///    for a password `OS_PROJECT_NAME` or `OS_TENANT_NAME`.
///
/// Nothing is mixed: the parts of a key, its security token and its project come from one family. A password or token
/// next to an `HW_AUTH_URL` or `OS_AUTH_URL` that names the IAM of another cloud is passed over, because it would be
/// given away to this one.
///
/// With `HW_ASSUME_ROLE_AGENCY_NAME` and `HW_ASSUME_ROLE_DOMAIN_NAME` or `…_DOMAIN_ID`, what was found serves to assume
/// that [agency](Agency), for `HW_ASSUME_ROLE_DURATION` seconds (900 to 86400, default 900); the project is then one of
/// the delegating account.
///
/// *Not configured* when none of this is set. *Broken* when a part lacks its counterpart (a key without its secret key, a
/// security token without keys, an agency without anything to assume it with), and when IAM refuses. Keys and given
/// tokens are read once, the rest is renewed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Environment;

/// Names of variables that go together.
struct Family {
    access_key: &'static str,
    secret_key: &'static str,
    security_token: Option<&'static str>,
    project_id: &'static [&'static str],
    /// Identity provider and token file.
    federation: Option<[&'static str; 2]>,
    login: Option<Login>,
}

/// Names of variables for IAM users.
struct Login {
    token: &'static str,
    user: &'static str,
    password: &'static str,
    account: &'static [&'static str],
    project_name: &'static [&'static str],
    iam: &'static str,
}

const FAMILIES: [Family; 3] = [
    Family {
        access_key: "HUAWEICLOUD_SDK_AK",
        secret_key: "HUAWEICLOUD_SDK_SK",
        security_token: Some("HUAWEICLOUD_SDK_SECURITY_TOKEN"),
        project_id: &["HUAWEICLOUD_SDK_PROJECT_ID"],
        federation: Some(["HUAWEICLOUD_SDK_IDP_ID", "HUAWEICLOUD_SDK_ID_TOKEN_FILE"]),
        login: None,
    },
    Family {
        access_key: "HW_ACCESS_KEY",
        secret_key: "HW_SECRET_KEY",
        security_token: Some("HW_SECURITY_TOKEN"),
        project_id: &["HW_PROJECT_ID"],
        federation: None,
        login: Some(Login {
            token: "HW_AUTH_TOKEN",
            user: "HW_USER_NAME",
            password: "HW_USER_PASSWORD",
            account: &["HW_DOMAIN_NAME"],
            project_name: &["HW_PROJECT_NAME"],
            iam: "HW_AUTH_URL",
        }),
    },
    Family {
        access_key: "OS_ACCESS_KEY",
        secret_key: "OS_SECRET_KEY",
        security_token: None,
        project_id: &["OS_PROJECT_ID", "OS_TENANT_ID"],
        federation: None,
        login: Some(Login {
            token: "OS_AUTH_TOKEN",
            user: "OS_USERNAME",
            password: "OS_PASSWORD",
            account: &["OS_DOMAIN_NAME", "OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"],
            project_name: &["OS_PROJECT_NAME", "OS_TENANT_NAME"],
            iam: "OS_AUTH_URL",
        }),
    },
];

const AGENCY: &str = "HW_ASSUME_ROLE_AGENCY_NAME";
const AGENCY_ACCOUNT: &str = "HW_ASSUME_ROLE_DOMAIN_NAME";
const AGENCY_ACCOUNT_ID: &str = "HW_ASSUME_ROLE_DOMAIN_ID";
const AGENCY_DURATION: &str = "HW_ASSUME_ROLE_DURATION";

/// What a family offers.
struct Found {
    provider: Arc<dyn ProvideCredentials>,
    /// The variable to name when people ask.
    variable: &'static str,
    project_id: Option<String>,
    /// Whether IAM or the service gets to see a secret of it: a password or a token.
    is_shown: bool,
}

impl ProvideCredentials for Environment {
    fn provide<'a>(&'a self, context: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async move {
            let env = context.env();
            let assume = env.get(AGENCY);
            let Found { provider, variable, project_id, .. } = find(context, assume.is_none())?;
            let Some(agency) = assume else {
                let mut provided = provider.provide(context).await?;
                provided.origin = format!("environment ({variable})");
                provided.project_id = provided.project_id.or(project_id);
                return Ok(provided);
            };
            let mut agency = Agency::by_name(provider, agency, account(env)?);
            agency = match duration(env)? {
                Some(duration) => agency.duration(duration),
                None => agency,
            };
            let mut provided = agency.provide(context).await?;
            provided.origin = format!("environment ({AGENCY} with {variable})");
            provided.project_id = project_id;
            Ok(provided)
        })
    }

    fn is_regional(&self) -> bool {
        true
    }
}

/// The first family in which anything is set. The project is one of its own account when it calls itself.
fn find(context: &Context<'_>, calls_itself: bool) -> Result<Found, ProvideError> {
    let env = context.env();
    let mut passed_over = String::new();
    for family in &FAMILIES {
        let found = family.find(env, calls_itself)?;
        let iam = family.login.as_ref().and_then(|login| Some((login.iam, env.get(login.iam)?)));
        match (found, iam) {
            (Some(found), Some((variable, url))) if found.is_shown && !is_same_cloud(&url, context.iam_endpoint()) => {
                tracing::debug!(variable, "names the IAM of another cloud, so its family is passed over");
                passed_over = format!("; {variable} names the IAM of another cloud");
            }
            (Some(found), _) => return Ok(found),
            (None, _) => {}
        }
    }
    if env.get(AGENCY).is_some() {
        return Err(ProvideError::broken(format!("{AGENCY} is set, and nothing to assume the agency with")));
    }
    let reason = format!("environment: no HUAWEICLOUD_SDK_AK, HW_ACCESS_KEY or OS_ACCESS_KEY{passed_over}");
    Err(ProvideError::NotConfigured(reason))
}

impl Family {
    fn find(&self, env: &Env, calls_itself: bool) -> Result<Option<Found>, ProvideError> {
        let project_id = env.first(self.project_id).map(|(_, id)| id);
        let own_project = project_id.clone().filter(|_| calls_itself);
        let found = |provider: Arc<dyn ProvideCredentials>, variable, is_shown| {
            Ok(Some(Found { provider, variable, project_id: project_id.clone(), is_shown }))
        };
        let federation = self.federation.map(|names| (names, names.map(|name| env.get(name))));
        if let Some((names, [Some(idp_id), Some(token_file)])) = &federation {
            let mut login = Federated::new(idp_id, token_file);
            if let Some(project_id) = own_project {
                login = login.project_id(project_id);
            }
            return found(Arc::new(login), names[0], true);
        }
        let keys = self.keys(env)?;
        let token = self.login.as_ref().and_then(|login| Some((login.token, env.get(login.token)?)));
        if let Some((name, token)) = token {
            return found(Arc::new(Credentials::from(UserToken::new(token))), name, true);
        }
        if let Some(keys) = keys {
            return found(Arc::new(Credentials::from(keys)), self.access_key, false);
        }
        match federation {
            Some((names, [Some(_), None])) => return Err(without(names[0], names[1])),
            Some((names, [None, Some(_)])) => return Err(without(names[1], names[0])),
            _ => {}
        }
        match &self.login {
            Some(login) => match login.password(env, own_project)? {
                Some(password) => found(Arc::new(password), login.user, true),
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    fn keys(&self, env: &Env) -> Result<Option<AccessKeys>, ProvideError> {
        let token = self.security_token.and_then(|name| Some((name, env.get(name)?)));
        match (env.get(self.access_key), env.get(self.secret_key), token) {
            (Some(access_key), Some(secret_key), None) => Ok(Some(AccessKeys::new(access_key, secret_key))),
            (Some(access_key), Some(secret_key), Some((_, token))) => {
                Ok(Some(AccessKeys::new(access_key, secret_key).with_security_token(token)))
            }
            (Some(_), None, _) => Err(without(self.access_key, self.secret_key)),
            (None, Some(_), _) => Err(without(self.secret_key, self.access_key)),
            (None, None, Some((name, _))) => Err(without(name, self.access_key)),
            (None, None, None) => Ok(None),
        }
    }
}

impl Login {
    fn password(&self, env: &Env, project_id: Option<String>) -> Result<Option<Password>, ProvideError> {
        let account = env.first(self.account).map(|(_, account)| account);
        let mut login = match (env.get(self.user), env.get(self.password), account) {
            (Some(user), Some(password), Some(account)) => Password::new(user, password, account),
            (None, None, _) => return Ok(None),
            (None, Some(_), _) => return Err(without(self.password, self.user)),
            (Some(_), None, _) => return Err(without(self.user, self.password)),
            (Some(_), Some(_), None) => return Err(without(self.user, self.account[0])),
        };
        if let Some(project_id) = project_id {
            login = login.project_id(project_id);
        }
        if let Some((_, name)) = env.first(self.project_name) {
            login = login.project_name(name);
        }
        Ok(Some(login))
    }
}

fn without(there: &str, missing: &str) -> ProvideError {
    ProvideError::broken(format!("{there} is set without {missing}; the two are never taken from different places"))
}

fn account(env: &Env) -> Result<Account, ProvideError> {
    let name = env.get(AGENCY_ACCOUNT).map(Account::Name);
    name.or_else(|| env.get(AGENCY_ACCOUNT_ID).map(Account::Id))
        .ok_or_else(|| ProvideError::broken(format!("{AGENCY} is set without {AGENCY_ACCOUNT} or {AGENCY_ACCOUNT_ID}")))
}

fn duration(env: &Env) -> Result<Option<Duration>, ProvideError> {
    let Some(text) = env.get(AGENCY_DURATION) else { return Ok(None) };
    match text.parse() {
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds))),
        Err(_) => Err(ProvideError::broken(format!("{AGENCY_DURATION} is no number of seconds"))),
    }
}

/// Whether an IAM address of the user's belongs to the cloud of the client's IAM: the same host, or another region's
/// `iam.<region>.<cloud>`.
fn is_same_cloud(url: &str, ours: Option<&Url>) -> bool {
    let Ok(theirs) = Url::parse(url) else { return false };
    let (Some(theirs), Some(ours)) = (theirs.host_str(), ours.and_then(Url::host_str)) else { return false };
    let clouds = |host| {
        let rest = str::strip_prefix(host, "iam.").unwrap_or_default();
        let (_, shorter) = rest.split_once('.').unwrap_or_default();
        [rest, shorter].map(|cloud| Some(cloud).filter(|cloud| cloud.contains('.')))
    };
    let (theirs_of, ours_of) = (clouds(theirs), clouds(ours));
    theirs == ours || theirs_of.iter().flatten().any(|cloud| ours_of.contains(&Some(*cloud)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn the_iam_of_another_region_is_of_the_same_cloud_and_that_of_another_cloud_is_not() {
        let ours = Url::parse("https://iam.cn-north-4.myhuaweicloud.com").unwrap();
        let same = |url| is_same_cloud(url, Some(&ours));
        assert!(same("https://iam.cn-north-4.myhuaweicloud.com:443/v3"));
        assert!(same("https://iam.ap-southeast-1.myhuaweicloud.com/v3"));
        assert!(same("https://iam.myhuaweicloud.com/v3"));
        for other in ["https://iam.eu-west-101.myhuaweicloud.eu/v3", "https://keystone.example.com:5000/v3", "iam", ""]
        {
            assert!(!same(other), "{other}");
        }
        assert!(!is_same_cloud("https://iam.other.com", Some(&Url::parse("https://iam.one.com").unwrap())));
    }
}
