//! The lab with clients on one side, servers on the other, and a proxy in the middle.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use lanai_tests::{Appliance, Lab};

use crate::load::{Clients, Load, Mix, Slow};
use crate::origin::Origin;
use crate::site::{BOX, PORTS, SERVERS, SERVICES, Site};

/// The host that all clients are on: one cable away from the box.
pub(crate) const CLIENTS: &str = "gw0";
/// The host that all servers are on.
const SERVER_HOST: &str = "net3";
/// The host at the other end of the web UI's link.
pub(crate) const DESK: &str = "desk";

/// How long and how hard: `scripts/soak` says so, a test is short and gentle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// How often what the scenario is about happens.
    pub(crate) rounds: u32,
    /// Requests a second on kept connections; the other kinds follow.
    pub(crate) rate: u32,
}

impl Size {
    pub(crate) fn or(rounds: u32) -> Size {
        let set = |name: &str, otherwise: u32| {
            std::env::var(name).map_or(otherwise, |text| {
                text.parse()
                    .unwrap_or_else(|_| panic!("{name} is not a number: {text}"))
            })
        };
        Size {
            rounds: set("LANAI_ROUNDS", rounds),
            rate: set("LANAI_RATE", 500),
        }
    }

    /// Every kind of client, for about so many seconds.
    pub(crate) fn mix(self, seconds: u32) -> Mix {
        let per_second = 1_000_000;
        let clients = |connections, per_second| Clients {
            connections,
            per_second,
        };
        Mix {
            kept: clients(40, self.rate),
            fresh: clients(10, (self.rate / 20).max(50)),
            tls: clients(4, (self.rate / 100).max(10)),
            tunnels: clients(10, 200),
            echoes: clients(5, 100),
            download: Some(Slow {
                bytes: u64::from(seconds + 20) * per_second,
                per_second,
            }),
            ..quiet()
        }
    }
}

/// Nobody, who knows where everything is.
pub(crate) fn quiet() -> Mix {
    let at = |port| SocketAddr::new(BOX.parse().unwrap(), port);
    let [web, secure, raw] = PORTS.map(at);
    let none = Clients::default();
    Mix {
        web,
        secure,
        raw,
        kept: none,
        fresh: none,
        tls: none,
        tunnels: none,
        echoes: none,
        download: None,
        patience: Duration::from_secs(5),
    }
}

/// The box's network in `ip`'s words, for a proxy that does not own it.
const NETWORK: &str = "ip link set eth0 up; ip link set eth3 up
    ip address add 198.51.100.10/24 dev eth0; ip address add 10.3.0.10/24 dev eth3";

/// The appliance with its servers.
pub(crate) struct Stage<'lab> {
    pub(crate) lab: &'lab Lab,
    pub(crate) appliance: Appliance<'lab>,
    pub(crate) origin: Origin,
    pub(crate) site: Site,
}

impl<'lab> Stage<'lab> {
    /// Everything is there, and nothing runs in the middle.
    #[track_caller]
    fn empty(lab: &'lab Lab) -> Stage<'lab> {
        let host = lab.namespace(SERVER_HOST);
        let address: IpAddr = SERVERS.parse().unwrap();
        let origin = Origin::start(&host, address, None);
        let stage = Stage {
            lab,
            appliance: Appliance::example(lab),
            origin,
            site: Site::new(),
        };
        stage.appliance.write("services.cfg", SERVICES);
        stage
    }

    /// With Lanai in the middle.
    #[track_caller]
    pub(crate) fn lanai(lab: &'lab Lab) -> Stage<'lab> {
        let mut stage = Stage::empty(lab);
        stage.appliance.write("haproxy.cfg", &stage.site.text(""));
        stage.appliance.start();
        stage
    }

    /// With the network, and nothing in the middle yet.
    #[track_caller]
    pub(crate) fn bare(lab: &'lab Lab) -> Stage<'lab> {
        let stage = Stage::empty(lab);
        lab.sh("appliance", NETWORK);
        stage
    }

    /// Starts clients.
    #[track_caller]
    pub(crate) fn load(&self, mix: Mix) -> Load {
        Load::start(&self.lab.namespace(CLIENTS), mix)
    }

    /// A new certificate for the TLS bind; gives its serial number.
    #[track_caller]
    pub(crate) fn new_certificate(&self) -> String {
        let path = self.appliance.config().join("ssl/www.pem");
        let new = path.with_extension("new");
        let key = path.with_extension("key");
        let serial = self.lab.sh(
            DESK,
            &format!(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
                 -subj /CN=www.example -keyout {key} -out {new} 2>/dev/null
                 openssl x509 -in {new} -noout -serial
                 cat {key} >>{new}; rm {key}; mv {new} {pem}",
                key = key.display(),
                new = new.display(),
                pem = path.display(),
            ),
        );
        serial.trim().to_owned()
    }

    /// The serial number of the certificate that clients are shown.
    #[track_caller]
    pub(crate) fn shown_certificate(&self) -> String {
        let [_, tls, _] = PORTS;
        let shown = self.lab.sh(
            CLIENTS,
            &format!(
                "openssl s_client -connect {BOX}:{tls} </dev/null 2>/dev/null |
                 openssl x509 -noout -serial"
            ),
        );
        shown.trim().to_owned()
    }

    /// The box's listening TCP sockets: local address, and the kernel's number of the socket.
    #[track_caller]
    pub(crate) fn sockets(&self) -> BTreeMap<String, String> {
        let text = self.lab.sh("appliance", "ss -Htlne");
        let line = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let inode = words.iter().find_map(|word| word.strip_prefix("ino:"));
            (words[3].to_owned(), inode.unwrap().to_owned())
        };
        text.lines().map(line).collect()
    }

    /// The sockets of the binds that no change touches.
    #[track_caller]
    pub(crate) fn lasting_sockets(&self) -> Vec<String> {
        let sockets = self.sockets();
        let of = |port| sockets.get(&format!("{BOX}:{port}"));
        let found = PORTS.map(|port| of(port).unwrap_or_else(|| panic!("{port}: {sockets:?}")));
        found.into_iter().cloned().collect()
    }

    /// `lanai show stat`.
    #[track_caller]
    pub(crate) fn stat(&self) -> serde_json::Value {
        let text = self.appliance.lanai(&["show", "stat", "--json"]).ok();
        serde_json::from_str(&text).unwrap()
    }

    /// Requests that the engine has counted, over all frontends.
    #[track_caller]
    pub(crate) fn counted(&self) -> u64 {
        let stat = self.stat();
        let frontends = stat["frontends"].as_array().unwrap();
        let web = frontends.iter().find(|entry| entry["name"] == "web");
        web.unwrap()["requests"].as_u64().unwrap()
    }

    /// What the engine says of a server of the backend under load.
    #[track_caller]
    pub(crate) fn server(&self, name: &str) -> Option<serde_json::Value> {
        let stat = self.stat();
        let backends = stat["backends"].as_array().unwrap();
        let items = backends.iter().find(|entry| entry["name"] == "items");
        let servers = items.unwrap()["servers"].as_array().unwrap();
        servers.iter().find(|entry| entry["name"] == name).cloned()
    }

    /// Process ids of Lanai's processes of that name. They need not be children of anybody here.
    pub(crate) fn pids(&self, name: &str) -> Vec<i32> {
        let run = self.appliance.run_directory();
        let run = run.as_os_str().as_encoded_bytes();
        let entries = std::fs::read_dir("/proc").unwrap();
        let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        let ours = |pid: &i32| {
            let read =
                |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            read("comm").trim_ascii_end() == name.as_bytes()
                && read("cmdline").windows(run.len()).any(|words| words == run)
        };
        let mut pids: Vec<i32> = pids.filter(ours).collect();
        pids.sort_unstable();
        pids
    }

    /// The one engine that runs.
    #[track_caller]
    pub(crate) fn engine(&self) -> i32 {
        self.one("lanai-engine")
    }

    /// The one process of that name.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> i32 {
        let pids = self.pids(name);
        assert!(pids.len() == 1, "processes called {name}: {pids:?}");
        pids[0]
    }
}
