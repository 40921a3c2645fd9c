//! `show stat`: one row for each frontend, server and backend (management guide, section 9.1).

use std::fmt::Write as _;

use lanai_model::layer7::AccessLevel;

use super::columns::COLUMNS;
use super::fields::{Form, write_json};
use super::rows::{Row, rows};
use crate::status::Status;

/// `show stat` with these words after it. User level sees no addresses, as with HAProxy.
pub(super) fn answer(status: &Status, arguments: &[&str], level: AccessLevel) -> String {
    let wanted = match Wanted::read(status, arguments) {
        Ok(wanted) => wanted,
        Err(message) => return message.to_owned(),
    };
    let rows = rows(status, &wanted, level >= AccessLevel::Operator);
    match wanted.form {
        Form::Plain => csv(&rows),
        Form::Typed => typed(&rows, wanted.describe),
        Form::Json => json(&rows),
    }
}

/// Which rows, and how.
pub(super) struct Wanted {
    /// This proxy only.
    pub(super) proxy: Option<u32>,
    /// Frontends too.
    pub(super) frontends: bool,
    /// Backends too.
    pub(super) backends: bool,
    /// Servers too.
    pub(super) servers: bool,
    /// This number within the proxy only; frontends and backends have 0.
    pub(super) sid: Option<u32>,
    /// No servers that are down.
    pub(super) only_up: bool,
    /// No servers in maintenance.
    pub(super) no_maint: bool,
    form: Form,
    describe: bool,
}

impl Wanted {
    /// `[domain proxy] [PROXY TYPES SID] [typed|json] [desc] [up] [no-maint]`. PROXY is a name or a
    /// number, TYPES a sum of 1 (frontends), 2 (backends) and 4 (servers), -1 stands for all.
    fn read(status: &Status, arguments: &[&str]) -> Result<Self, &'static str> {
        let mut rest = arguments;
        if let ["domain", domain, after @ ..] = rest {
            if *domain != "proxy" {
                return Err("Invalid statistics domain.\n");
            }
            rest = after;
        }
        let mut wanted = Self {
            proxy: None,
            frontends: true,
            backends: true,
            servers: true,
            sid: None,
            only_up: false,
            no_maint: false,
            form: Form::Plain,
            describe: false,
        };
        if let [proxy, types, sid, ..] = rest
            && !is_option(proxy)
        {
            wanted.proxy = proxy_number(status, proxy)?;
            // Anything that is no number selects nothing, as with HAProxy.
            let types: i64 = types.parse().unwrap_or(0);
            wanted.frontends = types & 1 != 0;
            wanted.backends = types & 2 != 0;
            wanted.servers = types & 4 != 0;
            wanted.sid = match sid.parse::<i64>().unwrap_or(0) {
                -1 => None,
                number => Some(u32::try_from(number).unwrap_or(u32::MAX)),
            };
        }
        for word in rest {
            match *word {
                "typed" => wanted.form = Form::Typed,
                "json" => wanted.form = Form::Json,
                "desc" => wanted.describe = true,
                "up" => wanted.only_up = true,
                "no-maint" => wanted.no_maint = true,
                _ => {}
            }
        }
        Ok(wanted)
    }
}

fn is_option(word: &str) -> bool {
    matches!(word, "typed" | "json" | "desc" | "up" | "no-maint")
}

fn proxy_number(status: &Status, word: &str) -> Result<Option<u32>, &'static str> {
    if let Ok(number) = word.parse::<i64>() {
        return Ok((number != -1).then(|| u32::try_from(number).unwrap_or(u32::MAX)));
    }
    let frontend = status.frontends.iter().find(|f| &*f.name == word);
    let backend = status.backends.iter().find(|b| &*b.name == word);
    match (frontend, backend) {
        (Some(frontend), _) => Ok(Some(frontend.id)),
        (None, Some(backend)) => Ok(Some(backend.id)),
        (None, None) => Err("No such proxy.\n"),
    }
}

fn csv(rows: &[Row]) -> String {
    let mut out = String::from("# ");
    for field in COLUMNS {
        out.push_str(field.name);
        out.push(',');
    }
    out.push('\n');
    for row in rows {
        for value in &row.values {
            value.write_csv(&mut out);
            out.push(',');
        }
        out.push('\n');
    }
    out
}

fn typed(rows: &[Row], describe: bool) -> String {
    let mut out = String::new();
    for row in rows {
        for (position, field, value) in row.known() {
            let (letter, proxy, id, name) = (row.letter, row.proxy, row.id, field.name);
            let _ = write!(out, "{letter}.{proxy}.{id}.{position}.{name}.1");
            value.write_typed(field.tags, &mut out);
            if describe {
                let _ = write!(out, ":\"{}\"", field.text);
            }
            out.push('\n');
        }
    }
    out
}

fn json(rows: &[Row]) -> String {
    let mut out = String::from("[");
    for (number, row) in rows.iter().enumerate() {
        out.push_str(if number == 0 { "[" } else { ",[" });
        let owner = row.owner();
        for (number, (position, field, value)) in row.known().enumerate() {
            if number > 0 {
                out.push(',');
            }
            write_json(&owner, position, field, value, &mut out);
        }
        out.push(']');
    }
    out.push_str("]\n");
    out
}
