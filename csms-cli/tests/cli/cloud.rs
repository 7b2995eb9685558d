//! An emulator that other programs use as well.

use std::ffi::OsStr;

use csms_emulator::{Builder, Emulator};
use csms_sdk::{
    Client,
    csms::{CreateSecret, CreateSecretVersion},
};
use serde_json::Value as Json;
use tokio::runtime::Runtime;

use crate::program::Program;

const REGION: &str = "cn-north-4";

/// What other programs change too.
pub(crate) struct Cloud {
    pub(crate) runtime: Runtime,
    pub(crate) emulator: Emulator,
}

impl Cloud {
    pub(crate) fn start(builder: Builder) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let emulator = runtime.block_on(builder.start()).unwrap();
        Self { runtime, emulator }
    }

    pub(crate) fn with(name: &str, value: &str) -> Self {
        let cloud = Self::start(Emulator::builder());
        let client = cloud.client();
        cloud.runtime.block_on(CreateSecret::new(name).secret_string(value).send(&client)).unwrap();
        cloud
    }

    pub(crate) fn client(&self) -> Client {
        // Clients need a runtime to be made in as well.
        let _guard = self.runtime.enter();
        self.emulator.client()
    }

    pub(crate) fn change(&self, name: &str, value: &str) {
        let client = self.client();
        self.runtime.block_on(CreateSecretVersion::new(name).secret_string(value).send(&client)).unwrap();
    }

    pub(crate) fn set_faults(&self, faults: &Json) {
        self.runtime.block_on(async { self.emulator.set_faults(faults) }).unwrap();
    }

    /// A call to it.
    pub(crate) fn program<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Program {
        let project = self.emulator.project_id(REGION).unwrap();
        self.program_at(&self.emulator.endpoint(), arguments).env("CSMS_PROJECT_ID", project)
    }

    /// A call to one of its addresses, which has to look its project up.
    pub(crate) fn program_at<S: AsRef<OsStr>>(&self, address: &str, arguments: impl IntoIterator<Item = S>) -> Program {
        let (access_key, secret_key) = self.emulator.keys();
        Program::at(address, arguments)
            .env("CSMS_REGION", REGION)
            .env("CSMS_ACCESS_KEY", access_key)
            .env("CSMS_SECRET_KEY", secret_key)
            .without("CSMS_PROJECT_ID")
    }
}
