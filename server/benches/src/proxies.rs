//! The binary as a proxy beside nginx and haproxy, in front of the same application, with full metrics on. Each has one core for itself.

use anyhow::Result;

use crate::{
    calls::median,
    servers::{Load, application, haproxy, nginx_proxy, watchboard},
};

/// Many short ones, so that what else the machine does meets all three alike.
const ROUNDS: usize = 33;
const SECONDS: u64 = 1;

/// A table of the three, by medians over rounds in which they take turns.
pub(crate) fn all() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let application = application(folder.path())?;
    let proxies = [
        ("nginx", nginx_proxy(folder.path(), &application)?),
        ("haproxy", haproxy(folder.path(), &application)?),
        ("**Watchboard**", watchboard(&application)?),
    ];
    let mut loads: Vec<Vec<Load>> = proxies.iter().map(|_| vec![]).collect();
    for round in 0..ROUNDS {
        for step in 0..proxies.len() {
            let index = (round + step) % proxies.len();
            loads[index].push(proxies[index].1.load(SECONDS)?);
        }
        println!("    round {} of {ROUNDS}", round + 1);
    }
    println!(
        "\n| proxy, on one core | requests a second | of nginx's | p99 | of nginx's | CPU time a request | of nginx's |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (index, (name, _)) in proxies.iter().enumerate() {
        let middle = |read: fn(&Load) -> f64| median(loads[index].iter().map(read).collect());
        let share = |read: fn(&Load) -> f64| {
            median(loads[index].iter().zip(&loads[0]).map(|(own, first)| read(own) / read(first)).collect())
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
