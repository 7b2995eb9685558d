//! An emulator in a process of its own: this test once more, told to serve.

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use csms_emulator::{Emulator, Quotas};
use csms_sdk::{Client, Service, credentials::Credentials, retry::RetryPolicy};

/// Names the file to be served.
const DATA: &str = "CSMS_CRASH_TEST_DATA";
/// What the line with the endpoint and the keys contains: the test runner may write in front of it.
const READY: &str = "serving at ";

/// The file to be served, if this process is the one that serves.
pub(crate) fn file() -> Option<PathBuf> {
    env::var_os(DATA).map(PathBuf::from)
}

/// Serves until the other process is gone, however that came.
pub(crate) async fn serve(file: &Path) {
    let emulator = Emulator::builder().data(file).quotas(Quotas::unlimited()).start().await.unwrap();
    let (access_key, secret_key) = emulator.keys();
    println!("{READY}{} {access_key} {secret_key}", emulator.endpoint());
    io::stdout().flush().unwrap();
    tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
}

/// The other process. Ends with this.
pub(crate) struct Server {
    child: Child,
    client: Client,
}

impl Server {
    /// Starts it on a file, and waits until it serves.
    pub(crate) fn start(file: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .arg("--nocapture")
            .env(DATA, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let ready = lines.filter_map(|line| line.split_once(READY).map(|(_, ready)| ready.to_owned())).next();
        let ready = ready.expect("it starts");
        let mut parts = ready.split(' ');
        let mut part = || parts.next().unwrap();
        Self { client: client(part(), part(), part()), child }
    }

    /// Its client. Making one takes longer than most writes, so all share one.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that does not try again: a write that was not acknowledged stays that way.
fn client(endpoint: &str, access_key: &str, secret_key: &str) -> Client {
    let builder = Client::builder()
        .region("cn-north-4")
        .credentials(Credentials::keys(access_key, secret_key))
        .retry(RetryPolicy::none())
        .no_proxy();
    [Service::Csms, Service::Kms, Service::Iam, Service::Sts]
        .into_iter()
        .fold(builder, |builder, service| builder.service_endpoint(service, endpoint))
        .build()
        .unwrap()
}
