use std::cmp::Ordering;
use std::collections::BTreeSet;

/// What the predicates of conditional blocks and of `-cc` answer (HAProxy manual, section 2.4).
///
/// An answer decides which lines of a text count, and which tests are run against us, so it must be
/// true: a feature is claimed when we have what HAProxy means by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The HAProxy version whose language we speak, for `version_atleast` and `version_before`.
    pub version: String,
    /// For `feature(NAME)`.
    pub features: BTreeSet<String>,
    /// For `enabled(NAME)`.
    pub enabled: BTreeSet<String>,
    /// For `ssllib_name_startswith(NAME)`.
    pub ssl_library: String,
    /// For `openssl_version_atleast` and `openssl_version_before`: the OpenSSL version whose
    /// behaviour the TLS library is comparable with, as `MAJOR.MINOR.FIX`.
    pub openssl_version: Option<String>,
    /// For `awslc_api_atleast` and `awslc_api_before`: AWS-LC's API number.
    pub awslc_api: Option<i64>,
    /// For `fips_mode()`.
    pub fips_mode: bool,
}

impl Default for Facts {
    /// What this version of Lanai can say with truth.
    fn default() -> Self {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            version: "3.5-dev5".to_owned(),
            features: set(&[
                "ACCEPT4",
                "EPOLL",
                "GETADDRINFO",
                "OPENSSL",
                "OPENSSL_AWSLC",
                "POLL",
                "THREAD",
            ]),
            enabled: set(&["EPOLL", "GETADDRINFO", "POLL", "REUSEPORT"]),
            // What does our TLS underneath rustls, and what its headers say of its interfaces.
            ssl_library: "AWS-LC".to_owned(),
            openssl_version: Some("1.1.1g".to_owned()),
            awslc_api: Some(37),
            fips_mode: false,
        }
    }
}

/// A HAProxy version that can be compared, such as `2.6.12`, `3.5-dev5` or `3.5-dev5-1a2b3c-9`.
/// Missing numbers are zero; a development version comes before its release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    numbers: [u32; 4],
    stage: Stage,
    /// Number of the stage, or of the commits after it.
    step: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Dev,
    Pre,
    Rc,
    Release,
}

impl Version {
    /// Reads a version; `None` when it does not start with a number.
    pub fn parse(text: &str) -> Option<Self> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (release, rest) = text.split_at(end);
        let mut numbers = [0; 4];
        let mut parts = release.split('.');
        for (at, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) if !part.is_empty() => *number = part.parse().ok()?,
                None | Some(_) if at == 0 => return None,
                _ => break,
            }
        }
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let staged = [("dev", Stage::Dev), ("pre", Stage::Pre), ("rc", Stage::Rc)]
            .into_iter()
            .find_map(|(word, stage)| Some((stage, rest.strip_prefix(word)?)));
        let (stage, step) = match staged {
            Some((stage, step)) => (stage, leading_number(step)),
            None => (Stage::Release, 0),
        };
        Some(Self {
            numbers,
            stage,
            step,
        })
    }
}

/// Compares two OpenSSL versions (`3.0.0`, `1.1.1w`, `3.0.0-beta2`); `None` when one is none.
pub(crate) fn compare_openssl(one: &str, other: &str) -> Option<Ordering> {
    Some(openssl(one)?.cmp(&openssl(other)?))
}

/// Major, minor, fix, patch letters, and betas before releases.
fn openssl(text: &str) -> Option<(u32, u32, u32, u32, u32)> {
    let (major, rest) = text.split_once('.')?;
    let (minor, rest) = rest.split_once('.')?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (fix, rest) = rest.split_at(end);
    let (patch, status) = match rest.strip_prefix('-') {
        Some(stage) => (0, stage.strip_prefix("beta").map_or(0, leading_number)),
        None => {
            let letters = rest.bytes().map(|letter| match letter {
                b'a'..=b'z' => Some(u32::from(letter - b'a') + 1),
                _ => None,
            });
            (letters.sum::<Option<u32>>()?, u32::MAX)
        }
    };
    let number = |text: &str| text.parse().ok();
    Some((number(major)?, number(minor)?, number(fix)?, patch, status))
}

fn leading_number(text: &str) -> u32 {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, _) = text.split_at(end);
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).expect("a version")
    }

    #[test]
    fn versions_come_in_order() {
        let order = [
            "1.9",
            "2.4-dev18",
            "2.4-dev19",
            "2.4-rc1",
            "2.4",
            "2.4.1",
            "2.10",
            "3.5-dev5",
            "3.5",
        ];
        for pair in order.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("2.4"), version("2.4.0"));
        assert_eq!(version("3.5-dev5-1a2b3c-9"), version("3.5-dev5"));
        assert_eq!(Version::parse("x"), None);
        assert_eq!(Version::parse(""), None);
    }

    #[test]
    fn openssl_versions_come_in_order() {
        let order = [
            "0.9.8zh",
            "1.0.2u",
            "1.1.1",
            "1.1.1w",
            "3.0.0-beta2",
            "3.0.0",
            "3.0.22",
        ];
        for pair in order.windows(2) {
            let found = compare_openssl(pair[0], pair[1]);
            assert_eq!(found, Some(Ordering::Less), "{pair:?}");
        }
        assert_eq!(compare_openssl("3.0", "3.0.0"), None);
    }
}
