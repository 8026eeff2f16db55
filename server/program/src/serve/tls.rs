//! TLS by a certificate and a key in files, which are read again when they change.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::interval,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{
            CertificateDer, PrivateKeyDer,
            pem::{self, PemObject},
        },
    },
    server::TlsStream,
};

/// Between two looks at the files.
const CHECK_EACH: Duration = Duration::from_secs(2);

/// The certificate and its key do not serve.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    #[error("the certificate {} cannot be read: {source}", path.display())]
    Certificate { path: PathBuf, source: pem::Error },
    #[error("there is no certificate in {}: it has to be PEM", path.display())]
    NoCertificate { path: PathBuf },
    #[error("the private key {} cannot be read: {source}", path.display())]
    Key { path: PathBuf, source: pem::Error },
    #[error("{} and {} do not serve: {source}", certificate.display(), key.display())]
    Unusable { certificate: PathBuf, key: PathBuf, source: rustls::Error },
}

/// Accepts TLS connections with the current certificate.
#[derive(Clone)]
pub(crate) struct Tls(watch::Receiver<Arc<ServerConfig>>);

impl Tls {
    /// Reads both files, and reads them again when they change. A renewed certificate serves from the next connection on. An error is logged,
    /// and the old certificate stays in use.
    ///
    /// # Errors
    /// A file cannot be read, or the two do not serve.
    pub(crate) fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let config = read(certificate, key)?;
        let (sender, receiver) = watch::channel(Arc::new(config));
        tokio::spawn(follow(certificate.to_owned(), key.to_owned(), sender));
        Ok(Self(receiver))
    }

    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> std::io::Result<TlsStream<S>> {
        let config = Arc::clone(&self.0.borrow());
        TlsAcceptor::from(config).accept(stream).await
    }
}

/// Watches the files until nothing accepts connections any more.
async fn follow(certificate: PathBuf, key: PathBuf, sender: watch::Sender<Arc<ServerConfig>>) {
    let mut look = interval(CHECK_EACH);
    let mut last = versions(&certificate, &key);
    while !sender.is_closed() {
        look.tick().await;
        let now = versions(&certificate, &key);
        if now == last {
            continue;
        }
        match read(&certificate, &key) {
            Ok(config) => {
                tracing::info!("the certificate has changed, and serves from now on");
                sender.send_replace(Arc::new(config));
            }
            Err(reason) => tracing::error!("{reason}. The certificate before stays in use."),
        }
        last = now;
    }
}

/// Identifies the content of a file. The inode shows that a link leads to another file.
type Version = Option<(u64, u64, i64, i64)>;

fn versions(certificate: &Path, key: &Path) -> [Version; 2] {
    [certificate, key].map(|path| {
        let file = std::fs::metadata(path).ok()?;
        Some((file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
    })
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|source| TlsError::Certificate { path: certificate.to_owned(), source })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: certificate.to_owned() });
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Key { path: key.to_owned(), source })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|source| TlsError::Unusable { certificate: certificate.to_owned(), key: key.to_owned(), source })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
