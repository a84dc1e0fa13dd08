//! A row that plays answers of a service, and looks at what became of the spans on both sides.

use std::time::{Duration, SystemTime};

use agentspan_testkit::{Account, Answer, Certificates, Oracle, RecordedRequest, Service};
use opentelemetry::KeyValue;

use crate::Failure;
use crate::defence::Defence;
use crate::front::Front;
use crate::measure::Memory;
use crate::outcome::{Counts, Outcome};
use crate::row::{Row, Run};
use crate::stage::{Connection, Settings, Stage};

/// Says what is not as it should be.
type Check = Box<dyn Fn(&Stage) -> Vec<String>>;

/// A row about a service. By default, 60 spans of 3 identities are taken.
pub(crate) struct Wire {
    pub(crate) answers: Box<dyn Fn(Front) -> Vec<Answer>>,
    pub(crate) answerer: Option<fn(Front, &RecordedRequest) -> Answer>,
    /// Whether the last answer repeats. Otherwise everything is taken after it.
    pub(crate) for_ever: bool,
    pub(crate) certificates: Option<fn() -> Result<Certificates, Failure>>,
    pub(crate) settings: Settings,
    pub(crate) spans: usize,
    pub(crate) identities: usize,
    pub(crate) attributes: fn(usize) -> Vec<KeyValue>,
    pub(crate) start_time: fn(usize) -> Option<SystemTime>,
    pub(crate) drive: fn(&mut Stage, spans: usize, patience: Duration) -> Result<(), Failure>,
    pub(crate) expected: Box<dyn Fn(Front) -> Expected>,
    /// Whether the client cannot know of some requests if they were taken.
    pub(crate) is_ambiguous: bool,
    pub(crate) most_memory_mib: u64,
    pub(crate) check: Check,
}

/// What is to become of the spans.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    Taken,
    Lost(&'static str),
    /// The others are taken.
    LostOf(Vec<(&'static str, u64)>),
}

impl Wire {
    pub(crate) fn new() -> Self {
        Self {
            answers: Box::new(|_| Vec::new()),
            answerer: None,
            for_ever: false,
            certificates: None,
            settings: Settings::new(),
            spans: 60,
            identities: 3,
            attributes: |_| Vec::new(),
            start_time: |_| None,
            drive: |stage, spans, patience| {
                stage.hand_over(spans);
                stage.flush(patience);
                stage.shutdown(Duration::from_millis(100));
                Ok(())
            },
            expected: Box::new(|_| Expected::Taken),
            is_ambiguous: false,
            most_memory_mib: 24,
            check: Box::new(|_| Vec::new()),
        }
    }

    /// First these answers, then everything is taken.
    pub(crate) fn playing(answers: impl Fn(Front) -> Vec<Answer> + 'static) -> Self {
        Self {
            answers: Box::new(answers),
            ..Self::new()
        }
    }

    /// This answer to every request, for as long as spans are tried.
    pub(crate) fn always(answer: impl Fn(Front) -> Answer + 'static) -> Self {
        let settings = Settings {
            age: Duration::from_millis(700),
            ..Settings::new()
        };
        Self {
            for_ever: true,
            settings,
            ..Self::playing(move |front| vec![answer(front)])
        }
    }

    pub(crate) fn expecting(mut self, expected: impl Fn(Front) -> Expected + 'static) -> Self {
        self.expected = Box::new(expected);
        self
    }

    /// All spans are lost: for one reason at Agent 365, and for another one over OTLP.
    pub(crate) fn losing(self, agent365: &'static str, otlp: &'static str) -> Self {
        self.expecting(move |front| match front.is_agent365() {
            true => Expected::Lost(agent365),
            false => Expected::Lost(otlp),
        })
    }

    /// The client cannot know of some requests whether they were taken.
    pub(crate) fn ambiguous(mut self) -> Self {
        self.is_ambiguous = true;
        self
    }

    pub(crate) fn checking(mut self, check: impl Fn(&Stage) -> Vec<String> + 'static) -> Self {
        self.check = Box::new(check);
        self
    }

    pub(crate) fn row(
        self,
        fault: &'static str,
        what: impl Into<String>,
        fronts: &'static [Front],
        defences: &'static [Defence],
    ) -> Row {
        let run: Run = Box::new(move |front, without| self.run(front, without));
        Row {
            fault,
            what: what.into(),
            fronts,
            defences,
            because: None,
            run,
        }
    }

    fn run(&self, front: Front, without: Option<Defence>) -> Result<Outcome, Failure> {
        let oracle = Oracle::new(self.identities);
        let service = self.service(front)?;
        let memory = Memory::start();
        let mut stage = Stage::new(front, oracle, service, self.settings, without)?;
        // What is to come never does without a defence, so that it is not worth waiting for.
        let patience = Duration::from_secs(if without.is_some() { 2 } else { 20 });
        stage.attributes = self.attributes;
        stage.start_time = self.start_time;
        (self.drive)(&mut stage, self.spans, patience)?;
        let memory_kib = memory.peak_kib();
        let counts = stage.counts();
        let account = stage.service.as_ref().map(|service| {
            let requests = service.requests();
            oracle.account(&requests)
        });
        let account = account.unwrap_or_default();
        let mut problems = (self.check)(&stage);
        problems.extend(self.problems(front, &counts, &account));
        Ok(Outcome {
            seen: account.taken as u64,
            twice: (account.taken_twice + account.perhaps_twice) as u64,
            memory_kib,
            most_memory_kib: self.most_memory_mib * 1024,
            longest: stage.longest.0,
            problems,
            ..Outcome::new(self.expected_counts(front), counts)
        })
    }

    fn service(&self, front: Front) -> Result<Service, Failure> {
        let builder = Service::builder();
        let builder = match front {
            Front::OtlpGrpc => builder.http2(),
            _ => builder,
        };
        let builder = match self.certificates {
            Some(certificates) => builder.tls(certificates()?),
            None => builder,
        };
        let builder = builder.script((self.answers)(front));
        let builder = match self.for_ever {
            true => builder,
            false => builder.then_repeat(front.taken()),
        };
        let builder = match self.answerer {
            Some(answerer) => builder.answer_with(move |request| answerer(front, request)),
            None => builder,
        };
        Ok(builder.start()?)
    }

    fn expected_counts(&self, front: Front) -> Counts {
        let spans = self.spans as u64;
        let lost = match (self.expected)(front) {
            Expected::Taken => Vec::new(),
            Expected::Lost(reason) => vec![(reason, spans)],
            Expected::LostOf(lost) => lost,
        };
        let taken = spans - lost.iter().map(|(_, count)| count).sum::<u64>();
        Counts::new(spans, taken, lost)
    }

    /// Where the two sides do not agree.
    fn problems(&self, front: Front, counts: &Counts, account: &Account) -> Vec<String> {
        let mut problems = Vec::new();
        // What the service took and then refused, span by span, is lost.
        let refused = ["rejected", "not_routed"].map(|reason| counts.lost.get(reason));
        let refused = refused.into_iter().flatten().sum::<u64>();
        if counts.exported + refused != account.taken as u64 {
            problems.push(format!("the service took {}", account.taken));
        }
        if account.taken_twice > 0 {
            problems.push(format!("{} were taken twice", account.taken_twice));
        }
        if account.perhaps_twice > 0 && !self.is_ambiguous {
            problems.push(format!(
                "{} may have been taken twice",
                account.perhaps_twice
            ));
        }
        if account.foreign > 0 {
            problems.push(format!("{} went to another identity", account.foreign));
        }
        let canaries = match front.is_agent365() {
            true => account.taken,
            false => 0,
        };
        if account.canaries != canaries {
            problems.push(format!(
                "{} prompts came instead of {canaries}",
                account.canaries
            ));
        }
        problems
    }
}

/// Over TLS to a service that nobody should trust: nothing but a greeting is sent.
pub(crate) fn without_a_request(stage: &Stage) -> Vec<String> {
    let records = stage.service.as_ref().map(Service::connection_records);
    let records = records.unwrap_or_default();
    let has_begun = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        ["POST", "PRI ", "token-of", "oracle-"]
            .iter()
            .any(|word| text.contains(word))
    };
    let requests = records
        .iter()
        .any(|record| record.requests > 0 || has_begun(&record.unserved));
    let mut problems = Vec::new();
    if records.is_empty() {
        problems.push("no connection came".to_owned());
    }
    if requests {
        problems.push("a request was sent".to_owned());
    }
    problems
}

/// Settings for a service over TLS.
pub(crate) fn over_tls(connection: Connection) -> Settings {
    Settings {
        connection,
        age: Duration::from_millis(700),
        ..Settings::new()
    }
}
