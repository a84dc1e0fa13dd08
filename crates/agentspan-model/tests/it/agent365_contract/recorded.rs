//! What the reference packages wrote causes no false alarm.
//!
//! A finding of level error is either explained by an exception below, which has a reason, or is a fault of the
//! judge.

use std::collections::BTreeSet;
use std::path::Path;

use agentspan_model::agent365::contract::{
    Finding, Judge, Level, ObservedSpan, Route, RuleId, RuleSet, observed_spans,
};
use agentspan_model::mapping::normal::SourceValue;
use agentspan_model::received::ReceivedJson;
use serde_json::Value;

/// Why a finding in a recording is right.
struct Exception {
    reason: &'static str,
    /// The first generation in whose recordings it is found.
    since: &'static str,
    applies: fn(&Finding, &ObservedSpan<'_>) -> bool,
}

const EXCEPTIONS: [Exception; 5] = [
    Exception {
        reason: "the recorded program did not say it, and no package fills it in",
        since: "v2",
        applies: |finding, span| {
            let presence = [RuleId::R13, RuleId::R15, RuleId::R22, RuleId::R62];
            let attribute = finding.attribute.as_deref();
            let is_absent = attribute.is_some_and(|key| value(span, key).is_none_or(is_blank));
            presence.contains(&finding.rule) && is_absent
        },
    },
    Exception {
        reason: "packages export operations that are not documented",
        since: "v2",
        applies: |finding, span| {
            let exported = [
                "text_completion",
                "generate_content",
                "TextCompletion",
                "GenerateContent",
            ];
            finding.rule == RuleId::R01
                && operation(span).is_some_and(|name| exported.contains(&name))
        },
    },
    Exception {
        reason: "the recording has one scope, and no run around it",
        since: "v2",
        applies: |finding, _| finding.rule == RuleId::R08,
    },
    Exception {
        reason: "the recording has a blank identity, on purpose",
        since: "v3",
        applies: |finding, span| {
            let key = finding.attribute.as_deref().unwrap_or_default();
            finding.rule == RuleId::R03 && value(span, key).is_none_or(is_blank)
        },
    },
    Exception {
        reason: "the recording has one odd text in the place of all ids, on purpose",
        since: "v3",
        applies: |finding, span| {
            let id = value(span, "gen_ai.agent.id");
            let is_odd = matches!(id, Some(SourceValue::Text(id)) if id.contains('\0'));
            [RuleId::R04, RuleId::R05].contains(&finding.rule) && is_odd
        },
    },
];

fn value<'s, 'a>(span: &'s ObservedSpan<'a>, key: &str) -> Option<&'s SourceValue<'a>> {
    // Of several with one key, the last counts.
    let values = span.attributes().filter(|(found, _)| *found == key);
    values.last().map(|(_, value)| value)
}

fn is_blank(value: &SourceValue<'_>) -> bool {
    matches!(value, SourceValue::Text(text) if text.trim().is_empty())
}

fn operation<'a>(span: &ObservedSpan<'a>) -> Option<&'a str> {
    match value(span, "gen_ai.operation.name")? {
        SourceValue::Text(text) => Some(text),
        _ => None,
    }
}

const VECTORS: &str = "../../conformance/vectors";

/// The recorded generations that know the documented keys.
fn generations() -> Vec<&'static str> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join(VECTORS);
    let is_recorded =
        |generation: &&str| vectors.join(format!("scopes_{generation}.json")).exists();
    ["v2", "v3"].into_iter().filter(is_recorded).collect()
}

/// The cases of all of them.
fn cases(kind: &str) -> Vec<Value> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join(VECTORS);
    let mut all = Vec::new();
    for generation in generations() {
        let path = vectors.join(format!("{kind}_{generation}.json"));
        let mut file: Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        if let Value::Array(cases) = file["cases"].take() {
            all.extend(cases);
        }
    }
    all
}

/// Python writes `NaN`, too.
fn body(text: &str) -> Value {
    ReceivedJson::read(text.as_bytes()).value
}

fn list<'a>(case: &'a Value, name: &str) -> &'a [Value] {
    case["expected"][name].as_array().map_or(&[], Vec::as_slice)
}

/// A recorded span of a scope. The packages get the tenant from baggage, which the recordings leave out.
fn scope_span(json: &Value) -> ObservedSpan<'_> {
    let text = |name: &str| json[name].as_str().unwrap_or_default();
    let mut span = ObservedSpan::new(text("name"))
        .with_ids(text("trace_id"), text("span_id"))
        .with_parent(text("parent_span_id"))
        .with_times(1_765_000_000_000_000_000, 1_765_000_001_000_000_000);
    span.attribute(
        "microsoft.tenant.id",
        SourceValue::Text("e3064512-cc6d-4703-be71-a2ecaecaa98a"),
    );
    for attribute in json["attributes"].as_array().into_iter().flatten() {
        let typed = attribute[1].as_object().unwrap().iter().next().unwrap();
        let value = match (typed.0.as_str(), typed.1) {
            ("string", value) => SourceValue::Text(value.as_str().unwrap()),
            ("int", value) => SourceValue::I64(value.as_i64().unwrap()),
            ("double", value) => SourceValue::F64(value.as_f64().unwrap()),
            ("bool", value) => SourceValue::Bool(value.as_bool().unwrap()),
            _ => SourceValue::Other,
        };
        span.attribute(attribute[0].as_str().unwrap(), value);
    }
    span
}

/// Each error must have an exception.
fn check(
    case: &str,
    judge: &Judge<'_>,
    spans: &[ObservedSpan<'_>],
    used: &mut BTreeSet<&'static str>,
) {
    for finding in judge.judge_trace(spans) {
        if finding.level != Level::Error {
            continue;
        }
        let of_span = finding.span.as_ref().unwrap();
        let span = spans.iter().find(|span| {
            (span.trace_id(), span.span_id()) == (&of_span.trace_id, &of_span.span_id)
        });
        let mut exceptions = EXCEPTIONS.iter();
        let exception = exceptions.find(|exception| (exception.applies)(&finding, span.unwrap()));
        assert!(exception.is_some(), "{case}: {finding:?}");
        used.extend(exception.map(|exception| exception.reason));
    }
}

#[test]
fn recordings_of_the_packages_cause_no_false_alarm() {
    let judge = Judge::new(RuleSet::AttributeReference);
    let mut used = BTreeSet::new();
    let mut seen = 0;
    for case in cases("scopes") {
        let spans = list(&case, "spans");
        let spans: Vec<_> = spans.iter().map(scope_span).collect();
        seen += spans.len();
        check(case["name"].as_str().unwrap(), &judge, &spans, &mut used);
    }
    for case in cases("export") {
        for request in list(&case, "requests") {
            let body = body(request["body"].as_str().unwrap_or_default());
            let route = Route::parse(request["wire_target"].as_str().unwrap_or_default());
            let spans = observed_spans(&body);
            seen += spans.len();
            check(
                case["name"].as_str().unwrap(),
                &judge.with_route(route),
                &spans,
                &mut used,
            );
        }
    }
    assert!(seen > 200, "{seen}");
    // An exception without a use would hide a false alarm.
    let recorded = generations();
    let usable = EXCEPTIONS.iter().filter(|it| recorded.contains(&it.since));
    let unused: Vec<_> = usable
        .map(|it| it.reason)
        .filter(|it| !used.contains(it))
        .collect();
    assert_eq!(unused, [""; 0]);
}

/// What the exporter sends is what the service takes, by the exporter's own rule.
#[test]
fn bodies_of_the_packages_pass_their_own_filter() {
    let judge = Judge::new(RuleSet::PackageFilter);
    for case in cases("export") {
        for request in list(&case, "requests") {
            let Some(text) = request["body"].as_str() else {
                continue;
            };
            let body = body(text);
            let target = request["wire_target"].as_str().unwrap_or_default();
            let judge = judge.with_route(Route::parse(target));
            let spans = observed_spans(&body);
            let of_spans = spans.iter().flat_map(|span| judge.judge_span(span));
            let errors: Vec<_> = of_spans
                .filter(|finding| finding.level == Level::Error)
                .collect();
            assert_eq!(errors, [], "{}", case["name"]);
            assert_eq!(
                judge.judge_request(text.len(), &spans),
                [],
                "{}",
                case["name"]
            );
        }
    }
}
