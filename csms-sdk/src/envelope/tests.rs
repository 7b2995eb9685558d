#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{
    header::{Read, Slot},
    *,
};

const CHUNK: usize = 4096;

fn envelope(context: &[(&str, &str)], chunk_bits: u8) -> Envelope {
    let client = Client::builder().region("cn-north-4").project_id("p").build().unwrap();
    let context = context.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Envelope { context, chunk_bits, ..Envelope::decrypting(&client) }
}

fn data_key() -> DataKey {
    let slot = Slot { region: "cn-north-4".into(), key_id: "key".into(), data_key: b"sealed".to_vec() };
    DataKey { plain: vec![7; 64].into(), slots: vec![slot] }
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251) as u8).collect()
}

/// A file of so many bytes in small chunks.
async fn sealed(length: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let count = envelope(&[], 12).encrypt_with(data_key(), [1; 32], &*pattern(length), &mut file).await.unwrap();
    assert_eq!(count, length as u64);
    file
}

/// What a file holds and how that ended, without asking KMS.
async fn opened(file: &[u8], data_key: &SecretBytes) -> (Vec<u8>, Result<u64, EnvelopeError>) {
    let mut released = Vec::new();
    let mut reader = file;
    let outcome = async {
        let read = read_header(&mut reader).await?;
        let keys = FileKeys::new(data_key, &read.header);
        read.verify(&keys)?;
        stream::decrypt(read.header.chunk_size(), &keys, reader, &mut released, &Progress::default()).await
    };
    let outcome = outcome.await;
    (released, outcome)
}

#[tokio::test]
async fn files_are_byte_for_byte_as_published() {
    let file: Json = serde_json::from_str(include_str!("../../tests/vectors/envelope.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let bytes = |of: &Json, member: &str| hex::decode(of[member].as_str().unwrap()).unwrap();
        let text = |of: &Json, member: &str| of[member].as_str().unwrap().to_owned();
        let context: BTreeMap<_, _> = case["context"].as_object().unwrap().iter().collect();
        let context: Vec<_> = context.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let slot = |slot: &Json| Slot {
            region: text(slot, "region"),
            key_id: text(slot, "key_id"),
            data_key: bytes(slot, "data_key"),
        };
        let slots = case["slots"].as_array().unwrap().iter().map(slot).collect();
        let envelope = envelope(&context, case["chunk_bits"].as_u64().unwrap() as u8);
        assert_eq!(envelope.authenticated_data().as_deref(), case["authenticated_data"].as_str(), "{name}");

        let plain = pattern(case["plaintext_length"].as_u64().unwrap() as usize);
        let data_key = SecretBytes::from(bytes(case, "data_key"));
        let key = DataKey { plain: data_key.clone(), slots };
        let mut written = Vec::new();
        let salt = bytes(case, "salt").try_into().unwrap();
        envelope.encrypt_with(key, salt, &*plain, &mut written).await.unwrap();
        let header = bytes(case, "header");
        assert_eq!(hex::encode(&written[..header.len()]), hex::encode(&header), "{name}");
        assert_eq!(written.len() as u64, case["file_length"].as_u64().unwrap(), "{name}");
        assert_eq!(hex::encode(Sha256::digest(&written)), text(case, "file_sha256"), "{name}");

        let (read, outcome) = opened(&written, &data_key).await;
        assert_eq!(outcome.unwrap(), plain.len() as u64, "{name}");
        assert_eq!(read, plain, "{name}");
    }
}

#[tokio::test]
async fn every_altered_byte_is_noticed_and_nothing_false_is_released() {
    let plain = pattern(2 * CHUNK + 10);
    let file = sealed(plain.len()).await;
    let header = u32::from_be_bytes(file[8..12].try_into().unwrap()) as usize;
    // Every byte of the header, and places all over the chunks and their tags.
    let places = (0..header).chain((header..file.len()).step_by(97)).chain(file.len() - 40..file.len());
    for place in places {
        let mut altered = file.clone();
        altered[place] ^= 0x10;
        let (released, outcome) = opened(&altered, &data_key().plain).await;
        let error = outcome.expect_err("altered");
        assert!(plain.starts_with(&released) && released.len() < plain.len(), "byte {place}");
        if place < header {
            assert!(released.is_empty(), "byte {place}");
        } else {
            let number = ((place - header) / (CHUNK + TAG)) as u64;
            assert!(matches!(error, EnvelopeError::Altered { chunk } if chunk == number), "byte {place}: {error}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_cut_anywhere_is_refused() {
    // Where in its chunk, and in which one, a byte of the content is.
    let within = |at: usize| at % (CHUNK + TAG);
    let number = |at: usize| (at / (CHUNK + TAG)) as u64;
    for length in [0, 10, CHUNK, 2 * CHUNK, 2 * CHUNK + 10] {
        let plain = pattern(length);
        let file = sealed(length).await;
        let header = u32::from_be_bytes(file[8..12].try_into().unwrap()) as usize;
        let chunk_ends = [TAG - 1, TAG, CHUNK, CHUNK + TAG, CHUNK + TAG + 1, CHUNK + 2 * TAG].map(|at| header + at);
        let ends = (0..header).chain((header..file.len()).step_by(211)).chain(chunk_ends).chain([file.len() - 1]);
        for end in ends.filter(|end| *end < file.len()) {
            let (released, outcome) = opened(&file[..end], &data_key().plain).await;
            let error = outcome.expect_err("cut");
            assert!(plain.starts_with(&released), "{length} bytes, cut at {end}");
            let is_as_told = match error {
                EnvelopeError::Foreign => end < MAGIC.len(),
                EnvelopeError::Truncated => end >= MAGIC.len() && (end < header || within(end - header) < TAG),
                EnvelopeError::Altered { chunk } => end >= header && chunk == number(end - header),
                _ => false,
            };
            assert!(is_as_told, "{length} bytes, cut at {end}: {error}");
        }
    }
}

#[tokio::test]
async fn chunks_do_not_change_places() {
    let file = sealed(3 * CHUNK + 1).await;
    let header = u32::from_be_bytes(file[8..12].try_into().unwrap()) as usize;
    let chunk = |index: usize| file[header + index * (CHUNK + TAG)..][..CHUNK + TAG].to_vec();
    let rest = file[header + 3 * (CHUNK + TAG)..].to_vec();
    let swapped = [&file[..header], &chunk(1), &chunk(0), &chunk(2), &rest].concat();
    let doubled = [&file[..header], &chunk(0), &chunk(0), &chunk(1), &chunk(2), &rest].concat();
    let left_out = [&file[..header], &chunk(0), &chunk(2), &rest].concat();
    let longer = [&file[..], b"more"].concat();
    let two_ends = [&file[..], &rest].concat();
    for (altered, at) in [(swapped, 0), (doubled, 1), (left_out, 1), (longer, 3), (two_ends, 3)] {
        let (_, outcome) = opened(&altered, &data_key().plain).await;
        assert!(matches!(outcome, Err(EnvelopeError::Altered { chunk }) if chunk == at), "{outcome:?}");
    }
}

#[tokio::test]
async fn chunks_do_not_change_files() {
    let ours = sealed(CHUNK + 1).await;
    let mut theirs = Vec::new();
    envelope(&[], 12).encrypt_with(data_key(), [2; 32], &*pattern(CHUNK + 1), &mut theirs).await.unwrap();
    let header = u32::from_be_bytes(ours[8..12].try_into().unwrap()) as usize;
    let mixed = [&ours[..header], &theirs[header..]].concat();
    let (released, outcome) = opened(&mixed, &data_key().plain).await;
    assert!(matches!(outcome, Err(EnvelopeError::Altered { chunk: 0 })), "{outcome:?}");
    assert!(released.is_empty());
}

#[tokio::test]
async fn another_data_key_opens_nothing() {
    let (released, outcome) = opened(&sealed(10).await, &vec![8; 64].into()).await;
    assert!(matches!(outcome, Err(EnvelopeError::Header(_))), "{outcome:?}");
    assert!(released.is_empty());
}

#[tokio::test]
async fn foreign_and_newer_files_are_told_apart() {
    let file = sealed(10).await;
    let header = async |bytes: &[u8]| read_header(&mut &*bytes).await.map(|read: Read| read.header);
    for foreign in [&b""[..], b"CSMS", b"PK\x03\x04 something else", &[0; 100]] {
        let outcome = header(foreign).await;
        assert!(matches!(outcome, Err(EnvelopeError::Foreign)) || foreign == b"CSMS", "{foreign:?}: {outcome:?}");
    }
    let mut newer = file.clone();
    newer[7] = 2;
    assert!(matches!(header(&newer).await, Err(EnvelopeError::Newer { version: 2 })));
    let mut endless = file;
    endless[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(matches!(header(&endless).await, Err(EnvelopeError::Header(_))));
}

#[tokio::test]
async fn another_context_is_told_before_a_key_is_asked_for() {
    let ours = envelope(&[("app", "billing")], 12);
    let mut file = Vec::new();
    ours.encrypt_with(data_key(), [1; 32], &b"text"[..], &mut file).await.unwrap();
    for other in [&[][..], &[("app", "billin")], &[("ap", "pbilling")], &[("app", "billing"), ("a", "")]] {
        let outcome = envelope(other, 12).decrypt(&file).await;
        assert!(matches!(outcome, Err(EnvelopeError::WrongContext)), "{other:?}: {outcome:?}");
    }
}

/// A header of version 1 with one slot, its seal not checked.
fn header_naming(region: &[u8], key_id: &[u8]) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &[VERSION, 0, 0, 0, 0, 1, 12], &[0; 64], &[1]].concat();
    for part in [region, key_id, b"sealed"] {
        bytes.extend((part.len() as u16).to_be_bytes());
        bytes.extend(part);
    }
    bytes.extend([0; 32]);
    let length = (bytes.len() as u32).to_be_bytes();
    bytes[8..12].copy_from_slice(&length);
    bytes
}

#[tokio::test]
async fn names_in_a_header_can_be_printed_as_they_are() {
    assert!(read_header(&mut &*header_naming(b"cn-north-4", b"key")).await.is_ok());
    for name in [&b"cn-\x1b[31m"[..], "schlüssel".as_bytes(), b"two words", b"\xff"] {
        for header in [header_naming(name, b"key"), header_naming(b"cn-north-4", name)] {
            assert!(matches!(read_header(&mut &*header).await, Err(EnvelopeError::Header(_))), "{name:?}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn whatever_stands_for_a_header_is_read_without_panic(bytes: Vec<u8>, slots in 0..20_u8) {
        let fields = [&[1, 12][..], &[0; 64], &[slots], &bytes].concat();
        for header in [fields, bytes] {
            let _ = Read::parse([&[0; PREFIX][..], &header].concat());
        }
    }
}

#[tokio::test]
async fn progress_tells_the_bytes_done() {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let envelope = envelope(&[], 12).on_progress(move |bytes| listener.lock().unwrap().push(bytes));
    let mut file = Vec::new();
    envelope.encrypt_with(data_key(), [1; 32], &*pattern(2 * CHUNK + 10), &mut file).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [4096, 8192, 8202]);
}

#[test]
fn debug_names_keys_and_shows_no_context() {
    let client = Client::builder().region("cn-north-4").project_id("p").build().unwrap();
    let shown = format!("{:?}", Envelope::new(&client, "a-key").context("app", "billing"));
    assert!(shown.contains("a-key in cn-north-4") && shown.contains("app") && !shown.contains("billing"), "{shown}");
}

#[tokio::test]
async fn to_encrypt_takes_one_to_sixteen_master_keys() {
    let none = envelope(&[], 12);
    let outcome = none.encrypt(b"text").await;
    assert!(matches!(&outcome, Err(EnvelopeError::Kms(error)) if error.kind() == crate::ErrorKind::InvalidInput));
    let outcome = none.rewrap(&sealed(1).await[..], tokio::io::sink()).await;
    assert!(matches!(&outcome, Err(EnvelopeError::Kms(error)) if error.kind() == crate::ErrorKind::InvalidInput));
    let client = none.client.clone();
    let many = (0..17).fold(none, |envelope, number| envelope.also(&client, number.to_string()));
    assert!(matches!(many.encrypt(b"text").await, Err(EnvelopeError::TooLarge(_))));
}

#[tokio::test]
async fn a_reader_that_fails_is_told_and_its_error_kept() {
    let mut reader = broken();
    let outcome = envelope(&[], 12).encrypt_with(data_key(), [1; 32], &mut reader, tokio::io::sink()).await;
    assert!(
        matches!(&outcome, Err(EnvelopeError::Io(doing, error)) if doing == "read" && error.to_string() == "unplugged")
    );
}

/// A reader of three bytes at a time that fails in the end.
fn broken() -> impl AsyncRead + Unpin {
    struct Broken(u8);
    impl AsyncRead for Broken {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            if self.0 == 200 {
                return std::task::Poll::Ready(Err(std::io::Error::other("unplugged")));
            }
            self.0 += 1;
            buffer.put_slice(b"abc");
            std::task::Poll::Ready(Ok(()))
        }
    }
    Broken(0)
}

#[test]
fn work_can_be_given_to_other_threads() {
    fn is_send(_: impl Send) {}
    let envelope = envelope(&[], 12);
    is_send(envelope.encrypt(b""));
    is_send(envelope.decrypt(b""));
    is_send(envelope.encrypt_file("a", "b"));
    is_send(envelope.decrypt_file("a", "b"));
    is_send(envelope.rewrap_file("a"));
    is_send(envelope.encrypt_stream(&b""[..], tokio::io::sink()));
}
