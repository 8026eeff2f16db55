//! Why the application's processes ended, as far as that can be known from outside: what the kernel counted, how the main process ended, and
//! what was last seen of it.

use watchboard_wire::{Container, ProcessEnd, format};

use crate::clock::{now_unix_ms, wall_clock_set_ms};

/// The application at its last reading.
#[derive(Clone, Debug, Default)]
pub(super) struct LastSeen {
    pub(super) at_unix_ms: u64,
    pub(super) rss_bytes: u64,
    pub(super) container: Option<Container>,
}

/// The end of the application, just noticed. `kernel` is the explanation of the control groups; `wait_status` is the main process's, if
/// nobody has collected it yet.
pub(super) fn explain_end(kernel: Option<String>, wait_status: Option<i32>, seen: &LastSeen) -> ProcessEnd {
    let causes = [kernel, wait_status.and_then(exit_text), Some(last_seen_text(seen))];
    let reason = causes.into_iter().flatten().collect::<Vec<_>>().join("; ");
    ProcessEnd { at_unix_ms: now_unix_ms(), reason }
}

/// `wait`'s status in words. The kernel shows zero to those who may not see it.
fn exit_text(wait_status: i32) -> Option<String> {
    match (wait_status & 0x7f, wait_status >> 8 & 0xff) {
        (0, 0) => None,
        (0, code) => Some(format!("its main process ended with exit code {code}")),
        (signal, _) => Some(format!("its main process was ended by signal {signal}{}", signal_name(signal))),
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        2 => " (SIGINT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

fn last_seen_text(seen: &LastSeen) -> String {
    let at = format::clock(seen.at_unix_ms.saturating_add_signed(wall_clock_set_ms()));
    let bytes = |bytes: u64| format::bytes(bytes as f64);
    let limited = seen.container.as_ref().and_then(|it| Some((it.working_set_bytes, it.nearest_limit_bytes()?)));
    match limited {
        Some((used, limit)) => {
            format!("last seen at {at} UTC with {} of the container's {}", bytes(used), bytes(limit))
        }
        None => format!("last seen at {at} UTC with {} of resident memory", bytes(seen.rss_bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_has_all_that_is_known_of_it() {
        let container =
            Container { working_set_bytes: 190 << 20, limit_bytes: Some(200 << 20), ..Container::default() };
        let seen = LastSeen { at_unix_ms: 3_600_000, rss_bytes: 1 << 20, container: Some(container) };
        let reason = |kernel: Option<&str>, wait_status, seen: &LastSeen| {
            explain_end(kernel.map(str::to_owned), wait_status, seen).reason.replace('\u{a0}', " ")
        };
        assert_eq!(
            reason(Some("the kernel killed it"), Some(9), &seen),
            "the kernel killed it; its main process was ended by signal 9 (SIGKILL); last seen at 01:00:00 UTC with 190 MiB of the container's \
             200 MiB"
        );
        let seen = LastSeen { container: None, ..seen };
        let last = "last seen at 01:00:00 UTC with 1 MiB of resident memory";
        assert_eq!(reason(None, Some(0), &seen), last);
        assert_eq!(reason(None, Some(3 << 8), &seen), format!("its main process ended with exit code 3; {last}"));
    }
}
