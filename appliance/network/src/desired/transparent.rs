//! Transparent mode: connections that keep the client's address on both sides of the box.

use lanai_model::Origin;
use lanai_model::layer7::{self, Bind, ListenAddress, Server, ServerAddress};

use crate::state::Family;

/// What asks for transparent mode, by family: the first line that does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transparent {
    v4: Option<Origin>,
    v6: Option<Origin>,
}

impl Transparent {
    pub(crate) fn of(config: &layer7::Config) -> Self {
        let mut transparent = Self::default();
        let binds = config.proxies.iter().flat_map(|proxy| &proxy.binds);
        for bind in binds.filter(|bind| bind.transparent) {
            transparent.ask(families(bind), &bind.origin);
        }
        let servers = config.proxies.iter().flat_map(|proxy| &proxy.servers);
        for server in servers {
            let source = server.source.as_ref();
            if let Some(source) = source.filter(|source| source.shown.is_some()) {
                transparent.ask(families_of(server), &source.origin);
            }
        }
        transparent
    }

    fn ask(&mut self, families: &[Family], origin: &Origin) {
        for family in families {
            let place = match family {
                Family::V4 => &mut self.v4,
                Family::V6 => &mut self.v6,
            };
            place.get_or_insert_with(|| origin.clone());
        }
    }

    /// The line that asks for it in this family.
    pub(crate) fn line(&self, family: Family) -> Option<&Origin> {
        match family {
            Family::V4 => self.v4.as_ref(),
            Family::V6 => self.v6.as_ref(),
        }
    }

    /// The families in which it is asked for, each with the line.
    pub(crate) fn families(&self) -> impl Iterator<Item = (Family, &Origin)> {
        let both = [Family::V4, Family::V6].into_iter();
        both.filter_map(|family| Some((family, self.line(family)?)))
    }
}

/// Of a socket that somebody else opened it is not known.
fn families(bind: &Bind) -> &'static [Family] {
    match bind.address {
        ListenAddress::Inet(address) if address.is_ipv4() => &[Family::V4],
        ListenAddress::Inet(_) => &[Family::V6],
        ListenAddress::Fd(_) => &[Family::V4, Family::V6],
        ListenAddress::Unix(_) => &[],
    }
}

/// What a name means is known when a change is prepared.
fn families_of(server: &Server) -> &'static [Family] {
    match server.address {
        ServerAddress::Ip(ip, _) if ip.is_ipv4() => &[Family::V4],
        ServerAddress::Ip(..) => &[Family::V6],
        ServerAddress::Name(..) => &[Family::V4, Family::V6],
        ServerAddress::Unix(_) => &[],
    }
}
