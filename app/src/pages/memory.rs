//! Memory analytics: where the memory goes, who asks for it, what it is held to, and what else the process and its machine hold.

mod container;
mod cost;
mod heap;
mod process;
mod system;
mod threads;

use leptos::prelude::*;

use self::{
    container::ContainerFacts,
    cost::{CostFacts, RuntimeFacts},
    heap::{AllocatedBar, AllocatorBar, RssBar},
    system::{DiskTable, HeaviestTable, NetworkTable, SystemFacts},
    threads::ThreadGroupTable,
};
pub(crate) use self::{
    process::{ProcessFacts, ResourceBars},
    system::SystemMemory,
    threads::ThreadTable,
};
use super::{
    charts::{AllocationChart, CpuChart, RssChart},
    endpoints::AllocatingTable,
};
use crate::{
    components::{Card, Fact},
    figures::Figures,
    format,
    live::use_live,
    wire::{MemoryDetail, Reading, Unknown},
};

#[component]
pub(crate) fn MemoryPage() -> impl IntoView {
    // Which allocator a program has does not change while it runs.
    let counts = use_live().figures.with_untracked(|figures| figures.snapshot.memory.heap.is_some());
    view! {
        <div class="charts">
            <RssChart />
            {counts.then(|| view! { <AllocationChart /> })}
            <CpuChart />
        </div>
        <div class="cards">
            <Card title="Where the memory goes" note="All that is resident for this process, in parts that add up to it.">
                <RssBar />
                <AllocatorBar />
            </Card>
            <Card title="Resource usage" note="A bar that fills up is what will run out first.">
                <ResourceBars />
            </Card>
            <Card title="Container" note="The limit that kills: past it the kernel ends processes of this control group.">
                <ContainerFacts />
            </Card>
            <Card
                title="Endpoints by allocation"
                note="Of the window: what requests asked the allocator for while they were handled, whatever became of it later. Allocated, not retained."
                wide=true
            >
                <AllocatedBar />
                {counts.then(|| view! { <AllocatingTable /> })}
            </Card>
            <Card title="Threads" note="Those whose names differ in digits alone stand together. Memory is shared: their own are CPU time and what they allocate." wide=true>
                <ThreadGroupTable />
            </Card>
            <Card title="Process" note="RSS is what it holds in RAM; VMS is address space, most of which costs nothing.">
                <ProcessFacts />
            </Card>
            <Card title="System" note="The whole machine. Used is what programs cannot get without swapping.">
                <SystemMemory />
                <SystemFacts />
            </Card>
            <Card title="Heaviest processes" note="Of the machine, by RSS. Pages that they share count for each.">
                <HeaviestTable />
            </Card>
            <Card title="Cost of watching" note="What this monitor takes from the application.">
                <CostFacts />
            </Card>
            <Card title="Async runtime" note="Tokio: near 100 % busy, or with a queue that stays, tasks wait for a worker.">
                <RuntimeFacts />
            </Card>
            <Card title="Disks and networks" note="As this process sees them.">
                <DiskTable />
                <NetworkTable />
            </Card>
        </div>
    }
}

/// A size as a fact: short, with the exact bytes as its title.
fn size(name: &'static str, bytes: u64) -> Fact {
    (name, format::bytes(bytes as f64), format!("{} bytes", format::exact(bytes)))
}

/// A figure that may not be there; a dash then, with the reason.
fn maybe(name: &'static str, value: Option<String>, why_not: &str) -> Fact {
    match value {
        Some(value) => (name, value, String::new()),
        None => (name, "–".to_owned(), why_not.to_owned()),
    }
}

/// What the server read for this view.
fn detail(figures: &Figures) -> Reading<&MemoryDetail> {
    figures.memory.as_ref().ok_or_else(|| Unknown::because("not read yet"))
}
