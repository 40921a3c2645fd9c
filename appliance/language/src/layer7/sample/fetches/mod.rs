//! The tables of all fetches.

mod developer;
mod internal;
mod layer4;
mod layer5;
mod layer6;
mod layer7;

use super::types::{Argument, Sources, Type};

/// A row of the fetches' table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fetch {
    pub(crate) name: &'static str,
    /// Its arguments in the manual's notation.
    pub(crate) signature: &'static str,
    /// How many arguments it must have; one that may be left out for the current proxy counts.
    pub(crate) required: usize,
    /// Types of all it can have.
    pub(crate) arguments: &'static [Argument],
    pub(crate) gives: Type,
    pub(crate) sources: Sources,
    pub(crate) since: &'static str,
    pub(crate) deprecated: bool,
    pub(crate) about: &'static str,
}

/// Rows of fetches: name, arguments for people, how many are required, their types, what it gives,
/// what it draws on, the first version that has it, whether it is deprecated, and one sentence.
macro_rules! fetches {
    ($($name:literal $signature:literal $required:literal ($($argument:ident),*)
        -> $gives:ident, $first:ident $(| $source:ident)*, $since:literal $($old:ident)?,
        $about:literal;)*) => {
        &[$($crate::layer7::sample::Fetch {
            name: $name,
            signature: $signature,
            required: $required,
            arguments: &[$($crate::layer7::sample::types::Argument::$argument),*],
            gives: $crate::layer7::sample::types::Type::$gives,
            sources: $crate::layer7::sample::types::Sources::$first
                $(.and($crate::layer7::sample::types::Sources::$source))*,
            since: $since,
            deprecated: false $(|| stringify!($old).len() > 0)?,
            about: $about,
        }),*]
    };
}
use fetches;

/// All of them, section by section of the manual.
pub(super) fn all() -> impl Iterator<Item = &'static Fetch> {
    [
        internal::FETCHES,
        layer4::FETCHES,
        layer5::FETCHES,
        layer6::FETCHES,
        layer7::FETCHES,
        developer::FETCHES,
    ]
    .into_iter()
    .flatten()
}
