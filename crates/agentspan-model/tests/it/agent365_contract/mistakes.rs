//! One mistake is found by its rule, at its span, and nothing else is found with it.

use std::collections::BTreeSet;

use agentspan_model::agent365::contract::{
    Answer, AppRole, Finding, Judge, OBSERVABILITY_PERMISSION, OBSERVABILITY_RESOURCE, Route, Rule,
    RuleId, RuleSet, TokenClaims, observed_spans,
};
use serde_json::{Value, json};

use super::run::{
    AGENT, AGENT_USER, BLUEPRINT, CHAT, OUTPUT, PERSON, ROOT, TENANT, TOOL, body, spans, standard,
    web_span,
};

/// What was done wrong, which rule must find it, at which span, and what was found.
pub(super) struct Mistake {
    pub(super) rule: RuleId,
    what: String,
    span: Option<&'static str>,
    found: Vec<Finding>,
}

fn judge() -> Judge<'static> {
    Judge::new(RuleSet::AttributeReference)
}

fn id(of: usize) -> &'static str {
    [ROOT, CHAT, TOOL, OUTPUT][of]
}

/// A mistake in the run, made by changing its spans.
fn in_run(
    rule: RuleId,
    what: &str,
    span: &'static str,
    change: impl FnOnce(&mut Vec<Value>),
) -> Mistake {
    let mut spans = spans();
    change(&mut spans);
    let body = body(spans);
    Mistake {
        rule,
        what: what.to_owned(),
        span: Some(span),
        found: judge().judge_trace(&observed_spans(&body)),
    }
}

/// A mistake in one attribute of one span: the value, or null to leave it out.
fn in_attributes(rule: RuleId, of: usize, attributes: &Value) -> Mistake {
    let what = attributes.to_string();
    in_run(rule, &what, id(of), |spans| {
        set(&mut spans[of], attributes);
    })
}

fn set(span: &mut Value, attributes: &Value) {
    let all = span["attributes"].as_object_mut().unwrap();
    for (key, value) in attributes.as_object().unwrap() {
        match value {
            Value::Null => all.remove(key),
            value => all.insert(key.clone(), value.clone()),
        };
    }
}

fn at_large(rule: RuleId, what: &str, found: Vec<Finding>) -> Mistake {
    Mistake {
        rule,
        what: what.to_owned(),
        span: None,
        found,
    }
}

fn missing_attributes() -> Vec<Mistake> {
    let missing = |rule, of, key: &str| in_attributes(rule, of, &json!({ key: null }));
    let mut mistakes = vec![
        missing(RuleId::R01, 2, "gen_ai.operation.name"),
        missing(RuleId::R03, 2, "microsoft.tenant.id"),
        missing(RuleId::R03, 3, "gen_ai.agent.id"),
        missing(RuleId::R13, 2, "gen_ai.conversation.id"),
        missing(RuleId::R14, 3, "microsoft.channel.name"),
        missing(RuleId::R15, 0, "user.id"),
        missing(RuleId::R18, 1, "client.address"),
        missing(RuleId::R19, 1, "server.port"),
        missing(RuleId::R19, 2, "server.address"),
        missing(RuleId::R20, 0, "gen_ai.input.messages"),
        missing(RuleId::R20, 1, "gen_ai.output.messages"),
        missing(RuleId::R21, 0, "gen_ai.output.messages"),
        missing(RuleId::R31, 2, "microsoft.a365.agent.blueprint.id"),
        missing(RuleId::R62, 1, "gen_ai.request.model"),
        missing(RuleId::R62, 3, "gen_ai.agent.name"),
    ];
    for key in ["name", "type", "call.id", "call.arguments", "call.result"] {
        mistakes.push(missing(RuleId::R22, 2, &format!("gen_ai.tool.{key}")));
    }
    let of = |rule, of, attributes| in_attributes(rule, of, &attributes);
    mistakes.extend([
        of(RuleId::R03, 3, json!({"microsoft.tenant.id": " "})),
        of(RuleId::R15, 0, json!({"user.id": ""})),
        of(RuleId::R62, 3, json!({"gen_ai.agent.name": ""})),
        // An embodied agent has a mail address, too.
        of(
            RuleId::R62,
            0,
            json!({"microsoft.agent.user.id": AGENT_USER}),
        ),
    ]);
    mistakes
}

fn wrong_attributes() -> Vec<Mistake> {
    let of = |rule, of, attributes| in_attributes(rule, of, &attributes);
    let with_mail = |id: &str| json!({"microsoft.agent.user.id": id, "microsoft.agent.user.email": "bot@example.com"});
    vec![
        of(
            RuleId::R01,
            2,
            json!({"gen_ai.operation.name": "inference"}),
        ),
        of(
            RuleId::R01,
            3,
            json!({"gen_ai.operation.name": "apply_guardrail"}),
        ),
        of(RuleId::R02, 3, json!({"gen_ai.operation.name": "Chat"})),
        of(
            RuleId::R04,
            0,
            json!({"microsoft.a365.agent.blueprint.id": AGENT}),
        ),
        of(RuleId::R05, 1, with_mail(AGENT)),
        of(
            RuleId::R13,
            2,
            json!({"gen_ai.conversation.id": "conversation-2"}),
        ),
        of(RuleId::R14, 1, json!({"microsoft.channel.name": "Teams"})),
        of(
            RuleId::R16,
            0,
            json!({"user.id": "29:1bSnHZ7Js2STWrgk6ScEErLk1Lp2zQuD5H2qQ960rtvstKp8tKLl"}),
        ),
        of(RuleId::R16, 1, json!({"user.id": AGENT})),
        of(RuleId::R17, 0, with_mail(PERSON)),
        of(RuleId::R18, 0, json!({"client.address": "192.0.2.7:443"})),
        of(RuleId::R18, 1, json!({"client.address": "localhost"})),
        of(
            RuleId::R24,
            2,
            json!({"gen_ai.tool.call.result": "2026-11-28T10:00:00Z"}),
        ),
        of(
            RuleId::R24,
            2,
            json!({"gen_ai.tool.call.result": "\"2026-11-28\""}),
        ),
        of(
            RuleId::R24,
            2,
            json!({"gen_ai.tool.call.result": {"on": "Monday"}}),
        ),
        of(
            RuleId::R30,
            0,
            json!({"gen_ai.agent.type": "EntraEmbodied"}),
        ),
        of(
            RuleId::R30,
            2,
            json!({"microsoft.a365.agent.platform.id": "foundry"}),
        ),
        of(
            RuleId::R57,
            3,
            json!({"session.id": "s-1", "microsoft.session.id": "s-2"}),
        ),
        of(
            RuleId::R58,
            0,
            json!({
                "microsoft.a365.caller.agent.id": AGENT, "microsoft.a365.caller.agent.name": "Weather Bot",
                "microsoft.a365.caller.agent.blueprint.id": BLUEPRINT,
            }),
        ),
        of(RuleId::R63, 2, json!({"gen_ai.agent.id": "another-agent"})),
    ]
}

fn wrong_shapes() -> Vec<Mistake> {
    let field = |rule, of: usize, name: &str, value: Value| {
        let what = format!("{name} = {value}");
        in_run(rule, &what, id(of), |spans| spans[of][name] = value)
    };
    let mut mistakes = vec![
        field(RuleId::R26, 2, "kind", json!(3)),
        field(RuleId::R26, 2, "status", json!({"code": 2})),
        field(
            RuleId::R28,
            2,
            "endTimeUnixNano",
            json!(1_764_999_999_999_999_999_u64),
        ),
        field(
            RuleId::R28,
            3,
            "startTimeUnixNano",
            json!(1_765_000_000_000_u64),
        ),
        field(RuleId::R28, 3, "endTimeUnixNano", json!(null)),
    ];
    let malformed = [
        "00F067AA0BA90203",
        "APBnqgupAgM=",
        "0000000000000000",
        "00f067aa",
        "",
    ];
    for id in malformed {
        mistakes.push(in_run(RuleId::R25, id, id, |spans| {
            spans[2]["spanId"] = json!(id)
        }));
    }
    // On the standard wire, numbers are texts, and kinds are numbers.
    let on_standard_wire = |rule, what: &str, change: &dyn Fn(&mut Value)| {
        let mut spans: Vec<Value> = spans().iter().map(standard).collect();
        change(&mut spans[1]);
        Mistake {
            rule,
            what: what.to_owned(),
            span: Some(CHAT),
            found: judge().judge_trace(&observed_spans(&body(spans))),
        }
    };
    mistakes.push(on_standard_wire(RuleId::R23, "a port", &|chat| {
        let attributes = chat["attributes"].as_array_mut().unwrap();
        attributes.retain(|attribute| attribute["key"] != "server.port");
        attributes.push(json!({"key": "server.port", "value": {"intValue": "443"}}));
    }));
    mistakes.push(on_standard_wire(RuleId::R23, "tokens", &|chat| {
        let attributes = chat["attributes"].as_array_mut().unwrap();
        attributes.push(json!({"key": "gen_ai.usage.input_tokens", "value": {"doubleValue": 4.0}}));
    }));
    mistakes.push(on_standard_wire(RuleId::R26, "a name", &|chat| {
        chat["kind"] = json!("CLIENT");
    }));
    mistakes
}

fn wrong_traces() -> Vec<Mistake> {
    const WEB: &str = "00f067aa0ba90299";
    let with_web = |child: usize| {
        move |spans: &mut Vec<Value>| {
            let parent = spans[child]["parentSpanId"].as_str().map(str::to_owned);
            spans.push(web_span(WEB, parent.as_deref()));
            spans[child]["parentSpanId"] = json!(WEB);
        }
    };
    vec![
        in_run(RuleId::R08, "no root", CHAT, |spans| {
            spans.remove(0);
        }),
        in_run(RuleId::R09, "a root under a web server", ROOT, with_web(0)),
        in_run(
            RuleId::R09,
            "a root under an unknown parent",
            ROOT,
            |spans| {
                spans[0]["parentSpanId"] = json!(WEB);
            },
        ),
        in_run(
            RuleId::R10,
            "a root in a root",
            "00f067aa0ba90205",
            |spans| {
                let mut inner = spans[0].clone();
                inner["spanId"] = json!("00f067aa0ba90205");
                inner["parentSpanId"] = json!(ROOT);
                spans.push(inner);
            },
        ),
        in_run(RuleId::R11, "no parent", TOOL, |spans| {
            spans[2]["parentSpanId"] = json!(null);
        }),
        in_run(RuleId::R11, "a parent in another trace", TOOL, |spans| {
            // Another run, in which nothing is wrong.
            let mut other = spans[0].clone();
            other["traceId"] = json!("5bf92f3577b34da6a3ce929d0e0e4736");
            other["spanId"] = json!("10f067aa0ba90201");
            spans.push(other);
            spans[2]["parentSpanId"] = json!("10f067aa0ba90201");
        }),
        in_run(RuleId::R12, "a tool under a web client", TOOL, with_web(2)),
        in_run(
            RuleId::R12,
            "a tool under an unknown parent",
            TOOL,
            |spans| {
                spans[2]["parentSpanId"] = json!(WEB);
            },
        ),
        in_run(RuleId::R49, "a span twice", TOOL, |spans| {
            spans.push(spans[2].clone());
        }),
        in_run(RuleId::R63, "another tenant", TOOL, |spans| {
            set(
                &mut spans[2],
                &json!({"microsoft.tenant.id": "another-tenant"}),
            );
        }),
    ]
}

const S2S: &str = "/observabilityService/tenants/TENANT/otlp/agents/AGENT/traces?api-version=1";

fn target(template: &str) -> String {
    template.replace("TENANT", TENANT).replace("AGENT", AGENT)
}

fn wrong_requests() -> Vec<Mistake> {
    let body = body(spans());
    let spans = observed_spans(&body);
    let on_route = |target: &str| {
        judge()
            .with_route(Route::parse(target))
            .judge_request(1, &spans)
    };
    let other = |template: &str| {
        judge()
            .with_route(Route::parse(template))
            .judge_span(&spans[2])
    };
    let mut mistakes = vec![
        at_large(
            RuleId::R27,
            "1,000,001 bytes",
            judge().judge_request(1_000_001, &spans),
        ),
        at_large(
            RuleId::R34,
            "no otlp",
            on_route(&target(S2S).replace("/otlp", "")),
        ),
        at_large(
            RuleId::R35,
            "no version",
            on_route(&target(S2S).replace("?api-version=1", "")),
        ),
        at_large(
            RuleId::R35,
            "an empty version",
            on_route(&target(S2S).replace("=1", "=")),
        ),
    ];
    for (rule, found) in [
        (
            RuleId::R06,
            other(&S2S.replace("TENANT", "another").replace("AGENT", AGENT)),
        ),
        (
            RuleId::R29,
            other(&S2S.replace("TENANT", TENANT).replace("AGENT", "another")),
        ),
        (
            RuleId::R04,
            other(&S2S.replace("TENANT", TENANT).replace("AGENT", BLUEPRINT)),
        ),
    ] {
        let what = "another route".to_owned();
        let span = Some(TOOL);
        mistakes.push(Mistake {
            rule,
            what,
            span,
            found,
        });
    }
    let mut mixed = super::run::spans();
    set(&mut mixed[3], &json!({"gen_ai.agent.id": "another"}));
    let mixed = super::run::body(mixed);
    let found = judge().judge_request(1, &observed_spans(&mixed));
    mistakes.push(at_large(RuleId::R29, "two agents", found));
    mistakes
}

fn wrong_tokens() -> Vec<Mistake> {
    let mut app_only = TokenClaims::default();
    app_only.audience = Some(OBSERVABILITY_RESOURCE);
    app_only.application = Some(AGENT);
    let mut delegated = app_only;
    delegated.scopes = Some(OBSERVABILITY_PERMISSION);
    let on = |target: &str, claims: &TokenClaims<'_>| {
        judge()
            .with_route(Route::parse(target))
            .with_now(1_765_000_000)
            .judge_claims(claims)
    };
    let (s2s, obo) = (target(S2S), target(&S2S.replace("Service", "")));
    assert_eq!([on(&s2s, &app_only), on(&obo, &delegated)], [[], []]);
    let changed = |rule, what: &str, claims: TokenClaims<'_>, change: fn(&mut TokenClaims<'_>)| {
        let mut claims = claims;
        change(&mut claims);
        let target = if claims.is_delegated() { &obo } else { &s2s };
        at_large(rule, what, on(target, &claims))
    };
    let mut mistakes = vec![
        changed(RuleId::R07, "another application", app_only, |it| {
            it.application = Some(BLUEPRINT)
        }),
        at_large(RuleId::R32, "app-only", on(&obo, &app_only)),
        at_large(RuleId::R33, "delegated", on(&s2s, &delegated)),
        changed(RuleId::R36, "Graph", app_only, |it| {
            it.audience = Some("https://graph.microsoft.com")
        }),
        changed(RuleId::R36, "no audience", app_only, |it| {
            it.audience = None
        }),
        changed(RuleId::R37, "managed identity", app_only, |it| {
            it.managed_identity = Some("/x")
        }),
        changed(RuleId::R38, "another scope", delegated, |it| {
            it.scopes = Some("User.Read")
        }),
        changed(RuleId::R40, "expired", app_only, |it| {
            it.expires = Some(1_764_999_999)
        }),
        changed(RuleId::R59, "intermediate", app_only, |it| {
            it.audience = Some("api://AzureADTokenExchange");
        }),
    ];
    let strict = judge()
        .with_app_role(AppRole::Demanded)
        .judge_claims(&app_only);
    mistakes.push(at_large(RuleId::R38, "no role", strict));
    for token in [
        "",
        "<coroutine object get_token at 0x7f>",
        "a.b\n.c",
        "a.b",
        "a..c",
    ] {
        mistakes.push(at_large(RuleId::R39, token, judge().judge_token(token)));
    }
    assert_eq!(judge().judge_token("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"), []);
    for (rule, code) in [
        (RuleId::R40, "AADSTS500133"),
        (RuleId::R41, "AADSTS82008"),
        (RuleId::R42, "AADSTS65001"),
        (RuleId::R60, "AADSTS700211"),
    ] {
        let answer = format!(r#"{{"error":"invalid_grant","error_description":"{code}: no"}}"#);
        mistakes.push(at_large(rule, code, judge().judge_token_answer(&answer)));
    }
    mistakes
}

fn wrong_surroundings() -> Vec<Mistake> {
    let environment = |on: &'static [&str]| {
        judge().judge_environment(|name| on.contains(&name).then(|| "True".to_owned()))
    };
    assert_eq!(environment(&[]), []);
    assert_eq!(
        environment(&["ENABLE_OBSERVABILITY", "ENABLE_A365_OBSERVABILITY_EXPORTER"]),
        []
    );
    let answer =
        |answer: &Value| judge().judge_answer(&Answer::read(answer.to_string().as_bytes()));
    let unlicensed = json!({"results": [{"spanId": TOOL, "sinks":
        {"flashpoint": {"status": "not_routed", "reason": "tenant_not_licensed"}}}]});
    vec![
        at_large(
            RuleId::R44,
            "exporter off",
            environment(&["ENABLE_A365_OBSERVABILITY"]),
        ),
        at_large(RuleId::R45, "no license", answer(&unlicensed)),
        at_large(
            RuleId::R46,
            "null",
            answer(&json!({"partialSuccess": null})),
        ),
        at_large(
            RuleId::R46,
            "zero",
            answer(&json!({"partialSuccess": {"rejectedSpans": "0"}})),
        ),
    ]
}

pub(super) fn all() -> Vec<Mistake> {
    [
        missing_attributes(),
        wrong_attributes(),
        wrong_shapes(),
        wrong_traces(),
        wrong_requests(),
        wrong_tokens(),
        wrong_surroundings(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn nothing_is_found_in_a_run_without_mistakes() {
    let flat = spans();
    let on_standard_wire: Vec<Value> = flat.iter().map(standard).collect();
    for spans in [flat, on_standard_wire] {
        let body = body(spans);
        let observed = observed_spans(&body);
        let target = target(S2S);
        let judge = judge().with_route(Route::parse(&target));
        assert_eq!(observed.len(), 4);
        assert_eq!(judge.judge_trace(&observed), []);
        assert_eq!(judge.judge_request(900_000, &observed), []);
    }
}

#[test]
fn one_mistake_is_found_by_its_rule_and_nothing_else_is_found() {
    for Mistake {
        rule,
        what,
        span,
        found,
    } in all()
    {
        let found: Vec<_> = found
            .iter()
            .map(|finding| {
                (
                    finding.rule,
                    finding.span.as_ref().map(|ids| ids.span_id.as_str()),
                )
            })
            .collect();
        assert_eq!(found, [(rule, span)], "{rule}: {what}");
    }
}

#[test]
fn every_rule_that_a_judge_knows_has_a_mistake() {
    let made: BTreeSet<RuleId> = all().iter().map(|mistake| mistake.rule).collect();
    let judged = Rule::all()
        .filter(|rule| rule.is_judged)
        .map(|rule| rule.id);
    assert_eq!(made, judged.collect());
}

#[test]
fn the_spans_of_others_are_no_mistake() {
    let mut spans = spans();
    spans.push(web_span("00f067aa0ba90299", Some(ROOT)));
    let body = body(spans);
    assert_eq!(judge().judge_trace(&observed_spans(&body)), []);
}

#[test]
fn an_agent_that_another_agent_calls_is_no_second_root() {
    let mut spans = spans();
    let mut called = spans[0].clone();
    called["spanId"] = json!("00f067aa0ba90205");
    called["parentSpanId"] = json!(TOOL);
    set(
        &mut called,
        &json!({
            "gen_ai.agent.id": "e0000000-0000-0000-0000-00000000000e",
            "microsoft.a365.caller.agent.id": AGENT, "microsoft.a365.caller.agent.name": "Weather Bot",
            "microsoft.a365.caller.agent.blueprint.id": BLUEPRINT,
        }),
    );
    spans.push(called);
    let body = body(spans);
    assert_eq!(judge().judge_trace(&observed_spans(&body)), []);
}

#[test]
fn spans_that_are_each_others_parents_are_in_no_run() {
    let mut spans = spans();
    spans[1]["parentSpanId"] = json!(TOOL);
    let body = body(spans);
    let found = judge().judge_trace(&observed_spans(&body));
    let rules: Vec<_> = found.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, [RuleId::R11, RuleId::R11]);
}

/// How a span says that it failed.
type Failure = (&'static str, fn(&mut Value));

/// A call that failed has no result, and a run or a call to a model that failed has no answer.
#[test]
fn the_outputs_of_what_failed_are_not_missing() {
    let failures: [Failure; 3] = [
        ("by its status", |span| {
            span["status"]["code"] = json!("ERROR")
        }),
        ("by its error", |span| {
            span["attributes"]["error.type"] = json!("timeout")
        }),
        ("on the standard wire", |span| {
            *span = standard(span);
            span["status"]["code"] = json!(2);
        }),
    ];
    for (rule, of, key) in [
        (RuleId::R22, 2, "gen_ai.tool.call.result"),
        (RuleId::R20, 1, "gen_ai.output.messages"),
        (RuleId::R21, 0, "gen_ai.output.messages"),
    ] {
        let without = |change: &dyn Fn(&mut Value)| {
            let mut spans = spans();
            set(&mut spans[of], &json!({ key: null }));
            change(&mut spans[of]);
            let body = body(spans);
            judge().judge_trace(&observed_spans(&body))
        };
        for (what, fail) in &failures {
            let found = without(fail);
            assert!(found.is_empty(), "{key} {what}: {found:?}");
        }
        let found = without(&|_| {});
        assert!(matches!(&found[..], [one] if one.rule == rule), "{found:?}");
    }
}

/// Everything that is known before a call is mandatory, however the call ends. So is the answer of a
/// span that has nothing else.
#[test]
fn a_failure_excuses_nothing_else() {
    for (rule, of, key) in [
        (RuleId::R22, 2, "gen_ai.tool.call.arguments"),
        (RuleId::R22, 2, "gen_ai.tool.name"),
        (RuleId::R20, 1, "gen_ai.input.messages"),
        (RuleId::R20, 3, "gen_ai.output.messages"),
    ] {
        let mut spans = spans();
        set(&mut spans[of], &json!({ key: null }));
        spans[of]["status"]["code"] = json!("ERROR");
        let body = body(spans);
        let found = judge().judge_trace(&observed_spans(&body));
        assert!(
            matches!(&found[..], [one] if one.rule == rule),
            "{key}: {found:?}"
        );
    }
}
