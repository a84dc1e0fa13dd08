//! The thread `agentspan-export`: its start, its runtime and its end.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use agentspan_queue::contain;
use opentelemetry::Context;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep};

use super::lineage::Lineage;
use super::log;
use super::requests::Requests;
use super::setup::{Recipe, Setup};
use super::shared::Shared;
use super::worker::Worker;
use crate::stats::Counters;
use crate::transport::io_runtime;

/// Threads for what the operating system only offers blocking: looking up hosts and reading root
/// certificates.
const MAX_BLOCKING_THREADS: usize = 4;

/// How long the worker pauses after a panic. Each further one doubles the pause, up to the longest: what panics
/// again and again is not to take a processor for itself.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A worker that has run for so long without a panic starts again with the first pause.
const CALM: Duration = Duration::from_secs(1);

/// Starts the thread.
pub(super) fn start(recipe: &Recipe) -> io::Result<Arc<Shared>> {
    let (shared, worker) = prepare(recipe());
    spawn(&shared, worker)?;
    Ok(shared)
}

/// The state of a forked child in place of the parent's: nothing waits, and its first span starts
/// the thread. It is closed if the parent's was.
pub(super) fn prepare_child(parent: &Shared, recipe: &Recipe) -> Arc<Shared> {
    let (shared, worker) = prepare(recipe());
    shared.follow(parent, Box::new(|shared: &Shared| spawn(shared, worker)));
    shared
}

fn prepare(setup: Setup) -> (Arc<Shared>, Worker) {
    let (events, from_callers) = unbounded_channel();
    let (queue, queued) = unbounded_channel();
    let shared = Arc::new(Shared::new(
        Counters::new(setup.bounds),
        setup.limits,
        setup.batch_spans,
        setup.per_request.clone().map(Requests::new),
        setup.reparents.then(|| Lineage::new(setup.courier.wire)),
        events,
        queue,
    ));
    let worker = Worker::new(Arc::clone(&shared), setup, from_callers, queued);
    (shared, worker)
}

fn spawn(shared: &Shared, worker: Worker) -> io::Result<()> {
    // Made here, so that nobody waits for the thread to say whether it has one.
    let runtime = OwnRuntime(Some(io_runtime(MAX_BLOCKING_THREADS)?));
    let thread = thread::Builder::new()
        .name(String::from("agentspan-export"))
        .spawn(move || run(runtime, worker))?;
    shared.set_thread(thread);
    Ok(())
}

/// A runtime that may be dropped anywhere, also in a runtime of the caller, if its thread cannot be started.
struct OwnRuntime(Option<Runtime>);

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Does not wait for a lookup that hangs.
            let _ = contain::call(|| runtime.shutdown_background());
        }
    }
}

fn run(runtime: OwnRuntime, mut worker: Worker) {
    // Nothing that happens on this thread makes telemetry that would come back to it.
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    let shared = Arc::clone(worker.shared());
    // Whatever panics: who waits for the end hears of it.
    let _ = contain::call(|| {
        let Some(runtime) = &runtime.0 else { return };
        runtime.block_on(async {
            let panicked = || {
                shared.counters.panicked(1);
                log::worker_panicked();
            };
            until_done(async || worker.run().await, panicked).await;
            worker.close().await;
        });
    });
    let _ = contain::drop(worker);
    drop(runtime);
    log::finished(&shared.counters.snapshot());
    shared.set_finished();
}

/// Runs until `run` comes to its end, however often it panics, and says of each panic that there was one.
async fn until_done(mut run: impl AsyncFnMut(), mut panicked: impl FnMut()) {
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        if contain::future(|| run()).await.is_ok() {
            return;
        }
        panicked();
        if started.elapsed() >= CALM {
            pause = FIRST_PAUSE;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a12_the_worker_goes_on_for_ever_and_pauses_between_panics() {
        let (mut runs, mut panics) = (0_u32, 0_u32);
        let started = Instant::now();
        let run = async || {
            runs += 1;
            assert!(runs > 1_000, "a panic of the worker");
        };
        until_done(run, || panics += 1).await;
        assert_eq!((runs, panics), (1_001, 1_000));
        // 1, 2, 4 … 64 ms, and then 100 ms each.
        assert_eq!(started.elapsed().as_millis(), 127 + 993 * 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_was_calm_for_a_while_pauses_shortly_again() {
        let mut runs = 0_u32;
        let mut paused = Vec::new();
        let mut last = None;
        let run = async || {
            paused.extend(last.map(|last: Instant| last.elapsed().as_millis()));
            runs += 1;
            if runs == 4 {
                sleep(CALM).await;
            }
            last = Some(Instant::now());
            assert!(runs > 5, "a panic of the worker");
        };
        until_done(run, || {}).await;
        assert_eq!(paused, [1, 2, 4, 1, 2]);
    }
}
