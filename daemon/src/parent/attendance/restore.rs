//! The way back from a change that nobody confirmed.

use std::time::{Duration, Instant};

use lanai_kernel::Ledger;
use lanai_network::Step;

use super::Attendance;
use crate::wire::client::Client;
use crate::wire::engine;
use crate::wire::files::Files;
use crate::wire::parent::Event;

/// How long the engine may take to go back to an earlier configuration, and the pause between tries.
const ENGINE_LIMIT: Duration = Duration::from_secs(60);
/// How long an engine is asked again that refuses.
const REFUSED_LIMIT: Duration = Duration::from_secs(5);
const ENGINE_PAUSE: Duration = Duration::from_millis(500);

impl Attendance {
    /// Goes back whenever nobody confirmed a change in time. Never ends.
    pub(in crate::parent) async fn go_back(&self) {
        loop {
            let trial = self.trials.over().await;
            let revision = trial.revision;
            tracing::warn!(
                revision,
                "not confirmed in time: the previous configuration comes back"
            );
            // A new engine must not begin with what is taken back.
            self.engine.estate().run(trial.previous.clone());
            let network = self.network.lock().await;
            execute_each(&self.ledger, &trial.restore).await;
            if let Err(error) = self.run_again(trial.previous).await {
                tracing::error!("the engine does not run the previous configuration: {error}");
            }
            execute_each(&self.ledger, &trial.withdraw).await;
            drop(network);
            self.trials.reverted(revision).await;
            // A control process that is away asks when it comes.
            let _ = self.events.send(Event::Reverted { revision });
        }
    }

    /// Has the engine run these files; one that is just being started begins with them anyway.
    async fn run_again(&self, files: Files) -> Result<(), String> {
        let until = Instant::now() + ENGINE_LIMIT;
        let refused = Instant::now() + REFUSED_LIMIT;
        let client = Client::new(&self.engine_socket);
        let prepare = engine::Question::Prepare { files };
        loop {
            let prepared = client.call(&prepare, ENGINE_LIMIT).await;
            let swapped = match prepared {
                Ok(engine::Reply::Done) => client.call(&engine::Question::Swap, ENGINE_LIMIT).await,
                other => other,
            };
            match swapped {
                Ok(engine::Reply::Done) => return Ok(()),
                Ok(engine::Reply::Refused(why)) if Instant::now() >= refused => {
                    return Err(why.to_string());
                }
                // A successor on its way may have an address that the previous configuration needs.
                Ok(engine::Reply::Refused(why)) => tracing::warn!("engine: {why}"),
                Ok(_) => {}
                Err(error) if Instant::now() >= until => return Err(crate::chain(&error)),
                // One that died just now is replaced; one that cannot be asked is worth knowing of.
                Err(error) => tracing::warn!("engine: {}", crate::chain(&error)),
            }
            tokio::time::sleep(ENGINE_PAUSE).await;
        }
    }
}

/// Each step for itself: some may have been taken back already, or never been done.
async fn execute_each(ledger: &Ledger, steps: &[Step]) {
    for step in steps {
        match lanai_kernel::execute(ledger, std::slice::from_ref(step)).await {
            Ok(()) => tracing::info!("network: {step}"),
            Err(error) => tracing::warn!("network: {}", crate::chain(&error)),
        }
    }
}
