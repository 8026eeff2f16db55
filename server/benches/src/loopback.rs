//! Throughput over loopback: a server in a process of its own, loaded by wrk from outside.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{calls::median, contenders::Contender};

/// Rounds, each with all contenders in turn; seconds of load in each.
const ROUNDS: usize = 9;
const SECONDS: &str = "2s";

/// For each contender its throughput as a share of the first one's in the same round: medians over all rounds.
pub(crate) fn shares() -> Result<Vec<f64>> {
    compare(Contender::ALL.into_iter().map(Server::start).collect::<Result<_>>()?)
}

/// The throughput with the allocator that counts as a share of the one with the system's, both with Watchboard's layer.
pub(crate) fn share_of_tracking() -> Result<f64> {
    let own = std::env::current_exe().context("the program's own path")?;
    let server = |name: &str| Server::of(Command::new(own.with_file_name(name)));
    let shares = compare(vec![server("watchboard-serves-system")?, server("watchboard-serves-tracking")?])?;
    Ok(shares[1])
}

fn compare(servers: Vec<Server>) -> Result<Vec<f64>> {
    let mut rates = vec![vec![]; servers.len()];
    for round in 0..ROUNDS {
        for step in 0..servers.len() {
            let index = (round + step) % servers.len();
            rates[index].push(load(&servers[index].address)?);
        }
        println!("    round {} of {ROUNDS}", round + 1);
    }
    Ok(rates.iter().map(|own| median(own.iter().zip(&rates[0]).map(|(own, bare)| own / bare).collect())).collect())
}

/// Requests per second.
fn load(address: &str) -> Result<f64> {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", "-c32", "-d", SECONDS]).arg(format!("http://{address}/users/42"));
    let output = wrk.output().context("cannot start wrk")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let rate = said.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    match rate.and_then(|rate| rate.trim().parse().ok()) {
        Some(rate) if !said.contains("Non-2xx") => Ok(rate),
        _ => bail!("wrk failed: {said}"),
    }
}

/// A server, ended with its owner.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(contender: Contender) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("the program's own path")?);
        command.args(["serve", contender.name()]);
        Self::of(command)
    }

    fn of(mut command: Command) -> Result<Self> {
        command.stdout(Stdio::piped());
        let mut process = command.spawn().context("cannot start a server")?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().context("a pipe")?).read_line(&mut address)?;
        Ok(Self { process, address: address.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
