//! What this kernel and these processes can do. Nothing is changed, and no module is loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use lanai_network::{Capabilities, Facts, Feature, Presence, Tried};

/// Looks at the kernel, at this process, and at the engine with this process id.
pub fn probe(engine: Option<u32>) -> Facts {
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    let modules = Modules::of(&release);
    let features = Feature::ALL.map(|feature| (feature, modules.presence(feature)));
    let status = |pid: &str| read(&format!("/proc/{pid}/status")).unwrap_or_default();
    Facts {
        features: features.into_iter().collect::<BTreeMap<_, _>>(),
        transparent: [transparent_v4(), transparent_v6()],
        parent: capabilities(&status("self")).unwrap_or_default(),
        engine: engine.and_then(|pid| capabilities(&status(&pid.to_string()))),
        descriptors: engine.and_then(|pid| {
            let limits = read(&format!("/proc/{pid}/limits"))?;
            descriptors(&limits)
        }),
        release,
    }
}

fn read(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

/// What is known of the kernel's parts.
struct Modules {
    /// Options of the kernel's configuration with their values, if it can be read.
    options: Option<BTreeMap<String, String>>,
    loaded: BTreeSet<String>,
    /// Part of the kernel, and installed; `None` if neither list is there.
    lists: Option<[BTreeSet<String>; 2]>,
}

impl Modules {
    fn of(release: &str) -> Self {
        let beside = Path::new("/lib/modules").join(release);
        let list = |name: &str| {
            let text = fs::read_to_string(beside.join(name)).ok()?;
            let lines = text.lines();
            Some(lines.filter_map(module_of).collect::<BTreeSet<_>>())
        };
        let config = fs::read_to_string(Path::new("/boot").join(format!("config-{release}")));
        let loaded = read("/proc/modules").unwrap_or_default();
        Self {
            options: config.ok().map(|text| options(&text)),
            loaded: loaded.lines().filter_map(first_word).collect(),
            lists: match (list("modules.builtin"), list("modules.dep")) {
                (None, None) => None,
                (builtin, installed) => {
                    Some([builtin.unwrap_or_default(), installed.unwrap_or_default()])
                }
            },
        }
    }

    fn presence(&self, feature: Feature) -> Presence {
        let option = self.options.as_ref();
        let option = option.map(|all| all.get(feature.option()).map(String::as_str));
        let Some(module) = feature.module() else {
            return match option {
                Some(Some("y" | "m")) => Presence::Here,
                Some(_) => Presence::Missing,
                None => shown(feature),
            };
        };
        if self.loaded.contains(module) || Path::new("/sys/module").join(module).exists() {
            return Presence::Here;
        }
        match (&self.lists, option) {
            (_, Some(Some("y"))) => Presence::Here,
            (Some([builtin, _]), _) if builtin.contains(module) => Presence::Here,
            (Some([_, installed]), _) if installed.contains(module) => Presence::Loadable,
            // Switched off, or a module that is not installed.
            (Some(_), _) | (None, Some(_)) => Presence::Missing,
            (None, None) => shown(feature),
        }
    }
}

/// What can be seen of a feature where neither configuration nor modules can be read.
fn shown(feature: Feature) -> Presence {
    let sign = match feature {
        Feature::Ipv6 => "/proc/sys/net/ipv6",
        Feature::Vlan => "/proc/net/vlan",
        Feature::Bonding => "/proc/net/bonding",
        Feature::ConnectionTracking => "/proc/sys/net/netfilter/nf_conntrack_max",
        _ => return Presence::Unknown,
    };
    match Path::new(sign).exists() {
        true => Presence::Here,
        false => Presence::Unknown,
    }
}

/// `kernel/net/8021q/8021q.ko.xz: ...` as `8021q`; in names `-` and `_` are one (modprobe(8)).
fn module_of(line: &str) -> Option<String> {
    let path = line.split(':').next()?;
    let file = path.rsplit('/').next()?;
    let (name, _) = file.split_once(".ko")?;
    Some(name.replace('-', "_"))
}

fn first_word(line: &str) -> Option<String> {
    line.split(' ').next().map(str::to_owned)
}

fn options(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let wanted = lines.filter(|(name, _)| Feature::ALL.iter().any(|it| it.option() == *name));
    wanted
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn capabilities(status: &str) -> Option<Capabilities> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok().map(Capabilities)
}

/// The soft limit of "Max open files" (proc(5)).
fn descriptors(limits: &str) -> Option<u64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn transparent_v4() -> Tried {
    tried(
        std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)),
        |socket| socket2::SockRef::from(socket).set_ip_transparent_v4(true),
    )
}

fn transparent_v6() -> Tried {
    tried(
        std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)),
        |socket| socket2::SockRef::from(socket).set_ip_transparent_v6(true),
    )
}

/// A socket that nobody can send anything to: it is closed at once.
fn tried(
    socket: io::Result<std::net::UdpSocket>,
    make: impl FnOnce(&std::net::UdpSocket) -> io::Result<()>,
) -> Tried {
    match socket.and_then(|socket| make(&socket)) {
        Ok(()) => Tried::Works,
        Err(error) => Tried::Fails(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_modules_are_found_in_their_lists() {
        let line = "kernel/net/netfilter/nft-socket.ko.xz: kernel/net/nf.ko.xz";
        assert_eq!(module_of(line).as_deref(), Some("nft_socket"));
        assert_eq!(module_of("kernel/fs/ext4.ko").as_deref(), Some("ext4"));
        assert_eq!(module_of(""), None);
    }

    #[test]
    fn rights_and_limits_are_read_as_proc_writes_them() {
        let status = "Name:\tx\nCapEff:\t0000000000003400\n";
        let found = capabilities(status).expect("a set");
        assert!(found.has(lanai_network::Capability::NET_ADMIN));
        assert!(found.has(lanai_network::Capability::NET_RAW));
        let limits = "Limit  Soft  Hard\nMax open files            1024     4096    files\n";
        assert_eq!(descriptors(limits), Some(1024));
    }

    #[test]
    fn a_part_is_told_from_what_can_be_read() {
        let modules = |options: Option<&str>, lists: bool| Modules {
            options: options.map(self::options),
            loaded: BTreeSet::from(["bonding".to_owned()]),
            lists: lists.then(|| [BTreeSet::new(), BTreeSet::from(["nft_socket".to_owned()])]),
        };
        let config = Some("CONFIG_NFT_SOCKET=m\nCONFIG_IP_MULTIPLE_TABLES=y\n");
        let known = modules(config, true);
        for (feature, presence) in [
            (Feature::Bonding, Presence::Here),
            (Feature::SocketMatch, Presence::Loadable),
            (Feature::PolicyRouting, Presence::Here),
            (Feature::PolicyRouting6, Presence::Missing),
        ] {
            assert_eq!(known.presence(feature), presence, "{feature:?}");
        }
        let nothing = modules(None, false);
        assert_eq!(nothing.presence(Feature::SocketMatch), Presence::Unknown);
    }

    #[test]
    fn this_box_can_be_looked_at() {
        let facts = probe(Some(std::process::id()));
        assert!(!facts.release.is_empty());
        assert_eq!(facts.engine, Some(facts.parent));
        assert!(facts.descriptors.is_some());
    }
}
