//! `watchboard hash-password`: reads a password from the terminal or the input, and prints its hash.

use std::io::{self, BufRead, IsTerminal};

use argon2::password_hash;
use thiserror::Error;

use super::password::{PasswordError, Verifier};

/// No hash was printed.
#[derive(Debug, Error)]
pub(crate) enum HashPasswordError {
    #[error("the password cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the two are not the same: nothing was hashed")]
    Different,
    #[error("the password {0}")]
    Unusable(#[from] PasswordError),
    #[error("the hash cannot be written: {0}")]
    NoText(#[from] password_hash::Error),
}

/// Asks for the password twice at a terminal. Elsewhere it reads one line.
pub(crate) fn hash_password() -> Result<(), HashPasswordError> {
    let password = if io::stdin().is_terminal() {
        let password = rpassword::prompt_password("Password: ")?;
        if rpassword::prompt_password("Once more: ")? != password {
            return Err(HashPasswordError::Different);
        }
        password
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    println!("{}", Verifier::from_password(&password)?.to_text()?);
    Ok(())
}
