//! Log formats, which also build headers, paths and bodies (HAProxy manual, section 8.2.6).

use std::sync::Arc;

use super::Expression;

/// A log format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Format {
    /// Its items, in order.
    pub items: Vec<FormatItem>,
    /// Flags that hold for the whole: those that every `%o` sets.
    pub flags: FormatFlags,
}

/// An item of a format.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FormatItem {
    /// Text as it is.
    Text(Arc<[u8]>),
    /// One space that stands for all written there.
    Space,
    /// A value.
    Value(FormatValue),
}

/// A value of a format.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FormatValue {
    /// `%(NAME)`: its key in JSON and CBOR.
    pub name: Option<Arc<str>>,
    /// `%(NAME:TYPE)`: the type it is encoded as.
    pub cast: Option<FormatCast>,
    /// Flags of this value; those of `%o` before it are merged in.
    pub flags: FormatFlags,
    /// What it is.
    pub source: FormatSource,
}

/// Where a value of a format comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FormatSource {
    /// An alias without its percent sign, a row of the language's table.
    Alias(&'static str),
    /// `%[EXPRESSION]`.
    Sample(Expression),
}

/// The type a value is encoded as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FormatCast {
    /// `str`
    Str,
    /// `sint`
    Int,
    /// `bool`
    Bool,
    /// `raw`: as it is, even where the whole is encoded.
    Raw,
}

/// Flags of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FormatFlags {
    /// `Q`: in quotes.
    pub quote: bool,
    /// `X`: numbers and addresses in hexadecimal.
    pub hexadecimal: bool,
    /// `E`: quotes, backslashes and closing brackets are escaped.
    pub escape: bool,
    /// `M`: a dash in place of what is missing; only HAProxy's own formats have it.
    pub mandatory: bool,
    /// `bin`: bytes are kept as they are.
    pub binary: bool,
    /// `json` or `cbor`.
    pub encoding: Option<FormatEncoding>,
}

/// How values are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FormatEncoding {
    /// RFC 8259.
    Json,
    /// RFC 8949.
    Cbor,
}
