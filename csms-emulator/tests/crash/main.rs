//! What was acknowledged survives the end of the process at any moment.
//!
//! The test starts itself as the process that is ended: with [`DATA`] set it serves that file and does nothing else.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
#![allow(clippy::print_stdout)] // the server tells its address so, and the test what it has tried

mod server;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use csms_sdk::{Client, ErrorKind, csms, kms};
use tokio::{sync::Notify, task::JoinSet, time};

use server::Server;

/// As many as the writers of a round need to share waits for the disk, and the killing to hit some in the middle.
const WRITERS: usize = 8;
const ROUNDS: u64 = 50;
/// Most acknowledged writes of a round before its end.
const MOST_WRITES: u64 = 24;
/// Most microseconds that the end comes after the last of them: about as long as a commit takes.
const MOST_DELAY: u64 = 3000;

/// What the writers of a round know, by name. A secret has all its values in turn, acknowledged or not.
#[derive(Default)]
struct Written {
    secrets: BTreeMap<String, Values>,
    /// The ids of keys, which only their acknowledgement tells.
    keys: BTreeMap<String, String>,
}

/// The values of a secret, oldest first.
#[derive(Clone, Default)]
struct Values {
    sent: Vec<String>,
    acknowledged: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_else_is_half_there() {
    if let Some(file) = server::file() {
        return server::serve(&file).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut all = Written::default();
    let mut server = Server::start(&file);
    for round in 0..ROUNDS {
        let (writes, delay) = (random.below(MOST_WRITES), random.below(MOST_DELAY));
        let written = write_until_killed(server, round, writes, Duration::from_micros(delay)).await;
        server = Server::start(&file);
        check(&server.client(), &written).await;
        all.secrets.extend(written.secrets);
        all.keys.extend(written.keys);
    }
    check(&server.client(), &all).await;
    let acknowledged: usize = all.secrets.values().map(|values| values.acknowledged).sum();
    let sent: usize = all.secrets.values().map(|values| values.sent.len()).sum();
    println!("{} keys and {acknowledged} of {sent} values were acknowledged", all.keys.len());
    assert!(acknowledged < sent, "the process was never ended in the middle of a write");
}

/// Has the writers write until so many writes are acknowledged, and ends the process a little later.
async fn write_until_killed(mut server: Server, round: u64, writes: u64, delay: Duration) -> Written {
    let written = Arc::new(Mutex::new(Written::default()));
    let (acknowledged, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (client, written, prefix) = (server.client(), written.clone(), format!("{round}-{writer}"));
        let (acknowledged, enough) = (acknowledged.clone(), enough.clone());
        let count = move || {
            if acknowledged.fetch_add(1, Ordering::Relaxed) as u64 >= writes {
                enough.notify_one();
            }
        };
        writers.spawn(async move { write(&client, &prefix, &written, count).await });
    }
    enough.notified().await;
    time::sleep(delay).await;
    server.kill();
    for error in writers.join_all().await {
        // Anything the emulator says would be a defect: it was only ever cut off.
        assert!(matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout), "{error}");
    }
    Arc::into_inner(written).unwrap().into_inner().unwrap()
}

/// Writes secrets, versions and keys until that fails.
async fn write(client: &Client, prefix: &str, written: &Mutex<Written>, count: impl Fn()) -> csms_sdk::Error {
    for turn in 0.. {
        let name = format!("{prefix}-{turn}");
        let value = |version: usize| format!("{name}:{version}:{}", "x".repeat(turn * 37 % 2000));
        let sending =
            |value: &String| written.lock().unwrap().secrets.entry(name.clone()).or_default().sent.push(value.clone());
        let acknowledged = || {
            written.lock().unwrap().secrets.entry(name.clone()).or_default().acknowledged += 1;
            count();
        };
        sending(&value(1));
        if let Err(error) = csms::CreateSecret::new(&name).secret_string(value(1)).send(client).await {
            return error;
        }
        acknowledged();
        match kms::CreateKey::new(&name).send(client).await {
            Ok(answer) => {
                let id = answer.key_info.as_ref().and_then(|key| key.key_id.clone()).unwrap();
                written.lock().unwrap().keys.insert(name.clone(), id);
                count();
            }
            Err(error) => return error,
        }
        for version in 2..4 {
            sending(&value(version));
            if let Err(error) = csms::CreateSecretVersion::new(&name).secret_string(value(version)).send(client).await {
                return error;
            }
            acknowledged();
        }
    }
    unreachable!("turns have no end")
}

/// Checks everything, with as many tasks as wrote it.
async fn check(client: &Client, written: &Written) {
    let mut checks = JoinSet::new();
    let secrets: Vec<_> = written.secrets.iter().map(|(name, values)| (name.clone(), values.clone())).collect();
    for share in secrets.chunks(secrets.len().div_ceil(WRITERS).max(1)) {
        let (client, share) = (client.clone(), share.to_vec());
        checks.spawn(async move {
            for (name, values) in share {
                check_secret(&client, &name, &values).await;
            }
        });
    }
    for (name, id) in written.keys.clone() {
        let client = client.clone();
        checks.spawn(async move {
            let answer = kms::ListKeyDetail::new(id).send(&client).await.unwrap();
            let key = answer.key_info.as_ref().unwrap();
            assert_eq!(
                (key.key_alias.as_deref(), key.key_state.as_ref()),
                (Some(&*name), Some(&kms::KeyState::Enabled))
            );
        });
    }
    checks.join_all().await;
}

/// All acknowledged values are there, and a further one is there whole or not at all.
async fn check_secret(client: &Client, name: &str, Values { sent, acknowledged }: &Values) {
    let listed = match csms::ListSecretVersions::new(name).send(client).await {
        Ok(answer) => answer.version_metadatas.len(),
        Err(error) if error.kind() == ErrorKind::NotFound && *acknowledged == 0 => return,
        Err(error) => panic!("{name}: {error}"),
    };
    assert!((*acknowledged..=sent.len()).contains(&listed), "{name}: {listed} versions, {acknowledged} acknowledged");
    for (at, value) in sent.iter().enumerate().take(listed) {
        let version = csms::ShowSecretVersion::new(name, format!("v{}", at + 1)).send(client).await.unwrap();
        let version = version.version.as_ref().unwrap();
        assert!(
            version.secret_string.as_ref().unwrap().expose_secret() == value,
            "{name}: v{} is another value",
            at + 1
        );
        let stages = &version.version_metadata.as_ref().unwrap().version_stages;
        assert_eq!(stages.contains(&"SYSCURRENT".to_owned()), at + 1 == listed, "{name}: v{} of {listed}", at + 1);
    }
}

/// Numbers without a pattern, the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % limit
    }
}
