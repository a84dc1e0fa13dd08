//! Attributes that trace functions as agents and tools of Agent Spec.
//!
//! Use them as `#[agentspan::agent]` and `#[agentspan::tool]`, with the feature `macros` of
//! `agentspan`. They expand to an execution of `agentspan::processor::execution`, which you can
//! also write by hand.

#![doc(html_root_url = "https://docs.rs/agentspan-macros/latest")]

mod expand;
mod function;
mod options;

use proc_macro::TokenStream;

/// Traces a function as the execution of a tool.
///
/// Each call opens a `ToolExecutionSpan` below the current span. Its events hold the arguments and
/// the result. An `Err`, a panic or the drop of the future becomes an `ExceptionRaised` event
/// instead of the result. Outside an Agent Spec trace, the attribute has no effect.
///
/// ```text
/// /// The weather of a city.
/// #[agentspan::tool(skip(client))]
/// async fn forecast(client: &Client, city: &str) -> Result<Forecast, anyhow::Error> {
///     // ...
/// }
/// ```
///
/// The function may be `async` or not, generic, or a method. It must return a `Result` whose value
/// is `serde::Serialize`, and whose error is `Display`, `'static` and
/// `From<agentspan::processor::TraceError>`, like `anyhow::Error` and `Box<dyn Error>`. Recorded
/// arguments must be `serde::Serialize`, too. All arguments with a name are recorded, except for
/// skipped arguments; `self` and patterns such as `(a, b)` have no name.
///
/// - `name = "…"`: the name of the tool. The default is the name of the function.
/// - `skip(a, b)`, `skip_all`: arguments to leave out. By default, all are recorded.
/// - `component = …`: an expression for the `Tool`, for instance `self.tool`. The default is a tool
///   with the name, and with the first paragraph of the function's documentation as its
///   description. It is created once.
///
/// - `crate = "…"`: the path of `agentspan`, if your crate renames it, or if your own macro writes
///   the attribute. The default is `::agentspan`.
///
/// Contents are masked or removed as everywhere: see the guide's page on privacy.
#[proc_macro_attribute]
pub fn tool(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::function("Tool", options.into(), function.into()).into()
}

/// Traces a function as the execution of an agent.
///
/// Each call opens an `AgentExecutionSpan` below the current span, and spans of the functions that
/// it calls are inside it. The options are those of [`macro@tool`], with an `Agent` instead of a
/// `Tool`.
///
/// ```text
/// #[agentspan::agent(name = "weather agent")]
/// async fn answer(question: &str) -> Result<String, anyhow::Error> {
///     let weather = forecast("Zürich").await?;
///     // ...
/// }
/// ```
#[proc_macro_attribute]
pub fn agent(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::function("Agent", options.into(), function.into()).into()
}
