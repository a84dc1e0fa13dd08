//! The generations of the contract as types, so that predicates, which are plain functions, know theirs.

use agentspan_model::agent365::Profile;

/// A generation of the contract.
pub(super) trait Generation {
    const PROFILE: Profile;
}

/// The first generation, 0.1.0.
pub(super) struct V01;

/// The second generation, 2.0.0.
pub(super) struct V2;

impl Generation for V01 {
    const PROFILE: Profile = Profile::V0_1;
}

impl Generation for V2 {
    const PROFILE: Profile = Profile::V2;
}
