//! What the parent does for its children.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::unix::UCred;
use tokio::sync::Mutex;

use crate::wire::parent::{Question, Reply, Role};
use crate::wire::server::Answer;

/// Answers on `parent.sock`.
#[derive(Debug)]
pub(super) struct Answers {
    control: u32,
    engine: u32,
    /// One at a time may change the network.
    network: Mutex<()>,
    live: AtomicBool,
}

impl Answers {
    /// Answers the processes of these two users.
    pub(super) fn new(control: u32, engine: u32) -> Answers {
        Answers {
            control,
            engine,
            network: Mutex::new(()),
            live: AtomicBool::new(false),
        }
    }

    async fn for_control(&self, question: Question) -> Reply {
        match question {
            Question::Attend { .. } => {
                tracing::info!("control is up");
                Reply::Done
            }
            Question::Observe => match lanai_kernel::observe().await {
                Ok(observed) => Reply::Observed(Box::new(observed)),
                Err(error) => failed(&error),
            },
            Question::Execute { steps } => {
                let _one_at_a_time = self.network.lock().await;
                match lanai_kernel::execute(&steps).await {
                    Ok(()) => {
                        for step in &steps {
                            tracing::info!("network: {step}");
                        }
                        Reply::Done
                    }
                    Err(error) => {
                        tracing::error!("network: {}", crate::chain(&error));
                        failed(&error)
                    }
                }
            }
            Question::Live => {
                if !self.live.swap(true, Ordering::Relaxed) {
                    tracing::info!("up");
                    super::notify_manager("READY=1");
                }
                Reply::Done
            }
        }
    }
}

impl Answer for Answers {
    type Question = Question;
    type Reply = Reply;
    type Session = ();

    fn admits(&self, peer: &UCred) -> bool {
        [self.control, self.engine].contains(&peer.uid())
    }

    async fn answer(&self, peer: &UCred, (): &mut (), question: Question) -> Reply {
        match question {
            Question::Attend { role: Role::Engine } if peer.uid() == self.engine => {
                tracing::info!("the engine is up");
                Reply::Done
            }
            question if peer.uid() == self.control => self.for_control(question).await,
            _ => Reply::Failed {
                message: "only the control process may ask for this".to_owned(),
            },
        }
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Reply {
    Reply::Failed {
        message: crate::chain(error),
    }
}
