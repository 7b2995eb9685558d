//! What is kept.

use std::{
    fs,
    path::{Path, PathBuf},
};

use csms_emulator::Emulator;
use csms_sdk::{ErrorKind, csms, kms};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data");
    let emulator = Emulator::builder().data(&file).start().await.unwrap();
    let client = emulator.client();
    csms::CreateSecret::new("demo").secret_string("value").send(&client).await.unwrap();
    let key = kms::CreateKey::new("demo").send(&client).await.unwrap();
    let id = key.key_info.as_ref().unwrap().key_id.clone().unwrap();
    let missing = csms::ShowSecret::new("other").send(&client).await.unwrap_err();
    assert_eq!((missing.kind(), missing.status()), (ErrorKind::NotFound, Some(404)));
    drop(client);
    emulator.shutdown().await;

    let emulator = Emulator::builder().data(&file).start().await.unwrap();
    let client = emulator.client();
    let answer = csms::ShowSecretVersion::new("demo", "latest").send(&client).await.unwrap();
    assert_eq!(answer.version.as_ref().unwrap().secret_string.as_ref().unwrap().expose_secret(), "value");
    let answer = kms::ListKeyDetail::new(id).send(&client).await.unwrap();
    assert_eq!(answer.key_info.as_ref().unwrap().key_alias.as_deref(), Some("demo"));
}

/// A file with a secret in it, closed, and the key beside it.
async fn kept(directory: &Path) -> (PathBuf, PathBuf) {
    let file = directory.join("data");
    let emulator = Emulator::builder().data(&file).start().await.unwrap();
    csms::CreateSecret::new("demo").secret_string("value").send(&emulator.client()).await.unwrap();
    emulator.shutdown().await;
    let key = directory.join("data.key");
    assert!(key.is_file());
    (file, key)
}

/// Whether the emulator starts on the file and still has the secret; else the refusal.
async fn reopened(file: &Path) -> Result<(), String> {
    let emulator = Emulator::builder().data(file).start().await.map_err(|error| error.to_string())?;
    let answer = csms::ShowSecretVersion::new("demo", "latest").send(&emulator.client()).await.unwrap();
    assert_eq!(answer.version.as_ref().unwrap().secret_string.as_ref().unwrap().expose_secret(), "value");
    emulator.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (file, _) = kept(directory.path()).await;
    let good = fs::read(&file).unwrap();
    let half = good[..good.len() / 2].to_vec();
    let blank = [&good[..64], &vec![0; good.len() - 64]].concat();
    for damaged in [half, blank, b"something else".to_vec(), Vec::new()] {
        fs::write(&file, &damaged).unwrap();
        let refused = reopened(&file).await.unwrap_err();
        assert!(refused.contains(&*file.to_string_lossy()) && refused.contains("damaged"), "{refused}");
        assert!(refused.contains("restore it from a copy"), "{refused}");
        assert!(fs::read(&file).unwrap() == damaged, "it is left as it is: {refused}");
    }
    fs::write(&file, &good).unwrap();
    reopened(&file).await.unwrap();
}

#[tokio::test]
async fn a_file_with_any_byte_altered_is_refused_or_still_has_everything() {
    let directory = tempfile::tempdir().unwrap();
    let (file, _) = kept(directory.path()).await;
    let good = fs::read(&file).unwrap();
    let mut refusals = 0;
    // A start takes long; the store's own tests try more.
    let written: Vec<_> = (0..good.len()).filter(|at| good[*at] != 0).collect();
    for at in written.iter().copied().step_by(written.len() / 16) {
        let mut altered = good.clone();
        altered[at] ^= 0x55;
        fs::write(&file, &altered).unwrap();
        if let Err(refused) = reopened(&file).await {
            assert!(refused.contains(&*file.to_string_lossy()), "byte {at}: {refused}");
            refusals += 1;
        }
    }
    assert!(refusals > 0);
}

#[tokio::test]
async fn a_file_is_refused_without_its_key_and_gets_no_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let (file, key) = kept(directory.path()).await;
    let (good, right) = (fs::read(&file).unwrap(), fs::read(&key).unwrap());
    fs::remove_file(&key).unwrap();
    let refused = reopened(&file).await.unwrap_err();
    assert!(refused.contains("cannot be read without its key") && refused.contains("data.key"), "{refused}");
    // What is left there, if anything, is no key.
    assert!(fs::read(&key).unwrap_or_default().is_empty());
    assert!(fs::read(&file).unwrap() == good);

    let _ = fs::remove_file(&key);
    let other = tempfile::tempdir().unwrap();
    let (_, wrong) = kept(other.path()).await;
    fs::copy(wrong, &key).unwrap();
    let refused = reopened(&file).await.unwrap_err();
    assert!(refused.contains("another key"), "{refused}");

    fs::write(&key, right).unwrap();
    reopened(&file).await.unwrap();
}
