//! The password: how it is kept, checked and hashed.

use std::{
    io::{BufRead, IsTerminal},
    sync::Arc,
};

use argon2::{
    Algorithm, Argon2, Block, MIN_SALT_LEN, Params, RECOMMENDED_SALT_LEN, Version,
    password_hash::{Error, Output, ParamsString, PasswordHash, Salt, SaltString},
};
use tokio::sync::{Mutex, Semaphore};

/// A shorter password is refused, where it is seen.
const SHORTEST: usize = 12;
/// And a longer one: it would be work, not safety.
const LONGEST: usize = 1024;
/// What a hash may ask for, in KiB: more is no safer, and a machine without it would end the process at the first sign-in.
const MOST_MEMORY_KIB: u32 = 1 << 20;
/// Tries that wait for their turn. Each hash takes the memory and the time that are meant to be too much for an attacker.
const MOST_WAITING: usize = 8;

/// The argon2id hash of a password, before which tries stand in line.
pub(super) struct Verifier {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    hash: Output,
    line: Semaphore,
    memory: Arc<Mutex<Memory>>,
}

/// What a check works in, and before the first the hashing of a plain password: some 19 MiB, kept, since the allocator keeps what each
/// of them would take for itself.
type Memory = Vec<Block>;

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Verifier")
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

impl Verifier {
    /// Of the password itself, or of its hash.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        if text.starts_with("$argon2") { Self::from_hash(text) } else { Self::from_password(text) }
    }

    /// Of a hash as `watchboard hash-password` prints it.
    pub(super) fn from_hash(text: &str) -> Result<Self, String> {
        let parse = || -> Option<Self> {
            let hash = PasswordHash::new(text).ok()?;
            let algorithm = Algorithm::try_from(hash.algorithm).ok().filter(|one| *one == Algorithm::Argon2id)?;
            let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
            let argon2 = Argon2::new(algorithm, version, Params::try_from(&hash).ok()?);
            let salt = hash.salt?.decode_b64(&mut [0; Salt::MAX_LENGTH]).ok()?.to_vec();
            // By a shorter one nothing can be computed: every password would be refused.
            (salt.len() >= MIN_SALT_LEN).then_some(Self::new(argon2, salt, hash.hash?, vec![]))
        };
        let verifier = parse().ok_or_else(|| {
            "is not an argon2id hash as `watchboard hash-password` prints: it begins with $argon2id$ (in a shell, put it into single quotes)"
                .to_owned()
        })?;
        let memory = verifier.argon2.params().m_cost();
        if memory > MOST_MEMORY_KIB {
            return Err(format!(
                "asks for {} MiB of memory at each sign-in, more than {}: make it by `watchboard hash-password`, which asks for {}",
                memory >> 10,
                MOST_MEMORY_KIB >> 10,
                Params::DEFAULT_M_COST >> 10,
            ));
        }
        Ok(verifier)
    }

    fn from_password(password: &str) -> Result<Self, String> {
        let length = password.chars().count();
        if length < SHORTEST {
            return Err(format!("is too short: a password has {SHORTEST} characters or more, and this one {length}"));
        }
        if password.len() > LONGEST {
            return Err(format!("is too long: a password has {LONGEST} bytes at most"));
        }
        let mut salt = vec![0; RECOMMENDED_SALT_LEN];
        getrandom::fill(&mut salt)
            .map_err(|error| format!("cannot be hashed, there are no random numbers: {error}"))?;
        let (argon2, mut memory) = (Argon2::default(), vec![]);
        let hash = compute(&argon2, &salt, password, Params::DEFAULT_OUTPUT_LEN, &mut memory)
            .map_err(|error| format!("cannot be hashed: {error}"))?;
        Ok(Self::new(argon2, salt, hash, memory))
    }

    fn new(argon2: Argon2<'static>, salt: Vec<u8>, hash: Output, memory: Memory) -> Self {
        Self { argon2, salt, hash, line: Semaphore::new(1 + MOST_WAITING), memory: Arc::new(Mutex::new(memory)) }
    }

    /// The hash as it is kept by a user: in the PHC string format.
    fn to_text(&self) -> Result<String, Error> {
        let salt = SaltString::encode_b64(&self.salt)?;
        let (algorithm, params) = (Algorithm::Argon2id.ident(), ParamsString::try_from(self.argon2.params())?);
        let version = Some(Version::default().into());
        Ok(PasswordHash { algorithm, version, params, salt: Some(salt.as_salt()), hash: Some(self.hash) }.to_string())
    }

    /// Whether this is the password; one is checked at a time, beside what serves requests.
    pub(super) async fn verify(self: Arc<Self>, password: String) -> Result<bool, NoAnswer> {
        let _place = self.line.try_acquire().map_err(|_| NoAnswer::Crowded)?;
        if password.len() > LONGEST {
            return Ok(false);
        }
        // It goes with the work, which goes on when nobody waits for it any more.
        let mut memory = Arc::clone(&self.memory).lock_owned().await;
        let verifier = Arc::clone(&self);
        let checked = tokio::task::spawn_blocking(move || {
            let hash = compute(&verifier.argon2, &verifier.salt, &password, verifier.hash.len(), &mut memory);
            // Two of these are compared in constant time.
            hash.map(|hash| hash == verifier.hash)
        });
        checked.await.map_err(|_| NoAnswer::Failed)?.map_err(|_| NoAnswer::Failed)
    }
}

/// The hash of a password, so many bytes long.
fn compute(
    argon2: &Argon2<'_>,
    salt: &[u8],
    password: &str,
    length: usize,
    memory: &mut Memory,
) -> Result<Output, Error> {
    memory.resize(argon2.params().block_count(), Block::default());
    Output::init_with(length, |hash| {
        Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, hash, memory)?)
    })
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
    let verifier = Verifier::from_password(&password).map_err(|reason| format!("the password {reason}"))?;
    println!("{}", verifier.to_text().map_err(|error| format!("the hash cannot be written: {error}"))?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{PasswordHasher, PasswordVerifier};

    /// The hash of "correct horse battery" by the cheapest parameters there are.
    fn cheap() -> Arc<Verifier> {
        let params = argon2::Params::new(8, 1, 1, None).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, params);
        let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
        let hash = argon2.hash_password(b"correct horse battery", &salt).unwrap().to_string();
        Arc::new(Verifier::from_hash(&hash).unwrap())
    }

    #[tokio::test]
    async fn it_opens_to_the_password_alone() {
        let verifier = cheap();
        for (password, opens) in [("correct horse battery", true), ("correct horse", false), ("", false)] {
            assert_eq!(Arc::clone(&verifier).verify(password.to_owned()).await, Ok(opens), "{password}");
        }
        assert_eq!(verifier.verify("x".repeat(LONGEST + 1)).await, Ok(false));
    }

    #[tokio::test]
    async fn a_password_and_its_hash_open_to_the_same_and_each_check_works_in_the_memory_of_the_first() {
        let verifier = Arc::new(Verifier::from_text("correct horse battery").unwrap());
        let text = verifier.to_text().unwrap();
        let parsed = PasswordHash::new(&text).unwrap();
        assert_eq!(Argon2::default().verify_password(b"correct horse battery", &parsed), Ok(()));
        let first = verifier.memory.lock().await.as_ptr();
        for verifier in [&verifier, &Arc::new(Verifier::from_text(&text).unwrap())] {
            assert_eq!(Arc::clone(verifier).verify("correct horse".to_owned()).await, Ok(false));
            assert_eq!(Arc::clone(verifier).verify("correct horse battery".to_owned()).await, Ok(true));
        }
        assert_eq!(verifier.memory.lock().await.as_ptr(), first);
    }

    #[tokio::test]
    async fn no_more_wait_than_there_are_places() {
        let verifier = cheap();
        let working = Arc::clone(&verifier.memory).lock_owned().await;
        let waiting: Vec<_> = (0..=MOST_WAITING)
            .map(|_| tokio::spawn(Arc::clone(&verifier).verify("correct horse battery".to_owned())))
            .collect();
        // On this one thread: they run until they wait.
        while verifier.line.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(Arc::clone(&verifier).verify("correct horse battery".to_owned()).await, Err(NoAnswer::Crowded));
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
            "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaGhhc2hoYXNo",
            "$argon2id$v=20$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
            "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
        ] {
            assert!(Verifier::from_hash(text).unwrap_err().contains("hash-password"), "{text}");
        }
        let asks_for =
            |kib: u32| Verifier::from_hash(&format!("$argon2id$v=19$m={kib},t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"));
        assert!(asks_for(8).is_ok() && asks_for(MOST_MEMORY_KIB).is_ok());
        assert!(asks_for(4 << 20).unwrap_err().contains("asks for 4096 MiB of memory at each sign-in, more than 1024"));
        assert!(Verifier::from_password("short").unwrap_err().contains("12 characters or more, and this one 5"));
        assert!(Verifier::from_password(&"x".repeat(LONGEST + 1)).unwrap_err().contains("too long"));
    }
}
