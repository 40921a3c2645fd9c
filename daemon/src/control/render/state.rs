//! How things are.

use lanai_control::{EngineStatus, Repairs, Status};
use lanai_network::Observed;
use serde_json::json;

use super::change::on_trial;
use super::{Ink, Paper, lasting, moment, table};
use crate::wire::shell::{Part, Reply};

/// `rtm_protocol` of routes that the kernel itself makes (`linux/rtnetlink.h`).
const KERNEL: u8 = 2;

/// `lanai status`.
pub(in crate::control) fn status(paper: Paper, status: &Status) -> Reply {
    paper.reply(true, || whole(paper, status), || json!(status))
}

/// `lanai show PART`.
pub(in crate::control) fn part(paper: Paper, status: &Status, part: Part) -> Reply {
    let (network, engine) = (status.network.as_ref(), status.engine.as_ref());
    match part {
        Part::Interfaces => told(
            paper,
            network,
            |seen| interfaces(paper, seen),
            |seen| json!({ "links": seen.links, "addresses": seen.addresses }),
        ),
        Part::Routes => told(paper, network, routes, |seen| json!(seen.routes)),
        Part::Stat => told(
            paper,
            engine,
            |seen| traffic(paper, seen),
            |seen| json!({ "frontends": seen.frontends, "backends": seen.backends }),
        ),
        Part::Info => told(
            paper,
            engine,
            info,
            |seen| json!({ "pid": seen.pid, "uptime_s": seen.uptime_s, "version": seen.version }),
        ),
    }
}

fn told<T>(
    paper: Paper,
    seen: Result<&T, &String>,
    text: impl FnOnce(&T) -> String,
    data: impl FnOnce(&T) -> serde_json::Value,
) -> Reply {
    match seen {
        Ok(seen) => paper.reply(true, || text(seen), || data(seen)),
        Err(reason) => paper.refused(reason),
    }
}

fn whole(paper: Paper, status: &Status) -> String {
    let mut text = match &status.live {
        Some(live) => {
            let when = format!("since {} by {}", moment(live.created_ms), live.author);
            format!(
                "revision {} is live {}\n",
                live.id,
                paper.ink(Ink::Faint, &when)
            )
        }
        None => "no revision is live yet\n".to_owned(),
    };
    if let Some(trial) = &status.trial {
        text += &on_trial(paper, trial);
    }
    if let Some(holder) = &status.busy {
        text += &format!(
            "{} ({}) is changing the configuration\n",
            holder.name, holder.from
        );
    }
    for notice in &status.notices {
        text += &format!("{}: {notice}\n", paper.ink(Ink::Warning, "notice"));
    }
    for step in status.drift.steps() {
        text += &format!(
            "{}: to do: {step}\n",
            paper.ink(Ink::Warning, "the network has changed")
        );
    }
    text += &repairs(paper, &status.repairs);
    text.push('\n');
    match &status.network {
        Ok(seen) => {
            text += &paper.heading("Interfaces");
            text += &interfaces(paper, seen);
            text += &paper.heading("\nRoutes");
            text += &routes(seen);
        }
        Err(reason) => text += &format!("{}: {reason}\n", paper.ink(Ink::Bad, "network")),
    }
    match &status.engine {
        Ok(seen) => {
            text += &paper.heading("\nEngine");
            text += &info(seen);
            text += &traffic(paper, seen);
        }
        Err(reason) => text += &format!("{}: {reason}\n", paper.ink(Ink::Bad, "engine")),
    }
    text
}

/// How often something was put back, the last time, and what waits.
fn repairs(paper: Paper, repairs: &Repairs) -> String {
    let mut text = String::new();
    if let Some(last) = repairs.latest.first() {
        let (what, failed) = match &last.failed {
            None => ("put back", String::new()),
            Some(why) => ("not put back", format!(": {why}")),
        };
        text += &format!(
            "{}: {} since the start, last {}: {}{failed}\n",
            paper.ink(Ink::Warning, &format!("the network was {what}")),
            times(repairs.count),
            moment(last.at_ms),
            last.steps.join("; "),
        );
    }
    for held in &repairs.held {
        text += &format!(
            "{}: it is put back again {}: {}\n",
            paper.ink(Ink::Bad, "somebody keeps changing the network"),
            moment(held.until_ms),
            held.step
        );
    }
    text
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

fn interfaces(paper: Paper, seen: &Observed) -> String {
    let row = |link: &lanai_network::ObservedLink| {
        let state = match (link.up, link.carrier) {
            (true, true) => paper.ink(Ink::Good, "up        "),
            (true, false) => paper.ink(Ink::Warning, "no carrier"),
            (false, _) => paper.ink(Ink::Bad, "down      "),
        };
        let addresses = seen
            .addresses_of(&link.name)
            .map(|one| one.address.net.to_string());
        let addresses = addresses.collect::<Vec<_>>().join(" ");
        vec![format!("  {}", link.name), format!("{state}  {addresses}")]
    };
    table(&seen.links.iter().map(row).collect::<Vec<_>>())
}

/// Routes of the main table, and whose they are if not ours.
fn routes(seen: &Observed) -> String {
    let main = seen
        .routes
        .iter()
        .filter(|one| one.route.table == lanai_network::TABLE_MAIN);
    main.map(|one| {
        let whose = match one.protocol {
            _ if one.is_ours() => "",
            KERNEL => " (by the kernel, for an address)",
            _ => " (not ours)",
        };
        format!("  {}{whose}\n", one.route)
    })
    .collect()
}

fn info(seen: &EngineStatus) -> String {
    format!(
        "  version {}, process {}, up {}\n",
        seen.version,
        seen.pid,
        lasting(seen.uptime_s)
    )
}

fn traffic(paper: Paper, seen: &EngineStatus) -> String {
    let mut text = String::new();
    for frontend in &seen.frontends {
        text += &format!(
            "  frontend {} ({}): {}, {} sessions now, {} in all, {} requests\n",
            paper.ink(Ink::Strong, &frontend.name),
            frontend.mode,
            frontend.status,
            frontend.cur,
            frontend.total,
            frontend.requests,
        );
        for listener in &frontend.listeners {
            let interface = listener.interface.as_ref();
            let interface = interface.map_or_else(String::new, |name| format!(" interface {name}"));
            text += &format!("    {}{interface}\n", listener.address);
        }
    }
    for backend in &seen.backends {
        let state = if backend.status == "UP" {
            Ink::Good
        } else {
            Ink::Bad
        };
        text += &format!(
            "  backend {} ({}): {}, {} sessions now, {} in all\n",
            paper.ink(Ink::Strong, &backend.name),
            backend.mode,
            paper.ink(state, &backend.status),
            backend.cur,
            backend.total,
        );
        let rows = backend.servers.iter().map(|server| {
            vec![
                format!("    {}", server.name),
                server.address.clone(),
                server.status.clone(),
                format!("for {}", lasting(server.since_s)),
                format!("weight {}", server.weight),
                format!("{} now, {} in all", server.cur, server.total),
                server.last_check.clone(),
            ]
        });
        text += &table(&rows.collect::<Vec<_>>());
    }
    text
}
