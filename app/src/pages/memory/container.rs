//! The container: its memory against its limit, and its CPU limit.

use leptos::prelude::*;
use watchboard_wire::{Container, CpuQuota, format, reading_ref};

use crate::{
    components::{ExplainedFacts, Fact},
    live::snapshot_memo,
    pages::cells::{fact_or_reason, size_fact},
};

#[component]
pub(crate) fn ContainerFacts() -> impl IntoView {
    let facts = snapshot_memo(|snapshot| {
        reading_ref(&snapshot.memory.container).map(|container| container_facts(container.as_ref()))
    });
    view! { <ExplainedFacts facts lead=usize::MAX /> }
}

fn container_facts(container: Option<&Container>) -> Vec<Fact> {
    let none = |name, why: &str| (name, "none".to_owned(), why.to_owned());
    let Some(container) = container else {
        return vec![none("Container", "it is in no control group that counts memory")];
    };
    let untold = "this kernel, or this version of control groups, does not tell";
    let limit = match container.limit_bytes {
        Some(limit) => {
            let of = container.limit_group.as_deref().unwrap_or("/");
            ("Limit", format::bytes(limit as f64), format!("the smallest of its group and those above: of {of}"))
        }
        None => {
            none("Limit", "neither its control group nor one above it has a limit: the system's memory is its limit")
        }
    };
    let bytes = |bytes: Option<u64>| bytes.map(|bytes| format::bytes(bytes as f64));
    let mut facts = vec![
        ("Group", container.group.clone(), format!("control groups, version {}", container.version)),
        limit,
        (
            "Working set",
            format::bytes(container.working_set_bytes as f64),
            "in use, less what the kernel can take back at once".to_owned(),
        ),
    ];
    if let Some(high) = container.high_bytes {
        let of = container.high_group.as_deref().unwrap_or("/");
        let events = container.high_events.map(|events| format!("; {} times so far", format::exact(events)));
        let what = format!("memory.high of {of}: past it the kernel throttles the group{}", events.unwrap_or_default());
        facts.push(("Throttled from", format::bytes(high as f64), what));
    }
    if let Some(percent) = container.percent() {
        facts.push(("Used", format::percent(percent), "working set of the smaller limit".to_owned()));
    }
    if let Some(swap) = container.swap_bytes {
        let limit = container.swap_limit_bytes.map_or_else(
            || "no limit of its own".to_owned(),
            |limit| format!("of at most {}", format::bytes(limit as f64)),
        );
        facts.push(("Swapped out", format::bytes(swap as f64), limit));
    }
    if let Some(huge) = container.hugetlb_bytes.filter(|bytes| *bytes > 0) {
        facts.push(("Huge pages", format::bytes(huge as f64), "of hugetlbfs; in no other figure here".to_owned()));
    }
    facts.extend([
        size_fact("With all cache", container.usage_bytes),
        fact_or_reason("Heaps and stacks", bytes(container.anonymous_bytes), untold),
        fact_or_reason("File cache", bytes(container.file_bytes), untold),
        fact_or_reason("Can be taken back", bytes(container.reclaimable_bytes), untold),
        fact_or_reason("Killed for memory", container.oom_kills.map(|kills| format::count(kills as f64)), untold),
        fact_or_reason("Stalled for memory", container.pressure.map(|it| format::percent(it.some_percent)), untold),
        fact_or_reason("Throttled", container.cpu.map(throttling_text), untold),
    ]);
    facts
}

/// The effect of its CPU limit.
fn throttling_text(cpu: CpuQuota) -> String {
    match cpu.cores {
        None => "no CPU limit".to_owned(),
        Some(cores) => {
            let time = format::duration_us(cpu.throttled_us as f64);
            format!("{time} in {} of {} periods, at {cores:.1} cores", cpu.throttled_periods, cpu.periods)
        }
    }
}
