//! Which servers are trusted: those whose certificate comes from an authority that the system trusts, or from one that the
//! program names.

use std::{
    io,
    sync::{Arc, Once, OnceLock},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, ErrorKind};

/// The verifier of the system, made when it is needed. Many systems keep their authorities in hundreds of files, and reading
/// them takes longer than all else that a client needs: it is done once, not at all for plain HTTP, and else while a
/// connection is being made.
#[derive(Debug)]
pub(super) struct Trust {
    provider: Arc<CryptoProvider>,
    extra: Vec<CertificateDer<'static>>,
    verifier: OnceLock<Result<Verifier, rustls::Error>>,
    is_asked_for: Once,
}

impl Trust {
    /// Trusts the authorities in these texts of PEM besides the system's.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when one of them is no certificate.
    pub(super) fn new(pem: &[Vec<u8>]) -> Result<Self, Error> {
        let mut extra = Vec::new();
        for text in pem {
            let certificates = certificates(text)
                .ok_or_else(|| Error::new(ErrorKind::Configuration, "the extra CA is no certificate in PEM"))?;
            extra.extend(certificates);
        }
        Ok(Self { provider: provider(), extra, verifier: OnceLock::new(), is_asked_for: Once::new() })
    }

    /// TLS that trusts like this.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the TLS provider that the program has chosen knows no version of TLS.
    pub(super) fn client_config(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let versions = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                Error::new(ErrorKind::Configuration, format!("TLS cannot be set up: {error}")).with_source(error)
            })?;
        // The verifier of the system counts as a custom one.
        let verifier = Arc::clone(self) as Arc<dyn ServerCertVerifier>;
        Ok(versions.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }

    /// Has what will be needed for a certificate read on another thread.
    pub(super) fn read_ahead(self: &Arc<Self>) {
        self.is_asked_for.call_once(|| {
            let trust = Arc::clone(self);
            tokio::task::spawn_blocking(move || trust.verifier().is_ok());
        });
    }

    fn verifier(&self) -> Result<&Verifier, rustls::Error> {
        let made = self
            .verifier
            .get_or_init(|| Verifier::new_with_extra_roots(self.extra.iter().cloned(), Arc::clone(&self.provider)));
        made.as_ref().map_err(|error| {
            let why = match error {
                rustls::Error::General(why) => why.clone(),
                error => error.to_string(),
            };
            rustls::Error::Other(OtherError(Arc::new(io::Error::other(why))))
        })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // What the verifier says on every system; asked before there is a certificate.
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// All certificates of a text in PEM; `None` where it has none, or something in it is none.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    // Nobody should find out with the first call.
    let are_sound = certificates.iter().all(|found| RootCertStore::empty().add(found.clone()).is_ok());
    (are_sound && !certificates.is_empty()).then_some(certificates)
}

/// The provider of TLS that the program has chosen; `ring` where it has not.
fn provider() -> Arc<CryptoProvider> {
    let chosen = CryptoProvider::get_default().cloned();
    chosen.unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()))
}
