//! What recording a request costs: Watchboard's layer beside others of its kind, in one run. `cargo xtask bench` builds and
//! runs it; it prints a table in Markdown.

mod allocator;
mod calls;
mod contenders;
mod endurance;
mod fleet;
mod forward;
mod instructions;
mod listening;
mod loopback;
mod proxies;
mod sampling;
mod servers;
mod serves;

use anyhow::{Context, Result, bail};

use self::contenders::Contender;

fn main() -> Result<()> {
    // Some start tasks of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let _entered = runtime.enter();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => all(),
        ["count", name, requests] => {
            calls::count(Contender::named(name)?, requests.parse()?);
            Ok(())
        }
        ["listening"] => runtime.block_on(listening::all()),
        ["cancelled", operations] => runtime.block_on(listening::cancelled(operations.parse()?, true)),
        ["cancelled", operations, "unlistened"] => runtime.block_on(listening::cancelled(operations.parse()?, false)),
        ["history"] => {
            watchboard::measures::a_day_of_512_endpoints();
            watchboard::measures::bytes_of_a_refresh();
            Ok(())
        }
        ["history-on-disk", folder, endpoints, per_second] => {
            watchboard::measures::thirteen_months(folder.as_ref(), endpoints.parse()?, per_second.parse()?);
            Ok(())
        }
        ["fleet-processes", uri, instances] => runtime.block_on(fleet::processes(uri, instances.parse()?)),
        ["fleet", uri, instances, endpoints, per_second, seconds] => {
            let numbers = (instances.parse()?, endpoints.parse()?, per_second.parse()?, seconds.parse()?);
            let simulated = watchboard::fleet_measures::simulate(uri, numbers.0, numbers.1, numbers.2, numbers.3);
            runtime.block_on(simulated).map_err(anyhow::Error::msg)
        }
        ["proxies"] => proxies::all(),
        ["applications"] => proxies::applications(),
        ["sampling"] => sampling::all(),
        ["slow-heads"] => endurance::slow_heads(),
        ["soak", requests, sign_ins] => endurance::soak(requests.parse()?, sign_ins.parse()?),
        ["serve", name] => {
            let contender = Contender::named(name)?;
            serves::serve(|| contender.router())
        }
        _ => bail!("it takes no arguments, but for those that it gives itself: {}", words.join(" ")),
    }
}

/// Every measure of every contender, as a row each.
fn all() -> Result<()> {
    // Once each: some record into what there can only be one of.
    let routers = Contender::ALL.map(Contender::router);
    println!("calls, one thread:");
    let one = calls::nanoseconds(&routers, 1);
    println!("calls, two threads:");
    let two = calls::nanoseconds(&routers, 2);
    let allocations = beside_the_first(routers.iter().map(calls::allocations).collect());
    println!("instructions:");
    let instructions: Result<Vec<f64>> = Contender::ALL.into_iter().map(instructions::per_request).collect();
    let instructions = beside_the_first(instructions.context("instructions cannot be counted")?);
    println!("loopback:");
    let loopback = loopback::shares()?;
    let pair = allocator::added_nanoseconds();
    println!("loopback, with the allocator that counts:");
    let tracking = loopback::share_of_tracking()?;
    println!("\n| layer | ns, one thread | ns, two threads | allocations | instructions | throughput |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (index, contender) in Contender::ALL.into_iter().enumerate() {
        let [one, two, allocations, instructions] =
            [&one, &two, &allocations, &instructions].map(|measure| match index {
                0 => format!("{:.0}", measure[0]),
                _ => format!("{:+.0}", measure[index]),
            });
        let title = contender.title();
        println!("| {title} | {one} | {two} | {allocations} | {instructions} | {:.3} |", loopback[index]);
    }
    println!(
        "\nThe first row is a request as a whole, the others are what a layer adds; throughput is a share of the first."
    );
    println!("\nThe allocator that counts: {pair:+.2} ns for each allocation that is freed, throughput {tracking:.3}.");
    Ok(())
}

/// The first contender's measure is whole, of the others' what they add to it.
fn beside_the_first(mut measures: Vec<f64>) -> Vec<f64> {
    let first = measures[0];
    measures[1..].iter_mut().for_each(|measure| *measure -= first);
    measures
}
