//! Witnesses of what crosses a cable, outside the appliance.

use nix::sys::signal::Signal;

use crate::lab::Lab;
use crate::process::Process;
use crate::wait::{until, within};

/// An nftables counter of the frames that leave the appliance by one cable, counted on arrival at
/// its other end.
pub struct Counter<'lab> {
    lab: &'lab Lab,
    role: &'static str,
    table: String,
}

impl Counter<'_> {
    /// Frames seen since the counter was made.
    #[track_caller]
    #[must_use]
    pub fn packets(&self) -> u64 {
        let text = self.lab.sh(
            self.role,
            &format!("nft list counter netdev {} seen", self.table),
        );
        let mut words = text.split_whitespace();
        words.find(|word| *word == "packets").unwrap();
        words.next().unwrap().parse().unwrap()
    }
}

impl Lab {
    /// Counts from now on what leaves the appliance by `interface` and matches an nft expression
    /// such as `tcp sport 443`.
    #[track_caller]
    pub fn count_leaving(&self, interface: &str, expression: &str) -> Counter<'_> {
        let role = far_end(interface);
        let rules = self.fresh("counter");
        let table = format!(
            "t{}",
            rules
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .replace('-', "_")
        );
        std::fs::write(
            &rules,
            format!(
                "table netdev {table} {{\n counter seen {{ }}\n chain c {{\n type filter hook ingress \
                 device \"appl\" priority -10;\n {expression} counter name \"seen\"\n }}\n}}\n"
            ),
        )
        .unwrap();
        self.run(role, &["nft", "-f", rules.to_str().unwrap()]).ok();
        Counter {
            lab: self,
            role,
            table,
        }
    }

    /// A kernel counter of the host's IP layer, by its name in `/proc/net/snmp`: `InAddrErrors`
    /// counts packets for others that arrived while forwarding was off, `ForwDatagrams` those
    /// that were forwarded.
    #[track_caller]
    pub fn ip_counter(&self, role: &str, name: &str) -> u64 {
        let text = self.sh(role, "cat /proc/net/snmp");
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("Ip: "));
        let names = lines.next().unwrap().split(' ');
        let values = lines.next().unwrap().split(' ');
        let (_, value) = names.zip(values).find(|(known, _)| *known == name).unwrap();
        value.parse().unwrap()
    }

    /// Captures, on the far end of `interface`, what matches a tcpdump filter.
    #[track_caller]
    pub fn capture(&self, interface: &str, filter: &str) -> Capture {
        let argv = [
            "tcpdump",
            "-n",
            "-l",
            "--immediate-mode",
            "-Q",
            "in",
            "-i",
            "appl",
            filter,
        ];
        let process = self.start(far_end(interface), &argv);
        until("tcpdump to listen", within(), || {
            process.log().contains("listening on").then_some(())
        });
        Capture { process }
    }
}

/// A running tcpdump.
pub struct Capture {
    process: Process,
}

impl Capture {
    /// Ends the capture and gives its lines, one per packet.
    #[track_caller]
    pub fn lines(mut self) -> Vec<String> {
        self.process.signal(Signal::SIGINT);
        self.process.ended(within());
        self.process
            .log()
            .lines()
            .filter(|line| line.contains(" IP "))
            .map(str::to_owned)
            .collect()
    }
}

fn far_end(interface: &str) -> &'static str {
    let known = crate::lab::INTERFACES
        .iter()
        .find(|(name, _)| *name == interface);
    known
        .unwrap_or_else(|| panic!("no interface {interface}"))
        .1
}
