//! One round: a destination, its identities and faults, and the spans that it gets.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use agentspan_testkit::{Account, Ledger, Oracle, Recording, Service};
use opentelemetry::KeyValue;

use super::child::{self, Child};
use super::random::Random;
use super::schedule::{Mix, answer_to, early_faults};
use crate::Failure;
use crate::defence::Defence;
use crate::front::{Front, WIRE};
use crate::stage::{Settings, Stage};

const THREADS: u64 = 4;

/// So long that hardly any answer comes later: the service would have taken spans that the library
/// cannot know of, and sends again. With longer tries, the memory of rounds that wait would grow.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest text, of a few spans.
const LONGEST_TEXT: u64 = 1_000_000;

/// What a round does.
pub(super) struct Round {
    seed: u64,
    front: Front,
    oracle: Oracle,
    settings: Settings,
    mix: Mix,
    spans: u64,
    /// The longest text of most spans.
    text: u64,
    /// One span in so many has a text of up to a megabyte, if any has.
    long_in: u64,
    /// One span in so many has a hostile identity, if any has.
    hostile_in: u64,
    /// The most spans that wait, while others are handed over.
    most_queued: u64,
    /// Whether the wall clock jumps between spans.
    jumps: bool,
    /// The spans before which the process forks.
    fork_at: Option<u64>,
    /// How long the round may wait for its spans at the end.
    patience: Duration,
    /// How long the shutdown may take then.
    shutdown: Duration,
    /// Whether the library may lose spans for this reason.
    may_lose: fn(&str) -> bool,
}

/// What rounds came to together.
#[derive(Debug, Default)]
pub(super) struct Sums {
    accepted: u64,
    exported: u64,
    lost: u64,
    perhaps: u64,
    perhaps_twice: u64,
    samples: u64,
    forks: u64,
    stuck: u64,
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.exported += other.exported;
        self.lost += other.lost;
        self.perhaps += other.perhaps;
        self.perhaps_twice += other.perhaps_twice;
        self.samples += other.samples;
        self.forks += other.forks;
        self.stuck += other.stuck;
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            accepted,
            exported,
            lost,
            perhaps,
            perhaps_twice,
            samples,
            forks,
            stuck,
        } = self;
        write!(
            f,
            "{accepted} spans: {exported} exported, {lost} lost for a reason; {perhaps} got no \
             answer, {perhaps_twice} of them came again; {forks} forks, {stuck} more stuck in \
             std, {samples} samples"
        )
    }
}

/// What the threads of a round share.
struct Course<'a> {
    round: &'a Round,
    stage: &'a Stage,
    next: AtomicU64,
    is_over: AtomicBool,
    samples: AtomicU64,
    wrong: AtomicU64,
    /// What became of a fork, or what is wrong with it.
    child: Mutex<Option<Result<Child, String>>>,
}

impl Round {
    /// What this seed decides.
    pub(super) fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let spans = 1_000 + random.below(20_000);
        let identities = 1 + random.below(200) as usize;
        let oracle = match random.one_in(2) {
            true => Oracle::new(identities),
            false => {
                let (at_a_time, stay) = (1 + random.below(8), 1 + random.below(1_000));
                Oracle::coming_and_going(identities, at_a_time as usize, stay as usize)
            }
        };
        Self {
            seed,
            front: WIRE[random.below(WIRE.len() as u64) as usize],
            oracle,
            settings: Settings {
                timeout: TIMEOUT,
                age: Duration::from_secs(if random.one_in(8) { 1 } else { 900 }),
                batch_spans: 1 + random.below(600) as usize,
                queue_spans: if random.one_in(4) { 500 } else { 65_536 },
                build: |builder| builder.with_retry_after_dates(),
                ..Settings::new()
            },
            mix: Mix::Everything,
            spans,
            text: 400,
            long_in: 500,
            hostile_in: 0,
            most_queued: u64::MAX,
            jumps: random.one_in(3),
            fork_at: random.one_in(8).then(|| random.below(spans)),
            // Sometimes what is queued has all the time that it needs, and sometimes none.
            patience: Duration::from_secs(if random.one_in(3) { 0 } else { 60 }),
            shutdown: Duration::from_millis(random.below(300)),
            may_lose: |_| true,
        }
    }

    /// The same round in a process that never forks.
    pub(super) fn without_forks(self) -> Self {
        Self {
            fork_at: None,
            ..self
        }
    }

    /// 100 identities meet faults that pass, 30 % of the time: nothing may be lost.
    pub(super) fn without_losses(spans: u64) -> Self {
        Self {
            front: Front::V2,
            oracle: Oracle::new(100),
            settings: Settings {
                timeout: TIMEOUT,
                ..Settings::new()
            },
            mix: Mix::Passing,
            spans,
            long_in: 0,
            most_queued: 20_000,
            jumps: false,
            fork_at: None,
            patience: Duration::from_secs(300),
            shutdown: Duration::from_millis(100),
            may_lose: |_| false,
            ..Self::random(1)
        }
    }

    /// 10,000 tenants come and go, 100 at a time, beside hostile ids as tenant, as agent,
    /// and as both.
    pub(super) fn of_tenants(spans: u64) -> Self {
        let stay = (spans / 10_000).max(1);
        Self {
            oracle: Oracle::coming_and_going(10_000, 100, stay as usize),
            mix: Mix::Rare,
            text: 40,
            hostile_in: 100,
            may_lose: |reason| matches!(reason, "bad_identity" | "no_identity"),
            ..Self::without_losses(spans)
        }
    }

    /// Plays the round and says what is not as it should be.
    pub(super) fn play(&self, without: Option<Defence>) -> Result<(Sums, Vec<String>), Failure> {
        let ledger = Arc::new(Mutex::new(Ledger::new(self.oracle)));
        let service = self.service(&ledger)?;
        let stage = Stage::new(self.front, self.oracle, service, self.settings, without)?;
        // A forked child has no stack but that of the thread that forked.
        let stage = Box::new(stage);
        let course = Course {
            round: self,
            stage: &stage,
            next: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            samples: AtomicU64::new(0),
            wrong: AtomicU64::new(0),
            child: Mutex::new(None),
        };
        course.run();
        let ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let (sums, problems) = course.compare(ledger.account());
        let told = problems.iter();
        let told = told.map(|problem| format!("{}: {problem}", self.front));
        Ok((sums, told.collect()))
    }

    fn service(&self, ledger: &Arc<Mutex<Ledger>>) -> Result<Service, Failure> {
        let builder = Service::builder();
        let builder = match self.front {
            Front::OtlpGrpc => builder.http2(),
            _ => builder,
        };
        let (front, mix, seed) = (self.front, self.mix, self.seed);
        let ledger = Arc::clone(ledger);
        let service = builder
            .recording(Recording::CountsOnly)
            .watch_with(move |request| {
                let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
                ledger.note(request);
            })
            .answer_with(move |request| answer_to(front, mix, request.order, seed))
            .start()?;
        service.play(early_faults(mix, &mut Random::new(seed ^ 1 << 40)));
        Ok(service)
    }
}

impl Course<'_> {
    fn run(&self) {
        thread::scope(|scope| {
            let sampler = scope.spawn(|| self.sample());
            let workers: Vec<_> = (1..=THREADS)
                .map(|thread| {
                    let mut random = Random::new(self.round.seed ^ (thread << 32));
                    scope.spawn(move || self.hand_over(&mut random))
                })
                .collect();
            for worker in workers {
                // A panic over there reaches the scope.
                drop(worker.join());
            }
            if !self.round.patience.is_zero() {
                self.stage.flush(self.round.patience);
            }
            self.stage.shutdown(self.round.shutdown);
            self.is_over.store(true, SeqCst);
            sampler.thread().unpark();
        });
    }

    fn sample(&self) {
        while !self.is_over.load(SeqCst) {
            self.samples.fetch_add(1, SeqCst);
            let is_wrong = !self.stage.counts().add_up();
            self.wrong.fetch_add(u64::from(is_wrong), SeqCst);
            thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// One thread's share of the spans.
    fn hand_over(&self, random: &mut Random) {
        loop {
            let number = self.next.fetch_add(1, SeqCst);
            if number >= self.round.spans {
                return;
            }
            if self.round.fork_at == Some(number) {
                let child = child::live(self.stage, self.round.spans);
                let child = child.map_err(|error| error.to_string());
                *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
            }
            self.end_span(number, random);
            if random.one_in(2_000) {
                self.stage.flush(Duration::from_millis(random.below(200)));
            }
            while number % 64 == 0 && self.stage.counts().queued > self.round.most_queued {
                thread::park_timeout(Duration::from_micros(200));
            }
        }
    }

    fn end_span(&self, number: u64, random: &mut Random) {
        let round = self.round;
        let is_one_in = |times: u64| times > 0 && number % times == 0;
        let length = match round.long_in > 0 && random.one_in(round.long_in) {
            true => random.below(LONGEST_TEXT),
            false => random.below(round.text),
        };
        let identity = match is_one_in(round.hostile_in) {
            true => {
                let hostile = (number / round.hostile_in) as usize;
                Oracle::HOSTILE + hostile % Oracle::hostile_identities()
            }
            false => round.oracle.identity(number as usize),
        };
        let profile = self.stage.profile();
        let attributes = Oracle::attributes_of(identity, profile, number as usize);
        let text = KeyValue::new("text", "x".repeat(length as usize));
        let start_time = round.jumps.then(|| jumped(random)).flatten();
        drop(self.stage.start_span(attributes, vec![text], start_time));
    }

    /// Where the library, the service and what was handed over do not agree.
    fn compare(&self, account: &Account) -> (Sums, Vec<String>) {
        let counts = self.stage.counts();
        let spans = self.round.spans;
        let mut problems = Vec::new();
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let (of_child, unknown_of_child, stuck) = match &*child {
            None => (0, 0, 0),
            Some(Ok(child)) => (child.exported, child::SPANS - child.exported, child.stuck),
            Some(Err(problem)) => {
                problems.push(problem.clone());
                (0, child::SPANS, 0)
            }
        };
        if counts.accepted != spans || counts.queued > 0 || !counts.add_up() {
            problems.push(format!("{spans} spans, but {counts:?}"));
        }
        if counts
            .lost
            .keys()
            .any(|reason| !(self.round.may_lose)(reason))
        {
            problems.push(format!("{counts}"));
        }
        let taken = account.taken as u64;
        // What was in flight at the end of a shutdown may have been taken all the same.
        let unknown = counts.lost.get("shutdown_deadline").copied().unwrap_or(0);
        let (least, unknown) = (counts.exported + of_child, unknown + unknown_of_child);
        if !(least..=least + unknown).contains(&taken) {
            problems.push(format!("the service took {taken}: {counts:?}"));
        }
        if account.taken_twice + account.foreign > 0 || account.perhaps_twice > account.perhaps {
            problems.push(format!("{account:?}"));
        }
        let prompts = match self.stage.front.is_agent365() {
            true => account.taken,
            false => 0,
        };
        if account.canaries != prompts {
            problems.push(format!("{prompts} prompts expected: {account:?}"));
        }
        let wrong = self.wrong.load(SeqCst);
        if wrong > 0 {
            problems.push(format!("{wrong} samples do not add up"));
        }
        let sums = Sums {
            accepted: counts.accepted,
            exported: counts.exported,
            lost: counts.lost.values().sum(),
            perhaps: account.perhaps as u64,
            perhaps_twice: account.perhaps_twice as u64,
            samples: self.samples.load(SeqCst),
            forks: u64::from(child.is_some()),
            stuck,
        };
        (sums, problems)
    }
}

/// What a wall clock shows that jumps by up to 60 years to either side, also to before 1970.
fn jumped(random: &mut Random) -> Option<SystemTime> {
    let jump = Duration::from_secs(random.below(60 * 365 * 24 * 60 * 60));
    match random.below(3) {
        0 => None,
        1 => SystemTime::now().checked_add(jump),
        _ => SystemTime::now().checked_sub(jump),
    }
}
