//! The version of the application, as marks name it.

use std::{env, fs::File};

use object::{Object, ReadCache};

/// Names the version where neither the builder nor a flag does.
const VARIABLE: &str = "WATCHBOARD_SERVICE_VERSION";
/// Characters of a build id that tell two builds apart.
const SHOWN: usize = 12;

/// `version 1.4.2`, or `build 0a1b2c3d4e5f` of this executable. `None` if it is not known: of another process's executable nobody
/// knows whether it is the application or what runs it.
pub(crate) fn version(given: Option<String>, is_own: bool) -> Option<String> {
    let given = given.or_else(|| env::var(VARIABLE).ok()).filter(|given| !given.trim().is_empty());
    match given {
        Some(given) => Some(format!("version {}", given.trim())),
        None => build_id().filter(|_| is_own).map(|id| format!("build {id}")),
    }
}

/// The id that the linker gave this executable, if it gave one.
fn build_id() -> Option<String> {
    let read = ReadCache::new(File::open("/proc/self/exe").ok()?);
    let executable = object::File::parse(&read).ok()?;
    let id = hex::encode(executable.build_id().ok()??);
    Some(id.chars().take(SHOWN).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_version_counts_and_else_the_build_of_this_executable() {
        assert_eq!(version(Some(" 1.4.2 ".to_owned()), false).as_deref(), Some("version 1.4.2"));
        assert_eq!(version(Some(" ".to_owned()), false), None);
        let build = version(None, true).expect("the linker of this platform gives build ids");
        let id = build.strip_prefix("build ").unwrap_or_default();
        assert!(id.len() == SHOWN && id.chars().all(|char| char.is_ascii_hexdigit()), "{build}");
    }
}
