//! The password: how it is kept, checked and hashed.

use std::{
    io::{BufRead, IsTerminal},
    sync::Arc,
};

use argon2::{
    Algorithm, Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{PasswordHash, PasswordHashString, SaltString},
};
use tokio::sync::Semaphore;

/// A shorter password is refused, where it is seen.
const SHORTEST: usize = 12;
/// And a longer one: it would be work, not safety.
const LONGEST: usize = 1024;
/// Tries that wait for their turn. Each hash takes the memory and the time that are meant to be too much for an attacker.
const MOST_WAITING: usize = 8;

/// The argon2id hash of a password, before which tries stand in line.
pub(super) struct Gate {
    hash: PasswordHashString,
    line: Semaphore,
    turn: Arc<Semaphore>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Gate")
    }
}

/// Why a try got no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Too many wait already.
    Crowded,
    /// What checks the password has failed.
    Failed,
}

impl Gate {
    /// Of a hash as `watchboard hash-password` prints it.
    pub(super) fn from_hash(text: &str) -> Result<Self, String> {
        let hash = PasswordHashString::new(text).ok().filter(|hash| {
            let parsed = hash.password_hash();
            parsed.algorithm == Algorithm::Argon2id.ident() && parsed.hash.is_some() && parsed.salt.is_some()
                // A hash with parameters that argon2 does not take would refuse every password.
                && argon2::Params::try_from(&parsed).is_ok()
        });
        let hash = hash.ok_or(
            "is not an argon2id hash as `watchboard hash-password` prints: it begins with $argon2id$ (in a shell, put it into single quotes)",
        )?;
        Ok(Self { hash, line: Semaphore::new(1 + MOST_WAITING), turn: Arc::new(Semaphore::new(1)) })
    }

    /// Of the password itself, or of its hash.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        if text.starts_with("$argon2") { Self::from_hash(text) } else { Self::from_hash(&hash(text)?) }
    }

    /// Whether this is the password; one is checked at a time, beside what serves requests.
    pub(super) async fn opens_to(self: Arc<Self>, password: String) -> Result<bool, NoAnswer> {
        let _place = self.line.try_acquire().map_err(|_| NoAnswer::Crowded)?;
        if password.len() > LONGEST {
            return Ok(false);
        }
        // It goes with the work, which goes on when nobody waits for it any more.
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| NoAnswer::Failed)?;
        let gate = Arc::clone(&self);
        let checked = tokio::task::spawn_blocking(move || {
            let is_right = Argon2::default().verify_password(password.as_bytes(), &gate.hash.password_hash()).is_ok();
            drop(turn);
            is_right
        });
        checked.await.map_err(|_| NoAnswer::Failed)
    }
}

fn hash(password: &str) -> Result<String, String> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(format!("is too short: a password has {SHORTEST} characters or more, and this one {length}"));
    }
    if password.len() > LONGEST {
        return Err(format!("is too long: a password has {LONGEST} bytes at most"));
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| format!("cannot be hashed, there are no random numbers: {error}"))?;
    let salt = SaltString::encode_b64(&random).map_err(|error| format!("cannot be hashed: {error}"))?;
    let hash: PasswordHash<'_> = Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map_err(|error| format!("cannot be hashed: {error}"))?;
    Ok(hash.to_string())
}

/// `watchboard hash-password`: asks for a password at the terminal, or reads one line where there is none, and prints its hash.
pub(crate) fn hash_password() -> Result<(), String> {
    let unread = |error: std::io::Error| format!("the password cannot be read: {error}");
    let password = if std::io::stdin().is_terminal() {
        let password = rpassword::prompt_password("Password: ").map_err(unread)?;
        if rpassword::prompt_password("Once more: ").map_err(unread)? != password {
            return Err("the two are not the same: nothing was hashed".to_owned());
        }
        password
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(unread)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    println!("{}", hash(&password).map_err(|reason| format!("the password {reason}"))?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of "correct horse battery" by the cheapest parameters there are.
    fn cheap() -> Arc<Gate> {
        let params = argon2::Params::new(8, 1, 1, None).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params);
        let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
        let hash = argon2.hash_password(b"correct horse battery", &salt).unwrap().to_string();
        Arc::new(Gate::from_hash(&hash).unwrap())
    }

    #[tokio::test]
    async fn it_opens_to_the_password_alone() {
        let gate = cheap();
        for (password, opens) in [("correct horse battery", true), ("correct horse", false), ("", false)] {
            assert_eq!(Arc::clone(&gate).opens_to(password.to_owned()).await, Ok(opens), "{password}");
        }
        assert_eq!(gate.opens_to("x".repeat(LONGEST + 1)).await, Ok(false));
    }

    #[tokio::test]
    async fn no_more_wait_than_there_are_places() {
        let gate = cheap();
        let working = Arc::clone(&gate.turn).acquire_owned().await.unwrap();
        let waiting: Vec<_> = (0..=MOST_WAITING)
            .map(|_| tokio::spawn(Arc::clone(&gate).opens_to("correct horse battery".to_owned())))
            .collect();
        // On this one thread: they run until they wait.
        while gate.line.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(Arc::clone(&gate).opens_to("correct horse battery".to_owned()).await, Err(NoAnswer::Crowded));
        drop(working);
        for one in waiting {
            assert_eq!(one.await.unwrap(), Ok(true));
        }
    }

    #[test]
    fn a_hash_is_one_of_argon2id_and_a_password_is_long_enough() {
        let bcrypt = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW";
        for text in [
            "",
            "correct horse battery",
            bcrypt,
            "$argon2id$v=19$m=8,t=1,p=1",
            "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        ] {
            assert!(Gate::from_hash(text).unwrap_err().contains("hash-password"), "{text}");
        }
        assert!(hash("short").unwrap_err().contains("12 characters or more, and this one 5"));
        assert!(hash(&"x".repeat(LONGEST + 1)).unwrap_err().contains("too long"));
    }
}
