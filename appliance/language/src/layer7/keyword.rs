//! What a row of the keyword tables says: the one type for every word of the language, whatever
//! kind of word it is. The checker, completion, hover, `lanai explain` and `docs/keywords.md` all
//! read these rows, through [`keywords`](super::keywords) and [`find`](super::find).

use std::fmt;
use std::ops::BitOr;

/// A row: everything that is known of a word of HAProxy's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyword {
    /// The word; several words where one alone means nothing (`timeout client`).
    pub name: &'static str,
    /// What kind of word it is.
    pub kind: Kind,
    /// Sections in which it may stand; for a word of a `bind` line, where such a line may stand.
    pub sections: Sections,
    /// Modes of a proxy in which it has an effect.
    pub modes: Modes,
    /// Its arguments, in the notation of `grammar.rs`, with the types of the labels; the checker reads it too.
    pub arguments: &'static str,
    /// For fetches, converters and aliases, the types it takes and gives; empty otherwise.
    pub types: Types,
    /// What holds where it is not written; empty where there is nothing to say.
    pub default: &'static str,
    /// The first HAProxy version that has it (`2.4`); of HAProxy 1.3 and before, `1.3`.
    pub since: &'static str,
    /// What to use in its place, where HAProxy calls it deprecated.
    pub deprecated: Option<&'static str>,
    /// One sentence.
    pub about: &'static str,
    /// What becomes of it here.
    pub status: Status,
    /// Whether `no` and `default` may stand before it.
    pub negatable: bool,
    /// What a second line of it means.
    pub again: Again,
    /// Whether it is an error, rather than a warning, in a proxy that has no use for it.
    pub strict: bool,
}

/// What a second line of a keyword means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// What the keyword makes of it.
    Taken,
    /// Nothing, as HAProxy has it: the first line counts of all that are called this.
    Ignored(&'static str),
    /// It is a mistake.
    Refused,
}

/// What kind of word a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Starts a section: `frontend`, `peers`.
    Section,
    /// Starts a line of a section: `maxconn`, `timeout client`.
    Line,
    /// A word of a `bind` line.
    Bind,
    /// A word of a `server`, `default-server` or `server-template` line.
    Server,
    /// A word of a `load` line of a `crt-store`, and of a line of a crt-list.
    Load,
    /// What follows `http-request`, `tcp-response content`, `http-check` and their like.
    Action,
    /// A flag of an `acl` line: `-i`, `-m`.
    AclFlag,
    /// A way to compare, after `-m` or as the ending of a criterion: `beg`, `reg`.
    AclMatch,
    /// A criterion of an `acl` line that is not a sample fetch of that name: `path_beg`.
    Criterion,
    /// An ACL that is always there: `METH_GET`.
    Acl,
    /// A sample fetch.
    Fetch,
    /// A converter.
    Converter,
    /// An alias of a log format: `%ci`.
    LogAlias,
    /// What follows `if` on a `.if` line: `defined`, `version_atleast`.
    Predicate,
    /// `.if` and its like.
    Directive,
}

impl Kind {
    /// All kinds, in the order in which documentation lists them.
    pub const ALL: [Self; 15] = [
        Self::Section,
        Self::Line,
        Self::Bind,
        Self::Server,
        Self::Load,
        Self::Action,
        Self::AclFlag,
        Self::AclMatch,
        Self::Criterion,
        Self::Acl,
        Self::Fetch,
        Self::Converter,
        Self::LogAlias,
        Self::Predicate,
        Self::Directive,
    ];

    /// What one word of this kind is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Section => "section",
            Self::Line => "keyword",
            Self::Bind => "bind option",
            Self::Server => "server option",
            Self::Load => "certificate option",
            Self::Action => "action",
            Self::AclFlag => "ACL flag",
            Self::AclMatch => "ACL match",
            Self::Criterion => "ACL criterion",
            Self::Acl => "predefined ACL",
            Self::Fetch => "sample fetch",
            Self::Converter => "converter",
            Self::LogAlias => "log alias",
            Self::Predicate => "predicate",
            Self::Directive => "directive",
        }
    }
}

/// Kinds of sections, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sections(u32);

macro_rules! sections {
    ($($(#[$about:meta])* $name:ident = $bit:literal, $word:literal;)*) => {
        impl Sections {
            $($(#[$about])* pub const $name: Self = Self(1 << $bit);)*

            /// Each kind with the word that starts it.
            pub const EACH: &'static [(Self, &'static str)] = &[$((Self::$name, $word)),*];
        }
    };
}

sections! {
    /// `global`.
    GLOBAL = 0, "global";
    /// `defaults`.
    DEFAULTS = 1, "defaults";
    /// `frontend`.
    FRONTEND = 2, "frontend";
    /// `listen`.
    LISTEN = 3, "listen";
    /// `backend`.
    BACKEND = 4, "backend";
    /// `peers`.
    PEERS = 5, "peers";
    /// `resolvers`.
    RESOLVERS = 6, "resolvers";
    /// `mailers`.
    MAILERS = 7, "mailers";
    /// `userlist`.
    USERLIST = 8, "userlist";
    /// `cache`.
    CACHE = 9, "cache";
    /// `ring`.
    RING = 10, "ring";
    /// `log-forward`.
    LOG_FORWARD = 11, "log-forward";
    /// `http-errors`.
    HTTP_ERRORS = 12, "http-errors";
    /// `fcgi-app`.
    FCGI_APP = 13, "fcgi-app";
    /// `program`.
    PROGRAM = 14, "program";
    /// `crt-store`.
    CRT_STORE = 15, "crt-store";
    /// `traces`.
    TRACES = 16, "traces";
    /// `acme`.
    ACME = 17, "acme";
    /// `log-profile`.
    LOG_PROFILE = 18, "log-profile";
    /// `healthcheck`.
    HEALTHCHECK = 19, "healthcheck";
}

impl Sections {
    /// None: of words that stand outside of sections.
    pub const NONE: Self = Self(0);
    /// `defaults` and all that take connections.
    pub const FRONT: Self = Self(2 | 4 | 8);
    /// `defaults` and all that have servers.
    pub const BACK: Self = Self(2 | 8 | 16);
    /// `defaults` and all proxies.
    pub const ALL: Self = Self(2 | 4 | 8 | 16);
    /// All that take connections, without `defaults`.
    pub const FRONT_ONLY: Self = Self(4 | 8);
    /// All that have servers, without `defaults`.
    pub const BACK_ONLY: Self = Self(8 | 16);
    /// All proxies, without `defaults`.
    pub const PROXIES: Self = Self(4 | 8 | 16);
    /// Every kind of section.
    pub const ANY: Self = Self((1 << 20) - 1);

    /// Both sets in one.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of the others are in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The kind that this word starts.
    pub fn of(word: &str) -> Option<Self> {
        let found = Self::EACH.iter().find(|(_, name)| *name == word);
        found.map(|(kind, _)| *kind)
    }

    /// Names of the kinds in this set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::EACH
            .iter()
            .filter(move |(kind, _)| self.contains(*kind))
            .map(|(_, name)| *name)
    }
}

impl BitOr for Sections {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

/// Modes of a proxy, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Modes(u8);

impl Modes {
    /// `mode tcp`.
    pub const TCP: Self = Self(1);
    /// `mode http`.
    pub const HTTP: Self = Self(2);
    /// `mode log`.
    pub const LOG: Self = Self(4);
    /// `mode spop`.
    pub const SPOP: Self = Self(8);
    /// Those that proxy connections.
    pub const STREAM: Self = Self(1 | 2);
    /// All; of words that stand in no proxy, too.
    pub const ANY: Self = Self(15);

    /// Both sets in one.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of the others are in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Names of the modes in this set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::TCP, "tcp"),
            (Self::HTTP, "http"),
            (Self::LOG, "log"),
            (Self::SPOP, "spop"),
        ]
        .into_iter()
        .filter(move |(mode, _)| self.contains(*mode))
        .map(|(_, name)| name)
    }
}

/// Types of samples that a word takes and gives, in the manual's words; empty where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Types {
    /// What a converter or a way to compare takes.
    pub takes: &'static str,
    /// What a fetch or converter gives.
    pub gives: &'static str,
}

/// What becomes of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does what HAProxy's manual says.
    Works,
    /// It does, except for what the text names: that is refused.
    Partly(&'static str),
    /// It is read and has no effect; the text says why that harms nobody.
    Ignored(&'static str),
    /// It is read and checked whole; then the configuration is refused, because running it would
    /// not do what it says.
    Refused {
        /// Why.
        why: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Works => f.write_str("works"),
            Self::Partly(except) => write!(f, "works, except that {except}"),
            Self::Ignored(why) => write!(f, "accepted and ignored: {why}"),
            Self::Refused { why, instead } => write!(f, "refused: {why}; instead: {instead}"),
        }
    }
}

impl Keyword {
    /// A row that works; the other constructors say what else is to be said.
    pub const fn new(
        kind: Kind,
        name: &'static str,
        sections: Sections,
        arguments: &'static str,
        about: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            sections,
            modes: Modes::ANY,
            arguments,
            types: Types {
                takes: "",
                gives: "",
            },
            default: "",
            since: "1.3",
            deprecated: None,
            about,
            status: Status::Works,
            negatable: false,
            again: Again::Taken,
            strict: false,
        }
    }

    /// Stands in these sections.
    pub const fn within(self, sections: Sections) -> Self {
        Self { sections, ..self }
    }

    /// The first version that has it.
    pub const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }

    /// What holds where it is not written.
    pub const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    /// The modes in which it has an effect.
    pub const fn modes(self, modes: Modes) -> Self {
        Self { modes, ..self }
    }

    /// The types it takes and gives.
    pub const fn types(self, takes: &'static str, gives: &'static str) -> Self {
        Self {
            types: Types { takes, gives },
            ..self
        }
    }

    /// HAProxy calls it deprecated: what to use in its place.
    pub const fn deprecated(self, instead: &'static str) -> Self {
        Self {
            deprecated: Some(instead),
            ..self
        }
    }

    /// Works, except for this.
    pub const fn partly(self, except: &'static str) -> Self {
        Self {
            status: Status::Partly(except),
            ..self
        }
    }

    /// Read and ignored, because of this.
    pub const fn ignored(self, why: &'static str) -> Self {
        Self {
            status: Status::Ignored(why),
            ..self
        }
    }

    /// Read, and refused because of this.
    pub const fn refused(self, why: &'static str, instead: &'static str) -> Self {
        Self {
            status: Status::Refused { why, instead },
            ..self
        }
    }

    /// May stand after `no` and `default`.
    pub const fn negatable(self) -> Self {
        Self {
            negatable: true,
            ..self
        }
    }

    /// May be given once.
    pub const fn once(self) -> Self {
        Self {
            again: Again::Refused,
            ..self
        }
    }

    /// Of several, the first counts.
    pub const fn first_counts(self) -> Self {
        Self {
            again: Again::Ignored(self.name),
            ..self
        }
    }

    /// Of several of these keywords, the first counts.
    pub const fn first_of(self, keywords: &'static str) -> Self {
        Self {
            again: Again::Ignored(keywords),
            ..self
        }
    }

    /// An error in a proxy that has no use for it.
    pub const fn strict(self) -> Self {
        Self {
            strict: true,
            ..self
        }
    }

    /// First word of the name.
    pub fn first(&self) -> &'static str {
        self.name
            .split_once(' ')
            .map_or(self.name, |(first, _)| first)
    }
}
