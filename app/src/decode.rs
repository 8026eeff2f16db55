//! Reads postcard in the browser. This reader has no errors: of bytes that are cut off or wrong it reads zeros, and says at the end
//! that it did. So the code that serde derives for each type has no path for errors either, which is most of what postcard's own
//! reader adds to the bundle.
//!
//! It reads what the types of the wire are made of: no maps, no characters, no 128 bits.

use std::fmt;

use serde::{
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, SeqAccess, VariantAccess,
        Visitor,
    },
    forward_to_deserialize_any,
};

/// A value from its postcard. `None` if the bytes are not those of a `T`.
pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let mut reader = PostcardReader { rest: bytes, is_torn: false };
    let Ok(value) = T::deserialize(&mut reader);
    (!reader.is_torn).then_some(value)
}

struct PostcardReader<'a> {
    rest: &'a [u8],
    /// Whether a byte was missing or wrong.
    is_torn: bool,
}

impl PostcardReader<'_> {
    /// Of torn bytes nothing more is read.
    fn tear(&mut self) {
        self.is_torn = true;
        self.rest = &[];
    }

    fn byte(&mut self) -> u8 {
        if let Some((first, rest)) = self.rest.split_first() {
            self.rest = rest;
            *first
        } else {
            self.tear();
            0
        }
    }

    /// Seven bits a byte, the lowest first.
    fn varint(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
        }
        self.tear();
        0
    }

    fn signed(&mut self) -> i64 {
        let zigzag = self.varint();
        (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()
    }

    /// A length of what takes at least one byte each.
    fn length(&mut self) -> usize {
        let length = self.varint();
        if length > self.rest.len() as u64 {
            self.tear();
            return 0;
        }
        length as usize
    }

    /// The lowest byte first.
    fn fixed(&mut self, length: usize) -> u64 {
        (0..length).fold(0, |value, index| value | u64::from(self.byte()) << (8 * index))
    }

    fn bytes(&mut self, length: usize) -> &[u8] {
        if length > self.rest.len() {
            self.tear();
        }
        let (bytes, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        bytes
    }

    fn string(&mut self) -> String {
        let length = self.length();
        let text = std::str::from_utf8(self.bytes(length)).map(String::from);
        text.unwrap_or_else(|_| {
            self.tear();
            String::new()
        })
    }
}

/// There is no error of this reader.
#[derive(Debug)]
enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl serde::de::Error for Never {
    /// What serde would refuse is a number beyond its type, a wrong variant or a missing field. The reader gives none of them.
    fn custom<T: fmt::Display>(_: T) -> Self {
        unreachable!("what the reader gives is of the type that was asked for")
    }
}

macro_rules! numbers {
    ($($deserialize:ident $visit:ident $read:expr;)*) => {
        $(fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
            let read: fn(&mut PostcardReader<'de>) -> _ = $read;
            visitor.$visit(read(self))
        })*
    };
}

impl<'de> Deserializer<'de> for &mut PostcardReader<'de> {
    type Error = Never;

    numbers! {
        deserialize_bool visit_bool |reader| reader.byte() != 0;
        deserialize_u8 visit_u8 |reader| reader.byte();
        deserialize_i8 visit_i8 |reader| reader.byte().cast_signed();
        deserialize_u16 visit_u16 |reader| reader.varint() as u16;
        deserialize_u32 visit_u32 |reader| reader.varint() as u32;
        deserialize_u64 visit_u64 |reader| reader.varint();
        deserialize_i16 visit_i16 |reader| reader.signed() as i16;
        deserialize_i32 visit_i32 |reader| reader.signed() as i32;
        deserialize_i64 visit_i64 |reader| reader.signed();
        deserialize_f32 visit_f32 |reader| f32::from_bits(reader.fixed(4) as u32);
        deserialize_f64 visit_f64 |reader| f64::from_bits(reader.fixed(8));
        deserialize_string visit_string |reader| reader.string();
        deserialize_str visit_string |reader| reader.string();
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        if self.byte() == 0 { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        let left = self.length();
        visitor.visit_seq(ListItems { reader: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_seq(StructFields(self))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Never> {
        visitor.visit_seq(StructFields(self))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Never> {
        visitor.visit_seq(StructFields(self))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Never> {
        let mut variant = self.varint() as u32;
        if variant as usize >= variants.len() {
            self.tear();
            variant = 0;
        }
        visitor.visit_enum(Variant { reader: self, variant })
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! { char bytes byte_buf unit_struct map identifier ignored_any }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Never> {
        unimplemented!("postcard does not say what follows")
    }
}

/// The fields of a structure, which are all there.
struct StructFields<'r, 'de>(&'r mut PostcardReader<'de>);

impl<'de> SeqAccess<'de> for StructFields<'_, 'de> {
    type Error = Never;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Never> {
        seed.deserialize(&mut *self.0).map(Some)
    }
}

/// The items of a list.
struct ListItems<'r, 'de> {
    reader: &'r mut PostcardReader<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for ListItems<'_, 'de> {
    type Error = Never;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Never> {
        if self.left == 0 || self.reader.is_torn {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A variant and what it holds.
struct Variant<'r, 'de> {
    reader: &'r mut PostcardReader<'de>,
    variant: u32,
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Never;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Never> {
        let variant = seed.deserialize(self.variant.into_deserializer())?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Never;

    fn unit_variant(self) -> Result<(), Never> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Never> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_seq(StructFields(self.reader))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Never> {
        visitor.visit_seq(StructFields(self.reader))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize as _;
    use watchboard_wire::RefreshResponse;

    /// Bytes that look random, the same in each run.
    fn bytes(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Most lengths and variants are small numbers.
            if state & 1 == 0 { (state >> 32) as u8 & 3 } else { (state >> 40) as u8 }
        };
        std::iter::repeat_with(&mut next).take(length).collect()
    }

    /// Figures of all shapes: whatever the reader makes of such bytes.
    fn figures(seed: u64) -> RefreshResponse {
        let bytes = bytes(seed, 3_000);
        let Ok(value) = RefreshResponse::deserialize(&mut PostcardReader { rest: &bytes, is_torn: false });
        value
    }

    #[test]
    fn it_reads_what_postcard_writes() {
        for seed in 0..300 {
            let written = postcard::to_allocvec(&figures(seed)).unwrap();
            let read = from_bytes::<RefreshResponse>(&written).expect("it is whole");
            // Compared as bytes, since some figures are not a number.
            assert_eq!(postcard::to_allocvec(&read).unwrap(), written, "seed {seed}");
        }
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        let written = postcard::to_allocvec(&figures(7)).unwrap();
        for length in 0..written.len() {
            assert!(from_bytes::<RefreshResponse>(&written[..length]).is_none(), "{length} of {} bytes", written.len());
        }
    }

    #[test]
    fn of_flipped_bits_it_reads_what_postcard_does() {
        for seed in 0..3_000 {
            let mut written = postcard::to_allocvec(&figures(seed % 10)).unwrap();
            let at = (seed as usize).wrapping_mul(7_919) % written.len();
            written[at] ^= 1 << (seed % 8);
            let (ours, theirs) = (from_bytes::<RefreshResponse>(&written), postcard::from_bytes(&written).ok());
            let (ours, theirs): (_, Option<RefreshResponse>) = (ours, theirs);
            if let Some(theirs) = theirs {
                let ours = postcard::to_allocvec(&ours.expect("postcard reads it")).unwrap();
                assert_eq!(ours, postcard::to_allocvec(&theirs).unwrap(), "seed {seed}");
            }
        }
    }
}
