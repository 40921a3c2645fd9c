//! Names of the kinds of messages, and a page about each.
//!
//! The letter says what a message is about: `T` words and lines, `C` conditional blocks, `K` keywords,
//! `V` values, `X` settings that contradict one another, `L` lints (what the language allows and
//! probably nobody meant), `S` the Services tab, `F` the files that a configuration names. An `L` never
//! refuses a configuration, an `X` always does. A code keeps its meaning; a new kind of message gets a
//! new number.
//!
//! The pages are data, in `codes/*.md`; `docs/diagnostics.md` is put together from them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lanai_diagnostics::Code;

macro_rules! codes {
    ($($(#[$about:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$about])* pub const $name: Code = Code($code);)*

        /// Every code.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    /// A line cannot be cut into words.
    BAD_LINE = "T001";
    /// The last line has no line end: the file may have been cut off.
    NO_LINE_END = "T002";
    /// An argument is empty and would hide those after it.
    EMPTY_ARGUMENT = "T003";
    /// The text is longer than we read.
    FILE_TOO_LONG = "T004";
    /// So much is wrong that reading stopped.
    TOO_MANY_ERRORS = "T005";

    /// A condition cannot be read.
    BAD_CONDITION = "C001";
    /// `.if`, `.elif`, `.else` and `.endif` do not fit together.
    UNBALANCED_BLOCK = "C002";
    /// A line starts with an unknown `.directive`.
    UNKNOWN_DIRECTIVE = "C003";
    /// A directive has too many arguments.
    DIRECTIVE_ARGUMENTS = "C004";
    /// What `.alert`, `.warning`, `.notice` and `.diag` say.
    SAID_BY_TEXT = "C005";

    /// No section knows this keyword, or this one does not.
    UNKNOWN_KEYWORD = "K001";
    /// HAProxy takes it and this version cannot run it. A class of its own: a text whose only alerts
    /// are of it has no mistake, see [`Outcome::mistakes`](crate::Outcome::mistakes).
    NOT_SUPPORTED_YET = "K002";
    /// A keyword before the first section.
    OUT_OF_SECTION = "K003";
    /// A keyword of another kind of section.
    MISPLACED_KEYWORD = "K004";
    /// `no` or `default` before a keyword that does not take it.
    BAD_MODIFIER = "K005";
    /// An argument is missing.
    MISSING_ARGUMENT = "K006";
    /// An argument is left over.
    UNEXPECTED_ARGUMENT = "K007";
    /// A keyword that may be given once is given again.
    ALREADY_SPECIFIED = "K008";
    /// A section's name is missing or cannot be one.
    BAD_SECTION_NAME = "K009";
    /// A `defaults` section that cannot be used as asked.
    BAD_DEFAULTS = "K010";
    /// Accepted, and without the effect one might expect.
    WITHOUT_EFFECT = "K011";

    /// A number, time or size that cannot be read or is out of range.
    BAD_NUMBER = "V001";
    /// An address or port that cannot be read.
    BAD_ADDRESS = "V002";
    /// A word that is none of those allowed.
    BAD_WORD = "V003";
    /// A name with a character it cannot have.
    BAD_NAME = "V004";
    /// A sample expression, an ACL, a condition or a log format cannot be read.
    BAD_EXPRESSION = "V005";
    /// An action cannot be read, or may not stand in its rule set.
    BAD_ACTION = "V006";

    /// Two sections or servers have one name.
    DUPLICATE_NAME = "X001";
    /// `default_backend` names nothing that could be one.
    UNKNOWN_BACKEND = "X002";
    /// A frontend and its backend speak differently.
    MODE_MISMATCH = "X003";
    /// A server that is checked and has no port.
    CHECK_WITHOUT_PORT = "X004";
    /// `ssl` on a bind without a certificate.
    SSL_WITHOUT_CERTIFICATE = "X005";
    /// TLS versions that leave none.
    NO_TLS_VERSION = "X006";
    /// `transparent` where it would take what is nobody's business.
    TRANSPARENT_EVERYWHERE = "X007";
    /// A section is named that no text has.
    UNKNOWN_SECTION = "X008";
    /// A step of a health check that cannot follow the one before it.
    STEP_ORDER = "X009";
    /// A section lacks what it cannot be without, or has two things that exclude each other.
    INCOMPLETE_SECTION = "X010";
    /// A rule or an expression names what no text has.
    UNKNOWN_REFERENCE = "X020";

    /// A frontend that listens nowhere.
    NO_BIND = "L001";
    /// Timeouts without which connections stay for ever.
    MISSING_TIMEOUTS = "L002";
    /// One address and port is bound twice.
    DUPLICATE_BIND = "L003";
    /// An HTTP setting in a proxy that does not speak HTTP.
    NEEDS_HTTP = "L004";
    /// A log format, and nowhere to log to.
    NO_LOG_TARGET = "L005";
    /// Servers that can never be used.
    UNUSED_SERVERS = "L006";
    /// `crt` on a bind that does not speak TLS.
    CRT_WITHOUT_SSL = "L007";
    /// A bind names an interface the Services tab does not.
    INTERFACE_NOT_CONFIGURED = "L008";
    /// A bind names an interface whose routes do not lead back to clients.
    NO_ROUTE_TO_CLIENTS = "L009";
    /// An ACL in a place where it can never be true.
    NEVER_MATCHES = "L030";
    /// Part of an ACL or of a rule has no effect, or not the expected one.
    PART_WITHOUT_EFFECT = "L031";
    /// A rule after one that always decides.
    UNREACHABLE_RULE = "L032";
    /// A rule stands after one that is evaluated later.
    RULE_ORDER = "L033";

    /// An ACL that no condition asks.
    ACL_NEVER_USED = "L010";
    /// A rule that refuses what fails all conditions, where any was meant.
    ALL_MUST_FAIL = "L012";
    /// `cookie` of servers whose backend has no cookie.
    COOKIE_WITHOUT_COOKIE = "L013";
    /// Two servers at one destination, from shared source ports.
    SHARED_SOURCE_PORTS = "L014";
    /// A range of source ports without an address.
    WILDCARD_SOURCE_PORTS = "L015";
    /// Client certificates are optional, and nobody asks whether there was one.
    OPTIONAL_CERTIFICATE = "L016";
    /// A certificate that expired, or soon will.
    CERTIFICATE_DATES = "L017";
    /// A bind or source address that the Services tab does not have.
    ADDRESS_NOT_CONFIGURED = "L018";
    /// Ciphers or TLS versions that were given up.
    WEAK_TLS = "L019";
    /// Statistics without a password.
    OPEN_STATISTICS = "L020";
    /// Checks are described, and no server is checked.
    NO_SERVER_CHECKED = "L021";
    /// A backend that nothing leads to.
    UNUSED_BACKEND = "L022";
    /// Two ACLs with one criterion.
    SAME_CRITERION = "L023";
    /// Headers behind the version of `option httpchk`.
    HIDDEN_HEADERS = "L024";
    /// A password that can be read in the text.
    READABLE_PASSWORD = "L025";
    /// A comment allows a message that does not exist.
    UNKNOWN_ALLOWANCE = "L026";

    /// An unknown service or directive.
    UNKNOWN_SERVICE_WORD = "S001";
    /// A directive before the first `service`.
    OUT_OF_SERVICE = "S002";
    /// A value that cannot be read.
    BAD_SERVICE_VALUE = "S003";
    /// One interface has two blocks, or one block says a thing twice.
    DUPLICATE_SERVICE = "S004";
    /// Two routes the kernel would take for one.
    ROUTE_CONFLICT = "S005";
    /// A gateway that the interface cannot reach.
    GATEWAY_UNREACHABLE = "S006";
    /// Accepted, and nothing is done about it.
    IGNORED = "S007";
    /// One address on two interfaces.
    DUPLICATE_ADDRESS = "S008";
    /// An interface is named that has no block of its own.
    INTERFACE_WITHOUT_BLOCK = "S009";
    /// A link of a bond or bridge that cannot be one, or is used for something else too.
    MEMBER_CONFLICT = "S010";
    /// A setting of a link that does not fit what the interface is.
    LINK_MISFIT = "S011";
    /// Two policy rules that would stand in one place.
    RULE_CONFLICT = "S012";
    /// A line of the Services tab that can have no effect.
    SERVICE_WITHOUT_EFFECT = "S013";
    /// A kernel setting that may not be set there.
    SYSCTL_REFUSED = "S014";
    /// A kernel setting that no kernel has any more.
    SYSCTL_GONE = "S015";
    /// ALOHA has it, and the appliance does not.
    SERVICE_NOT_SUPPORTED = "S016";
    /// A virtual router that cannot work as written.
    VRRP_MISFIT = "S017";

    /// The files as a whole cannot be applied.
    BAD_FILE_SET = "F001";
    /// A file that is named is not there.
    FILE_MISSING = "F002";
    /// A file does not hold what it is named for.
    FILE_UNFIT = "F003";
}

/// Whether a message is a lint of our own: HAProxy takes such a text without a word, and a run that is to
/// behave as HAProxy does must not take it for a warning.
pub fn is_own_lint(code: Code) -> bool {
    const OWN: &[Code] = &[
        DUPLICATE_BIND,
        ACL_NEVER_USED,
        ALL_MUST_FAIL,
        COOKIE_WITHOUT_COOKIE,
        SHARED_SOURCE_PORTS,
        WILDCARD_SOURCE_PORTS,
        OPTIONAL_CERTIFICATE,
        WEAK_TLS,
        OPEN_STATISTICS,
        NO_SERVER_CHECKED,
        UNUSED_BACKEND,
        SAME_CRITERION,
        READABLE_PASSWORD,
        UNKNOWN_ALLOWANCE,
    ];
    OWN.contains(&code)
}

/// The pages by letter, each after a line that says what the letter stands for.
const CHAPTERS: [&str; 8] = [
    include_str!("codes/text.md"),
    include_str!("codes/conditions.md"),
    include_str!("codes/keywords.md"),
    include_str!("codes/values.md"),
    include_str!("codes/contradictions.md"),
    include_str!("codes/lints.md"),
    include_str!("codes/services.md"),
    include_str!("codes/files.md"),
];

static PAGES: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    let pages = CHAPTERS.iter().flat_map(|chapter| pages_of(chapter));
    pages.collect()
});

fn pages_of(chapter: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    // Whatever stands before the first heading is about the letter.
    chapter.split("\n## ").skip(1).filter_map(|page| {
        let (code, _) = page.split_once(' ')?;
        Some((code, page.trim_end()))
    })
}

/// The page about a code, in Markdown: code and title on its first line, then what it means, what to
/// do, and often an example. Upper or lower case does not matter.
pub fn explanation(code: &str) -> Option<&'static str> {
    PAGES.get(code.to_ascii_uppercase().as_str()).copied()
}

/// `docs/diagnostics.md`.
pub fn document() -> String {
    let mut text = include_str!("codes/preface.md").to_owned();
    for chapter in CHAPTERS {
        text.push('\n');
        text.push_str(chapter);
    }
    text
}

#[cfg(test)]
mod tests;
