//! The integration tests of the library, as one program: each module is about one part.

mod access;
mod canary;
mod client_faults;
mod commands;
mod database;
mod incidents;
mod layers;
mod long_lived;
mod names;
mod policy;
mod refresh;
mod requests;
mod sign_in_link;
mod supervision;
