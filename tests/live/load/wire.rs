//! Connections: opening them, and what their errors mean.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::{Cause, Failure, Kind};

/// Either of TCP and TLS.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Why an exchange failed.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) cause: Cause,
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(cause: Cause, detail: impl Into<String>) -> Fault {
        Fault {
            cause,
            detail: detail.into(),
        }
    }

    pub(crate) fn failure(self, kind: Kind, begun: Instant) -> Failure {
        Failure {
            kind,
            cause: self.cause,
            begun,
            at: Instant::now(),
            detail: self.detail,
        }
    }
}

/// What the kernel's (or TLS's) word means.
pub(crate) fn fault(what: &str, error: &io::Error) -> Fault {
    let cause = match error.kind() {
        ErrorKind::ConnectionRefused => Cause::Refused,
        // A write after a reset says EPIPE.
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
            Cause::Reset
        }
        // rustls: an end without close_notify.
        ErrorKind::UnexpectedEof => Cause::Short,
        ErrorKind::TimedOut => Cause::Timeout,
        _ => Cause::Other,
    };
    Fault::new(cause, format!("{what}: {error}"))
}

/// Limits an exchange.
pub(crate) async fn in_time<T>(
    patience: Duration,
    exchange: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(patience, exchange).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::new(
            Cause::Timeout,
            format!("nothing in {patience:?}"),
        )),
    }
}

pub(crate) async fn connect(to: SocketAddr) -> Result<TcpStream, Fault> {
    let stream = TcpStream::connect(to).await;
    let stream = stream.map_err(|error| fault("connect", &error))?;
    stream
        .set_nodelay(true)
        .map_err(|error| fault("connect", &error))?;
    Ok(stream)
}

/// Whether the peer has said something on a connection that ought to be silent: the end of it, or
/// bytes nobody asked for. Looks, and does not wait.
pub(crate) async fn spoke(stream: &mut impl Wire) -> Option<Result<(), Fault>> {
    let mut byte = [0; 1];
    let mut room = ReadBuf::new(&mut byte);
    let seen = std::future::poll_fn(|context| {
        Poll::Ready(match Pin::new(&mut *stream).poll_read(context, &mut room) {
            Poll::Ready(seen) => Some(seen),
            Poll::Pending => None,
        })
    });
    match seen.await? {
        Ok(()) if room.filled().is_empty() => Some(Ok(())),
        Ok(()) => Some(Err(Fault::new(Cause::Wrong, "bytes that nobody asked for"))),
        Err(error) => Some(Err(fault("idle", &error))),
    }
}

/// The peer has to end the connection in order.
pub(crate) async fn ends(stream: &mut impl Wire) -> Result<(), Fault> {
    let mut byte = [0; 1];
    match stream.read(&mut byte).await {
        Ok(0) => Ok(()),
        Ok(_) => Err(Fault::new(Cause::Wrong, "bytes behind the end")),
        Err(error) => Err(fault("end", &error)),
    }
}

/// A TLS client that takes any certificate, and resumes no session.
pub(crate) fn trusting() -> TlsConnector {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting(provider)))
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

/// The tests make their own certificates; whose they are is asked elsewhere. The handshake's
/// signature is checked.
#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
