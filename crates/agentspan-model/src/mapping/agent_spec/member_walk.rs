//! Walks the members of a dump without building it: each wanted one is shown as it is if it is a text, and
//! otherwise written as JSON, one after the other into one buffer.

use std::fmt;

use serde::Serialize;
use serde::ser::{Error as _, Impossible, SerializeMap, Serializer};
use serde_json::Error;

use crate::json_writer::push_json;

/// Buffers of this size need not grow for most members, which would cost an allocation for each doubling.
const USUAL_KEY: usize = 64;
const USUAL_VALUE: usize = 512;

/// The value of a member.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// A text as it is. Escaping it and taking the escapes back would cost more than all the rest.
    Text(&'a str),
    /// The JSON of all else.
    Json(&'a str),
}

/// Calls `found` with the name and the value of each member of `dump` that is wanted, in order.
pub(super) fn walk<T: Serialize>(
    dump: &T,
    is_wanted: &dyn Fn(&str) -> bool,
    found: &mut dyn FnMut(&str, Value<'_>),
) {
    let walk = Walk {
        is_wanted,
        found,
        key: String::with_capacity(USUAL_KEY),
        value: Vec::new(),
    };
    // A dump is a map of what can be written as JSON. If it were not, its members would be missing, and a
    // reader would say which.
    let _ = dump.serialize(walk);
}

struct Walk<'a> {
    is_wanted: &'a dyn Fn(&str) -> bool,
    found: &'a mut dyn FnMut(&str, Value<'_>),
    /// The name of the member whose value comes next.
    key: String,
    value: Vec<u8>,
}

impl SerializeMap for Walk<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key.clear();
        key.serialize(Text(&mut |name| self.key.push_str(name)))
            .map_err(Error::custom)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        if !(self.is_wanted)(&self.key) {
            return Ok(());
        }
        let shown = value.serialize(Text(&mut |text| (self.found)(&self.key, Value::Text(text))));
        if shown.is_ok() {
            return Ok(());
        }
        self.value.clear();
        self.value.reserve(USUAL_VALUE);
        push_json(&mut self.value, value)?;
        let json = std::str::from_utf8(&self.value).map_err(Error::custom)?;
        (self.found)(&self.key, Value::Json(json));
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

/// Shows a text as it is. All else is refused before anything is shown, at no cost: the error is empty.
struct Text<'a>(&'a mut dyn FnMut(&str));

/// The methods that are refused, with the error of the serializer.
macro_rules! no_members {
    ($($method:ident($($argument:ty),*);)*) => {
        $(
            fn $method(self $(, _: $argument)*) -> Result<(), Self::Error> {
                Err(Self::Error::custom("not what is looked for"))
            }
        )*
    };
}

macro_rules! no_compound {
    ($($method:ident($($argument:ty),*) -> $compound:ident;)*) => {
        $(
            fn $method(self $(, _: $argument)*) -> Result<Self::$compound, Self::Error> {
                Err(Self::Error::custom("not what is looked for"))
            }
        )*
    };
}

impl Serializer for Walk<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Self;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    no_members! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    no_compound! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(Error::custom("not a map"))
    }
}

impl Serializer for Text<'_> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Impossible<(), fmt::Error>;
    type SerializeTuple = Impossible<(), fmt::Error>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Impossible<(), fmt::Error>;
    type SerializeStruct = Impossible<(), fmt::Error>;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    fn serialize_str(self, text: &str) -> Result<(), fmt::Error> {
        (self.0)(text);
        Ok(())
    }

    no_members! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    no_compound! {
        serialize_seq(Option<usize>) -> SerializeSeq;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_map(Option<usize>) -> SerializeMap;
        serialize_struct(&'static str, usize) -> SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), fmt::Error> {
        Err(fmt::Error)
    }
}
