//! What a change means for traffic, found by comparing two models.

use std::collections::BTreeMap;
use std::sync::Arc;

use lanai_model::Origin;
use lanai_model::layer7::{Config, ListenAddress, Server};
use lanai_network::Plan;

use crate::report::Effects;

/// Compares the running model with a new one.
pub(crate) fn effects(before: &Config, after: &Config, plan: &Plan) -> Effects {
    let (old, new) = (listeners(before), listeners(after));
    let (old_servers, new_servers) = (servers(before), servers(after));
    let changed = |name: &String| {
        old_servers
            .get(name)
            .is_some_and(|old| new_servers.get(name) != Some(old))
    };
    let stays = |name: &&String| old_servers.contains_key(*name);
    let (kept, added): (Vec<&String>, Vec<&String>) = new_servers.keys().partition(stays);
    let (servers_changed, same): (Vec<&String>, Vec<&String>) =
        kept.into_iter().partition(|name| changed(name));
    Effects {
        listeners_added: missing(&new, &old),
        listeners_removed: missing(&old, &new),
        listeners_unchanged: new.iter().filter(|name| old.contains(name)).count(),
        servers_added: owned(added),
        servers_removed: old_servers
            .keys()
            .filter(|name| !new_servers.contains_key(*name))
            .cloned()
            .collect(),
        servers_changed: owned(servers_changed),
        servers_unchanged: same.len(),
        network_steps: plan.steps().count(),
    }
}

fn owned(names: Vec<&String>) -> Vec<String> {
    names.into_iter().cloned().collect()
}

fn missing(from: &[String], other: &[String]) -> Vec<String> {
    from.iter()
        .filter(|name| !other.contains(name))
        .cloned()
        .collect()
}

fn listeners(config: &Config) -> Vec<String> {
    let binds = config
        .proxies
        .iter()
        .flat_map(|proxy| proxy.binds.iter().map(move |bind| (proxy, bind)));
    let names = binds.map(|(proxy, bind)| {
        let address = match &bind.address {
            ListenAddress::Inet(address) => address.to_string(),
            ListenAddress::Fd(number) => format!("fd@{number}"),
            ListenAddress::Unix(path) => path.display().to_string(),
        };
        match &bind.interface {
            Some(interface) => format!("{} {address} interface {interface}", proxy.name),
            None => format!("{} {address}", proxy.name),
        }
    });
    names.collect()
}

/// By `backend/server`; the line it stands on does not make a server another one.
fn servers(config: &Config) -> BTreeMap<String, Server> {
    let nowhere = Origin {
        file: Arc::from(""),
        line: 0,
    };
    let all = config.proxies.iter().flat_map(|proxy| {
        proxy.servers.iter().map(|server| {
            let plain = Server {
                origin: nowhere.clone(),
                ..server.clone()
            };
            (format!("{}/{}", proxy.name, server.name), plain)
        })
    });
    all.collect()
}
