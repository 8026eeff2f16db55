//! The kernel's texts of names and numbers.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// Room for nearly all of them.
const ROOM: usize = 8 << 10;
/// None is longer.
const MOST: usize = 1 << 20;

/// A whole file. The kernel does not tell how long its files are: with room for them they are read at once, and not in pieces that grow.
pub(super) fn read(file: impl AsRef<Path>) -> io::Result<String> {
    let mut text = String::with_capacity(ROOM);
    File::open(file)?.read_to_string(&mut text)?;
    Ok(text)
}

/// A file that is read again and again, and stays open: that costs a fourth, and goes on when no more files can be opened.
pub(super) struct Source {
    path: PathBuf,
    file: Option<File>,
    bytes: Vec<u8>,
}

impl Source {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), file: None, bytes: vec![0; ROOM] }
    }

    /// As the file is now.
    pub(super) fn read(&mut self) -> io::Result<&str> {
        // What it was opened as may be gone, as a control group that was made anew.
        let length = match self.fill() {
            Err(_) if self.file.take().is_some() => self.fill()?,
            filled => filled?,
        };
        std::str::from_utf8(&self.bytes[..length]).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
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
                // The kernel hands out less than there was room for, once there is no more.
                return Ok(length);
            }
            if length >= MOST {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than a MiB"));
            }
            self.bytes.resize(2 * length, 0);
        }
    }
}

/// The number that stands behind a name at the beginning of a line. None where there is no such line, or no number.
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
    fn a_source_is_read_as_it_is_and_opened_anew_when_it_must() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut source = Source::new(&path);
        assert!(source.read().is_err());
        for text in ["one", "", &"x".repeat(3 * ROOM), "two"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(source.read().unwrap(), text);
        }
        assert!(Source::new("/proc/self/stat").read().unwrap().contains(&std::process::id().to_string()));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,200}", name in ".{0,8}") {
            let _ = field(&text, &name);
        }
    }
}
