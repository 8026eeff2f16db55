//! The name of a process, by its command line. Options and addresses are left out: they may hold passwords.

use std::{fs, path::Path};

use crate::memory::threads;

/// The most words of a command that are shown, and the most characters.
const MOST_WORDS: usize = 4;
const MOST_CHARS: usize = 60;

/// Programs that run another, by the beginning of their names.
const INTERPRETERS: [&str; 8] = ["python", "pypy", "node", "ruby", "perl", "php", "deno", "bun"];

/// The command line of a process in words; empty for a process of the kernel, and if it may not be read.
pub(super) fn read(pid: u32) -> Vec<String> {
    // It can have any length: the first words are at its beginning.
    let line = fs::read(threads::find_readable_folder(pid).join("cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line[..line.len().min(4_096)]).into_owned();
    // A program that renames itself writes one text with spaces over all its arguments.
    line.split(|letter: char| letter == '\0' || letter.is_whitespace())
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// The first words, without paths, up to the first that may hold a secret: `python -m uvicorn shop:app`.
pub(super) fn masked_command_line(words: &[String]) -> String {
    let mut shown = Vec::new();
    let mut words = words.iter().map(String::as_str);
    shown.extend(words.next().map(base));
    while let Some(word) = words.next().filter(|_| shown.len() < MOST_WORDS) {
        match word {
            "-m" | "-jar" => match words.next().filter(|word| is_plain(word)) {
                Some(what) => shown.extend([word, base(what)]),
                None => break,
            },
            // Of code that is given in place, the module that it begins with: `from multiprocessing.spawn import …`.
            "-c" => {
                let module = words.next().filter(|word| matches!(*word, "from" | "import")).and_then(|_| words.next());
                shown.extend(module.filter(|module| is_plain(module)));
                break;
            }
            // Python's own, without a value.
            "-B" | "-E" | "-I" | "-O" | "-S" | "-s" | "-u" => {}
            word if word.starts_with('-') || !is_plain(word) => break,
            word => shown.push(base(word)),
        }
    }
    shown.join(" ").chars().take(MOST_CHARS).collect()
}

/// The name of the application with this main process.
pub(super) fn application_name(pid: u32) -> String {
    let name = name(&read(pid));
    if name.is_empty() { "process".to_owned() } else { name }
}

/// The module, the script or the program that a command runs.
fn name(words: &[String]) -> String {
    let shown = masked_command_line(words);
    let mut shown = shown.split(' ');
    let program = shown.next().unwrap_or_default();
    let runs = INTERPRETERS.iter().any(|interpreter| program.starts_with(interpreter)) || program == "java";
    let what = shown.find(|word| !word.starts_with('-')).filter(|_| runs).unwrap_or(program);
    let what = what.trim_end_matches([':', ',']);
    let without = |ending| what.strip_suffix(ending).filter(|name| !name.is_empty());
    [".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".jar"].into_iter().find_map(without).unwrap_or(what).to_owned()
}

fn is_plain(word: &str) -> bool {
    !word.contains(['=', '@', '?', '&', '{', '"', '\'']) && !word.contains("://")
}

/// The last part of a path.
fn base(word: &str) -> &str {
    Path::new(word).file_name().and_then(|name| name.to_str()).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(ToOwned::to_owned).collect()
    }

    #[test]
    fn a_command_is_shown_by_its_first_words_and_named_by_what_it_runs() {
        for (line, command, called) in [
            ("/usr/bin/python3 -m uvicorn shop:app --port 80", "python3 -m uvicorn shop:app", "uvicorn"),
            ("/usr/bin/python3.11 /opt/venv/bin/gunicorn shop:app", "python3.11 gunicorn shop:app", "gunicorn"),
            (
                "/usr/bin/python3 -B -c from multiprocessing.spawn import x",
                "python3 multiprocessing.spawn",
                "multiprocessing.spawn",
            ),
            ("node /srv/server.js --inspect", "node server.js", "server"),
            ("java -Xmx1g -jar /srv/shop.jar", "java", "java"),
            ("java -jar /srv/shop.jar", "java -jar shop.jar", "shop"),
            ("nginx: master process /usr/sbin/nginx -g daemon off;", "nginx: master process nginx", "nginx"),
            ("gunicorn: worker [shop:app]", "gunicorn: worker [shop:app]", "gunicorn"),
            ("/srv/target/release/shop --database x", "shop", "shop"),
        ] {
            assert_eq!((&*masked_command_line(&words(line)), &*name(&words(line))), (command, called), "{line}");
        }
        assert_eq!((masked_command_line(&[]), name(&[])), (String::new(), String::new()));
    }

    #[test]
    fn nothing_that_may_be_a_secret_is_shown() {
        for line in [
            "shop --password secret",
            "shop mongodb://user:secret@host/",
            "shop PASSWORD=secret",
            "python3 -c password='secret'",
            "python3 -c import os;password='secret'",
            "shop user:secret@host",
        ] {
            assert!(!masked_command_line(&words(line)).contains("secret"), "{line}");
        }
    }

    #[test]
    fn this_process_has_a_command_line() {
        assert!(masked_command_line(&read(std::process::id())).starts_with("watchboard-"));
        assert_eq!(read(u32::MAX), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_words_are_survived(words in proptest::collection::vec(".{0,20}", 0..9)) {
            let _ = (masked_command_line(&words), name(&words));
        }
    }
}
