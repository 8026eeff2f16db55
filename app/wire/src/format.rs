//! Formats figures for people: short, and with a no-break space before the unit. Server and browser format alike.

use time::OffsetDateTime;

/// A number with so many decimals, rounded: `12.30`. It is made of integers: the code that writes floating-point numbers would add 7 kB
/// to the page.
pub fn fixed(value: f64, decimals: u32) -> String {
    let unit = 10u64.pow(decimals);
    // Past 2^64 it is the largest number.
    let scaled = (value.abs() * unit as f64).round() as u64;
    let sign = if value < 0.0 && scaled > 0 { "-" } else { "" };
    let (whole, rest) = (scaled / unit, scaled % unit);
    if decimals == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest:0width$}", width = decimals as usize)
    }
}

/// Three significant digits without trailing zeros: `1.23`, `12.3`, `123`.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        magnitude if magnitude >= 99.95 => 0,
        magnitude if magnitude >= 9.995 => 1,
        _ => 2,
    };
    let text = fixed(value, decimals);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Divides by `base` until the value has at most three digits before the point, and appends the unit.
fn scale_to_unit(value: f64, base: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut unit = 0;
    while value.abs() >= base * 0.9995 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let text = short(value);
    if units[unit].is_empty() { text } else { format!("{text}\u{a0}{}", units[unit]) }
}

/// Bytes: `512 B`, `1.4 GiB`.
pub fn bytes(bytes: f64) -> String {
    scale_to_unit(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// Bytes per second: `1.4 GiB/s`.
pub fn bytes_per_second(rate: f64) -> String {
    format!("{}/s", bytes(rate))
}

/// A count: `850`, `1.2 k`, `3.4 M`.
pub fn count(count: f64) -> String {
    scale_to_unit(count, 1000.0, &["", "k", "M", "G", "T"])
}

/// Microseconds: `850 µs`, `34 ms`, `2.1 s`, `3.5 min`.
pub fn duration_us(us: f64) -> String {
    if us >= 60e6 { format!("{}\u{a0}min", short(us / 60e6)) } else { scale_to_unit(us, 1000.0, &["µs", "ms", "s"]) }
}

/// A percentage, 0 to 100: `4.2 %`.
pub fn percent(percent: f64) -> String {
    format!("{}\u{a0}%", short(percent))
}

/// A rate per second: `34 /s`.
pub fn per_second(rate: f64) -> String {
    format!("{}\u{a0}/s", count(rate).replace('\u{a0}', "\u{202f}"))
}

/// All digits in groups of three, for the exact value beside a short one.
pub fn exact(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join("\u{202f}")
}

/// Seconds in their two largest parts: `45 s`, `12 m 5 s`, `3 h 12 m`, `2 d 4 h`.
pub fn span(seconds: u64) -> String {
    let parts = [(seconds / 86400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let from = parts.iter().position(|(value, _)| *value > 0).unwrap_or(3);
    let shown = parts[from..].iter().take(2).filter(|(value, _)| *value > 0 || from == 3);
    shown.map(|(value, unit)| format!("{value}\u{a0}{unit}")).collect::<Vec<_>>().join(" ")
}

/// Seconds as `/health` shows them: `1d 2h 3m 4s`. It omits parts that are zero, except the seconds.
pub fn uptime(seconds: u64) -> String {
    let parts = [(seconds / 86400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let shown = parts.iter().filter(|(value, unit)| *value > 0 || *unit == "s");
    shown.map(|(value, unit)| format!("{value}{unit}")).collect::<Vec<_>>().join(" ")
}

/// A time as date and time, with the name of its zone: `2026-11-23 12:03:04 UTC`. `ms` is as a Unix time, but in that zone.
pub fn date_time(ms: u64, zone: &str) -> String {
    let (date, time) = calendar(ms);
    format!("{date} {time} {zone}")
}

/// A Unix time in milliseconds as a time of day in UTC: `12:03:04`.
pub fn clock(unix_ms: u64) -> String {
    calendar(unix_ms).1
}

/// The day of a Unix time in milliseconds, in UTC: `23 Nov`.
pub fn day(unix_ms: u64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = date_of(unix_ms);
    format!("{}\u{a0}{}", date.day(), MONTHS[usize::from(u8::from(date.month())) - 1])
}

fn date_of(unix_ms: u64) -> OffsetDateTime {
    // A time past the end of the calendar becomes the last that the calendar has.
    i64::try_from(unix_ms / 1000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or_else(|| time::PrimitiveDateTime::MAX.assume_utc())
}

fn calendar(unix_ms: u64) -> (String, String) {
    let at = date_of(unix_ms);
    (
        format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day()),
        format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: String, expected: &str) {
        assert_eq!(text.replace(['\u{a0}', '\u{202f}'], " "), expected);
    }

    #[test]
    fn numbers_are_short() {
        reads(count(0.0), "0");
        reads(count(999.0), "999");
        reads(count(1234.0), "1.23 k");
        reads(count(999_950.0), "1 M");
        reads(bytes(1023.0), "1023 B");
        reads(bytes(1.4 * 1024f64.powi(3)), "1.4 GiB");
        reads(duration_us(850.0), "850 µs");
        reads(duration_us(34_000.0), "34 ms");
        reads(duration_us(2_100_000.0), "2.1 s");
        reads(duration_us(210e6), "3.5 min");
        reads(percent(4.2), "4.2 %");
        reads(per_second(1234.0), "1.23 k /s");
        reads(exact(1_234_567), "1 234 567");
        reads(exact(12), "12");
    }

    #[test]
    fn numbers_have_their_decimals() {
        for value in [0.0, 0.004, 0.05, 0.94, 0.999, 1.0, 9.996, 12.34, 99.949, 123.4, 1e6, -0.001, -3.46, -99.99] {
            for decimals in 0..3 {
                // Without the sign of what is rounded to nothing.
                let expected = format!("{:.*}", decimals as usize, value + 0.0);
                let expected = if expected.contains(|digit| ('1'..='9').contains(&digit)) {
                    &*expected
                } else {
                    expected.trim_start_matches('-')
                };
                assert_eq!(fixed(value, decimals), expected, "{value} with {decimals}");
            }
        }
        assert_eq!([fixed(0.25, 1), fixed(f64::NAN, 1), fixed(1e30, 0)], ["0.3", "0.0", "18446744073709551615"]);
    }

    #[test]
    fn spans_have_their_two_largest_parts() {
        reads(span(0), "0 s");
        reads(span(45), "45 s");
        reads(span(3600 * 3 + 60 * 12 + 9), "3 h 12 m");
        reads(span(86400), "1 d");
        reads(uptime(0), "0s");
        reads(uptime(86400 + 2 * 3600 + 3 * 60 + 4), "1d 2h 3m 4s");
        reads(uptime(3600), "1h 0s");
    }

    #[test]
    fn times_are_utc() {
        reads(day(1_795_476_184_000), "23 Nov");
        reads(date_time(1_795_476_184_000, "UTC"), "2026-11-23 23:23:04 UTC");
        reads(date_time(u64::MAX, "UTC"), "9999-12-31 23:59:59 UTC");
        reads(clock(0), "00:00:00");
    }
}
