//! The accept loop: TLS, and a limit in time or number for everything a stranger can hold.
//!
//! `axum::serve` sets no timer, so a client could send a request head for ever; hence this loop.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use lanai_control::{Visitor, Window};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::extractors::{Arrival, Ends, Peer};
use crate::routes::REQUEST;

/// For the first byte and the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For each request head, and thus also the longest idle time between two requests.
const REQUEST_HEAD: Duration = Duration::from_secs(20);
/// A connection older than this is told to end, so that no client holds one for ever.
const LIFE: Duration = Duration::from_secs(600);
/// What a connection gets to end what it is doing.
const GRACE: Duration = Duration::from_secs(5);
/// Connections at once: of everybody, and of one address. More are closed at once, so that one
/// address cannot lock the others out.
const CONNECTIONS: usize = 512;
const CONNECTIONS_PER_ADDRESS: usize = 128;
/// First byte of a TLS record that carries a handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Takes connections of those it `admits` until `shutdown`, then lets those that are open end.
pub(crate) async fn run(
    listener: TcpListener,
    tls: TlsAcceptor,
    app: Router,
    windows: watch::Receiver<Option<Arc<Window>>>,
    admits: impl Fn(IpAddr) -> bool,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopped) = watch::channel(());
    let ends = Closing { stopped, windows };
    let guests = Arc::new(Guests::default());
    let mut tasks = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
            // Reaps what ended, so that the set does not grow.
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
        };
        match accepted {
            Ok((_, peer)) if !admits(peer.ip().to_canonical()) => {
                tracing::debug!(%peer, "the web UI is not for this address");
            }
            Ok((socket, peer)) => {
                let arrival = Arrival::now();
                let Some(guest) = guests.admit(peer.ip()) else {
                    continue;
                };
                let (tls, app, ends) = (tls.clone(), app.clone(), ends.clone());
                tasks.spawn(async move {
                    connection(socket, peer, arrival, tls, app, ends).await;
                    drop(guest);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely. Trying again at once would only burn the CPU.
                tracing::warn!(%error, "the web UI cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    drop(listener);
    drop(stop);
    let _ = timeout(GRACE, async { while tasks.join_next().await.is_some() {} }).await;
    tasks.shutdown().await;
}

async fn connection(
    socket: TcpStream,
    peer: SocketAddr,
    arrival: Arrival,
    tls: TlsAcceptor,
    app: Router,
    ends: Closing,
) {
    // Answers are small and whole; waiting for more to send only delays them.
    let _ = socket.set_nodelay(true);
    let local = socket.local_addr().ok();
    let mut first = [0; 1];
    match timeout(HANDSHAKE, socket.peek(&mut first)).await {
        Ok(Ok(1)) => {}
        _ => return,
    }
    if first != [TLS_HANDSHAKE] {
        converse(socket, service_fn(to_https), arrival, ends).await;
        return;
    }
    match timeout(HANDSHAKE, tls.accept(socket)).await {
        Ok(Ok(stream)) => {
            let guided = Guided {
                app: TowerToHyperService::new(app),
                peer,
                local,
                arrival: arrival.clone(),
            };
            converse(stream, guided, arrival, ends).await;
        }
        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake of the web UI failed"),
        Err(_) => tracing::debug!(%peer, "TLS handshake of the web UI took too long"),
    }
}

/// What ends connections from outside.
#[derive(Clone)]
struct Closing {
    stopped: watch::Receiver<()>,
    windows: watch::Receiver<Option<Arc<Window>>>,
}

impl Closing {
    /// Until a change is on trial that came after this arrival: who goes on looking at the box is to
    /// come by a new connection, for that is what the trial is about.
    async fn outdated(&mut self, arrival: &Arrival) {
        let newer = |window: &Option<Arc<Window>>| {
            let window = window.as_ref();
            window.is_some_and(|window| !arrival.is_after(window))
        };
        let seen = self.windows.wait_for(newer).await.map(drop);
        if seen.is_err() {
            // There is no control any more to put anything on trial.
            std::future::pending().await
        }
    }
}

/// Serves one connection, HTTP/1.1 or HTTP/2, until it ends, is too old, or everything stops.
async fn converse<IO, S>(io: IO, service: S, arrival: Arrival, mut ends: Closing)
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>> + Send,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD)
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(REQUEST_HEAD)
        .keep_alive_timeout(HANDSHAKE)
        .max_concurrent_streams(32)
        .max_header_list_size(32 * 1024);
    let connection = builder.serve_connection(TokioIo::new(io), service);
    tokio::pin!(connection);
    let mut stopped = ends.stopped.clone();
    let grace = tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => GRACE,
        () = tokio::time::sleep(LIFE) => GRACE,
        () = ends.outdated(&arrival) => REQUEST,
        () = arrival.dismissed() => REQUEST,
    };
    connection.as_mut().graceful_shutdown();
    let _ = timeout(grace, connection).await;
}

/// Tells every request who sent it, and by which connection.
struct Guided {
    app: TowerToHyperService<Router>,
    peer: SocketAddr,
    local: Option<SocketAddr>,
    arrival: Arrival,
}

impl Service<Request<Incoming>> for Guided {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = hyper_util::service::TowerToHyperServiceFuture<Router, Request<Incoming>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request
            .extensions_mut()
            .insert(Peer(self.peer.ip().to_canonical()));
        if let Some(local) = self.local {
            request.extensions_mut().insert(Ends(Visitor {
                peer: self.peer.ip().to_canonical(),
                local: local.ip().to_canonical(),
                port: local.port(),
            }));
        }
        request.extensions_mut().insert(self.arrival.clone());
        self.app.call(request)
    }
}

/// Somebody typed `http://`: the same address with TLS.
async fn to_https(request: Request<Incoming>) -> io::Result<Response<Body>> {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    // A Host made of anything else could lead elsewhere or split the header.
    let plain = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
    let answer = if host.is_empty() || !host.chars().all(plain) {
        Response::builder()
            .status(StatusCode::BAD_REQUEST)
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(Body::from(
                "This port speaks HTTPS: use https:// in the address.\n",
            ))
    } else {
        Response::builder()
            .status(StatusCode::TEMPORARY_REDIRECT)
            .header(header::LOCATION, format!("https://{host}/"))
            .header(header::CONNECTION, "close")
            .body(Body::empty())
    };
    answer.map_err(io::Error::other)
}

/// Who is connected, by address.
#[derive(Default)]
struct Guests(Mutex<HashMap<IpAddr, usize>>);

impl Guests {
    /// A place for one more connection, given back when dropped; `None` if there is none.
    fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Guest> {
        let mut guests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = guests.values().sum();
        let own = guests.entry(address).or_default();
        if all >= CONNECTIONS || *own >= CONNECTIONS_PER_ADDRESS {
            if *own == 0 {
                guests.remove(&address);
            }
            return None;
        }
        *own += 1;
        Some(Guest {
            guests: Arc::clone(self),
            address,
        })
    }
}

struct Guest {
    guests: Arc<Guests>,
    address: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut guests = self.guests.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = guests.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                guests.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place() {
        let guests = Arc::new(Guests::default());
        let greedy: IpAddr = "192.0.2.1".parse().unwrap();
        let mut held: Vec<Guest> = (0..CONNECTIONS_PER_ADDRESS)
            .map(|_| guests.admit(greedy).unwrap())
            .collect();
        assert!(guests.admit(greedy).is_none());
        assert!(guests.admit("192.0.2.2".parse().unwrap()).is_some());
        held.pop();
        assert!(guests.admit(greedy).is_some());
        drop(held);
        assert!(guests.0.lock().unwrap().is_empty(), "nothing is kept");
    }
}
