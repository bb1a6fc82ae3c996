//! Certificates that another authority than the district's made, for servers
//! around the hub: mail, webhooks, a proxy before the console.

use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority of its own.
pub struct Issuing {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, PEM: for who is to trust it.
    pub pem: String,
}

/// A server's certificate and its key, PEM.
pub struct Served {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
    der: (Vec<u8>, Vec<u8>),
}

impl Issuing {
    /// A new authority of this name.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// A certificate for a server of this name or address.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn serve(&self, name: &str) -> anyhow::Result<Served> {
        let params = CertificateParams::new(vec![name.to_owned()])?;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let der = (certificate.der().to_vec(), key.serialize_der());
        Ok(Served { certificate: certificate.pem(), key: key.serialize_pem(), der })
    }
}

impl Served {
    /// What a server speaks TLS with.
    ///
    /// # Errors
    /// When key and certificate don't fit.
    pub fn acceptor(&self) -> anyhow::Result<TlsAcceptor> {
        let (certificate, key) = self.der.clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("no version of TLS")?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
