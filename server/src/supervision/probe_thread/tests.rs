use std::sync::{Mutex, PoisonError, mpsc};

use super::*;

/// A probe thread whose readings wait for a word of the test.
struct Waiting {
    probe_thread: ProbeThread<u32, u32>,
    go_on: mpsc::Sender<()>,
    supervision: Supervision,
}

fn waiting() -> Waiting {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let supervision = Supervision::default();
    let probe_thread = ProbeThread::new("files", &supervision, move || {
        let wait = Arc::clone(&wait);
        move |number: u32| {
            let _ = wait.lock().unwrap_or_else(PoisonError::into_inner).recv();
            assert_ne!(number, 13, "a bug of this probe");
            number
        }
    });
    Waiting { probe_thread, go_on, supervision }
}

#[test]
fn a_reading_that_hangs_is_unknown_with_its_time_and_no_other_is_begun() {
    let Waiting { mut probe_thread, go_on, .. } = waiting();
    assert_eq!(probe_thread.reading().unwrap_err().to_string(), "not read yet");
    assert!(probe_thread.begin(1));
    probe_thread.wait(Duration::from_millis(1));
    assert!(probe_thread.is_awaited() && probe_thread.reading().is_err());
    while probe_thread.is_awaited() {
        assert!(!probe_thread.begin(2), "one at a time");
        thread::yield_now();
    }
    assert_eq!(probe_thread.reading().unwrap_err().to_string(), "no answer for 2\u{a0}s");
    assert_eq!(probe_thread.overdue(), None, "a slow reading is no finding yet");
    go_on.send(()).unwrap();
    probe_thread.wait(Duration::from_secs(20));
    assert_eq!((probe_thread.reading(), probe_thread.last_duration().map(|(name, _)| name)), (Ok(&1), Some("files")));
    // The last answer stays while it is fresh.
    assert!(probe_thread.begin(3));
    while probe_thread.is_awaited() {
        thread::yield_now();
    }
    assert_eq!(probe_thread.reading(), Ok(&1));
}

#[test]
fn a_reading_that_panics_is_unknown_with_its_place_and_the_next_is_made_anew() {
    let Waiting { mut probe_thread, go_on, supervision } = waiting();
    for (number, is_known) in [(13, false), (14, true)] {
        assert!(probe_thread.begin(number));
        go_on.send(()).unwrap();
        probe_thread.wait(Duration::from_secs(20));
        assert_eq!(probe_thread.reading().is_ok(), is_known, "{:?}", probe_thread.reading());
    }
    let [fault] = &*supervision.faults.all() else { panic!("one part") };
    assert_eq!((&*fault.part, fault.count), ("files", 1));
}

#[test]
fn the_thread_of_a_probe_ends_with_its_probe_also_if_it_hung() {
    let Waiting { mut probe_thread, go_on, supervision } = waiting();
    assert!(probe_thread.begin(1));
    drop(probe_thread);
    // Its thread has the other end, and one of the supervision.
    assert!(go_on.send(()).is_ok());
    let deadline = Instant::now() + Duration::from_secs(20);
    while Arc::strong_count(&supervision.faults) > 1 {
        assert!(Instant::now() < deadline);
        thread::yield_now();
    }
}
