//! Several destinations at once: what each gets, sees and loses.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::agentspec::Disclosure;
use agentspan::otel::export_queue::TraceSampling;
use agentspan::otel::{ConsoleExporter, DropReason};
use agentspan::{AgentSpanProcessor, Configuration, Destination, InstallError, configure};
use agentspan_testkit::CapturedLogs;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Status, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData, SpanExporter};

use crate::meters::Meters;
use crate::metrics::check_conserved;
use crate::process::has_its_own;

const WHILE: Duration = Duration::from_secs(30);

/// Hangs until the other end is dropped, in every export.
#[derive(Debug)]
struct Hanging {
    begun: Sender<()>,
    until: Mutex<Receiver<()>>,
}

impl SpanExporter for Hanging {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        let _ = self.begun.send(());
        let _ = self.until.lock().unwrap().recv();
        Ok(())
    }
}

#[derive(Debug)]
struct Failing;

impl SpanExporter for Failing {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("refused".to_owned()))
    }
}

fn configuration(destinations: impl IntoIterator<Item = Destination>) -> Configuration {
    let configuration = configure().with_environment(&Environment::default());
    let destinations = destinations.into_iter();
    destinations.fold(configuration, Configuration::with_destination)
}

fn processor(destinations: impl IntoIterator<Item = Destination>) -> AgentSpanProcessor {
    configuration(destinations).into_processor().unwrap()
}

/// What the metrics say of each destination's spans, without zeros, by the end of their names.
fn measured(meters: &Meters) -> Vec<(String, f64)> {
    let series = meters.collect();
    check_conserved(&series);
    let of_spans = |name: &str| {
        let name = name.strip_prefix("agentspan.destination.span.")?;
        Some(name.replace("otel.component.name=", ""))
    };
    let series = series.into_iter().filter(|(_, value)| *value != 0.0);
    let mut series: Vec<_> = series
        .filter_map(|(name, value)| Some((of_spans(&name)?, value)))
        .collect();
    series.retain(|(name, _)| !name.starts_with("queue.memory"));
    series
}

#[test]
fn one_that_hangs_and_one_that_fails_cost_the_third_nothing() {
    let meters = Meters::new();
    let (begun, has_begun) = mpsc::channel();
    let (release, until) = mpsc::channel();
    let until = Mutex::new(until);
    let kept = InMemorySpanExporter::default();
    let destinations = [
        Destination::exporter("hanging", Hanging { begun, until }).with_max_spans(100),
        Destination::exporter("failing", Failing),
        Destination::exporter("third", kept.clone()),
    ];
    let processor = configuration(destinations)
        .with_metrics(&meters.provider)
        .into_processor()
        .unwrap();
    let queues = processor.queues().to_vec();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("t");
    let end_spans = |count| (0..count).for_each(|n: u32| tracer.start(n.to_string()).end());

    end_spans(1);
    queues[0].start_flush();
    has_begun.recv_timeout(WHILE).unwrap();
    for _ in 0..5 {
        end_spans(1_000);
        queues[2].flush(WHILE).unwrap();
        let _ = queues[1].flush(WHILE);
    }
    let report = |n: usize| {
        let stats = queues[n].stats();
        (
            stats.accepted,
            stats.exported,
            stats.queued,
            stats.dropped(),
        )
    };
    assert_eq!(report(0), (5_001, 0, 100, 4_901));
    let expected = [
        ("accepted{failing}", 5_001.0),
        ("accepted{hanging}", 5_001.0),
        ("accepted{third}", 5_001.0),
        ("dropped{error.type=export_failed,failing}", 5_001.0),
        ("dropped{error.type=queue_full,hanging}", 4_901.0),
        ("exported{third}", 5_001.0),
        ("queue.size{hanging}", 100.0),
    ];
    assert_eq!(
        measured(&meters),
        expected.map(|(name, value)| (name.to_owned(), value))
    );
    assert!(
        queues[0].stats().queued_bytes < 1 << 20,
        "memory is bounded"
    );
    assert_eq!(report(1), (5_001, 0, 0, 5_001));
    assert_eq!(report(2), (5_001, 5_001, 0, 0));
    assert_eq!(kept.get_finished_spans().unwrap().len(), 5_001);

    provider
        .shutdown_with_timeout(Duration::from_millis(1))
        .unwrap_err();
    assert_eq!(report(0), (5_001, 0, 0, 5_001));
    let after_shutdown = measured(&meters);
    let late = "dropped{error.type=shutdown_deadline,hanging}".to_owned();
    assert!(
        after_shutdown.contains(&(late, 100.0)),
        "{after_shutdown:?}"
    );
    drop(release);
}

#[test]
fn the_report_names_destinations_and_losses() {
    let processor = processor([
        Destination::exporter("failing", Failing),
        Destination::exporter("third", InMemorySpanExporter::default()),
    ]);
    let queues = processor.queues().to_vec();
    let provider = SdkTracerProvider::builder().build();
    let mut span = provider.tracer("t").start("s");
    let data = span.exported_data().unwrap();
    span.end();
    for queue in &queues {
        queue.put(data.clone());
        let _ = queue.flush(WHILE);
    }
    assert_eq!(
        processor.report().to_string(),
        "failing: 1 accepted, 0 exported, 0 queued, 1 dropped (export_failed: 1)\n\
         third: 1 accepted, 1 exported, 0 queued, 0 dropped"
    );
}

#[test]
fn sampling_is_of_one_destination_and_no_loss_to_the_shutdown() {
    let [all, some] = [(); 2].map(|()| InMemorySpanExporter::default());
    let processor = processor([
        Destination::exporter("all", all.clone()),
        Destination::exporter("some", some.clone()).with_sampling(TraceSampling::one_in(0)),
    ]);
    let queues = processor.queues().to_vec();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("t");
    tracer.start("good").end();
    let mut bad = tracer.start("bad");
    bad.set_status(Status::error("no"));
    bad.end();
    provider.force_flush().unwrap();
    let names = |exporter: &InMemorySpanExporter| {
        let spans = exporter.get_finished_spans().unwrap();
        spans
            .iter()
            .map(|span| span.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&all), names(&some)),
        (vec!["good".into(), "bad".into()], vec!["bad".into()])
    );
    provider.shutdown().unwrap();
    let dropped = queues
        .iter()
        .map(|queue| queue.stats().dropped_for(DropReason::Sampled));
    assert_eq!(dropped.collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn each_has_a_name_of_its_own() {
    let named = |name: &str| Destination::exporter(name, InMemorySpanExporter::default());
    let processor = processor([named("otlp"), named("otlp"), named("otlp/2"), named("x")]);
    let report = processor.report();
    let names: Vec<_> = report.destinations.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["otlp", "otlp/2", "otlp/2/2", "x"]);
}

#[test]
fn each_has_its_own_filter_and_disclosure() {
    let [all, some, clear] = [(); 3].map(|()| InMemorySpanExporter::default());
    let processor = processor([
        Destination::exporter("all", all.clone()),
        Destination::exporter("some", some.clone()).with_filter(|span| span.name == "chat"),
        Destination::exporter("clear", clear.clone()).with_disclosure(Disclosure::Clear),
    ]);
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("t");
    let mut span = tracer.start("chat");
    span.set_attribute(KeyValue::new("gen_ai.input.messages", "secret"));
    span.end();
    tracer.start("other").end();
    provider.force_flush().unwrap();

    let seen = |exporter: &InMemorySpanExporter| exporter.get_finished_spans().unwrap();
    assert_eq!(
        [&all, &some, &clear].map(|exporter| seen(exporter).len()),
        [2, 1, 2]
    );
    let shows = |exporter| format!("{:?}", seen(exporter)).contains("secret");
    assert_eq!([&all, &some, &clear].map(shows), [false, false, true]);
}

#[test]
fn the_console_stands_in_only_if_there_is_no_other_destination() {
    let names = |processor: AgentSpanProcessor| -> Vec<String> {
        let queues = processor.queues().iter();
        queues.map(|queue| queue.name().to_owned()).collect()
    };
    let silent = || ConsoleExporter::with_sink(|_| Ok(()));
    let alone = configure()
        .with_environment(&Environment::default())
        .with_console(silent());
    assert_eq!(names(alone.into_processor().unwrap()), ["console"]);
    let other = Destination::exporter("other", InMemorySpanExporter::default());
    assert_eq!(names(processor([other])), ["other"]);
}

#[test]
fn a_name_that_would_break_a_line_of_the_log_is_refused() {
    let named = |name: &str| {
        let destination = Destination::exporter(name, InMemorySpanExporter::default());
        let configuration = configure().with_environment(&Environment::default());
        configuration.with_destination(destination).into_processor()
    };
    for name in [
        "otlp",
        "Jaeger (EU)",
        "d'abord",
        "名前",
        "cafe\u{301}",
        "नाम",
    ] {
        named(name).unwrap();
    }
    let long = "x".repeat(101);
    for name in ["", " ", "a\nFORGED", "a\u{202e}b", "a\u{1b}[31m", &long] {
        let error = named(name).unwrap_err();
        assert!(matches!(error, InstallError::Name { .. }), "{error:?}");
        let text = error.to_string();
        let is_shown = text.lines().count() == 1 && text.starts_with("the name \"");
        assert!(is_shown, "{text}");
    }
}

#[test]
fn a_price_that_panics_is_logged_as_that_and_costs_no_span() {
    if !has_its_own("destinations::a_price_that_panics_is_logged_as_that_and_costs_no_span") {
        return;
    }
    let logs = CapturedLogs::everywhere();
    let exporter = InMemorySpanExporter::default();
    let destination = Destination::exporter("priced", exporter.clone());
    let destination = destination.with_price(|_, _| panic!("a price of the test"));
    let configuration = configure().with_environment(&Environment::default());
    let processor = configuration.with_destination(destination).into_processor();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor.unwrap())
        .build();
    let mut span = provider.tracer("t").start("chat gpt-4o");
    span.set_attribute(KeyValue::new("gen_ai.operation.name", "chat"));
    span.set_attribute(KeyValue::new("gen_ai.request.model", "gpt-4o"));
    span.set_attribute(KeyValue::new("gen_ai.usage.input_tokens", 1));
    drop(span);
    provider.force_flush().unwrap();
    assert_eq!(exporter.get_finished_spans().unwrap().len(), 1);
    assert!(logs.contains("setting=\"with_price\""), "{}", logs.text());
}
