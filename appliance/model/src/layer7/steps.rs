//! Health checks in steps: `http-check` and `tcp-check` (HAProxy manual, section 4.2).

use std::sync::Arc;

use super::{Expression, Figure, Format, HeaderMatch, Variable};

/// A step of a health check.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckStep {
    /// `comment`: names the step after it.
    Comment(Arc<str>),
    /// `connect`.
    Connect(CheckConnect),
    /// `http-check send`.
    SendRequest(CheckRequest),
    /// `tcp-check send` and `send-binary`.
    Send(Arc<[u8]>),
    /// `tcp-check send-lf`, and with `hexadecimal` `send-binary-lf`.
    SendFormat {
        /// What is sent.
        format: Format,
        /// Whether the format gives bytes in hexadecimal.
        hexadecimal: bool,
    },
    /// `expect`.
    Expect(CheckExpect),
    /// `set-var`.
    SetVar(Variable, Expression),
    /// `set-var-fmt`.
    SetVarFormat(Variable, Format),
    /// `unset-var`.
    UnsetVar(Variable),
}

/// `connect` of a health check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckConnect {
    /// `default`: as the server's line says.
    pub default: bool,
    /// `port`.
    pub port: Option<Figure<u16>>,
    /// `addr`, as written.
    pub addr: Option<Arc<str>>,
    /// `send-proxy`.
    pub send_proxy: bool,
    /// `via-socks4`.
    pub via_socks4: bool,
    /// `ssl`.
    pub ssl: bool,
    /// `sni`.
    pub sni: Option<Arc<str>>,
    /// `alpn`.
    pub alpn: Option<Arc<str>>,
    /// `proto`.
    pub proto: Option<Arc<str>>,
    /// `linger`.
    pub linger: bool,
    /// `comment`.
    pub comment: Option<Arc<str>>,
}

/// `http-check send`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckRequest {
    /// `meth`.
    pub method: Option<Arc<str>>,
    /// `uri`, `uri-lf`.
    pub uri: Option<Format>,
    /// `ver`.
    pub version: Option<Arc<str>>,
    /// `hdr`.
    pub headers: Vec<(Arc<str>, Format)>,
    /// `body`, `body-lf`.
    pub body: Option<Format>,
    /// `comment`.
    pub comment: Option<Arc<str>>,
}

/// `expect` of a health check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckExpect {
    /// `!`: it must not fit.
    pub negated: bool,
    /// What must fit.
    pub pattern: CheckPattern,
    /// `min-recv`: bytes to wait for.
    pub min_recv: Option<i64>,
    /// `ok-status`, `error-status`, `tout-status`: what is reported, as HAProxy names it.
    pub statuses: CheckStatuses,
    /// `on-success`.
    pub on_success: Option<Format>,
    /// `on-error`.
    pub on_error: Option<Format>,
    /// `status-code`.
    pub status_code: Option<Expression>,
    /// `comment`.
    pub comment: Option<Arc<str>>,
}

/// What a check reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckStatuses {
    /// `ok-status`.
    pub ok: Option<Arc<str>>,
    /// `error-status`.
    pub error: Option<Arc<str>>,
    /// `tout-status`.
    pub timeout: Option<Arc<str>>,
}

/// What an answer must be.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckPattern {
    /// `status`: one of these ranges of statuses, ends included.
    Status(Vec<(u16, u16)>),
    /// `rstatus`: a regular expression for the status.
    StatusRegex(Arc<[u8]>),
    /// `string`: contained in the answer.
    Text(Arc<[u8]>),
    /// `rstring`: a regular expression.
    Regex(Arc<[u8]>),
    /// `binary`: bytes contained in the answer.
    Bytes(Arc<[u8]>),
    /// `rbinary`: a regular expression for the bytes in hexadecimal.
    BytesRegex(Arc<[u8]>),
    /// `string-lf`.
    Format(Format),
    /// `binary-lf`: a format that gives bytes in hexadecimal.
    BytesFormat(Format),
    /// `hdr`, `fhdr`: a header.
    Header {
        /// `fhdr`: the line as a whole, rather than its values.
        whole: bool,
        /// How its name is compared.
        name_match: HeaderMatch,
        /// Its name.
        name: Format,
        /// Its value, and how it is compared; `None` is any.
        value: Option<(HeaderMatch, Format)>,
    },
}
