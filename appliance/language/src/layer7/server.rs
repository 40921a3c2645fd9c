//! `server`, `default-server` and their words (HAProxy manual, section 5.2).

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use lanai_diagnostics::Diagnostic;
use lanai_model::layer7::FileKind;

use super::args::Args;
use super::draft::{ProxyDraft, ServerDraft, ServerSettings};
use super::global::MOST_CONNECTIONS;
use super::table::{Readers, Table};
use super::tables;
use crate::codes;
use crate::files::{Base, FileWord};
use crate::lexer::Word;
use crate::value::{Wants, destination, invalid_name_character, server_address, shown, suggest};

pub(super) const READERS: Readers<ProxyDraft> = &[
    ("server", server),
    ("default-server", |draft, args| {
        args.context = "'default-server'".to_owned();
        let mut settings = draft.settings.default_server.clone();
        words(&mut settings, args);
        draft.settings.default_server = settings;
    }),
];

pub(super) static TABLE: LazyLock<Table<ServerSettings>> =
    LazyLock::new(|| Table::new(tables::SERVER, &[WORDS]));

pub(super) const WORDS: Readers<ServerSettings> = &[
    ("addr", |server, args| {
        if let Some(word) = args.value("address") {
            match destination(&word.value, Wants::CHECK) {
                Ok(found) => server.addr = Some(found),
                Err(error) => args.bad_address(word, error),
            }
        }
    }),
    ("check", |server, _| {
        server.check = true;
    }),
    ("check-ssl", |server, _| server.check_ssl = true),
    ("no-check-ssl", |server, _| server.check_ssl = false),
    ("ssl", |server, _| server.ssl = true),
    ("no-ssl", |server, _| server.ssl = false),
    ("crt", |server, args| {
        if let Some(word) = args.value("certificate location") {
            server.crt = Some(FileWord {
                kind: FileKind::Certificate,
                base: Base::Certificates,
                path: word.path(),
                span: word.span,
            });
        }
    }),
    ("no-check", |server, _| server.check = false),
    ("downinter", |server, args| {
        server.downinter = interval(args).or(server.downinter)
    }),
    ("fall", |server, args| {
        server.fall = count(args).or(server.fall)
    }),
    ("fastinter", |server, args| {
        server.fastinter = interval(args).or(server.fastinter)
    }),
    ("inter", |server, args| {
        server.inter = interval(args).or(server.inter);
    }),
    ("maxconn", |server, args| {
        if let Some(word) = args.value("value")
            && let Some(maxconn) = args.number(word, 0..=MOST_CONNECTIONS)
        {
            server.maxconn = (maxconn > 0).then_some(maxconn);
        }
    }),
    ("port", |server, args| {
        if let Some(word) = args.value("port")
            && let Some(port) = args.number(word, 1..=u16::MAX.into())
        {
            server.port = u16::try_from(port).ok();
        }
    }),
    ("rise", |server, args| {
        server.rise = count(args).or(server.rise)
    }),
    ("source", |server, args| {
        if let Some(source) = super::source::source(args, true) {
            server.source = Some(source);
        }
    }),
    ("weight", weight),
];

fn server(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let (Some(name), Some(address)) = (args.take(), args.take()) else {
        let message = "'server' expects <name> and <addr>[:<port>] as arguments.";
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return;
    };
    let text = name.text();
    if let Some(wrong) = invalid_name_character(&text) {
        let message = format!(
            "character '{}' is not permitted in server name '{}'.",
            wrong.escape_debug(),
            shown(&name.value)
        );
        args.alert(codes::BAD_NAME, name.span, message);
    }
    args.context = format!("'server {}/{}'", draft.name(), shown(&name.value));
    let found = server_address(&address.value);
    let mut settings = draft.settings.default_server.clone();
    let found = found.map_err(|error| args.bad_address(address, error));
    words(&mut settings, args);
    // Without TLS, HAProxy does not look for the certificate.
    if let Some(crt) = settings.crt.clone()
        && (settings.ssl || settings.check_ssl)
    {
        args.sink.file(crt);
    }
    match found {
        Ok(found) => draft.servers.push(ServerDraft {
            name: Arc::from(text),
            address: found,
            settings,
            span: name.span,
            origin: args.origin.clone(),
        }),
        Err(()) => draft.unread_servers.push(Arc::from(text)),
    }
}

fn words(settings: &mut ServerSettings, args: &mut Args<'_>) {
    while let Some(word) = args.take() {
        match TABLE.word(word) {
            Some(row) => args.within(word, row.keyword.name, |args| row.read_word(settings, args)),
            None => unknown(word, args),
        }
    }
}

fn unknown(word: &Word, args: &mut Args<'_>) {
    let message = format!("unknown keyword '{}'", shown(&word.value));
    let message = format!("{} : {message}", args.context);
    let fault = Diagnostic::alert(codes::UNKNOWN_KEYWORD, word.span, message);
    args.sink.push(suggest(fault, word, TABLE.first_words()));
    args.skip_to(|word| TABLE.word(word).is_some());
}

fn interval(args: &mut Args<'_>) -> Option<Duration> {
    let word = args.value("value")?;
    let time = args.time(word)?;
    if time.is_zero() {
        let message = format!("invalid value 0 for argument '{}'", args.name);
        args.alert(codes::BAD_NUMBER, word.span, message);
        return None;
    }
    Some(time)
}

fn count(args: &mut Args<'_>) -> Option<u32> {
    let word = args.value("value")?;
    if word.is("0") {
        let message = format!("'{}' has to be > 0.", args.name);
        args.alert(codes::BAD_NUMBER, word.span, message);
        return None;
    }
    args.number(word, 1..=MOST_CONNECTIONS)
}

fn weight(server: &mut ServerSettings, args: &mut Args<'_>) {
    if let Some(word) = args.value("value")
        && let Some(weight) = args.number(word, 0..=256)
    {
        server.weight = u16::try_from(weight).unwrap_or(server.weight);
    }
}
