//! Finds a secret in bytes, in any of many encodings.

use std::io::Read;

use flate2::read::MultiGzDecoder;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How much of a compressed text is looked at.
const INFLATED_BYTES: u64 = 16 * 1024 * 1024;

/// The encodings in which `secret`, an ASCII text, occurs in `bytes`; empty if it does not occur.
///
/// It finds the secret unchanged, in another case, reversed, with each character escaped as JSON
/// does it, once or twice, in both alphabets of base64 at any offset and with any padding, in
/// hexadecimal digits, percent-encoded, in UTF-16 of both byte orders, and in each of these within
/// gzip.
///
/// ```
/// use agentspan_testkit::forms_of;
///
/// assert_eq!(forms_of("s3cret", b"%73%33%63%72%65%74"), ["percent-encoded"]);
/// assert!(forms_of("s3cret", b"** MASKED **").is_empty());
/// ```
#[must_use]
pub fn forms_of(secret: &str, bytes: &[u8]) -> Vec<&'static str> {
    let lower_case = bytes.to_ascii_lowercase();
    let mut forms: Vec<_> = written(secret)
        .into_iter()
        .filter(|(_, case, text)| match case {
            Case::Matters => contains(bytes, text),
            Case::DoesNotMatter => contains(&lower_case, text),
        })
        .map(|(form, ..)| form)
        .collect();
    forms.dedup();
    let inflated = bytes
        .windows(3)
        .enumerate()
        .filter(|(_, window)| *window == [0x1f, 0x8b, 8])
        .filter_map(|(at, _)| bytes.get(at..).map(inflated));
    if inflated
        .into_iter()
        .any(|text| !forms_of(secret, &text).is_empty())
    {
        forms.push("gzip");
    }
    forms
}

enum Case {
    Matters,
    DoesNotMatter,
}

/// How `secret` is written in each form; in lower case where case does not matter.
fn written(secret: &str) -> Vec<(&'static str, Case, Vec<u8>)> {
    let lower_case = secret.to_ascii_lowercase();
    let each = |write: fn(u8) -> String, text: &str| text.bytes().map(write).collect::<String>();
    let insensitive = [
        ("plain", lower_case.clone()),
        ("reversed", lower_case.chars().rev().collect()),
        ("JSON", each(|byte| format!("\\u{byte:04x}"), secret)),
        (
            "JSON in JSON",
            each(|byte| format!("\\\\u{byte:04x}"), secret),
        ),
        ("hexadecimal", each(|byte| format!("{byte:02x}"), secret)),
        (
            "percent-encoded",
            each(|byte| format!("%{byte:02x}"), secret),
        ),
        (
            "UTF-16LE",
            each(|byte| format!("{}\0", char::from(byte)), &lower_case),
        ),
        (
            "UTF-16BE",
            each(|byte| format!("\0{}", char::from(byte)), &lower_case),
        ),
    ];
    let insensitive = insensitive
        .into_iter()
        .map(|(form, text)| (form, Case::DoesNotMatter, text.into_bytes()));
    let alphabets = [("base64", STANDARD), ("base64 for URLs", FOR_URLS)];
    let base64 = alphabets.into_iter().flat_map(|(form, alphabet)| {
        (0..3).map(move |before| {
            (
                form,
                Case::Matters,
                base64(secret.as_bytes(), before, alphabet),
            )
        })
    });
    insensitive.chain(base64).collect()
}

/// The characters of base64 that only depend on `bytes` when `before` other bytes precede them.
fn base64(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let skipped = (6 - before * 8 % 6) % 6;
    bits[skipped..]
        .chunks_exact(6)
        .map(|six| {
            alphabet[six
                .iter()
                .fold(0, |index, bit| index << 1 | usize::from(*bit))]
        })
        .collect()
}

/// The inflated bytes of a gzip text, as far as it can be read.
fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    // Bytes that are no gzip after all give the part that was read until then.
    let _ = MultiGzDecoder::new(bytes)
        .take(INFLATED_BYTES)
        .read_to_end(&mut text);
    text
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    // The first byte is looked for on its own, because that is much faster than windows.
    let Some((first, rest)) = part.split_first() else {
        return true;
    };
    let mut left = bytes;
    while let Some(at) = left.iter().position(|byte| byte == first) {
        left = &left[at + 1..];
        if left.starts_with(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const SECRET: &str = "canary-4711?";

    fn check(form: &str, text: impl AsRef<[u8]>) {
        assert_eq!(forms_of(SECRET, text.as_ref()), [form]);
        let around = [b"\x1f\x8b\x08 {\"a\":\"", text.as_ref(), b"\"}"].concat();
        assert_eq!(forms_of(SECRET, &around), [form]);
        let cut = &text.as_ref()[..text.as_ref().len() / 2];
        assert!(forms_of(SECRET, cut).is_empty(), "{form}");
    }

    #[test]
    fn a_secret_is_found_in_each_form() {
        check("plain", "canary-4711?");
        check("plain", "CANARY-4711?");
        check("reversed", "?1174-yranac");
        check(
            "JSON",
            r"\u0063\u0061\u006E\u0061\u0072\u0079\u002D\u0034\u0037\u0031\u0031\u003f",
        );
        check(
            "JSON in JSON",
            r"\\u0063\\u0061\\u006E\\u0061\\u0072\\u0079\\u002D\\u0034\\u0037\\u0031\\u0031\\u003f",
        );
        check("hexadecimal", "63616E6172792d343731313f");
        check("percent-encoded", "%63%61%6E%61%72%79%2d%34%37%31%31%3F");
        for (form, bytes) in [("UTF-16LE", [1, 0]), ("UTF-16BE", [0, 1])] {
            let wide = SECRET.bytes().flat_map(|byte| bytes.map(|is| is * byte));
            check(form, wide.collect::<Vec<_>>());
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder
            .write_all(format!("{{{SECRET}}}").as_bytes())
            .unwrap();
        check("gzip", encoder.finish().unwrap());
    }

    #[test]
    fn a_secret_is_found_in_base64_wherever_it_begins() {
        let both = ["base64", "base64 for URLs"];
        // From Python: base64.b64encode(before + b"canary-4711?" + b"!!").
        for text in [
            "Y2FuYXJ5LTQ3MTE/ISE=",
            "eGNhbmFyeS00NzExPyEh",
            "eHhjYW5hcnktNDcxMT8hIQ==",
        ] {
            let found = forms_of(SECRET, text.as_bytes());
            assert!(found == both || found == both[..1], "{text}: {found:?}");
            let for_urls = text.replace('/', "_").replace('=', "");
            assert!(
                !forms_of(SECRET, for_urls.as_bytes()).is_empty(),
                "{for_urls}"
            );
        }
        assert_eq!(forms_of(SECRET, b"Y2FuYXJ5LTQ3MTE_"), ["base64 for URLs"]);
    }
}
