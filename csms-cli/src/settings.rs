//! Where to call, as whom, and who said so: flags, then `CSMS_*` variables, then what the SDK finds.

use std::{env, fmt, sync::Arc, time::Duration};

use clap::ArgMatches;
use csms_emulator::Emulator;
use csms_sdk::{
    CallOptions, Client, ClientBuilder, SecretString, Service,
    credentials::{
        AccessKeys, BoxFuture, Context, Credentials, KooCli, ProvideCredentials, ProvideResult, Provided, UserToken,
        default_chain,
    },
    reference::Reference,
    retry::RetryPolicy,
};

use crate::{
    error::{Exit, Failure, Reporter},
    local::{self, Local},
};

/// Stands for a project id that a dry run does not look up.
pub(crate) const UNKNOWN_PROJECT: &str = "project-id-not-known";

/// All services that are called.
const SERVICES: [Service; 4] = [Service::Csms, Service::Kms, Service::Iam, Service::Sts];

/// A setting and who gave it: a flag or a variable.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) origin: &'static str,
}

/// The settings of this call.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) region: Option<Setting>,
    pub(crate) project: Option<Setting>,
    /// Set where no service is called.
    pub(crate) local: Option<Local>,
    profile: Option<Setting>,
    endpoints: Vec<(Service, Setting)>,
    timeout: Option<Duration>,
    retries: Option<u32>,
    verbosity: u8,
}

impl Settings {
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        let local = Local::of(matches)?;
        let endpoint = setting(matches, "endpoint", "--endpoint", "CSMS_ENDPOINT")?;
        let iam = setting(matches, "iam-endpoint", "--iam-endpoint", "CSMS_IAM_ENDPOINT")?;
        let endpoints = [
            (Service::Csms, endpoint.clone()),
            (Service::Kms, endpoint),
            (Service::Iam, iam),
            (Service::Sts, variable("CSMS_STS_ENDPOINT")?),
        ];
        let region = setting(matches, "region", "--region", "CSMS_REGION")?.or(common_region()?);
        let local_region =
            local.as_ref().map(|local| Setting { value: local::REGION.to_owned(), origin: local.origin });
        let project = setting(matches, "project", "--project", "CSMS_PROJECT_ID")?;
        Ok(Self {
            region: region.or(local_region),
            // A project of the service does not exist here.
            project: project.filter(|project| local.is_none() || project.origin == "--project"),
            local,
            profile: setting(matches, "profile", "--profile", "CSMS_PROFILE")?,
            endpoints: endpoints.into_iter().filter_map(|(service, given)| Some((service, given?))).collect(),
            timeout: matches.get_one::<String>("timeout").map(|text| duration("--timeout", text)).transpose()?,
            retries: matches.get_one("retries").copied(),
            verbosity: matches.get_count("verbose"),
        })
    }

    /// The same with the region, profile and project that a reference names.
    pub(crate) fn at(&self, reference: &Reference) -> Result<Self, Failure> {
        const ORIGIN: &str = "the reference";
        if self.local.is_some() {
            return Err(Failure::usage("conflict", "a reference that names a profile or a project is not local")
                .cause("--local has neither; nothing was sent")
                .hint("leave out --local, or what stands behind `?`"));
        }
        let given = |value: Option<&str>| value.map(|value| Setting { value: value.to_owned(), origin: ORIGIN });
        let profile = given(reference.profile());
        Ok(Self {
            region: given(reference.region()).or(self.region.clone()),
            // The project of one profile is not that of another.
            project: given(reference.project()).or(self.project.clone().filter(|_| profile.is_none())),
            profile: profile.or(self.profile.clone()),
            local: None,
            endpoints: self.endpoints.clone(),
            ..*self
        })
    }

    /// A client that calls as whoever the settings name.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let provider: Arc<dyn ProvideCredentials> = match (&self.profile, variables()?) {
            // Whoever names a profile means it, even next to keys in variables.
            (Some(profile), _) => Arc::new(KooCli::profile(&profile.value)),
            (None, Some(variables)) => Arc::new(variables),
            (None, None) => Arc::new(default_chain()),
        };
        let mut builder = self.builder()?.credentials_provider(provider);
        if let Some(project) = &self.project {
            builder = builder.project_id(&project.value);
        }
        self.build(builder)
    }

    /// A client of the emulator that `--local` started.
    pub(crate) fn local_client(&self, emulator: &Emulator) -> Result<Client, Failure> {
        let origin = self.local.as_ref().map_or("--local", |local| local.origin);
        let (access_key, secret_key) = emulator.keys();
        let keys = Named { credentials: Credentials::keys(access_key, secret_key), origin: origin.to_owned() };
        let mut builder = self.calls(self.anywhere()).no_proxy().credentials_provider(Arc::new(keys));
        for service in SERVICES {
            builder =
                builder.service_endpoint(service, emulator.endpoint_in("{region}")).endpoint_origin(service, origin);
        }
        if let Some(project) = &self.project {
            builder = builder.project_id(&project.value);
        }
        self.build(builder)
    }

    /// A client that can write requests and needs neither credentials nor the network for it.
    pub(crate) fn dry_client(&self) -> Result<Client, Failure> {
        let project = self.project.as_ref().map_or(UNKNOWN_PROJECT, |project| &project.value);
        let stand_in = match is_set("CSMS_AUTH_TOKEN") {
            true => Credentials::token("***"),
            false if is_set("CSMS_SECURITY_TOKEN") => AccessKeys::new("***", "***").with_security_token("***").into(),
            false => Credentials::keys("***", "***"),
        };
        let mut builder = self.builder()?.project_id(project).credentials(stand_in);
        if self.local.is_some() {
            builder = SERVICES.into_iter().fold(builder, |builder, service| {
                // The port is known only once an emulator runs.
                builder.service_endpoint(service, "http://127.0.0.1/{region}")
            });
        }
        self.build(builder)
    }

    /// Says where the settings come from, if that was asked for, and begins to say what is sent.
    pub(crate) fn tell(&self, client: &Client, reporter: &Reporter) {
        if self.verbosity >= 2 {
            log_to_stderr();
        }
        if self.verbosity == 0 {
            return;
        }
        let named = [("region", &self.region), ("project", &self.project)];
        for (name, setting) in named {
            match setting {
                Some(Setting { value, origin }) => reporter.note(&format!("{name}: {value} (from {origin})")),
                None => reporter.note(&format!("{name}: not set")),
            }
        }
        if let Some(local) = &self.local {
            reporter.note(&format!("local data: {} (from {})", local.file.display(), local.origin));
        }
        for service in SERVICES {
            if let Ok((url, origin)) = client.endpoint(service) {
                reporter.note(&format!("endpoint of {service}: {url} (from {origin})"));
            }
        }
    }

    /// Whether the settings' origins are to be told.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbosity > 0
    }

    /// What goes for every client: who it says it is, and its region.
    fn anywhere(&self) -> ClientBuilder {
        let builder = Client::builder().user_agent(concat!("csms-cli/", env!("CARGO_PKG_VERSION")));
        match &self.region {
            Some(region) => builder.region(&region.value),
            None => builder,
        }
    }

    /// How long and how often to call.
    fn calls(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(timeout) = self.timeout {
            builder = builder.call_timeout(timeout);
        }
        match self.retries {
            Some(retries) => builder.retry(RetryPolicy::standard().with_max_retries(retries)),
            None => builder,
        }
    }

    fn builder(&self) -> Result<ClientBuilder, Failure> {
        let mut builder = self.calls(self.anywhere());
        for (service, endpoint) in &self.endpoints {
            builder = builder.service_endpoint(*service, &endpoint.value).endpoint_origin(*service, endpoint.origin);
        }
        if let Some(path) = variable("CSMS_CA_FILE")? {
            builder = builder.root_certificates_file(path.value)?;
        }
        if let Some(proxy) = variable("CSMS_PROXY")? {
            builder = builder.proxy(proxy.value);
        }
        Ok(builder)
    }

    fn build(&self, builder: ClientBuilder) -> Result<Client, Failure> {
        builder.build().map_err(|error| match (error.field(), &self.region) {
            (Some("region"), Some(region)) => {
                let hint = error.help().unwrap_or("a region is written like cn-north-4").to_owned();
                Failure::usage("invalid_region", format!("{} names no region", region.origin))
                    .cause("it has to be a region id such as cn-north-4; nothing was sent")
                    .hint(hint)
            }
            _ => Failure::from(error),
        })
    }
}

/// How a call is carried out.
pub(crate) fn call_options(validate: bool) -> CallOptions {
    match validate {
        true => CallOptions::new(),
        false => CallOptions::new().without_validation(),
    }
}

/// A flag's value, else a variable's.
fn setting(matches: &ArgMatches, id: &str, flag: &'static str, name: &'static str) -> Result<Option<Setting>, Failure> {
    match matches.get_one::<String>(id) {
        Some(value) if value.is_empty() => Err(Failure::usage("missing_value", format!("{flag} is empty"))
            .cause("nothing was sent")
            .hint(format!("leave {flag} out to use {name} or the default"))),
        Some(value) => Ok(Some(Setting { value: value.clone(), origin: flag })),
        None => variable(name),
    }
}

/// A variable; an empty one counts as not set, as in the official SDKs.
pub(crate) fn variable(name: &'static str) -> Result<Option<Setting>, Failure> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(Setting { value, origin: name })),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Failure::usage("not_utf8", format!("{name} is not UTF-8"))
            .cause("nothing was sent")
            .hint(format!("unset {name} or set it again"))),
    }
}

fn is_set(name: &'static str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// The variables in which the official SDKs and OpenStack's tools keep the region.
fn common_region() -> Result<Option<Setting>, Failure> {
    for name in ["HW_REGION_NAME", "OS_REGION_NAME"] {
        if let Some(region) = variable(name)? {
            return Ok(Some(region));
        }
    }
    Ok(None)
}

/// Credentials in `CSMS_*` variables. All parts of them come from there or none does.
fn variables() -> Result<Option<Named>, Failure> {
    let lacks = |present: &str, missing: &str| {
        Failure::new(Exit::Credentials, "credentials", format!("{present} is set and {missing} is not"))
            .cause("access key and secret key have to come from one place; nothing was sent")
            .hint(format!("set {missing} as well, or unset {present}"))
    };
    let secret = |name| Ok::<_, Failure>(variable(name)?.map(|setting| SecretString::from(setting.value)));
    let access_key = variable("CSMS_ACCESS_KEY")?;
    let secret_key = secret("CSMS_SECRET_KEY")?;
    let security_token = secret("CSMS_SECURITY_TOKEN")?;
    let auth_token = secret("CSMS_AUTH_TOKEN")?;
    if access_key.is_some() && auth_token.is_some() {
        return Err(Failure::new(Exit::Credentials, "credentials", "CSMS_ACCESS_KEY and CSMS_AUTH_TOKEN are both set")
            .cause("it is not clear who is calling; nothing was sent")
            .hint("unset one of them"));
    }
    let (credentials, origin) = match (access_key, secret_key, security_token, auth_token) {
        (Some(access_key), Some(secret_key), token, _) => {
            let keys = AccessKeys::new(access_key.value, secret_key);
            let keys = match token {
                Some(token) => keys.with_security_token(token),
                None => keys,
            };
            (Credentials::from(keys), "CSMS_ACCESS_KEY")
        }
        (Some(_), None, ..) => return Err(lacks("CSMS_ACCESS_KEY", "CSMS_SECRET_KEY")),
        (None, Some(_), ..) => return Err(lacks("CSMS_SECRET_KEY", "CSMS_ACCESS_KEY")),
        (None, None, Some(_), _) => return Err(lacks("CSMS_SECURITY_TOKEN", "CSMS_ACCESS_KEY")),
        (None, None, None, Some(token)) => (UserToken::new(token).into(), "CSMS_AUTH_TOKEN"),
        (None, None, None, None) => return Ok(None),
    };
    Ok(Some(Named { credentials, origin: format!("environment ({origin})") }))
}

/// Credentials, and who named them.
struct Named {
    credentials: Credentials,
    origin: String,
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl ProvideCredentials for Named {
    fn provide<'a>(&'a self, _: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async { Ok(Provided::new(self.credentials.clone(), self.origin.clone())) })
    }

    fn is_regional(&self) -> bool {
        matches!(self.credentials, Credentials::Token(_))
    }
}

/// `20`, `20s`, `500ms`, `2m`.
pub(crate) fn duration(flag: &str, text: &str) -> Result<Duration, Failure> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1000,
        "ms" => 1,
        "m" => 60_000,
        _ => 0,
    };
    let millis = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|millis| *millis > 0);
    millis.map(Duration::from_millis).ok_or_else(|| {
        Failure::usage("invalid_value", format!("{flag} is no time"))
            .cause("nothing was sent")
            .hint("write 20, 20s, 500ms or 2m")
    })
}

/// Log lines of the SDK go to stderr. Those of the layers below stay out: they may quote what is sent. So do spans, whose
/// fields would be repeated in front of every line.
fn log_to_stderr() {
    use tracing_subscriber::{filter, layer::SubscriberExt as _, util::SubscriberInitExt as _};
    let lines = tracing_subscriber::fmt::layer().without_time().with_ansi(false).with_writer(std::io::stderr);
    let most = filter::LevelFilter::DEBUG;
    let only_ours = filter::filter_fn(move |metadata| {
        metadata.is_event() && metadata.target().starts_with("csms_sdk") && most >= *metadata.level()
    })
    .with_max_level_hint(most);
    // Fails only where a subscriber is set already, and there is none.
    let _ = tracing_subscriber::registry().with(lines).with(only_ours).try_init();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        for (text, millis) in [("20", 20_000), ("20s", 20_000), ("500ms", 500), ("2m", 120_000)] {
            assert_eq!(duration("--timeout", text).unwrap().as_millis(), millis);
        }
        for text in ["", "0", "s", "-1", "1h", "1.5s", "99999999999999999999", "1é"] {
            assert!(duration("--timeout", text).is_err(), "{text}");
        }
    }
}
