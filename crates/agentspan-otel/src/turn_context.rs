//! What a turn of a conversation says about caller, agent, tenant and channel.

mod activity;
mod pairs;

pub use self::activity::{Activity, ChannelAccount, Conversation, TurnContext};
pub use self::pairs::turn_context_pairs;
