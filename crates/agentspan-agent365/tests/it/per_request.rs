//! Spans that wait for the end of their request and are sent with its token.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use agentspan_agent365::token::ExportTokenFutureExt as _;
use agentspan_agent365::{
    AccessToken, Agent365SpanProcessor, Delivery, DeliveryBuilder, DropReason, ExportToken,
    PerRequestExport, TokenResolver, token_from_request,
};
use agentspan_model::agent365::{Profile, TenantId};
use agentspan_model::keys;
use agentspan_testkit::{Answer, CapturedLogs, RecordedRequest, Service};
use futures_executor::block_on;
use opentelemetry::trace::{
    FutureExt as _, Span as _, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor};

use crate::delivery_fixture::{
    LONG, TENANT, check_conserved, delivery_to, service, span_of, token,
};

const OTHER_TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// A delivery per request behind a tracer.
struct Pipeline {
    service: Service,
    delivery: Delivery,
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

impl Pipeline {
    fn new(resolver: impl TokenResolver) -> Self {
        Self::with(resolver, |builder| builder)
    }

    fn with(
        resolver: impl TokenResolver,
        customise: impl FnOnce(DeliveryBuilder) -> DeliveryBuilder,
    ) -> Self {
        let service = service([Answer::status(200)]);
        let builder = delivery_to(&service, resolver)
            .with_per_request_export(PerRequestExport::new().with_grace(LONG));
        let delivery = customise(builder).build().unwrap();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(delivery.span_processor())
            .build();
        Self {
            service,
            delivery,
            tracer: provider.tracer("t"),
            provider,
        }
    }

    fn start(&self, context: &Context, tenant: &'static str, agent: &'static str) -> Span {
        self.tracer
            .span_builder(agent)
            .with_attributes(span_of(tenant, agent).attributes)
            .start_with_context(&self.tracer, context)
    }

    /// Starts a root. The context to be below it.
    fn begin(&self, context: &Context) -> Context {
        context.with_span(self.start(context, TENANT, "a"))
    }

    /// Starts and ends a span.
    fn record(&self, context: &Context, tenant: &'static str, agent: &'static str) {
        self.start(context, tenant, agent).end();
    }

    /// Where the requests went and with which token, in alphabetical order.
    fn arrived(&self) -> Vec<(String, Option<String>)> {
        self.delivery.flush(LONG).ok();
        let requests = self.service.requests();
        let mut arrived: Vec<_> = requests.iter().map(place_and_token).collect();
        arrived.sort();
        arrived
    }

    fn check_arrived(&self, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(agent, token)| {
                let path = format!("/maven/agent365/agents/{agent}/traces");
                (path, Some((*token).to_owned()))
            })
            .collect();
        assert_eq!(self.arrived(), expected);
        check_conserved(&self.delivery);
    }
}

fn place_and_token(request: &RecordedRequest) -> (String, Option<String>) {
    let token = request.header("authorization");
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    (request.path().to_owned(), token.map(str::to_owned))
}

fn export_token(text: &str) -> ExportToken {
    ExportToken::new(AccessToken::new(text).unwrap())
}

fn with_token(text: &str) -> Context {
    export_token(text).to_context(&Context::new())
}

/// A context in which a request of another process is served.
fn remote() -> Context {
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from(5),
        SpanId::from(6),
        TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    ))
}

#[test]
fn two_requests_at_once_are_each_sent_with_their_own_token() {
    let pipeline = Pipeline::new(token_from_request());
    let request = |text: &'static str| {
        let pipeline = &pipeline;
        let token = export_token(text);
        let serve = async move {
            let context = Context::current();
            let context = pipeline.begin(&context);
            let work = async {
                yield_once().await;
                pipeline.record(&Context::current(), TENANT, "a");
                yield_once().await;
            };
            work.with_context(context.clone()).await;
            context.span().end();
        };
        serve.with_export_token(&token)
    };
    block_on(async {
        let (one, two) = (request("one"), request("two"));
        futures_join(one, two).await;
    });
    pipeline.check_arrived(&[("a", "one"), ("a", "two")]);
    for request in pipeline.service.requests() {
        assert_eq!(spans_in(&request), 2);
    }
    assert_eq!(pipeline.delivery.stats().exported, 4);
}

/// Lets the other one of two futures run.
async fn yield_once() {
    tokio::task::yield_now().await;
}

async fn futures_join(one: impl Future<Output = ()>, two: impl Future<Output = ()>) {
    tokio::join!(one, two);
}

fn spans_in(request: &RecordedRequest) -> usize {
    let body = request.json().unwrap();
    let scopes = body["resourceSpans"][0]["scopeSpans"].as_array().unwrap();
    let spans = scopes
        .iter()
        .map(|scope| scope["spans"].as_array().unwrap().len());
    spans.sum()
}

/// The number of each span that arrived, and of its parent, in ascending order.
fn lines_of_descent(service: &Service) -> Vec<(String, Option<String>)> {
    let requests = service.requests();
    let bodies = requests.iter().map(|request| request.json().unwrap());
    let mut spans = Vec::new();
    for body in bodies {
        for scope in body["resourceSpans"][0]["scopeSpans"].as_array().unwrap() {
            for span in scope["spans"].as_array().unwrap() {
                let text = |key: &str| span[key].as_str().map(str::to_owned);
                spans.push((text("spanId").unwrap(), text("parentSpanId")));
            }
        }
    }
    spans.sort();
    spans
}

fn id_of(context: &Context) -> String {
    context.span().span_context().span_id().to_string()
}

/// F9.
#[test]
fn f9_what_runs_when_its_request_is_sent_early_is_sent_later_under_its_parent() {
    let bounds = PerRequestExport::new()
        .with_grace(LONG)
        .with_max_requests(2);
    let pipeline = Pipeline::with(token_from_request(), |builder| {
        builder.with_per_request_export(bounds)
    });
    let below = |context: &Context| context.with_span(pipeline.start(context, TENANT, "a"));
    let root = pipeline.begin(&with_token("one"));
    let [ended, child] = [below(&root), below(&root)];
    let grandchild = below(&child);
    ended.span().end();
    // Below what runs, so that it waits for that.
    grandchild.span().end();
    let others = ["two", "three", "four"].map(|text| pipeline.begin(&with_token(text)));
    // It starts when the request has been sent, and belongs to it all the same.
    let late = below(&child);
    for context in [&late, &child, &root].into_iter().chain(&others) {
        context.span().end();
    }
    pipeline.check_arrived(&[
        ("a", "four"),
        ("a", "one"),
        ("a", "one"),
        ("a", "three"),
        ("a", "two"),
    ]);
    let stats = pipeline.delivery.stats();
    assert_eq!((stats.exported, stats.dropped()), (8, 0));
    let mut expected: Vec<_> = others.iter().map(|other| (id_of(other), None)).collect();
    expected.push((id_of(&root), None));
    for (span, parent) in [
        (&ended, &root),
        (&child, &root),
        (&grandchild, &child),
        (&late, &child),
    ] {
        expected.push((id_of(span), Some(id_of(parent))));
    }
    expected.sort();
    assert_eq!(lines_of_descent(&pipeline.service), expected);
}

#[test]
fn nothing_is_sent_before_the_root_ends() {
    let pipeline = Pipeline::new(token_from_request());
    let context = pipeline.begin(&with_token("t"));
    pipeline.record(&context, TENANT, "a");
    let stats = pipeline.delivery.stats();
    assert_eq!((stats.accepted, stats.queued, stats.attempts), (1, 1, 0));
    context.span().end();
    pipeline.service.wait_for(1, LONG).unwrap();
    pipeline.check_arrived(&[("a", "t")]);
}

#[test]
fn a_root_of_another_process_makes_no_difference() {
    let pipeline = Pipeline::new(token_from_request());
    // Two calls of one trace, at once.
    let contexts =
        ["one", "two"].map(|text| pipeline.begin(&export_token(text).to_context(&remote())));
    for context in &contexts {
        pipeline.record(context, TENANT, "a");
    }
    for context in &contexts {
        context.span().end();
    }
    pipeline.check_arrived(&[("a", "one"), ("a", "two")]);
    assert_eq!(pipeline.delivery.stats().exported, 4);
}

#[test]
fn a_process_that_calls_itself_serves_a_request_of_its_own() {
    let pipeline = Pipeline::new(token_from_request());
    let caller = pipeline.begin(&with_token("callers"));
    let sent = caller.span().span_context().clone();
    let received = Context::new().with_remote_span_context(SpanContext::new(
        sent.trace_id(),
        sent.span_id(),
        sent.trace_flags(),
        true,
        sent.trace_state().clone(),
    ));
    // It was given no token, and does not get that of the request that it answers.
    pipeline.record(&received, TENANT, "b");
    caller.span().end();
    pipeline.check_arrived(&[("a", "callers")]);
    let stats = pipeline.delivery.stats();
    assert_eq!(stats.dropped_for(DropReason::Token), 1);
}

#[test]
fn a_request_without_a_token_is_sent_with_that_of_the_resolver() {
    let pipeline = Pipeline::new(token("resolved"));
    pipeline.record(&Context::new(), TENANT, "a");
    pipeline.check_arrived(&[("a", "resolved")]);
}

#[test]
fn a_request_without_any_token_is_dropped_and_counted() {
    for profile in Profile::ALL {
        let pipeline = Pipeline::with(token_from_request(), |builder| {
            builder.with_profile(profile)
        });
        let mut span = pipeline.start(&Context::new(), TENANT, "a");
        span.set_attribute(KeyValue::new(keys::MICROSOFT_TENANT_ID, TENANT));
        span.set_attribute(KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"));
        span.end();
        let _ = pipeline.delivery.flush(LONG);
        let stats = pipeline.delivery.stats();
        assert_eq!(stats.dropped_for(DropReason::Token), 1, "{profile:?}");
        assert_eq!(pipeline.service.request_count(), 0);
        check_conserved(&pipeline.delivery);
    }
}

#[test]
fn t12_a_token_is_not_sent_to_another_tenant() {
    let pipeline = Pipeline::new(token("resolved"));
    let context = pipeline.begin(&with_token("whose"));
    pipeline.record(&context, TENANT, "b");
    pipeline.record(&context, OTHER_TENANT, "c");
    context.span().end();
    // Nobody knows whose token it is.
    pipeline.check_arrived(&[("a", "resolved"), ("b", "resolved"), ("c", "resolved")]);

    let pipeline = Pipeline::new(token("resolved"));
    let own = AccessToken::new("own").unwrap();
    let own = ExportToken::for_tenant(TenantId::parse(TENANT).unwrap(), own);
    let context = pipeline.begin(&own.to_context(&Context::new()));
    pipeline.record(&context, TENANT, "b");
    pipeline.record(&context, OTHER_TENANT, "c");
    context.span().end();
    pipeline.check_arrived(&[("a", "own"), ("b", "own"), ("c", "resolved")]);
}

#[test]
fn a_token_stays_with_the_tenant_that_it_was_sent_to_first() {
    let pipeline = Pipeline::new(token("resolved"));
    let context = pipeline.begin(&with_token("own"));
    pipeline.record(&context, TENANT, "b");
    pipeline.delivery.flush(LONG).unwrap();
    pipeline.record(&context, OTHER_TENANT, "c");
    pipeline.delivery.flush(LONG).unwrap();
    context.span().end();
    pipeline.check_arrived(&[("a", "own"), ("b", "own"), ("c", "resolved")]);
}

#[test]
fn a_token_that_was_nobodys_once_is_sent_to_no_tenant_later() {
    let pipeline = Pipeline::new(token("resolved"));
    let context = pipeline.begin(&with_token("whose"));
    pipeline.record(&context, TENANT, "b");
    pipeline.record(&context, OTHER_TENANT, "c");
    pipeline.delivery.flush(LONG).unwrap();
    // Alone, either of the tenants looks like the only one.
    pipeline.record(&context, OTHER_TENANT, "d");
    pipeline.delivery.flush(LONG).unwrap();
    context.span().end();
    pipeline.check_arrived(&[
        ("a", "resolved"),
        ("b", "resolved"),
        ("c", "resolved"),
        ("d", "resolved"),
    ]);
}

#[test]
fn a_token_of_a_request_that_is_refused_has_no_second() {
    let pipeline = Pipeline::new(token("of-the-resolver"));
    pipeline.service.play([Answer::status(401)]);
    pipeline.record(&with_token("of-the-request"), TENANT, "a");
    pipeline.check_arrived(&[("a", "of-the-request")]);
    let stats = pipeline.delivery.stats();
    assert_eq!(stats.dropped_for(DropReason::PermanentStatus), 1);
}

#[test]
fn a_token_that_was_replaced_is_sent_as_it_is_at_the_end() {
    let pipeline = Pipeline::new(token_from_request());
    let token = export_token("old");
    let mut root = pipeline.start(&token.to_context(&Context::new()), TENANT, "a");
    token.replace(AccessToken::new("new").unwrap());
    root.end();
    pipeline.check_arrived(&[("a", "new")]);
}

#[test]
fn a_refused_token_of_a_request_is_not_replaced_by_the_resolvers() {
    let pipeline = Pipeline::with(token("resolved"), DeliveryBuilder::with_token_cache);
    pipeline
        .service
        .play([Answer::status(401), Answer::status(200)]);
    pipeline.record(&with_token("own"), TENANT, "a");
    pipeline.check_arrived(&[("a", "own")]);
    let stats = pipeline.delivery.stats();
    assert_eq!(stats.dropped_for(DropReason::PermanentStatus), 1);
}

#[test]
fn a_refused_token_that_was_replaced_meanwhile_is_tried_once_more() {
    let held = export_token("old");
    let replaced = held.clone();
    let service = Service::builder()
        .answer_with(move |request| {
            let is_old = request.header("authorization") == Some("Bearer old");
            replaced.replace(AccessToken::new("new").unwrap());
            Answer::status(if is_old { 401 } else { 200 })
        })
        .start()
        .unwrap();
    let delivery = delivery_to(&service, token_from_request())
        .with_per_request_export(PerRequestExport::new())
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(delivery.span_processor())
        .build();
    let tracer = provider.tracer("t");
    tracer
        .span_builder("s")
        .with_attributes(span_of(TENANT, "a").attributes)
        .start_with_context(&tracer, &held.to_context(&Context::new()))
        .end();
    delivery.flush(LONG).unwrap();
    let tokens: Vec<_> = service
        .requests()
        .iter()
        .map(|r| place_and_token(r).1)
        .collect();
    assert_eq!(tokens, [Some("old".to_owned()), Some("new".to_owned())]);
}

#[test]
fn what_runs_when_its_root_has_ended_is_sent_after_the_grace() {
    let pipeline = Pipeline::with(token_from_request(), |builder| {
        let bounds = PerRequestExport::new().with_grace(Duration::from_millis(1));
        builder
            .with_per_request_export(bounds)
            .with_batch_delay(LONG)
    });
    let context = pipeline.begin(&with_token("t"));
    let mut late = pipeline.start(&context, TENANT, "a");
    context.span().end();
    pipeline.service.wait_for(1, LONG).unwrap();
    late.end();
    pipeline.check_arrived(&[("a", "t")]);
    let stats = pipeline.delivery.stats();
    assert_eq!(stats.dropped_for(DropReason::RequestOver), 1);
    assert_eq!((stats.accepted, stats.exported, stats.queued), (2, 1, 0));
}

/// Ends spans of this name as if they had not been sampled.
#[derive(Debug)]
struct Withholding(&'static str, Agent365SpanProcessor);

impl SpanProcessor for Withholding {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.1.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        if span.name == self.0 {
            let context = &span.span_context;
            span.span_context = SpanContext::new(
                context.trace_id(),
                context.span_id(),
                TraceFlags::default(),
                context.is_remote(),
                TraceState::default(),
            );
        }
        self.1.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.1.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.1.shutdown_with_timeout(timeout)
    }
}

#[test]
fn a_request_does_not_wait_for_a_span_that_is_withheld_at_its_end() {
    for withheld in ["root", "below"] {
        let service = service([Answer::status(200)]);
        let delivery = delivery_to(&service, token("t"))
            .with_per_request_export(PerRequestExport::new().with_grace(LONG))
            .build()
            .unwrap();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Withholding(withheld, delivery.span_processor()))
            .build();
        let tracer = provider.tracer("t");
        let start = |name: &'static str, context: &Context| {
            tracer
                .span_builder(name)
                .with_attributes(span_of(TENANT, "a").attributes)
                .start_with_context(&tracer, context)
        };
        let root = Context::new().with_span(start("root", &Context::new()));
        let below = start("below", &root);
        root.span().end();
        drop(below);
        service.wait_for(1, LONG).unwrap();
        delivery.flush(LONG).unwrap();
        let stats = delivery.stats();
        assert_eq!((stats.accepted, stats.exported), (1, 1), "{withheld}");
        check_conserved(&delivery);
    }
}

#[test]
fn a_request_that_is_never_over_is_sent_when_it_is_too_old() {
    let pipeline = Pipeline::with(token_from_request(), |builder| {
        let bounds = PerRequestExport::new().with_max_age(Duration::from_millis(1));
        builder
            .with_per_request_export(bounds)
            .with_batch_delay(LONG)
    });
    let context = pipeline.begin(&with_token("t"));
    // It may be started when the request has been sent already, and is one of its own then.
    pipeline.record(&context, TENANT, "b");
    pipeline.service.wait_for(1, LONG).unwrap();
    context.span().end();
    pipeline.check_arrived(&[("b", "t")]);
    let stats = pipeline.delivery.stats();
    assert_eq!(stats.dropped_for(DropReason::RequestTimedOut), 1);
}

#[test]
fn a_shutdown_sends_what_has_ended() {
    let pipeline = Pipeline::new(token_from_request());
    let context = pipeline.begin(&with_token("t"));
    pipeline.record(&context, TENANT, "b");
    pipeline.provider.shutdown().unwrap();
    context.span().end();
    let stats = pipeline.delivery.stats();
    assert_eq!((stats.exported, stats.queued), (1, 0));
    pipeline.check_arrived(&[("b", "t")]);
}

#[test]
fn spans_of_a_request_count_for_the_queue() {
    let pipeline = Pipeline::with(token_from_request(), |builder| builder.with_max_spans(2));
    let context = pipeline.begin(&with_token("t"));
    for _ in 0..3 {
        pipeline.record(&context, TENANT, "a");
    }
    let stats = pipeline.delivery.stats();
    assert_eq!((stats.accepted, stats.queued), (3, 2));
    assert_eq!(stats.dropped_for(DropReason::QueueFull), 1);
    context.span().end();
    pipeline.check_arrived(&[("a", "t")]);
    let stats = pipeline.delivery.stats();
    assert_eq!((stats.exported, stats.queued_bytes), (2, 0));
}

#[test]
fn a_span_that_nobody_saw_start_is_lost_and_counted() {
    let pipeline = Pipeline::new(token("t"));
    let processor = pipeline.delivery.span_processor();
    processor.on_end(span_of(TENANT, "a"));
    let stats = pipeline.delivery.stats();
    assert_eq!(stats.dropped_for(DropReason::RequestOver), 1);
    check_conserved(&pipeline.delivery);
}

#[test]
fn losses_on_the_threads_of_callers_are_logged_when_nothing_is_sent() {
    let logs = CapturedLogs::everywhere();
    let pipeline = Pipeline::with(token("t"), |builder| {
        builder.with_batch_delay(Duration::from_nanos(1))
    });
    let processor = pipeline.delivery.span_processor();
    // More than any other test loses.
    for _ in 0..7_919 {
        processor.on_end(span_of(TENANT, "a"));
    }
    // The thread has been through a tick when it answers.
    pipeline.delivery.flush(LONG).unwrap_err();
    assert!(logs.contains("dropped=7919"));
    assert_eq!(pipeline.service.request_count(), 0);
}

#[test]
fn spans_of_many_threads_are_all_accounted_for() {
    let pipeline = Arc::new(Pipeline::with(token_from_request(), |builder| {
        let bounds = PerRequestExport::new()
            .with_max_requests(3)
            .with_max_spans(4)
            .with_grace(Duration::from_millis(1));
        builder.with_per_request_export(bounds).with_concurrency(4)
    }));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for n in 0..100 {
                    let context = pipeline.begin(&with_token("t"));
                    let mut late = pipeline.start(&context, TENANT, "b");
                    for _ in 0..n % 5 {
                        pipeline.record(&context, TENANT, "c");
                    }
                    context.span().end();
                    late.end();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..20 {
                let _ = pipeline.delivery.flush(LONG);
            }
        });
    });
    let _ = pipeline.delivery.flush(LONG);
    let stats = pipeline.delivery.stats();
    assert_eq!(stats.accepted, 6 * (100 * 2 + 20 * 10));
    assert_eq!((stats.queued, stats.queued_bytes), (0, 0));
    check_conserved(&pipeline.delivery);
    let received: usize = pipeline.service.requests().iter().map(spans_in).sum();
    assert_eq!(received as u64, stats.exported);
    assert_eq!(
        pipeline
            .service
            .requests()
            .iter()
            .filter(|r| place_and_token(r).1.as_deref() != Some("t"))
            .count(),
        0
    );
}

#[test]
fn a_flush_waits_for_what_another_thread_takes_out_of_a_request() {
    const SPANS: usize = 5_000;
    let pipeline = Pipeline::with(token_from_request(), |builder| {
        builder
            .with_per_request_export(PerRequestExport::new().with_max_spans(SPANS + 1))
            .with_max_spans(2 * SPANS)
    });
    for _ in 0..20 {
        let context = pipeline.begin(&with_token("t"));
        for _ in 0..SPANS {
            // Without an identity they are settled without a request.
            pipeline.tracer.start_with_context("s", &context).end();
        }
        let barrier = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                context.span().end();
            });
            barrier.wait();
            let _ = pipeline.delivery.flush(LONG);
            // Only the root may have ended after the flush began.
            let queued = pipeline.delivery.stats().queued;
            assert!(queued <= 1, "{queued} spans were flushed and not settled");
        });
        let _ = pipeline.delivery.flush(LONG);
    }
    check_conserved(&pipeline.delivery);
}

#[test]
fn t11_the_token_of_a_request_is_in_no_log_and_no_debug() {
    const SECRET: &str = "s3cret-canary-91ab";
    let logs = CapturedLogs::everywhere();
    let pipeline = Pipeline::new(token_from_request());
    pipeline.service.play([Answer::status(403)]);
    let token = export_token(SECRET);
    let context = token.to_context(&Context::new());
    let root = pipeline.start(&context, TENANT, "a");
    let shown = format!("{token:?} {context:?} {:?}", pipeline.delivery);
    drop(root);
    let _ = pipeline.delivery.flush(LONG);
    assert_eq!(pipeline.arrived()[0].1.as_deref(), Some(SECRET));
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(logs.contains("spans were lost"));
    assert!(!logs.contains(SECRET));
}
