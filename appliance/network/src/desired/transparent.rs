//! Transparent mode: connections that keep the client's address on both sides of the box.

use lanai_model::Origin;
use lanai_model::layer7::{self, Bind, ListenAddress};

use crate::state::Family;

/// What asks for transparent mode, by family: the first line that does.
#[derive(Clone, Debug, Default)]
pub(super) struct Transparent {
    v4: Option<Origin>,
    v6: Option<Origin>,
}

impl Transparent {
    pub(super) fn of(config: &layer7::Config) -> Self {
        let mut transparent = Self::default();
        let binds = config.proxies.iter().flat_map(|proxy| &proxy.binds);
        for bind in binds.filter(|bind| bind.transparent) {
            for family in families(bind) {
                let place = match family {
                    Family::V4 => &mut transparent.v4,
                    Family::V6 => &mut transparent.v6,
                };
                place.get_or_insert_with(|| bind.origin.clone());
            }
        }
        transparent
    }

    /// The line that asks for it in this family.
    pub(super) fn line(&self, family: Family) -> Option<&Origin> {
        match family {
            Family::V4 => self.v4.as_ref(),
            Family::V6 => self.v6.as_ref(),
        }
    }

    /// The families in which it is asked for, each with the line.
    pub(super) fn families(&self) -> impl Iterator<Item = (Family, &Origin)> {
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
