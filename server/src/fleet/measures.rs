//! Simulates many instances: one process writes the encoded steps and the signs of life of all of them, in real time.
//! `watchboard-benches fleet` runs it.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::future::try_join_all;
use serde_json::json;
use watchboard_wire::{FullSnapshot, InstanceState};

use super::{
    client::connect,
    lease::MergeLease,
    options::{InstanceLabel, Published},
    presence::Presence,
};
use crate::history::{
    measures::batches_of_ten_seconds,
    store::{Batch, MongoSteps, Outbox, StoreError, StoreTier},
};

/// Instances that write at once.
const AT_ONCE: usize = 64;
/// The time between two signs of life.
const SEEN_EACH: Duration = Duration::from_secs(3);

struct Simulated {
    steps: MongoSteps,
    presence: Presence,
    lease: MergeLease,
    number: usize,
}

/// Writes as so many instances do, each with so many endpoints and requests a second of each.
///
/// # Errors
/// The store cannot be reached.
pub async fn simulate(
    uri: &str,
    instances: usize,
    endpoints: usize,
    per_second: usize,
    seconds: u64,
) -> Result<(), String> {
    let failed = StoreError::into_reason;
    let templates = batches_of_ten_seconds(endpoints, per_second);
    let database = connect(uri, "simulated-0").await.map_err(failed)?;
    let all: Vec<Simulated> = (0..instances).map(|number| simulated(number, &database)).collect();
    let names = templates.iter().flat_map(|batch| batch.names.iter().cloned()).collect();
    all[0].steps.append(&Batch { names, ..Batch::default() }).await.map_err(failed)?;
    let bytes: usize = templates.iter().flat_map(|batch| &batch.steps).map(|step| step.bytes.len()).sum();
    println!("{instances} instances, {endpoints} endpoints of each: {} bytes a batch", bytes / templates.len());
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut seen_at, mut boundary) = (Instant::now(), unix_seconds() / 10 * 10);
    let mut slowest = Duration::ZERO;
    while Instant::now() < end {
        if seen_at <= Instant::now() {
            seen_at += SEEN_EACH;
            // Another process holds the lease, and merges.
            let say = async |one: &Simulated| {
                one.lease.ask().await?;
                one.presence.say(&one.steps, InstanceState::Running, false).await
            };
            run(&all, say).await.map_err(failed)?;
        }
        let now = unix_seconds() / 10 * 10;
        if now > boundary {
            boundary = now;
            let started = Instant::now();
            let write = async |one: &Simulated| {
                one.steps.append(&batch_of(one.number, now, &templates)).await?;
                one.presence.say(&one.steps, InstanceState::Running, true).await
            };
            run(&all, write).await.map_err(failed)?;
            slowest = slowest.max(started.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("  all batches of a step were written within {slowest:.1?} at most");
    Ok(())
}

fn simulated(number: usize, database: &mongodb::Database) -> Simulated {
    let name = format!("simulated-{number}");
    let full = Arc::new(FullSnapshot::default());
    let endpoints: serde_json::Map<_, _> =
        (0..50).map(|number| (format!("GET /resources/{number}/items/{{id}}"), json!(number * 1_000))).collect();
    let health = json!({ "status": "healthy", "application": { "total_requests": 7, "endpoints": endpoints } });
    let published = Published { full: Box::new(move || Arc::clone(&full)), health: Box::new(move |_| health.clone()) };
    let outbox = Arc::new(Outbox::new(&name, false));
    let label = InstanceLabel { name: name.clone(), ..InstanceLabel::default() };
    Simulated {
        steps: MongoSteps::new(database.clone(), &name),
        presence: Presence::new(label, published, outbox),
        lease: MergeLease::new(MongoSteps::new(database.clone(), &name), name),
        number,
    }
}

async fn run(all: &[Simulated], work: impl AsyncFn(&Simulated) -> Result<(), StoreError>) -> Result<(), StoreError> {
    for some in all.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|one| work(one))).await?;
    }
    Ok(())
}

/// What an instance writes when the ten seconds before `now` are complete, with the longer steps that end then.
fn batch_of(number: usize, now: u64, templates: &[Batch]) -> Batch {
    let at = number * 7 + (now / 10) as usize;
    let template = |tier: StoreTier| {
        let mut steps = templates.iter().cycle().skip(at % templates.len()).take(templates.len());
        steps.find_map(|batch| batch.steps.iter().find(|step| step.tier == tier))
    };
    let ends = StoreTier::ALL.into_iter().filter(|tier| now.is_multiple_of(tier.sent_each_seconds()));
    let steps = ends.filter_map(|tier| {
        let mut step = template(tier)?.clone();
        step.start = (now - 1) / tier.step_seconds() * tier.step_seconds();
        Some(step)
    });
    Batch { steps: steps.collect(), ..Batch::default() }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
