//! The LB Layer7 tab: the proxies, in HAProxy's words.
//!
//! Field names are HAProxy's keywords; units are in the types. `None` means "not written": the
//! default is chosen by whoever uses the value, and documented on the field.

mod acl;
mod action;
mod balance;
mod bind;
mod file;
mod format;
mod global;
mod log;
mod proxy;
mod rule;
mod sample;
mod server;
mod source;
mod steps;
mod stick;
mod timeouts;

use crate::services::Services;

pub use acl::{Acl, AclUse, AddressPattern, Condition, IntRange, Matching, Term, Test, TextMatch};
pub use action::{
    Action, AddressPart, HeaderMatch, HeaderWay, Redirect, RedirectCookie, RedirectTarget, Reply,
    ReplyBody, RequestPart, TimeoutKind, UriNormalizer, VarCondition,
};
pub use balance::{Balance, CookieMode, HashFunction, HashType, PersistenceCookie};
pub use bind::{Bind, BindSsl, ListenAddress, SslBindOptions, TlsVersion};
pub use file::{FileKind, NamedFile};
pub use format::{
    Format, FormatCast, FormatEncoding, FormatFlags, FormatItem, FormatSource, FormatValue,
};
pub use global::{AccessLevel, Global, StatsSocket};
pub use log::{LogAddress, LogFormat, LogTarget, LogTransport};
pub use proxy::{ForwardFor, HttpConnectionMode, HttpReuse, Mode, Proxy, ProxyKind};
pub use rule::{
    Figure, HttpError, HttpErrorAnswer, NamedPatterns, PersistRule, Rule, Rules, Target,
    UseBackend, UseServer,
};
pub use sample::{
    Argument, Call, Expression, PatternFile, PatternFileKind, SampleType, Scope, Variable,
};
pub use server::{Check, Server, ServerAddress};
pub use source::{Shown, Source, SourcePorts};
pub use steps::{CheckConnect, CheckExpect, CheckPattern, CheckRequest, CheckStatuses, CheckStep};
pub use stick::{
    CaptureCookie, CaptureSlot, ServerKey, StickKey, StickRule, StickTable, StickWay, StoredData,
};
pub use timeouts::Timeouts;

/// A whole Layer 7 configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The `global` sections, merged.
    pub global: Global,
    /// `frontend`, `backend` and `listen` sections in the order written, with their `defaults`
    /// already applied. Every name a proxy refers to exists here.
    pub proxies: Vec<Proxy>,
    /// Files that words of its lines name, in the order of the text; those of patterns and maps are
    /// with the rules of each proxy.
    pub files: Vec<NamedFile>,
}

impl Config {
    /// Has listeners start without their address where the Services text says that it comes and goes:
    /// by a virtual router, or by `standby`.
    pub fn stand_by(&mut self, services: &Services) {
        for bind in self.proxies.iter_mut().flat_map(|proxy| &mut proxy.binds) {
            if let ListenAddress::Inet(address) = bind.address {
                bind.freebind = services.comes_and_goes(address);
            }
        }
    }
}
