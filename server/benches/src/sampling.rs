//! What the monitor's thread takes each second without a viewer: for its own process, and for applications in many processes.

use std::{
    collections::HashSet,
    fs,
    os::unix::process::CommandExt,
    process::{Child, Command},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use watchboard::{Monitor, Watch};

const SECONDS: u32 = 20;
/// The thread's name.
const NAME: &str = "watchboard";

pub(crate) fn all() -> Result<()> {
    report("its own process", None)?;
    for processes in [6, 64] {
        let application = Application::start(processes)?;
        report(&format!("an application of {processes} processes"), Some(Watch::Pid(application.0.id())))?;
    }
    Ok(())
}

fn report(name: &str, watch: Option<Watch>) -> Result<()> {
    let others = threads()?;
    let monitor = match watch {
        Some(watch) => Monitor::builder().watch_process(watch).build(),
        None => Monitor::builder().build(),
    };
    // The first readings search the processes.
    thread::sleep(Duration::from_secs(2));
    let thread = threads()?.difference(&others).next().cloned().context("the monitor has no thread")?;
    let before = cpu_time(&thread)?;
    thread::sleep(Duration::from_secs(SECONDS.into()));
    println!("{name}: {:?} of CPU time each second", cpu_time(&thread)?.saturating_sub(before) / SECONDS);
    drop(monitor);
    Ok(())
}

/// The ids of this process's threads with the monitor's name.
fn threads() -> Result<HashSet<String>> {
    let mut threads = HashSet::new();
    for entry in fs::read_dir("/proc/self/task")? {
        let entry = entry?;
        if fs::read_to_string(entry.path().join("comm")).is_ok_and(|name| name.trim_end() == NAME) {
            threads.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(threads)
}

/// `schedstat` begins with the nanoseconds on a processor.
fn cpu_time(thread: &str) -> Result<Duration> {
    let file = format!("/proc/self/task/{thread}/schedstat");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let nanoseconds = text.split(' ').next().context("schedstat is empty")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// A shell with sleeping children, in a process group of its own.
struct Application(Child);

impl Application {
    fn start(processes: u32) -> Result<Self> {
        let fork = format!("for i in $(seq {}); do sleep 1000 & done; wait", processes - 1);
        Ok(Self(Command::new("sh").args(["-c", &fork]).process_group(0).spawn()?))
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["--", &group]).status();
        let _ = self.0.wait();
    }
}
