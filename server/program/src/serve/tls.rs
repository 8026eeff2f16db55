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
    time::sleep,
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

use crate::file_reader::{FileReader, read_bytes};

/// Between two looks at the files.
const CHECK_EACH: Duration = Duration::from_secs(2);

/// The certificate and its key do not serve.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    #[error("the certificate {} cannot be read: {source}", path.display())]
    Certificate { path: PathBuf, source: pem::Error },
    #[error("{} and {} cannot be read: {source}", certificate.display(), key.display())]
    Late { certificate: PathBuf, key: PathBuf, source: std::io::Error },
    #[error("there is no certificate in {}: it has to be PEM", path.display())]
    NoCertificate { path: PathBuf },
    #[error("the private key {} cannot be read: {source}", path.display())]
    Key { path: PathBuf, source: pem::Error },
    #[error("{} and {} do not serve: {source}", certificate.display(), key.display())]
    Unusable { certificate: PathBuf, key: PathBuf, source: rustls::Error },
}

/// Accepts TLS connections with the current certificate.
#[derive(Clone)]
pub(crate) struct Tls(Arc<TlsFiles>);

struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
    config: watch::Sender<Arc<ServerConfig>>,
    /// The files as they were before they were read.
    first: [Version; 2],
}

impl Tls {
    /// Reads both files.
    ///
    /// # Errors
    /// A file cannot be read, or the two do not serve.
    pub(crate) fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let first = versions(certificate, key);
        let (config, _) = watch::channel(Arc::new(read(certificate, key)?));
        Ok(Self(Arc::new(TlsFiles { certificate: certificate.to_owned(), key: key.to_owned(), config, first })))
    }

    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> std::io::Result<TlsStream<S>> {
        let config = Arc::clone(&self.0.config.borrow());
        TlsAcceptor::from(config).accept(stream).await
    }

    /// Reads the files again when they change, until `stop` turns true. A renewed certificate serves from the next connection on. An error is
    /// logged, and the old certificate stays in use.
    pub(crate) async fn follow(self, mut stop: watch::Receiver<bool>) {
        let (mut reader, mut last, mut is_late) = (FileReader::default(), self.0.first, false);
        loop {
            tokio::select! {
                () = sleep(CHECK_EACH) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let files = Arc::clone(&self.0);
            match reader.read(move || files.read_if_changed(last)).await {
                Ok((now, changed)) => {
                    (last, is_late) = (now, false);
                    match changed {
                        None => {}
                        Some(Ok(config)) => {
                            tracing::info!("the certificate has changed, and serves from now on");
                            self.0.config.send_replace(Arc::new(config));
                        }
                        Some(Err(reason)) => tracing::error!("{reason}. The certificate before stays in use."),
                    }
                }
                Err(reason) => {
                    if !is_late {
                        tracing::error!("the certificate cannot be followed: {reason}. It stays in use.");
                    }
                    is_late = true;
                }
            }
        }
    }
}

impl TlsFiles {
    fn read_if_changed(&self, last: [Version; 2]) -> ([Version; 2], Option<Result<ServerConfig, TlsError>>) {
        let now = versions(&self.certificate, &self.key);
        (now, (now != last).then(|| read(&self.certificate, &self.key)))
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
    let chain = read_bytes(certificate)
        .map_err(pem::Error::Io)
        .and_then(|bytes| CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>())
        .map_err(|source| TlsError::Certificate { path: certificate.to_owned(), source })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: certificate.to_owned() });
    }
    let private = read_bytes(key).map_err(pem::Error::Io).and_then(|bytes| PrivateKeyDer::from_pem_slice(&bytes));
    let private = private.map_err(|source| TlsError::Key { path: key.to_owned(), source })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|source| TlsError::Unusable { certificate: certificate.to_owned(), key: key.to_owned(), source })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
