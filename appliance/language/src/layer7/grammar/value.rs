//! Types of arguments, and whether a word is a value of one.

use std::ops::RangeInclusive;

use lanai_diagnostics::Diagnostic;
use lanai_model::layer7::FileKind;

use super::sets;
use crate::codes;
use crate::files::Base;
use crate::layer7::args::Args;
use crate::layer7::rules::STATUSES;
use crate::lexer::Word;
use crate::suggest::{did_you_mean, nearest};
use crate::value::{self, NumberError, Wants, is_header_name, is_interface_name, shown};

macro_rules! types {
    ($($(#[$about:meta])* $name:ident = $word:literal, $shown:literal;)*) => {
        /// What an argument is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Type {
            $($(#[$about])* $name,)*
        }

        impl Type {
            /// The type that the notation calls so.
            pub(crate) fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// What it is, for people.
            pub(crate) const fn shown(self) -> &'static str {
                match self {
                    $(Self::$name => $shown,)*
                }
            }
        }
    };
}

types! {
    /// Where a server is: name or address, perhaps with a port.
    Address = "address", "an address or name, perhaps with a port";
    /// Where a peer is.
    Endpoint = "endpoint", "an address or name, and a port";
    /// Where a mail server is.
    Tcp = "tcp", "an address or name, and a port";
    /// Where a name server is, over UDP or TCP.
    NameServer = "nameserver", "an address, and a port";
    /// Where messages are sent, over UDP or TCP.
    Target = "target", "an address or name, perhaps with a port";
    /// `if` or `unless` and all that follows.
    Condition = "condition", "'if' or 'unless', and what is to hold";
    /// Authorities, or revoked certificates.
    Authorities = "authorities", "a file of certificates, in PEM";
    /// A certificate with its key.
    Certificate = "certificate", "a file with a certificate, its chain and its private key, in PEM";
    /// CPUs, of `cpu-map`.
    Cpus = "cpus", "the number of a CPU, or a range, with commas between several";
    Dir = "dir", "a directory";
    /// A status with an error page.
    ErrorStatus = "errorstatus", "a status that there is an error page for";
    /// A sample expression.
    Expression = "expression", "a sample expression";
    File = "file", "a file";
    /// What else TLS has files for; no base counts for them.
    Keys = "keys", "a file";
    /// A whole answer.
    Page = "page", "a file with an answer";
    /// A log format.
    Format = "format", "a log format";
    Header = "header", "a header's name";
    Interface = "interface", "a network device";
    /// Values with commas between them.
    List = "list", "words with commas between them";
    /// Addresses to listen on.
    Listen = "listen", "addresses to listen on";
    /// Addresses to take datagrams on.
    Datagrams = "datagrams", "addresses to take datagrams on";
    Name = "name", "a name";
    Network = "network", "an address, or a network with its prefix length";
    Number = "number", "a whole number";
    /// Permission bits.
    /// Groups of threads, and threads of them.
    Mapped = "mapped", "'all', 'odd', 'even', a number or a range of groups, and '/' with threads of them";
    Octal = "octal", "permission bits, in octal";
    Port = "port", "a port, from 1 to 65535";
    /// A process, and threads of it.
    Process = "process", "the process, which is 1, and '/' with threads of it";
    /// What the PROXY protocol's second version tells.
    ProxyOptions = "proxyoptions", "options with commas between them";
    Regex = "regex", "a regular expression";
    Size = "size", "a number of bytes, perhaps with k, m or g";
    Status = "status", "an HTTP status, from 100 to 599";
    /// Any word.
    Text = "text", "any text";
    /// Threads of a bind.
    Threads = "threads", "'all', 'odd', 'even', a number or a range of threads";
    Time = "time", "a whole number with us, ms, s, m, h or d; ms if left out";
}

impl Type {
    /// Whether it takes more than one word: all that are left.
    pub(crate) fn takes_all(self) -> bool {
        self == Self::Condition
    }

    /// Whether a word can be meant to be one, where something else may stand as well.
    pub(crate) fn may_be(self, text: &str) -> bool {
        match self {
            Self::Condition => matches!(text, "if" | "unless"),
            Self::Number | Self::Port | Self::Size | Self::Time | Self::Octal | Self::Status => {
                text.starts_with(|c: char| c.is_ascii_digit())
            }
            _ => true,
        }
    }

    /// Reports what is wrong with a value.
    pub(crate) fn check(
        self,
        word: &Word,
        text: &str,
        range: Option<&RangeInclusive<i64>>,
        args: &mut Args<'_>,
    ) {
        let (least, most) =
            range.map_or((0, u32::MAX.into()), |range| (*range.start(), *range.end()));
        let bounds = |least: i64, most: i64| {
            let clip = |value: i64| u32::try_from(value.max(0)).unwrap_or(u32::MAX);
            clip(least)..=clip(most)
        };
        match self {
            Self::Number if least < 0 => {
                let number = text.parse::<i64>().ok();
                if !number.is_some_and(|number| (least..=most).contains(&number)) {
                    let message = format!(
                        "'{}' value must be between {least} and {most} (was {})",
                        args.name,
                        shown(text.as_bytes())
                    );
                    args.alert(codes::BAD_NUMBER, word.span, message);
                }
            }
            Self::Number => number(word, text, bounds(least, most), value::integer, args),
            Self::Port => number(word, text, 1..=u16::MAX.into(), value::integer, args),
            Self::Status => number(word, text, 100..=599, value::integer, args),
            Self::ErrorStatus => error_status(word, text, args),
            Self::Process => sets::process(word, text, args),
            Self::Threads => sets::threads(word, text, args),
            Self::Mapped => sets::mapped(word, text, args),
            Self::Cpus => sets::cpus(word, text, args),
            Self::ProxyOptions => proxy_options(word, text, args),
            Self::Size => number(word, text, bounds(least, most), value::size, args),
            Self::Time => time(word, least, most, args),
            Self::Octal => {
                let bits = u32::from_str_radix(text, 8).ok();
                if text.starts_with('+') || bits.is_none_or(|bits| bits > 0o7777) {
                    let message = format!(
                        "'{}' : missing or invalid mode '{}' (octal integer expected)",
                        args.name,
                        shown(text.as_bytes())
                    );
                    args.alert(codes::BAD_NUMBER, word.span, message);
                }
            }
            Self::Network if value::network(text).is_none() => {
                let message = format!(
                    "'{}' : '{}' is neither an address nor a network",
                    args.name,
                    shown(text.as_bytes())
                );
                args.alert(codes::BAD_ADDRESS, word.span, message);
            }
            Self::Header if !is_header_name(text) => bad_name("a header", word, args),
            Self::Interface if !is_interface_name(text) => bad_name("an interface", word, args),
            Self::Address => address(word, Wants::ADDRESS, args),
            Self::Endpoint => address(word, Wants::ENDPOINT, args),
            Self::Tcp => address(word, Wants::TCP, args),
            Self::NameServer => address(word, Wants::NAME_SERVER, args),
            Self::Target => address(word, Wants::TARGET, args),
            Self::Listen => listen(word, Wants::LISTEN, args),
            Self::Datagrams => listen(word, Wants::LISTEN_DATAGRAMS, args),
            Self::Authorities => args.names_file(FileKind::Tls, Base::Authorities, word),
            Self::Certificate => {
                args.names_file(FileKind::Certificate, Base::Certificates, word);
            }
            Self::Keys => args.names_file(FileKind::Tls, Base::None, word),
            Self::Page => args.names_file(FileKind::Page, Base::None, word),
            Self::Network
            | Self::Header
            | Self::Interface
            | Self::Condition
            | Self::Dir
            | Self::Expression
            | Self::File
            | Self::Format
            | Self::List
            | Self::Name
            | Self::Regex
            | Self::Text => {}
        }
    }
}

/// How a number is read from a text.
type ReadNumber = fn(&str, RangeInclusive<u32>) -> Result<u32, NumberError>;

fn number(
    word: &Word,
    text: &str,
    range: RangeInclusive<u32>,
    read: ReadNumber,
    args: &mut Args<'_>,
) {
    if let Err(error) = read(text, range.clone()) {
        args.bad_number(word, text, &error, Some(range));
    }
}

/// Statuses that there is an error page for.
fn error_status(word: &Word, text: &str, args: &mut Args<'_>) {
    let known = text.parse().is_ok_and(|status| STATUSES.contains(&status));
    if !known {
        let message = args.told(format!(
            "{} : status code '{}' not handled.",
            args.name,
            shown(text.as_bytes())
        ));
        let all: Vec<_> = STATUSES.iter().map(u16::to_string).collect();
        let fault = Diagnostic::alert(codes::BAD_NUMBER, word.span, message);
        args.sink
            .push(fault.with_help(format!("there are pages for {}", all.join(", "))));
    }
}

/// What `proxy-v2-options` has words for.
const PROXY_OPTIONS: [&str; 8] = [
    "ssl",
    "cert-cn",
    "ssl-cipher",
    "cert-sig",
    "cert-key",
    "authority",
    "crc32c",
    "unique-id",
];

fn proxy_options(word: &Word, text: &str, args: &mut Args<'_>) {
    let mut start = 0;
    for option in text.split(',') {
        let at = start..start + option.len();
        start = at.end + 1;
        if PROXY_OPTIONS.contains(&option) {
            continue;
        }
        let message = args.told(format!(
            "'{}' : unknown option '{}'",
            args.name,
            shown(option.as_bytes())
        ));
        let span = word.span_of(at);
        let fault = Diagnostic::alert(codes::BAD_WORD, span, message);
        args.sink.push(match nearest(option, PROXY_OPTIONS) {
            Some(near) => fault.with_fix(span, near, did_you_mean(near)),
            None => fault.with_help(format!("there are: {}", PROXY_OPTIONS.join(", "))),
        });
    }
}

fn time(word: &Word, least: i64, most: i64, args: &mut Args<'_>) {
    let Some(time) = args.time(word) else {
        return;
    };
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    if !(least..=most).contains(&millis) {
        let message = format!(
            "'{}' value must be between {least} and {most} ms (was {})",
            args.name,
            shown(&word.value)
        );
        args.alert(codes::BAD_NUMBER, word.span, message);
    }
}

fn address(word: &Word, wants: Wants, args: &mut Args<'_>) {
    if let Err(error) = value::destination(&word.value, wants) {
        args.bad_address(word, error);
    }
}

fn listen(word: &Word, wants: Wants, args: &mut Args<'_>) {
    if let Err(error) = value::any_listen_address(&word.value, wants) {
        args.bad_address(word, error);
    }
}

fn bad_name(of: &str, word: &Word, args: &mut Args<'_>) {
    let message = format!("'{}' cannot be the name of {of}", shown(&word.value));
    args.alert(codes::BAD_NAME, word.span, message);
}
