//! Ends its process, or a thread, in the middle of something, for `tests/it/process_ends.rs`.
//!
//! `process_end SETUP ACTIVE WAY` installs telemetry, makes something active and ends that way, with
//! exit code 7.

#![expect(clippy::print_stderr, reason = "the test shows what a child says")]

use std::any::Any;
use std::cell::RefCell;
use std::env;
use std::error::Error;
use std::mem;
use std::process::{ExitCode, exit};
use std::thread;
use std::time::Duration;

use agentspan::agent365::{Delivery, ExportToken};
use agentspan::discovery::Environment;
use agentspan::model::agentspec::SpanDetails;
use agentspan::prelude::*;
use agentspan::processor::trace::{OpenTrace, TraceBuilder};
use agentspan::processor::{InMemory, Span, Trace};
use agentspan::{Destination, Otlp, Telemetry, configure};
use agentspan_otel::{ConsoleExporter, OtelBridge, OtlpJsonLines};
use opentelemetry_sdk::trace::SdkTracerProvider;

type Failure = Box<dyn Error + Send + Sync>;

/// What the program ends with, if telemetry has no say in it.
const CODE: u8 = 7;

/// Where nobody listens.
const DEAD: &str = "http://127.0.0.1:9";

/// What telemetry there is.
struct Setup {
    telemetry: Option<Telemetry>,
    provider: Option<SdkTracerProvider>,
    bridge: bool,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("process_end: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [setup, active, way] = arguments.as_slice() else {
        return Err("process_end SETUP ACTIVE WAY".into());
    };
    let setup = Setup::of(setup)?;
    let active = active.as_str();
    match way.as_str() {
        "exit" => {
            let _active = setup.activate(active)?;
            exit(CODE.into());
        }
        "exit-elsewhere" => {
            let _active = setup.activate(active)?;
            let exiting = thread::spawn(|| exit(CODE.into()));
            // It ends with the process.
            let _ = exiting.join();
            Err("exit returned".into())
        }
        "return-leaked" => {
            mem::forget(setup.activate(active)?);
            Ok(ExitCode::from(CODE))
        }
        "thread-leaked" => {
            thread::scope(|scope| {
                let leaking = scope.spawn(|| setup.activate(active).map(mem::forget));
                leaking
                    .join()
                    .unwrap_or_else(|_| Err("the thread panicked".into()))
            })?;
            Ok(ExitCode::from(CODE))
        }
        "exit-in-thread" => thread::scope(|scope| {
            let exiting = scope.spawn(|| -> Result<(), Failure> {
                let _active = setup.activate(active)?;
                exit(CODE.into());
            });
            let ended = exiting.join();
            ended.unwrap_or_else(|_| Err("the thread panicked".into()))?;
            Err("exit returned".into())
        }),
        "exit-kept" => {
            keep(setup.activate(active)?);
            exit(CODE.into());
        }
        "exit-kept-outside" => {
            // Thread-locals are destroyed in the reverse of the order of their first use.
            keep(Vec::new());
            keep(setup.activate(active)?);
            exit(CODE.into());
        }
        "return-kept" => {
            keep(setup.activate(active)?);
            Ok(ExitCode::from(CODE))
        }
        "thread-kept" => {
            thread::scope(|scope| {
                let keeping = scope.spawn(|| setup.activate(active).map(keep));
                keeping
                    .join()
                    .unwrap_or_else(|_| Err("the thread panicked".into()))
            })?;
            Ok(ExitCode::from(CODE))
        }
        other => Err(format!("no way {other}").into()),
    }
}

type Guards = Vec<Box<dyn Any>>;

thread_local! {
    /// A program's own, which drops guards when the thread ends or the process exits.
    static KEPT: RefCell<Guards> = const { RefCell::new(Vec::new()) };
}

fn keep(guards: Guards) {
    KEPT.with_borrow_mut(|kept| kept.extend(guards));
}

impl Setup {
    fn of(name: &str) -> Result<Self, Failure> {
        let none = || Self {
            telemetry: None,
            provider: None,
            bridge: false,
        };
        let to = |destination: Destination| -> Result<Self, Failure> {
            let configuration = configure().with_environment(&Environment::default());
            Ok(Self {
                telemetry: Some(configuration.with_destination(destination).install()?),
                ..none()
            })
        };
        match name {
            "nothing" => Ok(none()),
            "bridge" => Ok(Self {
                provider: Some(provider()),
                bridge: true,
                ..none()
            }),
            "console" => to(Destination::console(ConsoleExporter::new())),
            "json-lines" => {
                let sink = OtlpJsonLines::with_sink(|_| Ok(()));
                to(Destination::json_lines(sink))
            }
            "otlp-http" => to(Destination::otlp_http(otlp())?),
            "otlp-grpc" => to(Destination::otlp_grpc(otlp())?),
            "agent365" => {
                let resolver = token_from_fn(|_| Ok(Some(AccessToken::new("token")?)));
                let delivery = Delivery::builder(resolver).with_loopback_endpoint(DEAD);
                let configuration = configure().with_environment(&Environment::default());
                let telemetry = configuration
                    .with_delivery(delivery)
                    .with_switches_on()
                    .install()?;
                Ok(Self {
                    telemetry: Some(telemetry),
                    ..none()
                })
            }
            "agent-spec" => {
                let configuration = configure().with_environment(&Environment::default());
                let telemetry = configuration
                    .with_agent_spec_processor("memory", InMemory::new())
                    .install()?;
                Ok(Self {
                    telemetry: Some(telemetry),
                    ..none()
                })
            }
            other => Err(format!("no setup {other}").into()),
        }
    }

    fn trace(&self) -> TraceBuilder {
        match (&self.telemetry, &self.provider) {
            (Some(telemetry), _) => telemetry.trace(),
            (None, Some(provider)) if self.bridge => {
                Trace::builder().with_processor(OtelBridge::new(provider))
            }
            _ => Trace::builder(),
        }
    }

    /// Makes something active on this thread, for as long as what it gives is kept.
    fn activate(&self, active: &str) -> Result<Guards, Failure> {
        let span = || Span::builder(SpanDetails::Plain).with_name("a span");
        Ok(match active {
            "trace" => vec![Box::new(self.trace().start()?)],
            "nested" => vec![
                // Innermost first, in the order of their drops.
                Box::new(self.trace().start()?) as Box<dyn Any>,
                Box::new(span().start()?),
                Box::new(span().start()?),
            ]
            .into_iter()
            .rev()
            .collect(),
            "out-of-order" => vec![
                Box::new(self.trace().start()?) as Box<dyn Any>,
                Box::new(span().start()?),
            ],
            "entered" => {
                let trace: OpenTrace = self.trace().start_detached()?;
                let entered = trace.root().enter();
                vec![Box::new(entered), Box::new(trace)]
            }
            "last-handle" => {
                // The stack has the only handle to the span, and so to the trace and its processors.
                let trace = self.trace().start_detached()?;
                let entered = trace.root().enter();
                drop(trace);
                vec![Box::new(entered)]
            }
            "scope" => {
                let agent = AgentDetails::new(AgentId::parse("agent-1")?);
                let tenant = TenantDetails::new(TenantId::parse("tenant-1")?);
                let tool = ToolCallDetails::new("clock");
                let scope = Box::leak(Box::new(ExecuteToolScope::start(&tool, &agent, &tenant)));
                vec![Box::new(scope.enter())]
            }
            "scope-in-trace" => {
                let mut guards = self.activate("trace")?;
                guards.splice(0..0, self.activate("scope")?);
                guards
            }
            "baggage" => {
                let baggage = BaggageBuilder::new().with_tenant_id("tenant-1").build();
                vec![Box::new(baggage.enter())]
            }
            "token" => {
                let token = ExportToken::new(AccessToken::new("token")?);
                vec![Box::new(token.enter())]
            }
            other => return Err(format!("nothing {other} to make active").into()),
        })
    }
}

fn otlp() -> Otlp {
    Otlp::new()
        .with_endpoint(DEAD)
        .with_timeout(Duration::from_millis(100))
}

fn provider() -> SdkTracerProvider {
    OtelBridge::prepare(SdkTracerProvider::builder())
        .with_simple_exporter(OtlpJsonLines::with_sink(|_| Ok(())))
        .build()
}
