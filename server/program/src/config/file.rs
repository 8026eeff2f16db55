//! The configuration file: TOML with every flag by its name, `proxy_listen = "127.0.0.1:8080"`. What the environment says goes before
//! it, and what the command line says before both.

use std::{fs, path::Path};

use clap::{Arg, ArgAction, ArgMatches, Command, Id, builder::Resettable, error::ErrorKind, parser::ValueSource};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The flag that names the file, which cannot stand in it.
const OWN: &str = "config";

/// Where the file says something: of a flag, by its name and its id, the file and the line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Vec<(String, Id, String)>);

impl Lines {
    /// Forgets what was said elsewhere, which goes before the file.
    pub(super) fn retain(&mut self, matches: &ArgMatches) {
        self.0.retain(|(_, id, _)| matches.value_source(id.as_str()) == Some(ValueSource::DefaultValue));
    }

    /// What is wrong, behind the line of the flag that it names first, if the file has that.
    pub(crate) fn before(&self, why: String) -> String {
        let is_of_flag = |letter: char| letter == '-' || letter.is_ascii_lowercase();
        let first = why.find("--").map(|at| why[at..].split(|letter| !is_of_flag(letter)).next().unwrap_or_default());
        match self.0.iter().find(|(flag, ..)| Some(flag.as_str()) == first) {
            Some((.., line)) => format!("{line}: {why}"),
            None => why,
        }
    }
}

/// A command whose flags are what the file says where nobody says more, and where it says so.
///
/// # Errors
/// What is wrong in which line.
pub(super) fn apply(mut command: Command, path: &Path) -> Result<(Command, Lines), String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("the configuration file {} cannot be read: {error}", path.display()))?;
    let line = |at: usize| {
        let line = 1 + text[..at.min(text.len())].matches('\n').count();
        format!("{}, line {line}", path.display())
    };
    let in_line = |at: usize, what: &str| format!("{}: {what}", line(at));
    let mut lines = Lines::default();
    let table = DeTable::parse(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        in_line(at, error.message())
    })?;
    for (key, value) in table.get_ref() {
        let (key, name) = (key, key.get_ref().replace('_', "-"));
        let flag = command.get_arguments().find(|flag| flag.get_long() == Some(&name) && name != OWN).cloned();
        let flag = flag.ok_or_else(|| {
            in_line(
                key.span().start,
                &format!("there is no setting `{}`: there are {}", key.get_ref(), names(&command)),
            )
        })?;
        let words = words(value).and_then(|words| accepted(&command, &flag, words));
        let words = words.map_err(|why| in_line(value.span().start, &format!("`{}`: {why}", key.get_ref())))?;
        // What a default says is heard after the environment, which is heard after the command line.
        let is_hidden = flag.get_action().takes_values();
        lines.0.push((format!("--{name}"), flag.get_id().clone(), line(key.span().start)));
        command = command.mut_arg(flag.get_id(), |flag| flag.default_values(words).hide_default_value(is_hidden));
    }
    Ok((command, lines))
}

/// A value as the command line would have it.
fn words(value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(vec![text.to_string()]),
        DeValue::Integer(number) => Ok(vec![number.to_string()]),
        DeValue::Boolean(holds) => Ok(vec![holds.to_string()]),
        DeValue::Array(list) => list.iter().map(words).collect::<Result<Vec<_>, _>>().map(|lists| lists.concat()),
        other => Err(format!(
            "it is a {}, where text, a number, true or false, or a list of these is meant",
            other.type_str()
        )),
    }
}

/// The words, if the flag takes them by its own rules.
fn accepted(command: &Command, flag: &Arg, words: Vec<String>) -> Result<Vec<String>, String> {
    let long = flag.get_long().unwrap_or_default();
    let arguments: Vec<String> = match flag.get_action() {
        ArgAction::SetTrue if matches!(&words[..], [word] if word == "true" || word == "false") => return Ok(words),
        ArgAction::SetTrue => return Err("true or false is meant".to_owned()),
        ArgAction::Set if words.len() != 1 => return Err("one value is meant".to_owned()),
        _ => words.iter().map(|word| format!("--{long}={word}")).collect(),
    };
    // Alone: what other flags or the environment say is not the file's fault.
    let alone = command.clone().mut_args(|flag| flag.env(Resettable::Reset));
    match alone.try_get_matches_from(std::iter::once("watchboard".to_owned()).chain(arguments)) {
        Err(error) if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            // "error: invalid value 'x' for '--listen <ADDRESS:PORT>': it is not …"; a value may be a secret.
            Err(first.split_once(">': ").map_or_else(|| none_of(flag), |(_, why)| why.to_owned()))
        }
        _ => Ok(words),
    }
}

fn none_of(flag: &Arg) -> String {
    let values: Vec<_> = flag.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    format!("it is none of the values that there are: {}", values.join(", "))
}

fn names(command: &Command) -> String {
    let flags = command.get_arguments().filter_map(|flag| flag.get_long());
    let names = flags.filter(|name| ![OWN, "help", "version"].contains(name)).map(|name| name.replace('-', "_"));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use std::io::Write;

    /// What a file with this text comes to.
    fn read(text: &str, arguments: &[&str]) -> Result<Config, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let named = [&["watchboard", "--config", file.path().to_str().unwrap()], arguments].concat();
        Config::read_from(named).map_err(|error| error.render().to_string())
    }

    #[test]
    fn every_setting_is_read_and_gives_way_to_flags() {
        let text = "
            # What the operator set.
            listen = \"127.0.0.1:9000\"
            upstream = \"http://127.0.0.1:8000\"
            route = [\"/users/{id}\", \"/files/{*path}\"]
            upstream_timeout = 5
            ready-needs-database = true
            mongodb_uri = \"mongodb://ada:secret@localhost\"
            log_format = \"json\"
        ";
        let config = read(text, &["--upstream-timeout", "9"]).unwrap();
        assert_eq!(config.listen.port(), 9000);
        assert_eq!(config.upstream.as_ref().map(ToString::to_string).as_deref(), Some("127.0.0.1:8000"));
        assert_eq!((config.route.len(), config.upstream_timeout, config.ready_needs_database), (2, 9, true));
        assert_eq!(read(text, &["check"]).unwrap().upstream_timeout, 5, "before a command's name too");
        let help = read(text, &["--help"]).unwrap_err();
        assert!(!help.contains("secret"), "{help}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("\nlisten = 9000\n", "line 2: `listen`: it is not ADDRESS:PORT"),
            ("upstrem = \"http://a\"", "line 1: there is no setting `upstrem`: there are listen, "),
            ("config = \"other.toml\"", "there is no setting `config`"),
            (
                "\n\nupstream_timeout = 0",
                "line 3: `upstream_timeout`: it is not a whole number of seconds, from 1 to 86400",
            ),
            ("ready_needs_database = \"yes\"", "`ready_needs_database`: true or false is meant"),
            ("listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]", "one value is meant"),
            ("listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"", "line 2: "),
            ("[board]\nlisten = \"127.0.0.1:1\"", "line 1: there is no setting `board`"),
            ("log_format = \"xml\"", "`log_format`: it is none of the values that there are: text, json"),
            ("listen = ", "line 1: "),
            ("\ntls_cert = \"cert.pem\"", "line 2: TLS takes a certificate and its key: give --tls-cert and --tls-key"),
            ("log = \"warning\"", "line 1: `log`: \"warning\" is none of off, error, warn, info, debug, trace"),
            ("openapi = \"https://a/openapi.json\"", "line 1: `openapi`: the document is asked for in plain HTTP"),
            ("upstream = 8000", "line 1: `upstream`: it is not a URL"),
            ("\nupstream = \"http://127.0.0.1:8080\"", "line 2: --upstream http://127.0.0.1:8080 is watchboard itself"),
            (
                "upstream = \"http://a\"\nproxy_listen = \"0.0.0.0:3000\"",
                "line 2: --proxy-listen 0.0.0.0:3000 is where the board listens",
            ),
            ("route = \"/users/{id}\"", "line 1: --route is of the application that --upstream names"),
        ] {
            let error = read(text, &[]).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
        let config = read("upstream = \"http://a\"\nroute = \"users\"\nready_needs_database = true", &[]).unwrap();
        let error = config.lines.before(config.routes().unwrap_err());
        assert!(error.contains("line 2: --route: ") && error.contains("\"users\""), "{error}");
        let error = config.lines.before(config.database().unwrap_err());
        assert!(error.contains("line 3: --ready-needs-database needs a database"), "{error}");
        let config = read("\nhost = \"board.example\"", &["--listen", "0.0.0.0:3000"]).unwrap();
        let said = "--listen 0.0.0.0:3000 is reached, … without --host";
        assert_eq!(config.lines.before(said.to_owned()), said);
        // What the command line said is not the file's fault.
        let config = read("upstream = \"http://a\"\nroute = \"/a\"", &["--route", "users"]).unwrap();
        assert!(config.lines.before(config.routes().unwrap_err()).starts_with("--route: "));
        let error = Config::read_from(["watchboard", "--config", "/nowhere/watchboard.toml"]).unwrap_err().to_string();
        assert!(error.contains("/nowhere/watchboard.toml cannot be read"), "{error}");
    }
}
