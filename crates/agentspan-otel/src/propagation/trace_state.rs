//! The grammar of `tracestate`, <https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values>.

/// The longest key and the longest value.
const CHARACTERS: usize = 256;
const MEMBERS: usize = 32;
/// At least 512 must go on.
const BYTES: usize = 8192;

/// The members of a list that came as several headers; of a key that is there twice the first, which is
/// the latest. `None` if it is no list by the grammar or too long: then all of it is to be discarded.
pub(super) fn parse<'a>(headers: &[&'a str]) -> Option<Vec<(&'a str, &'a str)>> {
    if headers.iter().map(|header| header.len()).sum::<usize>() > BYTES {
        return None;
    }
    let mut members: Vec<(&str, &str)> = Vec::new();
    let mut count = 0;
    for member in headers.iter().flat_map(|header| header.split(',')) {
        let member = member.trim_matches([' ', '\t']);
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=').filter(is_member)?;
        count += 1;
        if count > MEMBERS {
            return None;
        }
        if members.iter().all(|(known, _)| *known != key) {
            members.push((key, value));
        }
    }
    Some(members)
}

/// The header of these members. Those that the grammar does not know, which can come from any code of
/// the process, are left out.
pub(super) fn write<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut header = String::new();
    let mut written: Vec<&str> = Vec::new();
    for (key, value) in members {
        let value = value.trim_end_matches(' ');
        let takes = key.len() + value.len() + 2;
        let is_sent = is_member(&(key, value))
            && !written.contains(&key)
            && written.len() < MEMBERS
            && header.len() + takes <= BYTES;
        if is_sent {
            written.push(key);
            if !header.is_empty() {
                header.push(',');
            }
            header.push_str(key);
            header.push('=');
            header.push_str(value);
        }
    }
    header
}

fn is_member((key, value): &(&str, &str)) -> bool {
    is_key(key) && is_value(value)
}

fn is_key(key: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    key.len() <= CHARACTERS
        && key.bytes().next().is_some_and(is_first)
        && key
            .bytes()
            .all(|byte| is_first(byte) || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@'))
}

fn is_value(value: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'=');
    !value.is_empty()
        && value.len() <= CHARACTERS
        && !value.ends_with(' ')
        && value.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of three bytes.
    fn keys() -> Vec<String> {
        (10..43).map(|n| format!("k{n}")).collect()
    }

    #[test]
    fn no_more_is_sent_than_32_members_and_8192_bytes() {
        let keys = keys();
        let sent = write(keys.iter().map(|key| (key.as_str(), "v")));
        assert_eq!(sent.split(',').count(), 32);
        assert!(sent.ends_with("k41=v"), "{sent}");

        let value = "x".repeat(252);
        for (bytes, fits) in [(220, true), (221, false)] {
            let last = "y".repeat(bytes);
            let members = keys[..31].iter().map(|key| (key.as_str(), &*value));
            let sent = write(members.chain([("last", &*last)]));
            assert_eq!(sent.len(), if fits { 8192 } else { 7966 });
        }
    }

    #[test]
    fn what_is_no_member_or_there_twice_is_not_sent() {
        let members = [
            ("A b", "1"),
            ("a", "\u{e9}"),
            ("a", "1"),
            ("a", "2"),
            ("b", ""),
        ];
        assert_eq!(write(members), "a=1");
    }

    #[test]
    fn a_list_of_8192_bytes_is_read_and_a_longer_one_is_not() {
        let value = "x".repeat(250);
        let members = keys()[..32]
            .iter()
            .map(|key| format!("{key}={value}"))
            .collect::<Vec<_>>();
        let (first, second) = members.split_at(16);
        let (first, second) = (first.join(","), second.join(",") + &" ".repeat(34));
        assert_eq!(first.len() + second.len(), 8192);
        assert_eq!(parse(&[&first, &second]).map(|list| list.len()), Some(32));
        assert_eq!(parse(&[&first, &second, " "]), None);
    }
}
