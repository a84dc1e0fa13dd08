//! Turns by hand with the SDK's tracer, from attributes that the program has in its hands.
//!
//! The spans copy the attributes and do nothing else with them: no text is escaped, joined or formatted.

use agentspan_model::keys;
use agentspan_testkit::turn;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Tracer, mark_span_as_active};
use opentelemetry_sdk::trace::SpanData;

/// One turn: its last span is the parent of the others.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    pub(crate) agent: Option<SpanData>,
    pub(crate) children: Vec<SpanData>,
}

impl Replay {
    /// Makes spans like these, whose last is the parent of the others.
    pub(crate) fn new(mut spans: Vec<SpanData>) -> Self {
        Self {
            agent: spans.pop(),
            children: spans,
        }
    }

    /// The test kit's turn: 4 spans, 38 attributes, 6 events, 3.3 KB of text.
    pub(crate) fn whole_turn() -> Self {
        Self::new(turn::spans(1, 1))
    }

    /// The test kit's turn without what the turn in Agent Spec does not say, and with what it says besides.
    ///
    /// A call of a model has 7 attributes here, a tool 5 and the agent 5.
    pub(crate) fn facts_of_agent_spec() -> Self {
        let mut spans = turn::spans(1, 1);
        let is_agent = |span: &SpanData| span.name.starts_with("invoke_agent");
        let unsaid = [
            keys::GEN_AI_CONVERSATION_ID,
            keys::SESSION_ID,
            keys::GEN_AI_CALLER_ID,
            keys::GEN_AI_CALLER_NAME,
            keys::GEN_AI_EXECUTION_TYPE,
            keys::SERVER_ADDRESS,
            keys::GEN_AI_RESPONSE_FINISH_REASONS,
            keys::TENANT_ID,
        ];
        for span in &mut spans {
            let is_agent = is_agent(span);
            span.attributes.retain(|attribute| {
                let key = attribute.key.as_str();
                !unsaid.contains(&key) && (is_agent || key != keys::GEN_AI_AGENT_ID)
            });
            if span.name.starts_with("execute_tool") {
                let result = KeyValue::new(keys::GEN_AI_EVENT_CONTENT, turn::arguments());
                span.attributes.push(result);
            }
        }
        Self::new(spans)
    }

    /// Makes the turn.
    pub(crate) fn run<T>(&self, tracer: &T)
    where
        T: Tracer,
        T::Span: Send + Sync + 'static,
    {
        let children = || {
            for child in &self.children {
                within(tracer, child, || ());
            }
        };
        match &self.agent {
            Some(agent) => within(tracer, agent, children),
            None => children(),
        }
    }
}

fn within<T>(tracer: &T, span: &SpanData, work: impl FnOnce())
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    use opentelemetry::trace::Span as _;

    let mut started = tracer
        .span_builder(span.name.clone())
        .with_kind(span.span_kind.clone())
        .with_attributes(span.attributes.clone())
        .start(tracer);
    for event in &span.events.events {
        started.add_event(event.name.clone(), event.attributes.clone());
    }
    // The last owner of the span ends it.
    let active = mark_span_as_active(started);
    work();
    drop(active);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_have_as_many_attributes_as_they_say() {
        let counts = |turn: &Replay| {
            let spans = turn.children.iter().chain(&turn.agent);
            spans.map(|span| span.attributes.len()).collect::<Vec<_>>()
        };
        assert_eq!(counts(&Replay::whole_turn()), [10, 6, 10, 12]);
        assert_eq!(counts(&Replay::facts_of_agent_spec()), [7, 5, 7, 5]);
    }
}
