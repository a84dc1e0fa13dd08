//! Does what a script says with our `Trace` and `Span`.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use agentspan_model::agentspec::{
    Event, EventDetails, ExceptionRaised, Id, SpanDetails, Timestamp,
};
use agentspan_processor::span::{Entered, OpenSpan, SpanBuilder};
use agentspan_processor::trace::{OpenTrace, TraceBuilder};
use agentspan_processor::{
    Context, ErrorPolicy, Span, SpanProcessor, Trace, TraceError, active_span_stack, current_span,
    current_trace,
};
use futures_executor::block_on;

use super::outcome::{ActiveRecord, LifecycleOutcome, SpanState, StepRecord};
use super::script::{Mode, Op, PythonError, Script, Step};
use super::scripted_processor::{CallLog, ScriptedProcessor, event_record};
use crate::Failure;

/// What leaves a step: nothing, or an error that goes on to the step around it.
type Left = Result<(), PythonError>;

pub(super) fn run(script: &Script) -> Result<LifecycleOutcome, Failure> {
    let log = CallLog::default();
    let mut run = Run::new(script, &log);
    let mut here = Here::default();
    let uncaught = block_on(run.steps(&mut here, &script.steps, "")).err();
    run.record("end", "end", None);
    let outcome = LifecycleOutcome {
        // Before what is still open is dropped, which calls hooks too.
        calls: log.calls(),
        spans: run.spans.iter().map(Named::state).collect(),
        steps: std::mem::take(&mut run.records),
        uncaught,
    };
    match run.misuse {
        Some(misuse) => Err(misuse.into()),
        None => Ok(outcome),
    }
}

/// The state of a script that all threads and tasks share.
struct Run<'a> {
    mode: Mode,
    log: CallLog,
    processors: Vec<(&'a str, Arc<dyn SpanProcessor>)>,
    traces: HashMap<&'a str, NamedTrace<'a>>,
    spans: Vec<Named<'a>>,
    records: Vec<StepRecord>,
    /// Traces whose name another one has taken while they were running. They end when all is over.
    displaced: Vec<OpenTrace>,
    misuse: Option<String>,
}

/// What was made current on one thread or in one task, to be undone there.
#[derive(Default)]
struct Here(HashMap<String, Entered>);

/// A trace by its name in the script.
struct NamedTrace<'a> {
    /// The name of its root span, if the script gives it one.
    root: Option<&'a str>,
    processors: Vec<Arc<dyn SpanProcessor>>,
    shutdown_on_exit: bool,
    running: Option<Trace>,
    open: Option<OpenTrace>,
}

/// A span by its name in the script.
struct Named<'a> {
    name: &'a str,
    /// Used up when it starts.
    builder: Option<SpanBuilder>,
    early: Vec<Event>,
    span: Option<Span>,
    open: Option<OpenSpan>,
}

impl Named<'_> {
    fn starts(&mut self, span: Span) {
        self.builder = None;
        self.span = Some(span);
    }

    fn state(&self) -> SpanState {
        let early = self.early.iter().map(event_record);
        match &self.span {
            Some(span) => SpanState {
                name: self.name.into(),
                parent: span.parent().map(|parent| parent.name().into()),
                started: span.start_time().is_some(),
                ended: span.end_time().is_some(),
                events: span.events().map(|event| event_record(&event)).collect(),
            },
            None => SpanState {
                name: self.name.into(),
                parent: None,
                started: false,
                ended: false,
                events: early.collect(),
            },
        }
    }
}

impl<'a> Run<'a> {
    fn new(script: &'a Script, log: &CallLog) -> Self {
        let processors = script.processors.iter().map(|input| {
            let processor: Arc<dyn SpanProcessor> = Arc::new(ScriptedProcessor {
                input: input.clone(),
                log: log.clone(),
            });
            (input.name.as_str(), processor)
        });
        Self {
            mode: script.mode,
            log: log.clone(),
            processors: processors.collect(),
            traces: HashMap::new(),
            spans: Vec::new(),
            records: Vec::new(),
            displaced: Vec::new(),
            misuse: None,
        }
    }

    fn steps<'b>(
        &'b mut self,
        here: &'b mut Here,
        steps: &'a [Step],
        path: &'b str,
    ) -> Pin<Box<dyn Future<Output = Left> + 'b>> {
        Box::pin(async move {
            for (index, step) in steps.iter().enumerate() {
                let path = match path {
                    "" => index.to_string(),
                    outer => format!("{outer}.{index}"),
                };
                let left = self.step(here, step, &path).await;
                if step.propagate || step.op == Op::Raise {
                    left?;
                }
            }
            Ok(())
        })
    }

    async fn step(&mut self, here: &mut Here, step: &'a Step, path: &str) -> Left {
        let is_async = step.is_async(self.mode);
        let done = match step.op {
            Op::WithTrace => return self.with_trace(here, step, path).await,
            Op::WithSpan => return self.with_span(here, step, path).await,
            Op::InThread => return self.in_thread(step, path),
            Op::InTask => return self.in_task(step, path).await,
            Op::Raise => {
                let error = step.error();
                self.record(path, "raise", Some(&error));
                return Err(error);
            }
            Op::TraceStart => self.trace_start(here, step, is_async).await,
            Op::TraceEnd => self.trace_end(here, step, is_async).await,
            Op::SpanStart => self.span_start(here, step, is_async).await,
            Op::SpanEnd => self.span_end(here, step, is_async).await,
            Op::AddEvent => self.add_event(step, is_async).await,
            Op::SetProcessors => {
                self.set_processors(step);
                Ok(())
            }
        };
        self.record(path, "done", done.as_ref().err());
        done
    }

    async fn with_trace(&mut self, here: &mut Here, step: &'a Step, path: &str) -> Left {
        // No guard lets go of its trace before its block is left.
        if step.ends_its_trace_inside() {
            return self.with_open_trace(here, step, path).await;
        }
        let builder = self.trace_builder(step);
        let left = if step.is_async(self.mode) {
            match builder.start_async().await {
                Err(error) => {
                    self.root_failed(step);
                    return self.enter_failed(path, error);
                }
                Ok(open) => {
                    self.has_started(step, open.trace(), open.root());
                    let body = open.wrap(async {
                        self.record(path, "entered", None);
                        self.steps(here, &step.steps, path).await
                    });
                    let left = body.await;
                    open.end_async().await.map_err(python_error).and(left)
                }
            }
        } else {
            match builder.start() {
                Err(error) => {
                    self.root_failed(step);
                    return self.enter_failed(path, error);
                }
                Ok(guard) => {
                    self.has_started(step, guard.trace(), guard.root());
                    self.record(path, "entered", None);
                    let left = self.steps(here, &step.steps, path).await;
                    guard.end().map_err(python_error).and(left)
                }
            }
        };
        self.record(path, "exited", left.as_ref().err());
        left
    }

    /// A block with a trace that may end inside of it.
    async fn with_open_trace(&mut self, here: &mut Here, step: &'a Step, path: &str) -> Left {
        let is_async = step.is_async(self.mode);
        if let Err(error) = self.trace_start(here, step, is_async).await {
            self.record(path, "enter_failed", Some(&error));
            return Err(error);
        }
        self.record(path, "entered", None);
        let left = self.steps(here, &step.steps, path).await;
        let left = self.trace_end(here, step, is_async).await.and(left);
        self.record(path, "exited", left.as_ref().err());
        left
    }

    async fn trace_start(&mut self, here: &mut Here, step: &'a Step, is_async: bool) -> Left {
        let builder = self.trace_builder(step);
        let started = if is_async {
            builder.start_async().await
        } else {
            builder.start_detached()
        };
        let open = started.map_err(|error| {
            self.root_failed(step);
            python_error(error)
        })?;
        self.has_started(step, open.trace(), open.root());
        here.0.insert(trace_key(step), open.root().enter());
        let displaced = self.trace(step).and_then(|trace| trace.open.replace(open));
        self.displaced.extend(displaced);
        Ok(())
    }

    async fn trace_end(&mut self, here: &mut Here, step: &'a Step, is_async: bool) -> Left {
        let Some(open) = self.trace(step).and_then(|trace| trace.open.take()) else {
            return Ok(());
        };
        let ended = if is_async {
            open.end_async().await
        } else {
            open.end()
        };
        here.0.remove(&trace_key(step));
        ended.map_err(python_error)
    }

    async fn with_span(&mut self, here: &mut Here, step: &'a Step, path: &str) -> Left {
        let Some(builder) = self.span(step.span()).builder.take() else {
            let error = PythonError::second_start();
            self.record(path, "enter_failed", Some(&error));
            return Err(error);
        };
        let builder = self.with_early(step.span(), builder);
        let left = if step.is_async(self.mode) {
            match builder.start_async().await {
                Err(error) => {
                    self.start_failed(step.span());
                    return self.enter_failed(path, error);
                }
                Ok(open) => {
                    self.span(step.span()).span = Some(Span::clone(&open));
                    let body = open.wrap(async {
                        self.record(path, "entered", None);
                        let left = self.steps(here, &step.steps, path).await;
                        let told = match &left {
                            Ok(()) => Ok(()),
                            Err(error) => open.add_event_async(raised(error)).await,
                        };
                        let ended = Span::end_async(&open).await;
                        (told.and(ended), left)
                    });
                    let (ended, left) = body.await;
                    ended.map_err(python_error).and(left)
                }
            }
        } else {
            match builder.start() {
                Err(error) => {
                    self.start_failed(step.span());
                    return self.enter_failed(path, error);
                }
                Ok(guard) => {
                    self.span(step.span()).span = Some(Span::clone(&guard));
                    self.record(path, "entered", None);
                    let left = self.steps(here, &step.steps, path).await;
                    let told = match &left {
                        Ok(()) => Ok(()),
                        Err(error) => guard.add_event(raised(error)),
                    };
                    let ended = guard.end();
                    told.and(ended).map_err(python_error).and(left)
                }
            }
        };
        self.record(path, "exited", left.as_ref().err());
        left
    }

    async fn span_start(&mut self, here: &mut Here, step: &'a Step, is_async: bool) -> Left {
        let builder = self.span(step.span()).builder.take();
        let builder = builder.ok_or_else(PythonError::second_start)?;
        let builder = self.with_early(step.span(), builder);
        let started = if is_async {
            builder.start_async().await
        } else {
            builder.start_detached()
        };
        let open = started.map_err(|error| {
            self.start_failed(step.span());
            python_error(error)
        })?;
        here.0.insert(step.span().into(), open.enter());
        let named = self.span(step.span());
        named.span = Some(Span::clone(&open));
        named.open = Some(open);
        Ok(())
    }

    async fn span_end(&mut self, here: &mut Here, step: &'a Step, is_async: bool) -> Left {
        let Some(span) = self.span(step.span()).span.clone() else {
            return Ok(());
        };
        let ended = if is_async {
            span.end_async().await
        } else {
            span.end()
        };
        here.0.remove(step.span());
        ended.map_err(python_error)
    }

    async fn add_event(&mut self, step: &'a Step, is_async: bool) -> Left {
        let named = self.span(step.span());
        let name = step.event().to_owned();
        let Some(span) = named.span.clone() else {
            let time = Timestamp::from_unix_nanos(0);
            let event = Event::new(Id::random(), time, EventDetails::Plain).with_name(name);
            named.early.push(event);
            return Ok(());
        };
        let event = span.new_event(EventDetails::Plain).with_name(name);
        let added = if is_async {
            span.add_complete_event_async(event).await
        } else {
            span.add_complete_event(event)
        };
        added.map_err(python_error)
    }

    fn set_processors(&mut self, step: &'a Step) {
        let processors = self.named_processors(step.processors.as_deref());
        if let Some(trace) = self.trace(step) {
            trace.processors.clone_from(&processors);
            if let Some(running) = &trace.running {
                running.set_processors(processors);
            }
        }
    }

    /// A thread has a context of its own, in which nothing is active.
    fn in_thread(&mut self, step: &'a Step, path: &str) -> Left {
        self.record(path, "thread_starting", None);
        let left = std::thread::scope(|scope| {
            let run = &mut *self;
            let thread =
                scope.spawn(move || block_on(run.steps(&mut Here::default(), &step.steps, path)));
            thread.join()
        });
        let left = left.unwrap_or_else(|_| {
            self.misuse = Some("a thread of the script panicked".into());
            Ok(())
        });
        self.record(path, "thread_joined", left.as_ref().err());
        left
    }

    /// A task has the context of the code that made it, and what it changes stays with it.
    async fn in_task(&mut self, step: &'a Step, path: &str) -> Left {
        self.record(path, "task_starting", None);
        let mut here = Here::default();
        let task = self.steps(&mut here, &step.steps, path);
        let left = Context::current().wrap(task).await;
        self.record(path, "task_joined", left.as_ref().err());
        left
    }

    /// The trace that a step names, made by the first step that does.
    fn trace(&mut self, step: &'a Step) -> Option<&mut NamedTrace<'a>> {
        if !self.traces.contains_key(step.trace()) {
            let root = step.root_span.as_deref();
            if let Some(root) = root {
                self.span(root);
            }
            let trace = NamedTrace {
                root,
                processors: self.named_processors(step.processors.as_deref()),
                shutdown_on_exit: step.shutdown_on_exit != Some(false),
                running: None,
                open: None,
            };
            self.traces.insert(step.trace(), trace);
        }
        self.traces.get_mut(step.trace())
    }

    fn trace_builder(&mut self, step: &'a Step) -> TraceBuilder {
        let mut builder = Trace::builder()
            .with_name(step.trace())
            .with_error_policy(ErrorPolicy::Propagate);
        let mut root = None;
        if let Some(trace) = self.trace(step) {
            if !trace.shutdown_on_exit {
                builder = builder.without_shutdown();
            }
            for processor in &trace.processors {
                builder = builder.with_processor(Arc::clone(processor));
            }
            root = trace.root;
        }
        match root {
            Some(name) => {
                let root = self.span(name).builder.clone();
                let root = root.unwrap_or_else(|| span_builder(name));
                builder.with_root_span(self.with_early(name, root))
            }
            None => builder,
        }
    }

    fn has_started(&mut self, step: &'a Step, trace: &Trace, root: &Span) {
        let named = self.trace(step);
        let name = named.and_then(|named| {
            named.running = Some(trace.clone());
            named.root
        });
        if let Some(name) = name {
            self.span(name).starts(root.clone());
        }
    }

    /// A root span whose start failed has started too, for those processors that it reached.
    fn root_failed(&mut self, step: &'a Step) {
        let name = self.trace(step).and_then(|named| named.root);
        if let Some(name) = name {
            self.start_failed(name);
        }
    }

    fn span(&mut self, name: &'a str) -> &mut Named<'a> {
        let found = self.spans.iter().position(|span| span.name == name);
        let index = found.unwrap_or(self.spans.len());
        if found.is_none() {
            self.spans.push(Named {
                name,
                builder: Some(span_builder(name)),
                early: Vec::new(),
                span: None,
                open: None,
            });
        }
        &mut self.spans[index]
    }

    /// Events that were added before the span started come with it, but only with the first of that name.
    fn with_early(&mut self, name: &'a str, mut builder: SpanBuilder) -> SpanBuilder {
        let named = self.span(name);
        if named.span.is_none() {
            for event in &named.early {
                builder = builder.with_event(event.clone());
            }
        }
        builder
    }

    fn named_processors(&self, names: Option<&[String]>) -> Vec<Arc<dyn SpanProcessor>> {
        let all = self.processors.iter();
        match names {
            None => all.map(|(_, processor)| Arc::clone(processor)).collect(),
            Some(names) => names
                .iter()
                .filter_map(|name| {
                    let (_, processor) = all.clone().find(|(other, _)| other == name)?;
                    Some(Arc::clone(processor))
                })
                .collect(),
        }
    }

    /// A span whose start failed has ended. Who started it has no handle to it; processors may.
    fn start_failed(&mut self, name: &'a str) {
        if let Some(span) = self.log.span(name) {
            self.span(name).starts(span);
        }
    }

    fn enter_failed(&mut self, path: &str, error: TraceError) -> Left {
        let error = python_error(error);
        self.record(path, "enter_failed", Some(&error));
        Err(error)
    }

    fn record(&mut self, path: &str, phase: &'static str, surfaced: Option<&PythonError>) {
        let trace = current_trace();
        self.records.push(StepRecord {
            step: path.into(),
            phase,
            surfaced: surfaced.cloned(),
            active: ActiveRecord {
                stack_depth: active_span_stack().len(),
                current_span: current_span().map(|span| span.name().into()),
                active_trace: trace.as_ref().map(|trace| trace.name().into()),
                async_mode: trace.map(|trace| trace.is_async_mode_active()),
            },
        });
    }
}

fn span_builder(name: &str) -> SpanBuilder {
    Span::builder(SpanDetails::Plain).with_name(name.to_owned())
}

fn trace_key(step: &Step) -> String {
    format!("trace {}", step.trace())
}

fn raised(error: &PythonError) -> ExceptionRaised {
    ExceptionRaised::new(&error.r#type, &error.message)
        .with_stacktrace(format!("{}: {}", error.r#type, error.message))
}

fn python_error(error: TraceError) -> PythonError {
    match error {
        TraceError::Hook { source, .. } => PythonError {
            r#type: source.type_name().into(),
            message: source.to_string(),
        },
        TraceError::AlreadyActive { .. } => PythonError::nested_trace(),
        error => PythonError::runtime(&error.to_string()),
    }
}
