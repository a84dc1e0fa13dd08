//! What a turn of a conversation says about caller, agent, tenant and channel.

mod activity;
mod hosting;
mod pairs;

pub use self::activity::{ChannelAccount, Conversation, TurnActivity, TurnContext};
pub(crate) use self::hosting::entries as hosting_entries;
pub use self::pairs::turn_context_pairs;
