//! Users, logins and sessions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lanai_store::{NewSessionRow, Role, Session, User};
use rand::Rng as _;

use crate::control::Control;
use crate::digest::sha256_hex;
use crate::error::{Error, LoginError, UserError};
use crate::inner::{Inner, locked};
use crate::passwords::acceptable;
use crate::settings::Author;
use crate::{LOGIN_LINK_MS, SESSION_IDLE_MS, SESSION_MAX_MS};

/// A login that has just begun. The token goes into the cookie and is kept nowhere else.
pub struct NewSession {
    /// For the cookie: 256 random bits in URL-safe base64.
    pub token: String,
    /// What it stands for.
    pub session: Session,
    /// Whether a password that works once was used up: its user is to choose another now.
    pub once: bool,
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
    /// Whether anybody can be logged in.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn has_users(&self) -> Result<bool, Error> {
        Ok(!self.inner.store.users().await?.is_empty())
    }

    /// Everybody who may log in, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn users(&self) -> Result<Vec<User>, Error> {
        Ok(self.inner.store.users().await?)
    }

    /// Adds a user without a password; [`Control::login_link`] lets them in the first time.
    ///
    /// # Errors
    /// If the name is bad or taken.
    pub async fn add_user(&self, name: &str, role: Role, author: &Author) -> Result<(), UserError> {
        check_user_name(name)?;
        let added = self
            .inner
            .store
            .add_user(name, role, self.inner.now_ms())
            .await;
        added.map_err(|error| match error {
            lanai_store::Error::Exists(_) => UserError::Exists,
            other => other.into(),
        })?;
        self.inner
            .note(author, "user added", &format!("{name}, {role}"))
            .await;
        Ok(())
    }

    /// Changes what a user may do and ends their sessions.
    ///
    /// # Errors
    /// If there is no such user, or it is the last administrator.
    pub async fn set_role(&self, name: &str, role: Role, author: &Author) -> Result<(), UserError> {
        if role != Role::Admin {
            self.keep_an_admin(name).await?;
        }
        if !self.inner.store.set_role(name, role).await? {
            return Err(Error::NoSuchUser(name.to_owned()).into());
        }
        self.inner.store.end_sessions(name).await?;
        self.inner
            .note(author, "user changed", &format!("{name} is {role} now"))
            .await;
        Ok(())
    }

    /// Removes a user with their sessions and login links.
    ///
    /// # Errors
    /// If there is no such user, or it is the last administrator.
    pub async fn remove_user(&self, name: &str, author: &Author) -> Result<(), UserError> {
        self.keep_an_admin(name).await?;
        if !self.inner.store.remove_user(name).await? {
            return Err(Error::NoSuchUser(name.to_owned()).into());
        }
        self.inner.note(author, "user removed", name).await;
        Ok(())
    }

    /// Sets a user's password and ends all their sessions and login links: whoever is logged in
    /// starts a new session with [`Control::login`].
    ///
    /// # Errors
    /// If the password is not acceptable or there is no such user.
    pub async fn set_password(
        &self,
        name: &str,
        password: &str,
        author: &Author,
    ) -> Result<(), UserError> {
        acceptable(name, password)?;
        let hash = self.inner.hashing.hash(password).await?;
        if !self.inner.store.set_password_hash(name, &hash).await? {
            return Err(Error::NoSuchUser(name.to_owned()).into());
        }
        self.inner.forget_one_time(name);
        self.inner.note(author, "password set", name).await;
        Ok(())
    }

    /// Whether a password is right. `peer` is the address it came from; failures slow down both the
    /// account and the address. Takes as long for a name that does not exist.
    ///
    /// # Errors
    /// If it is not, or it is too soon after failures.
    pub async fn verify_password(
        &self,
        name: &str,
        password: &str,
        peer: &str,
    ) -> Result<User, LoginError> {
        let result = self.inner.verify(name, password, peer).await;
        let author = Author::new(name, format!("ui {peer}"));
        match &result {
            Err(LoginError::Wrong) => self.inner.note(&author, "login failed", "").await,
            Err(LoginError::TooSoon { retry_after_s }) => {
                // One line, not one for each of a flood: the log must stay readable.
                tracing::debug!(peer, retry_after_s, "login tried too soon");
            }
            _ => {}
        }
        result
    }

    /// Starts a session by password, or by the one-time password of the console.
    ///
    /// # Errors
    /// As [`Control::verify_password`].
    pub async fn login(
        &self,
        name: &str,
        password: &str,
        peer: &str,
    ) -> Result<NewSession, LoginError> {
        if self.inner.is_one_time(name, password) {
            return self.inner.login_once(name, password, peer).await;
        }
        let user = self.verify_password(name, password, peer).await?;
        self.inner.begin_session(user, peer, "by password").await
    }

    /// Starts a session by the token of a login link, which works once.
    ///
    /// # Errors
    /// If it does not work (any more), or it is too soon after failures from this address.
    pub async fn login_with_token(
        &self,
        token: &str,
        peer: &str,
    ) -> Result<NewSession, LoginError> {
        let now_ms = self.inner.now_ms();
        // Tokens cannot be guessed; this is about the load and the log. They share an account of
        // their own, so that nobody's password login is slowed down by them.
        locked(&self.inner.throttle)
            .begin(peer, peer, now_ms)
            .map_err(too_soon)?;
        match self
            .inner
            .store
            .use_login_token(&token_hash(token), now_ms)
            .await?
        {
            Some(user) => {
                locked(&self.inner.throttle).succeeded(peer, peer);
                self.inner.begin_session(user, peer, "by login link").await
            }
            None => {
                let author = Author::new("unknown", format!("ui {peer}"));
                self.inner
                    .note(&author, "login failed", "by login link")
                    .await;
                Err(LoginError::Wrong)
            }
        }
    }

    /// Makes a login link for a user; one that does not exist yet is added as an administrator.
    ///
    /// # Errors
    /// If the name is bad.
    pub async fn login_link(&self, name: &str, author: &Author) -> Result<LoginLink, UserError> {
        match self.add_user(name, Role::Admin, author).await {
            Ok(()) | Err(UserError::Exists) => {}
            Err(error) => return Err(error),
        }
        let token = random_token();
        let now_ms = self.inner.now_ms();
        let expires_ms = now_ms.saturating_add(LOGIN_LINK_MS);
        let hash = token_hash(&token);
        if !self
            .inner
            .store
            .add_login_token(name, &hash, now_ms, expires_ms)
            .await?
        {
            return Err(Error::NoSuchUser(name.to_owned()).into());
        }
        self.inner.note(author, "login link made", name).await;
        Ok(LoginLink {
            token,
            user: name.to_owned(),
            expires_ms,
        })
    }

    /// The session of a cookie's token, if it lasts; counts as a use of it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn session(&self, token: &str) -> Result<Option<Session>, Error> {
        let inner = &self.inner;
        Ok(inner
            .store
            .use_session(&token_hash(token), inner.now_ms(), SESSION_IDLE_MS)
            .await?)
    }

    /// Ends the session of a token.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn logout(&self, token: &str) -> Result<(), Error> {
        if let Some(user) = self.inner.store.end_session(&token_hash(token)).await? {
            self.inner
                .note(&Author::new(user, "ui"), "logout", "")
                .await;
        }
        Ok(())
    }

    /// The sessions of a user, last used first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn sessions(&self, user: &str) -> Result<Vec<Session>, Error> {
        Ok(self
            .inner
            .store
            .sessions(user, self.inner.now_ms(), SESSION_IDLE_MS)
            .await?)
    }

    /// Ends all sessions of a user; tells how many.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn revoke_sessions(&self, user: &str, author: &Author) -> Result<u64, Error> {
        let ended = self.inner.store.end_sessions(user).await?;
        self.inner
            .note(author, "sessions ended", &format!("{user}, {ended}"))
            .await;
        Ok(ended)
    }

    async fn keep_an_admin(&self, name: &str) -> Result<(), UserError> {
        let users = self.inner.store.users().await?;
        let admin = |user: &&User| user.role == Role::Admin;
        let is_admin = users.iter().filter(admin).any(|user| user.name == name);
        let others = users.iter().filter(admin).any(|user| user.name != name);
        if is_admin && !others {
            Err(UserError::LastAdmin)
        } else {
            Ok(())
        }
    }
}

impl Inner {
    async fn login_once(
        &self,
        name: &str,
        password: &str,
        peer: &str,
    ) -> Result<NewSession, LoginError> {
        // Whoever has to wait learns nothing, not even from the right one.
        locked(&self.throttle)
            .begin(name, peer, self.now_ms())
            .map_err(too_soon)?;
        if !self.use_one_time(name, password) {
            return Err(LoginError::Wrong);
        }
        locked(&self.throttle).succeeded(name, peer);
        let user = self.store.user(name).await?.ok_or(LoginError::Wrong)?;
        let begun = self.begin_session(user, peer, "by one-time password");
        Ok(NewSession {
            once: true,
            ..begun.await?
        })
    }

    async fn verify(&self, name: &str, password: &str, peer: &str) -> Result<User, LoginError> {
        locked(&self.throttle)
            .begin(name, peer, self.now_ms())
            .map_err(too_soon)?;
        let hash = self.store.password_hash(name).await?;
        if !self.hashing.verify(password, hash).await? {
            return Err(LoginError::Wrong);
        }
        let user = self.store.user(name).await?.ok_or(LoginError::Wrong)?;
        locked(&self.throttle).succeeded(name, peer);
        Ok(user)
    }

    async fn begin_session(
        &self,
        user: User,
        peer: &str,
        how: &str,
    ) -> Result<NewSession, LoginError> {
        let (token, csrf) = (random_token(), random_token());
        let now_ms = self.now_ms();
        let row = NewSessionRow {
            hash: token_hash(&token),
            user: user.name.clone(),
            csrf,
            peer: peer.to_owned(),
            expires_ms: now_ms.saturating_add(SESSION_MAX_MS),
        };
        let begun = self.store.add_session(&row, now_ms).await?;
        let session = self
            .store
            .use_session(&row.hash, now_ms, SESSION_IDLE_MS)
            .await?;
        // The user may have been removed meanwhile.
        let session = session.filter(|_| begun).ok_or(LoginError::Wrong)?;
        self.note(&Author::new(user.name, format!("ui {peer}")), "login", how)
            .await;
        Ok(NewSession {
            token,
            session,
            once: false,
        })
    }
}

fn check_user_name(name: &str) -> Result<(), UserError> {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    match first && name.len() <= 32 && name.chars().all(good) {
        true => Ok(()),
        false => Err(UserError::BadName),
    }
}

/// 256 bits from the operating system's generator, by way of the thread's.
fn random_token() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token has enough entropy of its own: a plain hash is as good as a slow one.
fn token_hash(token: &str) -> String {
    sha256_hex(token.as_bytes())
}

fn too_soon(wait_ms: i64) -> LoginError {
    let retry_after_s = u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000);
    LoginError::TooSoon { retry_after_s }
}
