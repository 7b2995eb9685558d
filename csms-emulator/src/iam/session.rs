//! What is issued and expires: tokens and temporary keys.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{
    codes::{invalid, not_found},
    directory::{Account, Agency, Directory, User, derived_id, token_id},
    oidc::{Claims, Provider},
};
use crate::{
    agenda::Errand,
    auth::{Identity, Reach},
    call::Call,
    clock::{DAY, Millis},
    crypto::random,
    fault::Fault,
    secret::Text,
    world::World,
};

/// How long tokens last.
const TOKEN_LIFE: Millis = DAY;

/// How long after its end a session is remembered, so that it can be told from one that never was.
const REMEMBERED: Millis = DAY;

/// Something that was issued and expires. Has no `Debug`: it holds secrets.
#[derive(Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) issued: Millis,
    pub(crate) expires: Millis,
    pub(crate) principal: Principal,
    /// How its holder proved itself, as tokens show it.
    pub(crate) methods: Vec<String>,
    /// Where it is good; `None` for a token without scope.
    pub(crate) scope: Option<Scope>,
    /// For temporary keys.
    pub(crate) keys: Option<Keys>,
}

/// Who acts.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(crate) account_id: String,
    /// Of the user or the agency.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) via: Via,
}

/// As what somebody acts.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Via {
    /// As a user of the account.
    Login,
    /// As an agency, assumed by somebody; by nobody where the cloud assumed it for a server or a pod.
    Agency { agency: String, session: String, by: Option<Box<Principal>> },
    /// As a user whom this identity provider vouches for.
    Provider(String),
}

/// Where a token is good.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    /// In the project of this id.
    Project(String),
    /// In the account as a whole.
    Account,
}

/// What makes a session one of temporary keys.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub(crate) secret_key: Text,
    pub(crate) security_token: Text,
}

/// Temporary keys as they are handed over, once.
pub(super) struct Issued {
    pub(super) access_key: String,
    pub(super) keys: Keys,
    pub(super) expires: String,
}

impl Principal {
    /// A user of an account.
    pub(super) fn user(account: &Account, user: &User) -> Self {
        Self { account_id: account.id.clone(), id: user.id.clone(), name: user.name.clone(), via: Via::Login }
    }

    /// An agency in a session of its own.
    pub(super) fn agency(account: &Account, agency: &Agency, session: &str, by: Option<Self>) -> Self {
        Self {
            account_id: account.id.clone(),
            id: agency.id.clone(),
            name: format!("{}/{}", account.name, agency.name),
            via: Via::Agency { agency: agency.name.clone(), session: session.to_owned(), by: by.map(Box::new) },
        }
    }

    /// Somebody whom an identity provider vouches for.
    pub(super) fn federated(account: &Account, provider: &Provider, claims: &Claims) -> Self {
        Self {
            account_id: account.id.clone(),
            id: derived_id(&["federated", &provider.name, &claims.subject]),
            name: claims.subject.clone(),
            via: Via::Provider(provider.name.clone()),
        }
    }

    /// Its name across accounts.
    pub(super) fn urn(&self) -> String {
        let Self { account_id, name, via, .. } = self;
        match via {
            Via::Agency { agency, session, .. } => format!("sts::{account_id}:assumed-agency:{agency}/{session}"),
            _ => format!("iam::{account_id}:user:{name}"),
        }
    }

    /// Its id as STS shows it.
    pub(super) fn session_id(&self) -> String {
        match &self.via {
            Via::Agency { session, .. } => format!("{}:{session}", self.id),
            _ => self.id.clone(),
        }
    }
}

impl Session {
    /// A token's, issued now.
    pub(super) fn token(principal: Principal, methods: &[&str], scope: Option<Scope>, now: Millis) -> Self {
        let methods = methods.iter().map(|&method| method.to_owned()).collect();
        Self { issued: now, expires: now + TOKEN_LIFE, principal, methods, scope, keys: None }
    }

    /// Whose it is and where it is good, for the gateway.
    pub(super) fn identity(&self, id: &str) -> Identity {
        let reach = match (&self.scope, &self.keys) {
            (Some(Scope::Project(project)), _) => Reach::Project(project.clone()),
            (_, Some(_)) => Reach::Account,
            (_, None) => Reach::Nowhere,
        };
        Identity {
            account_id: self.principal.account_id.clone(),
            user_id: self.principal.id.clone(),
            user_name: self.principal.name.clone(),
            reach,
            session: Some(id.to_owned()),
        }
    }

    /// When it is no longer remembered.
    pub(super) fn forgotten(&self) -> Millis {
        self.expires.saturating_add(REMEMBERED)
    }

    /// What is told of a token.
    pub(super) fn shown(&self, directory: &Directory) -> Json {
        let account = |id: &str| json!({"id": id, "name": directory.account_name(id)});
        let user = |principal: &Principal| json!({"id": principal.id, "name": principal.name, "domain": account(&principal.account_id)});
        let with_password = |principal: &Principal| {
            let mut user = user(principal);
            // Passwords never expire here.
            user["password_expires_at"] = "".into();
            user
        };
        let mut token = json!({
            "methods": self.methods,
            "issued_at": text(self.issued),
            "expires_at": text(self.expires),
            "user": user(&self.principal),
            "catalog": [],
            // Everybody may do everything.
            "roles": match self.scope {
                Some(_) => json!([{"id": "0", "name": "te_admin"}]),
                None => json!([]),
            },
        });
        match &self.principal.via {
            Via::Login => token["user"] = with_password(&self.principal),
            Via::Agency { by: Some(by), .. } => token["assumed_by"] = json!({"user": with_password(by)}),
            Via::Agency { by: None, .. } => {}
            Via::Provider(provider) => {
                token["user"]["OS-FEDERATION"] = json!({
                    "identity_provider": {"id": provider},
                    "protocol": {"id": super::federation::PROTOCOL},
                    "groups": [{"id": derived_id(&["group", &self.principal.account_id, "admin"]), "name": "admin"}],
                });
            }
        }
        match &self.scope {
            Some(Scope::Project(id)) => {
                let name = directory.projects.get(id).map(|project| project.name.as_str());
                token["project"] = json!({"id": id, "name": name, "domain": account(&self.principal.account_id)});
            }
            Some(Scope::Account) => token["domain"] = account(&self.principal.account_id),
            None => {}
        }
        token
    }
}

impl Issued {
    /// As IAM and server metadata spell them.
    pub(super) fn shown(&self) -> Json {
        json!({
            "access": self.access_key,
            "secret": self.keys.secret_key.expose(),
            "securitytoken": self.keys.security_token.expose(),
            "expires_at": self.expires,
        })
    }
}

/// The scope that a request names, within an account.
pub(super) fn scope(directory: &Directory, account_id: &str, wanted: &Json) -> Result<Scope, Fault> {
    let names = |place: &str| (wanted[place]["id"].as_str(), wanted[place]["name"].as_str());
    match (wanted["project"].is_object(), wanted["domain"].is_object()) {
        (true, false) => {
            let (id, name) = names("project");
            let (Some(shown), projects) = (name.or(id), directory.projects.values()) else {
                return Err(invalid("`auth.scope.project` needs an `id` or a `name`"));
            };
            let mut meant = projects.filter(|project| {
                project.account_id == account_id
                    && id.is_none_or(|id| project.id == id)
                    && name.is_none_or(|name| project.name == name)
            });
            let project = meant.next().ok_or_else(|| not_found("project", shown))?;
            Ok(Scope::Project(project.id.clone()))
        }
        (false, true) => {
            let (id, name) = names("domain");
            let Some(shown) = name.or(id) else {
                return Err(invalid("`auth.scope.domain` needs an `id` or a `name`"));
            };
            match directory.account(id, name) {
                Some(account) if account.id == account_id => Ok(Scope::Account),
                _ => Err(not_found("domain", shown)),
            }
        }
        _ => Err(invalid("`auth.scope` needs either a `project` or a `domain`")),
    }
}

/// Remembers a token's session and makes the token.
pub(super) fn issue_token(world: &mut World, session: Session) -> String {
    // Real ones are signed documents of some kilobytes that begin so. Nobody is to look inside.
    let token = format!("MII{}", STANDARD_NO_PAD.encode(&*random::bytes(1024)));
    remember(world, token_id(&token), session);
    token
}

/// Makes temporary keys that last `seconds`, and remembers them.
pub(super) fn issue_keys(
    world: &mut World,
    principal: Principal,
    scope: Option<Scope>,
    seconds: i64,
    call: (&str, Millis),
) -> Issued {
    let (region, now) = call;
    let access_key = random::bytes(20).iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let keys = Keys { secret_key: STANDARD.encode(&*random::bytes(30)).into(), security_token: security_token(region) };
    let expires = now.saturating_add(seconds.saturating_mul(1000));
    let session = Session { issued: now, expires, principal, methods: Vec::new(), scope, keys: Some(keys.clone()) };
    let issued = Issued { access_key, keys, expires: text(expires) };
    remember(world, issued.access_key.clone(), session);
    issued
}

/// As many characters as five bits tell apart.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Real ones begin with the region, too.
fn security_token(region: &str) -> Text {
    let mut bytes = vec![0x81, region.len().min(255) as u8];
    bytes.extend(region.bytes());
    bytes.extend(&*random::bytes(300));
    STANDARD.encode(bytes).into()
}

fn remember(world: &mut World, id: String, session: Session) {
    world.agenda.add(Some(session.forgotten()), Errand::Session { id: id.clone() });
    world.directory.sessions.insert(id, session);
}

/// The agency of an account, both as a call names them, if the caller may assume it.
pub(super) fn assumable<'a>(
    call: &Call,
    directory: &'a Directory,
    role: &Json,
    caller: &Principal,
) -> Result<(&'a Account, &'a Agency), Fault> {
    let (id, name) = (role["domain_id"].as_str(), role["domain_name"].as_str());
    if id.is_none() && name.is_none() {
        return Err(invalid("`auth.identity.assume_role` needs a `domain_id` or a `domain_name`"));
    }
    let wanted = role["agency_name"].as_str().unwrap_or_default();
    let account = directory.account(id, name).ok_or_else(|| not_found("domain", name.or(id).unwrap_or_default()))?;
    let agency = account.agency(wanted).ok_or_else(|| not_found("agency", wanted))?;
    match agency.trusts(caller) {
        true => Ok((account, agency)),
        false => Err(super::codes::forbidden(call.info)),
    }
}

/// A time as IAM writes it: RFC 3339 with microseconds.
pub(super) fn text(time: Millis) -> String {
    let time = DateTime::from_timestamp_millis(time).unwrap_or(DateTime::<Utc>::MAX_UTC);
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
