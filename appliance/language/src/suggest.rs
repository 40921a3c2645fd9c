//! "Did you mean": the known word nearest to an unknown one.

use strsim::osa_distance;

/// The nearest of the known words, if it is near: about one letter in three may be wrong, missing,
/// added or swapped with its neighbour.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .into_iter()
        .take(MOST_KNOWN)
        .filter(|candidate| *candidate != word)
        .map(|candidate| (osa_distance(&lower, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(length.min(candidate.len())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The offer in HAProxy's words.
pub fn did_you_mean(word: &str) -> String {
    format!("did you mean '{word}' maybe ?")
}

/// Longer than any keyword; comparing takes time with the square of the length.
const LONGEST: usize = 64;

/// Names of a configuration can be very many, and each unknown one is compared with them.
const MOST_KNOWN: usize = 2_000;

fn allowed(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=5 => 1,
        6..=8 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["maxconn", "mode", "bind", "balance", "timeout"];

    fn near(word: &str) -> Option<&'static str> {
        nearest(word, KNOWN.iter().copied())
    }

    #[test]
    fn slips_are_mended() {
        assert_eq!(near("maxconnn"), Some("maxconn"));
        assert_eq!(near("mdoe"), Some("mode"));
        assert_eq!(near("BIND"), Some("bind"));
        assert_eq!(near("balanse"), Some("balance"));
    }

    #[test]
    fn other_words_are_left_alone() {
        assert_eq!(near("zzzzqq"), None);
        assert_eq!(near("b"), None);
        assert_eq!(near(""), None);
        assert_eq!(near(&"m".repeat(100_000)), None);
    }
}
