//! The grammar of a keyword's arguments, as data: the same text is shown to people and checks lines.
//!
//! ```text
//! word            this word
//! <label>         an argument; its label says its type too: <number>, <time>, <file>
//! <label:type>    an argument with a label of its own: <period:time>
//! <number 1..64>  a number in this range; sizes and times have ranges too
//! hdr(<name>)     one word: what stands before and after the argument belongs to it
//! {a|b <x>|c}     one of several
//! [a <x>]         may be left out
//! [a|b <x>]...    any number of them, in any order
//! ```
//!
//! A choice is made by the next word alone, so that a mistake is reported where it is, and no line
//! takes more time than its length.

mod check;
mod notation;
mod sets;
mod value;

pub(crate) use notation::Grammar;
pub(crate) use value::Type;
