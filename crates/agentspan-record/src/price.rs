//! The cost of a call of a model, by somebody's prices.

use agentspan_model::keys;
use agentspan_model::mapping::normal::{Outline, Usage};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

use crate::Enrichment;
use crate::normalised::outlined;

/// The cost of a span as an attribute of the vocabulary that it is in.
///
/// Only a call of a model has one: what an agent says is the sum of its calls.
pub(crate) fn enrichment(
    span: &SpanData,
    price: &(impl Fn(&Usage, &str) -> Option<f64> + ?Sized),
) -> Enrichment {
    let source = outlined(span);
    let call = Outline::read(&source).filter(|call| !call.is_sum());
    let cost = call.and_then(|call| {
        let answered = call.response_model.as_deref();
        price(&call.usage, answered.or(call.model())?)
    });
    let Some(cost) = cost.filter(|cost| cost.is_finite()) else {
        return Enrichment::none();
    };
    let is_of_open_inference =
        |attribute: &KeyValue| attribute.key.as_str() == keys::OPENINFERENCE_SPAN_KIND;
    let key = if span.attributes.iter().any(is_of_open_inference) {
        keys::LLM_COST_TOTAL
    } else {
        keys::GEN_AI_USAGE_COST
    };
    Enrichment::none().with_attribute(KeyValue::new(key, cost))
}
