//! The web UI: pages for people, over HTTPS, on top of `control`.
//!
//! Every page works without a script; the script adds niceties. A request travels through
//! [`server`](serve), the layers of `middleware`, one handler of `handlers`, and a template that
//! bears the handler's name. What a page says is made in `views`, which is pure.
//!
//! Invariants:
//! - It reaches the box through [`Control`] alone.
//! - Looking changes nothing: only POST does, only from our own pages, with a token of the session.
//! - What somebody wrote comes back to them whatever happens, until it is applied.
//! - A change on trial is confirmed only over a connection that was made after it: that is what
//!   proves that the box can still be reached.
//! - A private key is in no page.

mod app;
mod assets;
mod certificate;
mod error;
mod extractors;
mod handlers;
mod middleware;
mod page;
mod routes;
mod server;
mod views;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;

use lanai_control::{Control, Window};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub use certificate::{CertificateError, certificate_fingerprint};

/// The port of the web UI unless told otherwise.
pub const DEFAULT_PORT: u16 = 4444;

/// What the web UI is told at its start.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Where it listens; port 0 takes a free one (see [`WebServer::address`]).
    pub listen: SocketAddr,
    /// Where its certificate and key are kept (`ui.pem`, mode 0600), made at the first start.
    pub state_dir: PathBuf,
    /// Name of the box, shown in the head of every page and put into the certificate if it is a
    /// host name.
    pub box_name: String,
    /// Further host names for a new certificate; `localhost` is always in it.
    pub names: Vec<String>,
    /// Addresses for a new certificate; the loopback ones are always in it.
    pub addresses: Vec<IpAddr>,
}

/// Why the web UI cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address cannot be listened on.
    #[error(
        "the web UI cannot listen on {address}; is another process using it, or has the box not this address?"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A web UI that listens and does not answer yet.
pub struct WebServer {
    listener: TcpListener,
    address: SocketAddr,
    tls: TlsAcceptor,
    router: axum::Router,
    windows: watch::Receiver<Option<Arc<Window>>>,
    control: Control,
}

impl WebServer {
    /// Makes the certificate if there is none, and listens.
    ///
    /// # Errors
    /// If the certificate cannot be made or read, or the address cannot be listened on.
    pub async fn bind(settings: WebSettings, control: Control) -> Result<Self, WebError> {
        let failed = |source| WebError::Listen {
            address: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
        Self::on(listener, settings, control)
    }

    /// As [`WebServer::bind`], on a socket that listens already.
    ///
    /// # Errors
    /// If the certificate cannot be made or read, or the socket has no address.
    pub fn on(
        listener: TcpListener,
        settings: WebSettings,
        control: Control,
    ) -> Result<Self, WebError> {
        let mut names = settings.names;
        names.push(settings.box_name.clone());
        let tls = certificate::tls(&settings.state_dir, &names, &settings.addresses)?;
        let failed = |source| WebError::Listen {
            address: settings.listen,
            source,
        };
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            tls: TlsAcceptor::from(Arc::new(tls)),
            windows: control.windows(),
            control: control.clone(),
            router: router(control, &settings.box_name),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The listening socket, for whoever keeps a copy of it.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Answers until `shutdown`, then gives open requests five seconds.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let admits = |peer: IpAddr| self.control.admits_to_ui(peer);
        let (tls, router) = (self.tls, self.router);
        server::run(self.listener, tls, router, self.windows, admits, shutdown).await;
    }
}

/// Listens and answers until `shutdown`. To know the address or to print something once it listens,
/// use [`WebServer`].
///
/// # Errors
/// If it cannot start; see [`WebServer::bind`].
pub async fn serve(
    settings: WebSettings,
    control: Control,
    shutdown: impl Future<Output = ()>,
) -> Result<(), WebError> {
    let server = WebServer::bind(settings, control).await?;
    server.run(shutdown).await;
    Ok(())
}

/// The pages alone, without a socket and TLS: for tests.
pub fn router(control: Control, box_name: &str) -> axum::Router {
    routes::router(app::App::new(control, box_name))
}
