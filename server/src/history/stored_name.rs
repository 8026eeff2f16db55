//! Names of endpoints and commands as they are stored, and what of the history was sent to the store.

use std::collections::HashSet;

use watchboard_wire::CommandName;

use crate::history::store::NameKey;

/// What was sent to the store.
#[derive(Debug, Default)]
pub(super) struct SentToStore {
    /// The tick up to which steps of ten seconds were sent.
    pub(super) until: u64,
    /// Steps that earlier runs did not complete, by their tier in memory and their start. They are sent anew.
    pub(super) refolded: Vec<(usize, u64)>,
    pub(super) names: HashSet<NameKey>,
}

/// A name of an endpoint or of a command, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StoredName {
    Endpoint { method: Option<String>, route: String },
    Command(CommandName),
}

impl SentToStore {
    /// The key of a name. One that the store does not have yet is added to `fresh`.
    pub(super) fn key(&mut self, name: &StoredName, fresh: &mut Vec<(NameKey, Vec<u8>)>) -> NameKey {
        let encoded = name.encode();
        let key = NameKey::of(&encoded);
        if self.names.insert(key) {
            fresh.push((key, encoded));
        }
        key
    }
}

impl StoredName {
    /// Texts are divided by a byte that no name has.
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Endpoint { method, route } => ["E", method.as_deref().unwrap_or_default(), "\0", route].concat(),
            Self::Command(CommandName { command, database, collection }) => {
                ["C", command, "\0", database, "\0", collection].concat()
            }
        }
        .into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, texts) = std::str::from_utf8(bytes).ok()?.split_at_checked(1)?;
        let mut texts = texts.split('\0').map(str::to_owned);
        let mut next = || texts.next();
        match kind {
            "E" => {
                let method = next().filter(|method| !method.is_empty());
                Some(Self::Endpoint { method, route: next()? })
            }
            "C" => Some(Self::Command(CommandName { command: next()?, database: next()?, collection: next()? })),
            _ => None,
        }
    }
}
