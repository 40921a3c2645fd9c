//! Rules: actions and targets with conditions (HAProxy manual, sections 4.2 to 4.4).

use std::sync::Arc;
use std::time::Duration;

use super::{
    Acl, Action, CaptureCookie, CaptureSlot, CheckStep, Condition, Expression, Format, HashType,
    PersistenceCookie, Reply, StickRule, StickTable,
};
use crate::Origin;

/// All rules of a proxy, those of its `defaults` first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// ACLs that conditions refer to by place.
    pub acls: Vec<Acl>,
    /// `quic-initial`.
    pub quic_initial: Vec<Rule>,
    /// `tcp-request connection`: once a connection is accepted.
    pub tcp_request_connection: Vec<Rule>,
    /// `tcp-request session`: once handshakes are done.
    pub tcp_request_session: Vec<Rule>,
    /// `tcp-request inspect-delay`: how long content rules may wait for bytes.
    pub tcp_request_inspect_delay: Option<Duration>,
    /// `tcp-request content`: as bytes come.
    pub tcp_request_content: Vec<Rule>,
    /// `tcp-response inspect-delay`.
    pub tcp_response_inspect_delay: Option<Duration>,
    /// `tcp-response content`.
    pub tcp_response_content: Vec<Rule>,
    /// `http-request`: on a request head.
    pub http_request: Vec<Rule>,
    /// `redirect`: after `http-request` rules.
    pub redirect: Vec<Rule>,
    /// `http-response`: on a response head of a server.
    pub http_response: Vec<Rule>,
    /// `http-after-response`: on every response head, our own too.
    pub http_after_response: Vec<Rule>,
    /// `use_backend`: the first that holds decides.
    pub use_backend: Vec<UseBackend>,
    /// `use-server`: the first that holds, and whose server is up, decides.
    pub use_server: Vec<UseServer>,
    /// `stick on`, `stick match`, `stick store-request`, `stick store-response`.
    pub stick: Vec<StickRule>,
    /// `stick-table`.
    pub stick_table: Option<StickTable>,
    /// `force-persist` and `ignore-persist`.
    pub persist: Vec<PersistRule>,
    /// `monitor fail`.
    pub monitor_fail: Vec<Condition>,
    /// Slots of `declare capture request` and `capture request header`, and of request rules that
    /// capture.
    pub request_captures: Vec<CaptureSlot>,
    /// The same for responses.
    pub response_captures: Vec<CaptureSlot>,
    /// `capture cookie`.
    pub capture_cookie: Option<CaptureCookie>,
    /// `log-format`; in place of what the proxy's `log_format` says.
    pub log_format: Option<Format>,
    /// `log-format-sd`: the structured part of a line.
    pub log_format_sd: Option<Format>,
    /// `error-log-format`: lines of connections that failed.
    pub error_log_format: Option<Format>,
    /// `unique-id-format`.
    pub unique_id_format: Option<Format>,
    /// `unique-id-header`.
    pub unique_id_header: Option<Arc<str>>,
    /// `hash-type`.
    pub hash_type: Option<HashType>,
    /// `cookie`.
    pub cookie: Option<PersistenceCookie>,
    /// Steps of `http-check`.
    pub http_check: Vec<CheckStep>,
    /// Steps of `tcp-check`.
    pub tcp_check: Vec<CheckStep>,
    /// `http-check disable-on-404`: a server that answers 404 gets no new clients.
    pub disable_on_404: bool,
    /// `http-check send-state`: servers are told their state.
    pub send_state: bool,
    /// `stats http-request`: who may see the statistics page.
    pub stats_http_request: Vec<Rule>,
    /// `stats admin`: who may change servers on the statistics page.
    pub stats_admin: Vec<Condition>,
    /// Files that ACLs and maps are read from, each once, inherited ones first.
    pub pattern_files: Vec<NamedPatterns>,
    /// `http-error`, `errorfile`, `errorloc`: answers in place of our own errors, the last of a
    /// status counts.
    pub http_errors: Vec<HttpError>,
}

/// A file that patterns or a map are read from, which must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPatterns {
    /// Its path as written.
    pub file: Arc<str>,
    /// The first line that names it.
    pub origin: Origin,
}

/// An action and when it is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What is done.
    pub action: Action,
    /// When; always where there is none.
    pub condition: Option<Condition>,
    /// The line.
    pub origin: Origin,
}

/// A name, or what gives one for each request.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A name that exists.
    Name(Arc<str>),
    /// A format; what it gives may be the name of nothing.
    Format(Format),
}

/// `use_backend NAME [{if|unless} CONDITION]`.
#[derive(Clone, Debug, PartialEq)]
pub struct UseBackend {
    /// The backend.
    pub target: Target,
    /// When; always where there is none.
    pub condition: Option<Condition>,
    /// The line.
    pub origin: Origin,
}

/// `use-server NAME {if|unless} CONDITION`.
#[derive(Clone, Debug, PartialEq)]
pub struct UseServer {
    /// A server of the same backend.
    pub target: Target,
    /// When.
    pub condition: Condition,
    /// The line.
    pub origin: Origin,
}

/// `force-persist` and `ignore-persist`.
#[derive(Clone, Debug, PartialEq)]
pub struct PersistRule {
    /// Whether persistence is ignored; else a server that is down is used all the same.
    pub ignore: bool,
    /// When.
    pub condition: Condition,
    /// The line.
    pub origin: Origin,
}

/// An answer in place of an error of our own.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpError {
    /// The status it stands for.
    pub status: u16,
    /// What is answered.
    pub answer: HttpErrorAnswer,
    /// The line.
    pub origin: Origin,
}

/// What is answered in place of an error of our own.
#[derive(Clone, Debug, PartialEq)]
pub enum HttpErrorAnswer {
    /// This.
    Reply(Reply),
    /// A redirection to this address, with this status.
    Redirect {
        /// 302 or 303.
        code: u16,
        /// Where to.
        location: Arc<str>,
    },
}

/// A value that is a constant or given by an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure<T> {
    /// Always this.
    Constant(T),
    /// For each request anew.
    Expression(Expression),
}
