//! The two children: started from our own program file, started again when they die.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;
use tokio::sync::watch;

use super::STOP_LIMIT;
use super::place::{Place, inherited};
use crate::rights::Identity;
use crate::settings::Settings;

/// First pause before a child that died at once is started again; it doubles up to [`PAUSE_MOST`].
const PAUSE_LEAST: Duration = Duration::from_millis(100);
const PAUSE_MOST: Duration = Duration::from_secs(10);
/// A child that lived this long is started again at once.
const STEADY: Duration = Duration::from_secs(10);

/// What a child is to do, from its keeper's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Run, and run again.
    Run,
    /// End now.
    Stop,
    /// The engine may finish its connections first.
    Finish,
}

/// How to start one child.
#[derive(Debug)]
pub(super) struct Child {
    name: &'static str,
    listener: io::Result<UnixListener>,
    arguments: Vec<String>,
    paths: Vec<(&'static str, PathBuf)>,
    /// The signal for [`Order::Finish`].
    finish: Signal,
}

impl Child {
    /// The control process.
    pub(super) fn control(place: &Place, settings: &Settings, user: Identity) -> Child {
        Child {
            name: "control",
            listener: place.control_listener(),
            arguments: vec![
                "control".to_owned(),
                format!("--user={}:{}", user.uid, user.gid),
                format!("--ui={}", settings.ui.listen),
            ],
            paths: vec![
                ("--config", place.config().to_owned()),
                ("--state", place.state().to_owned()),
                ("--run", place.run().to_owned()),
            ],
            finish: Signal::SIGTERM,
        }
    }

    /// The engine, which answers `control` and root.
    pub(super) fn engine(
        place: &Place,
        settings: &Settings,
        control: Identity,
        user: Identity,
    ) -> Child {
        let mut arguments = vec![
            "proxy".to_owned(),
            "--engine".to_owned(),
            format!("--user={}:{}", user.uid, user.gid),
            format!("--answer={}", control.uid),
        ];
        if let Some(threads) = settings.engine.threads {
            arguments.push(format!("--threads={threads}"));
        }
        Child {
            name: "engine",
            listener: place.engine_listener(),
            arguments,
            paths: vec![
                ("--config", place.config().to_owned()),
                ("--run", place.run().to_owned()),
            ],
            finish: Signal::SIGUSR1,
        }
    }

    fn start(&self) -> io::Result<tokio::process::Child> {
        // A copy for this one start: it is inheritable, and closed here right after.
        let listener = match &self.listener {
            Ok(listener) => listener.try_clone()?,
            Err(error) => return Err(io::Error::new(error.kind(), error.to_string())),
        };
        let descriptor = inherited(&listener)?.as_raw_fd();
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0("lanai")
            .args(&self.arguments)
            .arg(format!("--listener={descriptor}"));
        for (flag, path) in &self.paths {
            command.arg(flag).arg(path);
        }
        // Nothing of whoever started the service leaks in, save what is for us.
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        for name in ["LANAI_LOG", "TZ", "RUST_BACKTRACE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // A group of its own: Ctrl-C is for the parent, which then stops its children in order.
        command
            .stdin(Stdio::null())
            .current_dir("/")
            .process_group(0)
            .spawn()
    }
}

/// Keeps a child running until it is ordered to stop.
pub(super) async fn keep(child: Child, mut order: watch::Receiver<Order>) {
    let mut pause = PAUSE_LEAST;
    while *order.borrow() == Order::Run {
        let started = Instant::now();
        match child.start() {
            Ok(mut process) => {
                tracing::info!(pid = process.id(), "started {}", child.name);
                tokio::select! {
                    status = process.wait() => ended(child.name, status),
                    _ = ordered(&mut order) => return end(&child, process, order).await,
                }
            }
            Err(error) => tracing::error!(%error, "cannot start {}", child.name),
        }
        if started.elapsed() >= STEADY {
            pause = PAUSE_LEAST;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = ordered(&mut order) => return,
        }
        pause = (pause * 2).min(PAUSE_MOST);
    }
}

/// Waits for an order to end. A parent that is gone can no longer give one.
async fn ordered(order: &mut watch::Receiver<Order>) -> Order {
    order
        .wait_for(|order| *order != Order::Run)
        .await
        .map_or(Order::Stop, |order| *order)
}

async fn end(child: &Child, mut process: tokio::process::Child, mut order: watch::Receiver<Order>) {
    if *order.borrow_and_update() == Order::Finish {
        // Finishing has a limit of its own, `hard-stop-after`, and somebody may lose patience.
        tell(&process, child.finish);
        tokio::select! {
            status = process.wait() => {
                return tracing::info!("{} has ended: {}", child.name, describe(status));
            }
            _ = order.wait_for(|order| *order == Order::Stop) => {}
        }
    }
    tell(&process, Signal::SIGTERM);
    if let Ok(status) = tokio::time::timeout(STOP_LIMIT, process.wait()).await {
        tracing::info!("{} has ended: {}", child.name, describe(status));
    } else {
        tracing::warn!("{} does not end and is killed", child.name);
        // It fails only for a process that has ended.
        let _ = process.kill().await;
    }
}

fn tell(process: &tokio::process::Child, signal: Signal) {
    if let Some(pid) = process.id().and_then(|pid| i32::try_from(pid).ok()) {
        // It may have ended just now; then there is nothing left to tell it.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

fn ended(name: &str, status: io::Result<ExitStatus>) {
    tracing::error!(
        "{name} has ended by itself: {}; it is started again",
        describe(status)
    );
}

fn describe(status: io::Result<ExitStatus>) -> String {
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}
