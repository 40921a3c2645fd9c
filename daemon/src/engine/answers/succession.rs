//! How an engine begins with what a former one left, and takes its place.
//!
//! The former one may be at work meanwhile, for as long as names take to resolve: what is changed and set
//! there in that time comes along when it has stopped listening.

use std::collections::BTreeMap;
use std::sync::Arc;

use lanai_control::{FileSet, PrepareError};
use lanai_engine::Engine;

use super::{Answers, not_set};
use crate::child::Estate;

/// What a former engine left when this one was started.
#[derive(Debug, Default)]
pub(super) struct Began {
    /// See [`Estate::version`].
    version: u64,
    /// The configuration, once it runs here.
    files: Option<FileSet>,
    /// Runtime API lines by what they set.
    overrides: BTreeMap<String, String>,
}

impl Answers {
    /// Begins with what a former engine left.
    ///
    /// # Errors
    /// When what it served cannot be served.
    pub(in crate::engine) async fn begin(&self, estate: Estate) -> Result<(), PrepareError> {
        let listeners = estate.listeners.len();
        let overrides = estate.overrides.len();
        let files = estate.files.clone();
        self.inherit(estate);
        let Some(files) = files else {
            return Ok(());
        };
        let ready = self.prepare(files.clone(), Engine::prepare_as_left).await?;
        self.swap(ready, false).await;
        self.shared.with(|state| state.began.files = Some(files));
        tracing::info!(
            listeners,
            overrides,
            "serving what the former engine served"
        );
        Ok(())
    }

    /// Has the former engine finish, and goes on with what it left last. Waits for a parent if there is
    /// none at the moment; never ends if none wants this engine any more.
    ///
    /// Returns whether that needs settings of the process as a whole that this one was not started with.
    pub(in crate::engine) async fn take_over(&self) -> bool {
        let began = self.shared.with(|state| std::mem::take(&mut state.began));
        let mut parents = self.link.sockets();
        let left = loop {
            parents.mark_unchanged();
            match self.link.take_over(began.version).await {
                Ok(left) => break left,
                Err(why) => tracing::warn!("the former engine is not told to finish: {why}"),
            }
            if parents.changed().await.is_err() {
                return std::future::pending().await;
            }
        };
        self.go_on(began, left).await
    }

    async fn go_on(&self, began: Began, mut left: Estate) -> bool {
        let mut renew = false;
        let (mut before, now) = (began.overrides, std::mem::take(&mut left.overrides));
        let mut runs = began.files;
        if let Some(files) = left.files.clone() {
            tracing::info!("the former engine was given another configuration meanwhile");
            // All that is set there is set again with it: values of the text that changed may have won over
            // what was set before.
            left.overrides.clone_from(&now);
            self.inherit(left);
            match self.prepare(files.clone(), Engine::prepare_as_left).await {
                Ok(ready) => {
                    let wanted = Some(ready.process_wide);
                    self.swap(ready, false).await;
                    self.shared.with(|state| {
                        renew = state.process_wide != wanted;
                        // What gave way here need not have been set there at that time.
                        state.shelf = None;
                    });
                    before.retain(|key, _| !now.contains_key(key));
                    before.extend(now.clone());
                    runs = Some(files);
                }
                // Control knows more ways than this one, and tries again.
                Err(error) => {
                    tracing::error!("the configuration in effect cannot be run: {error}");
                    self.shared.with(|state| state.overrides.clear());
                }
            }
        }
        let Some((engine, files)) = self.engine().zip(runs) else {
            self.shared.with(|state| state.overrides = now);
            return renew;
        };
        let following = Arc::clone(&engine);
        // As in a swap, it may be many.
        let follow = move || following.follow(&before, &now);
        let failed = tokio::task::spawn_blocking(follow).await;
        not_set(&failed.unwrap_or_else(|error| vec![error.to_string()]));
        if let Err(why) = self.link.running(files, engine.addresses()).await {
            tracing::warn!("what this engine runs is not kept: {why}");
        }
        renew
    }

    /// Takes up what is to be run and set here.
    fn inherit(&self, estate: Estate) {
        self.shared.with(|state| {
            state.began = Began {
                version: estate.version,
                files: None,
                overrides: estate.overrides.clone(),
            };
            state.overrides = estate.overrides;
            match &state.engine {
                Some(engine) => {
                    engine.inherit(estate.listeners);
                    engine.remember(estate.addresses);
                }
                None => {
                    state.inherited.extend(estate.listeners);
                    state.addresses = estate.addresses;
                }
            }
        });
    }
}
