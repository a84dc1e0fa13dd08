//! Fast escaping of text for JSON.
//!
//! `"`, `\` and the characters below U+0020 are escaped, everything else is copied as it is. The
//! attributes of agents are full of JSON documents, with a quote every few words. So each block is
//! stored before anybody knows whether it needs an escape; one look then finds all the bytes of the
//! block that do, and what follows each of them is stored again, a little further on. All copies
//! have a constant size, and room is made once for a text.
//!
//! Bytes are compared eight at a time, as numbers of 64 bits, and several numbers side by side: the
//! operations are the same for each, so the compiler makes vector instructions of them.

/// Bytes looked at together while the text is long enough.
const BLOCK: usize = 32;

/// A block, and what follows it: what stands after an escape is copied from there.
const SOURCE: usize = 2 * BLOCK;

/// Room for whatever a block becomes: `\u0000` for each of its bytes, and a block that is stored
/// behind the last escape.
const WINDOW: usize = 8 * BLOCK;

/// Room for the longest text of usual length that [`push_framed`] asks for beside the text and what
/// its escapes add: who makes it beforehand spares a text from being moved.
pub(crate) const ROOM: usize = WINDOW + BLOCK;

/// Bytes of a vector.
const LANES: usize = 16;

/// Two of these fill the lanes.
const HALF: usize = LANES / 2;

/// Four of these do.
const QUARTER: usize = LANES / 4;

/// Appends `text` to `out` as it stands in a JSON string, without the quotes around it.
///
/// It escapes the characters that JSON requires, with short escapes if JSON has them (`\n`), and
/// otherwise with lower-case digits (`\u001f`). The output equals `serde_json`'s byte for byte.
/// Long texts take a fraction of `serde_json`'s time.
///
/// ```
/// let mut json = b"\"".to_vec();
/// agentspan_model::escape::push_escaped(&mut json, "Say \"please\"\n");
/// json.push(b'"');
/// assert_eq!(json, br#""Say \"please\"\n""#);
/// ```
#[inline]
pub fn push_escaped(out: &mut Vec<u8>, text: &str) {
    push_framed(out, b"", text, b"");
}

/// Appends `text` to `out` as a JSON string, quotes included.
///
/// See [`push_escaped`].
#[inline]
pub fn push_quoted(out: &mut Vec<u8>, text: &str) {
    push_framed(out, b"\"", text, b"\"");
}

/// Appends `text` as [`push_escaped`] does, between what stands before and after it.
///
/// The frame is written as it is: the quotes, commas and colons of the JSON around the text, which
/// cost next to nothing here. Both parts have at most 16 bytes together; more does not compile.
#[inline]
pub fn push_framed<const B: usize, const A: usize>(
    out: &mut Vec<u8>,
    before: &[u8; B],
    text: &str,
    after: &[u8; A],
) {
    let text = text.as_bytes();
    let frame = (before, text.len(), after);
    // Keys and most values are short and plain: one look and two copies, which overlap.
    if let Some((first, last)) = ends::<LANES>(text) {
        if flags(first) | flags(last) == 0 {
            return push_plain::<B, A, LANES, { 3 * LANES }>(out, frame, (first, last));
        }
    } else if let Some((first, last)) = ends::<BLOCK>(text) {
        if flags_of_block(first) | flags_of_block(last) == 0 {
            return push_plain::<B, A, BLOCK, { 3 * BLOCK }>(out, frame, (first, last));
        }
    } else if let Some((first, last)) = ends::<HALF>(text) {
        if flags(&joined(first, last)) == 0 {
            return push_plain::<B, A, HALF, { 2 * LANES }>(out, frame, (first, last));
        }
    } else if let Some((first, last)) = ends::<QUARTER>(text) {
        let [a, b, c, d] = *first;
        let [e, f, g, h] = *last;
        if marks_of_few(&[a, b, c, d, e, f, g, h]) == 0 {
            return push_plain::<B, A, QUARTER, { 2 * LANES }>(out, frame, (first, last));
        }
    } else if text.len() < QUARTER && marks_of_few(text) == 0 {
        out.extend_from_slice(before);
        text.iter().for_each(|byte| out.push(*byte));
        out.extend_from_slice(after);
        return;
    }
    out.extend_from_slice(before);
    push_any(out, text);
    out.extend_from_slice(after);
}

/// The first and the last `N` bytes of a text of `N` to `2 * N` bytes, which cover it.
#[inline(always)]
fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    if text.len() > 2 * N {
        return None;
    }
    Some((text.first_chunk()?, text.last_chunk()?))
}

#[inline(always)]
fn joined(first: &[u8; HALF], last: &[u8; HALF]) -> [u8; LANES] {
    let mut lanes = [0; LANES];
    let (low, high) = lanes.split_at_mut(HALF);
    low.copy_from_slice(first);
    high.copy_from_slice(last);
    lanes
}

/// Appends a text that needs no escapes, of `N` to `2 * N` bytes, given the first and the last `N`,
/// in its frame. `ROOM` has place for all of that.
#[inline(always)]
fn push_plain<const B: usize, const A: usize, const N: usize, const ROOM: usize>(
    out: &mut Vec<u8>,
    (before, len, after): (&[u8; B], usize, &[u8; A]),
    (first, last): (&[u8; N], &[u8; N]),
) {
    const { assert!(B + 2 * N + A <= ROOM, "the frame is too long") };
    let start = out.len();
    out.extend_from_slice(&[0; ROOM]);
    if let Some(room) = out
        .get_mut(start..)
        .and_then(<[u8]>::first_chunk_mut::<ROOM>)
    {
        store(room, 0, before);
        store(room, B, first);
        store(room, B + len - N, last);
        store(room, B + len, after);
    }
    out.truncate(start + B + len + A);
}

#[inline(never)]
fn push_any(out: &mut Vec<u8>, text: &[u8]) {
    let mut at = out.len();
    // With an escape in 16 bytes, there is no need to make room again.
    out.resize(at + text.len() + text.len() / LANES + WINDOW, 0);
    let mut rest = text;
    while let Some(source) = rest.first_chunk() {
        at += put_at(out, at, source, rest.len()) + BLOCK;
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
    // Blanks need no escape.
    let mut end = [b' '; SOURCE + BLOCK];
    if let Some(place) = end.get_mut(..rest.len()) {
        place.copy_from_slice(rest);
    }
    let mut end = &end[..];
    let mut left = rest.len();
    while let (Some(source), 1..) = (end.first_chunk(), left) {
        let read = left.min(BLOCK);
        at += put_at(out, at, source, left) + read;
        end = end.get(BLOCK..).unwrap_or_default();
        left -= read;
    }
    out.truncate(at);
}

/// Writes the first block of `source` to its place in `out`, and returns how many bytes longer it
/// became. Makes room if there is none for that and for the bytes that are left.
#[inline(always)]
fn put_at(out: &mut Vec<u8>, at: usize, source: &[u8; SOURCE], left: usize) -> usize {
    if out.len() < at + WINDOW {
        out.resize(at + 2 * left + WINDOW, 0);
    }
    let window = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
    window.map_or(0, |window| put_source(window, source))
}

/// Writes the first block of `source`, and returns how many bytes longer it became.
#[inline(always)]
fn put_source(window: &mut [u8; WINDOW], source: &[u8; SOURCE]) -> usize {
    let Some(block) = source.first_chunk() else {
        return 0;
    };
    store(window, 0, block);
    let mut marks = marks_of_block(block);
    if marks == 0 {
        return 0;
    }
    if has_control(block) {
        return put_block(window, source, marks);
    }
    // Quotes and backslashes stand behind a backslash as they are.
    let mut more = 0;
    while marks != 0 {
        let index = marks.trailing_zeros() as usize;
        marks &= marks - 1;
        let Some(after) = source.get(index..).and_then(<[u8]>::first_chunk::<BLOCK>) else {
            break;
        };
        // There are no more escapes than bytes in a block.
        let at = (index + more) % SOURCE;
        store(window, at, b"\\");
        store(window, at + 1, after);
        more += 1;
    }
    more
}

/// Writes the escapes of the first block of `source`, which is stored already, and returns how many
/// bytes longer it became.
#[inline(never)]
fn put_block(window: &mut [u8; WINDOW], source: &[u8; SOURCE], mut marks: u32) -> usize {
    let mut more = 0;
    while marks != 0 {
        let index = marks.trailing_zeros() as usize;
        marks &= marks - 1;
        let Some([byte, after @ ..]) = source.get(index..=index + BLOCK) else {
            break;
        };
        let escape = &ESCAPES[usize::from(*byte)];
        store(window, index + more, &escape.bytes);
        more += usize::from(escape.more);
        if let Some(after) = after.first_chunk::<BLOCK>() {
            store(window, index + more + 1, after);
        }
    }
    more
}

/// Stores bytes at a place where there is room for them.
#[inline(always)]
fn store<const N: usize>(room: &mut [u8], at: usize, bytes: &[u8; N]) {
    if let Some(place) = room.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = *bytes;
    }
}

/// A byte for each byte of a word: these are its lowest and its highest bits.
const LOWEST: u64 = 0x0101_0101_0101_0101;
const HIGHEST: u64 = 0x8080_8080_8080_8080;

/// One bit for each byte, set where an escape is needed.
#[inline(always)]
fn marks_of_block(block: &[u8; BLOCK]) -> u32 {
    let flags = words_of_block(block).map(flags_of_word);
    // Most blocks need none, and this is known before the bits are gathered.
    match any(flags) {
        0 => 0,
        _ => gathered(flags),
    }
}

/// One bit for each byte, set where an escape is needed.
#[inline(always)]
fn marks(bytes: &[u8; LANES]) -> u32 {
    gathered(words(bytes).map(flags_of_word))
}

/// Not zero if an escape is needed.
#[inline(always)]
fn flags_of_block(block: &[u8; BLOCK]) -> u64 {
    any(words_of_block(block).map(flags_of_word))
}

/// Not zero if an escape is needed.
#[inline(always)]
fn flags(bytes: &[u8; LANES]) -> u64 {
    any(words(bytes).map(flags_of_word))
}

#[inline(always)]
fn has_control(block: &[u8; BLOCK]) -> bool {
    let is_control = |word: u64| {
        let is_above = (word & !HIGHEST) + (0x80 - 0x20) * LOWEST;
        !(is_above | word) & HIGHEST
    };
    any(words_of_block(block).map(is_control)) != 0
}

/// The highest bit of each byte, set where an escape is needed. No sum carries into the next byte.
#[inline(always)]
const fn flags_of_word(word: u64) -> u64 {
    let low = word & !HIGHEST;
    // With this bit turned over, the quote is the neighbour of the control characters.
    const TURNED: u64 = (b'"' ^ b' ') as u64 * LOWEST;
    const BACKSLASHES: u64 = b'\\' as u64 * LOWEST;
    let is_above = (low ^ TURNED) + (0x7f - b' ' as u64) * LOWEST;
    let is_not_backslash = (low ^ BACKSLASHES) + 0x7f * LOWEST;
    !((is_above & is_not_backslash) | word) & HIGHEST
}

/// One bit for each byte of the words, in their order, from the highest bit of the byte.
#[inline(always)]
fn gathered<const WORDS: usize>(flags: [u64; WORDS]) -> u32 {
    // Moves the flag of byte `i` to the bit `56 + i`; all others land elsewhere.
    const GATHER: u64 = 0x0002_0408_1020_4081;
    let mut marks = 0;
    for (index, flags) in flags.into_iter().enumerate() {
        marks |= ((flags.wrapping_mul(GATHER) >> 56) as u32) << (8 * index);
    }
    marks
}

#[inline(always)]
fn any<const WORDS: usize>(flags: [u64; WORDS]) -> u64 {
    flags.into_iter().fold(0, |all, flags| all | flags)
}

/// The bytes as two numbers, the first byte of each in its lowest.
#[inline(always)]
fn words(bytes: &[u8; LANES]) -> [u64; 2] {
    let both = u128::from_le_bytes(*bytes);
    [both as u64, (both >> 64) as u64]
}

#[inline(always)]
fn words_of_block(block: &[u8; BLOCK]) -> [u64; 4] {
    let (low, high) = block.split_at(LANES);
    let words = |half: &[u8]| half.first_chunk().map_or([0; 2], words);
    let ([a, b], [c, d]) = (words(low), words(high));
    [a, b, c, d]
}

/// One bit for each byte of a text that is shorter than the lanes, set where an escape is needed.
#[inline(always)]
fn marks_of_few(text: &[u8]) -> u32 {
    let mut lanes = [b' '; LANES];
    for (lane, byte) in lanes.iter_mut().zip(text) {
        *lane = *byte;
    }
    marks(&lanes)
}

/// The escape of a byte that needs one.
#[derive(Clone, Copy)]
struct Escape {
    bytes: [u8; 7],
    /// How much longer it is than the byte. Zero for a byte that stays as it is.
    more: u8,
}

static ESCAPES: [Escape; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut escapes = [Escape {
        bytes: [0; 7],
        more: 0,
    }; 256];
    let mut byte = 0;
    while byte < 0x20 {
        let (high, low) = (DIGITS[byte >> 4], DIGITS[byte & 15]);
        escapes[byte] = Escape {
            bytes: [b'\\', b'u', b'0', b'0', high, low, 0],
            more: 5,
        };
        byte += 1;
    }
    let short = [
        (b'"', b'"'),
        (b'\\', b'\\'),
        (b'\n', b'n'),
        (b'\r', b'r'),
        (b'\t', b't'),
        (0x08, b'b'),
        (0x0c, b'f'),
    ];
    let mut index = 0;
    while index < short.len() {
        let (byte, letter) = short[index];
        escapes[byte as usize] = Escape {
            bytes: [b'\\', letter, 0, 0, 0, 0, 0],
            more: 1,
        };
        index += 1;
    }
    escapes
};

#[cfg(test)]
mod tests;
