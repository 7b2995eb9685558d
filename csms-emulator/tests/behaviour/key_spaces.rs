//! Key spaces, their access points and key policies, and data-key capsules.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use csms_emulator::Emulator;
use csms_sdk::{
    Client, Error, ErrorKind,
    kms::{
        CreateAccessPoint, CreateDatakeyCapsule, CreateKey, CreateKeyPolicy, CreateKeyStore, CreateTrustedKeySpace,
        DecryptDatakeyCapsule, DecryptDatakeyCapsuleRequestBodyAttestationDocument as Attestation, DeleteAccessPoint,
        DeleteKeyPolicy, DeleteTrustedKeySpace, DisableAccessPoint, DownloadAccessPointPrivateKey, EnableAccessPoint,
        KeySpaceType, ListAccessPoint, ListKeyPolicy, ListTrustedKeySpace, ShowKeyPolicy, UpdateKeyPolicy,
    },
};
use p256::{
    ecdsa::{DerSignature, SigningKey, signature::Signer},
    pkcs8::{DecodePrivateKey, EncodePublicKey},
};
use rsa::{Oaep, RsaPrivateKey};

const NOWHERE: &str = "00000000-0000-4000-8000-000000000000";

fn refusal(error: &Error) -> (Option<u16>, Option<&str>) {
    (error.status(), error.code())
}

async fn space(client: &Client, name: &str) -> String {
    CreateTrustedKeySpace::new(name).send(client).await.unwrap().keyspace_id.clone().unwrap()
}

async fn custom_point(client: &Client, name: &str, space: &str) -> String {
    CreateAccessPoint::new(name, space, 3).send(client).await.unwrap().access_point_id.clone().unwrap()
}

async fn policy(client: &Client, name: &str, space: &str, text: &str) -> Result<String, Error> {
    Ok(CreateKeyPolicy::new(space, name, text).send(client).await?.policy_id.clone().unwrap())
}

async fn key(client: &Client) -> String {
    let key = CreateKey::new("capsules").send(client).await.unwrap();
    key.key_info.as_ref().unwrap().key_id.clone().unwrap()
}

fn allowing(points: &[&str]) -> String {
    format!(r#"{{"version":"1.0","allowed_access_point":{points:?}}}"#)
}

/// The private key of a custom access point.
async fn private_key(client: &Client, point: &str) -> SigningKey {
    let answer = DownloadAccessPointPrivateKey::new(point).send(client).await.unwrap();
    let text = answer.private_key.as_ref().unwrap().expose_secret().to_owned();
    SigningKey::from(p256::SecretKey::from_pkcs8_der(&STANDARD.decode(text).unwrap()).unwrap())
}

/// What a custom access point proves itself with.
fn proof(key: &SigningKey, capsule: &str, expire_time: &str) -> Attestation {
    let signature: DerSignature = key.sign(format!("{capsule}\n{expire_time}").as_bytes());
    let public_key = p256::PublicKey::from(*key.verifying_key()).to_public_key_der().unwrap();
    Attestation::new()
        .custom_public_key(STANDARD.encode(public_key.as_bytes()))
        .custom_signature(STANDARD.encode(signature.as_bytes()))
        .expire_time(expire_time)
}

#[tokio::test]
async fn key_spaces_have_names_of_their_own_and_keystores_of_their_type() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let created = CreateKeyStore::new("vault").send(&client).await.unwrap();
    let keystore = created.keystore.as_ref().unwrap().keystore_id.clone().unwrap();

    let dedicated = |name: &str| CreateTrustedKeySpace::new(name).r#type(KeySpaceType::DedicatedHsm);
    let id = dedicated("space").keystore_id(&keystore).send(&client).await.unwrap().keyspace_id.clone().unwrap();
    let error = space_error(&client, CreateTrustedKeySpace::new("space")).await;
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")));
    let error = space_error(&client, dedicated("other")).await;
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0204")));
    let error = space_error(&client, dedicated("other").keystore_id(NOWHERE)).await;
    assert_eq!(refusal(&error), (Some(400), Some("KMS.8003")));
    let external = CreateTrustedKeySpace::new("other").r#type(KeySpaceType::External).keystore_id(&keystore);
    assert_eq!(refusal(&space_error(&client, external).await), (Some(400), Some("KMS.0308")));

    let other = space(&client, "other").await;
    let only = ListTrustedKeySpace::new().r#type(KeySpaceType::DedicatedHsm).send(&client).await.unwrap();
    assert_eq!(only.keyspaces.len(), 1);
    assert_eq!(only.keyspaces[0].keyspace_id.as_deref(), Some(&*id));
    assert_eq!(only.keyspaces[0].other["keystore_id"], *keystore);
    let only = ListTrustedKeySpace::new().keyspace_id(&other).send(&client).await.unwrap();
    assert_eq!(only.keyspaces.len(), 1);
    assert_eq!(only.keyspaces[0].keyspace_name.as_deref(), Some("other"));
}

async fn space_error(client: &Client, create: CreateTrustedKeySpace) -> Error {
    create.send(client).await.unwrap_err()
}

#[tokio::test]
async fn a_key_space_has_to_be_empty_to_be_deleted() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = space(&client, "space").await;
    let point = custom_point(&client, "point", &id).await;
    let policy = policy(&client, "policy", &id, &allowing(&[&point])).await.unwrap();
    let error = DeleteTrustedKeySpace::new(&id).send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")));
    DeleteAccessPoint::new(&point).send(&client).await.unwrap();
    DeleteTrustedKeySpace::new(&id).send(&client).await.unwrap_err();
    DeleteKeyPolicy::new(&policy).send(&client).await.unwrap();
    DeleteTrustedKeySpace::new(&id).send(&client).await.unwrap();
    let error = DeleteTrustedKeySpace::new(&id).send(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
    let error = CreateAccessPoint::new("point", &id, 3).send(&client).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn lists_go_on_after_the_marker_and_end_with_an_empty_one() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let (id, other) = (space(&client, "space").await, space(&client, "other").await);
    let mut points = Vec::new();
    for name in ["a", "b", "c"] {
        points.push(custom_point(&client, name, &id).await);
    }
    custom_point(&client, "a", &other).await;
    points.sort();

    let first = ListAccessPoint::new(&id).limit(2).send(&client).await.unwrap();
    assert_eq!(first.page_info.as_ref().unwrap().next_marker.as_deref(), Some(&*points[1]));
    assert_eq!(first.page_info.as_ref().unwrap().current_count, Some(2));
    let last = ListAccessPoint::new(&id).limit(2).marker(&points[1]).send(&client).await.unwrap();
    assert_eq!(last.page_info.as_ref().unwrap().next_marker.as_deref(), Some(""));
    let ids = first.access_points.iter().chain(&last.access_points);
    assert_eq!(ids.map(|point| point.access_point_id.clone().unwrap()).collect::<Vec<_>>(), points);

    let error = ListAccessPoint::new(&id).marker("first").send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")));
    let error = ListAccessPoint::new(NOWHERE).send(&client).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    let page = ListTrustedKeySpace::new().limit(1).send(&client).await.unwrap();
    let marker = page.page_info.as_ref().unwrap().next_marker.clone().unwrap();
    let page = ListTrustedKeySpace::new().limit(1).marker(marker).send(&client).await.unwrap();
    assert_eq!((page.keyspaces.len(), page.page_info.as_ref().unwrap().next_marker.as_deref()), (1, Some("")));
}

#[tokio::test]
async fn an_access_point_has_what_its_workload_proves_itself_by() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = space(&client, "space").await;
    let point = |kind| CreateAccessPoint::new("point", &id, kind);
    for (refused, field) in [
        (point(1), "identity"),
        (point(2).identity("key"), "cluster_id"),
        (point(2).identity("key").cluster_id("cluster"), "identity"),
        (point(4), "type"),
    ] {
        let error = refused.send(&client).await.unwrap_err();
        assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")));
        assert!(error.to_string().contains(field), "{error}");
    }
    let ecs = point(1).identity("instance").send(&client).await.unwrap().access_point_id.clone().unwrap();
    let error = DownloadAccessPointPrivateKey::new(&ecs).send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")));
    let error = point(3).send(&client).await.unwrap_err();
    assert!(error.to_string().contains("access_point_name"), "{error}");

    let custom = custom_point(&client, "custom", &id).await;
    assert_eq!(
        private_key(&client, &custom).await.verifying_key(),
        private_key(&client, &custom).await.verifying_key(),
        "there is one key pair, which can be downloaded again"
    );
    let state = async || {
        let list = ListAccessPoint::new(&id).send(&client).await.unwrap();
        let point = list.access_points.iter().find(|point| point.access_point_id.as_deref() == Some(&custom)).unwrap();
        (point.r#type.unwrap(), point.state.unwrap())
    };
    assert_eq!(state().await, (3, 1));
    DisableAccessPoint::new(&custom).send(&client).await.unwrap();
    assert_eq!(state().await, (3, 2));
    EnableAccessPoint::new(&custom).send(&client).await.unwrap();
    assert_eq!(state().await, (3, 1));
    let error = EnableAccessPoint::new(NOWHERE).send(&client).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
}

#[tokio::test]
async fn key_policies_are_taken_in_either_spelling_and_replaced_whole() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = space(&client, "space").await;
    let text = r#"{"version":"1.0","allowedAccessPoint":["a"],"allowed_data_security_zone":["z"],
        "validityPeriod":{"startTime":"2026-01-01T00:00:00Z","end_time":"2027-01-01T00:00:00Z"}}"#;
    let created = CreateKeyPolicy::new(&id, "policy", text).description("first").send(&client).await.unwrap();
    let policy_id = created.policy_id.clone().unwrap();

    let shown = ShowKeyPolicy::new(&policy_id).send(&client).await.unwrap();
    assert_eq!((shown.policy_name.as_deref(), shown.keyspace_id.as_deref()), (Some("policy"), Some(&*id)));
    assert_eq!(shown.description.as_deref(), Some("first"));
    assert_eq!(shown.create_time, shown.last_modify_time);
    assert_eq!(shown.last_access_time, None);
    let content = shown.policy.as_ref().unwrap();
    assert_eq!(
        (&*content.allowed_access_point, &*content.allowed_data_security_zone),
        (&["a".into()][..], &["z".into()][..])
    );
    let period = content.validity_period.as_ref().unwrap();
    assert_eq!(period.start_time.as_deref(), Some("2026-01-01T00:00:00Z"));
    let listed = ListKeyPolicy::new(&id).send(&client).await.unwrap();
    let content = listed.keyspace_policies[0].policy.as_ref().unwrap();
    assert_eq!(content.allowed_access_point, ["a"]);
    assert_eq!(content.validity_period.as_ref().unwrap().end_time.as_deref(), Some("2027-01-01T00:00:00Z"));

    let updated = UpdateKeyPolicy::new(&policy_id, r#"{"version":"2.0"}"#).send(&client).await.unwrap();
    assert_eq!(updated.description.as_deref(), Some("first"), "what is left out stays");
    let shown = ShowKeyPolicy::new(&policy_id).send(&client).await.unwrap();
    let content = shown.policy.as_ref().unwrap();
    assert_eq!((content.version.as_deref(), content.validity_period.as_ref()), (Some("2.0"), None));
    assert!(content.allowed_access_point.is_empty());
}

#[tokio::test]
async fn a_key_policy_that_cannot_be_right_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let id = space(&client, "space").await;
    for text in [
        "",
        "[]",
        "{}",
        r#"{"version":"1.0","allowed_acces_point":[]}"#,
        r#"{"version":"1.0","validity_period":{"end_time":"soon"}}"#,
        &format!(r#"{{"version":"{}"}}"#, "1".repeat(1000)),
    ] {
        let error = policy(&client, "policy", &id, text).await.unwrap_err();
        assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")), "{text}");
    }
    let period = r#"{"start_time":"2027-01-01T00:00:00Z","end_time":"2026-01-01T00:00:00Z"}"#;
    let backwards = format!(r#"{{"version":"1.0","validity_period":{period}}}"#);
    let error = policy(&client, "policy", &id, &backwards).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.2801")));
    policy(&client, "policy", &id, &allowing(&[])).await.unwrap();
    let error = policy(&client, "policy", &id, &allowing(&[])).await.unwrap_err();
    assert!(error.to_string().contains("policy_name"), "{error}");
    let error = ShowKeyPolicy::new(NOWHERE).send(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::NotFound, Some(404)));
}

#[tokio::test]
async fn a_capsule_opens_for_the_access_point_its_policy_names_only() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let (key, space) = (key(&client).await, space(&client, "space").await);
    let (point, other) = (custom_point(&client, "a", &space).await, custom_point(&client, "b", &space).await);
    let policy = policy(&client, "policy", &space, &allowing(&[&point])).await.unwrap();
    let made = CreateDatakeyCapsule::new(&key, "AES_256").policy_id(&policy).send(&client).await.unwrap();
    let capsule = made.datakey_capsule.clone().unwrap();
    let open = async |proof| DecryptDatakeyCapsule::new(&key, &capsule, proof).send(&client).await;

    let signer = private_key(&client, &point).await;
    let good = || proof(&signer, &capsule, "2099-01-01T00:00:00Z");
    let opened = open(good()).await.unwrap();
    assert_eq!(opened.datakey.as_ref().unwrap().expose_secret().len(), 64);
    assert_eq!(opened.datakey.as_ref().unwrap().expose_secret(), made.datakey.as_ref().unwrap().expose_secret());
    assert_eq!(opened.instance_id.as_deref(), Some(&*point));
    assert!(ShowKeyPolicy::new(&policy).send(&client).await.unwrap().last_access_time.is_some());

    for bad in [
        proof(&private_key(&client, &other).await, &capsule, ""),
        proof(&signer, "another capsule", ""),
        proof(&signer, &capsule, "2026-01-01T00:00:00Z"),
        good().expire_time("2100-01-01T00:00:00Z"),
        Attestation::new(),
    ] {
        assert_eq!(refusal(&open(bad).await.unwrap_err()), (Some(403), Some("KMS.0306")));
    }
    let error = open(good().expire_time("soon")).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.3804")));

    DisableAccessPoint::new(&point).send(&client).await.unwrap();
    assert_eq!(open(good()).await.unwrap_err().status(), Some(403));
    EnableAccessPoint::new(&point).send(&client).await.unwrap();
    let over = format!(
        r#"{{"version":"1.0","allowed_access_point":[{point:?}],"validity_period":{{"end_time":"2026-01-01T00:00:00Z"}}}}"#
    );
    UpdateKeyPolicy::new(&policy, over).send(&client).await.unwrap();
    assert_eq!(open(good()).await.unwrap_err().status(), Some(403));
    UpdateKeyPolicy::new(&policy, allowing(&[&other, &point])).send(&client).await.unwrap();
    open(good()).await.unwrap();
    DeleteKeyPolicy::new(&policy).send(&client).await.unwrap();
    assert_eq!(open(good()).await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn an_altered_capsule_does_not_open() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let (id, space) = (key(&client).await, space(&client, "space").await);
    let point = custom_point(&client, "a", &space).await;
    let signer = private_key(&client, &point).await;
    let made = CreateDatakeyCapsule::new(&id, "SM4").key_policy(allowing(&[&point])).send(&client).await.unwrap();
    assert_eq!(made.datakey.as_ref().unwrap().expose_secret().len(), 32);
    let capsule = hex::decode(made.datakey_capsule.as_ref().unwrap()).unwrap();
    for at in [0, 30, 60, capsule.len() / 2, capsule.len() - 1] {
        let mut altered = capsule.clone();
        altered[at] ^= 1;
        let altered = hex::encode(altered);
        let proof = proof(&signer, &altered, "");
        let error = DecryptDatakeyCapsule::new(&id, altered, proof).send(&client).await.unwrap_err();
        assert_eq!(refusal(&error), (Some(400), Some("KMS.2201")), "byte {at}");
    }
    let other = CreateKey::new("other").send(&client).await.unwrap().key_info.as_ref().unwrap().key_id.clone().unwrap();
    let capsule = hex::encode(capsule);
    let wrong = DecryptDatakeyCapsule::new(other, &capsule, proof(&signer, &capsule, "")).send(&client).await;
    assert_eq!(refusal(&wrong.unwrap_err()), (Some(400), Some("KMS.2201")));
    DecryptDatakeyCapsule::new(id, &capsule, proof(&signer, &capsule, "")).send(&client).await.unwrap();
}

#[tokio::test]
async fn capsules_open_for_clusters_and_instances_and_into_a_public_key() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let (key, space) = (key(&client).await, space(&client, "space").await);
    let cluster = SigningKey::from(p256::SecretKey::from_slice(&[7; 32]).unwrap());
    let public = p256::PublicKey::from(*cluster.verifying_key()).to_public_key_der().unwrap();
    let cce =
        CreateAccessPoint::new("cce", &space, 2).identity(STANDARD.encode(public.as_bytes())).cluster_id("cluster-1");
    let cce = cce.send(&client).await.unwrap().access_point_id.clone().unwrap();
    let ecs = CreateAccessPoint::new("ecs", &space, 1).identity("instance-1").send(&client).await.unwrap();
    let ecs = ecs.access_point_id.clone().unwrap();

    let recipient = RsaPrivateKey::new(&mut getrandom::rand_core::UnwrapErr(getrandom::SysRng), 2048).unwrap();
    let recipient_public = recipient.to_public_key().to_public_key_pem(p256::pkcs8::LineEnding::LF).unwrap();
    let create = CreateDatakeyCapsule::new(&key, "AES_256").key_policy(allowing(&[&cce, &ecs]));
    let made = create.public_key(&recipient_public).send(&client).await.unwrap();
    assert!(made.datakey.is_none());
    let decrypt = |cipher: &Option<String>| {
        let cipher = STANDARD.decode(cipher.as_ref().unwrap()).unwrap();
        hex::encode(recipient.decrypt(Oaep::<sha2::Sha256>::new(), &cipher).unwrap())
    };
    let datakey = decrypt(&made.datakey_cipher);
    let capsule = made.datakey_capsule.clone().unwrap();
    let open = |proof| DecryptDatakeyCapsule::new(&key, &capsule, proof);

    let signed = "eyJhbGciOiJFUzI1NiJ9.e30";
    let signature: p256::ecdsa::Signature = cluster.sign(signed.as_bytes());
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
    let opened = open(Attestation::new().service_token(&*token)).send(&client).await.unwrap();
    assert_eq!(opened.datakey.as_ref().unwrap().expose_secret(), datakey);
    assert_eq!(opened.instance_id.as_deref(), Some("cluster-1"));
    let forged = token.replace("e30", "e31");
    assert_eq!(open(Attestation::new().service_token(forged)).send(&client).await.unwrap_err().status(), Some(403));

    let document = STANDARD.encode(r#"{"instanceId":"instance-1"}"#);
    let opened =
        open(Attestation::new().ecs_signature(document)).public_key(&recipient_public).send(&client).await.unwrap();
    assert_eq!((decrypt(&opened.datakey_cipher), opened.instance_id.as_deref()), (datakey, Some("instance-1")));
    let document = STANDARD.encode(r#"{"instanceId":"instance-2"}"#);
    assert_eq!(open(Attestation::new().ecs_signature(document)).send(&client).await.unwrap_err().status(), Some(403));
    let error = open(Attestation::new().service_token(token)).public_key("key").send(&client).await.unwrap_err();
    assert_eq!(refusal(&error), (Some(400), Some("KMS.0308")));
}

#[tokio::test]
async fn a_capsule_needs_one_policy_and_a_key_for_data() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let key = key(&client).await;
    let capsule = |length: &str| CreateDatakeyCapsule::new(&key, length);
    for (refused, status, code) in [
        (capsule("AES_256"), 400, "KMS.0204"),
        (capsule("AES_256").policy_id(NOWHERE), 404, "KMS.0308"),
        (capsule("AES_256").policy_id(NOWHERE).key_policy(allowing(&[])), 400, "KMS.0308"),
        (capsule("AES_512").key_policy(allowing(&[])), 400, "KMS.0308"),
        (CreateDatakeyCapsule::new(NOWHERE, "AES_256"), 404, "KMS.0207"),
    ] {
        assert_eq!(refusal(&refused.send(&client).await.unwrap_err()), (Some(status), Some(code)));
    }
}

#[tokio::test]
async fn key_spaces_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data");
    let emulator = Emulator::builder().data(&file).start().await.unwrap();
    let client = emulator.client();
    let (key, space) = (key(&client).await, space(&client, "space").await);
    let point = custom_point(&client, "a", &space).await;
    let policy = policy(&client, "policy", &space, &allowing(&[&point])).await.unwrap();
    let made = CreateDatakeyCapsule::new(&key, "AES_256").policy_id(&policy).send(&client).await.unwrap();
    let signer = private_key(&client, &point).await;
    emulator.shutdown().await;

    let emulator = Emulator::builder().data(&file).start().await.unwrap();
    let client = emulator.client();
    assert_eq!(private_key(&client, &point).await.verifying_key(), signer.verifying_key());
    let capsule = made.datakey_capsule.as_ref().unwrap();
    let opened = DecryptDatakeyCapsule::new(key, capsule, proof(&signer, capsule, "")).send(&client).await.unwrap();
    assert_eq!(opened.datakey.as_ref().unwrap().expose_secret(), made.datakey.as_ref().unwrap().expose_secret());
}
