//! From the first connection to the last: what signals ask of a running proxy.

use std::process::ExitCode;

use lanai_engine::{Engine, Status};
use lanai_model::layer7::Config;

use super::arguments::{Arguments, Master};
use super::report::Report;
use super::run::{Disk, Outcome, alert, configuration, refused};
use super::signals::{Signals, Wish};
use crate::notify;

/// Does what signals ask for, until one says to finish and the last connection is gone.
pub(super) fn live(
    arguments: &Arguments,
    report: &mut Report,
    engine: &Engine,
    config: &Config,
    signals: &Signals,
) -> Outcome<ExitCode> {
    let mut hard_stop_after = config.global.hard_stop_after;
    loop {
        match signals.wait() {
            Ok(Wish::Tell) => tell(report, engine),
            Ok(Wish::Reload) if arguments.master != Master::No => {
                if let Some(config) = reload(arguments, report, engine) {
                    hard_stop_after = config.global.hard_stop_after;
                }
            }
            Ok(Wish::Reload) => {}
            Ok(Wish::Finish) => break,
            Err(error) => return Err(alert(report, &format!("signals: {error}"))),
        }
    }
    engine.soft_stop(lanai_engine::IdleClients::Close);
    stopped(report, &engine.status());
    if !engine.wait_drained(hard_stop_after) {
        report.warning("soft-stop running for too long, performing a hard-stop.");
    }
    Ok(ExitCode::SUCCESS)
}

/// SIGUSR2 with `-W`: the new configuration takes over, or nothing changes.
fn reload(arguments: &Arguments, report: &mut Report, engine: &Engine) -> Option<Config> {
    let tell = |state: &str| {
        if arguments.master == Master::Notify {
            // Whoever sent the signal sees the outcome in the log as well.
            let _ = notify::notify(state);
        }
    };
    tell("RELOADING=1\nSTATUS=Reloading Configuration.\n");
    let mut fresh = Report::new(arguments.quiet && !arguments.debug);
    let config = configuration(arguments, &mut fresh).ok();
    let prepared = config.as_ref().and_then(|config| {
        engine
            .prepare(config, &Disk)
            .map_err(|problems| refused(&mut fresh, &problems))
            .ok()
    });
    if let Some(prepared) = prepared {
        engine.swap(prepared);
        report.notice("the configuration was reloaded");
        tell("READY=1\nSTATUS=Ready.\n");
        config
    } else {
        report.warning("the configuration was not reloaded; the previous one goes on");
        tell("READY=1\nSTATUS=Reload failed!\n");
        None
    }
}

/// SIGHUP: what HAProxy says of each proxy and server.
fn tell(report: &mut Report, engine: &Engine) {
    report.warning("SIGHUP received, dumping servers states.");
    let status = engine.status();
    for backend in &status.backends {
        for server in &backend.servers {
            report.warning(&format!(
                "SIGHUP: Server {}/{} is {}. Conn: {} act, 0 pend, {} tot.",
                backend.name,
                server.name,
                if server.up { "UP" } else { "DOWN" },
                server.counters.current,
                server.counters.total,
            ));
        }
        report.warning(&format!(
            "SIGHUP: Proxy {} has {} active servers and 0 backup servers available. \
             Conn: act(FE+BE): 0+{}, {} pend (0 unass), tot(FE+BE): 0+{}.",
            backend.name,
            backend.servers.iter().filter(|server| server.up).count(),
            backend.counters.current,
            backend.queued,
            backend.counters.total,
        ));
    }
    for frontend in &status.frontends {
        report.warning(&format!(
            "SIGHUP: Proxy {} has no servers. Conn: act(FE+BE): {}+0, 0 pend (0 unass), \
             tot(FE+BE): {}+0.",
            frontend.name, frontend.counters.current, frontend.counters.total,
        ));
    }
}

fn stopped(report: &mut Report, status: &Status) {
    let frontends = status
        .frontends
        .iter()
        .map(|one| (&one.name, one.counters.total, 0));
    let backends = status
        .backends
        .iter()
        .map(|one| (&one.name, 0, one.counters.total));
    for (name, front, back) in frontends.chain(backends) {
        report.warning(&format!(
            "Proxy {name} stopped (cumulated conns: FE: {front}, BE: {back})."
        ));
    }
}
