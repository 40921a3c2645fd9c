//! Stick tables, sticking and captures (HAProxy manual, sections 4.2 and 11.1).

use std::sync::Arc;
use std::time::Duration;

use super::{Condition, Expression};
use crate::Origin;

/// `stick-table`.
#[derive(Clone, Debug, PartialEq)]
pub struct StickTable {
    /// Type of keys.
    pub key: StickKey,
    /// `size`: entries it has room for.
    pub size: u32,
    /// `expire`: time after which an unused entry is forgotten; `None` is never.
    pub expire: Option<Duration>,
    /// `nopurge`: a full table takes no new entry, rather than forgetting the oldest.
    pub nopurge: bool,
    /// `peers`: the section whose peers share it.
    pub peers: Option<Arc<str>>,
    /// `srvkey`: whether servers are known by address instead of name.
    pub server_key: ServerKey,
    /// `write-to`: a table that updates are sent to as well.
    pub write_to: Option<Arc<str>>,
    /// `recv-only`: updates are taken and not sent.
    pub receive_only: bool,
    /// `store`: what is kept for each key.
    pub store: Vec<StoredData>,
    /// The line.
    pub origin: Origin,
}

/// Type of a table's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StickKey {
    /// `ip`: IPv4 addresses.
    Ipv4,
    /// `ipv6`: addresses of both families, IPv4's mapped.
    Ipv6,
    /// `integer`: 32 bits.
    Integer,
    /// `string`, of this many bytes at most.
    String {
        /// Longest key.
        len: u32,
    },
    /// `binary`, of this many bytes.
    Binary {
        /// Length.
        len: u32,
    },
}

/// How a server is written into a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerKey {
    /// `name`
    #[default]
    Name,
    /// `addr`
    Address,
}

/// Something kept for each key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredData {
    /// Its name, a row of the language's table: `conn_cnt`, `gpc`, ...
    pub name: &'static str,
    /// How many of them, for arrays.
    pub elements: Option<u32>,
    /// The period of a rate.
    pub period: Option<Duration>,
}

/// `stick on`, `stick match`, `stick store-request`, `stick store-response`.
#[derive(Clone, Debug, PartialEq)]
pub struct StickRule {
    /// What it does.
    pub way: StickWay,
    /// The key.
    pub key: Expression,
    /// `table`: a proxy with a stick table; `None` is this one.
    pub table: Option<Arc<str>>,
    /// When; always where there is none.
    pub condition: Option<Condition>,
    /// The line.
    pub origin: Origin,
}

/// What a [`StickRule`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StickWay {
    /// `on`: match, and store where nothing matches.
    On,
    /// `match`: use the server of the key's entry.
    Match,
    /// `store-request`: keep the server for the request's key.
    StoreRequest,
    /// `store-response`: keep the server for the response's key.
    StoreResponse,
}

/// `capture cookie`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureCookie {
    /// What the cookie's name begins with, an equals sign included where the name is whole.
    pub name: Arc<str>,
    /// Most bytes that are kept.
    pub len: u32,
}

/// A slot that something of a message is captured in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureSlot {
    /// Header that is captured; `None` where a rule fills the slot.
    pub header: Option<Arc<str>>,
    /// Most bytes that are kept.
    pub len: u32,
}
