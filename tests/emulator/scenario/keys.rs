//! The operations of KMS.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use csms_emulator::Emulator;
use csms_sdk::Service::Kms;
use getrandom::{SysRng, rand_core::UnwrapErr};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use rsa::{
    Oaep, RsaPublicKey,
    pkcs8::{DecodePrivateKey as _, DecodePublicKey as _},
};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::{other_region, text};
use crate::calls::Calls;

/// A key of P-256 as a cluster has one.
const PUBLIC_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4UPptf7NVo2H+8Mz1V1dMz9x+DGdQSFxwLsqkUSXy4XNgs6bnxMtUB3WuI9GGzIYw21R\
                          /+w4lJvNDxYjd/Q1sQ==";

pub(super) async fn every_operation(emulator: &Emulator, calls: &mut Calls) {
    let key = create(calls, json!({"key_alias": "demo", "key_description": "first"})).await;
    lifecycle(calls, &key).await;
    aliases_and_tags(calls, &key).await;
    grants(calls, &key).await;
    data(calls, &key).await;
    data_keys(calls, &key).await;
    signatures(calls).await;
    import(calls).await;
    keystores(calls, &key).await;
    regions(emulator, calls, &key).await;
    calls.call(Kms, "ShowVersions", json!({})).await;
    calls.call(Kms, "ShowVersion", json!({"version_id": "v1.0"})).await;
}

async fn create(calls: &mut Calls, request: Json) -> String {
    let answer = calls.call(Kms, "CreateKey", request).await;
    text(&answer, "/key_info/key_id")
}

async fn lifecycle(calls: &mut Calls, key: &str) {
    calls.call(Kms, "ListKeyDetail", json!({"key_id": key})).await;
    calls.call(Kms, "ListKeys", json!({"key_spec": "ALL", "limit": "1"})).await;
    calls.call(Kms, "UpdateKeyAlias", json!({"key_id": key, "key_alias": "renamed"})).await;
    calls.call(Kms, "UpdateKeyDescription", json!({"key_id": key, "key_description": "second"})).await;
    calls.call(Kms, "DisableKey", json!({"key_id": key})).await;
    calls.call(Kms, "EnableKey", json!({"key_id": key})).await;
    calls.call(Kms, "DeleteKey", json!({"key_id": key, "pending_days": 7})).await;
    calls.call(Kms, "ListKeyDetail", json!({"key_id": key})).await;
    calls.call(Kms, "CancelKeyDeletion", json!({"key_id": key})).await;
    calls.call(Kms, "EnableKey", json!({"key_id": key})).await;
    calls.call(Kms, "ShowUserInstances", json!({})).await;
    calls.call(Kms, "ShowUserQuotas", json!({})).await;

    calls.call(Kms, "ShowKeyRotationStatus", json!({"key_id": key})).await;
    calls.call(Kms, "EnableKeyRotation", json!({"key_id": key})).await;
    calls.call(Kms, "UpdateKeyRotationInterval", json!({"key_id": key, "rotation_interval": 30})).await;
    calls.call(Kms, "ShowKeyRotationStatus", json!({"key_id": key})).await;
    calls.call(Kms, "DisableKeyRotation", json!({"key_id": key})).await;
}

async fn aliases_and_tags(calls: &mut Calls, key: &str) {
    let other = create(calls, json!({"key_alias": "other"})).await;
    calls.call(Kms, "CreateAlias", json!({"key_id": key, "alias": "alias/shop"})).await;
    calls.call(Kms, "ListAliases", json!({"key_id": key})).await;
    calls.call(Kms, "AssociateAlias", json!({"alias": "alias/shop", "target_key_id": other})).await;
    calls.call(Kms, "DeleteAlias", json!({"key_id": other, "aliases": ["alias/shop"]})).await;

    calls.call(Kms, "CreateKmsTag", json!({"key_id": key, "tag": {"key": "DEV", "value": "one"}})).await;
    let many =
        json!({"key_id": key, "action": "create", "tags": [{"key": "team", "value": "a"}, {"key": "x", "value": "y"}]});
    calls.call(Kms, "BatchCreateKmsTags", many).await;
    calls.call(Kms, "ShowKmsTags", json!({"key_id": key})).await;
    calls.call(Kms, "ListKmsTags", json!({})).await;
    for action in ["filter", "count"] {
        let query = json!({
            "resource_instances": "resource_instances", "action": action, "tags": [{"key": "team", "values": ["a"]}],
        });
        calls.call(Kms, "ListKmsByTags", query).await;
    }
    calls.call(Kms, "DeleteTag", json!({"key_id": key, "key": "x"})).await;
}

async fn grants(calls: &mut Calls, key: &str) {
    let user = super::iam::ALICE;
    let grant = json!({
        "key_id": key, "grantee_principal": user, "retiring_principal": user, "name": "reader",
        "operations": ["describe-key", "decrypt-data"], "grantee_principal_type": "user",
    });
    let first = calls.call(Kms, "CreateGrant", grant.clone()).await;
    let second = calls.call(Kms, "CreateGrant", grant).await;
    calls.call(Kms, "ListGrants", json!({"key_id": key})).await;
    calls.call(Kms, "ListRetirableGrants", json!({})).await;
    calls.call(Kms, "CancelGrant", json!({"key_id": key, "grant_id": first["grant_id"]})).await;
    calls.call(Kms, "CancelSelfGrant", json!({"key_id": key, "grant_id": second["grant_id"]})).await;
}

async fn data(calls: &mut Calls, key: &str) {
    let encrypted = json!({"key_id": key, "plain_text": "hello", "additional_authenticated_data": "aad"});
    let encrypted = calls.call(Kms, "EncryptData", encrypted).await;
    let sealed = json!({"cipher_text": encrypted["cipher_text"], "additional_authenticated_data": "aad"});
    let plain = calls.call(Kms, "DecryptData", sealed).await;
    assert_eq!(plain["plain_text"], "hello");
    let hmac = create(calls, json!({"key_alias": "hmac", "key_spec": "HMAC_256"})).await;
    let message = STANDARD.encode("message");
    let mac = json!({"key_id": hmac, "mac_algorithm": "HMAC_SHA_256", "message": message});
    let mac = calls.call(Kms, "GenerateMac", mac).await;
    let check = json!({"key_id": hmac, "mac_algorithm": "HMAC_SHA_256", "message": message, "mac": mac["mac"]});
    calls.call(Kms, "VerifyMac", check).await;
    calls.call(Kms, "CreateRandom", json!({"random_data_length": 512})).await;
    calls.call(Kms, "CreatePin", json!({"pin_type": "CipherText", "keystore_id": "1"})).await;
}

async fn data_keys(calls: &mut Calls, key: &str) {
    let made = calls.call(Kms, "CreateDatakey", json!({"key_id": key, "key_spec": "AES_256"})).await;
    calls.call(Kms, "CreateDatakeyWithoutPlaintext", json!({"key_id": key, "key_spec": "AES_256"})).await;
    let opened = json!({"key_id": key, "cipher_text": made["cipher_text"], "datakey_cipher_length": 32});
    let opened = calls.call(Kms, "DecryptDatakey", opened).await;
    assert_eq!(opened["data_key"], made["plain_text"]);
    let raw = hex::decode(text(&made, "/plain_text")).unwrap();
    let plain = format!("{}{}", hex::encode(&raw), hex::encode(Sha256::digest(&raw)));
    let sealed = json!({"key_id": key, "plain_text": plain, "datakey_plain_length": 32});
    let sealed = calls.call(Kms, "EncryptDatakey", sealed).await;
    let other = create(calls, json!({"key_alias": "destination"})).await;
    let moved = json!({
        "source_key_id": key, "destination_key_id": other, "cipher_text": sealed["cipher_text"], "datakey_cipher_length": 32,
        "source_encryption_algorithm": "SYMMETRIC_DEFAULT", "destination_encryption_algorithm": "SYMMETRIC_DEFAULT",
    });
    calls.call(Kms, "ReEncrypt", moved).await;
    for plain in [true, false] {
        let pair = json!({"key_id": key, "key_spec": "RSA_2048", "with_plain_text": plain});
        calls.call(Kms, "CreateRsaDatakeyPair", pair).await;
        let pair = json!({"key_id": key, "key_spec": "ECC_NIST_P256", "with_plain_text": plain});
        calls.call(Kms, "CreateEcDatakeyPair", pair).await;
    }
}

async fn signatures(calls: &mut Calls) {
    let signer = create(calls, json!({"key_alias": "signer", "key_spec": "EC_P256", "key_usage": "SIGN_VERIFY"})).await;
    let message = json!({
        "key_id": signer, "message": STANDARD.encode("message"), "message_type": "RAW", "signing_algorithm": "ECDSA_SHA_256",
    });
    let signed = calls.call(Kms, "Sign", message.clone()).await;
    let mut check = message;
    check["signature"] = signed["signature"].clone();
    calls.call(Kms, "ValidateSignature", check).await;
    let public = calls.call(Kms, "ShowPublicKey", json!({"key_id": signer})).await;
    let agreeing = json!({"key_alias": "agreeing", "key_spec": "EC_P256", "key_usage": "KEY_AGREEMENT"});
    let agreeing = create(calls, agreeing).await;
    let peer = base64_of(&text(&public, "/public_key"));
    let derived = json!({"key_id": agreeing, "key_agreement_algorithm": "ECDH", "public_key": peer});
    calls.call(Kms, "DeriveSharedSecret", derived).await;
}

async fn import(calls: &mut Calls) {
    let key = create(calls, json!({"key_alias": "imported", "origin": "external"})).await;
    import_material(calls, &key, &[7; 32]).await;
    calls.call(Kms, "DeleteImportedKeyMaterial", json!({"key_id": key})).await;
    import_material(calls, &key, &[7; 32]).await;
    // Other material waits to be rotated in.
    import_material(calls, &key, &[8; 32]).await;
    calls.call(Kms, "RotateOnDemand", json!({"key_id": key})).await;
}

async fn import_material(calls: &mut Calls, key: &str, material: &[u8]) {
    let wanted = json!({"key_id": key, "wrapping_algorithm": "RSAES_OAEP_SHA_256"});
    let parameters = calls.call(Kms, "CreateParametersForImport", wanted).await;
    let der = STANDARD.decode(text(&parameters, "/public_key")).unwrap();
    let public = RsaPublicKey::from_public_key_der(&der).unwrap();
    let wrapped = public.encrypt(&mut UnwrapErr(SysRng), Oaep::<Sha256>::new(), material).unwrap();
    let import = json!({
        "key_id": key, "import_token": parameters["import_token"], "encrypted_key_material": STANDARD.encode(wrapped),
    });
    calls.call(Kms, "ImportKeyMaterial", import).await;
}

async fn keystores(calls: &mut Calls, key: &str) {
    let store = json!({
        "keystore_alias": "store", "keystore_type": "DHSM", "hsm_cluster_id": "cluster", "cluster_id": "cluster",
        "hsm_ca_cert": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    });
    let store = calls.call(Kms, "CreateKeyStore", store).await;
    let id = text(&store, "/keystore/keystore_id");
    calls.call(Kms, "ListKeyStores", json!({})).await;
    calls.call(Kms, "ShowKeyStore", json!({"keystore_id": id})).await;
    calls.call(Kms, "EnableKeyStore", json!({"keystore_id": id})).await;
    key_spaces(calls, key, &id).await;
    calls.call(Kms, "DisableKeyStore", json!({"keystore_id": id})).await;
    calls.call(Kms, "DeleteKeyStore", json!({"keystore_id": id})).await;
}

async fn key_spaces(calls: &mut Calls, key: &str, store: &str) {
    let space = json!({"keyspace_name": "space", "type": "2", "keystore_id": store, "description": "keys of the shop"});
    let space = calls.call(Kms, "CreateTrustedKeySpace", space).await;
    let space = text(&space, "/keyspace_id");
    calls.call(Kms, "ListTrustedKeySpace", json!({})).await;
    let cluster = json!({
        "keyspace_id": space, "access_point_name": "cluster", "type": 2, "description": "opens capsules",
        "cluster_id": "702f5c5d-068f-236b-a53c-16fe38f783c4", "identity": PUBLIC_KEY,
    });
    let cluster = calls.call(Kms, "CreateAccessPoint", cluster).await;
    let custom = json!({"keyspace_id": space, "access_point_name": "custom", "type": 3});
    let custom = calls.call(Kms, "CreateAccessPoint", custom).await;
    let point = text(&custom, "/access_point_id");
    calls.call(Kms, "ListAccessPoint", json!({"keyspace_id": space})).await;
    calls.call(Kms, "DisableAccessPoint", json!({"access_point_id": point})).await;
    calls.call(Kms, "EnableAccessPoint", json!({"access_point_id": point})).await;

    let policy = json!({
        "version": "1.0", "allowed_access_point": [point], "allowed_data_security_zone": ["zone"],
        "validity_period": {"start_time": "2026-01-01T00:00:00Z", "end_time": "2036-12-31T23:59:59Z"},
    })
    .to_string();
    let made = json!({"keyspace_id": space, "policy_name": "policy", "policy": policy, "description": "one point"});
    let made = calls.call(Kms, "CreateKeyPolicy", made).await;
    let id = text(&made, "/policy_id");
    calls.call(Kms, "ListKeyPolicy", json!({"keyspace_id": space})).await;
    calls.call(Kms, "ShowKeyPolicy", json!({"policy_id": id})).await;
    let changed = json!({"policy_id": id, "policy": policy, "description": "still one"});
    calls.call(Kms, "UpdateKeyPolicy", changed).await;
    capsules(calls, key, &point, &policy).await;

    calls.call(Kms, "DeleteKeyPolicy", json!({"policy_id": id})).await;
    calls.call(Kms, "DeleteAccessPoint", json!({"access_point_id": point})).await;
    calls.call(Kms, "DeleteAccessPoint", json!({"access_point_id": cluster["access_point_id"]})).await;
    calls.call(Kms, "DeleteTrustedKeySpace", json!({"key_space_id": space})).await;
}

async fn capsules(calls: &mut Calls, key: &str, point: &str, policy: &str) {
    let private = calls.call(Kms, "DownloadAccessPointPrivateKey", json!({"access_point_id": point})).await;
    let private = STANDARD.decode(text(&private, "/private_key")).unwrap();
    let signer = SigningKey::from_pkcs8_der(&private).unwrap();
    let recipient = create(calls, json!({"key_alias": "recipient", "key_spec": "RSA_2048"})).await;
    let public = calls.call(Kms, "ShowPublicKey", json!({"key_id": recipient})).await;
    let public = base64_of(&text(&public, "/public_key"));
    // Without a public key the data key comes in plain, with one it comes encrypted.
    for public in [Json::Null, public.into()] {
        let mut request = json!({"key_id": key, "datakey_length": "AES_256", "key_policy": policy});
        if !public.is_null() {
            request["public_key"] = public.clone();
        }
        let made = calls.call(Kms, "CreateDatakeyCapsule", request).await;
        let capsule = text(&made, "/datakey_capsule");
        let proof: Signature = signer.sign(format!("{capsule}\n").as_bytes());
        let proof = json!({"custom_signature": STANDARD.encode(proof.to_der())});
        let mut request = json!({"key_id": key, "datakey_capsule": capsule, "attestation_document": proof});
        if !public.is_null() {
            request["public_key"] = public;
        }
        calls.call(Kms, "DecryptDatakeyCapsule", request).await;
    }
}

/// What stands in the frame of PEM.
fn base64_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect()
}

async fn regions(emulator: &Emulator, calls: &mut Calls, key: &str) {
    let region = other_region(emulator);
    let project = emulator.project_id(&emulator.regions()[1]).unwrap();
    calls.call(Kms, "ListSupportRegions", json!({})).await;
    let replica = json!({
        "key_id": key, "replica_region": region, "key_alias": "replica", "replica_project_id": project,
    });
    calls.call(Kms, "ReplicateKey", replica).await;
    emulator.advance(std::time::Duration::from_secs(1));
    calls.call(Kms, "ListKeyDetail", json!({"key_id": key})).await;
    calls.call(Kms, "UpdatePrimaryRegion", json!({"key_id": key, "primary_region": region})).await;
}
