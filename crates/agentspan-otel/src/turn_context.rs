//! What a turn of a conversation says about caller, agent, tenant and channel, and what becomes of it.

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
