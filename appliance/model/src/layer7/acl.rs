//! ACLs and conditions (HAProxy manual, sections 7.1 and 7.2).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::{Expression, PatternFile};
use crate::Origin;

/// A named ACL: true if one of its tests is.
#[derive(Clone, Debug, PartialEq)]
pub struct Acl {
    /// Name, unique in its proxy.
    pub name: Arc<str>,
    /// One for each line of this name; never empty.
    pub tests: Vec<Arc<Test>>,
}

/// A sample and the patterns it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What is compared.
    pub expression: Expression,
    /// How, and with what. One pattern that fits is enough.
    pub matching: Matching,
    /// `-i`: letters of either case are the same.
    pub ignore_case: bool,
    /// `-f`: files with more patterns.
    pub files: Vec<PatternFile>,
    /// `-M`: the files are maps; their values are ignored.
    pub files_are_maps: bool,
    /// `-u`: number for the runtime API.
    pub id: Option<u32>,
    /// The line.
    pub origin: Origin,
}

/// How a sample is compared, and the patterns written in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// `found`: true if there is a sample.
    Found,
    /// `bool`: true if it is not zero.
    Bool,
    /// `int`.
    Int(Vec<IntRange>),
    /// Versions such as `3.1`: the number before the dot times 65,536, plus that after it.
    Version(Vec<IntRange>),
    /// `ip`.
    Address(Vec<AddressPattern>),
    /// `bin`.
    Bytes(Vec<Arc<[u8]>>),
    /// `len`: its length.
    Length(Vec<IntRange>),
    /// `str`, `beg`, `sub`, `dir`, `dom`, `end`.
    Text(TextMatch, Vec<Arc<[u8]>>),
    /// `reg`.
    Regex(Vec<Arc<[u8]>>),
    /// Methods, by name.
    Method(Vec<Arc<[u8]>>),
    /// Groups of a user list.
    Group(Vec<Arc<[u8]>>),
}

/// How a text is compared with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextMatch {
    /// `str`: it is the pattern.
    Exact,
    /// `beg`: it begins with it.
    Begins,
    /// `sub`: it contains it.
    Contains,
    /// `dir`: it contains it between slashes.
    Directory,
    /// `dom`: it contains it between dots, or between what else ends a host name.
    Domain,
    /// `end`: it ends with it.
    Ends,
}

/// Numbers from one to another; `None` is no bound. The lower is not above the upper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IntRange {
    /// The least.
    pub least: Option<i64>,
    /// The most.
    pub most: Option<i64>,
}

/// Addresses that fit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AddressPattern {
    /// Those that are this address where the mask has ones.
    V4 {
        /// The address.
        address: Ipv4Addr,
        /// The mask; its ones need not be together.
        mask: Ipv4Addr,
    },
    /// Those of this network.
    V6 {
        /// The address.
        address: Ipv6Addr,
        /// Bits that count, 0 to 128.
        bits: u8,
    },
    /// The address of a host, resolved when a change is prepared.
    Name {
        /// The host.
        name: Arc<str>,
        /// The mask.
        mask: Ipv4Addr,
    },
}

/// `if` or `unless` with ACLs.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Whether it is `unless`: the outcome is turned over.
    pub unless: bool,
    /// True if all terms of one of these are. Without any, it is false.
    pub any: Vec<Vec<Term>>,
}

/// An ACL in a condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// `!` before it.
    pub negated: bool,
    /// The ACL.
    pub acl: AclUse,
}

/// Which ACL.
#[derive(Clone, Debug, PartialEq)]
pub enum AclUse {
    /// One of the proxy: its place in the proxy's `acls`.
    Named(usize),
    /// One written in braces, or predefined.
    Inline(Arc<Test>),
}
