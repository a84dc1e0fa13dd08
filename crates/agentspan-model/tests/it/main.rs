//! The model through its public API.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agent365_contract;
mod agent365_json;
mod agent365_mapping;
mod agent365_messages;
mod agent365_profiles;
mod agentspec_documents;
mod agentspec_masking;
mod agentspec_reading;
mod agentspec_recordings;
mod component_copies;
mod mapping;
mod normal_forms;
mod normal_hostile;
mod normal_variants;
mod outline;
mod sensitivity;
mod value_text;
