//! Error codes in words, each with a next step.

use std::io;

use lanai_network::{Family, InterfaceName, LinkKind, Route, Step, Sysctl};
use libc::{
    EACCES, EAFNOSUPPORT, EEXIST, EHOSTUNREACH, EINVAL, EMSGSIZE, ENETDOWN, ENETUNREACH, ENOBUFS,
    ENODEV, ENOENT, ENOMEM, EOPNOTSUPP, EPERM, EROFS,
};

use crate::error::Cause;
use crate::netlink::Failure;

/// Why a step failed.
pub(crate) fn of_step(step: &Step, failure: Failure) -> Cause {
    let Failure::Refused { errno, said } = failure else {
        return of_failure(failure);
    };
    let mut words = match step {
        Step::AddRoute(route) | Step::ReplaceRoute { to: route, .. } => route_words(route, errno),
        Step::AddLink { interface, kind } => link_words(interface, kind, errno),
        Step::SetMode { interface, .. } => match errno {
            EOPNOTSUPP | EINVAL => Some(format!(
                "the driver of {interface} does not take it; see `ethtool {interface}` for what it \
                 supports"
            )),
            _ => None,
        },
        Step::AddAddress(address) => match (Family::of(address.net), errno) {
            (Family::V6, EACCES | EOPNOTSUPP | EAFNOSUPPORT) => Some(format!(
                "IPv6 is switched off on {}; set net.ipv6.conf.{0}.disable_ipv6 to 0, or leave the \
                 address out",
                address.interface
            )),
            (_, EEXIST) => Some(
                "somebody else added it with another prefix length just now; plan again".to_owned(),
            ),
            _ => None,
        },
        _ => None,
    }
    .unwrap_or_else(|| general(errno));
    if let Some(said) = said {
        words.push_str(" (the kernel says: ");
        words.push_str(&said);
        words.push(')');
    }
    Cause { words, errno }
}

/// Why a question was not answered.
pub(crate) fn of_failure(failure: Failure) -> Cause {
    let (words, errno) = match failure {
        Failure::Refused { errno, .. } => (general(errno), errno),
        Failure::Unsteady => {
            let text = "it changed during every attempt to read it; stop what is changing it, or \
                        try again";
            (text.to_owned(), 0)
        }
        Failure::Silent { errno: 0 } => {
            let text = "the kernel did not answer; look into `dmesg` for a driver that hangs, and \
                        try again";
            (text.to_owned(), 0)
        }
        Failure::Silent { errno } => {
            let text = format!(
                "the kernel's answer was lost ({}); try again",
                general(errno)
            );
            (text, errno)
        }
    };
    Cause { words, errno }
}

/// Why the rules of our table were not replaced.
pub(crate) fn of_table(failure: Failure) -> Cause {
    let Failure::Refused { errno, said } = failure else {
        return of_failure(failure);
    };
    let mut words = match errno {
        ENOENT | EOPNOTSUPP => "this kernel lacks something that the rules need; see that the \
                                modules nft_socket and nft_ct are there (`modprobe`)"
            .to_owned(),
        EMSGSIZE => "there are too many rules for one transaction; use fewer flows".to_owned(),
        other => general(other),
    };
    if let Some(said) = said {
        words.push_str(" (the kernel says: ");
        words.push_str(&said);
        words.push(')');
    }
    Cause { words, errno }
}

/// Why a setting could not even be noted.
pub(crate) fn of_ledger(error: &io::Error) -> Cause {
    Cause {
        words: format!(
            "what it was before cannot be noted: {error}; see that the run directory can be written"
        ),
        errno: error.raw_os_error().unwrap_or(0),
    }
}

/// Why a setting could not be set.
pub(crate) fn of_sysctl(sysctl: &Sysctl, error: &io::Error) -> Cause {
    let errno = error.raw_os_error().unwrap_or(0);
    let words = match errno {
        ENOENT => format!(
            "this kernel has no {sysctl}, or its interface is gone; see `ip link show`, and plan \
             again"
        ),
        EROFS => "/proc/sys is mounted read-only; in a container, give it a writable /proc/sys"
            .to_owned(),
        EPERM | EACCES => general(errno),
        _ => error.to_string(),
    };
    Cause { words, errno }
}

/// Why the system could not be made so.
pub(crate) fn of_system(error: &io::Error) -> Cause {
    Cause {
        words: error.to_string(),
        errno: error.raw_os_error().unwrap_or(0),
    }
}

/// The machine is not ours but for its network.
pub(crate) fn no_system() -> Cause {
    Cause {
        words: "this is the whole machine's, which is Lanai's on its own image only".to_owned(),
        errno: 0,
    }
}

/// There is no such interface.
pub(crate) fn no_interface(interface: &InterfaceName) -> Cause {
    Cause {
        words: format!("there is no interface '{interface}'; see `ip link show`"),
        errno: ENODEV,
    }
}

fn link_words(interface: &InterfaceName, kind: &LinkKind, errno: i32) -> Option<String> {
    let module = match kind {
        LinkKind::Vlan { .. } => "8021q",
        LinkKind::Bond(_) => "bonding",
        LinkKind::Bridge { .. } => "bridge",
        LinkKind::Dummy => "dummy",
        LinkKind::Found => return None,
    };
    Some(match errno {
        EOPNOTSUPP => {
            format!("this kernel lacks the module {module}; load it (`modprobe {module}`)")
        }
        EEXIST => format!(
            "{interface}, or the same VLAN under another name, was made by somebody else just now; \
             plan again"
        ),
        _ => return None,
    })
}

fn route_words(route: &Route, errno: i32) -> Option<String> {
    let interface = route.interface.as_deref().unwrap_or("the box");
    let gateway = route.gateway.map(|gateway| gateway.to_string());
    Some(match (errno, gateway) {
        (ENETUNREACH | EHOSTUNREACH, Some(gateway)) => format!(
            "gateway {gateway} is not on a network of {interface}; add an address of the gateway's \
             network to {interface}, or correct the gateway"
        ),
        (EINVAL, Some(gateway)) => format!(
            "the kernel takes {gateway} for no gateway; is it an address of this box, or a \
             broadcast address?"
        ),
        (ENETDOWN, _) => format!("{interface} is down; see `ip link show {interface}`"),
        (EEXIST, _) => "another route with its destination and metric was added just now; plan \
                        again"
            .to_owned(),
        (ENODEV, _) => format!("there is no interface '{interface}'; see `ip link show`"),
        _ => return None,
    })
}

fn general(errno: i32) -> String {
    match errno {
        EPERM | EACCES => "it is not permitted; run the daemon as root, or give it the capability \
                           CAP_NET_ADMIN"
            .to_owned(),
        EAFNOSUPPORT | EOPNOTSUPP => {
            "this kernel does not support it; is IPv6 compiled in and switched on?".to_owned()
        }
        ENOMEM | ENOBUFS => "the kernel has no memory for it; free some and try again".to_owned(),
        _ => format!("{}", io::Error::from_raw_os_error(errno)),
    }
}

#[cfg(test)]
mod tests;
