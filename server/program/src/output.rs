//! What the commands print on standard output, and what clap prints.

use std::{
    io::{self, ErrorKind, Write, stderr, stdout},
    process::ExitCode,
    sync::mpsc,
    thread,
    time::Duration,
};

use thiserror::Error;

/// How long a message on standard error waits for a reader before the program ends.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// The text was not printed.
#[derive(Debug, Error)]
pub(crate) enum OutputError {
    /// As in `watchboard check | true`: nobody wants to know.
    #[error("nobody reads standard output")]
    NoReader,
    #[error("standard output cannot be written: {0}")]
    Unwritable(#[source] io::Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe { Self::NoReader } else { Self::Unwritable(error) }
    }
}

/// Prints a text. `print!` would panic.
pub(crate) fn print(text: &str) -> Result<(), OutputError> {
    let mut output = stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}

/// Prints clap's help, version or error, and returns its exit code.
pub(crate) fn print_clap(error: clap::Error) -> ExitCode {
    let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(u8::MAX));
    if error.use_stderr() {
        write_message(move || error.print());
        return code;
    }
    match error.print().and_then(|()| stdout().flush()).map_err(OutputError::from) {
        Ok(()) => code,
        Err(OutputError::NoReader) => ExitCode::FAILURE,
        Err(error) => {
            write_message(move || writeln!(stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes on standard error before there is a log, and waits for a reader no longer than [`WRITTEN_WITHIN`].
pub(crate) fn write_message(write: impl FnOnce() -> io::Result<()> + Send + 'static) {
    let (done, wait) = mpsc::channel::<()>();
    let writer = thread::Builder::new().spawn(move || {
        // There is no other place to tell of this error.
        let _ = write();
        drop(done);
    });
    if writer.is_ok() {
        // It ends with an error in each case: the writer drops its end, or takes too long.
        let _ = wait.recv_timeout(WRITTEN_WITHIN);
    }
}
