//! `bind` and its words (HAProxy manual, section 5.1).

use std::sync::{Arc, LazyLock};

use lanai_diagnostics::Diagnostic;
use lanai_model::layer7::FileKind;

use super::args::Args;
use super::draft::{BindDraft, ProxyDraft};
use super::global::MOST_CONNECTIONS;
use super::ssl;
use super::table::{Readers, Table};
use super::tables;
use crate::codes;
use crate::files::Base;
use crate::lexer::Word;
use crate::value::{ListenOptions, is_interface_name, listen_addresses, shown, suggest};

pub(super) const READERS: Readers<ProxyDraft> = &[("bind", bind)];

pub(super) static TABLE: LazyLock<Table<BindDraft>> =
    LazyLock::new(|| Table::new(tables::BIND, &[WORDS]));

pub(super) const WORDS: Readers<BindDraft> = &[
    ("backlog", |bind, args| {
        if let Some(word) = args.value("value")
            && let Some(backlog) = args.number(word, 0..=MOST_CONNECTIONS)
        {
            bind.backlog = (backlog > 0).then_some(backlog);
        }
    }),
    ("crt", |bind, args| {
        if let Some(word) = args.value("certificate location") {
            bind.crt.push((word.path(), word.span));
            args.names_file(FileKind::Certificate, Base::Certificates, word);
        }
    }),
    ("interface", interface),
    ("maxconn", |bind, args| {
        if let Some(word) = args.value("value")
            && let Some(maxconn) = args.number(word, 0..=MOST_CONNECTIONS)
        {
            bind.maxconn = (maxconn > 0).then_some(maxconn);
        }
    }),
    ("name", |bind, args| {
        if let Some(word) = args.value("name") {
            bind.name = Some(word.text().into());
        }
    }),
    ("no-tls-tickets", |bind, _| {
        bind.options.no_tls_tickets = true
    }),
    ("ssl", |bind, args| {
        bind.ssl = Some(args.head);
    }),
    ("ssl-max-ver", |bind, args| {
        bind.options.max_version = ssl::version(args)
    }),
    ("ssl-min-ver", |bind, args| {
        bind.options.min_version = ssl::version(args)
    }),
    ("transparent", |bind, args| {
        bind.transparent = Some(args.head);
    }),
];

fn bind(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some(word) = args.take() else {
        let message = "'bind' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as \
                       arguments.";
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return;
    };
    let options = ListenOptions {
        ranges: true,
        room: draft.room,
    };
    let mut bind = BindDraft {
        written: shown(&word.value),
        span: args.head.to(word.span),
        origin: Some(args.origin.clone()),
        ..BindDraft::default()
    };
    match listen_addresses(&word.value, options) {
        Ok(addresses) => {
            draft.room = draft.room.saturating_sub(addresses.len());
            bind.addresses = addresses
                .into_iter()
                .map(|(address, at)| (address, word.span_of(at)))
                .collect();
        }
        Err(error) => args.bad_address(word, error),
    }
    let section = draft.section.names().next().unwrap_or_default();
    args.context = format!("'bind {}' in section '{section}'", bind.written);
    while let Some(word) = args.take() {
        match TABLE.word(word) {
            Some(row) => args.within(word, row.keyword.name, |args| {
                row.read_word(&mut bind, args)
            }),
            None => unknown(word, args),
        }
    }
    draft.binds.push(bind);
}

fn unknown(word: &Word, args: &mut Args<'_>) {
    let message = format!("{}: unknown keyword '{}'", args.context, shown(&word.value));
    let fault = Diagnostic::alert(codes::UNKNOWN_KEYWORD, word.span, message);
    args.sink.push(suggest(fault, word, TABLE.first_words()));
    args.skip_to(|word| TABLE.word(word).is_some());
}

fn interface(bind: &mut BindDraft, args: &mut Args<'_>) {
    let Some(word) = args.value("interface name") else {
        return;
    };
    let name = word.text();
    if is_interface_name(&name) {
        bind.interface = Some(Arc::from(name));
        return;
    }
    let message = format!(
        "'{}' cannot be the name of an interface",
        shown(&word.value)
    );
    args.alert(codes::BAD_NAME, word.span, message);
}
