//! Health checks: a TCP connection at intervals (HAProxy manual, section 5.2, `check`).

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use lanai_model::layer7::Check;
use lanai_traffic::health::{Health, Transition};
use tokio::net::{TcpSocket, UnixStream};
use tokio::task::JoinHandle;

use super::syslog::{ALERT, EMERG, NOTICE};
use crate::server::server_freed;
use crate::shared::Shared;
use crate::state::{Live, LiveBackend, LiveServer, ServerState, Target};
use crate::status::CheckResult;

/// The running checks, by [`ServerState::uid`].
#[derive(Default)]
pub(crate) struct Checks {
    running: HashMap<usize, (Plan, JoinHandle<()>)>,
}

/// What a check does. One that a change does not touch goes on undisturbed.
#[derive(Clone, PartialEq)]
struct Plan {
    check: Check,
    target: Target,
    limit: Duration,
}

/// First checks are spread over at most this long, so that a start is no burst.
const SPREAD: Duration = Duration::from_secs(1);

impl Checks {
    /// Makes the running checks those of `live`.
    pub(crate) fn follow(&mut self, live: &Live, shared: &Arc<Shared>) {
        let mut before = std::mem::take(&mut self.running);
        let servers: Vec<_> = live
            .backends
            .iter()
            .flat_map(|b| {
                b.conf
                    .servers
                    .iter()
                    .zip(&b.servers)
                    .map(move |(conf, server)| (b, conf, server))
            })
            .collect();
        let total = u32::try_from(servers.len()).unwrap_or(u32::MAX).max(1);
        for ((backend, conf, server), position) in servers.into_iter().zip(0..) {
            let Some(check) = conf.check else {
                unchecked(&server.state);
                continue;
            };
            let plan = Plan {
                check,
                target: server.target.clone(),
                limit: limit(&check, backend),
            };
            let uid = server.state.uid;
            let running = match before.remove(&uid) {
                Some((old, task)) if old == plan => (old, task),
                old => {
                    if let Some((_, task)) = old {
                        task.abort();
                    }
                    server.state.health().adopt(&check);
                    let delay = check.inter.min(SPREAD) * position / total;
                    let state = server.state.clone();
                    let name = backend.conf.name.clone();
                    let task = run(plan.clone(), state, name, shared.clone(), delay);
                    (plan, tokio::task::spawn_local(task))
                }
            };
            self.running.insert(uid, running);
        }
        for (_, task) in before.into_values() {
            task.abort();
        }
    }
}

fn limit(check: &Check, backend: &LiveBackend) -> Duration {
    // The manual, `timeout check`: when it is set, connecting is limited by `timeout connect`.
    match (backend.conf.timeouts.check, backend.conf.timeouts.connect) {
        (Some(_), Some(connect)) => connect.min(check.inter),
        _ => check.inter,
    }
}

fn unchecked(state: &ServerState) {
    state.health().health = None;
    state.up.store(true, Ordering::Relaxed);
}

impl crate::state::ServerHealth {
    fn adopt(&mut self, check: &Check) {
        self.health = Some(match self.health {
            None => Health::unproven(check.rise, check.fall),
            Some(health) => health.with_limits(check.rise, check.fall),
        });
    }
}

async fn run(
    plan: Plan,
    state: Arc<ServerState>,
    backend: Arc<str>,
    shared: Arc<Shared>,
    delay: Duration,
) {
    tokio::time::sleep(delay).await;
    let shared = Rc::new(shared);
    loop {
        let begun = Instant::now();
        let outcome = tokio::time::timeout(plan.limit, connect(&plan)).await;
        let duration = begun.elapsed();
        let (success, status, description) = match outcome {
            Ok(Ok(())) => (true, "L4OK", String::new()),
            Ok(Err(error)) => (false, "L4CON", plain(&error)),
            Err(_) => (false, "L4TOUT", String::new()),
        };
        let result = CheckResult {
            status,
            description,
            duration,
        };
        let pause = report(&plan, &state, &backend, &shared, success, result);
        // From start to start: the interval does not drift with what a check takes.
        tokio::time::sleep_until((begun + pause).into()).await;
    }
}

/// Takes in a result, tells what changed, and says how long to wait.
fn report(
    plan: &Plan,
    state: &Arc<ServerState>,
    backend: &Arc<str>,
    shared: &Shared,
    success: bool,
    result: CheckResult,
) -> Duration {
    let mut health = state.health();
    let Some(mut machine) = health.health else {
        return plan.check.inter;
    };
    let was_up = machine.is_up();
    let transition = machine.report(success);
    health.health = Some(machine);
    health.last = Some(result.clone());
    // The manual counts failures of a server that is up.
    health.failures += u64::from(!success && was_up);
    let pause = match (machine.is_settled(), machine.is_up()) {
        (false, _) => plan.check.fastinter.unwrap_or(plan.check.inter),
        (true, false) => plan.check.downinter.unwrap_or(plan.check.inter),
        (true, true) => plan.check.inter,
    };
    if let Some(transition) = transition {
        let since = health.changed.elapsed();
        health.changed = Instant::now();
        match transition {
            Transition::Down => health.downs += 1,
            Transition::Up => health.downtime += since,
        }
    }
    drop(health);
    if let Some(transition) = transition {
        state
            .up
            .store(transition == Transition::Up, Ordering::SeqCst);
        tell(state, backend, shared, transition, &result);
    }
    pause
}

fn tell(
    state: &ServerState,
    name: &Arc<str>,
    shared: &Shared,
    transition: Transition,
    result: &CheckResult,
) {
    let live = shared.live.load();
    let Some(backend) = live.backends.iter().find(|b| b.conf.name == *name) else {
        return;
    };
    let active = backend.servers.iter().filter(|s| s.may_serve()).count();
    let reason = match result.status {
        "L4OK" => "Layer4 check passed",
        "L4TOUT" => "Layer4 timeout",
        _ => "Layer4 connection problem",
    };
    let info = match result.description.as_str() {
        "" => String::new(),
        text => format!(", info: \"{text}\""),
    };
    let ms = result.duration.as_millis();
    let (word, level, rest) = match transition {
        Transition::Up => (
            "UP",
            NOTICE,
            "online. 0 sessions requeued, 0 total in queue",
        ),
        Transition::Down => (
            "DOWN",
            ALERT,
            "left. 0 sessions active, 0 requeued, 0 remaining in queue",
        ),
    };
    let message = format!(
        "Server {name}/{} is {word}, reason: {reason}{info}, check duration: {ms}ms. {active} active \
         and 0 backup servers {rest}.",
        state.name
    );
    tracing::info!("{message}");
    shared.log.send(&backend.log, level, message.into_bytes());

    let up = active > 0;
    let mut changed = backend
        .state
        .changed
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if changed.0 != up {
        *changed = (up, Instant::now());
        if !up {
            backend.state.downs.fetch_add(1, Ordering::Relaxed);
            let message = format!("backend {name} has no server available!");
            shared.log.send(&backend.log, EMERG, message.into_bytes());
        }
    }
    drop(changed);
    server_freed(backend);
}

async fn connect(plan: &Plan) -> io::Result<()> {
    match &plan.target {
        Target::Inet(ip, port) => {
            let port = plan.check.port.or(*port).unwrap_or(0);
            let socket = if ip.is_ipv4() {
                TcpSocket::new_v4()
            } else {
                TcpSocket::new_v6()
            }?;
            let stream = socket.connect(SocketAddr::new(*ip, port)).await?;
            // Closing with a reset leaves no TIME_WAIT behind, on neither side.
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))
        }
        Target::Unix(path) => UnixStream::connect(path).await.map(drop),
    }
}

/// The system's words without Rust's addition of the number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

impl LiveServer {
    /// What the statistics say of its state.
    pub(crate) fn status_words(&self) -> String {
        self.state
            .health()
            .health
            .map_or_else(|| "no check".to_owned(), |h| h.status())
    }
}
