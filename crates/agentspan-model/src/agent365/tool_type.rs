//! The types of tools.

use super::open_text::open_text;

open_text! {
    /// The type of a tool, the value of `gen_ai.tool.type`.
    ///
    /// The reference accepts any text. Other texts than its three names are kept in
    /// [`Other`](Self::Other).
    pub enum ToolType {
        /// A function that the client runs, `function`.
        Function = "function",
        /// A call of another API by the agent itself, `extension`.
        Extension = "extension",
        /// A query of a data store, `datastore`.
        Datastore = "datastore",
    }
}
