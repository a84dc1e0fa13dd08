//! Components that stand somewhere by default (N12).

use agentspan_model::agentspec::DocumentReader;

#[test]
fn n12_a_transform_keeps_its_summaries_in_a_datastore_unless_it_says_otherwise() {
    let read = |class: &str, more: &str| {
        let document = format!(r#"{{"component_type": "{class}", "id": "t", "name": "t"{more}}}"#);
        DocumentReader::new().read(&document).unwrap()
    };
    for class in [
        "MessageSummarizationTransform",
        "ConversationSummarizationTransform",
    ] {
        let transform = read(class, "");
        let datastore = transform.component("datastore").unwrap();
        assert_eq!(datastore.component_type(), "InMemoryCollectionDatastore");
        assert_eq!(datastore.name(), "default-inmemory-datastore");
        assert_eq!(datastore.id(), "t.datastore");
        assert!(
            read(class, r#", "datastore": null"#)
                .component("datastore")
                .is_none()
        );
    }
    assert!(read("Agent", "").children().is_empty());
}
