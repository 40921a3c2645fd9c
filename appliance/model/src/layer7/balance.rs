//! How a server is chosen (HAProxy manual, section 4.2, `balance`, `hash-type` and `cookie`).

use std::sync::Arc;
use std::time::Duration;

use super::Expression;

/// `balance`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// `roundrobin`: each server in turn, by weight.
    #[default]
    RoundRobin,
    /// `static-rr`: the same, with weights that cannot change.
    StaticRoundRobin,
    /// `leastconn`: the server with the fewest connections.
    LeastConnections,
    /// `first`: the first server with room.
    First,
    /// `source`: by the client's address.
    Source,
    /// `uri`: by the URI.
    Uri {
        /// `len`: only so many of its first bytes.
        len: Option<u32>,
        /// `depth`: only so many of its first directories.
        depth: Option<u32>,
        /// `path-only`: without scheme and host.
        path_only: bool,
        /// `whole`: with the query string.
        whole: bool,
    },
    /// `url_param`: by a parameter of the query string.
    UrlParam {
        /// Its name.
        name: Arc<str>,
        /// `check_post`: looked for in the body too, once this many bytes are there.
        check_post: Option<u32>,
    },
    /// `hdr`: by a header.
    Header {
        /// Its name.
        name: Arc<str>,
        /// `use_domain_only`: by the domain in it.
        domain_only: bool,
    },
    /// `random`: the least loaded of some that are drawn.
    Random {
        /// How many are drawn.
        draws: u32,
    },
    /// `rdp-cookie`: by an RDP cookie.
    RdpCookie {
        /// Its name.
        name: Arc<str>,
    },
    /// `hash`: by an expression.
    Hash(Expression),
    /// `log-hash`, of log backends: by what these converters make of the line.
    LogHash(Arc<str>),
    /// `sticky`, of log backends: the same server until it fails.
    Sticky,
}

/// `hash-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashType {
    /// Whether few keys move when servers come or go; else a table of servers is indexed.
    pub consistent: bool,
    /// The function.
    pub function: HashFunction,
    /// `avalanche`: each bit of the hash is mixed into all others.
    pub avalanche: bool,
}

/// A hash function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashFunction {
    /// `sdbm`
    #[default]
    Sdbm,
    /// `djb2`
    Djb2,
    /// `wt6`
    Wt6,
    /// `crc32`
    Crc32,
    /// `none`: the key is the hash.
    None,
}

/// `cookie`: a cookie that keeps a client with its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersistenceCookie {
    /// Its name.
    pub name: Arc<str>,
    /// Who sets it.
    pub mode: CookieMode,
    /// `indirect`: servers do not see it.
    pub indirect: bool,
    /// `nocache`: a response that sets it is not to be cached.
    pub nocache: bool,
    /// `postonly`: set only in answers to POST.
    pub postonly: bool,
    /// `preserve`: a server's own is kept.
    pub preserve: bool,
    /// `httponly`.
    pub httponly: bool,
    /// `secure`.
    pub secure: bool,
    /// `dynamic`: its value is made of the server's address.
    pub dynamic: bool,
    /// `domain`.
    pub domains: Vec<Arc<str>>,
    /// `attr`.
    pub attributes: Vec<Arc<str>>,
    /// `maxidle`.
    pub maxidle: Option<Duration>,
    /// `maxlife`.
    pub maxlife: Option<Duration>,
}

/// Who sets a persistence cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookieMode {
    /// The server alone.
    #[default]
    Passive,
    /// `rewrite`: its value is replaced.
    Rewrite,
    /// `insert`: we do.
    Insert,
    /// `prefix`: the server's name is put before the server's own value.
    Prefix,
}
