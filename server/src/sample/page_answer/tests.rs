//! Pages of a past span whose store does not answer, or cannot.

use tokio::sync::oneshot;
use watchboard_wire::{Part, Window};

use super::*;
use crate::{history::store::StoreTier, sample::sampler::tests::sampler_from};

/// What a page of a past minute gets, whose steps the store has to read.
fn answer(stored: StoreReading) -> RefreshResponse {
    let mut sampler = sampler_from(crate::requests::Recorder::new(crate::requests::Policy::default()), 1_000_000);
    let frozen = sampler.tick(0, &ProbeResult::default(), false);
    let ticks = (900_000, 900_060);
    let span = PastSpan { window: Window::FifteenMinutes, ticks, stored: Some(StoreTier::TenSeconds), is_held: false };
    let mut past = PastPage { span, is_had: false, stored: Some(stored) };
    past.is_read();
    let query = RefreshQuery { part: Part::Requests, span: Some(ticks), ..RefreshQuery::default() };
    sampler.rescued_answer(&query, (None, Some(past)), &frozen, &ProbeResult::default()).expect("an answer")
}

#[test]
fn a_span_that_the_store_does_not_give_is_unknown_and_not_empty() {
    let (_held, reading) = oneshot::channel();
    let late = answer(StoreReading::Awaited(reading));
    let (ended, reading) = oneshot::channel();
    drop(ended);
    let gone = answer(StoreReading::Awaited(reading));
    let (failed, reading) = oneshot::channel();
    failed.send(Err(Unknown::because("the disk is broken"))).expect("it is awaited");
    let failed = answer(StoreReading::Awaited(reading));
    let reasons = ["has not answered within 2s", "has failed: see the log", "the disk is broken"];
    for (answer, reason) in vec![late, gone, failed].into_iter().zip(reasons) {
        let unread = answer.unread.expect("it says why");
        assert!(unread.reason.contains(reason), "{unread}");
        assert_eq!((answer.span, answer.is_unchanged), (Some((900_000, 900_060)), false));
        assert_eq!(answer.timeline.window, Window::FifteenMinutes);
        assert!(answer.snapshot.tick >= 1_000_000, "the state is of now");
    }
}
