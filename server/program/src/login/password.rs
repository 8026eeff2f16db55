//! Checks passwords against an argon2id hash.

use std::{sync::Arc, thread};

use argon2::{
    Algorithm, Argon2, Block, MIN_SALT_LEN, Params, RECOMMENDED_SALT_LEN, Version,
    password_hash::{self, Output, ParamsString, PasswordHash, Salt, SaltString},
};
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore, oneshot};

/// Characters. A shorter password is refused, unless its hash alone is known.
const SHORTEST: usize = 12;
/// Bytes. A longer password costs work and adds no safety.
const LONGEST: usize = 1024;
/// The memory that a hash may ask for. More is no safer, and on a small machine the first sign-in would end the process.
const MAX_MEMORY_KIB: u32 = 1 << 20;
/// Attempts that wait for their turn. Each check takes much memory and time by design.
const MAX_WAITING: usize = 8;

/// The argon2id hash of a password. It checks one attempt at a time.
pub(super) struct Verifier {
    argon2: Argon2<'static>,
    salt: Vec<u8>,
    hash: Output,
    line: Semaphore,
    memory: Arc<Mutex<HashMemory>>,
}

/// The working memory of a check, about 19 MiB. It is kept between checks: the allocator would keep the memory of each one anyway.
type HashMemory = Vec<Block>;

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Verifier")
    }
}

/// The reason why an attempt got no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Too many wait already.
    Crowded,
    /// The check itself has failed.
    Failed,
}

/// A password or a hash that cannot be used. The message follows its name.
#[derive(Debug, Error)]
pub(crate) enum PasswordError {
    #[error(
        "is not an argon2id hash as `watchboard hash-password` prints: it begins with $argon2id$ (in a shell, put it into single quotes)"
    )]
    NotArgon2id,
    #[error(
        "asks for {mib} MiB of memory at each sign-in, more than {}: make it by `watchboard hash-password`, which asks for {}",
        MAX_MEMORY_KIB >> 10, Params::DEFAULT_M_COST >> 10
    )]
    TooMuchMemory { mib: u32 },
    #[error("is too short: a password has {SHORTEST} characters or more, and this one {length}")]
    TooShort { length: usize },
    #[error("is too long: a password has {LONGEST} bytes at most")]
    TooLong,
    #[error("cannot be hashed, there are no random numbers: {0}")]
    NoRandom(#[source] getrandom::Error),
    #[error("cannot be hashed: {0}")]
    NoHash(#[source] password_hash::Error),
}

impl Verifier {
    /// From the password itself, or from its hash.
    pub(super) fn from_text(text: &str) -> Result<Self, PasswordError> {
        if text.starts_with("$argon2") { Self::from_hash(text) } else { Self::from_password(text) }
    }

    /// From a hash as `watchboard hash-password` prints it.
    pub(super) fn from_hash(text: &str) -> Result<Self, PasswordError> {
        let parse = || -> Option<Self> {
            let hash = PasswordHash::new(text).ok()?;
            let algorithm = Algorithm::try_from(hash.algorithm).ok().filter(|one| *one == Algorithm::Argon2id)?;
            let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
            let argon2 = Argon2::new(algorithm, version, Params::try_from(&hash).ok()?);
            let salt = hash.salt?.decode_b64(&mut [0; Salt::MAX_LENGTH]).ok()?.to_vec();
            // argon2 computes nothing from a shorter salt: every password would be refused.
            (salt.len() >= MIN_SALT_LEN).then_some(Self::new(argon2, salt, hash.hash?, vec![]))
        };
        let verifier = parse().ok_or(PasswordError::NotArgon2id)?;
        let memory_kib = verifier.argon2.params().m_cost();
        if memory_kib > MAX_MEMORY_KIB {
            return Err(PasswordError::TooMuchMemory { mib: memory_kib >> 10 });
        }
        Ok(verifier)
    }

    pub(super) fn from_password(password: &str) -> Result<Self, PasswordError> {
        let length = password.chars().count();
        if length < SHORTEST {
            return Err(PasswordError::TooShort { length });
        }
        if password.len() > LONGEST {
            return Err(PasswordError::TooLong);
        }
        let mut salt = vec![0; RECOMMENDED_SALT_LEN];
        getrandom::fill(&mut salt).map_err(PasswordError::NoRandom)?;
        let (argon2, mut memory) = (Argon2::default(), vec![]);
        let hash = compute(&argon2, &salt, password, Params::DEFAULT_OUTPUT_LEN, &mut memory)
            .map_err(PasswordError::NoHash)?;
        Ok(Self::new(argon2, salt, hash, memory))
    }

    fn new(argon2: Argon2<'static>, salt: Vec<u8>, hash: Output, memory: HashMemory) -> Self {
        Self { argon2, salt, hash, line: Semaphore::new(1 + MAX_WAITING), memory: Arc::new(Mutex::new(memory)) }
    }

    /// The hash in the PHC string format, for the configuration.
    pub(super) fn to_text(&self) -> Result<String, password_hash::Error> {
        let salt = SaltString::encode_b64(&self.salt)?;
        let (algorithm, params) = (Algorithm::Argon2id.ident(), ParamsString::try_from(self.argon2.params())?);
        let version = Some(Version::default().into());
        Ok(PasswordHash { algorithm, version, params, salt: Some(salt.as_salt()), hash: Some(self.hash) }.to_string())
    }

    /// Whether this is the password. One check runs at a time, on a thread of its own.
    pub(super) async fn verify(self: Arc<Self>, password: String) -> Result<bool, NoAnswer> {
        let _place = self.line.try_acquire().map_err(|_| NoAnswer::Crowded)?;
        if password.len() > LONGEST {
            return Ok(false);
        }
        // The lock moves into the work, which goes on even if the client leaves.
        let mut memory = Arc::clone(&self.memory).lock_owned().await;
        let verifier = Arc::clone(&self);
        let (answer, checked) = oneshot::channel();
        let check = move || {
            let hash = compute(&verifier.argon2, &verifier.salt, &password, verifier.hash.len(), &mut memory);
            // Nobody waits for it any more if the client has left. `Output` compares in constant time.
            let _ = answer.send(hash.map(|hash| hash == verifier.hash));
        };
        // tokio's blocking threads panic where there is no thread; a check that panics drops the sender.
        thread::Builder::new().name("sign-in".to_owned()).spawn(check).map_err(|_| NoAnswer::Failed)?;
        checked.await.map_err(|_| NoAnswer::Failed)?.map_err(|_| NoAnswer::Failed)
    }
}

/// Computes the hash of a password, `length` bytes long.
fn compute(
    argon2: &Argon2<'_>,
    salt: &[u8],
    password: &str,
    length: usize,
    memory: &mut HashMemory,
) -> Result<Output, password_hash::Error> {
    memory.resize(argon2.params().block_count(), Block::default());
    Output::init_with(length, |hash| {
        Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, hash, memory)?)
    })
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
        let waiting: Vec<_> = (0..=MAX_WAITING)
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
            assert!(Verifier::from_hash(text).unwrap_err().to_string().contains("hash-password"), "{text}");
        }
        let asks_for =
            |kib: u32| Verifier::from_hash(&format!("$argon2id$v=19$m={kib},t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"));
        assert!(asks_for(8).is_ok() && asks_for(MAX_MEMORY_KIB).is_ok());
        assert!(
            asks_for(4 << 20)
                .unwrap_err()
                .to_string()
                .contains("asks for 4096 MiB of memory at each sign-in, more than 1024")
        );
        assert!(
            Verifier::from_password("short").unwrap_err().to_string().contains("12 characters or more, and this one 5")
        );
        assert!(Verifier::from_password(&"x".repeat(LONGEST + 1)).unwrap_err().to_string().contains("too long"));
    }
}
