//! The behaviour of the service for senders of one generation.

use agentspan_model::agent365::Profile;

/// Whether senders know the path of the first generation, whose documentation names neither operations nor what is
/// answered of spans.
pub(super) fn is_first(profile: Profile) -> bool {
    profile == Profile::V0_1
}

/// Whether senders have no package: they follow the attribute reference, and write what it documents.
pub(super) fn is_direct(profile: Profile) -> bool {
    profile == Profile::Direct
}
