//! Computing with keys.

use std::{fs, path::Path};

use crate::{
    local::local,
    program::{Outcome, Program},
};

/// A user with a key of this kind, called `k`.
fn user(flags: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let created = local(home.path(), &["key", "create", "k"]).arguments(flags).run();
    assert_eq!(created.code, 0, "{}", created.stderr);
    home
}

/// `csms key …` in the user's folder.
fn key(home: &Path, words: &str) -> Program {
    let words = words.split(' ').map(|word| match word.strip_prefix("./") {
        Some(name) => home.join(name).to_str().unwrap().to_owned(),
        None => word.to_owned(),
    });
    local(home, &["key"]).arguments(words)
}

#[track_caller]
fn line(outcome: &Outcome) -> &str {
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    outcome.stdout.strip_suffix('\n').unwrap()
}

#[test]
fn random_bytes_come_in_the_number_and_form_that_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (key(home.path(), "random").run(), key(home.path(), "random").run());
    assert!(line(&first).len() == 64 && line(&first).bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(line(&first), line(&second));
    assert_eq!(line(&key(home.path(), "random 6 --encoding base64").run()).len(), 8);
    assert_eq!(key(home.path(), "random 5 -o json").run().json()["random_data"].as_str().unwrap().len(), 10);
    key(home.path(), "random 100 --encoding raw --to-file ./r -o json").run().fails(2, "--to-file excludes");
    assert_eq!(key(home.path(), "random 100 --encoding raw --to-file ./r").run().code, 0);
    assert_eq!(fs::read(home.path().join("r")).unwrap().len(), 100);
    key(home.path(), "random --to-file ./r").run().fails(2, "r exists");
    key(home.path(), "random 1025").run().fails(2, "BYTES");
}

#[test]
fn a_public_key_is_pem_with_plain_line_ends() {
    let home = user(&["--spec", "EC_P256"]);
    let pem = key(home.path(), "public-key k").run();
    assert!(line(&pem).starts_with("-----BEGIN PUBLIC KEY-----\n"), "{}", pem.stdout);
    assert!(line(&pem).ends_with("\n-----END PUBLIC KEY-----") && !pem.stdout.contains('\r'));
    key(home.path(), "public-key none").run().fails(3, "key \"none\" not found in cn-north-4");
}

#[test]
fn a_file_is_hashed_here_and_a_wrong_signature_ends_with_13() {
    let home = user(&["--spec", "EC_P256"]);
    // More than KMS takes.
    fs::write(home.path().join("f"), vec![7; 100_000]).unwrap();
    fs::write(home.path().join("g"), vec![8; 100_000]).unwrap();
    let signature = key(home.path(), "sign k ./f --algorithm ECDSA_SHA_256").run();
    fs::write(home.path().join("s"), line(&signature)).unwrap();
    assert_eq!(key(home.path(), "sign k ./f --algorithm ECDSA_SHA_256 --to-file ./bytes").run().code, 0);
    // As Base64 and as bytes.
    for file in ["s", "bytes"] {
        let verified = key(home.path(), &format!("verify k ./f --algorithm ECDSA_SHA_256 --signature ./{file}")).run();
        assert_eq!(line(&verified), "valid");
        let other = key(home.path(), &format!("verify k ./g --algorithm ECDSA_SHA_256 --signature ./{file}")).run();
        other.fails(13, "the signature is not valid");
    }
    key(home.path(), "sign k ./f --algorithm ECDSA_SHA_256 --raw").run().fails(2, "more than 4095 bytes");
    key(home.path(), "sign k ./f --algorithm SM2DSA_SM3").run().fails(2, "--digest");
    key(home.path(), "sign k ./f --algorithm ED25519_SHA_512").run().fails(2, "--raw");
    key(home.path(), "sign k ./f --algorithm MADE_UP").run().fails(2, "no hash");
}

#[test]
fn the_service_hashes_what_is_sent_raw_to_the_same_digest() {
    let home = user(&["--spec", "EC_P384"]);
    let signature = key(home.path(), "sign k - --algorithm ECDSA_SHA_384 --raw").stdin("message").run();
    fs::write(home.path().join("s"), line(&signature)).unwrap();
    let verify = "verify k - --algorithm ECDSA_SHA_384 --signature ./s";
    assert_eq!(line(&key(home.path(), verify).stdin("message").run()), "valid");
    assert_eq!(line(&key(home.path(), &format!("{verify} --raw")).stdin("message").run()), "valid");
    key(home.path(), verify).stdin("massage").run().fails(13, "not valid");
    key(home.path(), &format!("{verify} --digest")).stdin("short").run().fails(1, "KMS.0329");
}

#[test]
fn an_authentication_code_is_hexadecimal_and_a_wrong_one_ends_with_13() {
    let home = user(&["--spec", "HMAC_256"]);
    let mac = key(home.path(), "mac k - --algorithm HMAC_SHA_256").stdin("message\n").run();
    assert_eq!(line(&mac).len(), 64);
    let verify = format!("verify-mac k - --algorithm HMAC_SHA_256 --mac {}", line(&mac));
    assert_eq!(line(&key(home.path(), &verify).stdin("message\n").run()), "valid");
    key(home.path(), &verify).stdin("message").run().fails(13, "not valid");
    key(home.path(), &verify).stdin("").run().fails(2, "is empty");
    key(home.path(), &verify).stdin(vec![b'a'; 4097]).run().fails(2, "more than 4096 bytes");
}

#[test]
fn small_data_come_back_byte_for_byte() {
    let home = user(&[]);
    for (name, bytes) in
        [("text", "väl\n".as_bytes().to_vec()), ("bytes", vec![0, 159, 255]), ("most", vec![255; 3063])]
    {
        fs::write(home.path().join(name), &bytes).unwrap();
        let sealed = key(home.path(), &format!("encrypt k --from-file ./{name} --context c")).run();
        fs::write(home.path().join("sealed"), line(&sealed)).unwrap();
        let opened = key(home.path(), "decrypt ./sealed --context c --to-file ./opened --overwrite").run();
        assert_eq!((opened.code, opened.stdout.as_str()), (0, ""), "{}", opened.stderr);
        assert_eq!(fs::read(home.path().join("opened")).unwrap(), bytes, "{name}");
    }
    key(home.path(), "decrypt ./sealed --context other").run().fails(13, "does not decrypt");
    key(home.path(), "decrypt ./sealed").run().fails(13, "does not decrypt");
    fs::write(home.path().join("long"), vec![255; 3064]).unwrap();
    key(home.path(), "encrypt k --from-file ./long").run().fails(2, "csms encrypt");
    // Without a word about bytes, a text is encrypted as it is, for whoever decrypts it elsewhere.
    let sealed = key(home.path(), "encrypt k --from-env V").env("V", "hunter2").run();
    let elsewhere = local(home.path(), &["api", "kms", "DecryptData", "--cipher-text", line(&sealed)]).run();
    assert_eq!(elsewhere.json()["plain_text"], "hunter2");
    let opened = key(home.path(), "decrypt - -o json").stdin(sealed.stdout.clone()).run();
    assert_eq!(opened.json()["plain_text"], "hunter2");
}

#[test]
fn a_plaintext_is_not_repeated_where_it_is_refused() {
    let home = user(&[]);
    for words in
        ["encrypt k hunter2", "encrypt none --from-env V", "encrypt k --from-env V --algorithm RSAES_OAEP_SHA_256"]
    {
        let refused = key(home.path(), words).env("V", "hunter2").arguments(["-vv"]).run();
        assert!(refused.code != 0 && !refused.stderr.contains("hunter2"), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn a_ciphertext_moves_to_another_key_and_context() {
    let home = user(&[]);
    assert_eq!(key(home.path(), "create other").run().code, 0);
    let sealed = key(home.path(), "encrypt k --context a").stdin("value").run();
    let reencrypt = "reencrypt - --to other --context a --to-context b";
    let moved = key(home.path(), reencrypt).stdin(line(&sealed)).run();
    assert_ne!(line(&moved), line(&sealed));
    assert_eq!(key(home.path(), "decrypt - --context b").stdin(line(&moved)).run().stdout, "value");
    key(home.path(), "decrypt - --context a").stdin(line(&moved)).run().fails(13, "does not decrypt");
    key(home.path(), "reencrypt - --to other").stdin(line(&sealed)).run().fails(13, "does not decrypt");
}

#[test]
fn an_asymmetric_key_is_named_with_its_algorithm() {
    let home = user(&["--spec", "RSA_2048", "--usage", "ENCRYPT_DECRYPT"]);
    let sealed = key(home.path(), "encrypt k --algorithm RSAES_OAEP_SHA_256").stdin("value").run();
    let opened = key(home.path(), "decrypt - --key k --algorithm RSAES_OAEP_SHA_256").stdin(line(&sealed)).run();
    assert_eq!(opened.stdout, "value", "{}", opened.stderr);
}

#[test]
fn a_data_key_is_shown_only_where_that_is_asked_for() {
    let home = user(&[]);
    let hidden = key(home.path(), "datakey k -o json").run().json();
    assert_eq!(hidden["plain_text"], "****");
    let shown = key(home.path(), "datakey k -o json --reveal --bits 128 --context c").run().json();
    let plain = shown["plain_text"].as_str().unwrap();
    assert_eq!(plain.len(), 32);
    // What is sealed is that key.
    let id = shown["key_id"].as_str().unwrap();
    let sealed = shown["cipher_text"].as_str().unwrap();
    let words = ["--key-id", id, "--cipher-text", sealed, "--datakey-cipher-length", "16"];
    let opened = local(home.path(), &["api", "kms", "DecryptDatakey", "--additional-authenticated-data", "c"]);
    assert!(opened.arguments(words).run().json()["data_key"].as_str().unwrap().eq_ignore_ascii_case(plain));

    let written = key(home.path(), "datakey k --to-file ./d -o json").run();
    assert_eq!(written.json()["plain_text"], "****");
    assert_eq!(fs::read(home.path().join("d")).unwrap().len(), 32);
    let without = key(home.path(), "datakey k --without-plaintext -o json").run().json();
    assert!(without["cipher_text"].is_string() && without["plain_text"].is_null());
    key(home.path(), "datakey k --without-plaintext --reveal").run().fails(2, "--without-plaintext");
}
