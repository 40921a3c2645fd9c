//! Lines and words of a head: what is done for each of its bytes.

/// A line whose end is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where its text ends.
    pub(super) end: usize,
    /// Where the next line starts.
    pub(super) next: usize,
    /// Its text has neither NUL nor CR, which another parser would read differently.
    pub(super) clean: bool,
}

/// The end of the line that `from` is in. `None`: not there yet.
pub(super) fn line(head: &[u8], from: usize) -> Option<Line> {
    let (mut at, mut clean) = (from, true);
    loop {
        at = control(head, at)?;
        match (head.get(at)?, head.get(at + 1)) {
            (b'\n', _) => {
                return Some(Line {
                    end: at,
                    next: at + 1,
                    clean,
                });
            }
            (b'\r', Some(b'\n')) => {
                return Some(Line {
                    end: at,
                    next: at + 2,
                    clean,
                });
            }
            (b'\r' | 0, _) => clean = false,
            _ => {}
        }
        at += 1;
    }
}

/// The next byte below 16: eight at a time, since a head has few, and most of them end a line.
fn control(head: &[u8], mut at: usize) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    while let Some(eight) = head.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*eight);
        // The top bit of each byte that is below 16. A borrow makes wrong ones above a right one only,
        // and the lowest is asked for.
        let below = word.wrapping_sub(16 * ONES) & !word & (128 * ONES);
        if below != 0 {
            return Some(at + below.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = head.get(at..)?;
    Some(at + rest.iter().position(|&b| b < 16)?)
}

/// Length of the token at the front of `text` (RFC 9110, section 5.6.2), whose letters are made lower
/// case: names go out like that.
pub(super) fn lower_token(text: &mut [u8]) -> usize {
    let mut length = 0;
    for byte in text {
        let lower = lower(*byte);
        if lower == 0 {
            break;
        }
        *byte = lower;
        length += 1;
    }
    length
}

/// Length of the token at the front of `text`.
pub(super) fn token(text: &[u8]) -> usize {
    let mut length = 0;
    while text.get(length).is_some_and(|&b| lower(b) != 0) {
        length += 1;
    }
    length
}

fn lower(byte: u8) -> u8 {
    LOWER.get(usize::from(byte)).map_or(0, |&lower| lower)
}

/// What may be in a token, in lower case; zero for all other bytes.
const LOWER: [u8; 256] = {
    let mut table = [0; 256];
    let mut rest: &[u8] =
        b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    while let [byte, more @ ..] = rest {
        #[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
        {
            table[*byte as usize] = byte.to_ascii_lowercase();
        }
        rest = more;
    }
    table
};
