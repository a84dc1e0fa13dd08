//! Converts ids of Agent Spec to ids of OpenTelemetry: 16 bytes for a trace, 8 for a span.

use crate::agentspec::Id;

/// The id of a trace: a UUID bit for bit, any other text through a hash that never changes.
///
/// Never all zero, which is no id in OpenTelemetry. Replaying a recorded trace gives the same id.
///
/// ```
/// use agentspan_model::agentspec::Id;
/// use agentspan_model::mapping::trace_id_bytes;
///
/// let id = Id::from("67e55044-10b1-426f-9247-bb680e5fe0c8");
/// assert_eq!(u128::from_be_bytes(trace_id_bytes(&id)), 0x67e5504410b1426f9247bb680e5fe0c8);
/// ```
#[must_use]
pub fn trace_id_bytes(id: &Id) -> [u8; 16] {
    let uuid = id.to_uuid().filter(|uuid| !uuid.is_nil());
    match uuid {
        Some(uuid) => uuid.into_bytes(),
        None => fnv_1a_128(id.as_bytes()).max(1).to_be_bytes(),
    }
}

/// The id of a span: a hash of its text that never changes.
///
/// Never all zero, which is no id in OpenTelemetry. A UUID has twice the bytes, so that its own
/// would have to be cut, and those of a version and a variant are not random.
///
/// ```
/// use agentspan_model::agentspec::Id;
/// use agentspan_model::mapping::span_id_bytes;
///
/// let id = Id::from("67e55044-10b1-426f-9247-bb680e5fe0c8");
/// assert_eq!(span_id_bytes(&id), span_id_bytes(&id));
/// assert_ne!(span_id_bytes(&id), span_id_bytes(&Id::from("another")));
/// ```
#[must_use]
pub fn span_id_bytes(id: &Id) -> [u8; 8] {
    let hash = fnv_1a_128(id.as_bytes());
    // Both halves together: in the upper one alone, the last bytes of a text change little.
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = hash.to_be_bytes();
    let upper = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let lower = u64::from_be_bytes([i, j, k, l, m, n, o, p]);
    (upper ^ lower).max(1).to_be_bytes()
}

/// The id of a span that has the Agent Spec id of another one in its trace: that of the second such
/// span is repetition 1.
///
/// Some programs, among them WayFlow 26.3.1, start a second span with the id of one that is open.
/// OpenTelemetry takes two spans of one id for one. The same repetition of the same id always has
/// the same OpenTelemetry id; repetition 0 has that of [`span_id_bytes`].
///
/// ```
/// use agentspan_model::agentspec::Id;
/// use agentspan_model::mapping::{repeated_span_id_bytes, span_id_bytes};
///
/// let id = Id::from("67e55044-10b1-426f-9247-bb680e5fe0c8");
/// assert_eq!(repeated_span_id_bytes(&id, 0), span_id_bytes(&id));
/// assert_ne!(repeated_span_id_bytes(&id, 1), span_id_bytes(&id));
/// ```
#[must_use]
pub fn repeated_span_id_bytes(id: &Id, repetition: u32) -> [u8; 8] {
    match repetition {
        0 => span_id_bytes(id),
        // No text has a line break followed by a number by accident.
        n => span_id_bytes(&Id::from(format!("{}\n{n}", id.as_str()))),
    }
}

/// FNV-1a with 128 bits, a hash that is defined once and for all, which those of `std` are not:
/// <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>.
fn fnv_1a_128(bytes: &[u8]) -> u128 {
    const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_the_draft_defines() {
        assert_eq!(fnv_1a_128(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv_1a_128(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }

    #[test]
    fn ids_stay_the_same_from_release_to_release() {
        let id = Id::from("67e55044-10b1-426f-9247-bb680e5fe0c8");
        assert_eq!(span_id_bytes(&id), SPAN_ID);
        assert_eq!(trace_id_bytes(&Id::from("nightly")), TRACE_ID);
    }

    #[test]
    fn a_uuid_without_bits_is_no_trace_id() {
        let nil = Id::from("00000000-0000-0000-0000-000000000000");
        assert_ne!(trace_id_bytes(&nil), [0; 16]);
    }

    #[test]
    fn ids_that_count_up_stay_apart() {
        let ids = (0..10_000).map(|n| Id::from(format!("00000000-0000-4000-8000-{n:012}")));
        let distinct: std::collections::BTreeSet<_> = ids.map(|id| span_id_bytes(&id)).collect();
        assert_eq!(distinct.len(), 10_000);
    }

    const SPAN_ID: [u8; 8] = [0xbc, 0xa6, 0x20, 0x08, 0x42, 0xe5, 0x93, 0xc4];
    const TRACE_ID: [u8; 16] = [
        0x5b, 0xe0, 0xec, 0x3c, 0x9f, 0x4f, 0xf7, 0x8d, 0x82, 0x59, 0xc5, 0x61, 0x84, 0xd6, 0xd8,
        0x9a,
    ];
}
