//! Attributes that trace functions as agents and tools of Agent Spec.
//!
//! Use them as `#[agentspan::agent]` and `#[agentspan::tool]`, with the feature `macros` of
//! `agentspan`. What they expand to is an execution of `agentspan::processor::execution`, which the
//! function could call itself.

mod expand;
mod function;
mod options;

use proc_macro::TokenStream;

/// Traces a function as the execution of a tool.
///
/// Each call opens a `ToolExecutionSpan` below the current span. Its events hold the arguments and
/// what the function returns; an `Err`, a panic or the drop of the future becomes an
/// `ExceptionRaised` event instead. Outside a trace of Agent Spec, the function does what it would
/// do without the attribute.
///
/// ```text
/// /// The weather of a city.
/// #[agentspan::tool(skip(client))]
/// async fn forecast(client: &Client, city: &str) -> Result<Forecast, anyhow::Error> {
///     // ...
/// }
/// ```
///
/// The function may be `async` or not, generic, or a method. It returns a `Result` whose value is
/// `serde::Serialize`, and whose error is `Display`, `'static` and
/// `From<agentspan::processor::TraceError>`, as `anyhow::Error` and `Box<dyn Error>` are. Arguments
/// that are recorded are `serde::Serialize`, too. Those are all that have a name, which `self` and
/// patterns such as `(a, b)` have not, less those that are skipped.
///
/// - `name = "…"`: the name of the tool. The default is the name of the function.
/// - `skip(a, b)`, `skip_all`: arguments that are not recorded. The default is none.
/// - `component = …`: an expression for the `Tool`, for instance `self.tool`. The default is a tool
///   with the name, and the first paragraph of the function's documentation as its description,
///   which is made once.
///
/// - `crate = "…"`: the path of `agentspan`, where your crate renames it, or where a macro of yours writes
///   the attribute. The default is `::agentspan`.
///
/// Contents are masked or left out as everywhere: see the guide's page on privacy.
#[proc_macro_attribute]
pub fn tool(options: TokenStream, function: TokenStream) -> TokenStream {
    expand::function("Tool", options.into(), function.into()).into()
}

/// Traces a function as the execution of an agent.
///
/// Each call opens an `AgentExecutionSpan` below the current span, and everything that the function
/// calls is inside of it. The rest is as with [`macro@tool`], with an `Agent` for a `Tool`.
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
