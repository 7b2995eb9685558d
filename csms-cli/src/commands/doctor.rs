//! `csms doctor`: what stands between this machine and the services, one check after the other.

mod finding;
mod network;

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use clap::{ArgMatches, Command};
use csms_sdk::{
    CallOptions, Client, Error, Operation as _, OperationInfo, Service,
    credentials::{KeyFileState, Provided, inspect_files},
    csms::ListSecrets,
    env::Env,
    iam::KeystoneListProjects,
    kms::ListKeys,
    retry::RetryPolicy,
};
use serde_json::json;
use url::Url;

use self::finding::{Finding, Findings};
use super::whoami;
use crate::{
    config::Config,
    connection::runtime,
    error::{Exit, Failure, Reporter},
    needs::Needs,
    session::Session,
};

/// Time for one check. None takes as long where everything is well.
const USUAL: Duration = Duration::from_secs(10);
/// So many seconds nobody notices.
const SLOW_CLOCK: i64 = 60;
/// From here on a signature is refused, and made once more with the service's time.
const WRONG_CLOCK: i64 = 15 * 60;

const AFTER_HELP: &str = "\
Each check is ok, a warning, failed, or skipped because it needs one that has failed. Nothing is changed, and nobody is asked \
but the services themselves: secrets and keys are listed with a limit of 1. --timeout says how long each check may take; \
default 10s.

-o json is a list of {\"check\", \"status\", \"found\", \"hint\"}. Exit code: 0, or that of the first check that has failed.";

/// The grammar of `doctor`.
pub(crate) fn command() -> Command {
    Command::new("doctor")
        .about("Checks settings, credentials, clock, network and permissions, and says what to do")
        .after_help(AFTER_HELP)
}

/// What it may call.
pub(crate) fn calls(matches: &ArgMatches, reporter: &Reporter) -> Result<Needs, Failure> {
    let session = &Session::of(matches, reporter)?;
    let mut needs = Needs::of(session);
    needs.always(&None, &[ListSecrets::INFO, ListKeys::INFO]);
    if session.settings.project.is_none() {
        needs.only("the credentials name no project", &None, &[KeystoneListProjects::INFO]);
    }
    Ok(needs)
}

/// Runs `doctor`. A file that cannot be used is one of the findings, and the others are made without it.
pub(crate) fn run(matches: &ArgMatches, reporter: &Reporter) -> Result<ExitCode, Failure> {
    let (config, problem) = match Config::load() {
        Ok(config) => (config, None),
        Err(failure) => (Arc::new(Config::unread()), Some(failure)),
    };
    let session = &Session::with(matches, reporter, config)?;
    let mut findings = Findings::default();
    findings.add(config_file(session, problem));
    findings.add(settings(session));
    let limit = session.settings.timeout.unwrap_or(USUAL);
    let key_files = key_files(limit)?;
    match session.connect() {
        Ok(connection) => {
            if let Some(local) = &session.settings.local {
                findings.add(Finding::ok("local", format!("{} ({})", local.file.display(), local.origin)));
            }
            let patient = CallOptions::new().retry(RetryPolicy::none()).attempt_timeout(limit).call_timeout(limit);
            let client = connection.client.with_options(patient);
            let checks = Checks { session, client, limit };
            findings = connection.until_interrupted(async { Ok(checks.carry_out(findings, key_files).await) })?;
        }
        Err(failure) => {
            key_files.into_iter().for_each(|finding| findings.add(finding));
            findings.add(Finding::failed("client", &failure));
            for check in ["credentials", "csms endpoint", "clock", "project", "csms call", "kms call"] {
                findings.add(Finding::skipped(check, "there is no client to check with"));
            }
        }
    }
    findings.print(session)
}

fn config_file(session: &Session<'_>, problem: Option<Failure>) -> Finding {
    const CHECK: &str = "config.toml";
    let (config, shown) = (&session.config, session.config.shown());
    let Ok(path) = config.place() else {
        return Finding::skipped(CHECK, "neither XDG_CONFIG_HOME nor HOME says where it is");
    };
    let profile = match &session.settings.chosen {
        Some(chosen) => format!("profile {} in use ({})", chosen.name.value, chosen.name.origin),
        None => "no profile in use".to_owned(),
    };
    match problem {
        Some(failure) => Finding::failed(CHECK, &failure),
        None if !path.exists() => Finding::ok(CHECK, format!("{shown} is not there, {profile}")),
        None if config.profiles().any(|(_, profile)| profile.has_credentials()) && is_open_to_group(path) => {
            Finding::warning(CHECK, format!("{shown} is open to its group, {profile}"), format!("chmod 600 {shown}"))
        }
        None => Finding::ok(CHECK, format!("{shown}, {profile}")),
    }
}

#[cfg(unix)]
fn is_open_to_group(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o060 != 0)
}

#[cfg(not(unix))]
fn is_open_to_group(_: &Path) -> bool {
    false
}

fn settings(session: &Session<'_>) -> Finding {
    let named = [("region", &session.settings.region), ("project", &session.settings.project)];
    let told = named.map(|(name, setting)| match setting {
        Some(setting) => format!("{name} {} ({})", setting.value, setting.origin),
        None => format!("{name} not named"),
    });
    Finding::ok("settings", told.join(", "))
}

/// The files that hold keys. A pipe in the place of one is not waited for.
fn key_files(limit: Duration) -> Result<Vec<Finding>, Failure> {
    let runtime = runtime()?;
    let looked =
        runtime.block_on(async { tokio::time::timeout(limit, inspect_files(&Env::process())).await.map_err(drop) });
    runtime.shutdown_background();
    Ok(match looked {
        Ok(files) => files.into_iter().map(key_file).collect(),
        Err(()) => vec![Finding::failed(
            "key file",
            &Failure::new(Exit::Unexpected, "io", format!("a file with keys is not read within {limit:?}"))
                .hint("see what ~/.huaweicloud/credentials and ~/.hcloud/config.json are"),
        )],
    })
}

fn key_file(state: KeyFileState) -> Finding {
    const CHECK: &str = "key file";
    match state {
        KeyFileState::Sound(path) => Finding::ok(CHECK, format!("{path}, readable by its owner alone")),
        KeyFileState::OpenToGroup(path) => {
            Finding::warning(CHECK, format!("{path} is open to its group"), format!("chmod 600 {path}"))
        }
        KeyFileState::Broken(error) => Finding::failed(CHECK, &Failure::of(&error)),
        _ => Finding::skipped(CHECK, "it is of a kind that is not known here"),
    }
}

/// What everything below needs.
struct Checks<'a> {
    session: &'a Session<'a>,
    client: Client,
    limit: Duration,
}

impl Checks<'_> {
    async fn carry_out(&self, mut findings: Findings, key_files: Vec<Finding>) -> Findings {
        let provided = self.in_time(self.client.credentials()).await;
        // Where credentials come from elsewhere, a file that cannot be used keeps nobody from calling.
        key_files.into_iter().for_each(|finding| findings.add(finding.needed(provided.is_err())));
        findings.add(credentials(&provided));
        let names_project = provided.as_ref().is_ok_and(|provided| provided.project_id.is_some());
        let needs_iam = self.session.settings.project.is_none() && !names_project;
        let reached = self.network(&mut findings, needs_iam).await;
        // Why something cannot be asked of a service.
        let obstacle = |service| match (&provided, self.is_among(&reached, service)) {
            (Err(_), _) => Some("it needs credentials"),
            (_, false) => Some("the service cannot be reached"),
            _ => None,
        };
        let project = match (&self.session.settings.project, &provided) {
            (Some(project), _) => Finding::ok("project", format!("{} ({})", project.value, project.origin)),
            (None, Ok(provided)) if !needs_iam || obstacle(Service::Iam).is_none() => self.project(provided).await,
            (None, _) => Finding::skipped("project", obstacle(Service::Iam).unwrap_or("it is not known")),
        };
        let has_project = project.is_ok();
        findings.add(project);
        for (check, service, info) in
            [("csms call", Service::Csms, ListSecrets::INFO), ("kms call", Service::Kms, ListKeys::INFO)]
        {
            findings.add(match obstacle(service) {
                Some(obstacle) => Finding::skipped(check, obstacle),
                None if !has_project => Finding::skipped(check, "it needs a project"),
                None => self.call(check, info).await,
            });
        }
        findings
    }

    /// The addresses that are reached. What IAM is like matters only where a project has to be looked up.
    async fn network(&self, findings: &mut Findings, needs_iam: bool) -> Vec<Url> {
        let (mut reached, mut clock_ahead) = (Vec::new(), None);
        for (service, url) in self.addresses(findings) {
            let looked = network::look(&self.client, service, &url, self.is_proxied(&url), self.limit).await;
            let is_needed = service != Service::Iam || needs_iam;
            looked.findings.into_iter().for_each(|finding| findings.add(finding.needed(is_needed)));
            clock_ahead = clock_ahead.or(looked.clock_ahead);
            reached.extend(looked.is_reached.then_some(url));
        }
        findings.add(clock(clock_ahead));
        reached
    }

    fn is_among(&self, reached: &[Url], service: Service) -> bool {
        let url = self.client.endpoint(service).ok().and_then(|(text, _)| network::address(text));
        url.is_some_and(|url| reached.iter().any(|known| network::is_same(known, &url)))
    }

    async fn project(&self, provided: &Provided) -> Finding {
        match self.in_time(whoami::project(&self.client, provided)).await {
            Ok(fact) => Finding::ok("project", format!("{} ({})", fact.value.unwrap_or_default(), fact.origin)),
            Err(failure) => Finding::failed("project", &failure),
        }
    }

    /// The addresses that are called, each once, under the first service that has it.
    fn addresses(&self, findings: &mut Findings) -> Vec<(Service, Url)> {
        let mut addresses: Vec<(Service, Url)> = Vec::new();
        for service in [Service::Csms, Service::Kms, Service::Iam] {
            let check = format!("{service} endpoint");
            match self.client.endpoint(service) {
                Ok((text, origin)) => {
                    findings.add(Finding::ok(check, format!("{text} ({origin})")));
                    if let Some(url) = network::address(text)
                        && !addresses.iter().any(|(_, known)| network::is_same(known, &url))
                    {
                        addresses.push((service, url));
                    }
                }
                Err(error) => findings.add(Finding::failed(check, &Failure::of(&error))),
            }
        }
        addresses
    }

    /// Whether somebody else makes the connections.
    fn is_proxied(&self, url: &Url) -> bool {
        let of_scheme = format!("{}_proxy", url.scheme());
        let upper = of_scheme.to_ascii_uppercase();
        let names = ["CSMS_PROXY", &upper, &of_scheme, "ALL_PROXY", "all_proxy"];
        let is_named = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        self.session.settings.local.is_none() && names.iter().any(is_named)
    }

    /// One call that does no harm.
    async fn call(&self, check: &'static str, info: &'static OperationInfo) -> Finding {
        let request = json!({"limit": 1}).as_object().cloned().unwrap_or_default();
        match self.in_time(self.client.send_json(info, &request)).await {
            Ok(_) => Finding::ok(check, format!("{} is answered", info.name)),
            Err(failure) if failure.exit() == Exit::NotPermitted => {
                let advice = format!(
                    "the caller needs {} to list; `csms policy -- COMMAND` tells what one command needs, which may be less",
                    info.permission.unwrap_or("a permission")
                );
                Finding::failed(check, &failure.hint(advice))
            }
            Err(failure) => Finding::failed(check, &failure),
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        // A call ends by itself; looking for credentials or a project can be several.
        match tokio::time::timeout(self.limit, work).await {
            Ok(outcome) => outcome.map_err(Failure::from),
            Err(_) => Err(Failure::new(Exit::NoAnswer, "timeout", format!("no answer within {:?}", self.limit))
                .hint("check the network, or allow more with --timeout")),
        }
    }
}

fn credentials(provided: &Result<Provided, Failure>) -> Finding {
    match provided {
        Ok(provided) => {
            let (kind, key) = whoami::kind(&provided.credentials);
            let key = key.map(|key| format!(" {key}")).unwrap_or_default();
            let until = provided.credentials.expires_at().map(|time| format!(", until {time}")).unwrap_or_default();
            Finding::ok("credentials", format!("{kind}{key}, from {}{until}", provided.origin))
        }
        Err(failure) => Finding::failed("credentials", failure),
    }
}

fn clock(ahead: Option<i64>) -> Finding {
    const CHECK: &str = "clock";
    let Some(ahead) = ahead else { return Finding::skipped(CHECK, "no service has told its time") };
    let apart = ahead.abs();
    // To a second, as services tell it, and what the answer took.
    if apart < SLOW_CLOCK {
        return Finding::ok(CHECK, format!("within {} s of the service's", apart.max(1)));
    }
    let direction = if ahead > 0 { "behind" } else { "ahead of" };
    let found = match apart {
        0..WRONG_CLOCK => format!("{apart} s {direction} the service's"),
        _ => format!(
            "{} min {direction} the service's: each command is refused once, and then signs with the service's time",
            apart / 60
        ),
    };
    Finding::warning(CHECK, found, "set the clock of this machine right, and keep it so with NTP")
}
