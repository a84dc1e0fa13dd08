//! A language model behind an HTTP endpoint: a script that fails, hangs and takes its time on request.

use std::sync::{Mutex, PoisonError, mpsc};

use agentspan_testkit::{Answer, RecordedRequest, Service, StartError};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub(crate) const FAILS: &str = "What broke?";
pub(crate) const NEVER_ENDS: &str = "What is the last digit of pi?";
pub(crate) const TAKES_LONG: &str = "What is the longest book?";

/// The model, and what makes it go on.
pub(crate) struct Model {
    service: Service,
    asked: UnboundedReceiver<()>,
    go_on: mpsc::Sender<()>,
}

impl Model {
    pub(crate) fn start() -> Result<Self, StartError> {
        let (asks, asked) = unbounded_channel();
        let (go_on, may_go_on) = mpsc::channel();
        let may_go_on = Mutex::new(may_go_on);
        let complete = move |request: &RecordedRequest| {
            let prompt = String::from_utf8_lossy(&request.body);
            if prompt.contains(FAILS) {
                return Answer::status(500);
            }
            if prompt.contains(NEVER_ENDS) {
                let _ = asks.send(());
                return Answer::hang();
            }
            if prompt.contains(TAKES_LONG) {
                let _ = asks.send(());
                // The thread is that of the model alone, which has nothing else to do.
                let may_go_on = may_go_on.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = may_go_on.recv();
            }
            let found = if prompt.contains("A Cast of Crabs") {
                "I recommend A Cast of Crabs."
            } else {
                "I know of nothing."
            };
            Answer::json(
                &json!({"choices": [{"message": {"role": "assistant", "content": found}}]}),
            )
        };
        let service = Service::builder().answer_with(complete).start()?;
        Ok(Self {
            service,
            asked,
            go_on,
        })
    }

    pub(crate) fn url(&self) -> String {
        self.service.url()
    }

    /// Trace and baggage of the first request, as far as they are not different each time.
    pub(crate) fn told_first(&self) -> String {
        let first = self.service.requests().into_iter().next();
        let header = |name| first.as_ref()?.header(name).map(str::to_owned);
        let (parent, baggage) = (header("traceparent"), header("baggage"));
        let parent = parent.unwrap_or_default();
        let trace = parent.split('-').nth(1).unwrap_or_default();
        format!("trace {trace}, baggage {}", baggage.unwrap_or_default())
    }

    /// Until it works on one of the questions that it does not answer at once.
    pub(crate) async fn was_asked(&mut self) {
        self.asked.recv().await;
    }

    /// Answers the question that takes long.
    pub(crate) fn go_on(&self) {
        // It is gone only when the service is.
        let _ = self.go_on.send(());
    }
}
