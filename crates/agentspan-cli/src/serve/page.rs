//! The embedded page: its source without comments, indentation, and line ends that say nothing.

/// The source, with its scripts and styles.
const SOURCE: &[u8] = include_bytes!("../../page/index.html");

/// The page.
static PAGE: [u8; length(SOURCE)] = embedded(SOURCE);

/// The page. Its `<script>` and its `<style>` have no nonce yet.
pub(super) fn text() -> &'static str {
    // Only whole lines and blanks were taken out of a text.
    std::str::from_utf8(&PAGE).unwrap_or_default()
}

/// The part of a line that is kept, from where to where, and where the next line begins. Nothing is kept of one that is
/// a comment, and no line end where the script or the style goes on for certain.
const fn kept(source: &[u8], mut from: usize) -> (usize, usize, usize) {
    while from < source.len() && source[from] == b' ' {
        from += 1;
    }
    let mut end = from;
    while end < source.len() && source[end] != b'\n' {
        end += 1;
    }
    let is_comment =
        end - from > 1 && source[from] == b'/' && matches!(source[from + 1], b'/' | b'*');
    let after = if end < source.len() { end + 1 } else { end };
    let mut next = after;
    while next < source.len() && source[next] == b' ' {
        next += 1;
    }
    let goes_on = end > from && matches!(source[end - 1], b';' | b',' | b'{')
        || next < source.len() && matches!(source[next], b'}' | b'.' | b'@');
    if is_comment {
        (after, after, after)
    } else if goes_on {
        (from, end, after)
    } else {
        (from, after, after)
    }
}

const fn length(source: &[u8]) -> usize {
    let (mut at, mut length) = (0, 0);
    while at < source.len() {
        let (from, end, next) = kept(source, at);
        length += end - from;
        at = next;
    }
    length
}

const fn embedded<const LENGTH: usize>(source: &[u8]) -> [u8; LENGTH] {
    let mut page = [0; LENGTH];
    let (mut at, mut length) = (0, 0);
    while at < source.len() {
        let (mut from, end, next) = kept(source, at);
        while from < end {
            page[length] = source[from];
            length += 1;
            from += 1;
        }
        at = next;
    }
    page
}

#[cfg(test)]
mod tests {
    use super::{SOURCE, embedded, length, text};

    #[test]
    fn comments_indentation_and_needless_line_ends_are_left_out_and_nothing_else() {
        const LINES: &[u8] = b"<p>a  b</p>\n  // why\n /* how */\n  f(\"// no\")\n\n/ 2;\n  g(1,\n 2)\n if (a) {\n  b\n}\nc;";
        const EMBEDDED: [u8; length(LINES)] = embedded(LINES);
        let wanted = "<p>a  b</p>\nf(\"// no\")\n\n/ 2;g(1,2)\nif (a) {b}\nc;";
        assert_eq!(std::str::from_utf8(&EMBEDDED), Ok(wanted));
        // A comment of several lines would be torn, and so would a text of several lines; a comment behind code would
        // take in the next line.
        let source = std::str::from_utf8(SOURCE).unwrap();
        for line in source.lines().map(str::trim_start) {
            assert!(line.starts_with("//") || !line.contains(" //"), "{line}");
            assert!(!line.starts_with("/*") || line.ends_with("*/"), "{line}");
            assert_eq!(line.matches('`').count() % 2, 0, "{line}");
        }
        assert!(text().starts_with("<!DOCTYPE html>\n") && text().ends_with("</html>\n"));
    }
}
