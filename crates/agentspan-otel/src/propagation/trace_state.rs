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
