//! The languages people write: HAProxy's (the LB Layer7 tab) and the Services tab's.
//!
//! The way of a text: [`tree`] cuts it into lines and words without losing a byte and without ever
//! failing; [`lexer`] gives the words their values (quotes, escapes, variables); [`condition`]
//! decides which lines count; the keyword tables of [`layer7`] and [`services`] turn each line into
//! settings of `lanai-model`; cross-checks compare settings with one another.
//!
//! Invariants: every mistake of a text is reported at once, each with its place. Nothing here reads
//! a file, the environment or the clock: what a text may ask about is an argument ([`Environment`],
//! [`Facts`]). Nothing panics, hangs or grows without bound on any bytes.

pub mod codes;
pub mod condition;
pub mod cross;
pub mod edit;
mod environment;
mod facts;
mod files;
pub mod format;
pub mod import;
pub mod layer7;
pub mod lexer;
mod line;
mod lints;
mod outcome;
pub mod services;
pub mod suggest;
pub mod tree;
mod value;

pub use environment::Environment;
pub use facts::{Facts, Version};
pub use files::files_named;
pub use lanai_model::layer7::{FileKind, NamedFile};
pub use lints::{CertificateDates, certificates};
pub use outcome::Outcome;
