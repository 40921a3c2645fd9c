//! Ports, as ranges.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A port, or a range of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ports {
    /// The lowest.
    pub first: u16,
    /// The highest, not below the lowest.
    pub last: u16,
}

impl Ports {
    /// One port.
    pub fn one(port: u16) -> Self {
        Self {
            first: port,
            last: port,
        }
    }

    /// A range of the model.
    pub fn range(range: &std::ops::RangeInclusive<u16>) -> Self {
        Self {
            first: *range.start(),
            last: *range.end(),
        }
    }
}

/// As the kernel writes and `nft(8)` reads it.
impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// A set of ports: ranges in order, none of which touches the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSet(Vec<Ports>);

impl PortSet {
    /// Reads what the kernel writes; what is no port is left out.
    pub fn parse(text: &str) -> Self {
        let ranges = text.split(',').filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(Ports {
                first: first.trim().parse().ok()?,
                last: last.trim().parse().ok()?,
            })
        });
        ranges.collect()
    }

    /// Whether there is none in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        let ranges = self.0.iter();
        ranges.map(|ports| (ports.first..=ports.last).count()).sum()
    }

    /// The ports of both.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        self.0.iter().chain(&others.0).copied().collect()
    }
}

impl FromIterator<Ports> for PortSet {
    fn from_iter<T: IntoIterator<Item = Ports>>(ports: T) -> Self {
        let mut sorted: Vec<Ports> = ports.into_iter().filter(|p| p.first <= p.last).collect();
        sorted.sort_unstable();
        let mut set: Vec<Ports> = Vec::new();
        for next in sorted {
            match set.last_mut() {
                Some(before) if next.first <= before.last.saturating_add(1) => {
                    before.last = before.last.max(next.last);
                }
                _ => set.push(next),
            }
        }
        Self(set)
    }
}

/// As the kernel writes it.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ports) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{ports}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_meet_are_one_as_the_kernel_has_it() {
        let set = PortSet::parse("20-30,8080,31-40,10-25,65535, x,9-7");
        assert_eq!(set.to_string(), "10-40,8080,65535");
        let both = set.with(&PortSet::parse("65534,8081"));
        assert_eq!(both.to_string(), "10-40,8080-8081,65534-65535");
        assert_eq!(PortSet::parse(""), PortSet::default());
        assert_eq!(both.len(), 31 + 2 + 2);
        assert_eq!(PortSet::parse("0-65535").len(), 65_536);
    }
}
