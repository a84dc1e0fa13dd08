//! The form of requests in each generation of the contract.

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::Wire;

/// The form of bodies that senders of this generation use.
pub(super) fn wire(profile: Profile) -> Wire {
    match profile {
        Profile::Direct => Wire::Standard,
        _ => Wire::Flat,
    }
}
