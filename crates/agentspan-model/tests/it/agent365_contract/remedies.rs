//! A remedy fits each way to break its rule.

use agentspan_model::agent365::contract::{ATTRIBUTES, Requirement, Rule};

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
