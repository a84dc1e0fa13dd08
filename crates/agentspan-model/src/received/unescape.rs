//! Escapes of JSON.

/// The character that an escape at the beginning of `text` stands for, and how many bytes long it is. An
/// escape that JSON does not have stands for the character itself, half of a surrogate pair for U+FFFD, and
/// a backslash at the end for nothing.
pub(super) fn escape(text: &str) -> (Option<char>, usize) {
    let Some(c) = text.chars().nth(1) else {
        return (None, text.len());
    };
    let length = 1 + c.len_utf8();
    let plain = match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => return unicode(text),
        c => c,
    };
    (Some(plain), length)
}

fn unicode(text: &str) -> (Option<char>, usize) {
    let Some(unit) = code_unit(text) else {
        return (Some(char::REPLACEMENT_CHARACTER), 2);
    };
    let other = text.get(6..).and_then(code_unit);
    let pair = other.and_then(|other| char::decode_utf16([unit, other]).next()?.ok());
    match pair {
        Some(c) if c.len_utf16() == 2 => (Some(c), 12),
        _ => {
            let c = char::from_u32(unit.into());
            (Some(c.unwrap_or(char::REPLACEMENT_CHARACTER)), 6)
        }
    }
}

/// The code unit that `\uXXXX` at the beginning of `text` stands for.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

/// A text with its escapes replaced, wherever they stand; nothing if it has none.
pub(super) fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut at = text.iter().position(|byte| *byte == b'\\')?;
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        let (before, escaped) = rest.split_at_checked(at)?;
        plain.extend_from_slice(before);
        // No escape is longer than a pair of code units.
        let longest = escaped.get(..12).unwrap_or(escaped);
        let valid = match std::str::from_utf8(longest) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(longest.get(..error.valid_up_to())?).ok()?,
        };
        let (c, length) = escape(valid);
        let mut buffer = [0; 4];
        plain.extend(c.map_or(&[][..], |c| c.encode_utf8(&mut buffer).as_bytes()));
        rest = escaped.get(length..).unwrap_or_default();
        match rest.iter().position(|byte| *byte == b'\\') {
            Some(next) => at = next,
            None => break,
        }
    }
    plain.extend_from_slice(rest);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_replaced_wherever_they_stand() {
        let check = |text: &[u8], expected: Option<&[u8]>| {
            assert_eq!(
                unescaped(text).as_deref(),
                expected,
                "{}",
                text.escape_ascii()
            );
        };
        check(b"plain", None);
        check(br#"a\"b\\c\/d\n"#, Some(b"a\"b\\c/d\n"));
        check(br"\u00e9\ud83d\ude00!", Some("é😀!".as_bytes()));
        check(
            br"\ud83d!\udE00\uzz",
            Some("\u{fffd}!\u{fffd}\u{fffd}zz".as_bytes()),
        );
        check(br"\", Some(b""));
        check(b"\\\xff\\n", Some(b"\xff\n"));
        check(br"\\u00e9", Some(br"\u00e9"));
        check(
            "\\é日本日本日本".as_bytes(),
            Some("é日本日本日本".as_bytes()),
        );
    }
}
