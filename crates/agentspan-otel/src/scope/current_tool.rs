//! The execution of a tool that is the current span.
//!
//! The [conventions] want one span where a tool is called with a message: that of the tool, which
//! takes the attributes of the message. So whoever sends the message looks here first.
//!
//! [conventions]: https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md#client

use std::sync::Arc;

use agentspan_model::agentspec::Tool;
use agentspan_model::keys;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};

use super::latest::Latest;
use super::span::SharedSpan;

/// Says, in the context of what happens inside of a tool's span, that it is one.
#[derive(Debug)]
pub(crate) struct CurrentTool {
    span: Arc<SharedSpan>,
    said_by: SaidBy,
}

/// The holder of the facts of the call.
#[derive(Clone, Debug)]
pub(crate) enum SaidBy {
    /// The attributes of the span, which is a scope's.
    Attributes,
    /// An Agent Spec span that executes this tool.
    Record(Tool),
}

impl CurrentTool {
    /// `context` for what happens while `span` executes a tool.
    pub(crate) fn add_to(context: &Context, span: &Arc<SharedSpan>, said_by: SaidBy) -> Context {
        context.with_value(Self {
            span: Arc::clone(span),
            said_by,
        })
    }

    /// The span that executes this tool, if it is the current one in `context`, and no message of
    /// another call is a part of it. From now on, that of `method` is.
    pub(crate) fn claim(
        context: &Context,
        name: &str,
        method: &str,
    ) -> Option<(Arc<SharedSpan>, SaidBy)> {
        let tool = context.get::<Self>()?;
        let is_current = context.span().span_context() == tool.span.span_context();
        let is_of = |attributes: &Latest<KeyValue>| match &tool.said_by {
            SaidBy::Attributes => {
                let mut own = attributes.own();
                own.any(|it| it.key.as_str() == keys::GEN_AI_TOOL_NAME && it.value.as_str() == name)
            }
            SaidBy::Record(tool) => tool.name() == name,
        };
        let method = KeyValue::new(keys::MCP_METHOD_NAME, method.to_owned());
        let is_claimed = is_current && tool.span.claim(method, is_of);
        is_claimed.then(|| (Arc::clone(&tool.span), tool.said_by.clone()))
    }
}
