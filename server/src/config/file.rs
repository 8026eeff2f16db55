//! The configuration file: TOML with every flag by its name, `proxy_listen = "127.0.0.1:8080"`. What the environment says goes before
//! it, and what the command line says before both.

use std::{fs, path::Path};

use clap::{ArgAction, Command, builder::Resettable, error::ErrorKind};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The flag that names the file, which cannot stand in it.
const OWN: &str = "config";

/// A command whose flags are what the file says where nobody says more.
///
/// # Errors
/// What is wrong in which line.
pub(crate) fn apply(mut command: Command, path: &Path) -> Result<Command, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("the configuration file {} cannot be read: {error}", path.display()))?;
    let in_line = |at: usize, what: &str| {
        let line = 1 + text[..at.min(text.len())].matches('\n').count();
        format!("{}, line {line}: {what}", path.display())
    };
    let table = DeTable::parse(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        in_line(at, error.message())
    })?;
    for (key, value) in table.get_ref() {
        let name = key.get_ref().replace('-', "_");
        let known = command.get_arguments().any(|flag| flag.get_id() == name.as_str() && flag.get_long().is_some());
        if !known || name == OWN {
            return Err(in_line(
                key.span().start,
                &format!("there is no setting `{}`: {}", key.get_ref(), names(&command)),
            ));
        }
        let words = words(value).map_err(|why| in_line(value.span().start, &format!("`{}` {why}", key.get_ref())))?;
        refuse(&command, &name, &words)
            .map_err(|why| in_line(value.span().start, &format!("`{}`: {why}", key.get_ref())))?;
        command = command.mut_arg(name, |flag| flag.default_values(words).hide_default_value(true));
    }
    Ok(command)
}

/// A value as the command line would have it.
fn words(value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(vec![text.to_string()]),
        DeValue::Integer(number) => Ok(vec![number.to_string()]),
        DeValue::Boolean(holds) => Ok(vec![holds.to_string()]),
        DeValue::Array(list) => list.iter().map(words).collect::<Result<Vec<_>, _>>().map(|lists| lists.concat()),
        other => {
            Err(format!("is a {}, where text, a number, true or false, or a list of these is meant", other.type_str()))
        }
    }
}

/// Whether a flag takes these words, by its own rules.
fn refuse(command: &Command, name: &str, words: &[String]) -> Result<(), String> {
    let Some(flag) = command.get_arguments().find(|flag| flag.get_id() == name) else { return Ok(()) };
    let long = flag.get_long().unwrap_or_default();
    let arguments: Vec<String> = match flag.get_action() {
        ArgAction::SetTrue => match words {
            [word] if word == "true" || word == "false" => return Ok(()),
            _ => return Err("true or false is meant".to_owned()),
        },
        ArgAction::Set if words.len() != 1 => return Err("one value is meant".to_owned()),
        _ => words.iter().map(|word| format!("--{long}={word}")).collect(),
    };
    // Alone: what other flags or the environment say is not the file's fault.
    let alone = command.clone().mut_args(|flag| flag.env(Resettable::Reset));
    match alone.try_get_matches_from(std::iter::once("watchboard".to_owned()).chain(arguments)) {
        Err(error) if matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            // "error: invalid value 'x' for '--listen <ADDRESS:PORT>': it is not …"
            Err(first.split_once("': ").map_or(first, |(_, why)| why).to_owned())
        }
        _ => Ok(()),
    }
}

fn names(command: &Command) -> String {
    let flags = command.get_arguments().filter(|flag| flag.get_long().is_some());
    let names = flags.map(|flag| flag.get_id().as_str()).filter(|name| ![OWN, "help", "version"].contains(name));
    format!("there are {}", names.collect::<Vec<_>>().join(", "))
}
