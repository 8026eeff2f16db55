//! The processes of this host with the most resident memory: `/proc/*/stat`.

use std::fs;

use watchboard_wire::HeavyProcess;

use super::{
    names::FileNames,
    stat::{self, ProcStat},
    text, threads,
};

/// So many processes are listed.
const HEAVIEST: usize = 10;

/// Those that may be seen, the heaviest first. The kernel's own have no memory, and are left out.
pub(super) fn read() -> Vec<HeavyProcess> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut processes: Vec<HeavyProcess> = pids.filter_map(heavy_process).collect();
    processes.sort_by_key(|process| (std::cmp::Reverse(process.rss_bytes), process.pid));
    processes.truncate(HEAVIEST);
    for process in &mut processes {
        let files = FileNames::from_process(&threads::find_readable_folder(process.pid));
        process.name = files.process_name(&process.name);
    }
    processes
}

fn heavy_process(pid: u32) -> Option<HeavyProcess> {
    let line = text::read(format!("/proc/{pid}/stat")).ok()?;
    let own = ProcStat::parse(&line)?;
    let thread = own.leader_exited.then(|| text::read(threads::readable_folder(pid, true).join("stat")).ok()).flatten();
    let rss_pages = thread.and_then(|line| ProcStat::parse(&line)).unwrap_or(own).rss_pages;
    let rss_bytes = rss_pages * rustix::param::page_size() as u64;
    (rss_bytes > 0).then(|| HeavyProcess { pid, name: stat::name(&line).to_owned(), rss_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_listed_by_their_memory() {
        let processes = read();
        assert!(processes.is_sorted_by_key(|process| std::cmp::Reverse(process.rss_bytes)), "{processes:?}");
        let own = heavy_process(std::process::id()).unwrap();
        assert!(own.rss_bytes > 1 << 20 && !own.name.is_empty(), "{own:?}");
    }
}
