//! The program `watchboard`: reads the configuration, then runs the command.

mod config;
mod demo;
mod file_reader;
mod login;
mod logs;
mod plan;
mod proxy;
mod run;
mod serve;
mod supervisor;
mod watch_target;

use std::process::ExitCode;

use thiserror::Error;

use crate::{
    config::{Command, Config, ConfigError},
    login::HashPasswordError,
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
    Run(#[from] RunError),
}

impl ProgramError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(WRONG_CONFIGURATION),
            Self::HashPassword(_) | Self::Run(_) => ExitCode::FAILURE,
        }
    }
}

fn main() -> ExitCode {
    let config = match config::read() {
        Ok(config) => config,
        // clap prints help, the version or the error, and has an exit code for each.
        Err(error) => error.exit(),
    };
    logs::begin(&config.log, config.log_format);
    match run_command(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            error.exit_code()
        }
    }
}

fn run_command(config: Config) -> Result<(), ProgramError> {
    match config.command {
        Some(Command::HashPassword) => login::hash_password()?,
        Some(Command::Check) => print!("{}", Plan::try_from(config)?.check_database()?),
        _ => run::run(Plan::try_from(config)?)?,
    }
    Ok(())
}
