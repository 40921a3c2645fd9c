//! How all processes of a kind end when the service does.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::sync::{mpsc, watch};

use super::super::process::Process;
use super::{Keeper, News, Order};
use crate::child;
use crate::wire::parent::Role;

/// How long a process may take to end when it was told to; a change that runs is finished.
const STOP_LIMIT: Duration = Duration::from_secs(20);

impl Keeper {
    /// Ends all of them, at first in peace if so ordered.
    pub(super) async fn end(
        mut self,
        mut order: watch::Receiver<Order>,
        mut news: mpsc::Receiver<News>,
    ) {
        let finish = *order.borrow_and_update() == Order::Finish;
        self.outdated = None;
        if let Some(handover) = self.handover.take() {
            // Nobody is kept waiting, and whoever waited may have died.
            let _ = handover.done.send(());
        }
        let all = self.current.take().into_iter().chain(self.next.take());
        let present: Vec<Process> = all.collect();
        let leaving = std::mem::take(&mut self.leaving);
        let peaceful = finish && self.kind.role == Role::Engine;
        for process in &present {
            process.signal(if peaceful {
                child::FINISH
            } else {
                Signal::SIGTERM
            });
        }
        for process in leaving.iter().filter(|_| !peaceful) {
            process.signal(Signal::SIGTERM);
        }
        let all: Vec<Process> = present.into_iter().chain(leaving).collect();
        let name = self.kind.name();
        let ended = async {
            for process in &all {
                tracing::info!("{name} has ended: {}", process.ended().await);
            }
        };
        tokio::pin!(ended);
        if finish {
            // Finishing has a limit of its own, `hard-stop-after`, and somebody may lose patience.
            loop {
                tokio::select! {
                    () = &mut ended => return,
                    _ = order.wait_for(|order| *order == Order::Stop) => break,
                    told = news.recv() => accept(told),
                }
            }
            for process in &all {
                process.signal(Signal::SIGTERM);
            }
        }
        let limit = tokio::time::sleep(STOP_LIMIT);
        tokio::pin!(limit);
        loop {
            tokio::select! {
                () = &mut ended => return,
                () = &mut limit => break,
                told = news.recv() => accept(told),
            }
        }
        for process in &all {
            tracing::warn!(pid = process.pid(), "{name} does not end and is killed");
            process.signal(Signal::SIGKILL);
        }
    }
}

/// Nobody new is wanted while everything ends; nobody is kept waiting either.
fn accept(news: Option<News>) {
    match news {
        Some(News::Attends { wanted, .. }) => {
            let _ = wanted.send(Err("the service is stopping".to_owned()));
        }
        Some(News::TakesOver { done, .. }) => drop(done.send(())),
        _ => {}
    }
}
