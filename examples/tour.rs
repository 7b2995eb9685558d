//! A secret and a key from their creation to two other regions, and a message that travels with its data key.
//!
//! `cargo run --example tour`
#![allow(clippy::print_stdout)] // an example shows what it does

use std::time::Duration;

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead as _, KeyInit as _, Nonce},
};
use csms_examples::{Error, Service};
use csms_sdk::{
    Client, SecretString,
    csms::{CreateSecret, CreateSecretReplica, CreateSecretVersion, ReplicaStatus, ShowSecret, ShowSecretVersion},
    kms::{CreateDatakey, CreateKey, DecryptDatakey, ListKeyDetail, ReplicateKey},
};

const OTHER_REGIONS: [&str; 2] = ["cn-east-3", "ap-southeast-1"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let service = Service::start().await?;
    let client = &service.client;

    println!("A secret");
    let created = CreateSecret::new("demo").secret_string("first value").send(client).await?;
    let request_id = shown(created.request_id());
    let secret = created.into_body().secret.unwrap_or_default();
    println!("  created     {} is {} (request {request_id})", shown(secret.name), shown(secret.state));
    let added = CreateSecretVersion::new("demo").secret_string("second value").send(client).await?.into_body();
    let version = added.version_metadata.unwrap_or_default();
    println!("  changed     {} is staged {}", shown(version.id), version.version_stages.join(", "));
    println!("  read back   {:?}", value(client).await?.expose_secret());

    println!("A key");
    let created = CreateKey::new("demo").send(client).await?.into_body();
    let key_id = created.key_info.and_then(|key| key.key_id).ok_or("the answer names no key")?;
    println!("  created     {key_id}");

    println!("Both in {}", OTHER_REGIONS.join(" and "));
    let mut replicas = Vec::new();
    for region in OTHER_REGIONS {
        let there = client.for_region(region)?;
        CreateSecretReplica::new("demo", region).send(client).await?;
        let project_id = there.project_id().await?;
        let copied = ReplicateKey::new(&key_id, region, "demo", project_id).send(client).await?.into_body();
        replicas.push((there, copied.key_id.ok_or("the answer names no key")?));
    }
    wait_for_secret(client).await?;
    for (there, key_id) in &replicas {
        wait_for_key(there, key_id).await?;
        let value = value(there).await?;
        println!("  in sync     {:<15} {:?}, key {key_id}", shown(there.region()), value.expose_secret());
    }

    println!("A message under a data key");
    let made = CreateDatakey::new(&key_id).send(client).await?.into_body();
    let data_key = made.plain_text.ok_or("the answer holds no data key")?;
    let encrypted_key = made.cipher_text.ok_or("the answer holds no encrypted data key")?;
    let sealed =
        cipher(&data_key)?.encrypt(&nonce(), b"hello from afar".as_slice()).map_err(|_| "it does not encrypt")?;
    drop(data_key);
    println!("  encrypted   {} bytes; of the data key only its encrypted form is left", sealed.len());
    let (there, replica_key) = &replicas[0];
    let found = DecryptDatakey::new(replica_key, encrypted_key, 32).send(there).await?.into_body();
    let data_key = found.data_key.ok_or("the answer holds no data key")?;
    let opened = cipher(&data_key)?.decrypt(&nonce(), sealed.as_slice()).map_err(|_| "it does not decrypt")?;
    println!("  decrypted   {:?}, by the key in {}", String::from_utf8_lossy(&opened), shown(there.region()));
    Ok(())
}

async fn value(client: &Client) -> Result<SecretString, Error> {
    let answer = ShowSecretVersion::new("demo", "latest").send(client).await?.into_body();
    Ok(answer.version.and_then(|version| version.secret_string).ok_or("the answer holds no value")?)
}

/// Waits until every replica of the secret has followed.
async fn wait_for_secret(client: &Client) -> Result<(), Error> {
    for _ in 0..100 {
        let secret = ShowSecret::new("demo").send(client).await?.into_body().secret.unwrap_or_default();
        if secret.replicas.iter().all(|replica| replica.status == Some(ReplicaStatus::InSync)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the replicas of the secret do not follow".into())
}

/// Waits until a copy of the key can be used.
async fn wait_for_key(client: &Client, key_id: &str) -> Result<(), Error> {
    for _ in 0..100 {
        let key = ListKeyDetail::new(key_id).send(client).await?.into_body().key_info.unwrap_or_default();
        // 2 is enabled.
        if key.key_state.is_some_and(|state| state.as_str() == "2") {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the copy of the key does not become usable".into())
}

fn cipher(data_key: &SecretString) -> Result<Aes256Gcm, Error> {
    let bytes = hex::decode(data_key.expose_secret())?;
    Ok(Aes256Gcm::new_from_slice(&bytes)?)
}

/// A data key that encrypts a single message needs no nonce but this.
fn nonce() -> Nonce<Aes256Gcm> {
    Nonce::<Aes256Gcm>::default()
}

/// Answers may leave anything out.
fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "?".to_owned(), |value| value.to_string())
}
