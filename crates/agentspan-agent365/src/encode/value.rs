//! Writes one JSON value.

use super::escape::push_text;

/// The place of one value in the body. Each method writes the value and gives the proof of it.
#[derive(Debug)]
pub(crate) struct ValueWriter<'a> {
    out: &'a mut Vec<u8>,
}

/// Proves that a value was written, so that no key stays without one.
#[derive(Debug)]
pub(crate) struct Written(());

impl<'a> ValueWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    pub(crate) fn null(self) -> Written {
        self.out.extend_from_slice(b"null");
        Written(())
    }

    pub(crate) fn flag(self, flag: bool) -> Written {
        self.out
            .extend_from_slice(if flag { b"true" } else { b"false" });
        Written(())
    }

    pub(crate) fn integer(self, number: i64) -> Written {
        push_integer(self.out, number);
        Written(())
    }

    /// Writes the shortest text that reads back as the same number, always with a point or an
    /// exponent so that it stays a float.
    ///
    /// JSON has no other numbers than finite ones. The rest are written as text, named as in the
    /// [JSON mapping of protocol buffers](https://protobuf.dev/programming-guides/json/).
    pub(crate) fn float(self, number: f64) -> Written {
        if number.is_finite() {
            let mut buffer = zmij::Buffer::new();
            self.out
                .extend_from_slice(buffer.format_finite(number).as_bytes());
        } else if number.is_nan() {
            self.out.extend_from_slice(b"\"NaN\"");
        } else if number > 0.0 {
            self.out.extend_from_slice(b"\"Infinity\"");
        } else {
            self.out.extend_from_slice(b"\"-Infinity\"");
        }
        Written(())
    }

    pub(crate) fn text(self, text: &str) -> Written {
        self.out.push(b'"');
        push_text(self.out, text);
        self.out.push(b'"');
        Written(())
    }

    pub(crate) fn array<I: IntoIterator>(
        self,
        items: I,
        write: impl Fn(I::Item, ValueWriter<'_>) -> Written,
    ) -> Written {
        self.out.push(b'[');
        let mut first = true;
        for item in items {
            if !first {
                self.out.push(b',');
            }
            first = false;
            let Written(()) = write(item, ValueWriter::new(self.out));
        }
        self.out.push(b']');
        Written(())
    }
}

/// Appends `number` in decimal digits.
pub(super) fn push_integer<I: itoa::Integer>(out: &mut Vec<u8>, number: I) {
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(number).as_bytes());
}
