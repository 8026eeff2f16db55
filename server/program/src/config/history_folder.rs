//! Where the history is kept if no flag says so.

use std::{env, path::PathBuf};

use super::Config;

/// The folder of what is watched, in the state directory of the systemd unit, or of the user.
pub(super) fn default_folder(config: &Config) -> Option<PathBuf> {
    let of_unit = env::var_os("STATE_DIRECTORY").and_then(|list| env::split_paths(&list).next());
    let of_user = || dirs::state_dir().map(|folder| folder.join("watchboard"));
    Some(of_unit.or_else(of_user)?.join(name(config)))
}

/// What is watched, as the name of a folder: `demo`, `http-127.0.0.1-8000`, or `board-3000` of a board without an application.
fn name(config: &Config) -> String {
    match &config.upstream {
        _ if config.is_demo() => "demo".to_owned(),
        Some(upstream) => {
            let address = upstream.to_string();
            let words = address.split(|char: char| !(char.is_ascii_alphanumeric() || "._".contains(char)));
            words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
        }
        None => format!("board-{}", config.listen.port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read_from;

    #[test]
    fn each_application_has_a_folder_of_its_own() {
        let named = |arguments: &[&str]| name(&read_from([&["watchboard"], arguments].concat()).unwrap());
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
