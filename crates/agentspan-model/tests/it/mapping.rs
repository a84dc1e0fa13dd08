//! What Agent Spec means in other vocabularies.

mod content;
mod instances;
mod long_conversation;
mod round_trip;
mod shown;
mod table;
