//! Which kernel settings `service sysctl` may set, and to what.
//!
//! What the appliance sets itself is refused, with the line that leads to it; what would let text
//! become a program or a way around the box's own rules is refused; all others of the network are
//! taken. Names and ranges are those of `Documentation/admin-guide/sysctl` and
//! `Documentation/networking/ip-sysctl.rst` of Linux.

use lanai_model::services::SysctlKey;

/// What becomes of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may be set to this.
    Takes(Takes),
    /// The appliance sets it.
    Own(&'static str),
    /// No kernel has it any more.
    Gone(&'static str),
    /// It may not be set.
    Refused(&'static str),
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// One number from one to another.
    Number(i64, i64),
    /// As many numbers.
    Numbers(usize),
    /// Two numbers, the first not above the second.
    Range(i64, i64),
    /// One plain word.
    Word,
    /// Up to eight words without control characters.
    Words,
}

impl Takes {
    /// The value, or the problem with it.
    pub(super) fn check(self, values: &[String]) -> Result<String, String> {
        if values.is_empty() || values.iter().any(String::is_empty) {
            return Err("has no value".to_owned());
        }
        let number = |text: &String| -> Option<i64> { text.parse().ok() };
        let numbers: Option<Vec<i64>> = values.iter().map(number).collect();
        let good = match (self, numbers.as_deref()) {
            (Self::Number(low, high), Some([number])) => (low..=high).contains(number),
            (Self::Numbers(count), Some(numbers)) => numbers.len() == count,
            (Self::Range(low, high), Some([from, to])) => low <= *from && from <= to && *to <= high,
            (Self::Word, _) => values.len() == 1 && values.iter().all(|word| plain(word)),
            (Self::Words, _) => values.len() <= 8 && values.iter().all(|word| plain(word)),
            _ => false,
        };
        match good {
            true => Ok(values.join(" ")),
            false => Err(format!("takes {self}")),
        }
    }
}

impl std::fmt::Display for Takes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(0, 1) => f.write_str("0 or 1"),
            Self::Number(low, high) => write!(f, "a number from {low} to {high}"),
            Self::Numbers(count) => write!(f, "{count} numbers"),
            Self::Range(low, high) => write!(f, "two numbers from {low} to {high} in order"),
            Self::Word => f.write_str("one word"),
            Self::Words => f.write_str("up to eight words of printable characters"),
        }
    }
}

fn plain(word: &str) -> bool {
    word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_graphic())
}

const MAX: i64 = i32::MAX as i64;

/// Known settings; `*` is any one part.
const KNOWN: &[(&str, Verdict)] = &[
    ("net.ipv4.ip_forward", Verdict::Own(FORWARDING)),
    ("net.ipv4.conf.*.forwarding", Verdict::Own(FORWARDING)),
    ("net.ipv4.conf.*.mc_forwarding", Verdict::Own(FORWARDING)),
    ("net.ipv6.conf.*.forwarding", Verdict::Own(FORWARDING)),
    ("net.ipv6.conf.*.force_forwarding", Verdict::Own(FORWARDING)),
    ("net.ipv6.conf.*.mc_forwarding", Verdict::Own(FORWARDING)),
    ("net.ipv4.ip_nonlocal_bind", Verdict::Own(NONLOCAL)),
    ("net.ipv6.ip_nonlocal_bind", Verdict::Own(NONLOCAL)),
    (
        "net.ipv4.conf.*.promote_secondaries",
        Verdict::Own(
            "it is 1 on interfaces with addresses of ours, so that changing the first one keeps the others",
        ),
    ),
    (
        "net.ipv4.ip_local_reserved_ports",
        Verdict::Own("it follows from the source port ranges of 'server' lines"),
    ),
    (
        "net.ipv4.tcp_tw_recycle",
        Verdict::Gone(
            "Linux 4.12 removed it, since it dropped clients behind one translated address; tcp_tw_reuse = 1 helps connections to servers",
        ),
    ),
    (
        "net.ipv4.tcp_low_latency",
        Verdict::Gone("Linux 4.14 removed what it switched; there is nothing to set instead"),
    ),
    (
        "net.ipv4.ip_conntrack_max",
        Verdict::Gone("it is called net.netfilter.nf_conntrack_max today"),
    ),
    (
        "net.ipv4.netfilter.ip_conntrack_max",
        Verdict::Gone("it is called net.netfilter.nf_conntrack_max today"),
    ),
    (
        "net.ipv4.conf.*.rp_filter",
        Verdict::Takes(Takes::Number(0, 2)),
    ),
    (
        "net.ipv4.conf.*.arp_ignore",
        Verdict::Takes(Takes::Number(0, 8)),
    ),
    (
        "net.ipv4.conf.*.arp_announce",
        Verdict::Takes(Takes::Number(0, 2)),
    ),
    (
        "net.ipv4.conf.*.arp_filter",
        Verdict::Takes(Takes::Number(0, 1)),
    ),
    (
        "net.ipv4.conf.*.accept_redirects",
        Verdict::Takes(Takes::Number(0, 1)),
    ),
    (
        "net.ipv4.conf.*.send_redirects",
        Verdict::Takes(Takes::Number(0, 1)),
    ),
    (
        "net.ipv4.conf.*.accept_source_route",
        Verdict::Takes(Takes::Number(0, 1)),
    ),
    (
        "net.ipv4.conf.*.log_martians",
        Verdict::Takes(Takes::Number(0, 1)),
    ),
    (
        "net.ipv4.icmp_echo_ignore_broadcasts",
        Verdict::Takes(Takes::Number(0, 1)),
    ),
    (
        "net.ipv4.ip_local_port_range",
        Verdict::Takes(Takes::Range(1, 65535)),
    ),
    (
        "net.ipv4.ip_default_ttl",
        Verdict::Takes(Takes::Number(1, 255)),
    ),
    ("net.ipv4.tcp_tw_reuse", Verdict::Takes(Takes::Number(0, 2))),
    (
        "net.ipv4.tcp_max_tw_buckets",
        Verdict::Takes(Takes::Number(0, MAX)),
    ),
    (
        "net.ipv4.tcp_max_syn_backlog",
        Verdict::Takes(Takes::Number(0, MAX)),
    ),
    (
        "net.ipv4.tcp_max_orphans",
        Verdict::Takes(Takes::Number(0, MAX)),
    ),
    (
        "net.ipv4.tcp_syncookies",
        Verdict::Takes(Takes::Number(0, 2)),
    ),
    (
        "net.ipv4.tcp_fin_timeout",
        Verdict::Takes(Takes::Number(1, MAX)),
    ),
    (
        "net.ipv4.tcp_keepalive_time",
        Verdict::Takes(Takes::Number(1, 32767)),
    ),
    (
        "net.ipv4.tcp_keepalive_intvl",
        Verdict::Takes(Takes::Number(1, 32767)),
    ),
    (
        "net.ipv4.tcp_keepalive_probes",
        Verdict::Takes(Takes::Number(1, 127)),
    ),
    (
        "net.ipv4.tcp_syn_retries",
        Verdict::Takes(Takes::Number(1, 127)),
    ),
    (
        "net.ipv4.tcp_synack_retries",
        Verdict::Takes(Takes::Number(0, 255)),
    ),
    (
        "net.ipv4.tcp_retries1",
        Verdict::Takes(Takes::Number(0, 255)),
    ),
    (
        "net.ipv4.tcp_retries2",
        Verdict::Takes(Takes::Number(0, MAX)),
    ),
    (
        "net.ipv4.tcp_timestamps",
        Verdict::Takes(Takes::Number(0, 2)),
    ),
    ("net.ipv4.tcp_sack", Verdict::Takes(Takes::Number(0, 1))),
    (
        "net.ipv4.tcp_window_scaling",
        Verdict::Takes(Takes::Number(0, 1)),
    ),
    (
        "net.ipv4.tcp_slow_start_after_idle",
        Verdict::Takes(Takes::Number(0, 1)),
    ),
    (
        "net.ipv4.tcp_no_metrics_save",
        Verdict::Takes(Takes::Number(0, 1)),
    ),
    (
        "net.ipv4.tcp_mtu_probing",
        Verdict::Takes(Takes::Number(0, 2)),
    ),
    (
        "net.ipv4.tcp_fastopen",
        Verdict::Takes(Takes::Number(0, MAX)),
    ),
    (
        "net.ipv4.tcp_notsent_lowat",
        Verdict::Takes(Takes::Number(0, 4_294_967_295)),
    ),
    (
        "net.ipv4.tcp_congestion_control",
        Verdict::Takes(Takes::Word),
    ),
    ("net.ipv4.tcp_rmem", Verdict::Takes(Takes::Numbers(3))),
    ("net.ipv4.tcp_wmem", Verdict::Takes(Takes::Numbers(3))),
    ("net.ipv4.tcp_mem", Verdict::Takes(Takes::Numbers(3))),
    ("net.ipv4.udp_mem", Verdict::Takes(Takes::Numbers(3))),
    ("net.core.somaxconn", Verdict::Takes(Takes::Number(0, MAX))),
    (
        "net.core.netdev_max_backlog",
        Verdict::Takes(Takes::Number(0, MAX)),
    ),
    ("net.core.rmem_max", Verdict::Takes(Takes::Number(256, MAX))),
    ("net.core.wmem_max", Verdict::Takes(Takes::Number(256, MAX))),
    (
        "net.core.rmem_default",
        Verdict::Takes(Takes::Number(256, MAX)),
    ),
    (
        "net.core.wmem_default",
        Verdict::Takes(Takes::Number(256, MAX)),
    ),
    ("net.core.default_qdisc", Verdict::Takes(Takes::Word)),
    (
        "net.netfilter.nf_conntrack_max",
        Verdict::Takes(Takes::Number(0, MAX)),
    ),
    ("fs.file-max", Verdict::Takes(Takes::Number(1024, i64::MAX))),
    ("fs.nr_open", Verdict::Takes(Takes::Number(1024, MAX))),
    ("vm.swappiness", Verdict::Takes(Takes::Number(0, 200))),
    ("vm.overcommit_memory", Verdict::Takes(Takes::Number(0, 2))),
    ("vm.min_free_kbytes", Verdict::Takes(Takes::Number(0, MAX))),
    ("kernel.panic", Verdict::Takes(Takes::Number(-MAX, MAX))),
    ("kernel.panic_on_oops", Verdict::Takes(Takes::Number(0, 1))),
    (
        "kernel.pid_max",
        Verdict::Takes(Takes::Number(301, 4_194_304)),
    ),
    ("kernel.threads-max", Verdict::Takes(Takes::Number(1, MAX))),
];

const FORWARDING: &str = "whether anything may pass through the box follows from 'service flows' and from transparent \
     binds and sources; remove the line";
const NONLOCAL: &str = "it follows from transparent binds and sources; remove the line";

/// What becomes of the setting with these parts.
pub(super) fn verdict(parts: &[String]) -> Verdict {
    let known = KNOWN.iter().find(|(pattern, _)| {
        let pattern: Vec<&str> = pattern.split('.').collect();
        let mut pairs = pattern.iter().zip(parts);
        pattern.len() == parts.len() && pairs.all(|(one, other)| *one == "*" || one == other)
    });
    if let Some((_, verdict)) = known {
        return *verdict;
    }
    let name = parts.join(".");
    match SysctlKey::OF_NETWORK
        .iter()
        .any(|open| name.starts_with(open))
    {
        true => Verdict::Takes(Takes::Words),
        false => Verdict::Refused(
            "settings of the network may be set (net.ipv4, net.ipv6, net.core, net.netfilter, \
             net.unix), and a few of fs, vm and kernel; docs/services.md lists them",
        ),
    }
}

/// Names that may be suggested.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let takes = |(name, verdict): &(&'static str, Verdict)| {
        (matches!(verdict, Verdict::Takes(_)) && !name.contains('*')).then_some(*name)
    };
    KNOWN.iter().filter_map(takes)
}

/// All that is listed, with what it takes or why it is refused, for `docs/services.md`.
pub(super) fn listed() -> impl Iterator<Item = (&'static str, String)> {
    KNOWN.iter().map(|(name, verdict)| {
        let what = match verdict {
            Verdict::Takes(takes) => takes.to_string(),
            Verdict::Own(why) => format!("refused: {why}"),
            Verdict::Gone(why) => format!("no effect: {why}"),
            Verdict::Refused(why) => format!("refused: {why}"),
        };
        (*name, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_here_is_what_may_be_set() {
        for (name, verdict) in KNOWN {
            if let Verdict::Takes(_) = verdict {
                let key = SysctlKey::new(name.split('.')).unwrap();
                assert!(key.may_be_set(), "{name}");
            }
        }
        for name in SysctlKey::OTHERS {
            let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
            assert!(matches!(verdict(&parts), Verdict::Takes(_)), "{name}");
        }
    }
}
