//! What Agent Spec means in other vocabularies.

mod content;
pub(crate) mod instances;
mod long_conversation;
mod round_trip;
pub(crate) mod shown;
mod table;
