//! What the profiles answer differently besides keys, and which test proves it.

use agentspan_model::agent365::{InferenceOperationType, Profile, SwitchRules, TurnRules};
use agentspan_model::attribute::{AttributeValue, AttributeVisitor};

use crate::agent365_profiles::scope_tables::whole_finding;

/// A question to a profile.
pub(super) struct Question {
    pub(super) question: &'static str,
    pub(super) answer: fn(Profile) -> String,
    /// The file of the test that proves it, from the root of the project.
    pub(super) file: &'static str,
    pub(super) test: &'static str,
}

pub(super) const QUESTIONS: &[Question] = &[
    Question {
        question: "Key of the tenant",
        answer: |profile| code(profile.tenant_id_key()),
        file: "crates/agentspan-model/tests/it/agent365_profiles.rs",
        test: "no_generation_writes_a_key_of_the_other",
    },
    Question {
        question: "Key of the session",
        answer: |profile| code(profile.session_id_key()),
        file: "crates/agentspan-model/tests/it/agent365_profiles.rs",
        test: "no_generation_writes_a_key_of_the_other",
    },
    Question {
        question: "Operations of calls to models",
        answer: operations,
        file: "crates/agentspan-model/tests/it/agent365_profiles.rs",
        test: "direct_writes_every_port_and_one_operation_for_all_calls_to_models",
    },
    Question {
        question: "When scopes make spans",
        answer: |profile| {
            match profile.switch_rules() {
            SwitchRules::NoWins => "if the program configures Agent 365, or `ENABLE_OBSERVABILITY` or `ENABLE_A365_OBSERVABILITY` says yes, and neither says no".to_owned(),
            _ => "if the first of `ENABLE_OBSERVABILITY` and `ENABLE_A365_OBSERVABILITY` that is set says yes".to_owned(),
        }
        },
        file: "crates/agentspan-discovery/src/switches.rs",
        test: "a_no_anywhere_wins_and_the_program_decides_where_nothing_is_said",
    },
    Question {
        question: "Of two free attributes with one key",
        answer: |profile| match profile.keeps_first_free_attribute() {
            true => "the first stays".to_owned(),
            false => "the last stays".to_owned(),
        },
        file: "crates/agentspan-otel/tests/it/third_generation.rs",
        test: "the_first_free_attribute_stays_in_the_third_generation_and_with_direct",
    },
    Question {
        question: "Meaning of a host's turn",
        answer: |profile| match profile.turn_rules() {
            TurnRules::Core => "core 0.1.0".to_owned(),
            TurnRules::Hosting => "hosting 2.0.0".to_owned(),
            _ => "hosting of 1.5.0".to_owned(),
        },
        file: "crates/agentspan-otel/tests/it/turn_context.rs",
        test: "the_successor_takes_a_product_in_whatever_form_it_has",
    },
    Question {
        question: "Order of a guardian's finding",
        answer: finding,
        file: "crates/agentspan-model/tests/it/agent365_contract/profiles.rs",
        test: "the_attributes_of_a_finding_have_the_order_of_their_generation",
    },
];

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn operations(profile: Profile) -> String {
    let mut names: Vec<_> = [
        InferenceOperationType::Chat,
        InferenceOperationType::TextCompletion,
        InferenceOperationType::GenerateContent,
    ]
    .map(|operation| code(profile.inference_operation(operation)))
    .into();
    names.dedup();
    names.join(", ")
}

/// The last words of the keys of a finding, in their order.
#[derive(Default)]
struct Order(Vec<&'static str>);

impl AttributeVisitor for Order {
    fn visit(&mut self, key: &'static str, _: AttributeValue<'_>) {
        let (_, last) = key.rsplit_once("security.").unwrap_or(("", key));
        self.0.push(last);
    }
}

fn order(profile: Profile) -> Vec<&'static str> {
    let finding = whole_finding();
    let mut order = Order::default();
    finding.visit_attributes(profile, &mut order);
    order.0
}

fn finding(profile: Profile) -> String {
    match order(profile).as_slice() {
        [] => "no findings".to_owned(),
        words => words.join(", "),
    }
}

#[test]
fn the_attributes_of_a_finding_have_the_order_of_their_generation() {
    let place = |profile, word| order(profile).iter().position(|key| *key == word);
    for (profile, is_score_first) in [
        (Profile::V2, false),
        (Profile::V3, true),
        (Profile::Direct, true),
    ] {
        let score = place(profile, "risk.score").unwrap();
        let policy = place(profile, "policy.decision.type").unwrap();
        assert_eq!(score < policy, is_score_first, "{profile:?}");
    }
    assert_eq!(order(Profile::V0_1), [""; 0]);
}
