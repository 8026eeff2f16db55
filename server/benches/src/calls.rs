//! Requests as calls of the router, without sockets: their time, and what they allocate.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, http::Request};
use http_body_util::BodyExt;
use tower_service::Service;

use crate::contenders::Contender;

/// Rounds, each with all contenders in turn, so that the machine's moods hit all alike.
const ROUNDS: usize = 40;
const REQUESTS: usize = 20_000;

/// For each contender the nanoseconds of a request: whole for the first, for the others what is added to it in the same round.
/// Medians over all rounds.
pub(crate) fn nanoseconds(routers: &[Router], threads: usize) -> Vec<f64> {
    let mut times = vec![vec![]; routers.len()];
    for round in 0..ROUNDS {
        for step in 0..routers.len() {
            // Each round begins with another.
            let index = (round + step) % routers.len();
            times[index].push(nanoseconds_of(&routers[index], threads));
        }
    }
    let added = times[1..].iter().map(|own| median(own.iter().zip(&times[0]).map(|(own, bare)| own - bare).collect()));
    let result: Vec<f64> = std::iter::once(median(times[0].clone())).chain(added).collect();
    for (contender, nanoseconds) in Contender::ALL.iter().zip(&result) {
        println!("    {:<16} {nanoseconds:.0} ns", contender.name());
    }
    result
}

fn nanoseconds_of(router: &Router, threads: usize) -> f64 {
    let barrier = Barrier::new(threads);
    let spent: Duration = thread::scope(|scope| {
        let run = || {
            barrier.wait();
            let started = Instant::now();
            requests(router.clone(), REQUESTS);
            started.elapsed()
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    spent.as_nanos() as f64 / (threads * REQUESTS) as f64
}

/// Sends requests one after the other, and reads each answer to its end.
#[inline(never)]
pub(crate) fn requests(mut router: Router, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..count {
            let request = Request::get("/users/42").body(Body::empty()).expect("a request");
            let response = router.call(request).await.expect("an answer");
            let _ = response.into_body().collect().await;
        }
    });
}

/// Warms up and then sends `count` requests in the function whose instructions are counted.
pub(crate) fn count(contender: Contender, count: usize) {
    let router = contender.router();
    requests(router.clone(), 1_000);
    counted_requests(router, count);
}

/// Known by its name to the one who counts.
#[inline(never)]
fn counted_requests(router: Router, count: usize) {
    requests(router, count);
}

/// Allocations of a request, once everything is warm.
pub(crate) fn allocations(router: &Router) -> f64 {
    const COUNTED: u64 = 10_000;
    requests(router.clone(), 1_000);
    let fewer = allocation_counter::measure(|| requests(router.clone(), 0)).count_total;
    let more = allocation_counter::measure(|| requests(router.clone(), COUNTED as usize)).count_total;
    (more - fewer) as f64 / COUNTED as f64
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
