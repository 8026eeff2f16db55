//! The token of programs that read figures. Only its SHA-256 is kept.

use axum::http::{HeaderMap, header};
use hex::FromHex;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

/// Characters. SHA-256 is fast, so that only a long token is safe from guessing.
const SHORTEST: usize = 24;

pub(super) struct Token([u8; 32]);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token")
    }
}

/// A token or a hash that cannot be used. The message follows its name.
#[derive(Debug, Error)]
pub(super) enum TokenError {
    #[error(
        "has to be {SHORTEST} visible ASCII characters or more, and has {length}: make one by `openssl rand -base64 32`"
    )]
    NotVisible { length: usize },
    #[error("is not a SHA-256 of 64 hexadecimal digits: `printf %s \"$TOKEN\" | sha256sum` makes one")]
    NotSha256,
}

impl Token {
    /// From the token itself.
    pub(super) fn new(token: &str) -> Result<Self, TokenError> {
        let length = token.chars().count();
        if length < SHORTEST || token.chars().any(|char| !char.is_ascii_graphic()) {
            return Err(TokenError::NotVisible { length });
        }
        Ok(Self(Sha256::digest(token).into()))
    }

    /// From its SHA-256, in hexadecimal digits.
    pub(super) fn from_hash(text: &str) -> Result<Self, TokenError> {
        <[u8; 32]>::from_hex(text).map(Self).map_err(|_| TokenError::NotSha256)
    }

    /// Whether a request has the token, as `Authorization: Bearer TOKEN`.
    pub(super) fn is_sent_with(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
        sent.is_some_and(|(scheme, token)| {
            let hash: [u8; 32] = Sha256::digest(token.trim()).into();
            scheme.eq_ignore_ascii_case("bearer") && bool::from(hash.ct_eq(&self.0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "3q2+7wAAAAAAAAAAAAAAAAAAAA==";
    const HASH: &str = "26e60703effa9f0a17815b478c9a8cfde1ce236530c52862e5e858a0853b0720";

    #[test]
    fn it_is_known_by_its_hash() {
        let token = Token::from_hash(HASH).unwrap();
        assert_eq!(token.0, Token::new(TOKEN).unwrap().0);
        for (header, is_right) in [
            (format!("Bearer {TOKEN}"), true),
            (format!("bearer  {TOKEN}"), true),
            (format!("Basic {TOKEN}"), false),
            (format!("Bearer {TOKEN}="), false),
            (format!("Bearer {HASH}"), false),
            (TOKEN.to_owned(), false),
            ("Bearer".to_owned(), false),
        ] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, header.parse().unwrap())]);
            assert_eq!(token.is_sent_with(&headers), is_right, "{header}");
        }
        assert!(!token.is_sent_with(&HeaderMap::new()));
    }

    #[test]
    fn what_could_be_guessed_or_is_no_hash_is_refused() {
        assert!(Token::new("secret").unwrap_err().to_string().contains("24 visible"));
        assert!(Token::new(&"ä".repeat(30)).is_err());
        for text in ["", "abc", &"0".repeat(63), &"g".repeat(64), &"ä".repeat(32)] {
            assert!(Token::from_hash(text).unwrap_err().to_string().contains("64 hexadecimal"), "{text}");
        }
    }
}
