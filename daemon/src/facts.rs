//! What we say of ourselves: to `-v`, to `-cc`, to the runtime API.
//!
//! What a configuration may ask about ([`lanai_language::Facts`]) has one place, in `language`, so
//! that check, control process and engine cannot differ.

use lanai_engine::Settings;
use lanai_language::Facts;
use lanai_model::layer7::Global;

/// The HAProxy version whose language we speak and our own; tools read the first part.
const VERSION: &str = concat!("3.5-dev5-lanai", env!("CARGO_PKG_VERSION"));

/// Its branch.
pub(crate) const BRANCH: &str = "3.5";

/// When that HAProxy version came out, in its own notation.
pub(crate) const RELEASE_DATE: &str = "2026/08/21";

/// Our version as HAProxy's tools read one: `3.5-dev5-lanai0.1.0`.
pub(crate) fn version() -> &'static str {
    VERSION
}

/// What conditional blocks and `-cc` answer.
pub(crate) fn facts() -> Facts {
    Facts::default()
}

/// What an engine is started with. `maxconn` goes before the configuration's.
pub(crate) fn engine_settings(
    global: &Global,
    threads: Option<usize>,
    maxconn: Option<u32>,
) -> Settings {
    let cpus = || std::thread::available_parallelism().map_or(1, usize::from);
    let nbthread = global
        .nbthread
        .map(|number| usize::from(number.get()))
        .or(threads);
    Settings {
        nbthread: nbthread.unwrap_or_else(cpus),
        maxconn: maxconn.or(global.maxconn),
        bufsize: global.tune_bufsize,
        maxrewrite: global.tune_maxrewrite,
        version: VERSION,
        overrides: None,
        log_tag: "haproxy".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_claim_and_what_we_print_agree() {
        assert!(version().starts_with(&facts().version));
        assert!(version().starts_with(BRANCH));
    }
}
