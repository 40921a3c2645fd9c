//! What the web UI and the command line see.

use std::net::IpAddr;
use std::sync::Arc;

use lanai_network::{Finding, Health, Stage, Visitor, examine, plan};
use lanai_store::{AuditEntry, Revision, RevisionId};
use tokio::sync::watch;

use crate::change::{self, Request};
use crate::check::check;
use crate::effects::effects;
use crate::engine::Engine;
use crate::error::{ApplyError, BootError, Error, OpenError};
use crate::files::FileSet;
use crate::host::Host;
use crate::inner::Inner;
use crate::report::{
    Applied, BootReport, CheckReport, FileDiff, Holder, OnTrial, Preview, Status, TakenBack,
};
use crate::settings::{Author, Settings};
use crate::trial::Window;
use crate::within::Within;
use crate::{again, boot, diff, repair, trial};

/// The appliance, as the web UI and the command line see it. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    pub(crate) inner: Arc<Inner>,
}

impl Control {
    /// Opens the history and the configuration directory. Nothing is applied: see
    /// [`Control::boot`], which comes before any change.
    ///
    /// # Errors
    /// If a directory cannot be used or the database cannot be opened.
    pub async fn open(
        settings: Settings,
        engine: Arc<dyn Engine>,
        host: Arc<dyn Host>,
    ) -> Result<Self, OpenError> {
        let inner = Inner::open(settings, engine, host).await?;
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Brings a box that runs nothing yet to what its files say, or the last live revision. Goes on
    /// without what does not work, so that the UI comes up; what that was is in the report.
    ///
    /// # Errors
    /// If the history cannot be read. Nothing was touched then.
    pub async fn boot(&self) -> Result<BootReport, BootError> {
        self.begin(None).await
    }

    /// As [`Control::boot`], where something is in effect already, the files of this
    /// [`FileSet::digest`]: only this process or the engine is a new one. The live revision stays what
    /// runs, whatever somebody has written into the files since: that counts when it is applied, or
    /// when the box starts.
    ///
    /// # Errors
    /// As [`Control::boot`].
    pub async fn resume(&self, in_effect: &str) -> Result<BootReport, BootError> {
        self.begin(Some(in_effect.to_owned())).await
    }

    async fn begin(&self, in_effect: Option<String>) -> Result<BootReport, BootError> {
        let inner = Arc::clone(&self.inner);
        let journey = tokio::spawn(async move {
            let done = boot::boot(&inner, in_effect).await;
            // After its turn has ended: whoever waits for this goes next.
            if done.is_ok() {
                inner.set_booted();
            }
            done
        });
        journey.await.map_err(|_| Error::Interrupted)?
    }

    /// The files on disk.
    ///
    /// # Errors
    /// If one cannot be read or is too large.
    pub async fn live_files(&self) -> Result<FileSet, Error> {
        let disk = self.inner.disk.clone();
        Ok(self.inner.blocking(move || disk.read()).await??)
    }

    /// Everything that is wrong or odd with `files`. Touches nothing.
    pub fn check(&self, files: &FileSet) -> CheckReport {
        check(files, self.inner.surroundings()).0
    }

    /// What [`Control::apply`] would do, for somebody who asks over this connection.
    ///
    /// # Errors
    /// If the files on disk or the network cannot be read.
    pub async fn preview(
        &self,
        files: &FileSet,
        visitor: Option<Visitor>,
    ) -> Result<Preview, Error> {
        let before = self.live_files().await?;
        let (files, report, model) = self.inner.examine(files.clone()).await?;
        let diff = self
            .inner
            .blocking(move || diff::files(&before, &files))
            .await?;
        let mut preview = Preview {
            report,
            diff,
            plan: None,
            effects: None,
            cuts: Vec::new(),
        };
        if let Some(model) = model {
            let desired = model.desired();
            let observed = self.inner.host.observe(&desired.asked()).await?;
            let plan = plan(&desired, &observed);
            let running = self.inner.running();
            preview.cuts = visitor.map_or_else(Vec::new, |visitor| {
                model.cuts(&running.model, visitor, &observed, &plan)
            });
            preview.effects = Some(effects(&running.model.config, &model.config, &plan));
            preview.plan = Some(plan);
        }
        Ok(preview)
    }

    /// Makes `files` the running configuration, or changes nothing. With `base`, only if that is the
    /// live revision. A change that may cut off whoever asks for it goes on trial
    /// ([`Within::USUAL`]). Dropping the future does not stop the change. Before the first
    /// [`Control::boot`] it waits for that.
    ///
    /// # Errors
    /// After each of them files, network and traffic are as before, save
    /// [`ApplyError::NotRestored`].
    pub async fn apply(
        &self,
        files: FileSet,
        author: Author,
        comment: &str,
        base: Option<RevisionId>,
    ) -> Result<Applied, ApplyError> {
        let comment = comment.to_owned();
        self.change(Request {
            files,
            author,
            comment,
            base,
            within: None,
            for_good: false,
            action: "apply",
        })
        .await
    }

    /// As [`Control::apply`], and never on trial, for one who knows that they may be cut off.
    ///
    /// # Errors
    /// As [`Control::apply`].
    pub async fn apply_for_good(
        &self,
        files: FileSet,
        author: Author,
        comment: &str,
        base: Option<RevisionId>,
    ) -> Result<Applied, ApplyError> {
        let comment = comment.to_owned();
        self.change(Request {
            files,
            author,
            comment,
            base,
            within: None,
            for_good: true,
            action: "apply",
        })
        .await
    }

    /// As [`Control::apply`], on trial: unless it is confirmed within this time, the previous
    /// configuration comes back by itself. The files on disk stay as they are until then.
    ///
    /// # Errors
    /// As [`Control::apply`], and if the time cannot be kept.
    pub async fn apply_on_trial(
        &self,
        files: FileSet,
        author: Author,
        comment: &str,
        base: Option<RevisionId>,
        within: Within,
    ) -> Result<Applied, ApplyError> {
        let comment = comment.to_owned();
        self.change(Request {
            files,
            author,
            comment,
            base,
            within: Some(within),
            for_good: false,
            action: "apply",
        })
        .await
    }

    /// Makes the revision on trial the live one; with `revision`, only if it is that one.
    ///
    /// # Errors
    /// If it is not on trial (any more), or its files cannot be written. Then it is on trial still,
    /// or the previous revision is back.
    pub async fn confirm(
        &self,
        revision: Option<RevisionId>,
        author: Author,
    ) -> Result<RevisionId, ApplyError> {
        let inner = Arc::clone(&self.inner);
        let journey = tokio::spawn(async move { trial::confirm(&inner, revision, &author).await });
        journey
            .await
            .map_err(|_| ApplyError::Internal(Error::Interrupted))?
    }

    /// Takes the revision on trial back at once; with `revision`, only if it is that one.
    ///
    /// # Errors
    /// If it is not on trial (any more), or the way back fails. Then its time goes on.
    pub async fn take_back(
        &self,
        revision: Option<RevisionId>,
        author: Author,
    ) -> Result<TakenBack, ApplyError> {
        let inner = Arc::clone(&self.inner);
        let journey =
            tokio::spawn(async move { trial::take_back(&inner, revision, &author).await });
        journey
            .await
            .map_err(|_| ApplyError::Internal(Error::Interrupted))?
    }

    /// The host tells that the time of a trial was over and the previous configuration is back.
    /// Waits for a change that is under way.
    ///
    /// # Errors
    /// If the database fails; [`Control::watch_trial`] tries again.
    pub async fn reverted(&self, revision: RevisionId) -> Result<(), Error> {
        let inner = Arc::clone(&self.inner);
        let journey = tokio::spawn(async move { trial::reverted(&inner, revision).await });
        journey.await.map_err(|_| Error::Interrupted)?
    }

    /// Never ends: asks the host about a trial whose time is over, in case its word got lost.
    pub async fn watch_trial(&self) {
        trial::watch(&self.inner).await;
    }

    /// Whether the web UI is for somebody at this address, by the configuration that runs.
    pub fn admits_to_ui(&self, peer: IpAddr) -> bool {
        self.inner.running().model.admits_to_ui(peer)
    }

    /// The host tells that the network may not be what it was.
    pub fn network_changed(&self) {
        self.inner.repairs.look();
    }

    /// Never ends: whenever the network is not as configured, puts it back.
    pub async fn keep_network(&self) {
        repair::keep(&self.inner).await;
    }

    /// The revision on trial.
    pub fn trial(&self) -> Option<OnTrial> {
        let window = self.inner.window()?;
        Some(window.view(self.inner.now_ms()))
    }

    /// The trial that is under way, and each one that comes.
    pub fn windows(&self) -> watch::Receiver<Option<Arc<Window>>> {
        self.inner.windows()
    }

    /// The files that an edit starts from: those on trial, else those on disk.
    ///
    /// # Errors
    /// As [`Control::live_files`].
    pub async fn edited_files(&self) -> Result<FileSet, Error> {
        match self.inner.window() {
            Some(_) => Ok(self.inner.running().files.clone()),
            None => self.live_files().await,
        }
    }

    /// Applies the files of an earlier revision as a new one; as [`Control::apply_for_good`] if told
    /// so.
    ///
    /// # Errors
    /// As [`Control::apply`], and if there is no such revision.
    pub async fn rollback(
        &self,
        to: RevisionId,
        author: Author,
        for_good: bool,
    ) -> Result<Applied, ApplyError> {
        let files = self.inner.files_of(to).await?;
        let comment = format!("rollback to {to}");
        self.change(Request {
            files,
            author,
            comment,
            base: None,
            within: None,
            for_good,
            action: "rollback",
        })
        .await
    }

    /// The revision in effect.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn live_revision(&self) -> Result<Option<Revision>, Error> {
        Ok(self.inner.store.live().await?.map(|(revision, _)| revision))
    }

    /// The history, newest first: at most `limit` revisions (1000 at once) before `before`.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn revisions(
        &self,
        limit: u32,
        before: Option<RevisionId>,
    ) -> Result<Vec<Revision>, Error> {
        Ok(self.inner.store.revisions(limit, before).await?)
    }

    /// One entry of the history.
    ///
    /// # Errors
    /// If there is no such revision.
    pub async fn revision(&self, id: RevisionId) -> Result<Revision, Error> {
        self.inner
            .store
            .revision(id)
            .await?
            .ok_or(Error::NoSuchRevision(id))
    }

    /// The files of a revision.
    ///
    /// # Errors
    /// If there is no such revision.
    pub async fn revision_files(&self, id: RevisionId) -> Result<FileSet, Error> {
        self.inner.files_of(id).await
    }

    /// What changed from one revision to another, or to the files on disk.
    ///
    /// # Errors
    /// If there is no such revision, or the files on disk cannot be read.
    pub async fn diff(
        &self,
        from: RevisionId,
        to: Option<RevisionId>,
    ) -> Result<Vec<FileDiff>, Error> {
        let before = self.inner.files_of(from).await?;
        let after = match to {
            Some(to) => self.inner.files_of(to).await?,
            None => self.live_files().await?,
        };
        self.inner
            .blocking(move || diff::files(&before, &after))
            .await
    }

    /// What changes from one file set to another.
    pub fn diff_files(&self, before: &FileSet, after: &FileSet) -> Vec<FileDiff> {
        diff::files(before, after)
    }

    /// The state of the box. What cannot be read is said in its place.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn status(&self) -> Result<Status, Error> {
        let inner = &self.inner;
        let running = inner.running();
        let desired = running.model.desired();
        let network = inner
            .host
            .observe(&desired.asked())
            .await
            .map_err(|error| error.to_string());
        let drift = network
            .as_ref()
            .ok()
            .filter(|_| !running.unread)
            .map(|observed| plan(&desired, observed));
        Ok(Status {
            live: self.live_revision().await?,
            trial: self.trial(),
            drift: drift.unwrap_or_default(),
            repairs: inner.repairs.report(),
            network,
            engine: inner
                .engine
                .status()
                .await
                .map_err(|error| error.to_string()),
            busy: self.busy(),
            notices: self.notices().await,
        })
    }

    /// What somebody should know who thinks that all is well.
    async fn notices(&self) -> Vec<String> {
        let inner = &self.inner;
        let running = inner.running();
        let mut notices = inner.settings.notices.clone();
        notices.extend(inner.notices());
        let window = inner.window();
        let expected = window.as_ref().map(|window| window.previous());
        match self.live_files().await {
            Ok(files) if files == running.files => {}
            Ok(files) if expected.is_some_and(|expected| files == *expected) => {}
            Ok(_) => notices.push(
                "the files on disk are not what is running; `lanai diff` shows the difference"
                    .to_owned(),
            ),
            Err(error) => notices.push(format!("the files on disk cannot be read: {error}")),
        }
        notices
    }

    /// The check list: what the running configuration needs of proxy, kernel, settings, filter and
    /// routing, and of each whether it is there.
    ///
    /// # Errors
    /// If the box cannot be looked at.
    pub async fn doctor(&self) -> Result<Vec<Finding>, Error> {
        let (host, running) = (&self.inner.host, self.inner.running());
        let model = &running.model;
        let desired = model.desired();
        let (facts, observed) = (host.probe().await?, host.observe(&desired.asked()).await?);
        let (services, config) = (&model.services, &model.config);
        let mut findings = examine(services, config, &desired, &facts, &observed);
        // It may be that another one was meant to run.
        let unwell = self.notices().await.into_iter().map(|notice| Finding {
            stage: Stage::Configuration,
            what: "what runs is what is meant to".to_owned(),
            health: Health::Unknown,
            found: notice,
            fix: Some("see `lanai status`".to_owned()),
            origin: None,
        });
        findings.extend(unwell);
        Ok(findings)
    }

    /// [`FileSet::digest`] of what the box was last asked to run.
    pub fn running_digest(&self) -> String {
        self.inner.running().files.digest()
    }

    /// Waits until nobody changes the configuration.
    pub async fn settled(&self) {
        self.inner.settled().await;
    }

    /// Has the engine take what it should run, after it could not or lost it: what was in the way may
    /// be gone. Returns what is. While a change is on trial nothing is done.
    pub async fn run_again(&self) -> Vec<String> {
        again::run_again(&self.inner).await
    }

    /// Whether the engine could not be given what it should run when that was tried last, so that steps
    /// behind it are left to do: [`Control::run_again`] does them, also where it runs that by now.
    pub fn engine_is_behind(&self) -> bool {
        self.inner.undone().engine && self.inner.window().is_none()
    }

    /// Who is changing the configuration right now.
    pub fn busy(&self) -> Option<Holder> {
        self.inner.holder()
    }

    /// The audit log, newest first: at most `limit` entries (1000 at once) before `before`.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn audit_log(
        &self,
        limit: u32,
        before: Option<i64>,
    ) -> Result<Vec<AuditEntry>, Error> {
        Ok(self.inner.store.audit_log(limit, before).await?)
    }

    /// Adds a line to the audit log. Never a password, a token or a key.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn audit(&self, author: &Author, action: &str, detail: &str) -> Result<(), Error> {
        let now_ms = self.inner.now_ms();
        Ok(self
            .inner
            .store
            .audit(now_ms, &author.name, &author.from, action, detail)
            .await?)
    }

    /// A task of its own: whoever asked may go away, the change is brought to its end.
    async fn change(&self, request: Request) -> Result<Applied, ApplyError> {
        let inner = Arc::clone(&self.inner);
        let journey = tokio::spawn(async move { change::apply(&inner, request).await });
        journey
            .await
            .map_err(|_| ApplyError::Internal(Error::Interrupted))?
    }
}
