//! What a second of sampling takes. A measure, not a test: `cargo xtask bench` runs it in release.

use std::{os::unix::process::CommandExt, process::Command, thread};

use super::{Probes, Watch};
use crate::sample::thread_cpu;

#[test]
#[ignore = "a measure: `cargo xtask bench`"]
fn a_second_of_sampling() {
    measure("its own process", None);
}

/// As many processes as are read.
#[test]
#[ignore = "a measure: `cargo xtask bench`"]
fn a_second_of_an_application() {
    for children in [5, 64] {
        let fork = format!("for i in $(seq {children}); do sleep 1000 & done; wait");
        let mut shell = Command::new("sh").args(["-c", &fork]).process_group(0).spawn().expect("sh");
        while Probes::new(Some(Watch::Pid(shell.id()))).processes() <= children {
            thread::yield_now();
        }
        measure(&format!("an application of {} processes", children + 1), Some(Watch::Pid(shell.id())));
        let group = format!("-{}", shell.id());
        Command::new("kill").args(["--", &group]).status().expect("kill");
        shell.wait().expect("it ends");
    }
}

fn measure(what: &str, watch: Option<Watch>) {
    const SECONDS: u32 = 200;
    let mut probes = Probes::new(watch);
    probes.read(true);
    let before = thread_cpu();
    for _ in 0..SECONDS {
        let _ = probes.read(false);
    }
    println!("{what}, all that is read every second: {:?} of CPU time", thread_cpu().saturating_sub(before) / SECONDS);
    let _ = probes.devices();
    for (name, us) in probes.times().all() {
        println!("    {name}: {us} µs");
    }
}

impl Probes {
    /// How many processes the application has.
    fn processes(&mut self) -> usize {
        let application = self.read(false).application.unwrap_or_default();
        application.processes.len() + application.unread_processes as usize
    }
}
