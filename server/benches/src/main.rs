//! What recording a request costs: Watchboard's layer beside others of its kind, in one run. `cargo xtask bench` builds and
//! runs it; it prints a table in Markdown.

mod calls;
mod contenders;
mod instructions;
mod loopback;
mod passing;

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
        ["serve", name] => loopback::serve(Contender::named(name)?),
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
    println!("instructions:");
    let instructions = Contender::ALL.map(instructions::per_request);
    println!("loopback:");
    let loopback = loopback::shares()?;
    println!("\n| layer | ns, one thread | ns, two threads | allocations | instructions | throughput |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut instructions_of_bare = None;
    for (index, contender) in Contender::ALL.into_iter().enumerate() {
        let instructions = instructions[index].as_ref().map_err(|error| anyhow::anyhow!("{error:#}"));
        let instructions = *instructions.context("instructions cannot be counted")?;
        let bare = *instructions_of_bare.get_or_insert(instructions);
        let allocations = calls::allocations(&routers[index]);
        println!(
            "| {} | {} | {} | {allocations} | {} | {:.3} |",
            contender.title(),
            added(one[index]),
            added(two[index]),
            if contender == Contender::Bare {
                format!("{instructions:.0}")
            } else {
                format!("+{:.0}", instructions - bare)
            },
            loopback[index],
        );
    }
    println!(
        "\nThe first row is the whole of a request; the others what a layer adds to it, and their share of its throughput."
    );
    Ok(())
}

/// The first contender's time is whole, the others' what they add to it.
fn added((whole, added): (f64, f64)) -> String {
    if whole > 0.0 { format!("{whole:.0}") } else { format!("{added:+.0}") }
}
