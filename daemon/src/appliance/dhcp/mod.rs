//! `lanai dhcp`: addresses from a DHCP server, for interfaces with `ip autoconfig`, and for the first
//! interface as long as the configuration says nothing of it: so that a new box can be reached.
//!
//! busybox's `udhcpc` speaks the protocol, as a user of its own that may do nothing but that
//! ([`client`]). This process puts to use what it got, which is checked to be addresses.

mod client;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use lanai_control::Addressing;
use lanai_network::ObservedLink;
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::rights::{self, RightsError};
use crate::wire::client::{CallError, Client};
use crate::wire::shell::{self, Command, Form, Question, Reply};
use client::Running;

/// The user that the protocol is spoken by.
const USER: &str = "lanai-dhcp";

/// The box is looked at this often though nothing is said to have changed: interfaces come and go.
pub(crate) const LOOK_MS: u64 = 5_000;

/// How long an answer may take: [`LOOK_MS`] and the wait for the first configuration.
const ANSWER_LIMIT: Duration = Duration::from_secs(90);

/// Pause before the next try when nobody answers.
const PAUSE: Duration = Duration::from_millis(500);

/// What `lanai dhcp` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Speak the protocol on this interface; `lanai dhcp` starts itself so
    #[arg(long, hide = true)]
    client: Option<String>,
    /// Run directory of the daemon
    #[arg(long, value_name = "DIR", default_value = "/run/lanai")]
    run: std::path::PathBuf,
}

/// Why it had to end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DhcpError {
    /// Users and capabilities.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// The runtime.
    #[error("cannot start")]
    Start(#[source] std::io::Error),
    /// The program that speaks the protocol.
    #[error("cannot run udhcpc; is busybox installed?")]
    Program(#[source] std::io::Error),
}

/// Interfaces that the configuration sets up, by name.
pub(crate) type Configured = BTreeMap<String, Addressing>;

/// [`Command::WatchNetworks`]'s answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Watched {
    /// What is in effect.
    pub(crate) configured: Configured,
}

/// Runs for good.
pub(crate) fn run(arguments: &Arguments) -> Result<(), DhcpError> {
    if let Some(interface) = &arguments.client {
        return client::speak(interface);
    }
    limits::raise_descriptors(None);
    rights::keep_only(rights::DHCP)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .map_err(DhcpError::Start)?
        .block_on(keep(&arguments.run))
}

async fn keep(run: &Path) -> Result<(), DhcpError> {
    let control = Client::new(&run.join(shell::SOCKET));
    let mut running = Running::default();
    let mut seen = None;
    let mut complaint = String::new();
    loop {
        match watch(&control, seen.take()).await {
            Ok(configured) => {
                complaint.clear();
                match lanai_kernel::links().await {
                    Ok(links) => {
                        let wanted = wanted(&links, &configured);
                        running.become_so(&wanted, &configured).await;
                    }
                    Err(error) => tracing::error!("{}", crate::chain(&error)),
                }
                seen = Some(configured);
            }
            Err(error) => {
                // The daemon is starting, or starting again: what runs goes on.
                let text = crate::chain(&error);
                if text != complaint {
                    tracing::info!("waiting for the daemon: {text}");
                    complaint = text;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What is in effect, as soon as it is something else than `seen`, or after a while.
async fn watch(control: &Client, seen: Option<Configured>) -> Result<Configured, CallError> {
    let question = Question {
        command: Command::WatchNetworks { seen },
        form: Form::Json,
        name: "lanai dhcp".to_owned(),
        visitor: None,
    };
    let reply: Reply = control.call(&question, ANSWER_LIMIT).await?;
    serde_json::from_str(&reply.text)
        .map(|watched: Watched| watched.configured)
        .map_err(|error| CallError::Strange {
            text: error.to_string(),
        })
}

/// The interfaces that are to get their addresses from a DHCP server.
fn wanted(links: &[ObservedLink], configured: &Configured) -> Vec<String> {
    let first = links
        .iter()
        .filter(|link| !link.loopback)
        .min_by_key(|link| link.index);
    let first = first.filter(|first| !configured.contains_key(&*first.name));
    let asked = configured.iter().filter(|(name, how)| {
        let there = links.iter().any(|link| *link.name == ***name);
        how.autoconfig && there
    });
    let mut all: Vec<String> = asked.map(|(name, _)| name.clone()).collect();
    all.extend(first.map(|first| first.name.to_string()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str) -> ObservedLink {
        ObservedLink {
            index,
            name: name.into(),
            mtu: 1500,
            loopback: name == "lo",
            ..ObservedLink::default()
        }
    }

    fn configured(names: &[(&str, bool)]) -> Configured {
        let each = names.iter().map(|(name, autoconfig)| {
            let how = Addressing {
                addresses: Vec::new(),
                autoconfig: *autoconfig,
            };
            ((*name).to_owned(), how)
        });
        each.collect()
    }

    #[test]
    fn the_first_interface_until_it_is_configured_and_whoever_asks() {
        let links = [link(1, "lo"), link(3, "eth1"), link(2, "eth0")];
        assert_eq!(wanted(&links, &configured(&[])), ["eth0"]);
        assert_eq!(wanted(&links, &configured(&[("eth1", false)])), ["eth0"]);
        assert!(wanted(&links, &configured(&[("eth0", false)])).is_empty());
        let both = configured(&[("eth0", false), ("eth1", true), ("eth7", true)]);
        assert_eq!(wanted(&links, &both), ["eth1"], "eth7 is not there");
        assert!(wanted(&links[..1], &configured(&[])).is_empty());
    }
}
