//! `lanai explain`: what the tables know of a keyword, and the page of a message's code.

use std::process::ExitCode;

use lanai_language::codes;
use lanai_language::layer7::{self, Keyword};
use lanai_language::suggest;

use super::Shape;
use crate::wire::shell::{Form, Reply};

/// What to explain.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A keyword (`timeout client`), option, action, fetch or converter, or the code of a message (K002)
    #[arg(required = true, value_name = "KEYWORD")]
    words: Vec<String>,
    #[command(flatten)]
    form: Shape,
}

/// Explains and says whether there was something to explain.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let name = arguments.words.join(" ");
    super::remote::show(&explain(name.trim(), arguments.form.form() == Form::Json))
}

fn explain(name: &str, json: bool) -> Reply {
    let rows = layer7::find(name);
    let page = codes::explanation(name);
    let done = !rows.is_empty() || page.is_some();
    if json {
        let rows: Vec<_> = rows.iter().map(|row| value(row)).collect();
        let text = serde_json::json!({ "keywords": rows, "page": page }).to_string();
        return Reply { done, text };
    }
    let mut texts: Vec<_> = rows.iter().map(|row| layer7::described(row)).collect();
    texts.extend(page.map(|page| format!("{}\n", page.trim_end())));
    if done {
        let text = texts.join("\n");
        return Reply { done, text };
    }
    let names = layer7::keywords().map(|row| row.name);
    let text = match suggest::nearest(name, names) {
        Some(near) => format!("no keyword '{name}'; {}", suggest::did_you_mean(near)),
        None => {
            format!(
                "no keyword '{name}'; docs/keywords.md and 'lanai explain' know them by their names"
            )
        }
    };
    Reply { done, text }
}

/// A row as programs read it.
fn value(row: &Keyword) -> serde_json::Value {
    serde_json::json!({
        "name": row.name,
        "kind": row.kind.name(),
        "sections": row.sections.names().collect::<Vec<_>>(),
        "modes": row.modes.names().collect::<Vec<_>>(),
        "arguments": row.arguments,
        "takes": row.types.takes,
        "gives": row.types.gives,
        "default": row.default,
        "since": row.since,
        "deprecated": row.deprecated,
        "about": row.about,
        "status": row.status.to_string(),
        "no": row.negatable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_explained_in_every_role() {
        let reply = explain("maxconn", false);
        assert!(reply.done);
        for role in ["keyword in global", "bind option", "server option"] {
            assert!(reply.text.contains(role), "{role}: {}", reply.text);
        }
        let reply = explain("timeout client", false);
        assert!(reply.text.starts_with("timeout client <time>\n"));
        assert!(reply.text.contains("here: works"));
    }

    #[test]
    fn a_code_is_explained() {
        assert!(explain("k002", false).text.contains("K002"));
    }

    #[test]
    fn what_is_not_known_is_refused_with_a_way_on() {
        let reply = explain("timeout clinet", false);
        assert!(!reply.done);
        assert!(reply.text.contains("'timeout client'"), "{}", reply.text);
    }

    #[test]
    fn programs_read_json() {
        let reply = explain("nbthread", true);
        let value: serde_json::Value = serde_json::from_str(&reply.text).unwrap();
        assert_eq!(value["keywords"][0]["status"], "works");
        assert_eq!(value["keywords"][0]["sections"][0], "global");
    }
}
