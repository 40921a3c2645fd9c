//! The runtime API's sockets (HAProxy management guide, section 9.3).

use lanai_diagnostics::Diagnostic;
use lanai_model::layer7::{AccessLevel, StatsSocket};

use super::args::Args;
use super::bind;
use super::draft::{BindDraft, GlobalDraft};
use super::keyword::Status;
use super::table::Readers;
use crate::codes;
use crate::lexer::Word;
use crate::value::{ListenOptions, listen_addresses, shown, suggest};

pub(super) const READERS: Readers<GlobalDraft> = &[
    ("stats socket", socket),
    ("stats timeout", |draft, args| {
        if let Some(time) = args.only_time() {
            draft.global.stats_timeout = time;
        }
    }),
];

/// Sockets of the runtime API; more can only be a mistake.
const MOST_SOCKETS: usize = 256;

fn socket(draft: &mut GlobalDraft, args: &mut Args<'_>) {
    let Some(word) = args.require("an address or a path to a UNIX socket") else {
        return;
    };
    let options = ListenOptions {
        ranges: true,
        room: MOST_SOCKETS.saturating_sub(draft.global.stats_sockets.len()),
    };
    let addresses = match listen_addresses(&word.value, options) {
        Ok(addresses) => addresses,
        Err(error) => {
            args.bad_address(word, error);
            Vec::new()
        }
    };
    args.context = "'stats socket'".to_owned();
    let mut level = AccessLevel::default();
    let mut mode = None;
    while let Some(word) = args.take() {
        match word.text().as_ref() {
            "level" => {
                if let Some(found) = args.within(word, "level", access_level) {
                    level = found;
                }
            }
            "mode" => mode = args.within(word, "mode", permissions).or(mode),
            "severity-output" => {
                args.within(word, "severity-output", |args| {
                    if let Some(word) = args.value("format") {
                        let known = [("none", ()), ("number", ()), ("string", ())];
                        args.one_of(word, &known);
                    }
                });
                let instead = "leave it out; messages are shown without their severity";
                args.not_run(
                    word.span,
                    "'severity-output'",
                    "it is not built yet",
                    instead,
                );
            }
            "expose-fd" => {
                // Listeners are handed from one engine to the next by the parent process.
                if args.take_if("listeners").is_none() {
                    let message = "'expose-fd' only supports 'listeners'";
                    args.alert(codes::BAD_WORD, word.span, message);
                }
            }
            _ => other(word, args),
        }
    }
    let sockets = addresses.into_iter().map(|(address, _)| StatsSocket {
        address,
        level,
        mode,
        origin: args.origin.clone(),
    });
    draft.global.stats_sockets.extend(sockets);
}

fn access_level(args: &mut Args<'_>) -> Option<AccessLevel> {
    let word = args.value("access level")?;
    args.one_of(
        word,
        &[
            ("user", AccessLevel::User),
            ("operator", AccessLevel::Operator),
            ("admin", AccessLevel::Admin),
        ],
    )
}

fn permissions(args: &mut Args<'_>) -> Option<u32> {
    let word = args.value("permission bits (octal)")?;
    let text = word.text();
    let mode = u32::from_str_radix(&text, 8).ok();
    let mode = mode.filter(|mode| *mode <= 0o777 && !text.starts_with('+'));
    if mode.is_none() {
        let message = format!(
            "'mode' : missing or invalid mode '{}' (octal integer expected)",
            shown(&word.value)
        );
        args.alert(codes::BAD_NUMBER, word.span, message);
    }
    mode
}

/// Any other word of a `bind` line is one of `stats socket` too, and none has an effect here.
fn other<'a>(word: &'a Word, args: &mut Args<'a>) {
    let text = shown(&word.value);
    if let Some(row) = bind::TABLE.word(word) {
        let name = row.keyword.name;
        args.within(word, name, |args| {
            row.read_word(&mut BindDraft::default(), args)
        });
        if matches!(row.keyword.status, Status::Works | Status::Partly(_)) {
            let why = "the runtime API's sockets have no such setting";
            args.not_run(word.span, &format!("'{text}'"), why, "leave it out");
        }
        return;
    }
    let message = format!("'stats socket' : unknown keyword '{text}'");
    let fault = Diagnostic::alert(codes::UNKNOWN_KEYWORD, word.span, message);
    let known = ["level", "mode", "expose-fd"];
    args.sink.push(suggest(fault, word, known));
    args.skip_to(|word| known.iter().any(|known| word.is(known)));
}
