//! Where the history is kept if no flag says so.

use std::{env, path::PathBuf};

use crate::proxy::Upstream;

/// The folder of what is watched, in the state directory of the systemd unit, or of the user.
pub(super) fn default_folder(watched: &str) -> Option<PathBuf> {
    let of_unit = env::var_os("STATE_DIRECTORY").and_then(|list| env::split_paths(&list).next());
    let of_user = || dirs::state_dir().map(|folder| folder.join("watchboard"));
    Some(of_unit.or_else(of_user)?.join(watched))
}

/// An application's address as the name of a folder: `http-127.0.0.1-8000`.
pub(super) fn name_of(upstream: &Upstream) -> String {
    let address = upstream.to_string();
    let words = address.split(|char: char| !(char.is_ascii_alphanumeric() || "._".contains(char)));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::config::read_from;

    #[test]
    fn each_application_has_a_folder_of_its_own() {
        let named = |arguments: &[&str]| read_from([&["watchboard"], arguments].concat()).unwrap().subject_name();
        assert_eq!(named(&["demo", "--listen", "127.0.0.1:0"]), "demo");
        assert_eq!(named(&["--listen", "127.0.0.1:3100"]), "board-3100");
        assert_eq!(named(&["--upstream", "http://127.0.0.1:8000"]), "http-127.0.0.1-8000");
        assert_eq!(named(&["--upstream", "h2c://[::1]:8000"]), "h2c-1-8000");
        assert_eq!(named(&["--upstream", "unix:/run/shop/../app_1.sock"]), "unix-run-shop-..-app_1.sock");
    }

    #[test]
    fn the_stronger_of_a_folder_and_of_none_counts() {
        let folder =
            |arguments: &[&str]| read_from([&["watchboard"], arguments].concat()).map(|config| config.history_folder());
        assert_eq!(folder(&["--data-dir", "/d", "--history-max-mib", "1"]).unwrap(), Some(PathBuf::from("/d")));
        assert_eq!(folder(&["--no-history"]).unwrap(), None);
        let error = folder(&["--no-history", "--data-dir", "/d"]).unwrap_err().to_string();
        assert!(error.contains("leave --data-dir out, or --no-history"), "{error}");
    }
}
