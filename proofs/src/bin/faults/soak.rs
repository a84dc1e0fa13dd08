//! Random schedules of faults, sizes, flushes, forks and shutdowns, for as long as somebody wants.
//!
//! Each round has a destination, identities and faults of its own, which its seed decides. While
//! four threads hand spans over, another one samples the counts. Several rounds run at a time, since
//! they mostly wait. `--proof` plays one large round instead, whose faults are chosen.

mod child;
mod dead;
mod flat;
mod random;
mod round;
mod schedule;

use std::io::{Write, stdout};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use self::flat::Flat;
use self::round::{Round, Sums};
use crate::Failure;
use crate::defence::Defence;
use crate::measure::rss_kib;

/// How many rounds run at a time, by default.
const AT_A_TIME: usize = 16;

const USAGE: &str = "soak [--minutes N] [--seed S] [--at-a-time N] [--forks no] [--without DEFENCE], \
                     or soak --proof losses|tenants|dead [--spans N] [--minutes N]";

/// Plays what is asked for, and says whether all is well.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let options = Options::parse(arguments)?;
    match options.proof.as_deref() {
        None => soak(&options),
        Some("losses") => large(
            &Round::without_losses(options.spans_or(1_000_000)),
            &options,
        ),
        Some("tenants") => large(&Round::of_tenants(options.spans_or(10_000_000)), &options),
        Some("dead") => dead::run(Duration::from_secs_f64(options.minutes * 60.0)),
        Some(_) => Err(USAGE.into()),
    }
}

/// What is asked for.
struct Options {
    minutes: f64,
    seed: u64,
    at_a_time: usize,
    forks: bool,
    without: Option<Defence>,
    proof: Option<String>,
    spans: Option<u64>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            minutes: 1.0,
            seed: 0,
            at_a_time: AT_A_TIME,
            forks: true,
            without: None,
            proof: None,
            spans: None,
        };
        for pair in arguments.chunks(2) {
            match pair {
                [name, value] if name == "--minutes" => options.minutes = value.parse()?,
                [name, value] if name == "--seed" => options.seed = value.parse()?,
                [name, value] if name == "--at-a-time" => options.at_a_time = value.parse()?,
                [name, value] if name == "--forks" => options.forks = value != "no",
                [name, value] if name == "--spans" => options.spans = Some(value.parse()?),
                [name, value] if name == "--proof" => options.proof = Some(value.clone()),
                [name, value] if name == "--without" => {
                    options.without = Some(Defence::named(value)?);
                }
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }

    fn spans_or(&self, default: u64) -> u64 {
        self.spans.unwrap_or(default)
    }
}

/// Plays one round and tells of it.
fn large(round: &Round, options: &Options) -> Result<bool, Failure> {
    let started = Instant::now();
    let before = rss_kib();
    let (sums, problems) = round.play(options.without)?;
    for problem in &problems {
        writeln!(stdout(), "{problem}")?;
    }
    writeln!(stdout(), "{sums}, {} mismatches", problems.len())?;
    let grown = rss_kib().saturating_sub(before) / 1024;
    let seconds = started.elapsed().as_secs_f64();
    writeln!(stdout(), "{seconds:.0} s, {grown} MiB more than before")?;
    Ok(problems.is_empty())
}

/// What the rounds have come to.
#[derive(Default)]
struct Progress {
    rounds: AtomicU64,
    mismatches: AtomicU64,
    sums: Mutex<Sums>,
    is_broken: AtomicBool,
}

/// Plays rounds until the time is over. The first one that finds something does not end it.
fn soak(options: &Options) -> Result<bool, Failure> {
    let end = Instant::now() + Duration::from_secs_f64(options.minutes * 60.0);
    let progress = Progress::default();
    let next = AtomicU64::new(options.seed);
    let mut flat = Flat::default();
    thread::scope(|scope| -> Result<(), Failure> {
        let playing: Vec<_> = (0..options.at_a_time)
            .map(|_| scope.spawn(|| play_until(end, &next, options, &progress)))
            .collect();
        let mut told = Instant::now();
        while playing.iter().any(|one| !one.is_finished()) {
            thread::park_timeout(Duration::from_millis(100));
            flat.sample(rss_kib());
            if told.elapsed() > Duration::from_secs(10) {
                tell(&progress, rss_kib())?;
                told = Instant::now();
            }
        }
        for one in playing {
            one.join().map_err(|_| "a panic")??;
        }
        Ok(())
    })?;
    tell(&progress, rss_kib())?;
    writeln!(stdout(), "{flat}")?;
    let is_well = progress.mismatches.load(SeqCst) == 0 && progress.rounds.load(SeqCst) > 0;
    Ok(is_well && flat.is_flat() && !progress.is_broken.load(SeqCst))
}

fn play_until(
    end: Instant,
    next: &AtomicU64,
    options: &Options,
    progress: &Progress,
) -> Result<(), Failure> {
    while Instant::now() < end {
        let seed = next.fetch_add(1, SeqCst);
        let round = Round::random(seed);
        let round = if options.forks {
            round
        } else {
            round.without_forks()
        };
        let played = round.play(options.without);
        let (sums, problems) = played.inspect_err(|_| progress.is_broken.store(true, SeqCst))?;
        for problem in &problems {
            writeln!(stdout(), "seed {seed}: {problem}")?;
        }
        progress.mismatches.fetch_add(problems.len() as u64, SeqCst);
        progress.rounds.fetch_add(1, SeqCst);
        let total = progress.sums.lock();
        total.unwrap_or_else(PoisonError::into_inner).add(&sums);
    }
    Ok(())
}

fn tell(progress: &Progress, kib: u64) -> Result<(), Failure> {
    let rounds = progress.rounds.load(SeqCst);
    let mismatches = progress.mismatches.load(SeqCst);
    let sums = progress.sums.lock();
    let sums = sums.unwrap_or_else(PoisonError::into_inner);
    writeln!(
        stdout(),
        "{rounds} rounds, {sums}, {mismatches} mismatches; {} MiB",
        kib / 1024
    )?;
    Ok(())
}
