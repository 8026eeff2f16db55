//! The same with the allocator that counts.

#[path = "../serves.rs"]
mod serves;

#[global_allocator]
static ALLOCATOR: watchboard::alloc::Tracking = watchboard::alloc::Tracking::system();

fn main() -> anyhow::Result<()> {
    serves::run()
}
