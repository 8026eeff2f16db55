//! The connection pools of the application's database client: whether they are exhausted.

use std::collections::VecDeque;

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

/// By tick, while it was full and others waited: how many did.
#[derive(Clone, Default)]
struct SeenPool(VecDeque<(u64, u64)>);

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
        let full = self.0.iter().zip(pools).filter_map(|(seen, pool)| Some((seen.most_waiting()?, pool)));
        let worst = full.filter(|(waiting, pool)| wait_p99_us >= WAIT_US || *waiting >= pool.max);
        let (waiting, Pool { max, .. }) = worst.max_by_key(|(waiting, _)| *waiting)?;
        let holder =
            holder().map(|(name, percent)| format!(", {} of the time by {name}", format::percent(percent as f64)));
        let holder = holder.unwrap_or_default();
        Some(format!(
            "connection pool exhausted: all {max} in use{holder}, up to {waiting} wait, p99 {wait} for a connection"
        ))
    }
}

impl SeenPool {
    fn see(&mut self, tick: u64, pool: &Pool) {
        self.0.retain(|(at, _)| tick - at < LATELY_SECONDS);
        if pool.is_full() && pool.waiting > 0 {
            self.0.push_back((tick, pool.waiting));
        }
    }

    /// The most that waited at once; `None` if nobody did.
    fn most_waiting(&self) -> Option<u64> {
        self.0.iter().map(|(_, waiting)| *waiting).max()
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
    fn what_waited_long_ago_does_not_count() {
        let mut judge = PoolJudge::default();
        assert!(sentence(&mut judge, 0, pool(10, 500, 0), 1_000).is_some());
        let found: Vec<_> =
            (1..12).map(|tick| sentence(&mut judge, tick, pool(10, 1, tick), 1_000).is_some()).collect();
        assert_eq!(found, [vec![true; 9], vec![false; 2]].concat());
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
