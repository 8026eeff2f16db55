//! A router below Watchboard's layer, with the system's allocator.

#[path = "../serves.rs"]
mod serves;

fn main() -> anyhow::Result<()> {
    serves::run()
}
