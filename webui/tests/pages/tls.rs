//! Over a real socket: TLS, the certificate, limits and the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lanai_control::{Author, Control, Role};
use lanai_webui::{WebServer, WebSettings, certificate_fingerprint};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support;

struct Running {
    dir: TempDir,
    control: Control,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn start() -> Running {
    let dir = tempfile::tempdir().unwrap();
    let settings = WebSettings {
        listen: "127.0.0.1:0".parse().unwrap(),
        state_dir: dir.path().to_owned(),
        box_name: "porch".to_owned(),
        names: Vec::new(),
        addresses: Vec::new(),
    };
    let control = support::open(dir.path()).await;
    let server = WebServer::bind(settings, control.clone()).await.unwrap();
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Running {
        dir,
        control,
        address,
        stop,
        task,
    }
}

/// Takes any certificate: the test compares its fingerprint.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

async fn connect(address: SocketAddr) -> TlsStream<TcpStream> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
        .unwrap()
}

#[tokio::test]
async fn pages_come_over_tls_with_the_certificate_told() {
    let running = start().await;
    let mut stream = connect(running.address).await;
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    let shown: Vec<String> = Sha256::digest(&chain[0])
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let told = certificate_fingerprint(running.dir.path()).unwrap();
    assert_eq!(shown.join(":"), told);

    let request = "GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("Welcome back"));
    running.stop.send(()).unwrap();
    running.task.await.unwrap();
}

#[tokio::test]
async fn plain_http_is_sent_to_https() {
    let running = start().await;
    for (host, expected) in [
        ("127.0.0.1:4444", "location: https://127.0.0.1:4444/\r\n"),
        ("evil\"example", "HTTP/1.1 400 "),
    ] {
        let mut socket = TcpStream::connect(running.address).await.unwrap();
        let request = format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = socket.read_to_string(&mut answer).await;
        assert!(answer.contains(expected), "{host}: {answer}");
    }
}

/// Sends the banner's Confirm as far as its body, and waits until the box asks for that.
async fn begin_to_confirm(stream: &mut TlsStream<TcpStream>, token: &str, body: &str) {
    let head = format!(
        "POST /trial/confirm HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\n\
         Cookie: __Host-sid={token}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut word = [0; 25];
    stream.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
}

/// Everything until the box closes the connection.
async fn rest(stream: &mut TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(15), stream.read_to_end(&mut answer));
    let _ = read.await.expect("the connection is closed");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn only_a_connection_from_after_the_change_confirms_it() {
    let running = start().await;
    let control = &running.control;
    let author = Author::new("ann", "test");
    let password = crate::browser::PASSWORD;
    control.add_user("ann", Role::Admin, &author).await.unwrap();
    control
        .set_password("ann", password, &author)
        .await
        .unwrap();
    let session = control.login("ann", password, "127.0.0.1").await.unwrap();
    let token = session.token;
    let csrf = control.session(&token).await.unwrap().unwrap().csrf;
    let body = format!("csrf={csrf}&revision=2");

    let mut idle = connect(running.address).await;
    let get = "GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n";
    idle.write_all(get.as_bytes()).await.unwrap();
    idle.read_exact(&mut [0; 15]).await.unwrap();
    let mut old = connect(running.address).await;
    begin_to_confirm(&mut old, &token, &body).await;
    let files = control.live_files().await.unwrap();
    let within = "5m".parse().unwrap();
    control
        .apply_on_trial(files, author, "", None, within)
        .await
        .unwrap();

    // Who is idle is let go, who is not gets an answer first, and is let go then.
    rest(&mut idle).await;
    old.write_all(body.as_bytes()).await.unwrap();
    let answer = rest(&mut old).await;
    assert!(answer.starts_with("HTTP/1.1 409 Conflict\r\n"), "{answer}");
    assert!(answer.contains("Please confirm once more"), "{answer}");
    assert!(answer.contains("action=\"/trial/confirm\""), "{answer}");
    assert!(control.trial().is_some());

    let mut fresh = connect(running.address).await;
    begin_to_confirm(&mut fresh, &token, &body).await;
    fresh.write_all(body.as_bytes()).await.unwrap();
    let mut answer = [0; 22];
    fresh.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 303 See Other");
    assert_eq!(control.trial(), None);
    assert_eq!(control.live_revision().await.unwrap().unwrap().id.0, 2);
}

#[tokio::test]
async fn an_end_waits_for_nobody_who_is_idle() {
    let running = start().await;
    let mut idle = connect(running.address).await;
    let silent = TcpStream::connect(running.address).await.unwrap();
    running.stop.send(()).unwrap();
    timeout(Duration::from_secs(15), running.task)
        .await
        .expect("it ends")
        .unwrap();
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    drop(silent);
}
