//! Starts the program in a process that Python has prepared: with another standard error, with limits, or beside a mount.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    process::Command,
    time::{Instant, sleep},
};

use crate::{Binary, TestClient, binary_path, free_port};

/// What the scripts need. `fill` writes until nobody takes more, `keep` leaves a descriptor open for the program.
const PRELUDE: &str = "
import fcntl, os, pty, resource, signal, sys
def fill(fd):
    os.set_blocking(fd, False)
    for text in (b'x' * 4096, b'x'):
        try:
            while True: os.write(fd, text)
        except BlockingIOError: pass
    os.set_blocking(fd, True)
def keep(fd): os.set_inheritable(fd, True)
";

/// A command that runs `script` in Python, and becomes the program.
pub fn prepared_command(script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    let script = format!("{PRELUDE}\n{script}\nos.execv(sys.argv[1], sys.argv[1:])");
    command.args(["-c", &script]).arg(binary_path()).args(arguments).kill_on_drop(true);
    command
}

impl Binary {
    /// Starts the program after `script`. The test does not read its log, and so chooses its addresses.
    pub async fn start_prepared(script: &str, arguments: &[&str]) -> Self {
        Self::from_prepared(prepared_command(script, arguments)).await
    }

    /// Starts the program by a command with a standard error of its own.
    pub async fn from_prepared(mut command: Command) -> Self {
        let [board, proxy] = [free_port(), free_port()].map(|port| ([127, 0, 0, 1], port).into());
        command.args(["--listen", &format!("{board}"), "--proxy-listen", &format!("{proxy}")]);
        if !command.as_std().get_args().any(|argument| argument.to_string_lossy().starts_with("--password")) {
            command.env("WATCHBOARD_OPEN", "true");
        }
        let mut process = command.stdin(Stdio::null()).kill_on_drop(true).spawn().expect("python3 starts");
        let deadline = Instant::now() + Duration::from_secs(20);
        let stands_in_front = command.as_std().get_args().any(|argument| argument == "--upstream");
        // The board listens first.
        let last = if stands_in_front { proxy } else { board };
        while TcpStream::connect(last).await.is_err() {
            assert_eq!(process.try_wait().expect("a child"), None, "it has ended");
            assert!(Instant::now() < deadline, "it does not listen");
            sleep(Duration::from_millis(50)).await;
        }
        let log = Arc::new(Mutex::new(vec![]));
        Self { process, client: TestClient::new(board), proxy: Some(proxy), log }
    }
}
