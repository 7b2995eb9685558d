//! Users: who belongs to the account, and their passwords.
//!
//! Only the API definitions have this chapter, and nothing there adds a user: the users of an account are those of CSMS
//! too. They belong to one organisation, the account.
//!
//! # Limits
//! A password that is changed here is not changed in IAM, which has its own from the seed.

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{refusal, secrets::invalid};
use crate::{
    call::{Call, Handler, Named, Outcome},
    clock::Millis,
    iam::Directory,
    secret::Text,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("ListUsers", Handler::Write(list)),
    ("ShowUserDetail", Handler::Write(show)),
    ("UpdateUserPassword", Handler::Write(update_password)),
];

/// What CSMS knows of a user of the account. Has no `Debug`: it holds a password.
#[derive(Serialize, Deserialize)]
pub(crate) struct User {
    /// When CSMS first met the user.
    created: Millis,
    password_changed: Millis,
    /// `None` while it is that of IAM.
    password: Option<Text>,
}

fn list(call: &Call, world: &mut World) -> Outcome {
    let whole = |name| call.number(name).and_then(|number| usize::try_from(number).ok());
    let number = whole("offset").ok_or_else(|| invalid("`offset` has to be the number of a page, from 0"))?;
    let limit = whole("limit").unwrap_or_default();
    let organisation = call.optional("org_id").filter(|id| !id.is_empty());
    let part = call.optional("user_info").unwrap_or_default();
    let mut users = users(call, world);
    users.retain(|user| {
        organisation.is_none_or(|id| user["org_id"] == id)
            && user["user_name"].as_str().is_some_and(|name| name.contains(part))
    });
    let total = users.len();
    let page: Vec<_> = users.into_iter().skip(number.saturating_mul(limit)).take(limit).map(as_listed).collect();
    Ok(json!({"total": total, "users": page}).into())
}

fn show(call: &Call, world: &mut World) -> Outcome {
    let user = users(call, world).into_iter().find(|user| user["user_id"] == call.text("user_id"));
    Ok(user.ok_or_else(|| refusal("CSMS.0005"))?.into())
}

/// Changes the password of whoever calls: the request names nobody.
fn update_password(call: &Call, world: &mut World) -> Outcome {
    let id = &call.caller.user_id;
    users(call, world);
    let Directory { accounts, csms, .. } = &mut world.directory;
    let of_iam = accounts.iter().flat_map(|account| &account.users).find(|user| user.id == *id);
    let (Some(of_iam), Some(user)) = (of_iam, csms.users.get(id)) else {
        return Err(refusal("CSMS.0005"));
    };
    let at_first = of_iam.password.as_ref().map(|password| password.expose_secret());
    if user.password.as_ref().map(Text::expose).or(at_first) != Some(call.text("old_password")) {
        return Err(invalid("`old_password` is not the password"));
    }
    let password = call.text("password");
    if password.is_empty() {
        return Err(invalid("`password` is empty"));
    }
    let created = user.created;
    let user = User { created, password_changed: call.now, password: Some(password.into()) };
    csms.users.insert(id, user);
    Ok(json!({"user_id": id}).into())
}

/// The users of the caller's account as one of them is shown. Those that are new here are noted.
fn users(call: &Call, world: &mut World) -> Vec<Json> {
    let Directory { accounts, csms, .. } = &mut world.directory;
    let account_id = &call.caller.account_id;
    let of_account = accounts.iter().filter(|account| account.id == *account_id).flat_map(|account| &account.users);
    let mut shown = Vec::new();
    for user in of_account {
        if !csms.users.contains(&user.id) {
            let known = User { created: call.now, password_changed: call.now, password: None };
            csms.users.insert(&user.id, known);
        }
        let Some(known) = csms.users.get(&user.id) else { continue };
        shown.push(json!({
            "user_id": user.id,
            "user_name": user.name,
            "name": user.name,
            "email": "",
            "mobile": "",
            "domain_id": account_id,
            "org_id": account_id,
            "user_org_relation_list": [{"org_id": account_id, "relation_type": "1"}],
            "disabled": false,
            "locked": "false",
            "grade": 1,
            "extension": {},
            "pwd_must_modify": false,
            "pwd_change_at": time(known.password_changed),
            "created_at": time(known.created),
            "updated_at": time(known.password_changed),
        }));
    }
    shown
}

/// A list declares texts where a single user has scalars and objects, and leaves the account out.
fn as_listed(mut user: Json) -> Json {
    if let Json::Object(members) = &mut user {
        members.shift_remove("domain_id");
        for name in ["disabled", "grade", "extension"] {
            let text = members[name].to_string();
            members[name] = text.into();
        }
    }
    user
}

/// Without zone, as this chapter prints times.
fn time(time: Millis) -> Option<String> {
    DateTime::from_timestamp_millis(time).map(|time| time.format("%Y-%m-%d %H:%M:%S%.3f").to_string())
}
