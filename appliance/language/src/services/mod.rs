//! The Services tab: what the box itself is and owns.
//!
//! Lines of words as in the Layer 7 language, without variables and conditional blocks. `service
//! KIND [NAME]` starts a block, the lines after it say what is wanted. Each kind has its table of
//! rows, which read the lines, and of which `docs/services.md` is made.

mod access;
mod checks;
mod firewall;
mod haproxy;
mod kinds;
mod line;
mod link;
mod network;
mod ntpd;
mod route;
mod settings;
mod sysctl;
mod syslogd;
mod system;
mod table;
mod vrrp;

use lanai_diagnostics::{Diagnostic, FileId, SourceMap, Span};
use lanai_model::Origin;
use lanai_model::services::{Common, Services};

use crate::lexer::Word;
use crate::line::{Lines, Statement};
use crate::lints::silence;
use crate::outcome::Sink;
use crate::tree::Dialect;
use crate::value::{shown, suggest};
use crate::{Environment, Facts, Outcome, codes};
use network::NetworkDraft;
use table::{Block, unexpected};

pub use kinds::{KINDS, Kind, directives, kernel_settings, missing};
pub use table::{DirectiveInfo, Source, Status};

/// Reads the Services texts, in this order.
pub fn read(sources: &SourceMap, files: &[FileId]) -> Outcome<Services> {
    let mut sink = Sink::default();
    let mut reader = Reader::default();
    let (environment, facts) = (Environment::new(), Facts::default());
    for file in files {
        let mut lines = Lines::new(sources, *file, Dialect::Services, &facts, &mut sink);
        reader.current = Current::None;
        while let Some(statement) = lines.next(&environment, &mut sink) {
            reader.lines += 1;
            if reader.lines > MOST_LINES {
                let message = format!("too many lines, {MOST_LINES} at most");
                sink.alert(codes::TOO_MANY_ERRORS, statement.span(), message);
                break;
            }
            reader.statement(&statement, &mut sink);
        }
    }
    let drafts = reader.drafts;
    checks::check(&drafts, &mut sink);
    let mut outcome = sink.outcome(drafts.finish());
    silence::apply(&mut outcome.diagnostics, sources, files, Dialect::Services);
    outcome
}

/// Lines of all blocks: ten times the largest network that is tested.
const MOST_LINES: usize = 200_000;

#[derive(Default)]
struct Reader {
    drafts: Drafts,
    current: Current,
    lines: usize,
}

/// What was read of each block.
#[derive(Default)]
struct Drafts {
    networks: Vec<Block<NetworkDraft>>,
    system: Option<Block<system::SystemDraft>>,
    ntpd: Option<Block<ntpd::NtpdDraft>>,
    syslogd: Option<Block<syslogd::SyslogdDraft>>,
    sshd: Option<Block<access::SshdDraft>>,
    snmpd: Option<Block<access::SnmpdDraft>>,
    vrrp: Option<Block<vrrp::GroupsDraft>>,
    haproxy: Option<Block<haproxy::HaproxyDraft>>,
    wui: Option<Block<access::WuiDraft>>,
    firewall: Option<Block<firewall::FirewallDraft>>,
    flows: Option<Block<firewall::FlowsDraft>>,
    sysctls: Option<Block<sysctl::SysctlsDraft>>,
}

impl Drafts {
    fn finish(self) -> Services {
        Services {
            networks: self.networks.into_iter().map(network::finish).collect(),
            system: self.system.map(|block| block.body.finish(block.common)),
            ntpd: self.ntpd.map(|block| block.body.finish(block.common)),
            syslogd: self.syslogd.map(|block| block.body.finish(block.common)),
            sshd: self.sshd.map(|block| block.body.finish(block.common)),
            snmpd: self.snmpd.map(|block| block.body.finish(block.common)),
            vrrp: self.vrrp.map(|block| block.body.finish(block.common)),
            haproxy: self.haproxy.map(|block| block.body.finish(block.common)),
            wui: self.wui.map(|block| block.body.finish(block.common)),
            firewall: self.firewall.map(|block| block.body.finish(block.common)),
            flows: self.flows.map(|block| block.body.finish(block.common)),
            sysctls: self.sysctls.map(|block| block.body.finish(block.common)),
        }
    }
}

#[derive(Clone, Copy, Default)]
enum Current {
    /// Before the first `service` line.
    #[default]
    None,
    /// A block of this kind; of networks the last.
    In(Kind),
    /// A block whose first line was wrong.
    Skipped,
}

impl Reader {
    fn statement(&mut self, statement: &Statement, sink: &mut Sink) {
        let Some((keyword, arguments)) = statement.words.split_first() else {
            return;
        };
        if keyword.is("service") {
            self.current = self
                .start(keyword, arguments, &statement.origin, sink)
                .map_or(Current::Skipped, Current::In);
            return;
        }
        match self.current {
            Current::In(kind) => self.line(kind, statement, sink),
            Current::Skipped => {}
            Current::None => self.before_the_first(keyword, sink),
        }
    }

    fn before_the_first(&mut self, keyword: &Word, sink: &mut Sink) {
        let message = format!(
            "unknown keyword '{}' before the first 'service' line",
            shown(&keyword.value)
        );
        let fault = Diagnostic::alert(codes::OUT_OF_SERVICE, keyword.span, message);
        let fault = suggest(fault, keyword, ["service"]);
        sink.push(match fault.fix {
            Some(_) => fault,
            None => fault.with_help("start with a block: service network eth0"),
        });
        if !matches!(keyword.text().as_ref(), "ip" | "auto") {
            self.current = Current::Skipped;
        }
    }

    /// Starts the block of a `service` line.
    fn start(
        &mut self,
        keyword: &Word,
        arguments: &[Word],
        origin: &Origin,
        sink: &mut Sink,
    ) -> Option<Kind> {
        let Some((word, rest)) = arguments.split_first() else {
            let message = "'service' expects a kind and a name";
            let fault = Diagnostic::alert(codes::UNKNOWN_SERVICE_WORD, keyword.span, message);
            sink.push(fault.with_help("for example: service network eth0"));
            return None;
        };
        let kind = kinds::find(word, sink)?;
        let common = Common {
            autostart: true,
            origin: origin.clone(),
        };
        let drafts = &mut self.drafts;
        if kind == Kind::Network {
            let block = network::start(word, rest, common, sink)?;
            drafts.networks.push(block);
            return Some(kind);
        }
        if let Some(extra) = rest.first() {
            unexpected(extra, &format!("service {}", kind.name()), sink);
        }
        let span = word.span;
        match kind {
            Kind::Network => {}
            Kind::System => once(&mut drafts.system, kind, common, span, sink)?,
            Kind::Ntpd => once(&mut drafts.ntpd, kind, common, span, sink)?,
            Kind::Syslogd => once(&mut drafts.syslogd, kind, common, span, sink)?,
            Kind::Sshd => once(&mut drafts.sshd, kind, common, span, sink)?,
            Kind::Snmpd => once(&mut drafts.snmpd, kind, common, span, sink)?,
            Kind::Vrrp => once(&mut drafts.vrrp, kind, common, span, sink)?,
            Kind::Haproxy => once(&mut drafts.haproxy, kind, common, span, sink)?,
            Kind::Wui => once(&mut drafts.wui, kind, common, span, sink)?,
            Kind::Firewall => once(&mut drafts.firewall, kind, common, span, sink)?,
            Kind::Flows => once(&mut drafts.flows, kind, common, span, sink)?,
            Kind::Sysctl => once(&mut drafts.sysctls, kind, common, span, sink)?,
        }
        Some(kind)
    }

    /// Reads a line of the block that was started last.
    fn line(&mut self, kind: Kind, statement: &Statement, sink: &mut Sink) {
        let drafts = &mut self.drafts;
        match kind {
            Kind::Network => read_line(drafts.networks.last_mut(), network::ROWS, statement, sink),
            Kind::System => read_line(drafts.system.as_mut(), system::ROWS, statement, sink),
            Kind::Ntpd => read_line(drafts.ntpd.as_mut(), ntpd::ROWS, statement, sink),
            Kind::Syslogd => read_line(drafts.syslogd.as_mut(), syslogd::ROWS, statement, sink),
            Kind::Sshd => read_line(drafts.sshd.as_mut(), access::SSHD, statement, sink),
            Kind::Snmpd => read_line(drafts.snmpd.as_mut(), access::SNMPD, statement, sink),
            Kind::Vrrp => read_line(drafts.vrrp.as_mut(), vrrp::ROWS, statement, sink),
            Kind::Haproxy => read_line(drafts.haproxy.as_mut(), haproxy::ROWS, statement, sink),
            Kind::Wui => read_line(drafts.wui.as_mut(), access::WUI, statement, sink),
            Kind::Firewall => {
                read_line(
                    drafts.firewall.as_mut(),
                    firewall::FIREWALL,
                    statement,
                    sink,
                );
            }
            Kind::Flows => read_line(drafts.flows.as_mut(), firewall::FLOWS, statement, sink),
            Kind::Sysctl => {
                if let Some(block) = &mut drafts.sysctls
                    && !block.autostart(&statement.words, sink)
                {
                    block.body.statement(statement, sink);
                }
            }
        }
    }
}

fn read_line<T>(
    block: Option<&mut Block<T>>,
    rows: &'static [table::Row<T>],
    statement: &Statement,
    sink: &mut Sink,
) {
    if let Some(block) = block {
        block.read(rows, statement, sink);
    }
}

/// Starts a block of which there is one.
fn once<T: Default>(
    place: &mut Option<Block<T>>,
    kind: Kind,
    common: Common,
    span: Span,
    sink: &mut Sink,
) -> Option<()> {
    let block = Block::new(common, span, T::default());
    match place {
        None => {
            *place = Some(block);
            Some(())
        }
        Some(first) => {
            let message = format!("service '{}' has two blocks", kind.name());
            let fault = Diagnostic::alert(codes::DUPLICATE_SERVICE, span, message);
            let fault = fault.with_label(first.span, "the other one");
            sink.push(fault.with_help("put all its lines into one block"));
            None
        }
    }
}

#[cfg(test)]
mod tests;
