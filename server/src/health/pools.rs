//! The connection pools of the application's database client: exhausted, or no longer handed out.

use watchboard_wire::{FindingSubject, Pool, format};

use super::finding::{FindingRole, Judged, warning};
use crate::{
    commands::{CHECK_OUT, CommandReader},
    history::History,
    requests::Reader,
};

/// A wait for a connection is felt from this time on.
const WAIT_US: u64 = 100_000;
/// A full pool is full for a moment at a time: the most that waited in so many seconds counts.
const LATELY_SECONDS: u64 = 10;
/// An endpoint that has the connections for this share of their time is named.
const MOST_PERCENT: u64 = 50;

/// Holds what was seen of each pool lately.
#[derive(Default)]
pub(super) struct PoolJudge(Vec<SeenPool>);

#[derive(Clone, Copy, Default)]
struct SeenPool {
    /// The tick at which it was last full while others waited, and how many did: the most of some seconds.
    full: Option<(u64, u64)>,
    /// Since this tick some have waited, and nobody got one of those that are free; with the check-outs until then.
    stuck: Option<(u64, u64)>,
}

impl PoolJudge {
    pub(super) fn pool_finding(
        &mut self,
        tick: u64,
        commands: &CommandReader,
        history: &mut History,
        reader: &Reader,
    ) -> Option<Judged> {
        if !commands.listens() {
            return None;
        }
        let waits = history.last_minute_of_each_command().find(|(number, _)| *number == CHECK_OUT);
        let waits = waits.and_then(|(_, sums)| sums.latency());
        let sentence = self.sentence(tick, &commands.pools(), waits.map_or(0, |latency| latency.p99_us), || {
            let each = history.last_minute_of_each();
            let times = each.filter_map(|(id, sums)| Some((id, sums.usage.as_ref()?.elapsed_us)));
            most_of(times).map(|(id, percent)| (reader.name(id).text(), percent))
        })?;
        Some(Judged { finding: warning(sentence, FindingSubject::Database), role: FindingRole::Pool })
    }

    /// `holder` is the endpoint that has the connections for most of the time, and its share in percent.
    fn sentence(
        &mut self,
        tick: u64,
        pools: &[Pool],
        wait_p99_us: u64,
        holder: impl FnOnce() -> Option<(String, u64)>,
    ) -> Option<String> {
        self.0.resize(pools.len(), SeenPool::default());
        self.0.iter_mut().zip(pools).for_each(|(seen, pool)| seen.see(tick, pool));
        let wait = format::duration_us(wait_p99_us as f64);
        let both = || self.0.iter().zip(pools);
        let full = both().filter_map(|(seen, pool)| Some((seen.full?.1, pool)));
        let worst = full.filter(|(waiting, pool)| wait_p99_us >= WAIT_US || *waiting >= pool.max);
        if let Some((waiting, Pool { max, .. })) = worst.max_by_key(|(waiting, _)| *waiting) {
            let holder =
                holder().map(|(name, percent)| format!(", {} of the time by {name}", format::percent(percent as f64)));
            let holder = holder.unwrap_or_default();
            return Some(format!(
                "connection pool exhausted: all {max} in use{holder}, up to {waiting} wait, p99 {wait} for a connection"
            ));
        }
        let is_stuck = |seen: &SeenPool| seen.stuck.is_some_and(|(since, _)| tick - since >= LATELY_SECONDS);
        let (_, Pool { waiting, in_use, max, .. }) = both().find(|(seen, _)| is_stuck(seen))?;
        Some(format!("connections are not handed out: {waiting} wait though {in_use} of {max} are in use"))
    }
}

impl SeenPool {
    fn see(&mut self, tick: u64, pool: &Pool) {
        let is_recent = |at: u64| tick - at < LATELY_SECONDS;
        let before = self.full.filter(|(at, _)| is_recent(*at));
        self.full = match (pool.is_full() && pool.waiting > 0, before) {
            (true, Some((_, most))) => Some((tick, most.max(pool.waiting))),
            (true, None) => Some((tick, pool.waiting)),
            (false, before) => before,
        };
        let waits_in_vain = pool.waiting > 0 && !pool.is_full() && pool.max > 0;
        self.stuck = waits_in_vain.then(|| {
            let same = self.stuck.filter(|(_, checked_out)| *checked_out == pool.checked_out);
            same.unwrap_or((tick, pool.checked_out))
        });
    }
}

/// The endpoint with most of the time of all, and its share in percent.
fn most_of(times: impl Iterator<Item = (usize, u64)>) -> Option<(usize, u64)> {
    let (mut all, mut most) = (0, (0, 0));
    for (id, us) in times {
        all += us;
        most = if us > most.1 { (id, us) } else { most };
    }
    let percent = (100 * most.1).checked_div(all)?;
    (percent >= MOST_PERCENT).then_some((most.0, percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(in_use: u64, waiting: u64, checked_out: u64) -> Pool {
        Pool { max: 10, in_use, waiting, checked_out, ..Pool::default() }
    }

    fn sentence(judge: &mut PoolJudge, tick: u64, pool: Pool, wait_p99_us: u64) -> Option<String> {
        let found = judge.sentence(tick, &[pool], wait_p99_us, || Some(("GET /reports".to_owned(), 81)));
        found.map(|sentence| sentence.replace('\u{a0}', " "))
    }

    #[test]
    fn a_pool_is_exhausted_when_all_are_in_use_and_others_wait_for_long() {
        let now = |pool, wait_us| sentence(&mut PoolJudge::default(), 0, pool, wait_us);
        assert_eq!(now(pool(9, 0, 0), 900_000), None);
        assert_eq!(now(Pool { max: 0, ..pool(10, 25, 0) }, 900_000), None, "there is no bound to reach");
        assert_eq!(now(pool(10, 1, 0), 1_000), None, "full for a moment");
        let expected = "connection pool exhausted: all 10 in use, 81 % of the time by GET /reports, up to 25 wait, p99 1.2 s for a connection";
        assert_eq!(now(pool(10, 25, 0), 1_200_000).as_deref(), Some(expected));
        let mut judge = PoolJudge::default();
        let found = judge.sentence(0, &[pool(1, 0, 0), pool(10, 25, 0)], 0, || None).expect("one of two");
        assert!(found.starts_with("connection pool exhausted: all 10 in use, up to 25 wait"), "{found}");
    }

    #[test]
    fn it_is_exhausted_too_while_a_tick_meets_it_with_a_free_connection() {
        let mut judge = PoolJudge::default();
        for (tick, in_use, waiting) in [(0, 10, 30), (1, 9, 0), (5, 10, 8), (9, 0, 0), (14, 9, 3)] {
            assert!(sentence(&mut judge, tick, pool(in_use, waiting, tick), 900_000).is_some(), "{tick}");
        }
        assert_eq!(sentence(&mut judge, 15, pool(3, 0, 99), 900_000), None);
    }

    #[test]
    fn free_connections_that_nobody_gets_are_named() {
        let mut judge = PoolJudge::default();
        let mut at = |tick, checked_out| sentence(&mut judge, tick, pool(0, 8, checked_out), 0);
        assert_eq!([at(0, 7), at(9, 7)], [None, None]);
        let named = "connections are not handed out: 8 wait though 0 of 10 are in use";
        assert_eq!(at(10, 7).as_deref(), Some(named));
        assert_eq!(at(11, 8), None, "one was handed out");
    }

    #[test]
    fn who_has_the_connections_for_most_of_the_time_is_named() {
        assert_eq!(most_of([(3, 10), (4, 80), (5, 10)].into_iter()), Some((4, 80)));
        assert_eq!([most_of([(3, 49), (4, 49), (5, 2)].into_iter()), most_of([].into_iter())], [None; 2]);
    }

    #[test]
    fn the_documentation_has_these_thresholds() {
        crate::health::finding::assert_documented(&[
            &format!("The p99 of the wait is {} ms", WAIT_US / 1000),
            &format!("at some second of the last {LATELY_SECONDS}"),
        ]);
    }
}
