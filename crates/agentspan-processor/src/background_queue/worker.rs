//! The thread of a queue: it calls the hooks that wait.

use std::collections::HashSet;

use super::state::{Handled, Item, Shared};
use crate::dispatch::{contained, report};
use crate::{Hook, HookError, Span, SpanKey, SpanProcessor, Trace};

/// Handles items until the queue is to end and none is left.
pub(super) fn run(shared: &Shared) {
    let Some(processor) = shared.processor() else {
        return;
    };
    let mut worker = Worker {
        processor,
        not_started: HashSet::new(),
    };
    let mut batch = Vec::new();
    while let Some(generation) = shared.take(&mut batch) {
        let mut outcome = Handled::default();
        for item in batch.drain(..) {
            if shared.is_given_up(generation) {
                worker.pass_over(&item);
            } else {
                worker.handle(&item, &mut outcome);
            }
        }
        shared.has_handled(generation, outcome);
    }
}

struct Worker<'a> {
    processor: &'a dyn SpanProcessor,
    /// Spans that the processor failed to start, by key: it hears nothing more of them.
    not_started: HashSet<SpanKey>,
}

impl Worker<'_> {
    fn handle(&mut self, item: &Item, outcome: &mut Handled) {
        let is_unwanted = match item {
            Item::Event(span, _) => self.not_started.contains(&span.key()),
            Item::End(span) => self.not_started.remove(&span.key()),
            Item::Startup | Item::Start(_) | Item::Shutdown => false,
        };
        if is_unwanted {
            outcome.dropped += 1;
            return;
        }
        outcome.handled += 1;
        let (hook, trace, result) = self.call(item);
        if let Err(error) = result {
            outcome.failed += 1;
            report(trace, hook, self.processor, &error);
            if let Item::Start(span) = item {
                self.not_started.insert(span.key());
            }
        }
    }

    /// What was given up at the deadline of a shutdown. It is counted already.
    fn pass_over(&mut self, item: &Item) {
        match item {
            Item::Start(span) => drop(self.not_started.insert(span.key())),
            Item::End(span) => drop(self.not_started.remove(&span.key())),
            Item::Shutdown => {
                let (hook, trace, result) = self.call(item);
                if let Err(error) = result {
                    report(trace, hook, self.processor, &error);
                }
            }
            Item::Startup | Item::Event(..) => {}
        }
    }

    fn call<'b>(&self, item: &'b Item) -> (Hook, Option<&'b Trace>, Result<(), HookError>) {
        let processor = self.processor;
        let of = Span::trace;
        match item {
            Item::Startup => (Hook::Startup, None, contained(|| processor.startup())),
            Item::Start(span) => {
                let result = contained(|| processor.on_start(span));
                (Hook::OnStart, of(span), result)
            }
            Item::Event(span, index) => {
                let result = contained(|| match span.event(*index) {
                    Some(event) => processor.on_event(&event, span),
                    None => Ok(()),
                });
                (Hook::OnEvent, of(span), result)
            }
            Item::End(span) => (Hook::OnEnd, of(span), contained(|| processor.on_end(span))),
            Item::Shutdown => (Hook::Shutdown, None, contained(|| processor.shutdown())),
        }
    }
}
