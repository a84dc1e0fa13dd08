//! A trigram index, so that a search skips texts that cannot contain a word.

/// The least and the most bits of a text's signature.
const LEAST: usize = 256;
const MOST: usize = 1 << 16;

/// A set of the trigrams of a text, in lower case as far as they are ASCII. It may say that a text has a
/// word that it has not, and never the other way round.
#[derive(Debug, Default)]
pub(crate) struct Trigrams(Box<[u64]>);

impl Trigrams {
    /// The trigrams of a text. They take about a bit for each of its bytes.
    pub(crate) fn of(text: &str) -> Self {
        let bits = text.len().next_power_of_two().clamp(LEAST, MOST);
        let mut set = vec![0_u64; bits / 64];
        trigrams(text.as_bytes()).for_each(|number| {
            let (word, bit) = place(number, bits);
            if let Some(word) = set.get_mut(word) {
                *word |= bit;
            }
        });
        Self(set.into_boxed_slice())
    }

    /// Whether the text may have a word, in whatever case. Of words that are not ASCII,
    /// nothing is known.
    pub(crate) fn may_have(&self, word: &str) -> bool {
        let bits = self.0.len() * 64;
        bits == 0
            || !word.is_ascii()
            || trigrams(word.as_bytes()).all(|number| {
                let (word, bit) = place(number, bits);
                self.0.get(word).is_none_or(|found| found & bit != 0)
            })
    }

    /// How much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
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

/// The word and the bit of a trigram, spread by a multiplication (Knuth's golden ratio).
fn place(number: u32, bits: usize) -> (usize, u64) {
    let spread = number.wrapping_mul(0x9e37_79b1) >> 16;
    let at = usize::try_from(spread).unwrap_or_default() & (bits - 1);
    (at / 64, 1 << (at % 64))
}

#[cfg(test)]
mod tests {
    use super::Trigrams;

    #[test]
    fn a_text_may_have_every_word_that_it_has_and_few_that_it_has_not() {
        let text =
            r#"{"name":"invoke_agent Librarian","attributes":[{"key":"color","value":"Grüße"}]}"#;
        let set = Trigrams::of(text);
        for from in 0..text.len() {
            for to in from..text.len() {
                if let Some(word) = text.get(from..to) {
                    assert!(set.may_have(&word.to_lowercase()), "{word}");
                }
            }
        }
        assert!(set.may_have("LIBRARIAN") && set.may_have("ab") && set.may_have(""));
        let others: Vec<String> = (0..1000)
            .map(|number| format!("q{number}x{number}"))
            .collect();
        let taken = others.iter().filter(|word| set.may_have(word)).count();
        assert!(taken < 100, "{taken}");
    }

    #[test]
    fn signatures_grow_with_the_text_and_have_a_bound() {
        let bytes = |length: usize| Trigrams::of(&"abcdefgh".repeat(length / 8)).bytes();
        assert_eq!((bytes(0), bytes(1024), bytes(1 << 20)), (32, 128, 8192));
        // An empty one says nothing against a word.
        assert!(Trigrams::default().may_have("word"));
    }
}
