//! Health checks: a TCP connection at intervals (HAProxy manual, section 5.2, `check`).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lanai_model::layer7::{Check, Source};
use lanai_traffic::condition::Operation;
use lanai_traffic::health::Transition;
use tokio::net::{TcpSocket, UnixStream};
use tokio::task::JoinHandle;

use super::syslog::{ALERT, NOTICE};
use crate::io::{Ports, TRIES};
use crate::overrides::{publish, tell_server};
use crate::server::source::{self, Lack};
use crate::server::standing_changed;
use crate::shared::Shared;
use crate::state::{Live, LiveBackend, ServerState, Target};
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
    source: Option<Arc<Source>>,
    ports: Option<Arc<Ports>>,
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
                continue;
            };
            let plan = Plan {
                check,
                target: server.target.clone(),
                source: server.source.clone(),
                ports: server.ports.clone(),
                limit: limit(&check, backend),
            };
            let uid = server.state.uid;
            let running = match before.remove(&uid) {
                Some((old, task)) if old == plan => (old, task),
                old => {
                    if let Some((_, task)) = old {
                        task.abort();
                    }
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
        if !state.health().condition.is_checked() {
            // Maintenance, or checks are switched off: nothing is sent, and nothing is known.
            tokio::time::sleep(plan.check.inter).await;
            continue;
        }
        let outcome = tokio::time::timeout(plan.limit, connect(&plan)).await;
        let duration = begun.elapsed();
        let (success, status, description) = match outcome {
            Ok(Ok(())) => (true, "L4OK", String::new()),
            Ok(Err(Failed::Refused(error))) => (false, "L4CON", source::plain(&error)),
            Ok(Err(Failed::Lacking(lack))) => {
                let live = shared.live.load();
                if let Some(backend) = live.backends.iter().find(|b| b.conf.name == backend) {
                    lack.tell(backend, &shared.log);
                }
                (false, "L4CON", lack.to_string())
            }
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
    let was_up = health.condition.operation() != Operation::Stopped;
    // Checks may have been switched off while this one was under way.
    if !health.condition.is_checked() {
        return plan.check.inter;
    }
    let transition = health.change(|condition| condition.report(success));
    health.last = Some(result.clone());
    // The manual counts failures of a server that is up.
    health.failures += u64::from(!success && was_up);
    let machine = *health.condition.health();
    let pause = match (machine.is_settled(), machine.is_up()) {
        (false, _) => plan.check.fastinter.unwrap_or(plan.check.inter),
        (true, false) => plan.check.downinter.unwrap_or(plan.check.inter),
        (true, true) => plan.check.inter,
    };
    if transition.is_some() {
        publish(state, &health);
        let name = format!("{backend}/{}", state.name);
        tell_server(&name, &mut health, shared.journal.as_ref());
    }
    drop(health);
    if let Some(transition) = transition {
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
    let sessions = state.activity.current();
    let (word, level, rest) = match transition {
        Transition::Up => (
            "UP",
            NOTICE,
            "online. 0 sessions requeued, 0 total in queue".to_owned(),
        ),
        Transition::Down => (
            "DOWN",
            ALERT,
            format!("left. {sessions} sessions active, 0 requeued, 0 remaining in queue"),
        ),
    };
    let message = format!(
        "Server {name}/{} is {word}, reason: {reason}{info}, check duration: {ms}ms. {active} active \
         and 0 backup servers {rest}.",
        state.name
    );
    tracing::info!("{message}");
    shared.log.send(&backend.log, level, message.into_bytes());
    standing_changed(backend, shared);
}

/// Why a check made no connection.
enum Failed {
    Refused(io::Error),
    Lacking(Lack),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Refused(error)
    }
}

impl From<Lack> for Failed {
    fn from(lack: Lack) -> Self {
        Self::Lacking(lack)
    }
}

async fn connect(plan: &Plan) -> Result<(), Failed> {
    let (ip, port) = match &plan.target {
        Target::Inet(ip, port) => (*ip, plan.check.port.or(*port).unwrap_or(0)),
        Target::Unix(path) => {
            UnixStream::connect(path).await?;
            return Ok(());
        }
    };
    let mut tries = TRIES;
    loop {
        let socket = match ip {
            IpAddr::V4(_) => TcpSocket::new_v4(),
            IpAddr::V6(_) => TcpSocket::new_v6(),
        };
        let socket = socket.map_err(Lack::Other)?;
        // What is made after it is dropped before it: the port is given back when the socket is closed.
        let held = match &plan.source {
            Some(source) => source::bind_own(&socket, source, plan.ports.as_ref(), ip, &mut tries)?,
            None => None,
        };
        match socket.connect(SocketAddr::new(ip, port)).await {
            Ok(stream) => {
                // Closing with a reset leaves no TIME_WAIT behind, on neither side.
                socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
                return Ok(());
            }
            Err(error) => {
                let lack = Lack::of_connect(error)?;
                if held.is_none() || tries == 0 {
                    return Err(lack.into());
                }
            }
        }
    }
}
