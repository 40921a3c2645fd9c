//! Who a process is and what it may do.
//!
//! A child is started as root and gives its rights up itself, first thing and before it has a
//! second thread: capabilities belong to a thread, not to a process.

use caps::{CapSet, Capability, CapsHashSet};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::settings::User;

/// What the parent keeps: network, its children, and raw and low ports to hand on to the engine.
pub(crate) const PARENT: &[Capability] = &[
    Capability::CAP_NET_ADMIN,
    Capability::CAP_NET_RAW,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SETUID,
    Capability::CAP_SETGID,
    Capability::CAP_SETPCAP,
    Capability::CAP_KILL,
];

/// What the parent keeps on the image: the box's name too (sethostname(2)).
pub(crate) const PARENT_OF_THE_BOX: &[Capability] = &[
    Capability::CAP_NET_ADMIN,
    Capability::CAP_NET_RAW,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SETUID,
    Capability::CAP_SETGID,
    Capability::CAP_SETPCAP,
    Capability::CAP_KILL,
    Capability::CAP_SYS_ADMIN,
];

/// What the engine keeps: ports below 1024 and SO_BINDTODEVICE.
pub(crate) const ENGINE: &[Capability] =
    &[Capability::CAP_NET_BIND_SERVICE, Capability::CAP_NET_RAW];

/// What `lanai dhcp` keeps: addresses and routes, and what it hands on to the protocol's client.
pub(crate) const DHCP: &[Capability] = &[
    Capability::CAP_NET_ADMIN,
    Capability::CAP_NET_RAW,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SETUID,
    Capability::CAP_SETGID,
    Capability::CAP_SETPCAP,
    Capability::CAP_KILL,
];

/// What the protocol's client keeps: packets without an address yet, and port 68.
pub(crate) const DHCP_CLIENT: &[Capability] =
    &[Capability::CAP_NET_RAW, Capability::CAP_NET_BIND_SERVICE];

/// A user and its group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// User.
    pub(crate) uid: Uid,
    /// Primary group; the process is in no other.
    pub(crate) gid: Gid,
}

/// Why an identity could not be found or taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RightsError {
    /// No such user.
    #[error(
        "there is no user '{0}': create it (useradd --system --no-create-home --shell \
         /usr/sbin/nologin {0}), or name another one or a number under [users] in lanai.toml"
    )]
    NoSuchUser(String),
    /// The unprivileged processes must be unprivileged.
    #[error("the user of the {0} process may not be root: see [users] in lanai.toml")]
    Root(&'static str),
    /// The kernel said no.
    #[error("cannot {what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: Errno,
    },
    /// The kernel lacks seccomp filters (CONFIG_SECCOMP_FILTER), or does not let us have one.
    #[error("cannot give up the right to start programs")]
    Filter(#[from] seccompiler::Error),
    /// The filter could not be made.
    #[error("cannot give up the right to start programs on this kind of processor")]
    Processor(#[from] seccompiler::BackendError),
    /// The kernel said no to a change of capabilities.
    #[error("cannot give up capabilities")]
    Capabilities(#[from] caps::errors::CapsError),
}

/// Looks up the user of the process called `process`.
pub(crate) fn identity(user: &User, process: &'static str) -> Result<Identity, RightsError> {
    let identity = match user {
        User::Number(id) => Identity {
            uid: Uid::from_raw(*id),
            gid: Gid::from_raw(*id),
        },
        User::Name(name) => {
            let failed = |source| RightsError::System {
                what: "look up a user",
                source,
            };
            let found = nix::unistd::User::from_name(name).map_err(failed)?;
            let found = found.ok_or_else(|| RightsError::NoSuchUser(name.clone()))?;
            Identity {
                uid: found.uid,
                gid: found.gid,
            }
        }
    };
    if identity.uid.is_root() {
        return Err(RightsError::Root(process));
    }
    Ok(identity)
}

/// Becomes `identity` for good, with `keep` and no other capability, now or ever after, and without
/// the right to start programs.
pub(crate) fn become_user(identity: Identity, keep: &[Capability]) -> Result<(), RightsError> {
    change_user(identity, keep)?;
    start_nothing()
}

/// As [`become_user`], for a process that goes on as another program, which keeps the capabilities.
pub(crate) fn become_user_and_start(
    identity: Identity,
    keep: &[Capability],
) -> Result<(), RightsError> {
    change_user(identity, keep)?;
    let kept = keep.iter().copied().collect();
    caps::set(None, CapSet::Inheritable, &kept)?;
    caps::set(None, CapSet::Ambient, &kept)?;
    Ok(())
}

fn change_user(identity: Identity, keep: &[Capability]) -> Result<(), RightsError> {
    let failed = |what| move |source| RightsError::System { what, source };
    bound(keep)?;
    prctl::set_keepcaps(true).map_err(failed("keep capabilities over a change of user"))?;
    setgroups(&[]).map_err(failed("leave all groups"))?;
    setresgid(identity.gid, identity.gid, identity.gid).map_err(failed("change the group"))?;
    setresuid(identity.uid, identity.uid, identity.uid).map_err(failed("change the user"))?;
    limit(keep)?;
    prctl::set_no_new_privs().map_err(failed("refuse new rights"))
}

/// Takes from this process, for good, the right to run another program: whoever gets hold of it gets
/// no shell. It needs no_new_privs (seccomp(2)).
fn start_nothing() -> Result<(), RightsError> {
    let calls = [libc::SYS_execve, libc::SYS_execveat];
    let filter = SeccompFilter::new(
        calls.into_iter().map(|call| (call, Vec::new())).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    // Also for threads that exist already, should there ever be any.
    Ok(seccompiler::apply_filter_all_threads(&program)?)
}

/// Stays root, with `keep` and no other capability, also for whatever is started from here.
pub(crate) fn keep_only(keep: &[Capability]) -> Result<(), RightsError> {
    bound(keep)?;
    limit(keep)
}

fn limit(keep: &[Capability]) -> Result<(), RightsError> {
    let had = caps::read(None, CapSet::Permitted)?;
    let keep: CapsHashSet = keep
        .iter()
        .copied()
        .filter(|one| had.contains(one))
        .collect();
    caps::clear(None, CapSet::Ambient)?;
    // Effective first: it may never hold what permitted does not.
    caps::set(None, CapSet::Effective, &keep)?;
    caps::set(None, CapSet::Permitted, &keep)?;
    caps::clear(None, CapSet::Inheritable)?;
    Ok(())
}

/// Takes everything but `keep` out of the set that limits later programs. It needs CAP_SETPCAP.
fn bound(keep: &[Capability]) -> Result<(), RightsError> {
    for one in caps::read(None, CapSet::Bounding)? {
        if !keep.contains(&one) {
            caps::drop(None, CapSet::Bounding, one)?;
        }
    }
    Ok(())
}
