//! Does what a case says, with the real delivery over TLS, a clock and a random source of the case.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agentspan_agent365::retry::{Retry, RetryTimer};
use agentspan_agent365::{BuildError, Delivery};
use agentspan_model::agent365::Profile;
use agentspan_testkit::Service;
use opentelemetry_sdk::trace::SpanExporter;
use tokio::sync::Notify;

use super::{Done, Input, Run, Step};
use crate::export_input::{ExportInput, Response, TokenCalls};
use crate::runners::exports::play::{sent, service};
use crate::runners::exports::run::{Gated, Whose};
use crate::{Failure, VectorSpan};

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(60);

/// For one try, where the service is to let it pass.
const SHORT: Duration = Duration::from_secs(1);

/// For the last tries; shorter than the shortest pause that nobody asked for.
const END: Duration = Duration::from_secs(5);

/// The time and the chance of a case.
#[derive(Clone, Debug, Default)]
struct World {
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    now: f64,
    random: Vec<f64>,
    random_calls: usize,
    /// Each pause that began, in order, and what ends it.
    pauses: Vec<(Duration, Arc<Notify>)>,
    /// What the reports said that waits.
    queued: Vec<(Whose, usize)>,
}

impl World {
    fn lock(&self) -> MutexGuard<'_, State> {
        let (state, _) = &*self.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        let (_, changed) = &*self.state;
        changed.notify_all();
    }

    /// Waits until it is so.
    fn until(&self, is_so: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let (_, changed) = &*self.state;
        let waited = changed.wait_timeout_while(self.lock(), LONG, |state| !is_so(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl RetryTimer for World {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let end = Arc::new(Notify::new());
        self.lock().pauses.push((pause, Arc::clone(&end)));
        self.changed();
        Box::pin(async move { end.notified().await })
    }

    fn random(&self) -> f64 {
        let mut state = self.lock();
        let random = state.random.get(state.random_calls);
        let random = random.or(state.random.last()).copied();
        state.random_calls += 1;
        random.unwrap_or_default()
    }
}

/// An identity that pauses.
struct Lane {
    whose: Whose,
    until: f64,
    failures: u32,
    spans: usize,
    /// Bodies with the number of their spans, numbered in the order in which they came.
    waiting: VecDeque<(usize, String, usize)>,
    end: Arc<Notify>,
}

impl Lane {
    fn add(&mut self, bodies: Vec<(String, usize)>, number: &mut usize) {
        for (body, spans) in bodies {
            self.waiting.push_back((*number, body, spans));
            self.spans += spans;
            *number += 1;
        }
    }

    /// The first ones were sent, and so many spans are left.
    fn keep(&mut self, left: usize) {
        while let Some((_, _, spans)) = self.waiting.front() {
            if self.spans <= left {
                return;
            }
            self.spans -= spans;
            self.waiting.pop_front();
        }
    }
}

struct Live {
    world: World,
    service: Service,
    calls: TokenCalls,
    delivery: Option<Delivery>,
    /// All spans of the case.
    spans: Vec<VectorSpan>,
    lanes: Vec<Lane>,
    bodies_seen: usize,
    pauses_seen: usize,
    posts_seen: usize,
    calls_seen: usize,
}

pub(super) fn run(input: &Input) -> Result<Run, Failure> {
    let world = World::default();
    world.lock().random.clone_from(&input.random);
    let service = service(&input.export)?;
    let calls = TokenCalls::default();
    let delivery = build(&input.export, &world, &service, &calls)?;
    let mut live = Live {
        world,
        service,
        calls,
        delivery,
        spans: input.spans.values().cloned().collect(),
        lanes: Vec::new(),
        bodies_seen: 0,
        pauses_seen: 0,
        posts_seen: 0,
        calls_seen: 0,
    };
    let mut run = Run::default();
    for step in &input.steps {
        let mut success = None;
        match step {
            Step::Export { spans } => success = Some(live.export(&input.of(spans))?),
            Step::Advance { seconds } => live.advance(*seconds),
            Step::Replay => {}
            Step::Shutdown => {
                if let Some(delivery) = &live.delivery {
                    let _ = delivery.shutdown(END);
                }
                live.lanes.clear();
            }
        }
        run.steps.push(live.finish_step(success)?);
    }
    run.random_calls = live.world.lock().random_calls;
    if let Some(delivery) = &live.delivery {
        let _ = delivery.shutdown(Duration::ZERO);
    }
    Ok(run)
}

fn build(
    export: &ExportInput,
    world: &World,
    service: &Service,
    calls: &TokenCalls,
) -> Result<Option<Delivery>, Failure> {
    let reported = world.clone();
    let use_s2s_endpoint = export.use_s2s_endpoint;
    let retry = match export.durable_delivery {
        true => Retry::reference(),
        false => Retry::for_at_most(Duration::ZERO),
    };
    let mut builder = Delivery::builder(export.resolver(calls))
        .with_profile(Profile::V3)
        .with_environment(&export.environment())
        .with_connect_to(service.addr())
        .with_root_certificates(service.root_certificates())
        .with_concurrency(1)
        .with_final_refusals()
        .with_retry(retry)
        .with_retry_timer(world.clone())
        .with_usual_route()
        .with_on_report(move |report| {
            let queued = report.identities.iter().filter(|one| one.queued > 0);
            let queued = queued.map(|one| {
                let whose = Whose {
                    tenant: one.identity.tenant.as_str().to_owned(),
                    agent: one.identity.agent.as_str().to_owned(),
                    agentic_user: one.agentic_user.clone(),
                    use_s2s_endpoint,
                };
                (whose, one.queued)
            });
            reported.lock().queued.extend(queued);
            reported.changed();
        });
    if export.use_s2s_endpoint {
        builder = builder.with_service_to_service();
    }
    if let Some(limit) = export.max_payload_bytes {
        builder = builder.with_max_payload_bytes(limit.max(0).try_into().unwrap_or(usize::MAX));
    }
    if export.responses.iter().any(Response::is_silence) {
        builder = builder.with_timeout(SHORT);
    }
    match builder.build() {
        Ok(delivery) => Ok(Some(delivery)),
        Err(BuildError::DomainOverride(_) | BuildError::Zero { .. }) => Ok(None),
        Err(error) => Err(error.to_string().into()),
    }
}

impl Live {
    fn export(&mut self, export: &ExportInput) -> Result<bool, Failure> {
        let Some(delivery) = &self.delivery else {
            return Ok(false);
        };
        let spans = export.rust_spans();
        let mut exporter = delivery.exporter();
        if let Some(span) = spans.first() {
            let resource = span.to_resource().map_err(|error| error.to_string())?;
            exporter.set_resource(&resource);
        }
        let batch = spans.iter().map(|span| span.to_span_data());
        let batch = batch.collect::<Result<_, _>>();
        let batch = batch.map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| error.to_string())?;
        let report = runtime.block_on(exporter.export_with_report(batch));
        let queued = std::mem::take(&mut self.world.lock().queued);
        for (whose, waiting) in queued {
            let bodies = whose.bodies(&spans, waiting, export.max_payload_bytes)?;
            if !self.lanes.iter().any(|lane| lane.whose == whose) {
                let (until, end) = self.next_pause();
                self.lanes.push(Lane {
                    whose: whose.clone(),
                    until,
                    failures: 1,
                    spans: 0,
                    waiting: VecDeque::new(),
                    end,
                });
            }
            let lane = self.lanes.iter_mut().find(|lane| lane.whose == whose);
            if let Some(lane) = lane {
                lane.add(bodies, &mut self.bodies_seen);
            }
        }
        Ok(report.is_ok_and(|report| report.is_success()))
    }

    /// The next pause, which begins after its spans are reported.
    fn next_pause(&mut self) -> (f64, Arc<Notify>) {
        let seen = self.pauses_seen;
        self.pauses_seen += 1;
        let state = self.world.until(|state| state.pauses.len() > seen);
        state.pauses.get(seen).map_or_else(
            || (f64::NAN, Arc::default()),
            |(pause, end)| (state.now + pause.as_secs_f64(), Arc::clone(end)),
        )
    }

    fn queued(&self) -> usize {
        let stats = self.delivery.as_ref().map(Delivery::stats);
        let queued = stats.map_or(0, |stats| stats.queued);
        usize::try_from(queued).unwrap_or(usize::MAX)
    }

    /// Lets time pass, and those try again whose pauses are over, one after the other.
    fn advance(&mut self, seconds: f64) {
        self.world.lock().now += seconds;
        let now = self.world.lock().now;
        loop {
            let due = self.lanes.iter().enumerate();
            let due = due.filter(|(_, lane)| lane.until <= now);
            let first = due.min_by(|(_, one), (_, other)| one.until.total_cmp(&other.until));
            let Some((at, _)) = first else { return };
            let mut lane = self.lanes.remove(at);
            let others: usize = self.lanes.iter().map(|lane| lane.spans).sum();
            let seen = self.pauses_seen;
            lane.end.notify_one();
            let is_quiet = |state: &State| state.pauses.len() > seen || self.queued() <= others;
            drop(self.world.until(is_quiet));
            let left = self.queued().saturating_sub(others);
            if left == 0 {
                continue;
            }
            lane.failures = match left < lane.spans {
                true => 1,
                false => lane.failures + 1,
            };
            lane.keep(left);
            (lane.until, lane.end) = self.next_pause();
            self.lanes.insert(at, lane);
        }
    }

    fn finish_step(&mut self, success: Option<bool>) -> Result<Done, Failure> {
        let requests = self.service.requests();
        let posts = requests
            .iter()
            .skip(self.posts_seen)
            .map(|post| sent(post, &self.spans));
        let posts = posts.collect::<Result<Vec<_>, _>>()?;
        self.posts_seen += posts.len();
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let token_calls = calls.iter().skip(self.calls_seen).cloned().collect();
        self.calls_seen = calls.len();
        let now = self.world.lock().now;
        let gate = self.lanes.iter().map(|lane| Gated {
            identity: lane.whose.clone(),
            blocked_seconds: lane.until - now,
            failures: lane.failures,
        });
        let mut queue: Vec<_> = self
            .lanes
            .iter()
            .flat_map(|lane| {
                let bodies = lane.waiting.iter();
                bodies.map(|(number, body, _)| (*number, lane.whose.clone(), body.clone()))
            })
            .collect();
        // The reference has one list of all identities.
        queue.sort_by_key(|(number, ..)| *number);
        let queue = queue.into_iter();
        Ok(Done {
            success,
            posts,
            token_calls,
            queue: queue.map(|(_, whose, body)| (whose, body)).collect(),
            gate: gate.collect(),
        })
    }
}
