//! Row: one more attribute of a scope, up to 512, beside the SDK's simple processor.
//!
//! Two contenders of each make the same spans with more and with fewer attributes; what the difference costs is
//! compared, so that starting and ending a span is not.

use agentspan_model::agent365::ToolCallDetails;
use agentspan_otel::{ExecuteToolScope, ScopeTracer};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SimpleSpanProcessor};

use crate::error::BenchError;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::peers::sdk::Discard;
use crate::row::{Contender, Row};
use crate::scope_row::data::{EventNames, TurnData};

const SCOPE_FEW: &str = "agentspan scope, 8 attributes more";
const SCOPE_SOME: &str = "agentspan scope, 128 attributes more";
const SCOPE_MANY: &str = "agentspan scope, 512 attributes more";
const SDK_FEW: &str = "opentelemetry_sdk simple, 8 attributes";
const SDK_SOME: &str = "opentelemetry_sdk simple, 128 attributes";
const SDK_MANY: &str = "opentelemetry_sdk simple, 512 attributes";

const FEW: usize = 8;
const SOME: usize = 128;
const MANY: usize = 512;

/// How many spans one run makes.
const SPANS: usize = 16;

pub(crate) fn row() -> Result<Row, BenchError> {
    let title = "spans whose attributes are set one by one, text of 16 bytes each, thrown away";
    let goal = |what, ours: &'static str| Goal::new(what, Metric::Caller, ours).of_figure(5);
    Ok(Row::turns("attributes", title, SPANS)
        .rounds(41)
        .contender(Scope::new(SCOPE_FEW, FEW)?)
        .contender(Scope::new(SCOPE_SOME, SOME)?)
        .contender(Scope::new(SCOPE_MANY, MANY)?)
        .contender(Sdk::new(SDK_FEW, FEW))
        .contender(Sdk::new(SDK_SOME, SOME))
        .contender(Sdk::new(SDK_MANY, MANY))
        .goal(
            goal("one more attribute, from 8 to 128", SCOPE_SOME)
                .above(SCOPE_FEW)
                .over_above(SDK_SOME, SDK_FEW)
                .at_most(1.5),
        )
        .goal(
            goal("one more attribute, from 128 to 512", SCOPE_MANY)
                .above(SCOPE_SOME)
                .over_above(SDK_MANY, SDK_SOME)
                .at_most(1.5),
        ))
}

/// Keys that no scope sets itself, and their values, which the program owns.
struct Attributes(Vec<(Key, String)>);

impl Attributes {
    fn new(count: usize) -> Self {
        let pairs = (0..count).map(|number| {
            let key: &'static str = format!("custom.attribute.{number}").leak();
            (Key::from_static_str(key), format!("{number:016}"))
        });
        Self(pairs.collect())
    }

    fn each(&self) -> impl Iterator<Item = KeyValue> {
        let pairs = self.0.iter();
        pairs.map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
    }
}

struct Scope {
    name: &'static str,
    tracer: ScopeTracer,
    data: TurnData,
    attributes: Attributes,
}

impl Scope {
    fn new(name: &'static str, count: usize) -> Result<Self, BenchError> {
        Ok(Self {
            name,
            tracer: ScopeTracer::new(&provider(count)),
            data: TurnData::new(EventNames::NONE)?,
            attributes: Attributes::new(count),
        })
    }
}

impl Contender for Scope {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        agentspan_otel::scopes::set_enabled(true);
    }

    fn run(&mut self) {
        let call = ToolCallDetails::new("clock");
        for _ in 0..SPANS {
            let scope = ExecuteToolScope::builder(&call)
                .with_agent(&self.data.agent)
                .with_tenant(&self.data.tenant)
                .with_tracer(&self.tracer)
                .start();
            for attribute in self.attributes.each() {
                scope.record_attributes([attribute]);
            }
            scope.end();
        }
    }
}

struct Sdk {
    name: &'static str,
    tracer: SdkTracer,
    attributes: Attributes,
}

impl Sdk {
    fn new(name: &'static str, count: usize) -> Self {
        Self {
            name,
            tracer: provider(count).tracer("bench"),
            attributes: Attributes::new(count),
        }
    }
}

/// With a limit that no span reaches.
fn provider(attributes: usize) -> SdkTracerProvider {
    let limit = u32::try_from(attributes + 100).unwrap_or(u32::MAX);
    SdkTracerProvider::builder()
        .with_max_attributes_per_span(limit)
        .with_span_processor(SimpleSpanProcessor::new(Discard))
        .build()
}

impl Contender for Sdk {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self) {
        for _ in 0..SPANS {
            let mut span = self.tracer.start("execute_tool clock");
            for attribute in self.attributes.each() {
                span.set_attribute(attribute);
            }
            span.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_contenders_set_all_attributes() {
        let attributes = Attributes::new(MANY);
        assert_eq!(attributes.each().count(), MANY);
        let mut scope = Scope::new(SCOPE_MANY, MANY).unwrap();
        scope.prepare();
        scope.run();
        Sdk::new(SDK_MANY, MANY).run();
    }
}
