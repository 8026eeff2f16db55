//! The binary: configuration, monitor, serve.

mod config;
mod demo;
mod login;
mod logs;
mod plan;
mod proxy;
mod run;
mod serve;
mod watched_process;

use std::process::ExitCode;

use crate::{
    config::{Command, Config},
    plan::Plan,
};

/// So that the demo's board shows what each endpoint allocates.
#[global_allocator]
static ALLOCATOR: watchboard::alloc::Tracking<mimalloc::MiMalloc> =
    watchboard::alloc::Tracking::new(mimalloc::MiMalloc);

/// The configuration is wrong: another start would end as this one, until somebody changes it.
const WRONG: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::read() {
        Ok(config) => config,
        // Prints what was asked for, or what is wrong, with a code of its own.
        Err(said) => said.exit(),
    };
    logs::begin(&config.log, config.log_format);
    let done = match config.command {
        Some(Command::HashPassword) => login::hash_password(),
        Some(Command::Check) => match Plan::of(config).and_then(Plan::checked) {
            Ok(plan) => {
                print!("{plan}");
                Ok(())
            }
            Err(reason) => return refuse(&reason),
        },
        _ => match Plan::of(config) {
            Ok(plan) => run::run(plan).await,
            Err(reason) => return refuse(&reason),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn refuse(reason: &str) -> ExitCode {
    tracing::error!("{reason}");
    ExitCode::from(WRONG)
}
