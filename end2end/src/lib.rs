//! The board's binary and a browser, each ended with the test that started it.
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "it serves the tests alone"
)]

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder, Locator, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
};

/// How long anything on a page may take.
const WITHIN: Duration = Duration::from_secs(30);

/// A program of this workspace, built by `cargo test --workspace` beside this test.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test.parent().and_then(|folder| folder.parent()).expect("a test is in target/PROFILE/deps");
    let program = target.join(name);
    assert!(program.is_file(), "{} is not built: run the tests by `cargo xtask test`", program.display());
    program
}

/// Reads lines until one holds `mark`, and keeps reading behind it so that the program never waits for its pipe.
async fn line_with(mark: &str, output: impl AsyncRead + Unpin + Send + 'static) -> String {
    let line = line_before_end(mark, output).await;
    line.unwrap_or_else(|| panic!("the program ended before it said {mark:?}"))
}

/// The same; `None` if the program ends before it says so.
async fn line_before_end(mark: &str, output: impl AsyncRead + Unpin + Send + 'static) -> Option<String> {
    let mut lines = BufReader::new(output).lines();
    let mark = mark.to_owned();
    let found = tokio::time::timeout(WITHIN, async {
        while let Some(line) = lines.next_line().await.expect("text") {
            if line.contains(&mark) {
                return Some(line);
            }
        }
        None
    });
    let line = found.await.expect("said in time");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    line
}

/// A running board.
pub struct Board {
    process: Child,
    pub url: String,
    /// The link that opens it once, if it needs one.
    pub link: Option<String>,
}

impl Board {
    /// `watchboard demo` with further arguments, at any free port or at that of `listen`.
    pub async fn demo(listen: &str, arguments: &[&str]) -> Self {
        Self::binary(&[&["demo", "--listen", listen], arguments].concat()).await
    }

    /// `watchboard` with these arguments, at any free port, open to this machine.
    pub async fn start(arguments: &[&str]) -> Self {
        Self::binary(&[&["--open", "--listen", "127.0.0.1:0"], arguments].concat()).await
    }

    /// `watchboard` with these arguments, at any free port, with a link.
    pub async fn with_link(arguments: &[&str]) -> Self {
        let mut command = Command::new(program("watchboard"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("the binary starts");
        let logged = line_with("?token=", process.stderr.take().expect("a pipe")).await;
        let link = logged.split(' ').next_back().expect("a link").trim().to_owned();
        let url = link.split('?').next().expect("an address").to_owned();
        Self { process, url, link: Some(link) }
    }

    /// `watchboard` behind the password of this hash, at any free port.
    pub async fn start_closed(hash: &str) -> Self {
        Self::binary(&["--listen", "127.0.0.1:0", "--password-hash", hash]).await
    }

    async fn binary(arguments: &[&str]) -> Self {
        let mut command = Command::new(program("watchboard"));
        command.args(arguments).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("the binary starts");
        let line = line_with("the board is at ", process.stderr.take().expect("a pipe")).await;
        let url = line.split("the board is at ").nth(1).expect("an address").trim().to_owned();
        Self { process, url, link: None }
    }

    /// The smallest host, with the board at /ops/board.
    pub async fn embedded(listen: &str) -> Self {
        let mut command = Command::new(program("examples/smallest"));
        command.arg(listen);
        Self::example(command).await
    }

    /// A host of many endpoints.
    pub async fn many(listen: &str, endpoints: u32) -> Self {
        let mut command = Command::new(program("examples/many"));
        command.arg(listen).arg(endpoints.to_string());
        Self::example(command).await
    }

    /// A program that says only the path of its link, and listens at `address`, with the board at /ops/board.
    pub async fn host(program: &std::path::Path, address: &str) -> Self {
        let mut host = Command::new(program);
        let mut process = host.stderr(Stdio::piped()).kill_on_drop(true).spawn().expect("the host starts");
        let logged = line_with("?token=", process.stderr.take().expect("a pipe")).await;
        let link = format!("http://{address}{}", logged.split(' ').next_back().expect("a link").trim());
        let deadline = Instant::now() + WITHIN;
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < deadline, "the host does not listen at {address}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self { process, url: format!("http://{address}/ops/board"), link: Some(link) }
    }

    async fn example(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("the example starts");
        let line = line_with("the board is at ", process.stdout.take().expect("a pipe")).await;
        let url = line.split("the board is at ").nth(1).expect("an address").trim().to_owned();
        Self { process, url, link: None }
    }

    pub async fn stop(mut self) {
        self.process.kill().await.expect("it was running");
    }

    /// `ADDRESS:PORT`.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://").split('/').next().expect("an address")
    }
}

/// A browser with one tab.
pub struct Browser {
    driver: Child,
    pub tab: Client,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub async fn start(javascript: bool) -> Self {
        let (driver, line) = Self::driver().await;
        let port: String = line.rsplit("port ").next().expect("a port").chars().filter(char::is_ascii_digit).collect();
        let profile = tempfile::tempdir().expect("a folder");
        let mut options = json!({
            "args": ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--window-size=1440,1800", format!("--user-data-dir={}", profile.path().display())],
        });
        if !javascript {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        let capabilities = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let Value::Object(capabilities) = capabilities else { unreachable!("an object") };
        let tab = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a browser session");
        Self { driver, tab, _profile: profile }
    }

    /// A driver, with the line that says its port. It ends if another program takes that port in the same moment.
    async fn driver() -> (Child, String) {
        for _ in 0..3 {
            let mut command = Command::new("chromedriver");
            command.args(["--port=0"]).stdout(Stdio::piped()).kill_on_drop(true);
            let mut driver = command.spawn().expect("chromedriver is installed by `cargo xtask test`");
            let output = driver.stdout.take().expect("a pipe");
            if let Some(line) = line_before_end("started successfully on port ", output).await {
                return (driver, line);
            }
        }
        panic!("chromedriver ended three times before it said its port")
    }

    /// Opens a board by its link: the page that it leads to, and the button there.
    pub async fn open_link(&self, board: &Board) {
        self.tab.goto(board.link.as_ref().expect("it has a link")).await.expect("the browser goes there");
        let button = self.tab.find(Locator::Css("form button")).await.expect("a button");
        button.click().await.expect("it can be pressed");
        self.until("document.documentElement.dataset.bundle !== undefined", |is_board| is_board == true).await;
    }

    /// Runs a script at the beginning of each further page, as an extension of the browser does.
    pub async fn run_before_pages(&self, script: &str) {
        let command = DevTools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
        self.tab.issue_cmd(command).await.expect("the driver runs a script before each page");
    }

    /// Gives the page this many pixels, whatever the window adds to it.
    pub async fn resize(&self, width: u32, height: u32) {
        let parameters = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let command = DevTools("Emulation.setDeviceMetricsOverride", parameters);
        self.tab.issue_cmd(command).await.expect("the driver sets the size of the page");
    }

    /// Lets no request through whose URL fits one of these patterns, in which `*` stands for any text. An empty list frees all.
    pub async fn block(&self, patterns: &[&str]) {
        for command in [
            DevTools("Network.enable", json!({})),
            DevTools("Network.setCacheDisabled", json!({ "cacheDisabled": true })),
            DevTools("Network.setBlockedURLs", json!({ "urls": patterns })),
        ] {
            self.tab.issue_cmd(command).await.expect("the driver blocks requests");
        }
    }

    /// From the next page on, the browser is in this zone.
    pub async fn set_timezone(&self, zone: &str) {
        let parameters = json!({ "timezoneId": zone });
        self.tab
            .issue_cmd(DevTools("Emulation.setTimezoneOverride", parameters))
            .await
            .expect("the driver sets the zone");
    }

    /// Presses a key, whatever has the focus: a letter, `Enter` or `Escape`. `modifiers` are those of the browser's protocol: 2 is Ctrl.
    pub async fn key(&self, key: &str, modifiers: u32) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            letter => (letter.chars().next().map_or(0, |letter| letter.to_ascii_uppercase() as u32), letter),
        };
        let text = if modifiers == 0 { text } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let parameters = json!({ "type": kind, "key": key, "text": text, "modifiers": modifiers, "windowsVirtualKeyCode": code });
            self.tab.issue_cmd(DevTools("Input.dispatchKeyEvent", parameters)).await.expect("the driver presses a key");
        }
    }

    /// Turns the mouse's wheel by a notch over the middle of an element.
    pub async fn wheel(&self, css: &str) {
        let middle = format!(
            "(r => [r.x + r.width / 2, r.y + Math.min(r.height, innerHeight - r.y) / 2])(document.querySelector('{css}').getBoundingClientRect())"
        );
        let at = self.value(&middle).await;
        let parameters = json!({ "type": "mouseWheel", "x": at[0], "y": at[1], "deltaX": 0, "deltaY": 120 });
        self.tab.issue_cmd(DevTools("Input.dispatchMouseEvent", parameters)).await.expect("the driver turns the wheel");
    }

    /// Drags over an element from one part of its width to another.
    pub async fn drag(&self, css: &str, (from, to): (f64, f64)) {
        let place = format!(
            "(r => [r.x, r.y + r.height / 2, r.width])(document.querySelector('{css}').getBoundingClientRect())"
        );
        let place = self.value(&place).await;
        let [x, y, width] = [0, 1, 2].map(|at| place[at].as_f64().expect("a number"));
        for (kind, part) in [("mouseMoved", from), ("mousePressed", from), ("mouseMoved", to), ("mouseReleased", to)] {
            let button = if kind == "mouseMoved" && part < to { "none" } else { "left" };
            let parameters = json!({ "type": kind, "x": x + part * width, "y": y, "button": button, "buttons": i32::from(button == "left"), "clickCount": 1 });
            self.tab
                .issue_cmd(DevTools("Input.dispatchMouseEvent", parameters))
                .await
                .expect("the driver moves the mouse");
        }
    }

    /// The value of an expression, once it is what is waited for.
    pub async fn until(&self, expression: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + WITHIN;
        loop {
            let value = self.value(expression).await;
            if holds(&value) {
                return value;
            }
            assert!(Instant::now() < deadline, "not within {WITHIN:?}: {expression} is {value}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a part of the page, by its id, holds some words.
    pub async fn until_says(&self, id: &str, words: &str) {
        let text = format!("document.getElementById('{id}')?.innerText ?? ''");
        self.until(&text, |text| text.as_str().is_some_and(|text| text.contains(words))).await;
    }

    pub async fn value(&self, expression: &str) -> Value {
        self.tab.execute(&format!("return {expression}"), vec![]).await.expect("an expression")
    }

    /// What the console says that is more than information: errors, warnings, violations of the page's policy.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.tab.issue_cmd(ConsoleLog).await.expect("the driver keeps the console's log");
        let entries = log.as_array().cloned().unwrap_or_default();
        entries.iter().filter(|entry| entry["level"] != "INFO").map(ToString::to_string).collect()
    }

    /// From the next page on, collects in `window.violations` what a page's own policy forbade it.
    pub async fn watch_policy(&self) {
        let source = "window.violations = [];
            document.addEventListener('securitypolicyviolation', e => violations.push(`${e.violatedDirective} ${e.blockedURI}`))";
        self.run_before_pages(source).await;
    }

    /// Ends the session, and the driver by SIGTERM so that it ends its browser.
    pub async fn stop(mut self) {
        self.tab.close().await.expect("the session ends");
        let driver = self.driver.id().expect("it runs").to_string();
        Command::new("kill").arg(driver).status().await.expect("kill");
        self.driver.wait().await.expect("it ended");
    }
}

/// A command of the browser's own protocol, with its parameters.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
}

/// The driver's own command for the console's log.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
