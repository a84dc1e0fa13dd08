//! Placeholders in texts: `{{name}}`.

/// The names of the placeholders in a text, in order and each as often as it stands there.
///
/// A name is of one or more word characters, with blanks on both sides, both as Python's regular expressions
/// have them: `{{\s*(\w+)\s*}}`.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while let Some(at) = rest.find("{{") {
            let inner = rest.get(at + 2..)?;
            if let Some((name, after)) = placeholder(inner) {
                rest = after;
                return Some(name);
            }
            // The next pair of braces may share one with this.
            rest = rest.get(at + 1..)?;
        }
        None
    })
}

/// The name of a placeholder whose opening braces have been read, and what is left of the text.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_start_matches(is_blank);
    let end = inner.find(|c| !is_of_word(c))?;
    let (name, after) = inner.split_at_checked(end)?;
    let after = after.trim_start_matches(is_blank).strip_prefix("}}")?;
    (!name.is_empty()).then_some((name, after))
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Whether Python counts a character as one of a word: letters, numbers and the underscore. Unicode counts
/// vowel signs of many scripts and letters in circles as alphabetic too; Python does not.
fn is_of_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric() && (c.is_ascii() || !is_mark(c))
}

fn is_mark(c: char) -> bool {
    let mut bounds = MARKS.chars();
    while let (Some(first), Some(last)) = (bounds.next(), bounds.next()) {
        if c <= last {
            return c >= first;
        }
    }
    false
}

/// The characters that are alphabetic in Unicode 14, and neither letters nor numbers: the first and the last
/// of each range. Characters in between that are not alphabetic do not matter.
#[rustfmt::skip]
const MARKS: &str = "\
    \u{345}\u{36f}\u{5b0}\u{5c7}\u{610}\u{61a}\u{64b}\u{65f}\u{670}\u{670}\u{6d6}\u{6e4}\
    \u{6e7}\u{6ed}\u{711}\u{711}\u{730}\u{73f}\u{7a6}\u{7b0}\u{816}\u{817}\u{81b}\u{823}\
    \u{825}\u{827}\u{829}\u{82c}\u{8d4}\u{903}\u{93a}\u{93b}\u{93e}\u{94f}\u{955}\u{957}\
    \u{962}\u{963}\u{981}\u{983}\u{9be}\u{9cc}\u{9d7}\u{9d7}\u{9e2}\u{9e3}\u{a01}\u{a03}\
    \u{a3e}\u{a51}\u{a70}\u{a71}\u{a75}\u{a83}\u{abe}\u{acc}\u{ae2}\u{ae3}\u{afa}\u{b03}\
    \u{b3e}\u{b57}\u{b62}\u{b63}\u{b82}\u{b82}\u{bbe}\u{bcc}\u{bd7}\u{bd7}\u{c00}\u{c04}\
    \u{c3e}\u{c56}\u{c62}\u{c63}\u{c81}\u{c83}\u{cbe}\u{cd6}\u{ce2}\u{ce3}\u{d00}\u{d03}\
    \u{d3e}\u{d4c}\u{d57}\u{d57}\u{d62}\u{d63}\u{d81}\u{d83}\u{dcf}\u{ddf}\u{df2}\u{df3}\
    \u{e31}\u{e31}\u{e34}\u{e3a}\u{e4d}\u{e4d}\u{eb1}\u{eb1}\u{eb4}\u{ebc}\u{ecd}\u{ecd}\
    \u{f71}\u{f83}\u{f8d}\u{fbc}\u{102b}\u{103e}\u{1056}\u{1059}\u{105e}\u{1060}\
    \u{1062}\u{1064}\u{1067}\u{106d}\u{1071}\u{1074}\u{1082}\u{108d}\u{108f}\u{108f}\
    \u{109a}\u{109d}\u{1712}\u{1713}\u{1732}\u{1733}\u{1752}\u{1753}\u{1772}\u{1773}\
    \u{17b6}\u{17c8}\u{1885}\u{1886}\u{18a9}\u{18a9}\u{1920}\u{1938}\u{1a17}\u{1a1b}\
    \u{1a55}\u{1a74}\u{1abf}\u{1b04}\u{1b35}\u{1b43}\u{1b80}\u{1b82}\u{1ba1}\u{1bad}\
    \u{1be7}\u{1bf1}\u{1c24}\u{1c36}\u{1dd3}\u{1df4}\u{24b6}\u{24e9}\u{2de0}\u{2dff}\
    \u{a674}\u{a67b}\u{a69e}\u{a69f}\u{a802}\u{a802}\u{a80b}\u{a80b}\u{a823}\u{a827}\
    \u{a880}\u{a881}\u{a8b4}\u{a8c5}\u{a8ff}\u{a8ff}\u{a926}\u{a92a}\u{a947}\u{a952}\
    \u{a980}\u{a983}\u{a9b4}\u{a9bf}\u{a9e5}\u{a9e5}\u{aa29}\u{aa36}\u{aa43}\u{aa43}\
    \u{aa4c}\u{aa4d}\u{aa7b}\u{aa7d}\u{aab0}\u{aab0}\u{aab2}\u{aab4}\u{aab7}\u{aab8}\
    \u{aabe}\u{aabe}\u{aaeb}\u{aaef}\u{aaf5}\u{aaf5}\u{abe3}\u{abea}\u{fb1e}\u{fb1e}\
    \u{10376}\u{1037a}\u{10a01}\u{10a0f}\u{10d24}\u{10d27}\u{10eab}\u{10eac}\
    \u{11000}\u{11002}\u{11038}\u{11045}\u{11073}\u{11074}\u{11080}\u{11082}\
    \u{110b0}\u{110c2}\u{11100}\u{11102}\u{11127}\u{11132}\u{11145}\u{11146}\
    \u{11180}\u{11182}\u{111b3}\u{111bf}\u{111ce}\u{111cf}\u{1122c}\u{1123e}\
    \u{112df}\u{112e8}\u{11300}\u{11303}\u{1133e}\u{1134c}\u{11357}\u{11357}\
    \u{11362}\u{11363}\u{11435}\u{11445}\u{114b0}\u{114c1}\u{115af}\u{115be}\
    \u{115dc}\u{115dd}\u{11630}\u{11640}\u{116ab}\u{116b5}\u{1171d}\u{1172a}\
    \u{1182c}\u{11838}\u{11930}\u{1193c}\u{11940}\u{11940}\u{11942}\u{11942}\
    \u{119d1}\u{119df}\u{119e4}\u{119e4}\u{11a01}\u{11a0a}\u{11a35}\u{11a39}\
    \u{11a3b}\u{11a3e}\u{11a51}\u{11a5b}\u{11a8a}\u{11a97}\u{11c2f}\u{11c3e}\
    \u{11c92}\u{11cb6}\u{11d31}\u{11d43}\u{11d47}\u{11d47}\u{11d8a}\u{11d96}\
    \u{11ef3}\u{11ef6}\u{16f4f}\u{16f4f}\u{16f51}\u{16f92}\u{16ff0}\u{16ff1}\
    \u{1bc9e}\u{1bc9e}\u{1e000}\u{1e02a}\u{1e947}\u{1e947}\u{1f130}\u{1f189}";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(placeholders(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_placeholder_is_a_word_in_two_pairs_of_braces() {
        check("https://api/{{city}}?days={{ days }}", &["city", "days"]);
        check("{{\r\nx\u{1c}\u{3000}}} {{x}}", &["x", "x"]);
        check("{{{{x}}}} {{a{{b}}c}} {{{c}}}", &["x", "b", "c"]);
        check("{{a.b}} {{}} {{ }} {{x} }} { {x} } {{x|upper}} {{x", &[]);
        check("{% if a %}{{_b1}}{% endif %}", &["_b1"]);
    }

    #[test]
    fn words_are_those_of_python() {
        check(
            "{{имя}} {{名前}} {{²}} {{①}} {{Ⅷ}} {{٣}}",
            &["имя", "名前", "²", "①", "Ⅷ", "٣"],
        );
        // A combining accent, a tie, a blank without width, a vowel sign, a letter in a circle.
        check(
            "{{e\u{301}}} {{a\u{203f}b}} {{x\u{200b}}} {{ना}} {{Ⓐ}}",
            &[],
        );
    }

    #[test]
    fn the_ranges_are_in_order() {
        assert_eq!(MARKS.chars().count() % 2, 0);
        assert!(MARKS.chars().is_sorted());
    }
}
