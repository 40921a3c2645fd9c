//! Names of the kinds of messages, by stage: `L` words and lines, `C` conditional blocks,
//! `K` keywords, `V` values, `X` settings against one another, `S` the Services tab, `N` the two
//! texts against one another.

use lanai_diagnostics::Code;

/// A line cannot be cut into words.
pub const BAD_LINE: Code = Code("L001");
/// The last line has no line end: the file may have been cut off.
pub const NO_LINE_END: Code = Code("L002");
/// An argument is empty and would hide those after it.
pub const EMPTY_ARGUMENT: Code = Code("L003");
/// The text is longer than we read.
pub const FILE_TOO_LONG: Code = Code("L004");
/// So much is wrong that reading stopped.
pub const TOO_MANY_ERRORS: Code = Code("L005");

/// A condition cannot be read.
pub const BAD_CONDITION: Code = Code("C001");
/// `.if`, `.elif`, `.else` and `.endif` do not fit together.
pub const UNBALANCED_BLOCK: Code = Code("C002");
/// A line starts with an unknown `.directive`.
pub const UNKNOWN_DIRECTIVE: Code = Code("C003");
/// A directive has too many arguments.
pub const DIRECTIVE_ARGUMENTS: Code = Code("C004");
/// What `.alert`, `.warning`, `.notice` and `.diag` say.
pub const SAID_BY_TEXT: Code = Code("C005");

/// No section knows this keyword, or this one does not.
pub const UNKNOWN_KEYWORD: Code = Code("K001");
/// HAProxy knows it, and we do not yet.
pub const NOT_SUPPORTED_YET: Code = Code("K002");
/// A keyword before the first section.
pub const OUT_OF_SECTION: Code = Code("K003");
/// A keyword of another kind of section.
pub const MISPLACED_KEYWORD: Code = Code("K004");
/// `no` or `default` before a keyword that does not take it.
pub const BAD_MODIFIER: Code = Code("K005");
/// An argument is missing.
pub const MISSING_ARGUMENT: Code = Code("K006");
/// An argument is left over.
pub const UNEXPECTED_ARGUMENT: Code = Code("K007");
/// A keyword that may be given once is given again.
pub const ALREADY_SPECIFIED: Code = Code("K008");
/// A section's name is missing or cannot be one.
pub const BAD_SECTION_NAME: Code = Code("K009");
/// A `defaults` section that cannot be used as asked.
pub const BAD_DEFAULTS: Code = Code("K010");
/// Accepted, and without the effect one might expect.
pub const WITHOUT_EFFECT: Code = Code("K011");

/// A number, time or size that cannot be read or is out of range.
pub const BAD_NUMBER: Code = Code("V001");
/// An address or port that cannot be read.
pub const BAD_ADDRESS: Code = Code("V002");
/// A word that is none of those allowed.
pub const BAD_WORD: Code = Code("V003");
/// A name with a character it cannot have.
pub const BAD_NAME: Code = Code("V004");

/// Two sections or servers have one name.
pub const DUPLICATE_NAME: Code = Code("X001");
/// `default_backend` names nothing that could be one.
pub const UNKNOWN_BACKEND: Code = Code("X002");
/// A frontend and its backend speak differently.
pub const MODE_MISMATCH: Code = Code("X003");
/// A frontend that listens nowhere.
pub const NO_BIND: Code = Code("X004");
/// Timeouts without which connections stay for ever.
pub const MISSING_TIMEOUTS: Code = Code("X005");
/// One address and port is bound twice.
pub const DUPLICATE_BIND: Code = Code("X006");
/// An HTTP setting in a proxy that does not speak HTTP.
pub const NEEDS_HTTP: Code = Code("X007");
/// A server that is checked and has no port.
pub const CHECK_WITHOUT_PORT: Code = Code("X008");
/// `ssl` without a certificate, or a certificate without `ssl`.
pub const SSL_WITHOUT_CERTIFICATE: Code = Code("X009");
/// A log format, and nowhere to log to.
pub const NO_LOG_TARGET: Code = Code("X010");
/// Servers that can never be used.
pub const UNUSED_SERVERS: Code = Code("X011");
/// TLS versions that leave none.
pub const NO_TLS_VERSION: Code = Code("X012");

/// An unknown service or directive.
pub const UNKNOWN_SERVICE_WORD: Code = Code("S001");
/// A directive before the first `service`.
pub const OUT_OF_SERVICE: Code = Code("S002");
/// A value that cannot be read.
pub const BAD_SERVICE_VALUE: Code = Code("S003");
/// One interface has two blocks, or one block says a thing twice.
pub const DUPLICATE_SERVICE: Code = Code("S004");
/// Two routes the kernel would take for one.
pub const ROUTE_CONFLICT: Code = Code("S005");
/// A gateway that the interface cannot reach.
pub const GATEWAY_UNREACHABLE: Code = Code("S006");
/// Accepted, applied by a later version.
pub const NOT_APPLIED_YET: Code = Code("S007");
/// One address on two interfaces.
pub const DUPLICATE_ADDRESS: Code = Code("S008");

/// A bind names an interface the Services tab does not.
pub const INTERFACE_NOT_CONFIGURED: Code = Code("N001");
/// A bind names an interface whose routes do not lead back to clients.
pub const NO_ROUTE_TO_CLIENTS: Code = Code("N002");
