//! The thread that writes the log. It alone waits for whoever reads standard error, and it survives that there is nobody.

use std::{
    borrow::Cow,
    io::{ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    thread::sleep,
    time::Duration,
};

use serde_json::json;
use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime, SystemTime},
};

use super::queue::Queue;
use crate::config::LogFormat;

/// The pause before another try at a pipe that is full and does not block.
const FULL_REST: Duration = Duration::from_millis(50);
/// Between two tries to tell of dropped lines, while there are no others.
const TELL_EACH: Duration = Duration::from_secs(2);

/// Writes until the queue is closed.
pub(super) fn run(queue: &Queue, format: LogFormat, log: impl Write) {
    let mut lines = LineWriter { queue, format, log, is_torn: false };
    loop {
        // Not a line of this thread is known to panic. Without the thread there would be no log.
        if catch_unwind(AssertUnwindSafe(|| lines.write_all())).is_ok() {
            return;
        }
    }
}

struct LineWriter<'a, W> {
    queue: &'a Queue,
    format: LogFormat,
    log: W,
    /// The last line was written in part.
    is_torn: bool,
}

impl<W: Write> LineWriter<'_, W> {
    fn write_all(&mut self) {
        loop {
            self.tell_of_dropped();
            let Some(text) = self.queue.take(TELL_EACH) else { return };
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                if !self.write(line) {
                    self.queue.drop_lines(line);
                }
                self.tell_of_dropped();
            }
        }
    }

    fn tell_of_dropped(&mut self) {
        let dropped = self.queue.take_dropped();
        if dropped > 0 && !self.write(dropped_line(dropped, self.format).as_bytes()) {
            self.queue.put_dropped_back(dropped);
        }
    }

    /// Writes one line, by one call if possible: lines of other programs at the same pipe stay apart.
    fn write(&mut self, line: &[u8]) -> bool {
        // What was torn ends before it.
        let line = if self.is_torn { Cow::Owned([b"\n", line].concat()) } else { Cow::Borrowed(line) };
        let mut rest = &*line;
        while !rest.is_empty() {
            match self.log.write(rest) {
                Ok(count) if count > 0 => {
                    rest = &rest[count..];
                    self.is_torn = true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(FULL_REST),
                Ok(_) | Err(_) => return false,
            }
        }
        self.is_torn = false;
        true
    }
}

/// Tells of dropped lines, in the format of the others.
fn dropped_line(count: u64, format: LogFormat) -> String {
    let mut now = String::new();
    // A string takes everything.
    let _ = SystemTime.format_time(&mut Writer::new(&mut now));
    let message = format!("{count} lines of the log were dropped: nobody read it in time, or it could not be written");
    match format {
        LogFormat::Text => format!("{now}  WARN {message}\n"),
        LogFormat::Json => {
            let line = json!({ "timestamp": now, "level": "WARN", "message": message, "dropped": count });
            format!("{line}\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{self, Read},
        thread,
    };

    use super::*;

    #[test]
    fn a_pipe_that_is_read_again_gets_the_rest_and_what_was_dropped() {
        let queue = Queue::default();
        let (mut reader, writer) = io::pipe().unwrap();
        let text = thread::scope(|scope| {
            scope.spawn(|| run(&queue, LogFormat::Text, writer));
            let line = [[b'x'; 99].as_slice(), b"\n"].concat();
            // The pipe holds 64 KiB, the queue and the writer a MiB each.
            (0..30_000).for_each(|_| queue.push(&line));
            queue.close(Duration::from_millis(10));
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        let counts: Vec<u64> = text
            .lines()
            .filter_map(|line| line.split_once("WARN ")?.1.split_once(" lines of the log")?.0.parse().ok())
            .collect();
        let written = text.lines().filter(|line| line.len() == 99).count() as u64;
        assert_eq!(written + counts.iter().sum::<u64>(), 30_000, "{counts:?}");
    }

    #[test]
    fn a_full_disk_takes_nothing_and_ends_nothing() {
        let queue = Queue::default();
        queue.push(b"one\ntwo\n");
        queue.close(Duration::ZERO);
        run(&queue, LogFormat::Json, File::options().write(true).open("/dev/full").unwrap());
        assert_eq!(queue.take_dropped(), 2);
    }
}
