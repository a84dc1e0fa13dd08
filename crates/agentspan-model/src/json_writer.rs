//! Values as compact JSON, written with the fast [escape](crate::escape).
//!
//! Texts, lists and objects are written here. All else, such as numbers, is left to `serde_json`, and
//! so the JSON is the same as `serde_json`'s, byte for byte.

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
    SerializeTupleStruct, Serializer,
};
use serde_json::Error;

use crate::escape::push_quoted;

/// Room for most values, so that they need not grow.
const USUAL: usize = 256;

/// Writes a value that cannot fail to be JSON: texts and raw JSON under keys that are texts.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut json = Vec::with_capacity(USUAL);
    match push_json(&mut json, value) {
        Ok(()) => String::from_utf8(json).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// Appends a value.
pub(crate) fn push_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    value.serialize(Writer { out })
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

/// An object or a list that is being written.
struct Items<'a> {
    out: &'a mut Vec<u8>,
    end: u8,
    is_empty: bool,
}

impl<'a> Items<'a> {
    fn begin(out: &'a mut Vec<u8>, brackets: [u8; 2]) -> Self {
        let [begin, end] = brackets;
        out.push(begin);
        Self {
            out,
            end,
            is_empty: true,
        }
    }

    fn separate(&mut self) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        push_json(self.out, value)
    }

    fn finish(self) -> Result<(), Error> {
        self.out.push(self.end);
        Ok(())
    }
}

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeTuple for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeTupleStruct for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.separate();
        let begin = self.out.len();
        push_json(self.out, key)?;
        match self.out.get(begin) {
            Some(b'"') => Ok(()),
            _ => Err(Error::custom("a key is no text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        push_json(self.out, value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

/// A struct that is being written.
struct Struct<'a> {
    name: &'static str,
    /// `None` when a field has been written that is all of the struct.
    items: Option<Items<'a>>,
}

/// A struct whose only field has the name of the struct: that is how `serde_json` hands raw JSON and
/// numbers to itself.
struct OfItself<'a, T: ?Sized> {
    name: &'static str,
    value: &'a T,
}

impl<T: Serialize + ?Sized> Serialize for OfItself<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct(self.name, 1)?;
        fields.serialize_field(self.name, self.value)?;
        fields.end()
    }
}

impl SerializeStruct for Struct<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if name == self.name {
            if let Some(items) = self.items.take() {
                // The brace that was written is not one of an object.
                items.out.pop();
                let name = self.name;
                return serde_json::to_writer(items.out, &OfItself { name, value });
            }
        }
        match &mut self.items {
            Some(items) => items.serialize_entry(name, value),
            None => Err(Error::custom(
                "a struct has more than one field of its name",
            )),
        }
    }

    fn end(self) -> Result<(), Error> {
        self.items.map_or(Ok(()), Items::finish)
    }
}

/// The methods that are left to `serde_json`.
macro_rules! as_ever {
    ($($method:ident($type:ty);)*) => {
        $(
            fn $method(self, value: $type) -> Result<(), Error> {
                serde_json::to_writer(self.out, &value)
            }
        )*
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Struct<'a>;
    type SerializeStructVariant = Impossible<(), Error>;

    as_ever! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_bytes(&[u8]);
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        push_quoted(self.out, text);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
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
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut items = Items::begin(self.out, *b"{}");
        items.serialize_entry(variant, value)?;
        items.finish()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        Ok(Items::begin(self.out, *b"[]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, Error> {
        Ok(Items::begin(self.out, *b"[]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Error> {
        Ok(Items::begin(self.out, *b"[]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error::custom("no value of the model is one"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        Ok(Items::begin(self.out, *b"{}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Struct<'a>, Error> {
        Ok(Struct {
            name,
            items: Some(Items::begin(self.out, *b"{}")),
        })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error::custom("no value of the model is one"))
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::{push_json, to_json};

    #[track_caller]
    fn check<T: Serialize + ?Sized>(value: &T) {
        assert_eq!(to_json(value), serde_json::to_string(value).unwrap());
    }

    #[derive(Serialize)]
    struct Inner<'a> {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
        null: Option<u8>,
        pair: (u8, &'a str),
        raw: &'a RawValue,
    }

    #[derive(Serialize)]
    enum Kind {
        Plain,
        Of(i64),
    }

    #[test]
    fn values_are_written_as_serde_json_does() {
        check("a \"text\" with \u{1}, \n and é");
        check(&json!({"a": [1, -2.5, 1e300, u64::MAX, null, true, {}, []], "\"": "\\"}));
        check(&[f64::NAN, 0.1, -0.0]);
        check(&Some(3));
        check(&[Kind::Plain, Kind::Of(-1)]);
        let raw = RawValue::from_string(r#"{"kept" : 1.10}"#.to_owned()).unwrap();
        check(&raw);
        check(&Inner {
            text: "x",
            left_out: None,
            null: None,
            pair: (7, "y"),
            raw: &raw,
        });
    }

    #[test]
    fn keys_that_are_no_texts_are_refused() {
        let numbers = std::collections::BTreeMap::from([(1, "one")]);
        assert!(push_json(&mut Vec::new(), &numbers).is_err());
    }
}
