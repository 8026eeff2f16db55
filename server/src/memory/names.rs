//! Names of processes and threads. A name that is the name of a file is shown: of the executable, or of the script that runs. A name that
//! a process gave itself may hold anything, and is masked.

use std::{borrow::Cow, fs, path::Path};

use crate::masking::{mask_name, shows_words};

/// The kernel cuts names at this length in bytes.
const KERNEL_BYTES: usize = 15;
/// What a process is called whose name has no word that may be shown.
const NAMELESS: &str = "process";

/// The last part of a path.
pub(super) fn last_part(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path)
}

/// The name of the file that a process runs, by its folder; `None` if it may not be read.
pub(super) fn executable(folder: &Path) -> Option<String> {
    let path = fs::read_link(folder.join("exe")).ok()?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    // After an update the old file is gone.
    Some(name.strip_suffix(" (deleted)").map_or(name.clone(), ToOwned::to_owned))
}

/// The known parts of a name; `None` if there are none.
pub(super) fn masked(name: &str) -> Option<String> {
    Some(mask_name(name)).filter(|masked| shows_words(masked))
}

/// The names of files that a process runs: its executable and, of an interpreter, its script.
#[derive(Clone, Debug, Default)]
pub(super) struct FileNames {
    executable: Option<String>,
    script: Option<String>,
}

impl FileNames {
    /// By the folder of a process.
    pub(super) fn from_process(folder: &Path) -> Self {
        let line = fs::read(folder.join("cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0).skip(1);
        // The kernel runs a script by its first line: its interpreter, perhaps an option, its path.
        let script = words.find(|word| !word.starts_with(b"-")).filter(|word| word.contains(&b'/'));
        let script = script.and_then(|word| {
            Some(Path::new(&*String::from_utf8_lossy(word)).file_name()?.to_string_lossy().into_owned())
        });
        Self { executable: executable(folder), script }
    }

    /// The name of a process as it is shown.
    pub(super) fn process_name(&self, name: &str) -> String {
        let shown = if self.is_file(name) { Some(name.to_owned()) } else { masked(name) };
        shown.or_else(|| self.executable.clone()).unwrap_or_else(|| NAMELESS.to_owned())
    }

    /// The name of a thread as it is shown.
    pub(super) fn thread_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.is_file(name) { name.into() } else { mask_name(name).into() }
    }

    /// Whether the kernel gave the name, by a file.
    fn is_file(&self, name: &str) -> bool {
        let is_cut = name.len() >= KERNEL_BYTES || name.ends_with('\u{fffd}');
        let kept = name.trim_end_matches('\u{fffd}');
        let names = [&self.executable, &self.script].into_iter().flatten();
        names.into_iter().any(|file| file == name || (is_cut && !kept.is_empty() && file.starts_with(kept)))
    }
}

/// The shown name of a process that is read each second.
#[derive(Default)]
pub(super) struct ShownName {
    name: String,
    shown: String,
    /// The names of its files cannot be read: the kernel may let a reader wait for ever.
    has_no_files: bool,
}

impl ShownName {
    /// Of a process whose command line gave no answer.
    pub(super) fn without_files() -> Self {
        Self { has_no_files: true, ..Self::default() }
    }

    /// A process that runs another file has another name.
    pub(super) fn read(&mut self, folder: &Path, name: &str) -> String {
        if self.shown.is_empty() || self.name != name {
            let files = if self.has_no_files { FileNames::default() } else { FileNames::from_process(folder) };
            (self.name, self.shown) = (name.to_owned(), files.process_name(name));
        }
        self.shown.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_is_shown_and_any_other_is_masked() {
        let files = FileNames { executable: Some("python3.11".into()), script: Some("checkout-frobnicator".into()) };
        for (name, process, thread) in [
            ("python3.11", "python3.11", "python3.11"),
            ("checkout-frobni", "checkout-frobni", "checkout-frobni"),
            ("checkout-frob", "checkout-#", "checkout-#"),
            ("jane", "python3.11", "#"),
            ("worker jane", "worker #", "worker #"),
        ] {
            assert_eq!((&*files.process_name(name), &*files.thread_name(name)), (process, thread), "{name}");
        }
        assert_eq!(FileNames::default().process_name("jane"), NAMELESS);
    }

    #[test]
    fn this_process_is_called_as_its_file() {
        let name = executable(Path::new("/proc/self")).unwrap();
        assert!(name.starts_with("watchboard-"), "{name}");
        assert_eq!(executable(Path::new("/proc/none")), None);
    }
}
