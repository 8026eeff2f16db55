//! What a second of sampling takes. A measure, not a test: `cargo xtask bench` runs it in release.

use super::Probes;
use crate::cost::thread_cpu;

#[test]
#[ignore = "a measure: `cargo xtask bench`"]
fn a_second_of_sampling() {
    const SECONDS: u32 = 200;
    let mut probes = Probes::new(None);
    probes.read(true);
    let before = thread_cpu();
    for _ in 0..SECONDS {
        let _ = probes.read(false);
    }
    println!("all that is read every second: {:?} of CPU time", thread_cpu().saturating_sub(before) / SECONDS);
    let _ = probes.devices();
    for (name, us) in probes.took().all() {
        println!("    {name}: {us} µs");
    }
}
