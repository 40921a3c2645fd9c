//! The timeouts (HAProxy manual, section 4.2).

use std::time::Duration;

use lanai_model::layer7::Timeouts;

use super::args::Args;
use super::draft::ProxyDraft;
use super::keyword::{Keyword, Sections};

const FRONT: Sections = Sections::FRONT;
const BACK: Sections = Sections::BACK;
const ALL: Sections = Sections::ALL;

type Row = Keyword<ProxyDraft>;

pub(super) const KEYWORDS: &[Row] = &[
    Row::new(
        "timeout client",
        FRONT,
        "<time>",
        "How long a client may be silent.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.client),
    ),
    Row::new(
        "timeout server",
        BACK,
        "<time>",
        "How long a server may be silent.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.server),
    ),
    Row::new(
        "timeout connect",
        BACK,
        "<time>",
        "How long connecting to a server may take.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.connect),
    ),
    Row::new(
        "timeout check",
        BACK,
        "<time>",
        "How long a health check may take once it is connected.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.check),
    ),
    Row::new(
        "timeout queue",
        BACK,
        "<time>",
        "How long a request may wait for a free server.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.queue),
    ),
    Row::new(
        "timeout http-keep-alive",
        ALL,
        "<time>",
        "How long a client may take to start its next request.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.http_keep_alive),
    ),
    Row::new(
        "timeout http-request",
        ALL,
        "<time>",
        "How long a client may take to send a request's head.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.http_request),
    ),
    Row::new(
        "timeout tunnel",
        BACK,
        "<time>",
        "How long both sides may be silent once a tunnel stands.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.tunnel),
    ),
    Row::new(
        "timeout tarpit",
        ALL,
        "<time>",
        "How long a tarpitted connection is held.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.tarpit),
    ),
    Row::new(
        "timeout client-fin",
        FRONT,
        "<time>",
        "How long a client may be silent after one side has ended.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.client_fin),
    ),
    Row::new(
        "timeout server-fin",
        BACK,
        "<time>",
        "How long a server may be silent after one side has ended.",
        |draft, args| set(draft, args, |timeouts| &mut timeouts.server_fin),
    ),
];

fn set(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    field: fn(&mut Timeouts) -> &mut Option<Duration>,
) {
    if let Some(time) = args.only_time() {
        *field(&mut draft.settings.proxy.timeouts) = time;
    }
}
