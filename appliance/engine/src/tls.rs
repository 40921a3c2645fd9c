//! TLS termination (rustls), without rustls' own I/O.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use lanai_model::layer7::{BindSsl, SslBindOptions, TlsVersion};
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert, ServerConnection, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::Files;
use crate::io::{Buffer, BufferPool, Deadline, LARGE, Parked, Socket, Waits, only};

/// What a listener's handshakes use.
#[derive(Clone)]
pub(crate) struct TlsConfig(Arc<rustls::ServerConfig>);

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConfig")
    }
}

impl TlsConfig {
    /// Loads the certificates of a bind line.
    ///
    /// # Errors
    /// What is wrong with which file, in words.
    pub(crate) fn load(
        ssl: &BindSsl,
        defaults: &SslBindOptions,
        cachesize: usize,
        files: &dyn Files,
    ) -> Result<Self, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut keys = Vec::new();
        for path in &ssl.crt {
            let bytes = files
                .read(path)
                .map_err(|e| format!("cannot read certificate file '{}': {e}", path.display()))?;
            keys.push(Arc::new(certified_key(path, &bytes, &provider)?));
        }
        let min = ssl
            .options
            .min_version
            .or(defaults.min_version)
            .unwrap_or(TlsVersion::Tls12);
        let max = ssl
            .options
            .max_version
            .or(defaults.max_version)
            .unwrap_or(TlsVersion::Tls13);
        let versions: Vec<_> = [
            (TlsVersion::Tls12, &rustls::version::TLS12),
            (TlsVersion::Tls13, &rustls::version::TLS13),
        ]
        .into_iter()
        .filter(|(version, _)| (min..=max).contains(version))
        .map(|(_, version)| version)
        .collect();
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(|e| {
                format!("no TLS version is left between ssl-min-ver and ssl-max-ver: {e}")
            })?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Certificates::new(keys)));
        if ssl.options.no_tls_tickets || defaults.no_tls_tickets {
            config.send_tls13_tickets = 0;
        } else {
            config.ticketer = aws_lc_rs::Ticketer::new()
                .map_err(|e| format!("cannot make a key for session tickets: {e}"))?;
            // One ticket a handshake is what a client needs to come back.
            config.send_tls13_tickets = 1;
        }
        config.session_storage = if cachesize == 0 {
            Arc::new(rustls::server::NoServerSessionStorage {})
        } else {
            ServerSessionMemoryCache::new(cachesize)
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

/// Reads certificate chain and key from one PEM file, and checks that they belong together.
fn certified_key(
    path: &Path,
    bytes: &[u8],
    provider: &rustls::crypto::CryptoProvider,
) -> Result<CertifiedKey, String> {
    let file = path.display();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|e| format!("'{file}' is not PEM: {e}"))?;
    if chain.is_empty() {
        return Err(format!("'{file}' has no certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(bytes)
        .map_err(|_| format!("'{file}' has no private key; put it into the same file"))?;
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|e| format!("the private key in '{file}' cannot be used: {e}"))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(certified)
        }
        Err(_) => Err(format!(
            "in '{file}', the private key is not the certificate's"
        )),
    }
}

/// The certificates of a bind: by the client's SNI, else the first.
#[derive(Debug)]
struct Certificates {
    by_name: rustls::server::ResolvesServerCertUsingSni,
    first: Option<Arc<CertifiedKey>>,
}

impl Certificates {
    fn new(keys: Vec<Arc<CertifiedKey>>) -> Self {
        let mut by_name = rustls::server::ResolvesServerCertUsingSni::new();
        // The first certificate that has a name wins it, as in HAProxy.
        for key in keys.iter().rev() {
            for name in dns_names(key) {
                // It refuses names that are no DNS names: those cannot be asked for by SNI.
                let _ = by_name.add(&name, CertifiedKey::clone(key));
            }
        }
        Self {
            by_name,
            first: keys.first().cloned(),
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.by_name.resolve(hello).or_else(|| self.first.clone())
    }
}

fn dns_names(key: &CertifiedKey) -> Vec<String> {
    let Ok(end_entity) = key.end_entity_cert() else {
        return Vec::new();
    };
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(end_entity) else {
        return Vec::new();
    };
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let dns = |name: &x509_parser::extensions::GeneralName<'_>| match name {
        x509_parser::extensions::GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    };
    names.value.general_names.iter().filter_map(dns).collect()
}

/// A client's connection under TLS.
pub(crate) struct TlsStream {
    socket: Socket,
    connection: RefCell<ServerConnection>,
    /// Bytes from the socket that rustls had no room for yet.
    pending: RefCell<Option<Buffer>>,
    /// rustls has something for who reads from it: plaintext, or the end of it. It is not asked else.
    decrypted: Cell<bool>,
    /// The peer has sent close_notify.
    closed: Cell<bool>,
    /// The peer has said that it sends no more.
    ended: Cell<bool>,
    /// The handshake is done, and all of it has left.
    settled: Cell<bool>,
}

impl TlsStream {
    pub(crate) fn new(socket: Socket, config: &TlsConfig) -> io::Result<Self> {
        let connection = ServerConnection::new(config.0.clone()).map_err(io::Error::other)?;
        Ok(Self {
            socket,
            connection: RefCell::new(connection),
            pending: RefCell::new(None),
            decrypted: Cell::new(false),
            closed: Cell::new(false),
            ended: Cell::new(false),
            settled: Cell::new(false),
        })
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.borrow().is_handshaking()
    }

    /// As [`Socket::recv_into`], with the handshake done on the way. Cancel-safe: what was taken from
    /// the socket is kept.
    pub(crate) async fn recv_into(
        &self,
        pool: &BufferPool,
        buffer: &mut Buffer,
        deadline: Deadline,
    ) -> io::Result<usize> {
        let waits = Waits::new(&self.socket);
        poll_fn(|cx| self.poll_recv_into(cx, &waits, pool, buffer, deadline)).await
    }

    /// As [`TlsStream::recv_into`], to be polled.
    pub(crate) fn poll_recv_into(
        &self,
        cx: &Context<'_>,
        waits: &Waits<'_>,
        pool: &BufferPool,
        buffer: &mut Buffer,
        deadline: Deadline,
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.settled.get() {
                self.flush_some()?;
            } else {
                // In a handshake the peer says nothing more before it got what we have to say.
                ready!(self.poll_flush(cx, waits, || deadline))?;
                self.settled.set(!self.is_handshaking());
            }
            if let Some(n) = self.take_plaintext(buffer)? {
                return Poll::Ready(Ok(n));
            }
            if self.pending.borrow().is_none() {
                let bytes = ready!(waits.poll_recv(cx, pool, LARGE, deadline))?;
                if bytes.is_empty() {
                    self.ended.set(true);
                    return Poll::Ready(Ok(0));
                }
                *self.pending.borrow_mut() = Some(bytes);
            }
            if let Err(error) = self.feed() {
                // What is wrong is told to a peer that listens, and to no other.
                let _ = self.flush_some();
                return Poll::Ready(Err(error));
            }
        }
    }

    /// As [`Socket::is_readable`].
    pub(crate) fn is_readable(&self) -> bool {
        self.decrypted.get()
            || self.ended.get()
            || self.pending.borrow().is_some()
            || self.socket.is_readable()
    }

    /// As [`Socket::try_recv_into`].
    pub(crate) fn try_recv_into(
        &self,
        pool: &BufferPool,
        buffer: &mut Buffer,
    ) -> io::Result<Option<usize>> {
        loop {
            if let Some(n) = self.take_plaintext(buffer)? {
                return Ok(Some(n));
            }
            if self.pending.borrow().is_none() {
                let mut bytes = pool.take(LARGE);
                match self.socket.try_recv_into(&mut bytes)? {
                    None => return Ok(None),
                    Some(0) => {
                        self.ended.set(true);
                        return Ok(Some(0));
                    }
                    Some(_) => *self.pending.borrow_mut() = Some(bytes),
                }
            }
            self.feed()?;
        }
    }

    /// As [`Socket::send`].
    pub(crate) async fn send(
        &self,
        slices: &mut [IoSlice<'_>],
        deadline: impl Fn() -> Deadline,
    ) -> io::Result<()> {
        let mut left = slices;
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            // All pieces at once: each write makes a record of its own.
            let n = {
                let mut connection = self.connection.borrow_mut();
                match only(left) {
                    Some(one) => connection.writer().write(one)?,
                    None => connection.writer().write_vectored(left)?,
                }
            };
            if n == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut left, n);
            if !left.is_empty() {
                self.flush(&deadline).await?;
            }
        }
        self.flush(&deadline).await
    }

    /// As [`Waits::poll_send`].
    pub(crate) fn poll_send(
        &self,
        cx: &Context<'_>,
        waits: &Waits<'_>,
        buffer: &mut Buffer,
        deadline: impl Fn() -> Deadline,
    ) -> Poll<io::Result<()>> {
        if self.is_handshaking() {
            // Whoever receives, in the same task, does the handshake.
            return match self.ended.get() {
                true => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                false => Poll::Pending,
            };
        }
        loop {
            ready!(self.poll_flush(cx, waits, &deadline))?;
            if buffer.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = self.connection.borrow_mut().writer().write(buffer.data())?;
            buffer.consume(written);
        }
    }

    /// Tells the peer that no more comes (close_notify), without waiting for room.
    pub(crate) fn notify_close(&self) {
        let mut connection = self.connection.borrow_mut();
        connection.send_close_notify();
        // The connection ends either way: a peer that does not read is not waited for.
        let _ = connection.write_tls(&mut NonBlocking(&self.socket));
    }

    /// Parks it, when nothing that came is waiting in here.
    pub(crate) fn park(&self, parked: Parked, deadline: Deadline) -> bool {
        let holds = self.decrypted.get() || self.ended.get() || self.pending.borrow().is_some();
        !holds && self.socket.park(parked, deadline)
    }

    fn take_plaintext(&self, buffer: &mut Buffer) -> io::Result<Option<usize>> {
        if !self.decrypted.get() {
            return Ok(None);
        }
        let mut connection = self.connection.borrow_mut();
        let room = buffer.spare();
        let size = room.len();
        match connection.reader().read(room) {
            Ok(n) => {
                buffer.filled(n);
                self.decrypted.set(n == size || self.closed.get());
                self.ended.set(n == 0);
                Ok(Some(n))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.decrypted.set(false);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives rustls what came from the socket.
    fn feed(&self) -> io::Result<()> {
        let mut connection = self.connection.borrow_mut();
        let mut pending = self.pending.borrow_mut();
        while let Some(buffer) = pending.as_mut() {
            let n = connection.read_tls(&mut buffer.data())?;
            buffer.consume(n);
            let state = connection.process_new_packets().map_err(io::Error::other)?;
            self.closed.set(state.peer_has_closed());
            let something = state.plaintext_bytes_to_read() > 0 || state.peer_has_closed();
            self.decrypted.set(something);
            if buffer.is_empty() {
                *pending = None;
            } else if state.plaintext_bytes_to_read() > 0 || n == 0 {
                break;
            }
        }
        Ok(())
    }

    async fn flush(&self, deadline: impl Fn() -> Deadline) -> io::Result<()> {
        let waits = Waits::new(&self.socket);
        poll_fn(|cx| self.poll_flush(cx, &waits, &deadline)).await
    }

    fn poll_flush(
        &self,
        cx: &Context<'_>,
        waits: &Waits<'_>,
        deadline: impl Fn() -> Deadline,
    ) -> Poll<io::Result<()>> {
        let mut connection = self.connection.borrow_mut();
        while connection.wants_write() {
            match connection.write_tls(&mut NonBlocking(&self.socket)) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(waits.poll_writable(cx, deadline()))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        waits.sent();
        Poll::Ready(Ok(()))
    }

    /// Sends what the socket takes now. What is left goes with what is sent next.
    fn flush_some(&self) -> io::Result<()> {
        let mut connection = self.connection.borrow_mut();
        while connection.wants_write() {
            match connection.write_tls(&mut NonBlocking(&self.socket)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                wrote => drop(wrote?),
            }
        }
        Ok(())
    }
}

/// Writes what the socket takes now.
struct NonBlocking<'a>(&'a Socket);

impl Write for NonBlocking<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_send(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_send(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
