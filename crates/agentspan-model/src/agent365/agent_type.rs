//! The kinds of agents.

use super::open_text::open_text;

open_text! {
    /// The kind of an agent, the value of `gen_ai.agent.type`.
    ///
    /// 0.1.0 defines five kinds; 2.0.0 also accepts any other text, as [`Other`](Self::Other).
    pub enum AgentType {
        /// An Entra agent with a user of its own.
        EntraEmbodied = "EntraEmbodied",
        /// An Entra agent without a user of its own.
        EntraNonEmbodied = "EntraNonEmbodied",
        /// A Microsoft Copilot agent.
        MicrosoftCopilot = "MicrosoftCopilot",
        /// A declarative agent.
        DeclarativeAgent = "DeclarativeAgent",
        /// An agent of Azure AI Foundry.
        Foundry = "Foundry",
    }
}
