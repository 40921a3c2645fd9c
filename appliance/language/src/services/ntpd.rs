//! `service ntpd`: where the time comes from.

use lanai_model::services::{Common, NtpServer, Ntpd};

use super::line::Line;
use super::table::Row;

#[derive(Default)]
pub(super) struct NtpdDraft {
    servers: Vec<NtpServer>,
}

/// Lines of `service ntpd`.
pub(super) const ROWS: &[Row<NtpdDraft>] = &[Row::own(
    "server",
    "<name or address> [prefer]",
    "Asks this server for the time; 'prefer' follows it rather than others that are as good.",
    server,
)
.many()
.on_image()];

/// More would only make noise.
const MOST_SERVERS: usize = 16;

impl NtpdDraft {
    pub(super) fn finish(self, common: Common) -> Ntpd {
        Ntpd {
            common,
            servers: self.servers,
        }
    }
}

fn server(draft: &mut NtpdDraft, line: &mut Line<'_>) -> Option<()> {
    let word = line.require("the server")?;
    let host = line.host(word)?;
    if draft.servers.iter().any(|server| server.host == host) {
        return line.bad(word, "is given twice");
    }
    if draft.servers.len() == MOST_SERVERS {
        return line.bad(word, "is one server too many, 16 at most");
    }
    let prefer = line.take_if("prefer");
    let origin = line.origin.clone();
    draft.servers.push(NtpServer {
        host,
        prefer,
        origin,
    });
    Some(())
}
