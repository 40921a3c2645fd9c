//! Sample expressions: a fetch and the converters after it (HAProxy manual, section 7.3).
//!
//! An expression that exists is type-checked: each converter takes what the one before it gives,
//! after a cast that HAProxy allows, and every argument has the type that its function wants.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Type of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SampleType {
    /// Known only when it is evaluated.
    Any,
    /// True or false.
    Bool,
    /// A signed number of 64 bits.
    Int,
    /// An IPv4 or IPv6 address, known only when it is evaluated.
    Addr,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// Text.
    Str,
    /// Bytes.
    Bin,
    /// An HTTP method.
    Method,
}

/// A fetch and its converters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expression {
    /// Where the sample comes from.
    pub fetch: Call,
    /// What is made of it, in this order.
    pub converters: Vec<Call>,
    /// Type of the last converter's sample, or of the fetch's.
    pub gives: SampleType,
}

/// A fetch or converter with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Its name, a row of the language's tables.
    pub name: &'static str,
    /// As many arguments as were written, and those that a missing one stands for.
    pub arguments: Vec<Argument>,
}

/// An argument of a fetch or converter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// Text. Any bytes.
    Text(Arc<[u8]>),
    /// A number.
    Int(i64),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// A frontend of the configuration; `None` is the one it is evaluated in.
    Frontend(Option<Arc<str>>),
    /// A backend of the configuration; `None` is the one it is evaluated in.
    Backend(Option<Arc<str>>),
    /// A stick table of the configuration; `None` is that of the proxy it is evaluated in.
    Table(Option<Arc<str>>),
    /// A server of a backend; backend `None` is the one it is evaluated in.
    Server {
        /// The backend.
        backend: Option<Arc<str>>,
        /// The server.
        server: Arc<str>,
    },
    /// A user list of the configuration.
    Userlist(Arc<str>),
    /// A regular expression, in PCRE's language as HAProxy's packages have it.
    Regex(Arc<[u8]>),
    /// Path of field numbers of a Protocol Buffers message; never empty.
    FieldNumbers(Vec<u32>),
    /// A variable.
    Variable(Variable),
    /// Keys and values of a map.
    Map(PatternFile),
    /// An ACL of the proxy it is evaluated in, turned over where `negated`.
    Acl {
        /// The ACL.
        name: Arc<str>,
        /// `!` before it.
        negated: bool,
    },
}

/// A variable (HAProxy manual, section 2.8).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Variable {
    /// How long it lives.
    pub scope: Scope,
    /// Whether it is that of the parent stream: `psess`, `ptxn`, `preq`, `pres`.
    pub parent: bool,
    /// Its name without the scope: letters, digits, underscores and dots.
    pub name: Arc<str>,
}

/// How long a variable lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// As long as the process.
    Proc,
    /// As long as the client's connection.
    Sess,
    /// As long as a request and its response.
    Txn,
    /// While the request is processed.
    Req,
    /// While the response is processed.
    Res,
    /// As long as a health check.
    Check,
}

/// Where patterns, or a map's keys and values, are read from (HAProxy manual, section 2.7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PatternFile {
    /// As written, without its prefix.
    pub name: Arc<str>,
    /// What its prefix says.
    pub kind: PatternFileKind,
}

/// Prefix of a [`PatternFile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PatternFileKind {
    /// A file that must exist; also `file@`.
    File,
    /// `opt@`: a file that may be missing.
    Optional,
    /// `virt@`: no file, filled over the runtime API alone.
    Virtual,
}
