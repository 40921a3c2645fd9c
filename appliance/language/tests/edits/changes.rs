//! What single edits change of the model, and that nothing else does: the model before, with that one
//! change made to it, is the model after.

use std::fmt;

use lanai_language::edit::{Edit, LinePlace, Place, Text};
use lanai_language::tree::Dialect;
use lanai_model::layer7::{Config, Proxy, ServerAddress};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::configuration::{Line, Section, configuration, name_servers, server, words, written};
use super::steps::bytes;
use super::{meaning, same};

/// A text whose backends all have servers, and what it means.
#[derive(Clone)]
struct Site {
    text: Text,
    model: Config,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text.bytes()))
    }
}

fn site() -> impl Strategy<Value = Site> {
    let servers = prop::collection::vec(server(), 2..5);
    let hands = prop::collection::vec(any::<u8>(), 1..60);
    let all = (configuration(), servers, hands);
    all.prop_filter_map("a right configuration", |(mut sections, servers, hands)| {
        sections[0].lines.retain(|line| line.words[0] != "maxconn");
        for section in &mut sections {
            if section.head[0] == "backend" {
                section.lines.extend(servers.iter().cloned());
                section.lines.push(Line::new("server last 10.2.0.1:80"));
                // Of the lines below it, so that a server that moves past it would be another.
                section
                    .lines
                    .sort_by_key(|line| line.words[0] != "default-server");
            }
        }
        name_servers(&mut sections);
        sections.push(Section {
            head: words("backend unused"),
            lines: vec![
                Line::new("timeout connect 1s"),
                Line::new("server u0 10.1.0.1:80 weight 3"),
            ],
        });
        let text = Text::new(&written(&sections, &hands), Dialect::Layer7);
        let model = meaning(&text.bytes()).0?;
        Some(Site { text, model })
    })
}

/// Makes an edit: the model must become what `change` makes of it.
fn becomes(
    text: &mut Text,
    model: &mut Config,
    edit: &Edit,
    change: impl FnOnce(&mut Config),
) -> TestCaseResult {
    let before = String::from_utf8_lossy(&text.bytes()).into_owned();
    let done = text.apply(edit);
    prop_assert!(done.is_ok(), "{:?}: {:?}", edit, done);
    let (found, said) = meaning(&text.bytes());
    let after = String::from_utf8_lossy(&text.bytes()).into_owned();
    let Some(found) = found else {
        return Err(TestCaseError::fail(format!(
            "{edit:?} of\n{before}\ngave\n{after}\n{said:?}"
        )));
    };
    change(model);
    if let Err(difference) = same(&found, model) {
        let told = format!("{edit:?} of\n{before}\ngave\n{after}\n{difference}");
        return Err(TestCaseError::fail(told));
    }
    // With the lines as they are now.
    *model = found;
    Ok(())
}

fn backend<'a>(model: &'a mut Config, name: &str) -> &'a mut Proxy {
    let mut proxies = model.proxies.iter_mut();
    proxies
        .find(|proxy| &*proxy.name == name)
        .expect("the backend")
}

fn line_of(model: &Config, backend: &str, server: usize) -> u32 {
    let mut proxies = model.proxies.iter();
    let proxy = proxies.find(|proxy| &*proxy.name == backend);
    proxy.expect("the backend").servers[server].origin.line
}

fn option(line: u32, text: &str) -> Edit {
    let words = words(text);
    Edit::SetOption {
        line,
        option: words[0].clone(),
        arguments: bytes(&words[1..]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_server_that_is_added_is_added_there_and_nowhere_else(
        Site { mut text, mut model } in site(), octet in 1..=254_u8, weight in 0..=256_u16,
    ) {
        let head = text.section("backend", "b1").expect("the backend");
        let line = format!("server added 10.9.0.{octet}:8080 weight {weight}");
        let edit = Edit::AddLine { words: bytes(&words(&line)), place: LinePlace::EndOf(head) };
        becomes(&mut text, &mut model, &edit, |model| {
            let servers = &mut backend(model, "b1").servers;
            // Its neighbour says nothing of its own either.
            let mut added = servers.last().expect("a server").clone();
            added.name = "added".into();
            added.address = ServerAddress::Ip([10, 9, 0, octet].into(), Some(8080));
            added.weight = weight;
            servers.push(added);
        })?;
    }

    #[test]
    fn one_value_that_is_changed_is_all_that_changes(
        Site { mut text, mut model } in site(), at in any::<prop::sample::Index>(), weight in 0..=256_u16,
        maxconn in 1..9999_u32,
    ) {
        let at = at.index(backend(&mut model, "b0").servers.len());
        let line = line_of(&model, "b0", at);
        becomes(&mut text, &mut model, &option(line, &format!("weight {weight}")), |model| {
            backend(model, "b0").servers[at].weight = weight;
        })?;
        for maxconn in [maxconn, maxconn + 1] {
            becomes(&mut text, &mut model, &option(line, &format!("maxconn {maxconn}")), |model| {
                backend(model, "b0").servers[at].maxconn = Some(maxconn);
            })?;
        }
        let gone = Edit::RemoveOption { line, option: "maxconn".to_owned() };
        becomes(&mut text, &mut model, &gone, |model| backend(model, "b0").servers[at].maxconn = None)?;
        let gone = Edit::RemoveOption { line, option: "check".to_owned() };
        becomes(&mut text, &mut model, &gone, |model| backend(model, "b0").servers[at].check = None)?;
    }

    #[test]
    fn a_line_of_global_is_of_global(
        Site { mut text, mut model } in site(), maxconn in 1..9999_u32,
    ) {
        let head = text.section("global", "").expect("global");
        let line = |maxconn: u32| bytes(&words(&format!("maxconn {maxconn}")));
        let edit = Edit::AddLine { words: line(maxconn), place: LinePlace::EndOf(head) };
        becomes(&mut text, &mut model, &edit, |model| model.global.maxconn = Some(maxconn))?;
        let numbers = super::numbers(&text);
        let after = text.section("defaults", "d").expect("the section below");
        let number = *numbers.iter().rfind(|number| **number < after).expect("the line");
        let edit = Edit::SetWord { line: number, word: 1, value: b"77".to_vec() };
        becomes(&mut text, &mut model, &edit, |model| model.global.maxconn = Some(77))?;
        let edit = Edit::ChangeLine { line: number, words: line(78) };
        becomes(&mut text, &mut model, &edit, |model| model.global.maxconn = Some(78))?;
    }

    #[test]
    fn servers_go_and_move_within_and_between_backends(
        Site { mut text, mut model } in site(), at in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
    ) {
        let count = backend(&mut model, "b0").servers.len();
        let (at, to) = (at.index(count), to.index(count));
        if at != to {
            let place = LinePlace::After(line_of(&model, "b0", to));
            let edit = Edit::MoveLine { line: line_of(&model, "b0", at), place };
            becomes(&mut text, &mut model, &edit, |model| {
                let servers = &mut backend(model, "b0").servers;
                let server = servers.remove(at);
                servers.insert(to + usize::from(at > to), server);
            })?;
        }
        let edit = Edit::RemoveLine { line: line_of(&model, "unused", 0) };
        becomes(&mut text, &mut model, &edit, |model| backend(model, "unused").servers.clear())?;
    }

    #[test]
    fn sections_come_go_and_move(
        Site { mut text, mut model } in site(), to in any::<prop::sample::Index>(), before in any::<bool>(),
    ) {
        let heads: Vec<u32> = model.proxies.iter().map(|proxy| proxy.origin.line).collect();
        let to = to.index(heads.len() - 1);
        let place = if before { Place::Before(heads[to]) } else { Place::After(heads[to]) };
        let line = text.section("backend", "unused").expect("the last section");
        becomes(&mut text, &mut model, &Edit::MoveSection { line, place }, |model| {
            let unused = model.proxies.pop().expect("the last section");
            model.proxies.insert(to + usize::from(!before), unused);
        })?;
        let edit = Edit::AddSection {
            head: bytes(&words("backend again")),
            lines: vec![
                bytes(&words("timeout connect 1s")),
                bytes(&words("server u0 10.1.0.1:80 weight 3")),
            ],
            place: Place::End,
        };
        becomes(&mut text, &mut model, &edit, |model| {
            let mut again = backend(model, "unused").clone();
            again.name = "again".into();
            model.proxies.push(again);
        })?;
        for name in ["unused", "again"] {
            let line = text.section("backend", name).expect("it is there");
            becomes(&mut text, &mut model, &Edit::RemoveSection { line }, |model| {
                model.proxies.retain(|proxy| &*proxy.name != name);
            })?;
        }
    }

    #[test]
    fn a_rule_stands_where_it_was_put(
        Site { mut text, mut model } in site(), at in any::<prop::sample::Index>(),
    ) {
        let head = text.section("backend", "unused").expect("it is there");
        for path in ["/a", "/b", "/c"] {
            let line = bytes(&words(&format!("http-request set-path {path}")));
            let edit = Edit::AddLine { words: line, place: LinePlace::EndOf(head) };
            prop_assert!(text.apply(&edit).is_ok());
        }
        model = meaning(&text.bytes()).0.unwrap_or(model);
        let rules = |model: &Config| model.proxies.last().map_or(Vec::new(), |proxy| proxy.rules.http_request.clone());
        let lines: Vec<u32> = rules(&model).iter().map(|rule| rule.origin.line).collect();
        // Those before them are of the defaults.
        let first = lines.len() - 3;
        let at = first + at.index(3);
        let edit = Edit::MoveLine { line: lines[at], place: LinePlace::Before(lines[first]) };
        becomes(&mut text, &mut model, &edit, |model| {
            let rules = &mut backend(model, "unused").rules.http_request;
            let rule = rules.remove(at);
            rules.insert(first, rule);
        })?;
    }
}
