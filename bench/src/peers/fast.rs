//! fastrace: the turn with its spans for one thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::local::LocalSpan;
use fastrace::{Event, Span};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

use crate::peers::replay::Replay;
use crate::site::{Pipeline, nap};

/// A turn whose agent is a root span and whose calls are local spans; its reporter throws spans away.
pub(crate) struct Fast {
    agent: Option<Texts>,
    children: Vec<Texts>,
    delivered: Arc<AtomicU64>,
}

/// A span as fastrace takes it: names and keys are static, and attributes are text.
struct Texts {
    name: &'static str,
    attributes: Pairs,
    events: Vec<(&'static str, Pairs)>,
}

type Pairs = Vec<(&'static str, String)>;

impl Fast {
    /// Starts the process's one reporter.
    pub(crate) fn new(turn: &Replay) -> Self {
        let delivered = Arc::default();
        // The default of a second would let a producer at full speed wait.
        let config = Config::default().report_interval(Duration::from_millis(10));
        fastrace::set_reporter(Discard(Arc::clone(&delivered)), config);
        Self {
            agent: turn.agent.as_ref().map(Texts::from),
            children: turn.children.iter().map(Texts::from).collect(),
            delivered,
        }
    }
}

impl From<&SpanData> for Texts {
    fn from(span: &SpanData) -> Self {
        // A program writes them into its source; here they live as long as the process, too.
        let fixed = |text: &str| -> &'static str { text.to_owned().leak() };
        let pairs = |attributes: &[KeyValue]| -> Pairs {
            let pairs = attributes.iter();
            pairs
                .map(|one| (fixed(one.key.as_str()), one.value.to_string()))
                .collect()
        };
        let events = span.events.events.iter();
        let events = events.map(|event| (fixed(&event.name), pairs(&event.attributes)));
        Self {
            name: fixed(&span.name),
            attributes: pairs(&span.attributes),
            events: events.collect(),
        }
    }
}

impl Pipeline for Fast {
    fn turn(&self) {
        let Some(agent) = &self.agent else {
            return;
        };
        let root = Span::root(agent.name, SpanContext::random());
        let root = root.with_properties(|| agent.attributes.iter().cloned());
        let _local = root.set_local_parent();
        for child in &self.children {
            let span = LocalSpan::enter_with_local_parent(child.name);
            let _span = span.with_properties(|| child.attributes.iter().cloned());
            for (name, attributes) in &child.events {
                let event = Event::new(*name);
                let event = event.with_properties(|| attributes.iter().cloned());
                LocalSpan::add_event(event);
            }
        }
    }

    fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// A flush does not see what waits in a full queue of a producer, so it is repeated until nothing comes.
    fn flush(&self) {
        loop {
            let before = self.delivered();
            fastrace::flush();
            nap(Duration::from_millis(20));
            if self.delivered() == before {
                return;
            }
        }
    }
}

/// Counts spans and throws them away.
struct Discard(Arc<AtomicU64>);

impl Reporter for Discard {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        // Nothing is read through this number.
        self.0.fetch_add(spans.len() as u64, Ordering::Relaxed);
        drop(std::hint::black_box(spans));
    }
}
