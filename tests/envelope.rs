//! Envelope encryption against the emulator's KMS.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{fs, path::Path, sync::Arc, time::Duration};

use csms_emulator::Emulator;
use csms_sdk::{
    CallOptions, Client, ErrorKind,
    envelope::{Envelope, EnvelopeError, Reuse},
    kms::{CreateKey, DecryptDatakey, DisableKey},
    retry::RetryPolicy,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::Notify;

/// Several chunks, and a part of one.
const LENGTH: usize = 300_001;

/// An emulator of two regions, a master key in each, and a directory.
struct World {
    emulator: Emulator,
    here: Client,
    there: Client,
    key_here: String,
    key_there: String,
    directory: TempDir,
}

impl World {
    async fn start() -> Self {
        let emulator = Emulator::builder().regions(["cn-north-4", "cn-east-3"]).start().await.unwrap();
        let quick = RetryPolicy::standard().with_backoff(Duration::from_millis(1), Duration::from_millis(5));
        let here = emulator.client().with_options(CallOptions::new().retry(quick));
        let there = here.for_region("cn-east-3").unwrap();
        let (key_here, key_there) = (create_key(&here, "here").await, create_key(&there, "there").await);
        Self { emulator, here, there, key_here, key_there, directory: tempfile::tempdir().unwrap() }
    }

    fn envelope(&self) -> Envelope {
        Envelope::new(&self.here, &self.key_here)
    }

    /// Lets so many calls of KMS through and refuses the next.
    fn allow(&self, calls: u32) {
        let free = json!({"operation": "kms/*", "delay_ms": 0, "times": calls});
        let refused = json!({"operation": "kms/*", "status": 403});
        self.emulator.set_faults(&json!([free, refused])).unwrap();
    }

    /// Whether every call that was allowed has been used.
    async fn has_used_all(&self) -> bool {
        let outcome = self.envelope().encrypt(b"one more").await;
        self.emulator.clear_faults();
        matches!(outcome, Err(EnvelopeError::Kms(error)) if error.kind() == ErrorKind::PermissionDenied)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) -> std::path::PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Names of the files in the directory.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

async fn create_key(client: &Client, alias: &str) -> String {
    let created = CreateKey::new(alias).send(client).await.unwrap().into_body();
    created.key_info.unwrap().key_id.unwrap()
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251) as u8).collect()
}

fn header_length(file: &[u8]) -> usize {
    u32::from_be_bytes(file[8..12].try_into().unwrap()) as usize
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn bytes_of_any_length_come_back() {
    let world = World::start().await;
    let envelope = world.envelope().context("app", "billing");
    for length in [0, 1, 65_535, 65_536, 65_537, LENGTH] {
        let plain = pattern(length);
        let sealed = envelope.encrypt(&plain).await.unwrap();
        let opened = envelope.decrypt(&sealed).await.unwrap();
        assert!(opened.expose_secret() == plain, "{length} bytes");
    }
}

#[tokio::test]
async fn streams_come_back_whatever_the_sizes_of_their_pieces() {
    let world = World::start().await;
    let envelope = world.envelope();
    let plain = pattern(LENGTH);
    // A pipe hands over at most 1,000 bytes at once.
    let (mut writer, reader) = tokio::io::duplex(1_000);
    let sender = async {
        let count = envelope.encrypt_stream(&*plain, &mut writer).await.unwrap();
        drop(writer);
        count
    };
    let mut opened = Vec::new();
    let (sent, received) = tokio::join!(sender, envelope.decrypt_stream(reader, &mut opened));
    assert_eq!((sent, received.unwrap()), (LENGTH as u64, LENGTH as u64));
    assert!(opened == plain);
}

#[tokio::test]
async fn a_file_takes_one_call_of_kms_each_way() {
    let world = World::start().await;
    let plain = world.write("plain", &pattern(LENGTH));
    world.allow(1);
    assert_eq!(world.envelope().encrypt_file(&plain, world.path("sealed")).await.unwrap(), LENGTH as u64);
    assert!(world.has_used_all().await);
    world.allow(1);
    assert_eq!(world.envelope().decrypt_file(world.path("sealed"), world.path("opened")).await.unwrap(), LENGTH as u64);
    assert!(world.has_used_all().await);
    assert!(fs::read(world.path("opened")).unwrap() == fs::read(plain).unwrap());
    assert_eq!(world.names(), ["opened", "plain", "sealed"]);
    #[cfg(unix)]
    for name in ["sealed", "opened"] {
        assert_eq!(mode(&world.path(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_file_may_take_the_place_of_its_source() {
    let world = World::start().await;
    let file = world.write("file", &pattern(LENGTH));
    world.envelope().encrypt_file(&file, &file).await.unwrap();
    assert!(fs::read(&file).unwrap().starts_with(b"CSMSENV"));
    world.envelope().decrypt_file(&file, &file).await.unwrap();
    assert!(fs::read(&file).unwrap() == pattern(LENGTH));
}

#[tokio::test]
async fn each_of_several_regions_opens_a_file_alone() {
    let world = World::start().await;
    let envelope = world.envelope().also(&world.there, &world.key_there).context("app", "billing");
    let sealed = envelope.encrypt(b"text").await.unwrap();

    DisableKey::new(&world.key_here).send(&world.here).await.unwrap();
    assert_eq!(envelope.decrypt(&sealed).await.unwrap().expose_secret(), b"text");
    // Nor does anybody need to name the keys: the file does.
    let reader = Envelope::decrypting(&world.here).context("app", "billing");
    assert_eq!(reader.decrypt(&sealed).await.unwrap().expose_secret(), b"text");

    DisableKey::new(&world.key_there).send(&world.there).await.unwrap();
    let Err(EnvelopeError::NoKey(tried)) = reader.decrypt(&sealed).await else { panic!("opened without a key") };
    let tried: Vec<_> = tried.iter().map(|(region, key, error)| (&**region, &**key, error.code().unwrap())).collect();
    let expected = [("cn-north-4", &*world.key_here, "KMS.0209"), ("cn-east-3", &*world.key_there, "KMS.0209")];
    assert_eq!(tried, expected);
}

#[tokio::test]
async fn the_nearest_master_key_is_asked_first() {
    let world = World::start().await;
    let envelope = world.envelope().also(&world.there, &world.key_there);
    let sealed = envelope.encrypt(b"text").await.unwrap();
    for client in [&world.here, &world.there] {
        world.allow(1);
        assert!(Envelope::decrypting(client).decrypt(&sealed).await.is_ok());
        assert!(world.has_used_all().await);
    }
}

#[tokio::test]
async fn refused_credentials_are_not_tried_on_every_master_key() {
    let world = World::start().await;
    let envelope = world.envelope().also(&world.there, &world.key_there);
    let sealed = envelope.encrypt(b"text").await.unwrap();
    world.emulator.set_faults(&json!([{"operation": "kms/*", "status": 401}])).unwrap();
    let Err(EnvelopeError::NoKey(tried)) = envelope.decrypt(&sealed).await else { panic!("opened without a key") };
    assert_eq!(tried.len(), 1);
}

#[tokio::test]
async fn a_file_under_a_key_that_was_not_named_is_refused_without_a_call() {
    let world = World::start().await;
    let sealed = world.envelope().encrypt(b"text").await.unwrap();
    let other = Envelope::new(&world.there, &world.key_there);
    assert!(other.clone().opening(&world.here, &world.key_here).decrypt(&sealed).await.is_ok());
    assert!(other.clone().opening_any().decrypt(&sealed).await.is_ok());
    world.allow(0);
    for outcome in [other.decrypt(&sealed).await.map(drop), other.rewrap(&*sealed, tokio::io::sink()).await.map(drop)] {
        assert!(matches!(&outcome, Err(EnvelopeError::NoKey(tried)) if tried.is_empty()), "{outcome:?}");
    }
}

#[tokio::test]
async fn rewrapping_leaves_the_content_and_frees_the_old_key() {
    let world = World::start().await;
    let plain = world.write("plain", &pattern(LENGTH));
    let sealed = world.path("sealed");
    world.envelope().context("app", "billing").encrypt_file(plain, &sealed).await.unwrap();
    let before = fs::read(&sealed).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&sealed, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&sealed, world.path("link")).unwrap();

    let new = Envelope::new(&world.there, &world.key_there).context("app", "billing");
    let name = if cfg!(unix) { "link" } else { "sealed" };
    new.clone().opening(&world.here, &world.key_here).rewrap_file(world.path(name)).await.unwrap();
    DisableKey::new(&world.key_here).send(&world.here).await.unwrap();

    let after = fs::read(&sealed).unwrap();
    assert!(before[..header_length(&before)] != after[..header_length(&after)]);
    assert!(before[header_length(&before)..] == after[header_length(&after)..]);
    assert!(new.decrypt(&after).await.unwrap().expose_secret() == pattern(LENGTH));
    let reader = Envelope::decrypting(&world.here).context("app", "billing");
    assert!(matches!(reader.decrypt(&before).await, Err(EnvelopeError::NoKey(_))));
    #[cfg(unix)]
    {
        assert_eq!(mode(&sealed), 0o640);
        assert!(fs::symlink_metadata(world.path("link")).unwrap().is_symlink());
        assert_eq!(world.names(), ["link", "plain", "sealed"]);
    }
}

#[tokio::test]
async fn a_rewrap_that_fails_leaves_the_file_as_it_was() {
    let world = World::start().await;
    let sealed = world.write("sealed", &world.envelope().encrypt(b"text").await.unwrap());
    let before = fs::read(&sealed).unwrap();
    DisableKey::new(&world.key_there).send(&world.there).await.unwrap();
    let new = Envelope::new(&world.there, &world.key_there).opening(&world.here, &world.key_here);
    assert!(matches!(new.rewrap_file(&sealed).await, Err(EnvelopeError::Kms(_))));
    assert!(fs::read(&sealed).unwrap() == before);
    assert_eq!(world.names(), ["sealed"]);
}

#[tokio::test]
async fn a_wrong_context_is_refused_without_a_call() {
    let world = World::start().await;
    let sealed = world.envelope().context("app", "billing").encrypt(b"text").await.unwrap();
    world.allow(0);
    for other in [world.envelope(), world.envelope().context("app", "shipping")] {
        assert!(matches!(other.decrypt(&sealed).await, Err(EnvelopeError::WrongContext)));
        assert!(matches!(other.rewrap(&*sealed, tokio::io::sink()).await, Err(EnvelopeError::WrongContext)));
    }
}

#[tokio::test]
async fn kms_binds_the_data_key_to_the_context() {
    let world = World::start().await;
    let sealed = world.envelope().context("app", "billing").encrypt(b"text").await.unwrap();
    // The slot begins behind 79 bytes: region, key id, protected data key.
    let mut rest = &sealed[79..];
    let mut part = || {
        let (length, behind) = rest.split_at(2);
        let (part, behind) = behind.split_at(usize::from(u16::from_be_bytes(length.try_into().unwrap())));
        rest = behind;
        part
    };
    assert_eq!((part(), part()), (&b"cn-north-4"[..], world.key_here.as_bytes()));
    let data_key = hex::encode(part());
    let context = [&[0, 0, 0, 3][..], b"app", &[0, 0, 0, 7], b"billing"].concat();
    let context = hex::encode(Sha256::digest(context));

    let ask = || DecryptDatakey::new(&world.key_here, &data_key, 64);
    assert!(ask().send(&world.here).await.is_err());
    assert!(ask().additional_authenticated_data("app billing").send(&world.here).await.is_err());
    assert!(ask().additional_authenticated_data(context).send(&world.here).await.is_ok());
}

#[tokio::test]
async fn a_data_key_is_reused_within_its_bounds() {
    let world = World::start().await;
    let reuse = Reuse { files: 2, age: Duration::from_secs(3600) };
    let envelope = world.envelope().reuse_data_key(reuse);
    world.allow(2);
    let mut files = Vec::new();
    for _ in 0..3 {
        files.push(envelope.clone().encrypt(b"text").await.unwrap());
    }
    assert!(world.has_used_all().await);
    for file in &files {
        assert_eq!(envelope.decrypt(file).await.unwrap().expose_secret(), b"text");
    }
    // The same text under the same data key does not look the same.
    assert!(files[0][header_length(&files[0])..] != files[1][header_length(&files[1])..]);

    let ageing = world.envelope().reuse_data_key(Reuse { files: 9, age: Duration::ZERO });
    world.allow(2);
    ageing.encrypt(b"text").await.unwrap();
    ageing.encrypt(b"text").await.unwrap();
    assert!(world.has_used_all().await);
}

#[tokio::test]
async fn a_reused_data_key_does_not_outlive_its_context_and_master_keys() {
    let world = World::start().await;
    let reuse = Reuse { files: 9, age: Duration::from_secs(3600) };
    let envelope = world.envelope().reuse_data_key(reuse);
    envelope.encrypt(b"text").await.unwrap();
    let bound = envelope.context("app", "billing");
    let sealed = bound.encrypt(b"text").await.unwrap();
    assert_eq!(bound.decrypt(&sealed).await.unwrap().expose_secret(), b"text");

    let also = bound.also(&world.there, &world.key_there);
    let sealed = also.encrypt(b"text").await.unwrap();
    DisableKey::new(&world.key_here).send(&world.here).await.unwrap();
    assert_eq!(also.decrypt(&sealed).await.unwrap().expose_secret(), b"text");
}

#[tokio::test]
async fn a_failing_service_is_ridden_out_or_told() {
    let world = World::start().await;
    let envelope = world.envelope();
    let plain = world.write("plain", b"text");
    for fault in
        [json!({"status": 429, "times": 2}), json!({"cut_at": 0, "times": 1}), json!({"cut_at": 20, "times": 1})]
    {
        world.emulator.set_faults(&json!([fault])).unwrap();
        let sealed = envelope.encrypt(b"text").await.unwrap();
        world.emulator.set_faults(&json!([fault])).unwrap();
        assert_eq!(envelope.decrypt(&sealed).await.unwrap().expose_secret(), b"text");
    }
    let sealed = world.write("sealed", &envelope.encrypt(b"text").await.unwrap());
    for (fault, kind) in [
        (json!({"status": 429}), ErrorKind::Throttled),
        (json!({"cut_at": 0}), ErrorKind::Connection),
        (json!({"status": 503}), ErrorKind::Service),
    ] {
        world.emulator.set_faults(&json!([fault])).unwrap();
        let outcome = envelope.encrypt_file(&plain, world.path("other")).await;
        assert!(matches!(&outcome, Err(EnvelopeError::Kms(error)) if error.kind() == kind), "{outcome:?}");
        let outcome = envelope.decrypt_file(&sealed, world.path("other")).await;
        assert!(matches!(&outcome, Err(EnvelopeError::NoKey(tried)) if tried[0].2.kind() == kind), "{outcome:?}");
        assert_eq!(world.names(), ["plain", "sealed"]);
    }
}

#[tokio::test]
async fn a_damaged_file_is_not_decrypted_in_part() {
    let world = World::start().await;
    let envelope = world.envelope();
    let sealed = envelope.encrypt(&pattern(LENGTH)).await.unwrap();
    let header = header_length(&sealed);
    let cut = world.write("cut", &sealed[..header + 2 * (65_536 + 16)]);
    let mut altered = sealed.clone();
    *altered.last_mut().unwrap() ^= 1;
    let altered = world.write("altered", &altered);
    let old = world.write("old", b"as before");

    let outcome = envelope.decrypt_file(&cut, &old).await;
    assert!(matches!(outcome, Err(EnvelopeError::Truncated)), "{outcome:?}");
    let outcome = envelope.decrypt_file(&altered, &old).await;
    assert!(matches!(outcome, Err(EnvelopeError::Altered { chunk: 4 })), "{outcome:?}");
    assert_eq!(fs::read(&old).unwrap(), b"as before");
    assert_eq!(world.names(), ["altered", "cut", "old"]);
    assert!(envelope.decrypt(&fs::read(&altered).unwrap()).await.is_err());

    // Who asks for a stream gets what was verified, and the error.
    let mut released = Vec::new();
    assert!(envelope.decrypt_stream(&*fs::read(&altered).unwrap(), &mut released).await.is_err());
    assert!(released == pattern(LENGTH)[..4 * 65_536]);
}

#[tokio::test]
async fn what_is_interrupted_leaves_nothing() {
    let world = World::start().await;
    let plain = world.write("plain", &pattern(LENGTH));
    let sealed = world.path("sealed");
    world.envelope().encrypt_file(&plain, &sealed).await.unwrap();
    let old = world.write("old", b"as before");

    // While KMS is asked.
    world.emulator.set_faults(&json!([{"operation": "kms/*", "delay_ms": 60_000}])).unwrap();
    let envelope = world.envelope();
    let soon = Duration::from_millis(300);
    assert!(tokio::time::timeout(soon, envelope.decrypt_file(&sealed, &old)).await.is_err());
    assert!(tokio::time::timeout(soon, envelope.encrypt_file(&plain, &old)).await.is_err());
    world.emulator.clear_faults();

    // With some of it written.
    let begun = Arc::new(Notify::new());
    let tell = Arc::clone(&begun);
    let envelope = world.envelope().on_progress(move |_| tell.notify_one());
    tokio::select! {
        biased;
        () = begun.notified() => {}
        outcome = envelope.decrypt_file(&sealed, &old) => panic!("was not interrupted: {outcome:?}"),
    }
    assert_eq!(fs::read(&old).unwrap(), b"as before");
    assert_eq!(world.names(), ["old", "plain", "sealed"]);
}

#[tokio::test]
async fn only_plain_files_are_replaced() {
    let world = World::start().await;
    let plain = world.write("plain", b"text");
    fs::create_dir(world.path("directory")).unwrap();
    let mut targets = vec![world.path("directory"), world.path("nowhere").join("file")];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&plain, world.path("link")).unwrap();
        targets.extend([world.path("link"), "/dev/null".into()]);
    }
    world.allow(0);
    for target in targets {
        let Err(error) = world.envelope().encrypt_file(&plain, &target).await else { panic!("{target:?} was written") };
        assert!(matches!(error, EnvelopeError::Io(..)), "{error}");
        assert!(error.to_string().contains(target.to_str().unwrap()), "{error}");
    }
    assert_eq!(fs::read(&plain).unwrap(), b"text");
    let Err(error) = world.envelope().encrypt_file(world.path("missing"), world.path("new")).await else {
        panic!("there is nothing to encrypt")
    };
    assert!(error.to_string().contains("missing"), "{error}");
}
