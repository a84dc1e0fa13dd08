//! The turn as scopes.

use agentspan_model::keys;
use agentspan_otel::{ExecuteToolScope, InferenceScope, InvokeAgentScope, ScopeTracer};
use opentelemetry::KeyValue;
use opentelemetry::trace::get_active_span;

use crate::scope_row::data::TurnData;

pub(crate) fn turn_of_scopes(tracer: &ScopeTracer, data: &TurnData) {
    InvokeAgentScope::builder(&data.invocation)
        .with_tenant(&data.tenant)
        .with_request(&data.request)
        .with_caller(&data.caller)
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|_| {
            model_call(tracer, data);
            tool_call(tracer, data);
            model_call(tracer, data);
        });
}

fn model_call(tracer: &ScopeTracer, data: &TurnData) {
    InferenceScope::builder(&data.model_call)
        .with_agent(&data.agent)
        .with_tenant(&data.tenant)
        .with_request(&data.model_request)
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|scope| {
            model_events(data);
            scope.record_output_messages(&[&data.model_answer]);
        });
}

fn tool_call(tracer: &ScopeTracer, data: &TurnData) {
    ExecuteToolScope::builder(&data.tool_call)
        .with_agent(&data.agent)
        .with_tenant(&data.tenant)
        .with_tracer(tracer)
        .start()
        .in_scope_infallible(|_| tool_events(data));
}

/// Events of the current span, with two attributes each.
pub(super) fn model_events(data: &TurnData) {
    for name in data.events.model {
        let model = KeyValue::new(keys::GEN_AI_REQUEST_MODEL, data.model_call.model.clone());
        let kind = KeyValue::new(keys::GEN_AI_TOKEN_TYPE, *name);
        get_active_span(|span| span.add_event(*name, vec![model, kind]));
    }
}

/// Events of the current span, with one attribute each.
pub(super) fn tool_events(data: &TurnData) {
    for name in data.events.tool {
        let tool = KeyValue::new(keys::GEN_AI_TOOL_NAME, data.tool_call.tool_name.clone());
        get_active_span(|span| span.add_event(*name, vec![tool]));
    }
}
