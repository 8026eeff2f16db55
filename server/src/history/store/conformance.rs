//! What each store has to do, whichever it is.

use std::time::Duration;

use super::{
    Batch, EmbeddedStore, KeptTimes, MARKS_KEPT_SECONDS, MAX_STORED_MARKS, NameKey, Store, StoreError, StoreTier,
    StoredMark, StoredStep, kept_times::HistoryStep,
};
#[cfg(feature = "mongodb")]
use super::{mongo_steps::MongoSteps, mongodb::MongoStore};

fn step(tier: StoreTier, start: u64, bytes: &[u8]) -> StoredStep {
    StoredStep { tier, start, bytes: bytes.to_vec() }
}

/// Figures that nothing makes shorter.
fn random_bytes(length: usize) -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..)).take(length).collect()
}

fn starts(store: &dyn Store, tier: StoreTier) -> Vec<u64> {
    store.steps(tier, 0..u64::MAX).unwrap().iter().map(|step| step.start).collect()
}

/// Runs every case on stores that `make` makes, each empty.
fn conform(make: &mut dyn FnMut() -> Box<dyn Store>) {
    what_is_stored_is_read(&mut *make());
    sent_twice_is_stored_once(&mut *make());
    tiers_keep_their_time(&mut *make());
    the_finest_goes_first(&mut *make());
    what_is_long_ago_takes_no_place_of_the_last_hours(&mut *make());
    a_bound_that_is_too_small_leaves_the_last_of_each_tier(&mut *make());
    marks_and_the_record_of_a_run_are_kept(&mut *make());
    many_large_steps_are_kept_as_a_few_small_ones_are(&mut *make());
}

fn what_is_stored_is_read(store: &mut dyn Store) {
    assert_eq!((store.steps(StoreTier::Minute, 0..u64::MAX).unwrap(), store.bytes().unwrap()), (vec![], 0));
    assert_eq!((store.first(StoreTier::Minute).unwrap(), store.last_stored().unwrap()), (None, None));
    let names = [b"GET /users/{id}".to_vec(), vec![], vec![0; 300]].map(|name| (NameKey::of(&name), name));
    let steps: Vec<_> = (0..50)
        .rev()
        .flat_map(|at| StoreTier::ALL.map(|tier| step(tier, at * tier.step_seconds(), &at.to_be_bytes())))
        .collect();
    store.append(&Batch { steps, names: names.to_vec(), ..Batch::default() }).unwrap();
    for tier in StoreTier::ALL {
        let seconds = tier.step_seconds();
        let found = store.steps(tier, 10 * seconds..20 * seconds).unwrap();
        let expected: Vec<_> = (10..20u64).map(|at| step(tier, at * seconds, &at.to_be_bytes())).collect();
        assert_eq!(found, expected, "{tier:?}");
        assert_eq!(store.first(tier).unwrap(), Some(0), "{tier:?}");
    }
    assert_eq!(store.last_stored().unwrap(), Some(490));
    // The newest ones, of eight bytes each.
    let newest = |most_bytes| store.newest_steps(StoreTier::Minute, 600..1_200, most_bytes).unwrap();
    for (most_bytes, steps) in [(0, 20..20), (7, 20..20), (8, 19..20), (31, 17..20), (32, 16..20), (1_000, 10..20)] {
        let expected: Vec<_> = steps.map(|at: u64| step(StoreTier::Minute, at * 60, &at.to_be_bytes())).collect();
        assert_eq!(newest(most_bytes), expected, "{most_bytes} bytes");
    }
    let mut names = names.to_vec();
    names.sort();
    assert_eq!((store.names().unwrap(), store.bytes().unwrap()), (names, 6 * 50 * 8 + 315));
}

fn sent_twice_is_stored_once(store: &mut dyn Store) {
    let batch = |bytes: &[u8]| Batch {
        steps: vec![step(StoreTier::TenSeconds, 70, bytes)],
        names: vec![(NameKey::of(b"seven"), b"seven".to_vec())],
        ..Batch::default()
    };
    for bytes in [&b"short"[..], b"a longer one", b"short"] {
        store.append(&batch(bytes)).unwrap();
        assert_eq!(store.steps(StoreTier::TenSeconds, 0..u64::MAX).unwrap(), batch(bytes).steps);
        assert_eq!((store.names().unwrap().len(), store.bytes().unwrap()), (1, bytes.len() as u64 + 5));
    }
}

fn tiers_keep_their_time(store: &mut dyn Store) {
    let now = 2_000_000_000;
    let kept = |tier| KeptTimes::default().kept_seconds(tier);
    for tier in StoreTier::ALL {
        let ages = [0, kept(tier), kept(tier) + tier.step_seconds(), now];
        let steps = ages.map(|age| step(tier, now - age, b"figures")).to_vec();
        store.append(&Batch { steps, ..Batch::default() }).unwrap();
    }
    store.trim(now, &KeptTimes::default(), u64::MAX).unwrap();
    for tier in StoreTier::ALL {
        assert_eq!(starts(store, tier), [now - kept(tier), now], "{tier:?}");
    }
    assert_eq!(store.bytes().unwrap(), 6 * 2 * 7);
    let mut short = KeptTimes::default();
    short.set(HistoryStep::Minute, Duration::from_mins(10));
    store.trim(now, &short, u64::MAX).unwrap();
    for tier in StoreTier::ALL {
        let left = if tier == StoreTier::Minute { vec![now] } else { vec![now - kept(tier), now] };
        assert_eq!(starts(store, tier), left, "{tier:?}");
    }
}

fn the_finest_goes_first(store: &mut dyn Store) {
    let steps = (0..10).flat_map(|at| StoreTier::ALL.map(|tier| step(tier, at * 900, &random_bytes(100)))).collect();
    store.append(&Batch { steps, ..Batch::default() }).unwrap();
    store.trim(9_000, &KeptTimes::default(), 5_550).unwrap();
    assert_eq!(starts(store, StoreTier::TenSeconds), [4_500, 5_400, 6_300, 7_200, 8_100]);
    assert_eq!([StoreTier::Minute, StoreTier::QuarterHour].map(|tier| starts(store, tier).len()), [10, 10]);
    store.trim(9_000, &KeptTimes::default(), 4_500).unwrap();
    let left = StoreTier::ALL.map(|tier| starts(store, tier).len());
    assert_eq!((left, store.bytes().unwrap()), ([0, 5, 10, 10, 10, 10], 4_500));
}

fn what_is_long_ago_takes_no_place_of_the_last_hours(store: &mut dyn Store) {
    let now = 2_000_000_000;
    let old = (0..10).map(|at| step(StoreTier::QuarterHour, now - 100 * 86_400 + at * 900, &random_bytes(100)));
    let late = (0..10).map(|at| step(StoreTier::TenSeconds, now - 10_000 + at * 1_000, &random_bytes(100)));
    store.append(&Batch { steps: old.chain(late).collect(), ..Batch::default() }).unwrap();
    store.trim(now, &KeptTimes::default(), 1_200).unwrap();
    // Of the ten seconds those of more than two hours ago, then quarters of an hour.
    assert_eq!([StoreTier::TenSeconds, StoreTier::QuarterHour].map(|tier| starts(store, tier).len()), [7, 5]);
    store.trim(now, &KeptTimes::default(), 300).unwrap();
    assert_eq!(starts(store, StoreTier::TenSeconds), [now - 3_000, now - 2_000, now - 1_000]);
}

fn a_bound_that_is_too_small_leaves_the_last_of_each_tier(store: &mut dyn Store) {
    let now = 2_000_000_000;
    let steps = StoreTier::ALL.map(|tier| {
        let each = tier.late_seconds() / 16;
        (0..16).map(move |at| step(tier, now - tier.late_seconds() + at * each, &random_bytes(100)))
    });
    store.append(&Batch { steps: steps.into_iter().flatten().collect(), ..Batch::default() }).unwrap();
    store.trim(now, &KeptTimes::default(), 6_000).unwrap();
    let left = StoreTier::ALL.map(|tier| starts(store, tier).len());
    assert_eq!(left, [4, 4, 4, 16, 16, 16], "a quarter of each, and all of the windows of days");
    assert_eq!(starts(store, StoreTier::TenSeconds).last(), Some(&(now - 450)));
}

fn marks_and_the_record_of_a_run_are_kept(store: &mut dyn Store) {
    assert_eq!((store.marks(0..u64::MAX).unwrap(), store.run_record().unwrap()), (vec![], None));
    let mark = |at_unix_ms: u64, text: &str| StoredMark { at_unix_ms, bytes: text.into() };
    let now = 2_000_000_000;
    let at = |seconds_ago: u64| (now - seconds_ago) * 1_000;
    let marks = [mark(at(0), "b"), mark(at(0), "a"), mark(at(9), "deploy"), mark(at(MARKS_KEPT_SECONDS + 1), "old")];
    for record in ["first", "second"] {
        let batch = Batch { marks: marks.to_vec(), run_record: Some(record.into()), ..Batch::default() };
        store.append(&batch).unwrap();
    }
    assert_eq!(store.bytes().unwrap(), 1 + 1 + 6 + 3, "stored twice is there once");
    assert_eq!(store.marks(at(9)..at(0)).unwrap(), [mark(at(9), "deploy")]);
    assert_eq!(store.run_record().unwrap(), Some(b"second".to_vec()));
    store.trim(now, &KeptTimes::default(), u64::MAX).unwrap();
    assert_eq!((store.marks(0..u64::MAX).unwrap().len(), store.bytes().unwrap()), (3, 8));
    let many = (0..MAX_STORED_MARKS).map(|number| mark(at(8) + number, "many")).collect();
    store.append(&Batch { marks: many, ..Batch::default() }).unwrap();
    store.trim(now, &KeptTimes::default(), u64::MAX).unwrap();
    let kept = store.marks(0..u64::MAX).unwrap();
    assert_eq!((kept.len() as u64, kept[0].at_unix_ms), (MAX_STORED_MARKS, at(8) + 2));
}

fn many_large_steps_are_kept_as_a_few_small_ones_are(store: &mut dyn Store) {
    let steps: Vec<_> = (0..200).map(|at| step(StoreTier::TenSeconds, at * 10, &random_bytes(20_000))).collect();
    let (now, kept_times) = (2_000, KeptTimes::default());
    for part in steps.chunks(20) {
        let coarse = step(StoreTier::Minute, part[0].start, b"coarse");
        store.append(&Batch { steps: [part, &[coarse]].concat(), ..Batch::default() }).unwrap();
        store.trim(now, &kept_times, u64::MAX).unwrap();
    }
    assert_eq!(store.steps(StoreTier::TenSeconds, 0..u64::MAX).unwrap(), steps);
    for (from, to) in [(0, 10), (500, 700), (505, 515), (1_000, 1_990), (1_990, 9_000), (5_000, 6_000)] {
        let within = steps.iter().filter(|step| (from..to).contains(&step.start)).cloned();
        assert_eq!(store.steps(StoreTier::TenSeconds, from..to).unwrap(), within.collect::<Vec<_>>(), "{from} to {to}");
    }
    assert_eq!(starts(store, StoreTier::Minute).len(), 10);
    let ends = (store.first(StoreTier::TenSeconds).unwrap(), store.last_stored().unwrap());
    assert_eq!(ends, (Some(0), Some(1_990)));
    assert_eq!(store.bytes().unwrap(), 200 * 20_000 + 10 * 6);
    // Sent again long after it was stored.
    let again = step(StoreTier::TenSeconds, 500, b"again");
    store.append(&Batch { steps: vec![again.clone()], ..Batch::default() }).unwrap();
    assert_eq!(store.steps(StoreTier::TenSeconds, 500..510).unwrap(), [again]);
    assert_eq!(store.last_stored().unwrap(), Some(500));
    store.trim(now, &kept_times, 2_000_000).unwrap();
    let left = starts(store, StoreTier::TenSeconds);
    assert!(store.bytes().unwrap() <= 2_000_000 && left.len() > 40 && left.is_sorted(), "{left:?}");
    assert_eq!((left.last(), starts(store, StoreTier::Minute).len()), (Some(&1_990), 10));
    store.trim(now + kept_times.kept_seconds(StoreTier::TenSeconds), &kept_times, u64::MAX).unwrap();
    assert_eq!((starts(store, StoreTier::TenSeconds), starts(store, StoreTier::Minute).len()), (vec![], 10));
    assert_eq!(store.bytes().unwrap(), 10 * 6);
}

#[test]
fn a_file_of_the_first_format_is_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history");
    let known = step(StoreTier::Minute, 60, b"a");
    let mut store = EmbeddedStore::open(&file).unwrap();
    let last = step(StoreTier::TenSeconds, 70, b"last");
    store.append(&Batch { steps: vec![known.clone(), last], ..Batch::default() }).unwrap();
    drop(store);
    // It had no packs, and two tables in the place of the state.
    let write = redb::Database::open(&file).unwrap().begin_write().unwrap();
    write.delete_table(redb::TableDefinition::<(u8, u64), &[u8]>::new("packs")).unwrap();
    write.delete_table(redb::TableDefinition::<u8, &[u8]>::new("state")).unwrap();
    write.open_table(redb::TableDefinition::<(), u64>::new("bytes")).unwrap().insert((), 1).unwrap();
    write.open_table(redb::TableDefinition::<(), &[u8]>::new("run record")).unwrap().insert((), &b"run"[..]).unwrap();
    write.open_table(redb::TableDefinition::<(), u32>::new("version")).unwrap().insert((), 1).unwrap();
    write.commit().unwrap();
    let mut store = EmbeddedStore::open(&file).unwrap();
    assert_eq!((store.bytes().unwrap(), store.run_record().unwrap()), (1, Some(b"run".to_vec())));
    assert_eq!(store.last_stored().unwrap(), Some(70));
    let more = step(StoreTier::Minute, 120, &[7; 900]);
    store.append(&Batch { steps: vec![more.clone()], ..Batch::default() }).unwrap();
    store.trim(200, &KeptTimes::default(), u64::MAX).unwrap();
    assert_eq!(store.steps(StoreTier::Minute, 0..u64::MAX).unwrap(), [known, more]);
}

#[test]
fn the_embedded_store_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    conform(&mut || {
        count += 1;
        Box::new(EmbeddedStore::open(&folder.path().join(count.to_string())).unwrap())
    });
}

#[cfg(feature = "mongodb")]
#[test]
fn the_store_in_mongodb_conforms() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mongod = runtime.block_on(watchboard_test_support::Mongod::start(&[]));
    let client = runtime.block_on(mongodb::Client::with_uri_str(mongod.uri())).unwrap();
    let mut count = 0;
    conform(&mut || {
        count += 1;
        let steps = MongoSteps::new(client.database(&format!("fleet_{count}")), "web-1");
        runtime.block_on(steps.prepare()).unwrap();
        Box::new(MongoStore::new(steps, runtime.handle().clone()))
    });
}

#[test]
fn a_bound_of_the_file_counts_what_its_records_take() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history");
    let mut store = EmbeddedStore::open(&file).unwrap();
    let (most, now) = (2 << 20, 2_000_000_000);
    for part in 0..40 {
        // Each takes a page of four kibibytes.
        let steps =
            (0..50).map(|at| step(StoreTier::TenSeconds, now - 20_000 + (part * 50 + at) * 10, &random_bytes(3_060)));
        store.append(&Batch { steps: steps.collect(), ..Batch::default() }).unwrap();
        store.keep_within(now, &KeptTimes::default(), most).unwrap();
    }
    let on_disk = std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(&file).unwrap()) * 512;
    assert!((most / 2..=most).contains(&on_disk), "{on_disk} bytes");
    assert_eq!(starts(&store, StoreTier::TenSeconds).last(), Some(&(now - 10)), "the last are there");
}

#[test]
fn what_is_stored_outlives_the_process_and_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history");
    let mut store = EmbeddedStore::open(&file).unwrap();
    let batch = Batch { steps: vec![step(StoreTier::Minute, 60, b"a")], ..Batch::default() };
    store.append(&batch).unwrap();
    assert_eq!(EmbeddedStore::open(&file).unwrap_err(), StoreError::Taken(Some(std::process::id())));
    drop(store);
    assert_eq!(EmbeddedStore::open(&file).unwrap().steps(StoreTier::Minute, 0..61).unwrap(), batch.steps);
}

#[test]
fn what_is_no_history_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history");
    std::fs::write(&file, [7; 9_000]).unwrap();
    assert!(matches!(EmbeddedStore::open(&file), Err(StoreError::Unreadable(_))));
    assert!(matches!(EmbeddedStore::open(&folder.path().join("no/folder")), Err(StoreError::Refused(_))));
}
