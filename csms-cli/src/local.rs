//! `--local`: no service but an emulator inside this process, which keeps its data in a file of the user's.

use std::{path::PathBuf, time::Duration};

use clap::ArgMatches;
use csms_emulator::{Emulator, StartError, StartErrorKind};
use csms_sdk::{Service, region};

use crate::{
    directories,
    error::{Exit, Failure},
    settings::{Settings, variable},
};

/// The region unless another is named.
pub(crate) const REGION: &str = "cn-north-4";
/// How long to wait for another local call to let go of the file. A call takes far less.
const PATIENCE: Duration = Duration::from_secs(10);
const DATA_HINT: &str = "--local-data FILE or CSMS_LOCAL_DATA names another file";

/// Where local data are, and who wants them.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) file: PathBuf,
    /// Whether it is in this program's own directory.
    is_ours: bool,
    pub(crate) origin: &'static str,
}

impl Local {
    /// What the flags and variables say: `None` for the service.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Option<Self>, Failure> {
        let elsewhere = ["endpoint", "iam-endpoint", "profile"].into_iter().find(|flag| matches.contains_id(flag));
        let origin = match Self::asked_for(matches) {
            true if let Some(flag) = elsewhere => {
                return Err(Failure::usage("conflict", format!("--local and --{flag} exclude each other"))
                    .cause("it is not clear where to call; nothing was sent")
                    .hint(format!("leave out one of them; CSMS_LOCAL gives way to --{flag}")));
            }
            true => "--local",
            false if elsewhere.is_none() && is_on("CSMS_LOCAL")? => "CSMS_LOCAL",
            false => return Ok(None),
        };
        Self::with_file(matches, origin).map(Some)
    }

    /// The file that a flag or a variable names, or the one in the user's data directory.
    pub(crate) fn with_file(matches: &ArgMatches, origin: &'static str) -> Result<Self, Failure> {
        let flag = matches.get_one::<PathBuf>("local-data").cloned();
        let named = match flag {
            Some(file) => Some(file),
            None => variable("CSMS_LOCAL_DATA")?.map(|file| file.value.into()),
        };
        match named {
            Some(file) => Ok(Self { file, is_ours: false, origin }),
            None => Ok(Self { file: directory()?.join("local"), is_ours: true, origin }),
        }
    }

    /// Makes the directory of the file if it is this program's own.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        match self.is_ours {
            true => private_directory().map(drop),
            false => Ok(()),
        }
    }

    /// Whether a flag says so.
    pub(crate) fn asked_for(matches: &ArgMatches) -> bool {
        matches.get_flag("local") || matches.contains_id("local-data")
    }

    /// Starts the emulator in the runtime of the caller.
    pub(crate) async fn start(&self, settings: &Settings) -> Result<Emulator, Failure> {
        self.prepare()?;
        let here = settings.region.as_ref().map_or(REGION, |region| &region.value);
        let others = region::known(Service::Kms).iter().copied().filter(|region| *region != here);
        let builder = Emulator::builder().regions(std::iter::once(here).chain(others));
        let started = builder.data(&self.file).wait_for_data(PATIENCE).start().await;
        started.map_err(|error| self.not_started(&error))
    }

    fn not_started(&self, error: &StartError) -> Failure {
        let (exit, hint) = match error.kind() {
            StartErrorKind::InvalidInput => (Exit::Usage, "name another region with --region"),
            StartErrorKind::DataInUse => (Exit::Conflict, DATA_HINT),
            _ => (Exit::Unexpected, DATA_HINT),
        };
        Failure::new(exit, "emulator", format!("{}: the emulator does not start", self.origin))
            .cause(format!("{error}; nothing was sent"))
            .hint(hint)
    }
}

/// This program's own directory for data, which only its user can look into.
pub(crate) fn private_directory() -> Result<PathBuf, Failure> {
    let directory = directory()?;
    directories::make_private(&directory).map_err(|error| {
        Failure::new(Exit::Unexpected, "io", format!("{} cannot be made", directory.display()))
            .cause(format!("{error}; nothing was sent"))
            .hint("set XDG_DATA_HOME to a directory that can be written, or name a file with --local-data")
    })?;
    Ok(directory)
}

fn directory() -> Result<PathBuf, Failure> {
    directories::DATA.path().ok_or_else(|| {
        Failure::usage("no_home", "there is no place for data: neither XDG_DATA_HOME nor HOME is set")
            .cause("nothing was sent")
            .hint("set one of them, or name a file with --local-data")
    })
}

fn is_on(name: &'static str) -> Result<bool, Failure> {
    match variable(name)?.map(|setting| setting.value).as_deref() {
        None | Some("0" | "false" | "no" | "off") => Ok(false),
        Some("1" | "true" | "yes" | "on") => Ok(true),
        Some(_) => Err(Failure::usage("invalid_value", format!("{name} is neither 1 nor 0"))
            .cause("nothing was sent")
            .hint(format!("unset {name}, or set it to 1; CSMS_LOCAL_DATA names the file"))),
    }
}
