//! Lower-case hexadecimal digits by table.

/// The two digits of every byte.
static DIGITS: [[u8; 2]; 256] = table();

/// The two lower-case digits of `byte`.
pub(super) fn digits(byte: u8) -> [u8; 2] {
    DIGITS[usize::from(byte)]
}

/// Appends the 32 digits of a trace id.
pub(super) fn push_trace_id(out: &mut Vec<u8>, id: [u8; 16]) {
    let mut text = [0; 32];
    fill(&mut text, &id);
    out.extend_from_slice(&text);
}

/// Appends the 16 digits of a span id.
pub(super) fn push_span_id(out: &mut Vec<u8>, id: [u8; 8]) {
    let mut text = [0; 16];
    fill(&mut text, &id);
    out.extend_from_slice(&text);
}

fn fill(text: &mut [u8], id: &[u8]) {
    for (pair, byte) in text.chunks_exact_mut(2).zip(id) {
        pair.copy_from_slice(&digits(*byte));
    }
}

const fn table() -> [[u8; 2]; 256] {
    const DIGIT: &[u8; 16] = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [DIGIT[byte >> 4], DIGIT[byte & 15]];
        byte += 1;
    }
    table
}
