//! Replays recordings to processors.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use agentspan_model::agentspec::{
    self, Event, HookCall, Id, RecordedHook, RecordedSpan, SpanDetails, Timestamp, TraceInfo,
};

use crate::clock::Ticks;
use crate::dispatch::{SpanHook, dispatch, dispatch_async, observers};
use crate::span::{Links, SpanKey};
use crate::{ErrorPolicy, Span, SpanProcessor, Trace, TraceError};

/// Calls a processor with recorded hooks, in their order, as if the program ran again.
///
/// Spans, events and traces have their recorded ids and times. No span becomes
/// [current](crate::current_span). Missing lines are replaced: an unrecorded parent becomes a span
/// with only an id, and a span without a recorded start starts with its first line.
///
/// Spans that the recording does not end usually belong to failed calls, so the replay ends them,
/// too. It does so when it is [finished](Self::finish) or dropped, at the last known time of each
/// span, and marks them as [unfinished](Span::is_unfinished). Recording processors, such as
/// [`JsonLines`](crate::JsonLines), do not write these ends.
///
/// Traces of one run may overlap. A trace is over when it is shut down and another one goes on. A
/// shutdown without a trace belongs to the trace of the line before it, unless this trace has open
/// spans and another trace has ended all of its own.
///
/// Some programs start a second span with the id of an open span, and even name this id as its
/// parent. Here, they are two separate spans, and the first is the parent of the second. A later
/// line belongs to the span with the same name and start.
///
/// ```
/// use agentspan_model::agentspec::Recording;
/// use agentspan_processor::InMemory;
/// use agentspan_processor::replay::Replay;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let lines = r#"{"hook":"startup","async":false,"trace":{"id":"t","name":"my trace"}}
/// {"hook":"on_start","async":false,"trace":{"id":"t","name":"my trace"},"span":{"id":"s","name":"RootSpan","start_time":5,"type":"RootSpan"},"parent_id":null}
/// {"hook":"on_end","async":false,"trace":{"id":"t","name":"my trace"},"span":{"id":"s","name":"RootSpan","start_time":5,"end_time":9,"type":"RootSpan"},"parent_id":null}
/// {"hook":"shutdown","async":false,"trace":null}
/// "#;
/// let memory = InMemory::new();
/// let mut replay = Replay::new(memory.clone());
/// for hook in Recording::new(lines.as_bytes()) {
///     replay.play(hook?)?;
/// }
/// assert_eq!(replay.finish().open_spans, 0);
/// memory.expect_tree("RootSpan")?;
/// assert_eq!(memory.spans()[0].span.duration(), Some(std::time::Duration::from_nanos(4)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Replay {
    processor: Arc<dyn SpanProcessor>,
    error_policy: ErrorPolicy,
    pace: Pace,
    started_at: Option<(Instant, Timestamp)>,
    runs: HashMap<Option<String>, Run>,
    hooks: u64,
    /// Of traces that are over.
    open_spans: usize,
    repeated_ids: u64,
    hook_failures: u64,
}

/// The facts known about a run that is recorded together with others.
#[derive(Debug)]
struct Run {
    /// The one that the last line was about.
    trace: Trace,
    /// All that go on, and those that were shut down and had the last line.
    traces: HashMap<Id, Trace>,
    /// Traces that were shut down.
    over: Vec<Id>,
    /// Traces that started again under the same id. Their spans may go on.
    restarted: Vec<Trace>,
    /// Until their trace is shut down: events may come after the end of their span. Those of one id are in
    /// the order of their starts.
    spans: HashMap<Id, Vec<Played>>,
    /// The spans that earlier traces left open.
    left_open: HashSet<Id>,
}

/// A span and the last time that is known of it.
#[derive(Debug)]
struct Played {
    span: Span,
    /// How many spans of the replay started before it.
    number: u64,
    /// Of the span itself. That of the spans in it is found out when the trace is over.
    last_time: Option<Timestamp>,
}

/// The speed of a [`Replay`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pace {
    /// As fast as possible, without waiting.
    #[default]
    Unpaced,
    /// With the original delays. [`Replay::play`] blocks its thread for each delay. To wait in
    /// another way, use [`Replay::delay`].
    Original,
}

/// The counts of a [`Replay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplaySummary {
    /// The number of replayed hooks.
    pub hooks: u64,
    /// The number of spans that the recording starts but does not end. They were ended as
    /// [unfinished](Span::is_unfinished).
    pub open_spans: usize,
    /// The number of spans that started with the id of an open span.
    pub repeated_ids: u64,
    /// The number of failed hooks.
    pub hook_failures: u64,
}

impl Replay {
    /// A replay to this processor, without waiting.
    #[must_use]
    pub fn new(processor: impl SpanProcessor + 'static) -> Self {
        Self {
            processor: Arc::new(processor),
            error_policy: ErrorPolicy::Report,
            pace: Pace::Unpaced,
            started_at: None,
            runs: HashMap::new(),
            hooks: 0,
            open_spans: 0,
            repeated_ids: 0,
            hook_failures: 0,
        }
    }

    /// Sets the speed. By default, the replay does not wait.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Sets the policy for failed hooks. The default is [`ErrorPolicy::Report`].
    #[must_use]
    pub fn with_error_policy(mut self, error_policy: ErrorPolicy) -> Self {
        self.error_policy = error_policy;
        self
    }

    /// Replays one hook. Calls the processor's synchronous hook, also if the recorded hook was
    /// asynchronous.
    ///
    /// # Errors
    ///
    /// [`TraceError::Hook`] under [`ErrorPolicy::Propagate`].
    pub fn play(&mut self, hook: RecordedHook) -> Result<(), TraceError> {
        if self.pace == Pace::Original {
            wait(self.delay(&hook));
        }
        match self.prepare(hook) {
            Prepared::Startup(trace) => trace.start_up(),
            Prepared::Span(steps) => steps.into_iter().try_for_each(|step| step.take()),
            Prepared::Shutdown(trace) => trace.shut_down(),
        }
    }

    /// Replays one hook. Calls the processor's asynchronous hook, also if the recorded hook was
    /// synchronous. Ignores the pace and does not wait; [`delay`](Self::delay) returns the time to
    /// wait.
    ///
    /// # Errors
    ///
    /// The same as of [`play`](Self::play).
    ///
    /// # Cancel safety
    ///
    /// The hook counts as replayed at the first poll.
    pub async fn play_async(&mut self, hook: RecordedHook) -> Result<(), TraceError> {
        match self.prepare(hook) {
            Prepared::Startup(trace) => trace.start_up_async().await,
            Prepared::Span(steps) => {
                for step in steps {
                    step.take_async().await?;
                }
                Ok(())
            }
            Prepared::Shutdown(trace) => trace.shut_down_async().await,
        }
    }

    /// The time to wait before a hook, at the original speed. The first hook with a time (a start,
    /// an event or an end) sets the beginning and is replayed at once.
    pub fn delay(&mut self, hook: &RecordedHook) -> Duration {
        let time = match &hook.call {
            HookCall::Startup | HookCall::Shutdown => None,
            HookCall::OnStart(on) => on.span.start_time,
            HookCall::OnEvent(_, event) => Some(event.timestamp),
            HookCall::OnEnd(on) => on.span.end_time,
        };
        let Some(time) = time else {
            return Duration::ZERO;
        };
        let (began, first) = *self
            .started_at
            .get_or_insert_with(|| (Instant::now(), time));
        time.since(first).saturating_sub(began.elapsed())
    }

    /// Ends all open spans as [unfinished](Span::is_unfinished), and returns the counts.
    ///
    /// Calls the processor's synchronous hooks. A failed hook is counted under either policy.
    #[must_use]
    pub fn finish(mut self) -> ReplaySummary {
        let open_spans = self.open_spans + self.end_open_spans();
        let traces = self.runs.values().flat_map(Run::all_traces);
        let failures = traces.map(Trace::hook_failures);
        ReplaySummary {
            hooks: self.hooks,
            open_spans,
            repeated_ids: self.repeated_ids,
            hook_failures: self.hook_failures + failures.sum::<u64>(),
        }
    }

    /// Ends what is open, children before their parents.
    fn end_open_spans(&mut self) -> usize {
        let runs = self.runs.values_mut();
        runs.map(|run| run.end_open_spans(None)).sum()
    }

    fn prepare(&mut self, hook: RecordedHook) -> Prepared {
        self.hooks += 1;
        let RecordedHook {
            run, trace, call, ..
        } = hook;
        match call {
            HookCall::Startup => Prepared::Startup(self.run(run, trace, Which::New).trace.clone()),
            HookCall::Shutdown => {
                let is_named = trace.is_some();
                let run = self.run(run, trace, Which::Any);
                let trace = match is_named {
                    true => run.trace.clone(),
                    false => run.trace_that_ends(),
                };
                run.shut_down(&trace);
                Prepared::Shutdown(trace)
            }
            HookCall::OnStart(on) => {
                let number = self.hooks;
                let run = self.run(run, trace, Which::Any);
                let is_repeated = run.is_open(&on.span.id);
                let span = run.start(on, number);
                self.repeated_ids += u64::from(is_repeated);
                Prepared::Span(vec![Step::Start(span)])
            }
            HookCall::OnEvent(on, event) => {
                let number = self.hooks;
                let run = self.run(run, trace, Which::Any);
                let (span, mut steps) = run.started(on, Some(&event.id), number);
                run.note(&span, Some(event.timestamp));
                steps.push(Step::Event(span, Box::new(event)));
                Prepared::Span(steps)
            }
            HookCall::OnEnd(on) => {
                let number = self.hooks;
                let run = self.run(run, trace, Which::Any);
                let end_time = on.span.end_time;
                let events = on.span.events.clone();
                let (span, mut steps) = run.started(on, None, number);
                if events.len() > span.event_count() {
                    keep_missing(&span, events.iter().map(|event| &**event));
                }
                run.note(&span, end_time);
                steps.push(Step::End(span, end_time));
                Prepared::Span(steps)
            }
        }
    }

    /// The run, after its traces that are over have ended. Its trace is the one that is meant.
    fn run(&mut self, name: Option<String>, trace: Option<TraceInfo>, which: Which) -> &mut Run {
        let (processor, error_policy) = (&self.processor, self.error_policy);
        let make = |trace: Option<TraceInfo>| {
            let info = trace.unwrap_or_else(|| TraceInfo::new(Id::random(), None));
            Trace::recorded(info, error_policy, observers([Arc::clone(processor)]))
        };
        let run = match self.runs.entry(name) {
            Entry::Vacant(place) => return place.insert(Run::of(make(trace))),
            Entry::Occupied(place) => place.into_mut(),
        };
        let is_current = |info: &TraceInfo| info.id == *run.trace.id();
        if which == Which::Any && trace.as_ref().is_none_or(is_current) {
            return run;
        }
        let known = trace.as_ref().and_then(|info| run.traces.get(&info.id));
        let again = known.filter(|trace| which == Which::Any && trace.is_active());
        let meant = again.cloned().ok_or_else(|| make(trace));
        // Traces that were shut down get no more lines.
        for id in std::mem::take(&mut run.over) {
            self.open_spans += run.end_open_spans(Some(&id));
            if let Some(over) = run.traces.remove(&id) {
                self.hook_failures += over.hook_failures();
            }
        }
        match meant {
            Ok(known) => run.trace = known,
            Err(new) => run.begin(new),
        }
        run
    }
}

/// Which trace of a run is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Any,
    /// One that starts now.
    New,
}

/// Whoever drops a replay has seen all of the recording, or all that could be read of it.
impl Drop for Replay {
    fn drop(&mut self) {
        self.end_open_spans();
    }
}

impl Run {
    fn of(trace: Trace) -> Self {
        Self {
            traces: HashMap::from([(trace.id().clone(), trace.clone())]),
            trace,
            over: Vec::new(),
            restarted: Vec::new(),
            spans: HashMap::new(),
            left_open: HashSet::new(),
        }
    }

    fn all_traces(&self) -> impl Iterator<Item = &Trace> {
        self.traces.values().chain(&self.restarted)
    }

    fn begin(&mut self, trace: Trace) {
        let before = self.traces.insert(trace.id().clone(), trace.clone());
        self.restarted.extend(before);
        self.trace = trace;
    }

    /// The trace that a shutdown without a name is of.
    fn trace_that_ends(&self) -> Trace {
        // With the number of the last span that started in it, while all have ended.
        let mut latest: HashMap<&Id, Option<u64>> = HashMap::new();
        for played in self.spans.values().flatten() {
            let Some(trace) = played.span.trace() else {
                continue;
            };
            let is_open = played.span.end_time().is_none();
            let latest = latest.entry(trace.id()).or_insert(Some(0));
            *latest = match *latest {
                Some(number) if !is_open => Some(number.max(played.number)),
                _ => None,
            };
        }
        let is_done = |trace: &&Trace| {
            trace.is_active() && latest.get(trace.id()).copied().flatten().is_some()
        };
        if is_done(&&self.trace) {
            return self.trace.clone();
        }
        let done = self.traces.values().filter(is_done);
        let last = done.max_by_key(|trace| latest.get(trace.id()).copied().flatten());
        last.unwrap_or(&self.trace).clone()
    }

    fn shut_down(&mut self, trace: &Trace) {
        trace.set_active(false);
        let open = self.take_spans(Some(trace.id()));
        for played in open.into_iter().rev() {
            let same_id = self.spans.entry(played.span.id().clone()).or_default();
            same_id.push(played);
        }
        self.over.push(trace.id().clone());
    }

    /// The span as it starts, with its parent.
    fn start(&mut self, on: RecordedSpan, number: u64) -> Span {
        let RecordedSpan {
            span: mut record,
            parent_id,
            ..
        } = on;
        // A span that names itself as its parent and has no predecessor has none.
        // Nor has one whose parent is of an earlier trace: pyagentspec keeps what nobody ended on its stack.
        let means_nothing = |id: &Id| *id == record.id || self.left_open.contains(id);
        let parent_id = parent_id.filter(|id| self.last(id).is_some() || !means_nothing(id));
        let parent = parent_id.map(|id| {
            let known = self.last(&id).map(|played| played.span.clone());
            known.unwrap_or_else(|| {
                let record = agentspec::Span::new(id, SpanDetails::Plain);
                let links = Links::new(None, None);
                Span::assemble(record, 0, links, Ticks::read(None))
            })
        });
        record.end_time = None;
        let early = std::mem::take(&mut record.events);
        let last_time = early.iter().map(|event| event.timestamp).max();
        let last_time = last_time.max(record.start_time);
        let links = Links::new(parent, Some(self.trace.clone()));
        let span = Span::assemble(record, early.len(), links, Ticks::read(None));
        span.keep_early(early);
        let same_id = self.spans.entry(span.id().clone()).or_default();
        same_id.push(Played {
            span: span.clone(),
            number,
            last_time,
        });
        span
    }

    /// The span of an id that started last, in this trace if it has one.
    fn last(&self, id: &Id) -> Option<&Played> {
        let same_id = self.spans.get(id)?;
        let mut latest = same_id.iter().rev();
        let found = latest.find(|played| self.is_of_this_trace(played));
        found.or(same_id.last())
    }

    fn is_of_this_trace(&self, played: &Played) -> bool {
        let trace = played.span.trace();
        trace.is_some_and(|trace| trace.id() == self.trace.id())
    }

    fn is_open(&self, id: &Id) -> bool {
        let last = self.last(id).filter(|last| self.is_of_this_trace(last));
        last.is_some_and(|played| played.span.end_time().is_none())
    }

    /// The span that a line is about. If its start was not recorded, it starts now, without the event
    /// that the line is about.
    fn started(
        &mut self,
        mut on: RecordedSpan,
        event: Option<&Id>,
        number: u64,
    ) -> (Span, Vec<Step>) {
        let same_id = self.spans.get(&on.span.id);
        let repeats = |played: &&Played| {
            let span = &played.span;
            span.start_time() == on.span.start_time && span.name() == &*on.span.name
        };
        let mut of_this_trace = same_id.into_iter().flatten().rev();
        let of_this_trace = of_this_trace.find(|one| self.is_of_this_trace(one) && repeats(one));
        let any = || same_id?.iter().rev().find(repeats);
        let found = of_this_trace
            .or_else(any)
            .or_else(|| self.last(&on.span.id));
        match found {
            Some(played) => (played.span.clone(), Vec::new()),
            None => {
                on.span.events.retain(|other| Some(&other.id) != event);
                let span = self.start(on, number);
                (span.clone(), vec![Step::Start(span)])
            }
        }
    }

    /// Notes that something happened in a span, which was going on then.
    fn note(&mut self, span: &Span, time: Option<Timestamp>) {
        let same_id = self.spans.get_mut(span.id()).into_iter().flatten();
        let played = same_id.rev().find(|played| played.span.is_same(span));
        if let Some(played) = played {
            played.last_time = played.last_time.max(time);
        }
    }

    /// Takes out the spans of a trace, or all. Returns those that are open, children before their parents, each
    /// with the last time that is known of it and of what is in it.
    fn take_spans(&mut self, of: Option<&Id>) -> Vec<Played> {
        let is_meant = |played: &Played| {
            let trace = played.span.trace().map(Trace::id);
            of.is_none() || trace == of
        };
        let mut taken = Vec::new();
        self.spans.retain(|_, same_id| {
            let (meant, others) = std::mem::take(same_id).into_iter().partition(is_meant);
            *same_id = others;
            let mut meant: Vec<Played> = meant;
            taken.append(&mut meant);
            !same_id.is_empty()
        });
        taken.sort_unstable_by_key(|played| Reverse(played.number));
        let mut times: HashMap<SpanKey, (Span, Option<Timestamp>)> = HashMap::new();
        for played in &mut taken {
            if let Some((_, inner)) = times.remove(&played.span.key()) {
                played.last_time = played.last_time.max(inner);
            }
            if let Some(parent) = played.span.parent() {
                let (_, time) = times.entry(parent.key()).or_insert((parent, None));
                *time = (*time).max(played.last_time);
            }
        }
        // Their parents may be of other traces.
        for (span, time) in times.into_values() {
            self.note(&span, time);
        }
        taken.retain(|played| played.span.end_time().is_none());
        taken
    }

    /// Ends what is open in a trace, or in all, as unfinished, children before their parents. Says how many
    /// there were.
    fn end_open_spans(&mut self, of: Option<&Id>) -> usize {
        let open = self.take_spans(of);
        for Played {
            span, last_time, ..
        } in &open
        {
            let time = last_time.or(span.start_time());
            let time = time.unwrap_or(Timestamp::from_unix_nanos(0));
            // Reported and counted where it happens; there is nobody to propagate it to.
            let _ = span.end_unfinished(time);
        }
        let ids = open.iter().map(|played| played.span.id().clone());
        self.left_open.extend(ids);
        open.len()
    }
}

/// Keeps events that the end of a span shows and that were not recorded when they happened.
fn keep_missing<'a>(span: &Span, events: impl Iterator<Item = &'a Event>) {
    let kept: HashSet<Id> = span.events().map(|event| event.id.clone()).collect();
    for event in events.filter(|event| !kept.contains(&event.id)) {
        span.keep_event(event.clone());
    }
}

/// The call to make for a recorded hook.
enum Prepared {
    Startup(Trace),
    Span(Vec<Step>),
    Shutdown(Trace),
}

enum Step {
    Start(Span),
    Event(Span, Box<Event>),
    End(Span, Option<Timestamp>),
}

impl Step {
    fn take(self) -> Result<(), TraceError> {
        match self {
            Self::Start(span) => dispatch(&span, SpanHook::Start),
            Self::Event(span, event) => span.add_complete_event(*event),
            Self::End(span, time) => span.end_at(time),
        }
    }

    async fn take_async(self) -> Result<(), TraceError> {
        match self {
            Self::Start(span) => dispatch_async(&span, SpanHook::Start).await,
            Self::Event(span, event) => span.add_complete_event_async(*event).await,
            Self::End(span, time) => span.end_at_async(time).await,
        }
    }
}

fn wait(delay: Duration) {
    let began = Instant::now();
    loop {
        let left = delay.saturating_sub(began.elapsed());
        if left.is_zero() {
            return;
        }
        // May return early.
        thread::park_timeout(left);
    }
}
