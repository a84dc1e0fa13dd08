//! JSON string escaping, a block at a time.
//!
//! `"`, `\` and the characters below U+0020 are escaped, everything else is copied as it is. The
//! attributes of agents are full of JSON documents, with a quote every few words. So one look at a
//! block finds all the bytes in it that need an escape, and the runs between them are copied in
//! pieces of constant size, which cost less than copies of the exact size.

use wide::u8x16;

/// Bytes looked at together while the text is long enough.
const BLOCK: usize = 32;

/// Bytes of the smaller blocks at the end of a text.
const LANES: usize = 16;

/// Two of these fill the lanes.
const HALF: usize = LANES / 2;

/// Appends `text`, escaped, without the quotes around it.
#[inline]
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    let text = text.as_bytes();
    // Keys and most values are short and plain: one look and two copies, which overlap.
    if let Some((first, last)) = ends::<LANES>(text) {
        if marks(first) | marks(last) == 0 {
            push_overlapping(out, text.len(), first, last);
            return;
        }
    } else if let Some((first, last)) = ends::<HALF>(text) {
        let mut lanes = [0; LANES];
        let (low, high) = lanes.split_at_mut(HALF);
        low.copy_from_slice(first);
        high.copy_from_slice(last);
        if marks(&lanes) == 0 {
            push_overlapping(out, text.len(), first, last);
            return;
        }
    }
    push_any(out, text);
}

/// The first and the last `N` bytes of a text of `N` to `2 * N` bytes, which cover it.
#[inline(always)]
fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    if text.len() > 2 * N {
        return None;
    }
    Some((text.first_chunk()?, text.last_chunk()?))
}

#[inline(never)]
fn push_any(out: &mut Vec<u8>, text: &[u8]) {
    let mut pending = Pending { text, begin: 0 };
    let mut done = 0;
    let mut rest = text;
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        pending.escape(out, done, marks_of_block(block));
        done += BLOCK;
        rest = after;
    }
    if let Some((lanes, after)) = rest.split_first_chunk() {
        pending.escape(out, done, marks(lanes));
        done += LANES;
        rest = after;
    }
    if !rest.is_empty() {
        let Some(lanes) = text.last_chunk() else {
            push_bytewise(out, text);
            return;
        };
        // The lanes begin before `rest`, in bytes which have been looked at.
        pending.escape(out, done, marks(lanes) >> (LANES - rest.len()));
    }
    push_run(out, pending.text);
}

/// What is not copied yet. It begins with bytes that were looked at and need no escape.
struct Pending<'a> {
    text: &'a [u8],
    /// Where it begins in the whole text.
    begin: usize,
}

impl Pending<'_> {
    /// Copies what is before each marked byte, and the byte's escape. The lowest bit of `marks`
    /// stands for the byte at `offset` of the whole text.
    #[inline(always)]
    fn escape(&mut self, out: &mut Vec<u8>, offset: usize, mut marks: u32) {
        while marks != 0 {
            let at = offset + marks.trailing_zeros() as usize;
            marks &= marks - 1;
            let Some((run, [byte, after @ ..])) = self.text.split_at_checked(at - self.begin)
            else {
                return;
            };
            match self.text.first_chunk::<BLOCK>() {
                // A copy of a whole block, of which what is too much is taken back.
                Some(block) if run.len() <= BLOCK => {
                    out.extend_from_slice(block);
                    out.truncate(out.len() - BLOCK + run.len());
                }
                _ => out.extend_from_slice(run),
            }
            push_escape(out, *byte);
            self.text = after;
            self.begin = at + 1;
        }
    }
}

/// Copies what is left, in pieces of constant size if it is short.
fn push_run(out: &mut Vec<u8>, run: &[u8]) {
    match ends::<LANES>(run) {
        Some((first, last)) => push_overlapping(out, run.len(), first, last),
        None => out.extend_from_slice(run),
    }
}

/// Appends `len` bytes, which are at least `N` and at most `2 * N`, given the first and the last `N`.
#[inline(always)]
fn push_overlapping<const N: usize>(
    out: &mut Vec<u8>,
    len: usize,
    first: &[u8; N],
    last: &[u8; N],
) {
    out.extend_from_slice(first);
    out.truncate(out.len() + len - 2 * N);
    out.extend_from_slice(last);
}

/// One bit for each byte, set where an escape is needed.
#[inline]
fn marks_of_block(block: &[u8; BLOCK]) -> u32 {
    match block.split_first_chunk() {
        Some((low, high)) => match high.first_chunk() {
            Some(high) => marks(low) | marks(high) << LANES,
            None => marks(low),
        },
        None => 0,
    }
}

/// One bit for each byte, set where an escape is needed.
#[inline]
fn marks(bytes: &[u8; LANES]) -> u32 {
    let bytes = u8x16::new(*bytes);
    let control = bytes.min(u8x16::splat(0x1f)).cmp_eq(bytes);
    let quote = bytes.cmp_eq(u8x16::splat(b'"'));
    let backslash = bytes.cmp_eq(u8x16::splat(b'\\'));
    // There are as many lanes as bits that can be set, so the sign is never one of them.
    (control | quote | backslash).move_mask().unsigned_abs()
}

fn push_bytewise(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        if needs_escape(*byte) {
            push_escape(out, *byte);
        } else {
            out.push(*byte);
        }
    }
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Appends the escape of a byte that needs one.
#[inline(always)]
fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let letter = SHORT_ESCAPES[usize::from(byte)];
    if letter == 0 {
        let [high, low] = super::hex::digits(byte);
        out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
    } else {
        out.extend_from_slice(&[b'\\', letter]);
    }
}

/// The letters of two-character escapes, zero for characters that have none.
static SHORT_ESCAPES: [u8; 256] = {
    let mut letters = [0; 256];
    letters[b'"' as usize] = b'"';
    letters[b'\\' as usize] = b'\\';
    letters[b'\n' as usize] = b'n';
    letters[b'\r' as usize] = b'r';
    letters[b'\t' as usize] = b't';
    letters[0x08] = b'b';
    letters[0x0c] = b'f';
    letters
};

#[cfg(test)]
mod tests;
