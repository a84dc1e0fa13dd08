//! Finds numbers that JSON cannot hold.

use std::fmt;

use serde::{Serialize, Serializer, ser};

/// Whether all numbers in a value are finite. `serde_json` writes `null` for the others, without a word.
pub(super) fn is_finite<T: Serialize + ?Sized>(value: &T) -> bool {
    value.serialize(Finite).is_ok()
}

/// Walks through a value, writes nothing, and fails at a number that is not finite.
#[derive(Clone, Copy)]
struct Finite;

/// A number is not finite.
#[derive(Debug)]
struct NotFinite;

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number is not finite")
    }
}

impl std::error::Error for NotFinite {}

impl ser::Error for NotFinite {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Checked = Result<(), NotFinite>;

macro_rules! accept {
    ($($method:ident: $type:ty),*) => {
        $(
            fn $method(self, _: $type) -> Checked {
                Ok(())
            }
        )*
    };
}

impl Serializer for Finite {
    type Ok = ();
    type Error = NotFinite;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_i128: i128, serialize_u8: u8, serialize_u16: u16,
        serialize_u32: u32, serialize_u64: u64, serialize_u128: u128, serialize_char: char,
        serialize_str: &str, serialize_bytes: &[u8], serialize_unit_struct: &'static str
    );

    fn serialize_f32(self, value: f32) -> Checked {
        value.is_finite().then_some(()).ok_or(NotFinite)
    }

    fn serialize_f64(self, value: f64) -> Checked {
        value.is_finite().then_some(()).ok_or(NotFinite)
    }

    fn serialize_none(self) -> Checked {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Checked {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Checked {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Checked {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, NotFinite> {
        Ok(self)
    }
}

macro_rules! check_parts {
    ($($trait:ident::$method:ident($($name:ty)?)),*) => {
        $(
            impl ser::$trait for Finite {
                type Ok = ();
                type Error = NotFinite;

                fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Checked {
                    value.serialize(*self)
                }

                fn end(self) -> Checked {
                    Ok(())
                }
            }
        )*
    };
}

check_parts!(
    SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeTupleVariant::serialize_field(),
    SerializeStruct::serialize_field(&'static str),
    SerializeStructVariant::serialize_field(&'static str)
);

impl ser::SerializeMap for Finite {
    type Ok = ();
    type Error = NotFinite;

    /// Keys that are floats become strings, and are no numbers of JSON then.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Checked {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Checked {
        value.serialize(*self)
    }

    fn end(self) -> Checked {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::is_finite;

    #[derive(Serialize)]
    enum Part {
        Unit,
        Newtype(f64),
        Tuple(f32, Option<f64>),
        Struct { value: Vec<f64> },
    }

    #[track_caller]
    fn check(finite: bool, make: impl Fn(f64) -> Vec<Part>) {
        assert!(is_finite(&make(1.5)));
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(is_finite(&make(number)), finite);
        }
    }

    #[test]
    fn numbers_are_found_wherever_they_are() {
        check(true, |_| vec![Part::Unit, Part::Newtype(0.0)]);
        check(false, |number| vec![Part::Unit, Part::Newtype(number)]);
        check(false, |number| vec![Part::Tuple(0.0, Some(number))]);
        check(false, |number| {
            vec![Part::Struct {
                value: vec![0.0, number],
            }]
        });
        assert!(!is_finite(&(f32::NAN, "x")));
        assert!(!is_finite(&std::collections::BTreeMap::from([(
            "k",
            f64::NAN
        )])));
    }
}
