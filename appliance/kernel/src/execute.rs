//! Doing what was planned.

use ipnet::IpNet;
use lanai_network::{
    InterfaceAddress, InterfaceName, LinkKind, ObservedLink, Route, Step, Sysctl, moved,
};
use libc::{EADDRNOTAVAIL, EEXIST, ENODEV, ENOENT, ESRCH};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};

use crate::error::{Cause, Error, ExecuteError};
use crate::ledger::Ledger;
use crate::message::{self, Names};
use crate::netlink::Failure;
use crate::socket::Socket;
use crate::{cause, ethtool, nft, observe, sysctl};

/// Executes steps in order, in the network namespace of the calling thread. What is changed of
/// settings is noted in the ledger.
///
/// At the first failure the steps done so far are undone in reverse, and the error names the failing
/// step and its cause; if undoing failed too, it says what is left. A step whose answer was lost may
/// have been done, so it is undone with the others. A step whose effect is there
/// already, because somebody else was faster, counts as done and is not undone.
///
/// Must be called inside of a tokio runtime with I/O and time enabled. To be awaited to its end:
/// if the future is dropped in between, what it did stays.
pub async fn execute(ledger: &Ledger, steps: &[Step]) -> Result<(), ExecuteError> {
    let Some(first) = steps.first() else {
        return Ok(());
    };
    let nothing_done = |cause| ExecuteError {
        step: first.clone(),
        index: 0,
        cause,
        not_undone: Vec::new(),
    };
    let mut executor = Executor::open(ledger).await.map_err(nothing_done)?;
    let mut undo = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        match executor.execute(step).await {
            Ok(Effect::Done) => undo.push(step.undo()),
            Ok(Effect::WasSo) => {}
            Err(stop) => {
                if stop.perhaps {
                    undo.push(step.undo());
                }
                return Err(ExecuteError {
                    step: step.clone(),
                    index,
                    cause: stop.cause,
                    not_undone: executor.take_back(undo).await,
                });
            }
        }
    }
    Ok(())
}

enum Effect {
    Done,
    /// Nothing was to be done.
    WasSo,
}

/// Why a step was not done.
struct Stop {
    cause: Cause,
    /// It may have been done all the same. Undoing what was not done changes nothing.
    perhaps: bool,
}

impl Stop {
    fn new(failure: Failure, cause: impl FnOnce(Failure) -> Cause) -> Self {
        Self {
            perhaps: matches!(failure, Failure::Silent { .. }),
            cause: cause(failure),
        }
    }

    fn at(step: &Step, failure: Failure) -> Self {
        Self::new(failure, |failure| cause::of_step(step, failure))
    }
}

/// It failed before anything was asked for.
impl From<Cause> for Stop {
    fn from(cause: Cause) -> Self {
        Self {
            cause,
            perhaps: false,
        }
    }
}

struct Executor<'a> {
    ledger: &'a Ledger,
    socket: Socket,
    names: Names,
}

impl<'a> Executor<'a> {
    async fn open(ledger: &'a Ledger) -> Result<Self, Cause> {
        let socket = Socket::open().map_err(Error::Socket);
        let mut executor = Self {
            ledger,
            socket: socket.map_err(words)?,
            names: Names::new(),
        };
        executor.read_names().await?;
        Ok(executor)
    }

    async fn read_names(&mut self) -> Result<Vec<ObservedLink>, Cause> {
        let links = observe::links(&mut self.socket).await.map_err(words)?;
        self.names = links.iter().map(|l| (l.index, l.name.clone())).collect();
        Ok(links)
    }

    async fn take_back(&mut self, undo: Vec<Step>) -> Vec<(Step, Cause)> {
        let mut failed = Vec::new();
        for step in undo.into_iter().rev() {
            if let Err(stop) = self.execute(&step).await {
                failed.push((step, stop.cause));
            }
        }
        failed
    }

    async fn execute(&mut self, step: &Step) -> Result<Effect, Stop> {
        match step {
            Step::SetSysctl { sysctl, from, to } => Ok(self.set(sysctl, from, to)?),
            Step::AddLink { interface, kind } => self.add_link(step, interface, kind).await,
            Step::RemoveLink { interface, .. } => self.remove_link(step, interface).await,
            Step::SetMaster { interface, to, .. } => {
                let mut message = LinkMessage::default();
                message.header.index = self.index(interface).await?;
                // Index 0 is none.
                let master = self.index_of(to.as_ref()).await?.unwrap_or(0);
                message.attributes.push(LinkAttribute::Controller(master));
                self.change(step, RouteNetlinkMessage::SetLink(message), 0)
                    .await
            }
            Step::SetPrimary { interface, to, .. } => {
                let bond = self.index(interface).await?;
                let primary = self.index_of(to.as_ref()).await?.unwrap_or(0);
                let message = message::of_primary(bond, primary);
                self.change(step, RouteNetlinkMessage::NewLink(message), 0)
                    .await
            }
            Step::SetMtu { interface, to, .. } => {
                let mut message = LinkMessage::default();
                message.header.index = self.index(interface).await?;
                message.attributes.push(LinkAttribute::Mtu(*to));
                self.change(step, RouteNetlinkMessage::SetLink(message), 0)
                    .await
            }
            Step::SetMode { interface, to, .. } => {
                let index = self.index(interface).await?;
                done(step, ethtool::set(index, to).await)
            }
            Step::SetLink { interface, up } => self.set_link(step, interface, *up).await,
            Step::AddAddress(address) => self.add_address(step, address).await,
            Step::RemoveAddress(address) => self.remove_address(step, address).await,
            Step::OrderAddresses {
                interface,
                from,
                to,
            } => self.order_addresses(step, interface, from, to).await,
            Step::AddRoute(route) => self.add_route(step, route).await,
            Step::RemoveRoute(route) => self.remove_route(step, route).await,
            Step::ReplaceRoute { to, .. } => {
                let index = self.index_of(to.interface.as_ref()).await?;
                let message = RouteNetlinkMessage::NewRoute(message::of_route(to, index));
                self.change(step, message, NLM_F_CREATE | NLM_F_REPLACE)
                    .await
            }
            Step::AddRule(rule) => {
                let message = RouteNetlinkMessage::NewRule(message::of_rule(rule));
                let added = self.socket.change(message, NLM_F_CREATE | NLM_F_EXCL).await;
                match added {
                    Err(failure) if errno(&failure) == EEXIST => Ok(Effect::WasSo),
                    other => done(step, other),
                }
            }
            Step::RemoveRule(rule) => {
                let message = RouteNetlinkMessage::DelRule(message::of_rule(rule));
                match self.socket.change(message, 0).await {
                    Err(failure) if errno(&failure) == ENOENT => Ok(Effect::WasSo),
                    other => done(step, other),
                }
            }
            Step::ReplaceTable { to, .. } => {
                let replaced = nft::replace(to.as_ref()).await;
                replaced.map_err(|failure| Stop::new(failure, cause::of_table))?;
                Ok(Effect::Done)
            }
            Step::SetSystem { part, to, .. } => {
                let system = self.ledger.system().ok_or_else(cause::no_system)?;
                let set = system.set(*part, to.as_ref());
                set.map_err(|error| cause::of_system(&error))?;
                Ok(Effect::Done)
            }
        }
    }

    fn set(&self, sysctl: &Sysctl, from: &str, to: &str) -> Result<Effect, Cause> {
        let noted = self.ledger.note(sysctl, from, to);
        noted.map_err(|error| cause::of_ledger(&error))?;
        if let Err(error) = sysctl::write(sysctl, to) {
            // What was known of the value that stays. Should this fail as well, it counts as its
            // administrator's own from now on.
            let _ = self.ledger.note(sysctl, to, from);
            return Err(cause::of_sysctl(sysctl, &error));
        }
        Ok(Effect::Done)
    }

    async fn add_link(
        &mut self,
        step: &Step,
        interface: &InterfaceName,
        kind: &LinkKind,
    ) -> Result<Effect, Stop> {
        let below = match kind {
            LinkKind::Vlan { parent, .. } => Some(self.index(parent).await?),
            _ => None,
        };
        let message = RouteNetlinkMessage::NewLink(message::of_link(interface, kind, below));
        let made = self.socket.change(message, NLM_F_CREATE | NLM_F_EXCL).await;
        // Its index is another one than that of an interface which had this name before.
        let links = self.read_names().await.map_err(|cause| Stop {
            cause,
            perhaps: made.is_ok(),
        })?;
        let same =
            |link: &ObservedLink| link.name == *interface && link.is_ours() && link.kind.is(kind);
        match made {
            Err(failure) if errno(&failure) == EEXIST && links.iter().any(same) => {
                Ok(Effect::WasSo)
            }
            other => done(step, other),
        }
    }

    async fn remove_link(
        &mut self,
        step: &Step,
        interface: &InterfaceName,
    ) -> Result<Effect, Stop> {
        let Some(index) = self.find(interface).await? else {
            return Ok(Effect::WasSo);
        };
        let mut message = LinkMessage::default();
        message.header.index = index;
        let message = RouteNetlinkMessage::DelLink(message);
        let effect = match self.socket.change(message, 0).await {
            Err(failure) if errno(&failure) == ENODEV => Ok(Effect::WasSo),
            other => done(step, other),
        };
        self.names.remove(&index);
        effect
    }

    async fn set_link(
        &mut self,
        step: &Step,
        interface: &InterfaceName,
        up: bool,
    ) -> Result<Effect, Stop> {
        let mut message = LinkMessage::default();
        message.header.index = self.index(interface).await?;
        message.header.change_mask = LinkFlags::Up;
        if up {
            message.header.flags = LinkFlags::Up;
        }
        self.change(step, RouteNetlinkMessage::SetLink(message), 0)
            .await
    }

    async fn add_address(
        &mut self,
        step: &Step,
        address: &InterfaceAddress,
    ) -> Result<Effect, Stop> {
        let index = self.index(&address.interface).await?;
        let message = RouteNetlinkMessage::NewAddress(message::of_address(address, index));
        let added = self.socket.change(message, NLM_F_CREATE | NLM_F_EXCL).await;
        match added {
            Ok(()) => Ok(Effect::Done),
            // An IPv6 address exists with any prefix length; that is no success.
            Err(failure) if errno(&failure) == EEXIST && self.has_address(address).await? => {
                Ok(Effect::WasSo)
            }
            Err(failure) => Err(Stop::at(step, failure)),
        }
    }

    async fn remove_address(
        &mut self,
        step: &Step,
        address: &InterfaceAddress,
    ) -> Result<Effect, Stop> {
        let Some(index) = self.find(&address.interface).await? else {
            return Ok(Effect::WasSo);
        };
        let message = RouteNetlinkMessage::DelAddress(message::of_address(address, index));
        match self.socket.change(message, 0).await {
            Err(failure) if [EADDRNOTAVAIL, ENODEV].contains(&errno(&failure)) => Ok(Effect::WasSo),
            other => done(step, other),
        }
    }

    async fn order_addresses(
        &mut self,
        step: &Step,
        interface: &InterfaceName,
        from: &[IpNet],
        to: &[IpNet],
    ) -> Result<Effect, Stop> {
        let Err(stop) = self.move_behind(step, interface, moved(from, to)).await else {
            return Ok(Effect::Done);
        };
        // Which of them is where, and whether one is missing, is not known: with the first of them
        // there, and all others behind it one after the other, they are as they were.
        let back = match from.split_first() {
            None => Ok(Effect::WasSo),
            Some((first, others)) => match self.add_again(step, interface, *first).await {
                Ok(_) => self.move_behind(step, interface, others).await,
                failed => failed,
            },
        };
        Err(Stop {
            perhaps: back.is_err(),
            ..stop
        })
    }

    async fn move_behind(
        &mut self,
        step: &Step,
        interface: &InterfaceName,
        nets: &[IpNet],
    ) -> Result<Effect, Stop> {
        for net in nets {
            let address = InterfaceAddress {
                interface: interface.clone(),
                net: *net,
            };
            self.remove_address(step, &address).await?;
            self.add_again(step, interface, *net).await?;
        }
        Ok(Effect::Done)
    }

    async fn add_again(
        &mut self,
        step: &Step,
        interface: &InterfaceName,
        net: IpNet,
    ) -> Result<Effect, Stop> {
        let address = InterfaceAddress {
            interface: interface.clone(),
            net,
        };
        self.add_address(step, &address).await
    }

    async fn add_route(&mut self, step: &Step, route: &Route) -> Result<Effect, Stop> {
        let index = self.index_of(route.interface.as_ref()).await?;
        let message = RouteNetlinkMessage::NewRoute(message::of_route(route, index));
        let added = self.socket.change(message, NLM_F_CREATE | NLM_F_EXCL).await;
        match added {
            Ok(()) => Ok(Effect::Done),
            // Any route of that destination and metric exists; only an equal one is a success.
            Err(failure) if errno(&failure) == EEXIST && self.has_route(route).await? => {
                Ok(Effect::WasSo)
            }
            Err(failure) => Err(Stop::at(step, failure)),
        }
    }

    async fn remove_route(&mut self, step: &Step, route: &Route) -> Result<Effect, Stop> {
        let index = match &route.interface {
            None => None,
            Some(interface) => match self.find(interface).await? {
                Some(index) => Some(index),
                None => return Ok(Effect::WasSo),
            },
        };
        let message = RouteNetlinkMessage::DelRoute(message::of_route(route, index));
        match self.socket.change(message, 0).await {
            Err(failure) if [ESRCH, ENODEV].contains(&errno(&failure)) => Ok(Effect::WasSo),
            other => done(step, other),
        }
    }

    async fn change(
        &mut self,
        step: &Step,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<Effect, Stop> {
        done(step, self.socket.change(message, flags).await)
    }

    async fn has_address(&mut self, address: &InterfaceAddress) -> Result<bool, Cause> {
        let addresses = observe::addresses(&mut self.socket, &self.names).await;
        let addresses = addresses.map_err(words)?.unwrap_or_default();
        Ok(addresses.iter().any(|other| other.address == *address))
    }

    async fn has_route(&mut self, route: &Route) -> Result<bool, Cause> {
        let routes = observe::routes(&mut self.socket, &self.names).await;
        let routes = routes.map_err(words)?.unwrap_or_default();
        Ok(routes.iter().any(|other| other.route == *route))
    }

    async fn index_of(&mut self, interface: Option<&InterfaceName>) -> Result<Option<u32>, Cause> {
        match interface {
            None => Ok(None),
            Some(interface) => self.index(interface).await.map(Some),
        }
    }

    async fn index(&mut self, interface: &InterfaceName) -> Result<u32, Cause> {
        let found = self.find(interface).await?;
        found.ok_or_else(|| cause::no_interface(interface))
    }

    /// The index of an interface. One that is not known may have come just now.
    async fn find(&mut self, interface: &InterfaceName) -> Result<Option<u32>, Cause> {
        if let Some(index) = self.known(interface) {
            return Ok(Some(index));
        }
        self.read_names().await?;
        Ok(self.known(interface))
    }

    fn known(&self, interface: &InterfaceName) -> Option<u32> {
        let mut names = self.names.iter();
        let (index, _) = names.find(|(_, name)| *name == interface)?;
        Some(*index)
    }
}

fn done(step: &Step, result: Result<(), Failure>) -> Result<Effect, Stop> {
    match result {
        Ok(()) => Ok(Effect::Done),
        Err(failure) => Err(Stop::at(step, failure)),
    }
}

fn errno(failure: &Failure) -> i32 {
    match failure {
        Failure::Refused { errno, .. } => *errno,
        _ => 0,
    }
}

pub(crate) fn words(error: Error) -> Cause {
    match error {
        Error::Dump { cause, .. } => cause,
        other => Cause {
            words: other.to_string(),
            errno: 0,
        },
    }
}
