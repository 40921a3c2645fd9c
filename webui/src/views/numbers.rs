//! Numbers and times for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A count with thin gaps between thousands: `1 234 567`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Bytes in binary units: `1.5 MiB`.
pub(crate) fn bytes(value: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if value < 1024 {
        return format!("{value} B");
    }
    let mut divisor: u64 = 1;
    let mut name = "";
    for unit in UNITS {
        divisor = divisor.saturating_mul(1024);
        name = unit;
        if value / divisor < 1024 {
            break;
        }
    }
    let whole = value / divisor;
    let tenth = (value % divisor).saturating_mul(10) / divisor;
    if whole < 10 {
        format!("{whole}.{tenth} {name}")
    } else {
        format!("{whole} {name}")
    }
}

/// A span of time in its largest one or two units: `3 d 4 h`, `12 min`, `8 s`.
pub(crate) fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if days >= 10 || (days > 0 && hours % 24 == 0) => format!("{days} d"),
        () if days > 0 => format!("{days} d {} h", hours % 24),
        () if hours > 0 => format!("{hours} h {} min", minutes % 60),
        () if minutes > 0 => format!("{minutes} min"),
        () => format!("{seconds} s"),
    }
}

/// A span of time that is running out, to the second: `4 min 12 s`. The script says it the same way.
pub(crate) fn countdown(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// How long ago `then` was: `just now`, `5 min ago`. Both in milliseconds since 1970.
pub(crate) fn ago(then_ms: i64, now_ms: i64) -> String {
    let seconds = now_ms.saturating_sub(then_ms).max(0).unsigned_abs() / 1000;
    match seconds {
        0..10 => "just now".to_owned(),
        seconds => format!("{} ago", duration(seconds)),
    }
}

/// An instant in UTC, three ways.
#[derive(Clone, Debug)]
pub(crate) struct Instant {
    /// `2026-11-23T23:42:47Z`, for programs.
    pub(crate) iso: String,
    /// `2026-11-23 23:42`.
    pub(crate) when: String,
    /// `23:42:47`.
    pub(crate) clock: String,
}

/// The instant of `ms` milliseconds since 1970; one that no calendar has is shown as 1970.
pub(crate) fn instant(ms: i64) -> Instant {
    let stamp = Timestamp::from_millisecond(ms).unwrap_or_default();
    let civil = stamp.to_zoned_datetime(TimeZone::UTC);
    Instant {
        iso: civil.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        when: civil.strftime("%Y-%m-%d %H:%M").to_string(),
        clock: civil.strftime("%H:%M:%S").to_string(),
    }
}

/// `1 server`, `2 servers`.
pub(crate) fn plural(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(20 * 1024 * 1024), "20 MiB");
        assert_eq!(bytes(u64::MAX), "15 EiB");
        assert_eq!(
            (countdown(59), countdown(252)),
            ("59 s".into(), "4 min 12 s".into())
        );
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(3 * 3600 + 120), "3 h 2 min");
        assert_eq!(duration(86_400 + 3600), "1 d 1 h");
    }

    #[test]
    fn times_are_utc_and_never_fail() {
        assert_eq!(instant(0).iso, "1970-01-01T00:00:00Z");
        assert_eq!(instant(1_764_000_000_000).when, "2025-11-24 16:00");
        assert_eq!(instant(i64::MAX).iso, "1970-01-01T00:00:00Z");
        assert_eq!(ago(i64::MAX, i64::MIN), "just now");
        assert_eq!(ago(0, 120_000), "2 min ago");
    }
}
