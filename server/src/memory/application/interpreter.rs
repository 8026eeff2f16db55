//! Programs that run a script, and where their command line has it.

use crate::memory::names::last_part;

/// An interpreter's options, as far as the script behind them has to be found.
pub(super) struct Interpreter {
    /// Its names, without the version.
    names: &'static [&'static str],
    /// Commands before the script: `deno run main.ts`.
    commands: &'static [&'static str],
    /// Options whose value is the next word.
    valued: &'static [&'static str],
    /// Options after which there is no script, but code.
    code: &'static [&'static str],
    /// Options whose next word is what runs.
    run: &'static [&'static str],
    /// Letters of short options without a value. `None`: no further option takes its value from the next word.
    plain: Option<&'static str>,
    /// Endings of scripts. Behind an option that is not known, only a word with one of them is a script.
    endings: &'static [&'static str],
}

const NONE: Interpreter =
    Interpreter { names: &[], commands: &[], valued: &[], code: &[], run: &[], plain: Some(""), endings: &[] };
const JAVASCRIPT: &[&str] = &[".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"];

const INTERPRETERS: &[Interpreter] = &[
    Interpreter {
        names: &["python", "pypy", "pythonw"],
        valued: &["-W", "-X", "--check-hash-based-pycs"],
        code: &["-c"],
        run: &["-m"],
        plain: Some("bBdEhiIOPqRsStuvVx"),
        endings: &[".py", ".pyc", ".pyz"],
        ..NONE
    },
    Interpreter {
        names: &["node", "nodejs", "tsx", "ts-node"],
        valued: &[
            "-r",
            "--require",
            "--import",
            "--loader",
            "--experimental-loader",
            "-C",
            "--conditions",
            "--env-file",
            "--env-file-if-exists",
            "--icu-data-dir",
            "--input-type",
            "--title",
            "--max-http-header-size",
            "--stack-trace-limit",
        ],
        code: &["-e", "--eval", "-p", "--print", "-pe", "--run"],
        plain: Some("i"),
        endings: JAVASCRIPT,
        ..NONE
    },
    Interpreter {
        names: &["bun"],
        commands: &["run", "x", "test"],
        valued: &["-r", "--preload", "-c", "--config", "--cwd", "--env-file", "--tsconfig-override"],
        code: &["-e", "--eval", "-p", "--print"],
        endings: JAVASCRIPT,
        ..NONE
    },
    Interpreter {
        names: &["deno"],
        commands: &["run", "serve", "task", "test", "bench"],
        valued: &[
            "-c",
            "--config",
            "--import-map",
            "--lock",
            "--cert",
            "-L",
            "--log-level",
            "--location",
            "--port",
            "--host",
            "--cwd",
            "--seed",
        ],
        code: &["eval", "repl"],
        // Values of the others stand behind a `=`.
        plain: Some("AERWNSqr"),
        endings: JAVASCRIPT,
        ..NONE
    },
    Interpreter {
        names: &["ruby", "jruby", "truffleruby"],
        valued: &["-r", "-I", "-C", "-E", "-F"],
        code: &["-e"],
        plain: Some("vwWdUS"),
        endings: &[".rb", ".ru"],
        ..NONE
    },
    Interpreter {
        names: &["perl"],
        valued: &["-I"],
        code: &["-e", "-E"],
        plain: Some("wWtTuUX"),
        endings: &[".pl", ".psgi"],
        ..NONE
    },
    Interpreter {
        names: &["php", "php-cgi"],
        valued: &["-d", "-c", "-t", "-S", "-z"],
        code: &["-r", "-B", "-R", "-E", "-F", "-a"],
        run: &["-f"],
        plain: Some("Cenqsw"),
        endings: &[".php", ".phar"],
        ..NONE
    },
    Interpreter {
        names: &["java", "javaw"],
        valued: &[
            "-cp",
            "-classpath",
            "--class-path",
            "-p",
            "--module-path",
            "--add-modules",
            "--add-opens",
            "--add-exports",
            "--add-reads",
            "--patch-module",
            "--limit-modules",
            "--upgrade-module-path",
            "--enable-native-access",
            "--source",
        ],
        run: &["-jar", "-m", "--module"],
        plain: None,
        endings: &[".jar", ".java"],
        ..NONE
    },
    Interpreter {
        names: &["dotnet"],
        commands: &["run", "exec", "watch", "test"],
        valued: &[
            "--depsfile",
            "--runtimeconfig",
            "--additionalprobingpath",
            "--additional-deps",
            "--fx-version",
            "--roll-forward",
            "--project",
            "-p",
            "-c",
            "--configuration",
            "-f",
            "--framework",
            "-r",
            "--runtime",
            "--launch-profile",
            "-lp",
            "-v",
            "--verbosity",
        ],
        endings: &[".dll"],
        ..NONE
    },
    Interpreter {
        names: &["sh", "bash", "dash", "zsh", "ksh", "ash"],
        valued: &["-o", "+o", "-O", "+O", "--rcfile", "--init-file"],
        code: &["-c", "-s"],
        plain: Some("abefhiklmnptruvxBCEHPT"),
        endings: &[".sh", ".bash"],
        ..NONE
    },
    Interpreter {
        names: &["lua", "luajit", "julia", "mono", "escript", "elixir", "tclsh"],
        code: &["-e", "-E", "--eval"],
        endings: &[".lua", ".jl", ".exe", ".exs", ".tcl"],
        ..NONE
    },
];

/// Modules of Python's own whose code is given in place.
const PYTHON_MODULES: &[&str] =
    &["multiprocessing.spawn", "multiprocessing.resource_tracker", "multiprocessing.forkserver"];

/// The script that an interpreter runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    /// With the command or the option before it: `run main.ts`, `-m uvicorn`.
    pub(super) shown: String,
    /// Without its ending: `main`.
    pub(super) name: String,
}

impl Interpreter {
    /// By the name of a program; `None` if it is no interpreter.
    pub(super) fn find(program: &str) -> Option<&'static Self> {
        let is_version = |char: char| char.is_ascii_digit() || matches!(char, '.' | '-');
        let name = program.trim_end_matches(is_version);
        INTERPRETERS.iter().find(|interpreter| interpreter.names.contains(&name))
    }

    /// What it runs by these arguments; `None` if that cannot be told from a value.
    pub(super) fn script(&self, arguments: &[&str]) -> Option<Script> {
        let mut command = None;
        let mut is_certain = true;
        let mut words = arguments.iter().copied();
        while let Some(word) = words.next() {
            if self.run.contains(&word) {
                return Script::new(Some(word).filter(|word| *word != "-f"), words.next()?);
            } else if self.code.contains(&word) {
                return words.next().and_then(python_module);
            } else if self.valued.contains(&word) {
                words.next();
            } else if word == "--" {
                return Script::new(command, words.next()?);
            } else if word.starts_with('-') && word.len() > 1 {
                is_certain &= word.contains('=')
                    || self.plain.is_none_or(|plain| word[1..].chars().all(|letter| plain.contains(letter)));
            } else if command.is_none() && self.commands.contains(&word) {
                command = Some(word);
            } else if is_certain || self.endings.iter().any(|ending| word.ends_with(ending)) {
                return Script::new(command, word);
            } else {
                break;
            }
        }
        command.map(|command| Script { shown: command.to_owned(), name: command.to_owned() })
    }
}

impl Script {
    /// `None` for a word that is not the name of a file, a class or a module.
    fn new(before: Option<&str>, word: &str) -> Option<Self> {
        let is_name =
            word.chars().all(|char| char.is_alphanumeric() || matches!(char, '.' | '_' | '-' | '/' | '$' | '+'));
        let file = last_part(word);
        if !is_name || !file.starts_with(char::is_alphanumeric) && !file.starts_with('_') {
            return None;
        }
        let shown = before.map_or_else(|| file.to_owned(), |before| format!("{before} {file}"));
        let endings = INTERPRETERS.iter().flat_map(|interpreter| interpreter.endings);
        let name = endings.filter_map(|ending| file.strip_suffix(ending)).find(|name| !name.is_empty()).unwrap_or(file);
        Some(Self { shown, name: name.to_owned() })
    }
}

/// The module of Python's own with which code begins: `from multiprocessing.spawn import …`.
fn python_module(code: &str) -> Option<Script> {
    let module = code.strip_prefix("from ")?.split(' ').next()?;
    let module = PYTHON_MODULES.iter().find(|known| **known == module)?;
    Some(Script { shown: (*module).to_owned(), name: (*module).to_owned() })
}
