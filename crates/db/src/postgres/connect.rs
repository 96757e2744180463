//! How a server is reached: address, TLS, and what every connection is told first.

use std::{str::FromStr, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_postgres::{Config, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::session::Connection;
use crate::{Error, Limits, Result};

/// Where connections come from.
pub(super) struct Server {
    pub(super) config: Config,
    tls: MakeRustlsConnect,
    greeting: String,
    connect: Duration,
}

impl Server {
    /// Of `postgres://…`, whose `sslmode` may be `disable`, `prefer`, `require` or `verify-full`,
    /// and whose `sslrootcert` names a file of certificates to trust.
    pub(super) fn new(url: &str, limits: &Limits) -> Result<Self> {
        let (rest, mode, roots) = take_tls(url);
        let verify = mode.as_deref() == Some("verify-full") || roots.is_some();
        let mut config =
            Config::from_str(&rest).map_err(|_| refused("the URL of the database is not valid"))?;
        config
            .ssl_mode(match mode.as_deref() {
                Some("disable") => SslMode::Disable,
                None | Some("prefer") => SslMode::Prefer,
                Some("require" | "verify-full") => SslMode::Require,
                Some(other) => return Err(refused(&format!("sslmode={other} is not known"))),
            })
            .connect_timeout(limits.connect)
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        let tls = MakeRustlsConnect::new(tls(verify, roots.as_deref())?);
        let greeting = format!(
            "set statement_timeout = {}; set lock_timeout = {};
             set idle_in_transaction_session_timeout = {}",
            limits.statement.as_millis(),
            limits.lock.as_millis(),
            limits.idle.as_millis()
        );
        Ok(Self { config, tls, greeting, connect: limits.connect })
    }

    /// One more connection.
    pub(super) async fn connect(&self) -> Result<Arc<Connection>> {
        let connecting = async {
            let connected = self.config.connect(self.tls.clone()).await;
            let (client, connection) = connected.map_err(|error| describe(&error))?;
            tokio::spawn(connection);
            client.batch_execute(&self.greeting).await?;
            Ok(Arc::new(Connection::new(client)))
        };
        // The driver's own limit ends with the first byte.
        let connected = tokio::time::timeout(self.connect * 2, connecting).await;
        connected.map_err(|_| Error::Unavailable("no answer in time".to_owned()))?
    }
}

/// A server that is away may come back; one that refuses will not change its mind.
fn describe(error: &tokio_postgres::Error) -> Error {
    let source = std::error::Error::source(error).map(ToString::to_string);
    let text = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    match error.code() {
        Some(code) if code.code().starts_with("28") || code.code().starts_with("3D") => {
            Error::Open(text)
        }
        _ => Error::Unavailable(text),
    }
}

fn refused(text: &str) -> Error {
    Error::Open(text.to_owned())
}

/// Takes the parameters out of the URL that the driver does not know.
fn take_tls(url: &str) -> (String, Option<String>, Option<String>) {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut others) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => roots = Some(value.replace("%2F", "/")),
            _ => others.push(pair),
        }
    }
    let rest =
        if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
    (rest, mode, roots)
}

fn tls(verify: bool, roots: Option<&str>) -> Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Driver(error.into()))?;
    if !verify {
        // As `require` has it everywhere: hidden from listeners, not proof of who answers.
        let anyone = Arc::new(Anyone(provider));
        let builder = builder.dangerous().with_custom_certificate_verifier(anyone);
        return Ok(builder.with_no_client_auth());
    }
    let mut store = RootCertStore::empty();
    if let Some(path) = roots {
        let unreadable = |error| refused(&format!("cannot read certificates of {path}: {error}"));
        for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
            let certificate = certificate.map_err(unreadable)?;
            store.add(certificate).map_err(|error| refused(&format!("{path}: {error}")))?;
        }
    } else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

/// Takes any certificate whose key the server holds.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
