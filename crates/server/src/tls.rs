//! HTTPS of one's own: a certificate of files, read anew when they change.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use tokio::{net::TcpStream, sync::watch, time::timeout};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// A peer that connects and says nothing is not waited for.
const FIRST_BYTE_TIME_MAX: Duration = Duration::from_secs(10);
/// What a TLS connection begins with: a record of the handshake.
const HANDSHAKE: u8 = 0x16;

/// How connections are encrypted.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<ServerConfig>>,
    /// Connections that begin without TLS are served as well.
    takes_plain: bool,
}

impl Tls {
    /// Reads a chain of certificates and its key, both PEM.
    ///
    /// With `takes_plain` the same port serves plain HTTP, for development.
    pub fn open(certificate: PathBuf, key: PathBuf, takes_plain: bool) -> Result<Self, String> {
        let current = RwLock::new(read(&certificate, &key)?);
        Ok(Self { certificate, key, current, takes_plain })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current).into()
    }

    /// True if the peer wants TLS, or gets nothing else here.
    pub(crate) async fn is_wanted(&self, stream: &TcpStream) -> bool {
        if !self.takes_plain {
            return true;
        }
        let mut first = [0];
        let peeked = timeout(FIRST_BYTE_TIME_MAX, stream.peek(&mut first)).await;
        matches!(peeked, Ok(Ok(1))) && first == [HANDSHAKE]
    }

    /// True if browsers may be told never to come without TLS again.
    pub(crate) fn is_strict(&self) -> bool {
        !self.takes_plain
    }

    fn changed(&self) -> Option<[SystemTime; 2]> {
        let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
        Some([changed(&self.certificate)?, changed(&self.key)?])
    }

    /// Takes up renewed files, until told to stop. Broken ones are not taken up.
    pub(crate) async fn renew(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut seen = self.changed();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = crate::connections::told(&mut stop) => return,
            }
            let changed = self.changed();
            if changed.is_none() || changed == seen {
                continue;
            }
            match read(&self.certificate, &self.key) {
                Ok(config) => {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
                    seen = changed;
                    tracing::info!("the certificate was renewed");
                }
                Err(error) => tracing::warn!(error, "the renewed certificate cannot be used"),
            }
        }
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let cannot = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| cannot(certificate, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| cannot(key, &error))?;
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, secret);
    let mut config = config.map_err(|error| cannot(certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config.into())
}
