//! `csms emulate`: the emulator as a server, or around one command.

mod variables;

use std::{
    ffi::{OsStr, OsString},
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use csms_emulator::{Builder, Emulator, Quotas, StartError, StartErrorKind};
use serde_json::{Map, Value as Json, json};
use variables::Group;

use crate::{
    config::Config,
    connection::runtime,
    error::{Exit, Failure, Reporter},
    exec, file, input,
    local::{self, Local},
    output::Output,
    process,
    signals::{Signal, Signals},
    text,
};

const AFTER_HELP: &str = "\
Without a command it prints the variables that lead the official SDKs, Terraform and csms to it, and runs until it is \
ended by Ctrl-C (exit code 130) or SIGTERM (0). With a command after `--` it sets them for that command alone, ends \
with it, and has its exit code: 128 and the number of the signal that ended it, 125 where the emulator does not start, 126 \
where the command cannot be run, 127 where there is none.

It is for development and tests: never keep production secrets in it.";

const INPUT_HINT: &str = "`csms emulate --help` has the flags, `cargo doc -p csms-emulator` the members of a seed";

const DATA_HINT: &str = "--data names another file; without it, nothing is kept";

/// The grammar of `emulate`.
pub(crate) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    Command::new("emulate")
        .about("Starts CSMS, KMS, IAM and STS on this machine, for development and tests")
        .after_help(AFTER_HELP)
        .args([
            option("listen", "ADDRESS", "Address and port, or a port of 127.0.0.1; default 127.0.0.1 and a free port"),
            option("data", "FILE", "Keep everything in this file, sealed by the key beside it; default in memory only")
                .value_parser(value_parser!(PathBuf)),
            option("seed", "FILE", "Accounts, keys, agencies and faults to begin with, as JSON")
                .value_parser(value_parser!(PathBuf)),
            option(
                "regions",
                "NAMES",
                "Regions to play, the default one first; default cn-north-4, cn-east-3, ap-southeast-1",
            )
            .value_delimiter(','),
            option("tls", "FILE", "Serve HTTPS beside HTTP; the certificate authority made for it goes to the file")
                .num_args(0..=1)
                .default_missing_value("")
                .value_parser(value_parser!(OsString)),
            flag("unchecked", "Let everybody in: check neither signatures nor tokens"),
            flag("missing-is-400", "Answer 400 instead of 404 for secrets that do not exist, with the same code"),
            flag("no-quotas", "Put no limit on the number of secrets and keys"),
            option("replication-delay", "TIME", "How long replicas stay behind, e.g. 2s, 500ms or 0; default 200ms"),
            option("rotation-delay", "TIME", "How long rotations take; default 200ms"),
            Arg::new("command")
                .value_name("COMMAND")
                .help("Command to run with the variables set, and its arguments")
                .value_parser(value_parser!(OsString))
                .num_args(1..)
                .last(true),
        ])
}

/// Runs `emulate`.
pub(crate) fn run(matches: &ArgMatches, reporter: &Reporter) -> Result<ExitCode, Failure> {
    let output = Output::of(matches, &*Config::load()?)?;
    let builder = builder(matches, reporter)?;
    let command: Vec<_> = matches.get_many::<OsString>("command").into_iter().flatten().collect();
    // One thread, as everywhere: what takes long, such as making RSA keys, has threads of its own.
    runtime()?.block_on(async {
        let emulator = builder.start().await.map_err(|error| not_started(&error, command.is_empty()))?;
        let running = Running::new(emulator, matches)?;
        let code = match command.split_first() {
            Some((program, arguments)) => running.around(program, arguments).await?,
            None => running.serve(&output).await?,
        };
        running.emulator.shutdown().await;
        Ok(ExitCode::from(code))
    })
}

fn builder(matches: &ArgMatches, reporter: &Reporter) -> Result<Builder, Failure> {
    let mut builder = Emulator::builder();
    if let Some(text) = matches.get_one::<String>("listen") {
        let address = address(text)?;
        if !address.ip().is_loopback() {
            reporter.warn(&format!("everybody who can reach {} can use what is kept here", address.ip()));
        }
        builder = builder.listen(address);
    }
    if let Some(file) = data(matches)? {
        builder = builder.data(file);
    }
    if let Some(file) = matches.get_one::<PathBuf>("seed") {
        builder = builder.seed(seed(file)?);
    }
    if let Some(regions) = matches.get_many::<String>("regions") {
        builder = builder.regions(regions.map(|name| name.trim()));
    }
    if matches.contains_id("tls") {
        builder = builder.tls();
    }
    if matches.get_flag("unchecked") {
        builder = builder.unchecked();
    }
    if matches.get_flag("missing-is-400") {
        builder = builder.missing_is_400();
    }
    if matches.get_flag("no-quotas") {
        builder = builder.quotas(Quotas::unlimited());
    }
    if let Some(delay) = delay(matches, "replication-delay")? {
        builder = builder.replication_delay(delay);
    }
    if let Some(delay) = delay(matches, "rotation-delay")? {
        builder = builder.rotation_delay(delay);
    }
    Ok(builder)
}

/// An emulator that others are led to.
struct Running {
    emulator: Emulator,
    endpoint: String,
    ca: Option<CaFile>,
    groups: Vec<Group>,
}

impl Running {
    fn new(emulator: Emulator, matches: &ArgMatches) -> Result<Self, Failure> {
        let endpoint = emulator.tls_endpoint().unwrap_or_else(|| emulator.endpoint());
        let ca = match (emulator.ca_pem(), matches.get_one::<OsString>("tls")) {
            (Some(pem), Some(path)) => Some(CaFile::write(path, pem)?),
            _ => None,
        };
        let groups = variables::groups(&emulator, &endpoint, ca.as_ref().map(|ca| ca.path.as_path()));
        Ok(Self { emulator, endpoint, ca, groups })
    }

    /// Prints what leads here and waits to be ended.
    async fn serve(&self, output: &Output) -> Result<u8, Failure> {
        let mut signals = Signals::listen()?;
        output.script(&self.script(), &self.json())?;
        Ok(match signals.next().await {
            Signal::Interrupt => 130,
            #[cfg(unix)]
            Signal::Other(_) => 0,
        })
    }

    /// Runs a command that is led here.
    async fn around(&self, program: &OsString, arguments: &[&OsString]) -> Result<u8, Failure> {
        let mut command = std::process::Command::new(program);
        command.args(arguments);
        for name in variables::misleading() {
            command.env_remove(name);
        }
        process::let_commands_leave_cores();
        exec::run(command.envs(self.variables())).await
    }

    fn variables(&self) -> impl Iterator<Item = (String, String)> {
        let host = self.emulator.address().ip().to_string();
        let of_groups = self.groups.iter().flat_map(|group| group.variables.iter().cloned());
        of_groups.chain(variables::no_proxy(&host).into_iter().flatten())
    }

    fn script(&self) -> String {
        let export = |(name, value): &(String, String)| format!("export {name}={}\n", text::shell_word(value));
        let mut script = format!(
            "# The emulator listens at {}\n# until Ctrl-C ends it. Another shell can take these lines as they are.\n",
            self.endpoint
        );
        for group in &self.groups {
            script.push_str(&format!("\n# {}\n", group.title));
            script.extend(group.variables.iter().map(export));
            script.extend(group.note.iter().map(|line| format!("# {line}\n")));
        }
        script
    }

    fn json(&self) -> Json {
        let regions: Map<_, _> = self
            .emulator
            .regions()
            .iter()
            .map(|region| {
                let facts = json!({"endpoint": format!("{}/{region}", self.endpoint), "project_id": self.emulator.project_id(region)});
                (region.clone(), facts)
            })
            .collect();
        let variables: Map<_, _> = self.variables().map(|(name, value)| (name, value.into())).collect();
        json!({
            "endpoint": self.endpoint,
            "regions": regions,
            "ca_file": self.ca.as_ref().map(|ca| ca.path.display().to_string()),
            "variables": variables,
        })
    }
}

/// The file with the certificate authority. Unless somebody named it, it is gone with the emulator that made it.
struct CaFile {
    path: PathBuf,
    is_ours: bool,
}

impl CaFile {
    fn write(path: &OsStr, pem: &str) -> Result<Self, Failure> {
        let is_ours = path.is_empty();
        let path = match is_ours {
            true => local::private_directory()?.join(format!("emulator-{}.pem", std::process::id())),
            false => path.into(),
        };
        file::write_public(&path, pem.as_bytes()).map_err(|error| {
            Failure::new(Exit::Unexpected, "io", format!("--tls: {} cannot be written", path.display()))
                .cause(error.to_string())
                .hint("--tls FILE names another file")
        })?;
        Ok(Self { path, is_ours })
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// `127.0.0.1:8080`, `[::1]:8080`, `8080`.
fn address(text: &str) -> Result<SocketAddr, Failure> {
    let port = || text.parse().ok().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)));
    text.parse().ok().or_else(port).ok_or_else(|| {
        Failure::usage("invalid_value", "--listen is no address")
            .cause("it takes the number of an address with a port, or a port; nothing was started")
            .hint("write 127.0.0.1:8080, [::1]:8080 or 8080")
    })
}

/// The file named for it; with `--local` the one that local calls use.
fn data(matches: &ArgMatches) -> Result<Option<PathBuf>, Failure> {
    match (matches.get_one::<PathBuf>("data"), Local::asked_for(matches)) {
        (file, false) => Ok(file.cloned()),
        (Some(_), true) => Err(Failure::usage("conflict", "--data and --local both name the data")
            .cause("the emulator has one file; nothing was started")
            .hint("leave out one of them")),
        (None, true) => {
            let local = Local::with_file(matches, "--local")?;
            local.prepare()?;
            Ok(Some(local.file))
        }
    }
}

fn delay(matches: &ArgMatches, flag: &str) -> Result<Option<Duration>, Failure> {
    match matches.get_one::<String>(flag).map(String::as_str) {
        None => Ok(None),
        // No time-out, unlike a delay, can be none.
        Some("0") => Ok(Some(Duration::ZERO)),
        Some(text) => crate::settings::duration(&format!("--{flag}"), text).map(Some),
    }
}

fn seed(file: &PathBuf) -> Result<Json, Failure> {
    let problem = |cause: String| {
        Failure::usage("seed", format!("--seed: {} cannot be used", file.display())).cause(cause).hint(INPUT_HINT)
    };
    let bytes = input::read("--seed", file).map_err(|failure| failure.hint(INPUT_HINT))?;
    serde_json::from_slice(bytes.expose_secret())
        .map_err(|error| problem(format!("line {}, column {}: it is not JSON", error.line(), error.column())))
}

fn not_started(error: &StartError, serves: bool) -> Failure {
    let (exit, hint) = match error.kind() {
        StartErrorKind::InvalidInput => (Exit::Usage, INPUT_HINT),
        StartErrorKind::Address => {
            (Exit::Unexpected, "name another one with --listen; without it, there is a free port")
        }
        StartErrorKind::DataInUse => (Exit::Conflict, DATA_HINT),
        StartErrorKind::Data => (Exit::Unexpected, DATA_HINT),
        _ => (Exit::Unexpected, "csms emulate --help"),
    };
    // A command line that cannot be right is that with a command as well.
    let exit = if serves || exit == Exit::Usage { exit } else { Exit::NotStarted };
    Failure::new(exit, "emulator", "the emulator does not start").cause(error.to_string()).hint(hint)
}
