//! The shipped vectors pass, and would not if we or they were wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use conformance::report::{FileResult, Report};
use conformance::{Deviations, SHIPPED_VECTORS, Suite, runners};

use crate::scratch::{Scratch, file, printed};

fn run(directory: &Path) -> Report {
    let suite = Suite::new(runners::all(), &Deviations::shipped().unwrap()).unwrap();
    suite.run(directory).unwrap()
}

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(SHIPPED_VECTORS).join(name)).unwrap()
}

#[test]
fn every_case_passes_and_every_rule_is_met_or_says_why_not() {
    let report = run(SHIPPED_VECTORS.as_ref());
    assert!(report.is_success(), "{}", printed(&report));
    let met: BTreeSet<_> = report
        .files
        .iter()
        .filter_map(|file| match &file.result {
            FileResult::Ran { deviations, .. } => Some(deviations.keys().cloned()),
            _ => None,
        })
        .flatten()
        .collect();
    for rule in Deviations::shipped().unwrap().rules() {
        assert_eq!(
            met.contains(&rule.id),
            rule.unseen.is_none(),
            "rule {} is met by a shipped case, or else says why it is `unseen`",
            rule.id
        );
    }
}

/// File, rule, and how many of the file's shipped cases deviate by the rule.
const DEVIATING: &[(&str, &str, usize)] = &[
    (
        "agentspec_components.json",
        "secrets-are-masked-wherever-they-are-marked",
        7,
    ),
    ("agentspec_documents.json", "a-reader-is-no-validator", 192),
    ("agentspec_documents.json", "ids-are-not-made-up", 2),
    (
        "agentspec_documents.json",
        "limits-of-python-are-not-ours",
        2,
    ),
    (
        "agentspec_documents.json",
        "listed-components-may-refer-to-each-other",
        1,
    ),
    (
        "agentspec_documents.json",
        "numbers-that-are-not-finite-are-texts",
        4,
    ),
    (
        "agentspec_documents.json",
        "references-that-stand-for-secrets-lead-nowhere",
        12,
    ),
    (
        "agentspec_documents.json",
        "secrets-are-masked-wherever-they-are-marked",
        22,
    ),
    (
        "agentspec_events.json",
        "secrets-are-masked-wherever-they-are-marked",
        2,
    ),
    (
        "agentspec_lifecycle.json",
        "a-trace-that-cannot-start-is-not-active",
        4,
    ),
    (
        "agentspec_lifecycle.json",
        "a-trace-whose-root-span-fails-to-end-has-ended",
        2,
    ),
    (
        "agentspec_sensitive_fields.json",
        "every-field-marked-as-sensitive-is-a-secret",
        1,
    ),
    (
        "agentspec_spans.json",
        "secrets-are-masked-wherever-they-are-marked",
        2,
    ),
    ("baggage_v2.json", "spans-of-rust-say-so", 1),
    (
        "baggage_v3.json",
        "baggage-goes-before-the-identity-of-the-process",
        1,
    ),
    ("baggage_v3.json", "custom-keys-stay-in-the-process", 8),
    ("baggage_v3.json", "halves-of-identities-stay-apart", 1),
    (
        "baggage_v3.json",
        "input-that-no-rust-type-takes-is-refused",
        3,
    ),
    ("baggage_v3.json", "others-name-no-custom-keys", 1),
    ("baggage_v3.json", "spans-of-rust-say-so", 2),
    ("env_v3.json", "blanks-around-the-switch-of-the-exporter", 1),
    ("env_v3.json", "queues-and-files-of-the-package", 17),
    ("env_v3.json", "scopes-of-tokens-have-two-spellings", 1),
    (
        "export_v0_1.json",
        "refused-identity-costs-its-own-spans",
        3,
    ),
    (
        "export_v0_1.json",
        "span-without-scope-has-an-unnamed-one",
        1,
    ),
    ("export_v2.json", "domain-override-keeps-tokens-secret", 1),
    (
        "export_v2.json",
        "slash-after-a-domain-override-does-not-count",
        1,
    ),
    ("export_v2.json", "span-without-scope-has-an-unnamed-one", 1),
    ("export_v3.json", "a-marker-makes-nothing-longer", 1),
    ("export_v3.json", "a-refused-token-is-not-sent-again", 2),
    ("export_v3.json", "all-operations-of-inference-are-sent", 1),
    (
        "export_v3.json",
        "an-answer-that-rejects-spans-is-believed",
        1,
    ),
    ("export_v3.json", "an-identity-without-a-token-pauses", 1),
    ("export_v3.json", "an-informational-answer-is-none", 1),
    ("export_v3.json", "domain-override-keeps-tokens-secret", 3),
    ("export_v3.json", "error-outside-of-http-is-retried", 1),
    ("export_v3.json", "limit-of-bodies-is-positive", 2),
    ("export_v3.json", "no-pause-without-a-queue", 3),
    ("export_v3.json", "non-finite-float-is-text", 1),
    ("export_v3.json", "redirects-are-not-followed", 5),
    ("export_v3.json", "refused-identity-costs-its-own-spans", 2),
    ("export_v3.json", "token-that-fits-no-header-is-an-error", 5),
    (
        "export_v3.json",
        "value-without-a-form-in-rust-is-not-set",
        1,
    ),
    ("framework_spans.jsonl", "a-part-of-an-id-is-no-id", 1),
    ("framework_spans.jsonl", "texts-of-python-are-kept", 3),
    (
        "hosting_v3.json",
        "an-activity-is-read-as-far-as-it-goes",
        1,
    ),
    ("hosting_v3.json", "an-agent-without-an-id-is-not-named", 1),
    ("hosting_v3.json", "identities-of-tokens-are-pairs", 1),
    (
        "hosting_v3.json",
        "input-that-no-rust-type-takes-is-refused",
        1,
    ),
    ("hosting_v3.json", "spans-of-rust-say-so", 10),
    (
        "hosting_v3.json",
        "value-without-a-form-in-rust-is-not-set",
        3,
    ),
    ("retry_v3.json", "a-refused-token-is-not-sent-again", 1),
    ("retry_v3.json", "an-identity-without-a-token-pauses", 1),
    ("retry_v3.json", "domain-override-keeps-tokens-secret", 1),
    ("retry_v3.json", "no-pause-without-a-queue", 1),
    ("retry_v3.json", "spans-wait-for-their-identity", 34),
    ("scopes_v0_1.json", "free-attributes-overwrite-nothing", 1),
    (
        "scopes_v0_1.json",
        "scope-switched-off-before-its-end-still-ends",
        1,
    ),
    ("scopes_v2.json", "guardian-is-shown-messages-as-json", 1),
    (
        "scopes_v2.json",
        "input-that-no-rust-type-takes-is-refused",
        3,
    ),
    ("scopes_v2.json", "spans-of-rust-say-so", 172),
    (
        "scopes_v3.json",
        "input-that-no-rust-type-takes-is-refused",
        23,
    ),
    ("scopes_v3.json", "parameters-are-floats", 1),
    (
        "scopes_v3.json",
        "scope-switched-off-before-its-end-still-ends",
        3,
    ),
    ("scopes_v3.json", "scores-are-floats", 1),
    ("scopes_v3.json", "spans-of-rust-say-so", 187),
    ("scopes_v3.json", "wide-integers-in-json-are-floats", 1),
    ("size_v2.json", "domain-override-keeps-tokens-secret", 3),
    ("size_v2.json", "limit-of-bodies-is-positive", 3),
    ("size_v2.json", "size-is-never-negative", 1),
    (
        "size_v2.json",
        "slash-after-a-domain-override-does-not-count",
        2,
    ),
    ("size_v2.json", "value-without-a-form-in-rust-is-not-set", 1),
    ("size_v3.json", "a-marker-makes-nothing-longer", 1),
    ("size_v3.json", "a-span-has-all-its-members", 1),
    ("size_v3.json", "dates-are-those-of-http", 3),
    ("size_v3.json", "digits-of-a-header-are-ascii", 1),
    ("size_v3.json", "domain-override-keeps-tokens-secret", 9),
    ("size_v3.json", "limit-of-bodies-is-positive", 2),
    ("size_v3.json", "refused-identity-costs-its-own-spans", 1),
    ("size_v3.json", "size-is-never-negative", 2),
    (
        "size_v3.json",
        "slash-after-a-domain-override-does-not-count",
        2,
    ),
    ("size_v3.json", "value-without-a-form-in-rust-is-not-set", 1),
    (
        "token_v3.json",
        "the-scope-of-the-environment-always-counts",
        1,
    ),
    ("token_v3.json", "tokens-of-the-host-are-not-asked-for", 2),
];

/// A rule that met more cases than these would hide a mistake of ours behind a deviation.
#[test]
fn no_other_cases_deviate_than_those_that_are_known_to() {
    let report = run(SHIPPED_VECTORS.as_ref());
    let mut met = Vec::new();
    for file in &report.files {
        if let FileResult::Ran { deviations, .. } = &file.result {
            let of_file = deviations.iter();
            met.extend(of_file.map(|(rule, cases)| (&*file.name, &**rule, *cases)));
        }
    }
    met.sort_unstable();
    assert_eq!(met, DEVIATING);
    assert_eq!(unreviewed(&report), 0, "{}", printed(&report));
}

/// A case that is known deviates as it is known to, wherever its file is.
#[test]
fn a_difference_that_somebody_has_reviewed_is_held_to_what_was_seen() {
    let name = "retry_v3.json";
    let reviewed = r#""token_resolver_calls":[["a0000000-0000-0000-0000-00000000000a""#;
    let other = reviewed.replace("00a", "00b");
    let text = shipped(name).replacen(reviewed, &other, 1);
    let report = run(Scratch::new().with(name, &text).path());
    assert_eq!(report.totals().failed, 1, "{}", printed(&report));
}

/// How many cases deviate in a way that `reviewed.json` does not have.
fn unreviewed(report: &Report) -> usize {
    let files = report.files.iter().map(|file| match &file.result {
        FileResult::Ran { unreviewed, .. } => unreviewed.len(),
        _ => 0,
    });
    files.sum()
}

/// Arguments of a scope of a tool, which the reference is said to have taken and made no span of.
#[track_caller]
fn check_arguments(args: &str, passed: usize, failed: usize) {
    let case = format!(
        r#"{{"name":"n","input":{{"env":{{"ENABLE_OBSERVABILITY":"false"}},"scopes":[
            {{"scope":"execute_tool","args":{args}}}]}},"expected":{{"raised":null,"spans":[]}}}}"#
    );
    let directory = Scratch::new().with("scopes_v0_1.json", &file(&[&case]));
    let report = run(directory.path());
    let totals = report.totals();
    let found = (totals.passed, totals.deviates, totals.failed);
    assert_eq!(found, (passed, passed, failed), "{}", printed(&report));
}

#[test]
fn an_argument_that_only_we_ask_for_is_no_deviation() {
    let of_tool = r#"{"details":{"tool_name":"t"},"agent_details":{"agent_id":5}}"#;
    check_arguments(of_tool, 1, 0);
    check_arguments(r#"{"details":{}}"#, 0, 1);
    check_arguments("{}", 0, 1);
    let unheard_of = r#"{"details":{"tool_name":"t","tool_color":5}}"#;
    check_arguments(unheard_of, 0, 1);
}

/// Changes shipped scopes of the second generation, of which one meets the rule then.
#[track_caller]
fn check_met(changes: &[(&str, &str)], rule: &str) {
    let name = "scopes_v2.json";
    let mut text = shipped(name);
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{from} is in {name} once");
        text = text.replace(from, to);
    }
    let report = run(Scratch::new().with(name, &text).path());
    assert_eq!(report.totals().failed, 0, "{}", printed(&report));
    let line = format!("rule {rule}: 1 cases\n");
    assert!(printed(&report).contains(&line), "{}", printed(&report));
}

#[test]
fn numbers_that_python_keeps_deviate_by_rule() {
    check_met(
        &[
            (r#""risk_score":0.75"#, r#""risk_score":1"#),
            (
                r#"["microsoft.security.risk.score",{"double":0.75}]"#,
                r#"["microsoft.security.risk.score",{"int":1}]"#,
            ),
        ],
        "scores-are-floats",
    );
    check_met(
        &[
            (
                r#""q":"Zürich","n":[1,2.5"#,
                r#""q":"Zürich","n":[100000000000000000000,2.5"#,
            ),
            (
                r#"\"q\": \"Zürich\", \"n\": [1, 2.5"#,
                r#"\"q\": \"Zürich\", \"n\": [100000000000000000000, 2.5"#,
            ),
        ],
        "wide-integers-in-json-are-floats",
    );
}

#[test]
fn what_a_scope_sets_itself_is_no_copy_of_baggage_that_is_left_out() {
    let name = "baggage_v0_1.json";
    let text = shipped(name).replace("value-agent_name", &"x".repeat(9_000));
    let report = run(Scratch::new().with(name, &text).path());
    assert_eq!(report.totals().failed, 0, "{}", printed(&report));
    let rule = "rule baggage-that-does-not-fit-is-left-out: ";
    assert!(printed(&report).contains(rule), "{}", printed(&report));
}

#[test]
fn attributes_of_a_link_are_a_dictionary() {
    let name = "scopes_v2.json";
    let once = r#""attributes":[["k",{"string":"v"}]]}]"#;
    let twice = r#""attributes":[["k",{"int":1}],["l",{"int":2}],["k",{"string":"v"}]]}]}"#;
    // In inputs, the links stand last in the details of a span.
    let text = shipped(name).replace(&format!("{once}}}"), twice);
    let kept = r#""attributes":[["k",{"string":"v"}],["l",{"int":2}]]}]"#;
    let changed = text.replace(once, kept);
    assert!(
        changed.contains(twice) && changed.contains(kept),
        "there are no links"
    );
    let report = run(Scratch::new().with(name, &changed).path());
    assert_eq!(report.totals().failed, 0, "{}", printed(&report));
}

#[test]
fn a_span_that_is_not_sampled_is_lost_by_nobody() {
    for (flags, deviates) in [("00", 0), ("01", 1)] {
        let case = format!(
            r#"{{"name":"n","input":{{"env":{{"ENABLE_OBSERVABILITY":"true"}},"scopes":[{{
                "scope":"invoke_agent","args":{{"agent_details":{{"agent_id":"a"}},"span_details":{{"parent_headers":
                {{"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"}}}}}},
                "actions":[{{"set_env":{{}}}}]}}]}},"expected":{{"raised":null,"spans":[]}}}}"#
        );
        let directory = Scratch::new().with("scopes_v2.json", &file(&[&case]));
        let report = run(directory.path());
        let totals = report.totals();
        assert_eq!(
            (totals.failed, totals.deviates),
            (0, deviates),
            "{}",
            printed(&report)
        );
    }
}

#[test]
fn a_span_that_ended_although_scopes_were_off_is_compared() {
    let check = |spans: &str| {
        let case = format!(
            r#"{{"name":"n","input":{{"env":{{"ENABLE_OBSERVABILITY":"true"}},"scopes":[{{
                "scope":"execute_tool","args":{{"details":{{"tool_name":"t"}}}},
                "actions":[{{"set_env":{{}}}}]}}]}},"expected":{{"raised":null,"spans":{spans}}}}}"#
        );
        let directory = Scratch::new().with("scopes_v0_1.json", &file(&[&case]));
        let totals = run(directory.path()).totals();
        (totals.passed, totals.deviates, totals.failed)
    };
    assert_eq!(check("[]"), (1, 1, 0));
    assert_eq!(check(r#"[{"name":"another"}]"#), (0, 0, 1));
}

/// A refusal of ours that nothing about the input explains is a mistake of ours.
#[test]
fn a_refusal_is_explained_by_the_form_of_the_input_and_not_by_itself() {
    let check = |links: &str| {
        let case = format!(
            r#"{{"name":"n","input":{{"env":{{"ENABLE_OBSERVABILITY":"false"}},"scopes":[{{
                "scope":"invoke_agent","args":{{"agent_details":{{"agent_id":"a"}},
                "span_details":{{"span_links":{links}}}}}}}]}},"expected":{{"raised":null,"spans":[]}}}}"#
        );
        let directory = Scratch::new().with("scopes_v2.json", &file(&[&case]));
        let totals = run(directory.path()).totals();
        (totals.passed, totals.deviates, totals.failed)
    };
    assert_eq!(check("[]"), (1, 0, 0));
    assert_eq!(check("5"), (1, 1, 0));
    // Only our own reader refuses these digits.
    assert_eq!(check(r#"[{"trace_id":"xyz","span_id":"b"}]"#), (0, 0, 1));
}

/// Replaces one text in a file of vectors, and counts the cases that fail then.
#[track_caller]
fn check_mutated(name: &str, from: &str, to: &str, failed: usize) {
    let text = shipped(name);
    let mutated = text.replacen(from, to, failed);
    assert!(text != mutated, "{from} is not in {name}");
    let directory = Scratch::new().with(name, &mutated);
    let report = run(directory.path());
    assert_eq!(report.totals().failed, failed, "{}", printed(&report));
    assert!(!report.is_success());
}

#[test]
fn a_description_counts_with_an_error_only() {
    let name = "export_v2.json";
    let without = r#""status":{"code":"UNSET","description":null}"#;
    let with = r#""status":{"code":"UNSET","description":"d"}"#;
    let text = shipped(name);
    let changed = text.replace(without, with);
    assert!(text != changed, "{without} is not in {name}");
    let report = run(Scratch::new().with(name, &changed).path());
    assert_eq!(report.totals().failed, 0, "{}", printed(&report));
}

#[test]
fn a_wrong_expected_value_fails_its_case_and_no_other() {
    check_mutated(
        "discovery.json",
        r#""ok":"api.powerplatform.localhost""#,
        r#""ok":"api.powerplatform.localhosT""#,
        3,
    );
    check_mutated("discovery.json", r#""ValueError""#, r#""KeyError""#, 1);
    check_mutated("jwt.json", r#""result":true"#, r#""result":"true""#, 2);
    check_mutated("jwt.json", "; LangChain)", ")", 1);
}

#[test]
fn a_request_that_was_not_expected_fails_its_case_and_no_other() {
    let name = "export_v0_1.json";
    check_mutated(
        name,
        r#""wire_target":"/maven/"#,
        r#""wire_target":"/other/"#,
        2,
    );
    check_mutated(
        name,
        r#""wire_url":"https://il-"#,
        r#""wire_url":"https://"#,
        2,
    );
    check_mutated(
        name,
        r#""authorization":"Bearer "#,
        r#""authorization":""#,
        2,
    );
    check_mutated(
        name,
        r#"\"parentSpanId\":null"#,
        r#"\"parentSpanId\":\"\""#,
        1,
    );
    check_mutated(
        name,
        r#""body_utf8_len":300550"#,
        r#""body_utf8_len":300551"#,
        1,
    );
    check_mutated(
        name,
        r#""sleeps_seconds":[]"#,
        r#""sleeps_seconds":[0.2]"#,
        2,
    );
    let name = "retry_v0_1.json";
    check_mutated(
        name,
        r#""sleeps_seconds":[0.2]"#,
        r#""sleeps_seconds":[0.3]"#,
        2,
    );
    check_mutated(name, r#""attempts":4"#, r#""attempts":5"#, 2);
}

#[test]
fn a_request_of_version_2_that_was_not_expected_fails_its_case_and_no_other() {
    let name = "export_v2.json";
    check_mutated(
        name,
        r#""wire_target":"/observabilityService/"#,
        r#""wire_target":"/maven/"#,
        2,
    );
    check_mutated(name, r#"\"TRUNCATED\""#, r#"\"CUT\""#, 1);
    let name = "retry_v2.json";
    check_mutated(
        name,
        r#""sleeps_seconds":[60.0]"#,
        r#""sleeps_seconds":[61.0]"#,
        2,
    );
    check_mutated(name, r#""attempts":4"#, r#""attempts":3"#, 2);
}

#[test]
fn a_wrong_size_fails_its_case_and_no_other() {
    let name = "size_v2.json";
    check_mutated(name, r#""result":2528"#, r#""result":2529"#, 1);
    check_mutated(
        name,
        r#""truncated_keys":["two"]"#,
        r#""truncated_keys":["one"]"#,
        1,
    );
    check_mutated(
        name,
        r#""result":[[0,1,2],[3]]"#,
        r#""result":[[0,1,2,3]]"#,
        1,
    );
    check_mutated(name, r#"host.example:8443/obs"#, r#"host.example/obs"#, 2);
}

#[test]
fn what_a_free_attribute_overwrites_excuses_no_other_difference() {
    let name = "scopes_v0_1.json";
    let overwritten = r#"["tenant.id",{"string":"override"}],["gen_ai.system""#;
    let kept = r#"["tenant.ID",{"string":"override"}],["gen_ai.system""#;
    // In the input, the reference is said to have changed a key that it kept: nobody has reviewed that.
    let changed = Scratch::new().with(name, &shipped(name).replacen(overwritten, kept, 1));
    assert_eq!(unreviewed(&run(changed.path())), 1);
    // Beside it, it is said to have written something else.
    let agent = r#"["gen_ai.agent.id",{"string":"agent-123"}],["tenant.id",{"string":"override"}]"#;
    check_mutated(name, agent, &agent.replace("agent-123", "agent-124"), 1);
}

#[test]
fn an_input_field_that_nobody_reads_fails_its_case() {
    check_mutated(
        "discovery.json",
        r#""cluster_category""#,
        r#""region": "eu", "cluster_category""#,
        1,
    );
    check_mutated(
        "jwt.json",
        r#""is_agentic""#,
        r#""is_human": true, "is_agentic""#,
        1,
    );
    check_mutated("jwt.json", r#""token""#, r#""audience": null, "token""#, 1);
}

#[test]
fn a_function_that_a_version_does_not_have_fails_its_case() {
    for function in [
        "get_agent_id_from_token",
        "get_user_agent_header",
        "get_application_name",
    ] {
        check_mutated(
            "jwt.json",
            &format!(r#""runtime_version":"2.0.0","function":"{function}""#),
            &format!(r#""runtime_version":"0.1.0","function":"{function}""#),
            1,
        );
    }
}

#[test]
fn tenants_that_the_reference_lets_pass_deviate_by_rule() {
    let long = "a".repeat(300);
    let host = format!("{}.a.tenant.api.gov.powerplatform.microsoft.us", &long[1..]);
    let case = |tenant: &str, host: &str| {
        format!(
            r#"{{"name":"n","input":{{"cluster_category":"gov","tenant_id":"{tenant}"}},"expected":{{
                "token_audience":{{"ok":"https://api.gov.powerplatform.microsoft.us"}},
                "token_endpoint_host":{{"ok":"api.gov.powerplatform.microsoft.us"}},
                "tenant_endpoint":{{"ok":"{host}"}},
                "tenant_island_cluster_endpoint":{{"ok":"il-{host}"}}}}}}"#
        )
    };
    let newline = r"abc.\n.tenant.api.gov.powerplatform.microsoft.us";
    let cases = file(&[&case(&long, &host), &case(r"abc\n", newline)]);
    let directory = Scratch::new().with("discovery.json", &cases);
    let totals = run(directory.path()).totals();
    assert_eq!((totals.passed, totals.deviates, totals.failed), (2, 2, 0));
}

#[test]
fn an_accessor_that_throws_leaves_the_token_to_answer() {
    let case = |activity: &str, result: &str| {
        format!(
            r#"{{"name":"n","input":{{"runtime_version":"0.1.0","function":"resolve_agent_identity",
                "token":"e30.eyJhcHBpZCI6ImEifQ.","context":{{"activity":{activity}}}}},
                "expected":{{"result":"{result}"}}}}"#
        )
    };
    let cases = file(&[
        &case(r#"{"is_agentic":"raises","instance_id":"i"}"#, "a"),
        &case(r#"{"is_agentic":true,"instance_id":"raises"}"#, "a"),
        &case(r#"{"is_agentic":false,"instance_id":"raises"}"#, "a"),
        &case(r#"{"is_agentic":true,"instance_id":null}"#, ""),
    ]);
    let directory = Scratch::new().with("jwt.json", &cases);
    let report = run(directory.path());
    assert_eq!(report.totals().passed, 4, "{}", printed(&report));
}
