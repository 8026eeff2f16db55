//! The program `watchboard`: reads the configuration, then runs the command.

mod config;
mod demo;
mod file_reader;
mod login;
mod logs;
mod mark;
mod name_follower;
mod output;
mod plan;
mod proxy;
mod run;
mod serve;
mod tasks;
mod watch_target;

use std::{
    io::{Write, stderr},
    process::ExitCode,
};

use thiserror::Error;

use crate::{
    config::{Command, Config, ConfigError},
    login::HashPasswordError,
    logs::Log,
    mark::MarkError,
    output::OutputError,
    plan::Plan,
    run::RunError,
};

/// So that the demo's board shows what each endpoint allocates.
#[global_allocator]
static ALLOCATOR: watchboard::alloc::Tracking<mimalloc::MiMalloc> =
    watchboard::alloc::Tracking::new(mimalloc::MiMalloc);

/// The exit code for a wrong configuration: another start fails too, until the configuration changes.
const WRONG_CONFIGURATION: u8 = 2;

/// An error that ends the program.
#[derive(Debug, Error)]
#[error(transparent)]
enum ProgramError {
    Config(#[from] ConfigError),
    HashPassword(#[from] HashPasswordError),
    Mark(#[from] MarkError),
    Output(#[from] OutputError),
    Run(#[from] RunError),
}

impl ProgramError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(WRONG_CONFIGURATION),
            Self::HashPassword(_) | Self::Mark(_) | Self::Output(_) | Self::Run(_) => ExitCode::FAILURE,
        }
    }
}

fn main() -> ExitCode {
    // Where the host gives huge pages to everybody, a thread that allocates a few KiB would have 2 MiB. An old kernel keeps its way.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let config = match config::read() {
        Ok(config) => config,
        // clap has help, the version or the error, and an exit code for each.
        Err(error) => return output::print_clap(error),
    };
    // Its end writes what waits.
    let _log = match Log::begin(&config.log, config.log_format) {
        Ok(log) => log,
        Err(error) => {
            // There is no thread to write it either.
            let _ = writeln!(stderr(), "the log cannot begin: {error}");
            return ExitCode::FAILURE;
        }
    };
    match run_command(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            match error {
                ProgramError::Output(OutputError::NoReader) => {}
                error if tracing::enabled!(tracing::Level::ERROR) => tracing::error!("{error}"),
                // `--log off` leaves out what happens, not why nothing does.
                error => output::write_message(move || writeln!(stderr(), "{error}")),
            }
            code
        }
    }
}

fn run_command(config: Config) -> Result<(), ProgramError> {
    match &config.command {
        Some(Command::Mark { text, board }) => output::print(&mark::send(&config, text, board.as_deref())?)?,
        Some(Command::HashPassword) => output::print(&format!("{}\n", login::hash_password()?))?,
        Some(Command::Check) => output::print(&Plan::try_from(config)?.check_databases()?.to_string())?,
        _ => run::run(Plan::try_from(config)?)?,
    }
    Ok(())
}
