//! The log, on standard error: one line for each event. Text from outside cannot begin a new line. Whoever logs neither waits nor fails: a thread of
//! the log's own writes it, and what does not fit is dropped, counted and told.

mod queue;
mod writer;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, IsTerminal, Write, stderr},
    panic::{self, PanicHookInfo},
    sync::Arc,
    thread,
    time::Duration,
};

use tracing_subscriber::{EnvFilter, fmt};

use self::queue::Queue;
use crate::config::LogFormat;

/// What holds unless `--log` says otherwise: clients of HTTP/2 can make this crate warn as often as they like.
const DEFAULTS: &str = "h2=error";
/// How long the end of the program waits for a reader of its last lines.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// The log. At its end what waits is written.
pub(crate) struct Log(Arc<Queue>);

impl Log {
    /// # Errors
    /// There is no thread for it.
    pub(crate) fn begin(filter: &str, format: LogFormat) -> io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let written = Arc::clone(&queue);
        thread::Builder::new().name("log".to_owned()).spawn(move || writer::run(&written, format, stderr()))?;
        let lines = fmt()
            .with_env_filter(EnvFilter::new(format!("{DEFAULTS},{filter}")))
            .with_target(false)
            .log_internal_errors(false);
        let target = Arc::clone(&queue);
        let lines = lines.with_writer(move || LineTarget(Arc::clone(&target)));
        match format {
            LogFormat::Text => lines.with_ansi(stderr().is_terminal()).init(),
            LogFormat::Json => lines.json().flatten_event(true).init(),
        }
        panic::set_hook(Box::new(log_panic));
        Ok(Self(queue))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.close(WRITTEN_WITHIN);
    }
}

/// Takes a line of the log.
struct LineTarget(Arc<Queue>);

impl Write for LineTarget {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// In place of the standard library's hook, which waits for the reader of standard error.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let name = thread.name().unwrap_or("without a name");
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let text = panic.payload_as_str().unwrap_or("a panic without a message");
    let backtrace = Backtrace::capture();
    // `{:?}` keeps it on one line.
    if backtrace.status() == BacktraceStatus::Captured {
        let backtrace = backtrace.to_string();
        tracing::error!(backtrace, "thread {name} panicked at {location}: {text:?}");
    } else {
        tracing::error!("thread {name} panicked at {location}: {text:?}");
    }
}
