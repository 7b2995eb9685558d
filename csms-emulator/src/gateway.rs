//! The front: finds out what is called, by whom and where, and has it carried out.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use csms_sdk::{OperationInfo, Service, check, operation::Auth};
use http::{HeaderName, HeaderValue};

use crate::{
    auth::{self, Identity, Reach},
    call::{Call, Handler, Outcome, Reply},
    control, csms,
    fault::Fault,
    faults::Effect,
    iam, kms,
    region::Located,
    request::{self, Malformed},
    route::{self, Found},
    server::{Incoming, Outgoing},
    shared::Shared,
};

/// Answers a request, whatever it is.
pub(crate) async fn answer(shared: Arc<Shared>, incoming: Incoming) -> Outgoing {
    let Located { region, path } = shared.regions.locate(&incoming);
    let (region, path) = (region.map(str::to_owned), path.to_owned());
    if let Some(answer) = control::answer(&shared, &incoming, &path).await {
        return answer;
    }
    let place = region.as_deref().unwrap_or(shared.regions.first());
    if let Some(answer) = iam::answer(&shared, &incoming, place, &base(&incoming, &path), &path).await {
        return answer;
    }
    let (info, parameters) = match find(&shared, &incoming, &path) {
        Ok(found) => found,
        Err(fault) => return Outgoing::refusal(&fault, None, &incoming.request_id),
    };
    let effect = shared.faults().next(info);
    let skew = match effect {
        Some(Effect::Skew(skew)) => skew,
        _ => TimeDelta::zero(),
    };
    let time = shared.clock.system() + skew;
    let mut answer = match &effect {
        Some(Effect::Refuse { fault, retry_after }) => {
            let mut answer = Outgoing::refusal(fault, Some(info), &incoming.request_id);
            if let Some(seconds) = retry_after {
                answer.headers.insert(http::header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            answer
        }
        Some(Effect::ExpiredCredentials) => {
            Outgoing::refusal(&auth::expired(&incoming, time), Some(info), &incoming.request_id)
        }
        _ => match carry_out(&shared, info, parameters, &incoming, region.as_deref(), &path, time).await {
            Ok(reply) => outgoing(info, reply),
            Err(fault) => Outgoing::refusal(&shared.gate.present(fault), Some(info), &incoming.request_id),
        },
    };
    match effect {
        Some(Effect::Delay(delay)) => answer.delay = delay,
        Some(Effect::Cut(bytes)) => answer.cut_at = Some(bytes),
        _ => {}
    }
    if info.service == Service::Iam {
        trace(&mut answer, place, &incoming.request_id);
    }
    if skew.is_zero() { answer } else { answer.dated(time) }
}

/// Adds the id under which IAM traces its answers.
fn trace(answer: &mut Outgoing, region: &str, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(&format!("token_{region}_null_{request_id}")) {
        answer.headers.insert("x-iam-trace-id", id);
    }
}

/// The parameters in a path.
type Parameters = Vec<(&'static str, String)>;

/// The operation that is meant, with the parameters in its path.
fn find(shared: &Shared, incoming: &Incoming, path: &str) -> Result<(&'static OperationInfo, Parameters), Fault> {
    let Found { candidates, parameters } = shared.router.find(incoming.method.as_str(), path)?;
    if let [only] = candidates {
        return Ok((only, parameters));
    }
    let first = candidates[0];
    let body = request::body(incoming).map_err(|malformed| unreadable(first, malformed))?;
    match route::choose(candidates, &body) {
        Some(info) => Ok((info, parameters)),
        None => Err(invalid(first, "auth.identity.methods", "is none that is known here")),
    }
}

/// Lets the caller in, reads the call and has it carried out. Returns when what it changed is kept.
async fn carry_out(
    shared: &Arc<Shared>,
    info: &'static OperationInfo,
    parameters: Parameters,
    incoming: &Incoming,
    region: Option<&str>,
    path: &str,
    time: DateTime<Utc>,
) -> Outcome {
    let caller = identify(shared, info, incoming, path, time)?;
    let (region, project_id) = place(shared, info, &parameters, incoming, region, &caller)?;
    let mut params = request::flatten(info, &parameters, incoming).map_err(|malformed| unreadable(info, malformed))?;
    params.remove("project_id");
    Call::normalize(info, &mut params);
    check::received(info, &params)
        .map_err(|error| invalid(info, error.field().unwrap_or_default(), error.message()))?;
    let handler = shared.handler(info).ok_or_else(|| Fault::new(500, "APIGW.0601", "Internal server error"))?;
    let call = Call {
        info,
        params,
        caller,
        region,
        project_id,
        base: base(incoming, path),
        now: shared.clock.now(),
        time,
        auth_token: incoming.header("x-auth-token").map(Into::into),
    };
    match handler {
        Handler::Read(handle) => shared.read(|world| handle(&call, world)),
        Handler::Write(handle) => {
            let outcome = shared.write(|world| handle(&call, world));
            shared.journal.written().await?;
            outcome
        }
        Handler::Slow(handle) => {
            let shared = shared.clone();
            let outcome = tokio::task::spawn_blocking({
                let shared = shared.clone();
                move || handle(&call, &shared)
            });
            let outcome = outcome.await.map_err(|_| Fault::new(500, "APIGW.0601", "Internal server error"))?;
            shared.journal.written().await?;
            outcome
        }
    }
}

/// Whether anybody may call it. Clients sign their questions for the versions of the API; nobody asks them to.
fn is_open(info: &OperationInfo) -> bool {
    info.auth == Auth::None || info.group == "API versions"
}

fn identify(
    shared: &Shared,
    info: &OperationInfo,
    incoming: &Incoming,
    path: &str,
    time: DateTime<Utc>,
) -> Result<Identity, Fault> {
    if is_open(info) || !shared.gate.checks {
        return Ok(shared.read(|world| world.directory.anybody()));
    }
    shared.read(|world| {
        let keyring = world.directory.keyring(shared.clock.ahead());
        auth::verify(incoming, path, time, &keyring, &shared.lockouts)
    })
}

/// The region and the project that are meant. Where the request names no region, its project tells. The project has to be
/// the caller's and of that region.
fn place(
    shared: &Shared,
    info: &OperationInfo,
    parameters: &[(&'static str, String)],
    incoming: &Incoming,
    region: Option<&str>,
    caller: &Identity,
) -> Result<(String, String), Fault> {
    let belongs = matches!(info.service, Service::Csms | Service::Kms) && !is_open(info);
    if belongs && caller.reach == Reach::Nowhere {
        return Err(Fault::new(403, "APIGW.0302", "The token is scoped to no project"));
    }
    let in_path = parameters.iter().find(|(name, _)| *name == "project_id").map(|(_, id)| id.clone());
    let scope = match &caller.reach {
        Reach::Project(id) => Some(id),
        _ => None,
    };
    let named = in_path.or_else(|| incoming.header("x-project-id")).or_else(|| scope.cloned());
    let Some(id) = named.filter(|_| belongs) else {
        let region = region.unwrap_or(shared.regions.first());
        let default = shared.read(|world| world.project_in(&caller.account_id, region).map(str::to_owned));
        return Ok((region.to_owned(), default.unwrap_or_default()));
    };
    let known = shared.read(|world| world.directory.projects.get(&id).cloned());
    let home = known.as_ref().map(|project| project.region.as_str());
    let region = region.or(home).unwrap_or(shared.regions.first()).to_owned();
    match known {
        Some(_) if !shared.gate.checks => Ok((region, id)),
        None if !shared.gate.checks => {
            shared.write(|world| world.add_project(&id, &region, &caller.account_id));
            Ok((region, id))
        }
        Some(project) if project.account_id == caller.account_id && project.region == region => match &caller.reach {
            Reach::Project(scope) if *scope != id => {
                Err(Fault::new(403, "APIGW.0302", "The credentials are scoped to another project"))
            }
            _ => Ok((region, id)),
        },
        Some(project) if project.account_id == caller.account_id => Err(Fault::new(
            403,
            "APIGW.0310",
            format!("The project is unavailable: it belongs to {}, the request went to {region}", project.region),
        )),
        _ => Err(Fault::new(403, "APIGW.0310", "The project is unavailable: the account has no such project")),
    }
}

/// `http://host:port` or `https://…`, as the client has it, and what stood in front of the path.
fn base(incoming: &Incoming, path: &str) -> String {
    let host = incoming.header("host").unwrap_or_default();
    // A region alone in the path is `/` behind it.
    let whole = if path == "/" { incoming.path.trim_end_matches('/') } else { "" };
    let prefix = incoming.path.strip_suffix(path).unwrap_or(whole);
    let scheme = if incoming.is_secure { "https" } else { "http" };
    format!("{scheme}://{host}{prefix}")
}

fn outgoing(info: &OperationInfo, reply: Reply) -> Outgoing {
    let mut outgoing = match reply.body {
        serde_json::Value::Null => Outgoing::empty(info.success),
        body => Outgoing::json(info.success, &body),
    };
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            outgoing.headers.insert(HeaderName::from_static(name), value);
        }
    }
    outgoing
}

/// A body that cannot be read, in the words of the service.
fn unreadable(info: &OperationInfo, malformed: Malformed) -> Fault {
    match info.service {
        Service::Csms => csms::refusal("CSMS.0004").because(malformed),
        Service::Kms => kms::refusal("KMS.0202").because(malformed),
        _ => Fault::new(400, "IAM.0011", format!("Illegal request body: {malformed}")),
    }
}

/// A parameter that cannot be right, in the words of the service.
fn invalid(info: &OperationInfo, field: &str, problem: &str) -> Fault {
    let problem = format!("`{field}` {problem}");
    match info.service {
        Service::Csms => csms::refusal("CSMS.0002").because(problem),
        Service::Kms => kms::refusal(kms::code_of(field, &problem)).because(problem),
        _ => Fault::new(400, "IAM.0011", format!("Invalid parameter: {problem}")),
    }
}
