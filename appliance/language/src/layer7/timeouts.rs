//! The timeouts (HAProxy manual, section 4.2).

use std::time::Duration;

use lanai_model::layer7::Timeouts;

use super::args::Args;
use super::draft::ProxyDraft;
use super::table::Readers;

pub(super) const READERS: Readers<ProxyDraft> = &[
    ("timeout client", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.client)
    }),
    ("timeout server", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.server)
    }),
    ("timeout connect", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.connect)
    }),
    ("timeout check", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.check)
    }),
    ("timeout queue", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.queue)
    }),
    ("timeout http-keep-alive", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.http_keep_alive)
    }),
    ("timeout http-request", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.http_request)
    }),
    ("timeout tunnel", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.tunnel)
    }),
    ("timeout tarpit", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.tarpit)
    }),
    ("timeout client-fin", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.client_fin)
    }),
    ("timeout server-fin", |draft, args| {
        set(draft, args, |timeouts| &mut timeouts.server_fin)
    }),
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
