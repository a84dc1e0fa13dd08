//! Whatever is missing of a component, its secrets are not shown: every class, every secret.

use serde_json::{Map, Value, json};

use super::super::{
    Component, DocumentReader,
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

/// Content in a member that no class has, which looks like a component, with this in place of its client.
fn content(head: &Value, client: &Value) -> Value {
    let mut content = json!({"component_type": "OAuthConfig", "id": "o", "client": client});
    let members = content.as_object_mut().unwrap();
    members.extend(head.as_object().unwrap().clone());
    content
}

#[test]
fn content_that_only_looks_like_a_component_reads_from_the_dump_of_its_document() {
    let complete = json!({"name": "o"});
    let client = json!({
        "component_type": "OAuthClientConfig", "id": "c", "name": "c", "client_secret": SECRET,
    });
    let without_name = json!({
        "component_type": "OAuthClientConfig", "id": "c", "client_secret": SECRET,
    });
    let of_number = json!({"component_type": "OAuthClientConfig", "id": 5, "name": "c"});
    for extra in [
        content(&complete, &client),
        content(&complete, &without_name),
        content(
            &complete,
            &json!({"id": "c", "name": "c", "client_secret": SECRET}),
        ),
        content(
            &complete,
            &json!([[{"client_secret": SECRET, "more": {"client_secret": SECRET}}]]),
        ),
        content(
            &complete,
            &content(&complete, &json!({"client_secret": SECRET})),
        ),
        content(&complete, &of_number),
        content(&complete, &json!([[without_name]])),
        content(&json!({"name": "o", "description": 5}), &client),
        content(&json!({"name": 5}), &client),
        content(
            &complete,
            &content(&complete, &content(&complete, &without_name)),
        ),
    ] {
        let document = json!({
            "component_type": "StreamableHTTPTransport", "id": "t", "name": "t",
            "agentspec_version": "26.1.2", "url": "u", "extra": {"deep": [extra]},
        });
        let read = DocumentReader::new().read(&document.to_string());
        let dump = read.unwrap().dump().to_owned();
        assert!(!dump.contains(SECRET), "{dump}");
        let again = Component::from_json(&dump).unwrap_or_else(|error| panic!("{error}: {dump}"));
        assert_eq!(again.dump(), dump);
        // In the dump of somebody who hides nothing, too.
        let plain = document.to_string();
        let again = Component::from_json(&plain).unwrap_or_else(|error| panic!("{error}: {plain}"));
        assert!(!again.dump().contains(SECRET), "{}", again.dump());
    }
}
