//! The table of actions (HAProxy manual, sections 4.3 and 4.4).

use std::collections::HashMap;
use std::sync::LazyLock;

use lanai_model::layer7::Action;

use super::reading::Reading;
use super::{answer, flow, header, network, request, table_counter, variable};

/// Sets of rules, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sets(u8);

impl Sets {
    pub(crate) const QUIC: Self = Self(1);
    pub(crate) const CONNECTION: Self = Self(2);
    pub(crate) const SESSION: Self = Self(4);
    pub(crate) const CONTENT: Self = Self(8);
    pub(crate) const RESPONSE: Self = Self(16);
    pub(crate) const HTTP_REQUEST: Self = Self(32);
    pub(crate) const HTTP_RESPONSE: Self = Self(64);
    pub(crate) const AFTER: Self = Self(128);

    /// Each with the words its lines start with.
    pub(crate) const EACH: [(Self, &'static str); 8] = [
        (Self::QUIC, "quic-initial"),
        (Self::CONNECTION, "tcp-request connection"),
        (Self::SESSION, "tcp-request session"),
        (Self::CONTENT, "tcp-request content"),
        (Self::RESPONSE, "tcp-response content"),
        (Self::HTTP_REQUEST, "http-request"),
        (Self::HTTP_RESPONSE, "http-response"),
        (Self::AFTER, "http-after-response"),
    ];

    /// Whether all of the others are in this set.
    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it is a set of HTTP rules.
    pub(super) fn is_http(self) -> bool {
        matches!(self, Self::HTTP_REQUEST | Self::HTTP_RESPONSE | Self::AFTER)
    }

    /// The words its lines start with.
    pub(super) fn line(self) -> &'static str {
        self.names().next().unwrap_or_default()
    }

    /// Words that lines of these sets start with.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        Self::EACH
            .into_iter()
            .filter(move |(set, _)| self.contains(*set))
            .map(|(_, name)| name)
    }

    /// From the letters of the manual's matrix: `I` quic-initial, `C` connection, `S` session,
    /// `T` content of requests, `R` content of responses, `q` http-request, `r` http-response,
    /// `a` http-after-response.
    const fn of(letters: &str) -> Self {
        let bytes = letters.as_bytes();
        let mut bits = 0;
        let mut at = 0;
        while at < bytes.len() {
            #[expect(
                clippy::indexing_slicing,
                reason = "the loop ends before the letters do"
            )]
            let letter = bytes[at];
            bits |= match letter {
                b'I' => 1,
                b'C' => 2,
                b'S' => 4,
                b'T' => 8,
                b'R' => 16,
                b'q' => 32,
                b'r' => 64,
                b'a' => 128,
                _ => 0,
            };
            at += 1;
        }
        Self(bits)
    }
}

/// Reads an action; what is wrong is reported.
pub(super) type Read = fn(&mut Reading<'_, '_>) -> Option<Action>;

/// A row of the actions' table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActionRow {
    pub(crate) name: &'static str,
    /// Its arguments in the manual's notation, those in parentheses first.
    pub(crate) arguments: &'static str,
    pub(crate) sets: Sets,
    pub(crate) since: &'static str,
    pub(crate) about: &'static str,
    pub(super) read: Read,
}

macro_rules! actions {
    ($($name:literal $arguments:literal $sets:literal $since:literal $about:literal $read:expr;)*) => {
        &[$(ActionRow {
            name: $name,
            arguments: $arguments,
            sets: Sets::of($sets),
            since: $since,
            about: $about,
            read: $read,
        }),*]
    };
}

/// All of them. The letters are those of [`Sets::of`].
#[rustfmt::skip]
pub(crate) const ACTIONS: &[ActionRow] = actions! {
    "accept" "" "ICSTR" "1.3" "Ends the rules of this set: what comes is taken." |_| Some(Action::Accept);
    "add-acl" "(<file>) <key fmt>" "qr" "1.5" "Adds a pattern to a file's list." |reading| header::change_acl(reading, false);
    "add-header" "<name> <fmt>" "qra" "1.4" "Adds a header line." header::add;
    "add-headers-bin" "<expr> [ prefix <fmt> ]" "qra" "3.4" "Adds the headers that a sample holds." |reading| header::headers(reading, false);
    "allow" "" "qra" "1.4" "Ends the rules of this set: the message is taken." |_| Some(Action::Accept);
    "attach-srv" "<srv> [ name <expr> ]" "S" "2.9" "Makes the connection one to a server, for requests the other way." flow::attach_server;
    "auth" "[ realm <realm> ]" "q" "1.4" "Asks the client for credentials." answer::auth;
    "cache-store" "<name>" "r" "1.8" "Puts the response into a cache." flow::cache_store;
    "cache-use" "<name> [ no-early-hints ]" "q" "1.8" "Answers from a cache if it can; 'no-early-hints' (3.5) tells clients nothing early." flow::cache_use;
    "capture" "<sample> [ len <length> | id <id> ]" "Tqra" "1.6" "Keeps a sample for logs." flow::capture;
    "close" "" "R" "1.5" "Closes the connection with the server." |_| Some(Action::Close);
    "del-acl" "(<file>) <key fmt>" "qr" "1.5" "Takes a pattern out of a file's list." |reading| header::change_acl(reading, true);
    "del-header" "<name> [ -m <meth> ]" "qra" "1.5" "Takes out all header lines of a name." header::delete;
    "del-headers-bin" "<expr> [ -m <meth> ]" "qra" "3.4" "Takes out the headers whose names a sample holds." header::delete_many;
    "del-map" "(<map>) <key fmt>" "qra" "1.5" "Takes a key out of a map." header::delete_map;
    "deny" "[ { status | deny_status } <code> ] [ content-type <type> ] [ <reply> ]" "qr" "1.4" "Answers with an error." answer::deny;
    "dgram-drop" "" "I" "3.1" "Drops the datagram." |_| Some(Action::DropDatagram);
    "disable-l7-retry" "" "q" "2.0" "Does not send the request again if the server fails." |_| Some(Action::DisableL7Retry);
    "do-log" "[ profile <log_profile> ]" "ICSTRqra" "3.1" "Writes a log line now." flow::do_log;
    "do-resolve" "(<var>,<resolvers>[,ipv4|ipv6]) <expr>" "Tq" "2.0" "Resolves a host's name into a variable." flow::do_resolve;
    "early-hint" "<name> <fmt>" "q" "1.9" "Sends a header ahead of the response." header::early_hint;
    "expect-netscaler-cip" "layer4" "C" "1.7" "Expects a NetScaler header with the client's address." |reading| flow::layer4(reading, Action::ExpectNetscalerCip);
    "expect-proxy" "layer4" "C" "1.5" "Expects a PROXY protocol header." |reading| flow::layer4(reading, Action::ExpectProxy);
    "normalize-uri" "<normalizer>" "q" "2.4" "Brings the URI into a normal form." request::normalize;
    "pause" "{ <timeout> | <expr> }" "qr" "3.2" "Waits before the next rule." flow::pause;
    "redirect" "<rule>" "qr" "1.5" "Answers with a redirection." super::redirect::action;
    "reject" "" "ICSTRq" "1.3" "Closes the connection without an answer." |_| Some(Action::Reject);
    "replace-header" "<name> <match-regex> <replace-fmt>" "qra" "1.5" "Replaces within the lines of a header." |reading| header::replace(reading, false);
    "replace-path" "<match-regex> <replace-fmt>" "q" "2.2" "Replaces within the path." request::replace_path;
    "replace-pathq" "<match-regex> <replace-fmt>" "q" "2.3" "Replaces within the path and query string." request::replace_pathq;
    "replace-uri" "<match-regex> <replace-fmt>" "q" "2.1" "Replaces within the URI." request::replace_uri;
    "replace-value" "<name> <match-regex> <replace-fmt>" "qra" "1.5" "Replaces within each value of a header." |reading| header::replace(reading, true);
    "return" "[ status <code> ] [ content-type <type> ] [ <reply> ]" "qr" "2.2" "Answers with what it is given." answer::answer;
    "sc-add-gpc" "(<idx>,<sc-id>) { <int> | <expr> }" "CSTRqra" "2.8" "Adds to a general counter of a tracked entry." |reading| table_counter::add(reading);
    "sc-inc-gpc" "(<idx>,<sc-id>)" "CSTRqra" "2.5" "Adds one to a general counter of a tracked entry." |reading| table_counter::increment(reading, None);
    "sc-inc-gpc0" "(<sc-id>)" "CSTRqra" "1.6" "Adds one to the first general counter of a tracked entry." |reading| table_counter::increment(reading, Some(0));
    "sc-inc-gpc1" "(<sc-id>)" "CSTRqra" "1.9" "Adds one to the second general counter of a tracked entry." |reading| table_counter::increment(reading, Some(1));
    "sc-set-gpt" "(<idx>,<sc-id>) { <int> | <expr> }" "CSTRqra" "2.5" "Sets a general tag of a tracked entry." |reading| table_counter::tag(reading, false);
    "sc-set-gpt0" "(<sc-id>) { <int> | <expr> }" "CSTRqra" "1.6" "Sets the first general tag of a tracked entry." |reading| table_counter::tag(reading, true);
    "send-retry" "" "I" "3.1" "Has the client prove its address." |_| Some(Action::SendRetry);
    "send-spoe-group" "<engine-name> <group-name>" "TRqr" "1.8" "Sends a group of messages to an offload engine." flow::spoe_group;
    "set-bandwidth-limit" "<name> [limit {<expr> | <size>}] [period {<expr> | <time>}]" "TRqr" "2.7" "Switches a bandwidth limit on." flow::bandwidth_limit;
    "set-bc-mark" "{ <mark> | <expr> }" "Tq" "3.0" "Marks packets to the server for the kernel." |reading| network::packet(reading, true, true);
    "set-bc-tos" "{ <tos> | <expr> }" "Tq" "3.0" "Sets the type of service of packets to the server." |reading| network::packet(reading, true, false);
    "set-dst" "<expr>" "CSTq" "1.6" "Sets the destination address." network::destination;
    "set-dst-port" "<expr>" "CSTq" "1.6" "Sets the destination port." network::destination_port;
    "set-fc-mark" "{ <mark> | <expr> }" "CSTRqr" "3.0" "Marks packets to the client for the kernel." |reading| network::packet(reading, false, true);
    "set-fc-tos" "{ <tos> | <expr> }" "CSTRqr" "3.0" "Sets the type of service of packets to the client." |reading| network::packet(reading, false, false);
    "set-header" "<name> <fmt>" "qra" "1.4" "Puts one header line in place of all of its name." header::set;
    "set-headers-bin" "<expr> [ prefix <fmt> ]" "qra" "3.4" "Puts the headers that a sample holds in place of those of their names." |reading| header::headers(reading, true);
    "set-log-level" "<level>" "TRqra" "1.5" "Sets the level of the log line." flow::log_level;
    "set-map" "(<map>) <key fmt> <value fmt>" "qra" "1.5" "Sets a key of a map." header::set_map;
    "set-mark" "<mark>" "CSTRqr" "1.5" "Marks packets to the client for the kernel; set-fc-mark is its new name." |reading| network::packet(reading, false, true);
    "set-method" "<fmt>" "q" "1.6" "Sets the method." request::method;
    "set-nice" "<nice>" "TRqr" "1.5" "Sets how soon the stream's turn comes." flow::nice;
    "set-path" "<fmt>" "q" "1.6" "Sets the path." request::path;
    "set-pathq" "<fmt>" "q" "2.3" "Sets the path and query string." request::pathq;
    "set-priority-class" "<expr>" "Tq" "1.9" "Sets the class in queues." |reading| flow::priority(reading, true);
    "set-priority-offset" "<expr>" "Tq" "1.9" "Sets the place within its class in queues." |reading| flow::priority(reading, false);
    "set-query" "<fmt>" "q" "1.6" "Sets the query string." request::query;
    "set-retries" "{ <int> | <expr> }" "Tq" "3.2" "Sets the number of retries." flow::retries;
    "set-src" "<expr>" "CSTq" "1.6" "Sets the source address." network::source;
    "set-src-port" "<expr>" "CSTq" "1.6" "Sets the source port." network::source_port;
    "set-status" "<status> [reason <str>]" "ra" "1.6" "Sets the status." request::status;
    "set-timeout" "{ client | server | tunnel } { <timeout> | <expr> }" "qr" "2.4" "Sets a timeout of this stream." flow::timeout;
    "set-tos" "<tos>" "CSTRqr" "1.5" "Sets the type of service of packets to the client; set-fc-tos is its new name." |reading| network::packet(reading, false, false);
    "set-uri" "<fmt>" "q" "1.6" "Sets the URI." request::uri;
    "set-var" "(<var-name>[,<cond>...]) <expr>" "CSTRqra" "1.6" "Sets a variable." variable::set;
    "set-var-fmt" "(<var-name>[,<cond>...]) <fmt>" "CSTRqra" "2.5" "Sets a variable to what a format gives." variable::set_format;
    "silent-drop" "[ rst-ttl <ttl> ]" "CSTRqr" "1.6" "Forgets the connection without telling the client." network::silent_drop;
    "strict-mode" "{ on | off }" "qra" "2.2" "Whether a rewrite that fails is an error." request::strict_mode;
    "switch-mode" "http [ proto <name> ]" "T" "2.4" "Takes the connection's bytes for HTTP from now on." flow::switch_mode;
    "tarpit" "[ { status | deny_status } <code> ] [ content-type <type> ] [ <reply> ]" "q" "1.3" "Waits, then answers with an error." answer::tarpit;
    "track-sc" "<key> [table <table>]" "CSTqr" "1.4" "Tracks a key in a stick table; the counter's number follows the name." table_counter::track;
    "unset-var" "(<var-name>)" "CSTRqra" "1.7" "Forgets a variable." variable::unset;
    "use-service" "<service-name>" "Tq" "1.6" "Has a service answer." flow::service;
    "wait-for-body" "time <time> [ at-least <bytes> ]" "qr" "2.4" "Waits for the body." flow::wait_for_body;
    "wait-for-handshake" "" "q" "1.9" "Waits until the TLS handshake is done." |_| Some(Action::WaitForHandshake);
};

/// The action of a word up to its parenthesis. Those that track have their counter's number at the
/// end of their names.
pub(crate) fn action(name: &str) -> Option<&'static ActionRow> {
    static BY_NAME: LazyLock<HashMap<&str, &ActionRow>> =
        LazyLock::new(|| ACTIONS.iter().map(|row| (row.name, row)).collect());
    let name = match name.strip_prefix("track-sc") {
        Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => "track-sc",
        _ => name,
    };
    BY_NAME.get(name).copied()
}
