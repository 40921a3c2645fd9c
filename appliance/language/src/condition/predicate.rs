//! The predicates, as a table.

use std::cmp::Ordering;

use crate::facts::compare_openssl;
use crate::{Environment, Facts, Version};

/// One predicate.
pub(super) struct Predicate {
    pub(super) name: &'static str,
    /// Arguments it takes, all of them strings.
    pub(super) arguments: usize,
    /// Its answer; `None` when its argument makes no sense.
    pub(super) answer: fn(&[String], &Environment, &Facts) -> Option<bool>,
}

/// Names of all predicates.
#[cfg(test)]
pub(crate) fn predicates() -> impl Iterator<Item = &'static str> {
    PREDICATES.iter().map(|predicate| predicate.name)
}

pub(super) fn find(name: &str) -> Option<&'static Predicate> {
    PREDICATES.iter().find(|predicate| predicate.name == name)
}

const PREDICATES: &[Predicate] = &[
    Predicate {
        name: "awslc_api_atleast",
        arguments: 1,
        answer: |given, _, facts| awslc(given, facts, Ordering::is_ge),
    },
    Predicate {
        name: "awslc_api_before",
        arguments: 1,
        answer: |given, _, facts| awslc(given, facts, Ordering::is_lt),
    },
    Predicate {
        name: "defined",
        arguments: 1,
        answer: |given, environment, _| Some(environment.get(first(given)).is_some()),
    },
    Predicate {
        name: "enabled",
        arguments: 1,
        answer: |given, _, facts| Some(facts.enabled.contains(first(given))),
    },
    Predicate {
        name: "feature",
        arguments: 1,
        answer: |given, _, facts| Some(facts.features.contains(first(given))),
    },
    Predicate {
        name: "fips_mode",
        arguments: 0,
        answer: |_, _, facts| Some(facts.fips_mode),
    },
    Predicate {
        name: "openssl_version_atleast",
        arguments: 1,
        answer: |given, _, facts| openssl(given, facts, Ordering::is_ge),
    },
    Predicate {
        name: "openssl_version_before",
        arguments: 1,
        answer: |given, _, facts| openssl(given, facts, Ordering::is_lt),
    },
    Predicate {
        name: "ssllib_name_startswith",
        arguments: 1,
        answer: |given, _, facts| Some(facts.ssl_library.starts_with(first(given))),
    },
    Predicate {
        name: "streq",
        arguments: 2,
        answer: |given, _, _| Some(first(given) == second(given)),
    },
    Predicate {
        name: "strneq",
        arguments: 2,
        answer: |given, _, _| Some(first(given) != second(given)),
    },
    Predicate {
        name: "strstr",
        arguments: 2,
        answer: |given, _, _| Some(first(given).contains(second(given))),
    },
    Predicate {
        name: "version_atleast",
        arguments: 1,
        answer: |given, _, facts| version(given, facts, Ordering::is_ge),
    },
    Predicate {
        name: "version_before",
        arguments: 1,
        answer: |given, _, facts| version(given, facts, Ordering::is_lt),
    },
];

fn first(given: &[String]) -> &str {
    given.first().map_or("", String::as_str)
}

fn second(given: &[String]) -> &str {
    given.get(1).map_or("", String::as_str)
}

fn version(given: &[String], facts: &Facts, wanted: fn(Ordering) -> bool) -> Option<bool> {
    let ours = Version::parse(&facts.version)?;
    Some(wanted(ours.cmp(&Version::parse(first(given))?)))
}

/// A library we do not have is neither at least nor before any version, but the version asked for
/// must be one.
fn openssl(given: &[String], facts: &Facts, wanted: fn(Ordering) -> bool) -> Option<bool> {
    let asked = first(given);
    let ours = facts.openssl_version.as_deref();
    let order = compare_openssl(ours.unwrap_or(asked), asked)?;
    Some(ours.is_some() && wanted(order))
}

fn awslc(given: &[String], facts: &Facts, wanted: fn(Ordering) -> bool) -> Option<bool> {
    let asked: i64 = first(given).parse().ok()?;
    Some(facts.awslc_api.is_some_and(|ours| wanted(ours.cmp(&asked))))
}
