//! Server connections that serve requests of many workers.

use std::net::{Ipv4Addr, TcpStream};

use crate::support::{Lab, Server, get, request, until};

const WORKERS: usize = 8;

fn config(lab: &Lab, server: &Server) -> String {
    format!(
        "global\n    stats socket {} level admin\n\
         defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    \
         timeout connect 2s\n    http-reuse always\n\
         frontend fe\n    bind 127.0.0.1:{}\n    default_backend be\n\
         backend be\n    server s1 127.0.0.1:{}\n",
        lab.stats(),
        lab.port,
        server.port,
    )
}

/// A column of `show stat`, for the server.
fn count(lab: &Lab, column: &str) -> usize {
    let table = lab.ask("show stat");
    let names = table.lines().next().unwrap().trim_start_matches("# ");
    let position = names.split(',').position(|name| name == column).unwrap();
    let row = table.lines().find(|line| line.starts_with("be,s1,"));
    let value = row.unwrap().split(',').nth(position).unwrap();
    value.parse().unwrap()
}

/// Runs `client` in some threads at once.
fn at_once(clients: usize, client: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(&client);
        }
    });
}

#[test]
fn few_clients_on_many_workers_reuse_nearly_always() {
    let server = Server::start("s1");
    let (lab, _owner) = Lab::with_workers(WORKERS);
    lab.apply(&config(&lab, &server));
    // A connection for each request: whichever worker is awake first takes it.
    at_once(3, || {
        for _ in 0..2000 {
            assert_eq!(get(lab.port), "s1");
        }
    });
    // Connections that stay, each with its worker.
    at_once(3, || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, lab.port)).unwrap();
        for _ in 0..2000 {
            assert_eq!(request(&mut stream), "s1");
        }
    });
    let (connects, reuses) = (count(&lab, "connect"), count(&lab, "reuse"));
    assert_eq!(connects + reuses, 12_000);
    assert_eq!(server.taken(), connects, "what the server saw");
    assert!(connects * 1000 <= 12_000, "{connects} of 12000 connected");
    // Each is on one shelf only.
    until("all are idle", || {
        lab.server("s1").idle_connections as usize == server.open()
    });
}

#[test]
fn what_the_server_closed_is_not_taken_over() {
    let server = Server::start("s1");
    let (lab, _owner) = Lab::with_workers(WORKERS);
    lab.apply(&config(&lab, &server));
    for _ in 0..50 {
        assert_eq!(get(lab.port), "s1");
        server.hang_up();
        // A worker that hears of it late has the connection still on its shelf.
        assert_eq!(get(lab.port), "s1");
    }
    assert!(lab.server("s1").idle_connections as usize <= server.open());
}
