//! A box made of data: a real Control over a fake engine and a fake kernel.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: an expectation that is not met must end the test"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lanai_control::{
    BackendStatus, Control, Engine, EngineGone, EngineStatus, FileSet, FrontendStatus, Host,
    HostError, LAYER7, ListenerStatus, PrepareError, ServerStatus, Settings, Trial, TrialState,
};
use lanai_network::{Facts, Observed, ObservedLink, Step, Sysctl, simulation};

/// services.cfg of a fresh box.
pub(crate) const SERVICES_TEXT: &str = "\
service network eth0
    ########## eth0: internet DMZ
    ip address 198.51.100.2/24
    ip route default 198.51.100.1

service network eth1
    ########## eth1: MPLS and VPN
    ip address 172.16.0.2/24
    ip route default 172.16.0.1 metric 1

service network eth2
    ########## eth2: internal LAN
    ip address 10.0.2.2/24
    ip route default 10.0.2.1 metric 2
";

/// haproxy.cfg of a fresh box.
pub(crate) const LAYER7_TEXT: &str = "\
# Who comes in, and who answers.
global
    maxconn 20000

defaults
    mode http
    timeout connect 5s
    timeout client  30s
    timeout server  30s

frontend ft_www
    bind 198.51.100.2:80 name http
    default_backend bk_www

frontend ft_exchange
    bind 198.51.100.2:8080
    bind 198.51.100.2:8080 interface eth2
    default_backend bk_exchange

backend bk_www
    balance roundrobin
    server web1 10.0.3.11:80 check
    server web2 10.0.3.12:80 check weight 2

backend bk_exchange
    server cas1 10.0.4.11:443 check
    server cas2 10.0.4.12:443
";

/// Runs what it is told, and shows it: counters are made up, `server ... cas2` is not checked, and a
/// server named `down` is down.
#[derive(Default)]
pub(crate) struct FakeEngine {
    prepared: Mutex<Option<String>>,
    running: Mutex<String>,
}

#[async_trait]
impl Engine for FakeEngine {
    async fn prepare(&self, files: &FileSet) -> Result<(), PrepareError> {
        let text = files.text(LAYER7).into_owned();
        if text.contains("refuse_to_prepare") {
            return Err(PrepareError::new("cannot bind: the address is in use"));
        }
        *self.prepared.lock().unwrap() = Some(text);
        Ok(())
    }

    async fn swap(&self) -> Result<(), EngineGone> {
        let prepared = self.prepared.lock().unwrap().take();
        *self.running.lock().unwrap() = prepared.ok_or(EngineGone("nothing prepared".into()))?;
        Ok(())
    }

    async fn abort(&self) {
        self.prepared.lock().unwrap().take();
    }

    async fn status(&self) -> Result<EngineStatus, EngineGone> {
        Ok(status_of(&self.running.lock().unwrap()))
    }
}

fn status_of(text: &str) -> EngineStatus {
    let mut status = EngineStatus {
        pid: 4711,
        uptime_s: 93_784,
        version: "test".to_owned(),
        ..EngineStatus::default()
    };
    let mut backend = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["frontend", name, ..] => {
                backend = false;
                status.frontends.push(frontend(name));
            }
            ["backend", name, ..] => {
                backend = true;
                status.backends.push(BackendStatus {
                    name: (*name).to_owned(),
                    mode: "http".to_owned(),
                    status: "UP".to_owned(),
                    total: 51_234,
                    requests: 188_201,
                    cur: 12,
                    servers: Vec::new(),
                });
            }
            ["bind", address, rest @ ..] if !backend => {
                if let Some(frontend) = status.frontends.last_mut() {
                    let at = rest.iter().position(|word| *word == "interface");
                    frontend.listeners.push(ListenerStatus {
                        name: "sock".to_owned(),
                        address: (*address).to_owned(),
                        interface: at.map(|at| rest[at + 1].to_owned()),
                    });
                }
            }
            ["server", name, address, rest @ ..] => {
                if let Some(backend) = status.backends.last_mut() {
                    backend
                        .servers
                        .push(server(name, address, rest.contains(&"check")));
                }
            }
            _ => {}
        }
    }
    status
}

fn frontend(name: &str) -> FrontendStatus {
    FrontendStatus {
        name: name.to_owned(),
        mode: "http".to_owned(),
        status: "OPEN".to_owned(),
        listeners: Vec::new(),
        cur: 12,
        max: 90,
        total: 51_234,
        bytes_in: 1 << 27,
        bytes_out: 3 << 33,
        requests: 188_201,
        errors: 2,
    }
}

fn server(name: &str, address: &str, checked: bool) -> ServerStatus {
    let (status, last_check) = match name {
        "down" => ("DOWN", "L4TOUT in 2001ms"),
        _ if checked => ("UP", "L4OK in 0ms"),
        _ => ("no check", ""),
    };
    ServerStatus {
        name: name.to_owned(),
        address: address.to_owned(),
        status: status.to_owned(),
        weight: 1,
        cur: 6,
        total: 25_617,
        requests: 94_100,
        last_check: last_check.to_owned(),
        since_s: 7400,
    }
}

/// A kernel made of data, with eth0 to eth4, and a clock that never comes to an end by itself.
pub(crate) struct FakeHost(Mutex<Observed>, Mutex<Option<TrialState>>);

impl Default for FakeHost {
    fn default() -> Self {
        let mut observed = Observed::default();
        for index in 0..5 {
            observed.links.push(ObservedLink {
                index: index + 2,
                name: format!("eth{index}").into(),
                up: false,
                carrier: true,
                loopback: false,
                ..ObservedLink::default()
            });
        }
        Self(Mutex::new(observed), Mutex::default())
    }
}

#[async_trait]
impl Host for FakeHost {
    async fn observe(&self, _asked: &[Sysctl]) -> Result<Observed, HostError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn probe(&self) -> Result<Facts, HostError> {
        Ok(Facts {
            release: "6.1.0-made-up".to_owned(),
            ..Facts::default()
        })
    }

    async fn execute(&self, steps: &[Step]) -> Result<(), HostError> {
        let mut observed = self.0.lock().unwrap();
        let mut after = observed.clone();
        for step in steps {
            simulation::apply(&mut after, step).map_err(|why| HostError(why.to_string()))?;
        }
        *observed = after;
        Ok(())
    }

    async fn repair(&self, steps: &[Step], _: Option<i64>) -> Result<(), HostError> {
        self.execute(steps).await
    }

    async fn begin_trial(&self, trial: &Trial) -> Result<(), HostError> {
        *self.1.lock().unwrap() = Some(TrialState::Running {
            revision: trial.revision,
            left_s: trial.within_s,
        });
        Ok(())
    }

    async fn trial(&self) -> Result<Option<TrialState>, HostError> {
        Ok(*self.1.lock().unwrap())
    }

    async fn confirm_trial(&self, revision: i64) -> Result<(), HostError> {
        *self.1.lock().unwrap() = Some(TrialState::Confirmed { revision });
        Ok(())
    }

    async fn end_trial(&self, _: i64) -> Result<(), HostError> {
        self.1.lock().unwrap().take();
        Ok(())
    }
}

/// A booted box whose files are in `dir`, with the two texts above unless there are others.
pub(crate) async fn open(dir: &Path) -> Control {
    let (config, state) = (dir.join("etc"), dir.join("var"));
    std::fs::create_dir_all(&config).unwrap();
    for (name, text) in [
        ("services.cfg", SERVICES_TEXT),
        ("haproxy.cfg", LAYER7_TEXT),
    ] {
        if !config.join(name).exists() {
            std::fs::write(config.join(name), text).unwrap();
        }
    }
    let control = Control::open(
        Settings::new(config, state),
        Arc::new(FakeEngine::default()),
        Arc::new(FakeHost::default()),
    )
    .await
    .unwrap();
    let report = control.boot().await.unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    control
}
