//! What goes beyond the reference, when it is asked for.

use std::panic::panic_any;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan_agent365::error::BoxError;
use agentspan_agent365::token::TokenQuery;
use agentspan_agent365::{
    AccessToken, Enrichment, ExportError, TokenCache, TokenResolver, token_from_fn,
};
use agentspan_model::agent365::contract::Cure;
use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::keys;
use agentspan_testkit::{Answer, Service};
use async_trait::async_trait;
use futures_executor::block_on;
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;
use serde_json::Value as Json;

use crate::any_span::plain_span;
use crate::delivery_fixture::{
    Pauses, SHORT, TENANT, check_conserved, delivery_to, export, service, span_of, token,
};

/// {"exp":32503680000}, which is the year 3000.
const LASTING: &str = "e30.eyJleHAiOjMyNTAzNjgwMDAwfQ.";

/// {"exp":1}
const EXPIRED: &str = "e30.eyJleHAiOjF9.";

/// {"appid":"app-1","roles":["Other.Read"],"secret":"s3cret"}
const WEAK: &str =
    "e30.eyJhcHBpZCI6ImFwcC0xIiwicm9sZXMiOlsiT3RoZXIuUmVhZCJdLCJzZWNyZXQiOiJzM2NyZXQifQ.";

/// {"roles":["Agent365.Observability.OtelWrite"]}
const STRONG: &str = "e30.eyJyb2xlcyI6WyJBZ2VudDM2NS5PYnNlcnZhYmlsaXR5Lk90ZWxXcml0ZSJdfQ.";

/// Gives one token after the other, then errors, and counts the questions.
#[derive(Clone)]
struct Script {
    tokens: Arc<[&'static str]>,
    asked: Arc<AtomicUsize>,
}

impl Script {
    fn new(tokens: impl Into<Arc<[&'static str]>>) -> Self {
        Self {
            tokens: tokens.into(),
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

#[async_trait]
impl TokenResolver for Script {
    async fn resolve(&self, _: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        let number = self.asked.fetch_add(1, SeqCst);
        tokio::task::yield_now().await;
        let token = self.tokens.get(number).ok_or("no more tokens")?;
        Ok(Some(AccessToken::new(*token)?))
    }
}

fn identity(agent: &str) -> Identity {
    Identity::parse(TENANT, agent).unwrap()
}

fn query(agent: &str) -> TokenQuery {
    TokenQuery::new(identity(agent))
}

/// Resolves `times` times for one identity: the questions that reach the resolver, and the successes.
fn check_questions(
    cache: impl FnOnce(Script) -> TokenCache<Script>,
    tokens: &[&'static str],
    times: usize,
    expected: (usize, usize),
) {
    let script = Script::new(tokens);
    let cache = cache(script.clone());
    let answers = (0..times).map(|_| block_on(cache.resolve(&query("a"))));
    let successes = answers
        .filter(|answer| matches!(answer, Ok(Some(_))))
        .count();
    assert_eq!((script.asked(), successes), expected);
}

#[test]
fn t22_a_token_is_kept_until_shortly_before_it_expires() {
    check_questions(TokenCache::new, &[LASTING], 3, (1, 3));
    check_questions(TokenCache::new, &["opaque"], 3, (1, 3));
    check_questions(TokenCache::new, &[EXPIRED, EXPIRED], 2, (2, 2));
    let none = |script| TokenCache::new(script).with_lifetime_without_expiry(Duration::ZERO);
    check_questions(none, &["opaque", "opaque"], 2, (2, 2));
    let capped = |script| TokenCache::new(script).with_max_lifetime(Duration::ZERO);
    check_questions(capped, &[LASTING, LASTING], 2, (2, 2));
}

#[test]
fn a_token_that_may_be_kept_forever_is_kept() {
    let forever = |script| {
        TokenCache::new(script)
            .with_max_lifetime(Duration::MAX)
            .with_lifetime_without_expiry(Duration::MAX)
    };
    check_questions(forever, &["opaque"], 3, (1, 3));
    check_questions(forever, &[LASTING], 3, (1, 3));
}

#[test]
fn an_empty_token_is_none_and_is_not_remembered() {
    check_questions(TokenCache::new, &["", "", LASTING], 4, (3, 2));
    // Nor is the token before it used on.
    let eager = |script| TokenCache::new(script).with_refresh_before(Duration::MAX);
    check_questions(eager, &[LASTING, ""], 3, (3, 1));
}

#[test]
fn an_old_token_is_used_while_no_new_one_can_be_got() {
    // It is to be replaced at once, and has not expired.
    let eager = |script| TokenCache::new(script).with_refresh_before(Duration::MAX);
    check_questions(eager, &[LASTING], 3, (3, 3));
    check_questions(TokenCache::new, &[EXPIRED], 3, (3, 1));
}

/// Gives a token, and then never answers.
#[derive(Default)]
struct HangsLater(AtomicUsize);

#[async_trait]
impl TokenResolver for HangsLater {
    async fn resolve(&self, _: &TokenQuery) -> Result<Option<AccessToken>, BoxError> {
        if self.0.fetch_add(1, SeqCst) > 0 {
            std::future::pending::<()>().await;
        }
        Ok(Some(AccessToken::new(LASTING)?))
    }
}

#[test]
fn a_refresh_that_hangs_costs_no_span_while_the_old_token_is_valid() {
    let service = service([Answer::status(200)]);
    // Each token is to be replaced at once.
    let cache = TokenCache::new(HangsLater::default()).with_refresh_before(Duration::MAX);
    let exporter = delivery_to(&service, cache)
        .with_token_deadline(SHORT)
        .build()
        .unwrap()
        .exporter();
    for _ in 0..3 {
        let report = export(&exporter, vec![span_of(TENANT, "a")]);
        assert_eq!(report.exported(), 1);
    }
}

#[tokio::test]
async fn t18_one_question_per_identity_is_asked_at_a_time() {
    let script = Script::new([LASTING, LASTING]);
    let cache = TokenCache::new(script.clone());
    let (one, other) = (query("a"), query("b"));
    let (first, second, third) = tokio::join!(
        cache.resolve(&one),
        cache.resolve(&one),
        cache.resolve(&other)
    );
    assert!(
        [first, second, third]
            .iter()
            .all(|answer| matches!(answer, Ok(Some(_))))
    );
    assert_eq!(script.asked(), 2);
}

#[tokio::test]
async fn t18_a_failure_is_shared_by_those_that_wait_for_it_and_by_no_others() {
    let script = Script::new([]);
    let cache = TokenCache::new(script.clone());
    let one = query("a");
    let (first, second) = tokio::join!(cache.resolve(&one), cache.resolve(&one));
    assert!(first.is_err() && second.is_err());
    assert_eq!(script.asked(), 1);
    assert!(cache.resolve(&one).await.is_err());
    assert_eq!(script.asked(), 2);
}

#[test]
fn t18_users_that_an_agent_acts_as_have_tokens_of_their_own() {
    let cache = TokenCache::new(token_from_fn(|query: &TokenQuery| {
        let user = query.agentic_user.as_deref().unwrap_or("nobody");
        Ok(Some(AccessToken::new(user)?))
    }));
    for user in [Some("ada"), Some("grace"), None, Some("ada")] {
        let asked = user.map_or_else(|| query("a"), |user| query("a").with_agentic_user(user));
        let token = block_on(cache.resolve(&asked)).unwrap().unwrap();
        let expected = AccessToken::new(user.unwrap_or("nobody")).unwrap();
        assert!(token == expected, "{user:?}");
    }
}

/// Exports a span, with a token cache and without: the tokens that there are, the statuses of the
/// service, what it was sent, and whether the span was delivered.
fn check_refused(tokens: &[&'static str], answers: &[u16], sent: &[&str], delivered: usize) {
    for cached in [false, true] {
        let service = service(answers.iter().map(|status| Answer::status(*status)));
        let mut builder = delivery_to(&service, Script::new(tokens));
        if cached {
            builder = builder.with_token_cache();
        }
        let delivery = builder.build().unwrap();
        let report = export(&delivery.exporter(), vec![span_of(TENANT, "a")]);
        assert_eq!(tokens_of(&service), sent, "{cached}");
        assert_eq!(report.exported(), delivered);
        check_conserved(&delivery);
    }
}

/// The tokens that the service was sent.
fn tokens_of(service: &Service) -> Vec<String> {
    let requests = service.requests();
    let tokens = requests
        .iter()
        .filter_map(|request| request.header("authorization")?.strip_prefix("Bearer "));
    tokens.map(str::to_owned).collect()
}

#[test]
fn a14_a_401_is_met_with_one_fresh_token_with_and_without_a_cache() {
    let three = ["one", "two", "three"];
    check_refused(&three, &[401, 200], &["one", "two"], 1);
    check_refused(&three, &[401, 401, 200], &["one", "two"], 0);
    check_refused(&three, &[403, 200], &["one"], 0);
    check_refused(&three, &[401, 503, 200], &["one", "two", "two"], 1);
}

/// R32, R34: another token does not help where the route is wrong, so that none is asked for.
#[test]
fn r32_a_401_of_the_route_asks_for_no_other_token() {
    for code in [
        "UnsupportedAccessTokenType",
        "AuthenticationSchemeNotSupported",
    ] {
        let refusal = Answer::status(401).body(format!(r#"{{"code":"{code}"}}"#));
        let service = service([refusal, Answer::status(200)]);
        let delivery = delivery_to(&service, Script::new(["one", "two"]))
            .build()
            .unwrap();
        let report = export(&delivery.exporter(), vec![span_of(TENANT, "a")]);
        assert_eq!(tokens_of(&service), ["one"], "{code}");
        let error = &report.identities[0].losses[0].error;
        let meaning = error.meaning().unwrap();
        assert_eq!((meaning.code, meaning.cure), (code, Cure::Final));
        check_conserved(&delivery);
    }
}

#[test]
fn a_token_that_is_no_other_is_not_sent_again() {
    check_refused(&["one", "one"], &[401, 200], &["one"], 0);
    check_refused(&["one", ""], &[401, 200], &["one"], 0);
    check_refused(&["one"], &[401, 200], &["one"], 0);
}

#[test]
fn a_resolver_hears_which_token_was_refused() {
    let service = service([Answer::status(401), Answer::status(200)]);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    let resolver = token_from_fn(move |query| {
        let token = if query.refused.is_none() {
            "one"
        } else {
            "two"
        };
        hearing.lock().unwrap().push(query.clone());
        Ok(Some(AccessToken::new(token)?))
    });
    let delivery = delivery_to(&service, resolver).build().unwrap();
    let report = export(&delivery.exporter(), vec![span_of(TENANT, "a")]);
    let refused = AccessToken::new("one").unwrap();
    let expected = [query("a"), query("a").with_refused(refused)];
    assert_eq!(*heard.lock().unwrap(), expected);
    assert_eq!((tokens_of(&service).len(), report.exported()), (2, 1));
}

#[test]
fn a_token_that_was_refused_to_two_requests_at_once_is_replaced_for_both() {
    let cache = TokenCache::new(Script::new(["one", "two", "three"]));
    let token = |query| block_on(cache.resolve(&query)).unwrap().unwrap();
    let first = token(query("a"));
    let second = token(query("a").with_refused(first.clone()));
    assert!(second != first);
    assert!(token(query("a").with_refused(first)) == second);
    // So soon after the first, the second one is kept, although it is refused.
    assert!(token(query("a").with_refused(second.clone())) == second);
    assert!(token(query("a")) == second);
}

#[test]
fn a_401_is_final_when_asked_for_as_in_the_reference() {
    let service = service([Answer::status(401), Answer::status(200)]);
    let delivery = delivery_to(&service, Script::new(["one", "two"]))
        .with_final_refusals()
        .build()
        .unwrap();
    let report = export(&delivery.exporter(), vec![span_of(TENANT, "a")]);
    assert_eq!((service.request_count(), report.exported()), (1, 0));
}

/// What an export with this token says after a 403.
fn check_forbidden(text: &str, expected: &str) {
    let service = service([Answer::status(403)]);
    let delivery = delivery_to(&service, token(text)).build().unwrap();
    let report = export(&delivery.exporter(), vec![span_of(TENANT, "a")]);
    let error = &report.identities[0].losses[0].error;
    assert!(matches!(error, ExportError::Status { status: 403, .. }));
    let message = error.to_string();
    let prefix = format!("the service answered 403 for tenant {TENANT}, agent a");
    assert_eq!(message.strip_prefix(&prefix), Some(expected));
    let all = format!("{message} {error:?} {report:?}");
    assert!(!all.contains(text) && !all.contains("s3cret"), "{all}");
}

#[test]
fn a_403_says_which_permission_the_token_does_not_claim() {
    let missing =
        ": the token of application app-1 does not claim Agent365.Observability.OtelWrite";
    check_forbidden(WEAK, missing);
    check_forbidden(
        EXPIRED,
        ": the token does not claim Agent365.Observability.OtelWrite",
    );
    check_forbidden(STRONG, "");
    check_forbidden("opaque", "");
}

/// The pause after a 429 with this `Retry-After`, with dates and without.
fn check_date(value: &str, with: u128, without: u128) {
    for (dates, expected) in [(true, with), (false, without)] {
        let busy = Answer::status(429).header("retry-after", value);
        let service = service([busy, Answer::status(200)]);
        let pauses = Pauses::default();
        let mut builder = delivery_to(&service, token("t"))
            .with_profile(Profile::V2)
            .with_retry_timer(pauses.clone());
        if dates {
            builder = builder.with_retry_after_dates();
        }
        let delivery = builder.build().unwrap();
        export(&delivery.exporter(), vec![version_2_span()]);
        assert_eq!(pauses.millis(), [expected], "{value}");
    }
}

#[test]
fn a_date_is_a_pause_when_dates_are_read() {
    check_date("Tue, 01 Jan 2999 00:00:00 GMT", 60_000, 500);
    check_date("Wed, 21 Oct 2015 07:28:00 GMT", 0, 500);
    check_date("7", 7_000, 7_000);
    check_date("soon", 500, 500);
}

fn version_2_span() -> SpanData {
    SpanData {
        name: "invoke_agent weather".into(),
        attributes: vec![
            KeyValue::new(keys::GEN_AI_OPERATION_NAME, "invoke_agent"),
            KeyValue::new(keys::MICROSOFT_TENANT_ID, TENANT),
            KeyValue::new(keys::GEN_AI_AGENT_ID, "a"),
            KeyValue::new(keys::GEN_AI_INPUT_MESSAGES, "hello"),
        ],
        ..plain_span()
    }
}

/// The attributes of the first span that was sent.
fn attributes(service: &Service) -> Json {
    let body: Json = serde_json::from_slice(&service.requests()[0].body).unwrap();
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"].clone()
}

/// What is sent of a tenant, in the header and in the path alike, and in no header unless it is asked for.
fn check_tenant(tenant: &'static str, expected: &str) {
    for asked in [true, false] {
        let service = service([Answer::status(200)]);
        let mut builder = delivery_to(&service, token("t")).with_profile(Profile::V2);
        if asked {
            builder = builder.with_tenant_header();
        }
        let delivery = builder.build().unwrap();
        let mut span = version_2_span();
        span.attributes
            .push(KeyValue::new(keys::MICROSOFT_TENANT_ID, tenant));
        export(&delivery.exporter(), vec![span]);
        let requests = service.requests();
        let header = requests[0].header("x-ms-tenant-id");
        assert_eq!(header, asked.then_some(expected));
        let path = format!("/observabilityService/tenants/{expected}/otlp/agents/a/traces");
        assert_eq!(requests[0].path(), path);
    }
}

#[test]
fn t03_the_tenant_is_sent_in_a_header_when_asked_for() {
    check_tenant(
        "e3064512-cc6d-4703-be71-a2ecaecaa98a",
        "e3064512-cc6d-4703-be71-a2ecaecaa98a",
    );
    check_tenant(
        "contoso.example:a@b!$&'()*+,;=~_",
        "contoso.example:a@b!$&'()*+,;=~_",
    );
    check_tenant("t\u{fc} x", "t%C3%BC%20x");
    check_tenant("\"<[t]>^`{|}\"", "%22%3C%5Bt%5D%3E%5E%60%7B%7C%7D%22");
}

#[test]
fn an_enricher_sets_and_removes_attributes() {
    let service = service([Answer::status(200)]);
    let delivery = delivery_to(&service, token("t"))
        .with_profile(Profile::V2)
        .with_span_enricher(|_| panic!("on purpose"))
        .with_span_enricher(|span| {
            Enrichment::none()
                .with_attribute(KeyValue::new("name", span.name.to_string()))
                .with_attribute(KeyValue::new(keys::GEN_AI_AGENT_ID, "b"))
                .without_attribute(keys::GEN_AI_INPUT_MESSAGES)
        })
        .build()
        .unwrap();
    let report = export(&delivery.exporter(), vec![version_2_span()]);
    assert_eq!(report.identities[0].identity, identity("b"));
    let found = attributes(&service);
    assert_eq!(found["name"], "invoke_agent weather");
    assert_eq!(found.get(keys::GEN_AI_INPUT_MESSAGES), None);
}

#[test]
fn what_an_enricher_panicked_with_is_dropped() {
    let payload = Arc::new(());
    let thrown = Arc::clone(&payload);
    let service = service([Answer::status(200)]);
    let delivery = delivery_to(&service, token("t"))
        .with_profile(Profile::V2)
        .with_span_enricher(move |_| panic_any(Arc::clone(&thrown)))
        .build()
        .unwrap();
    let report = export(&delivery.exporter(), vec![version_2_span(); 3]);
    assert_eq!(report.exported(), 3);
    // This one and that of the enricher.
    assert_eq!(Arc::strong_count(&payload), 2);
}

/// Whether the input of a span with this name and operation is sent when it is suppressed.
fn check_suppressed(name: &'static str, operation: &'static str, is_sent: bool) {
    let service = service([Answer::status(200)]);
    let delivery = delivery_to(&service, token("t"))
        .with_profile(Profile::V2)
        .without_invoke_agent_input()
        .build()
        .unwrap();
    let mut span = version_2_span();
    span.name = name.into();
    span.attributes
        .push(KeyValue::new(keys::GEN_AI_OPERATION_NAME, operation));
    export(&delivery.exporter(), vec![span]);
    let found = attributes(&service);
    assert_eq!(
        found.get(keys::GEN_AI_INPUT_MESSAGES).is_some(),
        is_sent,
        "{name}"
    );
}

#[test]
fn the_input_of_invoked_agents_is_left_out_and_no_other() {
    check_suppressed("invoke_agent weather", "invoke_agent", false);
    check_suppressed("invoke_agent weather", "chat", true);
    check_suppressed("weather", "invoke_agent", true);
}
