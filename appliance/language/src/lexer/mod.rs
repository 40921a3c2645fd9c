//! Words of a line (HAProxy manual, sections 2.2 and 2.3).
//!
//! White space separates words unless it is escaped or quoted, `#` starts a comment unless it is,
//! and variables are replaced inside double quotes only. There is one scanner, and two who listen
//! to it: the [tree](crate::tree), which wants to know where words end, and [`words`], which wants
//! their values.

mod cook;
mod scan;
mod word;

pub use cook::{Variables, words};
pub use scan::{LexError, LexErrorKind};
pub use word::{Value, Word};

pub(crate) use scan::{Silent, is_blank, scan_word};

/// Words a line may have, as in HAProxy.
pub const MAX_WORDS: usize = 64;

/// Bytes the words of one line may have once variables are replaced. A bound of our own: a short
/// line may name a long variable many times.
pub const MAX_LINE_VALUE: usize = 1 << 20;

#[cfg(test)]
mod tests;
