//! The thread of a queue, which calls the queued hooks.

use agentspan_queue::queue::{Finished, Queued, Taken, Work};

use super::Shared;
use super::driver::drive;
use super::item::{HookLoss, Item, LOSSES};
use crate::dispatch::report;
use crate::not_started::NotStarted;
use crate::span_processor::Hook;
use crate::{HookError, HookFuture, Span, SpanProcessor, Trace};

/// How many hooks are taken and counted together.
const BATCH: usize = 64;

/// The bytes that are counted at once, however few hooks hold them, to make room.
const MANY_BYTES: u64 = 1 << 20;

/// Handles items until the queue is to end and none is left.
pub(super) fn run(shared: &Shared) {
    let Some(processor) = shared.processor() else {
        return;
    };
    let mut worker = Worker {
        shared,
        processor,
        not_started: NotStarted::default(),
    };
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        match shared.queue.next(BATCH, |item| batch.push(item)) {
            Work::Items(taken) => worker.handle_all(&mut batch, taken),
            Work::Flush(calls) => shared.queue.answer(calls),
            Work::End => break,
        }
    }
}

struct Worker<'a> {
    shared: &'a Shared,
    processor: &'a dyn SpanProcessor,
    /// Spans that the processor failed to start, or was not shown the start of: it hears nothing more of them.
    not_started: NotStarted,
}

impl Worker<'_> {
    fn handle_all(&mut self, batch: &mut Vec<Item>, taken: Taken) {
        let queue = &self.shared.queue;
        let mut finished = Finished::default();
        for item in batch.drain(..) {
            if queue.is_given_up(taken) {
                self.pass_over(&item);
                continue;
            }
            let is_lost = self.handle(&item, taken, &mut finished);
            finished.items += 1;
            finished.bytes += item.bytes();
            drop(item);
            // Hooks that are only noted count as handled if a shutdown gives the rest up.
            if is_lost || finished.bytes >= MANY_BYTES {
                queue.finish(taken, std::mem::take(&mut finished));
            } else {
                queue.note(taken, finished.items);
            }
        }
        queue.finish(taken, finished);
    }

    /// Says whether the hook is lost.
    fn handle(&mut self, item: &Item, taken: Taken, finished: &mut Finished<LOSSES>) -> bool {
        let is_unwanted = match item {
            Item::Event(span, _) | Item::End(span, _) => self.not_started.contains(span),
            Item::Startup | Item::Start(_) | Item::Shutdown => false,
        };
        if is_unwanted {
            finished.lose(HookLoss::NotStarted, 1);
            return true;
        }
        let (hook, trace, result) = self.call(item, || self.shared.queue.is_given_up(taken));
        let Err(error) = result else {
            return false;
        };
        let loss = match error.is_panic() {
            true => HookLoss::Panicked,
            false => HookLoss::Failed,
        };
        finished.lose(loss, 1);
        report(trace, hook, self.processor, &error);
        if let Item::Start(span) = item {
            self.not_started.insert(span);
        }
        true
    }

    /// Passes over a hook that was given up at the deadline of a shutdown. It is counted already.
    fn pass_over(&mut self, item: &Item) {
        match item {
            Item::Start(span) => self.not_started.insert(span),
            Item::Shutdown => {
                let (hook, trace, result) = self.call(item, || false);
                if let Err(error) = result {
                    report(trace, hook, self.processor, &error);
                }
            }
            Item::Startup | Item::Event(..) | Item::End(..) => {}
        }
    }

    /// Calls the asynchronous form of the hook, whose default is the synchronous one.
    fn call<'b>(
        &self,
        item: &'b Item,
        is_given_up: impl Fn() -> bool,
    ) -> (Hook, Option<&'b Trace>, Result<(), HookError>) {
        let processor = self.processor;
        let (hook, span) = match item {
            Item::Startup => (Hook::Startup, None),
            Item::Start(span) => (Hook::OnStart, Some(span)),
            Item::Event(span, _) => (Hook::OnEvent, Some(span)),
            Item::End(span, _) => (Hook::OnEnd, Some(span)),
            Item::Shutdown => (Hook::Shutdown, None),
        };
        let event = match item {
            Item::Event(span, index) => span.event(*index),
            _ => None,
        };
        let result = drive(
            || match item {
                Item::Startup => processor.startup_async(),
                Item::Start(span) => processor.on_start_async(span),
                Item::Event(span, _) => match &event {
                    Some(event) => processor.on_event_async(event, span),
                    None => HookFuture::ready(Ok(())),
                },
                Item::End(span, _) => processor.on_end_async(span),
                Item::Shutdown => processor.shutdown_async(),
            },
            is_given_up,
        );
        (hook, span.and_then(Span::trace), result)
    }
}
