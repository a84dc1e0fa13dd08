//! Reading is linear, and only what is written out is bounded.

use std::fmt::Write as _;

use agentspan_model::agentspec::{
    Component, ComponentBuilder, ComponentValue, Detail, DocumentReader, PathSegment, Position,
    ReadError,
};
use allocation_counter::measure;

/// Flows in flows, each of which runs the one below three times. Written out, each level is many times as
/// large as the one below.
fn nested_flows(levels: usize) -> String {
    let reference = |id: &str| format!(r#"{{"$component_ref":"{id}"}}"#);
    let mut listed = r#""s":{"component_type":"StartNode","id":"s","name":"s"}"#.to_owned();
    for level in 0..levels {
        let mut nodes = vec![reference("s")];
        for number in 0..3 {
            if level > 0 {
                let below = reference(&format!("f{}", level - 1));
                let id = format!("n{level}-{number}");
                write!(
                    listed,
                    r#","{id}":{{"component_type":"FlowNode","id":"{id}","name":"n","subflow":{below}}}"#
                )
                .unwrap();
                nodes.push(reference(&id));
            }
        }
        write!(
            listed,
            r#","f{level}":{{"component_type":"Flow","id":"f{level}","name":"f","start_node":{},"nodes":[{}]}}"#,
            reference("s"),
            nodes.join(",")
        )
        .unwrap();
    }
    format!(
        r#"{{"$component_ref":"f{}","$referenced_components":{{{listed}}}}}"#,
        levels - 1
    )
}

/// An agent with many tools, of which one is listed and the others stand where they are used.
fn many_tools(number: usize) -> String {
    let tools = (0..number).map(|number| {
        format!(
            r#"{{"component_type":"ServerTool","id":"t{number}","name":"t","inputs":[{{"title":"q"}}],"metadata":{{"a":[1,{{"b":"c"}}]}}}},
            {{"$component_ref":"shared"}}"#
        )
    });
    format!(
        r#"{{"component_type":"Agent","id":"a","name":"a","tools":[{}],"$referenced_components":{{
        "shared":{{"component_type":"ServerTool","id":"shared","name":"shared"}}}}}}"#,
        tools.collect::<Vec<_>>().join(",")
    )
}

/// Components that nobody uses, each with a member that is repeated and ids that others might list.
fn much_unused(number: usize) -> String {
    let unused = (0..number).map(|number| {
        format!(
            r#""u{number}":{{"component_type":"Acme","id":"u","name":"u","a":1,"a":{{"$component_ref":"u0"}}}}"#
        )
    });
    format!(
        r#"{{"component_type":"Acme","id":"a","name":"a","$referenced_components":{{{}}}}}"#,
        unused.collect::<Vec<_>>().join(",")
    )
}

/// Twice the text may take twice the work, and not more. Work is counted as memory that was asked for.
#[track_caller]
fn check_linear(document: impl Fn(usize) -> String, size: usize) {
    let work = |size: usize| {
        let document = document(size);
        let measured = measure(|| {
            assert!(DocumentReader::new().read(&document).is_ok());
        });
        (
            document.len() as f64,
            measured.count_total as f64,
            measured.bytes_total as f64,
        )
    };
    let (small, large) = (work(size), work(size * 2));
    let growth = large.0 / small.0;
    let most = growth * 1.1;
    assert!(large.1 / small.1 < most, "{growth}: {small:?} {large:?}");
    assert!(large.2 / small.2 < most, "{growth}: {small:?} {large:?}");
}

#[test]
fn reading_is_linear_in_the_text_however_much_it_shares() {
    check_linear(nested_flows, 20);
    check_linear(many_tools, 500);
    check_linear(much_unused, 500);
}

#[test]
fn problems_are_found_in_linear_time_too() {
    let broken = |number: usize| {
        let tools = (0..number).map(|_| r#"{"component_type":"ServerTool","id":"t"}"#);
        format!(
            r#"{{"component_type":"Agent","id":"a","name":"a","tools":[{}]}}"#,
            tools.collect::<Vec<_>>().join(",")
        )
    };
    let error = DocumentReader::new().read(&broken(20_000)).unwrap_err();
    assert!(error.to_string().ends_with("; and 19992 more"), "{error}");
    let first = error.problems().first().unwrap().position.unwrap();
    assert_eq!((first.line, first.column), (1, 56));
    let error = DocumentReader::new().read(&broken(900)).unwrap_err();
    let last = error.problems().last().unwrap().position.unwrap();
    assert_eq!((last.line, last.column), (1, 56 + 899 * 41));
}

#[test]
fn a_dump_that_would_have_no_end_writes_each_component_once() {
    let flow = DocumentReader::new().read(&nested_flows(60)).unwrap();
    let dump = flow.dump();
    assert!(dump.len() < 50_000, "{}", dump.len());
    for level in 0..60 {
        let id = format!(r#""id":"f{level}""#);
        assert_eq!(dump.matches(&id).count(), 1, "{id}");
        let reference = format!(r#"{{"$component_ref":"f{level}"}}"#);
        assert_eq!(dump.contains(&reference), level < 59, "{reference}");
    }
    assert_eq!(Component::from_json(dump).unwrap().dump(), dump);
}

#[test]
fn a_dump_of_usual_size_writes_everything_out() {
    let flow = DocumentReader::new().read(&nested_flows(4)).unwrap();
    assert!(!flow.dump().contains("$component_ref"));
    assert_eq!(flow.dump().matches(r#""id":"f0""#).count(), 27);
}

#[test]
fn inputs_that_double_on_each_level_do_not_follow_without_end() {
    let length = |levels: usize| {
        let mut document = r#"{"component_type":"Flow","id":"f","name":"f","start_node":
            {"component_type":"StartNode","id":"s","name":"s","inputs":[{"title":"x","type":"string"}]}}"#
            .to_owned();
        for level in 0..levels {
            document = format!(
                r#"{{"component_type":"Flow","id":"f{level}","name":"f","start_node":
                {{"component_type":"MapNode","id":"m{level}","name":"m","subflow":{document}}}}}"#
            );
        }
        let flow = DocumentReader::new().read(&document).unwrap();
        let lengths = flow
            .inputs()
            .iter()
            .map(|input| input.schema().as_str().len());
        lengths.sum::<usize>()
    };
    let few = length(4);
    assert!(length(6) > 4 * few, "{few}");
    assert_eq!(length(60), 0);
}

#[test]
fn components_are_nested_up_to_a_limit_along_references_too() {
    let chain = |levels: usize| {
        let listed = (0..levels).map(|level| {
            let below = match level {
                0 => "null".to_owned(),
                _ => format!(r#"{{"$component_ref":"c{}"}}"#, level - 1),
            };
            format!(r#""c{level}":{{"component_type":"Acme","id":"c{level}","name":"n","below":{below}}}"#)
        });
        let listed: Vec<_> = listed.collect();
        // Lower ones are read first, so that no reference is followed through many others.
        let used = (0..levels)
            .rev()
            .step_by(50)
            .collect::<Vec<_>>()
            .into_iter()
            .rev();
        let used = used.map(|level| format!(r#"{{"$component_ref":"c{level}"}}"#));
        let used: Vec<_> = used.collect();
        format!(
            r#"{{"component_type":"Acme","id":"top","name":"n","used":[{}],"$referenced_components":{{{}}}}}"#,
            used.join(","),
            listed.join(",")
        )
    };
    let deep = DocumentReader::new().read(&chain(198)).unwrap();
    assert!(Component::from_json(deep.dump()).is_ok());
    let error = DocumentReader::new().read(&chain(300)).unwrap_err();
    assert!(error.to_string().contains("nested too deep"), "{error}");
}

#[test]
fn references_may_lead_to_references_up_to_a_limit() {
    let listed = |number: usize| {
        let links = (0..number).map(|link| {
            let next = link + 1;
            format!(r#""r{link}":{{"$component_ref":"r{next}"}},"#)
        });
        let links: String = links.collect();
        format!(r#"{{{links}"r{number}":{{"component_type":"Acme","id":"x","name":"n"}}}}"#)
    };
    let chain = |number: usize| {
        let listed = listed(number);
        format!(r#"{{"$component_ref":"r0","$referenced_components":{listed}}}"#)
    };
    assert_eq!(DocumentReader::new().read(&chain(199)).unwrap().id(), "x");
    for number in [200, 20_000] {
        let error = DocumentReader::new().read(&chain(number)).unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        assert!(error.to_string().contains("nested too deep"), "{error}");
        let list = format!(r#"{{"$referenced_components":{}}}"#, listed(number));
        let error = DocumentReader::new().read_referenced(&list).unwrap_err();
        assert!(error.to_string().contains("nested too deep"), "{error}");
    }
    // The name of a component may be a reference to a value.
    let name = chain(20_000).replace(
        r#"{"$component_ref":"r0""#,
        r#"{"component_type":"Acme","id":"a","name":{"$component_ref":"r0"}"#,
    );
    let error = DocumentReader::new().read(&name).unwrap_err();
    assert!(error.to_string().contains("nested too deep"), "{error}");
}

/// Checks that an error counts so many problems and keeps no more of them than anybody reads.
#[track_caller]
fn check_problems(error: &ReadError, number: usize) {
    assert!(
        error
            .to_string()
            .ends_with(&format!("; and {} more", number - 8)),
        "{:?}",
        error.problems()[0].kind
    );
    let kept = error.problems();
    let bytes = kept.iter().flat_map(|problem| &problem.path).map(|step| {
        let name = match step {
            PathSegment::Member(name) => name.len(),
            PathSegment::Index(_) => 0,
        };
        name + size_of::<PathSegment>()
    });
    let bytes: usize = bytes.sum();
    assert!((8..=1_000).contains(&kept.len()), "{}", kept.len());
    assert!(bytes < 5 << 20, "{bytes}");
}

#[test]
fn problems_are_kept_up_to_a_limit_and_counted_beyond_it() {
    let document = |tools: String| {
        format!(r#"{{"component_type":"Agent","id":"a","name":"n","tools":{tools}}}"#)
    };
    let read = |document: &str| DocumentReader::new().read(document).unwrap_err();
    let number = 20_000;
    let flat = vec!["{}"; number].join(",");
    check_problems(&read(&document(format!("[{flat}]"))), number);
    let nested = [&"[".repeat(240), &*flat, &"]".repeat(240)].concat();
    check_problems(&read(&document(nested)), number);

    // The names of members count, too: each stands in the path of all that is below it.
    let long = "n".repeat(1 << 16);
    let elements = vec!["{}"; number].join(",");
    let list = format!(
        r#"{{"$referenced_components":{{"{long}":{{"component_type":"Agent","id":"a","name":"n","tools":[{elements}]}}}}}}"#
    );
    check_problems(
        &DocumentReader::new().read_referenced(&list).unwrap_err(),
        number,
    );

    let missing = (0..number).map(|id| format!(r#"{{"$component_ref":"m{id}"}}"#));
    let missing: Vec<_> = missing.collect();
    let missing = format!(r#"[{{"{long}":[{}]}}]"#, missing.join(","));
    check_problems(&read(&document(missing)), number);
}

#[test]
fn a_component_that_is_made_in_code_may_be_as_deep_as_memory_allows() {
    let builder = || Component::builder("FlowNode", "n").with_id("i");
    let deepen = |component: Component, level: usize| -> ComponentBuilder {
        match level % 3 {
            0 => builder().with_component("subflow", component),
            1 => builder().with_components("subflow", [component]),
            _ => {
                let map = [(Box::from("m"), ComponentValue::Component(component))];
                builder().with_value("subflow", ComponentValue::Map(map.into()))
            }
        }
    };
    let make = || {
        (0..100_000).fold(builder().build(), |component, level| {
            deepen(component, level).build()
        })
    };
    let deep = make();
    assert_eq!(deep.inputs().len(), 0);
    assert!(deep.dump().contains(r#"{"$component_ref":"i"}"#));
    let outline = deep.outline(Detail::Named);
    assert!(outline.dump().contains("** MASKED **"));
    drop((deep, outline));

    // Who is shared stays.
    let shared = make();
    let around = deepen(shared.clone(), 0).build();
    drop(around);
    assert_eq!(shared.children().len(), 1);
}

#[test]
fn a_text_that_is_no_document_has_a_position_that_counts_from_one() {
    let check = |error: ReadError, line, column| {
        let [problem] = error.problems() else {
            panic!("{error}");
        };
        assert_eq!(problem.position, Some(Position { line, column }));
        // It is told once.
        let place = format!("line {line}, column {column}");
        assert_eq!(error.to_string().matches(&place).count(), 1, "{error}");
    };
    let read = |text: &str| DocumentReader::new().read(text).unwrap_err();
    check(read(""), 1, 1);
    check(read("{\"component_type\": \n"), 2, 1);
    check(read("{\"é\": NaN,\n \"b\" 1}"), 2, 6);
    let listed = DocumentReader::new().read_referenced("[\n");
    check(listed.unwrap_err(), 2, 1);
    #[cfg(feature = "yaml")]
    check(DocumentReader::new().read_yaml("}").unwrap_err(), 1, 1);
}
