//! Both directions of a connection under TLS at once.

use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use lanai_engine::Files;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::CertificateDer;

use crate::support::{Lab, PATIENCE, read_message};

/// More than any buffer between two ends of a connection holds.
const MUCH: usize = 32 << 20;

/// A certificate for `localhost`, with its key, as the only file.
struct Site {
    pem: String,
    certificate: CertificateDer<'static>,
}

impl Site {
    fn new() -> Site {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Site {
            pem: made.cert.pem() + &made.signing_key.serialize_pem(),
            certificate: made.cert.der().clone(),
        }
    }

    /// Begins a TLS session that trusts it.
    fn greet(&self, socket: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        StreamOwned::new(connection, socket)
    }
}

impl Files for Site {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Ok(self.pem.clone().into_bytes())
    }
}

/// A frontend under TLS, and one server that treats one connection as `serve` says.
fn frontend(
    mode: &str,
    serve: impl FnOnce(TcpStream) + Send + 'static,
) -> (Lab, Site, JoinHandle<()>) {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = server.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (stream, _) = server.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        serve(stream);
    });
    let (lab, _owner) = Lab::start();
    let site = Site::new();
    let text = format!(
        "defaults\n    mode {mode}\n    timeout client 20s\n    timeout server 20s\n    \
         timeout connect 2s\n\
         frontend fe\n    bind 127.0.0.1:{} ssl crt site.pem\n    default_backend be\n\
         backend be\n    server s1 127.0.0.1:{port}\n",
        lab.port,
    );
    assert_eq!(lab.apply_with(&text, &site, &[]), [""; 0]);
    (lab, site, server)
}

fn connect(lab: &Lab) -> TcpStream {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, lab.port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

#[test]
fn a_server_that_speaks_before_the_handshake_is_heard_after_it() {
    // More than a TLS session takes before its handshake, and less than the server's socket takes.
    let greeting: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    let said = greeting.clone();
    let (lab, site, server) = frontend("tcp", move |mut stream| {
        stream.write_all(&said).unwrap();
    });
    let socket = connect(&lab);
    server.join().unwrap();
    let mut heard = vec![0; greeting.len()];
    site.greet(socket).read_exact(&mut heard).unwrap();
    assert!(heard == greeting, "it was changed on its way");
}

#[test]
fn who_speaks_before_listening_is_heard() {
    let (lab, site, server) = frontend("http", |stream| {
        let mut sink = stream.try_clone().unwrap();
        let answers = std::thread::spawn(move || {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {MUCH}\r\n\r\n");
            sink.write_all(head.as_bytes()).unwrap();
            sink.write_all(&vec![b'a'; MUCH]).unwrap();
        });
        // All of it is read: closing with bytes unread would reset the connection.
        let body = read_message(&mut BufReader::new(stream)).unwrap();
        assert_eq!(body.len(), MUCH);
        answers.join().unwrap();
    });
    let mut client = site.greet(connect(&lab));
    let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MUCH}\r\n\r\n");
    client.write_all(head.as_bytes()).unwrap();
    // Nothing is read before all is said.
    client.write_all(&vec![b'q'; MUCH]).unwrap();
    client.flush().unwrap();
    let mut answer = vec![0; MUCH];
    client.read_exact(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    server
        .join()
        .unwrap_or_else(|_| panic!("the server was cut off"));
}
