//! A trigram index, so that a search skips texts that cannot contain a word.

/// How many bits the trigrams are spread over, before their set is made as small as it may be.
const WIDE: usize = 1 << 16;

/// The least bits of a set.
const LEAST: usize = 256;

/// A set of the trigrams of texts, in lower case as far as they are ASCII. It may say that a text has a
/// word that none of them has, and never the other way round.
#[derive(Debug, Default)]
pub(crate) struct Trigrams(Box<[u64]>);

impl Trigrams {
    /// The trigrams of some texts. They take two or three bits for each that is not in another place, too.
    pub(crate) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut wide = vec![0_u64; WIDE / 64];
        for number in texts.flat_map(|text| trigrams(text.as_bytes())) {
            set(&mut wide, place(number, WIDE));
        }
        let found: usize = wide.iter().map(|word| word.count_ones() as usize).sum();
        let bits = (found * 5 / 2).next_multiple_of(64).clamp(LEAST, WIDE);
        let mut narrow = vec![0_u64; bits / 64];
        for (at, word) in wide.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                let bit = at * 64 + word.trailing_zeros() as usize;
                set(&mut narrow, bit * bits / WIDE);
                word &= word - 1;
            }
        }
        Self(narrow.into_boxed_slice())
    }

    /// Whether one of the texts may have a word, in whatever case. Of letters that have another case and are not
    /// ASCII, nothing is known.
    pub(crate) fn may_have(&self, word: &str) -> bool {
        let bits = self.0.len() * 64;
        let may_have = |number| {
            let at = place(number, bits);
            let word = self.0.get(at / 64);
            word.is_none_or(|word| word & (1 << (at % 64)) != 0)
        };
        let mut pieces = word.split(has_other_case);
        bits == 0 || pieces.all(|piece| trigrams(piece.as_bytes()).all(may_have))
    }

    /// How much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

/// Whether a text may say the same with other bytes, to whoever compares it in lower case.
fn has_other_case(letter: char) -> bool {
    // In lower case, a capital I with a dot is an i and this dot.
    const DOT_ABOVE: char = '\u{307}';
    let is_same = || letter.to_lowercase().eq([letter]) && letter.to_uppercase().eq([letter]);
    !letter.is_ascii() && (letter == DOT_ABOVE || !is_same())
}

fn set(words: &mut [u64], at: usize) {
    if let Some(word) = words.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn trigrams(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let mut last = 0;
    let each = bytes.iter().map(move |byte| {
        last = ((last << 8) | u32::from(byte.to_ascii_lowercase())) & 0x00ff_ffff;
        last
    });
    each.skip(2)
}

/// The bit of a trigram in a set of so many, spread by a multiplication (Knuth's golden ratio). In a smaller set it is
/// the same part of the way from the first to the last.
fn place(number: u32, bits: usize) -> usize {
    let spread = number.wrapping_mul(0x9e37_79b1) >> 16;
    spread as usize * bits / WIDE
}

#[cfg(test)]
mod tests {
    use super::Trigrams;

    #[test]
    fn a_text_may_have_every_word_that_it_has_and_few_that_it_has_not() {
        let text =
            r#"{"name":"invoke_agent Librarian","attributes":[{"key":"color","value":"Grüße"}]}"#;
        let set = Trigrams::of([text].into_iter());
        for from in 0..text.len() {
            for to in from..text.len() {
                if let Some(word) = text.get(from..to) {
                    assert!(set.may_have(&word.to_lowercase()), "{word}");
                }
            }
        }
        assert!(set.may_have("LIBRARIAN") && set.may_have("ab") && set.may_have(""));
        assert!(!set.may_have("größe windmill") && set.may_have("grüße"));
        let others: Vec<String> = (0..1000)
            .map(|number| format!("q{number}x{number}"))
            .collect();
        let taken = others.iter().filter(|word| set.may_have(word)).count();
        assert!(taken < 100, "{taken}");
    }

    #[test]
    fn words_of_scripts_without_case_are_looked_up_and_other_letters_are_not() {
        let text = "{\"text\":\"東京タワーへ行く, İstanbul, ΟΔΟΣ\"}";
        let set = Trigrams::of([text].into_iter());
        let lower = text.to_lowercase();
        for (from, _) in lower.char_indices() {
            for (to, _) in lower.char_indices().filter(|(to, _)| *to > from) {
                let word = lower.get(from..to).unwrap();
                assert!(set.may_have(word), "{word}");
            }
        }
        assert!(!set.may_have("大阪城公園") && !set.may_have("東京タワー windmill"));
    }

    #[test]
    fn sets_grow_with_what_differs_in_the_texts() {
        let bytes = |text: &str| Trigrams::of([text].into_iter()).bytes();
        assert_eq!((bytes(""), bytes(&"abcdefgh".repeat(1_000))), (32, 32));
        let different = |count: u32| (0..count).map(|number| format!("{:06x}", number * 7_919));
        let (few, many): (String, String) =
            (different(100).collect(), different(100_000).collect());
        assert!(bytes(&few) > 64 && bytes(&few) < 400, "{}", bytes(&few));
        assert!(bytes(&many) > 1_000 && bytes(&many) <= 8_192);
        // An empty one says nothing against a word.
        assert!(Trigrams::default().may_have("word"));
    }

    #[test]
    fn a_set_of_several_texts_has_the_words_of_each() {
        let texts = ["one has a lighthouse", "the other a harbour"];
        let set = Trigrams::of(texts.into_iter());
        assert!(set.may_have("lighthouse") && set.may_have("HARBOUR"));
        assert!(!set.may_have("windmill"));
    }
}
