//! Which certificates of an application with TLS are accepted, and why one is not.

use std::{io, path::Path, sync::Arc};

use thiserror::Error;
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, OtherError, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::ring,
    pki_types::{
        CertificateDer, ServerName, UnixTime,
        pem::{self, PemObject},
    },
    server::ParsedCertificate,
};

/// The authority's certificates do not serve.
#[derive(Debug, Error)]
pub(crate) enum UpstreamTlsError {
    #[error("the certificates of --upstream-ca cannot be read: {0}")]
    Unreadable(#[from] pem::Error),
    #[error("the certificates of --upstream-ca do not serve: {0}")]
    Unusable(#[from] rustls::Error),
    #[error("there is no certificate in --upstream-ca: it has to be PEM")]
    None,
}

/// Why the application's certificate is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CertificateFault {
    UnknownIssuer,
    WrongName,
    Expired,
    NotYetValid,
    Other,
}

impl CertificateFault {
    /// From the error of a handshake; `None` if its reason is another one.
    pub(super) fn from_error(error: &io::Error) -> Option<Self> {
        match error.get_ref()?.downcast_ref::<TlsError>()? {
            TlsError::InvalidCertificate(error) => Some(match error {
                CertificateError::UnknownIssuer => Self::UnknownIssuer,
                // Nobody else has signed a certificate that says of itself that it is an authority's.
                error if is_of_authority(error) => Self::UnknownIssuer,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::WrongName,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
                _ => Self::Other,
            }),
            _ => None,
        }
    }

    /// The text for the board.
    pub(super) fn cause(self) -> &'static str {
        match self {
            Self::UnknownIssuer => {
                "nobody that is known has signed the application's certificate: name its authority, or itself, by --upstream-ca"
            }
            Self::WrongName => {
                "the application's certificate is for another name: use one of its names in --upstream, or add this one as subjectAltName"
            }
            Self::Expired => "the application's certificate has expired",
            Self::NotYetValid => "the application's certificate is not valid yet: look at the clocks",
            Self::Other => "the application's certificate is not accepted: look at the log",
        }
    }
}

pub(super) fn client_config(authority: Option<&Path>) -> Result<ClientConfig, UpstreamTlsError> {
    let mut roots = RootCertStore::empty();
    let mut listed = vec![];
    match authority {
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file)? {
                let certificate = certificate?;
                roots.add(certificate.clone())?;
                listed.push(certificate);
            }
            if roots.is_empty() {
                return Err(UpstreamTlsError::None);
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = Arc::new(ring::default_provider());
    let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(UpstreamVerifier { chains, listed }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Verifies chains as browsers do. Beyond that, it accepts a certificate that itself stands in the file of `--upstream-ca`, as curl and OpenSSL
/// do: the one that `openssl req -x509` makes is an authority's, which a chain may not end in.
#[derive(Debug)]
struct UpstreamVerifier {
    chains: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for UpstreamVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        match self.chains.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // Both are found after the dates were checked, and before the name.
            Err(TlsError::InvalidCertificate(error))
                if (error == CertificateError::UnknownIssuer || is_of_authority(&error))
                    && self.listed.contains(certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.chains.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.chains.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Whether an application's certificate says of itself that it is an authority's.
fn is_of_authority(error: &CertificateError) -> bool {
    let CertificateError::Other(OtherError(error)) = error else { return false };
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
