//! TLS by files of a certificate and its key, which are read again when they change.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::interval,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
    server::TlsStream,
};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Takes TLS connections, by the certificate as it is now.
#[derive(Clone)]
pub(crate) struct Tls(watch::Receiver<Arc<ServerConfig>>);

impl Tls {
    /// Reads both files, and goes on looking at them: a certificate that has been renewed serves from the next connection on. One that
    /// cannot be read is logged, and the one before stays.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub(crate) fn from_files(certificate: &Path, key: &Path) -> Result<Self, String> {
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

/// Until nobody takes connections any more.
async fn follow(certificate: PathBuf, key: PathBuf, sender: watch::Sender<Arc<ServerConfig>>) {
    let mut look = interval(LOOK_EVERY);
    let mut known = versions(&certificate, &key);
    while !sender.is_closed() {
        look.tick().await;
        let now = versions(&certificate, &key);
        if now == known {
            continue;
        }
        match read(&certificate, &key) {
            Ok(config) => {
                tracing::info!("the certificate has changed, and serves from now on");
                sender.send_replace(Arc::new(config));
            }
            Err(reason) => tracing::error!("{reason}. The certificate before stays in use."),
        }
        known = now;
    }
}

/// What tells a file from the one that was there before, also where a link now leads to another.
type Version = Option<(u64, u64, i64, i64)>;

fn versions(certificate: &Path, key: &Path) -> [Version; 2] {
    [certificate, key].map(|path| {
        let file = std::fs::metadata(path).ok()?;
        Some((file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
    })
}

pub(crate) fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, String> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("the certificate {} cannot be read: {error}", certificate.display()))?;
    if chain.is_empty() {
        return Err(format!("there is no certificate in {}: it has to be PEM", certificate.display()));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("the private key {} cannot be read: {error}", key.display()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| format!("{} and {} do not serve: {error}", certificate.display(), key.display()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
