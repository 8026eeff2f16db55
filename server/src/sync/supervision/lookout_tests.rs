use std::sync::{Mutex, PoisonError, mpsc};

use super::*;

/// A lookout whose looks wait for a word of the test.
struct Waiting {
    lookout: Lookout<u32, u32>,
    go_on: mpsc::Sender<()>,
    supervision: Supervision,
}

fn waiting() -> Waiting {
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let supervision = Supervision::default();
    let lookout = Lookout::new("files", &supervision, move || {
        let wait = Arc::clone(&wait);
        move |number: u32| {
            let _ = wait.lock().unwrap_or_else(PoisonError::into_inner).recv();
            assert_ne!(number, 13, "a bug of this look");
            number
        }
    });
    Waiting { lookout, go_on, supervision }
}

#[test]
fn a_look_that_hangs_is_unknown_with_its_time_and_no_other_is_begun() {
    let Waiting { mut lookout, go_on, .. } = waiting();
    assert_eq!(lookout.reading().unwrap_err().to_string(), "not read yet");
    assert!(lookout.begin(1));
    lookout.wait(Duration::from_millis(1));
    assert!(lookout.is_awaited() && lookout.reading().is_err());
    while lookout.is_awaited() {
        assert!(!lookout.begin(2), "one at a time");
        thread::yield_now();
    }
    assert_eq!(lookout.reading().unwrap_err().to_string(), "no answer for 2\u{a0}s");
    assert_eq!(lookout.overdue(), None, "a slow look is no finding yet");
    go_on.send(()).unwrap();
    lookout.wait(Duration::from_secs(20));
    assert_eq!((lookout.reading(), lookout.last_duration().map(|(name, _)| name)), (Ok(&1), Some("files")));
    // The last answer stays while it is fresh.
    assert!(lookout.begin(3));
    while lookout.is_awaited() {
        thread::yield_now();
    }
    assert_eq!(lookout.reading(), Ok(&1));
}

#[test]
fn a_look_that_panics_is_unknown_with_its_place_and_the_next_is_made_anew() {
    let Waiting { mut lookout, go_on, supervision } = waiting();
    for (number, is_known) in [(13, false), (14, true)] {
        assert!(lookout.begin(number));
        go_on.send(()).unwrap();
        lookout.wait(Duration::from_secs(20));
        assert_eq!(lookout.reading().is_ok(), is_known, "{:?}", lookout.reading());
    }
    let [fault] = &*supervision.faults.all() else { panic!("one part") };
    assert_eq!((&*fault.part, fault.count), ("files", 1));
}

#[test]
fn the_thread_of_a_look_ends_with_the_lookout_also_if_it_hung() {
    let Waiting { mut lookout, go_on, supervision } = waiting();
    assert!(lookout.begin(1));
    drop(lookout);
    // Its thread has the other end, and one of the supervision.
    assert!(go_on.send(()).is_ok());
    let deadline = Instant::now() + Duration::from_secs(20);
    while Arc::strong_count(&supervision.faults) > 1 {
        assert!(Instant::now() < deadline);
        thread::yield_now();
    }
}
