//! The clock of the run, in the unit that crosses the network. It starts at the wall clock's time and follows the kernel's clock since boot.
//! Nobody can set that clock, and it continues while the machine sleeps. So the difference of two times is a duration.

use std::{
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::time::{ClockId, clock_gettime};

/// The clocks are not read at the same moment, and NTP slows the wall clock down or speeds it up.
pub(crate) const LEAST_SET_MS: i64 = 500;

/// The time in Unix milliseconds by the run's clock. It differs from the wall clock by [`wall_clock_set_ms`].
pub(crate) fn now_unix_ms() -> u64 {
    unix_ms_at_boot_ms(boot_ms())
}

/// The run's time at so many milliseconds after boot.
pub(crate) fn unix_ms_at_boot_ms(boot_ms: u64) -> u64 {
    /// The run's time of the boot. A wall clock that is set before it, or before 1970, gives zero.
    static BOOT_UNIX_MS: OnceLock<u64> = OnceLock::new();
    let boot_unix_ms =
        BOOT_UNIX_MS.get_or_init(|| (wall_unix_ms() - self::boot_ms().cast_signed()).max(0).cast_unsigned());
    boot_unix_ms + boot_ms
}

/// How far the wall clock was set since the start of the run: negative if it was set back.
pub(crate) fn wall_clock_set_ms() -> i64 {
    let difference = wall_unix_ms() - now_unix_ms().cast_signed();
    if difference.abs() < LEAST_SET_MS { 0 } else { difference }
}

fn boot_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec.cast_unsigned() * 1_000 + now.tv_nsec.cast_unsigned() / 1_000_000
}

/// Negative before 1970.
fn wall_unix_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_millis() as i64,
        Err(before) => -(before.duration().as_millis() as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_at_the_wall_clock_and_follows_the_clock_since_boot() {
        assert_eq!(wall_clock_set_ms(), 0, "nobody sets the clock of a test");
        let (boot, now) = (boot_ms(), now_unix_ms());
        assert!(unix_ms_at_boot_ms(boot) <= now && unix_ms_at_boot_ms(boot + 60_000) > now);
    }
}
