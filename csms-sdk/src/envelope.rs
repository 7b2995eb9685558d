//! Encrypts bytes, streams and files of any size under a key of KMS.
//!
//! KMS encrypts at most 4 KB. So every file gets a data key of its own: KMS makes it, and protects it by the master key;
//! it stands, protected, in front of the file. One call of KMS serves one file, and memory stays constant.
//!
//! ```no_run
//! use csms_sdk::{Client, envelope::Envelope};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder().region("cn-north-4").build()?;
//! let envelope = Envelope::new(&client, "0d0466b0-e727-4d9c-b35d-f84bb474a37f").context("app", "billing");
//!
//! envelope.encrypt_file("orders.db", "orders.db.enc").await?;
//! envelope.decrypt_file("orders.db.enc", "orders.db").await?;
//!
//! let sealed = envelope.encrypt(b"a card number").await?;
//! let plain = envelope.decrypt(&sealed).await?;
//! assert_eq!(plain.expose_secret(), b"a card number");
//! # Ok(())
//! # }
//! ```
//!
//! A stream is encrypted as it comes. Here the writer is a vector, as a socket or an upload would be:
//!
//! ```no_run
//! # async fn example(client: &csms_sdk::Client, backup: tokio::fs::File) -> Result<(), Box<dyn std::error::Error>> {
//! use csms_sdk::envelope::Envelope;
//!
//! let elsewhere = client.for_region("cn-east-3")?;
//! // Either key opens the file, should the other region be down.
//! let envelope = Envelope::new(client, "0d0466b0-e727-4d9c-b35d-f84bb474a37f")
//!     .also(&elsewhere, "8ad47b5b-037e-4ff9-bf04-6900e3213c17")
//!     .on_progress(|bytes| println!("{bytes}"));
//! let mut sealed = Vec::new();
//! envelope.encrypt_stream(backup, &mut sealed).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Whoever encrypts needs the permission `kms:cmk:createDataKey` for the first master key and `kms:cmk:encryptDataKey`
//! for the others; whoever decrypts `kms:cmk:decryptDataKey` for one of them, and the same
//! [`context`](Envelope::context). Altered, truncated, reordered and foreign files are refused ([`EnvelopeError`]);
//! [`decrypt`](Envelope::decrypt) and [`decrypt_file`](Envelope::decrypt_file) release nothing unless the whole file has
//! been verified, [`decrypt_stream`](Envelope::decrypt_stream) releases chunk by chunk what has been.
//!
//! # Limits
//!
//! Who may encrypt under a master key can make files that decrypt: they are genuine in that they come from somebody who
//! may. So an envelope opens only what is under the keys that it names, unless it is told to
//! [open under any](Envelope::opening_any). Keys and plaintext are wiped in our own memory, not
//! in the buffers of readers and writers, those of [`tokio::fs::File`] included. The length of a file is not hidden.
//!
//! # Format
//!
//! Version 1. Numbers are big-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 7 | `CSMSENV` |
//! | 1 | version: 1 |
//! | 4 | length of the header, from the first byte to the end of its MAC; at most 64 KiB |
//! | 1 | algorithm: 1, AES-256-GCM in chunks |
//! | 1 | chunk size: a chunk holds 2 to the power of this many bytes, 12 to 24 |
//! | 32 | salt: random |
//! | 32 | context check: SHA-256 of `csms envelope context`, the salt and the context |
//! | 1 | number of slots, 1 to 16 |
//! | | for each slot: region, key id (printable ASCII without spaces), protected data key; each as a length of 2 bytes and as many bytes |
//! | 32 | HMAC-SHA256 of everything before, under the header key |
//! | | chunks, each with its 16-byte tag; all are full but the last, which may be empty |
//!
//! The context is, for each pair in the order of the names, name and value, each as a length of 4 bytes and as many bytes
//! of UTF-8; nothing where there are no pairs. KMS gets its SHA-256 in hexadecimal as additional authenticated data,
//! and none where there are no pairs. The data key has 64 bytes, which every region of KMS makes.
//!
//! Header key and payload key are HKDF-SHA256 of the data key with the salt, 32 bytes each. Their info is
//! `csms envelope header` or `csms envelope payload`, then version, algorithm, chunk size, salt and context check. So the
//! payload is bound to the context and to its file, but not to the slots: [`rewrap`](Envelope::rewrap) exchanges them
//! and leaves it as it is.
//!
//! The nonce of a chunk is three zero bytes, its number from 0 in 8 bytes, and 1 for the last chunk, else 0. There is no
//! additional authenticated data. `tests/vectors/envelope.json` has files with their data keys, made by another
//! program.

mod chunk;
mod error;
mod files;
mod header;
mod keys;
mod stream;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, sync::Arc};

use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Mutex,
};
use zeroize::Zeroizing;

use self::{
    chunk::TAG,
    header::{Header, MAGIC, PREFIX, Read},
    keys::{Cached, DataKey, Master},
};
use crate::{Client, SecretBytes, sign::hkdf};

pub use error::EnvelopeError;
pub use keys::Reuse;

/// The version of the format that is written; older ones are read as well.
pub const VERSION: u8 = header::VERSION;

/// 64 KiB: the fastest of 4 KiB to 4 MiB, as two of them stay in the cache, and too short to hold up other tasks.
const CHUNK_BITS: u8 = 16;

/// Encrypts and decrypts under master keys of KMS.
///
/// Set up once and shared: calls do not disturb each other, and clones share a data key that is
/// [reused](Self::reuse_data_key).
#[derive(Clone)]
pub struct Envelope {
    client: Client,
    masters: Vec<Master>,
    /// Keys that open as well.
    openers: Vec<Master>,
    opens_any: bool,
    context: BTreeMap<String, String>,
    chunk_bits: u8,
    progress: Progress,
    reuse: Option<Reuse>,
    /// Bound to the master keys and the context: a new one when they change.
    cached: Arc<Mutex<Option<Cached>>>,
}

/// Whom to tell how far it has come.
#[derive(Clone, Default)]
struct Progress(Option<Arc<dyn Fn(u64) + Send + Sync>>);

/// The keys of one file. Has no `Debug`.
pub(crate) struct FileKeys {
    header: Zeroizing<[u8; 32]>,
    payload: Zeroizing<[u8; 32]>,
}

impl Envelope {
    /// Encrypts under this symmetric key (UUID) of the client's region, and decrypts what is under it.
    pub fn new(client: &Client, key_id: impl Into<String>) -> Self {
        Self::without_key(client).also(client, key_id)
    }

    /// Decrypts only, under any key that the file names and the client's credentials may use; see
    /// [`opening_any`](Self::opening_any) for what that means.
    #[must_use]
    pub fn decrypting(client: &Client) -> Self {
        Self::without_key(client).opening_any()
    }

    fn without_key(client: &Client) -> Self {
        Self {
            client: client.clone(),
            masters: Vec::new(),
            openers: Vec::new(),
            opens_any: false,
            context: BTreeMap::new(),
            chunk_bits: CHUNK_BITS,
            progress: Progress::default(),
            reuse: None,
            cached: Arc::default(),
        }
    }

    /// Encrypts under one more master key, such as one of another region: each of them opens the file alone. At most 16.
    ///
    /// Costs one more call of KMS for each file that is encrypted.
    #[must_use]
    pub fn also(mut self, client: &Client, key_id: impl Into<String>) -> Self {
        self.masters.push(Master::new(client, key_id.into()));
        self.cached = Arc::default();
        self
    }

    /// Decrypts what is under this key as well, and encrypts nothing under it: for files from before a change of keys, and
    /// for [moving them](Self::rewrap).
    #[must_use]
    pub fn opening(mut self, client: &Client, key_id: impl Into<String>) -> Self {
        self.openers.push(Master::new(client, key_id.into()));
        self
    }

    /// Decrypts under any key that the file names and the client's credentials may use. So whoever owns such a key, if it is
    /// one of another account that lends it, can make files that decrypt here.
    #[must_use]
    pub fn opening_any(mut self) -> Self {
        self.opens_any = true;
        self
    }

    /// Binds files to a pair of texts: decrypting has to name all the same pairs.
    ///
    /// Not kept in the file and not sent to KMS in the clear, but not to be kept secret either.
    #[must_use]
    pub fn context(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.context.insert(name.into(), value.into());
        self.cached = Arc::default();
        self
    }

    /// Calls a function with the bytes of plaintext done so far (of content copied, for [`rewrap`](Self::rewrap)), again
    /// and again, for whatever is encrypted or decrypted. To tell files apart, give each a clone of the envelope.
    #[must_use]
    pub fn on_progress(mut self, tell: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.progress = Progress(Some(Arc::new(tell)));
        self
    }

    /// Encrypts several files with one data key, within bounds: fewer calls of KMS. Default: a data key for each file.
    ///
    /// Files never share a key for their content; that is derived from the data key for each of them.
    #[must_use]
    pub fn reuse_data_key(mut self, reuse: Reuse) -> Self {
        self.reuse = Some(reuse);
        self
    }

    /// Encrypts bytes.
    ///
    /// # Errors
    /// [`EnvelopeError::Kms`] when KMS makes no data key, [`EnvelopeError::TooLarge`] with more than 16 master keys.
    pub async fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        let tags = ((plaintext.len() >> self.chunk_bits) + 1) * TAG;
        let mut sealed = Vec::with_capacity(1024 + plaintext.len() + tags);
        self.encrypt_stream(plaintext, &mut sealed).await?;
        Ok(sealed)
    }

    /// Decrypts bytes, all or nothing.
    ///
    /// # Errors
    /// Every [`EnvelopeError`].
    pub async fn decrypt(&self, sealed: &[u8]) -> Result<SecretBytes, EnvelopeError> {
        // Room for all of it at once: growing would leave copies behind.
        let mut plain = SecretWriter(SecretBytes::with_capacity(sealed.len()));
        self.decrypt_stream(sealed, &mut plain).await?;
        Ok(plain.0)
    }

    /// Encrypts what a reader gives, to its end, into a writer; answers the number of bytes that were read.
    ///
    /// The writer is flushed, and not shut down. When an error comes, what has been written is worth nothing.
    ///
    /// # Errors
    /// [`EnvelopeError::Kms`], [`EnvelopeError::Io`] or [`EnvelopeError::TooLarge`].
    pub async fn encrypt_stream(
        &self,
        reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) -> Result<u64, EnvelopeError> {
        self.encrypt_with(self.data_key().await?, keys::random()?, reader, writer).await
    }

    async fn encrypt_with(
        &self,
        data_key: DataKey,
        salt: [u8; 32],
        reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) -> Result<u64, EnvelopeError> {
        let header = Header {
            chunk_bits: self.chunk_bits,
            salt,
            context_check: header::context_check(&salt, &self.context_bytes()),
            slots: data_key.slots,
        };
        let keys = FileKeys::new(&data_key.plain, &header);
        stream::encrypt(&header.write(&keys)?, header.chunk_size(), &keys, reader, writer, &self.progress).await
    }

    /// Decrypts what a reader gives, to its end, into a writer, each chunk as soon as it has been verified; answers the
    /// number of bytes that were written.
    ///
    /// **What has been written when an error comes is genuine but is not all**: the end may be missing. Use it only
    /// where that does no harm.
    ///
    /// # Errors
    /// Every [`EnvelopeError`].
    pub async fn decrypt_stream(
        &self,
        mut reader: impl AsyncRead + Unpin,
        writer: impl AsyncWrite + Unpin,
    ) -> Result<u64, EnvelopeError> {
        let (read, keys, _) = self.open(&mut reader).await?;
        stream::decrypt(read.header.chunk_size(), &keys, reader, writer, &self.progress).await
    }

    /// Puts the data key of a file under the master keys of this envelope instead of those it is under; the content is
    /// copied as it is, and is not verified. Answers its number of bytes. The key it is under has to be one that
    /// [opens](Self::opening).
    ///
    /// Whoever has the old file and may use the old master key can still decrypt both.
    ///
    /// # Errors
    /// Every [`EnvelopeError`].
    pub async fn rewrap(
        &self,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> Result<u64, EnvelopeError> {
        self.masters()?;
        let (read, keys, data_key) = self.open(&mut reader).await?;
        let slots = self.protect(&data_key).await?;
        let header = Header { slots, ..read.header };
        stream::write(&mut writer, &header.write(&keys)?).await?;
        stream::copy(reader, writer, &self.progress).await
    }

    /// Reads the header, finds the data key and verifies the header with it.
    async fn open(
        &self,
        reader: &mut (impl AsyncRead + Unpin),
    ) -> Result<(Read, FileKeys, SecretBytes), EnvelopeError> {
        let read = read_header(reader).await?;
        self.check_context(&read.header)?;
        let data_key = self.unprotect(&read.header.slots).await?;
        let keys = FileKeys::new(&data_key, &read.header);
        read.verify(&keys)?;
        Ok((read, keys, data_key))
    }

    /// Refuses a file of another context, before any key is asked for.
    fn check_context(&self, header: &Header) -> Result<(), EnvelopeError> {
        match header::context_check(&header.salt, &self.context_bytes()) == header.context_check {
            true => Ok(()),
            false => Err(EnvelopeError::WrongContext),
        }
    }

    /// The context as it is hashed.
    fn context_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in self.context.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend((part.len() as u32).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }

    /// What KMS is to bind the data key to.
    fn authenticated_data(&self) -> Option<String> {
        (!self.context.is_empty()).then(|| hex::encode(Sha256::digest(self.context_bytes())))
    }
}

impl FileKeys {
    fn new(data_key: &SecretBytes, header: &Header) -> Self {
        let derive = |purpose: &str| {
            let info = [purpose.as_bytes(), &header.fixed()].concat();
            hkdf(data_key.expose_secret(), &header.salt, &info)
        };
        Self { header: derive("csms envelope header"), payload: derive("csms envelope payload") }
    }
}

/// Reads up to the first chunk.
async fn read_header(reader: &mut (impl AsyncRead + Unpin)) -> Result<Read, EnvelopeError> {
    let mut bytes = Vec::with_capacity(1024);
    stream::read(reader, &mut bytes, PREFIX).await?;
    let Ok(prefix) = bytes.as_slice().try_into() else {
        return Err(match bytes.starts_with(&MAGIC) {
            true => EnvelopeError::Truncated,
            false => EnvelopeError::Foreign,
        });
    };
    let length = header::length(prefix)?;
    stream::read(reader, &mut bytes, length).await?;
    if bytes.len() < length {
        return Err(EnvelopeError::Truncated);
    }
    Read::parse(bytes)
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.context.keys().collect();
        f.debug_struct("Envelope")
            .field("masters", &self.masters)
            .field("openers", &self.openers)
            .field("opens_any", &self.opens_any)
            .field("context", &names)
            .field("reuse", &self.reuse)
            .finish_non_exhaustive()
    }
}

impl Progress {
    fn tell(&self, bytes: u64) {
        if let Progress(Some(tell)) = self {
            tell(bytes);
        }
    }
}

/// A buffer for plaintext that is wiped.
struct SecretWriter(SecretBytes);

impl AsyncWrite for SecretWriter {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        self.0.extend_from_slice(bytes);
        std::task::Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}
