//! What an emulator begins with: accounts and their credentials, faults, quotas, delays.
//!
//! A seed is a JSON object. Everything in it may be left out; without `accounts` there is the account that is always there,
//! with its access key and its agency.
//!
//! ```json
//! {
//!   "accounts": [
//!     {
//!       "name": "acme",
//!       "users": [
//!         {
//!           "name": "alice",
//!           "password": "correct-horse",
//!           "totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
//!           "access_keys": [{"access": "ACMEACCESSKEY0000001", "secret": "acmeSecretKey"}]
//!         }
//!       ],
//!       "agencies": [
//!         {
//!           "name": "ops",
//!           "trusted_accounts": ["partner"],
//!           "trusted_users": ["acme/alice"],
//!           "trusted_providers": ["ci"],
//!           "external_id": "agreed-upon",
//!           "longest_session_seconds": 3600
//!         }
//!       ],
//!       "oidc_providers": [
//!         {"name": "ci", "issuer": "https://ci.example.com", "audiences": ["csms"], "hs256_secret": "shared-secret"}
//!       ],
//!       "projects": [{"region": "cn-north-4", "name": "cn-north-4_shop"}]
//!     },
//!     {"name": "partner"}
//!   ],
//!   "server_metadata": {"agency": "acme/ops", "duration_seconds": 3600, "tokens": "required"},
//!   "pod_identity": {"agency": "acme/ops", "token": "pod-token", "namespace": "shop", "service_account": "web"},
//!   "faults": [{"operation": "ShowSecretVersion", "status": 503, "times": 1}],
//!   "quotas": {"secrets": 1000, "keys": 50},
//!   "delays": {"replication_ms": 0, "rotation_ms": 0}
//! }
//! ```
//!
//! | member | meaning |
//! | --- | --- |
//! | `accounts` | the first is the default one; its first access key is the one that is told and that [`Emulator::client`] uses |
//! | `accounts.id` | 32 characters; made from the name where it is left out, and so are the ids of users, agencies and projects |
//! | `accounts.name` | no two have the same |
//! | `users` | `name`, and what they prove themselves with |
//! | `users.password` | for tokens |
//! | `users.totp_secret` | of a virtual MFA device, in Base32; with one, tokens need the password and a code |
//! | `users.access_keys` | pairs of `access` and `secret` |
//! | `agencies` | `name`, and who may assume it: `trusted_accounts` by name, `trusted_users` as `account/user`, users of `trusted_providers` of the same account |
//! | `agencies.external_id` | has to be given to assume the agency by STS |
//! | `agencies.longest_session_seconds` | 900 to 43200, for STS; default 43200 |
//! | `oidc_providers` | `name` (different across accounts), and one of `hs256_secret`, `rs256_public_key` (PEM) and `accept_any` (`true`: any text is an id token) |
//! | `oidc_providers.issuer`, `.audiences` | what `iss` and `aud` of id tokens have to be; not looked at where they are left out |
//! | `projects` | `region` and `name`, and `id` if it is to be a certain one. Every account has a project in every region without being told; one with the region's name takes its place |
//! | `server_metadata` | the agency (`account/agency`) that servers are bound to, the life of the keys (900 to 86400 s, default 21600), and whether metadata tokens are `optional` (default), `required` or `unknown` |
//! | `pod_identity` | the agency of pods, the life of the keys, the token a pod has to show (default any), `namespace` and `service_account` (default `default`) |
//! | `faults` | rules as the control path takes them |
//! | `quotas` | most `secrets` and `keys` of a project |
//! | `delays` | how long replicas stay behind (`replication_ms`) and rotations take (`rotation_ms`) |
//!
//! Where accounts are given, servers and pods get no keys unless `server_metadata` and `pod_identity` say so. What is given
//! here goes before what the [`Builder`] was told. Every mistake is named by where it stands: `accounts.0.users.1.name`.
//!
//! [`Emulator::client`]: crate::Emulator::client
//! [`Builder`]: crate::Builder

mod reader;

use std::collections::BTreeSet;

use csms_sdk::SecretString;
use rsa::{RsaPublicKey, pkcs8::DecodePublicKey as _};
use serde_json::Value as Json;

use self::reader::{Members, Place};
use crate::{
    faults::{BadRule, Faults},
    iam::{
        Directory,
        directory::{Account, Agency, KeyPair, LONGEST_SESSION, Project, User, derived_id},
        metadata::{AgencyName, PodIdentity, ServerMetadata, Tokens},
        oidc::{Key, Provider},
        totp,
    },
    options::Rules,
    region::Regions,
};

pub(crate) use self::reader::BadSeed;

/// An emulator's beginning.
pub(crate) struct Seed {
    pub(crate) directory: Directory,
    pub(crate) faults: Faults,
    pub(crate) rules: Rules,
}

const MEMBERS: &[&str] = &["accounts", "server_metadata", "pod_identity", "faults", "quotas", "delays"];
/// Ids are this long.
const ID: usize = 32;
/// The longest delay, in milliseconds: an hour.
const LONGEST_DELAY: i64 = 60 * 60 * 1000;

impl Seed {
    /// The beginning where nothing is told.
    pub(crate) fn standard(regions: &Regions, rules: Rules) -> Self {
        Self { directory: Directory::standard(regions), faults: Faults::default(), rules }
    }

    /// Reads a seed. `rules` hold where it does not tell.
    ///
    /// # Errors
    /// The first mistake, and where it stands.
    pub(crate) fn parse(seed: &Json, regions: &Regions, rules: Rules) -> Result<Self, BadSeed> {
        let root = Place::root(seed).members(MEMBERS)?;
        let mut directory = match root.list("accounts")? {
            Some(accounts) => accounts_of(accounts, regions)?,
            None => Directory::standard(regions),
        };
        if let Some(place) = root.get("server_metadata") {
            directory.server = Some(server(place, &directory)?);
        }
        if let Some(place) = root.get("pod_identity") {
            directory.pod = Some(pod(place, &directory)?);
        }
        Ok(Self { directory, faults: faults(&root)?, rules: limits(&root, rules)? })
    }
}

fn accounts_of(places: Vec<Place<'_>>, regions: &Regions) -> Result<Directory, BadSeed> {
    let list = places
        .into_iter()
        .map(|place| place.members(&["id", "name", "users", "agencies", "oidc_providers", "projects"]));
    let list: Vec<_> = list.collect::<Result<_, _>>()?;
    let mut unique = Unique::default();
    let mut accounts = Vec::new();
    let mut projects = Vec::new();
    for members in &list {
        let name = members.required_text("name")?;
        unique.check(members, "name", "account", &name)?;
        let id = id(members, &["account", &name])?;
        unique.check(members, "id", "id", &id)?;
        let each = |name| Ok::<_, BadSeed>(members.list(name)?.unwrap_or_default().into_iter());
        let users = each("users")?.map(|place| user(place, &id, &mut unique)).collect::<Result<_, _>>()?;
        let providers = each("oidc_providers")?.map(|place| provider(place, &mut unique)).collect::<Result<_, _>>()?;
        for place in each("projects")? {
            projects.push(project(place, &id, regions, &mut unique)?);
        }
        accounts.push(Account { id, name, users, agencies: Vec::new(), providers });
    }
    // Agencies trust accounts and users that may stand after them.
    for (at, members) in list.iter().enumerate() {
        let agencies = members.list("agencies")?.unwrap_or_default();
        let agencies = agencies.into_iter().map(|place| agency(place, &accounts[at], &accounts, &mut unique));
        let agencies = agencies.collect::<Result<_, _>>()?;
        accounts[at].agencies = agencies;
    }
    if accounts.first().is_none_or(|account| account.users.iter().all(|user| user.keys.is_empty())) {
        return Err(BadSeed::at("accounts", "the first account has no user with an access key; one is needed"));
    }
    Ok(Directory::new(accounts, projects, regions))
}

fn user(place: Place<'_>, account_id: &str, unique: &mut Unique) -> Result<User, BadSeed> {
    let members = place.members(&["id", "name", "password", "totp_secret", "access_keys"])?;
    let name = members.required_text("name")?;
    unique.check(&members, "name", "user of this account", &format!("{account_id}/{name}"))?;
    let id = id(&members, &["user", account_id, &name])?;
    unique.check(&members, "id", "id", &id)?;
    let totp = members
        .text("totp_secret")?
        .map(|text| totp::Secret::from_base32(&text).ok_or_else(|| members.problem("totp_secret", "has to be Base32")));
    let mut keys = Vec::new();
    for place in members.list("access_keys")?.unwrap_or_default() {
        let members = place.members(&["access", "secret"])?;
        let access_key = members.required_text("access")?;
        if !access_key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(members.problem("access", "has to be letters and digits"));
        }
        unique.check(&members, "access", "access key", &access_key)?;
        keys.push(KeyPair { access_key, secret_key: members.required_text("secret")?.into() });
    }
    let password = members.text("password")?.map(SecretString::from);
    Ok(User { id, name, password, totp: totp.transpose()?, keys })
}

fn agency(place: Place<'_>, own: &Account, accounts: &[Account], unique: &mut Unique) -> Result<Agency, BadSeed> {
    let members = place.members(&[
        "id",
        "name",
        "trusted_accounts",
        "trusted_users",
        "trusted_providers",
        "external_id",
        "longest_session_seconds",
    ])?;
    let name = members.required_text("name")?;
    unique.check(&members, "name", "agency of this account", &format!("{}/{name}", own.id))?;
    let find = |name: &str| accounts.iter().find(|account| account.name == name);
    let account_id = |name: &str| find(name).map(|account| account.id.clone());
    let user_id = |name: &str| {
        let (account, user) = name.split_once('/')?;
        Some(find(account)?.user(user)?.id.clone())
    };
    let provider = |name: &str| own.provider(name).map(|provider| provider.name.clone());
    Ok(Agency {
        id: id(&members, &["agency", &own.id, &name])?,
        trusted_accounts: members.names("trusted_accounts", "account", account_id)?,
        trusted_users: members.names("trusted_users", "user (as account/user)", user_id)?,
        trusted_providers: members.names("trusted_providers", "identity provider of this account", provider)?,
        external_id: members.text("external_id")?,
        longest_session: members.integer("longest_session_seconds", 900, LONGEST_SESSION)?.unwrap_or(LONGEST_SESSION),
        name,
    })
}

fn provider(place: Place<'_>, unique: &mut Unique) -> Result<Provider, BadSeed> {
    const KEYS: [&str; 3] = ["hs256_secret", "rs256_public_key", "accept_any"];
    let members = place.members(&["name", "issuer", "audiences", KEYS[0], KEYS[1], KEYS[2]])?;
    let name = members.required_text("name")?;
    unique.check(&members, "name", "identity provider", &name)?;
    let given: Vec<_> = KEYS.into_iter().filter(|key| members.get(key).is_some()).collect();
    let key = match given[..] {
        ["hs256_secret"] => Key::Hs256(members.required_text("hs256_secret")?.into()),
        ["rs256_public_key"] => {
            let pem = members.required_text("rs256_public_key")?;
            let key = RsaPublicKey::from_public_key_pem(pem.trim());
            Key::Rs256(Box::new(
                key.map_err(|_| members.problem("rs256_public_key", "has to be an RSA public key in PEM"))?,
            ))
        }
        ["accept_any"] if members.flag("accept_any")? == Some(true) => Key::Any,
        ["accept_any"] => return Err(members.problem("accept_any", "only `true` has a meaning")),
        _ => return Err(members.itself(&format!("exactly one of {} is wanted", KEYS.join(", ")))),
    };
    let audiences = members.names("audiences", "", |name| Some(name.to_owned()))?;
    Ok(Provider { name, issuer: members.text("issuer")?, audiences, key })
}

fn project(place: Place<'_>, account_id: &str, regions: &Regions, unique: &mut Unique) -> Result<Project, BadSeed> {
    let members = place.members(&["id", "region", "name"])?;
    let region = members.required_text("region")?;
    if !regions.iter().any(|known| known == region) {
        let known = regions.iter().collect::<Vec<_>>().join(", ");
        return Err(members.problem("region", &format!("is none that is played: {known}")));
    }
    let name = members.required_text("name")?;
    if name != region && !name.starts_with(&format!("{region}_")) {
        return Err(members.problem("name", &format!("has to be `{region}`, or to begin with `{region}_`")));
    }
    unique.check(&members, "name", "project of this account", &format!("{account_id}/{name}"))?;
    let id = id(&members, &["project", account_id, &name])?;
    unique.check(&members, "id", "id", &id)?;
    Ok(Project { id, name, region, account_id: account_id.to_owned() })
}

fn server(place: Place<'_>, directory: &Directory) -> Result<ServerMetadata, BadSeed> {
    let members = place.members(&["agency", "duration_seconds", "tokens"])?;
    let mut server = ServerMetadata::of(agency_name(&members, directory)?);
    server.duration = life(&members)?.unwrap_or(server.duration);
    server.tokens = match members.text("tokens")?.as_deref() {
        None | Some("optional") => Tokens::Optional,
        Some("required") => Tokens::Required,
        Some("unknown") => Tokens::Unknown,
        Some(_) => return Err(members.problem("tokens", "has to be `optional`, `required` or `unknown`")),
    };
    Ok(server)
}

fn pod(place: Place<'_>, directory: &Directory) -> Result<PodIdentity, BadSeed> {
    let members = place.members(&["agency", "duration_seconds", "token", "namespace", "service_account"])?;
    let pod = PodIdentity::of(agency_name(&members, directory)?);
    Ok(PodIdentity {
        duration: life(&members)?.unwrap_or(pod.duration),
        token: members.text("token")?.map(SecretString::from),
        namespace: members.text("namespace")?.unwrap_or(pod.namespace),
        service_account: members.text("service_account")?.unwrap_or(pod.service_account),
        agency: pod.agency,
    })
}

/// `account/agency`.
fn agency_name(members: &Members<'_>, directory: &Directory) -> Result<AgencyName, BadSeed> {
    let name = members.required_text("agency")?;
    let found = name.split_once('/').and_then(|(account, agency)| {
        let account = directory.account(None, Some(account))?;
        Some((account.id.clone(), account.agency(agency)?.name.clone()))
    });
    found.ok_or_else(|| members.problem("agency", &format!("there is no agency `{name}`; give it as account/agency")))
}

fn life(members: &Members<'_>) -> Result<Option<i64>, BadSeed> {
    members.integer("duration_seconds", 900, 86_400)
}

fn faults(root: &Members<'_>) -> Result<Faults, BadSeed> {
    let Some(place) = root.get("faults") else { return Ok(Faults::default()) };
    Faults::parse(place.value()).map_err(|BadRule { index, member, problem }| {
        let steps = [index.map(|index| index.to_string()), member];
        let path = std::iter::once("faults".to_owned()).chain(steps.into_iter().flatten()).collect::<Vec<_>>();
        BadSeed::at(path.join("."), problem)
    })
}

fn limits(root: &Members<'_>, mut rules: Rules) -> Result<Rules, BadSeed> {
    if let Some(place) = root.get("quotas") {
        let members = place.members(&["secrets", "keys"])?;
        let quota = |name| {
            let most = members.integer(name, 0, i64::MAX)?;
            Ok::<_, BadSeed>(most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)))
        };
        rules.quotas.secrets = quota("secrets")?.unwrap_or(rules.quotas.secrets);
        rules.quotas.keys = quota("keys")?.unwrap_or(rules.quotas.keys);
    }
    if let Some(place) = root.get("delays") {
        let members = place.members(&["replication_ms", "rotation_ms"])?;
        let delay = |name| members.integer(name, 0, LONGEST_DELAY);
        rules.replication_delay = delay("replication_ms")?.unwrap_or(rules.replication_delay);
        rules.rotation_delay = delay("rotation_ms")?.unwrap_or(rules.rotation_delay);
    }
    Ok(rules)
}

/// The id that is given, or one that is the same at every start.
fn id(members: &Members<'_>, parts: &[&str]) -> Result<String, BadSeed> {
    let Some(id) = members.text("id")? else { return Ok(derived_id(parts)) };
    match id.len() == ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(id),
        false => Err(members.problem("id", "has to be 32 letters and digits")),
    }
}

/// Names that are taken.
#[derive(Default)]
struct Unique(BTreeSet<(&'static str, String)>);

impl Unique {
    fn check(&mut self, members: &Members<'_>, member: &str, kind: &'static str, name: &str) -> Result<(), BadSeed> {
        match self.0.insert((kind, name.to_owned())) {
            true => Ok(()),
            false => Err(members.problem(member, &format!("another {kind} is the same"))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Builder;

    fn parse(seed: &Json) -> Result<Seed, String> {
        let regions = Regions::new("cn-north-4", ["cn-east-3".to_owned()]);
        Seed::parse(seed, &regions, Builder::default().rules).map_err(|error| error.to_string())
    }

    fn documented() -> Json {
        let lines = include_str!("seed.rs").lines().map_while(|line| line.strip_prefix("//!"));
        let lines = lines.skip_while(|line| !line.contains("```json")).skip(1);
        serde_json::from_str(&lines.take_while(|line| !line.contains("```")).collect::<String>()).unwrap()
    }

    #[test]
    fn the_documented_example_is_read() {
        let seed = parse(&documented()).unwrap();
        let directory = &seed.directory;
        let acme = directory.account(None, Some("acme")).unwrap();
        let (alice, ops) = (acme.user("alice").unwrap(), acme.agency("ops").unwrap());
        assert_eq!(alice.keys[0].access_key, "ACMEACCESSKEY0000001");
        assert!(alice.totp.is_some() && alice.password.is_some());
        assert_eq!(ops.trusted_users, std::slice::from_ref(&alice.id));
        assert_eq!(ops.trusted_accounts, [directory.account(None, Some("partner")).unwrap().id.clone()]);
        assert_eq!((ops.longest_session, ops.trusted_providers.len()), (3600, 1));
        let projects: BTreeSet<_> = directory.projects.values().map(|project| project.name.as_str()).collect();
        assert_eq!(projects, BTreeSet::from(["cn-north-4", "cn-east-3", "cn-north-4_shop"]));
        let server = directory.server.as_ref().unwrap();
        assert_eq!((server.tokens, server.duration), (Tokens::Required, 3600));
        assert_eq!(directory.pod.as_ref().unwrap().service_account, "web");
        assert_eq!(seed.faults.list(), documented()["faults"]);
        assert_eq!((seed.rules.quotas.secrets, seed.rules.quotas.keys), (1000, 50));
        assert_eq!((seed.rules.replication_delay, seed.rules.rotation_delay), (0, 0));
    }

    #[test]
    fn a_project_of_the_regions_name_takes_its_place() {
        let id = "0123456789abcdef0123456789abcdef";
        let mut seed = documented();
        seed["accounts"][0]["projects"] = json!([{"region": "cn-east-3", "name": "cn-east-3", "id": id}]);
        let directory = parse(&seed).unwrap().directory;
        let acme = &directory.account(None, Some("acme")).unwrap().id;
        assert_eq!(directory.project_in(acme, "cn-east-3").unwrap().id, id);
    }

    #[test]
    fn what_is_left_out_is_as_without_a_seed() {
        let seed = parse(&json!({})).unwrap();
        assert!(seed.directory.server.is_some() && seed.directory.account(None, Some("emulator")).is_some());
        let accounts = json!({"accounts": [{"name": "a", "users": [
            {"name": "u", "access_keys": [{"access": "A", "secret": "s"}]}
        ]}]});
        let directory = parse(&accounts).unwrap().directory;
        assert!(directory.server.is_none() && directory.pod.is_none());
    }

    /// The documented example with one thing changed: the pointer, and what is put there.
    fn mistake(pointer: &str, value: Json) -> String {
        let mut seed = documented();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match seed.pointer_mut(parent).unwrap() {
            Json::Object(members) => drop(members.insert(name.to_owned(), value)),
            Json::Array(list) if name == "-" => list.push(value),
            Json::Array(list) => list[name.parse::<usize>().unwrap()] = value,
            _ => panic!("{pointer}"),
        }
        parse(&seed).err().unwrap_or_else(|| panic!("{pointer} is taken"))
    }

    #[test]
    fn every_mistake_is_named_by_its_place() {
        for (pointer, value, expected) in [
            ("/account", json!([]), "account: is not known here; did you mean `accounts`?"),
            (
                "/xyz",
                json!(1),
                "xyz: is not known here; known are accounts, server_metadata, pod_identity, faults, quotas, delays",
            ),
            ("/accounts", json!({}), "accounts: a list is wanted"),
            ("/accounts", json!([]), "accounts: the first account has no user with an access key; one is needed"),
            ("/accounts/1", json!("partner"), "accounts.1: an object is wanted"),
            ("/accounts/1/name", json!(""), "accounts.1.name: must not be empty"),
            ("/accounts/1/name", json!("acme"), "accounts.1.name: another account is the same"),
            ("/accounts/0/id", json!("1"), "accounts.0.id: has to be 32 letters and digits"),
            (
                "/accounts/0/users/0/passwort",
                json!(""),
                "accounts.0.users.0.passwort: is not known here; did you mean `password`?",
            ),
            ("/accounts/0/users/0/password", json!(1), "accounts.0.users.0.password: a text is wanted"),
            ("/accounts/0/users/0/totp_secret", json!("1"), "accounts.0.users.0.totp_secret: has to be Base32"),
            ("/accounts/0/users/-", json!({}), "accounts.0.users.1.name: is required"),
            (
                "/accounts/0/users/-",
                json!({"name": "alice"}),
                "accounts.0.users.1.name: another user of this account is the same",
            ),
            (
                "/accounts/0/users/0/access_keys/0/access",
                json!("A,B"),
                "accounts.0.users.0.access_keys.0.access: has to be letters and digits",
            ),
            (
                "/accounts/0/agencies/0/trusted_accounts/0",
                json!("nobody"),
                "accounts.0.agencies.0.trusted_accounts.0: there is no account `nobody`",
            ),
            (
                "/accounts/0/agencies/0/trusted_users/0",
                json!("alice"),
                "accounts.0.agencies.0.trusted_users.0: there is no user (as account/user) `alice`",
            ),
            (
                "/accounts/0/agencies/0/longest_session_seconds",
                json!(1),
                "accounts.0.agencies.0.longest_session_seconds: a whole number from 900 to 43200 is wanted",
            ),
            (
                "/accounts/0/oidc_providers/0/accept_any",
                json!(true),
                "accounts.0.oidc_providers.0: exactly one of hs256_secret, rs256_public_key, accept_any is wanted",
            ),
            (
                "/accounts/0/oidc_providers/-",
                json!({"name": "k8s", "rs256_public_key": "x"}),
                "accounts.0.oidc_providers.1.rs256_public_key: has to be an RSA public key in PEM",
            ),
            (
                "/accounts/0/oidc_providers/-",
                json!({"name": "k8s", "accept_any": false}),
                "accounts.0.oidc_providers.1.accept_any: only `true` has a meaning",
            ),
            (
                "/accounts/0/projects/0/region",
                json!("cn-south-1"),
                "accounts.0.projects.0.region: is none that is played: cn-north-4, cn-east-3",
            ),
            (
                "/accounts/0/projects/0/name",
                json!("shop"),
                "accounts.0.projects.0.name: has to be `cn-north-4`, or to begin with `cn-north-4_`",
            ),
            (
                "/server_metadata/agency",
                json!("ops"),
                "server_metadata.agency: there is no agency `ops`; give it as account/agency",
            ),
            (
                "/server_metadata/tokens",
                json!("v2"),
                "server_metadata.tokens: has to be `optional`, `required` or `unknown`",
            ),
            (
                "/pod_identity/duration_seconds",
                json!(60),
                "pod_identity.duration_seconds: a whole number from 900 to 86400 is wanted",
            ),
            ("/faults/0/status", json!(200), "faults.0.status: a whole number from 400 to 599 is wanted"),
            ("/faults", json!({}), "faults: a list of rules is wanted"),
            ("/quotas/secrets", json!(-1), "quotas.secrets: a whole number from 0 to 9223372036854775807 is wanted"),
            ("/delays/replication_ms", json!("1"), "delays.replication_ms: a whole number from 0 to 3600000 is wanted"),
        ] {
            assert_eq!(mistake(pointer, value), expected);
        }
        assert_eq!(parse(&json!([])).err().unwrap(), "an object is wanted");
    }
}
