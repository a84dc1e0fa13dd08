//! What the reference does, with its defects or without them.
//!
//! Knows nothing of our crates. It is taken seriously only for scripts of which it predicts what the
//! reference really did.

use std::collections::HashMap;

use super::outcome::{
    ActiveRecord, CallRecord, CalledSpan, EventRecord, LifecycleOutcome, SpanState, StepRecord,
};
use super::script::{Op, ProcessorInput, PythonError, Script, Step};

/// A defect of the reference that ours does not have, in the order in which the rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Defect {
    /// A trace whose start fails stays active for ever, and its processors stay up.
    FailedStartLeavesTrace,
    /// A trace whose root span fails to end stays active for ever, and its processors stay up.
    FailedRootEndLeavesTrace,
    /// A processor that fails when an exception is recorded keeps the span from ending.
    FailedEventKeepsSpanOpen,
    /// A span that is ended again tells processors again, and takes another span off the stack.
    EndsTwice,
    /// A span that has not started can be ended.
    EndsBeforeStart,
    /// The end of a span takes the top of the stack off, which may be another span, or fails if the stack is empty.
    EndPopsTheTop,
    /// A span can be started again, and tells processors of its end more often then.
    StartsTwice,
    /// A trace that is started again has the root span of before.
    RootIsUsedAgain,
    /// A trace that ends in another task or thread stays active where it was started.
    EndedTraceStaysActiveElsewhere,
    /// The end of a trace that is not active ends the one that is, and shuts processors down.
    EndsTraceThatIsNotActive,
    /// The root span of a trace that ends where it is not active is not current for its own end.
    RootEndsUnseen,
}

type Left = Result<(), PythonError>;

pub(super) fn simulate(script: &Script, is_mended: &dyn Fn(Defect) -> bool) -> LifecycleOutcome {
    let mut simulation = Simulation {
        script,
        is_mended,
        spans: Vec::new(),
        traces: Vec::new(),
        named: Vec::new(),
        by_trace: HashMap::new(),
        here: Here::default(),
        calls: Vec::new(),
        records: Vec::new(),
    };
    let uncaught = simulation.steps(&script.steps, "").err();
    simulation.record("end", "end", None);
    LifecycleOutcome {
        spans: simulation
            .named
            .iter()
            .map(|(name, span)| simulation.state(name, *span))
            .collect(),
        calls: simulation.calls,
        steps: simulation.records,
        uncaught,
    }
}

struct Simulation<'a> {
    script: &'a Script,
    is_mended: &'a dyn Fn(Defect) -> bool,
    spans: Vec<SimulatedSpan>,
    traces: Vec<SimulatedTrace>,
    /// The spans of the script by name, in the order of their first use.
    named: Vec<(String, usize)>,
    by_trace: HashMap<String, usize>,
    here: Here,
    calls: Vec<CallRecord>,
    records: Vec<StepRecord>,
}

/// The context variables of a thread or task.
#[derive(Clone, Default)]
struct Here {
    trace: Option<usize>,
    stack: Vec<usize>,
}

#[derive(Default)]
struct SimulatedSpan {
    name: String,
    parent: Option<usize>,
    is_started: bool,
    is_ended: bool,
    /// The hooks of its end have run.
    is_over: bool,
    on_stack: bool,
    events: Vec<EventRecord>,
    started_by: Vec<String>,
}

#[derive(Clone)]
struct SimulatedTrace {
    name: String,
    processors: Vec<String>,
    shutdown_on_exit: bool,
    root: usize,
    is_async: bool,
    is_active: bool,
}

impl Simulation<'_> {
    fn steps(&mut self, steps: &[Step], path: &str) -> Left {
        for (index, step) in steps.iter().enumerate() {
            let path = match path {
                "" => index.to_string(),
                outer => format!("{outer}.{index}"),
            };
            let left = self.step(step, &path);
            if step.propagate || step.op == Op::Raise {
                left?;
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, path: &str) -> Left {
        let is_async = step.is_async(self.script.mode);
        let (phase, left) = match step.op {
            Op::WithTrace => {
                let trace = self.trace_to_start(step);
                let started = self.trace_start(trace, is_async);
                let body = |this: &mut Self| this.steps(&step.steps, path);
                let end = |this: &mut Self, left: Left| this.trace_end(trace, is_async).and(left);
                return self.block(path, started, body, end);
            }
            Op::WithSpan => {
                let span = self.span(step.span());
                let started = self.span_start(span, is_async);
                let body = |this: &mut Self| this.steps(&step.steps, path);
                let end = |this: &mut Self, left: Left| {
                    let exited = this.span_exit(span, left.as_ref().err(), is_async);
                    exited.and(left)
                };
                return self.block(path, started, body, end);
            }
            Op::InThread => {
                self.record(path, "thread_starting", None);
                let outer = std::mem::take(&mut self.here);
                let left = self.steps(&step.steps, path);
                self.here = outer;
                ("thread_joined", left)
            }
            Op::InTask => {
                self.record(path, "task_starting", None);
                let outer = self.here.clone();
                let left = self.steps(&step.steps, path);
                self.here = outer;
                ("task_joined", left)
            }
            Op::Raise => ("raise", Err(step.error())),
            Op::TraceStart => {
                let trace = self.trace_to_start(step);
                ("done", self.trace_start(trace, is_async))
            }
            Op::TraceEnd => {
                let trace = self.trace(step);
                ("done", self.trace_end(trace, is_async))
            }
            Op::SpanStart => {
                let span = self.span(step.span());
                ("done", self.span_start(span, is_async))
            }
            Op::SpanEnd => {
                let span = self.span(step.span());
                ("done", self.span_end(span, is_async))
            }
            Op::AddEvent => {
                let span = self.span(step.span());
                let event = EventRecord::plain(step.event());
                ("done", self.add_event(span, event, is_async))
            }
            Op::SetProcessors => {
                let trace = self.trace(step);
                let processors = self.processors(step);
                if let Some(trace) = self.traces.get_mut(trace) {
                    trace.processors = processors;
                }
                ("done", Ok(()))
            }
        };
        self.record(path, phase, left.as_ref().err());
        left
    }

    fn block(
        &mut self,
        path: &str,
        started: Left,
        body: impl FnOnce(&mut Self) -> Left,
        end: impl FnOnce(&mut Self, Left) -> Left,
    ) -> Left {
        if let Err(error) = started {
            self.record(path, "enter_failed", Some(&error));
            return Err(error);
        }
        self.record(path, "entered", None);
        let left = body(self);
        let left = end(self, left);
        self.record(path, "exited", left.as_ref().err());
        left
    }

    fn trace_start(&mut self, trace: usize, is_async: bool) -> Left {
        if self.active_trace().is_some() {
            return Err(PythonError::nested_trace());
        }
        self.traces[trace].is_active = true;
        self.here.trace = Some(trace);
        let mut up = Vec::new();
        for processor in self.traces[trace].processors.clone() {
            if let Err(error) = self.call(&processor, "startup", is_async, None, None) {
                return self.start_failed(trace, &up, is_async, error);
            }
            up.push(processor);
        }
        if self.mended(Defect::RootIsUsedAgain) && self.spans[self.traces[trace].root].is_started {
            self.renew_root(trace);
        }
        let root = self.traces[trace].root;
        if let Err(error) = self.span_start(root, is_async) {
            return self.start_failed(trace, &up, is_async, error);
        }
        self.traces[trace].is_async = is_async;
        Ok(())
    }

    fn start_failed(
        &mut self,
        trace: usize,
        up: &[String],
        is_async: bool,
        error: PythonError,
    ) -> Left {
        if self.mended(Defect::FailedStartLeavesTrace) {
            self.forget(trace);
            if self.traces[trace].shutdown_on_exit {
                for processor in up {
                    // There is an error already.
                    let _ = self.call(processor, "shutdown", is_async, None, None);
                }
            }
        }
        Err(error)
    }

    fn trace_end(&mut self, trace: usize, is_async: bool) -> Left {
        if self.mended(Defect::EndsTraceThatIsNotActive) && !self.traces[trace].is_active {
            return Ok(());
        }
        let root = self.traces[trace].root;
        let enters = self.mended(Defect::RootEndsUnseen) && !self.here.stack.contains(&root);
        if enters {
            self.here.stack.push(root);
        }
        let root_ended = self.span_end(root, is_async);
        if enters {
            self.here.stack.pop();
        }
        if !self.mended(Defect::FailedRootEndLeavesTrace) {
            root_ended.clone()?;
        }
        self.forget(trace);
        if self.traces[trace].shutdown_on_exit {
            for processor in self.traces[trace].processors.clone() {
                if let Err(error) = self.call(&processor, "shutdown", is_async, None, None) {
                    return root_ended.and(Err(error));
                }
            }
        }
        self.traces[trace].is_async = false;
        root_ended
    }

    /// The trace is active no more.
    fn forget(&mut self, trace: usize) {
        self.here.trace = None;
        self.traces[trace].is_active = false;
    }

    /// A trace that is started again gets a root span like the one of before, which is another one.
    fn renew_root(&mut self, trace: usize) {
        let old = self.traces[trace].root;
        let new = self.spans.len();
        let name = self.spans[old].name.clone();
        self.spans.push(SimulatedSpan {
            name,
            ..SimulatedSpan::default()
        });
        self.traces[trace].root = new;
        for (_, span) in &mut self.named {
            if *span == old {
                *span = new;
            }
        }
    }

    fn span_start(&mut self, span: usize, is_async: bool) -> Left {
        if self.spans[span].is_started && self.mended(Defect::StartsTwice) {
            return Err(PythonError::second_start());
        }
        self.spans[span].parent = self.current_span();
        self.spans[span].is_started = true;
        let trace = self.active_trace();
        let processors = trace.map_or_else(Vec::new, |trace| self.traces[trace].processors.clone());
        for processor in processors {
            if let Err(error) = self.call(&processor, "on_start", is_async, Some(span), None) {
                self.span_exit(span, Some(&error), is_async)?;
                return Err(error);
            }
            self.spans[span].started_by.push(processor);
        }
        self.here.stack.push(span);
        self.spans[span].on_stack = true;
        Ok(())
    }

    fn span_exit(&mut self, span: usize, error: Option<&PythonError>, is_async: bool) -> Left {
        let told = match error {
            Some(error) => self.add_event(span, EventRecord::exception(error), is_async),
            None => Ok(()),
        };
        if !self.mended(Defect::FailedEventKeepsSpanOpen) {
            told.clone()?;
        }
        let ended = self.span_end(span, is_async);
        told.and(ended)
    }

    fn span_end(&mut self, span: usize, is_async: bool) -> Left {
        let is_done = self.spans[span].is_ended && self.mended(Defect::EndsTwice);
        let is_early = !self.spans[span].is_started && self.mended(Defect::EndsBeforeStart);
        if is_done || is_early {
            return Ok(());
        }
        self.spans[span].is_ended = true;
        let mut ended = Ok(());
        for processor in self.spans[span].started_by.clone() {
            let called = self.call(&processor, "on_end", is_async, Some(span), None);
            ended = ended.and(called);
        }
        self.spans[span].is_over = true;
        let pops = self.spans[span].on_stack && !self.mended(Defect::EndPopsTheTop);
        if pops && self.here.stack.pop().is_none() {
            return Err(PythonError {
                r#type: "IndexError".into(),
                message: "pop from empty list".into(),
            });
        }
        ended
    }

    fn add_event(&mut self, span: usize, event: EventRecord, is_async: bool) -> Left {
        self.spans[span].events.push(event.clone());
        for processor in self.spans[span].started_by.clone() {
            self.call(&processor, "on_event", is_async, Some(span), Some(&event))?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        processor: &str,
        hook: &'static str,
        is_async: bool,
        span: Option<usize>,
        event: Option<&EventRecord>,
    ) -> Left {
        let called = span.map(|span| {
            let span = &self.spans[span];
            CalledSpan {
                span: span.name.clone(),
                parent: self.name_of(span.parent),
                started: span.is_started,
                ended: span.is_ended,
            }
        });
        let inputs = &self.script.processors;
        let input: Option<&ProcessorInput> = inputs.iter().find(|input| input.name == processor);
        let span_name = called.as_ref().map(|called| called.span.as_str());
        let event_name = event.map(|event| event.name.as_str());
        let raised = input.and_then(|input| input.raises(hook, span_name, event_name));
        self.calls.push(CallRecord {
            processor: processor.into(),
            hook,
            r#async: is_async,
            span: called,
            event: event.cloned(),
            stack_depth: self.stack().count(),
        });
        raised.map_or(Ok(()), Err)
    }

    /// The active spans, the innermost first.
    fn stack(&self) -> impl Iterator<Item = usize> {
        let skip = self.mended(Defect::EndPopsTheTop);
        let stack = self.here.stack.iter().rev().copied();
        stack.filter(move |span| !skip || !self.spans[*span].is_over)
    }

    fn current_span(&self) -> Option<usize> {
        self.stack().next()
    }

    fn active_trace(&self) -> Option<usize> {
        let skip = self.mended(Defect::EndedTraceStaysActiveElsewhere);
        let trace = self.here.trace?;
        (!skip || self.traces[trace].is_active).then_some(trace)
    }

    fn mended(&self, defect: Defect) -> bool {
        (self.is_mended)(defect)
    }

    fn span(&mut self, name: &str) -> usize {
        if let Some((_, span)) = self.named.iter().find(|(named, _)| named == name) {
            return *span;
        }
        let span = self.new_span(name);
        self.named.push((name.into(), span));
        span
    }

    fn new_span(&mut self, name: &str) -> usize {
        self.spans.push(SimulatedSpan {
            name: name.into(),
            ..SimulatedSpan::default()
        });
        self.spans.len() - 1
    }

    fn trace(&mut self, step: &Step) -> usize {
        if let Some(trace) = self.by_trace.get(step.trace()) {
            return *trace;
        }
        let root = match &step.root_span {
            Some(name) => self.span(name),
            None => self.new_span("RootSpan"),
        };
        self.traces.push(SimulatedTrace {
            name: step.trace().into(),
            processors: self.processors(step),
            shutdown_on_exit: step.shutdown_on_exit != Some(false),
            root,
            is_async: false,
            is_active: false,
        });
        let trace = self.traces.len() - 1;
        self.by_trace.insert(step.trace().into(), trace);
        trace
    }

    /// The trace that a step starts: another one of that name if it is running elsewhere.
    fn trace_to_start(&mut self, step: &Step) -> usize {
        let trace = self.trace(step);
        let is_running = self.traces[trace].is_active && self.active_trace().is_none();
        if !is_running || !self.mended(Defect::RootIsUsedAgain) {
            return trace;
        }
        let another = self.traces[trace].clone();
        self.traces.push(another);
        let another = self.traces.len() - 1;
        self.renew_root(another);
        self.by_trace.insert(step.trace().into(), another);
        another
    }

    fn processors(&self, step: &Step) -> Vec<String> {
        match &step.processors {
            Some(names) => names.clone(),
            None => {
                let inputs = self.script.processors.iter();
                inputs.map(|input| input.name.clone()).collect()
            }
        }
    }

    fn name_of(&self, span: Option<usize>) -> Option<String> {
        Some(self.spans.get(span?)?.name.clone())
    }

    fn state(&self, name: &str, span: usize) -> SpanState {
        let span = &self.spans[span];
        SpanState {
            name: name.into(),
            parent: self.name_of(span.parent),
            started: span.is_started,
            ended: span.is_ended,
            events: span.events.clone(),
        }
    }

    fn record(&mut self, path: &str, phase: &'static str, surfaced: Option<&PythonError>) {
        let trace = self.active_trace().map(|trace| &self.traces[trace]);
        self.records.push(StepRecord {
            step: path.into(),
            phase,
            surfaced: surfaced.cloned(),
            active: ActiveRecord {
                stack_depth: self.stack().count(),
                current_span: self.name_of(self.current_span()),
                active_trace: trace.map(|trace| trace.name.clone()),
                async_mode: trace.map(|trace| trace.is_async),
            },
        });
    }
}
