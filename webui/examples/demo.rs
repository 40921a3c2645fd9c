//! The web UI on a box made of data: `cargo run -p lanai-webui --example demo [DIR [ADDRESS]]`.
//!
//! DIR keeps the box's files (a fresh directory otherwise); ADDRESS is 127.0.0.1:0 unless given.

#[path = "../tests/support/mod.rs"]
mod support;

use lanai_control::Author;
use lanai_webui::{WebServer, WebSettings, certificate_fingerprint};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let fresh = tempfile::tempdir().expect("a temporary directory can be made");
    let dir = arguments
        .next()
        .map_or_else(|| fresh.path().to_owned(), Into::into);
    let listen = arguments.next().unwrap_or("127.0.0.1:0".to_owned());
    let control = support::open(&dir).await;
    let author = Author::new("demo", "demo");
    let link = control
        .login_link("admin", &author)
        .await
        .expect("a login link can be made");
    let settings = WebSettings {
        listen: listen.parse().expect("ADDRESS is like 127.0.0.1:4444"),
        state_dir: dir.join("var"),
        box_name: "porch-1".to_owned(),
        names: Vec::new(),
        addresses: Vec::new(),
    };
    let server = WebServer::bind(settings, control)
        .await
        .expect("the web UI starts");
    let fingerprint = certificate_fingerprint(&dir.join("var")).expect("there is a certificate");
    println!("certificate SHA-256 {fingerprint}");
    println!("https://{}/login?token={}", server.address(), link.token);
    server
        .run(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await;
}
