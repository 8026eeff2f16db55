//! The kernel's texts of names and numbers. Names are bytes: bytes that are no UTF-8 become U+FFFD.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Room for nearly all of them.
const ROOM: usize = 8 << 10;
/// None is longer.
const MOST: usize = 1 << 20;

/// A whole file. The kernel does not know the length of its files: with enough room they are read in one call.
pub(super) fn read(file: impl AsRef<Path>) -> io::Result<String> {
    let mut bytes = Vec::with_capacity(ROOM);
    File::open(file)?.read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// A file that stays open between readings. A reading then costs a quarter, and succeeds when no file can be opened.
pub(super) struct ProcFile {
    path: PathBuf,
    file: Option<File>,
    bytes: Vec<u8>,
}

impl ProcFile {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), file: None, bytes: vec![0; ROOM] }
    }

    /// The file's text now.
    pub(super) fn read(&mut self) -> io::Result<Cow<'_, str>> {
        // The open file may be gone: a control group may be removed and made again.
        let length = match self.fill() {
            Err(_) if self.file.take().is_some() => self.fill()?,
            filled => filled?,
        };
        Ok(String::from_utf8_lossy(&self.bytes[..length]))
    }

    fn fill(&mut self) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        let mut length = 0;
        loop {
            let read = file.read_at(&mut self.bytes[length..], length as u64)?;
            length += read;
            if length < self.bytes.len() {
                // The kernel fills the room unless the file ends.
                return Ok(length);
            }
            if length >= MOST {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than a MiB"));
            }
            self.bytes.resize(2 * length, 0);
        }
    }
}

/// The number after a name at the beginning of a line. `None` without such a line, or without a number.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "anon 7\ninactive_anon 8\nRssAnon:\t  9 kB\nempty \nwords many";
        assert_eq!([field(text, "anon "), field(text, "RssAnon:")], [Some(7), Some(9)]);
        assert_eq!([field(text, "empty "), field(text, "words "), field(text, "none ")], [None; 3]);
    }

    #[test]
    fn names_that_are_no_utf8_are_shown_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status");
        std::fs::write(&path, b"Name:\tsh\xffop\nThreads:\t7\n").unwrap();
        for text in [read(&path).unwrap(), ProcFile::new(&path).read().unwrap().into_owned()] {
            assert_eq!((field(&text, "Threads:"), text.lines().next()), (Some(7), Some("Name:\tsh\u{fffd}op")));
        }
    }

    #[test]
    fn a_source_is_read_as_it_is_and_opened_anew_when_it_must() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut source = ProcFile::new(&path);
        assert!(source.read().is_err());
        for text in ["one", "", &"x".repeat(3 * ROOM), "two"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(source.read().unwrap(), text);
        }
        assert!(ProcFile::new("/proc/self/stat").read().unwrap().contains(&std::process::id().to_string()));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,200}", name in ".{0,8}") {
            let _ = field(&text, &name);
        }
    }
}
