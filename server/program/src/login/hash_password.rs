//! `watchboard hash-password`: reads a password from the terminal or the input, and makes its hash.

use std::io::{self, BufRead, IsTerminal, Read};

use argon2::password_hash;
use thiserror::Error;

use super::password::{PasswordError, Verifier};

/// What is read of the input at most; no password is as long.
const MAX_BYTES: u64 = 4096;

/// There is no hash.
#[derive(Debug, Error)]
pub(crate) enum HashPasswordError {
    #[error("the password cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the two are not the same: nothing was hashed")]
    Different,
    #[error("the password {0}")]
    Unusable(#[from] PasswordError),
    #[error("the hash has no text: {0}")]
    NoText(#[from] password_hash::Error),
}

/// Asks for the password twice at a terminal. Elsewhere it reads one line.
pub(crate) fn hash_password() -> Result<String, HashPasswordError> {
    let password = if io::stdin().is_terminal() {
        let password = rpassword::prompt_password("Password: ")?;
        if rpassword::prompt_password("Once more: ")? != password {
            return Err(HashPasswordError::Different);
        }
        password
    } else {
        let mut line = String::new();
        io::stdin().lock().take(MAX_BYTES).read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    Ok(Verifier::from_password(&password)?.to_text()?)
}
