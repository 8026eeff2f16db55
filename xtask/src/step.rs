//! A step of the work: announced, timed, and named in its failure.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::Instant,
};

use anyhow::{Context, Result, bail};

pub(crate) struct Step {
    name: String,
    started: Instant,
}

impl Step {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        println!("==> {name}");
        Self { name, started: Instant::now() }
    }

    /// Runs a command to its end; its output is shown as it comes.
    pub(crate) fn run(self, mut command: Command) -> Result<()> {
        let status = command.status().with_context(|| format!("{}: cannot start {command:?}", self.name))?;
        if !status.success() {
            bail!("{} failed ({status}): {command:?}", self.name);
        }
        self.done();
        Ok(())
    }

    pub(crate) fn done(self) {
        println!("    {} took {:.1} s", self.name, self.started.elapsed().as_secs_f64());
    }
}

/// The workspace's folder: that of the cargo that runs us, since checkouts may share a target folder.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let package =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        package.parent().expect("xtask is a folder of the workspace").to_owned()
    });
    &ROOT
}

/// The cargo that runs us, in the workspace's folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What it builds is looked for there, whatever the environment or a configuration says.
    command.args(arguments).current_dir(root()).env("CARGO_TARGET_DIR", root().join("target"));
    command
}
