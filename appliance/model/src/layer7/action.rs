//! Actions of rules (HAProxy manual, section 4.4).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Expression, Figure, Format, PatternFile, Variable};

/// What a rule does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `accept`, `allow`: ends the evaluation of its rule set.
    Accept,
    /// `reject`: closes the connection.
    Reject,
    /// `close`: closes the connection with the server.
    Close,
    /// `dgram-drop`: drops the datagram.
    DropDatagram,
    /// `send-retry`: has a QUIC client prove its address.
    SendRetry,
    /// `silent-drop`: forgets the connection without telling the client.
    SilentDrop {
        /// `rst-ttl`: sends a reset that gets this many hops far.
        rst_ttl: Option<u8>,
    },
    /// `deny`: answers with an error.
    Deny(Reply),
    /// `tarpit`: waits, then answers with an error.
    Tarpit(Reply),
    /// `return`: answers.
    Return(Reply),
    /// `auth`: asks for credentials.
    Auth {
        /// `realm`.
        realm: Option<Format>,
    },
    /// `redirect`: answers with a redirection.
    Redirect(Redirect),
    /// `use-service`: an applet answers.
    UseService(Arc<str>),
    /// `add-header`, `set-header`, `early-hint`.
    Header {
        /// What happens to it.
        way: HeaderWay,
        /// Its name.
        name: Format,
        /// Its value.
        value: Format,
    },
    /// `add-headers-bin`, `set-headers-bin`: headers out of a sample.
    Headers {
        /// Whether they replace those of the same names.
        replace: bool,
        /// Where they come from.
        from: Expression,
        /// `prefix`: put before each name.
        prefix: Option<Format>,
    },
    /// `del-header`.
    DelHeader {
        /// Its name.
        name: Format,
        /// How names are compared with it.
        matching: HeaderMatch,
    },
    /// `del-headers-bin`.
    DelHeaders {
        /// Where the names come from.
        from: Expression,
        /// How names are compared with them.
        matching: HeaderMatch,
    },
    /// `replace-header`, `replace-value`.
    ReplaceHeader {
        /// Its name.
        name: Format,
        /// What is replaced.
        regex: Arc<[u8]>,
        /// With what.
        value: Format,
        /// Whether each value between commas is taken by itself.
        each_value: bool,
    },
    /// `set-method`, `set-path`, `set-pathq`, `set-query`, `set-uri`.
    SetLine {
        /// What of the request line.
        part: RequestPart,
        /// To what.
        value: Format,
    },
    /// `replace-path`, `replace-pathq`, `replace-uri`.
    ReplaceLine {
        /// What of the request line.
        part: RequestPart,
        /// What is replaced.
        regex: Arc<[u8]>,
        /// With what.
        value: Format,
    },
    /// `normalize-uri`.
    NormalizeUri(UriNormalizer),
    /// `set-status`.
    SetStatus {
        /// The status.
        status: u16,
        /// `reason`.
        reason: Option<Arc<str>>,
    },
    /// `set-var`.
    SetVar {
        /// The variable.
        variable: Variable,
        /// All must hold.
        conditions: Vec<VarCondition>,
        /// To what.
        value: Expression,
    },
    /// `set-var-fmt`.
    SetVarFormat {
        /// The variable.
        variable: Variable,
        /// All must hold.
        conditions: Vec<VarCondition>,
        /// To what.
        value: Format,
    },
    /// `unset-var`.
    UnsetVar(Variable),
    /// `add-acl`, `del-acl`.
    ChangeAcl {
        /// Whether it is taken out.
        delete: bool,
        /// The file of patterns.
        file: PatternFile,
        /// The pattern.
        key: Format,
    },
    /// `set-map`, `del-map`.
    ChangeMap {
        /// The map.
        file: PatternFile,
        /// The key.
        key: Format,
        /// The new value; `None` takes it out.
        value: Option<Format>,
    },
    /// `track-sc0` and so on.
    Track {
        /// Number of the counter.
        counter: u8,
        /// The key.
        key: Expression,
        /// `table`: a proxy with a stick table; `None` is this one.
        table: Option<Arc<str>>,
    },
    /// `sc-inc-gpc`, `sc-add-gpc` and those with a number in their name.
    AddCounter {
        /// Number of the tracked counter.
        counter: u8,
        /// Which general counter.
        index: u32,
        /// How much is added.
        by: Figure<i64>,
    },
    /// `sc-set-gpt`, `sc-set-gpt0`.
    SetTag {
        /// Number of the tracked counter.
        counter: u8,
        /// Which general tag.
        index: u32,
        /// To what.
        to: Figure<i64>,
    },
    /// `set-src`, `set-src-port`, `set-dst`, `set-dst-port`.
    SetAddress {
        /// Which.
        which: AddressPart,
        /// To what.
        value: Expression,
    },
    /// `set-mark`, `set-tos`, `set-fc-mark`, `set-fc-tos`, `set-bc-mark`, `set-bc-tos`.
    SetPacket {
        /// Whether of the server connection.
        server_side: bool,
        /// Whether it is the mark; else the type of service.
        mark: bool,
        /// To what.
        value: Figure<u32>,
    },
    /// `set-nice`.
    SetNice(i32),
    /// `set-log-level`; `None` is `silent`.
    SetLogLevel(Option<u8>),
    /// `set-priority-class`, `set-priority-offset`.
    SetPriority {
        /// Whether it is the class.
        class: bool,
        /// To what.
        value: Expression,
    },
    /// `set-retries`.
    SetRetries(Figure<i64>),
    /// `set-timeout`.
    SetTimeout {
        /// Which.
        which: TimeoutKind,
        /// To what; an expression gives milliseconds.
        value: Figure<Duration>,
    },
    /// `set-bandwidth-limit`.
    SetBandwidthLimit {
        /// Name of a filter of this proxy.
        filter: Arc<str>,
        /// `limit`, bytes.
        limit: Option<Figure<u64>>,
        /// `period`, of milliseconds where an expression gives it.
        period: Option<Figure<Duration>>,
    },
    /// `cache-use`, with the name of a cache.
    CacheUse(Arc<str>),
    /// `cache-store`, with the name of a cache.
    CacheStore(Arc<str>),
    /// `capture`.
    Capture {
        /// What is captured.
        sample: Expression,
        /// Place of its slot in the proxy's captures.
        slot: usize,
    },
    /// `do-log`, with the name of a log profile's step.
    DoLog {
        /// `profile`.
        profile: Option<Arc<str>>,
    },
    /// `do-resolve`.
    DoResolve {
        /// Gets the address.
        variable: Variable,
        /// Name of a `resolvers` section.
        resolvers: Arc<str>,
        /// `ipv4` or `ipv6`: the preferred family.
        prefer_ipv4: Option<bool>,
        /// Gives the name.
        name: Expression,
    },
    /// `disable-l7-retry`.
    DisableL7Retry,
    /// `expect-proxy layer4`.
    ExpectProxy,
    /// `expect-netscaler-cip layer4`.
    ExpectNetscalerCip,
    /// `pause`, for this long; an expression gives milliseconds.
    Pause(Figure<Duration>),
    /// `send-spoe-group`.
    SendSpoeGroup {
        /// Name of the engine.
        engine: Arc<str>,
        /// Name of the group.
        group: Arc<str>,
    },
    /// `strict-mode`: whether a failed rewrite is an error.
    StrictMode(bool),
    /// `switch-mode http`.
    SwitchToHttp {
        /// `proto`.
        proto: Option<Arc<str>>,
    },
    /// `wait-for-body`.
    WaitForBody {
        /// `time`.
        time: Duration,
        /// `at-least`, bytes; `None` is the whole body or a full buffer.
        at_least: Option<u64>,
    },
    /// `wait-for-handshake`.
    WaitForHandshake,
    /// `attach-srv`.
    AttachServer {
        /// The backend; `None` is this one.
        backend: Option<Arc<str>>,
        /// The server.
        server: Arc<str>,
        /// `name`: what the connection is known by.
        name: Option<Expression>,
    },
    /// `lua.NAME`, with its arguments.
    Lua {
        /// The action's name.
        name: Arc<str>,
        /// What stands after it.
        arguments: Vec<Arc<[u8]>>,
    },
}

/// What happens to a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderWay {
    /// A line more.
    Add,
    /// It replaces all of its name.
    Set,
    /// Sent ahead in a `103 Early Hints` response (RFC 8297).
    EarlyHint,
}

/// How a header's name or value is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderMatch {
    /// `str`
    #[default]
    Exact,
    /// `beg`
    Begins,
    /// `end`
    Ends,
    /// `sub`
    Contains,
    /// `reg`
    Regex,
}

/// A part of the request line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestPart {
    /// The method.
    Method,
    /// The path without the query string.
    Path,
    /// The path with the query string.
    PathAndQuery,
    /// The query string.
    Query,
    /// The whole URI.
    Uri,
}

/// A way of `normalize-uri`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriNormalizer {
    /// `fragment-encode`
    FragmentEncode,
    /// `fragment-strip`
    FragmentStrip,
    /// `path-merge-slashes`
    MergeSlashes,
    /// `path-strip-dot`
    StripDot,
    /// `path-strip-dotdot [full]`
    StripDotDot {
        /// Whether those at the start go too.
        full: bool,
    },
    /// `percent-decode-unreserved [strict]`
    DecodeUnreserved {
        /// Whether a wrong encoding is an error.
        strict: bool,
    },
    /// `percent-to-uppercase [strict]`
    PercentUppercase {
        /// Whether a wrong encoding is an error.
        strict: bool,
    },
    /// `query-sort-by-name`
    SortQuery,
}

/// Which address or port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPart {
    /// `set-src`
    Source,
    /// `set-src-port`
    SourcePort,
    /// `set-dst`
    Destination,
    /// `set-dst-port`
    DestinationPort,
}

/// Which timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutKind {
    /// `client`
    Client,
    /// `connect`
    Connect,
    /// `queue`
    Queue,
    /// `server`
    Server,
    /// `tarpit`
    Tarpit,
    /// `tunnel`
    Tunnel,
}

/// A condition of setting a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarCondition {
    /// `ifexists`
    IfExists,
    /// `ifnotexists`
    IfNotExists,
    /// `ifempty`
    IfEmpty,
    /// `ifnotempty`
    IfNotEmpty,
    /// `ifset`
    IfSet,
    /// `ifnotset`
    IfNotSet,
    /// `ifgt`
    IfGreater,
    /// `iflt`
    IfLess,
}

/// An answer of our own.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// `status`.
    pub status: Option<u16>,
    /// `content-type`.
    pub content_type: Option<Arc<str>>,
    /// Where its body, or all of it, comes from.
    pub body: ReplyBody,
    /// `hdr`: headers, by name and value.
    pub headers: Vec<(Arc<str>, Format)>,
}

/// Where an answer comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyBody {
    /// The proxy's error page of the status.
    Default,
    /// No body, because `default-errorfiles` or a content was not asked for.
    Empty,
    /// `errorfile`: a whole response in a file.
    ErrorFile(PathBuf),
    /// `errorfiles`: the status' response of an `http-errors` section.
    ErrorFiles(Arc<str>),
    /// `file`: a body in a file.
    File(PathBuf),
    /// `string`: a body.
    Text(Arc<[u8]>),
    /// `lf-file`: a file with a format that gives the body.
    FormatFile(PathBuf),
    /// `lf-string`: a format that gives the body.
    Format(Format),
}

/// `redirect`.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// Where to.
    pub to: RedirectTarget,
    /// `code`; default 302.
    pub code: u16,
    /// `drop-query`.
    pub drop_query: bool,
    /// `append-slash`.
    pub append_slash: bool,
    /// `ignore-empty`: no redirection where the format gives nothing.
    pub ignore_empty: bool,
    /// `keep-query`.
    pub keep_query: bool,
    /// `set-cookie NAME[=VALUE]` and `clear-cookie NAME[=]`, as a Set-Cookie header's value.
    pub cookie: Option<RedirectCookie>,
}

/// Where a redirection goes.
#[derive(Clone, Debug, PartialEq)]
pub enum RedirectTarget {
    /// `location`: to this.
    Location(Format),
    /// `prefix`: to this, followed by the request's path.
    Prefix(Format),
    /// `scheme`: to the same by this scheme.
    Scheme(Format),
}

/// A cookie of a redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectCookie {
    /// `NAME` or `NAME=VALUE`.
    pub cookie: Arc<str>,
    /// Whether it is cleared.
    pub clear: bool,
    /// `set-cookie-fmt`: a format in its place.
    pub format: Option<Format>,
}
