//! Checks the documents: commands, configurations, links, flags and files. Their Rust examples are documentation tests of the library
//! (`server/test-support/src/doc_tests.rs`).

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
};

use crate::markdown::{Block, DOCUMENTS, Document, ShellCommand, blocks, read, root, variable};
use serde_json::Value;

const README_LINES: usize = 150;
/// More terms must be learnt than a stranger will.
const GLOSSARY_TERMS: usize = 30;
const LANGUAGES: [&str; 8] = ["rust", "rust,no_run", "sh", "toml", "json", "ini", "dockerfile", "text"];
/// Programs whose commands are not checked here.
const OTHER_PROGRAMS: [&str; 3] = ["docker", "git", "ssh"];
/// Where the documents keep the program's files; the tests have them elsewhere.
const SETTINGS_FOLDER: &str = "/etc/watchboard/";
/// The process that the documents watch.
const ANY_PID: &str = "4711";

/// A folder with the files that the documents name.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        let scratch = Self(tempfile::tempdir().expect("a folder"));
        let certified = rcgen::generate_simple_self_signed(["board.example.com".to_owned()]).expect("a certificate");
        scratch.write("cert.pem", &certified.cert.pem());
        scratch.write("key.pem", &certified.signing_key.serialize_pem());
        scratch.write("password", "correct horse battery staple\n");
        let configuration = blocks("toml").find(|block| is_configuration(block)).expect("a configuration");
        scratch.write("watchboard.toml", &scratch.localised(&configuration.text));
        scratch
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("it can be written");
    }

    /// With the files in this folder.
    fn localised(&self, text: &str) -> String {
        let own = format!("{}/", self.0.path().display());
        text.replace(SETTINGS_FOLDER, &own).replace(ANY_PID, &std::process::id().to_string())
    }

    /// Has the program read these arguments, and start nothing. What it said, where it did not like them.
    fn try_program(&self, environment: &[(String, String)], arguments: &[String]) -> Result<(), String> {
        let mut arguments: Vec<String> = arguments.iter().map(|argument| self.localised(argument)).collect();
        let has = |word: &str| arguments.iter().any(|argument| argument == word);
        if has("demo") || has("mark") {
            // Its flags before are still read.
            arguments.push("--help".to_owned());
        } else if !["check", "hash-password", "--help", "--version"].into_iter().any(has) {
            arguments.push("check".to_owned());
        }
        let input = fs::File::open(self.0.path().join("password")).expect("it was written");
        let environment = environment.iter().map(|(name, value)| (name, self.localised(value)));
        let mut command = Command::new(watchboard_test_support::binary_path());
        command.args(&arguments).env_clear().envs(environment).current_dir(self.0.path()).stdin(Stdio::from(input));
        let output = command.output().expect("it starts");
        let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat();
        if output.status.success() { Ok(()) } else { Err(format!("{arguments:?}: {said}")) }
    }
}

fn is_configuration(block: &Block) -> bool {
    !block.text.contains("[dependencies]")
}

/// What the program and its demo say of their flags.
static HELP: LazyLock<String> = LazyLock::new(|| {
    let help = |arguments: &[&str]| {
        let mut command = Command::new(watchboard_test_support::binary_path());
        let output = command.args(arguments).env_clear().output().expect("it starts");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    [help(&["--help"]), help(&["demo", "--help"]), help(&["mark", "--help"])].concat()
});

/// The flags in a text: `--listen`.
fn flags(text: &str) -> Vec<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_lowercase() && letter != '-');
    words.filter(|word| word.len() > 2 && word.starts_with("--")).collect()
}

/// The packages of the workspace, with their targets.
fn packages() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root());
    let output = cargo.output().expect("cargo is there");
    serde_json::from_slice::<Value>(&output.stdout).expect("JSON")["packages"].clone()
}

/// Why a command of cargo's cannot work, if so.
fn try_cargo(words: &[String], packages: &Value) -> Result<(), String> {
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|entry| entry["name"].as_str().map(ToOwned::to_owned)).collect()
    };
    let after = |flag: &str| words.iter().skip_while(|word| *word != flag).nth(1);
    if words.first().is_some_and(|word| word == "xtask") {
        let command = words.get(1).ok_or("xtask takes a command")?;
        let is_known = command == "help" || read("xtask/src/main.rs").contains(&format!("\n  {command} "));
        return if is_known { Ok(()) } else { Err(format!("there is no `cargo xtask {command}`")) };
    }
    if let Some(package) = after("-p")
        && !names(packages).contains(package)
    {
        return Err(format!("there is no package {package}"));
    }
    for flag in ["--example", "--test", "--bench"] {
        let targets = || packages.as_array().into_iter().flatten().flat_map(|package| names(&package["targets"]));
        if let Some(target) = after(flag)
            && !targets().any(|name| name == *target)
        {
            return Err(format!("there is no {flag} {target}"));
        }
    }
    Ok(())
}

fn assert_none(failures: &[String]) {
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_block_has_a_language() {
    let blocks = DOCUMENTS.iter().flat_map(|document| &document.blocks);
    let unknown = blocks.filter(|block| !LANGUAGES.contains(&block.language.as_str()));
    assert_none(&unknown.map(|block| format!("{}: `{}`", block.place(), block.language)).collect::<Vec<_>>());
}

#[test]
fn the_rust_of_every_document_is_compiled() {
    let compiled = read("server/test-support/src/doc_tests.rs");
    let missing = DOCUMENTS.iter().filter(|document| {
        let has_rust = document.blocks.iter().any(|block| block.language.starts_with("rust"));
        has_rust && !compiled.contains(&format!("../{}\"", document.name))
    });
    assert_none(
        &missing.map(|document| format!("{} is not among the documentation tests", document.name)).collect::<Vec<_>>(),
    );
}

#[test]
fn the_readme_is_short() {
    assert!(read("README.md").lines().count() <= README_LINES);
}

#[test]
fn the_glossary_is_short_and_sorted() {
    let architecture = read("ARCHITECTURE.md");
    let (_, glossary) = architecture.split_once("\n## Glossary\n").expect("a glossary");
    let rows = glossary.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let terms: Vec<&str> = rows.filter(|term| !matches!(*term, "term" | "---")).collect();
    assert!((1..=GLOSSARY_TERMS).contains(&terms.len()), "{} terms", terms.len());
    assert!(terms.is_sorted_by_key(|term| term.to_lowercase()), "{terms:?}");
}

#[test]
fn every_command_is_understood() {
    let (scratch, packages, mut failures) = (Scratch::new(), packages(), vec![]);
    for block in blocks("sh") {
        for ShellCommand { environment, words } in ShellCommand::all(block) {
            let tried = match words[0].as_str() {
                "watchboard" => scratch.try_program(&environment, &words[1..]),
                "cargo" => try_cargo(&words[1..], &packages),
                other if OTHER_PROGRAMS.contains(&other) => Ok(()),
                other => Err(format!("nothing is known of {other}")),
            };
            failures.extend(tried.err().map(|why| format!("{}: {why}", block.place())));
        }
    }
    assert_none(&failures);
}

#[test]
fn every_configuration_is_good() {
    let (scratch, mut failures) = (Scratch::new(), vec![]);
    for block in blocks("toml") {
        let tried = if is_configuration(block) {
            scratch.write("tried.toml", &scratch.localised(&block.text));
            scratch.try_program(&[], &["--config", "tried.toml"].map(ToOwned::to_owned))
        } else {
            block.text.parse::<toml::Table>().map(drop).map_err(|error| error.to_string())
        };
        failures.extend(tried.err().map(|why| format!("{}: {why}", block.place())));
    }
    assert_none(&failures);
}

#[test]
fn every_json_is_well_formed() {
    let failed = |block: &Block| {
        let error = serde_json::from_str::<Value>(&block.text).err()?;
        Some(format!("{}: {error}", block.place()))
    };
    assert_none(&blocks("json").filter_map(failed).collect::<Vec<_>>());
}

#[test]
fn every_unit_of_systemd_starts_the_program() {
    let (scratch, mut count) = (Scratch::new(), 0);
    for block in blocks("ini") {
        for line in block.text.lines().filter(|line| line.starts_with("ExecStart")) {
            let (_, command) = line.split_once('=').expect("a setting");
            let words = ShellCommand::parse(command).words;
            assert!(words[0].ends_with("/watchboard"), "{}: {line}", block.place());
            let tried = scratch.try_program(&[], &words[1..]);
            assert_eq!(tried, Ok(()), "{}", block.place());
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn every_image_starts_the_program_with_the_settings_that_it_is_run_with() {
    let scratch = Scratch::new();
    for block in blocks("dockerfile") {
        let entry = block.text.lines().find_map(|line| line.strip_prefix("ENTRYPOINT "));
        let entry: Vec<String> = serde_json::from_str(entry.expect("an ENTRYPOINT")).expect("a list");
        assert_eq!(entry[0], "watchboard");
        let beside = blocks("sh").filter(|shell| shell.document == block.document).flat_map(ShellCommand::all);
        let run = beside.filter(|command| command.words.starts_with(&["docker".to_owned(), "run".to_owned()]));
        let runs: Vec<ShellCommand> = run.collect();
        assert!(!runs.is_empty(), "{}: it is never run", block.place());
        for ShellCommand { words, .. } in runs {
            let variables = words.windows(2).filter(|pair| pair[0] == "--env").filter_map(|pair| variable(&pair[1]));
            let variables: Vec<(String, String)> = variables.collect();
            for (name, _) in &variables {
                assert!(HELP.contains(&format!("{name}=]")), "{}: {name}", block.place());
            }
            assert_eq!(scratch.try_program(&variables, &entry[1..]), Ok(()), "{}", block.place());
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut failures = vec![];
    for document in DOCUMENTS.iter() {
        let folder = Path::new(&document.name).parent().expect("a folder");
        for link in document.links().filter(|link| !link.starts_with("https://") && !link.starts_with("http://")) {
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let name = if path.is_empty() { document.name.clone() } else { normalised(&folder.join(path)) };
            if !root().join(&name).exists() {
                failures.push(format!("{}: there is no {link}", document.name));
            }
            let is_there = |anchor: &str| {
                Document::get(&name).is_some_and(|target| target.anchors().iter().any(|known| known == anchor))
            };
            if anchor.is_some_and(|anchor| !is_there(anchor)) {
                failures.push(format!("{}: {link} leads to no heading", document.name));
            }
        }
    }
    assert_none(&failures);
}

/// A path without `..`.
fn normalised(path: &Path) -> String {
    let mut parts: Vec<&str> = vec![];
    for part in path.to_str().expect("UTF-8").split('/') {
        match part {
            ".." => drop(parts.pop()),
            "" | "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn every_file_that_is_named_is_there() {
    const FOLDERS: [&str; 9] =
        [".cargo/", ".ci/", "app/", "docs/", "end2end/", "frontend/", "server/", "style/", "xtask/"];
    let mut failures = vec![];
    for document in DOCUMENTS.iter() {
        let is_path = |span: &&str| FOLDERS.iter().any(|folder| span.starts_with(folder)) && !span.contains(' ');
        let missing = document.code_spans().filter(is_path).filter(|span| !root().join(span).exists());
        failures.extend(missing.map(|span| format!("{}: there is no {span}", document.name)));
    }
    assert_none(&failures);
}

#[test]
fn every_flag_that_is_named_exists_and_every_flag_is_explained() {
    let known = flags(&HELP);
    let mut failures = vec![];
    for document in DOCUMENTS.iter() {
        let named = document.code_spans().flat_map(flags);
        let unknown = named.filter(|flag| !known.contains(flag));
        failures.extend(unknown.map(|flag| format!("{}: there is no {flag}", document.name)));
        let words = document.prose.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_');
        let unknown = words.filter(|word| word.starts_with("WATCHBOARD_") && !HELP.contains(*word));
        failures.extend(unknown.map(|word| format!("{}: there is no {word}", document.name)));
    }
    let operations = Document::get("docs/operations.md").expect("the page of all settings");
    let explained: Vec<&str> = operations.code_spans().flat_map(flags).collect();
    let missing = known.iter().filter(|flag| !["--help", "--version"].contains(flag) && !explained.contains(flag));
    failures.extend(missing.map(|flag| format!("docs/operations.md does not explain {flag}")));
    assert_none(&failures);
}
