//! A successor catches up with what was set at its predecessor while it got ready.

use std::collections::BTreeMap;

use lanai_traffic::condition::{Admin, Operation};

use super::journal::{Key, ServerKind, key};
use super::operator::{Operator, Outcome};
use crate::runtime_api;

impl Operator {
    /// Brings what was set at run time from `before`, which counts here, to `now`: both are commands
    /// by what they set, as [`super::Override`] tells them. Returns the answers of those that failed.
    pub(crate) fn follow(
        &self,
        before: &BTreeMap<String, String>,
        now: &BTreeMap<String, String>,
    ) -> Vec<String> {
        let gone = before.keys().filter(|key| !now.contains_key(*key));
        let set = now
            .iter()
            .filter(|(key, command)| before.get(*key) != Some(*command));
        // First what takes a server out of use. Leaving maintenance voids what is known of a server, so
        // that comes last.
        let (found, set): (Vec<_>, Vec<_>) = set
            .partition(|(name, _)| matches!(key(name), Some(Key::Server(ServerKind::Health, _))));
        let run = |(_, command): (&String, &String)| {
            let outcome = runtime_api::replay_one(self, command);
            outcome.err().map(|answer| format!("{command}: {answer}"))
        };
        let take_back = |key: &String| {
            let outcome = self.take_back(key);
            outcome
                .err()
                .map(|answer| format!("{key}: {}", answer.trim_end()))
        };
        let _turn = self.turn();
        self.together(|| {
            let failed = set.into_iter().filter_map(run);
            let failed = failed.chain(gone.filter_map(take_back));
            failed.chain(found.into_iter().filter_map(run)).collect()
        })
    }

    /// Lets the configuration count again in place of what was set under this key.
    fn take_back(&self, name: &str) -> Outcome {
        match key(name).ok_or("this is nothing that can be set")? {
            Key::Server(kind, name) => {
                let place = self.server(Some(&name))?;
                match kind {
                    ServerKind::State => self.set_admin(&place, Admin::Ready),
                    ServerKind::Weight => self.reset_weight(&place),
                    ServerKind::Maxconn => self.reset_server_maxconn(&place),
                    ServerKind::Address => self.reset_address(&place),
                    ServerKind::Checks => drop(self.set_checks(&place, true)),
                    ServerKind::Health => self.force(&place, Operation::Running),
                }
                Ok(String::new())
            }
            Key::FrontendState(name) => self.resume(Some(&name)),
            Key::FrontendMaxconn(name) => self.reset_frontend_maxconn(Some(&name)),
            Key::GlobalMaxconn => self.set_global_maxconn(0),
        }
    }
}
