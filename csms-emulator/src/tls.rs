//! A certificate authority of the emulator's own, and one certificate from it.

use std::{io, sync::Arc};

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{self, ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// Names every certificate is good for.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Some clients refuse a server's certificate that lives longer than 825 days.
const LIFETIME: TimeDelta = TimeDelta::days(800);

/// What a server needs for TLS, and its clients to trust it. Made anew at every start and kept in memory only.
pub(crate) struct Certificates {
    ca_pem: String,
    acceptor: TlsAcceptor,
}

impl Certificates {
    /// Good for `localhost`, both loopback addresses and `names`, which are host names, `*.` wildcards or addresses.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub(crate) fn new(names: &[String], now: DateTime<Utc>) -> io::Result<Self> {
        let ca = authority(now).map_err(io::Error::other)?;
        let (certificate, key) = server_certificate(&ca, names, now)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("{names:?}: {error}")))?;
        let chain = vec![certificate.der().clone(), ca.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let mut config = server_config(chain, key).map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { ca_pem: ca.pem(), acceptor: Arc::new(config).into() })
    }

    /// The authority's certificate in PEM, for clients to trust.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}

fn authority(now: DateTime<Utc>) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = parameters(Vec::new(), "csms-emulator authority", now)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn server_certificate(
    ca: &CertifiedIssuer<'static, KeyPair>,
    names: &[String],
    now: DateTime<Utc>,
) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    let names = LOCAL_NAMES.into_iter().map(str::to_owned).chain(names.iter().cloned()).collect();
    let mut params = parameters(names, "csms-emulator", now)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Strict verifiers, such as Python's, want to see by which key it was signed.
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, ca)?, key))
}

fn parameters(names: Vec<String>, common_name: &str, now: DateTime<Utc>) -> Result<CertificateParams, rcgen::Error> {
    let day = |time: DateTime<Utc>| date_time_ymd(time.year(), time.month() as u8, time.day() as u8);
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    // A day early, for clients whose clock is behind.
    params.not_before = day(now - TimeDelta::days(1));
    params.not_after = day(now + LIFETIME);
    Ok(params)
}

fn server_config(
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;
    use crate::server::tests::now;

    #[test]
    fn names_may_be_wildcards_and_addresses() {
        let certificates = Certificates::new(&["*.example.com".to_owned(), "10.0.0.1".to_owned()], now()).unwrap();
        assert!(certificates.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        let error = Certificates::new(&["é".to_owned()], now()).err().unwrap();
        assert!(error.to_string().contains('é'), "{error}");
    }
}
