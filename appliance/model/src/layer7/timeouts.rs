//! `timeout` lines (HAProxy manual, section 4.2).

use std::time::Duration;

/// The timeouts (HAProxy manual, section 4). `None` is no limit, save where said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// `timeout client`: inactivity of the client.
    pub client: Option<Duration>,
    /// `timeout server`: inactivity of the server.
    pub server: Option<Duration>,
    /// `timeout connect`.
    pub connect: Option<Duration>,
    /// `timeout queue`; default: `connect`.
    pub queue: Option<Duration>,
    /// `timeout check`: of a check once connected.
    pub check: Option<Duration>,
    /// `timeout http-request`: for a whole request head; default: `client`.
    pub http_request: Option<Duration>,
    /// `timeout http-keep-alive`: for the next request's first byte; default: `http-request`.
    pub http_keep_alive: Option<Duration>,
    /// `timeout tunnel`: instead of client and server once a tunnel stands.
    pub tunnel: Option<Duration>,
    /// `timeout client-fin`.
    pub client_fin: Option<Duration>,
    /// `timeout server-fin`.
    pub server_fin: Option<Duration>,
    /// `timeout tarpit`; default: `connect`.
    pub tarpit: Option<Duration>,
}
