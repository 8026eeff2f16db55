//! An application in Node with all features of HTTP: `apps/node.mjs`.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

pub struct Node {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub port: u16,
}

impl Node {
    /// At any free port.
    pub async fn start() -> Self {
        Self::start_at(0).await
    }

    pub async fn start_at(port: u16) -> Self {
        Self::run(concat!(env!("CARGO_MANIFEST_DIR"), "/src/apps/node.mjs"), &[&port.to_string()]).await
    }

    /// An application that calls itself by this secret, and has it as argument.
    pub async fn titled(secret: &str) -> Self {
        Self::run(concat!(env!("CARGO_MANIFEST_DIR"), "/src/apps/titled.mjs"), &["0", secret]).await
    }

    async fn run(file: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("node");
        command.arg(file).args(arguments);
        let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("node is installed");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let mut node = Self { process, lines, port: 0 };
        let port = node.wait_for_log("listening ").await;
        node.port = port.parse().expect("a port");
        node
    }

    /// Waits for a line that begins with `words`, and returns the rest of it.
    pub async fn wait_for_log(&mut self, words: &str) -> String {
        let next = async {
            loop {
                let line = self.lines.next_line().await.expect("text").expect("it goes on");
                if let Some(rest) = line.strip_prefix(words) {
                    return rest.to_owned();
                }
            }
        };
        timeout(Duration::from_secs(20), next).await.unwrap_or_else(|_| panic!("node does not say {words:?}"))
    }

    pub fn pid(&self) -> u32 {
        self.process.id().expect("it runs")
    }

    pub async fn kill(mut self) {
        self.process.kill().await.expect("it ends");
    }
}
