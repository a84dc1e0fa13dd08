//! What happens before, in and after a fork.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{self, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use agentspan::agent365::{Delivery, DeliveryBuilder};
use agentspan::configure;
use agentspan::discovery::Environment;
use agentspan::model::agentspec::{Id, SpanDetails};
use agentspan::prelude::*;
use agentspan::processor::span::SpanBuilder;
use agentspan::processor::{BackgroundQueue, HookError, Span, SpanProcessor, Trace};
use agentspan::{Destination, Otlp};
use agentspan_otel::{ExportQueue, OtelBridge, ScopeTracer};
use fork::{Fork, fork};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Longer than any wait that comes to an end.
const LONG: Duration = Duration::from_secs(20);

/// Where processes leave what they export.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) url: String,
}

impl Place {
    /// Appends a line at once.
    fn note(&self, name: &str) -> io::Result<()> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.file);
        file?.write_all(format!("{} {name}\n", process::id()).as_bytes())
    }
}

/// Whether a queue can make another exporter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AfterFork {
    Another,
    None,
}

/// Forks, does something in the child, which ends with it, and gives the parent the id of the child. Both
/// have all that there was before, so that it may be moved in the child.
macro_rules! child {
    ($body:block) => {
        match fork()? {
            Fork::Parent(child) => child,
            Fork::Child => {
                let work = || -> Result<(), Failure> { $body };
                leave(work())
            }
        }
    };
}

/// Ends the child without the drops of what it has of its parent.
fn leave(result: Result<(), Failure>) -> ! {
    match result {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("child: {error}");
            exit(1)
        }
    }
}

fn wait_for(child: i32) -> Result<(), Failure> {
    match fork::waitpid(child)? {
        0 => Ok(()),
        status => Err(format!("the child ended with status {status}").into()),
    }
}

fn say(counts: &str) {
    println!("{} {counts}", process::id());
}

/// Notes the names of spans.
#[derive(Debug)]
struct Notes(Place);

impl SpanExporter for Notes {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &batch {
            let noted = self.0.note(&span.name);
            noted.map_err(|error| OTelSdkError::InternalFailure(error.to_string()))?;
        }
        Ok(())
    }
}

fn queue(place: &Place, after_fork: AfterFork) -> io::Result<ExportQueue> {
    let builder = ExportQueue::builder("notes", Notes(place.clone()));
    // Nothing leaves without a flush.
    let builder = builder.with_batch_delay(Duration::MAX);
    let another = place.clone();
    match after_fork {
        AfterFork::Another => builder
            .with_exporter_after_fork(move || Ok(Notes(another.clone())))
            .build(),
        AfterFork::None => builder.build(),
    }
}

fn provider(queue: &ExportQueue) -> SdkTracerProvider {
    OtelBridge::prepare(SdkTracerProvider::builder())
        .with_span_processor(queue.clone())
        .build()
}

fn end_span(provider: &SdkTracerProvider, name: &'static str) {
    provider.tracer("t").start(name).end();
}

fn say_queue(queue: &ExportQueue) {
    let stats = queue.stats();
    say(&format!(
        "accepted {} exported {} dropped {} queued {}",
        stats.accepted,
        stats.exported,
        stats.dropped(),
        stats.queued
    ));
}

pub(crate) fn export_queue(place: &Place, after_fork: AfterFork) -> Result<(), Failure> {
    let queue = queue(place, after_fork)?;
    let provider = provider(&queue);
    end_span(&provider, "parent-1");
    let child = child!({
        say_queue(&queue);
        end_span(&provider, "child-1");
        let flushed = queue.flush(LONG);
        say(&format!("flush {flushed:?}"));
        say_queue(&queue);
        let grandchild = child!({
            end_span(&provider, "grandchild-1");
            // The losses are in the counts.
            let _ = queue.flush(LONG);
            say_queue(&queue);
            Ok(queue.shutdown(LONG)?)
        });
        wait_for(grandchild)?;
        queue.shutdown(LONG)?;
        end_span(&provider, "late");
        say_queue(&queue);
        Ok(())
    });
    end_span(&provider, "parent-2");
    wait_for(child)?;
    queue.flush(LONG)?;
    say_queue(&queue);
    queue.shutdown(LONG)?;
    Ok(())
}

pub(crate) fn export_queue_shut_down(place: &Place) -> Result<(), Failure> {
    let queue = queue(place, AfterFork::Another)?;
    let provider = provider(&queue);
    end_span(&provider, "parent-1");
    queue.shutdown(LONG)?;
    let child = child!({
        end_span(&provider, "child-1");
        say_queue(&queue);
        queue.flush(LONG).unwrap_or_default();
        Ok(queue.shutdown(LONG)?)
    });
    wait_for(child)?;
    say_queue(&queue);
    Ok(())
}

/// Notes the ends of spans.
#[derive(Debug)]
struct Hears(Place);

impl SpanProcessor for Hears {
    fn on_end(&self, span: &Span) -> Result<(), HookError> {
        Ok(self.0.note(span.name())?)
    }
}

fn span(name: &'static str) -> SpanBuilder {
    Span::builder(SpanDetails::Plain).with_name(name)
}

fn say_hooks(queue: &BackgroundQueue) {
    let stats = queue.stats();
    say(&format!(
        "accepted {} handled {} dropped {} queued {}",
        stats.accepted, stats.handled, stats.dropped, stats.queued
    ));
}

pub(crate) fn background_queue(place: &Place) -> Result<(), Failure> {
    let queue = BackgroundQueue::new(Hears(place.clone()));
    let trace = Trace::builder().with_processor(queue.clone()).start()?;
    let open = span("open").start()?;
    span("parent-1").start()?.end()?;
    let child = child!({
        // Under the open span, which is the parent's.
        span("child-1").start()?.end()?;
        queue.flush(LONG)?;
        say_hooks(&queue);
        open.end()?;
        trace.end()?;
        let trace = Trace::builder().with_processor(queue.clone()).start()?;
        span("child-2").start()?.end()?;
        trace.end()?;
        say_hooks(&queue);
        Ok(())
    });
    span("parent-2").start()?.end()?;
    wait_for(child)?;
    open.end()?;
    trace.end()?;
    say_hooks(&queue);
    Ok(())
}

pub(crate) fn background_queue_closed(place: &Place) -> Result<(), Failure> {
    let queue = BackgroundQueue::new(Hears(place.clone()));
    queue.close();
    let child = child!({
        let trace = Trace::builder().with_processor(queue.clone()).start()?;
        trace.end()?;
        say_hooks(&queue);
        Ok(())
    });
    wait_for(child)
}

fn delivery_to(place: &Place) -> DeliveryBuilder<Delivery> {
    // Blocking, so that there is a thread more that a child does not have.
    let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
    Delivery::builder(resolver)
        .with_loopback_endpoint(&place.url)
        .with_token_cache()
        .with_batch_delay(LONG)
}

fn say_delivery(delivery: &Delivery) {
    let stats = delivery.stats();
    say(&format!(
        "accepted {} exported {} dropped {} queued {}",
        stats.accepted,
        stats.exported,
        stats.dropped(),
        stats.queued
    ));
}

/// A span that Agent 365 takes, under this name.
fn tool(provider: &SdkTracerProvider, name: &str) -> Result<(), Failure> {
    let agent = AgentDetails::new(AgentId::parse("agent-1")?);
    let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
    let tracer = ScopeTracer::new(provider);
    let tool = ExecuteToolScope::builder(&ToolCallDetails::new(name))
        .with_agent(&agent)
        .with_tenant(&tenant)
        .with_tracer(&tracer)
        .start();
    drop(tool);
    Ok(())
}

pub(crate) fn delivery(place: &Place) -> Result<(), Failure> {
    let delivery = delivery_to(place).build()?;
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_span_processor(delivery.span_processor())
        .build();
    // The parent has a connection, a token and a thread for tokens.
    tool(&provider, "parent-0")?;
    delivery.flush(LONG)?;
    tool(&provider, "parent-1")?;
    let child = child!({
        say_delivery(&delivery);
        tool(&provider, "child-1")?;
        delivery.flush(LONG)?;
        say_delivery(&delivery);
        tool(&provider, "child-2")?;
        delivery.shutdown(LONG)?;
        tool(&provider, "late")?;
        say_delivery(&delivery);
        Ok(())
    });
    tool(&provider, "parent-2")?;
    wait_for(child)?;
    let unused = child!({
        delivery.flush(LONG)?;
        delivery.shutdown(LONG)?;
        say_delivery(&delivery);
        Ok(())
    });
    wait_for(unused)?;
    delivery.shutdown(LONG)?;
    say_delivery(&delivery);
    Ok(())
}

pub(crate) fn facade(place: &Place) -> Result<(), Failure> {
    let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", place.url));
    let telemetry = configure()
        .with_environment(&Environment::default())
        .with_delivery(delivery_to_service(place))
        .with_destination(Destination::otlp_http(otlp)?.with_batch_delay(LONG))
        .with_destination(Destination::exporter("notes", Notes(place.clone())))
        .with_agent_spec_processor("hears", Hears(place.clone()))
        .with_switches_on()
        .install()?;
    let work = |name: &'static str| -> Result<(), Failure> {
        let trace = telemetry.trace().start()?;
        span(name).start()?.end()?;
        trace.end()?;
        tool(telemetry.provider(), name)
    };
    work("parent-1")?;
    let child = child!({
        work("child-1")?;
        // The exporter of the program is on the parent's thread: its losses are told.
        let flushed = telemetry.flush(LONG);
        say(&format!("flush {}", flushed.is_err()));
        let report = telemetry.report();
        report
            .destinations
            .iter()
            .for_each(|it| say(&it.to_string()));
        Ok(telemetry.shutdown(LONG)?)
    });
    work("parent-2")?;
    wait_for(child)?;
    let unused = child!({
        drop(telemetry);
        Ok(())
    });
    wait_for(unused)?;
    telemetry.flush(LONG)?;
    let report = telemetry.report();
    report
        .destinations
        .iter()
        .for_each(|it| say(&it.to_string()));
    Ok(telemetry.shutdown(LONG)?)
}

fn delivery_to_service(place: &Place) -> DeliveryBuilder {
    let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
    agentspan::agent365::Delivery::builder(resolver).with_loopback_endpoint(&place.url)
}

/// Spans that are open at the fork end in both processes.
pub(crate) fn open_spans(place: &Place) -> Result<(), Failure> {
    let queue = queue(place, AfterFork::Another)?;
    let provider = provider(&queue);
    let trace = Trace::builder()
        .with_processor(OtelBridge::new(&provider))
        .start()?;
    let open = span("open").start()?;
    let tracer = ScopeTracer::new(&provider);
    let open_scope = || {
        let tool = ToolCallDetails::new("open");
        let scope = ExecuteToolScope::builder(&tool)
            .with_tracer(&tracer)
            .start();
        // Only now it has started.
        let _ = scope.span_context();
        scope
    };
    let scope = open_scope();
    // Nobody has needed its span yet.
    let tool_that_waits = ToolCallDetails::new("waiting");
    let waiting = ExecuteToolScope::builder(&tool_that_waits)
        .with_tracer(&tracer)
        .start();
    // Its guard may be moved with it.
    let entered = Box::leak(Box::new(open_scope()));
    let active = entered.enter();
    let child = child!({
        span("child-1").start()?.end()?;
        tool(&provider, "child-2")?;
        drop(active);
        entered.end();
        drop(scope);
        drop(waiting);
        open.end()?;
        trace.end()?;
        queue.flush(LONG)?;
        say_queue(&queue);
        Ok(())
    });
    wait_for(child)?;
    drop(active);
    entered.end();
    drop(scope);
    drop(waiting);
    open.end()?;
    trace.end()?;
    queue.flush(LONG)?;
    say_queue(&queue);
    Ok(())
}

/// Says many ids of each kind, of a parent and of two children that are forked one after the other.
pub(crate) fn ids() -> Result<(), Failure> {
    let provider = OtelBridge::prepare(SdkTracerProvider::builder()).build();
    let tracer = ScopeTracer::new(&provider);
    let say_ids = || -> Result<(), Failure> {
        let mut lines = String::new();
        for _ in 0..20 {
            let scope = ExecuteToolScope::builder(&ToolCallDetails::new("a"))
                .with_tracer(&tracer)
                .start();
            let context = scope.span_context();
            let trace = Trace::builder().start()?;
            let span = span("a").start()?;
            let ids = [
                context.trace_id().to_string(),
                context.span_id().to_string(),
                trace.trace().id().to_string(),
                span.id().to_string(),
                Id::random().to_string(),
            ];
            for id in ids {
                lines.push_str(&format!("{id}\n"));
            }
        }
        print!("{lines}");
        io::stdout().flush()?;
        Ok(())
    };
    say_ids()?;
    let first = child!({ say_ids() });
    let second = child!({ say_ids() });
    say_ids()?;
    wait_for(first)?;
    wait_for(second)
}

/// Forks while other threads are busy with the same queues, and hold their locks now and then.
pub(crate) fn busy(place: &Place) -> Result<(), Failure> {
    let queue = queue(place, AfterFork::Another)?;
    let delivery = delivery_to(place)
        .with_batch_delay(Duration::from_millis(1))
        .build()?;
    let provider = OtelBridge::prepare(SdkTracerProvider::builder())
        .with_span_processor(queue.clone())
        .with_span_processor(delivery.span_processor())
        .build();
    let background = BackgroundQueue::new(Hears(place.clone()));
    let is_over = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (provider, background, is_over) =
                (provider.clone(), background.clone(), Arc::clone(&is_over));
            thread::spawn(move || -> Result<(), Failure> {
                let trace = Trace::builder()
                    .with_processor(background)
                    .without_shutdown()
                    .start()?;
                while !is_over.load(Ordering::SeqCst) {
                    tool(&provider, "parent")?;
                    span("parent").start()?.end()?;
                }
                Ok(trace.end()?)
            })
        })
        .collect();
    for _ in 0..40 {
        let child = child!({
            tool(&provider, "child")?;
            let trace = Trace::builder()
                .with_processor(background.clone())
                .start()?;
            span("child").start()?.end()?;
            trace.end()?;
            queue.flush(LONG)?;
            delivery.flush(LONG)?;
            say_queue(&queue);
            say_delivery(&delivery);
            say_hooks(&background);
            delivery.shutdown(LONG)?;
            Ok(queue.shutdown(LONG)?)
        });
        wait_for(child)?;
    }
    is_over.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    // The parent may have lost some for a full queue, which it counts, and tells of here.
    let _ = background.shutdown();
    let _ = queue.shutdown(LONG);
    let _ = delivery.shutdown(LONG);
    say_queue(&queue);
    say_delivery(&delivery);
    say_hooks(&background);
    Ok(())
}
