//! Limits the attempts to sign in, for each address and for all together.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Wrong attempts of one address, or one IPv6 network, in [`PERIOD`].
const MAX_BY_ONE: u32 = 5;
const PERIOD: Duration = Duration::from_mins(5);
/// Wrong attempts of all in [`PERIOD_OF_ALL`]. An address that has signed in before is exempt, or any stranger could lock it out.
const MAX_BY_ALL: u32 = 60;
const PERIOD_OF_ALL: Duration = Duration::from_mins(1);
/// Addresses that are remembered. A further one replaces the oldest, whose attempts still count among those of all.
const MAX_ADDRESSES: usize = 1024;
/// Addresses that are remembered for a right password. A further one replaces the oldest.
const MAX_KNOWN: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<AttemptTable>);

#[derive(Debug, Default)]
struct AttemptTable {
    by_one: HashMap<IpAddr, Tries>,
    by_all: Option<Tries>,
    /// Addresses that sent the right password, the latest last.
    known: VecDeque<IpAddr>,
}

#[derive(Clone, Copy, Debug)]
struct Tries {
    since: Instant,
    count: u32,
}

impl Tries {
    fn new(now: Instant) -> Self {
        Self { since: now, count: 0 }
    }

    /// The time until the next attempt, if there were too many.
    fn wait(self, most: u32, period: Duration, now: Instant) -> Option<Duration> {
        (self.count >= most).then(|| period.saturating_sub(now.duration_since(self.since)))
    }
}

impl Attempts {
    /// Counts an attempt before its check, so that parallel attempts get no more than serial ones.
    ///
    /// # Errors
    /// The time to wait, if there were too many.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let AttemptTable { by_one, by_all, known } = &mut *table;
        by_one.retain(|_, tries| now.duration_since(tries.since) < PERIOD);
        let all = by_all.filter(|tries| now.duration_since(tries.since) < PERIOD_OF_ALL).unwrap_or(Tries::new(now));
        let address = network(address);
        let one = by_one.get(&address).copied().unwrap_or(Tries::new(now));
        let of_all = if known.contains(&address) { None } else { all.wait(MAX_BY_ALL, PERIOD_OF_ALL, now) };
        if let Some(wait) = one.wait(MAX_BY_ONE, PERIOD, now).or(of_all) {
            return Err(wait);
        }
        if by_one.len() >= MAX_ADDRESSES && !by_one.contains_key(&address) {
            let first = by_one.iter().min_by_key(|(_, tries)| tries.since).map(|(address, _)| *address);
            first.map(|first| by_one.remove(&first));
        }
        by_one.insert(address, Tries { count: one.count + 1, ..one });
        *by_all = Some(Tries { count: all.count + 1, ..all });
        Ok(())
    }

    /// Drops the earlier attempts of an address that sent the right password.
    pub(super) fn forgive(&self, address: IpAddr) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        table.by_one.remove(&address);
        table.known.retain(|known| *known != address);
        table.known.push_back(address);
        if table.known.len() > MAX_KNOWN {
            table.known.pop_front();
        }
        if let Some(all) = &mut table.by_all {
            all.count = all.count.saturating_sub(1);
        }
    }

    /// Takes back an attempt that was not checked.
    pub(super) fn give_back(&self, address: IpAddr) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let AttemptTable { by_one, by_all, .. } = &mut *table;
        for tries in by_one.get_mut(&network(address)).into_iter().chain(by_all) {
            tries.count = tries.count.saturating_sub(1);
        }
    }
}

/// One subscriber has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::from(std::net::Ipv4Addr::from_bits(0x0a00_0000 + number))
    }

    #[test]
    fn one_address_is_locked_for_a_while_and_others_are_not() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..MAX_BY_ONE {
            assert_eq!(attempts.take(address(1), now), Ok(()));
        }
        let later = now + Duration::from_mins(2);
        assert_eq!(attempts.take(address(1), later), Err(Duration::from_mins(3)));
        assert_eq!(attempts.take(address(2), later), Ok(()));
        assert_eq!(attempts.take(address(1), now + PERIOD), Ok(()));
    }

    #[test]
    fn a_right_password_and_a_try_that_was_none_are_not_held_against_anybody() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..10 * MAX_BY_ALL {
            assert_eq!(attempts.take(address(1), now), Ok(()));
            attempts.forgive(address(1));
            assert_eq!(attempts.take(address(1), now), Ok(()));
            attempts.give_back(address(1));
        }
    }

    #[test]
    fn all_together_have_a_bound_and_so_has_what_is_remembered() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let allowed =
            |now, from: u32| (from..from + 100).filter(|number| attempts.take(address(*number), now).is_ok()).count();
        assert_eq!(allowed(start, 0), MAX_BY_ALL as usize);
        for second in 0..200 {
            let now = start + PERIOD_OF_ALL + Duration::from_secs(second);
            allowed(now, 1000 * u32::try_from(second).unwrap());
        }
        assert!(attempts.0.lock().unwrap().by_one.len() <= MAX_ADDRESSES);
    }

    #[test]
    fn strangers_do_not_lock_out_whoever_had_the_right_password_before() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        assert_eq!(attempts.take(address(1), now), Ok(()));
        attempts.forgive(address(1));
        let strangers = (100..200).filter(|number| attempts.take(address(*number), now).is_ok()).count();
        assert_eq!(strangers, MAX_BY_ALL as usize);
        assert!(attempts.take(address(2), now).is_err(), "a stranger waits");
        for _ in 0..MAX_BY_ONE {
            assert_eq!(attempts.take(address(1), now), Ok(()));
        }
        assert!(attempts.take(address(1), now).is_err(), "and guesses no more than others");
        for number in 0..2 * MAX_KNOWN as u32 {
            attempts.forgive(address(number));
        }
        assert_eq!(attempts.0.lock().unwrap().known.len(), MAX_KNOWN);
    }

    #[test]
    fn one_network_of_ipv6_is_one_address() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let of = |text: &str| text.parse::<IpAddr>().unwrap();
        for host in 1..=MAX_BY_ONE {
            assert_eq!(attempts.take(of(&format!("2001:db8::{host}")), now), Ok(()));
        }
        assert!(attempts.take(of("2001:db8::ffff:1"), now).is_err());
        assert!(attempts.take(of("2001:db8:0:1::1"), now).is_ok());
        assert_eq!(network(of("::ffff:192.0.2.1")), of("192.0.2.1"));
    }
}
