//! Reads the documents: their blocks, links, anchors and command lines.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// A Markdown file of the tree.
pub struct Document {
    /// Its path from the root of the tree.
    pub name: String,
    /// Without its blocks.
    pub prose: String,
    pub blocks: Vec<Block>,
}

/// A fenced block.
pub struct Block {
    pub document: String,
    line: usize,
    pub language: String,
    pub text: String,
}

impl Block {
    pub fn place(&self) -> String {
        format!("{}, line {}", self.document, self.line)
    }
}

pub static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| {
    let mut names: Vec<String> =
        ["README", "ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "SECURITY"].map(|name| format!("{name}.md")).to_vec();
    let folder = fs::read_dir(root().join("docs")).expect("docs/ is there");
    let files = folder.map(|entry| entry.expect("it can be read").path());
    let pages = files.filter(|file| file.extension().is_some_and(|ending| ending == "md"));
    names.extend(pages.filter_map(|page| Some(format!("docs/{}", page.file_name()?.to_str()?))));
    names.sort();
    names.into_iter().map(Document::read).collect()
});

pub fn root() -> PathBuf {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.find(|folder| folder.join("ARCHITECTURE.md").is_file()).expect("the root of the tree").to_owned()
}

pub fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

impl Document {
    fn read(name: String) -> Self {
        let (mut prose, mut blocks) = (String::new(), Vec::<Block>::new());
        let mut is_block = false;
        for (line, number) in read(&name).lines().zip(1..) {
            match (line.trim_start().strip_prefix("```"), is_block) {
                (Some(language), false) => {
                    is_block = true;
                    let (document, language) = (name.clone(), language.to_owned());
                    blocks.push(Block { document, line: number, language, text: String::new() });
                }
                (Some(_), true) => is_block = false,
                (None, true) => blocks.last_mut().expect("it has begun").text.extend([line, "\n"]),
                (None, false) => prose.extend([line, "\n"]),
            }
        }
        assert!(!is_block, "{name}: the last block has no end");
        Self { name, prose, blocks }
    }

    pub fn get(name: &str) -> Option<&'static Self> {
        DOCUMENTS.iter().find(|document| document.name == name)
    }

    /// The texts between backticks.
    pub fn code_spans(&self) -> impl Iterator<Item = &str> {
        self.prose.split('`').skip(1).step_by(2)
    }

    /// The anchors of its headings, as forges make them.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.prose.lines().filter(|line| line.starts_with('#'));
        let titles = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
        let is_kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | ' ');
        titles.map(|title| title.chars().filter(is_kept).collect::<String>().replace(' ', "-")).collect()
    }

    /// The targets of its links and pictures.
    pub fn links(&self) -> impl Iterator<Item = &str> {
        let between = |opening: &'static str, closing: char| {
            self.prose.split(opening).skip(1).filter_map(move |rest| rest.split(closing).next())
        };
        between("](", ')').chain(between("src=\"", '"')).chain(between("srcset=\"", '"'))
    }
}

pub fn blocks(language: &str) -> impl Iterator<Item = &'static Block> {
    DOCUMENTS.iter().flat_map(|document| &document.blocks).filter(move |block| block.language == language)
}

/// A command line of a shell: what it sets in the environment, and its words.
#[derive(Debug, Default, PartialEq)]
pub struct ShellCommand {
    pub environment: Vec<(String, String)>,
    pub words: Vec<String>,
}

impl ShellCommand {
    pub fn all(block: &Block) -> Vec<Self> {
        let joined = block.text.replace("\\\n", " ");
        joined.lines().map(Self::parse).filter(|command| !command.words.is_empty()).collect()
    }

    /// Knows single quotes, comments and redirections, which is all that the documents use.
    pub fn parse(line: &str) -> Self {
        let mut words: Vec<String> = vec![];
        let (mut is_quoted, mut is_in_word) = (false, false);
        for letter in line.chars() {
            match letter {
                '#' if !is_quoted && !is_in_word => break,
                '\'' => {
                    is_quoted = !is_quoted;
                    if !is_in_word {
                        words.push(String::new());
                    }
                    is_in_word = true;
                }
                letter if letter.is_whitespace() && !is_quoted => is_in_word = false,
                letter => {
                    if !is_in_word {
                        words.push(String::new());
                    }
                    is_in_word = true;
                    words.last_mut().expect("it has begun").push(letter);
                }
            }
        }
        words.truncate(words.iter().position(|word| word == ">").unwrap_or(words.len()));
        let is_variable = |word: &&String| word.split_once('=').is_some_and(|(name, _)| is_variable_name(name));
        let count = words.iter().take_while(is_variable).count();
        let environment = words.drain(..count).filter_map(|word| variable(&word)).collect();
        Self { environment, words }
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

pub fn variable(word: &str) -> Option<(String, String)> {
    word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
}

#[test]
fn shell_commands_are_read_as_a_shell_reads_them() {
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let command = ShellCommand::parse("A_B=c=d watchboard --route '/a b/{id}' --x # > y");
    assert_eq!(command.environment, [("A_B".to_owned(), "c=d".to_owned())]);
    assert_eq!(command.words, words(&["watchboard", "--route", "/a b/{id}", "--x"]));
    assert_eq!(ShellCommand::parse("watchboard hash-password > file").words, words(&["watchboard", "hash-password"]));
    assert_eq!(ShellCommand::parse("  # nothing"), ShellCommand::default());
}
