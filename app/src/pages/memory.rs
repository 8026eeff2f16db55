//! Memory analytics: the parts of memory, the allocations, the limits, and the figures of the process and its machine.

mod allocation;
mod application;
mod container;
mod cost;
mod detail;
mod heap;
mod process;
mod system;
mod threads;

use leptos::{either::Either, prelude::*};
use watchboard_wire::InstanceScope;

use self::{
    allocation::{AllocationTable, NO_COUNTING_ALLOCATOR},
    application::ApplicationTable,
    container::ContainerFacts,
    cost::{CostFacts, RuntimeFacts},
    heap::{AllocationBar, AllocatorBar, RssBar},
    system::{CoreStrip, DiskTable, HeaviestTable, NetworkTable, SystemFacts},
    threads::ThreadGroupTable,
};
pub(crate) use self::{
    application::{process_or_application, watches_another},
    process::{ProcessFacts, ResourceBars},
    system::SystemMemory,
    threads::ThreadTable,
};
use super::{
    charts::{AllocationChart, CpuChart, PressureChart, RssChart},
    endpoints::AllocatingTable,
    export_links::ExportLinks,
    instances::InstanceFigure,
};
use crate::{
    components::Card,
    live::use_live,
    selection::{Selection, View, use_selection},
};

#[component]
pub(crate) fn MemoryPage() -> impl IntoView {
    let is_of_all = use_selection().with_untracked(|selection| selection.scope == InstanceScope::All);
    if is_of_all { Either::Left(view! { <MemoryOfAll /> }) } else { Either::Right(view! { <MemoryOfOne /> }) }
}

/// The memory of all instances: what adds up, and the way to the rest.
#[component]
fn MemoryOfAll() -> impl IntoView {
    let instances = use_selection().with_untracked(|selection| {
        Selection { heat: InstanceFigure::Memory.word().to_owned(), ..selection.to_view(View::Instances) }.href()
    });
    view! {
        <div class="overview">
            <div class="column">
                <RssChart />
            </div>
            <div class="column">
                <CpuChart />
            </div>
        </div>
        <p class="unknown">
            "Bytes are the sums of all instances, CPU their mean. Limits, processes and threads are of one machine: "
            <a href=instances>"choose an instance"</a>"."
        </p>
        <ExportLinks />
    }
}

#[component]
fn MemoryOfOne() -> impl IntoView {
    // The allocator of a program does not change while it runs.
    let counts = use_live().figures.with_untracked(|figures| figures.snapshot.memory.heap.is_some());
    // The allocations and the runtime of other processes are unknown.
    let another = watches_another();
    let either = |own: &'static str, others: &'static str| if another { others } else { own };
    view! {
        <div class="overview">
            <div class="column">
                <div class="same-axis">
                    <RssChart />
                    {counts.then(|| view! { <AllocationChart /> })}
                </div>
                {another
                    .then(|| view! {
                        <Card
                            title="Application processes"
                            note="What the figures of this view are of, added up. Pages that they share count in each one's RSS; PSS, below, divides them."
                        >
                            <ApplicationTable />
                        </Card>
                    })}
                {(!another)
                    .then(|| view! {
                        <Card
                            title="Endpoints by allocation"
                            note="Of the window: what requests asked the allocator for while they were handled. Allocated, not retained."
                        >
                            {if counts {
                                Either::Left(view! {
                                    <AllocationTable />
                                    <details class="fold">
                                        <summary>"All fields"</summary>
                                        <AllocationBar />
                                        <AllocatingTable />
                                    </details>
                                })
                            } else {
                                Either::Right(view! { <p class="unknown">{NO_COUNTING_ALLOCATOR}</p> })
                            }}
                        </Card>
                    })}
            </div>
            <div class="column">
                <Card title="Resource usage">
                    <ResourceBars growth=true />
                </Card>
                <CpuChart />
                <CoreStrip />
                <PressureChart />
            </div>
        </div>
        <div class="cards">
            <Card
                title="Where the memory goes"
                note=either(
                    "All that is resident for this process, in parts that add up to it.",
                    "All that is resident for the application's processes, in parts that add up to it.",
                )
            >
                <RssBar />
                {(!another).then(|| view! { <AllocatorBar /> })}
            </Card>
            <Card title="Container" note="The limit that kills: past it the kernel ends processes of this control group.">
                <ContainerFacts />
            </Card>
            <Card title=either("Process", "All processes") note="RSS is what it holds in RAM; VMS is address space, most of which costs nothing.">
                <ProcessFacts />
            </Card>
            <Card title="System" note="The whole machine. Used is what programs cannot get without swapping.">
                <SystemMemory />
                <SystemFacts />
            </Card>
            <Card
                title="Threads"
                note=either(
                    "Those whose names differ in digits alone stand together. Memory is shared: their own are CPU time and what they allocate.",
                    "Of all processes; those whose names differ in digits alone stand together. Memory is shared: their own is CPU time.",
                )
                wide=true
            >
                <ThreadGroupTable />
            </Card>
        </div>
        <FoldedCards />
        <ExportLinks />
    }
}

/// What is asked for more rarely.
#[component]
fn FoldedCards() -> impl IntoView {
    let another = watches_another();
    let either = |own: &'static str, others: &'static str| if another { others } else { own };
    view! {
        <details class="more-cards">
            <summary>"Heaviest processes, disks and networks, runtime, cost of watching"</summary>
            <div class="cards">
                <Card title="Heaviest processes" note="Of the machine, by RSS. Pages that they share count for each.">
                    <HeaviestTable />
                </Card>
                <Card
                    title="Cost of watching"
                    note=either(
                        "What this monitor takes from the application.",
                        "What watchboard itself takes, in a process of its own beside the application.",
                    )
                >
                    <CostFacts />
                </Card>
                {(!another)
                    .then(|| view! {
                        <Card title="Async runtime" note="Tokio: near 100 % busy, or with a queue that stays, tasks wait for a worker.">
                            <RuntimeFacts />
                        </Card>
                    })}
                <Card title="Disks and networks" note=either("As this process sees them.", "As watchboard sees them.")>
                    <DiskTable />
                    <NetworkTable />
                </Card>
            </div>
        </details>
    }
}
