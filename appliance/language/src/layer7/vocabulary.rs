//! Rows of the keyword tables for words that stand inside lines: fetches, converters, criteria and
//! flags of ACLs, actions, aliases of log formats.

use std::sync::LazyLock;

use super::acl::criteria::CRITERIA;
use super::acl::pattern::{Kind as Match, MATCH_WORDS};
use super::acl::predefined::PREDEFINED;
use super::acl::test::FLAGS;
use super::format::aliases::ALIASES;
use super::keyword::{Keyword, Kind, Modes, Sections};
use super::rules::table::{ACTIONS, Sets};
use super::sample::{all_converters, all_fetches};

/// Why none of them runs yet.
const WHY: &str = "rules, conditions and log formats are not built yet";
const INSTEAD: &str = "leave out the line that uses it";

/// All of them.
pub(super) fn rows() -> impl Iterator<Item = &'static Keyword> {
    static ROWS: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
        fetches()
            .chain(converters())
            .chain(criteria())
            .chain(matches())
            .chain(flags())
            .chain(predefined())
            .chain(actions())
            .chain(aliases())
            .collect()
    });
    ROWS.iter()
}

const fn row(
    kind: Kind,
    name: &'static str,
    arguments: &'static str,
    since: &'static str,
    about: &'static str,
) -> Keyword {
    Keyword::new(kind, name, Sections::ALL, arguments, about)
        .since(since)
        .refused(WHY, INSTEAD)
}

fn fetches() -> impl Iterator<Item = Keyword> {
    all_fetches().map(|fetch| {
        let row = row(
            Kind::Fetch,
            fetch.name,
            fetch.signature,
            fetch.since,
            fetch.about,
        )
        .types("", fetch.gives.name());
        match fetch.deprecated {
            true => row.deprecated("the fetch that begins with 'req.' or 'res.'"),
            false => row,
        }
    })
}

fn converters() -> impl Iterator<Item = Keyword> {
    all_converters().map(|converter| {
        row(
            Kind::Converter,
            converter.name,
            converter.signature,
            converter.since,
            converter.about,
        )
        .types(converter.takes.name(), converter.gives.name())
    })
}

fn criteria() -> impl Iterator<Item = Keyword> {
    CRITERIA.iter().map(|criterion| {
        row(
            Kind::Criterion,
            criterion.name,
            "",
            criterion.since,
            criterion.about,
        )
    })
}

fn matches() -> impl Iterator<Item = Keyword> {
    MATCH_WORDS.iter().map(|word| {
        let takes = match word.kind {
            Match::Found => "any",
            Match::Bool | Match::Int => "integer",
            Match::Ip => "address",
            Match::Bin => "binary",
            _ => "string",
        };
        row(Kind::AclMatch, word.name, "", word.since, word.about).types(takes, "")
    })
}

fn flags() -> impl Iterator<Item = Keyword> {
    FLAGS.iter().map(|flag| {
        row(
            Kind::AclFlag,
            flag.name,
            flag.argument,
            flag.since,
            flag.about,
        )
    })
}

fn predefined() -> impl Iterator<Item = Keyword> {
    PREDEFINED
        .iter()
        .map(|acl| row(Kind::Acl, acl.name, acl.means, acl.since, acl.about))
}

fn actions() -> impl Iterator<Item = Keyword> {
    ACTIONS.iter().map(|action| {
        let row = row(
            Kind::Action,
            action.name,
            action.arguments,
            action.since,
            action.about,
        );
        let http = [Sets::HTTP_REQUEST, Sets::HTTP_RESPONSE, Sets::AFTER];
        let only_http = !Sets::EACH
            .iter()
            .any(|(set, _)| action.sets.contains(*set) && !http.contains(set));
        match only_http {
            true => row.modes(Modes::HTTP),
            false => row,
        }
    })
}

fn aliases() -> impl Iterator<Item = Keyword> {
    ALIASES.iter().map(|alias| {
        let row =
            row(Kind::LogAlias, alias.name, "", alias.since, alias.about).types("", alias.gives);
        match alias.http {
            true => row.modes(Modes::HTTP),
            false => row,
        }
    })
}
