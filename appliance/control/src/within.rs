//! How long a change on trial may wait for its confirmation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Between ten seconds and a day, in whole seconds; written and read as `90s`, `5m`, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Within(u64);

/// Why a time cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WithinError {
    /// Not a time.
    #[error(
        "'{0}' is not a time: write whole hours, minutes and seconds like 5m, 90s or 1h30m; a \
         plain number is seconds"
    )]
    Unreadable(String),
    /// Too short for anybody to confirm.
    #[error("{0} s is too short to confirm anything: give at least 10s; 5m is usual")]
    Short(u64),
    /// So long that nobody would expect the way back any more.
    #[error("{0} s is too long: give at most 24h; 5m is usual")]
    Long(u64),
}

impl Within {
    /// The shortest.
    pub const MIN: Within = Within(10);
    /// What a change gets that goes on trial without being asked to.
    pub const USUAL: Within = Within(5 * 60);
    /// The longest.
    pub const MAX: Within = Within(24 * 3600);

    /// In seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Within {
    type Error = WithinError;

    fn try_from(seconds: u64) -> Result<Self, WithinError> {
        match Self(seconds) {
            within if within < Self::MIN => Err(WithinError::Short(seconds)),
            within if within > Self::MAX => Err(WithinError::Long(seconds)),
            within => Ok(within),
        }
    }
}

impl From<Within> for u64 {
    fn from(within: Within) -> u64 {
        within.0
    }
}

impl FromStr for Within {
    type Err = WithinError;

    fn from_str(text: &str) -> Result<Self, WithinError> {
        let unreadable = || WithinError::Unreadable(text.chars().take(40).collect());
        let text = text.trim();
        let mut rest = text;
        let mut seconds = 0_u64;
        for (unit, factor) in [('h', 3600), ('m', 60), ('s', 1)] {
            let Some((number, after)) = rest.split_once(unit) else {
                continue;
            };
            let part = whole(number).ok_or_else(unreadable)?;
            seconds = seconds.saturating_add(part.saturating_mul(factor));
            rest = after;
        }
        if rest == text {
            seconds = whole(text).ok_or_else(unreadable)?;
        } else if !rest.is_empty() {
            return Err(unreadable());
        }
        Self::try_from(seconds)
    }
}

/// Digits and nothing else. A number that no one can mean counts as the largest.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&span(self.0))
    }
}

/// Seconds in the same writing: `4m12s`.
pub(crate) fn span(seconds: u64) -> String {
    let parts = [
        (seconds / 3600, 'h'),
        (seconds / 60 % 60, 'm'),
        (seconds % 60, 's'),
    ];
    let text: String = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, seconds, written) in [
            ("90", 90, "1m30s"),
            ("90s", 90, "1m30s"),
            ("5m", 300, "5m"),
            (" 1h30m ", 5400, "1h30m"),
            ("1h0m5s", 3605, "1h5s"),
            ("10", 10, "10s"),
            ("24h", 86_400, "24h"),
        ] {
            let within: Within = text.parse().unwrap();
            assert_eq!(
                (within.seconds(), within.to_string().as_str()),
                (seconds, written)
            );
            assert_eq!(written.parse(), Ok(within));
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_a_way_on() {
        for text in [
            "", "m", "5 m", "m5", "5m1h", "5x", "-5m", "1.5h", "5m5", "+5", "5mm", "٥m",
        ] {
            let error = text.parse::<Within>().unwrap_err();
            assert!(
                matches!(error, WithinError::Unreadable(_)),
                "{text}: {error}"
            );
            assert!(error.to_string().contains("like 5m"), "{error}");
        }
        assert_eq!("9s".parse::<Within>(), Err(WithinError::Short(9)));
        assert_eq!("24h1s".parse::<Within>(), Err(WithinError::Long(86_401)));
        assert!(matches!(
            "99999999999999999999h".parse::<Within>(),
            Err(WithinError::Long(_))
        ));
    }
}
