//! Tokens: for a password, for an agency; and what one is worth.
//!
//! # Limits
//! Everybody may do everything, so every token shows the one role `te_admin`. The catalog names IAM and KMS only.

use serde_json::{Value as Json, json};

use super::{
    codes::unauthorized,
    directory::Directory,
    session::{Principal, Scope, Session, assumable, issue_token, scope},
};
use crate::{
    auth::same,
    call::{Call, Handler, Named, Outcome, Reply},
    fault::Fault,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("KeystoneCreateUserTokenByPassword", Handler::Write(by_password)),
    ("KeystoneCreateUserTokenByPasswordAndMfa", Handler::Write(by_password_and_mfa)),
    ("KeystoneCreateAgencyToken", Handler::Write(by_agency)),
    ("KeystoneValidateToken", Handler::Read(validate)),
];

/// The header that carries a token.
const SUBJECT: &str = "x-subject-token";

fn by_password(call: &Call, world: &mut World) -> Outcome {
    log_in(call, world, &["password"])
}

fn by_password_and_mfa(call: &Call, world: &mut World) -> Outcome {
    log_in(call, world, &["password", "totp"])
}

fn log_in(call: &Call, world: &mut World, methods: &[&str]) -> Outcome {
    let auth = auth(call);
    let principal = prove(call, &mut world.directory, &auth["identity"], methods.contains(&"totp"))?;
    let scope = scope(&world.directory, &principal.account_id, &auth["scope"])?;
    issue(call, world, Session::token(principal, methods, Some(scope), call.now))
}

/// The user whose password, and code where one is due, a request knows.
fn prove(call: &Call, directory: &mut Directory, identity: &Json, with_code: bool) -> Result<Principal, Fault> {
    let given = |pointer: &str| identity.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let wrong = || unauthorized("The username or password is wrong.");
    let account = directory.account(None, Some(given("/password/user/domain/name"))).ok_or_else(wrong)?;
    let user = account.user(given("/password/user/name")).ok_or_else(wrong)?;
    // After how many tries, and for how long, is not documented for users: as for access keys.
    if directory.logins.is_locked(&user.id, call.time) {
        return Err(Fault::new(403, "IAM.0003", "The user is locked."));
    }
    let knows_password =
        user.password.as_ref().is_some_and(|known| same(known.expose_secret(), given("/password/user/password")));
    let outcome = match (&user.totp, with_code) {
        _ if !knows_password => Err(wrong()),
        (None, false) => Ok(Principal::user(account, user)),
        (Some(totp), true)
            if given("/totp/user/id") == user.id && totp.accepts(given("/totp/user/passcode"), call.time) =>
        {
            Ok(Principal::user(account, user))
        }
        (_, true) => Err(unauthorized("The TOTP passcode is wrong.")),
        (Some(_), false) => Err(unauthorized("The user has an MFA device: a TOTP passcode is needed.")),
    };
    let id = user.id.clone();
    match outcome {
        Ok(_) => directory.logins.passed(&id),
        Err(_) => directory.logins.failed(&id, call.time),
    }
    outcome
}

fn by_agency(call: &Call, world: &mut World) -> Outcome {
    let auth = auth(call);
    let directory = &world.directory;
    let caller = directory.principal(&call.caller);
    let (account, agency) = assumable(call, directory, &auth["identity"]["assume_role"], &caller)?;
    let scope = scope(directory, &account.id, &auth["scope"])?;
    let principal = Principal::agency(account, agency, &caller.name, Some(caller.clone()));
    issue(call, world, Session::token(principal, &["assume_role"], Some(scope), call.now))
}

fn validate(call: &Call, world: &World) -> Outcome {
    let token = call.text("X-Subject-Token");
    let Some(session) = world.directory.token(token, call.now) else {
        return Err(Fault::new(404, "IAM.0002", "Could not find token."));
    };
    Ok(reply(call, &world.directory, session, token.to_owned()))
}

/// What stands in `auth`; the gateway has refused the call without it.
fn auth(call: &Call) -> &Json {
    call.params.get("auth").unwrap_or(&Json::Null)
}

fn issue(call: &Call, world: &mut World, session: Session) -> Outcome {
    let reply = reply(call, &world.directory, &session, String::new());
    Ok(with_token(reply, issue_token(world, session)))
}

fn reply(call: &Call, directory: &Directory, session: &Session, token: String) -> Reply {
    let mut shown = session.shown(directory);
    // Any text but an empty one, `false` included, leaves the catalog out.
    if call.optional("nocatalog").unwrap_or_default().is_empty() {
        shown["catalog"] = catalog(call, directory, session);
    }
    with_token(json!({"token": shown}).into(), token)
}

/// The answer with a token in its header.
pub(super) fn with_token(mut reply: Reply, token: String) -> Reply {
    reply.headers = vec![(SUBJECT, token)];
    reply
}

/// The endpoints a token is good for.
pub(super) fn catalog(call: &Call, directory: &Directory, session: &Session) -> Json {
    let service = |name: &str, region: &str, url: String| {
        let endpoint = json!({"id": derived(name, region), "interface": "public", "region": region, "region_id": region, "url": url});
        json!({"id": derived(name, ""), "name": name, "type": name, "endpoints": [endpoint]})
    };
    let mut services = vec![service("iam", "*", format!("{}/v3.0", call.base))];
    if let Some(Scope::Project(id)) = &session.scope
        && let Some(project) = directory.projects.get(id)
    {
        // With the region in front, whichever the call went to.
        let root = call.base.strip_suffix(&format!("/{}", call.region)).unwrap_or(&call.base);
        services.push(service("kms", &project.region, format!("{root}/{}/v1.0", project.region)));
    }
    services.into()
}

fn derived(name: &str, region: &str) -> String {
    super::directory::derived_id(&["endpoint", name, region])
}
