//! Messages to people about what they wrote: a value first, its renderings apart.
//!
//! A [`Diagnostic`] says one thing about one [`Span`] of a text in a [`SourceMap`]. [`render`] turns
//! it into HAProxy's message grammar (for tools made for HAProxy), rich text with the source line
//! and a caret (for people), or JSON (for programs).
//!
//! Invariant: nothing here reads a file, an environment or a clock, and nothing panics on a span
//! that does not fit its text; such a span is shown as far as it fits.

mod diagnostic;
pub mod render;
mod source;

pub use diagnostic::{Code, Diagnostic, Fix, Label, Severity};
pub use source::{FileId, Position, SourceMap, Span};
