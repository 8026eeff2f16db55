//! Kills at random moments: the file opens each time, and has all that was stored.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Batch, EmbeddedStore, KeptTimes, Store, StoreTier, StoredStep};

/// Names the file to the process that is killed.
const FILE: &str = "WATCHBOARD_KILLED_FILE";
/// Small enough that steps go all the time too.
const MOST_BYTES: u64 = 40_000;

fn step(number: u64) -> StoredStep {
    let bytes = (0..10 + number % 90).flat_map(|at| (number * 31 + at).to_be_bytes()).collect();
    StoredStep { tier: StoreTier::TenSeconds, start: number, bytes }
}

fn numbers(store: &EmbeddedStore) -> Vec<u64> {
    let steps = store.steps(StoreTier::TenSeconds, 0..u64::MAX).unwrap();
    assert!(steps.iter().all(|known| *known == step(known.start)), "a step is torn");
    steps.iter().map(|step| step.start).collect()
}

/// Stores one step after another, and says which, until it is killed.
#[test]
#[ignore = "the process that the other test kills"]
fn store_until_killed() {
    let Ok(file) = env::var(FILE) else { return };
    let mut store = EmbeddedStore::open(Path::new(&file)).unwrap();
    let first = numbers(&store).last().map_or(0, |last| last + 1);
    for number in first.. {
        store.append(&Batch { steps: vec![step(number)], ..Batch::default() }).unwrap();
        println!("stored {number}");
        if number % 8 == 0 {
            store.trim(number, &KeptTimes::default(), MOST_BYTES).unwrap();
        }
        if number % 20 == 0 {
            store.compact().unwrap();
        }
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_stored() {
    let kills: u32 = env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(1_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.redb");
    let mut random = fastrand::Rng::with_seed(10);
    let (mut last, mut slowest) = (None, Duration::ZERO);
    for kill in 0..kills {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "history::store::kill_tests::store_until_killed", "--ignored", "--nocapture"]);
        let mut killed = command.env(FILE, &file).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(killed.stdout.take().unwrap()).lines();
        // Some die while they open the file.
        let mut said = vec![];
        if !random.u8(..).is_multiple_of(4) {
            said.extend(lines.by_ref().map_while(Result::ok).find(|line| line.contains("stored ")));
        }
        thread::sleep(Duration::from_micros(random.u64(..20_000)));
        killed.kill().unwrap();
        killed.wait().unwrap();
        said.extend(lines.map_while(Result::ok));
        let number = |line: &String| line.rsplit_once("stored ").and_then(|(_, number)| number.parse::<u64>().ok());
        last = said.iter().filter_map(number).max().or(last);
        let began = Instant::now();
        let store = EmbeddedStore::open(&file).unwrap_or_else(|error| panic!("after kill {kill}: {error}"));
        slowest = slowest.max(began.elapsed());
        let known = numbers(&store);
        // One may be stored before it is said.
        let newest = known.last().copied();
        assert!(newest == last || newest == Some(last.map_or(0, |last| last + 1)), "{newest:?} after {last:?}");
        assert!(known.windows(2).all(|two| two[1] == two[0] + 1), "steps are missing after kill {kill}: {known:?}");
        last = newest;
    }
    println!("{kills} kills, {} steps; the slowest open took {slowest:?}", last.map_or(0, |last| last + 1));
}
