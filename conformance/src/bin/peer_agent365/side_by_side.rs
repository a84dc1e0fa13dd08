//! Gives both sides the same work and compares what came of it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use agentspan_agent365::retry::Retry;
use agentspan_agent365::{AccessToken, Agent365Exporter, token_from_async_fn};
use agentspan_otel::{BaggageSpanProcessor, ScopeTracer};
use agentspan_testkit::{Answer, Certificates, RecordedRequest, Service};
use conformance::compare::differences;
use conformance::deviations::{Deviations, DeviationsError};
use conformance::{Case, ExportInput, Json, Runner, SHIPPED_VECTORS};
use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::arrived::{Run, TOLERANCES, object, requests, say_rust};
use crate::async_scopes;
use crate::batches;
use crate::exports::{self, LeftOut};
use crate::generation::Generation;
use crate::reference::Reference;
use crate::scopes::{self, Scenario, Tracers};
use crate::turns;

/// How many differences of a case are printed.
const SHOWN: usize = 10;

/// The predicate of what our side does not do here: parents that are not sent stay.
const SWITCHED_OFF: &str = "parent_is_not_sent";

/// How many turns the driver is asked for at once.
const TURNS_AT_ONCE: usize = 200;

const SERVICE_NAME: &str = "peer";
const SERVICE_NAMESPACE: &str = "agentspan";
const TOKEN: &str = "token-of-the-scenarios";

/// Both sides, a service for each, and what was found so far.
#[derive(Debug)]
pub(crate) struct Peers {
    generation: Generation,
    reference: Reference,
    their_service: Service,
    our_service: Service,
    counts: Counts,
    left_out: BTreeMap<LeftOut, Vec<String>>,
    rules: Rules,
}

/// The deviations on purpose. Where one applies, `cargo xtask conformance` holds us to what we do instead.
struct Rules {
    deviations: Deviations,
    runners: Vec<Box<dyn Runner>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    cases: usize,
    different: usize,
    requests: usize,
    bodies: usize,
    identical_bodies: usize,
}

/// What one side did: the result of the export, and the requests that arrived.
struct Work {
    result: Json,
    requests: Vec<RecordedRequest>,
}

#[derive(Deserialize)]
struct VectorFile {
    cases: Vec<Value>,
}

#[derive(Deserialize)]
struct ScenarioFile {
    scenarios: Vec<Value>,
}

impl Peers {
    /// Starts the services and the reference package.
    pub(crate) fn start(
        python: &Path,
        driver: &Path,
        generation: Generation,
    ) -> Result<Self, Box<dyn Error>> {
        let service = || -> Result<Service, Box<dyn Error>> {
            Ok(Service::builder().tls(Certificates::generate()?).start()?)
        };
        let (their_service, our_service) = (service()?, service()?);
        let directory = python.parent().ok_or("the interpreter has no directory")?;
        let reference = Reference::start(python, driver, &their_service, directory)?;
        Ok(Self {
            generation,
            reference,
            their_service,
            our_service,
            counts: Counts::default(),
            left_out: BTreeMap::new(),
            rules: Rules::shipped()?,
        })
    }

    /// Exports the spans of a shipped vector file, with the answers that it scripts.
    pub(crate) fn exports_of_vectors(&mut self, file: &str) -> Result<(), Box<dyn Error>> {
        let text = std::fs::read_to_string(format!("{SHIPPED_VECTORS}/{file}.json"))?;
        let vectors: VectorFile = serde_json::from_str(&text)?;
        let before = self.counts;
        for value in vectors.cases {
            let case: Case = serde_json::from_value(value.clone())?;
            self.export(file, &case, &value["input"])?;
        }
        self.print_part(&format!("exports of {file}"), before);
        Ok(())
    }

    /// Exports batches that are made from seeds.
    pub(crate) fn exports_of_batches(&mut self, seeds: Range<u64>) -> Result<(), Box<dyn Error>> {
        let before = self.counts;
        let part = format!(
            "exports of batches from the seeds {} to {}",
            seeds.start, seeds.end
        );
        for seed in seeds {
            let input = batches::batch(seed, self.generation);
            let case = json!({"name": format!("batch {seed}"), "input": input, "expected": null});
            let file = self.generation.files.first().copied().unwrap_or_default();
            self.export(file, &serde_json::from_value(case)?, &input)?;
        }
        self.print_part(&part, before);
        Ok(())
    }

    fn export(&mut self, file: &str, case: &Case, value: &Value) -> Result<(), Box<dyn Error>> {
        let input: ExportInput = serde_json::from_value(value.clone())?;
        let answers = self.rules.none_applies(file, case);
        let answers = match answers.and_then(|()| exports::answers(&input)) {
            Ok(answers) => answers,
            Err(reason) => {
                let case = format!("{file}: {}", case.name);
                self.left_out.entry(reason).or_default().push(case);
                return Ok(());
            }
        };
        let (theirs_before, ours_before) = self.play(&answers);
        // The reference works while we do.
        self.reference
            .send(&json!({"op": "export", "input": value}))?;
        let result = exports::export(&input, self.generation, &self.our_service)?;
        let ours = Work {
            result,
            requests: since(&self.our_service, ours_before),
        };
        let result = self.reference.answer()?;
        let theirs = Work {
            result,
            requests: since(&self.their_service, theirs_before),
        };
        let name = format!("{file}: {}", case.name);
        self.compare(&name, &theirs, &ours, None)
    }

    /// Runs the scenarios of a file through the whole pipelines of both sides.
    pub(crate) fn scenarios(&mut self, path: &Path) -> Result<(), Box<dyn Error>> {
        let file: ScenarioFile = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        let before = self.counts;
        let run = Run::begin();
        let (provider, tracers) = self.install()?;
        for value in file.scenarios {
            let scenario: Scenario = serde_json::from_value(value.clone())?;
            let (before, _) = self.play(&[Answer::status(200)]);
            self.reference
                .send(&json!({"op": "scenario", "steps": value["steps"]}))?;
            let result = self.reference.answer()?;
            let theirs = Work {
                result,
                requests: since(&self.their_service, before),
            };
            for form in [Form::Sync, Form::Async] {
                let before = self.our_service.request_count();
                run_scenario(&scenario, form, &tracers)?;
                provider.force_flush()?;
                let ours = Work {
                    result: object([("flushed", Json::Bool(true))]),
                    requests: since(&self.our_service, before),
                };
                let name = format!("scenario, {form:?}: {}", scenario.name);
                self.compare(&name, &theirs, &ours, Some(run))?;
            }
        }
        provider.shutdown()?;
        self.print_part("scenarios of scopes, spans and baggage", before);
        Ok(())
    }

    /// Compares the baggage of turns of conversations, whose activities are made from seeds.
    pub(crate) fn turns(&mut self, seeds: Range<u64>) -> Result<(), Box<dyn Error>> {
        let part = format!("turns from the seeds {} to {}", seeds.start, seeds.end);
        let mut counts = turns::Counts::default();
        let seeds: Vec<u64> = seeds.collect();
        for seeds in seeds.chunks(TURNS_AT_ONCE) {
            let activities: Vec<Value> = seeds.iter().map(|seed| turns::activity(*seed)).collect();
            let command = json!({"op": "turns", "activities": activities});
            self.reference.send(&command)?;
            let answer = self.reference.answer()?;
            let theirs = answer.member("turns").and_then(Json::as_array);
            let theirs = theirs.filter(|theirs| theirs.len() == activities.len());
            let theirs = theirs.ok_or("the driver has left out turns")?;
            for ((seed, activity), theirs) in seeds.iter().zip(&activities).zip(theirs) {
                if let Some(difference) = counts.compare(activity, theirs, self.generation)? {
                    println!("turn {seed}: {activity}\n    {difference}");
                }
            }
        }
        println!("{part}: {counts}");
        self.counts.cases += counts.compared;
        self.counts.different += counts.different;
        Ok(())
    }

    /// Installs the whole pipelines of both sides.
    fn install(&mut self) -> Result<(SdkTracerProvider, Tracers), Box<dyn Error>> {
        self.reference.send(&json!({
            "op": "configure",
            "service_name": SERVICE_NAME,
            "service_namespace": SERVICE_NAMESPACE,
            "cluster_category": "prod",
            "default_token": {"token": TOKEN},
        }))?;
        let resource = Resource::builder()
            .with_service_name(SERVICE_NAME)
            .with_attribute(KeyValue::new("service.namespace", SERVICE_NAMESPACE))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_span_processor(BaggageSpanProcessor::new().with_profile(self.generation.profile))
            .with_batch_exporter(self.exporter_of_scenarios()?)
            .build();
        let scope = InstrumentationScope::builder("peer")
            .with_version("1.0")
            .build();
        let tracers = Tracers {
            scopes: ScopeTracer::with_profile(&provider, self.generation.profile),
            spans: provider.tracer_with_scope(scope),
        };
        let installed = self.reference.answer()?;
        if installed != object([("installed", Json::Bool(true))]) {
            return Err("the reference package did not install its pipeline".into());
        }
        Ok((provider, tracers))
    }

    fn exporter_of_scenarios(&self) -> Result<Agent365Exporter, Box<dyn Error>> {
        // At once, so that identities keep the order in which they come.
        let token = || Ok(Some(AccessToken::new(TOKEN)?));
        let resolver = token_from_async_fn(move |_| std::future::ready(token()));
        let builder = Agent365Exporter::builder(resolver)
            .with_profile(self.generation.profile)
            .with_connect_to(self.our_service.addr())
            .with_root_certificates(self.our_service.root_certificates())
            .with_concurrency(1)
            .with_retry(Retry::reference())
            .with_usual_route()
            .without_reparenting();
        Ok(builder.build()?)
    }

    /// Lets both services play the same answers; returns how many requests they had before.
    fn play(&self, answers: &[Answer]) -> (usize, usize) {
        self.their_service.play(answers.iter().cloned());
        self.our_service.play(answers.iter().cloned());
        (
            self.their_service.request_count(),
            self.our_service.request_count(),
        )
    }

    /// Compares what both sides did; with `run`, all but what is another in each run.
    fn compare(
        &mut self,
        name: &str,
        theirs: &Work,
        ours: &Work,
        run: Option<Run>,
    ) -> Result<(), Box<dyn Error>> {
        let seen = |work: &Work| -> Result<Json, Box<dyn Error>> {
            let mut requests = requests(&work.requests)?;
            if let Some(run) = run {
                run.take_away_its_identity(&mut requests);
            }
            Ok(object([
                ("result", work.result.clone()),
                ("requests", requests),
            ]))
        };
        let (mut theirs_seen, ours_seen) = (seen(theirs)?, seen(ours)?);
        if run.is_some() {
            say_rust(&mut theirs_seen);
        }
        let found = differences(&theirs_seen, &ours_seen, &TOLERANCES);
        self.counts.cases += 1;
        self.counts.requests += theirs.requests.len();
        for (theirs, ours) in theirs.requests.iter().zip(&ours.requests) {
            self.counts.bodies += 1;
            self.counts.identical_bodies += usize::from(theirs.body == ours.body);
        }
        if !found.is_empty() {
            self.counts.different += 1;
            println!("{name}");
            for difference in found.iter().take(SHOWN) {
                println!("    {difference}");
            }
            if found.len() > SHOWN {
                println!("    and {} more", found.len() - SHOWN);
            }
        }
        Ok(())
    }

    fn print_part(&self, part: &str, before: Counts) {
        let Counts {
            cases,
            different,
            requests,
            bodies,
            identical_bodies,
        } = self.counts;
        println!(
            "{part}: {} cases, {} requests, {} different; {} of {} bodies equal byte for byte",
            cases - before.cases,
            requests - before.requests,
            different - before.different,
            identical_bodies - before.identical_bodies,
            bodies - before.bodies,
        );
    }

    /// Prints the sum and returns how many cases differ.
    pub(crate) fn conclude(&self) -> usize {
        for (reason, cases) in &self.left_out {
            println!("left out: {} with {reason}", cases.len());
            for case in cases {
                println!("    {case}");
            }
        }
        match self.counts.different {
            0 => println!("{} cases compared: no difference", self.counts.cases),
            different => println!("{} cases compared: {different} differ", self.counts.cases),
        }
        self.counts.different
    }
}

impl Rules {
    fn shipped() -> Result<Self, DeviationsError> {
        Ok(Self {
            deviations: Deviations::shipped()?,
            runners: conformance::runners::all(),
        })
    }

    fn none_applies(&self, file: &str, case: &Case) -> Result<(), LeftOut> {
        let runner = self.runners.iter().find(|it| it.file_stem() == file);
        let Some(applying) = runner.and_then(|runner| applying(&**runner, case)) else {
            return Ok(());
        };
        let mut rules = self.deviations.rules().iter();
        let rule = rules.find(|rule| {
            rule.predicate == applying && rule.files.iter().any(|other| other == file)
        });
        match rule {
            Some(rule) => Err(format!("the rule {}", rule.id)),
            None => Ok(()),
        }
    }
}

/// The name of a deviation that a case has, of those that are not switched off here.
fn applying(runner: &dyn Runner, case: &Case) -> Option<&'static str> {
    let rewrites = runner.predicates().iter();
    let rewrites = rewrites.map(|one| (one.name, one.applies));
    let allows = runner.allowances().into_iter();
    let mut all = rewrites.chain(allows.map(|one| (one.name, one.applies)));
    let found = all.find(|(name, applies)| *name != SWITCHED_OFF && applies(case));
    found.map(|(name, _)| name)
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").finish_non_exhaustive()
    }
}

/// Whether a scenario runs as synchronous or as asynchronous code.
#[derive(Clone, Copy, Debug)]
enum Form {
    Sync,
    Async,
}

fn run_scenario(scenario: &Scenario, form: Form, tracers: &Tracers) -> Result<(), Box<dyn Error>> {
    let result = match form {
        Form::Sync => scopes::run(&scenario.steps, None, tracers),
        Form::Async => {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            runtime.block_on(async_scopes::run(&scenario.steps, None, tracers))
        }
    };
    result.map_err(|error| format!("{}: nobody caught {error:?}", scenario.name).into())
}

fn since(service: &Service, before: usize) -> Vec<RecordedRequest> {
    service.requests().split_off(before)
}
