//! The thread that has the store: restarts, a damaged file, a folder that cannot be written.

use super::*;
use crate::history::store::{KeptTimes, StoreTier};

fn spans() -> StoredSpans {
    StoreTier::ALL.map(|tier| (tier, 0..u64::MAX))
}

fn history(path: &Path) -> HistoryFolder {
    HistoryFolder { path: path.to_owned(), max_bytes: 1 << 20, kept_times: KeptTimes::default() }
}

fn batch(start: u64) -> Batch {
    let step = StoredStep { tier: StoreTier::TenSeconds, start, bytes: b"figures".to_vec() };
    Batch { steps: vec![step], names: vec![(NameKey(1), b"EGET\0/".to_vec())], ..Batch::default() }
}

fn earlier(folder: &Path) -> (StoreLink, Earlier) {
    let mut link = start(history(folder), spans(), &Supervision::default()).unwrap();
    let earlier = link.take_earlier(Duration::from_secs(30)).unwrap();
    (link, earlier)
}

/// Waits until a link's batches are stored.
fn wait_for(is_done: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_done() {
        assert!(began.elapsed() < Duration::from_secs(30), "it takes too long");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_one_run_stores_the_next_one_has() {
    let folder = tempfile::tempdir().unwrap();
    let now = crate::clock::now_unix_ms() / 10_000 * 10;
    let (link, before) = earlier(folder.path());
    assert!(before.steps.is_empty());
    for start in [now - 20, now - 10] {
        assert!(link.send(batch(start)).is_none());
    }
    wait_for(|| link.state().bytes == 2 * 7 + 6);
    assert_eq!(link.state().lost, 0);
    drop(link);
    // The thread of the first run may still have the file.
    let (_, after) = earlier(folder.path());
    assert_eq!(after.steps.iter().map(|step| step.start).collect::<Vec<_>>(), [now - 20, now - 10]);
    assert_eq!(after.names.len(), 1);
}

#[test]
fn a_smaller_bound_holds_from_the_next_start_on() {
    let folder = tempfile::tempdir().unwrap();
    let now = crate::clock::now_unix_ms() / 10_000 * 10;
    let (link, _) = earlier(folder.path());
    for number in 1..=50 {
        let mut batch = batch(now - 10 * number);
        // Bytes that nothing makes shorter.
        batch.steps[0].bytes = std::iter::repeat_with(|| fastrand::u8(..)).take(20_000).collect();
        assert!(link.send(batch).is_none());
    }
    let all = 50 * 20_000 + 6;
    wait_for(|| link.state().bytes == all);
    drop(link);
    let small = HistoryFolder { max_bytes: 500_000, ..history(folder.path()) };
    let link = start(small, spans(), &Supervision::default()).unwrap();
    wait_for(|| link.state().bytes > 0);
    assert!((100_000..500_000).contains(&link.state().bytes), "{} bytes", link.state().bytes);
}

#[test]
fn a_damaged_file_is_set_aside_and_a_new_one_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("history.redb"), [7; 5_000]).unwrap();
    let (link, before) = earlier(folder.path());
    assert!(before.steps.is_empty());
    link.send(batch(crate::clock::now_unix_ms() / 1000));
    wait_for(|| link.state().bytes > 0);
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    let kept = files.filter(|entry| entry.metadata().unwrap().len() == 5_000).count();
    assert_eq!(kept, 1, "it is kept");
}

#[test]
fn a_folder_that_cannot_be_written_is_a_fault_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let supervision = Supervision::default();
    let (link, faults) = (start(history(&file.join("below")), spans(), &supervision).unwrap(), &supervision.faults);
    wait_for(|| !faults.all().is_empty());
    for start in 0..(MAX_WAITING + MAX_READS) as u64 + 5 {
        link.send(batch(start));
    }
    let state = link.state();
    assert_eq!((state.is_stored, state.lost, faults.all()[0].part.as_str()), (false, 5, PART));
}

#[test]
fn a_file_that_another_one_writes_is_taken_over_when_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let other = EmbeddedStore::open(&folder.path().join("history.redb")).unwrap();
    let supervision = Supervision::default();
    let mut link = start(history(folder.path()), spans(), &supervision).unwrap();
    wait_for(|| link.state().writer == Some(format!("process {}", std::process::id())));
    assert!(!link.state().is_stored && link.is_loading());
    wait_for(|| !link.is_awaited());
    drop(other);
    assert!(link.take_earlier(Duration::from_secs(30)).is_some());
    wait_for(|| link.state().is_stored);
    assert_eq!(link.state().writer, None);
    assert!(supervision.faults.all().is_empty(), "nothing has failed");
}

#[test]
fn a_past_span_is_read_between_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let now = crate::clock::now_unix_ms() / 10_000 * 10;
    let (link, _) = earlier(folder.path());
    (1..=9).for_each(|step| assert!(link.send(batch(now - 10 * step)).is_none()));
    let answered = link.read(StoreTier::TenSeconds, now - 50..now - 20, Arc::default()).expect("there is room");
    assert!(link.send(batch(now)).is_none());
    let past = answered.blocking_recv().expect("it is answered").expect("it is read");
    let starts: Vec<u64> = past.steps.iter().map(|step| step.start).collect();
    assert_eq!((starts, past.names.len()), (vec![now - 50, now - 40, now - 30], 1));
    wait_for(|| link.state().bytes == 10 * 7 + 6);
}

#[test]
fn past_spans_that_wait_for_a_slow_disk_leave_the_places_of_batches() {
    let (orders, received) = sync_channel(MAX_WAITING + MAX_READS);
    let (_alive, ended) = sync_channel(0);
    let reads = Arc::new(Semaphore::new(MAX_READS));
    let link = StoreLink { orders, earlier: None, state: Arc::default(), reads, ended };
    let read = || link.read(StoreTier::TenSeconds, 0..10, Arc::default());
    let mut waiting: Vec<_> = (0..MAX_READS).map(|_| read().expect("there is room")).collect();
    assert!(read().unwrap_err().reason.contains("too many wait"));
    assert!((0..MAX_WAITING as u64).all(|start| link.send(batch(start)).is_none()), "batches have their places");
    // The disk answers: what nobody waits for any more is left out.
    let abandoned = waiting.remove(0);
    drop(abandoned);
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(&folder.path().join("history.redb")).unwrap();
    for order in received.try_iter() {
        if let StoreOrder::Read(reading) = order {
            reading.read_from(&store).unwrap();
        }
    }
    assert!(waiting.iter_mut().all(|reading| reading.try_recv().is_ok_and(|past| past.is_ok())));
    assert!(read().is_ok());
}

#[test]
fn a_file_that_is_removed_is_told_and_a_new_one_has_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let now = crate::clock::now_unix_ms() / 10_000 * 10;
    let supervision = Supervision::default();
    let mut link = start(history(&folder.path().join("below")), spans(), &supervision).unwrap();
    link.take_earlier(Duration::from_secs(30)).unwrap();
    assert!(link.send(batch(now - 20)).is_none());
    wait_for(|| link.state().bytes > 0);
    fs::remove_dir_all(folder.path().join("below")).unwrap();
    let mut next = Batch { names: vec![], ..batch(now - 10) };
    next.steps[0].bytes = b"later figures".to_vec();
    assert!(link.send(next).is_none());
    wait_for(|| !supervision.faults.all().is_empty());
    let reason = supervision.faults.all()[0].reason.clone();
    assert!(reason.contains("below/history.redb") && reason.contains("was removed or replaced"), "{reason}");
    // The supervisor waits before it begins anew.
    wait_for(|| link.state().bytes == 13 + 6);
    assert_eq!((link.state().is_stored, link.state().lost), (true, 0));
    drop(link);
    let (_, after) = earlier(&folder.path().join("below"));
    assert_eq!(after.steps.iter().map(|step| step.start).collect::<Vec<_>>(), [now - 10]);
    assert_eq!(after.names.len(), 1, "the name of the steps before is known");
}
