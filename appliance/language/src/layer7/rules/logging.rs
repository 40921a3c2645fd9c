//! Lines with a log format (HAProxy manual, sections 4.2 and 8.2.6).

use lanai_model::layer7::Format;

use super::{Pending, places};
use crate::codes;
use crate::layer7::acl::{WordFault, report};
use crate::layer7::args::Args;
use crate::layer7::draft::ProxyDraft;
use crate::layer7::format;
use crate::layer7::keyword::Sections;
use crate::layer7::sample::types::Places;

pub(super) fn log_format(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    if let Some(format) = format_line(draft, args, Places::LOG, "log-format") {
        draft.settings.rules.sets.log_format = Some(format);
    }
}

pub(super) fn log_format_sd(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    if let Some(format) = format_line(draft, args, Places::LOG, "log-format-sd") {
        draft.settings.rules.sets.log_format_sd = Some(format);
    }
}

pub(super) fn error_log_format(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    if let Some(format) = format_line(draft, args, Places::LOG, "error-log-format") {
        draft.settings.rules.sets.error_log_format = Some(format);
    }
}

pub(super) fn unique_id_format(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let at = places(
        draft,
        Places::FE_REQUEST_HEADERS,
        Places::BE_REQUEST_HEADERS,
    );
    if let Some(format) = format_line(draft, args, at, "unique-id") {
        draft.settings.rules.sets.unique_id_format = Some(format);
    }
}

pub(super) fn unique_id_header(draft: &mut ProxyDraft, args: &mut Args<'_>) {
    let Some(word) = args.take() else {
        let message = "unique-id-header expects an argument.";
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return;
    };
    // As in HAProxy, what follows is left alone.
    args.rest();
    draft.settings.rules.sets.unique_id_header = Some(word.text().as_ref().into());
}

/// The only argument, as a format.
fn format_line(
    draft: &mut ProxyDraft,
    args: &mut Args<'_>,
    at: Places,
    what: &str,
) -> Option<Format> {
    let name = args.name;
    let Some(word) = args.take() else {
        let message = format!("{name} expects an argument.");
        args.alert(codes::MISSING_ARGUMENT, args.head, message);
        return None;
    };
    if let Some(extra) = args.take() {
        let message = format!("{name} expects only one argument, don't forget to escape spaces!");
        args.alert(codes::UNEXPECTED_ARGUMENT, extra.span, message);
        args.rest();
        return None;
    }
    if draft.section == Sections::BACKEND && what != "unique-id" {
        let message = format!(
            "backend '{}' : '{name}' directive is ignored in backends.",
            draft.name()
        );
        args.warning(codes::WITHOUT_EFFECT, args.head, message);
        return None;
    }
    match format::parse(&word.value, at, true) {
        Ok(read) => {
            let context = match what {
                "unique-id" => "unique-id-format string",
                _ => "log-format string",
            };
            let found = Pending::all(word, read.references, context);
            draft.settings.rules.references.extend(found);
            if what == "log-format" {
                draft.settings.log_format_at = Some(args.head);
            }
            Some(read.format)
        }
        Err(fault) => {
            let context = format!("failed to parse {what}");
            let fault = WordFault::of(word, fault);
            report(fault, &context, args.sink);
            None
        }
    }
}
