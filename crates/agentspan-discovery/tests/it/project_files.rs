//! The name of a project is found wherever a project file has it.

use agentspan_discovery::Environment;
use agentspan_discovery::runtime_v2::application_name;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A line that neither opens a table nor names anything.
fn filler() -> impl Strategy<Value = String> {
    select(vec![
        "",
        "# name = 'no'",
        "version = \"1\"",
        "names = 'no'",
        "name = no",
        "dependencies = ['a'",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn the_first_name_in_the_project_table_wins(
        before in vec(filler(), 0..5),
        inside in vec(filler(), 0..5),
        name in "[^\"'\\pC\\pZ\u{85}]{1,20}",
        quote in select(vec!['"', '\'']),
        end in select(vec!["\n", "\r\n", "\r"]),
    ) {
        let mut lines = vec!["[tool.other]".to_owned(), "name = 'other'".to_owned()];
        lines.extend(before);
        lines.push("[project]".to_owned());
        lines.extend(inside);
        lines.push(format!("name = {quote}{name}{quote}"));
        lines.push("name = 'second'".to_owned());
        let text = lines.join(end);
        let environment = Environment::default();
        prop_assert_eq!(application_name(&environment, Some(&text)), Some(&*name));
    }

    #[test]
    fn any_text_is_read_without_harm(text in "(\\PC|[\\[\\]\n=\"']|\\[project\\]\n|name=){0,30}") {
        let environment = Environment::default();
        if let Some(name) = application_name(&environment, Some(&text)) {
            prop_assert!(text.contains(name) && !name.is_empty());
        }
    }
}
