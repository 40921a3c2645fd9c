use std::sync::Arc;

use lanai_store::{AuditEntry, Revision, RevisionId, Role, Session, User};

use crate::engine::Engine;
use crate::error::{ApplyError, BootError, Error, LoginError, OpenError, UserError};
use crate::files::FileSet;
use crate::host::Host;
use crate::report::{Applied, BootReport, CheckReport, FileDiff, Holder, Preview, Status};
use crate::settings::{Author, Settings};

/// The appliance, as the web UI and the command line see it. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    engine: Arc<dyn Engine>,
    host: Arc<dyn Host>,
}

/// A login that has just begun. The token goes into the cookie and is kept nowhere else.
pub struct NewSession {
    /// For the cookie: 256 random bits in URL-safe base64.
    pub token: String,
    /// What it stands for.
    pub session: Session,
}

/// A way in without a password, once.
pub struct LoginLink {
    /// For the link: 256 random bits in URL-safe base64.
    pub token: String,
    /// The user it logs in.
    pub user: String,
    /// When it stops working, in milliseconds since 1970 UTC.
    pub expires_ms: i64,
}

impl Control {
    /// Opens the history and the configuration directory. Nothing is applied: see [`Control::boot`].
    pub async fn open(
        settings: Settings,
        engine: Arc<dyn Engine>,
        host: Arc<dyn Host>,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            inner: Arc::new(Inner {
                settings,
                engine,
                host,
            }),
        })
    }

    /// Brings the box to what its files say, or the last live revision. Goes on without what does
    /// not work, so that the UI comes up; what that was is in the report.
    pub async fn boot(&self) -> Result<BootReport, BootError> {
        let _ = (&self.inner.settings, &self.inner.engine, &self.inner.host);
        Err(Error::Interrupted.into())
    }

    /// The files on disk.
    pub async fn live_files(&self) -> Result<FileSet, Error> {
        Ok(FileSet::new())
    }

    /// Everything that is wrong or odd with `files`. Touches nothing.
    pub fn check(&self, _files: &FileSet) -> CheckReport {
        CheckReport::default()
    }

    /// What [`Control::apply`] would do.
    pub async fn preview(&self, _files: &FileSet) -> Result<Preview, Error> {
        Err(Error::Interrupted)
    }

    /// Makes `files` the running configuration, or changes nothing. With `base`, only if that is the
    /// live revision. Dropping the future does not stop the change.
    pub async fn apply(
        &self,
        _files: FileSet,
        _author: Author,
        _comment: &str,
        _base: Option<RevisionId>,
    ) -> Result<Applied, ApplyError> {
        Err(Error::Interrupted.into())
    }

    /// Applies the files of an earlier revision as a new one.
    pub async fn rollback(&self, _to: RevisionId, _author: Author) -> Result<Applied, ApplyError> {
        Err(Error::Interrupted.into())
    }

    /// The revision in effect.
    pub async fn live_revision(&self) -> Result<Option<Revision>, Error> {
        Ok(None)
    }

    /// The history, newest first: at most `limit` revisions before `before`.
    pub async fn revisions(
        &self,
        _limit: u32,
        _before: Option<RevisionId>,
    ) -> Result<Vec<Revision>, Error> {
        Ok(Vec::new())
    }

    /// One entry of the history.
    pub async fn revision(&self, id: RevisionId) -> Result<Revision, Error> {
        Err(Error::NoSuchRevision(id))
    }

    /// The files of a revision.
    pub async fn revision_files(&self, _id: RevisionId) -> Result<FileSet, Error> {
        Ok(FileSet::new())
    }

    /// What changed from one revision to another, or to the files on disk.
    pub async fn diff(
        &self,
        _from: RevisionId,
        _to: Option<RevisionId>,
    ) -> Result<Vec<FileDiff>, Error> {
        Ok(Vec::new())
    }

    /// What changes from one file set to another.
    pub fn diff_files(&self, _before: &FileSet, _after: &FileSet) -> Vec<FileDiff> {
        Vec::new()
    }

    /// The state of the box.
    pub async fn status(&self) -> Result<Status, Error> {
        Err(Error::Interrupted)
    }

    /// Who is changing the configuration right now.
    pub fn busy(&self) -> Option<Holder> {
        None
    }

    /// Whether anybody can log in.
    pub async fn has_users(&self) -> Result<bool, Error> {
        Ok(false)
    }

    /// Everybody who may log in, by name.
    pub async fn users(&self) -> Result<Vec<User>, Error> {
        Ok(Vec::new())
    }

    /// Adds a user without a password; [`Control::login_link`] lets them in the first time.
    pub async fn add_user(
        &self,
        _name: &str,
        _role: Role,
        _author: &Author,
    ) -> Result<(), UserError> {
        Err(Error::Interrupted.into())
    }

    /// Changes what a user may do and ends their sessions.
    pub async fn set_role(
        &self,
        _name: &str,
        _role: Role,
        _author: &Author,
    ) -> Result<(), UserError> {
        Err(Error::Interrupted.into())
    }

    /// Removes a user with their sessions and login links.
    pub async fn remove_user(&self, _name: &str, _author: &Author) -> Result<(), UserError> {
        Err(Error::Interrupted.into())
    }

    /// Sets a user's password and ends all their sessions and login links: whoever is logged in
    /// starts a new session with [`Control::login`].
    pub async fn set_password(
        &self,
        _name: &str,
        _password: &str,
        _author: &Author,
    ) -> Result<(), UserError> {
        Err(Error::Interrupted.into())
    }

    /// Whether a password is right. `peer` is the address it came from; failures slow down both the
    /// account and the address. Takes as long for a name that does not exist.
    pub async fn verify_password(
        &self,
        _name: &str,
        _password: &str,
        _peer: &str,
    ) -> Result<User, LoginError> {
        Err(LoginError::Wrong)
    }

    /// Starts a session by password.
    pub async fn login(
        &self,
        _name: &str,
        _password: &str,
        _peer: &str,
    ) -> Result<NewSession, LoginError> {
        Err(LoginError::Wrong)
    }

    /// Starts a session by the token of a login link, which works once.
    pub async fn login_with_token(
        &self,
        _token: &str,
        _peer: &str,
    ) -> Result<NewSession, LoginError> {
        Err(LoginError::Wrong)
    }

    /// Makes a login link for a user; one that does not exist yet is added as an administrator.
    pub async fn login_link(&self, _name: &str, _author: &Author) -> Result<LoginLink, UserError> {
        Err(Error::Interrupted.into())
    }

    /// The session of a cookie's token, if it lasts; counts as a use of it.
    pub async fn session(&self, _token: &str) -> Result<Option<Session>, Error> {
        Ok(None)
    }

    /// Ends the session of a token.
    pub async fn logout(&self, _token: &str) -> Result<(), Error> {
        Ok(())
    }

    /// The sessions of a user.
    pub async fn sessions(&self, _user: &str) -> Result<Vec<Session>, Error> {
        Ok(Vec::new())
    }

    /// Ends all sessions of a user; tells how many.
    pub async fn revoke_sessions(&self, _user: &str, _author: &Author) -> Result<u64, Error> {
        Ok(0)
    }

    /// The audit log, newest first: at most `limit` entries before `before`.
    pub async fn audit_log(
        &self,
        _limit: u32,
        _before: Option<i64>,
    ) -> Result<Vec<AuditEntry>, Error> {
        Ok(Vec::new())
    }

    /// Adds a line to the audit log. Never a password, a token or a key.
    pub async fn audit(&self, _author: &Author, _action: &str, _detail: &str) -> Result<(), Error> {
        Ok(())
    }
}
