//! Key material of one's own, wrapped here and imported.

use aes_kw::{IV_LEN, KeyInit as _, KwpAes256};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use getrandom::{SysRng, rand_core::UnwrapErr};
use rsa::{
    Oaep, RsaPublicKey,
    pkcs1::DecodeRsaPublicKey as _,
    pkcs8::{DecodePublicKey as _, PrivateKeyInfoRef, der::Decode as _},
};
use sha2::Sha256;

use crate::{
    client::Client,
    error::{Error, ErrorKind},
    kms::{
        CreateParametersForImport, ImportKeyMaterial, KeyDetails, KeyOrigin, KeySpec, KeyState, ListKeyDetail,
        WrappingAlgorithm,
    },
    secret::{SecretBytes, SecretString},
    time::Timestamp,
};

/// Bytes of the temporary key that a private key is wrapped with.
const TEMPORARY: usize = 32;
/// The key had other material before.
const OTHER_MATERIAL: &str = "KMS.2606";
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// Imports material into a key that was created with the origin `external`; needs the feature `import`.
///
/// The whole workflow: looks at the key, asks for a wrapping key and a token, wraps the material here with RSA-OAEP and SHA-256,
/// and sends it. The material itself never leaves the process.
///
/// What material is depends on the key: for a symmetric or HMAC key its bytes, 32 for `AES_256`; for an asymmetric one
/// the private key as PKCS #8, in DER or PEM. [`material_length`] tells how many bytes a key takes.
///
/// The service cannot give it back. Keep it: after its expiry, or
/// [`DeleteImportedKeyMaterial`](crate::kms::DeleteImportedKeyMaterial), only the same material makes the key work again.
///
/// ```no_run
/// use csms_sdk::{Client, SecretBytes, keys::Import, kms::{CreateKey, KeyOrigin}};
///
/// # async fn example(client: Client, material: SecretBytes) -> Result<(), csms_sdk::Error> {
/// let key = CreateKey::new("billing").origin(KeyOrigin::External).send(&client).await?;
/// let id = key.key_info.as_ref().and_then(|key| key.key_id.clone()).unwrap_or_default();
/// Import::new(id, material).send(&client).await?;
/// # Ok(())
/// # }
/// ```
///
/// Needs `kms:cmk:get`, `kms:cmk:getMaterial` and `kms:cmk:importMaterial`.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `send`"]
pub struct Import {
    key_id: String,
    material: SecretBytes,
    expires: Option<Timestamp>,
}

impl Import {
    /// Material for the key with this id; [`find`](super::find) tells the id of a name.
    pub fn new(key_id: impl Into<String>, material: impl Into<SecretBytes>) -> Self {
        Self { key_id: key_id.into(), material: material.into(), expires: None }
    }

    /// When the material expires; never by default. It is deleted within 24 hours of that, and the key waits for the same
    /// material again. Has to be in the future.
    pub fn expires(mut self, time: Timestamp) -> Self {
        self.expires = Some(time);
        self
    }

    /// Imports it. A key that was waiting for it is enabled afterwards; one that has its material already takes other
    /// material only for its next rotation on demand.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when the material is not what the key takes, before a wrapping key is asked for;
    /// [`ErrorKind::Conflict`] when KMS makes the material of this key itself, when the key is to be deleted, or when other
    /// material was imported and deleted before; [`ErrorKind::UnexpectedAnswer`] when the wrapping key is none; those of a call.
    pub async fn send(self, client: &Client) -> Result<(), Error> {
        let Self { key_id, material, expires } = self;
        let details = ListKeyDetail::new(&key_id).send(client).await?.into_body().key_info.unwrap_or_default();
        check_import(&details)?;
        let material = Material::of(details.key_spec.as_ref(), &material)?;
        let answer = CreateParametersForImport::new(&key_id, WrappingAlgorithm::RsaesOaepSha256).send(client).await?;
        let parameters = answer.into_body();
        let (Some(public_key), Some(token)) = (parameters.public_key, parameters.import_token) else {
            return Err(unexpected("holds no wrapping key or no token"));
        };
        let Wrapped { key, private_key } = material.wrapped(&public_key_of(&public_key)?)?;
        let mut request = ImportKeyMaterial::new(key_id, token, key);
        request.encrypted_privatekey = private_key;
        request.expiration_time = expires;
        match request.send(client).await {
            Err(error) if error.code() == Some(OTHER_MATERIAL) => {
                Err(error.with_help("import the material that the key had before"))
            }
            outcome => outcome.map(drop),
        }
    }
}

/// How many bytes the material of a key has; `None` where it is a private key, whose length is its own, or the spec is not
/// known here.
#[must_use]
pub fn material_length(spec: &KeySpec) -> Option<usize> {
    match spec {
        KeySpec::Sm4 => Some(16),
        KeySpec::Aes256 | KeySpec::Hmac256 | KeySpec::HmacSm3 => Some(32),
        KeySpec::Hmac384 => Some(48),
        KeySpec::Hmac512 => Some(64),
        _ => None,
    }
}

/// Material in the form that is wrapped.
enum Material<'a> {
    Symmetric(&'a [u8]),
    /// PKCS #8 in DER.
    Private(SecretBytes),
}

struct Wrapped {
    key: SecretString,
    private_key: Option<SecretString>,
}

impl<'a> Material<'a> {
    fn of(spec: Option<&KeySpec>, bytes: &'a SecretBytes) -> Result<Self, Error> {
        let bytes = bytes.expose_secret();
        let wrong = |problem: String| Err(Error::invalid("material", problem));
        match spec {
            None | Some(KeySpec::Other(_)) => Ok(Self::Symmetric(bytes)),
            Some(spec) => match material_length(spec) {
                Some(length) if length != bytes.len() => {
                    wrong(format!("has {} bytes; a key of {spec} takes {length}", bytes.len()))
                }
                Some(_) => Ok(Self::Symmetric(bytes)),
                None => match private_key(bytes) {
                    Some(der) => Ok(Self::Private(der)),
                    None => wrong(format!("is no private key in PKCS #8 (DER or PEM), which a key of {spec} takes")),
                },
            },
        }
    }

    fn wrapped(&self, public_key: &RsaPublicKey) -> Result<Wrapped, Error> {
        let seal = |bytes: &[u8]| {
            let sealed = public_key.encrypt(&mut UnwrapErr(SysRng), Oaep::<Sha256>::new(), bytes);
            let sealed = sealed.map_err(|_| Error::invalid("material", "is too long to be wrapped"))?;
            Ok::<_, Error>(SecretString::from_bytes_as_base64(sealed))
        };
        match self {
            Self::Symmetric(bytes) => Ok(Wrapped { key: seal(bytes)?, private_key: None }),
            Self::Private(der) => {
                let mut temporary = SecretBytes::from(vec![0; TEMPORARY]);
                getrandom::fill(temporary.as_mut_vec()).map_err(|error| {
                    Error::new(ErrorKind::Configuration, "the system has no random numbers").with_source(error)
                })?;
                let der = der.expose_secret();
                let mut sealed = vec![0; der.len().next_multiple_of(IV_LEN) + IV_LEN];
                KwpAes256::new_from_slice(temporary.expose_secret())
                    .ok()
                    .and_then(|cipher| cipher.wrap_key(der, &mut sealed).ok())
                    .ok_or_else(|| Error::invalid("material", "is too long to be wrapped"))?;
                let private_key = Some(SecretString::from_bytes_as_base64(sealed));
                Ok(Wrapped { key: seal(temporary.expose_secret())?, private_key })
            }
        }
    }
}

/// Whether material can be imported into a key, as far as [`ListKeyDetail`] tells: what [`Import::send`] finds out first.
/// For those who have something to do before that, such as keeping the material.
///
/// # Errors
/// [`ErrorKind::Conflict`] when KMS makes the material of this key itself, or when the key is to be deleted.
pub fn check_import(details: &KeyDetails) -> Result<(), Error> {
    let conflict = |message: &str, help: &str| Error::new(ErrorKind::Conflict, message).with_help(help);
    match (&details.origin, &details.key_state) {
        (_, Some(state @ KeyState::PendingDeletion)) => {
            let error = conflict("the key is to be deleted", "take that back with CancelKeyDeletion");
            Err(error.with_last_state(Some(state.to_string())))
        }
        (Some(KeyOrigin::Kms), _) => Err(conflict(
            "the material of this key is made by KMS, and no other can be imported",
            "create a key with the origin `external`",
        )),
        _ => Ok(()),
    }
}

/// PKCS #8 in DER, from that or from PEM.
fn private_key(bytes: &[u8]) -> Option<SecretBytes> {
    let der = match str::from_utf8(bytes).ok().and_then(|text| text.trim().strip_prefix(PEM_BEGIN)) {
        None => bytes.to_vec().into(),
        Some(rest) => {
            // As long as the lines with their ends, so that it does not grow and leave a copy behind.
            let mut body = String::with_capacity(rest.len());
            body.extend(rest.strip_suffix(PEM_END)?.split(['\r', '\n']));
            SecretString::from(body).decode_base64()?
        }
    };
    PrivateKeyInfoRef::from_der(der.expose_secret()).is_ok().then_some(der)
}

/// The wrapping key: DER in Base64; in a frame it is read as well.
fn public_key_of(text: &str) -> Result<RsaPublicKey, Error> {
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    let der = STANDARD.decode(body).map_err(|_| unexpected("holds a wrapping key that is not Base64"))?;
    RsaPublicKey::from_public_key_der(&der)
        .or_else(|_| RsaPublicKey::from_pkcs1_der(&der))
        .map_err(|_| unexpected("holds a wrapping key that is none of RSA"))
}

fn unexpected(problem: &str) -> Error {
    Error::new(ErrorKind::UnexpectedAnswer, format!("CreateParametersForImport: the answer {problem}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn material_has_to_be_what_the_key_takes_and_is_not_quoted() {
        let hunter: SecretBytes = b"hunter2".to_vec().into();
        for (spec, problem) in [
            (KeySpec::Aes256, "has 7 bytes; a key of AES_256 takes 32"),
            (KeySpec::Sm4, "takes 16"),
            (KeySpec::Hmac384, "takes 48"),
            (KeySpec::Rsa2048, "no private key in PKCS #8"),
        ] {
            let error = Material::of(Some(&spec), &hunter).err().unwrap();
            assert!(error.to_string().contains(problem), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        // What is not known here is left to the service.
        assert!(Material::of(Some(&KeySpec::Other("AES_512".to_owned())), &hunter).is_ok());
        assert!(!format!("{:?}", Import::new("id", hunter)).contains("hunter2"));
    }

    #[test]
    fn private_keys_are_read_from_der_and_pem() {
        // An Ed25519 key of RFC 8410, section 10.3.
        let body = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        let der = private_key(&STANDARD.decode(body).unwrap()).unwrap();
        for pem in [
            format!("{PEM_BEGIN}\n{body}\n{PEM_END}\n"),
            format!("{PEM_BEGIN}\r\n{}\r\n{}\r\n{PEM_END}", &body[..20], &body[20..]),
        ] {
            assert_eq!(private_key(pem.as_bytes()).unwrap(), der);
        }
        for wrong in [
            format!("{PEM_BEGIN}\n{body}"),
            format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"),
            String::new(),
            body.to_owned(),
        ] {
            assert!(private_key(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_wrapping_key_that_is_none_is_told() {
        for (text, problem) in [("*", "not Base64"), ("AAEC", "none of RSA"), ("", "none of RSA")] {
            let error = public_key_of(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
            assert!(error.to_string().contains(problem), "{error}");
        }
    }
}
