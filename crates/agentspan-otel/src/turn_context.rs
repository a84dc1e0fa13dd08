//! Turns of a conversation: their baggage, their attributes, and the messages that an agent sends
//! in them.

mod activity;
mod hosting;
mod output_log;
mod pairs;
mod recorded;

pub use self::activity::{ChannelAccount, Conversation, TurnActivity, TurnContext};
pub(crate) use self::hosting::{Said, entries as hosting_entries};
pub use self::output_log::OutputLog;
pub use self::pairs::turn_context_pairs;
pub(crate) use self::recorded::turn_attributes;
