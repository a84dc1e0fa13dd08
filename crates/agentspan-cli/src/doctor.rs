//! `agentspan doctor`: checks whether spans from this machine can reach Agent 365, and explains
//! problems.

mod canary;
mod network;
mod token;

use std::io::Write;

use agentspan_discovery::standard_variables::OTEL_SDK_DISABLED;
use agentspan_discovery::{Environment, Switches};
use agentspan_model::agent365::contract::{Finding, Judge, Level, Route, Rule, RuleSet};
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::command_error::{CommandError, Outcome};
use crate::loopback::is_loopback;
use crate::serve;
use crate::shown::shown;
use crate::variable::variable_of_user;

/// The options of `doctor`.
#[derive(Debug)]
pub(crate) struct DoctorRequest {
    /// The service, as scheme and host.
    pub(crate) endpoint: String,
    pub(crate) tenant: Option<String>,
    pub(crate) agent: Option<String>,
    /// The variable of the environment that has the token.
    pub(crate) token_variable: Option<String>,
    /// Whether a span is sent.
    pub(crate) has_canary: bool,
    pub(crate) route: RouteChoice,
}

/// Which of the two routes requests take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteChoice {
    /// The route for the kind of the token, as in the third generation.
    ByToken,
    /// The route of services for every token, as in the second generation.
    ServiceToService,
}

/// How one look went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fine,
    Warning,
    Bad,
    Skipped,
}

/// One look.
#[derive(Debug)]
struct Look {
    state: State,
    at: &'static str,
    what: String,
    fix: Option<&'static str>,
}

impl Look {
    fn new(state: State, at: &'static str, what: impl Into<String>) -> Self {
        Self {
            state,
            at,
            what: what.into(),
            fix: None,
        }
    }

    fn with_fix(mut self, fix: &'static str) -> Self {
        self.fix = Some(fix);
        self
    }

    /// A rule of the contract that is broken.
    fn of_finding(at: &'static str, finding: &Finding) -> Self {
        let state = match finding.level {
            Level::Error => State::Bad,
            _ => State::Warning,
        };
        let rule = Rule::named(finding.rule.as_str());
        let (symptom, cause) = rule.map_or(("", ""), |rule| (rule.symptom, rule.cause));
        Self::new(state, at, format!("{} {symptom} {cause}", finding.rule))
            .with_fix(finding.remedy())
    }
}

/// Where requests go, and as whom.
struct Subject {
    /// The whole URL.
    uri: Uri,
    host: String,
    is_https: bool,
    tenant: Option<String>,
    agent: Option<String>,
    token: Option<String>,
}

pub(crate) fn run(request: DoctorRequest, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let environment = Environment::from_process();
    let subject = Subject::new(&request)?;
    let mut state = Outcome::Fine;
    let mut tell = |look: Look, out: &mut dyn Write| {
        if look.state == State::Bad {
            state = Outcome::Found;
        }
        write(&look, out)
    };
    for look in switches(&environment) {
        tell(look, out)?;
    }
    for look in token::looks(&subject) {
        tell(look, out)?;
    }
    serve::runtime()?.block_on(async {
        for look in network::looks(&subject).await {
            tell(look, out)?;
        }
        for look in network::receivers(&environment).await {
            tell(look, out)?;
        }
        if request.has_canary {
            for look in canary::looks(&subject).await {
                tell(look, out)?;
            }
        }
        std::io::Result::Ok(())
    })?;
    Ok(state)
}

fn write(look: &Look, out: &mut dyn Write) -> std::io::Result<()> {
    let word = match look.state {
        State::Fine => "ok",
        State::Warning => "warning",
        State::Bad => "BAD",
        State::Skipped => "skipped",
    };
    writeln!(out, "{word:8} {:12} {}", look.at, shown(&look.what))?;
    if let Some(fix) = look.fix {
        writeln!(out, "{:21} {fix}", "")?;
    }
    out.flush()
}

impl Subject {
    fn new(request: &DoctorRequest) -> Result<Self, CommandError> {
        const NO_URL: &str =
            "--endpoint: expected an https URL without a path, or an http URL of this machine\n";
        let no_url = || CommandError::Usage(NO_URL.to_owned());
        let base: Uri = request.endpoint.parse().map_err(|_| no_url())?;
        let host = base.host().ok_or_else(no_url)?.to_owned();
        let is_https = base.scheme_str() == Some("https");
        let is_local = base.scheme_str() == Some("http") && is_loopback(&host);
        if !is_https && !is_local {
            return Err(no_url());
        }
        let token = match &request.token_variable {
            None => None,
            Some(name) => {
                Some(variable_of_user(name).ok_or_else(|| CommandError::NoVariable(name.clone()))?)
            }
        };
        // Each route takes tokens of one kind.
        let is_delegated = token.as_deref().is_some_and(token::is_delegated);
        let service = match request.route {
            RouteChoice::ByToken if is_delegated => "observability",
            _ => "observabilityService",
        };
        let segment = |id: &Option<String>| {
            const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');
            let id = id.as_deref().unwrap_or("unknown");
            utf8_percent_encode(id, KEPT).to_string()
        };
        let path = format!(
            "/{service}/tenants/{}/otlp/agents/{}/traces?api-version=1",
            segment(&request.tenant),
            segment(&request.agent)
        );
        let mut parts = base.into_parts();
        parts.path_and_query = Some(path.parse().map_err(|_| no_url())?);
        Ok(Self {
            uri: Uri::from_parts(parts).map_err(|_| no_url())?,
            host,
            is_https,
            tenant: request.tenant.clone(),
            agent: request.agent.clone(),
            token,
        })
    }

    /// By the rules of the contract, on the route of the requests.
    fn judge(&self) -> Judge<'_> {
        let path = self.uri.path_and_query().map_or("", |path| path.as_str());
        let mut route = Route::parse(path);
        // Nothing is compared with what nobody named.
        route.tenant = route.tenant.filter(|_| self.tenant.is_some());
        route.agent = route.agent.filter(|_| self.agent.is_some());
        Judge::new(RuleSet::default()).with_route(route)
    }
}

/// The switches of the environment.
fn switches(environment: &Environment) -> Vec<Look> {
    let is_disabled = environment.non_blank(OTEL_SDK_DISABLED);
    if is_disabled.is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
        let what = "OTEL_SDK_DISABLED is true: nothing is recorded or sent, whatever the code says";
        let look = Look::new(State::Bad, "switches", what);
        return vec![look.with_fix("Unset OTEL_SDK_DISABLED.")];
    }
    let switches = Switches::read(environment);
    let on = |is_on: bool| if is_on { "on" } else { "off" };
    let what = format!(
        "observability {}, export to Agent 365 {}, sidecar {}, export over OTLP {}",
        on(switches.observability_enabled()),
        on(switches.exporter_enabled()),
        on(switches.sidecar_enabled()),
        on(switches.otlp_exporter_enabled()),
    );
    let state = match switches.observability_enabled() && switches.exporter_enabled() {
        true => State::Fine,
        false => State::Warning,
    };
    let look = Look::new(state, "switches", what);
    let look = match state {
        State::Fine => look,
        _ => look.with_fix(
            "Set ENABLE_A365_OBSERVABILITY and ENABLE_A365_OBSERVABILITY_EXPORTER to true, or switch both on in code.",
        ),
    };
    let judge = Judge::new(RuleSet::default());
    let variable = |name: &'static str| environment.value(name).map(str::to_owned);
    let findings = judge.judge_environment(variable).into_iter();
    let findings = findings.map(|finding| Look::of_finding("switches", &finding));
    [look].into_iter().chain(findings).collect()
}
