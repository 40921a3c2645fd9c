//! The password that a new box shows on its console: it lets an administrator in once, who then
//! chooses one of their own. It is kept in memory only; a restart makes another.

use lanai_store::{Role, User};
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

use crate::control::Control;
use crate::error::UserError;
use crate::inner::{Inner, locked};
use crate::settings::Author;

/// Whom it lets in.
const ADMIN: &str = "admin";

/// Letters and digits that nobody mistakes for one another (Crockford's base 32): 5 bits each.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Groups of four letters: 80 bits.
const GROUPS: usize = 4;

/// A password that works once.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimePassword {
    /// The user it lets in.
    pub user: String,
    /// What to type, such as `7k2m-9xqr-4t0d-hw3e`; case, spaces and dashes do not matter.
    pub password: String,
}

impl Control {
    /// The password that works once, if one is called for: nobody has a password yet, or
    /// [`Control::reset_password`] asked for it and it was not used. Made at the first call.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn one_time_password(&self) -> Result<Option<OneTimePassword>, UserError> {
        if let Some(waiting) = locked(&self.inner.one_time).clone() {
            return Ok(Some(waiting));
        }
        let users = self.users().await?;
        if users.iter().any(|user| user.has_password) {
            return Ok(None);
        }
        let console = Author::new("lanai", "console");
        self.reset_password(&console).await.map(Some)
    }

    /// Makes a password that works once for the user `admin`, who is added if missing. The one they
    /// have goes on working until they choose another.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn reset_password(&self, author: &Author) -> Result<OneTimePassword, UserError> {
        match self.add_user(ADMIN, Role::Admin, author).await {
            Ok(()) => {}
            // Who has the console has the box. A change of role ends sessions: not that of whoever
            // came in by the last of these passwords and is just choosing their own.
            Err(UserError::Exists) => {
                let users = self.users().await?;
                let is_admin = |user: &User| user.name == ADMIN && user.role == Role::Admin;
                if !users.iter().any(is_admin) {
                    self.set_role(ADMIN, Role::Admin, author).await?;
                }
            }
            Err(error) => return Err(error),
        }
        let made = OneTimePassword {
            user: ADMIN.to_owned(),
            password: random(),
        };
        let kept = locked(&self.inner.one_time).get_or_insert(made).clone();
        self.inner
            .note(author, "one-time password made", ADMIN)
            .await;
        Ok(kept)
    }
}

impl Inner {
    /// Whether this is the password that works once.
    pub(crate) fn is_one_time(&self, user: &str, password: &str) -> bool {
        let kept = locked(&self.one_time);
        kept.as_ref().is_some_and(|kept| kept.fits(user, password))
    }

    /// As [`Inner::is_one_time`]; then it does no more.
    pub(crate) fn use_one_time(&self, user: &str, password: &str) -> bool {
        let mut kept = locked(&self.one_time);
        kept.take_if(|kept| kept.fits(user, password)).is_some()
    }

    /// A password that somebody chose takes the place of the one that waits.
    pub(crate) fn forget_one_time(&self, user: &str) {
        locked(&self.one_time).take_if(|kept| kept.user == user);
    }
}

impl OneTimePassword {
    fn fits(&self, user: &str, password: &str) -> bool {
        self.user == user && same(&self.password, password)
    }
}

fn random() -> String {
    let mut generator = rand::rng();
    let groups: Vec<String> = (0..GROUPS)
        .map(|_| {
            let letters = (0..4).map(|_| {
                let bits = generator.next_u32() & 31;
                let letter = usize::try_from(bits).ok().and_then(|at| ALPHABET.get(at));
                char::from(letter.copied().unwrap_or(b'0'))
            });
            letters.collect()
        })
        .collect();
    groups.join("-")
}

/// Compares digests, so that the time it takes says nothing about the password.
fn same(one: &str, other: &str) -> bool {
    Sha256::digest(letters(one)) == Sha256::digest(letters(other))
}

/// What counts of a password that was typed from a screen.
fn letters(typed: &str) -> String {
    let kept = typed.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.map(|c| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{letters, random, same};

    #[test]
    fn what_is_typed_from_a_screen_is_understood() {
        let password = random();
        assert_eq!(letters(&password).len(), 16);
        assert_ne!(password, random());
        assert!(same(&password, &password.to_uppercase().replace('-', " ")));
        assert!(same("10ab-0000", "loab oooo"));
        assert!(!same(&password, &password[1..]));
        assert!(!same(&password, ""));
    }
}
