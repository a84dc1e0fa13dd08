//! Whatever is missing of a component, its secrets are not shown: every class, every secret.

use serde_json::{Map, Value, json};

use super::super::{
    Component,
    classes::{CLASSES, SECRET_NAMES, is_secret},
};

/// In every secret, and in nothing else.
const SECRET: &str = "5ECRET";

/// A component without some of what every component has, in a member that no class has.
fn dump_within(class: &str, field: &str, lacking: &[&str]) -> String {
    let mut inner = Map::new();
    for (name, value) in [
        ("component_type", class),
        ("id", "i"),
        ("name", "n"),
        (field, SECRET),
    ] {
        if !lacking.contains(&name) {
            inner.insert(name.to_owned(), Value::from(value));
        }
    }
    let outer = json!({
        "component_type": "AcmeTool", "id": "c", "name": "c",
        "options": [{ "deep": inner }],
    });
    let component = Component::from_json(&outer.to_string()).unwrap();
    component.dump().to_owned()
}

#[test]
fn no_secret_of_any_class_is_shown_whatever_else_is_missing() {
    let mut checked = 0;
    for class in CLASSES {
        for field in SECRET_NAMES {
            for lacking in [&[][..], &["name"], &["id"], &["id", "name"]] {
                let dump = dump_within(class.name, field, lacking);
                let is_shown = dump.contains(SECRET);
                let is_harmless = !is_secret(class.name, field);
                assert_eq!(
                    is_shown, is_harmless,
                    "{} without {lacking:?}: {field}",
                    class.name
                );
                checked += usize::from(!is_harmless);
            }
        }
    }
    // All fields of all classes but the two of A2AConnectionConfig that are harmless.
    let secrets = CLASSES.len() * SECRET_NAMES.len() - 2;
    assert_eq!(checked, 4 * secrets);
}
