//! The integration tests of the program, in one binary. Each module tests one part.

mod access;
mod binary;
mod connections;
mod database;
mod docs;
mod fastapi;
mod findings;
mod fuzz;
mod fuzzing;
mod health;
mod http2;
mod lost_log;
mod malformed;
mod markdown;
mod memory;
mod outages;
mod output;
mod prometheus;
mod proxy;
mod server_state;
mod sign_ins;
mod sqlite;
mod streams;
mod supervision;
mod tls;
mod upstream_process;
