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
mod malformed;
mod markdown;
mod memory;
mod outages;
mod prometheus;
mod proxy;
mod server_state;
mod sign_ins;
mod sqlite;
mod streams;
mod tls;
mod upstream_process;
mod wall_clock;
