//! The model through its public API.

mod agent365_json;
mod agent365_mapping;
