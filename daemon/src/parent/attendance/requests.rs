//! What the control process asks: the network and its changes, trials.

use lanai_kernel::Ledger;
use lanai_network::{Facts, Step, Sysctl};

use super::{Attendance, done, failed};
use crate::wire::parent::{Question, Reply};

impl Attendance {
    pub(super) async fn for_control(&self, question: Question) -> Reply {
        match question {
            Question::Observe => self.observe(&[]).await,
            Question::ObserveWith { asked } => self.observe(&asked).await,
            Question::Probe => Reply::Probed(Box::new(self.probe())),
            Question::Execute { steps } => {
                let _one_at_a_time = self.network.lock().await;
                execute(&self.ledger, &steps).await
            }
            Question::Repair { steps, trial } => {
                let _one_at_a_time = self.network.lock().await;
                // What was right to repair when control looked is wrong once the time of a trial is
                // over.
                if !self.trials.stands(trial).await {
                    return failed("the trial is not as it was when the repair was planned");
                }
                execute(&self.ledger, &steps).await
            }
            Question::Live => {
                self.up();
                Reply::Done
            }
            Question::BeginTrial { trial } => done(self.trials.begin(*trial).await),
            Question::Trial => Reply::Trial(self.trials.state().await),
            Question::ConfirmTrial { revision } => done(self.trials.confirm(revision).await),
            Question::EndTrial { revision } => done(self.trials.end(revision).await),
            _ => failed("this is for one who attends"),
        }
    }

    async fn observe(&self, asked: &[Sysctl]) -> Reply {
        match lanai_kernel::observe_with(&self.ledger, asked).await {
            Ok(observed) => Reply::Observed(Box::new(observed)),
            Err(error) => failed(&crate::chain(&error)),
        }
    }

    fn probe(&self) -> Facts {
        // The keeper notes the id of each engine there.
        let note = self.engine_socket.with_file_name("engine.pid");
        let note = std::fs::read_to_string(note).unwrap_or_default();
        let engine = note.split_whitespace().next();
        lanai_kernel::probe(engine.and_then(|pid| pid.parse().ok()))
    }
}

/// All the steps, or none of them.
async fn execute(ledger: &Ledger, steps: &[Step]) -> Reply {
    match lanai_kernel::execute(ledger, steps).await {
        Ok(()) => {
            for step in steps {
                tracing::info!("network: {step}");
            }
            Reply::Done
        }
        Err(error) => {
            tracing::error!("network: {}", crate::chain(&error));
            failed(&crate::chain(&error))
        }
    }
}
