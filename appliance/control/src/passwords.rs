//! Passwords: which are taken, and how they are kept (argon2id, RFC 9106).

use std::sync::{Arc, OnceLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::{Error, UserError};
use crate::{PASSWORD_MAX, PASSWORD_MIN};

/// Memory of one hashing in KiB, passes and lanes: OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashings at the same time: each takes 19 MiB and a processor.
const AT_ONCE: usize = 2;

/// Takes turns at hashing.
#[derive(Clone, Debug)]
pub(crate) struct Hashing(Arc<Semaphore>);

impl Default for Hashing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Hashing {
    /// Hash of a password with a salt of its own, as a PHC string.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Error> {
        let password = password.to_owned();
        let hashed = self.turn(move || hash(&password)).await?;
        hashed.ok_or(Error::Interrupted)
    }

    /// Whether a password fits a hash. Without a hash it never does, and takes as long to say so.
    pub(crate) async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, Error> {
        // A longer one cannot have been set, and would only cost time.
        let password: String = password.chars().take(PASSWORD_MAX + 1).collect();
        self.turn(move || {
            static NOBODY: OnceLock<Option<String>> = OnceLock::new();
            let known = hash.is_some();
            let hash = hash.or_else(|| {
                NOBODY
                    .get_or_init(|| self::hash("nobody has this password"))
                    .clone()
            });
            let hash = hash.unwrap_or_default();
            let fits = PasswordHash::new(&hash).is_ok_and(|hash| {
                hasher().is_some_and(|it| it.verify_password(password.as_bytes(), &hash).is_ok())
            });
            fits && known
        })
        .await
    }

    async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = Arc::clone(&self.0)
            .acquire_owned()
            .await
            .map_err(|_| Error::Interrupted)?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| Error::Interrupted)
    }
}

/// Whether a password may be set for a user (ASVS 5.0, 6.2): by length and by not being one of the
/// first that are tried. There are no rules about kinds of characters.
pub(crate) fn acceptable(user: &str, password: &str) -> Result<(), UserError> {
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        return Err(UserError::TooShort);
    }
    if length > PASSWORD_MAX {
        return Err(UserError::TooLong);
    }
    let lower = password.to_lowercase();
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let core = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let own = core == user.to_lowercase() || core == "lanai";
    let one = lower.chars().all(|c| lower.starts_with(c));
    if own || one || COMMON.lines().any(|common| common == lower) {
        return Err(UserError::Common);
    }
    Ok(())
}

fn hash(password: &str) -> Option<String> {
    Some(
        hasher()?
            .hash_password(password.as_bytes())
            .ok()?
            .to_string(),
    )
}

fn hasher() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Those of the commonest that are long enough to be asked.
const COMMON: &str = include_str!("passwords/common.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_argon2id_with_the_promised_cost_and_its_own_salt() {
        let hashing = Hashing::default();
        let one = hashing.hash("correct horse battery").await.unwrap();
        let two = hashing.hash("correct horse battery").await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        assert!(
            hashing
                .verify("correct horse battery", Some(one.clone()))
                .await
                .unwrap()
        );
        assert!(
            !hashing
                .verify("correct horse batter", Some(one))
                .await
                .unwrap()
        );
        assert!(
            !hashing
                .verify("nobody has this password", None)
                .await
                .unwrap()
        );
        assert!(
            !hashing
                .verify("x", Some("no hash".to_owned()))
                .await
                .unwrap()
        );
    }

    #[test]
    fn passwords_are_judged_by_length_and_commonness_only() {
        let judge = |password: &str| acceptable("annabella", password);
        assert!(matches!(judge("ninechars"), Err(UserError::TooShort)));
        assert!(matches!(judge(&"äb".repeat(65)), Err(UserError::TooLong)));
        for common in [
            "1234567890",
            "Password123",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "Annabella-2026",
            "lanai12345",
        ] {
            assert!(matches!(judge(common), Err(UserError::Common)), "{common}");
        }
        for good in [
            "ten chars.",
            "only letters here",
            "äöüäöüäöüä",
            "8675309-8675309",
            &"äb".repeat(64),
        ] {
            assert!(judge(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_list_is_in_lower_case_and_long_enough_to_matter() {
        for common in COMMON.lines() {
            assert!(
                common.chars().count() >= PASSWORD_MIN && common == common.to_lowercase(),
                "{common}"
            );
        }
    }
}
