//! What a process runs, by its command line: the interpreter and the script, or the program alone. Arguments and the environment are
//! never shown: they may hold passwords.

use std::fs;

use super::interpreter::Interpreter;
use crate::{
    masking::{mask_text, shows_words},
    memory::{names, threads},
};

/// The most characters that are shown.
const MAX_CHARS: usize = 60;
/// What a process without a name is called.
pub(super) const NAMELESS: &str = "process";

/// A command line: `python3 shop.py`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CommandLine {
    /// Empty for a process of the kernel, and if it may not be read.
    pub(super) shown: String,
    /// What runs: the module, the script or the program.
    pub(super) name: String,
}

impl CommandLine {
    pub(super) fn from_process(pid: u32) -> Self {
        let folder = threads::find_readable_folder(pid);
        // It can have any length: what is shown stands at its beginning.
        let line = fs::read(folder.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line[..line.len().min(4_096)]).into_owned();
        let words: Vec<&str> = line.trim_end_matches('\0').split('\0').collect();
        let program = names::executable(&folder);
        Self::new(&words, program.as_deref())
    }

    /// `executable` is the name of the process's file, if it may be read.
    fn new(words: &[&str], executable: Option<&str>) -> Self {
        let Some((first, arguments)) = words.split_first().filter(|(first, _)| !first.is_empty()) else {
            return Self::default();
        };
        let first = first.trim_start_matches('-');
        let is_title =
            arguments.is_empty() && first.contains(char::is_whitespace) && executable != Some(names::last_part(first));
        let (shown, name) = if is_title { title(first, executable) } else { command(first, arguments, executable) };
        Self { shown: shown.chars().take(MAX_CHARS).collect(), name: name.chars().take(MAX_CHARS).collect() }
    }
}

/// What a process wrote over its arguments: `nginx: worker process`.
fn title(text: &str, executable: Option<&str>) -> (String, String) {
    let shown = mask_text(text);
    let first = shown.split([' ', ':']).next().filter(|first| shows_words(first) && !first.contains('#'));
    let name = first.or(executable).unwrap_or(NAMELESS).to_owned();
    if first.is_some() { (shown, name) } else { (name.clone(), name) }
}

fn command(first: &str, arguments: &[&str], executable: Option<&str>) -> (String, String) {
    let program = names::last_part(first);
    if let Some(interpreter) = Interpreter::find(program) {
        return match interpreter.script(arguments) {
            Some(script) => (format!("{program} {}", script.shown), script.name),
            None => (program.to_owned(), program.to_owned()),
        };
    }
    // The first word is whatever the process, or its parent, wrote there.
    let program = match executable {
        Some(executable) if executable != program => executable.to_owned(),
        Some(_) => program.to_owned(),
        None if first.contains('/') => program.to_owned(),
        None => names::masked(program).unwrap_or_else(|| NAMELESS.to_owned()),
    };
    (program.clone(), program)
}

#[cfg(test)]
mod tests;
