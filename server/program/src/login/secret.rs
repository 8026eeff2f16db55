//! A secret, and the flags, the file and the environment variable that can hold it.

use std::{
    convert::Infallible,
    error::Error as StdError,
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use thiserror::Error;

use crate::file_reader::read_text_in_time;

/// The names of a secret and of its sources; flags without dashes.
#[derive(Debug)]
pub(crate) struct SecretNames {
    name: &'static str,
    hash_flag: &'static str,
    file_flag: &'static str,
    pub(super) variable: &'static str,
}

pub(super) const PASSWORD: SecretNames = SecretNames {
    name: "password",
    hash_flag: "password-hash",
    file_flag: "password-file",
    variable: "WATCHBOARD_PASSWORD",
};
pub(super) const TOKEN: SecretNames =
    SecretNames { name: "token", hash_flag: "token-hash", file_flag: "token-file", variable: "WATCHBOARD_TOKEN" };

/// Text that no message and no `Debug` shows.
#[derive(Clone)]
pub(super) struct Secret(String);

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// A secret that cannot be used. The source's message begins with a verb, and never shows the secret.
#[derive(Debug, Error)]
pub(crate) enum SecretError {
    #[error("--{} {source}", names.hash_flag)]
    Hash { names: &'static SecretNames, source: Box<dyn StdError + Send + Sync> },
    #[error("{} {source}", names.variable)]
    Variable { names: &'static SecretNames, source: Box<dyn StdError + Send + Sync> },
    #[error("--{} {} cannot be read: {source}", names.file_flag, path.display())]
    Unreadable { names: &'static SecretNames, path: PathBuf, source: io::Error },
    #[error("what is in {}, the --{}, {source}", path.display(), names.file_flag)]
    File { names: &'static SecretNames, path: PathBuf, source: Box<dyn StdError + Send + Sync> },
    #[error(
        "the {} is given more than once: give one of --{}, --{} and {}",
        names.name, names.hash_flag, names.file_flag, names.variable
    )]
    SeveralSources { names: &'static SecretNames },
}

impl SecretError {
    pub(super) fn flag(&self) -> Option<&'static str> {
        match self {
            Self::Hash { names, .. } | Self::SeveralSources { names } => Some(names.hash_flag),
            Self::Unreadable { names, .. } | Self::File { names, .. } => Some(names.file_flag),
            Self::Variable { .. } => None,
        }
    }
}

/// The sources of one secret, at most one of which may be set.
pub(super) struct SecretSources<'a> {
    pub(super) names: &'static SecretNames,
    pub(super) hash: Option<&'a Secret>,
    pub(super) file: Option<&'a Path>,
    /// The value of the environment variable.
    pub(super) variable: Option<String>,
}

impl SecretSources<'_> {
    /// Reads the secret from the source that is set.
    pub(super) fn read<T, E: StdError + Send + Sync + 'static>(
        self,
        from_hash: impl Fn(&str) -> Result<T, E>,
        from_text: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, SecretError> {
        let names = self.names;
        let value =
            match (self.hash, self.file, self.variable) {
                (None, None, None) => return Ok(None),
                (Some(Secret(hash)), None, None) => {
                    from_hash(hash).map_err(|source| SecretError::Hash { names, source: source.into() })?
                }
                (None, None, Some(text)) => {
                    from_text(&text).map_err(|source| SecretError::Variable { names, source: source.into() })?
                }
                (None, Some(path), None) => {
                    let path = path.to_owned();
                    match read_text_in_time(&path) {
                        Ok(text) => from_text(text.trim_end_matches(['\r', '\n']))
                            .map_err(|source| SecretError::File { names, path, source: source.into() })?,
                        Err(source) => return Err(SecretError::Unreadable { names, path, source }),
                    }
                }
                _ => return Err(SecretError::SeveralSources { names }),
            };
        Ok(Some(value))
    }
}
