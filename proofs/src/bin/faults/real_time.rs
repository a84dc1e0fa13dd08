//! A1 in real time, through the facade and with all of its defaults: what one tenant in trouble
//! costs nine others, and what an outage costs. Each story is played to each generation of the
//! contract, all at the same time, since they wait nearly always.

use std::io::{Write, stdout};
use std::thread;
use std::time::{Duration, Instant};

use agentspan::configure;
use agentspan::discovery::Environment;
use agentspan_agent365::{AccessToken, Delivery, token_from_fn};
use agentspan_testkit::{Answer, Oracle, RecordedRequest, Service};
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::Failure;
use crate::defence::Defence;
use crate::front::{AGENT365, Front};

/// The batch delay by default.
const BATCH_DELAY: Duration = Duration::from_secs(5);
/// How long the others may wait, in batch delays.
const MOST_DELAYS: f64 = 2.0;
/// Longer than the longest pause between two tries.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The requests of the first tenant are never answered.
    Stalls,
    /// The first tenant is told to wait for a minute, again and again.
    IsThrottled,
    /// Every connection is refused until the time is over.
    Outage,
}

impl Trouble {
    fn name(self) -> &'static str {
        match self {
            Self::Stalls => "one of 10 tenants stalls",
            Self::IsThrottled => "one of 10 tenants is told to wait for 60 s",
            Self::Outage => "every connection is refused",
        }
    }

    /// How many spans end together, and how often.
    fn pace(self) -> (usize, Duration) {
        match self {
            Self::Stalls | Self::IsThrottled => (10, Duration::from_millis(250)),
            Self::Outage => (1, Duration::from_millis(100)),
        }
    }

    /// Whether a span is one of those that nobody may lose.
    fn leaves(self, oracle: &Oracle, number: usize) -> bool {
        self == Self::Outage || oracle.identity(number) != 0
    }
}

/// What is asked for.
struct Options {
    /// How long a tenant is in trouble.
    trouble: Duration,
    outage: Duration,
    without: Option<Defence>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            trouble: Duration::from_secs(150),
            outage: Duration::from_secs(600),
            without: None,
        };
        for pair in arguments.chunks(2) {
            match pair {
                [name, value] if name == "--seconds" => {
                    options.trouble = Duration::from_secs(value.parse()?);
                }
                [name, value] if name == "--outage" => {
                    options.outage = Duration::from_secs(value.parse()?);
                }
                [name, value] if name == "--without" => {
                    options.without = Some(Defence::named(value)?);
                }
                _ => {
                    let usage = "isolation [--seconds N] [--outage SECONDS] [--without DEFENCE]";
                    return Err(usage.into());
                }
            }
        }
        Ok(options)
    }
}

/// Plays all stories, and says whether all is well.
pub(crate) fn run(arguments: &[String]) -> Result<bool, Failure> {
    let options = Options::parse(arguments)?;
    let mut stories = Vec::new();
    for front in AGENT365 {
        for (trouble, length) in [
            (Trouble::Stalls, options.trouble),
            (Trouble::IsThrottled, options.trouble),
            (Trouble::Outage, options.outage),
        ] {
            let without = options.without;
            stories.push(thread::spawn(move || {
                tell(*front, trouble, length, without)
            }));
        }
    }
    let mut is_well = true;
    for story in stories {
        is_well &= story.join().map_err(|_| "a panic")??;
    }
    Ok(is_well)
}

/// Plays a story, prints its line, and says whether all is well.
fn tell(
    front: Front,
    trouble: Trouble,
    length: Duration,
    without: Option<Defence>,
) -> Result<bool, Failure> {
    let told = play(front, trouble, length, without)?;
    let delays = told.longest_wait.as_secs_f64() / BATCH_DELAY.as_secs_f64();
    let is_in_time = trouble == Trouble::Outage || delays <= MOST_DELAYS;
    let is_well = told.ended == told.arrived && told.twice == 0 && told.dropped == 0 && is_in_time;
    let verdict = if is_well { "ok" } else { "DIFFERS" };
    let seconds = length.as_secs();
    let (ended, arrived) = (told.ended, told.arrived);
    let lost = match ended - arrived {
        0 => "none lost".to_owned(),
        lost => format!("{lost} lost"),
    };
    let waits = match trouble {
        Trouble::Outage => format!("{:.1} s after its end", told.after.as_secs_f64()),
        _ => format!("longest wait {delays:.2} batch delays"),
    };
    writeln!(
        stdout(),
        "{front:12} {:42} {seconds:4} s  {arrived:5} of {ended:5} arrived, {lost}, {} twice, {waits}  {verdict}",
        trouble.name(),
        told.twice,
    )?;
    Ok(is_well)
}

/// What came of a story.
struct Told {
    /// How many spans ended that should not be lost, and how many of them arrived.
    ended: usize,
    arrived: usize,
    twice: usize,
    /// How many spans the library says it dropped.
    dropped: u64,
    longest_wait: Duration,
    /// How long the last span took from the end of the trouble.
    after: Duration,
}

fn play(
    front: Front,
    trouble: Trouble,
    length: Duration,
    without: Option<Defence>,
) -> Result<Told, Failure> {
    let oracle = Oracle::new(10);
    let service = service(trouble)?;
    let profile = front.profile().unwrap_or_default();
    let resolver = token_from_fn(|query| {
        let token = Oracle::token(query.identity.agent.as_str());
        Ok(Some(AccessToken::new(token)?))
    });
    let delivery = Delivery::builder(resolver).with_loopback_endpoint(service.url());
    let processor = configure()
        .with_environment(&Environment::default())
        .with_profile(profile)
        .with_delivery(Defence::taken_from(delivery, without))
        .with_switches_on()
        .into_processor()?;
    let delivery = processor.delivery().ok_or("no delivery")?.clone();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build();
    let tracer = provider.tracer("isolation");
    let started = Instant::now();
    let (together, pace) = trouble.pace();
    let mut ended_at = Vec::new();
    while started.elapsed() < length {
        for _ in 0..together {
            let span = tracer
                .span_builder("chat")
                .with_attributes(oracle.attributes(profile, ended_at.len()));
            drop(span.start(&tracer));
            ended_at.push(Instant::now());
        }
        let next = started + pace * (ended_at.len() / together) as u32;
        thread::park_timeout(next.saturating_duration_since(Instant::now()));
    }
    if trouble == Trouble::Outage {
        service.play([Answer::status(200)]);
    }
    let over = Instant::now();
    let numbers = 0..ended_at.len();
    let ended = numbers.filter(|one| trouble.leaves(&oracle, *one)).count();
    while delivery.stats().exported < ended as u64 && over.elapsed() < PATIENCE {
        thread::park_timeout(Duration::from_millis(20));
    }
    let after = over.elapsed();
    let dropped = delivery.stats().dropped();
    let arrived = Arrived::of(&service.requests(), &oracle, trouble, &ended_at);
    // What is left is of the tenant in trouble.
    let _ = delivery.shutdown(Duration::from_millis(1));
    Ok(Told {
        ended,
        arrived: arrived.spans,
        twice: arrived.twice,
        dropped,
        longest_wait: arrived.longest_wait,
        after,
    })
}

fn service(trouble: Trouble) -> Result<Service, Failure> {
    let is_first = |request: &RecordedRequest| request.path().contains(&Oracle::agent(0));
    let first = match trouble {
        Trouble::Stalls => Answer::hang(),
        Trouble::IsThrottled => Answer::refusal(429, "TooManyRequests").header("retry-after", "60"),
        Trouble::Outage => {
            let service = Service::builder().script([Answer::refuse()]);
            return Ok(service.start()?);
        }
    };
    let service = Service::builder().answer_with(move |request| match is_first(request) {
        true => first.clone(),
        false => Answer::status(200),
    });
    Ok(service.start()?)
}

/// What arrived of the spans that should.
#[derive(Default)]
struct Arrived {
    spans: usize,
    twice: usize,
    longest_wait: Duration,
}

impl Arrived {
    fn of(
        requests: &[RecordedRequest],
        oracle: &Oracle,
        trouble: Trouble,
        ended_at: &[Instant],
    ) -> Self {
        let mut arrived = Self::default();
        let mut first = vec![true; ended_at.len()];
        let taken = requests.iter().filter(|one| one.is_taken == Some(true));
        for request in taken {
            for number in Oracle::numbers(request) {
                let (Some(first), Some(ended)) = (first.get_mut(number), ended_at.get(number))
                else {
                    continue;
                };
                if !trouble.leaves(oracle, number) {
                    continue;
                }
                arrived.spans += usize::from(*first);
                arrived.twice += usize::from(!*first);
                *first = false;
                let wait = request.received_at.saturating_duration_since(*ended);
                arrived.longest_wait = arrived.longest_wait.max(wait);
            }
        }
        arrived
    }
}
