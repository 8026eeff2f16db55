//! `cargo xtask`: builds, runs and tests Watchboard, and installs what that needs. Each step says what it does.

mod bundle;
mod demo_fleet;
mod install;
mod package;
mod real_apps;
mod step;

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::{Context, Result, bail};

use self::step::{Step, cargo, root};

/// What cargo builds the program `watchboard` by.
const PROGRAM: &[&str] = &["-p", "watchboard-cli"];

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  run [ARGUMENTS]      build the demo, then start it at http://127.0.0.1:3000/; ARGUMENTS go to `watchboard demo`
  demo-fleet [ARGUMENTS]  start three demos that share a real mongod, at http://127.0.0.1:3000/ and the next ports
  build                build the release binary, target/release/watchboard
  bundle               build the browser bundle, server/site, which is under version control and inside the package
  test [FILTER]        install what the tests need, check formatting and lints, run all tests (or those that match FILTER)
  package [ARGUMENTS]  pack the packages that are published; ARGUMENTS go to `cargo package`
  screenshots          make the pictures of the README, docs/images, from the demo
  real-apps [NAMES]    run real applications behind the program, driven by their clients, and compare with no proxy between
  bench                measure recording beside other layers, and the proxy beside other proxies

`run` and `build` renew a bundle that was built from other sources. `test` and `package` refuse it.

What is missing is installed: the WASM target by rustup; for the tests what CONTRIBUTING.md lists; for the benchmark wrk,
valgrind, nginx and haproxy from Debian's packages, and a real mongod; for the pictures pngquant; for the real applications
clients and servers from the packages of Debian, Python and Node.";

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
        ["demo-fleet", ref rest @ ..] => demo_fleet::run(PROGRAM, rest),
        ["build"] => build(),
        ["bundle"] => bundle::build(),
        ["package", ref rest @ ..] => package::build(rest),
        ["screenshots"] => screenshots(),
        ["bench"] => bench(),
        ["real-apps", ref names @ ..] => real_apps::run(names),
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
    bundle::renew()?;
    Step::new("the release binary").run(cargo(&[&["build", "--release"], PROGRAM].concat()))
}

fn run(arguments: &[&str]) -> Result<()> {
    bundle::renew()?;
    Step::new("the demo").run(cargo(&[&["build", "--profile", "demo"], PROGRAM].concat()))?;
    let binary = root().join("target/demo/watchboard");
    println!("==> watchboard demo {}", arguments.join(" "));
    // Takes this process's place, so that signals reach it and its exit code is ours.
    let error = Command::new(&binary).arg("demo").args(arguments).env_remove("WATCHBOARD_NO_HISTORY").exec();
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
        ("in front of an application, beside middlewares", &["applications"]),
        ("slow heads", &["slow-heads"]),
        ("a million requests and ten thousand sign-ins", &["soak", "1000000", "10000"]),
    ] {
        Step::new(name).run(measure(arguments))?;
    }
    Step::new("a second of the monitor's thread").run(measure(&["sampling"]))?;
    Step::new("listening to a database client").run(measure(&["listening"]))?;
    Step::new("operations that are given up").run(measure(&["cancelled", "100000"]))?;
    Step::new("the history").run(measure(&["history"]))?;
    let folder = root().join("target/tmp/history");
    let folder = folder.to_str().context("the path of the checkout is not text")?;
    for endpoints in ["10", "50", "512"] {
        Step::new("thirteen months on disk").run(measure(&["history-on-disk", folder, endpoints, "20"]))?;
    }
    Ok(())
}

/// The features of the tests: with one set for all, each package is built once.
const TEST_FEATURES: [&str; 2] = ["--features", "watchboard/sqlite,watchboard/jemalloc"];

fn test(filter: Option<&str>) -> Result<()> {
    bundle::check()?;
    install::for_tests()?;
    if filter.is_none() {
        lints()?;
        let deny = install::cargo_deny()?;
        let mut check = Command::new(deny);
        check.current_dir(root()).args(["--config", ".cargo/deny.toml", "--log-level", "error", "check"]);
        check.args(["licenses", "bans", "sources"]);
        Step::new("licences and sources").run(check)?;
    }
    let mut tests = cargo(&["test", "--workspace", "--exclude", "watchboard-benches"]);
    tests.args(TEST_FEATURES).args(filter);
    // Tests wait more than they compute: with one for each core, half of the machine has nothing to do.
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        tests.env("RUST_TEST_THREADS", (2 * cores).to_string());
    }
    // The message says what failed; frames by the hundred push it out of sight.
    tests.env("RUST_BACKTRACE", "0");
    Step::new("tests").run(tests)?;
    println!("==> all passed");
    Ok(())
}

fn lints() -> Result<()> {
    Step::new("formatting").run(cargo(&["fmt", "--all", "--check"]))?;
    let lint = |arguments: &[&str]| cargo(&[&["clippy"], arguments, &["--", "-D", "warnings"]].concat());
    let all = [&["--workspace", "--all-targets"], &TEST_FEATURES[..]].concat();
    Step::new("lints").run(lint(&all))?;
    Step::new("lints without MongoDB").run(lint(&[
        "-p",
        "watchboard",
        "--no-default-features",
        "--lib",
        "--examples",
    ]))?;
    let sqlite = ["-p", "watchboard", "--no-default-features", "--features", "sqlite"];
    Step::new("lints with SQLite alone").run(lint(&sqlite))?;
    install::wasm_target()?;
    let browser = ["-p", "watchboard-frontend", "-p", "watchboard-app", "--features", "watchboard-app/hydrate"];
    let browser = [&browser[..], &["--target", install::WASM_TARGET]].concat();
    Step::new("lints of the browser's half").run(lint(&browser))?;
    let mut documentation =
        cargo(&["doc", "--no-deps", "-p", "watchboard", "-p", "watchboard-wire", "-p", "watchboard-app"]);
    documentation.args(TEST_FEATURES).env("RUSTDOCFLAGS", "-D warnings");
    Step::new("documentation").run(documentation)
}

fn screenshots() -> Result<()> {
    bundle::renew()?;
    install::for_screenshots()?;
    let profile = ["--profile", "demo"];
    Step::new("the demo").run(cargo(&[&["build"], &profile[..], PROGRAM].concat()))?;
    let example = ["-p", "watchboard-end2end", "--example", "screenshots"];
    Step::new("the pictures").run(cargo(&[&["run"], &profile[..], &example].concat()))?;
    for name in ["overview-light", "overview-dark"] {
        let picture = root().join(format!("docs/images/{name}.png"));
        let mut compress = Command::new("pngquant");
        compress.args(["--strip", "--force", "--speed", "1", "--output"]).arg(&picture).arg("128").arg(&picture);
        Step::new(format!("compressing {name}")).run(compress)?;
        println!("    {} kB", picture.metadata()?.len() / 1000);
    }
    Ok(())
}
