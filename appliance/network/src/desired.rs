//! What the configuration asks of the network.

use lanai_model::Origin;
use lanai_model::layer7;
use lanai_model::services::Services;

use crate::state::{Family, InterfaceAddress, InterfaceName, Route};

/// The network that a configuration asks for. Parts of the box that it does not name are nobody's
/// business here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// Interfaces that are to be up.
    pub links: Vec<WantedLink>,
    /// Addresses that are to be there.
    pub addresses: Vec<WantedAddress>,
    /// Routes that are to be there.
    pub routes: Vec<WantedRoute>,
    /// Kernel settings that are to be in force.
    pub sysctls: Vec<WantedSysctl>,
}

/// An interface that is to be up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedLink {
    /// Its name.
    pub name: InterfaceName,
    /// The `service network` line.
    pub origin: Origin,
}

/// An address that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedAddress {
    /// Interface, address and prefix length.
    pub address: InterfaceAddress,
    /// The line.
    pub origin: Origin,
}

/// A route that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRoute {
    /// The route.
    pub route: Route,
    /// The line.
    pub origin: Origin,
}

/// A demand on kernel settings. Which of them is set to what follows from what is observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// No packet of one zone is sent on into another: not over any interface of the box.
    NoForwarding(Family),
    /// A packet is not dropped because its sender's best route is another interface (RFC 3704,
    /// strict mode); loose mode or none will do.
    NoStrictReversePath(InterfaceName),
    /// Removing an address leaves the others of its network in place.
    PromoteSecondaries(InterfaceName),
}

/// A demand on kernel settings with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedSysctl {
    /// The demand.
    pub need: Need,
    /// Why, as a clause for people.
    pub why: String,
    /// The line that leads to it.
    pub origin: Option<Origin>,
}

/// Derives the network that `services` and `config` ask for.
pub fn desired(_services: &Services, _config: &layer7::Config) -> Desired {
    Desired::default()
}
