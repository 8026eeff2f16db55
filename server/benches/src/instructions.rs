//! Instructions of a request, counted by valgrind: the same in every run, whatever else the machine does.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::contenders::Contender;

const FEWER: u64 = 2_000;
const MORE: u64 = 12_000;

/// The difference of a longer and a shorter run, so that what both have once is left out. Only the thread that sends requests
/// counts, and only while it does.
pub(crate) fn per_request(contender: Contender) -> Result<f64> {
    let (fewer, more) = (count_run(contender, FEWER)?, count_run(contender, MORE)?);
    let each = (more - fewer) as f64 / (MORE - FEWER) as f64;
    println!("    {:<16} {each:.0}", contender.name());
    Ok(each)
}

fn count_run(contender: Contender, requests: u64) -> Result<u64> {
    let own = std::env::current_exe().context("the program's own path")?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*counted_requests*"]);
    valgrind.arg(own).args(["count", contender.name(), &requests.to_string()]);
    let output = valgrind.output().context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    match collected.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if count > 0 => Ok(count),
        _ => bail!("valgrind counted nothing: {said}"),
    }
}
