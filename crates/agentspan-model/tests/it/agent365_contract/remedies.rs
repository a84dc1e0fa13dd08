//! A remedy fits each way to break its rule.

use agentspan_model::agent365::contract::{ATTRIBUTES, Requirement, Rule, RuleId};

/// A check prints the attribute, then the remedy. "Write" is for somebody who wrote it, wrongly.
#[test]
fn the_remedy_for_a_mandatory_attribute_fits_where_it_is_missing_altogether() {
    for attribute in ATTRIBUTES {
        let of = attribute.requirements;
        let all = [
            of.invoke_agent,
            of.execute_tool,
            of.chat,
            of.output_messages,
        ];
        if !all.contains(&Requirement::Mandatory) {
            continue;
        }
        let remedy = Rule::all()
            .find(|rule| rule.id == attribute.rule)
            .unwrap()
            .remedy;
        let is_fit = ["Set ", "Switch "]
            .iter()
            .any(|verb| remedy.starts_with(verb));
        assert!(is_fit, "{} {:?}: {remedy}", attribute.key, attribute.rule);
        assert!(!remedy.contains("Set one value"), "{remedy}");
        assert!(!remedy.contains("Set them"), "{remedy}");
    }
}

/// A line of the log has the remedy without the cause of the rule.
#[test]
fn a_remedy_names_what_it_is_about() {
    for rule in Rule::all() {
        let mut words = rule.remedy.split([' ', ',', '.']);
        let object = words.nth(1).unwrap();
        let is_named = !["it", "them", "both", "all"].contains(&object);
        assert!(is_named, "{:?}: {}", rule.id, rule.remedy);
    }
    let of = |id| Rule::all().find(|rule| rule.id == id).unwrap().remedy;
    assert!(of(RuleId::R19).contains("`server.address` and `server.port`"));
    assert!(of(RuleId::R22).contains("`gen_ai.tool.call.arguments`"));
    assert_eq!(of(RuleId::R62), "Set the attribute that is named here.");
}
