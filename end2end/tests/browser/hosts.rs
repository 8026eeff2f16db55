//! A fresh axum app outside the workspace, made of the README's lines. It gets Watchboard by git and from the packed crates, is built
//! by a toolchain without the WASM target, and shows the live board.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use watchboard_end2end::{Board, Browser};

/// What `cargo new` makes, the README's lines, and what cargo needs besides.
struct Host {
    name: &'static str,
    folder: PathBuf,
    /// Where it gets Watchboard from: `git = "…"`.
    source: String,
    /// Further lines of its manifest.
    manifest: String,
    /// Whether it has the workspace's versions, which are downloaded and built already, or the newest as a user's app does.
    is_locked: bool,
}

#[tokio::test]
async fn a_fresh_app_of_the_readme_has_the_live_board() {
    let folder = folder();
    let toolchain = toolchain_without_wasm(&folder);
    let (packed, versions) = packed(&folder);
    run_on_packed(&folder, &toolchain, &packed, "watchboard-cli", &["build"]);
    // Its parts are other ones than those of the hosts: checking them takes half of the time.
    run_on_packed(&folder, &toolchain, &packed, "watchboard", &["check", "--no-default-features"]);
    let host =
        |name, source, manifest, is_locked| Host { name, folder: folder.join(name), source, manifest, is_locked };
    let hosts = [
        host("packed", versions, packed, true),
        host("by-git", format!("git = \"file://{}\"", repository(&folder).display()), String::new(), false),
    ];
    for host in hosts {
        let address = free_address();
        let program = host.build(&toolchain, &address);
        let (board, browser) = (Board::host(&program, &address).await, Browser::start(true).await);
        browser.open_link(&board).await;
        browser.until("document.querySelector('.freshness .words').textContent", |text| text == "Live").await;
        let rules = browser.value("document.styleSheets[0].cssRules.length").await;
        assert!(rules.as_u64() >= Some(100), "{}: the style has {rules} rules", host.name);
        let bar = browser.value("getComputedStyle(document.querySelector('nav')).display").await;
        assert_eq!(bar, "flex", "{}: the page is styled", host.name);
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{}", host.name);
        browser.stop().await;
        board.stop().await;
    }
}

impl Host {
    /// Makes and builds it; the path of its program.
    fn build(&self, toolchain: &Path, address: &str) -> PathBuf {
        let (lines, code) = readme();
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).unwrap();
        }
        run(tool(toolchain, "cargo").args(["new", "--quiet", "--vcs", "none", "--name", "host"]).arg(&self.folder));
        let manifest = self.folder.join("Cargo.toml");
        let made = fs::read_to_string(&manifest).unwrap();
        assert!(made.trim_end().ends_with("[dependencies]"), "the README's lines go below the last line of {made}");
        fs::write(manifest, [&made, &self.dependencies(&lines), "\n", &self.manifest].concat()).unwrap();
        // At a port that is free; all else is as it stands.
        fs::write(self.folder.join("src/main.rs"), code.replace(README_ADDRESS, address)).unwrap();
        if self.is_locked {
            fs::copy(root().join("Cargo.lock"), self.folder.join("Cargo.lock")).unwrap();
        }
        let target = root().join("target/hosts");
        let mut build = tool(toolchain, "cargo");
        build.args(["build", "--quiet"]).current_dir(&self.folder).env("CARGO_TARGET_DIR", &target);
        run(build.env("CARGO_PROFILE_DEV_DEBUG", "0"));
        target.join("debug/host")
    }

    /// The README's lines, with another source of Watchboard.
    fn dependencies(&self, lines: &str) -> String {
        let line = |line: &str| match line.strip_prefix("watchboard = ") {
            None => line.to_owned(),
            Some(value) if value.starts_with('"') => format!("watchboard = {{ {} }}", self.source),
            Some(table) => {
                let (before, rest) = table.split_once("git = \"").expect("the README says a version or a repository");
                let (_, after) = rest.split_once('"').expect("a string ends");
                format!("watchboard = {before}{}{after}", self.source)
            }
        };
        lines.lines().map(|text| line(text) + "\n").collect()
    }
}

/// Where the README's app listens.
const README_ADDRESS: &str = "127.0.0.1:8080";

/// The README's lines for `Cargo.toml`, and its `main.rs`: the first such blocks of the section on axum apps.
fn readme() -> (String, String) {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let is_heading = |section: &&str| section.lines().next().is_some_and(|heading| heading.contains("axum app"));
    let section = readme.split("\n## ").skip(1).find(is_heading).expect("a section on axum apps");
    let block = |language: &str| {
        let (_, rest) =
            section.split_once(&format!("```{language}")).unwrap_or_else(|| panic!("no block of {language}"));
        let (_, rest) = rest.split_once('\n').expect("a block has lines");
        rest.split("```").next().unwrap_or_default().to_owned()
    };
    let code = block("rust");
    assert!(
        code.contains("fn main()") && code.contains(README_ADDRESS),
        "the README's block is a whole main.rs: {code}"
    );
    (block("toml"), code)
}

/// The repository as it is now, committed to a repository of its own. The same files make the same commit.
fn repository(folder: &Path) -> PathBuf {
    let repository = folder.join("repository");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("--git-dir").arg(&repository).arg("--work-tree").arg(root()).args(arguments);
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "test").env(format!("GIT_{who}_EMAIL"), "test@localhost");
            git.env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
        }
        run(git.current_dir(root()))
    };
    if repository.exists() {
        fs::remove_dir_all(&repository).unwrap();
    }
    git(&["init", "--quiet", "--initial-branch", "main"]);
    git(&["config", "core.bare", "true"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "The tree under test"]);
    repository
}

/// The packed crates, unpacked: the lines that have a host take them for those of the registry, and what it asks for.
fn packed(folder: &Path) -> (String, String) {
    let (crates, unpacked) = (root().join("target/package"), folder.join("crates"));
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked).unwrap();
    }
    fs::create_dir_all(&unpacked).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut package = Command::new(cargo);
    package.args(["xtask", "package", "--no-verify", "--allow-dirty", "--quiet"]).current_dir(root());
    let packed = run(&mut package);
    let names = String::from_utf8(packed.stdout).unwrap();
    let names = names.lines().find_map(|line| line.strip_prefix("==> packing ")).expect("it says what it packs");
    let version = env!("CARGO_PKG_VERSION");
    let unpack = |name: &str| {
        let file = crates.join(format!("{name}-{version}.crate"));
        // Packed files all have one old date, and cargo compares dates: with that of now it builds what was packed now.
        run(Command::new("tar").arg("-xzmf").arg(&file).arg("-C").arg(&unpacked));
        format!("{name} = {{ path = {:?} }}\n", unpacked.join(format!("{name}-{version}")))
    };
    let patches: Vec<String> = names.split(", ").map(unpack).collect();
    (["[patch.crates-io]\n", &patches.concat()].concat(), format!("version = \"{version}\""))
}

/// Runs cargo on a packed crate itself, with these arguments, against the other packed crates.
fn run_on_packed(folder: &Path, toolchain: &Path, patches: &str, package: &str, arguments: &[&str]) {
    let package = folder.join("crates").join(format!("{package}-{}", env!("CARGO_PKG_VERSION")));
    fs::write(folder.join("patches.toml"), patches).unwrap();
    fs::copy(root().join("Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let mut build = tool(toolchain, "cargo");
    build.args(arguments).args(["--quiet", "--config"]).arg(folder.join("patches.toml"));
    build.current_dir(package).env("CARGO_TARGET_DIR", root().join("target/hosts"));
    run(build.env("CARGO_PROFILE_DEV_DEBUG", "0"));
}

/// The toolchain in use without the WASM target, whether or not that is installed: links to its files cost no space.
fn toolchain_without_wasm(folder: &Path) -> PathBuf {
    let toolchain = folder.join("toolchain");
    if toolchain.exists() {
        fs::remove_dir_all(&toolchain).unwrap();
    }
    fs::create_dir_all(&toolchain).unwrap();
    let sysroot = run(Command::new("rustc").args(["--print", "sysroot"]));
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout).unwrap().trim());
    for part in ["bin", "lib"] {
        let copy = |how: &str| Command::new("cp").arg(how).arg(sysroot.join(part)).arg(&toolchain).output();
        if !copy("-al").is_ok_and(|output| output.status.success()) {
            run(Command::new("cp").arg("-a").arg(sysroot.join(part)).arg(&toolchain));
        }
    }
    for entry in fs::read_dir(toolchain.join("lib/rustlib")).unwrap() {
        let target = entry.unwrap().path();
        if target.file_name().is_some_and(|name| name.to_string_lossy().starts_with("wasm")) {
            fs::remove_dir_all(target).unwrap();
        }
    }
    let library =
        run(tool(&toolchain, "rustc").args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]));
    let library = PathBuf::from(String::from_utf8(library.stdout).unwrap().trim());
    assert!(library.starts_with(&toolchain) && !library.exists(), "{} is there", library.display());
    toolchain
}

/// A program of this toolchain. What runs the test puts its own toolchain and settings into the environment.
fn tool(toolchain: &Path, name: &str) -> Command {
    let programs = toolchain.join("bin");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut tool = Command::new(programs.join(name));
    tool.env("PATH", format!("{}:{path}", programs.display()));
    for variable in ["LD_LIBRARY_PATH", "RUSTC", "RUSTFLAGS", "RUSTUP_TOOLCHAIN"] {
        tool.env_remove(variable);
    }
    tool
}

/// A folder outside the workspace, the same each time, so that what cargo has built is found again.
fn folder() -> PathBuf {
    let name = root().to_string_lossy().replace('/', "-");
    let folder = std::env::temp_dir().join(format!("watchboard-hosts{name}"));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the test");
    Path::new(&package).join("..").canonicalize().unwrap()
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{text}",
        output.status,
        String::from_utf8_lossy(&output.stdout)
    );
    output
}
