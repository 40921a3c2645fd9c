//! Types of samples and of arguments, and where a sample can be had.

use std::fmt;

use lanai_model::layer7::SampleType;

/// A sample's type as tables name it: a converter may also give back what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Known only when it is evaluated.
    Any,
    /// What the converter was given.
    Same,
    /// True or false.
    Bool,
    /// A number.
    Int,
    /// An address of either family.
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

impl Type {
    /// The type of a sample, if it does not depend on what came before.
    pub(crate) const fn sample(self) -> Option<SampleType> {
        Some(match self {
            Self::Same => return None,
            Self::Any => SampleType::Any,
            Self::Bool => SampleType::Bool,
            Self::Int => SampleType::Int,
            Self::Addr => SampleType::Addr,
            Self::Ipv4 => SampleType::Ipv4,
            Self::Ipv6 => SampleType::Ipv6,
            Self::Str => SampleType::Str,
            Self::Bin => SampleType::Bin,
            Self::Method => SampleType::Method,
        })
    }

    /// The manual's word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Same => "same",
            Self::Bool => "boolean",
            Self::Int => "integer",
            Self::Addr => "address",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Str => "string",
            Self::Bin => "binary",
            Self::Method => "method",
        }
    }
}

/// How a sample of one type becomes one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cast {
    /// It cannot.
    Never,
    /// It is one already.
    Free,
    /// Its value changes, or whether it can is known only when it is evaluated.
    Changes,
}

/// The casts HAProxy has (its manual, section 7.3: "sample type versus matching").
pub(crate) const fn cast(from: SampleType, to: SampleType) -> Cast {
    use SampleType::{Addr, Any, Bin, Bool, Int, Ipv4, Ipv6, Method, Str};
    match (from, to) {
        (_, Any)
        | (Bool | Int, Bool | Int)
        | (Ipv4, Ipv4 | Addr)
        | (Ipv6, Ipv6 | Addr)
        | (Str, Str | Bin)
        | (Bin, Bin)
        | (Method, Method) => Cast::Free,
        (Any, _)
        | (Bool, Str | Bin)
        | (Int, Addr | Ipv4 | Ipv6 | Str | Bin)
        | (Addr, Addr | Ipv4 | Ipv6 | Str | Bin)
        | (Ipv4, Int | Ipv6 | Str | Bin)
        | (Ipv6, Ipv4 | Str | Bin)
        | (Str, Bool | Int | Addr | Ipv4 | Ipv6 | Method)
        | (Bin, Str | Method)
        | (Method, Str | Bin) => Cast::Changes,
        _ => Cast::Never,
    }
}

/// Type of an argument of a fetch or converter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// Any text.
    Text,
    /// A signed number.
    Int,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An IPv4 mask, or its length.
    Mask4,
    /// An IPv6 mask, or its length.
    Mask6,
    /// Name of a frontend; empty is the current one.
    Frontend,
    /// Name of a backend; empty is the current one.
    Backend,
    /// Name of a stick table; empty is the current proxy's.
    Table,
    /// `[BACKEND/]SERVER`.
    Server,
    /// Name of a user list.
    Userlist,
    /// A regular expression.
    Regex,
    /// Field numbers with dots between them.
    FieldNumber,
}

impl Argument {
    /// HAProxy's word for it, as its messages have it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "integer",
            Self::Ipv4 => "IPv4 address",
            Self::Ipv6 => "IPv6 address",
            Self::Mask4 => "IPv4 mask",
            Self::Mask6 => "IPv6 mask",
            Self::Frontend => "frontend",
            Self::Backend => "backend",
            Self::Table => "table",
            Self::Server => "server",
            Self::Userlist => "user list",
            Self::Regex => "regex",
            Self::FieldNumber => "Protocol buffers field number",
        }
    }
}

/// What a fetch draws on, as a set. It decides where the fetch can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sources(u32);

/// Places where expressions are evaluated, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places(u32);

macro_rules! places {
    ($($(#[$about:meta])* $name:ident = $bit:literal;)*) => {
        #[expect(dead_code, reason = "the list is whole, as HAProxy's manual has it")]
        impl Places {
            $($(#[$about])* pub(crate) const $name: Self = Self(1 << $bit);)*
        }
    };
}

places! {
    /// `tcp-request connection`.
    FE_CONNECTION = 0;
    /// `tcp-request session`.
    FE_SESSION = 1;
    /// `tcp-request content` of a frontend.
    FE_REQUEST_CONTENT = 2;
    /// Rules on request headers in a frontend.
    FE_REQUEST_HEADERS = 3;
    /// Rules on the request body in a frontend.
    FE_REQUEST_BODY = 4;
    /// `use_backend`.
    FE_SET_BACKEND = 5;
    /// `tcp-request content` of a backend.
    BE_REQUEST_CONTENT = 6;
    /// Rules on request headers in a backend.
    BE_REQUEST_HEADERS = 7;
    /// Rules on the request body in a backend.
    BE_REQUEST_BODY = 8;
    /// `use-server`, `balance`, `stick match`.
    BE_SET_SERVER = 9;
    /// `source` of a server, `sni`.
    BE_CONNECT = 10;
    /// `tcp-response content` of a backend.
    BE_RESPONSE_CONTENT = 11;
    /// Rules on response headers in a backend.
    BE_RESPONSE_HEADERS = 12;
    /// Rules on the response body in a backend.
    BE_RESPONSE_BODY = 13;
    /// `stick store-response`.
    BE_STORE = 14;
    /// `tcp-response content` of a frontend.
    FE_RESPONSE_CONTENT = 15;
    /// Rules on response headers in a frontend.
    FE_RESPONSE_HEADERS = 16;
    /// Rules on the response body in a frontend.
    FE_RESPONSE_BODY = 17;
    /// Logs.
    LOG = 18;
    /// `tcp-check` and `http-check`.
    CHECK = 19;
    /// While the configuration is read.
    PARSER = 20;
    /// The runtime API.
    CLI = 21;
}

impl fmt::Display for Places {
    /// The first of them, in HAProxy's words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WORDS: [&str; 22] = [
            "frontend tcp-request connection rule",
            "frontend tcp-request session rule",
            "frontend tcp-request content rule",
            "frontend http-request header rule",
            "frontend http-request body rule",
            "frontend use-backend rule",
            "backend tcp-request content rule",
            "backend http-request header rule",
            "backend http-request body rule",
            "backend use-server, balance or stick-match rule",
            "server source selection",
            "backend tcp-response content rule",
            "backend http-response header rule",
            "backend http-response body rule",
            "backend stick-store rule",
            "frontend tcp-response content rule",
            "frontend http-response header rule",
            "frontend http-response body rule",
            "logs",
            "backend tcp-check rule",
            "configuration parser",
            "CLI parser",
        ];
        let first = usize::try_from(self.0.trailing_zeros()).unwrap_or(usize::MAX);
        f.write_str(WORDS.get(first).copied().unwrap_or_default())
    }
}

impl Places {
    /// Nowhere.
    pub(crate) const NONE: Self = Self(0);
    /// Everywhere.
    #[cfg(test)]
    pub(crate) const ALL: Self = Self((1 << 22) - 1);

    /// Both sets in one.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both have.
    pub(crate) const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The places from one up to another, in the order in which a stream passes them.
    const fn span(first: u32, last: u32) -> u32 {
        ((1 << (last + 1)) - 1) & !((1 << first) - 1)
    }
}

/// From the request's content rules to the server's connection.
const REQUEST: u32 = Places::span(2, 10);
/// From the response's content rules to the frontend's last.
const RESPONSE: u32 = Places::span(11, 17);
const LOG: u32 = Places::LOG.0;
const CHECK: u32 = Places::CHECK.0;

macro_rules! sources {
    ($($(#[$about:meta])* $name:ident = $bit:literal, $places:expr, $words:literal;)*) => {
        #[expect(dead_code, reason = "the list is whole, as HAProxy's manual has it")]
        impl Sources {
            $($(#[$about])* pub(crate) const $name: Self = Self(1 << $bit);)*

            /// Each source with the places it can be used at, and HAProxy's words for it.
            const EACH: &'static [(u32, u32, &'static str)] = &[$((1 << $bit, $places, $words)),*];
        }
    };
}

sources! {
    /// Constants.
    CONST = 0, Places::span(0, 21), "constants";
    /// The process.
    INTRN = 1, Places::span(0, 19) | Places::CLI.0, "internal state";
    /// The listener.
    LISTN = 2, Places::span(0, 18), "listener";
    /// The frontend.
    FTEND = 3, Places::span(0, 18), "frontend";
    /// The client's connection, addresses and ports.
    L4CLI = 4, Places::span(0, 19), "client address";
    /// The client's session: TLS.
    L5CLI = 5, Places::span(1, 18), "client-side connection";
    /// Tracked counters.
    TRACK = 6, Places::span(0, 18), "track counters";
    /// Bytes of the request.
    L6REQ = 7, REQUEST, "request buffer";
    /// Request headers, while they stand.
    HRQHV = 8, REQUEST, "HTTP request headers";
    /// Request facts that are kept.
    HRQHP = 9, REQUEST | RESPONSE | LOG, "HTTP request";
    /// Request body.
    HRQBO = 10, Places::span(4, 10), "HTTP request body";
    /// The backend.
    BKEND = 11, Places::span(6, 19), "backend";
    /// The server.
    SERVR = 12, Places::span(10, 19), "server";
    /// The server's connection.
    L4SRV = 13, Places::span(11, 19), "server address";
    /// The server's session: TLS.
    L5SRV = 14, Places::span(11, 18), "server-side connection";
    /// Bytes of the response.
    L6RES = 15, RESPONSE | CHECK, "response buffer";
    /// Response headers, while they stand.
    HRSHV = 16, RESPONSE | CHECK, "HTTP response headers";
    /// Response facts that are kept.
    HRSHP = 17, RESPONSE | LOG | CHECK, "HTTP response";
    /// Response body.
    HRSBO = 18, Places::span(13, 17) | CHECK, "HTTP response body";
    /// Figures of the request at its end.
    RQFIN = 19, REQUEST | RESPONSE | LOG, "request buffer statistics";
    /// Figures of the response at its end.
    RSFIN = 20, Places::span(9, 18), "response buffer statistics";
    /// Figures of the transaction at its end.
    TXFIN = 21, Places::span(2, 18), "transaction statistics";
    /// Figures of the stream at its end.
    SSFIN = 22, Places::span(0, 18), "session statistics";
}

impl Sources {
    /// Both sets in one.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Where a fetch that draws on these can be used.
    pub(crate) const fn places(self) -> Places {
        let mut places = 0;
        let mut at = 0;
        while at < Self::EACH.len() {
            #[expect(
                clippy::indexing_slicing,
                reason = "the loop ends before the list does"
            )]
            let (source, its, _) = Self::EACH[at];
            if self.0 & source != 0 {
                places |= its;
            }
            at += 1;
        }
        Places(places)
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::EACH
            .iter()
            .filter(|(source, ..)| self.0 & source != 0);
        for (at, (_, _, words)) in named.enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            f.write_str(words)?;
        }
        Ok(())
    }
}
