use std::ops::{Range, RangeInclusive};
use std::time::Duration;

/// A number that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// Not a number at all, or none.
    NotANumber,
    /// A character that belongs to no number, and where it is.
    Unexpected(char, Range<usize>),
    /// Larger than HAProxy's largest.
    Overflow,

    /// Outside the keyword's range.
    OutOfRange,
}

/// A decimal integer, whole word.
pub(crate) fn integer(text: &str, range: RangeInclusive<u32>) -> Result<u32, NumberError> {
    if let Some((at, character)) = text.char_indices().find(|(_, c)| !c.is_ascii_digit()) {
        if at == 0 {
            return Err(NumberError::NotANumber);
        }
        return Err(NumberError::Unexpected(
            character,
            at..at + character.len_utf8(),
        ));
    }
    if text.is_empty() {
        return Err(NumberError::NotANumber);
    }
    let number = text.parse().map_err(|_| NumberError::OutOfRange)?;
    if range.contains(&number) {
        Ok(number)
    } else {
        Err(NumberError::OutOfRange)
    }
}

/// A time (HAProxy manual, section 2.5): digits and a unit, milliseconds without one; at most
/// 2,147,483,647 ms. Microseconds are rounded up to milliseconds as HAProxy does, and less than one
/// is refused.
pub(crate) fn duration(text: &str) -> Result<Duration, NumberError> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let micros_per_unit: u64 = match unit {
        "us" => 1,
        "" | "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => {
            // A unit that starts well goes wrong at its second character.
            let skip = usize::from(unit.len() > 1 && unit.starts_with(['u', 's', 'm', 'h', 'd']));
            let (at, wrong) = unit.char_indices().nth(skip).unwrap_or((0, '?'));
            let at = end + at;
            return Err(NumberError::Unexpected(wrong, at..at + wrong.len_utf8()));
        }
    };
    if digits.is_empty() {
        return Err(NumberError::NotANumber);
    }
    let number: u64 = digits.parse().map_err(|_| NumberError::Overflow)?;
    let micros = number
        .checked_mul(micros_per_unit)
        .ok_or(NumberError::Overflow)?;
    let millis = micros.div_ceil(1_000);
    match millis {
        0..=2_147_483_647 => Ok(Duration::from_millis(millis)),
        _ => Err(NumberError::Overflow),
    }
}

/// A size (HAProxy manual, section 2.6): digits, and `k`, `m` or `g` of either case.
pub(crate) fn size(text: &str, range: RangeInclusive<u32>) -> Result<u32, NumberError> {
    let (digits, factor) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1 << 10),
        Some((at, 'm' | 'M')) => (text.get(..at), 1 << 20),
        Some((at, 'g' | 'G')) => (text.get(..at), 1 << 30),
        _ => (Some(text), 1_u32),
    };
    let number = integer(digits.unwrap_or_default(), 0..=u32::MAX)?;
    match number.checked_mul(factor) {
        Some(size) if range.contains(&size) => Ok(size),
        _ => Err(NumberError::OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let ms = |text| duration(text).map(|time| time.as_millis());
        assert_eq!(ms("5"), Ok(5));
        assert_eq!(ms("5ms"), Ok(5));
        assert_eq!(ms("1500us"), Ok(2));
        assert_eq!(ms("1us"), Ok(1));
        assert_eq!(ms("5s"), Ok(5_000));
        assert_eq!(ms("2m"), Ok(120_000));
        assert_eq!(ms("1h"), Ok(3_600_000));
        assert_eq!(ms("24d"), Ok(2_073_600_000));
        assert_eq!(ms("30d"), Err(NumberError::Overflow));
        assert_eq!(ms("99999999999999999999"), Err(NumberError::Overflow));
        assert_eq!(ms("18446744073709551615d"), Err(NumberError::Overflow));
        assert_eq!(ms("1.5s"), Err(NumberError::Unexpected('.', 1..2)));
        assert_eq!(ms("5x"), Err(NumberError::Unexpected('x', 1..2)));
        assert_eq!(ms("5sx"), Err(NumberError::Unexpected('x', 2..3)));
        assert_eq!(ms("-5"), Err(NumberError::Unexpected('-', 0..1)));
        assert_eq!(ms("s"), Err(NumberError::NotANumber));
        assert_eq!(ms(""), Err(NumberError::NotANumber));
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("16k", 0..=u32::MAX), Ok(16_384));
        assert_eq!(size("1M", 0..=u32::MAX), Ok(1 << 20));
        assert_eq!(size("5g", 0..=u32::MAX), Err(NumberError::OutOfRange));
        assert_eq!(size("k", 0..=u32::MAX), Err(NumberError::NotANumber));
    }

    #[test]
    fn integers_have_ranges() {
        assert_eq!(integer("64", 1..=64), Ok(64));
        assert_eq!(integer("65", 1..=64), Err(NumberError::OutOfRange));
        assert_eq!(
            integer("6x", 1..=64),
            Err(NumberError::Unexpected('x', 1..2))
        );
        assert_eq!(integer("x", 1..=64), Err(NumberError::NotANumber));
        assert_eq!(integer("", 1..=64), Err(NumberError::NotANumber));
        assert_eq!(integer("99999999999", 1..=64), Err(NumberError::OutOfRange));
    }
}
