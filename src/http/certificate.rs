//! TLS: the certificate and key of two PEM files, read anew when the files change, so that a renewal needs no restart.

use std::{
    fmt,
    fs::Metadata,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::limits::CERTIFICATE_INTERVAL;

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file does not hold what it should.
    #[error("{path}: {cause}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// Key and certificate do not belong together, or the library refuses them.
    #[error("certificate and key: {0}")]
    Tls(#[from] rustls::Error),
}

/// A certificate chain with its key, and the files they came from.
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads both files.
    pub fn read(chain: &Path, key: &Path) -> Result<Arc<Self>, CertificateError> {
        let provider = Arc::new(ring::default_provider());
        let current = ArcSwap::from_pointee(read(&provider, chain, key)?);
        Ok(Arc::new(Self { chain: chain.to_owned(), key: key.to_owned(), provider, current }))
    }

    /// What a listener needs: TLS 1.2 and 1.3, HTTP/2 where the client speaks it.
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig, CertificateError> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Looks at the files from time to time, for as long as the process lives. Files that cannot be used are told of, and what
    /// was read before goes on.
    pub async fn keep_current(self: Arc<Self>) {
        let mut known = self.stamp();
        loop {
            tokio::time::sleep(CERTIFICATE_INTERVAL).await;
            let now = self.stamp();
            if now == known {
                continue;
            }
            known = now;
            match read(&self.provider, &self.chain, &self.key) {
                Ok(renewed) => {
                    self.current.store(Arc::new(renewed));
                    log::info!("certificate read anew file={}", self.chain.display());
                }
                Err(error) => log::error!("the new certificate cannot be used, the old one is kept: {error}"),
            }
        }
    }

    /// When the files were written last, and their lengths.
    fn stamp(&self) -> [Option<(SystemTime, u64)>; 2] {
        let of = |file: &Metadata| Some((file.modified().ok()?, file.len()));
        [&self.chain, &self.key].map(|path| path.metadata().ok().and_then(|file| of(&file)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn read(provider: &CryptoProvider, chain: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
    let wrong = |path: &Path, cause: &dyn fmt::Display| CertificateError::File {
        path: path.to_owned(),
        cause: cause.to_string(),
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(chain, &error))?;
    if certificates.is_empty() {
        return Err(wrong(chain, &"no certificate in it"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let certified = CertifiedKey::from_der(certificates, secret, provider)?;
    Ok(certified)
}
