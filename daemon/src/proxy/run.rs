//! A check (`-c`) or a run, from the first file read to the last connection.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use lanai_diagnostics::render;
use lanai_engine::{Engine, Files, PrepareError, Status};
use lanai_model::layer7::Config;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::arguments::{Arguments, Master};
use super::background::{self, Side, Terminal};
use super::load::{self, Loaded};
use super::report::Report;
use super::signals::{self, Signals, Wish};
use crate::{facts, limits, notify};

/// The reason was reported; the process ends with this.
struct Failed(ExitCode);

type Outcome<T> = Result<T, Failed>;

/// Checks or runs; returns when there is nothing left to do.
pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let mut report = Report::new(arguments.quiet && !arguments.debug);
    match go(arguments, &mut report) {
        Ok(code) => code,
        Err(Failed(code)) => code,
    }
}

fn go(arguments: &Arguments, report: &mut Report) -> Outcome<ExitCode> {
    if let Some(directory) = &arguments.directory
        && let Err(error) = std::env::set_current_dir(directory)
    {
        let reason = system_words(&error);
        let text = format!(
            "Could not change to directory {} : {reason}",
            directory.display()
        );
        return Err(alert(report, &text));
    }
    let config = configuration(arguments, report)?;
    let listens = !config.global.stats_sockets.is_empty()
        || config.proxies.iter().any(|proxy| !proxy.binds.is_empty());
    if arguments.check {
        return Ok(checked(arguments, report, listens));
    }
    if !listens {
        let text =
            "[haproxy.main()] No enabled listener found (check for 'bind' directives) ! Exiting.";
        return Err(alert(report, text));
    }
    start(arguments, report, &config)
}

/// Reads the configuration and reports everything there is to say about it.
fn configuration(arguments: &Arguments, report: &mut Report) -> Outcome<Config> {
    match load::load(arguments, report) {
        Ok(Loaded {
            config: Some(_), ..
        }) if arguments.zero_warning && report.warned() => {
            let text = "config : Some warnings were found and 'zero-warning' is set. Aborting.";
            Err(alert(report, text))
        }
        Ok(Loaded {
            config: Some(config),
        }) => Ok(config),
        Ok(Loaded { config: None }) => Err(Failed(ExitCode::from(1))),
        Err(error) => Err(alert(report, &error.to_string())),
    }
}

/// The end of `-c`. From HAProxy 3.0 on a valid configuration is praised only with `-V`.
fn checked(arguments: &Arguments, report: &Report, listens: bool) -> ExitCode {
    let say = |text: &str| {
        if !arguments.quiet {
            println!("{text}");
        }
    };
    if !listens {
        say(render::will_not_start());
        return ExitCode::from(2);
    }
    if report.warned() {
        say(render::WARNINGS_FOUND);
    }
    if arguments.verbose {
        say(render::VALID);
    }
    ExitCode::SUCCESS
}

fn start(arguments: &Arguments, report: &mut Report, config: &Config) -> Outcome<ExitCode> {
    // Opened now, while a failure still costs nothing; written when everything listens.
    let pid_file = arguments.pid_file.as_deref().map(|path| {
        File::create(path).map_err(|_| {
            alert(
                report,
                &format!("[haproxy.main()] Cannot create pidfile {}", path.display()),
            )
        })
    });
    let pid_file = pid_file.transpose()?;
    let background = arguments.daemonise && !arguments.foreground && !arguments.debug;
    let terminal = if background {
        match background::fork_off() {
            Ok(Side::First(code)) => return Ok(code),
            Ok(Side::Second(terminal)) => {
                report.renew_pid();
                Some(terminal)
            }
            Err(error) => {
                return Err(alert(
                    report,
                    &format!("[haproxy.main()] Cannot fork : {error}"),
                ));
            }
        }
    } else {
        None
    };
    let signals = signals::take().map_err(|error| alert(report, &format!("signals: {error}")))?;
    limits::raise_descriptors(None);
    let engine = Engine::start(facts::engine_settings(
        &config.global,
        None,
        arguments.max_connections,
    ));
    let engine = engine.map_err(|error| alert(report, &crate::chain(&error)))?;
    let prepared = engine
        .prepare(config, &Disk)
        .map_err(|problems| refused(report, &problems))?;
    engine.swap(prepared);
    settle(arguments, report, pid_file, terminal)?;
    serve(arguments, report, &engine, config, &signals)
}

/// Everything listens: tell all who wait for that.
fn settle(
    arguments: &Arguments,
    report: &mut Report,
    pid_file: Option<File>,
    terminal: Option<Terminal>,
) -> Outcome<()> {
    if let Some(mut file) = pid_file
        && let Err(error) = writeln!(file, "{}", std::process::id())
    {
        return Err(alert(
            report,
            &format!("[haproxy.main()] Cannot write pidfile : {error}"),
        ));
    }
    let (signal, name) = if arguments.previous_at_once {
        (Signal::SIGTERM, "SIGTERM")
    } else {
        (Signal::SIGUSR1, "SIGUSR1")
    };
    for &pid in &arguments.previous {
        if let Err(error) = kill(Pid::from_raw(pid), signal) {
            report.notice(&format!(
                "process {pid} could not be sent {name}: {}",
                error.desc()
            ));
        }
    }
    if arguments.master == Master::Notify
        && let Err(error) = notify::notify(&format!("READY=1\nMAINPID={}\n", std::process::id()))
    {
        report.warning(&format!("the service manager could not be told: {error}"));
    }
    if let Some(terminal) = terminal
        && let Err(error) = terminal.leave()
    {
        return Err(alert(
            report,
            &format!("[haproxy.main()] Cannot leave the terminal : {error}"),
        ));
    }
    Ok(())
}

/// Waits for signals until one says to finish.
fn serve(
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
    engine.soft_stop();
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

fn refused(report: &mut Report, problems: &[PrepareError]) -> Failed {
    for problem in problems {
        match &problem.origin {
            Some(origin) => report.alert(&format!("config : [{origin}] : {}", problem.message)),
            None => report.alert(&format!("config : {}", problem.message)),
        }
    }
    alert(
        report,
        "[haproxy.main()] Some protocols failed to start their listeners! Exiting.",
    )
}

fn alert(report: &mut Report, text: &str) -> Failed {
    report.alert(text);
    Failed(ExitCode::from(1))
}

/// The system's words without the number that Rust adds.
pub(crate) fn system_words(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(
        || error.to_string(),
        |number| nix::errno::Errno::from_raw(number).desc().to_owned(),
    )
}

/// Files by their path, as HAProxy finds them.
struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }
}
