//! Security Token Service: agencies by URN, and who the caller is.
//!
//! # Limits
//! Policies narrow nothing, and session tags and contexts are borne without an effect: permissions are not modelled.
//! Refusals carry no encoded authorization message.

use serde_json::{Value as Json, json};

use super::{
    codes::invalid,
    directory::{Account, Agency, Directory},
    oidc::Claims,
    session::{Issued, Principal, issue_keys},
};
use crate::{
    auth::same,
    call::{Call, Handler, Named, Outcome},
    fault::Fault,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("AssumeAgency", Handler::Write(assume)),
    ("AssumeAgencyWithOIDC", Handler::Write(assume_with_oidc)),
    ("GetCallerIdentity", Handler::Read(identity)),
];

/// Life of keys for which none is named, in seconds.
const DEFAULT_LIFE: i64 = 3600;
/// The longest life of keys that temporary keys bought, in seconds.
const LONGEST_CHAINED: i64 = 3600;

fn assume(call: &Call, world: &mut World) -> Outcome {
    let session = session_name(call)?;
    let directory = &world.directory;
    let (account, agency) = agency(call, directory, "sts:agencies:assume")?;
    let caller = directory.principal(&call.caller);
    let knows_id = agency
        .external_id
        .as_deref()
        .is_none_or(|known| call.optional("external_id").is_some_and(|given| same(known, given)));
    let user = directory.user(&call.caller.user_id);
    let shows_code = call
        .optional("token_code")
        .is_none_or(|code| user.and_then(|user| user.totp.as_ref()).is_some_and(|totp| totp.accepts(code, call.time)));
    if !agency.trusts(&caller) || !knows_id || !shows_code {
        return Err(forbidden("sts:agencies:assume"));
    }
    let longest = match call.caller.session {
        Some(_) => agency.longest_session.min(LONGEST_CHAINED),
        None => agency.longest_session,
    };
    let seconds = duration(call, longest)?;
    let principal = Principal::agency(account, agency, session, Some(caller));
    let issued = issue_keys(world, principal.clone(), None, seconds, (&call.region, call.now));
    Ok(answer(call, &principal, &issued).into())
}

fn assume_with_oidc(call: &Call, world: &mut World) -> Outcome {
    let session = session_name(call)?;
    let directory = &world.directory;
    let (account, agency) = agency(call, directory, "sts:agencies:assumeWithOIDC")?;
    let (provider_account, provider_name) = urn(call, "provider_urn", "oidc-provider")?;
    let bad_token = |reason: &str| Fault::new(400, "STS5.0016", "The ID token is invalid.").because(reason);
    let provider = directory.account(Some(provider_account), None).and_then(|account| account.provider(provider_name));
    // An agency trusts the providers of its own account.
    let Some(provider) = provider.filter(|_| provider_account == account.id) else {
        return Err(bad_token("the account has no such identity provider"));
    };
    let claims = provider.verify(call.text("id_token"), call.time).map_err(bad_token)?;
    let caller = Principal::federated(account, provider, &claims);
    if !agency.trusts(&caller) {
        return Err(forbidden("sts:agencies:assumeWithOIDC"));
    }
    let seconds = duration(call, agency.longest_session)?;
    let principal = Principal::agency(account, agency, session, Some(caller));
    let issued = issue_keys(world, principal.clone(), None, seconds, (&call.region, call.now));
    let mut answer = answer(call, &principal, &issued);
    let Claims { subject, issuer, audience } = claims;
    answer["provider"] = issuer.into();
    answer["audience"] = audience.into();
    answer["subject_from_id_token"] = subject.into();
    Ok(answer.into())
}

fn identity(call: &Call, world: &World) -> Outcome {
    let principal = world.directory.principal(&call.caller);
    Ok(json!({
        "account_id": principal.account_id,
        "principal_id": principal.session_id(),
        "principal_urn": principal.urn(),
    })
    .into())
}

fn answer(call: &Call, principal: &Principal, issued: &Issued) -> Json {
    let mut answer = json!({
        "credentials": {
            "access_key_id": issued.access_key,
            "secret_access_key": issued.keys.secret_key.expose(),
            "security_token": issued.keys.security_token.expose(),
            "expiration": issued.expires,
        },
        "assumed_agency": {"urn": principal.urn(), "id": principal.session_id()},
    });
    if let Some(source) = call.optional("source_identity") {
        answer["source_identity"] = source.into();
    }
    answer
}

/// The agency that a URN names. One that does not exist is refused as one that does not trust the caller: nobody is to
/// find out which agencies there are.
fn agency<'a>(call: &Call, directory: &'a Directory, action: &str) -> Result<(&'a Account, &'a Agency), Fault> {
    let (account_id, name) = urn(call, "agency_urn", "agency")?;
    let account = directory.account(Some(account_id), None);
    account.and_then(|account| Some((account, account.agency(name)?))).ok_or_else(|| forbidden(action))
}

/// Account and name in `iam::<account id>:<kind>:<name>`.
fn urn<'a>(call: &'a Call, parameter: &str, kind: &str) -> Result<(&'a str, &'a str), Fault> {
    let parts: Vec<_> = call.text(parameter).splitn(5, ':').collect();
    match parts[..] {
        ["iam", "", account, found, name] if found == kind && !name.is_empty() => Ok((account, name)),
        _ => Err(invalid(&format!("`{parameter}` has to be of the form iam::<account id>:{kind}:<name>"))),
    }
}

fn session_name(call: &Call) -> Result<&str, Fault> {
    let name = call.text("agency_session_name");
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    match (2..=128).contains(&name.len()) && name.bytes().all(is_allowed) {
        true => Ok(name),
        false => Err(invalid("`agency_session_name` has to be 2 to 128 letters, digits or _+=,.@-")),
    }
}

fn duration(call: &Call, longest: i64) -> Result<i64, Fault> {
    match call.number("duration_seconds") {
        None => Ok(DEFAULT_LIFE.min(longest)),
        Some(seconds) if seconds <= longest => Ok(seconds),
        Some(_) => {
            Err(invalid(&format!("`duration_seconds` is at most {longest} for this agency and these credentials")))
        }
    }
}

fn forbidden(action: &str) -> Fault {
    Fault::new(403, "PAP5.0025", format!("You are not authorized to perform: {action}."))
}
