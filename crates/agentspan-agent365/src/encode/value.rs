//! Writes JSON values.

pub(super) fn push_flag(out: &mut Vec<u8>, flag: bool) {
    out.extend_from_slice(if flag { b"true" } else { b"false" });
}

/// Writes the shortest text that reads back as the same number, always with a point or an
/// exponent so that it stays a float.
///
/// JSON has no other numbers than finite ones. The rest are written as text, named as in the
/// [JSON mapping of protocol buffers](https://protobuf.dev/programming-guides/json/).
pub(super) fn push_float(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        let mut buffer = zmij::Buffer::new();
        out.extend_from_slice(buffer.format_finite(number).as_bytes());
    } else if number.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else if number > 0.0 {
        out.extend_from_slice(b"\"Infinity\"");
    } else {
        out.extend_from_slice(b"\"-Infinity\"");
    }
}

/// Writes an array, each item with `push`.
pub(super) fn push_array<T>(out: &mut Vec<u8>, items: &[T], push: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    let mut first = true;
    for item in items {
        if !first {
            out.push(b',');
        }
        first = false;
        push(out, item);
    }
    out.push(b']');
}

/// Appends `number` in decimal digits.
pub(super) fn push_integer<I: itoa::Integer>(out: &mut Vec<u8>, number: I) {
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(number).as_bytes());
}

/// Appends nanoseconds since the Unix epoch in decimal digits. Between the years 2001 and 2286 there are 19.
pub(super) fn push_nanos(out: &mut Vec<u8>, nanos: u64) {
    const EIGHT: u64 = 100_000_000;
    let (high, low) = (nanos / EIGHT, nanos % EIGHT);
    let (high, middle) = (high / EIGHT, high % EIGHT);
    if !(100..1_000).contains(&high) {
        return push_integer(out, nanos);
    }
    let mut digits = [0; 24];
    let (first, rest) = digits.split_at_mut(8);
    let (second, third) = rest.split_at_mut(8);
    first.copy_from_slice(&eight_digits(high));
    second.copy_from_slice(&eight_digits(middle));
    third.copy_from_slice(&eight_digits(low));
    if let Some(digits) = digits.last_chunk::<19>() {
        out.extend_from_slice(digits);
    }
}

/// The last eight digits of a number that has no more. Each step halves the digits of a part, in all parts
/// at once.
fn eight_digits(number: u64) -> [u8; 8] {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    // Exact for what has four digits, as the next is for what has two.
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | ((twos - 10 * tens) << 8);
    (ones | 0x3030_3030_3030_3030).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(nanos: u64) {
        let mut out = Vec::new();
        push_nanos(&mut out, nanos);
        assert_eq!(String::from_utf8(out).unwrap(), nanos.to_string());
    }

    #[test]
    fn times_are_written_in_all_their_digits() {
        for exponent in 0..20 {
            let power = 10_u64.pow(exponent);
            for nanos in [power - 1, power, power + 1, power / 3 * 5] {
                check(nanos);
            }
        }
        check(u64::MAX);
        check(9_999_999_999_999_999_999);
        check(1_765_000_000_123_456_789);
    }

    #[test]
    fn eight_digits_of_every_pair_of_four_are_right() {
        for number in 0..10_000 {
            let text = format!("{number:04}{number:04}");
            assert_eq!(eight_digits(number * 10_001), text.as_bytes(), "{number}");
        }
    }
}
