//! Real applications behind the program, driven by their real clients. Each is a script below `xtask/real-apps`.

use std::process::Command;

use anyhow::Result;

use crate::{
    PROGRAM, TEST_FEATURES, install,
    step::{Step, cargo, root},
};

/// Runs those that are named, or all.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    install::for_real_applications()?;
    Step::new("the program").run(cargo(&[&["build"], PROGRAM, &TEST_FEATURES].concat()))?;
    let target = root().join("target");
    let mut scripts = Command::new("python3");
    scripts.arg(root().join("xtask/real-apps/run.py")).args(names);
    scripts.env("REAL_APPS", target.join("real-apps")).env("WATCHBOARD", target.join("debug/watchboard"));
    Step::new("real applications").run(scripts)
}
