//! Where our scopes do something else than the reference's.

use agentspan_model::keys;
use serde_json::Value;

use super::free_attributes;
use super::numbers::{write_scores_as_floats, write_wide_integers_as_floats};
use super::{Env, Input, ScopeInput, ScopeKind, is_on, refusal, run, run_on, times};
use crate::export_input::SDK_LIMIT;
use crate::live_scope::{InputMessagesInput, unix_nanos};
use crate::runners::generation::{self, Generation};
use crate::runners::recorded_spans::RecordedSpans;
use crate::rust_form::{arguments_fit, method_fits};
use crate::{Case, Json, Predicate};

pub(super) const V0_1: &[Predicate] = &[
    input_has_no_rust_form::<generation::V01>(),
    span_exceeds_limits::<generation::V01>(),
    switched_off_before_the_end::<generation::V01>(),
    free_attributes_overwrite::<generation::V01>(),
];

pub(super) const V2: &[Predicate] = &[
    input_has_no_rust_form::<generation::V2>(),
    Predicate {
        name: "span_says_its_language",
        applies: |case| runs(case) && says_python(&case.expected),
        instead: |_, expected| say_rust(expected),
    },
    Predicate {
        name: "json_holds_a_wide_integer",
        applies: |case| runs(case) && changes(case, write_wide_integers_as_floats),
        instead: write_wide_integers_as_floats,
    },
    Predicate {
        name: "guardian_is_shown_structured_messages",
        applies: |case| runs(case) && changes(case, show_all_messages),
        instead: show_all_messages,
    },
    Predicate {
        name: "time_is_rounded_by_a_float",
        applies: |case| runs(case) && changes(case, restore_all_times),
        instead: restore_all_times,
    },
    Predicate {
        name: "score_is_an_integer",
        applies: |case| runs(case) && changes(case, write_scores_as_floats),
        instead: write_scores_as_floats,
    },
    span_exceeds_limits::<generation::V2>(),
    switched_off_before_the_end::<generation::V2>(),
    free_attributes_overwrite::<generation::V2>(),
];

const fn input_has_no_rust_form<G: Generation>() -> Predicate {
    Predicate {
        name: "input_has_no_rust_form",
        applies: |case| !fits::<G>(case),
        instead: |_, expected| *expected = refusal("for its form"),
    }
}

const fn switched_off_before_the_end<G: Generation>() -> Predicate {
    Predicate {
        name: "switched_off_before_the_end",
        // No span of the reference ends then. If one does, it is to be compared.
        applies: |case| {
            let spans = case.expected.member("spans").and_then(Json::as_array);
            fits::<G>(case)
                && case.input().is_ok_and(|input| ends_while_off(&input))
                && spans.is_some_and(<[Json]>::is_empty)
        },
        instead: |case, expected| {
            let input = case.input().ok();
            let spans =
                input.and_then(|input| spans_if_on_again_at_the_end::<G>(input, &case.expected));
            if let (Some(slot), Some(spans)) = (expected.member_mut("spans"), spans) {
                *slot = spans;
            }
        },
    }
}

const fn free_attributes_overwrite<G: Generation>() -> Predicate {
    Predicate {
        name: "free_attributes_overwrite",
        applies: |case| fits::<G>(case) && changes(case, free_attributes::protect::<G>),
        instead: free_attributes::protect::<G>,
    }
}

const fn span_exceeds_limits<G: Generation>() -> Predicate {
    Predicate {
        name: "span_exceeds_limits",
        applies: |case| fits::<G>(case) && changes(case, keep_the_first::<G>),
        instead: keep_the_first::<G>,
    }
}

/// Puts the first of what was recorded in the place of the last, in lists that are full.
fn keep_the_first<G: Generation>(case: &Case, expected: &mut Json) {
    let Some(whole) = case.input().ok().and_then(|input| {
        let recorded = RecordedSpans::record(|builder| {
            builder
                .with_max_attributes_per_span(u32::MAX)
                .with_max_events_per_span(u32::MAX)
                .with_max_links_per_span(u32::MAX)
                .with_max_attributes_per_link(u32::MAX)
        });
        run_on(&input, G::PROFILE, &recorded).ok()
    }) else {
        return;
    };
    let whole = Json::from(whole);
    let whole = whole.member("spans").and_then(Json::as_array);
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    for (whole, span) in whole
        .unwrap_or_default()
        .iter()
        .zip(spans.into_iter().flatten())
    {
        for list in ["attributes", "events", "links"] {
            keep_the_first_of(list, whole, span);
        }
        let whole = whole.member("links").and_then(Json::as_array);
        let links = span.member_mut("links").and_then(Json::as_array_mut);
        for (whole, link) in whole
            .unwrap_or_default()
            .iter()
            .zip(links.into_iter().flatten())
        {
            keep_the_first_of("attributes", whole, link);
        }
    }
}

fn keep_the_first_of(list: &str, whole: &Json, expected: &mut Json) {
    let whole = whole.member(list).and_then(Json::as_array);
    let whole = whole.unwrap_or_default();
    let kept = expected.member_mut(list).and_then(Json::as_array_mut);
    if let (Some(kept), Some(first)) = (kept, whole.get(..SDK_LIMIT)) {
        if whole.len() > SDK_LIMIT && kept.last() == whole.last() {
            *kept = first.to_vec();
        }
    }
}

/// Whether everything in the input has a form in Rust.
fn fits<G: Generation>(case: &Case) -> bool {
    let Ok(input) = case.input::<Input>() else {
        return true;
    };
    input.scopes.iter().all(|scope| {
        let mut actions = scope.actions.iter();
        arguments_fit(G::PROFILE, scope.scope, &scope.args)
            && actions.all(|action| {
                let method = action.op.as_deref().unwrap_or_default();
                method_fits(G::PROFILE, scope.scope, method, &action.args)
            })
    })
}

/// Whether version 2 takes the input.
fn runs(case: &Case) -> bool {
    fits::<generation::V2>(case)
}

/// Whether a rule asks for something else than the reference's outcome: nothing may be left of what the
/// input asks for, when scopes are off.
fn changes(case: &Case, instead: fn(&Case, &mut Json)) -> bool {
    let mut expected = case.expected.clone();
    instead(case, &mut expected);
    expected != case.expected
}

fn show_all_messages(case: &Case, expected: &mut Json) {
    for text in shown_messages(case) {
        show_messages(expected, &text);
    }
}

fn restore_all_times(case: &Case, expected: &mut Json) {
    for (rounded, exact) in rounded_times(case) {
        restore_time(expected, rounded, exact);
    }
}

/// Whether a pair of attributes has this key, and its value.
fn value_of<'a>(pair: &'a mut [Json], key: &str) -> Option<&'a mut Json> {
    match pair {
        [name, value] if name.as_str() == Some(key) => Some(value),
        _ => None,
    }
}

/// Calls `change` with the value of each attribute with this key, however deep.
pub(super) fn each_value(json: &mut Json, key: &str, change: &mut dyn FnMut(&mut Json)) {
    match json {
        Json::Array(items) => {
            if let Some(value) = value_of(items, key) {
                change(value);
                return;
            }
            for item in items {
                each_value(item, key, change);
            }
        }
        Json::Object(members) => {
            for (_, value) in members {
                each_value(value, key, change);
            }
        }
        _ => {}
    }
}

pub(in crate::runners) fn says_python(expected: &Json) -> bool {
    let mut found = false;
    each_value(
        &mut expected.clone(),
        keys::TELEMETRY_SDK_LANGUAGE,
        &mut |value| {
            found |= value.member("string").and_then(Json::as_str) == Some("python");
        },
    );
    found
}

/// The names and versions of the packages, and ours. Those of 2.0.0 are a part of its contract.
const OWN: [(&str, &str, &str); 2] = [
    (
        keys::TELEMETRY_SDK_NAME,
        "microsoft-opentelemetry",
        "agentspan",
    ),
    (
        keys::TELEMETRY_SDK_VERSION,
        "1.5.0",
        env!("CARGO_PKG_VERSION"),
    ),
];

pub(in crate::runners) fn say_rust(expected: &mut Json) {
    for (key, theirs, ours) in OWN {
        each_value(expected, key, &mut |value| {
            let text = value.member_mut("string");
            if let Some(text) = text.filter(|text| text.as_str() == Some(theirs)) {
                *text = Value::from(ours).into();
            }
        });
    }
    each_value(expected, keys::TELEMETRY_SDK_LANGUAGE, &mut |value| {
        if let Some(text) = value.member_mut("string") {
            *text = Value::from("rust").into();
        }
    });
}

/// What guardians are shown in structured form, as we write it.
fn shown_messages(case: &Case) -> Vec<String> {
    let Ok(input) = case.input::<Input>() else {
        return Vec::new();
    };
    let guarded = input.scopes.iter();
    let guarded = guarded.filter(|scope| scope.scope == ScopeKind::ApplyGuardrail);
    guarded
        .filter_map(|scope| scope.args.pointer("/request/content"))
        .filter(|content| content.is_object())
        .filter_map(|content| InputMessagesInput::try_from(content.clone()).ok())
        .map(|messages| messages.0.to_json_text())
        .rev()
        .collect()
}

/// Puts our text in the place of the first textual form of a Python class.
fn show_messages(expected: &mut Json, ours: &str) {
    let mut done = false;
    let key = keys::MICROSOFT_SECURITY_CONTENT_INPUT_VALUE;
    each_value(expected, key, &mut |value| {
        let Some(text) = value.member_mut("string").filter(|_| !done) else {
            return;
        };
        if text
            .as_str()
            .is_some_and(|text| text.contains("Messages(messages="))
        {
            *text = Value::from(ours).into();
            done = true;
        }
    });
}

/// The times that Python's way through a float changes: what it makes of them, and what they are.
fn rounded_times(case: &Case) -> Vec<(u64, u64)> {
    let Ok(input) = case.input::<Input>() else {
        return Vec::new();
    };
    let exact = input.scopes.iter().flat_map(times_of);
    exact
        .map(|exact| (as_float_seconds(exact), exact))
        .filter(|(rounded, exact)| rounded != exact)
        .collect()
}

fn times_of(scope: &ScopeInput) -> Vec<u64> {
    let details = ["/span_details/start_time", "/span_details/end_time"];
    let details = details.iter().filter_map(|path| scope.args.pointer(path));
    let set = scope.actions.iter();
    let set = set.filter(|action| action.op.as_deref() == Some("set_end_time"));
    let set = set.filter_map(|action| action.args.first());
    let texts = details.chain(set).filter_map(Value::as_str);
    texts.filter_map(unix_nanos).collect()
}

/// `int(seconds * 1e9)` of the seconds as a float.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "to lose what the reference loses is the point"
)]
fn as_float_seconds(nanos: u64) -> u64 {
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let micros = seconds * 1_000_000 + rest / 1_000;
    let seconds = micros as f64 / 1e6;
    (seconds * 1e9) as u64
}

fn restore_time(expected: &mut Json, rounded: u64, exact: u64) {
    let spans = expected.member_mut("spans").and_then(Json::as_array_mut);
    for span in spans.into_iter().flatten() {
        for name in ["start_time_unix_nano", "end_time_unix_nano"] {
            if let Some(time) = span.member_mut(name) {
                if *time == Value::from(rounded).into() {
                    *time = Value::from(exact).into();
                }
            }
        }
    }
}

/// Whether the last of the environments is off although a scope started in one that was on, with a span that is
/// sampled. All scopes end after the last action.
fn ends_while_off(input: &Input) -> bool {
    let mut on = is_on(&input.env);
    let mut started = false;
    let mut is_sampled = true;
    for scope in &input.scopes {
        if on {
            is_sampled = sampled_by_headers(scope).unwrap_or(is_sampled);
            started |= is_sampled;
        }
        let mut latest_first = scope.actions.iter().rev();
        let set = latest_first.find_map(|action| action.set_env.as_ref());
        on = set.map_or(on, is_on);
    }
    started && !on
}

/// What the headers of a scope's parent say about sampling, if they name one.
fn sampled_by_headers(scope: &ScopeInput) -> Option<bool> {
    let headers = scope.args.pointer("/span_details/parent_headers")?;
    let mut headers = headers.as_object()?.iter();
    let (_, parent) = headers.find(|(name, _)| name.eq_ignore_ascii_case("traceparent"))?;
    let mut parts = parent.as_str()?.trim().split('-').skip(1);
    let (trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?);
    let is_id = |id: &str, digits| id.len() == digits && id.bytes().any(|digit| digit != b'0');
    let flags = u8::from_str_radix(flags, 16).ok()?;
    (is_id(trace, 32) && is_id(span, 16)).then_some(flags & 1 == 1)
}

/// The spans of the same case with scopes switched on again at the very end, where nothing more is
/// recorded: `shared/disabled_then_enabled` of the vectors is that case. As in our own outcome, the times
/// are those for which the reference's has a place.
fn spans_if_on_again_at_the_end<G: Generation>(mut input: Input, reference: &Json) -> Option<Json> {
    for scope in &mut input.scopes {
        scope.raise = None;
    }
    let on = ("ENABLE_OBSERVABILITY".to_owned(), Some("true".to_owned()));
    input.scopes.last_mut()?.actions.push(super::Action {
        set_env: Some(Env::from([on])),
        op: None,
        args: Vec::new(),
        passed_as: None,
    });
    let mut outcome = run(&input, G::PROFILE).ok()?;
    times::show_as_expected(&mut outcome, reference);
    Json::from(outcome).take_member("spans")
}
