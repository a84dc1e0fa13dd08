//! What we do about each rule, and which test proves it.

use std::path::Path;

use agentspan_model::agent365::contract::Rule;
use agentspan_model::agent365::{InferenceOperationType, Profile};

use super::profiles::QUESTIONS;

/// What the library does at run time about one rule; empty if only a judge finds it.
pub(super) struct Proof {
    pub(super) rule: &'static str,
    pub(super) ours: &'static str,
    /// The file of the test that proves it, from the root of the project; empty if nothing can be proved here.
    pub(super) file: &'static str,
    pub(super) test: &'static str,
}

type Row = (&'static str, &'static str, &'static str, &'static str);

pub(super) fn all() -> impl Iterator<Item = Proof> {
    PROOFS.iter().map(|&(rule, ours, file, test)| Proof {
        rule,
        ours,
        file,
        test,
    })
}

#[rustfmt::skip]
const PROOFS: &[Row] = &[
    ("R01", "The profile V2 sends the operations that its package exports, and counts other spans as filtered.", "crates/agentspan-agent365/tests/it/version_2.rs", "spans_of_other_operations_are_counted_and_are_no_failure"),
    ("R02", "The scopes of the profile V2 write `chat`; those of V0_1 write `Chat`, as their package does.", "crates/agentspan-model/tests/it/agent365_contract/proofs.rs", "r02_scopes_write_chat_as_their_generation_does"),
    ("R03", "A span without an identity is counted and not sent; it takes the identity of the scope around it.", "crates/agentspan-agent365/tests/it/identities.rs", "spans_without_an_identity_are_counted_and_the_export_succeeds"),
    ("R04", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R05", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R06", "The tenant in the path is the one of the spans.", "crates/agentspan-agent365/tests/it/identities.rs", "each_identity_has_its_own_request_in_order_of_appearance"),
    ("R07", "A token is sent for the identity only that it was resolved for.", "crates/agentspan-agent365/tests/it/tokens.rs", "t12_a_token_is_sent_for_the_identity_that_it_was_resolved_for_only"),
    ("R08", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R09", "With the profile V2, a span whose parent is not sent becomes a root, with a link.", "crates/agentspan-agent365/tests/it/roots.rs", "a_root_whose_parent_is_not_sent_is_a_root"),
    ("R10", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R11", "Scopes nest across threads and tasks.", "crates/agentspan-otel/tests/it/nesting.rs", "concurrent_tasks_keep_their_scopes_apart_while_they_move_between_threads"),
    ("R12", "With the profile V2, a span goes under its nearest ancestor that is sent.", "crates/agentspan-agent365/tests/it/roots.rs", "a_span_goes_under_its_nearest_ancestor_that_is_sent"),
    ("R13", "The baggage of a request marks all of its spans.", "crates/agentspan-otel/tests/it/baggage.rs", "a_future_takes_its_baggage_along_and_keeps_it_apart_from_others"),
    ("R14", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R15", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R16", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R17", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R18", "`ClientAddress` refuses what is no IP address.", "crates/agentspan-model/src/agent365/client_address.rs", "what_is_no_address_is_refused"),
    ("R19", "The profiles V2 and V3 write a port as their packages do: 443 on `chat` only. No warning asks for a port that the profile leaves out. `Direct` writes every port.", "crates/agentspan-agent365/tests/it/version_2.rs", "a_port_that_the_profile_leaves_out_is_not_called_missing"),
    ("R20", "Scopes record the messages that they are given.", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R21", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R22", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R23", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R24", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R25", "Ids are written in lower-case hexadecimal digits.", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R26", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R27", "Bodies stay below 900,000 bytes; after a 413, the spans are divided.", "crates/agentspan-agent365/tests/it/too_large.rs", "a14_a_request_that_is_too_large_is_divided_until_it_fits"),
    ("R28", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R29", "Each identity has requests of its own.", "crates/agentspan-agent365/tests/it/identities.rs", "each_identity_has_its_own_request_in_order_of_appearance"),
    ("R30", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R31", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R32", "Such a 401 is final: no other token is asked for, and `ExportError::meaning` says why.", "crates/agentspan-agent365/tests/it/opt_in.rs", "r32_a_401_of_the_route_asks_for_no_other_token"),
    ("R33", "`with_route_by_token` sends each token to the route of its kind.", "crates/agentspan-agent365/tests/it/token_routes.rs", "r33_a_token_goes_to_the_route_of_its_kind"),
    ("R34", "Such a 401 is final: no other token is asked for, and `ExportError::meaning` says why.", "crates/agentspan-agent365/tests/it/opt_in.rs", "r32_a_401_of_the_route_asks_for_no_other_token"),
    ("R35", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R36", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R37", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R38", "A 403 names the permission that the token does not claim, and its application.", "crates/agentspan-agent365/tests/it/opt_in.rs", "a_403_says_which_permission_the_token_does_not_claim"),
    ("R39", "A token that no header can carry is refused and not shown.", "crates/agentspan-agent365/src/access_token.rs", "t03_what_no_header_can_carry_is_refused_without_showing_it"),
    ("R40", "A 401 is met with one fresh token.", "crates/agentspan-agent365/tests/it/opt_in.rs", "a14_a_401_is_met_with_one_fresh_token_with_and_without_a_cache"),
    ("R41", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R42", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R43", "A token of a request is sent with the spans of that request.", "crates/agentspan-agent365/tests/it/per_request.rs", "two_requests_at_once_are_each_sent_with_their_own_token"),
    ("R44", "The exporter needs its switch and a token resolver, and the program is warned without.", "crates/agentspan/tests/it/switches.rs", "the_exporter_needs_its_switch_and_a_token_resolver"),
    ("R45", "The spans are dropped as `not_routed`, and the report has the reason.", "crates/agentspan-agent365/tests/it/receipts.rs", "results_say_what_became_of_each_span"),
    ("R46", "Spans without a result count as `unconfirmed`.", "crates/agentspan-agent365/tests/it/receipts.rs", "a_span_without_a_result_is_unconfirmed"),
    ("R47", "Each identity pauses for as long as `Retry-After` asks.", "crates/agentspan-agent365/src/delivery/lanes/tests.rs", "a_pause_that_the_service_asks_for_ends_no_sooner"),
    ("R48", "Dropping the guard flushes with a deadline; a shutdown tells of every loss.", "crates/agentspan-agent365/tests/it/flushes.rs", "a14_a_shutdown_tells_of_each_loss_that_no_flush_told"),
    ("R49", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R50", "The resolver of the delivery is asked for every identity, whatever the request was.", "crates/agentspan-agent365/tests/it/per_request.rs", "a_request_without_a_token_is_sent_with_that_of_the_resolver"),
    ("R51", "Scopes of spans that do not record do nothing.", "crates/agentspan-otel/tests/it/scopes.rs", "a_span_that_a_sampler_dropped_records_nothing_and_its_children_follow"),
    ("R52", "A future takes the context along.", "crates/agentspan-otel/tests/it/inherited_identity.rs", "a_task_that_takes_the_context_along_belongs_to_the_scope"),
    ("R53", "The queue is in memory; what is lost at a shutdown is counted.", "crates/agentspan-agent365/tests/it/flushes.rs", "a14_what_is_queued_at_the_deadline_of_a_shutdown_is_lost_though_the_thread_is_busy"),
    ("R54", "Spans that were not sampled are not sent.", "crates/agentspan-agent365/tests/it/callers.rs", "spans_that_were_not_sampled_are_not_taken"),
    ("R55", "Nothing: only the tenant can see it.", "", ""),
    ("R56", "Nothing: only the tenant can see it.", "", ""),
    ("R57", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R58", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R59", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R60", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R61", "Delivery has its own thread, and a token that does not come costs its identity only.", "crates/agentspan-agent365/tests/it/tokens.rs", "a_resolver_that_hangs_costs_its_identity"),
    ("R62", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
    ("R63", "", "crates/agentspan-model/tests/it/agent365_contract/mistakes.rs", "one_mistake_is_found_by_its_rule_and_nothing_else_is_found"),
];

#[test]
fn each_rule_has_a_proof_that_exists() {
    let rules: Vec<&str> = Rule::all().map(|rule| rule.id.as_str()).collect();
    let proved: Vec<&str> = all().map(|proof| proof.rule).collect();
    assert_eq!(proved, rules);
    for proof in all() {
        let rule = Rule::named(proof.rule).unwrap();
        if proof.file.is_empty() {
            assert!(!rule.is_judged && !proof.ours.is_empty(), "{}", proof.rule);
            continue;
        }
        assert!(rule.is_judged || !proof.ours.is_empty(), "{}", proof.rule);
        assert!(is_test(proof.file, proof.test), "{}", proof.rule);
    }
    for asked in QUESTIONS {
        assert!(is_test(asked.file, asked.test), "{}", asked.question);
    }
    assert!(!is_test(HERE, "r02_scopes_write_chat"));
    assert!(!is_test(HERE, "is_test"));
}

const HERE: &str = "crates/agentspan-model/tests/it/agent365_contract/proofs.rs";

/// Whether a file has a test of this name that runs.
fn is_test(file: &str, name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let source = std::fs::read_to_string(root.join(file)).unwrap();
    let definition = format!("fn {name}(");
    let Some((before, _)) = source.split_once(&definition) else {
        return false;
    };
    // The attributes stand between the end of the item before and the function.
    let attributes: Vec<_> = before
        .lines()
        .rev()
        .take_while(|line| *line != "}")
        .collect();
    let has = |word: &str| attributes.iter().any(|line| line.trim().starts_with(word));
    (has("#[test]") || has("#[tokio::test")) && !has("#[ignore")
}

#[test]
fn r02_scopes_write_chat_as_their_generation_does() {
    let chat = InferenceOperationType::Chat;
    assert_eq!(Profile::V0_1.inference_operation(chat), "Chat");
    assert_eq!(Profile::V2.inference_operation(chat), "chat");
}
