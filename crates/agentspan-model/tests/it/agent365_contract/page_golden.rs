//! `docs/agent365-contract.md` prints the data. `cargo xtask golden` rewrites it.

use std::fmt::Write as _;
use std::path::Path;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{
    ATTRIBUTES, CONFLICTS, Confidence, Operation, Rule, RuleSet, STATUSES, Source, TOKEN_ERRORS,
};

use super::profiles::QUESTIONS;
use super::proofs::{self, Proof};

const BEGIN: &str = "<!-- The rest is printed from the data: `cargo xtask golden`. -->\n";

fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut row = "|".to_owned();
    for cell in cells {
        write!(row, " {} |", cell.replace('|', "\\|")).unwrap();
    }
    row.push('\n');
    row
}

fn table(header: &[&str], rows: impl IntoIterator<Item = String>) -> String {
    let rule = format!("|{}\n", "---|".repeat(header.len()));
    [row(header.iter().copied()), rule]
        .into_iter()
        .chain(rows)
        .collect()
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Microsoft => "Microsoft",
        Confidence::Tested => "tested",
        Confidence::Single => "one source",
        _ => "disputed",
    }
}

fn titles(sources: &[Source]) -> String {
    let titles: Vec<_> = sources.iter().map(|source| source.title()).collect();
    titles.join("; ")
}

fn profiles() -> String {
    let rows = QUESTIONS.iter().map(|asked| {
        let answers = Profile::ALL.map(asked.answer);
        let proof = format!("[`{}`](../{})", asked.test, asked.file);
        let mut cells = vec![asked.question];
        cells.extend(answers.iter().map(String::as_str));
        cells.push(&proof);
        row(cells)
    });
    let header = ["", "`V0_1`", "`V2`", "`V3`", "`Direct`", "Proved by"];
    table(&header, rows)
}

fn operations() -> String {
    let rows = Operation::ALL.map(|operation| {
        let name = format!("`{operation}`");
        row([name.as_str(), operation.audit_action()])
    });
    table(
        &["`gen_ai.operation.name`", "Action in `CloudAppEvents`"],
        rows,
    )
}

fn attributes() -> String {
    let rows = ATTRIBUTES.iter().map(|attribute| {
        let key = format!("`{}`", attribute.key);
        let of = |operation| {
            let requirement = attribute.requirement(operation, RuleSet::AttributeReference);
            requirement.to_string()
        };
        let levels = Operation::ALL.map(of);
        let sources = titles(attribute.sources);
        let mut cells = vec![key.as_str()];
        cells.extend(levels.iter().map(String::as_str));
        cells.extend([
            attribute.kind.name(),
            attribute.lands_in,
            attribute.impact,
            attribute.rule.as_str(),
            confidence(attribute.confidence),
            sources.as_str(),
        ]);
        row(cells)
    });
    let header = [
        "Attribute",
        "`invoke_agent`",
        "`execute_tool`",
        "`chat`",
        "`output_messages`",
        "Value",
        "Arrives in",
        "Without it",
        "Rule",
        "Confidence",
        "Source",
    ];
    table(&header, rows)
}

/// The attributes of which the rule sets say different things.
fn rule_sets() -> String {
    let of = |attribute: &_, set| {
        let attribute: &agentspan_model::agent365::contract::Attribute = attribute;
        let levels = Operation::ALL.map(|operation| attribute.requirement(operation, set));
        if levels.iter().all(|level| *level == levels[0]) {
            return levels[0].to_string();
        }
        levels.map(|level| level.to_string()).join(", ")
    };
    let rows = ATTRIBUTES.iter().filter_map(|attribute| {
        let [reference, store, certification, _] = RuleSet::ALL.map(|set| of(attribute, set));
        if store == reference && certification == reference {
            return None;
        }
        let key = format!("`{}`", attribute.key);
        Some(row([key.as_str(), &reference, &store, &certification]))
    });
    let names: Vec<_> = RuleSet::ALL.iter().map(|set| format!("`{set}`")).collect();
    table(&["Attribute", &names[0], &names[1], &names[2]], rows)
}

fn rules() -> String {
    let rows = Rule::all().zip(proofs::all()).map(|(rule, proof)| {
        let Proof {
            ours, file, test, ..
        } = proof;
        let name = format!("**{}** `{}`", rule.id, rule.name);
        let places: Vec<_> = rule.places.iter().map(|place| place.name()).collect();
        let places = places.join(", ");
        let what = format!("{} {} **{}**", rule.symptom, rule.cause, rule.remedy);
        let judged = if rule.is_judged {
            "A judge finds it."
        } else {
            ""
        };
        let ours = [ours, judged].join(" ");
        let proof = match file {
            "" => "–".to_owned(),
            _ => format!("[`{test}`](../{file})"),
        };
        let sources = titles(rule.sources);
        let level = rule.level.name();
        row([
            name.as_str(),
            level,
            &places,
            &what,
            ours.trim(),
            &proof,
            &sources,
        ])
    });
    let header = [
        "Rule",
        "Level",
        "Found in",
        "Symptom, cause, **remedy**",
        "We",
        "Proved by",
        "Source",
    ];
    table(&header, rows)
}

fn conflicts() -> String {
    let rows = CONFLICTS.iter().map(|conflict| {
        let [one, other] = conflict.sides;
        row([
            conflict.question,
            one,
            other,
            conflict.default,
            conflict.reason,
        ])
    });
    table(
        &["Question", "One side", "The other", "Our default", "Reason"],
        rows,
    )
}

fn statuses() -> String {
    let rows = STATUSES.iter().map(|meaning| {
        let status = match (meaning.status, meaning.last_status) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first} to {last}"),
        };
        let code = match meaning.code {
            "" => "any other".to_owned(),
            code => format!("`{code}`"),
        };
        row([
            status.as_str(),
            &code,
            meaning.meaning,
            meaning.cure.name(),
            meaning.mender.name(),
            meaning.remedy,
        ])
    });
    table(
        &[
            "Status",
            "Code",
            "Meaning",
            "Request",
            "Who can mend it",
            "Remedy",
        ],
        rows,
    )
}

fn token_errors() -> String {
    let rows = TOKEN_ERRORS.iter().map(|error| {
        let rule = error.rule.map_or("", |rule| rule.as_str());
        row([error.code, error.cause, error.remedy, rule])
    });
    table(&["Code", "Cause", "Remedy", "Rule"], rows)
}

fn printed() -> String {
    let sections = [
        ("Profiles", profiles()),
        ("Operations", operations()),
        ("Attributes", attributes()),
        ("Rule sets", rule_sets()),
        ("Rules", rules()),
        ("Open questions", conflicts()),
        ("Refusals", statuses()),
        ("Errors of Entra's token endpoint", token_errors()),
    ];
    let sections = sections.map(|(title, table)| format!("\n## {title}\n\n{table}"));
    sections.concat()
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the switch is one of tests, not a setting of the library"
)]
fn the_page_prints_the_data() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/agent365-contract.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (prose, written) = text.split_once(BEGIN).unwrap();
    let expected = printed();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, [prose, BEGIN, &expected].concat()).unwrap();
    } else {
        assert!(
            written == expected,
            "docs/agent365-contract.md is not what the data says: run `cargo xtask golden`"
        );
    }
}
