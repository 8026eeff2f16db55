//! The binary as a proxy beside nginx and haproxy, with full metrics on: each on a core for itself, in front of an application that answers at
//! once, and in front of an application of `FastAPI`, beside middlewares that count within it.

use anyhow::Result;

use crate::{
    calls::median,
    servers::{Core, Load, Server, application, fastapi, haproxy, nginx_proxy, watchboard},
};

/// Many short ones, so that what else the machine does meets all alike.
const ROUNDS: usize = 33;
const SECONDS: u64 = 1;

type Contender = (&'static str, Server);

/// What costs more than a bare proxy: a table of the three.
pub(crate) fn all() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let application = application(folder.path())?;
    compare(
        "proxy, on one core",
        &[
            ("nginx", nginx_proxy(folder.path(), Core::Own, &application)?),
            ("haproxy", haproxy(folder.path(), Core::Own, &application)?),
            ("**Watchboard**", watchboard(Core::Own, &application)?),
        ],
    )
}

/// What a watched application loses. It has one core for itself; proxies have the other, with whoever asks.
pub(crate) fn applications() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bare = fastapi("")?;
    let behind = [
        ("behind nginx", nginx_proxy(folder.path(), Core::Other, &bare)?),
        ("behind haproxy", haproxy(folder.path(), Core::Other, &bare)?),
        ("**behind Watchboard**", watchboard(Core::Other, &bare)?),
    ];
    let middlewares = ["prometheus-fastapi-instrumentator", "starlette-exporter"];
    let middlewares = middlewares.into_iter().map(|name| Ok((name, fastapi(name)?))).collect::<Result<Vec<_>>>()?;
    let contenders: Vec<_> = [("bare", bare)].into_iter().chain(behind).chain(middlewares).collect();
    compare("FastAPI, on one core", &contenders)
}

/// Prints a table: medians over rounds in which they take turns, and shares of what the first had in the same round.
fn compare(title: &str, contenders: &[Contender]) -> Result<()> {
    let mut loads: Vec<Vec<Load>> = contenders.iter().map(|_| vec![]).collect();
    for round in 0..ROUNDS {
        for step in 0..contenders.len() {
            let index = (round + step) % contenders.len();
            loads[index].push(contenders[index].1.load(SECONDS)?);
        }
        println!("    round {} of {ROUNDS}", round + 1);
    }
    println!(
        "\n| {title} | requests a second | of the first | p99 | of the first | CPU time a request | of the first |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for ((name, _), own) in contenders.iter().zip(&loads) {
        let middle = |read: fn(&Load) -> f64| median(own.iter().map(read).collect());
        let share = |read: fn(&Load) -> f64| {
            median(own.iter().zip(&loads[0]).map(|(own, first)| read(own) / read(first)).collect())
        };
        let [per_second, p99_us, cpu_us]: [fn(&Load) -> f64; 3] =
            [|load| load.per_second, |load| load.p99_us, |load| load.cpu_us];
        println!(
            "| {name} | {:.0} | {:.2} | {:.2} ms | {:.2} | {:.1} µs | {:.2} |",
            middle(per_second),
            share(per_second),
            middle(p99_us) / 1000.0,
            share(p99_us),
            middle(cpu_us),
            share(cpu_us),
        );
    }
    Ok(())
}
