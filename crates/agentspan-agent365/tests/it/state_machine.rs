//! A delivery beside the simplest account of what it must do, whatever the program, the service and the
//! token resolver do in which order.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use agentspan_agent365::report::AttemptOutcome;
use agentspan_agent365::retry::RetryTimer;
use agentspan_agent365::{AccessToken, Delivery, TokenResolver, token_from_async_fn};
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_testkit::{Answer, RecordedRequest, Service};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::{SpanData, SpanProcessor};
use proptest::prelude::*;
use tokio::sync::watch;

use crate::any_span::plain_span;
use crate::delivery_fixture::{LONG, check_conserved};

const TENANTS: [&str; 2] = ["tenant-a", "tenant-b"];
const AGENTS: [&str; 2] = ["agent-a", "agent-b"];

/// The identities: a tenant and an agent for each number.
const IDENTITIES: usize = 4;

/// Room for about ten large spans.
const MAX_BYTES: u64 = 256 * 1024;
const LARGE: usize = 20_000;

/// How many spans a request has at most.
const BATCH: usize = 5;

/// The attribute with the number of a span.
const NUMBER: &str = "number";

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Spans of one identity.
    Push {
        identity: usize,
        spans: usize,
        is_large: bool,
    },
    /// What the service answers to the next request of an identity.
    Answer(usize, Reply),
    /// Whether there are tokens for an identity from now on.
    Token(usize, bool),
    /// All pauses are over.
    Rest,
    /// A flush that may take so many milliseconds.
    Flush(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Throttle,
    Status(u16),
    Reset,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let identity = || 0..IDENTITIES;
    let reply = prop_oneof![
        2 => Just(Reply::Throttle),
        4 => prop::sample::select(&[400, 401, 413, 500, 503][..]).prop_map(Reply::Status),
        1 => Just(Reply::Reset),
    ];
    let push = (identity(), 1..8_usize, prop::bool::weighted(0.3));
    let step = prop_oneof![
        6 => push.prop_map(|(identity, spans, is_large)| Step::Push { identity, spans, is_large }),
        5 => (identity(), reply).prop_map(|(identity, reply)| Step::Answer(identity, reply)),
        1 => (identity(), any::<bool>()).prop_map(|(identity, works)| Step::Token(identity, works)),
        2 => Just(Step::Rest),
        1 => (0..3_u64).prop_map(Step::Flush),
    ];
    prop::collection::vec(step, 1..60)
}

/// What the service, the resolver and the timer do, and what the service saw.
#[derive(Default)]
struct World {
    replies: BTreeMap<usize, VecDeque<Reply>>,
    has_no_token: [bool; IDENTITIES],
    /// Identities that were asked to pause, and were not told that the time is over.
    pausing: [bool; IDENTITIES],
    /// How often the service has taken each span.
    taken: BTreeMap<u64, u64>,
    /// Rules that were broken, as the service sees it.
    findings: Vec<String>,
}

type SharedWorld = Arc<Mutex<World>>;

fn locked(world: &SharedWorld) -> MutexGuard<'_, World> {
    world.lock().unwrap()
}

fn tenant_of(identity: usize) -> &'static str {
    TENANTS[identity / AGENTS.len()]
}

fn agent_of(identity: usize) -> &'static str {
    AGENTS[identity % AGENTS.len()]
}

fn token_of(identity: usize) -> String {
    format!("token-{identity}")
}

impl World {
    fn answer(&mut self, request: &RecordedRequest) -> Answer {
        let is_for = |&identity: &usize| {
            let (tenant, agent) = (tenant_of(identity), agent_of(identity));
            request
                .path()
                .contains(&format!("/tenants/{tenant}/otlp/agents/{agent}/"))
        };
        let Some(identity) = (0..IDENTITIES).find(is_for) else {
            self.findings
                .push(format!("a request to {}", request.path()));
            return Answer::status(400);
        };
        if self.pausing[identity] {
            self.findings
                .push(format!("a request of {identity} while it pauses"));
        }
        let authorization = format!("Bearer {}", token_of(identity));
        if request.header("authorization") != Some(&authorization) {
            self.findings
                .push(format!("a foreign token for {identity}"));
        }
        let numbers = self.numbers(identity, request);
        match self
            .replies
            .get_mut(&identity)
            .and_then(VecDeque::pop_front)
        {
            None => {
                for number in numbers {
                    *self.taken.entry(number).or_default() += 1;
                }
                Answer::status(200)
            }
            Some(Reply::Throttle) => {
                self.pausing[identity] = true;
                Answer::status(429).header("retry-after", "60")
            }
            Some(Reply::Status(status)) => Answer::status(status),
            Some(Reply::Reset) => Answer::reset(),
        }
    }

    /// The spans of a request, all of which must be of its identity.
    fn numbers(&mut self, identity: usize, request: &RecordedRequest) -> Vec<u64> {
        let body = request.json().unwrap();
        let scopes = body["resourceSpans"][0]["scopeSpans"].as_array().unwrap();
        let spans = scopes
            .iter()
            .flat_map(|scope| scope["spans"].as_array().unwrap());
        let mut numbers = Vec::new();
        for span in spans {
            let attributes = &span["attributes"];
            let said = (
                attributes[Profile::V2.tenant_id_key()].as_str(),
                attributes[keys::GEN_AI_AGENT_ID].as_str(),
            );
            if said != (Some(tenant_of(identity)), Some(agent_of(identity))) {
                self.findings
                    .push(format!("a span of {said:?} for {identity}"));
            }
            numbers.push(attributes[NUMBER].as_u64().unwrap());
        }
        numbers
    }
}

/// Pauses end when the test says so.
#[derive(Clone, Debug)]
struct Gate(watch::Sender<Rests>);

#[derive(Clone, Copy, Debug)]
enum Rests {
    /// How often all pauses were ended.
    Ended(u64),
    /// There is no pause any more.
    Open,
}

impl Gate {
    fn new() -> Self {
        Self(watch::Sender::new(Rests::Ended(0)))
    }

    fn end_pauses(&self) {
        self.0.send_modify(|rests| {
            if let Rests::Ended(times) = rests {
                *times += 1;
            }
        });
    }

    fn open(&self) {
        self.0.send_replace(Rests::Open);
    }
}

impl RetryTimer for Gate {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut rests = self.0.subscribe();
        Box::pin(async move {
            if matches!(*rests.borrow_and_update(), Rests::Ended(_)) {
                // An error is that the test is over.
                let _ = rests.changed().await;
            }
        })
    }
}

fn span(identity: usize, number: u64, is_large: bool) -> SpanData {
    let mut attributes = vec![
        KeyValue::new(Profile::V2.tenant_id_key(), tenant_of(identity)),
        KeyValue::new(keys::GEN_AI_AGENT_ID, agent_of(identity)),
        KeyValue::new(keys::GEN_AI_OPERATION_NAME, "chat"),
        KeyValue::new(NUMBER, i64::try_from(number).unwrap()),
    ];
    if is_large {
        let text = KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, "x".repeat(LARGE));
        attributes.push(text);
    }
    SpanData {
        attributes,
        ..plain_span()
    }
}

/// Rules that hold at each moment.
fn check_now(delivery: &Delivery, pushed: u64, world: &SharedWorld) {
    check_conserved(delivery);
    let stats = delivery.stats();
    assert_eq!(stats.accepted, pushed);
    assert!(
        stats.queued_bytes - stats.body_bytes <= MAX_BYTES,
        "{stats:?}"
    );
    assert_eq!(locked(world).findings, Vec::<String>::new());
}

/// Answers with the identity's own token, or not at all.
fn resolver(world: &SharedWorld) -> impl TokenResolver {
    let world = Arc::clone(world);
    token_from_async_fn(move |query| {
        let identity = (0..IDENTITIES).find(|&identity| {
            let said = (
                query.identity.tenant.as_str(),
                query.identity.agent.as_str(),
            );
            said == (tenant_of(identity), agent_of(identity))
        });
        let identity = identity.unwrap();
        let token = match locked(&world).has_no_token[identity] {
            true => Err("no token".into()),
            false => Ok(Some(AccessToken::new(token_of(identity)).unwrap())),
        };
        std::future::ready(token)
    })
}

impl World {
    /// What a step changes outside of the delivery.
    fn change(&mut self, step: Step) {
        match step {
            Step::Answer(identity, reply) => {
                self.replies.entry(identity).or_default().push_back(reply);
            }
            Step::Token(identity, works) => self.has_no_token[identity] = !works,
            Step::Push { .. } | Step::Rest | Step::Flush(_) => {}
        }
    }

    /// Everything works from now on.
    fn recover(&mut self) {
        self.replies.clear();
        self.has_no_token = Default::default();
        self.pausing = Default::default();
    }
}

fn check(steps: Vec<Step>, ends_by_flush: bool) {
    let world = SharedWorld::default();
    let answering = Arc::clone(&world);
    let service = Service::builder()
        .answer_with(move |request| locked(&answering).answer(request))
        .start()
        .unwrap();
    let gate = Gate::new();
    let given_up = Arc::new(Mutex::new(0));
    let giving_up = Arc::clone(&given_up);
    let delivery = Delivery::builder(resolver(&world))
        .with_profile(Profile::V2)
        .with_loopback_endpoint(service.url())
        // One at a time, so that nothing is in flight when an identity begins to pause.
        .with_concurrency(1)
        .with_batch_spans(BATCH)
        .with_batch_delay(Duration::from_millis(1))
        .with_max_spans(60)
        .with_max_bytes(usize::try_from(MAX_BYTES).unwrap())
        .with_retry_timer(gate.clone())
        .with_on_report(move |report| {
            let attempts = report.identities.iter().flat_map(|one| &one.attempts);
            let late = attempts.filter(|attempt| match &attempt.outcome {
                AttemptOutcome::Failed(error) => error.kind() == "timeout",
                _ => false,
            });
            *giving_up.lock().unwrap() += late.count();
        })
        .build()
        .unwrap();
    let processor = delivery.span_processor();
    let mut pushed = 0;
    for step in steps {
        match step {
            Step::Push {
                identity,
                spans,
                is_large,
            } => {
                for _ in 0..spans {
                    processor.on_end(span(identity, pushed, is_large));
                    pushed += 1;
                }
            }
            Step::Rest => {
                locked(&world).pausing = Default::default();
                gate.end_pauses();
            }
            Step::Flush(millis) => {
                // It may come too late, and tells losses.
                let _ = delivery.flush(Duration::from_millis(millis));
            }
            Step::Answer(..) | Step::Token(..) => locked(&world).change(step),
        }
        check_now(&delivery, pushed, &world);
    }
    locked(&world).recover();
    gate.open();
    let _ = match ends_by_flush {
        true => delivery.flush(LONG),
        false => delivery.shutdown(LONG),
    };
    check_now(&delivery, pushed, &world);
    let stats = delivery.stats();
    assert_eq!(
        (stats.queued, stats.queued_bytes, stats.body_bytes),
        (0, 0, 0)
    );
    // What counts as exported is what the service has taken, once. It may have taken what was given up on
    // a machine so busy that the answer took too long, too.
    let taken = locked(&world).taken.clone();
    let given_up = (BATCH * *given_up.lock().unwrap()) as u64;
    let (spans, times) = (taken.len() as u64, taken.values().sum::<u64>());
    assert!(spans >= stats.exported, "{taken:?} {stats:?}");
    assert!(
        times <= stats.exported + given_up,
        "{taken:?} {stats:?} {given_up}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_delivery_accounts_for_each_span_whatever_happens(
        steps in steps(),
        ends_by_flush in any::<bool>(),
    ) {
        check(steps, ends_by_flush);
    }
}
