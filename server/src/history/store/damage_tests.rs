//! What a disk, or a hand, may do to the file: whatever it is, the store opens, what can be read is read, and writing goes on.

use std::{fs, path::Path};

use super::{
    Batch, EmbeddedStore, HistoryFolder, KeptTimes, NameKey, Store, StoreTier, StoredStep, writer::run_writer,
};

/// Damages for each kind. A long run has more by `DAMAGES`.
fn damages() -> u64 {
    std::env::var("DAMAGES").ok().and_then(|count| count.parse().ok()).unwrap_or(500)
}

fn step(number: u64) -> StoredStep {
    let bytes = (0..40 + number % 300).flat_map(|at| (number * 31 + at).to_be_bytes()).collect();
    StoredStep { tier: StoreTier::ALL[(number % 6) as usize], start: number * 10, bytes }
}

/// The steps that are in a file at first.
const STEPS: u64 = 250;

/// A file with steps and names.
fn make(folder: &Path) -> Vec<u8> {
    let file = folder.join("history.redb");
    let mut store = EmbeddedStore::open(&file).unwrap();
    for round in 0..STEPS / 25 {
        let steps = (0..25).map(|at| step(round * 25 + at)).collect();
        let names = vec![(NameKey(round), format!("EGET\0/route/{round}").into_bytes())];
        store.append(&Batch { steps, names, ..Batch::default() }).unwrap();
    }
    drop(store);
    fs::read(file).unwrap()
}

/// What is left of a damaged file.
struct Left {
    /// Steps that a start reads as they were.
    whole: usize,
    is_aside: bool,
}

/// Starts with a damaged file, stores a step, and starts again.
fn survive(damaged: &[u8]) -> Left {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("history.redb"), damaged).unwrap();
    let history =
        HistoryFolder { path: folder.path().to_owned(), max_bytes: 1 << 30, kept_times: KeptTimes::default() };
    let fresh = StoredStep { tier: StoreTier::Minute, start: 60_000_000, bytes: b"fresh".to_vec() };
    let spans = || StoreTier::ALL.map(|tier| (tier, 0..u64::MAX));
    let batch = Batch { steps: vec![fresh.clone()], ..Batch::default() };
    let earlier = run_writer(&history, spans(), batch);
    let whole = earlier.steps.iter().filter(|known| **known == step(known.start / 10)).count();
    let again = run_writer(&history, spans(), Batch::default());
    assert!(again.steps.contains(&fresh), "what was stored since is there");
    Left { whole, is_aside: fs::read_dir(folder.path()).unwrap().count() > 1 }
}

#[test]
fn a_flipped_bit_anywhere_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = make(folder.path());
    let mut random = fastrand::Rng::with_seed(20);
    let (mut aside, mut least) = (0, usize::MAX);
    for _ in 0..damages() {
        let mut damaged = file.clone();
        let at = random.usize(..damaged.len());
        damaged[at] ^= 1 << random.u32(..8);
        let survived = std::panic::catch_unwind(|| survive(&damaged));
        let left = survived.unwrap_or_else(|_| panic!("byte {at} of {}", file.len()));
        aside += u32::from(left.is_aside);
        least = least.min(left.whole);
    }
    println!("{aside} of {} files were set aside; at least {least} of {STEPS} steps were read", damages());
}

#[test]
fn a_file_that_is_cut_anywhere_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = make(folder.path());
    let mut random = fastrand::Rng::with_seed(21);
    let mut lost = 0.0f64;
    for _ in 0..damages() * 2 / 5 {
        let at = random.usize(..file.len());
        let survived = std::panic::catch_unwind(|| survive(&file[..at]));
        let left = survived.unwrap_or_else(|_| panic!("cut at {at} of {}", file.len()));
        lost = lost.max(at as f64 / file.len() as f64 - left.whole as f64 / STEPS as f64);
    }
    println!("of a part of the file at most {lost:.3} less of its steps were read");
}
