//! Memory analytics: one probe a file. Each reads the kernel's own figures and answers with them, or with why it cannot.

mod container;
mod handles;
mod heap;
mod process;
mod system;
mod threads;

use watchboard_app::wire::{Memory, Reading, Unknown};

use self::{container::ContainerProbe, process::ProcessProbe, system::SystemProbe, threads::ThreadsProbe};

/// The probes, with what they remember between readings.
pub(crate) struct Probes {
    process: ProcessProbe,
    threads: ThreadsProbe,
    container: ContainerProbe,
    system: SystemProbe,
    last: Memory,
}

impl Probes {
    pub(crate) fn new() -> Self {
        let unread = || Unknown::because("not read yet");
        Self {
            process: ProcessProbe::new(),
            threads: ThreadsProbe::default(),
            container: ContainerProbe::new(),
            system: SystemProbe::new(),
            last: Memory {
                process: Err(unread()),
                handles: Err(unread()),
                threads: Err(unread()),
                container: Err(unread()),
                system: Err(unread()),
                heap: None,
            },
        }
    }

    /// Reads everything cheap, and the costly ones too if `all`; what is not read keeps its last figures, with their time.
    /// Takes some 0.2 ms, with `all` some 5 ms: to be called off the async threads.
    pub(crate) fn read(&mut self, all: bool) -> Memory {
        self.last.system = self.system.read();
        self.last.process = self.process.read(self.last.system.as_ref().ok().map(|system| system.total_bytes));
        self.last.container = self.container.read();
        self.last.heap = heap::read();
        if all {
            self.last.handles = handles::read();
            self.last.threads = self.threads.read();
        }
        self.last.clone()
    }
}

/// Names what could not be read.
fn unreadable<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> Reading<T> {
    result.map_err(|error| Unknown::because(format!("cannot read {what}: {error}")))
}
