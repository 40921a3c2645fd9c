//! Actions on how a stream goes on.

use std::time::Duration;

use lanai_model::layer7::{Action, CaptureSlot, Figure, TimeoutKind};

use super::reading::Reading;
use super::table::Sets;
use super::{Named, Pending};
use crate::codes;
use crate::layer7::sample::{self, Wants};
use crate::value::{self, shown};

/// `expect-proxy layer4` and `expect-netscaler-cip layer4`.
pub(super) fn layer4(reading: &mut Reading<'_, '_>, action: Action) -> Option<Action> {
    if reading.args.take_if("layer4").is_some() {
        return Some(action);
    }
    let word = reading.args.take();
    let text = word.map(|word| shown(&word.value)).unwrap_or_default();
    let span = word.map_or(reading.word.span, |word| word.span);
    reading.fault(span, format!("only supports 'layer4' (got '{text}')"))
}

pub(super) fn attach_server(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [word] = reading.words("expects a server")?;
    let text = word.text().into_owned();
    let (backend, server) = match text.split_once('/') {
        Some((backend, server)) => (Some(backend), server),
        None => (None, text.as_str()),
    };
    let wants = Wants::Server(backend.map(str::to_owned), server.to_owned());
    let found = Pending::named(word, wants, "by attach-srv");
    reading.draft.settings.rules.references.push(found);
    let name = match reading.args.take_if("name") {
        Some(_) => Some(reading.expression()?),
        None => None,
    };
    Some(Action::AttachServer {
        backend: backend.map(Into::into),
        server: server.into(),
        name,
    })
}

pub(super) fn cache_use(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [name] = reading.words("expects a cache name")?;
    reading
        .draft
        .settings
        .named
        .push((Named::Cache, name.text().into(), name.span));
    // It changes what clients are told early, which is not built.
    reading.args.take_if("no-early-hints");
    Some(Action::CacheUse(name.text().as_ref().into()))
}

pub(super) fn cache_store(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [name] = reading.words("expects a cache name")?;
    reading
        .draft
        .settings
        .named
        .push((Named::Cache, name.text().into(), name.span));
    Some(Action::CacheStore(name.text().as_ref().into()))
}

pub(super) fn capture(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let expects = "expects <expression> [ 'len' <length> | id <idx> ]";
    let sample = reading.expression()?;
    let Some(option) = reading.args.take() else {
        return reading.fault(reading.args.end(), expects);
    };
    let responses = reading.set != Sets::HTTP_REQUEST && reading.set != Sets::CONTENT;
    let value = reading.option(option, expects)?;
    let number = value.text().parse::<u32>().ok();
    match option.text().as_ref() {
        "len" if responses => reading.fault(option.span, "expects 'id', found 'len'"),
        "len" => {
            let Some(len) = number.filter(|len| *len > 0) else {
                return reading.fault(value.span, "length must be > 0");
            };
            let slots = &mut reading.draft.settings.rules.sets.request_captures;
            let slot = slots.len();
            slots.push(CaptureSlot { header: None, len });
            Some(Action::Capture { sample, slot })
        }
        "id" => {
            let slot = number.and_then(|slot| usize::try_from(slot).ok());
            let Some(slot) = slot else {
                return reading.fault(value.span, "Cannot parse 'id', positive integer expected");
            };
            let settings = &mut reading.draft.settings;
            settings.slots.push((responses, slot, value.span));
            Some(Action::Capture { sample, slot })
        }
        _ => reading.fault(option.span, expects),
    }
}

pub(super) fn do_log(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let profile = match reading.args.take_if("profile") {
        Some(option) => {
            let word = reading.option(option, "'profile' expects a log profile's name")?;
            Some(word.text().as_ref().into())
        }
        None => None,
    };
    Some(Action::DoLog { profile })
}

pub(super) fn do_resolve(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let word = reading.word;
    let inner = reading
        .inner()
        .map(|(inner, _)| String::from_utf8_lossy(inner).into_owned());
    let parts: Vec<String> = inner
        .iter()
        .flat_map(|inner| inner.split(','))
        .map(|part| part.trim().to_owned())
        .collect();
    let options = parts.get(2..).unwrap_or_default();
    let known = options
        .iter()
        .all(|option| option == "ipv4" || option == "ipv6");
    let ([variable, resolvers, ..], true) = (parts.as_slice(), known) else {
        let message = format!(
            "Can't parse '{}'. Expects 'do-resolve(<varname>,<resolvers>[,<options>]) <expr>'. \
             Available options are 'ipv4' and 'ipv6'",
            shown(&word.value)
        );
        return reading.fault(word.span, message);
    };
    let variable = match sample::variable(variable.as_bytes()) {
        Ok(variable) => variable,
        Err(message) => return reading.fault(word.span, message),
    };
    reading
        .draft
        .settings
        .named
        .push((Named::Resolvers, resolvers.as_str().into(), word.span));
    Some(Action::DoResolve {
        variable,
        resolvers: resolvers.as_str().into(),
        prefer_ipv4: options.last().map(|option| option == "ipv4"),
        name: reading.expression()?,
    })
}

pub(super) fn pause(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let expects = "expects a time or an expression";
    Some(Action::Pause(reading.figure(expects, time)?))
}

fn time(text: &str) -> Option<Duration> {
    value::duration(text).ok()
}

pub(super) fn spoe_group(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [engine, group] = reading.words("expects 2 arguments: <engine-id> <group-id>")?;
    Some(Action::SendSpoeGroup {
        engine: engine.text().as_ref().into(),
        group: group.text().as_ref().into(),
    })
}

pub(super) fn bandwidth_limit(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [name] = reading.words("missing the filter name")?;
    let (mut limit, mut period) = (None, None);
    loop {
        if reading.args.take_if("limit").is_some() {
            limit = Some(reading.figure("expects a size or an expression", bytes)?);
        } else if reading.args.take_if("period").is_some() {
            period = Some(reading.figure("expects a time or an expression", time)?);
        } else {
            break;
        }
    }
    Some(Action::SetBandwidthLimit {
        filter: name.text().as_ref().into(),
        limit,
        period,
    })
}

/// A number of bytes, with `k`, `m` or `g`.
fn bytes(text: &str) -> Option<u64> {
    value::size(text, 0..=u32::MAX).ok().map(u64::from)
}

/// Levels of syslog, the worst first (RFC 5424, section 6.2.1).
const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];

pub(super) fn log_level(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let expects = "expects exactly 1 argument (log level name or 'silent')";
    let [word] = reading.words(expects)?;
    if word.is("silent") {
        return Some(Action::SetLogLevel(None));
    }
    let level = LEVELS.iter().position(|level| word.is(level));
    match level.and_then(|level| u8::try_from(level).ok()) {
        Some(level) => Some(Action::SetLogLevel(Some(level))),
        None => reading.fault(word.span, expects),
    }
}

pub(super) fn nice(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [word] = reading.words("expects exactly 1 argument (integer value)")?;
    match word.text().parse::<i32>() {
        Ok(nice) => Some(Action::SetNice(nice.clamp(-1024, 1024))),
        Err(_) => {
            let message = format!(
                "'{}' is no number: HAProxy takes it for 0",
                shown(&word.value)
            );
            reading
                .args
                .warning(codes::PART_WITHOUT_EFFECT, word.span, message);
            Some(Action::SetNice(0))
        }
    }
}

pub(super) fn priority(reading: &mut Reading<'_, '_>, class: bool) -> Option<Action> {
    Some(Action::SetPriority {
        class,
        value: reading.expression()?,
    })
}

pub(super) fn retries(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let expects = "expects a number or an expression";
    let value = reading.figure(expects, |text| text.parse().ok())?;
    Some(Action::SetRetries(value))
}

pub(super) fn timeout(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let expects = "expects exactly 2 arguments";
    let [word] = reading.words(expects)?;
    let which = match word.text().as_ref() {
        "client" => TimeoutKind::Client,
        "connect" => TimeoutKind::Connect,
        "queue" => TimeoutKind::Queue,
        "server" => TimeoutKind::Server,
        "tarpit" => TimeoutKind::Tarpit,
        "tunnel" => TimeoutKind::Tunnel,
        _ => {
            let message = format!(
                "'{}' is no timeout that can be set here: 'client', 'connect', 'queue', 'server', \
                 'tarpit' or 'tunnel'",
                shown(&word.value)
            );
            return reading.fault(word.span, message);
        }
    };
    let back = reading.draft.is_back() || reading.draft.is_defaults();
    if !back && !matches!(which, TimeoutKind::Client | TimeoutKind::Tarpit) {
        let name = reading.draft.name().clone();
        let message = format!("proxy '{name}' has no backend capability");
        return reading.fault(word.span, message);
    }
    let value = reading.figure(expects, time)?;
    if matches!(value, Figure::Constant(time) if time.is_zero()) {
        return reading.fault(
            word.span,
            "null value is not valid for a 'set-timeout' rule",
        );
    }
    Some(Action::SetTimeout { which, value })
}

pub(super) fn switch_mode(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [mode] = reading.words("expects a mode as argument")?;
    if !mode.is("http") {
        return reading.fault(mode.span, "expects 'http' as mode");
    }
    let proto = match reading.args.take_if("proto") {
        Some(option) => {
            let word = reading.option(option, "'proto' expects a protocol name")?;
            Some(word.text().as_ref().into())
        }
        None => None,
    };
    Some(Action::SwitchToHttp { proto })
}

pub(super) fn service(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let [name] = reading.words("'use-service' expects a service name")?;
    let text = name.text();
    match text == "prometheus-exporter" || text.starts_with("lua.") {
        true => Some(Action::UseService(text.as_ref().into())),
        false => {
            let message = format!("'{}' unknown service name", shown(&name.value));
            reading.fault(name.span, message)
        }
    }
}

pub(super) fn wait_for_body(reading: &mut Reading<'_, '_>) -> Option<Action> {
    let expects = "expects time <time> [ at-least <bytes> ]";
    let (mut wait, mut at_least) = (None, None);
    while let Some(option) = reading
        .args
        .peek()
        .filter(|word| word.is("time") || word.is("at-least"))
    {
        reading.args.take();
        let missing = format!("missing argument for '{}'", option.text());
        let word = reading.option(option, &missing)?;
        if option.is("time") {
            wait = Some(reading.time(word)?);
        } else {
            match bytes(&word.text()) {
                Some(size) => at_least = Some(size),
                None => {
                    let message = format!("unexpected value '{}'", shown(&word.value));
                    return reading.fault(word.span, message);
                }
            }
        }
    }
    match wait {
        Some(time) => Some(Action::WaitForBody { time, at_least }),
        None => reading.fault(reading.word.span, expects),
    }
}
