//! The fields of an error's body that are looked at. It may be cut anywhere: what comes before is read.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Fields with a message, the best first: of JSON frameworks, OAuth, RFC 9457, databases' HTTP interfaces.
const TEXTS: [&str; 9] =
    ["message", "error_description", "detail", "msg", "reason", "error", "title", "description", "errors"];
/// Fields with a constant of the program.
const CODES: [&str; 2] = ["code", "type"];
/// Fields that may hold such fields, or a list of them.
const HOLDERS: [&str; 6] = ["error", "errors", "detail", "details", "message", "non_field_errors"];
/// The place of a wrong value, as `FastAPI` gives it: `["body", "items", 0, "name"]`.
const PLACE: &str = "loc";
/// Objects within objects.
const MAX_DEPTH: u8 = 4;
/// The parts of a place.
const MAX_PARTS: usize = 8;

/// The fields of one error. Of a list of errors it is the first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorFields {
    pub(super) code: Option<String>,
    pub(super) place: Option<String>,
    pub(super) text: Option<String>,
    /// The place of the text's field in [`TEXTS`], and the depth at which it stands.
    rank: (usize, u8),
}

impl ErrorFields {
    /// `None` if the text is no JSON.
    pub(super) fn read(text: &str) -> Option<Self> {
        if !text.starts_with(['{', '[', '"']) {
            return None;
        }
        let mut fields = Self::default();
        match fields.deserialize(text) {
            Err(error) if fields.text.is_none() && error.is_eof() => {
                // It is cut within a string, which may be the message.
                let _ = fields.deserialize(&format!("{text}\""));
                Some(fields)
            }
            Err(_) if fields.text.is_none() => None,
            _ => Some(fields),
        }
    }

    fn deserialize(&mut self, text: &str) -> serde_json::Result<()> {
        let node = Node { fields: self, role: FieldRole { text: Some(0), ..FieldRole::default() }, depth: 0 };
        node.deserialize(&mut serde_json::Deserializer::from_str(text))
    }

    fn offer(&mut self, role: FieldRole, depth: u8, value: &str) {
        if role.is_code && self.code.is_none() {
            self.code = Some(value.to_owned());
        }
        if role.is_place {
            let place = self.place.get_or_insert_default();
            if place.split('.').count() < MAX_PARTS {
                place.extend((!place.is_empty()).then_some('.'));
                place.push_str(value);
            }
        }
        if let Some(rank) = role.text.filter(|_| !value.trim().is_empty())
            && (self.text.is_none() || (rank, depth) < self.rank)
        {
            self.text = Some(value.to_owned());
            self.rank = (rank, depth);
        }
    }
}

/// What a value is looked at for.
#[derive(Clone, Copy, Default)]
struct FieldRole {
    /// Its place in [`TEXTS`].
    text: Option<usize>,
    is_code: bool,
    is_place: bool,
    /// All strings below are messages: `errors` by fields of the form.
    is_list: bool,
}

impl FieldRole {
    fn from_field(name: &str, within: Self) -> Self {
        let is = |field: &&str| field.eq_ignore_ascii_case(name);
        let text = TEXTS.iter().position(is).or(within.text.filter(|_| within.is_list));
        Self {
            text,
            is_code: CODES.iter().any(is),
            is_place: name == PLACE,
            is_list: name.eq_ignore_ascii_case("errors"),
        }
    }
}

struct Node<'a> {
    fields: &'a mut ErrorFields,
    role: FieldRole,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.fields.offer(self.role, self.depth, value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        if self.role.is_place {
            self.fields.offer(self.role, self.depth, &value.to_string());
        }
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { fields, role, depth } = self;
        if depth < MAX_DEPTH {
            // Of a place all parts, of a list of errors the first.
            while items.next_element_seed(Node { fields: &mut *fields, role, depth: depth + 1 })?.is_some() {
                if !role.is_place {
                    break;
                }
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { fields, role: within, depth } = self;
        while let Some(name) = map.next_key::<String>()? {
            let role = FieldRole::from_field(&name, within);
            let holds = HOLDERS.iter().any(|field| field.eq_ignore_ascii_case(&name)) || role.text.is_some();
            let is_read = depth < MAX_DEPTH && (holds || role.is_code || role.is_place);
            if is_read {
                map.next_value_seed(Node { fields: &mut *fields, role, depth: depth + 1 })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
