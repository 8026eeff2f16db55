//! An application in Node that has everything HTTP has: `apps/node.mjs`.

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
        let mut command = Command::new("node");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/apps/node.mjs")).arg(port.to_string());
        let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("node is installed");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let mut node = Self { process, lines, port };
        let said = node.says("listening ").await;
        node.port = said.parse().expect("a port");
        node
    }

    /// What follows `words` in the next line that begins with them.
    pub async fn says(&mut self, words: &str) -> String {
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

    pub async fn kill(mut self) {
        self.process.kill().await.expect("it ends");
    }
}
