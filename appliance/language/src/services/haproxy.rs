//! `service haproxy`: the proxy engine.

use lanai_model::services::{Common, Haproxy, Port, Standby};

use super::line::Line;
use super::table::Row;

#[derive(Default)]
pub(super) struct HaproxyDraft {
    standby: Vec<Standby>,
}

/// Lines of `service haproxy`.
pub(super) const ROWS: &[Row<HaproxyDraft>] = &[Row::own(
    "standby",
    "<address>[:<port>]",
    "Lets listeners of this address start though the box does not have it, as those of virtual routers do.",
    standby,
)
.many()];

/// Each is compared with each bind.
const MOST: usize = 1000;

impl HaproxyDraft {
    pub(super) fn finish(self, common: Common) -> Haproxy {
        Haproxy {
            common,
            standby: self.standby,
        }
    }
}

fn standby(draft: &mut HaproxyDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the address")?;
    // No port is 0, which stands for none written.
    let address = line.listen(word, 0)?;
    if address.ip().is_unspecified() {
        return line.bad(word, "is every address, and a listener there needs none");
    }
    let (ip, port) = (address.ip(), Port::new(address.port()));
    if draft.standby.len() == MOST {
        return line.bad(word, "is one address too many, 1000 at most");
    }
    let same = |other: &Standby| other.address == ip && other.port == port;
    if draft.standby.iter().any(same) {
        return line.bad(word, "is given twice");
    }
    let origin = line.origin.clone();
    draft.standby.push(Standby {
        address: ip,
        port,
        origin,
    });
    Some(())
}
