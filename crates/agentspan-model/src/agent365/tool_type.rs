//! How a tool is run.

use super::open_text::open_text;

open_text! {
    /// How a tool is run, the value of `gen_ai.tool.type`.
    ///
    /// The reference takes any text for it; what is none of the three it names is kept in
    /// [`Other`](Self::Other).
    pub enum ToolType {
        /// A function that the client runs, `function`.
        Function = "function",
        /// A call that the agent makes itself to another API, `extension`.
        Extension = "extension",
        /// A look-up in data, `datastore`.
        Datastore = "datastore",
    }
}
