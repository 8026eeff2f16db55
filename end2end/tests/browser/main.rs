//! The browser tests, as one program: each module is about one view or one behaviour.

mod accessibility;
mod application;
mod auth;
mod charts;
mod database;
mod drawer;
mod embedded;
mod extensions;
mod fleet;
mod history;
mod hosts;
mod keys;
mod layout;
mod link;
mod live;
mod long_lived;
mod memory;
mod narrow;
mod no_javascript;
mod pieces;
mod report;
mod requests;
