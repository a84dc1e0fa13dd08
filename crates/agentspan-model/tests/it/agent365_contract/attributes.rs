//! The table of attributes and the rule sets.

use std::collections::BTreeSet;

use agentspan_model::agent365::contract::{
    ATTRIBUTES, Attribute, CONFLICTS, Judge, ObservedSpan, Operation, Requirement, Rule, RuleId,
    RuleSet,
};
use agentspan_model::keys::Sensitivity;
use agentspan_model::mapping::normal::SourceValue;

#[test]
fn ids_names_and_keys_are_said_once() {
    let ids: BTreeSet<RuleId> = Rule::all().map(|rule| rule.id).collect();
    let names: BTreeSet<&str> = Rule::all().map(|rule| rule.name).collect();
    assert_eq!((ids.len(), names.len(), Rule::all().count()), (63, 63, 63));
    let keys: BTreeSet<&str> = ATTRIBUTES.iter().map(|attribute| attribute.key).collect();
    assert_eq!(keys.len(), ATTRIBUTES.len());
    let conflicts: BTreeSet<&str> = CONFLICTS.iter().map(|conflict| conflict.name).collect();
    assert_eq!((conflicts.len(), CONFLICTS.len()), (20, 20));
    assert_eq!(Rule::named("r02"), Rule::named("capitalized-chat"));
    assert_eq!(Rule::named("R02").map(|rule| rule.id), Some(RuleId::R02));
    assert_eq!(Rule::named("R64"), None);
}

#[test]
fn every_key_of_the_contract_says_what_it_gives_away() {
    for attribute in ATTRIBUTES {
        let sensitivity = Sensitivity::of(attribute.key);
        let is_said = !matches!(sensitivity, Sensitivity::Suspect | Sensitivity::Unknown);
        assert!(is_said, "{}: {sensitivity:?}", attribute.key);
    }
}

fn mandatory(rule_set: RuleSet, key: &str) -> Vec<&'static str> {
    let attribute = Attribute::with_key(key).unwrap();
    let is_mandatory = |operation: &Operation| {
        attribute.requirement(*operation, rule_set) == Requirement::Mandatory
    };
    let operations = Operation::ALL.into_iter().filter(is_mandatory);
    operations.map(Operation::name).collect()
}

/// Each set differs where its source does.
#[test]
fn rule_sets_differ_where_their_sources_do() {
    let all = ["invoke_agent", "execute_tool", "chat", "output_messages"];
    let root = &all[..1];
    let [reference, store, certification, filter] = RuleSet::ALL;
    for (key, expected) in [
        ("user.id", [root, &all, root, &[]]),
        ("user.email", [&[], &all, root, &[]]),
        ("microsoft.agent.user.id", [&[], &all, &all, &[]]),
        ("client.address", [&all[..3], &all, &[], &[]]),
        ("server.port", [&all[..3], root, &[], &[]]),
        ("microsoft.a365.agent.blueprint.id", [&all, &all, &all, &[]]),
        ("gen_ai.agent.description", [&[], &[], &all, &[]]),
        ("gen_ai.agent.id", [&all, &all, &all, &all]),
    ] {
        let sets = [reference, store, certification, filter];
        assert_eq!(sets.map(|set| mandatory(set, key)), expected, "{key}");
    }
    for set in RuleSet::ALL {
        assert_eq!(RuleSet::named(set.name()), Some(set));
    }
}

/// The packages send operations that nobody documents.
#[test]
fn the_filter_of_the_packages_takes_what_they_export() {
    let found = |rule_set, operation| {
        let mut span = ObservedSpan::new("x")
            .with_ids("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
            .with_times(1_765_000_000_000_000_000, 1_765_000_000_000_000_000);
        span.attribute("gen_ai.operation.name", SourceValue::Text(operation));
        span.attribute("microsoft.tenant.id", SourceValue::Text("t"));
        span.attribute("gen_ai.agent.id", SourceValue::Text("a"));
        Judge::new(rule_set).judge_span(&span).len()
    };
    for operation in [
        "apply_guardrail",
        "text_completion",
        "GenerateContent",
        "execute_tool",
    ] {
        assert_eq!(found(RuleSet::PackageFilter, operation), 0, "{operation}");
    }
    assert_eq!(found(RuleSet::PackageFilter, "inference"), 1);
    assert_eq!(found(RuleSet::AttributeReference, "text_completion"), 1);
}
