//! Accounts, users, their credentials, and the projects they have.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use csms_sdk::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    metadata::{PodIdentity, ServerMetadata},
    oidc::Provider,
    session::{Principal, Session, Via},
    totp,
};
use crate::{
    auth::{self, AccessKey, Identity, Lockouts, Reach},
    clock::Millis,
    csms,
    region::Regions,
    table::{Stored, Table},
};

/// What anybody gets who does not bring accounts of their own. Public on purpose: it opens nothing but emulators.
pub(crate) mod default {
    pub(crate) const ACCOUNT: &str = "emulator";
    pub(crate) const USER: &str = "developer";
    pub(crate) const PASSWORD: &str = "emulator-password";
    pub(crate) const ACCESS_KEY: &str = "CSMSEMULATOR00000001";
    pub(crate) const SECRET_KEY: &str = "csmsEmulatorSecretKeyForDevelopment00001";
    /// The agency that the account's users may assume, and that servers and pods get.
    pub(crate) const AGENCY: &str = "emulator-agency";
}

/// Life of the keys that servers and pods get where the seed does not tell, in seconds.
pub(crate) const HANDED_OUT_LIFE: i64 = 6 * 60 * 60;

/// The longest session of an agency where the seed does not tell, in seconds: the longest there is.
pub(crate) const LONGEST_SESSION: i64 = 12 * 60 * 60;

/// All accounts, and what has been issued to them.
#[derive(Default)]
pub(crate) struct Directory {
    /// From the seed; the first is the one that calls count for when nothing is checked.
    pub(crate) accounts: Vec<Account>,
    /// What a server with an agency finds in its metadata; `None` where no agency is bound.
    pub(crate) server: Option<ServerMetadata>,
    /// What a pod with an identity gets; `None` where none is associated.
    pub(crate) pod: Option<PodIdentity>,
    /// Ids of the regions that are played, the default one first.
    pub(crate) regions: Vec<String>,
    /// By id.
    pub(crate) projects: Table<Project>,
    /// Tokens and temporary keys, by access key or by the hash of the token.
    pub(crate) sessions: Table<Session>,
    /// Wrong passwords in a row, by user id. A restart forgets them.
    pub(crate) logins: Lockouts,
    /// When tokens for server metadata end, by the hash of the token. A restart forgets them.
    pub(crate) metadata_tokens: BTreeMap<String, Millis>,
    /// What CSMS keeps for accounts.
    pub(crate) csms: csms::Accounts,
}

/// An account (domain).
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) users: Vec<User>,
    pub(crate) agencies: Vec<Agency>,
    pub(crate) providers: Vec<Provider>,
}

/// A user of an account.
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Without one the user cannot log in.
    pub(crate) password: Option<SecretString>,
    /// Of a virtual MFA device; with one the password alone does not do.
    pub(crate) totp: Option<totp::Secret>,
    pub(crate) keys: Vec<KeyPair>,
}

/// A permanent access key.
pub(crate) struct KeyPair {
    pub(crate) access_key: String,
    pub(crate) secret_key: SecretString,
}

/// An agency: what an account lets others do in its place.
pub(crate) struct Agency {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Ids of accounts all of whose users may assume it.
    pub(crate) trusted_accounts: Vec<String>,
    /// Ids of users who may.
    pub(crate) trusted_users: Vec<String>,
    /// Names of identity providers whose users may.
    pub(crate) trusted_providers: Vec<String>,
    /// Has to be given by whoever assumes it by STS.
    pub(crate) external_id: Option<String>,
    /// The longest session by STS, in seconds.
    pub(crate) longest_session: i64,
}

/// A project, which belongs to one region.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    /// The region's name for its default project.
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) account_id: String,
}

impl Account {
    /// The account that is there when none is named.
    pub(crate) fn standard() -> Self {
        let keys = vec![KeyPair { access_key: default::ACCESS_KEY.to_owned(), secret_key: default::SECRET_KEY.into() }];
        let id = derived_id(&["account", default::ACCOUNT]);
        let user = User {
            id: derived_id(&["user", &id, default::USER]),
            name: default::USER.to_owned(),
            password: Some(default::PASSWORD.into()),
            totp: None,
            keys,
        };
        let agency = Agency {
            id: derived_id(&["agency", &id, default::AGENCY]),
            name: default::AGENCY.to_owned(),
            trusted_accounts: vec![id.clone()],
            trusted_users: Vec::new(),
            trusted_providers: Vec::new(),
            external_id: None,
            longest_session: LONGEST_SESSION,
        };
        Self { id, name: default::ACCOUNT.to_owned(), users: vec![user], agencies: vec![agency], providers: Vec::new() }
    }

    /// The first access key that one of its users has.
    pub(crate) fn first_key(&self) -> Option<(String, SecretString)> {
        let pair = self.users.iter().flat_map(|user| &user.keys).next()?;
        Some((pair.access_key.clone(), pair.secret_key.clone()))
    }

    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    pub(crate) fn agency(&self, name: &str) -> Option<&Agency> {
        self.agencies.iter().find(|agency| agency.name == name)
    }

    pub(crate) fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name == name)
    }
}

impl Agency {
    /// Whether who acts so may assume it.
    pub(crate) fn trusts(&self, principal: &Principal) -> bool {
        match &principal.via {
            Via::Provider(provider) if self.trusted_providers.contains(provider) => true,
            _ => self.trusted_accounts.contains(&principal.account_id) || self.trusted_users.contains(&principal.id),
        }
    }
}

impl Project {
    /// Whether it is the one that a region has for every account.
    pub(crate) fn is_default(&self) -> bool {
        self.name == self.region
    }
}

impl Directory {
    /// These accounts with these projects, and a project in every region that they leave out.
    pub(crate) fn new(accounts: Vec<Account>, projects: Vec<Project>, regions: &Regions) -> Self {
        let regions = regions.iter().map(str::to_owned).collect();
        let mut directory = Self { accounts, regions, ..Self::default() };
        for project in projects {
            directory.projects.load(project.id.clone(), project);
        }
        for account in &directory.accounts {
            for region in &directory.regions {
                if directory.project_in(&account.id, region).is_none() {
                    let id = derived_id(&["project", &account.id, region]);
                    let (name, region, account_id) = (region.clone(), region.clone(), account.id.clone());
                    directory.projects.load(id.clone(), Project { id, name, region, account_id });
                }
            }
        }
        directory
    }

    /// The account that is there when none is named, with the agency that servers and pods get.
    pub(crate) fn standard(regions: &Regions) -> Self {
        let account = Account::standard();
        let agency = || (account.id.clone(), default::AGENCY.to_owned());
        let (server, pod) = (ServerMetadata::of(agency()), PodIdentity::of(agency()));
        Self { server: Some(server), pod: Some(pod), ..Self::new(vec![account], Vec::new(), regions) }
    }

    /// Its tables under the names they are stored by.
    pub(crate) fn tables(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        let mut tables = self.csms.tables();
        tables.extend([("projects", &mut self.projects as &mut dyn Stored), ("sessions", &mut self.sessions)]);
        tables
    }

    /// Adds a project that is not the default one of its region.
    pub(crate) fn add_project(&mut self, id: &str, region: &str, account_id: &str) {
        let beginning: String = id.chars().take(8).collect();
        let project = Project {
            id: id.to_owned(),
            name: format!("{region}_{beginning}"),
            region: region.to_owned(),
            account_id: account_id.to_owned(),
        };
        self.projects.insert(id, project);
    }

    /// The default project that an account has in a region.
    pub(crate) fn project_in(&self, account_id: &str, region: &str) -> Option<&Project> {
        self.projects.values().find(|project| project.account_id == account_id && project.name == region)
    }

    /// The account of this id or name; of both, where both are given.
    pub(crate) fn account(&self, id: Option<&str>, name: Option<&str>) -> Option<&Account> {
        let is_meant = |account: &&Account| {
            (id.is_some() || name.is_some())
                && id.is_none_or(|id| account.id == id)
                && name.is_none_or(|name| account.name == name)
        };
        self.accounts.iter().find(is_meant)
    }

    /// The identity provider of this name, and whose it is. Their names differ across accounts.
    pub(crate) fn provider(&self, name: &str) -> Option<(&Account, &Provider)> {
        self.accounts.iter().find_map(|account| Some((account, account.provider(name)?)))
    }

    /// The name of an account as it is shown.
    pub(crate) fn account_name(&self, id: &str) -> &str {
        self.account(Some(id), None).map(|account| account.name.as_str()).unwrap_or_default()
    }

    /// A user by id.
    pub(crate) fn user(&self, id: &str) -> Option<&User> {
        self.accounts.iter().flat_map(|account| &account.users).find(|user| user.id == id)
    }

    /// Who calls when nothing is checked.
    pub(crate) fn anybody(&self) -> Identity {
        let account = self.accounts.first();
        let user = account.and_then(|account| account.users.first());
        Identity {
            account_id: account.map(|account| account.id.clone()).unwrap_or_default(),
            user_id: user.map(|user| user.id.clone()).unwrap_or_default(),
            user_name: user.map(|user| user.name.clone()).unwrap_or_default(),
            reach: Reach::Account,
            session: None,
        }
    }

    /// Who a caller acts as.
    pub(crate) fn principal(&self, caller: &Identity) -> Principal {
        let session = caller.session.as_ref().and_then(|id| self.sessions.get(id));
        session.map(|session| session.principal.clone()).unwrap_or_else(|| Principal {
            account_id: caller.account_id.clone(),
            id: caller.user_id.clone(),
            name: caller.user_name.clone(),
            via: Via::Login,
        })
    }

    /// The session of a token that is still good.
    pub(crate) fn token(&self, token: &str, now: Millis) -> Option<&Session> {
        let session = self.sessions.get(&token_id(token))?;
        (session.keys.is_none() && session.expires > now).then_some(session)
    }

    /// Takes back what has expired; answers when to look again.
    pub(crate) fn settle(&mut self, session: &str, now: Millis) -> Option<Millis> {
        let forgotten = self.sessions.get(session)?.forgotten();
        if forgotten > now {
            return Some(forgotten);
        }
        self.sessions.remove(session);
        None
    }

    /// The keys and tokens for a request that is checked by a clock this far behind the one they were issued by.
    pub(crate) fn keyring(&self, ahead: TimeDelta) -> Keyring<'_> {
        Keyring { directory: self, ahead }
    }
}

/// The directory as the gateway asks it.
pub(crate) struct Keyring<'a> {
    directory: &'a Directory,
    ahead: TimeDelta,
}

impl Keyring<'_> {
    fn expiry(&self, session: &Session) -> DateTime<Utc> {
        let time = DateTime::from_timestamp_millis(session.expires).unwrap_or(DateTime::<Utc>::MAX_UTC);
        time.checked_sub_signed(self.ahead).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }
}

impl auth::Keyring for Keyring<'_> {
    fn access_key(&self, id: &str) -> Option<AccessKey<'_>> {
        for account in &self.directory.accounts {
            for user in &account.users {
                if let Some(pair) = user.keys.iter().find(|pair| pair.access_key == id) {
                    let identity = Identity {
                        account_id: account.id.clone(),
                        user_id: user.id.clone(),
                        user_name: user.name.clone(),
                        reach: Reach::Account,
                        session: None,
                    };
                    return Some(AccessKey { secret_key: pair.secret_key.expose_secret(), session: None, identity });
                }
            }
        }
        let session = self.directory.sessions.get(id)?;
        let keys = session.keys.as_ref()?;
        Some(AccessKey {
            secret_key: keys.secret_key.expose(),
            session: Some(auth::Session {
                security_token: keys.security_token.expose(),
                expires: self.expiry(session),
            }),
            identity: session.identity(id),
        })
    }

    fn token(&self, token: &str) -> Option<auth::Token> {
        let id = token_id(token);
        let session = self.directory.sessions.get(&id).filter(|session| session.keys.is_none())?;
        Some(auth::Token { expires: self.expiry(session), identity: session.identity(&id) })
    }
}

/// What a token is kept under, so that it is not itself kept.
pub(crate) fn token_id(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// An id of 32 digits that is the same at every start.
pub(crate) fn derived_id(parts: &[&str]) -> String {
    hex::encode(Sha256::digest(parts.join("\n")))[..32].to_owned()
}
