//! How long JSON is when all characters beyond printable ASCII are escaped.

/// As many bytes as one byte of a text can become: a control character is written `\u0000`.
pub(super) const LONGEST_ESCAPE: usize = 6;

/// The length of JSON with its characters escaped: six bytes each, and twelve for those beyond the
/// basic plane. Python escapes the delete character, too.
pub(super) fn ascii_length(json: &[u8]) -> usize {
    json.iter()
        .map(|byte| match byte {
            0x7f | 0xc0..=0xef => LONGEST_ESCAPE,
            0x80..=0xbf => 0,
            0xf0.. => 2 * LONGEST_ESCAPE,
            _ => 1,
        })
        .sum()
}

/// How many bytes a character of a text takes in such JSON.
pub(super) fn ascii_cost(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        ' '..='~' => 1,
        c => LONGEST_ESCAPE * c.len_utf16(),
    }
}

/// How many bytes a text takes in such JSON, without quotes.
pub(super) fn text_cost(text: &str) -> usize {
    text.chars().map(ascii_cost).sum()
}

#[cfg(test)]
mod tests {
    use agentspan_model::escape::push_escaped;

    use super::*;

    #[test]
    fn the_cost_of_a_text_is_its_length_when_written() {
        let all: String = ('\0'..='\u{2ff}')
            .chain(['\u{ffff}', '\u{10000}'])
            .collect();
        let mut json = Vec::new();
        push_escaped(&mut json, &all);
        assert_eq!(text_cost(&all), ascii_length(&json));
        assert_eq!(text_cost("a\u{7f}\u{e9}\u{1f600}\""), 1 + 6 + 6 + 12 + 2);
    }
}
