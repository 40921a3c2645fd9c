//! The LB Layer7 tab: the proxies, in HAProxy's words.
//!
//! Field names are HAProxy's keywords; units are in the types. `None` means "not written": the
//! default is chosen by whoever uses the value, and documented on the field.

mod bind;
mod global;
mod log;
mod proxy;
mod server;
mod timeouts;

pub use bind::{Bind, BindSsl, ListenAddress, SslBindOptions, TlsVersion};
pub use global::{AccessLevel, Global, StatsSocket};
pub use log::{LogAddress, LogFormat, LogTarget, LogTransport};
pub use proxy::{Balance, ForwardFor, HttpConnectionMode, HttpReuse, Mode, Proxy, ProxyKind};
pub use server::{Check, Server, ServerAddress};
pub use timeouts::Timeouts;

/// A whole Layer 7 configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The `global` sections, merged.
    pub global: Global,
    /// `frontend`, `backend` and `listen` sections in the order written, with their `defaults`
    /// already applied. Every name a proxy refers to exists here.
    pub proxies: Vec<Proxy>,
}
