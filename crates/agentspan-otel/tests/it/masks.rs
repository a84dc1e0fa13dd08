//! A7, A8, D3, D4: what leaves the process for a reader who sees no contents, in bytes.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_model::agent365::Profile;
use agentspan_model::agentspec::{Disclosure, SpanDetails};
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering};
use agentspan_otel::{
    ConsoleExporter, ExportQueue, Masked, OtelBridge, OtlpJsonLines, Rendered, ScopeTracer,
    from_otel,
};
use agentspan_processor::Trace;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Status, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use serde_json::Value;

use crate::bridge::watched::Kept;
use crate::canaries::{self, CANARY};

const RENDERINGS: [Rendering; 5] = [
    Rendering::GenAi,
    Rendering::Agent365(Profile::V0_1),
    Rendering::Agent365(Profile::V2),
    Rendering::OpenInference,
    Rendering::AgentSpec,
];

/// Spans of every source, with contents in every place, through an exporter of each rendering.
fn export<E: SpanExporter + 'static>(exporter: impl Fn() -> E) {
    for rendering in RENDERINGS {
        let mapping = Mapping::new(rendering).with_capture(ContentCapture::SpanAndEvent);
        let provider = OtelBridge::prepare(SdkTracerProvider::builder())
            .with_simple_exporter(Rendered::new(exporter(), mapping))
            .build();
        for profile in Profile::ALL {
            canaries::scopes(&ScopeTracer::with_profile(&provider, profile));
        }
        canaries::foreign(&provider.tracer("foreign"));
        let bridge = OtelBridge::new(&provider).with_capture(ContentCapture::SpanAndEvent);
        let trace = Trace::builder().with_processor(bridge).start().unwrap();
        canaries::agent_spec();
        trace.end().unwrap();
        provider.shutdown().unwrap();
    }
}

fn exported<E: SpanExporter + 'static>(wrap: impl Fn(Kept) -> E) -> Vec<SpanData> {
    let kept = Kept::default();
    export(|| wrap(kept.clone()));
    kept.spans()
}

#[test]
fn a7_a8_d4_no_span_that_is_exported_holds_contents() {
    let masked = exported(|kept| Masked::new(kept, Disclosure::Masked));
    let harmless = exported(Masked::known_harmless);
    let clear = exported(|kept| Masked::new(kept, Disclosure::Clear));
    assert_eq!((masked.len(), harmless.len()), (clear.len(), clear.len()));
    for span in masked.iter().chain(&harmless) {
        assert!(!format!("{span:?}").contains(CANARY), "{span:#?}");
    }
    let says = |span: &&SpanData| format!("{span:?}").contains(CANARY);
    assert!(
        clear.iter().filter(says).count() > clear.len() / 2,
        "the test says nothing"
    );
}

#[test]
fn a7_a8_d4_no_file_holds_contents() {
    let path = std::env::temp_dir().join(format!("agentspan-masks-{}.jsonl", std::process::id()));
    export(|| Masked::new(OtlpJsonLines::append(&path).unwrap(), Disclosure::Masked));
    export(|| Masked::known_harmless(OtlpJsonLines::append(&path).unwrap()));
    let masked = fs::read_to_string(&path).unwrap();
    export(|| Masked::new(OtlpJsonLines::append(&path).unwrap(), Disclosure::Clear));
    let clear = fs::read_to_string(&path).unwrap().split_off(masked.len());
    fs::remove_file(&path).unwrap();
    assert!(masked.len() > 100_000 && !masked.contains(CANARY));
    assert!(clear.contains(CANARY));
}

/// What the console shows.
fn console(contents: bool) -> String {
    let text = Arc::new(Mutex::new(String::new()));
    export(|| {
        let sink = Arc::clone(&text);
        let console = ConsoleExporter::with_sink(move |tree| {
            sink.lock().unwrap().push_str(tree);
            Ok(())
        });
        if contents {
            console.with_contents()
        } else {
            console
        }
    });
    let text = text.lock().unwrap();
    text.clone()
}

#[test]
fn d3_no_console_shows_contents_unless_it_is_asked_once() {
    let masked = console(false);
    assert!(
        masked.contains("tool_call.function.arguments = ** MASKED **"),
        "{masked}"
    );
    assert!(!masked.contains(CANARY), "{masked}");
    let clear = console(true);
    assert!(clear.contains("gen_ai.system_instructions"), "{clear}");
    assert!(clear.matches(CANARY).count() > 100, "{clear}");
    assert!(
        clear.contains("error: io::Error: What canary-4711 said"),
        "{clear}"
    );
}

/// An exporter that keeps what it is told.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn tell(&self, what: impl Into<String>) -> OTelSdkResult {
        self.0.lock().unwrap().push(what.into());
        Err(OTelSdkError::InternalFailure("told".to_owned()))
    }
}

impl SpanExporter for Told {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.tell(format!("shutdown in {timeout:?}"))
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.tell("shutdown")
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.tell("flush")
    }

    fn set_resource(&mut self, resource: &Resource) {
        let mut pairs: Vec<_> = resource
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.sort();
        let _ = self.tell(pairs.join(" "));
    }
}

#[test]
fn an_exporter_behind_masks_is_told_the_resource_without_contents_and_the_end() {
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("app.note", "x"),
            KeyValue::new("gen_ai.prompt", CANARY),
            KeyValue::new("service.name", "shop"),
        ])
        .build();
    let plain = Resource::builder_empty().with_service_name("shop").build();
    let clear = format!("app.note=x gen_ai.prompt={CANARY} service.name=shop");
    for (disclosure, shown) in [
        (Some(Disclosure::Clear), clear.as_str()),
        (
            Some(Disclosure::Masked),
            "app.note=x gen_ai.prompt=** MASKED ** service.name=shop",
        ),
        (None, "service.name=shop"),
    ] {
        let told = Told::default();
        let mut masked = match disclosure {
            Some(disclosure) => Masked::new(told.clone(), disclosure),
            None => Masked::known_harmless(told.clone()),
        };
        masked.set_resource(&resource);
        masked.set_resource(&plain);
        // The results are the exporter's, too.
        masked.force_flush().unwrap_err();
        masked
            .shutdown_with_timeout(Duration::from_secs(7))
            .unwrap_err();
        masked.shutdown().unwrap_err();
        let told = told.0.lock().unwrap();
        assert_eq!(
            *told,
            [
                shown,
                "service.name=shop",
                "flush",
                "shutdown in 7s",
                "shutdown"
            ]
        );
    }
}

/// Spans that frameworks wrote, recorded: `contents` are pieces of what was said in each.
fn recorded() -> Vec<(Value, Vec<String>)> {
    let spans: Vec<Value> = serde_json::from_str(include_str!("framework_spans.json")).unwrap();
    let contents = |span: &Value| {
        let contents = span["contents"].as_array().unwrap().iter();
        contents
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    spans
        .into_iter()
        .map(|span| (span.clone(), contents(&span)))
        .collect()
}

fn attributes(pairs: &Value) -> Vec<KeyValue> {
    let pairs = pairs.as_array().unwrap().iter();
    let attribute = |pair: &Value| {
        let key = pair[0].as_str().unwrap().to_owned();
        match &pair[1] {
            Value::String(text) => KeyValue::new(key, text.clone()),
            Value::Bool(truth) => KeyValue::new(key, *truth),
            Value::Number(number) if number.is_i64() => {
                KeyValue::new(key, number.as_i64().unwrap())
            }
            Value::Number(number) => KeyValue::new(key, number.as_f64().unwrap()),
            other => KeyValue::new(key, other.to_string()),
        }
    };
    pairs.map(attribute).collect()
}

fn played(span: &Value, exporter: impl SpanExporter + 'static) {
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter)
        .build();
    let tracer = provider.tracer("recorded");
    let name = span["name"].as_str().unwrap().to_owned();
    let builder = tracer
        .span_builder(name)
        .with_attributes(attributes(&span["attributes"]));
    let mut played = builder.start(&tracer);
    for event in span["events"].as_array().unwrap() {
        played.add_event(event[0].as_str().unwrap().to_owned(), attributes(&event[1]));
    }
    played.set_status(Status::error(span["status"].as_str().unwrap().to_owned()));
    played.end();
}

#[test]
fn a8_d4_no_recorded_span_of_a_framework_shows_what_was_said() {
    let recorded = recorded();
    assert!(recorded.len() > 20);
    for (span, contents) in &recorded {
        let [clear, masked, harmless] = [(); 3].map(|()| Kept::default());
        played(span, clear.clone());
        played(span, Masked::new(masked.clone(), Disclosure::Masked));
        played(span, Masked::known_harmless(harmless.clone()));
        for text in contents {
            let shows = |kept: &Kept| format!("{:?}", kept.spans()).contains(text.as_str());
            assert!(shows(&clear), "{span:#} does not say {text:?}");
            assert!(!shows(&masked), "{:#?} says {text:?}", masked.spans());
            assert!(!shows(&harmless), "{:#?} says {text:?}", harmless.spans());
        }
    }
}

#[test]
fn a_queue_masks_before_and_after_a_rendering_alike() {
    let kept = Kept::default();
    let mapping = Mapping::new(Rendering::GenAi).with_capture(ContentCapture::SpanAndEvent);
    // The queue masks what it hands on, and the rendering happens behind it.
    let rendered = Rendered::new(kept.clone(), mapping);
    let queue = ExportQueue::builder("kept", rendered).build().unwrap();
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_span_processor(queue.clone())
        .build();
    let bridge = OtelBridge::new(&provider).with_capture(ContentCapture::SpanAndEvent);
    let trace = Trace::builder().with_processor(bridge).start().unwrap();
    canaries::agent_spec();
    trace.end().unwrap();
    queue.flush(Duration::from_secs(30)).unwrap();
    let names: Vec<_> = kept
        .spans()
        .iter()
        .map(|span| span.name.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "chat gpt-4o",
            "execute_tool get_weather",
            "invoke_agent Clerk",
            "Trace"
        ]
    );
    assert!(!format!("{:?}", kept.spans()).contains(CANARY));
}

#[test]
fn a_masked_trace_is_rebuilt_and_still_names_what_ran() {
    let spans = exported(|kept| Masked::new(kept, Disclosure::Masked));
    // Agent 365 shows no components.
    let rebuilt = spans.iter().filter_map(|span| from_otel(span).ok());
    let mut models = 0;
    for span in rebuilt.flatten() {
        if let SpanDetails::LlmGenerationSpan(details) = &span.span.details {
            assert_eq!(details.llm_config.model_id().as_deref(), Some("gpt-4o"));
            assert_eq!(
                details.llm_config.text("url").as_deref(),
                Some("** MASKED **")
            );
            assert_eq!(span.span.events.len(), 3);
            models += 1;
        }
    }
    assert_eq!(models, 3);
}
