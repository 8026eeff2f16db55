//! Names of endpoints, commands and causes as they are stored, and what of the history was sent to the store.

use std::collections::HashSet;

use watchboard_wire::{CommandName, ErrorKind};

use crate::history::store::{NameKey, StoreTier};

/// What was sent to the store.
#[derive(Debug, Default)]
pub(super) struct SentToStore {
    /// The tick up to which the steps of each tier were sent.
    pub(super) until: [u64; StoreTier::ALL.len()],
    /// Steps that earlier runs did not complete, by their tier in memory and their start. They are sent anew.
    pub(super) refolded: Vec<(usize, u64)>,
    pub(super) names: HashSet<NameKey>,
    /// The number of causes among them.
    pub(super) causes: usize,
}

/// Names of causes in a store. Names are kept for good, and messages come from outside: further causes are stored without theirs.
const MAX_CAUSES: usize = 5_000;

/// What has a number in this run, and a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum RunNumber {
    Endpoint(usize),
    Command(usize),
    Cause(u32),
}

/// Finds the number of a name in this run; `None` if there is none, so that what it has is left out.
pub(super) type NumberOf<'a> = &'a mut dyn FnMut(NameKey) -> Option<usize>;

/// A name of an endpoint, of a command or of a cause, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StoredName {
    Endpoint {
        method: Option<String>,
        route: String,
    },
    Command(CommandName),
    /// A cause of errors.
    Cause {
        method: Option<String>,
        route: String,
        status: u16,
        kind: ErrorKind,
        message: Option<String>,
    },
}

impl SentToStore {
    /// The key of a name. One that the store does not have yet is added to `fresh`.
    pub(super) fn key(&mut self, name: StoredName, fresh: &mut Vec<(NameKey, Vec<u8>)>) -> NameKey {
        let encoded = name.encode();
        let key = NameKey::of(&encoded);
        if self.names.contains(&key) {
            return key;
        }
        if let StoredName::Cause { method, route, status, kind, message } = name {
            if message.is_some() && self.causes >= MAX_CAUSES {
                return self.key(StoredName::Cause { method, route, status, kind, message: None }, fresh);
            }
            self.causes += 1;
        }
        self.names.insert(key);
        fresh.push((key, encoded));
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
            Self::Cause { method, route, status, kind, message } => {
                let (method, status) = (method.as_deref().unwrap_or_default(), status.to_string());
                let message = message.as_ref().map(|message| ["\0", message].concat()).unwrap_or_default();
                ["X", method, "\0", route, "\0", &status, "\0", kind_letter(*kind), &message].concat()
            }
        }
        .into_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, texts) = std::str::from_utf8(bytes).ok()?.split_at_checked(1)?;
        let mut texts = texts.split('\0').map(str::to_owned);
        let next = &mut || texts.next();
        match kind {
            "E" => {
                let method = next().filter(|method| !method.is_empty());
                Some(Self::Endpoint { method, route: next()? })
            }
            "X" => {
                let method = next().filter(|method| !method.is_empty());
                let (route, status) = (next()?, next()?.parse().ok()?);
                let letter = next()?;
                let kind = KINDS.into_iter().find(|kind| kind_letter(*kind) == letter)?;
                // A message of the application may have the byte that divides.
                let message = next().map(|first| texts.fold(first, |sum, next| [sum, next].join("\0")));
                Some(Self::Cause { method, route, status, kind, message })
            }
            "C" => Some(Self::Command(CommandName { command: next()?, database: next()?, collection: next()? })),
            _ => None,
        }
    }
}

const KINDS: [ErrorKind; 4] = [ErrorKind::Client, ErrorKind::Server, ErrorKind::Panic, ErrorKind::Dropped];

/// A kind of error as it is stored.
fn kind_letter(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Client => "c",
        ErrorKind::Server => "s",
        ErrorKind::Panic => "p",
        ErrorKind::Dropped => "d",
    }
}
