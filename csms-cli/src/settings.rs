//! Where to call, and who said so: flags, then `CSMS_*` variables, then those of the official SDKs, then the profile in
//! use, then what the SDK finds.

use std::{borrow::Cow, env, ffi::OsStr, sync::Arc, time::Duration};

use clap::ArgMatches;
use csms_emulator::Emulator;
use csms_sdk::{
    CallOptions, Client, ClientBuilder, SecretString, Service, Timestamp,
    credentials::{AccessKeys, Credentials},
    reference::Reference,
    retry::RetryPolicy,
};
use sha2::{Digest as _, Sha256};

use crate::{
    config::{Chosen, Config, SETTINGS},
    credentials::{self, Named},
    error::{Failure, Reporter},
    local::{self, Local},
};

/// Where the official SDKs and OpenStack's tools keep the project.
const PROJECTS: [&str; 4] = ["HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID", "OS_PROJECT_ID", "OS_TENANT_ID"];

/// Stands for a project id that a dry run does not look up.
pub(crate) const UNKNOWN_PROJECT: &str = "project-id-not-known";

/// All services that are called.
const SERVICES: [Service; 4] = [Service::Csms, Service::Kms, Service::Iam, Service::Sts];

/// A setting and who gave it: a flag, a variable or a file.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) origin: Cow<'static, str>,
}

impl Setting {
    pub(crate) fn new(value: impl Into<String>, origin: impl Into<Cow<'static, str>>) -> Self {
        Self { value: value.into(), origin: origin.into() }
    }
}

/// The settings of this call.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) region: Option<Setting>,
    pub(crate) project: Option<Setting>,
    /// Set where no service is called.
    pub(crate) local: Option<Local>,
    /// The profile in use; none where no service is called.
    pub(crate) chosen: Option<Chosen>,
    config: Arc<Config>,
    given: Given,
    pub(crate) timeout: Option<Duration>,
    retries: Option<u32>,
    verbosity: u8,
}

/// What flags and variables say, which comes before profiles.
#[derive(Clone, Debug)]
struct Given {
    region: Option<Setting>,
    project: Option<Setting>,
    /// Of CSMS and KMS.
    endpoint: Option<Setting>,
    iam_endpoint: Option<Setting>,
    sts_endpoint: Option<Setting>,
    ca_file: Option<Setting>,
    proxy: Option<Setting>,
}

impl Settings {
    pub(crate) fn of(matches: &ArgMatches, config: &Arc<Config>) -> Result<Self, Failure> {
        let local = Local::of(matches)?;
        let given = Given {
            region: setting(matches, "region", "--region", "CSMS_REGION")?.or(common_region()?),
            project: setting(matches, "project", "--project", "CSMS_PROJECT_ID")?,
            endpoint: setting(matches, "endpoint", "--endpoint", "CSMS_ENDPOINT")?,
            iam_endpoint: setting(matches, "iam-endpoint", "--iam-endpoint", "CSMS_IAM_ENDPOINT")?,
            sts_endpoint: variable("CSMS_STS_ENDPOINT")?,
            ca_file: variable("CSMS_CA_FILE")?,
            proxy: variable("CSMS_PROXY")?,
        };
        let chosen = if local.is_some() { None } else { config.chosen(matches)? };
        let timeout = matches.get_one::<String>("timeout").map(|text| duration("--timeout", text)).transpose()?;
        let (retries, verbosity) = (matches.get_one("retries").copied(), matches.get_count("verbose"));
        let config = Arc::clone(config);
        let settings = Self { region: None, project: None, local, chosen, config, given, timeout, retries, verbosity };
        Ok(settings.settled())
    }

    /// The same with the region, profile and project that a reference names.
    pub(crate) fn at(&self, reference: &Reference) -> Result<Self, Failure> {
        const ORIGIN: &str = "the reference";
        if self.local.is_some() {
            return Err(Failure::usage("conflict", "a reference that names a profile or a project is not local")
                .cause("--local has neither; nothing was sent")
                .hint("leave out --local, or what stands behind `?`"));
        }
        let given = |value: Option<&str>| value.map(|value| Setting::new(value, ORIGIN));
        let chosen = given(reference.profile()).map(|name| Chosen {
            profile: self.config.get(&name.value),
            name,
            is_named: true,
        });
        let given = Given {
            region: given(reference.region()).or(self.given.region.clone()),
            // The project of one profile is not that of another.
            project: given(reference.project()).or(self.given.project.clone().filter(|_| chosen.is_none())),
            ..self.given.clone()
        };
        let settings = Self {
            chosen: chosen.or(self.chosen.clone()),
            config: Arc::clone(&self.config),
            given,
            local: None,
            region: None,
            project: None,
            ..*self
        };
        let settings = settings.settled();
        self.check_endpoint_of(&settings, reference)?;
        Ok(settings)
    }

    /// Refuses an endpoint that is that of one region for another one, as clients of the SDK do.
    fn check_endpoint_of(&self, there: &Self, reference: &Reference) -> Result<(), Failure> {
        // One that names the region is that of every region.
        let Some(endpoint) = there.in_effect("endpoint").filter(|endpoint| !endpoint.value.contains("{region}")) else {
            return Ok(());
        };
        let of_its_profile = there.given.endpoint.is_none() && reference.profile().is_some();
        let its = if of_its_profile { there.of_profile("region") } else { None };
        let its = its.or(self.region.clone()).map(|region| region.value);
        match &there.region {
            Some(region) if its.as_ref() != Some(&region.value) => Err(Failure::usage(
                "configuration",
                format!(
                    "the endpoint that {} names serves one region, so it cannot serve {}",
                    endpoint.origin, region.value
                ),
            )
            .cause("nothing was sent to it")
            .hint("write {region} where the endpoint names the region, or give no endpoint")),
            _ => Ok(()),
        }
    }

    /// Settles region and project by what is given and by the profile.
    fn settled(self) -> Self {
        let Some(local) = &self.local else {
            let (region, project) = (self.in_effect("region"), self.in_effect("project"));
            return Self { region, project, ..self };
        };
        let region = self.given.region.clone().or(Some(Setting::new(local::REGION, local.origin)));
        // A project of the service does not exist here.
        let project = self.given.project.clone().filter(|project| project.origin == "--project");
        Self { region, project, ..self }
    }

    /// What is given, else what the profile says.
    pub(crate) fn in_effect(&self, name: &str) -> Option<Setting> {
        let given = match name {
            "region" => &self.given.region,
            "project" => &self.given.project,
            "endpoint" => &self.given.endpoint,
            "iam_endpoint" => &self.given.iam_endpoint,
            "sts_endpoint" => &self.given.sts_endpoint,
            "ca_file" => &self.given.ca_file,
            "proxy" => &self.given.proxy,
            _ => &None,
        };
        given.clone().or_else(|| match name {
            "project" => self.project_of_profile(),
            name => self.of_profile(name),
        })
    }

    fn of_profile(&self, name: &str) -> Option<Setting> {
        self.chosen.as_ref()?.profile.as_ref()?.setting(name)
    }

    /// The project of a profile with keys goes with them, see [`credentials`]; without, it is a setting like others,
    /// which variables of the official SDKs and another region take precedence over.
    fn project_of_profile(&self) -> Option<Setting> {
        let profile = self.chosen.as_ref()?.profile.as_ref()?;
        let is_elsewhere = match (self.in_effect("region"), profile.setting("region")) {
            (Some(region), Some(its)) => region.value != its.value,
            _ => false,
        };
        let is_given = PROJECTS.into_iter().any(is_set);
        profile.setting("project").filter(|_| !profile.has_credentials() && !is_elsewhere && !is_given)
    }

    /// A client that calls as whoever the settings name.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut builder = self.builder()?.credentials_provider(credentials::provider(self.chosen.as_ref())?);
        if let Some(project) = &self.project {
            builder = builder.project_id(&project.value);
        }
        self.build(builder)
    }

    /// A client of the emulator that `--local` started.
    pub(crate) fn local_client(&self, emulator: &Emulator) -> Result<Client, Failure> {
        let origin = self.local.as_ref().map_or("--local", |local| local.origin);
        let (access_key, secret_key) = emulator.keys();
        let keys = Named::new(Credentials::keys(access_key, secret_key), origin.to_owned());
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

    /// Says where the settings come from, if that was asked for.
    pub(crate) fn tell(&self, client: &Client, reporter: &Reporter) {
        if self.verbosity == 0 {
            return;
        }
        if let Some(Chosen { name: Setting { value, origin }, .. }) = &self.chosen {
            reporter.note(&format!("profile: {value} (from {origin})"));
        }
        for (name, setting) in [("region", &self.region), ("project", &self.project)] {
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

    /// The same, with one attempt that may take no longer than this.
    pub(crate) fn in_a_hurry(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), retries: Some(0), ..self }
    }

    /// Tells one place and caller from another: whatever decides on account, project and region. What somebody could
    /// guess and then check is left out; it comes with a name that is here.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut add = |bytes: &[u8]| {
            digest.update(bytes.len().to_le_bytes());
            digest.update(bytes);
        };
        for name in SETTINGS {
            for setting in [self.in_effect(name), self.of_profile(name)] {
                add(setting.map_or(String::new(), |setting| setting.value).as_bytes());
            }
        }
        add(self.chosen.as_ref().map_or("", |chosen| &chosen.name.value).as_bytes());
        add(self.local.as_ref().map_or(OsStr::new(""), |local| local.file.as_os_str()).as_encoded_bytes());
        let profile = self.chosen.as_ref().and_then(|chosen| chosen.profile.as_ref());
        for name in ["access_key", "auth_token", "idp_id"] {
            let credential = profile.and_then(|profile| profile.credential(name));
            add(credential.map_or("", SecretString::expose_secret).as_bytes());
        }
        // All variables of programs whose settings are taken, rather than a list that would have to be kept complete.
        let is_meant = |name: &str| {
            let is_of_family = ["CSMS_", "HUAWEICLOUD_", "HW_", "OS_"].iter().any(|family| name.starts_with(family));
            let is_guessable = ["PASSWORD", "SECRET_KEY", "_SK"].iter().any(|end| name.ends_with(end));
            name == "HOME" || is_of_family && !is_guessable
        };
        let mut variables: Vec<_> = env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_meant)).collect();
        variables.sort();
        for (name, value) in &variables {
            add(name.as_encoded_bytes());
            add(value.as_encoded_bytes());
        }
        digest.finalize().into()
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
        let endpoints = [
            (Service::Csms, &self.given.endpoint, "endpoint"),
            (Service::Kms, &self.given.endpoint, "endpoint"),
            (Service::Iam, &self.given.iam_endpoint, "iam_endpoint"),
            (Service::Sts, &self.given.sts_endpoint, "sts_endpoint"),
        ];
        for (service, given, name) in endpoints {
            builder = match (given, self.of_profile(name)) {
                (Some(given), _) => {
                    builder.service_endpoint(service, &given.value).endpoint_origin(service, given.origin.clone())
                }
                (None, Some(of_profile)) => {
                    builder.fallback_endpoint(service, of_profile.value).endpoint_origin(service, of_profile.origin)
                }
                (None, None) => builder,
            };
        }
        if let Some(path) = self.in_effect("ca_file") {
            builder = builder.root_certificates_file(path.value)?;
        }
        if let Some(proxy) = self.in_effect("proxy") {
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
pub(crate) fn setting(
    matches: &ArgMatches,
    id: &str,
    flag: &'static str,
    name: &'static str,
) -> Result<Option<Setting>, Failure> {
    match matches.get_one::<String>(id) {
        Some(value) if value.is_empty() => Err(Failure::usage("missing_value", format!("{flag} is empty"))
            .cause("nothing was sent")
            .hint(format!("leave {flag} out to use {name} or the default"))),
        Some(value) => Ok(Some(Setting::new(value, flag))),
        None => variable(name),
    }
}

/// A variable; an empty one counts as not set, as in the official SDKs.
pub(crate) fn variable(name: &'static str) -> Result<Option<Setting>, Failure> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(Setting::new(value, name))),
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

/// `2027-01-31T00:00:00Z`, or seconds since 1970.
pub(crate) fn time(flag: &str, text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse(text).ok_or_else(|| {
        Failure::usage("invalid_value", format!("{flag} is no time"))
            .cause("nothing was sent")
            .hint("write 2027-01-31T00:00:00Z, or seconds since 1970")
    })
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
