//! A check (`-c`) or a run, from the first file read to the last connection.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use lanai_diagnostics::render;
use lanai_engine::{Engine, Files, PrepareError};
use lanai_model::layer7::Config;

use super::arguments::{Arguments, Master};
use super::background::{self, Side, Terminal};
use super::load::{self, Loaded};
use super::report::Report;
use super::takeover::Previous;
use super::{life, signals};
use crate::{facts, limits, notify};

/// The reason was reported; the process ends with this.
pub(super) struct Failed(ExitCode);

pub(super) type Outcome<T> = Result<T, Failed>;

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
pub(super) fn configuration(arguments: &Arguments, report: &mut Report) -> Outcome<Config> {
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
    let mut previous = Previous::new(arguments);
    let prepared = previous
        .prepare(&engine, config, &Disk, report)
        .map_err(|problems| refused(report, &problems))?;
    engine.swap(prepared);
    previous.stop(report);
    settle(arguments, report, pid_file, terminal)?;
    life::live(arguments, report, &engine, config, &signals)
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

pub(super) fn refused(report: &mut Report, problems: &[PrepareError]) -> Failed {
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

pub(super) fn alert(report: &mut Report, text: &str) -> Failed {
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
pub(super) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }
}
