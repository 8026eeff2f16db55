//! `cargo xtask demo-fleet`: a real mongod, and three demo shops that share it.

use std::{
    fs,
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    bundle, install,
    step::{Step, cargo, root},
};

/// The ports of the boards, and of the mongod between them.
const BOARDS: [u16; 3] = [3000, 3001, 3002];
const MONGOD: u16 = 27_117;
/// The mongod takes connections within this time.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A process that ends with this one.
struct Part {
    name: String,
    process: Child,
}

impl Drop for Part {
    fn drop(&mut self) {
        // It may have ended by itself, or by the same Ctrl-C.
        let _ = Command::new("kill").arg(self.process.id().to_string()).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}

impl Part {
    fn start(name: &str, command: &mut Command) -> Result<Self> {
        let process = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name: name.to_owned(), process })
    }
}

/// Runs until one of them ends, or Ctrl-C ends all. `more` goes to each demo.
pub(crate) fn run(program: &[&str], more: &[&str]) -> Result<()> {
    bundle::renew()?;
    let mongod = install::for_demo_fleet()?;
    Step::new("the demo").run(cargo(&[&["build", "--profile", "demo"], program].concat()))?;
    let folder = root().join("target/tmp/demo-fleet");
    fs::create_dir_all(&folder)?;
    let mut database = Command::new(mongod);
    database.args(["--quiet", "--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.25"]);
    database.arg("--port").arg(MONGOD.to_string()).arg("--dbpath").arg(&folder).stdout(Stdio::null());
    let mut parts = vec![Part::start("mongod", &mut database)?];
    wait_for_port(MONGOD)?;
    let uri = format!("mongodb://127.0.0.1:{MONGOD}/watchboard");
    for (number, port) in (1..).zip(BOARDS) {
        let name = format!("web-{number}");
        let mut shop = Command::new(root().join("target/demo/watchboard"));
        shop.args(["demo", "--open", "--listen", &format!("127.0.0.1:{port}"), "--log", "warn"]);
        shop.args(["--service", "shop", "--fleet", &uri, "--instance", &name, "--data-dir"]);
        shop.arg(folder.join(&name)).args(more).env_remove("WATCHBOARD_NO_HISTORY");
        parts.push(Part::start(&name, &mut shop)?);
    }
    println!("==> three shops share a MongoDB: http://127.0.0.1:{}/?view=instances", BOARDS[0]);
    println!("    all of them together: http://127.0.0.1:{}/?instance=all", BOARDS[0]);
    println!("    stop with Ctrl-C; `kill -9` one of them to see it gone");
    loop {
        thread::sleep(Duration::from_millis(500));
        // A shop may be killed to be seen gone: the others go on.
        parts.retain_mut(|part| match part.process.try_wait() {
            Ok(Some(status)) => {
                println!("    {} has ended: {status}", part.name);
                false
            }
            _ => true,
        });
        if parts.first().is_none_or(|part| part.name != "mongod") {
            bail!("the mongod has ended: is port {MONGOD} taken, or {} damaged?", folder.display());
        }
        if parts.len() == 1 {
            bail!("all shops have ended");
        }
    }
}

fn wait_for_port(port: u16) -> Result<()> {
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if started.elapsed() > STARTS_WITHIN {
            bail!("nothing listens at port {port} after {STARTS_WITHIN:?}");
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
