//! How the tests of KMS call it: with any JSON, and seeing the answer as it was sent.

use std::{
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use csms_emulator::{Emulator, Quotas};
use csms_sdk::{Client, Service, clock::Clock};
use serde_json::{Value as Json, json};

use crate::support::{Refusal, pass_days, refused, send, text};

/// When the emulators of [`Timed`] are started, in milliseconds.
pub(crate) const START: i64 = 1_900_000_000_000;

/// KMS in one region.
pub(crate) struct Kms {
    pub(crate) client: Client,
}

impl Kms {
    pub(crate) fn of(emulator: &Emulator) -> Self {
        Self { client: emulator.client() }
    }

    pub(crate) fn in_region(&self, region: &str) -> Self {
        Self { client: self.client.for_region(region).unwrap() }
    }

    pub(crate) async fn call(&self, name: &str, request: Json) -> Result<Json, Refusal> {
        send(&self.client, Service::Kms, name, request).await.map_err(|error| refused(&error))
    }

    /// An answer that has to come.
    pub(crate) async fn ask(&self, name: &str, request: Json) -> Json {
        self.call(name, request).await.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"))
    }

    /// The code of a refusal that has to come: with 404 where a key does not exist, else with 400.
    pub(crate) async fn refused(&self, name: &str, request: Json) -> String {
        match self.call(name, request).await {
            Err((404, code)) if code == "KMS.0207" => code,
            Err((400, code)) if code != "KMS.0207" => code,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// The id of a new key of this name.
    pub(crate) async fn named(&self, alias: &str) -> String {
        self.key_of(json!({"key_alias": alias})).await
    }

    /// The id of a new key.
    pub(crate) async fn key(&self, spec: &str, usage: &str) -> String {
        self.key_of(json!({"key_spec": spec, "key_usage": usage})).await
    }

    /// The id of a new key with these members, under any name unless one is told.
    pub(crate) async fn key_of(&self, mut request: Json) -> String {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        if request.get("key_alias").is_none() {
            request["key_alias"] = format!("key-{}", MADE.fetch_add(1, Ordering::Relaxed)).into();
        }
        let answer = self.ask("CreateKey", request).await;
        text(&answer["key_info"], "key_id").to_owned()
    }

    pub(crate) async fn details(&self, id: &str) -> Json {
        self.ask("ListKeyDetail", json!({"key_id": id})).await["key_info"].take()
    }

    pub(crate) async fn state(&self, id: &str) -> String {
        text(&self.details(id).await, "key_state").to_owned()
    }

    /// The id of a keystore that keys can be made in.
    pub(crate) async fn keystore(&self) -> Json {
        let request = json!({
            "keystore_alias": "mine", "hsm_cluster_id": "c", "hsm_ca_cert": "-----BEGIN CERTIFICATE-----",
        });
        let id = self.ask("CreateKeyStore", request).await["keystore"]["keystore_id"].take();
        self.ask("EnableKeyStore", json!({"keystore_id": id})).await;
        id
    }

    /// The id of the key that CSMS protects secrets with unless told otherwise.
    pub(crate) async fn default_key(&self) -> String {
        csms_sdk::csms::CreateSecret::new("demo").secret_string("value").send(&self.client).await.unwrap();
        let all = self.ask("ListKeys", json!({})).await;
        let default = all["key_details"].as_array().unwrap().iter().find(|key| key["key_alias"] == "csms/default");
        text(default.unwrap(), "key_id").to_owned()
    }
}

/// KMS in an emulator whose time stands still at [`START`] until it is moved.
pub(crate) struct Timed {
    pub(crate) emulator: Emulator,
    kms: Kms,
}

impl Timed {
    pub(crate) async fn start() -> Self {
        Self::with_quota(100).await
    }

    pub(crate) async fn with_quota(keys: usize) -> Self {
        let clock = Clock::from_fn(|| UNIX_EPOCH + Duration::from_millis(START.unsigned_abs()));
        let mut quotas = Quotas::default();
        quotas.keys = keys;
        // Unchecked, as the client signs by another clock.
        let emulator = Emulator::builder().clock(clock).quotas(quotas).unchecked().start().await.unwrap();
        let kms = Kms::of(&emulator);
        Self { emulator, kms }
    }

    pub(crate) fn pass(&self, days: u32) {
        pass_days(&self.emulator, days);
    }
}

impl Deref for Timed {
    type Target = Kms;

    fn deref(&self) -> &Kms {
        &self.kms
    }
}
