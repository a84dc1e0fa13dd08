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

/// Appends `text`, escaped, without the quotes around it.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    let mut escaper = Escaper {
        out,
        text: text.as_bytes(),
        run: 0,
    };
    escaper.push();
}

struct Escaper<'a> {
    out: &'a mut Vec<u8>,
    text: &'a [u8],
    /// Where the bytes begin that were looked at, need no escape and are not copied yet.
    run: usize,
}

impl Escaper<'_> {
    fn push(&mut self) {
        let text = self.text;
        let mut done = 0;
        let mut rest = text;
        while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
            self.escape(done, marks_of_block(block));
            done += BLOCK;
            rest = after;
        }
        if let Some((lanes, after)) = rest.split_first_chunk() {
            self.escape(done, marks(lanes));
            done += LANES;
            rest = after;
        }
        if !rest.is_empty() {
            if let Some(lanes) = text.last_chunk() {
                // The lanes begin before `rest`, in bytes which have been looked at.
                self.escape(done, marks(lanes) >> (LANES - rest.len()));
            } else if !is_plain(text) {
                push_bytewise(self.out, text);
                return;
            }
        }
        push_run(self.out, text.get(self.run..).unwrap_or_default());
    }

    /// Copies what is before each marked byte, and the byte's escape. The lowest bit of `marks`
    /// stands for the byte at `offset`.
    #[inline(always)]
    fn escape(&mut self, offset: usize, mut marks: u32) {
        while marks != 0 {
            let at = offset + marks.trailing_zeros() as usize;
            marks &= marks - 1;
            self.copy_run(at);
            push_escape(self.out, self.text.get(at).copied().unwrap_or_default());
            self.run = at + 1;
        }
    }

    /// Copies the run that ends before `end`: a whole block, of which what is too much is taken
    /// back, if there is as much text.
    #[inline(always)]
    fn copy_run(&mut self, end: usize) {
        let len = end - self.run;
        let rest = self.text.get(self.run..).unwrap_or_default();
        match rest.first_chunk::<BLOCK>() {
            Some(block) if len <= BLOCK => {
                self.out.extend_from_slice(block);
                self.out.truncate(self.out.len() - BLOCK + len);
            }
            _ => self
                .out
                .extend_from_slice(rest.get(..len).unwrap_or_default()),
        }
    }
}

/// Copies a run in two pieces of constant size, which overlap, if it is short.
fn push_run(out: &mut Vec<u8>, run: &[u8]) {
    if run.len() > 2 * LANES {
        out.extend_from_slice(run);
    } else if !(push_overlapping::<LANES>(out, run)
        || push_overlapping::<8>(out, run)
        || push_overlapping::<4>(out, run))
    {
        for byte in run {
            out.push(*byte);
        }
    }
}

/// Copies a run of `N` to `2 * N` bytes, or does nothing and returns `false` if it is shorter.
#[inline]
fn push_overlapping<const N: usize>(out: &mut Vec<u8>, run: &[u8]) -> bool {
    let (Some(first), Some(last)) = (run.first_chunk::<N>(), run.last_chunk::<N>()) else {
        return false;
    };
    out.extend_from_slice(first);
    out.truncate(out.len() + run.len() - 2 * N);
    out.extend_from_slice(last);
    true
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

/// Whether no byte of a text shorter than the lanes needs an escape.
fn is_plain(text: &[u8]) -> bool {
    let mut lanes = [b' '; LANES];
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        let (low, high) = lanes.split_at_mut(8);
        low.copy_from_slice(first);
        high.copy_from_slice(last);
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let (low, high) = lanes.split_at_mut(4);
        low.copy_from_slice(first);
        if let Some(place) = high.first_chunk_mut() {
            *place = *last;
        }
    } else {
        return !text.iter().any(|byte| needs_escape(*byte));
    }
    marks(&lanes) == 0
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
    match SHORT_ESCAPES.get(usize::from(byte)) {
        Some(0) | None => {
            let [high, low] = super::hex::digits(byte);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
        Some(letter) => out.extend_from_slice(&[b'\\', *letter]),
    }
}

/// The letters of two-character escapes, zero for characters that have none.
static SHORT_ESCAPES: [u8; 128] = {
    let mut letters = [0; 128];
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
