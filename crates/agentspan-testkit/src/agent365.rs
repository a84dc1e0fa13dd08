//! A loopback Agent 365 that checks requests like the documented service.

mod gate;
mod intake;
mod profile;
mod standard;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::RuleSet;

use crate::answer::Answer;
use crate::id::Id;
use crate::record::RecordedRequest;
use crate::service::{Service, StartError};

pub use self::intake::Row;

/// The observability endpoint of Agent 365. Its answer depends on path, token, size, spans and
/// licences.
///
/// It follows the documented contract and observations of the live service:
///
/// - It compares path, token and spans: the claims `aud`, `exp`, `azp` (or `appid`) with the agent
///   of the path, `tid` with its tenant if the path names one, `scp` and `roles`. It compares ids
///   without regard to case.
/// - A token of another agent or tenant is refused with 403 and an empty body, because no public
///   source shows a body of such an answer. `ExportError::meaning` says what to compare.
/// - It answers an accepted request with `results` for each span. Spans of a tenant without a
///   licence are `not_routed`. Unknown spans, and spans that do not belong to the path, are counted
///   in `partialSuccess`.
/// - A span without a mandatory attribute becomes a row with an empty column, see
///   [`rows`](Self::rows).
/// - Senders without a package ([`Profile::Direct`]) must follow their reference: a body that is
///   not OTLP/JSON is refused with 400, and a span with a value that is not a string, or without a
///   mandatory attribute, is `rejected`.
///
/// ```
/// use agentspan_testkit::Agent365;
///
/// # fn main() -> Result<(), agentspan_testkit::StartError> {
/// let service = Agent365::builder().without_licence("a tenant").start()?;
/// // ... an exporter sends to `service.url()` ...
/// assert!(service.rows().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Agent365 {
    service: Service,
    state: Arc<Mutex<State>>,
}

/// Builds an [`Agent365`].
#[derive(Debug)]
pub struct Agent365Builder {
    settings: Settings,
}

#[derive(Debug)]
struct Settings {
    profile: Profile,
    rule_set: RuleSet,
    unlicensed: BTreeSet<Id>,
    /// Whether app-only tokens need the role. Sources disagree.
    demands_role: bool,
    /// Whether answers have results, as newer ones do.
    has_results: bool,
    limit: usize,
    oversize_status: u16,
}

#[derive(Debug)]
struct State {
    settings: Settings,
    rows: Vec<Row>,
    /// The answers that are given before any request is looked at.
    played: std::collections::VecDeque<Answer>,
}

impl Agent365 {
    /// A service that accepts every tenant, and tokens for all agents.
    #[must_use]
    pub fn builder() -> Agent365Builder {
        Agent365Builder {
            settings: Settings {
                profile: Profile::V2,
                rule_set: RuleSet::default(),
                unlicensed: BTreeSet::new(),
                demands_role: true,
                has_results: true,
                limit: 1_000_000,
                oversize_status: 413,
            },
        }
    }

    /// `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        self.service.url()
    }

    /// The service, with the received requests.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The spans that became rows, in order of arrival.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        locked(&self.state).rows.clone()
    }

    /// Answers the next requests with these answers, whatever the requests contain.
    pub fn play(&self, answers: impl IntoIterator<Item = Answer>) {
        locked(&self.state).played.extend(answers);
    }

    /// Assigns a licence in a tenant, or removes it.
    pub fn set_licence(&self, tenant: &str, is_licensed: bool) {
        let mut state = locked(&self.state);
        match is_licensed {
            true => state.settings.unlicensed.remove(&Id::new(tenant)),
            false => state.settings.unlicensed.insert(Id::new(tenant)),
        };
    }
}

impl Agent365Builder {
    /// Sets the generation of senders. The default is [`Profile::V2`].
    ///
    /// All generations except [`Profile::V0_1`] use the documented routes. `V0_1` has its own path,
    /// and its answers do not mention spans. [`Profile::Direct`] only accepts the standard wire
    /// format, the others accept both.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.settings.profile = profile;
        self
    }

    /// Sets the mandatory attributes, since sources disagree. The default is the attribute
    /// reference.
    #[must_use]
    pub fn rule_set(mut self, rule_set: RuleSet) -> Self {
        self.settings.rule_set = rule_set;
        self
    }

    /// Routes spans of this tenant to no destination.
    #[must_use]
    pub fn without_licence(mut self, tenant: &str) -> Self {
        self.settings.unlicensed.insert(Id::new(tenant));
        self
    }

    /// Accepts app-only tokens without the role, as for registered instances.
    #[must_use]
    pub fn without_roles(mut self) -> Self {
        self.settings.demands_role = false;
        self
    }

    /// Omits results of single spans, like answers in the first half of 2026.
    #[must_use]
    pub fn without_results(mut self) -> Self {
        self.settings.has_results = false;
        self
    }

    /// Sets the maximum length of a body, and the status for longer bodies. The default is
    /// 1,000,000 bytes and 413.
    #[must_use]
    pub fn limit(mut self, bytes: usize, status: u16) -> Self {
        self.settings.limit = bytes;
        self.settings.oversize_status = status;
        self
    }

    /// Starts the service.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the machine has no free port or thread.
    pub fn start(self) -> Result<Agent365, StartError> {
        let state = Arc::new(Mutex::new(State {
            settings: self.settings,
            rows: Vec::new(),
            played: std::collections::VecDeque::new(),
        }));
        let answering = Arc::clone(&state);
        let service = Service::builder()
            .answer_with(move |request| locked(&answering).answer(request))
            .start()?;
        Ok(Agent365 { service, state })
    }
}

impl State {
    fn answer(&mut self, request: &RecordedRequest) -> Answer {
        if let Some(answer) = self.played.pop_front() {
            return answer;
        }
        match gate::admit(&self.settings, request) {
            Ok(place) => intake::take(&self.settings, &place, request, &mut self.rows),
            Err(answer) => *answer,
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
