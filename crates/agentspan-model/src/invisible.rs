//! Invisible characters, by Unicode's own properties.

/// The characters of Unicode 16.0.0 whose general category is `Cf` (format), or which have the property
/// `Default_Ignorable_Code_Point`: joiners, marks of direction, fillers, tags, variation selectors, and
/// what is reserved for more of them. As ranges, in order.
const INVISIBLE: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether `c` shows nothing of its own or only changes how others show, so that texts that differ in it can
/// look the same.
pub(crate) fn is_invisible(c: char) -> bool {
    let after = INVISIBLE.partition_point(|(first, _)| *first <= c);
    let range = after.checked_sub(1).and_then(|at| INVISIBLE.get(at));
    range.is_some_and(|(_, last)| c <= *last)
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::{Class, HirKind};

    use super::is_invisible;

    #[test]
    fn every_character_is_what_unicode_says() {
        // The tables of another project, made from the files of Unicode 16.0.0 too.
        let pattern = r"[\p{Cf}\p{Default_Ignorable_Code_Point}]";
        let hir = regex_syntax::parse(pattern).unwrap();
        let HirKind::Class(Class::Unicode(class)) = hir.kind() else {
            panic!("{hir:?}");
        };
        let ranges = class.ranges().iter();
        let expected: Vec<char> = ranges
            .flat_map(|range| range.start()..=range.end())
            .collect();
        let found: Vec<char> = ('\0'..=char::MAX).filter(|c| is_invisible(*c)).collect();
        assert_eq!(found, expected);
        assert!(found.len() > 4_000);
    }
}
