//! Where a program runs that measures itself, and how it does so.

use std::fmt;
use std::time::{Duration, Instant};

use crate::gauge::Clock;
use crate::metric::{Metric, Readings};
use crate::peak;

/// How long a producer waits for a worker that does not get on, before it takes the rest for lost.
const PATIENCE: Duration = Duration::from_millis(500);

/// A way that spans go, from where they are made to where they end.
pub(crate) trait Pipeline {
    /// Makes one turn.
    fn turn(&self);

    /// How many spans a turn has, or events where those are counted.
    fn spans_per_turn(&self) -> u64 {
        agentspan_testkit::turn::SPANS as u64
    }

    /// How many spans have reached the end of their way.
    fn delivered(&self) -> u64;

    /// Waits until no span is on its way.
    fn flush(&self);
}

/// How much a program does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// How many turns are measured, after a tenth of it to warm up.
    pub(crate) turns: u64,
    /// How many spans the caller may be ahead of the end of their way.
    ///
    /// So the worker runs beside the caller all the time, and nothing is lost that would make a contender
    /// look fast.
    pub(crate) ahead: u64,
}

/// What the parent gives to a program.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    /// The URL of the service that spans are sent to.
    pub(crate) sink: &'a str,
    /// As many turns as this are made in place of those of the load, for a profiler.
    pub(crate) turns: Option<u64>,
    /// Allocations so far, and their bytes, where they are counted.
    pub(crate) allocations: Option<[&'a dyn Fn() -> u64; 2]>,
}

impl fmt::Debug for Site<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("sink", &self.sink)
            .finish_non_exhaustive()
    }
}

impl Site<'_> {
    /// Makes turns, lets them go their way, and measures what the caller and all threads do for them.
    pub(crate) fn drive(&self, pipeline: &dyn Pipeline, load: Load) -> Readings {
        let turns = self.turns.unwrap_or(load.turns);
        let mut pace = Pace::new(load.ahead);
        pace.make(pipeline, warm_up(turns));
        pipeline.flush();
        pace.settle(pipeline);
        let delivered = pipeline.delivered();
        let spans = turns * pipeline.spans_per_turn();
        let count = || self.allocations.map(|gauges| gauges.map(|gauge| gauge()));
        let allocated = count();
        let started = Instant::now();
        let [caller, process] = [Clock::Thread, Clock::Process].map(Clock::read);
        let waited = pace.make(pipeline, turns);
        let caller = Clock::Thread.read() - caller - waited;
        pipeline.flush();
        let process = Clock::Process.read() - process;
        let wall = started.elapsed();
        let mut readings = Readings::default();
        if let (Some(before), Some(after)) = (allocated, count()) {
            let [count, bytes] = [0, 1].map(|one: usize| {
                let [before, after] = [before, after].map(|of| of.get(one).copied().unwrap_or(0));
                (after - before) as f64 / spans as f64
            });
            return readings
                .with(Metric::Allocations, count)
                .with(Metric::Bytes, bytes);
        }
        if let Some(peak) = peak::most() {
            readings = readings.with(Metric::Peak, peak as f64);
        }
        let arrived = pipeline.delivered() - delivered;
        readings
            .with(Metric::Caller, caller as f64 / spans as f64)
            .with(Metric::Process, process as f64 / spans as f64)
            .with(Metric::PerSecond, arrived as f64 / wall.as_secs_f64())
            .with(Metric::Lost, spans.saturating_sub(arrived) as f64)
    }
}

/// How many turns come before those that are measured.
pub(crate) fn warm_up(turns: u64) -> u64 {
    turns.div_ceil(10)
}

/// Keeps a producer from being too far ahead of the worker.
struct Pace {
    ahead: u64,
    made: u64,
    /// Spans that never arrived.
    missing: u64,
}

impl Pace {
    fn new(ahead: u64) -> Self {
        Self {
            ahead,
            made: 0,
            missing: 0,
        }
    }

    /// Makes turns and gives the CPU time that the caller spent on waiting.
    fn make(&mut self, pipeline: &dyn Pipeline, turns: u64) -> u64 {
        /// About as many spans lie between two looks at what has arrived.
        const SPANS: u64 = 128;
        let between = SPANS.div_ceil(pipeline.spans_per_turn());
        let mut waited = 0;
        for number in 1..=turns {
            agentspan_bench_collected(&mut || pipeline.turn());
            if number % between == 0 {
                let before = Clock::Thread.read();
                self.made += between * pipeline.spans_per_turn();
                self.wait(pipeline);
                waited += Clock::Thread.read() - before;
            }
        }
        self.made += turns % between * pipeline.spans_per_turn();
        waited
    }

    fn wait(&mut self, pipeline: &dyn Pipeline) {
        let mut delivered = pipeline.delivered();
        let mut since = Instant::now();
        while self.made.saturating_sub(delivered + self.missing) > self.ahead {
            nap(Duration::from_micros(100));
            let now = pipeline.delivered();
            if now != delivered {
                (delivered, since) = (now, Instant::now());
            } else if since.elapsed() > PATIENCE {
                self.settle(pipeline);
            }
        }
    }

    /// Takes all that has not arrived for lost.
    fn settle(&mut self, pipeline: &dyn Pipeline) {
        self.missing = self.made.saturating_sub(pipeline.delivered());
    }
}

/// The name of the function whose instructions a profiler collects.
pub(crate) const COLLECTED: &str = "agentspan_bench_collected";

/// Does the work that instructions are counted of, and nothing else: setting up and waiting are left out.
#[inline(never)]
pub(crate) fn agentspan_bench_collected(work: &mut dyn FnMut()) {
    work();
}

/// Sleeps. Whoever looks at a counter of a peer has nothing to wait on.
#[expect(
    clippy::disallowed_methods,
    reason = "peers' counters cannot be waited on"
)]
pub(crate) fn nap(time: Duration) {
    std::thread::sleep(time);
}
