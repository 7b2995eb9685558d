//! Rotation of secrets: tasks, agencies, function templates.
//!
//! # Limits
//! - No database account is changed and no function is called: a rotation takes its time, then makes a new value.
//! - `COMMON` secrets are rotated by a function of the user's own, so here they are not, neither now nor by the period.
//! - The function templates are skeletons; those of the service are not public.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{
    State, events,
    page::{self, page},
    record::{CURRENT, Rotation, Secret, State as Condition, Value},
    refusal, replicas,
    secrets::{check_enabled, find, invalid, plan},
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    clock::Millis,
    crypto::random,
    fault::Fault,
    id, kms,
    world::{Project, World},
};

pub(super) const HANDLERS: &[Named] = &[
    ("RotateSecret", Handler::Write(rotate)),
    ("ListSecretTask", Handler::Read(list_tasks)),
    ("CreateAgency", Handler::Write(create_agency)),
    ("ShowAgency", Handler::Read(show_agency)),
    ("ShowSecretFunctionTemplates", Handler::Read(show_function_templates)),
];

/// The stage of the version that is to be used once both accounts of a rotation are ready.
const PENDING: &str = "SYSPENDING";

/// The agencies that each kind of secret needs for being rotated.
const AGENCIES: &[(&str, [&str; 2])] = &[
    ("RDS-FG", ["CSMSAccessFunctionGraph", "FunctionGraphAgencyForRotateRDSByCSMSV3"]),
    ("GaussDB-FG", ["CSMSAccessFunctionGraph", "FunctionGraphAgencyForRotateGaussDBByCSMSV3"]),
];

/// A rotation, under way or over.
#[derive(Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) id: String,
    secret_name: String,
    time: Millis,
    operate_type: String,
    rotation_func_urn: Option<String>,
    /// `None` while it is under way.
    end: Option<End>,
}

/// How a rotation ended.
#[derive(Serialize, Deserialize)]
enum End {
    Success,
    Failed { code: String, message: String },
}

fn rotate(call: &Call, world: &mut World) -> Outcome {
    let name = call.text("secret_name");
    let done_at = call.now.saturating_add(world.rules.rotation_delay);
    let project = world.project_mut(&call.project_id)?;
    let secret = find(project, name)?;
    replicas::check_writable(secret)?;
    check_enabled(secret, "CSMS.0103")?;
    if secret.secret_type == "COMMON" {
        return Err(refusal("CSMS.0003").because("a COMMON secret is not rotated by the service"));
    }
    if secret.rotation.is_some() {
        return Err(refusal("CSMS.0003").because("a rotation of the secret is under way"));
    }
    let task_id = begin(project, name, call.now, done_at);
    let pending = find(project, name)?.stages.get(PENDING).map(|stage| format!("v{}", stage.version));
    replicas::follow(world, &call.project_id, name, call.now);
    plan(world, &call.project_id, name);
    let mut answer = json!({"rotation_task_id": task_id, "secret_name": name});
    if let Some(version_id) = pending {
        answer["version_id"] = version_id.into();
    }
    Ok(answer.into())
}

/// The newest first.
fn list_tasks(call: &Call, world: &World) -> Outcome {
    let (task_id, secret_name, status) =
        (call.optional("task_id"), call.optional("secret_name"), call.optional("status"));
    if task_id.is_some() && (secret_name.is_some() || status.is_some()) {
        return Err(invalid("`task_id` excludes `secret_name` and `status`"));
    }
    let tasks = &world.project(&call.project_id)?.csms.tasks;
    let marker = match page::marker(call) {
        Some(id) => Some(tasks.key_of(id).ok_or_else(|| invalid("`marker` is the id of no task"))?),
        None => None,
    };
    let wanted = |task: &Task| {
        task_id.is_none_or(|id| task.id == id)
            && secret_name.is_none_or(|name| task.secret_name == name)
            && status.is_none_or(|status| task.status() == status)
    };
    let total = tasks.values().filter(|task| wanted(task)).count();
    let rest = tasks.after(marker).map(|(_, task)| task).filter(|task| wanted(task));
    let page = page(call, rest.map(|task| (task.id.clone(), task.shown())))?;
    Ok(json!({"tasks": page.items, "total": total, "next_marker": page.info["next_marker"]}).into())
}

/// An agency that exists is reported as one that could not be created; the call succeeds all the same.
fn create_agency(call: &Call, world: &mut World) -> Outcome {
    let names = agencies(call)?;
    let known = &mut world.directory.csms.agencies;
    let results = names.map(|name| {
        let key = format!("{}/{name}", call.caller.account_id);
        if known.contains(&key) {
            return json!({"agency_name": name, "error_msg": "The agency name already exists."});
        }
        let id = id::digits(16);
        known.insert(key, id.clone());
        json!({"agency_id": id, "agency_name": name})
    });
    Ok(json!({"agencies": results}).into())
}

fn show_agency(call: &Call, world: &World) -> Outcome {
    let known = &world.directory.csms.agencies;
    let granted = agencies(call)?.iter().all(|name| known.contains(&format!("{}/{name}", call.caller.account_id)));
    Ok(json!({"agency_granted": granted.to_string()}).into())
}

fn agencies(call: &Call) -> Result<[&'static str; 2], Fault> {
    let wanted = call.text("secret_type");
    let found = AGENCIES.iter().find(|(secret_type, _)| *secret_type == wanted);
    let (_, names) = found.ok_or_else(|| invalid("`secret_type` has to be RDS-FG or GaussDB-FG"))?;
    Ok(*names)
}

fn show_function_templates(call: &Call, _: &World) -> Outcome {
    agencies(call)?;
    let secret_type = call.text("secret_type");
    let sub_type = call.text("secret_sub_type");
    let accounts = match sub_type {
        "SingleUser" => "the account",
        "MultiUser" => "the account that is not in use",
        _ => return Err(invalid("`secret_sub_type` has to be SingleUser or MultiUser")),
    };
    let database = match (secret_type, call.optional("engine")) {
        ("RDS-FG", Some(engine @ ("mysql" | "postgresql" | "sqlserver"))) => engine,
        ("RDS-FG", Some(_)) => {
            return Err(invalid("`engine` has to be mysql, postgresql or sqlserver"));
        }
        ("RDS-FG", None) => return Err(invalid("`engine` is required for RDS-FG")),
        (_, Some(_)) => return Err(invalid("`engine` is for RDS-FG only")),
        (_, None) => "gaussdb",
    };
    let template = format!(
        "# -*- coding:utf-8 -*-\n\
         # Rotates a secret: {secret_type}, {sub_type}, {database}.\n\n\n\
         def handler(event, context):\n    \
         # Give {accounts} in the {database} instance a new password, then store it as a new version of the secret.\n    \
         raise NotImplementedError(\"change the password in the instance\")\n"
    );
    Ok(json!({"function_templates": template}).into())
}

impl Task {
    fn status(&self) -> &'static str {
        match self.end {
            Some(End::Success) => "SUCCESS",
            Some(End::Failed { .. }) => "FAILED",
            // The reference has no word for it: whatever is none of the two runs.
            None => "RUNNING",
        }
    }

    fn shown(&self) -> Json {
        let mut shown = json!({
            "task_id": self.id,
            "secret_name": self.secret_name,
            "task_status": self.status(),
            "task_time": self.time,
            "operate_type": self.operate_type,
            "rotation_func_urn": self.rotation_func_urn,
            "attempt_nums": 1,
        });
        if let Some(End::Failed { code, message }) = &self.end {
            shown["task_error_code"] = code.as_str().into();
            shown["task_error_msg"] = message.as_str().into();
        }
        shown
    }
}

fn failed(code: &str) -> End {
    let Fault { code, message, .. } = refusal(code);
    End::Failed { code, message }
}

/// Has rotations begin and end.
pub(super) fn settle(world: &mut World, project_id: &str, name: &str, now: Millis) {
    let done_at = now.saturating_add(world.rules.rotation_delay);
    let Ok(project) = world.project_mut(project_id) else { return };
    let Some(secret) = project.csms.secrets.get(name) else { return };
    if secret.rotation_due().is_none_or(|time| time > now) {
        return;
    }
    match secret.rotation {
        Some(_) => end(project, name, now),
        None => drop(begin(project, name, now, done_at)),
    }
    replicas::follow(world, project_id, name, now);
}

/// Begins a rotation and returns the id of its task. Where two accounts take part, the value for the one that is not in
/// use is made at once.
fn begin(project: &mut Project, name: &str, now: Millis, done_at: Millis) -> Option<String> {
    let Project { csms: state, kms } = project;
    let secret = state.secrets.get_mut(name)?;
    let two = has_two_accounts(secret);
    let id = id::uuid();
    let task = Task {
        id: id.clone(),
        secret_name: name.to_owned(),
        time: now,
        operate_type: if two { "MULTI_USER" } else { "SINGLE_USER" }.to_owned(),
        rotation_func_urn: secret.rotation_func_urn.clone(),
        end: None,
    };
    // The newest first, and of those of the same millisecond any.
    state.tasks.insert(format!("{:020}-{id}", Millis::MAX - now), task);
    secret.rotation = Some(Rotation { task_id: id.clone(), done_at });
    if two && kms::usable_for_data(kms, &secret.kms_key_id) {
        add_version(secret, PENDING, now);
        events::occurred(state, name, events::VERSION_CREATED, now);
    }
    Some(id)
}

/// Ends the rotation that is under way, well or not.
fn end(project: &mut Project, name: &str, now: Millis) {
    let Project { csms: state, kms } = project;
    let Some(secret) = state.secrets.get_mut(name) else { return };
    let Some(rotation) = secret.rotation.take() else { return };
    secret.next_rotation_time = secret.rotation_interval().map(|interval| now.saturating_add(interval));
    let refused = match secret.state {
        Condition::PendingDelete => Some("CSMS.0103"),
        Condition::Enabled if !kms::usable_for_data(kms, &secret.kms_key_id) => Some("CSMS.0401"),
        Condition::Enabled => None,
    };
    if let Some(code) = refused {
        state.finish(&rotation, failed(code));
        events::occurred(state, name, events::ROTATED_FAILED, now);
        return;
    }
    secret.rotation_time = Some(now);
    let is_new = put_in_use(secret, now);
    state.finish(&rotation, End::Success);
    if is_new {
        events::occurred(state, name, events::VERSION_CREATED, now);
    }
    events::occurred(state, name, events::ROTATED, now);
}

/// Ends the rotation of a secret that is no more.
pub(super) fn abandon(state: &mut State, secret: &Secret) {
    if let Some(rotation) = &secret.rotation {
        state.finish(rotation, failed("CSMS.0106"));
    }
}

impl State {
    fn finish(&mut self, rotation: &Rotation, end: End) {
        let key = self.tasks.key_of(&rotation.task_id).map(str::to_owned);
        if let Some(task) = key.and_then(|key| self.tasks.get_mut(&key)) {
            task.end = Some(end);
        }
    }
}

/// Has a new value be the current one: the one that is pending, or else one that is made now. Returns whether it was.
fn put_in_use(secret: &mut Secret, now: Millis) -> bool {
    match secret.stages.remove(PENDING) {
        Some(pending) => {
            secret.mark(CURRENT, pending.version, now);
            false
        }
        None => {
            add_version(secret, CURRENT, now);
            true
        }
    }
}

fn add_version(secret: &mut Secret, stage: &str, now: Millis) {
    let value = renewed(secret.current().map(|version| &version.value));
    secret.add_version(value, &BTreeSet::from([stage]), None, now);
}

/// The settings are text of which the service is not sure itself: JSON, at times with single quotes.
fn has_two_accounts(secret: &Secret) -> bool {
    secret.rotation_config.as_deref().is_some_and(|config| config.contains("MultiUser"))
}

/// The same value with new passwords: those in JSON are replaced, any other value is one.
fn renewed(value: Option<&Value>) -> Value {
    let Some(Value::String(text)) = value else { return Value::String(password().as_str().into()) };
    let text = text.expose();
    let in_single_quotes = || {
        let json = Zeroizing::new(text.replace('\'', "\""));
        with_new_passwords(&json).map(|json| Zeroizing::new(json.replace('"', "'")))
    };
    let renewed = with_new_passwords(text).or_else(in_single_quotes);
    Value::String(renewed.unwrap_or_else(password).as_str().into())
}

/// The same JSON, if it is any, with other passwords, if it has any.
fn with_new_passwords(json: &str) -> Option<Zeroizing<String>> {
    let mut json = serde_json::from_str(json).ok()?;
    replace_passwords(&mut json).then(|| json.to_string().into())
}

fn replace_passwords(json: &mut Json) -> bool {
    let mut any = false;
    match json {
        Json::Object(members) => {
            for (name, member) in members {
                if name == "password" && member.is_string() {
                    *member = password().as_str().into();
                    any = true;
                } else {
                    any |= replace_passwords(member);
                }
            }
        }
        Json::Array(items) => {
            for item in items {
                any |= replace_passwords(item);
            }
        }
        _ => {}
    }
    any
}

/// A password of 32 characters as databases want it: with small and capital letters, digits and punctuation.
fn password() -> Zeroizing<String> {
    let classes: [fn(&u8) -> bool; 4] =
        [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit, u8::is_ascii_punctuation];
    loop {
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(&*random::bytes(24)));
        if classes.iter().all(|class| text.as_bytes().iter().any(class)) {
            return text;
        }
    }
}
